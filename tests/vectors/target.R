# Makes target.csv, and the gold files of emulation over it: target.day, target.month. Run from the repository's root:
# Rscript tests/vectors/target.R     (R 4.2, survival 3.5)
source("tests/vectors/common.R")
source("tests/vectors/models.R")
suppressMessages(library(survival))

# Patients of whom some have surgery, the sooner the younger and less frail; nobody has stage IV. A few ages are missing, and a date of surgery.
make <- function(n) {
  set.seed(20)
  age <- round(pmin(pmax(rnorm(n, 68, 10), 30), 95)); frail <- runif(n) < plogis((age - 72) / 8)
  stage <- sample(c("I", "II", "III"), n, TRUE, c(.4, .35, .25))
  x <- -0.04 * (age - 68) - 0.7 * frail + c(I = .3, II = 0, III = -.5)[stage]
  due <- ceiling(rexp(n, exp(x) / 130))
  death <- ceiling(rexp(n, exp(0.03 * (age - 68) + 0.5 * frail + c(I = -.6, II = 0, III = .7)[stage]) / 900))
  surgery <- due <= 700 & due < death                      # which halves the hazard from then on
  death <- ifelse(surgery, due + ceiling((death - due) * 2), death)
  lost <- ceiling(pmin(rexp(n, 1 / 3000), runif(n, 400, 1990)))
  surgery <- surgery & due <= lost
  time <- pmin(death, lost)
  d <- data.frame(pid = sprintf("p%04d", seq_len(n)), age = age, stage = stage, frail = as.integer(frail), surgery = as.integer(surgery),
                  wait = ifelse(surgery, due, NA), time = time, death = as.integer(death <= lost))
  d$age[c(7, 400)] <- NA
  d$wait[which(surgery)[5]] <- NA                          # that it was is known, and not when
  write.csv(d, "tests/vectors/target.csv", row.names = FALSE, na = "", quote = FALSE)
}
make(1600)

# The two life tables, patient by patient. Of each factor of S, those of the grace period and then those of the rows: n, d and l, what a patient adds to
# N, D and L (patients × factors), and which weights these are. slope: how the logarithm of these weights moves with the predictor of each model.
# v: weights of patients, which are 1. events, losses: of each arm the last row of the run of each row.
clones <- function(d, covariates, grace, times, w, v, events, losses) {
  K <- length(grace); b <- base::c(0, round(grace / w)); e <- base::c(grace[K], times); R <- length(times)
  T <- on_grid_exit(d$time, w); r <- round(e / w)
  started <- cbind(FALSE, vapply(grace, function(g) d$surgery & replace(d$wait <= g & d$wait <= T * w, !d$surgery, FALSE), rep(NA, nrow(d))))
  died <- vapply(0:K, function(k) d$death & T <= b[k + 1] & k > 0, rep(NA, nrow(d)))         # by the end of step k
  X <- model.matrix(covariates, d); X <- X[, colSums(X != 0) > 0, drop = FALSE]
  models <- lapply(seq_len(K), function(k) {
    rows <- !started[, k] & !(died[, k + 1] & !started[, k + 1])
    y <- started[, k + 1]
    fit <- converged(X[rows, ], as.numeric(y[rows]), binomial(), v[rows], rep(0, sum(rows)), TRUE)
    list(rows = rows, y = y, p = plogis(drop(X %*% fit$coefficients)))
  })
  s <- started[, K + 1]; beyond <- T > b[K + 1]; p <- models[[K]]$p
  W <- cbind(1, vapply(seq_len(K), function(k) 1 / Reduce(`*`, lapply(1:k, function(j) 1 - models[[j]]$p)), rep(0, nrow(d))))
  last <- s & !started[, K]; dies <- died[, K + 1] & !died[, K] & !s                         # who starts in the last step, and dies in it without a start
  V <- ifelse(last, 1 / p, ifelse(dies, 1 / (2 - p), 1))
  slope1 <- ifelse(last, p - 1, ifelse(dies, p * (1 - p) / (2 - p), 0))
  waits <- list(n = vapply(1:K, function(k) (!started[, k] & !died[, k]) * W[, k], rep(0, nrow(d))),
                d = vapply(1:K, function(k) (died[, k + 1] & !died[, k] & !started[, k + 1]) * W[, k], rep(0, nrow(d))),
                l = vapply(1:K, function(k) (started[, k + 1] & !started[, k]) * W[, k], rep(0, nrow(d))), of = seq_len(K))
  there <- (s | dies) & !died[, K]
  starts <- list(n = cbind(if (K > 1) 1 + 0 * v, there * V), d = cbind(if (K > 1) as.numeric(died[, K]), (there & died[, K + 1]) * V), l = matrix(0, nrow(d), min(K, 2)))
  starts$of <- seq_len(min(K, 2)) + (K == 1)                                                 # 2: V
  arms <- lapply(1:2, function(a) { arm <- list(waits, starts)[[a]]; wt <- (beyond & s == (a == 2)) * cbind(W[, K + 1], V)[, a]
    row <- findInterval(T, r, left.open = TRUE); ev <- events[[a]]; lo <- losses[[a]]; width <- diff(e)
    D <- vapply(1:R, function(k) wt * (d$death & row >= 1 & row <= R & ev[pmin(pmax(row, 1), R)] == k), rep(0, nrow(d)))
    L <- vapply(1:R, function(k) { run <- which(lo == lo[k]); wt * (!d$death & row %in% run) * width[k] / sum(width[run]) }, rep(0, nrow(d)))
    D <- matrix(D, ncol = R); L <- matrix(L, ncol = R); ends <- sort(unique(ev)); from <- base::c(0, ends[-length(ends)])
    list(n = cbind(arm$n, vapply(from, function(f) wt - rowSums(D[, seq_len(f), drop = FALSE]) - rowSums(L[, seq_len(f), drop = FALSE]), rep(0, nrow(d)))) * v,
         d = cbind(arm$d, D[, ends]) * v, l = cbind(arm$l, vapply(seq_along(ends), function(i) rowSums(L[, (from[i] + 1):ends[i], drop = FALSE]), rep(0, nrow(d)))) * v,
         of = base::c(arm$of, rep(base::c(K + 1, 2)[a], length(ends))), told = base::c(0, ends), n_grace = length(arm$of), beyond = sum(wt > 0),
         heads = vapply(ends, function(k) sum(D[, k] > 0), 0),
         slope = function(k, of) if (a == 1) { if (of > k) models[[k]]$p } else if (k == K && of == 2) slope1) })
  list(X = X, models = models, K = K, ends = e, arms = arms)
}

# S at the end of the grace period and of each run of events, by factors 1 − D/(N − L/2), held against survfit() of as many pieces.
factors <- function(arm) { N <- colSums(arm$n); D <- colSums(arm$d); L <- colSums(arm$l); list(N = N, D = D, L = L, E = N - L / 2, F = 1 - D / (N - L / 2)) }
curve_of <- function(arm) cumprod(factors(arm)$F)[seq_along(arm$told) + arm$n_grace - 1]
by_survfit <- function(arm) { f <- factors(arm); k <- seq_along(f$N)
  g <- survfit(Surv(start, stop, event) ~ 1, data.frame(start = rep(k - 1, 2), stop = rep(k, 2), event = rep(1:0, each = length(k)), w = base::c(f$D, f$E - f$D)), weights = w)
  summary(g, times = k)$surv[seq_along(arm$told) + arm$n_grace - 1] }
# The mean up to a row, by trapezes through what is told.
mean_of <- function(S, ends, tau) { keep <- ends <= tau; t <- base::c(0, ends[keep]); S <- base::c(1, S[keep]); sum(diff(t) * (S[-1] + S[-length(S)]) / 2) }
asked <- function(c, a, tau) { S <- curve_of(c$arms[[a]]); base::c(S, if (!is.null(tau)) mean_of(S, c$ends[c$arms[[a]]$told + 1], tau)) }

# What each patient does to the numbers of an arm, by its clone and by the models (docs/methods/emulation.md): patients × numbers.
moves_of <- function(c, a, tau) {
  arm <- c$arms[[a]]; f <- factors(arm); S <- curve_of(arm)
  one <- sweep(arm$n, 2, f$D / f$E^2 / f$F, `*`) - sweep(arm$d, 2, 1 / f$E / f$F, `*`) - sweep(arm$l, 2, f$D / (2 * f$E^2) / f$F, `*`)
  numbers <- function(one) { m <- t(apply(one, 1, cumsum)); if (ncol(one) == 1) m <- t(m)
    m <- sweep(m[, seq_along(S) + arm$n_grace - 1, drop = FALSE], 2, S, `*`)
    if (!is.null(tau)) { ends <- c$ends[arm$told + 1]; keep <- which(ends <= tau); from <- base::c(0, ends[keep]); to <- base::c(ends[keep][-1], ends[max(keep)])
      m <- cbind(m, m[, keep, drop = FALSE] %*% ((to - from[seq_along(keep)]) / 2)) }
    m }
  all <- numbers(one)
  for (k in seq_along(c$models)) { mod <- c$models[[k]]
    slope <- vapply(seq_along(arm$of), function(j) { x <- arm$slope(k, arm$of[j]); if (is.null(x)) 0 * one[, 1] else x }, one[, 1])
    X <- c$X[mod$rows, ]; V <- solve(crossprod(X, X * (mod$p * (1 - mod$p))[mod$rows]))
    all <- all + (c$X * (mod$rows * (mod$y - mod$p))) %*% V %*% crossprod(c$X, numbers(one * slope)) }
  all
}

# events, losses: rows as a policy has joined them, an arm each.
emulation_gold <- function(id, d, covariates, grace, times, w, tau = NULL, cohort = NULL, conf = 0.95, events = NULL, losses = NULL, check = TRUE) {
  if (!is.null(cohort)) d <- d[cohort(d), ]
  whole <- nrow(d); d <- d[!is.na(d$age) & !(d$surgery & is.na(d$wait)), ]; one <- rep(1, nrow(d)); own <- list(seq_along(times), seq_along(times))
  tables <- function(v) clones(d, covariates, grace, times, w, v, if (is.null(events)) own else events, if (is.null(losses)) own else losses)
  c <- tables(one); names <- base::c("no start", "start"); z <- qnorm((1 + conf) / 2)
  value <- lapply(1:2, function(a) asked(c, a, tau)); D <- lapply(1:2, function(a) moves_of(c, a, tau))
  if (check) {
    for (a in 1:2) stopifnot(max(abs(by_survfit(c$arms[[a]]) - curve_of(c$arms[[a]]))) < 1e-12)
    # By weighing a patient a little more and a little less, all models and tables anew.
    some <- unique(round(seq(3, nrow(d), length.out = 6))); h <- 1e-4
    apart <- max(vapply(some, function(i) { up <- tables(replace(one, i, 1 + h)); down <- tables(replace(one, i, 1 - h))
      max(vapply(1:2, function(a) max(abs((asked(up, a, tau) - asked(down, a, tau)) / (2 * h) - D[[a]][i, ])), 0)) / max(abs(unlist(D))) }, 0))
    cat(id, "followed", c$arms[[1]]$beyond, c$arms[[2]]$beyond, "; largest difference from refitting, of the largest derivative:", apart, "\n"); stopifnot(apart < 1e-5)
  }
  error <- function(D) sqrt(colSums(D^2)); list_of <- function(x) as.list(unname(x))
  curves <- lapply(1:2, function(a) { arm <- c$arms[[a]]; n <- length(arm$told); s <- value[[a]][1:n]; e <- error(D[[a]])[1:n]; t <- c$ends[arm$told + 1]
    list(stratum = names[a], n = nrow(d), n_followed = arm$beyond, rmst = if (is.null(tau)) NA else list(tau = tau, estimate = value[[a]][n + 1], std_error = error(D[[a]])[n + 1]),
         time = list_of(t), n_event_at = base::c(NA, as.list(arm$heads)), estimate = list_of(s), std_error = list_of(e), conf_low = list_of(s * exp(-z * e / s)),
         conf_high = list_of(pmin(s * exp(z * e / s), 1))) })
  contrast <- function(quantity, i, j, time) { a <- value[[2]][j]; b <- value[[1]][i]; e <- error(D[[2]][, j, drop = FALSE] - D[[1]][, i, drop = FALSE]); r <- log(a / b)
    l <- error(sweep(D[[2]][, j, drop = FALSE], 2, a, `/`) - sweep(D[[1]][, i, drop = FALSE], 2, b, `/`))
    list(stratum = "start", reference = "no start", quantity = quantity, time = list_of(time), difference = list_of(a - b), difference_se = list_of(e),
         difference_low = list_of(a - b - z * e), difference_high = list_of(a - b + z * e), difference_p_value = list_of(2 * pnorm(-abs((a - b) / e))),
         ratio = list_of(a / b), ratio_low = list_of(exp(r - z * l)), ratio_high = list_of(exp(r + z * l)), ratio_p_value = list_of(2 * pnorm(-abs(r / l)))) }
  both <- intersect(c$arms[[1]]$told, c$arms[[2]]$told)
  list(id = id, method = "emulation", status = "ok", n = nrow(d), n_missing = whole - nrow(d), n_event = sum(d$death), result = list(
    curves = curves, contrasts = base::c(if (!is.null(tau)) list(contrast("rmst", length(value[[1]]), length(value[[2]]), tau)),
      list(contrast("survival", match(both, c$arms[[1]]$told), match(both, c$arms[[2]]$told), c$ends[both + 1])))))
}

d <- read.csv("tests/vectors/target.csv")
d$stage <- factor(d$stage, levels = c("I", "II", "III", "IV"))
for (x in c("frail", "surgery", "death")) d[[x]] <- d[[x]] == 1
write_gold("tests/vectors/target.day.gold.json", list(
  emulation_gold("steps", d, ~ age + stage + frail, c(30, 60, 90), c(180, 365, 730, 1095), 1, tau = 1095),
  emulation_gold("one", d, ~ age + stage + frail, 90, c(730, 2000), 1, conf = 0.9),
  emulation_gold("curved", d, ~ poly(age, 2, raw = TRUE) + stage * frail, c(40, 80), c(120, 500, 1500), 1, tau = 500),
  emulation_gold("some", d, ~ age + stage, c(20, 40, 60, 90, 120), 365, 1, tau = 365, cohort = function(d) !d$frail)))
m <- 30.4375
write_gold("tests/vectors/target.month.gold.json", list(
  emulation_gold("steps", d, ~ age + stage + frail, m * 1:3, m * c(6, 12, 18, 24, 36, 48), m, tau = m * 36),
  emulation_gold("whole", d, ~ log(age) + frail, m * 4, m * 5:28, m, tau = m * 24)))

# Behind a policy (shown.policy.yaml): rows of each arm joined from the left until 11 have the event, and until 11 are lost; the rest with the run before.
runs <- function(counts, least = 11) {
  right <- base::c(); here <- 0
  for (k in seq_along(counts)) { here <- here + counts[k]; if (here >= least) { right <- base::c(right, k); here <- 0 } }
  stopifnot(length(right) > 0); right[length(right)] <- length(counts)
  right[findInterval(seq_along(counts), right, left.open = TRUE) + 1]
}
joined <- function(d, g, times, w, event) { d <- d[!is.na(d$age) & !(d$surgery & is.na(d$wait)), ]; T <- on_grid_exit(d$time, w); s <- d$surgery & replace(d$wait <= g, !d$surgery, FALSE)
  row <- findInterval(T, round(base::c(g, times) / w), left.open = TRUE)
  lapply(base::c(FALSE, TRUE), function(a) runs(vapply(seq_along(times), function(k) sum(row == k & d$death == event & s == a), 0))) }
fine <- m * 5:28
shown <- emulation_gold("rows", d, ~ age + frail, m * base::c(2, 4), fine, m, tau = m * 28, events = joined(d, m * 4, fine, m, TRUE), losses = joined(d, m * 4, fine, m, FALSE))
shown$n_missing <- NA; shown$grid_merged <- TRUE
write_gold("tests/vectors/target.shown.gold.json", list(shown))
