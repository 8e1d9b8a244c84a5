# Makes rotterdam.cox.gold.json. Run from the repository's root: Rscript tests/vectors/cox.R
# coxph.control(eps = 1e-13, iter.max = 50); times are put on the grid before the fit.
suppressMessages(library(survival))
options(warn = -1) # with eps = 1e-13 coxph says that it cannot improve the likelihood any further
source("tests/vectors/common.R")

cox_gold <- function(id, d, formula, cohort = NULL, ties = "efron", conf = 0.95, zph = NULL, baseline = FALSE) {
  formula <- as.formula(formula, env = environment())
  if (!is.null(cohort)) d <- d[cohort(d), ]
  all_frame <- model.frame(formula, d, na.action = na.pass)
  d <- droplevels(d) # coxph does not do it by itself, glm does
  fit <- coxph(formula, data = d, ties = ties, x = TRUE, y = TRUE, model = TRUE,
               control = coxph.control(eps = 1e-13, iter.max = 50))
  for (i in 1:2) # from the solution, so that the information is that of the last β
    fit <- coxph(formula, data = d, ties = ties, x = TRUE, y = TRUE, model = TRUE, init = ifelse(is.na(coef(fit)), 0, coef(fit)),
                 control = coxph.control(eps = 1e-13, iter.max = 50))
  start <- coxph(formula, data = d, ties = ties, control = coxph.control(eps = 1e-13, iter.max = 50)) # score test at β = 0
  keep <- !is.na(coef(fit))
  frame <- model.frame(fit)
  y <- fit$y
  event <- y[, ncol(y)]
  X <- fit$x
  V <- fit$var
  V[!keep, ] <- NA
  V[, !keep] <- NA
  estimate <- unname(coef(fit))
  covariates <- delete.response(drop_specials(terms(fit)))
  labels <- attr(covariates, "term.labels")
  assign <- integer(ncol(X))
  for (t in names(fit$assign)) assign[fit$assign[[t]]] <- match(t, labels)
  counts <- level_counts(X, assign, covariates, frame[intersect(names(frame), rownames(attr(covariates, "factors")))],
                         event)
  used <- which(keep)
  df <- sum(keep)
  beta <- estimate[used]
  result <- list(
    terms = term_rows(colnames(X), estimate, sqrt(diag(V)), Inf, conf, counts),
    loglik = c(start$loglik[1], fit$loglik[2]), aic = -2 * fit$loglik[2] + 2 * df,
    tests = list(likelihood_ratio = chisq_test(2 * (fit$loglik[2] - start$loglik[1]), df),
                 wald = chisq_test(drop(beta %*% solve(V[used, used], beta)), df),
                 score = chisq_test(start$score, df)),
    ties = ties, vcov = V)
  if (!is.null(zph))
    result$zph <- do.call(c, lapply(zph, function(transform) {
      table <- cox.zph(fit, transform = transform)$table
      lapply(seq_len(nrow(table)), function(i) list(term = rownames(table)[i], transform = transform, chisq = table[i, 1],
                                                    df = table[i, 2], p_value = table[i, 3]))
    }))
  if (baseline) {
    h <- basehaz(fit, centered = FALSE)
    stratum <- if (is.null(h$strata)) rep("all", nrow(h)) else as.character(h$strata)
    times <- data.frame(time = y[, ncol(y) - 1], stratum = if (is.null(h$strata)) "all" else as.character(strata_of(fit)))
    times <- unique(times[event == 1, ])
    result$baseline <- lapply(unique(stratum), function(s) {
      rows <- stratum == s & h$time %in% times$time[times$stratum == s]
      list(stratum = s, time = as.list(h$time[rows]), cumhaz = as.list(h$hazard[rows]))
    })
  }
  list(id = id, method = "cox", status = "ok", n = fit$n, n_missing = nrow(d) - fit$n, n_event = fit$nevent,
       dropped_levels = dropped_levels(all_frame, frame), aliased = as.list(colnames(X)[!keep]), result = result)
}

drop_specials <- function(terms) {
  special <- unlist(attr(terms, "specials"))
  if (length(special) == 0) return(terms)
  drop <- which(attr(terms, "term.labels") %in% rownames(attr(terms, "factors"))[special])
  terms[-drop]
}
strata_of <- function(fit) {
  frame <- model.frame(fit)
  frame[[grep("^strata\\(", names(frame))]]
}
d <- rotterdam()
d$node_group <- cut(d$nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)
w <- 30.4375
for (v in c("dtime", "rtime")) d[[v]] <- on_grid_exit(d[[v]], w) * w
write_gold("tests/vectors/rotterdam.cox.gold.json", list(
  cox_gold("efron", d, "Surv(dtime, death) ~ age + size + chemo + log(nodes + 1) + pgr + er", zph = "km", baseline = TRUE),
  cox_gold("breslow", d, "Surv(dtime, death) ~ age + size + grade + hormon", ties = "breslow", baseline = TRUE, zph = "identity"),
  cox_gold("strata", d, "Surv(rtime, recur) ~ age * size + meno + strata(chemo, grade, shortlabel = FALSE)", baseline = TRUE,
           zph = "km"),
  cox_gold("inter", d, "Surv(dtime, death) ~ age + I(age^2) + size:chemo + node_group", zph = "identity"),
  cox_gold("alias", d, "Surv(dtime, death) ~ age + I(3 * age) + size + nodes + I(age - nodes)"),
  cox_gold("level", d, "Surv(dtime, death) ~ node_group + age", cohort = function(d) d$nodes >= 1),
  cox_gold("offset", d, "Surv(dtime, death) ~ size + offset(log(nodes + 1))", conf = 0.99),
  cox_gold("one", d, "Surv(dtime, death) ~ chemo"),
  cox_gold("time0", d, "Surv(rtime, recur) ~ size + nodes", cohort = function(d) d$year >= 1985)
))
