# Competing causes in the shape of a gold file: cmprsk's cuminc, and Fine and Gray's model. The script that sources this has sourced
# tables_common.R and models.R.
suppressMessages(library(cmprsk))

cuminc_gold <- function(id, d, time, status, group = NULL, strata = NULL, rho = 0, conf = 0.95, ...) {
  k <- complete.cases(d[c(time, status, group, strata)])
  m <- d[k, ]
  all <- rep("all", nrow(m))
  named <- function(v) droplevels(factor(paste0(group, "=", level_text(m[[group]])), paste0(group, "=", levels(level_text(m[[group]])))))
  g <- if (is.null(group)) factor(all) else named(m[[group]])
  censoring <- levels(m[[status]])[1]
  s <- if (is.null(strata)) factor(all) else interaction(m[strata], drop = TRUE)
  f <- cuminc(m[[time]], m[[status]], g, s, rho = rho, cencode = censoring)
  causes <- setdiff(levels(droplevels(m[[status]])), censoring)
  z <- qnorm(1 - (1 - conf) / 2)
  curves <- list()
  for (group_level in levels(g)) for (cause in causes) {
    c <- f[[paste(group_level, cause)]]
    times <- sort(unique(m[[time]][g == group_level & m[[status]] == cause]))
    at <- vapply(seq_along(times), function(i) { w <- which(c$time == times[i]); w[which.max(c$est[w])] }, 0)
    est <- c$est[at]; se <- sqrt(c$var[at]); p <- z * se / (est * log(est)); inside <- est < 1
    curves <- c(curves, list(list(stratum = group_level, cause = cause, time = as.list(times), estimate = as.list(est),
      std_error = as.list(se), conf_low = as.list(ifelse(inside, est^exp(-p), NA)),
      conf_high = as.list(ifelse(inside, est^exp(p), NA)))))
  }
  risk_sets <- lapply(levels(g), function(group_level) { # survfit drops times at which nothing happens, as it should
    own <- g == group_level
    s <- summary(survfit(Surv(m[[time]][own], m[[status]][own] != censoring) ~ 1), censored = TRUE)
    list(stratum = group_level, time = as.list(s$time), n_risk = as.list(s$n.risk), n_event_at = as.list(s$n.event), n_censor = as.list(s$n.censor))
  })
  gray <- if (nlevels(g) < 2) list() else lapply(causes, function(cause) { x <- f$Tests[cause, ]
    if (x[["stat"]] < 0) row_of(cause = cause, statistic = NA, df = nlevels(g) - 1, p_value = NA)
    else row_of(cause = cause, statistic = x[["stat"]], df = x[["df"]], p_value = pchisq(x[["stat"]], x[["df"]], lower.tail = FALSE)) })
  analysis(id, "cuminc", nrow(m), sum(!k), sum(m[[status]] != censoring), result = list(curves = curves, risk_sets = risk_sets, gray = gray), ...)
}
level_text <- function(v) if (is.logical(v)) factor(v, c(FALSE, TRUE), c("FALSE", "TRUE")) else factor(v)

# coxph on the rows of finegray(), robust by patient.
finegray_gold <- function(id, d, formula, strata = NULL, cause, surv = "Surv(rtime, cause)", n_missing = 0, dropped_levels = list(), ...) {
  split <- as.formula(paste(surv, "~ .", if (!is.null(strata)) paste0("+ strata(", strata, ")")))
  d <- droplevels(d, except = which(names(d) == tail(all.vars(str2lang(surv)), 1))) # nobody may be censored
  if (!is.null(strata)) d$.strata <- d[[strata]] # finegray() takes the stratum out of the rows
  rows <- finegray(split, data = d, etype = cause, id = d$pid)
  if (!is.null(strata)) rows[[strata]] <- rows$.strata
  gold <- cox_gold(id, rows, paste("Surv(fgstart, fgstop, fgstatus) ~", formula), weights = "fgwt", cluster = "pid", ...)
  gold$method <- "finegray"
  gold$n <- nrow(d)
  gold$n_missing <- n_missing
  gold$dropped_levels <- dropped_levels
  gold$result$concordance <- NA
  for (i in seq_along(gold$result$terms)) { # patients, not rows
    row <- gold$result$terms[[i]]
    if (is.na(row$n)) next
    X <- model.matrix(as.formula(paste("~", formula)), d)
    gold$result$terms[[i]]$n <- sum(X[, row$term] == 1)
  }
  gold
}
