# km's `times` and contrasts, from what survfit says of each curve: summary(, times) and survmean's RMST; variances of two arms add, ratios on
# the log scale (survRM2's rmst2 does the same). Robust errors of an RMST: residuals.survfit.

curve_names <- function(f) if (is.null(f$strata)) "all" else gsub(" +(,|$)", "\\1", names(f$strata))

at_times <- function(f, times) {
  s <- summary(f, times = times, extend = TRUE)
  curve <- if (is.null(s$strata)) rep(1, length(s$time)) else as.integer(s$strata)
  lapply(seq_along(curve_names(f)), function(i) {
    k <- curve == i
    gone <- s$surv[k] <= 0
    list(stratum = curve_names(f)[i], time = as.list(s$time[k]), n_risk = as.list(s$n.risk[k]), estimate = as.list(s$surv[k]),
         std_error = as.list(ifelse(gone, NA, s$std.err[k])), conf_low = as.list(ifelse(gone, NA, s$lower[k])),
         conf_high = as.list(ifelse(gone, NA, s$upper[k])))
  })
}

# weights, curve: of every row, the latter a factor; NULL: the errors are survmean's.
restricted <- function(f, tau, weights, curve) {
  t <- rbind(summary(f, rmean = tau)$table)
  se <- unname(t[, "se(rmean)"])
  if (!is.null(weights) && any(weights != round(weights))) {
    u <- as.vector(resid(f, times = tau, type = "rmst")) * weights
    se <- sqrt(tapply(u^2, curve, sum))
  }
  list(value = unname(t[, "rmean"]), se = as.vector(se))
}

# reference[i]: the curve that curve i is compared with.
contrasts_of <- function(f, conf_level, tau = NULL, times = NULL, weights = NULL, curve = NULL, reference = rep(1, length(f$strata))) {
  z <- qnorm((1 + conf_level) / 2)
  row <- function(i, quantity, time, value, se) {
    r <- reference[i]
    d <- value[i, ] - value[r, ]
    s <- sqrt(se[i, ]^2 + se[r, ]^2)
    l <- log(value[i, ] / value[r, ])
    ls <- sqrt((se[i, ] / value[i, ])^2 + (se[r, ] / value[r, ])^2)
    p <- function(x) as.list(2 * pnorm(-abs(x)))
    list(stratum = curve_names(f)[i], reference = curve_names(f)[r], quantity = quantity, time = as.list(time), difference = as.list(d),
         difference_se = as.list(s), difference_low = as.list(d - z * s), difference_high = as.list(d + z * s), difference_p_value = p(d / s),
         ratio = as.list(exp(l)), ratio_low = as.list(exp(l - z * ls)), ratio_high = as.list(exp(l + z * ls)), ratio_p_value = p(l / ls))
  }
  mean <- if (!is.null(tau)) restricted(f, tau, weights, curve)
  at <- if (!is.null(times)) at_times(f, times)
  survival <- function(name) do.call(rbind, lapply(at, function(a) vapply(a[[name]], as.numeric, 0)))
  rows <- list()
  for (i in seq_along(reference)) if (reference[i] != i) {
    if (!is.null(tau)) rows <- c(rows, list(row(i, "rmst", tau, cbind(mean$value), cbind(mean$se))))
    if (!is.null(times)) rows <- c(rows, list(row(i, "survival", times, survival("estimate"), survival("std_error"))))
  }
  rows
}

# Adds both to the result of an analysis.
with_contrasts <- function(result, f, conf_level, tau, times, weights = NULL, curve = NULL, reference = rep(1, length(f$strata))) {
  if (!is.null(times)) result$at_times <- at_times(f, times)
  if (length(f$strata) > 1 && !(is.null(tau) && is.null(times)))
    result$contrasts <- contrasts_of(f, conf_level, tau, times, weights, curve, reference)
  result
}
