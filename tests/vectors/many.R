# Makes many.truth.json of the patients of many.py. Run from the repository's root:
# python3 tests/vectors/many.py data /tmp/many.csv && Rscript tests/vectors/many.R /tmp/many.csv     (R 4.2, survival 3.5; two minutes)
source("tests/vectors/tables_methods.R")
source("tests/vectors/km_methods.R")
source("tests/vectors/means_methods.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")

d <- read.csv(commandArgs(TRUE)[1])
d$g <- factor(d$g); d$h <- factor(d$h); d$e <- d$e == 1
write_gold("tests/vectors/many.truth.json", list(
  cox_gold("cox", d, "Surv(t, e) ~ x + g"), cox_gold("strata", d, "Surv(t, e) ~ x + strata(g, shortlabel = FALSE)"),
  cox_gold("weights", d, "Surv(t, e) ~ x + g", weights = "w", robust = TRUE),
  km("km", d, Surv(t, e) ~ g), km_gold("km_weights", d, Surv(t, e) ~ h, "w"),
  logrank("logrank", d, Surv(t, e) ~ h, trend = TRUE), logrank("peto", d, Surv(t, e) ~ g, rho = 1),
  crosstab("crosstab", d, c("g", "e")), describe("describe", d, c("x", "w")), correlation("correlation", d, c("x", "t", "w")),
  anova_gold("anova", d, t ~ h), glm_gold("logit", d, binomial(), "e ~ h + x"), glm_gold("line", d, gaussian(), "t ~ h + x", weights = "w")))
