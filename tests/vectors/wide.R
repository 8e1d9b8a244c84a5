# Spreads far smaller than the dictionary's bounds: wide.means. Skewness is then null, with a sentence. `Rscript tests/vectors/wide.R data` makes the data.
source("tests/vectors/means_methods.R")
source("tests/vectors/tables_methods.R")

if (identical(commandArgs(TRUE), "data")) {
  set.seed(37303)
  n <- 90
  d <- data.frame(pid = sprintf("W%03d", 1:n), g = sample(c("A", "B"), n, TRUE), t = rbinom(n, 1, .5))
  d$a <- sprintf("%d", 1700000000L + sample(0:40, n, TRUE)) # seconds of a minute, in bounds of 63 years
  d$b <- sprintf("%d", 50000000L + sample(0:9, n, TRUE) + 3L * (d$g == "B"))
  d$c <- sprintf("%.3f", 765432 + sample(0:990, n, TRUE) / 1000)
  d$z <- sprintf("%d", ifelse(d$g == "A", 3L, 999999000L) + sample(0:50, n, TRUE)) # two groups at either end
  d$same <- "123456789"
  d$z[7] <- NA
  write.csv(d, "tests/vectors/wide.csv", row.names = FALSE, quote = FALSE, na = "")
}

d <- read.csv("tests/vectors/wide.csv")
# R's own means and sums of squares lose digits on such numbers: it gets them without what they have in common, which is given back to the means.
common <- c(a = 1700000000, b = 50000000, c = 765432, same = 123456789)
for (v in names(common)) d[[v]] <- round(1000 * (d[[v]] - common[[v]])) / 1000
d$g <- factor(d$g, levels = c("A", "B"))
d$t <- d$t == 1
given_back <- function(gold) {
  gold$result$variables <- lapply(gold$result$variables, function(v) {
    if (v$variable %in% names(common)) { v$mean <- v$mean + common[[v$variable]]; v$sum <- v$sum + v$n * common[[v$variable]] }
    v
  })
  gold
}
means_back <- function(gold, v) { gold$result$means <- lapply(gold$result$means, function(m) { m$mean <- m$mean + common[[v]]; m }); gold }
untold <- function(gold) { gold$result$variables <- lapply(gold$result$variables, function(v) { if (v$variable != "z" || !is.na(v$by)) v["skewness"] <- list(NA); v }); gold }
gold("wide.means", list(
  given_back(untold(describe("d", d, c("a", "b", "c", "same")))), given_back(untold(describe("dg", d, c("a", "c", "z"), "g"))),
  ttest("ta", d, a ~ g), ttest("tb", d, b ~ g), ttest("tc", d, c ~ t), means_back(anova_gold("aa", d, a ~ g), "a"), means_back(anova_gold("ac", d, c ~ g), "c"), anova_gold("az", d, z ~ g),
  correlation("r", d, c("a", "b", "c")), smd("s", d, "t", c("a", "b", "c", "same"))))
