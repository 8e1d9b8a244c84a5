# A calendar year as it is written, far from 0 and in bounds far wider than the data: calendar.models (therneau/survival#326: the baseline under- and
# overflows). Run from the repository's root: Rscript tests/vectors/calendar.R; `Rscript tests/vectors/calendar.R data` makes the data.
source("tests/vectors/common.R")
source("tests/vectors/models.R")

if (identical(commandArgs(TRUE), "data")) {
  set.seed(326, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
  n <- 120
  y <- sample(1985:1996, n, TRUE)
  x <- sample(0:35, n, TRUE)
  d <- data.frame(pid = sprintf("Y%03d", 1:n), y = y, t = pmin(300, 1 + floor(rexp(n, exp(-3 + .25 * (y - 1990) - .03 * x)))), e = rbinom(n, 1, .8), x = x,
                  g = sample(c("A", "B"), n, TRUE))
  write.csv(d, "tests/vectors/calendar.csv", row.names = FALSE, quote = FALSE)
}

d <- read.csv("tests/vectors/calendar.csv")
d$e <- d$e == 1
# R's own fits of y + y² lose six of their digits: it fits the centred one, and what it found is written about the year 0.
about_0 <- function(gold, at, by, labels, conf = 0.95) { # at: constant (or NA), y, y² among the terms
  terms <- gold$result$terms
  move <- diag(length(terms))
  move[at[2], at[3]] <- -2 * by
  if (!is.na(at[1])) { move[at[1], at[2]] <- -by; move[at[1], at[3]] <- by^2 }
  b <- drop(move %*% vapply(terms, `[[`, 0, "estimate"))
  v <- move %*% gold$result$vcov %*% t(move)
  names <- replace(vapply(terms, `[[`, "", "term"), at[2:3], labels)
  gold$result$terms <- term_rows(names, b, sqrt(diag(v)), Inf, conf, list(n = rep(NA_real_, length(b)), n_event = rep(NA_real_, length(b))))
  gold$result$vcov <- v
  gold
}
as_id <- function(gold, id) { gold$id <- id; gold }
centred <- cox_gold("centred", d, "Surv(t, e) ~ I(y - 1990) + I((y - 1990)^2) + x")
logit_centred <- glm_gold("logit_centred", d, binomial(), "e ~ I(y - 1990) + I((y - 1990)^2)")
# beyond: a predictor that leaves ±30 over the dictionary's limits, x at most 60 where nobody has more than 35.
write_gold("tests/vectors/calendar.models.gold.json", list(
  cox_gold("year", d, "Surv(t, e) ~ y + x", baseline = TRUE), cox_gold("far", d, "Surv(t, e) ~ I(-4 * y) + x", baseline = TRUE),
  cox_gold("strata", d, "Surv(t, e) ~ I(y - 1990) + x + strata(g, shortlabel = FALSE)", baseline = TRUE),
  centred, as_id(about_0(centred, c(NA, 1, 2), 1990, c("y", "I(y^2)")), "square"),
  glm_gold("rate", d, poisson(), "e ~ y + x + offset(log(t))"),
  logit_centred, as_id(about_0(logit_centred, 1:3, 1990, c("y", "I(y^2)")), "logit_square"),
  cox_gold("beyond", d, "Surv(t, e) ~ x + I(x^2) + I(x^3) + I(x^4)", zph = "identity", baseline = TRUE),
  cox_gold("robust", d, "Surv(t, e) ~ I(y - 1990) + I((y - 1990)^2) + x", robust = TRUE),
  glm_gold("beyond_poly", d, poisson(), "e ~ poly(y, 2) + poly(x, 4) + offset(log(t))"),
  glm_gold("beyond_rate", d, poisson(), "e ~ I(y - 1990) + I((y - 1990)^2) + x + I(x^2) + I(x^3) + offset(log(t))")))
