# The label of a variable in the dictionary; its name where there is none.
label_of <- function(x, name) {
  for (v in x$dictionary) if (identical(v$name, name)) return(v$label)
  name
}

# The word for a level: the dictionary's (or of a factor of the formula), else Yes and No of TRUE and FALSE, else its own.
level_label <- function(x, name, level) {
  for (f in c(x$frame$factors, x$dictionary)) {
    if (!identical(f$name, name) || length(f$labels) == 0) next
    at <- match(level, texts(f$levels))
    if (!is.na(at)) return(texts(f$labels)[at])
  }
  switch(level, `TRUE` = "Yes", `FALSE` = "No", level)
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
      if (!is.na(at) || i == 1) rows <- c(rows, list(row(f$name, level_label(x, f$name, levels[i]), "level", reference = is.na(at), at = at)))
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
#' Of an analysis by [table1()] or [describe()]: a row a number (median and quartiles, or mean and standard deviation) or a level
#' (heads and their share), a column a group, with the labels of the data dictionary; standardised differences and p-values
#' where they were asked for. The columns are those of gtsummary's tables (`variable`, `label`, `row_type`, `stat_1`, ...), each
#' with its heading as the attribute `label`, which `gtsummary::as_gtsummary()` reads (not tested here).
#'
#' @param x an analysis by [table1()] or [describe()].
#' @param digits of means, medians and standard deviations; `NULL`: one, and of medians as many as they have.
#' @return A data frame of class `maille_table_one`.
#' @examples
#' table_one(maille_read(maille_example("first-study.json"))$table1)
#' @export
table_one <- function(x, digits = NULL) {
  if (!inherits(x, c("maille_describe", "maille_table1"))) {
    stop("expected an analysis by table1() or describe(), found ", x$method)
  }
  rows <- as.data.frame(x, part = "variables")
  for (name in c("value", "level", "by")) if (is.null(rows[[name]])) rows[[name]] <- NA_character_
  for (name in c("share", "mean", "sd", "missing", "n", "median", "q1", "q3")) if (is.null(rows[[name]])) rows[[name]] <- NA_real_
  rows$level[is.na(rows$level)] <- "" # all patients
  groups <- unique(rows$level)
  number <- function(v) formatC(v, digits = if (is.null(digits)) 1 else digits, format = "f")
  plain <- function(v) if (is.null(digits)) format(v, trim = TRUE, digits = 6, drop0trailing = TRUE) else number(v)
  each <- function(f, ...) vapply(seq_len(nrow(rows)), function(i) f(rows[i, ]), "")
  texts_of <- list(
    median = each(function(r) paste0(plain(r$median), " (", plain(r$q1), "\u2013", plain(r$q3), ")")),
    mean = each(function(r) paste0(number(r$mean), " (", number(r$sd), ")")),
    share = each(function(r) paste0(r$n, " (", formatC(100 * r$share, digits = 1, format = "f"), " %)")))
  for (name in names(texts_of)) texts_of[[name]][is.na(rows$n)] <- "hidden"
  texts_of$median[is.na(rows$median)] <- "hidden"
  statistic <- switch(if (x$method == "table1") x$asked$statistics else "mean", both = c("median", "mean"), mean = "mean", "median")
  said <- c(median = ", median (Q1\u2013Q3)", mean = ", mean (SD)")
  compared <- if (is.null(x$result$comparisons)) NULL else records(x$result$comparisons)
  comparison <- function(name, variable, value) {
    if (is.null(compared[[name]])) return(NA_real_)
    own <- if (is.null(compared$value)) rep(NA, nrow(compared)) else compared$value
    at <- which(compared$variable == variable & (if (is.na(value)) is.na(own) else own %in% value))
    if (length(at) == 0) NA_real_ else compared[[name]][at[1]]
  }
  column <- function(keep, of) vapply(groups, function(g) {
    at <- which(keep & rows$level == g)
    if (length(at) == 0) "" else of[at[1]]
  }, "")
  line <- function(variable, label, row_type, values, value = NA_character_, tested = FALSE) {
    out <- data.frame(variable = variable, label = label, row_type = row_type,
                      as.list(setNames(values, paste0("stat_", seq_along(groups)))), row.names = NULL)
    if (!is.null(compared$smd)) out$smd <- if (tested || !is.na(value)) comparison("smd", variable, value) else NA_real_
    if (!is.null(compared$p_value)) out$p.value <- if (tested) comparison("p_value", variable, NA) else NA_real_
    out
  }
  out <- list()
  for (variable in unique(rows$variable)) {
    mine <- rows$variable == variable
    levels <- unique(stats::na.omit(rows$value[mine]))
    label <- label_of(x, variable)
    nothing <- rep("", length(groups))
    if (length(levels) == 0) {
      for (s in statistic) {
        out <- c(out, list(line(variable, paste0(label, said[s]), "label", column(mine, texts_of[[s]]), tested = s == statistic[1])))
      }
    } else {
      out <- c(out, list(line(variable, paste0(label, ", n (%)"), "label", nothing, tested = TRUE)))
      for (level in levels) {
        out <- c(out, list(line(variable, level_label(x, variable, level), "level",
                                column(mine & rows$value %in% level, texts_of$share), value = level)))
      }
    }
    missing <- mine & !is.na(rows$missing)
    if (any(rows$missing[missing] > 0)) {
      out <- c(out, list(line(variable, "missing", "missing", column(missing, as.character(rows$missing)))))
    }
  }
  out <- do.call(rbind, out)
  by <- stats::na.omit(rows$by)
  heads <- if (is.null(x$result$groups)) NULL else records(x$result$groups)
  for (i in seq_along(groups)) {
    at <- rows$level == groups[i] & is.na(rows$value)
    n <- if (!is.null(heads)) {
      own <- if (is.null(heads$level)) NA else heads$level
      heads$n[if (groups[i] == "") is.na(own) else own %in% groups[i]][1]
    } else if (any(at)) max(rows$n[at] + rows$missing[at], na.rm = TRUE) else NA
    name <- if (groups[i] == "") "All patients" else group_label(x, by[1], groups[i])
    attr(out[[paste0("stat_", i)]], "label") <- paste0(name, if (is.finite(n)) paste0(", n = ", n))
  }
  attr(out$label, "label") <- "Characteristic"
  structure(out, class = c("maille_table_one", "data.frame"), synthetic = isTRUE(x$synthetic))
}

# "TRUE" of chemo -> "Chemotherapy: Yes"; of several variables as it is.
group_label <- function(x, by, level) {
  if (is.na(by) || grepl(",", by, fixed = TRUE)) return(level)
  paste0(label_of(x, by), ": ", level_label(x, by, level))
}

#' @export
print.maille_table_one <- function(x, ...) {
  say_synthetic(attr(x, "synthetic"))
  out <- data.frame(paste0(ifelse(x$row_type == "label", "", "  "), x$label), unclass(x)[startsWith(names(x), "stat_")],
                    check.names = FALSE)
  heading <- vapply(x[startsWith(names(x), "stat_")], attr, "", "label")
  by <- grep(": ", heading, fixed = TRUE, value = TRUE) # said once
  names(out) <- c(if (length(by) > 0) sub(": .*", "", by[1]) else "", sub("^[^:]*: ", "", heading))
  if (!is.null(x$smd)) out$SMD <- ifelse(is.na(x$smd), "", formatC(x$smd, digits = 3, format = "f"))
  if (!is.null(x$p.value)) out$p <- ifelse(is.na(x$p.value), "", vapply(x$p.value, format.pval, "", digits = 2, eps = 1e-3))
  print(format(out, justify = "left"), row.names = FALSE)
  invisible(x)
}
