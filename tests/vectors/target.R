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

# The clones of an arm: their last bin, the event, and of each segment of the grace period their weight from a step behind it on; slope: of the
# logarithm of that weight by the predictor of each model, by segment (NULL: 0).
clones <- function(d, covariates, grace, w, v) {
  K <- length(grace); b <- round(grace / w)
  T <- on_grid_exit(d$time, w); A <- ifelse(d$surgery, pmax(on_grid_exit(d$wait, w), 0), Inf)
  started <- vapply(seq_len(K), function(k) d$surgery & replace(d$wait <= grace[k], !d$surgery, FALSE) & A <= T, rep(NA, nrow(d)))
  X <- model.matrix(covariates, d); X <- X[, colSums(X != 0) > 0, drop = FALSE]
  models <- lapply(seq_len(K), function(k) {
    rows <- (T > b[k] | started[, k]) & (k == 1 | !started[, max(k - 1, 1)])
    y <- started[, k]
    fit <- converged(X[rows, ], as.numeric(y[rows]), binomial(), v[rows], rep(0, sum(rows)), TRUE)
    list(rows = rows, y = y, p = plogis(drop(X %*% fit$coefficients)))
  })
  W0 <- cbind(1, vapply(seq_len(K), function(k) 1 / Reduce(`*`, lapply(1:k, function(j) 1 - models[[j]]$p)), rep(0, nrow(d))))
  s <- started[, K]; waits <- !s & T > b[K]; g <- base::c(0, b)[K]; p <- models[[K]]$p
  last <- s & !(K > 1 & started[, max(K - 1, 1)])                    # who starts in the last step, and who leaves it without a start
  left <- !s & !waits & (K == 1 | T > g)
  W1 <- cbind(1, ifelse(last, 1 / p, ifelse(left, 1 / (2 - p), 1)))
  slope1 <- ifelse(last, p - 1, ifelse(left, p * (1 - p) / (2 - p), 0))
  list(X = X, models = models, K = K, fates = base::c(left = sum(!s & !waits), gone = sum(s & T <= b[K]), started = sum(s & T > b[K]), neither = sum(waits)),
       end = b[K], arms = list(
    list(exit = ifelse(s, A, T), event = d$death & !s, departed = s, W = W0, after = b, slope = function(k, seg) if (seg > k) models[[k]]$p),
    list(exit = ifelse(waits, g, T), event = d$death & !waits, departed = waits, W = W1, after = g, slope = function(k, seg) if (k == K && seg == 2) slope1)))
}

# The weighted curve of an arm by survfit, its rows cut where weights change: S behind every bin up to `last`.
curve_of <- function(arm, v, last) {
  low <- c(-1, arm$after); high <- c(arm$after, Inf)
  rows <- do.call(rbind, lapply(seq_along(low), function(m) { i <- which(arm$exit > low[m])
    data.frame(start = low[m], stop = pmin(arm$exit[i], high[m]), event = arm$event[i] & arm$exit[i] <= high[m], w = arm$W[i, m] * v[i]) }))
  f <- survfit(Surv(start, stop, event) ~ 1, rows, weights = w, timefix = FALSE)
  c(1, f$surv)[findInterval(0:last, f$time) + 1]
}
segment_of <- function(arm, t) findInterval(t, arm$after + 1) + 1

# S at the times (bins u), and the mean up to tau, of a curve.
asked <- function(S, u, tau, w) c(S[u + 1], if (!is.null(tau)) { m <- floor(tau / w + 1e-9)
  sum(S[seq_len(m)]) * w + (tau - m * w) * S[m + 1] })

# What each patient does to the numbers of an arm, by its clone and by the models (docs/methods/emulation.md): patients × numbers.
moves_of <- function(c, a, S, u, tau, w, last) {
  arm <- c$arms[[a]]; n <- length(arm$exit); Q <- length(u) + !is.null(tau)
  bins <- sort(unique(arm$exit[arm$event])); m <- if (is.null(tau)) 0 else floor(tau / w + 1e-9)
  phi <- matrix(0, n, Q); grad <- lapply(c$models, function(x) matrix(0, ncol(c$X), Q))
  for (t in bins) {
    seg <- segment_of(arm, t); wt <- arm$W[, seg]; there <- arm$exit >= t; dies <- arm$event & arm$exit == t
    at <- sum(wt[there]); d <- sum(wt[dies])
    if (d >= at) next
    by <- c(ifelse(t <= u, S[u + 1], 0), if (!is.null(tau)) if (t > m) 0 else
      (if (t < m) sum(S[(t + 1):m]) * w else 0) + (tau - m * w) * S[m + 1])
    one <- wt * (there * d / (at * (at - d)) - dies / (at - d))
    phi <- phi + outer(one, by)
    for (k in seq_along(c$models)) {
      slope <- arm$slope(k, seg)
      if (!is.null(slope)) grad[[k]] <- grad[[k]] + outer(drop(crossprod(c$X, slope * one)), by)
    }
  }
  for (k in seq_along(c$models)) { mod <- c$models[[k]]
    X <- c$X[mod$rows, ]; V <- solve(crossprod(X, X * (mod$p * (1 - mod$p))[mod$rows]))
    phi <- phi + (c$X * (mod$rows * (mod$y - mod$p))) %*% V %*% grad[[k]] }
  phi
}

emulation_gold <- function(id, d, covariates, grace, times, w, tau = NULL, cohort = NULL, conf = 0.95) {
  if (!is.null(cohort)) d <- d[cohort(d), ]
  whole <- nrow(d); d <- d[!is.na(d$age) & !(d$surgery & is.na(d$wait)), ]
  last <- ceiling(2000 / w); u <- pmin(floor(times / w + 1e-9), last); one <- rep(1, nrow(d))
  c <- clones(d, covariates, grace, w, one)
  S <- lapply(c$arms, curve_of, one, last)
  value <- vapply(S, asked, rep(0, length(u) + !is.null(tau)), u, tau, w); value <- matrix(value, ncol = 2)
  D <- lapply(1:2, function(a) moves_of(c, a, S[[a]], u, tau, w, last))
  # By weighing a patient a little more and a little less, all models and curves anew.
  near <- function(v) { c <- clones(d, covariates, grace, w, v); vapply(c$arms, function(a) asked(curve_of(a, v, last), u, tau, w), value[, 1]) }
  some <- unique(round(seq(3, nrow(d), length.out = 6))); h <- 1e-4
  apart <- max(vapply(some, function(i) { up <- near(replace(one, i, 1 + h)); down <- near(replace(one, i, 1 - h))
    slope <- matrix((up - down) / (2 * h), ncol = 2); max(abs(slope - cbind(D[[1]][i, ], D[[2]][i, ])) / outer(rep(1, nrow(slope)), rep(1, 2) * max(abs(unlist(D))))) }, 0))
  cat(id, "fates", c$fates, "; largest difference from refitting, of the largest derivative:", apart, "\n"); stopifnot(apart < 1e-5)
  z <- qnorm((1 + conf) / 2); nt <- length(u); names <- c("no start", "start")
  error <- function(D) sqrt(colSums(D^2))
  se <- vapply(D, error, value[, 1]); se <- matrix(se, ncol = 2)
  told <- sort(unique(base::c(c$end, u[u > c$end]))); if (length(told) == 1) told <- base::c(told, last)
  curves <- lapply(1:2, function(a) { arm <- c$arms[[a]]
    list(stratum = names[a], n = nrow(d), n_event_later = sum(arm$event & arm$exit > c$end), n_departed = sum(arm$departed),
         rmst = if (is.null(tau)) NA else list(tau = tau, estimate = value[nt + 1, a], std_error = se[nt + 1, a]),
         time = as.list(told * w), estimate = as.list(S[[a]][told + 1])) })
  # Of the grace period one row, behind it every bin in which somebody leaves.
  heads <- lapply(1:2, function(a) { arm <- c$arms[[a]]; bins <- sort(unique(arm$exit[arm$exit > c$end]))
    count <- function(which) vapply(bins, function(t) sum(which & arm$exit == t), 0)
    list(stratum = names[a], time = as.list(base::c(c$end, bins) * w), n_risk = as.list(base::c(nrow(d), vapply(bins, function(t) sum(arm$exit >= t), 0))),
         n_event_at = base::c(NA, as.list(count(arm$event))), n_censor = base::c(NA, as.list(count(!arm$event))),
         n_depart = as.list(base::c(sum(arm$departed), 0 * bins))) })
  at_times <- lapply(1:2, function(a) { s <- value[seq_len(nt), a]; e <- se[seq_len(nt), a]
    list(stratum = names[a], time = as.list(times), estimate = as.list(s), std_error = as.list(e), conf_low = as.list(s * exp(-z * e / s)),
         conf_high = as.list(pmin(s * exp(z * e / s), 1)), n_risk = as.list(vapply(times, function(t) { b <- ceiling(t / w - 1e-9); sum(c$arms[[a]]$exit >= b + (b <= c$end)) }, 0))) })
  contrast <- function(quantity, i, time) { a <- value[i, 2]; b <- value[i, 1]; log_ratio <- log(a / b)
    e <- error(D[[2]] - D[[1]])[i]; l <- error(sweep(D[[2]], 2, value[, 2], `/`) - sweep(D[[1]], 2, value[, 1], `/`))[i]
    list(stratum = "start", reference = "no start", quantity = quantity, time = as.list(time), difference = as.list(a - b), difference_se = as.list(e),
         difference_low = as.list(a - b - z * e), difference_high = as.list(a - b + z * e), difference_p_value = as.list(2 * pnorm(-abs((a - b) / e))),
         ratio = as.list(a / b), ratio_low = as.list(exp(log_ratio - z * l)), ratio_high = as.list(exp(log_ratio + z * l)),
         ratio_p_value = as.list(2 * pnorm(-abs(log_ratio / l)))) }
  weights <- lapply(1:2, function(a) { arm <- c$arms[[a]]
    there <- arm$exit > c$end
    list(stratum = names[a], time = list(c$end * w), n = list(sum(there)), weight = list(sum(arm$W[there, ncol(arm$W)]))) })
  list(id = id, method = "emulation", status = "ok", n = nrow(d), n_missing = whole - nrow(d), n_event = sum(d$death), result = list(
    curves = curves, risk_sets = heads, at_times = at_times, contrasts = base::c(if (!is.null(tau)) list(contrast("rmst", nt + 1, tau)), list(contrast("survival", seq_len(nt), times))),
    weights = weights))
}

d <- read.csv("tests/vectors/target.csv")
d$stage <- factor(d$stage, levels = c("I", "II", "III", "IV"))
for (x in c("frail", "surgery", "death")) d[[x]] <- d[[x]] == 1
write_gold("tests/vectors/target.day.gold.json", list(
  emulation_gold("steps", d, ~ age + stage + frail, c(30, 60, 90), c(365, 90, 1095), 1, tau = 1095),
  emulation_gold("one", d, ~ age + stage + frail, 90, c(90, 730), 1, conf = 0.9),
  emulation_gold("curved", d, ~ poly(age, 2, raw = TRUE) + stage * frail, c(40, 80), c(80, 500, 1500), 1, tau = 720.5),
  emulation_gold("some", d, ~ age + stage, c(20, 40, 60, 90, 120), 365, 1, tau = 365, cohort = function(d) !d$frail)))
m <- 30.4375
write_gold("tests/vectors/target.month.gold.json", list(
  emulation_gold("steps", d, ~ age + stage + frail, m * 1:3, c(m * 12, 730, 1095), m, tau = 1095),
  emulation_gold("whole", d, ~ log(age) + frail, m * 4, c(122, 365, 730), m, tau = m * 24)))
