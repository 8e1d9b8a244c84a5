# count, describe, quantile, histogram, crosstab: rotterdam.tables and edge.tables.
source("tests/vectors/tables_methods.R")

d <- rotterdam()
d$node_group <- node_group(d)
old <- subset(d, age >= 60)
gold("rotterdam.tables", list(
  count("all", d), count("by", d, c("chemo", "grade")), count("derived", d, "node_group"),
  describe("numbers", d, c("age", "nodes", "pgr", "er", "dtime")),
  describe("mixed", d, c("age", "size", "chemo", "pgr"), "hormon"),
  describe("two", d, c("nodes", "grade"), c("meno", "grade")),
  describe("old", old, c("age", "meno")),
  quantiles("q", d, "age", c(0.25, 0.5, 0.75), "chemo", 1),
  quantiles("q_pgr", d, "pgr", c(0, 0.1, 0.333, 0.5, 0.9, 0.99, 1), NULL, 1),
  quantiles("q_two", d, "er", c(0.05, 0.5, 0.95), c("size", "hormon"), 1),
  histogram("h_breaks", d, "age", c(20, 40, 50, 60, 65, 100)),
  histogram("h_width", d, "pgr", seq(0, 6000, 250), "chemo"),
  crosstab("ct", d, c("grade", "size")), crosstab("ct22", d, c("chemo", "hormon")),
  crosstab("ct22b", d, c("meno", "death"), 0.9),
  crosstab("ct3", d, c("grade", "size", "chemo")), crosstab("ct4", d, c("meno", "grade", "size", "chemo"))))

e <- edge()
few <- subset(e, arm == "D")
gold("edge.tables", list(
  count("by", e, c("arm", "sex")), count("names", e, "site4"),
  describe("numbers", e, c("x", "skewed"), "arm", dropped_levels = list("arm=C")),
  describe("levels", e, c("arm", "dead"), "sex", dropped_levels = list("arm=C")),
  describe("few", few, c("x", "time")),
  quantiles("q", e, "x", c(0.1, 0.5, 0.9), "arm", 0.1),
  quantiles("q_fine", e, "skewed", c(0, 0.25, 0.5, 0.75, 1), "sex", 0.01),
  histogram("h", e, "x", seq(-20, 50, 0.5)),
  crosstab("ct", e, c("arm", "dead"), dropped_levels = list("arm=C")),
  crosstab("ct_zero", few, c("sex", "dead"))))
