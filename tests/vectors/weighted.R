# Kaplan–Meier, and treatment weights, as weights.R and iptw.R take them for truth.

source("tests/vectors/contrasts.R")

# survfit: where a weight is not whole its errors are robust, and std.err is that of S, not of log S.
km_gold <- function(id, d, formula, weights, conf_type = "log", conf = 0.95, tau = NULL, times = NULL) {
  d$.w <- as.numeric(d[[weights]])
  f <- do.call(survfit, list(formula, d, weights = d$.w, conf.type = conf_type, conf.int = conf)) # whole in the call: resid() reads it again
  strata <- if (is.null(f$strata)) c(all = length(f$time)) else f$strata
  q <- printed_medians(f)
  table <- if (is.null(tau)) NULL else rbind(summary(f, rmean = tau)$table)
  at <- rep(seq_along(strata), strata)
  se <- if (f$logse) f$std.err * f$surv else f$std.err
  curves <- lapply(seq_along(strata), function(i) {
    k <- at == i
    gone <- f$surv[k] <= 0
    list(stratum = gsub(" +(,|$)", "\\1", names(strata)[i]), n = f$n[i], n_event = sum(f$n.event[k]),
         median = q$median[i], median_low = q$low[i], median_high = q$high[i],
         rmst = if (is.null(tau)) NA else list(tau = tau, estimate = table[[i, "rmean"]], std_error = table[[i, "se(rmean)"]]),
         time = as.list(f$time[k]), n_risk = as.list(f$n.risk[k]), n_event_at = as.list(f$n.event[k]),
         n_censor = as.list(f$n.censor[k]), estimate = as.list(f$surv[k]), std_error = as.list(ifelse(gone, NA, se[k])),
         conf_low = as.list(ifelse(gone, NA, f$lower[k])), conf_high = as.list(ifelse(gone, NA, f$upper[k])))
  })
  events <- model.frame(formula, d)[[1]][, "status"]
  list(id = id, method = "km", status = "ok", n = nrow(d), n_missing = 0, n_event = sum(events),
       result = with_contrasts(list(curves = curves), f, conf, tau, times, d$.w, curve = interaction(d[all.vars(formula[[3]])], lex.order = TRUE)))
}

# Weights by the propensity, cut off at quantiles of its counts by intervals of 1/4096: the lower cut is the upper edge of the interval that
# the quantile falls into, the upper cut the lower edge; both edges outwards where that is one interval.
iptw <- function(d, formula, att = FALSE, stabilised = FALSE, truncate = NULL) {
  formula <- as.formula(formula)
  frame <- model.frame(formula, d)
  X <- model.matrix(formula, frame)
  treated <- as.numeric(model.response(frame)) == 1
  p <- fitted(converged(X, as.numeric(treated), binomial(), rep(1, nrow(X)), rep(0, nrow(X)), TRUE))
  cuts <- c(0, 1)
  if (!is.null(truncate)) {
    share <- cumsum(tabulate(pmin(floor(p * 4096), 4095) + 1, 4096))
    k <- vapply(truncate, function(q) which(share >= q * length(p))[1], 0)
    cuts <- c(k[1], k[2] - 1) / 4096
    if (cuts[1] > cuts[2]) cuts <- c(k[1] - 1, k[2]) / 4096
  }
  share <- if (stabilised) mean(treated) else 1
  at <- function(p, treated) {
    q <- pmin(pmax(p, cuts[1]), cuts[2])
    if (att) ifelse(treated, 1, q / (1 - q)) else ifelse(treated, share / q, (if (stabilised) 1 - share else 1) / (1 - q))
  }
  list(p = p, weight = at(p, treated), treated = treated, at = at)
}

# Of several arms: 1 / the probability of the own arm by nnet's multinom(), from whose solution Newton's steps go on until nothing moves;
# truncated as above, at quantiles of that probability.
iptw_arms <- function(d, formula, stabilised = FALSE, truncate = NULL) {
  formula <- as.formula(formula)
  fit <- nnet::multinom(formula, d, maxit = 1000, reltol = 1e-14, trace = FALSE)
  X <- model.matrix(formula, d)
  arm <- model.response(model.frame(formula, d))
  Y <- model.matrix(~ arm - 1)[, -1, drop = FALSE]
  B <- t(matrix(coef(fit), ncol = ncol(X)))
  probability <- function(B) { e <- exp(X %*% B); e / (1 + rowSums(e)) }
  for (i in 1:5) {
    P <- probability(B)
    blocks <- lapply(seq_len(ncol(Y)), function(a) do.call(cbind, lapply(seq_len(ncol(Y)), function(b) crossprod(X, X * (P[, a] * ((a == b) - P[, b]))))))
    B <- B + matrix(solve(do.call(rbind, blocks), as.vector(crossprod(X, Y - P))), ncol(X))
  }
  P <- probability(B)
  stopifnot(max(abs(crossprod(X, Y - P))) < 1e-8, max(abs(P[, ncol(P)] - cbind(fitted(fit))[, ncol(cbind(fitted(fit)))])) < 1e-3)
  p <- cbind(1 - rowSums(P), P)[cbind(seq_along(arm), as.integer(arm))]
  cuts <- c(0, 1)
  if (!is.null(truncate)) {
    share <- cumsum(tabulate(pmin(floor(p * 4096), 4095) + 1, 4096))
    k <- vapply(truncate, function(q) which(share >= q * length(p))[1], 0)
    cuts <- c(k[1], k[2] - 1) / 4096
  }
  (if (stabilised) as.numeric(prop.table(table(arm)))[as.integer(arm)] else 1) / pmin(pmax(p, cuts[1]), cuts[2])
}

# Weighted mean, sd as cov.wt has it, se, m3/m2^1.5, sum; shares.
describe_gold <- function(id, d, variables, weights, by = NULL) {
  groups <- if (is.null(by)) list(NULL) else sort(unique(d[[by]]))
  rows <- list()
  for (v in variables) for (g in groups) {
    k <- if (is.null(g)) rep(TRUE, nrow(d)) else d[[by]] == g
    x <- d[[v]][k]; w <- d[[weights]][k]
    head <- list(variable = v, by = if (is.null(by)) NA else by, level = if (is.null(g)) NA else as.character(g))
    if (is.factor(x) || is.logical(x)) {
      levels <- if (is.logical(x)) c("FALSE", "TRUE") else levels(x)
      rows <- c(rows, lapply(levels, function(l) c(head, list(value = l, n = sum(x == l), share = sum(w[x == l]) / sum(w)))))
      next
    }
    m <- weighted.mean(x, w)
    sd <- sqrt(cov.wt(cbind(x), w / sum(w))$cov[1, 1])
    rows <- c(rows, list(c(head, list(n = length(x), missing = 0, mean = m, sd = sd, se = sd * sqrt(sum(w^2)) / sum(w),
      skewness = (sum(w * (x - m)^3) / sum(w)) / (sum(w * (x - m)^2) / sum(w))^1.5, sum = sum(w * x)))))
  }
  list(id = id, method = "describe", status = "ok", n = nrow(d), n_missing = 0, result = list(variables = rows))
}

# Standardised differences; percentiles of treatment weights are taken in the middle of intervals of the propensity.
smd_gold <- function(id, d, treatment, variables, propensity = NULL, weights = NULL) {
  a <- d[[treatment]]
  w <- if (!is.null(propensity)) propensity$weight else weights
  smd <- function(x, w, binary) {
    m <- function(k) weighted.mean(x[k], w[k])
    v <- function(k) if (binary) m(k) * (1 - m(k)) else sum(k) / (sum(k) - 1) * sum(w[k] * (x[k] - m(k))^2) / sum(w[k])
    (m(a) - m(!a)) / sqrt((v(a) + v(!a)) / 2)
  }
  row <- function(v, level, x, binary) list(variable = v, level = level, unweighted = smd(x, rep(1, length(x)), binary),
                                            weighted = if (is.null(w)) NA else smd(x, w, binary))
  rows <- list()
  for (v in variables) {
    x <- d[[v]]
    levels <- if (is.logical(x)) c("FALSE", "TRUE") else levels(x)
    rows <- c(rows, if (is.null(levels)) list(row(v, NA, x, FALSE)) else
      lapply(levels, function(l) row(v, l, as.numeric(x == l), TRUE)))
  }
  result <- list(variables = rows, weights = NA, overlap = NA)
  if (!is.null(w)) {
    middle <- if (!is.null(propensity)) propensity$at((pmin(floor(propensity$p * 4096), 4095) + 0.5) / 4096, propensity$treated) else w
    q <- quantile(middle, c(0.01, 0.99), type = 1, names = FALSE)
    result$weights <- list(mean = mean(w), sd = sd(w), p01 = q[1], p99 = q[2], ess = sum(w)^2 / sum(w^2))
  }
  if (!is.null(propensity)) {
    breaks <- (0:32) / 32
    counts <- function(k) as.list(tabulate(floor(propensity$p[k] * 32) + 1, 32))
    result$overlap <- list(breaks = as.list(breaks), counts = list(counts(!propensity$treated), counts(propensity$treated)))
  }
  list(id = id, method = "smd", status = "ok", n = nrow(d), n_missing = 0, result = result)
}
