# What tables.R and km.R share. Run from the source folder:  Rscript tests/vectors/NAME.R     (R 4.2, survival 3.5)
suppressMessages(library(survival))
source("tests/vectors/common.R")

# One row: NULL is null. A column of any length, also of 1, is written as a list by as.list().
row_of <- function(...) lapply(list(...), function(v) if (is.null(v)) NA else v)

analysis <- function(id, method, n, n_missing, n_event = NA, result, ...)
  c(list(id = id, method = method, status = "ok", n = n, n_missing = n_missing, n_event = n_event, ...), list(result = result))

gold <- function(name, analyses) write_gold(file.path("tests/vectors", paste0(name, ".gold.json")), analyses)

edge <- function() {
  d <- read.csv("tests/vectors/edge.csv", stringsAsFactors = FALSE)
  d$arm <- factor(d$arm, c("A", "B", "C", "D"))
  d$site4 <- factor(d$site4, c("x, y", "it's \"z\""))
  for (v in c("sex", "event", "dead", "never", "dead_a")) d[[v]] <- d[[v]] == 1
  d
}

# cut(nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE) of a study, with the labels that it gets there.
node_group <- function(d)
  factor(cut(d$nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE), labels = c("[-Inf,1)", "[1,4)", "[4,10)", "[10, Inf)"))
