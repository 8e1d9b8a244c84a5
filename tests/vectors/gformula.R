# Makes rotterdam.gformula.gold.json: standardised means of a glm. Run from the repository's root: Rscript tests/vectors/gformula.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")
library(splines)

# The g-formula for a treatment at one time (Snowden, Rose and Mortimer, Am J Epidemiol 2011;173:731): the mean of predict() with everybody
# in one level. Errors: the sandwich of the stacked estimating equations of β and the means, A⁻¹·B·A⁻ᵀ (Stefanski and Boos, The American
# Statistician 2002;56:29), as the packages geex and stdReg have it, which are not in Debian.
means_of <- function(fit, beta, d, treatment, levels, w) {
  made <- lapply(levels, function(l) {
    set <- d; set[[treatment]] <- if (is.logical(d[[treatment]])) l else factor(l, levels(d[[treatment]]))
    frame <- model.frame(delete.response(terms(fit)), set, xlev = fit$xlevels)
    X <- model.matrix(delete.response(terms(fit)), frame, contrasts.arg = fit$contrasts)
    offset <- if (is.null(model.offset(frame))) 0 else model.offset(frame)
    eta <- drop(X %*% beta) + offset
    list(X = X, mu = fit$family$linkinv(eta), slope = fit$family$mu.eta(eta))
  })
  list(made = made, mean = vapply(made, function(m) sum(w * m$mu) / sum(w), 0))
}

# β, refitted from its solution, of these weights.
beta_of <- function(fit, w) {
  X <- model.matrix(fit); y <- as.numeric(model.response(model.frame(fit)))
  offset <- if (is.null(model.offset(model.frame(fit)))) rep(0, length(y)) else model.offset(model.frame(fit))
  suppressWarnings(converged(X, y, fit$family, w, offset, TRUE))
}

gformula_gold <- function(id, d, family, formula, treatment, cohort = NULL, conf = 0.95) {
  gold <- glm_gold(id, d, family, formula, cohort = cohort, conf = conf)
  gold$method <- "gformula"
  if (!is.null(cohort)) d <- d[cohort(d), ]
  fit <- glm(as.formula(formula), family, d)
  stopifnot(nrow(d) == length(fit$y), !anyNA(coef(fit)))
  all <- if (is.logical(d[[treatment]])) c(FALSE, TRUE) else levels(d[[treatment]])
  levels <- all[all %in% as.character(d[[treatment]])]
  n <- nrow(d); K <- length(levels)
  made <- beta_of(fit, rep(1, n)); beta <- made$coefficients; p <- length(beta)
  at <- means_of(fit, beta, d, treatment, levels, rep(1, n)); mu <- at$mean
  X <- model.matrix(fit)
  psi <- cbind(X * (fit$y - made$fitted.values), vapply(seq_len(K), function(k) at$made[[k]]$mu - mu[k], rep(0, n)))
  A <- matrix(0, p + K, p + K)
  A[1:p, 1:p] <- crossprod(X, X * fit$family$mu.eta(fit$family$linkfun(made$fitted.values)))
  for (k in seq_len(K)) {
    A[p + k, 1:p] <- -colSums(at$made[[k]]$slope * at$made[[k]]$X)
    A[p + k, p + k] <- n
  }
  bread <- solve(A)
  V <- (bread %*% crossprod(psi) %*% t(bread))[p + 1:K, p + 1:K]
  # What a row does to a mean, by fitting anew with its weight a little more and a little less.
  rows <- unique(round(seq(1, n, length.out = 5))); h <- 1e-4
  near <- vapply(rows, function(i) { moved <- function(by) { w <- rep(1, n); w[i] <- w[i] + by
      means_of(fit, beta_of(fit, w)$coefficients, d, treatment, levels, w)$mean }
    (moved(h) - moved(-h)) / (2 * h) }, rep(0, K))
  exact <- (psi %*% t(bread))[, p + 1:K]
  apart <- max(abs(t(near) - exact[rows, ])) / max(abs(exact))
  cat(id, "largest difference from refitting, of the largest derivative:", apart, "\n"); stopifnot(apart < 1e-5)
  z <- qnorm((1 + conf) / 2); se <- sqrt(diag(V))
  events <- family$family == "binomial"
  cut <- function(x) if (events) min(max(x, 0), 1) else x
  gold$result$means <- lapply(seq_len(K), function(k) {
    own <- as.character(d[[treatment]]) == as.character(levels[k])
    list(variable = treatment, level = as.character(levels[k]), n = sum(own), n_event = if (events) sum(fit$y[own]) else NA, estimate = mu[k], std_error = se[k],
         conf_low = cut(mu[k] - z * se[k]), conf_high = cut(mu[k] + z * se[k])) })
  # of a function of two means with these derivatives
  error <- function(k, by, by_first) { g <- replace(rep(0, K), c(k, 1), c(by, by_first)); sqrt(drop(g %*% V %*% g)) }
  contrast <- function(k, measure, value, e, back = identity)
    list(variable = treatment, level = as.character(levels[k]), reference = as.character(levels[1]), measure = measure, estimate = back(value),
         conf_low = back(value - z * e), conf_high = back(value + z * e), std_error = e, p_value = 2 * pnorm(-abs(value / e)))
  gold$result$contrasts <- do.call(c, lapply(seq_len(K)[-1], function(k) {
    a <- mu[k]; b <- mu[1]
    c(list(contrast(k, if (events) "risk difference" else "mean difference", a - b, error(k, 1, -1))),
      if (events) list(contrast(k, "risk ratio", log(a / b), error(k, 1 / a, -1 / b), exp),
                       contrast(k, "odds ratio", qlogis(a) - qlogis(b), error(k, 1 / (a * (1 - a)), -1 / (b * (1 - b))), exp))) }))
  gold
}

d <- rotterdam()
d$node_group <- cut(d$nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)
g <- gaussian(); b <- binomial()
knots <- gformula_gold("knots", d, b, "death ~ ns(age, df = 3) * hormon", "hormon")
age <- ns(d$age, df = 3)
knots$result$knots <- list(list(term = "ns(age, df = 3)", knots = as.list(unname(attr(age, "knots"))),
                                boundary_knots = as.list(attr(age, "Boundary.knots"))))
write_gold("tests/vectors/rotterdam.gformula.gold.json", list(
  gformula_gold("risk", d, b, "death ~ chemo + age + size + grade + log(nodes + 1) + hormon", "chemo"),
  gformula_gold("inter", d, b, "recur ~ hormon * age + hormon * size + nodes", "hormon", conf = 0.9),
  gformula_gold("three", d, b, "death ~ size + age + grade", "size", cohort = function(d) d$nodes > 0),
  gformula_gold("mean", d, g, "nodes ~ chemo * age + size", "chemo"),
  gformula_gold("offset", d, b, "death ~ chemo + age + offset(log(nodes + 1))", "chemo"),
  gformula_gold("spline", d, b, "death ~ ns(age, knots = c(45, 65), Boundary.knots = c(30, 85)) * hormon + grade", "hormon"),
  knots,
  gformula_gold("curve", d, g, "nodes ~ size * chemo + poly(age, 2)", "chemo"),
  gformula_gold("level", d, b, "death ~ node_group + age", "node_group", cohort = function(d) d$nodes > 0),
  gformula_gold("crude", d, b, "death ~ grade", "grade")))
