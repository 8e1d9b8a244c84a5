# Makes rotterdam.quarter, rotterdam.year and edge.missing (`missing: study`, by the week). Run from the repository's root:
# Rscript tests/vectors/grids.R
source("tests/vectors/tables_methods.R")
source("tests/vectors/means_methods.R")
source("tests/vectors/km_methods.R")
source("tests/vectors/models.R")

for (grid in list(list("quarter", 91.3125), list("year", 365.25))) {
  w <- grid[[2]]
  d <- rotterdam()
  late <- on_grid(subset(d, recur & rtime < dtime), "rtime", "dtime", "death", w)
  for (v in c("dtime", "rtime")) d[[v]] <- on_grid_exit(d[[v]], w) * w
  write_gold(sprintf("tests/vectors/rotterdam.%s.gold.json", grid[[1]]), list(
    km("km", d, Surv(dtime, death) ~ size, tau = 3652.5), km("late", late, Surv(rtime, dtime, death) ~ 1),
    logrank("lr", d, Surv(rtime, recur) ~ size + strata(chemo)),
    cox_gold("efron", d, "Surv(dtime, death) ~ age + size + log(nodes + 1)", zph = "km", baseline = TRUE),
    cox_gold("breslow", d, "Surv(rtime, recur) ~ age + grade", ties = "breslow", robust = TRUE)))
}

e <- edge()
e$time <- on_grid_exit(e$time, 7) * 7
all <- e[complete.cases(e[c("x", "skewed", "sex", "time", "dead", "arm")]), ] # of the models
left <- function(gold, whole) { gold$n_missing <- nrow(whole) - gold$n; gold }
write_gold("tests/vectors/edge.missing.gold.json", list(
  left(glm_gold("line", all, gaussian(), "skewed ~ x + sex"), e),
  left(cox_gold("hazard", all, "Surv(time, dead) ~ sex + skewed", ties = "breslow"), e),
  left(smd("balance", all, "sex", c("arm", "skewed"), dropped_levels = list("arm=C")), e),
  left(glm_gold("part", subset(all, sex), gaussian(), "x ~ skewed"), subset(e, sex)),
  km("curve", e, Surv(time, dead) ~ sex, n_missing = sum(is.na(e$dead))),
  describe("numbers", e, c("x", "skewed"))))
