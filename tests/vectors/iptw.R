# Makes rotterdam.iptw.gold.json. Run from the repository's root: Rscript tests/vectors/iptw.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")

d <- rotterdam()
for (v in c("dtime", "rtime")) d[[v]] <- on_grid_exit(d[[v]], 30.4375) * 30.4375
weigh <- function(d, ...) { d$.iptw <- iptw(d, ...)$weight; d }
usual <- weigh(d, "chemo ~ age + size + nodes", stabilised = TRUE, truncate = c(0.01, 0.99))
raw <- weigh(d, "chemo ~ age + size * grade")
att <- weigh(d, "hormon ~ age + log(nodes + 1) + grade", att = TRUE, truncate = c(0, 0.95))
plain <- weigh(d, "chemo ~ age + size + nodes")
some <- weigh(d[d$nodes > 0, ], "hormon ~ age + meno", stabilised = TRUE)
without_aic <- function(gold) { gold$result$aic <- NA; gold }
write_gold("tests/vectors/rotterdam.iptw.gold.json", list(
  cox_gold("cox", usual, "Surv(dtime, death) ~ chemo", weights = ".iptw", robust = TRUE),
  cox_gold("coxraw", raw, "Surv(dtime, death) ~ chemo + age", weights = ".iptw", robust = TRUE),
  cox_gold("att", att, "Surv(rtime, recur) ~ hormon + strata(meno, shortlabel = FALSE)", weights = ".iptw", robust = TRUE,
           ties = "breslow", zph = "km", baseline = TRUE),
  km_gold("km", usual, Surv(dtime, death) ~ chemo, ".iptw", tau = 3652.5, times = 1826.25),
  without_aic(glm_gold("glm", plain, binomial(), "death ~ chemo + age", weights = ".iptw")),
  glm_gold("gauss", some, gaussian(), "log(er + 1) ~ hormon", weights = ".iptw"),
  describe_gold("describe", plain, c("age", "size", "pgr", "nodes", "meno"), ".iptw", "chemo"),
  describe_gold("share", within(d, share <- age / 64), c("er", "grade"), "share"),
  smd_gold("smd", d, "chemo", c("age", "size", "nodes", "pgr", "meno", "grade"),
           iptw(d, "chemo ~ age + size + nodes", stabilised = TRUE, truncate = c(0.01, 0.99))),
  smd_gold("smdatt", d, "hormon", c("age", "nodes"),
           iptw(d, "hormon ~ age + log(nodes + 1) + grade", att = TRUE, truncate = c(0, 0.95))),
  smd_gold("smdvar", d, "chemo", c("age", "size"), weights = d$age / 64),
  smd_gold("smdraw", d[d$year > 1985, ], "chemo", c("age", "size"))))
