# Makes rotterdam.finegray.gold.json. Run from the repository's root: Rscript tests/vectors/finegray.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")

# coxph on the rows of finegray(), robust by patient.
finegray_gold <- function(id, d, formula, strata = NULL, cause, ...) {
  split <- as.formula(paste("Surv(rtime, cause) ~ .", if (!is.null(strata)) paste0("+ strata(", strata, ")")))
  keep <- c("rtime", "cause", "pid", "age", "size", "chemo", "nodes", "meno", "grade", "hormon")
  d <- d[keep]
  if (!is.null(strata)) d$.strata <- d[[strata]] # finegray() takes the stratum out of the rows
  rows <- finegray(split, data = d, etype = cause)
  if (!is.null(strata)) rows[[strata]] <- rows$.strata
  gold <- cox_gold(id, rows, paste("Surv(fgstart, fgstop, fgstatus) ~", formula), weights = "fgwt", cluster = "pid", ...)
  gold$method <- "finegray"
  gold$n <- nrow(d)
  gold$result$concordance <- NA
  for (i in seq_along(gold$result$terms)) { # patients, not rows
    row <- gold$result$terms[[i]]
    if (is.na(row$n)) next
    X <- model.matrix(as.formula(paste("~", formula)), d)
    gold$result$terms[[i]]$n <- sum(X[, row$term] == 1)
  }
  gold
}

d <- rotterdam()
d$rtime <- on_grid_exit(d$rtime, 30.4375) * 30.4375
d$cause <- factor(ifelse(d$recur, 1, ifelse(d$death, 2, 0)), labels = c("censored", "relapse", "death"))
write_gold("tests/vectors/rotterdam.finegray.gold.json", list(
  finegray_gold("relapse", d, "age + size + chemo + log(nodes + 1)", cause = "relapse"),
  finegray_gold("death", d, "age + meno", cause = "death"),
  finegray_gold("strata", d, "age + size + I(2 * age) + strata(hormon)", strata = "hormon", cause = "relapse"),
  finegray_gold("offset", d, "grade * chemo + offset(0.02 * nodes)", cause = "relapse", conf = 0.9)))
