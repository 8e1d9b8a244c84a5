# Makes rotterdam.weights.gold.json. Run from the repository's root: Rscript tests/vectors/weights.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")

d <- rotterdam()
for (v in c("dtime", "rtime")) d[[v]] <- on_grid_exit(d[[v]], 30.4375) * 30.4375
d$share <- d$age / 64
d$some <- (d$grade == 3) * 2.5
d$region <- cut(d$year, c(-Inf, 1982, 1984, 1986, 1988, 1990, Inf))

# survfit: where a weight is not whole its errors are robust, and std.err is that of S, not of log S.
km_gold <- function(id, d, formula, weights, conf_type = "log", conf = 0.95, tau = NULL) {
  d$.w <- as.numeric(d[[weights]])
  f <- survfit(formula, d, weights = .w, conf.type = conf_type, conf.int = conf)
  strata <- if (is.null(f$strata)) c(all = length(f$time)) else f$strata
  q <- quantile(f, 0.5)
  table <- if (is.null(tau)) NULL else rbind(summary(f, rmean = tau)$table)
  at <- rep(seq_along(strata), strata)
  se <- if (f$logse) f$std.err * f$surv else f$std.err
  curves <- lapply(seq_along(strata), function(i) {
    k <- at == i
    gone <- f$surv[k] <= 0
    list(stratum = gsub(" +(,|$)", "\\1", names(strata)[i]), n = f$n[i], n_event = sum(f$n.event[k]),
         median = as.vector(q$quantile)[i], median_low = as.vector(q$lower)[i], median_high = as.vector(q$upper)[i],
         rmst = if (is.null(tau)) NA else list(tau = tau, estimate = table[[i, "rmean"]], std_error = table[[i, "se(rmean)"]]),
         time = as.list(f$time[k]), n_risk = as.list(f$n.risk[k]), n_event_at = as.list(f$n.event[k]),
         n_censor = as.list(f$n.censor[k]), estimate = as.list(f$surv[k]), std_error = as.list(ifelse(gone, NA, se[k])),
         conf_low = as.list(ifelse(gone, NA, f$lower[k])), conf_high = as.list(ifelse(gone, NA, f$upper[k])))
  })
  events <- model.frame(formula, d)[[1]][, "status"]
  list(id = id, method = "km", status = "ok", n = nrow(d), n_missing = 0, n_event = sum(events), result = list(curves = curves))
}
d$kept <- d$nodes < 3

write_gold("tests/vectors/rotterdam.weights.gold.json", list(
  cox_gold("efron", d, "Surv(dtime, death) ~ age + size + chemo + log(nodes + 1)", weights = "share", robust = TRUE,
           zph = c("km", "identity"), baseline = TRUE),
  cox_gold("breslow", d, "Surv(rtime, recur) ~ size * chemo + I(2 * nodes) + nodes", weights = "share", robust = TRUE,
           ties = "breslow", zph = "km"),
  cox_gold("whole", d, "Surv(dtime, death) ~ age + meno + strata(grade, shortlabel = FALSE)", weights = "nodes", robust = TRUE,
           cohort = function(d) d$nodes > 0),
  cox_gold("model", d, "Surv(dtime, death) ~ age + meno + offset(0.1 * nodes)", weights = "share", robust = FALSE),
  cox_gold("some", d, "Surv(dtime, death) ~ age + hormon", weights = "some", robust = TRUE, conf = 0.9,
           cohort = function(d) d$some > 0),
  cox_gold("robust", d, "Surv(dtime, death) ~ age + size + nodes + strata(chemo, hormon, shortlabel = FALSE)", robust = TRUE),
  cox_gold("cluster", d, "Surv(dtime, death) ~ age + grade", cluster = "region"),
  cox_gold("weighted", d, "Surv(dtime, death) ~ age + grade + nodes", weights = "share", cluster = "region"),
  cox_gold("few", d, "Surv(dtime, death) ~ age + nodes", cluster = "chemo", ties = "breslow"),
  km_gold("km", d, Surv(dtime, death) ~ size + hormon, "share", tau = 3652.5),
  km_gold("kmall", d, Surv(rtime, recur) ~ 1, "some", "log-log"),
  km_gold("kmkept", d, Surv(dtime, death) ~ chemo, "kept", "plain", 0.9),
  km_gold("kmnodes", d, Surv(dtime, death) ~ grade, "nodes"),
  km_gold("kmback", d, Surv(dtime, 1 - death) ~ chemo, "share")))
