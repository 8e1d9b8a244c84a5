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
  failed("fg-rows", "finegray"),
  glm_gold("logit-missing", raw, b, "won ~ arm * stage + x"),
  without_aic(glm_gold("logit-weight", raw, b, "won ~ stage + x", weights = "weight")),
  failed("logit-single", "glm"), infinite(glm_gold("logit-sure", raw, b, "won ~ x + sure"), c("(Intercept)", "sureTRUE"), TRUE), failed("logit-cut", "glm"), failed("logit-all", "glm"),
  glm_gold("gauss-alias", raw, g, "weight ~ arm + double + x + stage:arm"),
  failed("gauss-same", "glm"), failed("gauss-nobody", "glm"),
  glm_gold("pois-large", raw, p, "count ~ x + stage"),
  glm_gold("pois-weight", raw, p, "count ~ arm + offset(log(time + 1)) - 1", weights = "weight")
))
