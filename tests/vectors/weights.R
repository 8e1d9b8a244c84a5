# Makes rotterdam.weights.gold.json. Run from the repository's root: Rscript tests/vectors/weights.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")

d <- rotterdam()
for (v in c("dtime", "rtime")) d[[v]] <- on_grid_exit(d[[v]], 30.4375) * 30.4375
d$share <- d$age / 64
d$some <- (d$grade == 3) * 2.5
d$region <- cut(d$year, c(-Inf, 1982, 1984, 1986, 1988, 1990, Inf))

d$kept <- d$nodes < 3

write_gold("tests/vectors/rotterdam.weights.gold.json", list(
  cox_gold("efron", d, "Surv(dtime, death) ~ age + size + chemo + log(nodes + 1)", weights = "share", robust = TRUE,
           zph = c("km", "identity"), baseline = TRUE),
  cox_gold("breslow", d, "Surv(rtime, recur) ~ size * chemo + I(2 * nodes) + nodes", weights = "share", robust = TRUE,
           ties = "breslow", zph = "km"),
  cox_gold("whole", d, "Surv(dtime, death) ~ age + meno + strata(grade, shortlabel = FALSE)", weights = "nodes", robust = TRUE,
           cohort = function(d) d$nodes > 0),
  cox_gold("model", d, "Surv(dtime, death) ~ age + meno + offset(0.1 * nodes)", weights = "share", robust = FALSE),
  cox_gold("some", d, "Surv(dtime, death) ~ age + hormon", weights = "some", robust = TRUE, conf = 0.9,
           cohort = function(d) d$some > 0),
  cox_gold("robust", d, "Surv(dtime, death) ~ age + size + nodes + strata(chemo, hormon, shortlabel = FALSE)", robust = TRUE),
  cox_gold("cluster", d, "Surv(dtime, death) ~ age + grade", cluster = "region"),
  cox_gold("weighted", d, "Surv(dtime, death) ~ age + grade + nodes", weights = "share", cluster = "region"),
  cox_gold("few", d, "Surv(dtime, death) ~ age + nodes", cluster = "chemo", ties = "breslow"),
  km_gold("km", d, Surv(dtime, death) ~ size + hormon, "share", tau = 3652.5, times = c(1826.25, 5000)),
  km_gold("kmall", d, Surv(rtime, recur) ~ 1, "some", "log-log"),
  km_gold("kmkept", d, Surv(dtime, death) ~ chemo, "kept", "plain", 0.9, tau = 2000, times = 2000),
  km_gold("kmnodes", d, Surv(dtime, death) ~ grade, "nodes"),
  km_gold("kmback", d, Surv(dtime, 1 - death) ~ chemo, "share", tau = 2500)))
