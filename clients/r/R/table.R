# The label of a variable in the dictionary; its name where there is none.
label_of <- function(x, name) {
  for (v in x$dictionary) if (identical(v$name, name)) return(v$label)
  name
}

#' A regression table as papers print it
#'
#' One row a term, with the labels of the data dictionary, a heading and the reference level of each category: the columns
#' that gtsummary's tables have (`variable`, `label`, `row_type`, `reference_row`, `estimate`, `conf.low`, `conf.high`,
#' `p.value`), so that `gtsummary::as_gtsummary()` takes it as it is (not tested here: Debian has no gtsummary).
#'
#' @param x a model of [maille_read()].
#' @param exponentiate ratios; `NULL`: where they mean something.
#' @return A data frame of class `maille_table`; the name of the ratio is `attr(, "ratio")`.
#' @examples
#' table_regression(maille_read(maille_example("first-study.json"))$cox)
#' @export
table_regression <- function(x, exponentiate = NULL) {
  need_ok(x)
  ratio <- RATIO[[x$method]](x)
  if (is.null(exponentiate)) exponentiate <- !is.na(ratio)
  terms <- tidy(x, conf.int = TRUE, exponentiate = exponentiate)
  heads <- as.data.frame(x)
  row <- function(variable, label, row_type, reference = FALSE, at = NA) {
    value <- function(name) if (is.na(at)) NA_real_ else terms[[name]][at]
    data.frame(variable = variable, label = label, row_type = row_type, reference_row = reference,
               term = if (is.na(at)) NA_character_ else terms$term[at], n = if (is.na(at)) NA_real_ else scalar(heads$n[at]),
               n_event = if (is.na(at)) NA_real_ else scalar(heads$n_event[at]), estimate = value("estimate"),
               conf.low = value("conf.low"), conf.high = value("conf.high"), p.value = value("p.value"))
  }
  rows <- list()
  left <- seq_len(nrow(terms))
  take <- function(name) {
    at <- match(name, terms$term)
    if (!is.na(at)) left <<- setdiff(left, at)
    at
  }
  if ("(Intercept)" %in% terms$term) rows <- list(row("(Intercept)", "(Intercept)", "label", at = take("(Intercept)")))
  for (f in x$frame$factors) {
    levels <- texts(f$levels)
    label <- label_of(x, f$name)
    if (length(levels) == 0) {
      at <- take(f$name)
      if (!is.na(at)) rows <- c(rows, list(row(f$name, label, "label", at = at)))
      next
    }
    names <- paste0(f$name, levels)
    if (!any(names %in% terms$term)) next
    if (identical(levels, c("FALSE", "TRUE"))) { # one row says it
      rows <- c(rows, list(row(f$name, label, "label", at = take(names[2]))))
      next
    }
    rows <- c(rows, list(row(f$name, label, "label")))
    for (i in seq_along(levels)) {
      at <- take(names[i])
      if (!is.na(at) || i == 1) rows <- c(rows, list(row(f$name, levels[i], "level", reference = is.na(at), at = at)))
    }
  }
  for (at in left) rows <- c(rows, list(row(terms$term[at], terms$term[at], "label", at = at)))
  structure(do.call(rbind, rows), ratio = if (exponentiate) ratio else NA, class = c("maille_table", "data.frame"))
}

#' @export
print.maille_table <- function(x, ...) {
  number <- function(v) formatC(v, digits = 2, format = "f")
  ratio <- attr(x, "ratio")
  out <- data.frame(label = paste0(ifelse(x$row_type == "level", "  ", ""), x$label),
                    estimate = ifelse(x$reference_row, "1 (reference)", ifelse(is.na(x$estimate), "", number(x$estimate))),
                    limits = ifelse(is.na(x$conf.low), "", paste0(number(x$conf.low), " to ", number(x$conf.high))),
                    p = ifelse(is.na(x$p.value), "", format.pval(x$p.value, digits = 2, eps = 1e-3)))
  if (is.na(ratio)) out$estimate[x$reference_row] <- "0 (reference)"
  names(out) <- c("", if (is.na(ratio)) "estimate" else ratio, "limits", "p")
  print(format(out, justify = "left"), row.names = FALSE)
  invisible(x)
}
