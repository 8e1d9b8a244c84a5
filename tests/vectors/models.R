# glm and coxph as docs/methods/README.md takes them for truth: driven to convergence. Sourced by the scripts that make gold files.
suppressMessages(library(survival))
options(warn = -1) # with eps = 1e-13 coxph says that it cannot improve the likelihood any further

# glm: glm.control(epsilon = 1e-15, maxit = 100) and refitted from the solution, because R takes standard errors from the last-but-one
# weights. With that epsilon glm's own tolerance for collinear columns (epsilon/1000) would find none, so which columns are aliased is
# taken from a fit at R's defaults and those columns are left out.
tight <- glm.control(epsilon = 1e-15, maxit = 100)

converged <- function(X, y, family, weights, offset, intercept) {
  fit <- suppressWarnings(glm.fit(X, y, weights, offset = offset, family = family, control = tight, intercept = intercept))
  for (i in 1:2)
    fit <- suppressWarnings(glm.fit(X, y, weights, start = fit$coefficients, offset = offset, family = family, control = tight,
                                    intercept = intercept))
  fit
}

# robust: the sandwich of the rows' scores, as sandwich::sandwich. site: a column, of which glm(y ~ factor(site) + ...) has a
# coefficient a level; these are not shown, and what is null is glm's own null model, one constant.
glm_gold <- function(id, d, family, formula, weights = NULL, cohort = NULL, conf = 0.95, robust = FALSE, site = NULL) {
  formula <- as.formula(if (is.null(site)) formula else sub("~", sprintf("~ 0 + factor(%s) +", site), formula))
  if (!is.null(cohort)) d <- d[with(d, cohort(d)), ]
  w <- if (is.null(weights)) rep(1, nrow(d)) else as.numeric(d[[weights]])
  d$.w <- w
  environment(formula) <- environment()
  all_frame <- model.frame(formula, d, na.action = na.pass)
  first <- suppressWarnings(glm(formula, family = family, data = d, weights = .w))
  frame <- model.frame(first)
  terms <- terms(first)
  X <- model.matrix(first)
  y <- as.numeric(model.response(frame))
  offset <- if (is.null(model.offset(frame))) rep(0, length(y)) else model.offset(frame)
  w <- frame[["(weights)"]]
  intercept <- attr(terms, "intercept") > 0
  keep <- !is.na(coef(first))
  fit <- converged(X[, keep, drop = FALSE], y, family, w, offset, intercept)
  null_deviance <- fit$null.deviance
  if (intercept && any(offset != 0))
    null_deviance <- converged(X[, 1, drop = FALSE], y, family, w, offset, TRUE)$deviance
  dispersion <- if (family$family == "gaussian") fit$deviance / fit$df.residual else 1
  if (!is.null(site)) {
    null <- converged(matrix(1, nrow(X), 1), y, family, w, offset, TRUE)
    null_deviance <- null$deviance
    fit$df.null <- null$df.residual
  }
  p <- ncol(X)
  V <- matrix(NA_real_, p, p)
  V[keep, keep] <- dispersion * chol2inv(fit$qr$qr[seq_len(sum(keep)), seq_len(sum(keep)), drop = FALSE])[
    order(fit$qr$pivot), order(fit$qr$pivot)]
  naive <- NULL
  if (robust) {
    bread <- V[keep, keep] / dispersion
    scores <- X[, keep, drop = FALSE] * (w * (y - fit$fitted.values))
    naive <- sqrt(diag(V))
    V[keep, keep] <- bread %*% crossprod(scores) %*% bread
    check <- sandwich::sandwich(first)
    stopifnot(max(abs(V[keep, keep] / check[keep[keep], keep[keep]] - 1)) < 1e-3) # glm's own stop is early
  }
  estimate <- rep(NA_real_, p)
  estimate[keep] <- fit$coefficients
  events <- family$family == "binomial"
  counts <- level_counts(X, attr(X, "assign"), terms, frame, if (events) y else NULL)
  effects <- if (is.null(site)) NULL else list(site_effects = length(unique(frame[[sprintf("factor(%s)", site)]][w > 0])))
  shown <- if (is.null(site)) seq_len(p) else grep("^factor\\(", colnames(X), invert = TRUE)
  if (!is.null(naive)) naive <- replace(rep(NA_real_, p), which(keep), naive)[shown]
  list(id = id, method = "glm", status = "ok", n = length(y), n_missing = nrow(d) - length(y),
       n_event = if (events) sum(y) else NA, dropped_levels = dropped_levels(all_frame, frame),
       aliased = as.list(colnames(X)[shown][!keep[shown]]),
       result = c(list(
         terms = term_rows(colnames(X)[shown], estimate[shown], sqrt(diag(V))[shown],
                           if (events || family$family == "poisson") Inf else fit$df.residual, conf, lapply(counts, `[`, shown), naive),
         family = family$family, link = family$link, deviance = fit$deviance, null_deviance = null_deviance,
         df_residual = fit$df.residual, df_null = fit$df.null, dispersion = dispersion, aic = fit$aic,
         vcov = V[shown, shown, drop = FALSE]), effects))
}

# coxph: coxph.control(eps = 1e-13, iter.max = 50).
# weights, cluster: names of columns. robust: as coxph's own; NULL: with a cluster alone.
cox_gold <- function(id, d, formula, cohort = NULL, ties = "efron", conf = 0.95, zph = NULL, baseline = FALSE, weights = NULL,
                     cluster = NULL, robust = NULL) {
  formula <- as.formula(formula, env = environment())
  if (!is.null(cohort)) d <- d[cohort(d), ]
  all_frame <- model.frame(formula, d, na.action = na.pass)
  d <- droplevels(d) # coxph does not do it by itself, glm does
  control <- coxph.control(eps = 1e-13, iter.max = 50)
  arguments <- list(formula, data = d, ties = ties, x = TRUE, y = TRUE, model = TRUE, control = control)
  if (!is.null(weights)) arguments$weights <- as.numeric(d[[weights]])
  robust <- if (is.null(robust)) !is.null(cluster) else robust
  if (!is.null(cluster)) arguments$cluster <- d[[cluster]]
  arguments$robust <- robust
  fit <- start <- do.call(coxph, arguments) # start: score test at β = 0
  for (i in 1:2) { # from the solution, so that the information is that of the last β
    arguments$init <- ifelse(is.na(coef(fit)), 0, coef(fit))
    fit <- do.call(coxph, arguments)
  }
  keep <- !is.na(coef(fit))
  frame <- model.frame(fit)
  y <- fit$y
  event <- y[, ncol(y)]
  X <- fit$x
  V <- fit$var # the robust one where there is one
  naive <- if (robust) fit$naive.var else V
  naive[!keep, ] <- NA
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
    terms = term_rows(colnames(X), estimate, sqrt(diag(V)), Inf, conf, counts, if (robust) sqrt(diag(naive))),
    loglik = c(start$loglik[1], fit$loglik[2]), aic = -2 * fit$loglik[2] + 2 * df,
    tests = list(likelihood_ratio = chisq_test(2 * (fit$loglik[2] - start$loglik[1]), df),
                 wald = chisq_test(tryCatch(drop(beta %*% solve(V[used, used], beta)), error = function(e) NA), df),
                 score = chisq_test(start$score, df)),
    # maille's interval must hold the estimate (tests/compare.py)
    concordance = list(estimate = fit$concordance[["concordance"]], std_error = fit$concordance[["std"]]),
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
    result$baseline <- lapply(intersect(unique(stratum), times$stratum), function(s) {
      rows <- stratum == s & h$time %in% times$time[times$stratum == s]
      list(stratum = gsub(" +(,|$)", "\\1", s), time = as.list(h$time[rows]), cumhaz = as.list(h$hazard[rows]))
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
# What must end in a sentence.
failed <- function(id, method) list(id = id, method = method, status = "failed")
