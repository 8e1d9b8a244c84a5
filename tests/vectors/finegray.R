# Makes rotterdam.finegray.gold.json and causes.finegray.gold.json. Run from the repository's root: Rscript tests/vectors/finegray.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")
source("tests/vectors/competing.R")

d <- rotterdam()[c("rtime", "recur", "death", "pid", "age", "size", "chemo", "nodes", "meno", "grade", "hormon")]
d$rtime <- on_grid_exit(d$rtime, 30.4375) * 30.4375
d$cause <- factor(ifelse(d$recur, 1, ifelse(d$death, 2, 0)), labels = c("censored", "relapse", "death"))
write_gold("tests/vectors/rotterdam.finegray.gold.json", list(
  finegray_gold("relapse", d, "age + size + chemo + log(nodes + 1)", cause = "relapse"),
  finegray_gold("death", d, "age + meno", cause = "death"),
  finegray_gold("strata", d, "age + size + I(2 * age) + strata(hormon)", strata = "hormon", cause = "relapse"),
  finegray_gold("offset", d, "grade * chemo + offset(0.02 * nodes)", cause = "relapse", conf = 0.9)))

# Delayed entry: one row a patient, whole days. Rows that end at time 0 are nobody's follow-up.
d <- read.csv("tests/vectors/causes.csv", stringsAsFactors = FALSE)
d <- data.frame(pid = d$pid, entry = d$entry, time = d$time, status = factor(d$status, c("none", "relapse", "death")), sex = d$sex == 1,
                age = d$age, arm = factor(d$arm, c("A", "B", "D")))
known <- d[!is.na(d$status), ]
late <- known[known$entry < known$time, ]
entry <- "Surv(entry, time, status)"
write_gold("tests/vectors/causes.finegray.gold.json", list(
  finegray_gold("plain", known[setdiff(names(known), c("entry", "arm"))], "age + sex", cause = "relapse", surv = "Surv(time, status)",
                n_missing = 1),
  finegray_gold("entry", late[names(late) != "arm"], "age + sex", cause = "relapse", surv = entry, n_missing = 1),
  finegray_gold("death", late[names(late) != "arm"], "sex * age", cause = "death", surv = entry, n_missing = 1, conf = 0.9),
  finegray_gold("strata", late[names(late) != "arm"], "age + strata(sex)", strata = "sex", cause = "relapse", surv = entry, n_missing = 1),
  finegray_gold("arms", late[!is.na(late$arm), ], "arm + offset(0.02 * age)", cause = "relapse", surv = entry, n_missing = 3,
                dropped_levels = list("arm=C")),
  finegray_gold("early", late[late$entry == 0, names(late) != "arm"], "age", cause = "relapse", surv = entry, n_missing = 1)))
