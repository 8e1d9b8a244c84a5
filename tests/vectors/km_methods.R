# R's km and logrank in the shape of a gold file.
source("tests/vectors/tables_common.R")
source("tests/vectors/contrasts.R")

km <- function(id, d, formula, conf_type = "log", conf_level = 0.95, tau = NULL, times = NULL, reference = rep(1, length(f$strata)), n_missing = 0, events = NULL, ...) {
  f <- survfit(formula, d, conf.type = conf_type, conf.int = conf_level)
  strata <- if (is.null(f$strata)) c(all = length(f$time)) else f$strata
  q <- printed_medians(f)
  table <- if (is.null(tau)) NULL else matrix(summary(f, rmean = tau)$table, length(strata), dimnames = list(NULL,
    if (length(strata) == 1) names(summary(f, rmean = tau)$table) else colnames(summary(f, rmean = tau)$table)))
  at <- rep(seq_along(strata), strata)
  curves <- lapply(seq_along(strata), function(i) {
    k <- at == i
    gone <- f$surv[k] <= 0
    list(stratum = curve_names(f)[i], n = f$n[i], n_event = sum(f$n.event[k]),
         median = q$median[i], median_low = q$low[i], median_high = q$high[i],
         rmst = if (is.null(tau)) NA else row_of(tau = tau, estimate = table[i, "rmean"], std_error = table[i, "se(rmean)"]),
         time = as.list(f$time[k]), n_risk = as.list(f$n.risk[k]), n_event_at = as.list(f$n.event[k]),
         n_censor = as.list(f$n.censor[k]), estimate = as.list(f$surv[k]),
         std_error = as.list(ifelse(gone, NA, (f$std.err * f$surv)[k])), conf_low = as.list(ifelse(gone, NA, f$lower[k])),
         conf_high = as.list(ifelse(gone, NA, f$upper[k])))
  })
  analysis(id, "km", sum(f$n), n_missing, sum(f$n.event),
           result = with_contrasts(list(curves = curves), f, conf_level, tau, times, reference = reference), ...)
}

logrank <- function(id, d, formula, rho = 0, trend = FALSE, n_missing = 0, ...) {
  s <- survdiff(formula, d, rho = rho)
  o <- if (is.matrix(s$obs)) rowSums(s$obs) else s$obs
  e <- if (is.matrix(s$exp)) rowSums(s$exp) else s$exp
  df <- sum(e > 0) - 1
  groups <- lapply(seq_along(o), function(i) row_of(group = trimws(names(s$n)[i]), n = as.integer(s$n[[i]]), observed = o[i], expected = e[i]))
  result <- list(statistic = s$chisq, df = df, p_value = pchisq(s$chisq, df, lower.tail = FALSE), groups = groups)
  result["trend"] <- list(NA)
  if (trend) {
    w <- seq_along(o)
    x <- sum(w * (o - e))^2 / drop(w %*% s$var %*% w)
    result$trend <- row_of(statistic = x, df = 1, p_value = pchisq(x, 1, lower.tail = FALSE))
  }
  m <- model.frame(formula, d)
  analysis(id, "logrank", nrow(m), n_missing, sum(m[[1]][, "status"]), result = result, ...)
}
