# Makes rotterdam.demo.gold.json: R's numbers on the pooled data for examples/rotterdam/study.yaml, what scripts/demo compares with. cox-site is left out: strata(site)
# depends on who sits where. Run from the repository's root: Rscript tests/vectors/demo.R
source("tests/vectors/tables_methods.R")
source("tests/vectors/table1_methods.R")
source("tests/vectors/km_methods.R")
source("tests/vectors/models.R")

d <- subset(rotterdam(), age >= 18 & year >= 1980)
d$node_group <- node_group(d)
d$pgr_low <- d$pgr < 20
m <- d # times on the month grid
for (v in c("dtime", "rtime")) m[[v]] <- on_grid_exit(d[[v]], 30.4375) * 30.4375
write_gold("tests/vectors/rotterdam.demo.gold.json", list(
  count("patients", d, c("size", "chemo")),
  table1("table1", d, c("age", "meno", "size", "grade", "nodes", "pgr", "er"), "chemo", smd = TRUE, p = TRUE),
  describe("receptors", d, c("pgr", "er"), "meno"),
  quantiles("ages", d, "age", c(0.25, 0.5, 0.75), "chemo", 1),
  histogram("age-bars", d, "age", c(18, seq(30, 80, 10), 120)),
  crosstab("grade-size", d, c("grade", "size")),
  crosstab("nodes-chemo", subset(d, !meno & nodes >= 1), c("node_group", "chemo")),
  km("os", m, Surv(dtime, death) ~ chemo),
  km("rfs", m, Surv(rtime, recur) ~ 1, "log-log", tau = 3652.5),
  logrank("os-test", m, Surv(dtime, death) ~ chemo + strata(grade)),
  cox_gold("cox", m, "Surv(dtime, death) ~ age + size + grade + node_group + hormon + chemo"),
  glm_gold("line", d, gaussian(), "nodes ~ age + size + grade"),
  glm_gold("logit", d, binomial(), "death ~ age + log(nodes + 1) + pgr_low"),
  glm_gold("rate", d, poisson(), "death ~ age + size + offset(log(dtime))")))
