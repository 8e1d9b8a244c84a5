# ttest, anova, correlation, smd: rotterdam.means and edge.means.
source("tests/vectors/means_methods.R")
failed <- function(id, method) list(id = id, method = method, status = "failed")

d <- rotterdam()
d$node_group <- node_group(d)
gold("rotterdam.means", list(
  ttest("t", d, age ~ chemo), ttest("t_equal", d, nodes ~ hormon, TRUE), ttest("t_level", d, pgr ~ meno, conf = 0.9),
  ttest("t_two", subset(d, size != ">50"), er ~ size, dropped_levels = list("size=>50")),
  ttest("t_boolean", d, death ~ grade), ttest("t_log", d, log(nodes + 1) ~ chemo),
  anova_gold("a", d, age ~ size), anova_gold("a_welch", d, pgr ~ node_group, FALSE), anova_gold("a_two", d, er ~ chemo),
  anova_gold("a_years", d, nodes ~ year),
  correlation("r", d, c("age", "nodes", "pgr", "er")), correlation("r_two", d, c("dtime", "rtime")),
  smd("smd", d, "chemo", c("age", "nodes", "pgr", "size", "grade", "meno"))))

e <- edge()
gold("edge.means", list(
  ttest("t_missing", e, x ~ sex), ttest("t_skewed", e, skewed ~ sex, TRUE),
  ttest("t_entry", e, stop - start ~ dead),
  failed("t_three", "ttest"), failed("t_constant", "ttest"), failed("t_nobody", "ttest"), failed("t_one", "ttest"),
  ttest("t_one_equal", subset(e, arm == "A" | pid == "E003"),
        time ~ arm, TRUE, dropped_levels = list("arm=B", "arm=C")),
  anova_gold("a", e, x ~ arm, dropped_levels = list("arm=C")),
  anova_gold("a_welch", e, skewed ~ arm, FALSE, dropped_levels = list("arm=C")),
  failed("a_constant", "anova"), failed("a_single", "anova"),
  correlation("r", e, c("x", "skewed", "time")), correlation("r_constant", e, c("x", "constant", "stop")),
  failed("r_two", "correlation"),
  smd("smd", e, "sex", c("x", "skewed", "arm", "constant", "never"), dropped_levels = list("arm=C", "never=TRUE"))))
