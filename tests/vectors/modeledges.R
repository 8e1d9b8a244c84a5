# Makes modeledges.csv and modeledges.models.gold.json. Run from the repository's root: Rscript tests/vectors/modeledges.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")

# --- the data: 150 patients, about 260 rows ---
set.seed(20230617, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
people <- data.frame(pid = sprintf("P%03d", 1:150), arm = sample(c("A", "B", "D"), 150, TRUE),
                     stage = sample(c("I", "II", "III"), 150, TRUE, c(.5, .3, .2)),
                     hosp = sample(c("north", "south", "island"), 150, TRUE, c(.5, .4, .1)))
rows <- do.call(rbind, lapply(seq_len(nrow(people)), function(i) {
  entry <- sample(c(0, 0, sample(1:90, 1)), 1)
  n <- sample(1:3, 1)
  edges <- entry + cumsum(c(0, sample(c(2:6, 10:120), n)))
  data.frame(people[i, ], start = edges[1:n], stop = edges[-1], event = c(rep(0, n - 1), rbinom(1, 1, .6)), row.names = NULL)
}))
n <- nrow(rows)
rows$event[rows$hosp == "island"] <- 0
rows$x <- round(pmin(pmax(rnorm(n), -7), 7), 2)
rows$double <- round(2 * rows$x + 1, 2)
rows$time <- pmax(0, 7 * sample(0:8, n, TRUE) - sample(c(0, 3), n, TRUE))
rows$won <- rbinom(n, 1, plogis(.5 * rows$x + (rows$stage == "III")))
rows$won[rows$hosp == "island"] <- 0
rows$sure <- rows$won | rbinom(n, 1, .4)
rows$count <- rpois(n, exp(2 + .8 * rows$x + .5 * (rows$stage == "II")))
rows$weight <- sample(c(0, .25, 1, 2.5, 4), n, TRUE)
rows$same <- 4
rows$x[sample(n, 12)] <- NA
rows$arm[sample(n, 7)] <- NA
rows$sure <- as.integer(rows$sure)
order <- c("pid", "start", "stop", "event", "time", "arm", "stage", "hosp", "x", "double", "count", "weight", "won", "sure", "same")
write.csv(rows[order], "tests/vectors/modeledges.csv", row.names = FALSE, quote = FALSE, na = "NA")

# --- the models ---
d <- read.csv("tests/vectors/modeledges.csv")
d$arm <- factor(d$arm, levels = c("A", "B", "C", "D"))
d$stage <- factor(d$stage, levels = c("I", "II", "III"))
d$hosp <- factor(d$hosp, levels = c("north", "south", "island"))
for (v in c("event", "won", "sure")) d[[v]] <- d[[v]] == 1
raw <- d # glm knows no grid
d$time <- on_grid_exit(d$time, 7) * 7

# The grid's rules look at complete rows only.
entry <- function(id, formula, variables, ...) {
  complete <- d[complete.cases(d[c("start", "stop", "event", variables)]), ]
  gold <- cox_gold(id, on_grid(complete, "start", "stop", "event", 7), formula, ...)
  gold$n_missing <- nrow(d) - nrow(complete)
  gold
}
null_model <- function(id, formula) {
  fit <- coxph(as.formula(formula), data = d)
  list(id = id, method = "cox", status = "ok", n = fit$n, n_event = fit$nevent,
       result = list(terms = list(), loglik = c(fit$loglik[1], fit$loglik[1]), aic = -2 * fit$loglik[1]))
}
# R rounds weights that are not whole and warns; the result has a warning and no aic.
without_aic <- function(gold) { gold$result$aic <- NA; gold }
# A level without an event: R's other numbers; what it prints of the level is how far its iteration got.
# cox_gold begins a second time from there, where coxph finds it singular: a plain coxph() counts it as a parameter.
# reference: these are compared with a level without an event; coxph then finds one of them singular, and the others' difference from it not.
infinite <- function(gold, terms, reference = FALSE) {
  at <- which(vapply(gold$result$terms, `[[`, "", "term") %in% terms)
  for (i in at) for (f in c("estimate", "std_error", "robust_se", "statistic", "p_value", "conf_low", "conf_high"))
    gold$result$terms[[i]][f] <- list(NA)
  gold$result$vcov[at, ] <- NA
  gold$result$vcov[, at] <- NA
  gold$aliased <- list()
  if (gold$method == "cox") {
    singular <- if (reference) 1 else length(terms)
    gold$result$aic <- gold$result$aic + 2 * singular
    for (test in names(gold$result$tests)) {
      own <- gold$result$tests[[test]]
      gold$result$tests[[test]] <- chisq_test(own$statistic, own$df + singular)
    }
  }
  gold
}
# Wald's statistic and zph of what is finite: R's have the square of how far its iteration got.
with_finite <- function(gold, finite, term) {
  gold$result$tests$wald <- chisq_test(finite$result$tests$wald$statistic, gold$result$tests$wald$df)
  gold$result$zph <- lapply(finite$result$zph, function(row) {
    row$df <- row$df + row$term %in% c("hosp", "GLOBAL")
    row$p_value <- pchisq(row$chisq, row$df, lower.tail = FALSE)
    if (row$term == "hosp") row$term <- term
    row
  })
  gold
}
# A pair of levels without an event, of which one is the first: what is compared with it has R's estimates when another is made the first.
spot <- function(d) {
  taken <- d$arm %in% c("A", "D") & d$stage == "I" & d$hosp == "north"
  d$spot <- factor(ifelse(d$hosp == "north" & !taken, 1, ifelse(d$hosp == "south", 2, 0)), 0:2, c("zero", "one", "two"))
  d
}
one_first <- function(d) within(d, spot <- relevel(spot, "one"))
pair <- c("armB", "armB:spotone", "armB:spottwo")
cox_pair <- function(id, d) {
  gold <- infinite(cox_gold(id, d, "Surv(time, won) ~ arm * spot + x"), pair, TRUE)
  kept <- one_first(d[!(d$arm %in% "B" & d$spot == "zero"), ])
  gold$result$tests$wald <- chisq_test(cox_gold("finite", kept, "Surv(time, won) ~ arm * spot + x")$result$tests$wald$statistic,
                                       gold$result$tests$wald$df)
  # coxph stops where the infinite estimate still moves the others by 3e-11, and a limit near 0 by more than a billionth of itself
  without <- cox_gold("without", d[!(d$arm %in% "B" & d$spot == "zero"), ], "Surv(time, won) ~ arm * spot + x")$result$terms
  gold$result$terms <- lapply(gold$result$terms, function(t) {
    same <- Filter(function(u) u$term == t$term, without)
    if (!is.na(t$estimate) && !grepl("armB", t$term)) same[[1]] else t
  })
  gold
}
pair_subgroups <- function(id, d) {
  gold <- cox_pair(id, d)
  used <- d[complete.cases(d[c("time", "won", "arm", "spot", "x")]), ]
  of <- function(level) cox_gold("x", within(d, spot <- relevel(spot, level)), "Surv(time, won) ~ arm * spot + x")$result
  rows <- list()
  for (l in levels(d$spot)) for (name in c("armB", "armD")) {
    t <- Filter(function(t) t$term == name, of(l)$terms)[[1]]
    if (l == "zero" && name == "armB") t[c("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")] <- NA_real_
    k <- used$spot == l
    rows <- c(rows, list(list(variable = "spot", level = l, term = name, n = sum(k), n_event = sum(used$won[k]), estimate = t$estimate,
      std_error = t$std_error, statistic = t$statistic, p_value = t$p_value, conf_low = t$conf_low, conf_high = t$conf_high)))
  }
  gold$result$subgroups <- rows
  kept <- cox_gold("x", one_first(d[!(d$arm %in% "B" & d$spot == "zero"), ]), "Surv(time, won) ~ arm * spot + x")$result
  names <- vapply(kept$terms, `[[`, "", "term")
  beta <- vapply(kept$terms, function(t) as.numeric(t$estimate), 0)
  at <- which(grepl(":", names) & !is.na(beta))
  gold$result$interaction <- chisq_test(drop(beta[at] %*% solve(kept$vcov[at, at], beta[at])), length(at))
  gold
}
b <- binomial(); g <- gaussian(); p <- poisson()
write_gold("tests/vectors/modeledges.models.gold.json", list(
  entry("entry-efron", "Surv(start, stop, event) ~ arm + x + stage", c("arm", "x", "stage"), zph = "km", baseline = TRUE),
  entry("entry-breslow", "Surv(start, stop, event) ~ arm * x", c("arm", "x"), ties = "breslow", zph = "identity", baseline = TRUE),
  entry("entry-strata", "Surv(start, stop, event) ~ arm + x + strata(hosp, stage, shortlabel = FALSE)",
        c("arm", "x", "hosp", "stage"), zph = "identity", baseline = TRUE),
  entry("entry-offset", "Surv(start, stop, event) ~ arm + offset(x)", c("arm", "x")),
  cox_gold("ties-zero", d, "Surv(time, won) ~ x + stage", zph = "km", baseline = TRUE),
  cox_gold("ties-breslow", d, "Surv(time, won) ~ x + stage", ties = "breslow"),
  null_model("null-model", "Surv(time, won) ~ 1"),
  cox_gold("cox-alias", d, "Surv(time, won) ~ x + double + stage"),
  failed("cox-no-event", "cox"), failed("cox-nobody", "cox"), infinite(cox_gold("cox-infinite", d, "Surv(time, won) ~ hosp"), "hospisland"),
  infinite(cox_gold("cox-infinites", d, "Surv(time, won) ~ x + stage + hosp", ties = "breslow"), "hospisland"),
  infinite(glm_gold("logit-infinite", raw, b, "won ~ x + hosp + arm"), "hospisland"),
  infinite(glm_gold("logit-cells", raw, b, "won ~ hosp * stage + x"), c("hospisland", "hospisland:stageII", "hospisland:stageIII")),
  infinite(glm_gold("pois-infinite", raw, p, "won ~ hosp + x"), "hospisland"),
  infinite(glm_gold("logit-reference", raw, b, "won ~ relevel(hosp, ref = \"island\") + x"),
           c("(Intercept)", paste0("relevel(hosp, ref = \"island\")", c("north", "south"))), TRUE),
  infinite(glm_gold("pois-reference", raw, p, "won ~ relevel(hosp, ref = \"island\") + x * arm"),
           c("(Intercept)", paste0("relevel(hosp, ref = \"island\")", c("north", "south"))), TRUE),
  with_finite(infinite(cox_gold("cox-reference", d, "Surv(time, won) ~ x + stage + relevel(hosp, ref = \"island\")"),
                       paste0("relevel(hosp, ref = \"island\")", c("north", "south")), TRUE),
              cox_gold("finite", droplevels(d[d$hosp != "island", ]), "Surv(time, won) ~ x + stage + hosp", zph = "identity"),
              "relevel(hosp, ref = \"island\")"),
  infinite(glm_gold("logit-first-cells", raw, b, "won ~ relevel(hosp, ref = \"island\") * stage + x"),
           c("(Intercept)", paste0("relevel(hosp, ref = \"island\")", c("north", "south")), "stageII", "stageIII",
             paste0("relevel(hosp, ref = \"island\")", c("north", "south", "north", "south"), ":stage", c("II", "II", "III", "III"))), TRUE),
  infinite(glm_gold("logit-pair", spot(raw), b, "won ~ arm * spot + x"), pair, TRUE),
  cox_pair("cox-pair", spot(d)),
  cox_gold("cox-sub", spot(d), "Surv(time, won) ~ arm + x"), pair_subgroups("cox-sub-spot", spot(d)),
  failed("fg-rows", "finegray"),
  glm_gold("logit-missing", raw, b, "won ~ arm * stage + x"),
  without_aic(glm_gold("logit-weight", raw, b, "won ~ stage + x", weights = "weight")),
  failed("logit-single", "glm"), infinite(glm_gold("logit-sure", raw, b, "won ~ x + sure"), c("(Intercept)", "sureTRUE"), TRUE), failed("logit-cut", "glm"), failed("logit-all", "glm"),
  glm_gold("gauss-alias", raw, g, "weight ~ arm + double + x + stage:arm"),
  failed("gauss-same", "glm"), failed("gauss-nobody", "glm"),
  glm_gold("pois-large", raw, p, "count ~ x + stage"),
  glm_gold("pois-weight", raw, p, "count ~ arm + offset(log(time + 1)) - 1", weights = "weight")
))
