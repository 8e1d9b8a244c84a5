# Nobody at risk for a while, one alone at risk, events and censorings at time 0: gaps.times. Run from the repository's root:
# Rscript tests/vectors/gaps.R     (R 4.2, survival 3.5)
source("tests/vectors/km_methods.R")
source("tests/vectors/models.R")

d <- read.csv("tests/vectors/gaps.csv")
d$g <- factor(d$g, levels = c("A", "B"))
d$e <- d$e == 1
gold("gaps.times", list(
  km("late", d, Surv(entry, exit, e) ~ g), km("late-all", d, Surv(entry, exit, e) ~ 1, conf_type = "log-log"),
  cox_gold("late-cox", d, "Surv(entry, exit, e) ~ x + g"), cox_gold("late-breslow", d, "Surv(entry, exit, e) ~ x", ties = "breslow"),
  km("zero", d, Surv(time, e) ~ g, tau = 12), km("zero-all", d, Surv(time, e) ~ 1),
  logrank("zero-rank", d, Surv(time, e) ~ g), logrank("zero-peto", d, Surv(time, e) ~ g, rho = 1),
  cox_gold("zero-cox", d, "Surv(time, e) ~ x + g"),
  glm_gold("zero-rate", d, poisson(), "e ~ x + offset(log(time + 1))")))
