# Makes controls.csv, and the gold file of negative_controls over it: controls.models. Run from the repository's root:
# Rscript tests/vectors/controls.R     (R 4.2, survival 3.5, metafor 3.8)
source("tests/vectors/common.R")
source("tests/vectors/models.R")
suppressMessages({ library(survival); library(metafor) })

# Patients of whom some had surgery, the fitter rather; how fit somebody is is not in the data. Six conditions that surgery cannot change come
# the sooner the less fit somebody is, one more than another, and death as well; surgery halves the hazard of death.
outcomes <- c("death", "fracture", "shingles", "gout", "cataract", "hernia", "anaemia")
make <- function(n) {
  set.seed(31)
  age <- round(pmin(pmax(rnorm(n, 66, 10), 30), 95)); fit <- rnorm(n)
  surgery <- runif(n) < plogis(-0.03 * (age - 66) + 0.8 * fit)
  lost <- runif(n, 300, 2000)
  d <- data.frame(pid = sprintf("p%04d", seq_len(n)), age = age, surgery = as.integer(surgery))
  load <- c(0.5, 0.6, 0.1, 0.4, 0.9, 0.3, 0.5)
  for (i in seq_along(outcomes)) {
    due <- rexp(n, exp(0.02 * (age - 66) - load[i] * fit - log(2) * (i == 1) * surgery) / 1500)
    d[[paste0("t_", outcomes[i])]] <- ceiling(pmin(due, lost)); d[[outcomes[i]]] <- as.integer(due <= lost)
  }
  d$age[c(3, 50)] <- NA
  write.csv(d, "tests/vectors/controls.csv", row.names = FALSE, na = "", quote = FALSE)
}
make(1200)

# The coefficient of surgery with its error, robust where there are weights.
hazard <- function(d, outcome, w = 30.4375, weights = NULL) {
  d$.t <- on_grid_exit(d[[paste0("t_", outcome)]], w); d$.e <- d[[outcome]]
  f <- if (is.null(weights)) coxph(Surv(.t, .e) ~ surgery + age, d, ties = "efron", eps = 1e-13, iter.max = 50, toler.chol = 1e-15)
  else { d$.w <- weights; coxph(Surv(.t, .e) ~ surgery, d, weights = .w, robust = TRUE, ties = "efron", eps = 1e-13, iter.max = 50, toler.chol = 1e-15) }
  base::c(coef(f)["surgeryTRUE"], sqrt(diag(vcov(f)))["surgeryTRUE"])
}
odds <- function(d, outcome) {
  X <- model.matrix(~ surgery + age, d); f <- converged(X, as.numeric(d[[outcome]]), binomial(), NULL, NULL, TRUE)
  base::c(f$coefficients["surgeryTRUE"], sqrt(diag(chol2inv(f$qr$qr[1:3, 1:3])))[2])
}

# Systematic error as rma has it by maximum likelihood.
controls_gold <- function(id, own, controls, names, of, n, missing, events, conf = 0.95, shape) {
  z <- qnorm((1 + conf) / 2)
  row <- function(name, y, s) list(term = name, estimate = y, std_error = s, statistic = y / s, p_value = 2 * pnorm(-abs(y / s)),
                                   conf_low = y - z * s, conf_high = y + z * s)
  rows <- lapply(seq_along(names), function(i) row(names[i], controls[1, i], controls[2, i]))
  rows <- base::c(rows, list(row(of, own[1], own[2])))
  enough <- length(names) >= 5
  if (enough) {
    r <- rma(yi = controls[1, ], sei = controls[2, ], method = "ML", control = list(threshold = 1e-15, maxiter = 10000))
    mu <- as.numeric(r$b); sigma <- sqrt(r$tau2)
    cat(id, "mean", mu, "sd", sigma, "\n")
    rows <- base::c(rows, list(row(paste0(of, ", calibrated"), own[1] - mu, sqrt(own[2]^2 + sigma^2))))
  }
  list(id = id, method = "negative_controls", status = "ok", n = n, n_missing = missing, n_event = events, result = base::c(shape, list(
    terms = rows, systematic_error = list(controls = length(names), mean = if (enough) mu else NA, sd = if (enough) sigma else NA))))
}

d <- read.csv("tests/vectors/controls.csv")
for (x in base::c("surgery", outcomes)) d[[x]] <- d[[x]] == 1
k <- d[!is.na(d$age), ]; names <- outcomes[-1]
cox <- vapply(outcomes, function(o) hazard(k, o), base::c(0, 0))
logit <- vapply(outcomes, function(o) odds(k, o), base::c(0, 0))
p <- { f <- converged(cbind(1, k$age), as.numeric(k$surgery), binomial(), NULL, NULL, TRUE); f$fitted.values }
weighted <- vapply(outcomes, function(o) hazard(k, o, weights = ifelse(k$surgery, 1 / p, 1 / (1 - p))), base::c(0, 0))
alike <- base::c("anaemia", "gout", "hernia", "fracture", "shingles")
write_gold("tests/vectors/controls.models.gold.json", list(
  controls_gold("cox", cox[, 1], cox[, -1], paste0("cox_", names), "cox_death", nrow(k), 2, sum(k$death), shape = list(model = "cox", ties = "efron")),
  controls_gold("odds", logit[, 1], logit[, -1], paste0("odds_", names), "odds_death", nrow(k), 2, sum(k$death), conf = 0.9, shape = list(model = "glm", family = "binomial", link = "logit")),
  controls_gold("weighted", weighted[, 1], weighted[, -1], paste0("w_", names), "w_death", nrow(k), 2, sum(k$death), shape = list(model = "cox", ties = "efron")),
  controls_gold("few", cox[, 1], cox[, 2:4], paste0("cox_", names[1:3]), "cox_death", nrow(k), 2, sum(k$death), shape = list(model = "cox", ties = "efron"))))
