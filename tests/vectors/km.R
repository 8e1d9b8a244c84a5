# km and logrank: rotterdam.km (grid: month), rotterdam.kmday and edge.km (grid: day).
source("tests/vectors/km_methods.R")

d <- rotterdam()
month <- d
for (v in c("dtime", "rtime")) month[[v]] <- 30.4375 * on_grid_exit(d[[v]], 30.4375)
month$node_group <- node_group(month); d$node_group <- node_group(d)

gold("rotterdam.km", list(
  km("all", month, Surv(dtime, death) ~ 1, times = c(0, 20, 1826.25, 3652.5, 9000)),
  km("chemo", month, Surv(dtime, death) ~ chemo, tau = 3652.5, times = c(1, 1000, 3652.5, 7500)),
  km("two", month, Surv(rtime, recur) ~ size + grade, "log-log", tau = 1461, times = c(1461, 2922)),
  km("plain", month, Surv(dtime, death) ~ node_group, "plain", 0.9, tau = 2000, times = 730.5),
  km("strata", month, Surv(dtime, death) ~ grade + chemo, tau = 3652.5, times = 1826.25, reference = c(1, 1, 3, 3)),
  km("reverse", month, Surv(dtime, 1 - death) ~ hormon),
  logrank("lr", month, Surv(dtime, death) ~ chemo + strata(grade)),
  logrank("lr_two", month, Surv(dtime, death) ~ size + grade),
  logrank("lr_trend", month, Surv(dtime, death) ~ node_group, trend = TRUE),
  logrank("lr_peto", month, Surv(rtime, recur) ~ node_group + strata(chemo, grade), rho = 1, trend = TRUE)))

gold("rotterdam.kmday", list(
  km("all", d, Surv(dtime, death) ~ 1), km("size", d, Surv(rtime, recur) ~ size, tau = 365),
  logrank("lr", d, Surv(dtime, death) ~ size, trend = TRUE),
  logrank("peto", d, Surv(dtime, death) ~ hormon + strata(meno), rho = 1)))

e <- edge()
missing_dead <- sum(is.na(e$dead)); missing_arm <- sum(is.na(e$arm))
either <- sum(is.na(e$dead) | is.na(e$arm))
arm <- function(d) { d$arm <- droplevels(d$arm); d }
ae <- arm(e)

# Log-rank with delayed entry, which survdiff does not take: the same sums by hand.
delayed <- function(id, d, n_missing) {
  d <- d[!is.na(d$arm), ]; g <- levels(droplevels(d$arm)); o <- x <- setNames(numeric(length(g)), g); v <- matrix(0, length(g), length(g))
  for (t in sort(unique(d$stop[d$event]))) {
    risk <- d$start < t & d$stop >= t
    n <- table(factor(d$arm[risk], g)); m <- sum(n); dead <- table(factor(d$arm[risk & d$stop == t & d$event], g)); k <- sum(dead)
    o <- o + dead; x <- x + k * n / m
    if (m > 1) v <- v + k * (m - k) / (m - 1) * (diag(as.vector(n / m)) - outer(as.vector(n / m), as.vector(n / m)))
  }
  z <- (o - x)[-1]; s <- drop(z %*% solve(v[-1, -1], z))
  analysis(id, "logrank", nrow(d), n_missing, sum(d$event), result = list(statistic = s, df = length(g) - 1,
    p_value = pchisq(s, length(g) - 1, lower.tail = FALSE), groups = lapply(seq_along(g), function(i)
      row_of(group = paste0("arm=", g[i]), n = sum(d$arm == g[i]), observed = o[[i]], expected = x[[i]]))))
}

gold("edge.km", list(
  km("ties", ae, Surv(time, dead) ~ arm, n_missing = either, tau = 45, times = c(2, 30, 200), dropped_levels = list("arm=C")),
  km("loglog", e, Surv(time, dead) ~ 1, "log-log", n_missing = missing_dead),
  km("plain", e, Surv(time, dead) ~ sex, "plain", n_missing = missing_dead),
  km("censored", e, Surv(time, never) ~ 1, tau = 20, times = 20),
  km("censored_loglog", e, Surv(time, never) ~ 1, "log-log"),
  km("no_events", ae, Surv(time, dead_a) ~ arm, tau = 20, times = 20, n_missing = missing_arm, dropped_levels = list("arm=C")),
  km("entry", e, Surv(start, stop, event) ~ sex, tau = 50, times = c(3, 20, 50)),
  km("entry_plain", ae, Surv(start, stop, event) ~ arm, "plain", n_missing = missing_arm, dropped_levels = list("arm=C")),
  km("reverse", e, Surv(time, 1 - dead) ~ sex, n_missing = missing_dead),
  logrank("lr", ae, Surv(time, dead) ~ arm, trend = TRUE, n_missing = either, dropped_levels = list("arm=C")),
  logrank("lr_zero", ae, Surv(time, dead_a) ~ arm, n_missing = missing_arm, dropped_levels = list("arm=C")),
  logrank("lr_strata", ae, Surv(time, dead) ~ sex + strata(arm), rho = 1, n_missing = either),
  delayed("lr_entry", e, missing_arm)))
