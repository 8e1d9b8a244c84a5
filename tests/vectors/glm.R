# Makes rotterdam.glm.gold.json. Run from the repository's root: Rscript tests/vectors/glm.R
# R's glm driven to convergence: glm.control(epsilon = 1e-15, maxit = 100) and refitted from the solution, because R takes standard
# errors from the last-but-one weights. With that epsilon glm's own tolerance for collinear columns (epsilon/1000) would find none,
# so which columns are aliased is taken from a fit at R's defaults and those columns are left out.
source("tests/vectors/common.R")

tight <- glm.control(epsilon = 1e-15, maxit = 100)

converged <- function(X, y, family, weights, offset, intercept) {
  fit <- suppressWarnings(glm.fit(X, y, weights, offset = offset, family = family, control = tight, intercept = intercept))
  for (i in 1:2)
    fit <- suppressWarnings(glm.fit(X, y, weights, start = fit$coefficients, offset = offset, family = family, control = tight,
                                    intercept = intercept))
  fit
}

glm_gold <- function(id, d, family, formula, weights = NULL, cohort = NULL, conf = 0.95) {
  formula <- as.formula(formula)
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
  p <- ncol(X)
  V <- matrix(NA_real_, p, p)
  V[keep, keep] <- dispersion * chol2inv(fit$qr$qr[seq_len(sum(keep)), seq_len(sum(keep)), drop = FALSE])[
    order(fit$qr$pivot), order(fit$qr$pivot)]
  estimate <- rep(NA_real_, p)
  estimate[keep] <- fit$coefficients
  events <- family$family == "binomial"
  counts <- level_counts(X, attr(X, "assign"), terms, frame, if (events) y else NULL)
  list(id = id, method = "glm", status = "ok", n = length(y), n_missing = nrow(d) - length(y),
       n_event = if (events) sum(y) else NA, dropped_levels = dropped_levels(all_frame, frame),
       aliased = as.list(colnames(X)[!keep]),
       result = list(
         terms = term_rows(colnames(X), estimate, sqrt(diag(V)), if (events || family$family == "poisson") Inf else fit$df.residual,
                           conf, counts),
         family = family$family, link = family$link, deviance = fit$deviance, null_deviance = null_deviance,
         df_residual = fit$df.residual, df_null = fit$df.null, dispersion = dispersion, aic = fit$aic, vcov = V))
}

d <- rotterdam()
d$node_group <- cut(d$nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)
positive <- function(d) d$nodes > 0
g <- gaussian(); b <- binomial(); p <- poisson()
write_gold("tests/vectors/rotterdam.glm.gold.json", list(
  glm_gold("gauss", d, g, "nodes ~ age + size + grade + chemo"),
  glm_gold("gauss-narrow", d, g, "pgr ~ er + year"),
  glm_gold("gauss-origin", d, g, "nodes ~ age + size - 1"),
  glm_gold("gauss-offset", d, g, "nodes ~ size + offset(age)"),
  glm_gold("gauss-weight", d, g, "age ~ size * meno", weights = "nodes", cohort = positive),
  glm_gold("gauss-zero", d, g, "age ~ size", weights = "nodes"),
  glm_gold("gauss-one", d, g, "age ~ 1"),
  glm_gold("logit", d, b, "death ~ age + log(nodes + 1) + pgr + er + size + grade + chemo + hormon"),
  glm_gold("logit-inter", d, b, "death ~ age * size + chemo:meno + node_group"),
  glm_gold("logit-margin", d, b, "death ~ size:chemo + age:grade"),
  glm_gold("logit-poly", d, b, "recur ~ age + I(age^2) + sqrt(pgr) + factor(year > 1988)"),
  glm_gold("logit-weight", d, b, "death ~ age + size", weights = "nodes", cohort = positive),
  glm_gold("logit-offset", d, b, "death ~ size + offset(log(nodes + 1))"),
  glm_gold("logit-origin", d, b, "death ~ size + chemo - 1"),
  glm_gold("logit-alias", d, b, "death ~ age + I(2 * age + 3) + size + I(nodes + age) + nodes"),
  glm_gold("logit-level", d, b, "death ~ node_group + age", cohort = function(d) d$nodes < 4),
  glm_gold("logit-first", d, b, "death ~ node_group + age", cohort = positive, conf = 0.9),
  glm_gold("pois", d, p, "nodes ~ age + size + grade + pgr"),
  glm_gold("pois-rate", d, p, "death ~ age + size + chemo + offset(log(dtime))"),
  glm_gold("pois-origin", d, p, "nodes ~ size + chemo - 1"),
  glm_gold("pois-slope", d, p, "nodes ~ age - 1"),
  glm_gold("pois-weight", d, p, "nodes ~ age + meno", weights = "year")
))
