# Makes rotterdam.all-methods.gold.json: R's numbers on the pooled data for examples/rotterdam/all-methods.yaml. `within` and
# `combined` are left out: they depend on who sits where. Run from the repository's root: Rscript tests/vectors/all_methods.R
library(splines)
source("tests/vectors/tables_methods.R")
source("tests/vectors/means_methods.R")
source("tests/vectors/km_methods.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")
source("tests/vectors/competing.R")

d <- subset(rotterdam(), age >= 18 & year >= 1980)
d$node_group <- node_group(d)
d$period <- cut(d$year, c(-Inf, 1982, 1985, 1988, 1990, Inf))
d$first <- factor(ifelse(d$recur, 1, ifelse(d$death, 2, 0)), 0:2, c("neither", "relapse", "death"))
m <- d # times on the month grid
for (v in c("dtime", "rtime")) m[[v]] <- on_grid_exit(d[[v]], 30.4375) * 30.4375
after <- subset(d, recur & rtime < dtime) # as Surv() has it: who dies on the day of the relapse is nobody's follow-up
after <- on_grid(after, "rtime", "dtime", "death", 30.4375)
propensity <- iptw(d, "hormon ~ age + size + log(nodes + 1) + grade + meno", stabilised = TRUE, truncate = c(0.01, 0.99))
m$.iptw <- propensity$weight
write_gold("tests/vectors/rotterdam.all-methods.gold.json", list(
  count("patients", d, c("node_group", "chemo")),
  describe("table1", d, c("age", "size", "nodes", "pgr", "er", "meno"), "hormon"),
  quantiles("receptors", d, "pgr", c(0.1, 0.25, 0.5, 0.75, 0.9), "meno", 1),
  histogram("ages", d, "age", seq(0, 120, 10), "chemo"),
  crosstab("grade-size", d, c("grade", "size")),
  crosstab("treatments", d, c("chemo", "hormon")),
  ttest("age-chemo", d, age ~ chemo),
  anova_gold("nodes-size", d, log(nodes + 1) ~ size, FALSE),
  correlation("together", d, c("age", "nodes", "pgr", "er")),
  glm_gold("line", d, gaussian(), "nodes ~ age + size + grade"),
  glm_gold("logit", d, binomial(), "death ~ ns(age, knots = c(45, 55, 65), Boundary.knots = c(25, 85)) + size * chemo", robust = TRUE),
  glm_gold("rate", d, poisson(), "death ~ age + size + offset(log(dtime))"),
  km("os", m, Surv(dtime, death) ~ chemo, tau = 3652.5, times = c(1826.25, 3652.5)),
  km("follow-up", m, Surv(dtime, 1 - death) ~ 1),
  km("after", after, Surv(rtime, dtime, death) ~ meno),
  logrank("os-test", m, Surv(dtime, death) ~ node_group + strata(grade), trend = TRUE),
  cox_gold("cox", m, "Surv(dtime, death) ~ age + size + grade + log(nodes + 1) + hormon + chemo", zph = "km", baseline = TRUE),
  cox_gold("cox-period", m, "Surv(rtime, recur) ~ age + I(age^2) + size + strata(meno, shortlabel = FALSE)", cluster = "period", ties = "breslow"),
  cuminc_gold("causes", m, "rtime", "first", "chemo"),
  finegray_gold("relapse", m[c("pid", "rtime", "first", "age", "size", "node_group")], "age + size + node_group", cause = "relapse",
                surv = "Surv(rtime, first)"),
  smd_gold("balance", d, "hormon", c("age", "size", "nodes", "grade", "meno"), propensity),
  cox_gold("effect", m, "Surv(dtime, death) ~ chemo + age"),
  cox_gold("effect-size", m, "Surv(dtime, death) ~ chemo + age + size + chemo:size"),
  cox_gold("weighted", m, "Surv(dtime, death) ~ hormon", weights = ".iptw", robust = TRUE)))
