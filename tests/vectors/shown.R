# Makes rotterdam.shown.gold.json: results behind threshold rounds, where R is given what they leave: times that are moved to the
# edges of joined steps (stats/cox_merge.c), follow-up that ends where too few are at risk (stats/followup.h). The rules are those of
# docs/DISCLOSURE.md; policy: shown.policy.yaml. Run from the repository's root: Rscript tests/vectors/shown.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")
least <- 11 # min_cell
w <- 30.4375
n_bins <- ceiling(9000 / w) + 1 # the dictionary's maximum of both times
bin <- function(t) on_grid_exit(t, w)

# Right edge of every bin 0 … n_bins − 1: joined from the left until `least` are in, the rest with the step before it.
edges <- function(bins) {
  counts <- tabulate(bins + 1, n_bins)
  right <- c()
  here <- 0
  for (k in seq_len(n_bins)) {
    here <- here + counts[k]
    if (here >= least) { right <- c(right, k - 1); here <- 0 }
  }
  if (length(right) == 0) right <- n_bins - 1
  right[length(right)] <- n_bins - 1
  right
}
move <- function(bins, right) right[findInterval(bins, right, left.open = TRUE) + 1]
# Entries: to the left end of their joined step, and from there to an edge of the events' steps, or 0.
enter <- function(bins, entry_right, event_right) {
  left <- c(0, entry_right + 1)[findInterval(bins, entry_right, left.open = TRUE) + 1]
  c(0, event_right)[findInterval(left, event_right) + 1]
}
by_stratum <- function(bins, event, stratum, how) {
  out <- bins
  for (s in unique(stratum)) {
    i <- stratum == s
    out[i] <- how(bins[i], edges(bins[i & event]))
  }
  out
}

d <- rotterdam()
for (v in c("dtime", "rtime")) d[[v]] <- bin(d[[v]])
joined <- function(time, event, stratum = 1) by_stratum(d[[time]], d[[event]], rep_len(as.character(stratum), nrow(d)), move) * w
shown <- function(gold) {
  # No concordance with weights, delayed entry or subdistribution weights over joined steps.
  if (!(gold$id %in% c("cox", "strata", "robust"))) gold$result$concordance <- NA
  gold$grid_merged <- TRUE
  gold
}
edge_rows <- function(d, time, event, stratum) lapply(levels(stratum), function(s)
  list(stratum = s, time = as.list(edges(d[[time]][d[[event]] & stratum == s]) * w)))

m <- d
m$dtime <- joined("dtime", "death")
m$rtime <- joined("rtime", "recur", interaction(d$size, d$grade))
cox <- shown(cox_gold("cox", m, "Surv(dtime, death) ~ age + size + grade + chemo + log(nodes + 1)", ties = "breslow", zph = c("km", "identity"),
                      baseline = TRUE))
cox$result$grid_edges <- edge_rows(d, "dtime", "death", factor(rep("all", nrow(d))))

# Against single steps and Efron's ties: coefficients, in standard errors.
day <- d
day$dtime <- d$dtime * w
single <- cox_gold("cox", day, "Surv(dtime, death) ~ age + size + grade + chemo + log(nodes + 1)")
shift <- mapply(function(a, b) abs(a$estimate - b$estimate) / b$std_error, cox$result$terms, single$result$terms)
cat(sprintf("%d months with a death or a censoring, %d joined steps; coefficients move by at most %.3f standard errors\n",
            length(unique(d$dtime)), length(edges(d$dtime[d$death])), max(shift)))
stopifnot(length(edges(d$dtime[d$death])) == 83, max(shift) < 0.13)

weighted <- d[d$nodes > 0, ]
weighted$dtime <- move(weighted$dtime, edges(weighted$dtime[weighted$death])) * w
late <- rotterdam()
late <- late[late$rtime < late$dtime, ]
late$start <- floor(late$rtime / w + 1e-9)
late$stop <- bin(late$dtime)
late_raw <- late
events <- edges(late$stop[late$death])
late$start <- enter(late$start, edges(late$start), events) * w
late$stop <- move(late$stop, events) * w

competing <- rotterdam()
competing$bin <- bin(competing$rtime)
competing$cause <- factor(ifelse(competing$recur, "recur", ifelse(competing$death, "death", "none")), c("none", "recur", "death"))
event_edges <- edges(competing$bin[competing$cause == "recur"])
other_edges <- edges(competing$bin[competing$cause == "death"])
competing$rtime <- ifelse(competing$cause == "death", move(competing$bin, other_edges), move(competing$bin, event_edges)) * w
fine <- finegray(Surv(rtime, cause) ~ ., competing[c("rtime", "cause", "pid", "age", "meno")], etype = "recur", id = competing$pid)
fg <- cox_gold("finegray", fine, "Surv(fgstart, fgstop, fgstatus) ~ age + meno", ties = "breslow", weights = "fgwt", cluster = "pid")
fg$method <- "finegray"
fg$n <- nrow(competing)
for (i in seq_along(fg$result$terms)) fg$result$terms[[i]]$n <- if (fg$result$terms[[i]]$term == "menoTRUE") sum(competing$meno) else NA

# How many bins of an arm are shown: those before the last bin in which enough are at risk.
end_of <- function(exit, entry = NULL) {
  at_risk <- vapply(0:(n_bins - 1), function(k) sum(exit >= k & (if (is.null(entry)) TRUE else entry < k)), 0)
  few <- which(at_risk > 0 & at_risk < least)
  if (length(few) == 0) n_bins else few[1] - 2
}
# Up to the end nothing changes; who is left is censored there.
cut_off <- function(d, exit, event, end) {
  late <- d[[exit]] >= end
  d[[event]] <- d[[event]] & !late
  d[[exit]] <- pmin(d[[exit]], end)
  d
}
curve_gold <- function(stratum, d, exit, event, entry = NULL, tau = NULL) {
  end <- end_of(d[[exit]], if (!is.null(entry)) d[[entry]])
  whole <- sum(d[[event]])
  d <- cut_off(d, exit, event, end)
  if (!is.null(entry)) d <- d[d[[entry]] < d[[exit]], ]
  if (nrow(d) == 0) return(list(stratum = stratum, n_event = whole, time = list(), estimate = list())) # too few at risk from the start
  y <- if (is.null(entry)) Surv(d[[exit]] * w, d[[event]]) else Surv(d[[entry]] * w, d[[exit]] * w, d[[event]])
  fit <- survfit(y ~ 1)
  i <- fit$time < end * w - 1e-6 & fit$n.event + fit$n.censor > 0
  s <- summary(fit, times = fit$time[i])
  half <- summary(fit)$table
  median_at <- function(name) if (is.na(half[[name]]) || half[[name]] >= end * w) NA else half[[name]]
  out <- list(stratum = stratum, n_event = whole, median = median_at("median"), median_low = median_at("0.95LCL"),
              median_high = median_at("0.95UCL"), time = as.list(fit$time[i]), n_risk = as.list(fit$n.risk[i]),
              n_event_at = as.list(fit$n.event[i]), n_censor = as.list(fit$n.censor[i]), estimate = as.list(fit$surv[i]),
              std_error = as.list(s$std.err), conf_low = as.list(fit$lower[i]), conf_high = as.list(fit$upper[i]))
  if (!is.null(tau)) {
    rmst <- summary(fit, rmean = tau)$table
    out$rmst <- if (tau > end * w) NULL else list(tau = tau, estimate = rmst[["rmean"]], std_error = rmst[["se(rmean)"]])
  }
  out
}
km <- list(id = "km", method = "km", status = "ok", n = nrow(d), n_event = sum(d$death), result = list(curves = lapply(levels(d$size),
  function(s) c(list(n = sum(d$size == s)), curve_gold(paste0("size=", s), d[d$size == s, ], "dtime", "death", tau = 3652.5)))))
# With weights, which steps of one patient would tell: events and censorings moved each to the middle of steps of their own (stats/km_steps.c).
# The last step, and what is later, is not shown.
middle <- function(bins, right, end) {
  left <- c(0, right[-length(right)] + 1)
  i <- findInterval(bins, right, left.open = TRUE) + 1
  ifelse(right[i] < end, (left[i] + right[i]) %/% 2, right[i])
}
# Its public grain (stats/km_grain.c): S to the least of 1, 2 and 5 times a power of ten that is 2/n or more, n = (Σw)²/Σw²; errors to two digits, or to a fifth
# of that grain; limits and medians of what is shown, no sums of weights.
grain_of <- function(n) {
  whole <- rep(10^(1:9), each = 3); part <- rep(c(5, 2, 1), 9)
  last <- max(c(1, which(part / whole * n >= 2)))
  c(part[last], whole[last])
}
to_step <- function(x, step) round(x * step[2] / step[1]) * step[1] / step[2]
error_shown <- function(x, grain) vapply(x, function(e) {
  if (is.na(e) || !(e > 0)) return(e)
  digits <- 10^(floor(log10(e)) - 1)
  if (digits < grain[1] / (5 * grain[2])) to_step(e, c(grain[1], 5 * grain[2])) else round(e / digits) * digits
}, 0)
weighted_km <- function(id, d, by) {
  d$.arm <- if (is.null(by)) rep("all", nrow(d)) else paste0(by, "=", d[[by]])
  list(id = id, method = "km", status = "ok", n = nrow(d), n_event = sum(d$death), grid_merged = TRUE, result = list(curves = lapply(sort(unique(d$.arm)), function(s) {
    a <- d[d$.arm == s, ]; n <- nrow(a)
    right <- list(edges(a$dtime[!a$death]), edges(a$dtime[a$death]))
    end <- min(end_of(a$dtime), vapply(right, function(r) c(0, r + 1)[length(r)], 0))
    a$dtime <- ifelse(a$death, middle(a$dtime, right[[2]], end), middle(a$dtime, right[[1]], end))
    a <- cut_off(a, "dtime", "death", end)
    fit <- survfit(Surv(dtime * w, death) ~ 1, a, weights = a$.w)
    grain <- grain_of(sum(a$.w)^2 / sum(a$.w^2))
    errors <- error_shown(if (isFALSE(fit$logse)) fit$std.err else fit$std.err * fit$surv, grain)
    fit$surv <- to_step(fit$surv, grain)
    half <- qnorm(0.975) * errors / fit$surv
    fit$lower <- to_step(fit$surv * exp(-half), grain); fit$upper <- to_step(pmin(fit$surv * exp(half), 1), grain)
    i <- fit$time < end * w - 1e-6 & fit$n.event + fit$n.censor > 0
    middle_of <- summary(fit)$table
    median_at <- function(name) if (is.na(middle_of[[name]]) || middle_of[[name]] >= end * w) NA else middle_of[[name]]
    list(stratum = s, n = n, n_event = NA, median = median_at("median"), median_low = median_at("0.95LCL"), median_high = median_at("0.95UCL"),
         time = as.list(fit$time[i]), n_risk = as.list(fit$time[i] * NA), n_event_at = as.list(fit$time[i] * NA), n_censor = as.list(fit$time[i] * NA),
         estimate = as.list(fit$surv[i]), std_error = as.list(errors[i]), conf_low = as.list(fit$lower[i]), conf_high = as.list(fit$upper[i])) })))
}
shared <- d; shared$.w <- shared$age / 64
by_hormon <- d; p <- converged(cbind(1, d$age, d$nodes), as.numeric(d$hormon), binomial(), NULL, NULL, TRUE)$fitted.values
by_hormon$.w <- ifelse(d$hormon, 1 / p, 1 / (1 - p))

late_km <- list(id = "late", method = "km", status = "ok", n = nrow(late_raw), result = list(curves = list(
  c(list(n = nrow(late_raw)), curve_gold("all", late_raw, "stop", "death", "start")))))

logrank_gold <- function(id, time, event, group, stratum = NULL) {
  s <- if (is.null(stratum)) rep("all", nrow(d)) else as.character(d[[stratum]])
  m <- do.call(rbind, lapply(unique(s), function(one) {
    rows <- d[s == one, ]
    end <- min(vapply(split(rows[[time]], rows[[group]]), end_of, 0))
    cut_off(rows, time, event, end)
  }))
  formula <- as.formula(paste0("Surv(", time, ", ", event, ") ~ ", group, if (!is.null(stratum)) paste0(" + strata(", stratum, ")")))
  fit <- survdiff(formula, m)
  one <- function(x) if (is.matrix(x)) rowSums(x) else x
  names <- if (is.logical(d[[group]])) c("FALSE", "TRUE") else levels(d[[group]])
  df <- length(names) - 1
  list(id = id, method = "logrank", status = "ok", n = nrow(d), result = list(
    statistic = fit$chisq, df = df, p_value = pchisq(fit$chisq, df, lower.tail = FALSE),
    groups = lapply(seq_along(names), function(g) list(group = paste0(group, "=", names[g]), n = sum(d[[group]] == (if (is.logical(d[[group]])) g == 2 else names[g])),
                                                       observed = one(fit$obs)[[g]], expected = one(fit$exp)[[g]]))))
}

# Nobody misses anything: that is told as fewer than min_cell, perhaps none.
untold <- function(gold) { if (!is.null(gold$n_missing)) gold$n_missing <- NA; gold }

write_gold("tests/vectors/rotterdam.shown.gold.json", lapply(list(
  cox,
  shown(cox_gold("strata", m, "Surv(rtime, recur) ~ age + meno + strata(size, grade, shortlabel = FALSE)", ties = "breslow", zph = "km",
                 baseline = TRUE)),
  shown(cox_gold("robust", m, "Surv(dtime, death) ~ age + hormon", ties = "breslow", robust = TRUE)),
  shown(cox_gold("weights", weighted, "Surv(dtime, death) ~ size + meno", ties = "breslow", weights = "nodes", robust = TRUE)),
  shown(cox_gold("entry", late, "Surv(start, stop, death) ~ age + size", ties = "breslow")),
  shown(fg), km, weighted_km("share", shared, by = NULL), weighted_km("iptw", by_hormon, by = "hormon"), late_km, logrank_gold("lr", "dtime", "death", "size"), logrank_gold("lrs", "rtime", "recur", "chemo", "grade")), untold))
