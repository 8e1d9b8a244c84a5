#' A survfit object out of a result
#'
#' Kaplan-Meier curves of a result as `survival::survfit.object`, so that `print()`, `summary()`, `quantile()` and `plot()`
#' of survival take them, and with them what is built on survival, such as `survminer::ggsurvplot()`. The object holds the
#' numbers of the result: nothing is fitted again. Times lie on the grid of the study. A curve that was hidden to protect
#' patients is left out, with a warning.
#'
#' `survfit()` of a curve does the same. What needs the patients themselves stops: there are none. So
#' `ggsurvplot(pval = TRUE)` is an error; give it the number of a [logrank()] analysis, `pval = r$test$result$p_value`.
#'
#' @param x,formula curves of [maille_read()]: an analysis by [km()].
#' @param ... nothing.
#' @return An object of class `survfit`.
#' @examplesIf requireNamespace("survival", quietly = TRUE)
#' os <- as_survfit(maille_read(maille_example("first-study.json"))$os)
#' os
#' summary(os, times = c(1826.25, 3652.5))
#' plot(os, conf.int = TRUE, lty = 1:2)
#' @export
as_survfit <- function(x, ...) UseMethod("as_survfit")

#' @rdname as_survfit
#' @export
as_survfit.maille_km <- function(x, ...) {
  need_ok(x)
  if (!requireNamespace("survival", quietly = TRUE)) stop("expected the package survival, found none; install it")
  curves <- Filter(function(curve) length(curve$time) > 0, x$result$curves)
  hidden <- setdiff(texts(lapply(x$result$curves, `[[`, "stratum")), texts(lapply(curves, `[[`, "stratum")))
  if (length(hidden) > 0) warning("hidden to protect patients: ", paste(hidden, collapse = "; "), call. = FALSE)
  if (length(curves) == 0) stop("expected a curve in ", x$id, ", found none")
  all <- function(part) unlist(lapply(curves, function(curve) numbers(curve[[part]])))
  steps <- function(of) unlist(lapply(curves, function(curve) {
    of(numbers(curve$n_risk), numbers(curve$n_event_at), numbers(curve$n_censor))
  }))
  survival <- all("estimate")
  std_err <- all("std_error") / survival
  std_err[!is.na(survival) & survival <= 0] <- Inf
  counting <- length(regmatches(x$asked$formula, gregexpr(",", sub("\\).*", "", x$asked$formula)))[[1]]) == 2
  out <- list(
    n = numbers(lapply(curves, `[[`, "n")), time = all("time"), n.risk = all("n_risk"), n.event = all("n_event_at"),
    n.censor = all("n_censor"), surv = survival, std.err = std_err,
    cumhaz = steps(function(risk, event, censored) cumsum(event / risk)),
    std.chaz = steps(function(risk, event, censored) sqrt(cumsum(event / risk^2))),
    type = if (counting) "counting" else "right", logse = TRUE, conf.int = conf_level_of(x),
    conf.type = x$asked$conf_type, lower = all("conf_low"), upper = all("conf_high"), t0 = 0)
  if (counting) {
    out$n.enter <- steps(function(risk, event, censored) risk - c(0, utils::head(risk - event - censored, -1)))
  }
  if (length(x$result$curves) > 1 || x$result$curves[[1]]$stratum != "all") {
    out$strata <- setNames(vapply(curves, function(curve) length(curve$time), 1L), texts(lapply(curves, `[[`, "stratum")))
  }
  # what survminer looks the variables of the strata up in
  data <- strata_data(x, names(out$strata))
  out$call <- as.call(list(quote(survfit), formula = formula_of(x), data = data))
  structure(out, class = c("maille_survfit", "survfit"))
}

# survival prints the call: without what only survminer wants of it.
plain_call <- function(x) {
  x$call$data <- NULL
  class(x) <- setdiff(class(x), "maille_survfit")
  x
}

#' @export
print.maille_survfit <- function(x, ...) {
  plain <- plain_call(x)
  if (!all(is.na(x$n.risk))) {
    print(plain, ...)
    return(invisible(x))
  }
  # a weighted curve behind thresholds: its sums of weights are not shown, and survival's own print counts events
  half <- stats::quantile(plain, 0.5)
  table <- cbind(n = x$n, median = c(half$quantile), lower = c(half$lower), upper = c(half$upper))
  rownames(table) <- if (is.null(x$strata)) rep("", nrow(table)) else names(x$strata)
  cat("Call: ", deparse(plain$call), "\n\n", sep = "")
  print(table, ...)
  invisible(x)
}

#' @export
summary.maille_survfit <- function(object, ...) summary(plain_call(object), ...)

#' @rdname as_survfit
#' @exportS3Method survival::survfit
survfit.maille_km <- function(formula, ...) as_survfit.maille_km(formula, ...)

# A row a curve, with the variables of the formula: those that its name is made of.
strata_data <- function(x, strata) {
  factors <- x$frame$factors
  # the time and the event are nobody's: a test on them stops
  nobody <- setNames(rep(list(NA_real_), length(all.vars(formula_of(x)))), all.vars(formula_of(x)))
  if (length(strata) == 0 || length(factors) == 0) return(as.data.frame(nobody))
  levels <- lapply(factors, function(f) texts(f$levels))
  names(levels) <- texts(lapply(factors, `[[`, "name"))
  grid <- expand.grid(levels, stringsAsFactors = FALSE, KEEP.OUT.ATTRS = FALSE)
  named <- do.call(paste, c(Map(function(name, value) paste0(name, "=", value), names(grid), grid), sep = ", "))
  out <- grid[match(strata, named), , drop = FALSE]
  for (name in names(out)) out[[name]] <- factor(out[[name]], levels = levels[[name]])
  for (name in setdiff(names(nobody), names(out))) out[[name]] <- NA_real_
  rownames(out) <- NULL
  out
}

formula_of <- function(x) stats::as.formula(x$asked$formula, env = baseenv())
