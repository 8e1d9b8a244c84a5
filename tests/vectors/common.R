# Shared by the scripts that make the vectors: data, the grid of survival times, and JSON with 17 digits.
# Run from the source folder:  Rscript tests/vectors/NAME.R     (R 4.2, survival 3.5)
suppressMessages(library(survival))

json_text <- function(s) {
  s <- gsub("\\", "\\\\", s, fixed = TRUE)
  s <- gsub("\"", "\\\"", s, fixed = TRUE)
  paste0("\"", s, "\"")
}

# Named list: object. Unnamed list: list. Vector: a list of its elements, or with one(x) a single value. NA, NaN, Inf: null.
one <- function(x) structure(list(x), class = "one")

json <- function(x) {
  if (inherits(x, "one")) return(scalar(x[[1]]))
  if (is.null(x)) return("null")
  if (is.matrix(x)) return(json(lapply(seq_len(nrow(x)), function(i) unname(x[i, ]))))
  if (is.list(x)) {
    inner <- vapply(x, json, "")
    if (!is.null(names(x)) && length(x) > 0)
      return(paste0("{", paste0(json_text(names(x)), ": ", inner, collapse = ", "), "}"))
    return(paste0("[", paste(inner, collapse = ",\n  "), "]"))
  }
  paste0("[", paste(vapply(seq_along(x), function(i) scalar(x[[i]]), ""), collapse = ", "), "]")
}

scalar <- function(v) {
  if (is.null(v) || is.na(v) || (is.numeric(v) && !is.finite(v))) return("null")
  if (is.logical(v)) return(if (v) "true" else "false")
  if (is.character(v)) return(json_text(v))
  if (is.integer(v)) return(format(v, scientific = FALSE))
  sprintf("%.17g", v)
}

# The scalars of a list, each as one value: list(n = 3, mean = 2.5) becomes an object.
row_of <- function(...) lapply(list(...), function(v) if (is.atomic(v) && length(v) == 1) one(v) else if (is.null(v)) one(NA) else v)

analysis <- function(id, method, n, n_missing, n_event = NA, result, ...)
  c(list(id = one(id), method = one(method), status = one("ok"), n = one(n), n_missing = one(n_missing), n_event = one(n_event)),
    lapply(list(...), function(v) v), list(result = result))

write_gold <- function(name, analyses) {
  gold <- list(`_made_by` = one(paste("R", getRversion(), "survival", packageVersion("survival"))), analyses = analyses)
  writeLines(json(gold), file.path("tests/vectors", paste0(name, ".gold.json")))
}

rotterdam_data <- function() {
  d <- read.csv("examples/rotterdam/rotterdam.csv", stringsAsFactors = FALSE)
  d$size <- factor(d$size, c("<=20", "20-50", ">50"))
  d$grade <- factor(d$grade, c(2, 3))
  for (v in c("meno", "hormon", "chemo", "recur", "death")) d[[v]] <- d[[v]] == 1
  d
}

width_days <- c(day = 1, week = 7, month = 30.4375, quarter = 91.3125, year = 365.25)
# Exit and event times on the grid; a first entry is floored.
on_grid <- function(t, grid) ceiling(t / width_days[[grid]]) * width_days[[grid]]
entry_on_grid <- function(t, grid) floor(t / width_days[[grid]]) * width_days[[grid]]
