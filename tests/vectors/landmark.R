# Makes rotterdam.landmark.gold.json: those who are still followed at a landmark, time from it. Run from the repository's root:
# Rscript tests/vectors/landmark.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")
source("tests/vectors/km_methods.R")
source("tests/vectors/competing.R")

# subset(d, time > landmark), and time - landmark on the grid.
after <- function(d, time, landmark) {
  d <- d[d[[time]] > landmark, ]
  d[[time]] <- on_grid_exit(d[[time]] - landmark, 30.4375) * 30.4375
  d
}
d <- rotterdam()
d$early <- d$recur & d$rtime <= 365
year <- after(d, "dtime", 365)
half <- after(d, "rtime", 182.5)
half$cause <- factor(half$recur + 2 * (!half$recur & half$death), 0:2, c("[-Inf,1)", "[1,2)", "[2, Inf)"))
ill <- half[c("pid", "rtime", "cause", "age", "size", "chemo")]
weighed <- year; weighed$.iptw <- iptw(year, "chemo ~ age + nodes")$weight
write_gold("tests/vectors/rotterdam.landmark.gold.json", list(
  km("km", year, Surv(dtime, death) ~ early, tau = 3652.5, times = c(365.25, 1826.25)),
  km_gold("weighted", weighed, Surv(dtime, death) ~ chemo, ".iptw", tau = 3652.5, times = 1826.25),
  logrank("logrank", year, Surv(dtime, death) ~ early + strata(grade)),
  cox_gold("cox", year, "Surv(dtime, death) ~ early + age + size + log(nodes + 1)", zph = "km"),
  cuminc_gold("cuminc", half, "rtime", "cause", "chemo"),
  finegray_gold("finegray", ill, "age + size + chemo", cause = "[1,2)")))
