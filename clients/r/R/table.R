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

#' Table 1 as papers print it
#'
#' Of an analysis by [describe()]: a row a number (mean and standard deviation) or a level (heads and their share), a column a
#' group, with the labels of the data dictionary. The columns are those of gtsummary's tables (`variable`, `label`, `row_type`,
#' `stat_1`, ...), each with its heading as the attribute `label`, which `gtsummary::as_gtsummary()` reads (not tested here).
#'
#' @param x an analysis by [describe()].
#' @param digits of means and standard deviations.
#' @return A data frame of class `maille_table1`.
#' @examples
#' table_one(maille_read(maille_example("first-study.json"))$table1)
#' @export
table_one <- function(x, digits = 1) {
  if (!inherits(x, "maille_describe")) stop("expected an analysis by describe(), found ", x$method)
  rows <- as.data.frame(x)
  for (name in c("value", "share", "mean", "sd", "missing", "n")) if (is.null(rows[[name]])) rows[[name]] <- NA
  if (is.null(rows$level)) rows$level <- "all"
  groups <- unique(rows$level)
  number <- function(v) formatC(v, digits = digits, format = "f")
  text <- ifelse(is.na(rows$value), paste0(number(rows$mean), " (", number(rows$sd), ")"),
                 paste0(rows$n, " (", number(100 * rows$share), " %)"))
  text[is.na(rows$n)] <- "hidden"
  column <- function(keep, of) vapply(groups, function(g) {
    at <- which(keep & rows$level == g)
    if (length(at) == 0) "" else of[at[1]]
  }, "")
  line <- function(variable, label, row_type, values) {
    data.frame(variable = variable, label = label, row_type = row_type,
               as.list(setNames(values, paste0("stat_", seq_along(groups)))), row.names = NULL)
  }
  out <- list()
  for (variable in unique(rows$variable)) {
    mine <- rows$variable == variable
    levels <- unique(stats::na.omit(rows$value[mine]))
    nothing <- rep("", length(groups))
    if (length(levels) == 0) {
      out <- c(out, list(line(variable, paste0(label_of(x, variable), ", mean (SD)"), "label", column(mine, text))))
    } else {
      out <- c(out, list(line(variable, paste0(label_of(x, variable), ", n (%)"), "label", nothing)))
      for (level in levels) out <- c(out, list(line(variable, level, "level", column(mine & rows$value %in% level, text))))
    }
    missing <- mine & !is.na(rows$missing)
    if (any(rows$missing[missing] > 0)) {
      out <- c(out, list(line(variable, "missing", "missing", column(missing, as.character(rows$missing)))))
    }
  }
  out <- do.call(rbind, out)
  by <- if (is.null(rows$by)) NULL else label_of(x, rows$by[1])
  for (i in seq_along(groups)) {
    n <- max(rows$n[rows$level == groups[i] & is.na(rows$value)] + rows$missing[rows$level == groups[i] & is.na(rows$value)], -Inf,
             na.rm = TRUE)
    attr(out[[paste0("stat_", i)]], "label") <- paste0(if (!is.null(by)) paste0(by, ": "), groups[i],
                                                       if (is.finite(n)) paste0(", n = ", n))
  }
  attr(out$label, "label") <- "Characteristic"
  structure(out, class = c("maille_table1", "data.frame"))
}

#' @export
print.maille_table1 <- function(x, ...) {
  out <- data.frame(paste0(ifelse(x$row_type == "label", "", "  "), x$label), unclass(x)[startsWith(names(x), "stat_")],
                    check.names = FALSE)
  heading <- vapply(x[startsWith(names(x), "stat_")], attr, "", "label")
  names(out) <- c(if (grepl(": ", heading[1])) sub(": .*", "", heading[1]) else "", sub(".*: ", "", heading)) # the group alone
  print(format(out, justify = "left"), row.names = FALSE)
  invisible(x)
}
