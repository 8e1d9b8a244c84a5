# --- JSON to R ---

is_scalar <- function(x) is.null(x) || (is.atomic(x) && length(x) == 1)

# Lists of numbers or nulls.
numbers <- function(x) vapply(x, function(v) if (is.null(v)) NA_real_ else as.numeric(v), 0, USE.NAMES = FALSE)
texts <- function(x) vapply(x, function(v) if (is.null(v)) NA_character_ else as.character(v), "", USE.NAMES = FALSE)
scalar <- function(x) if (is.null(x)) NA_real_ else x

# Values side by side: numbers where all are, else texts.
column <- function(values) {
  present <- Filter(Negate(is.null), values)
  if (length(present) > 0 && all(vapply(present, is.logical, NA))) {
    return(vapply(values, function(v) if (is.null(v)) NA else v, NA))
  }
  if (all(vapply(present, is.numeric, NA))) numbers(values) else texts(values)
}

# A list of objects as a data frame of what is single in them; objects inside give columns joined by "_".
records <- function(list) {
  flat <- lapply(list, flatten)
  keys <- unique(unlist(lapply(flat, names)))
  columns <- lapply(keys, function(k) column(lapply(flat, function(r) r[[k]])))
  if (length(keys) == 0) return(data.frame())
  as.data.frame(setNames(columns, keys), optional = TRUE, stringsAsFactors = FALSE)
}

flatten <- function(object) {
  out <- list()
  for (key in names(object)) {
    value <- object[[key]]
    if (is_scalar(value)) out[key] <- list(value)
    else if (!is.null(names(value))) {
      inner <- flatten(value)
      if (length(inner) > 0) out[paste0(key, "_", names(inner))] <- inner
    }
  }
  out
}

# --- the result file ---

#' Read a result file
#'
#' @param file path of a result file (`maille run --json`).
#' @return An object of class `maille_result`: a list with one object for each analysis, by its id, each of class
#'   `maille_<method>` and `maille_analysis`; models are also of class `maille_model`. What is said of the study stands
#'   in `attr(, "about")`.
#'
#'   [as.data.frame()], [tidy()] and [glance()] give tables; see [maille_model] for models, [as_survfit()] for curves,
#'   [table_regression()] and [table_one()] for tables as papers print them, [maille_report()] for a page, and [autoplot.maille_analysis()] for figures.
#' @examples
#' r <- maille_read(maille_example("first-study.json"))
#' r
#' r$cox
#' as.data.frame(r$patients)
#' @export
maille_read <- function(file) {
  json <- tryCatch(jsonlite::fromJSON(file, simplifyVector = FALSE), error = function(e) {
    stop("expected a result file of maille at ", file, ": ", conditionMessage(e), call. = FALSE)
  })
  if (is.null(json$maille) || is.null(json$analyses)) {
    stop("expected a result file of maille at ", file, ", found other JSON", call. = FALSE)
  }
  analyses <- lapply(json$analyses, function(a) {
    a$derive <- json$derive
    a$dictionary <- json$dictionary$variables
    a$synthetic <- isTRUE(json$synthetic)
    model <- !is.null(a$result$terms)
    structure(a, class = c(paste0("maille_", a$method), if (model) "maille_model", "maille_analysis"))
  })
  about <- json[setdiff(names(json), "analyses")]
  structure(setNames(analyses, vapply(analyses, function(a) a$id, "")), about = about, file = normalizePath(file),
            class = "maille_result")
}

#' @export
print.maille_result <- function(x, ...) {
  about <- attr(x, "about")
  say_synthetic(about$synthetic)
  cat(about$study, if (!is.null(about$title) && nzchar(about$title)) paste0(": ", about$title), "\n", sep = "")
  cat(about$sites, " sites, ", about$date, if (is.null(about$date)) "date unknown", "; query ", substr(about$query, 1, 8),
      "\n", sep = "")
  print(as.data.frame(x), row.names = FALSE)
  invisible(x)
}

#' @export
as.data.frame.maille_result <- function(x, ...) {
  data.frame(id = names(x), method = vapply(x, function(a) a$method, ""), status = vapply(x, function(a) a$status, ""),
             n = vapply(x, function(a) scalar(a$n), 0), n.missing = vapply(x, function(a) scalar(a$n_missing), 0),
             n.event = vapply(x, function(a) scalar(a$n_event), 0), row.names = NULL)
}

# What every output of made-up patients says, as the program does.
SYNTHETIC <- "Synthetic data: made up, no patient"
say_synthetic <- function(synthetic) if (isTRUE(synthetic)) cat(SYNTHETIC, "\n", sep = "")

#' @export
`[.maille_result` <- function(x, i) structure(unclass(x)[i], about = attr(x, "about"), file = attr(x, "file"), class = "maille_result")

# --- one analysis ---

need_ok <- function(x) {
  if (x$status != "ok") {
    maille_stop(x$id, " was ", x$status, if (!is.null(x$rule)) paste0(" (", x$rule, ")"), ": ", x$reason,
                class = paste0("maille_", x$status))
  }
  x
}

conf_level_of <- function(x) if (is.null(x$asked$conf_level)) 0.95 else x$asked$conf_level

# The list of objects that is the table of a method.
main_table <- function(x) {
  for (part in c("means", "terms", "groups", "steps", "flows", "variables", "gray")) {
    list <- x$result[[part]]
    if (is.list(list) && length(list) > 0 && is.list(list[[1]])) return(list)
  }
  NULL
}

#' Results as tables
#'
#' `as.data.frame()` is the main table of an analysis under the names of the result file. `tidy()` and `glance()` name
#' columns as broom does; they are found with broom or generics attached or not.
#'
#' @param x an analysis of [maille_read()].
#' @param conf.int add confidence limits (always there for curves); at the level asked for, or at `conf.level`.
#' @param conf.level level of the limits; `NULL`: the one asked for.
#' @param exponentiate hazard, odds and rate ratios instead of their logarithms.
#' @param part another table of the result: `"zph"`, `"overlap"`, `"gray"`, `"risk_sets"`, `"subgroups"` ...
#' @param row.names,optional as in [base::as.data.frame()]; not used.
#' @param ... nothing.
#' @return A data frame. `glance()`: one row; of Kaplan-Meier curves one a curve.
#' @examples
#' r <- maille_read(maille_example("first-study.json"))
#' tidy(r$cox, conf.int = TRUE, exponentiate = TRUE)
#' glance(r$cox)
#' head(tidy(r$os))
#' glance(r$os)
#' @export
as.data.frame.maille_analysis <- function(x, row.names = NULL, optional = FALSE, part = NULL, ...) {
  need_ok(x)
  if (!is.null(part)) {
    found <- x$result[[part]]
    if (!is.list(found)) stop("expected one of ", paste(names(Filter(is.list, x$result)), collapse = ", "), "; found ", part)
    if (is.null(names(found)) && any(vapply(found, function(row) is.list(row$time), NA))) return(over_time(found))
    return(records(if (is.null(names(found))) found else list(found)))
  }
  table <- main_table(x)
  if (!is.null(table)) {
    out <- records(table)
    if (any(vapply(table, function(row) is.list(row$probs), NA))) { # quantile: a row a probability
      out <- do.call(rbind, Map(function(row, i) {
        cbind(out[rep(i, length(row$probs)), , drop = FALSE], prob = numbers(row$probs), value = numbers(row$values))
      }, table, seq_along(table)))
    } else if (any(vapply(table, function(row) is.list(row$breaks), NA))) { # histogram: a row a bar
      out <- do.call(rbind, Map(function(row, i) {
        edges <- numbers(row$breaks)
        cbind(out[rep(i, length(row$counts)), , drop = FALSE], from = utils::head(edges, -1), to = edges[-1],
              n = numbers(row$counts))
      }, table, seq_along(table)))
    }
    rownames(out) <- NULL
    return(out[order(!vapply(out, is.character, NA))]) # what a row is of, then its numbers
  }
  records(list(x$result))
}

#' @rdname as.data.frame.maille_analysis
#' @export
as.data.frame.maille_km <- function(x, row.names = NULL, optional = FALSE, part = NULL, ...) {
  if (is.null(part)) curves_of(need_ok(x)) else as.data.frame.maille_analysis(x, part = part)
}

#' @rdname as.data.frame.maille_analysis
#' @export
as.data.frame.maille_cuminc <- function(x, row.names = NULL, optional = FALSE, part = NULL, ...) {
  if (is.null(part)) curves_of(need_ok(x)) else as.data.frame.maille_analysis(x, part = part)
}

# Curves, a row a time.
curves_of <- function(x) over_time(x$result$curves)

over_time <- function(list) {
  out <- lapply(list, function(curve) {
    if (length(curve$time) == 0) return(NULL)
    parallel <- Filter(function(v) is.list(v) && is.null(names(v)) && length(v) == length(curve$time), curve)
    same <- Filter(function(v) is.character(v), curve)
    data.frame(same, lapply(parallel, numbers), stringsAsFactors = FALSE)
  })
  out <- do.call(rbind, Filter(Negate(is.null), out))
  if (is.null(out)) data.frame() else out
}

#' @rdname as.data.frame.maille_analysis
#' @export
as.data.frame.maille_crosstab <- function(x, row.names = NULL, optional = FALSE, ...) {
  as.data.frame(as.table(x), responseName = "n", stringsAsFactors = FALSE)
}

#' @export
as.table.maille_crosstab <- function(x, ...) {
  need_ok(x)
  levels <- setNames(lapply(x$result$levels, texts), texts(x$result$variables))
  # nested lists, the last variable innermost; R runs the first one fastest
  inner <- function(v) if (is.list(v)) lapply(v, inner) else v
  deep <- function(v, depth) if (depth == 1) numbers(v) else unlist(lapply(v, deep, depth - 1))
  values <- deep(x$result$counts, length(levels))
  as.table(aperm(array(values, rev(lengths(levels)), rev(levels))))
}

#' @rdname as.data.frame.maille_analysis
#' @export
as.data.frame.maille_correlation <- function(x, row.names = NULL, optional = FALSE, ...) {
  need_ok(x)
  names <- texts(x$result$variables)
  at <- which(upper.tri(diag(length(names))), arr.ind = TRUE)
  value <- function(part) mapply(function(i, j) scalar(x$result[[part]][[i]][[j]]), at[, 1], at[, 2])
  out <- data.frame(x = names[at[, 1]], y = names[at[, 2]])
  for (part in intersect(c("estimate", "p_value"), names(x$result))) out[[part]] <- value(part)
  out
}

#' Tidy tables
#'
#' The generics of broom and generics, for where neither is attached.
#'
#' @param x an object.
#' @param ... for the methods: [as.data.frame.maille_analysis()].
#' @return A data frame.
#' @examples
#' tidy(maille_read(maille_example("first-study.json"))$cox)
#' @export
tidy <- function(x, ...) UseMethod("tidy")

#' @rdname tidy
#' @export
glance <- function(x, ...) UseMethod("glance")

BROOM <- c(std_error = "std.error", robust_se = "robust.se", p_value = "p.value", conf_low = "conf.low",
           conf_high = "conf.high", n_risk = "n.risk", n_event_at = "n.event", n_event = "n.event",
           n_censor = "n.censor", stratum = "strata", cause = "outcome")

broom_names <- function(table) {
  at <- match(names(table), names(BROOM), nomatch = 0)
  names(table)[at > 0] <- BROOM[at]
  table
}

#' @rdname as.data.frame.maille_analysis
#' @export
tidy.maille_analysis <- function(x, ...) broom_names(as.data.frame(x))

#' @rdname as.data.frame.maille_analysis
#' @export
tidy.maille_km <- function(x, ...) {
  table <- broom_names(as.data.frame(x))
  # as broom's tidy.survfit: the standard error of the cumulative hazard
  table$std.error <- ifelse(table$estimate > 0, table$std.error / table$estimate, Inf)
  order <- c("time", "n.risk", "n.event", "n.censor", "estimate", "std.error", "conf.high", "conf.low")
  if (!identical(unique(table$strata), "all")) order <- c(order, "strata")
  table[order]
}

#' @rdname as.data.frame.maille_analysis
#' @export
glance.maille_analysis <- function(x, ...) {
  need_ok(x)
  out <- flatten(x$result)
  if (length(out) == 0) out <- NULL
  table <- records(list(c(out, list(nobs = x$n, n.missing = x$n_missing, nevent = x$n_event))))
  broom_names(table)
}

#' @rdname as.data.frame.maille_analysis
#' @export
glance.maille_km <- function(x, ...) {
  need_ok(x)
  table <- records(x$result$curves)
  out <- data.frame(strata = table$stratum, records = table$n, events = table$n_event, median = table$median,
                    conf.low = table$median_low, conf.high = table$median_high)
  if ("rmst_estimate" %in% names(table)) {
    out$rmean <- table$rmst_estimate
    out$rmean.std.error <- table$rmst_std_error
    out$tau <- table$rmst_tau
  }
  out
}

# What a number means to a reader, not to a machine.
rounded <- function(table) {
  for (name in names(table)) {
    if (name %in% c("p.value", "p_value")) table[[name]] <- format.pval(table[[name]], digits = 3, eps = 1e-4)
    else if (is.numeric(table[[name]]) && !isTRUE(all(table[[name]] == round(table[[name]]), na.rm = TRUE))) {
      table[[name]] <- signif(table[[name]], 5)
    }
  }
  table
}

# The single values of a result that are there, as one row.
print_row <- function(x) {
  row <- records(list(x$result))
  row <- row[!vapply(row, function(v) all(is.na(v)), NA)]
  if (length(row) > 0) print(rounded(row), row.names = FALSE)
}

notes <- function(x) {
  for (note in texts(x$warnings)) cat("note: ", note, "\n", sep = "")
  if (length(x$dropped_levels) > 0) cat("dropped, nobody has it: ", paste(texts(x$dropped_levels), collapse = ", "), "\n", sep = "")
  if (length(x$aliased) > 0) cat("dropped, collinear: ", paste(texts(x$aliased), collapse = ", "), "\n", sep = "")
  if (isTRUE(x$suppressed > 0)) cat(x$suppressed, " numbers are hidden to protect patients\n", sep = "")
}

counts <- function(x) {
  said <- c(n = x$n, missing = x$n_missing, events = x$n_event)
  if (length(said) > 0) paste0(": ", paste(names(said), format(said, trim = TRUE, scientific = FALSE), collapse = ", ")) else ""
}

#' @export
print.maille_analysis <- function(x, n = 20, ...) {
  say_synthetic(x$synthetic)
  if (x$status != "ok") {
    cat(x$id, " (", x$method, ") was ", x$status, ": ", x$reason, "\n", sep = "")
    return(invisible(x))
  }
  cat(x$id, " (", x$method, ")", counts(x), "\n", sep = "")
  if (!is.null(x$asked$formula)) cat(x$asked$formula, "\n", sep = "")
  cat("\n")
  print_table(x, n)
  notes(x)
  invisible(x)
}

print_table <- function(x, n) UseMethod("print_table")

#' @export
print_table.maille_analysis <- function(x, n) {
  table <- as.data.frame(x)
  print(rounded(utils::head(table, n)), row.names = FALSE)
  if (nrow(table) > n) cat("... ", nrow(table) - n, " more rows\n", sep = "")
  if (!is.null(main_table(x))) print_row(x)
}

#' @export
print_table.maille_km <- function(x, n) print(rounded(glance(x)), row.names = FALSE)

#' @export
print_table.maille_cuminc <- function(x, n) {
  table <- as.data.frame(x)
  last <- table[!duplicated(table[c("stratum", "cause")], fromLast = TRUE), ]
  cat("At the last time of each curve:\n")
  print(rounded(last[c("stratum", "cause", "time", "estimate", "conf_low", "conf_high")]), row.names = FALSE)
  if (length(x$result$gray) > 0) {
    cat("\nGray's test:\n")
    print(rounded(records(x$result$gray)), row.names = FALSE)
  }
}

#' @export
print_table.maille_crosstab <- function(x, n) {
  print(as.table(x))
  cat("\n")
  print_row(x)
}

#' @export
print_table.maille_model <- function(x, n) {
  ratio <- RATIO[[x$method]](x)
  table <- tidy(x, conf.int = TRUE, exponentiate = !is.na(ratio))
  if (!is.na(ratio)) names(table)[names(table) == "estimate"] <- ratio
  print(rounded(table[c("term", setdiff(names(table), c("term", "std.error", "robust.se", "statistic", "p.value")), "p.value")]),
        row.names = FALSE)
  if (x$method != "glm") {
    tests <- x$result$tests
    for (test in names(tests)) {
      if (!is.null(tests[[test]]$p_value)) {
        cat(sprintf("%-17s %s on %s df, p %s\n", sub("_", " ", test), format(tests[[test]]$statistic, digits = 4),
                    tests[[test]]$df, format.pval(tests[[test]]$p_value, digits = 3, eps = 1e-4)))
      }
    }
  }
}
