# Makes rotterdam.arms.gold.json: treatment weights of several arms. Run from the repository's root: Rscript tests/vectors/arms.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")

d <- rotterdam()
for (v in c("dtime", "rtime")) d[[v]] <- on_grid_exit(d[[v]], 30.4375) * 30.4375
d$big <- d$size == ">50"
weigh <- function(d, ...) { d$.iptw <- iptw_arms(d, ...); d }
plain <- weigh(d, "size ~ age + meno + log(er + 1)")
usual <- weigh(d, "size ~ age + meno * grade", stabilised = TRUE, truncate = c(0.02, 0.99))
two <- weigh(droplevels(d[d$size != ">50", ]), "size ~ age + nodes") # a level that nobody has, and two arms
three <- weigh(d[d$year > 1985, ], "size ~ age + grade") # the study has a collinear column more
untold <- function(gold) { gold$result$weights[c("p01", "p99")] <- NA; gold }
write_gold("tests/vectors/rotterdam.arms.gold.json", list(
  describe_gold("describe", plain, c("age", "er", "nodes", "meno"), ".iptw", "size"),
  km_gold("km", usual, Surv(dtime, death) ~ size, ".iptw", tau = 3652.5, times = 1826.25),
  cox_gold("cox", usual, "Surv(rtime, recur) ~ size", weights = ".iptw", robust = TRUE),
  glm_gold("gauss", plain, gaussian(), "log(pgr + 1) ~ size", weights = ".iptw"),
  untold(smd_gold("smd", d, "big", c("age", "nodes", "grade"), weights = plain$.iptw)),
  describe_gold("two", two, c("age", "nodes"), ".iptw", "size"),
  describe_gold("collinear", three, c("age"), ".iptw", "size")))
