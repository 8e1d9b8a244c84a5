# rate: rotterdam.rate and edge.rate. Rates and SIRs are poisson.test's, standardised rates Fay and Feuer's gamma limits (Stat Med 1997;16:791).
source("tests/vectors/tables_common.R")

# Direct standardisation of d events over time t, by weights w.
gamma_limits <- function(d, t, w, conf_level) {
  w <- w / sum(w)
  d <- d[w > 0]; t <- t[w > 0]; w <- w[w > 0]
  if (any(t == 0)) return(row_of(rate = NA, conf_low = NA, conf_high = NA))
  y <- sum(w * d / t); v <- sum(w^2 * d / t^2); m <- max(w / t); a <- (1 - conf_level) / 2
  row_of(rate = y, conf_low = if (y > 0) qgamma(a, shape = y^2 / v, scale = v / y) else 0,
         conf_high = qgamma(1 - a, shape = (y + m)^2 / (v + m^2), scale = (v + m^2) / (y + m)))
}

rate <- function(id, d, time, event, by = NULL, per = 1, conf_level = 0.95, start = NULL, level = NULL, standard = NULL, reference = NULL, ...) {
  at_risk <- if (is.null(start)) d[[time]] else d[[time]] - d[[start]]
  use <- complete.cases(d[c(time, event, start, by)]) & !is.na(at_risk) & (is.null(start) | at_risk > 0)
  if (!is.null(level)) use <- use & !is.na(level)
  n_missing <- sum(!use)
  d <- d[use, ]; at_risk <- at_risk[use]; level <- level[use]
  d$.group <- if (is.null(by)) "all" else do.call(paste, c(lapply(by, function(v) paste0(v, "=", d[[v]])), sep = ", "))
  groups <- if (is.null(by)) "all" else {
    levels <- expand.grid(rev(lapply(by, function(v) if (is.factor(d[[v]])) levels(d[[v]]) else c(FALSE, TRUE))))
    do.call(paste, c(lapply(seq_along(by), function(i) paste0(by[i], "=", levels[[length(by) + 1 - i]])), sep = ", "))
  }
  rows <- lapply(groups[groups %in% d$.group], function(g) {
    k <- d$.group == g; x <- sum(d[[event]][k]); t <- sum(at_risk[k]) / per
    p <- poisson.test(x, t, conf.level = conf_level)
    row <- row_of(stratum = g, n = sum(k), n_event = x, time_at_risk = t, rate = unname(p$estimate), conf_low = p$conf.int[1], conf_high = p$conf.int[2])
    if (is.null(level)) return(row)
    x_k <- vapply(levels(level), function(l) sum(d[[event]][k & level == l]), 0)
    t_k <- vapply(levels(level), function(l) sum(at_risk[k & level == l]), 0) / per
    if (!is.null(standard)) row$standardised <- gamma_limits(x_k, t_k, standard, conf_level)
    if (!is.null(reference)) {
      e <- sum(reference * t_k)
      p <- poisson.test(x, e, conf.level = conf_level)
      row$sir <- row_of(expected = e, ratio = unname(p$estimate), conf_low = p$conf.int[1], conf_high = p$conf.int[2])
    }
    row
  })
  analysis(id, "rate", nrow(d), n_missing, sum(d[[event]]), result = list(rates = rows), ...)
}

d <- rotterdam()
age_group <- function(d) factor(cut(d$age, c(-Inf, 45, 55, 65, 75, Inf), right = FALSE), labels = c("[-Inf,45)", "[45,55)", "[55,65)", "[65,75)", "[75, Inf)"))
world <- c(70, 12, 9, 6, 3)
few <- subset(d, age < 30)
gold("rotterdam.rate", list(
  rate("all", d, "dtime", "death", per = 365.25),
  rate("chemo", d, "dtime", "death", "chemo", 36525),
  rate("two", d, "rtime", "recur", c("size", "grade"), 36525, conf_level = 0.9),
  rate("few", few, "dtime", "death", "meno", dropped_levels = list("meno=TRUE")),
  rate("none", subset(d, !death), "dtime", "death", "grade", 365.25),
  rate("standard", d, "dtime", "death", "chemo", 36525, level = age_group(d), standard = world),
  rate("standard_two", d, "rtime", "recur", c("size", "hormon"), 365.25, 0.99, level = factor(d$meno), standard = c(0.4, 0.6)),
  rate("standard_empty", few, "dtime", "death", per = 365.25, level = factor(few$meno, c(FALSE, TRUE)), standard = c(1, 1)),
  rate("sir", d, "dtime", "death", "chemo", 36525, level = age_group(d), reference = c(1, 2, 3.5, 6, 11)),
  rate("both", d, "dtime", "death", "meno", 365.25, level = d$size, standard = c(5, 4, 0), reference = c(0.04, 0.06, 0.09))))

e <- edge()
gold("edge.rate", list(
  rate("entry", e, "stop", "event", "arm", 100, start = "start", dropped_levels = list("arm=C")),
  rate("entry_all", e, "stop", "event", start = "start"),
  rate("missing", e, "time", "dead", "sex"),
  rate("never", e, "time", "never", "sex", 10),
  rate("standard", e, "stop", "event", "sex", start = "start", level = e$arm, standard = c(2, 1, 0, 1), reference = c(0.02, 0.03, 9, 0.01))))
