# What the exponential of a coefficient is called; NA where it is nothing.
RATIO <- list(
  cox = function(x) "HR",
  finegray = function(x) "SHR",
  glm = function(x) switch(paste(x$result$family, x$result$link), `binomial logit` = "OR", `poisson log` = "RR", NA)
)

#' Models
#'
#' Cox, Fine-Gray and generalised linear models of a result, with what R's own models have. Estimates are on the scale
#' of the linear predictor; `vcov()` and the limits are the robust ones where those were asked for. A term that follows
#' from those before it (collinear) has no estimate: `NA` in `coef()` and left out of `vcov()`.
#'
#' @param object,x a model of [maille_read()].
#' @param parm names or numbers of terms; all where absent.
#' @param level of the limits; the one asked for where absent. Other levels use the normal distribution, or t where R
#'   does (family gaussian).
#' @param complete include what is collinear.
#' @param ... nothing.
#' @return As the generics give for R's own models.
#' @examples
#' m <- maille_read(maille_example("first-study.json"))$cox
#' coef(m)
#' confint(m)
#' sqrt(diag(vcov(m)))
#' AIC(m)
#' @name maille_model
NULL

#' @rdname maille_model
#' @export
coef.maille_model <- function(object, complete = TRUE, ...) {
  need_ok(object)
  out <- setNames(numbers(lapply(object$result$terms, `[[`, "estimate")), texts(lapply(object$result$terms, `[[`, "term")))
  if (complete) out else out[!is.na(out)]
}

#' @rdname maille_model
#' @export
vcov.maille_model <- function(object, ...) {
  need_ok(object)
  names <- names(coef(object, complete = FALSE))
  if (is.null(object$result$vcov))
    stop("the covariances are withheld: a pair of levels of the model's factors holds too few patients", call. = FALSE)
  out <- do.call(rbind, lapply(object$result$vcov, numbers))
  if (nrow(out) != length(names)) { # rows of collinear terms are empty
    known <- which(!is.na(coef(object)))
    out <- out[known, known, drop = FALSE]
  }
  dimnames(out) <- list(names, names)
  out
}

#' @rdname maille_model
#' @export
confint.maille_model <- function(object, parm, level = conf_level_of(object), ...) {
  need_ok(object)
  estimate <- coef(object)
  if (isTRUE(all.equal(level, conf_level_of(object)))) {
    out <- cbind(numbers(lapply(object$result$terms, `[[`, "conf_low")), numbers(lapply(object$result$terms, `[[`, "conf_high")))
  } else {
    error <- numbers(lapply(object$result$terms, function(t) if (is.null(t$robust_se)) t$std_error else t$robust_se))
    alpha <- 1 - (1 - level) / 2
    z <- if (identical(object$result$family, "gaussian")) qt(alpha, object$result$df_residual) else qnorm(alpha)
    out <- cbind(estimate - z * error, estimate + z * error)
  }
  dimnames(out) <- list(names(estimate), paste(format(100 * c((1 - level) / 2, (1 + level) / 2), trim = TRUE, digits = 3), "%"))
  if (missing(parm)) out else out[parm, , drop = FALSE]
}

#' @rdname maille_model
#' @export
nobs.maille_model <- function(object, ...) { # as coxph: of a survival model, the events
  if (object$method == "glm") object$n else object$n_event
}

#' @rdname maille_model
#' @export
logLik.maille_model <- function(object, ...) {
  need_ok(object)
  rank <- sum(!is.na(coef(object)))
  if (object$method == "glm") {
    df <- rank + (object$result$family == "gaussian")
    value <- df - object$result$aic / 2
  } else {
    df <- rank
    value <- numbers(object$result$loglik)[2]
  }
  structure(value, df = df, nobs = nobs(object), class = "logLik")
}

#' @rdname maille_model
#' @export
formula.maille_model <- function(x, ...) stats::as.formula(x$asked$formula, env = parent.frame())

#' @rdname as.data.frame.maille_analysis
#' @export
tidy.maille_model <- function(x, conf.int = FALSE, conf.level = NULL, exponentiate = FALSE, ...) {
  table <- broom_names(as.data.frame(x))
  table <- table[intersect(c("term", "estimate", "std.error", "robust.se", "statistic", "p.value"), names(table))]
  if (all(is.na(table$robust.se))) table$robust.se <- NULL
  if (conf.int) {
    limits <- confint(x, level = if (is.null(conf.level)) conf_level_of(x) else conf.level)
    table$conf.low <- limits[, 1]
    table$conf.high <- limits[, 2]
  }
  if (exponentiate) {
    for (name in intersect(c("estimate", "conf.low", "conf.high"), names(table))) table[[name]] <- exp(table[[name]])
  }
  table
}

#' @rdname as.data.frame.maille_analysis
#' @export
glance.maille_model <- function(x, ...) {
  need_ok(x)
  r <- x$result
  ll <- logLik(x)
  if (x$method == "glm") {
    return(data.frame(null.deviance = r$null_deviance, df.null = r$df_null, logLik = as.numeric(ll), AIC = r$aic,
                      BIC = stats::BIC(ll), deviance = r$deviance, df.residual = r$df_residual, nobs = x$n))
  }
  test <- function(name, part) scalar(r$tests[[name]][[part]])
  data.frame(n = x$n, nevent = x$n_event,
             statistic.log = test("likelihood_ratio", "statistic"), p.value.log = test("likelihood_ratio", "p_value"),
             statistic.sc = test("score", "statistic"), p.value.sc = test("score", "p_value"),
             statistic.wald = test("wald", "statistic"), p.value.wald = test("wald", "p_value"),
             concordance = scalar(r$concordance$estimate), std.error.concordance = scalar(r$concordance$std_error),
             logLik = as.numeric(ll), AIC = r$aic, BIC = stats::BIC(ll),
             nobs = x$n_event)
}
