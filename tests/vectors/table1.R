# table1: rotterdam.table1 and edge.table1. Run from the repository's root: Rscript tests/vectors/table1.R
source("tests/vectors/tables_methods.R")
source("tests/vectors/table1_methods.R")

d <- rotterdam()
gold("rotterdam.table1", list(
  table1("chemo", d, c("age", "size", "meno", "pgr", "grade", "dtime"), "chemo", smd = TRUE, p = TRUE),
  table1("size", d, c("age", "chemo", "nodes"), "size", p = TRUE),
  table1("two", d, c("nodes", "size"), c("meno", "grade"), quartiles = FALSE, overall = FALSE, p = TRUE),
  table1("all", subset(d, age >= 60), c("er", "hormon")),
  table1("small", subset(d, age < 30), c("age", "chemo", "size"), "grade", smd = TRUE, p = TRUE, dropped_levels = list())))

e <- edge()
gold("edge.table1", list(
  table1("arm", e, c("x", "skewed", "sex"), "arm", p = TRUE, dropped_levels = list("arm=C")),
  table1("sex", e, c("x", "arm", "dead", "time"), "sex", smd = TRUE, p = TRUE, dropped_levels = list("arm=C"))))
