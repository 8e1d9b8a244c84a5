# The study file. Every text is written in double quotes, so that nothing that a name or a formula holds means
# anything to YAML.

yaml_text <- function(x) {
  x <- enc2utf8(x)
  if (!all(validUTF8(x))) stop("expected text in UTF-8, found bytes that are not")
  x <- gsub("\\", "\\\\", x, fixed = TRUE)
  x <- gsub("\"", "\\\"", x, fixed = TRUE)
  x <- gsub("\n", "\\n", x, fixed = TRUE)
  x <- gsub("\t", "\\t", x, fixed = TRUE)
  x <- gsub("\r", "\\r", x, fixed = TRUE)
  for (code in c(1:8, 11, 12, 14:31, 127)) {
    x <- gsub(intToUtf8(code), sprintf("\\x%02X", code), x, fixed = TRUE)
  }
  # U+0085, U+2028 and U+2029 break lines in YAML
  for (code in c(0x85, 0x2028, 0x2029)) x <- gsub(intToUtf8(code), sprintf("\\u%04X", code), x, fixed = TRUE)
  paste0("\"", x, "\"")
}

# The shortest decimal that reads back as the same double.
yaml_number <- function(x) {
  if (anyNA(x) || any(is.infinite(x))) stop("expected a number, found NA or Inf")
  vapply(x, function(v) {
    for (digits in 15:17) {
      text <- formatC(v, digits = digits, format = "g", width = 1)
      if (as.numeric(text) == v) break
    }
    text
  }, "", USE.NAMES = FALSE)
}

# A value of a study in one line. A list with names is a map; I() keeps one value a list.
yaml_value <- function(x) {
  if (inherits(x, "formula")) return(yaml_text(text_of(x)))
  if (inherits(x, "Date")) return(format(x, "%Y-%m-%d"))
  if (is.list(x)) {
    return(paste0("{ ", paste0(names(x), ": ", vapply(x, yaml_value, ""), collapse = ", "), " }"))
  }
  scalar <- if (is.logical(x)) ifelse(x, "true", "false")
            else if (is.numeric(x)) yaml_number(unclass(x))
            else yaml_text(as.character(x))
  if (length(scalar) == 1 && !inherits(x, "AsIs")) scalar else paste0("[", paste(scalar, collapse = ", "), "]")
}

# Text of a formula (y ~ x) or of the expression in a one-sided one (~ age >= 18).
text_of <- function(x) {
  if (inherits(x, "formula")) {
    what <- if (length(x) == 2) x[[2]] else x
    attributes(what) <- NULL
    return(paste(trimws(deparse(what, width.cutoff = 500L)), collapse = " "))
  }
  if (!is.character(x) || length(x) != 1 || is.na(x)) {
    stop("expected a formula or one text, found ", class(x)[1])
  }
  x
}

# Names of variables: c("age", "size") or ~ age + size.
names_of <- function(x) {
  if (inherits(x, "formula")) {
    if (length(x) != 2) stop("expected names as ~ age + size, found a formula with two sides")
    return(all.vars(x))
  }
  as.character(x)
}
