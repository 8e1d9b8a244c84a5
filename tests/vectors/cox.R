# Makes rotterdam.cox.gold.json and rotterdam.coxday.gold.json. Run from the repository's root: Rscript tests/vectors/cox.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")

d <- rotterdam()
d$node_group <- cut(d$nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)
w <- 30.4375
for (v in c("dtime", "rtime")) d[[v]] <- on_grid_exit(d[[v]], w) * w
write_gold("tests/vectors/rotterdam.cox.gold.json", list(
  cox_gold("efron", d, "Surv(dtime, death) ~ age + size + chemo + log(nodes + 1) + pgr + er", zph = "km", baseline = TRUE),
  cox_gold("breslow", d, "Surv(dtime, death) ~ age + size + grade + hormon", ties = "breslow", baseline = TRUE, zph = "identity"),
  cox_gold("strata", d, "Surv(rtime, recur) ~ age * size + meno + strata(chemo, grade, shortlabel = FALSE)", baseline = TRUE,
           zph = "km"),
  cox_gold("inter", d, "Surv(dtime, death) ~ age + I(age^2) + size:chemo + node_group", zph = "identity"),
  cox_gold("alias", d, "Surv(dtime, death) ~ age + I(3 * age) + size + nodes + I(age - nodes)"),
  cox_gold("level", d, "Surv(dtime, death) ~ node_group + age", cohort = function(d) d$nodes >= 1),
  cox_gold("offset", d, "Surv(dtime, death) ~ size + offset(log(nodes + 1))", conf = 0.99),
  cox_gold("one", d, "Surv(dtime, death) ~ chemo"),
  cox_gold("time0", d, "Surv(rtime, recur) ~ size + nodes", cohort = function(d) d$year >= 1985)
))

d <- rotterdam() # whole days as they are
write_gold("tests/vectors/rotterdam.coxday.gold.json", list(
  cox_gold("efron", d, "Surv(dtime, death) ~ age + size + grade + log(nodes + 1) + hormon + chemo", zph = c("km", "identity")),
  cox_gold("strata", d, "Surv(rtime, recur) ~ age + pgr + er + strata(size, shortlabel = FALSE)", ties = "breslow", baseline = TRUE)
))
