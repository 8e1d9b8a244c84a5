# Public bug reports of other tools, made again: reports.curves, reports.models, reports.tables. Each case is rows of reports.csv.
# Run from the repository's root: Rscript tests/vectors/reports.R; `Rscript tests/vectors/reports.R data` makes the data.
#   half   therneau/survival#156, PSIAIMS/CAMIS#95: the median where the curve lies at one half depends on rounding
#   open   CamDavidsonPilon/lifelines#861, therneau/survival#163: limits of the median of few patients, and where nobody dies
#   zero   lifelines#1687, ddsjoberg/ggsurvfit#150, statsmodels/statsmodels#1767: events and censorings at time 0
#   ties   SurPyval#276, lifelines#628: ties of all kinds in a concordance; therneau/survival#4, #316: Fine and Gray where nobody is censored
#   late   lifelines#497, SurPyval#266: nobody at risk for a while, alone at the start
#   table  gtsummary#889, dplyr#249, seaborn#3220, cobalt#15, scanpy#620, statsmodels#10274: missing everywhere, one value, decimals at an
#          edge, an empty level in the middle, tiny p
source("tests/vectors/tables_methods.R")
source("tests/vectors/km_methods.R")
source("tests/vectors/means_methods.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")
source("tests/vectors/competing.R")

if (identical(commandArgs(TRUE), "data")) {
  set.seed(20261128, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
  rows <- function(case, ...) data.frame(case = case, ...)
  # Arms whose product of factors is one half: n of them, half of them dead one by one, with the others flat, dead later, or censored at once.
  half <- do.call(rbind, lapply(seq_along(n <- c(6, 10, 12, 14, 18, 22, 24, 26)), function(i) rows("half", arm = paste0("h", i),
    start = 0, time = c(seq_len(n[i] / 2), if (i %% 2) n[i] / 2 + seq_len(n[i] / 2) else rep(30, n[i] / 2)),
    event = c(rep(1, n[i] / 2), rep(i %% 2, n[i] / 2)))))
  open <- rbind(rows("open", arm = "h1", start = 0, time = 4, event = 1), rows("open", arm = "h2", start = 0, time = 5, event = 0),
                rows("open", arm = "h3", start = 0, time = c(3, 6), event = c(1, 1)), rows("open", arm = "h4", start = 0, time = c(2, 7, 9), event = c(1, 0, 0)),
                rows("open", arm = "h5", start = 0, time = 1:5, event = c(1, 1, 0, 1, 0)), rows("open", arm = "h6", start = 0, time = 11:16, event = 0))
  m <- 40
  zero <- rows("zero", arm = sample(c("h1", "h2"), m, TRUE), start = 0, time = sample(c(0, 0, 0, 1:9), m, TRUE), event = rbinom(m, 1, .6))
  m <- 90
  ties <- rows("ties", arm = sample(c("h1", "h2", "h3"), m, TRUE), start = 0, time = sample(1:12, m, TRUE), event = rbinom(m, 1, .7))
  late <- rows("late", arm = rep(c("h1", "h2"), 9), start = c(0, 1, 8, 8, 9, 9, 10, 10, 12, 12, 13, 14, 9, 8, 11, 12, 13, 8),
               time = c(3, 4, 15, 12, 20, 14, 18, 22, 16, 19, 25, 17, 21, 13, 15, 24, 18, 11), event = rep(c(1, 1, 0, 1, 1, 0), 3))
  m <- 60
  table <- rows("table", arm = sample(c("h1", "h3"), m, TRUE, c(.6, .4)), start = 0, time = sample(1:30, m, TRUE), event = rbinom(m, 1, .5))
  d <- rbind(half, open, zero, ties, late, table)
  n <- nrow(d)
  d$x <- sample(-2:2, n, TRUE)
  d$y <- round(rnorm(n, 5 + (d$arm == "h1"), 2), 1)
  d$far <- d$y + 800 * (d$arm == "h1")
  d$once <- ifelse(seq_len(n) == n, 7, NA)
  d$same <- 0.1
  d$w <- sample(c(0, 0.5, 1, 2.5), n, TRUE)
  d$cause <- ifelse(d$event == 0, "alive", sample(c("cancer", "other"), n, TRUE))
  d$sure <- sample(c("alive", "cancer", "other"), n, TRUE, c(0, .6, .4)) # nobody is censored
  d$grade <- sample(c("low", "high", NA), n, TRUE, c(.45, .45, .1)) # "mid" is nobody's
  d$flag <- ifelse(runif(n) < .15, NA, rbinom(n, 1, .4))
  d$won <- rbinom(n, 1, plogis(d$x / 2))
  write.csv(cbind(pid = sprintf("R%03d", seq_len(n)), d), "tests/vectors/reports.csv", row.names = FALSE, na = "", quote = FALSE)
}

d <- read.csv("tests/vectors/reports.csv", na.strings = "")
d$arm <- factor(d$arm, paste0("h", 1:8))
d$cause <- factor(d$cause, c("alive", "cancer", "other"))
d$sure <- factor(d$sure, c("alive", "cancer", "other"))
d$grade <- factor(d$grade, c("low", "mid", "high"))
for (v in c("event", "flag", "won")) d[[v]] <- d[[v]] == 1
case <- function(name, levels = NULL) { k <- d[d$case == name, ]; k$arm <- droplevels(k$arm); k }
dropped <- function(name) as.list(paste0("arm=", setdiff(levels(d$arm), as.character(d$arm[d$case == name]))))
half <- case("half"); open <- case("open"); zero <- case("zero"); ties <- case("ties"); late <- case("late"); table_ <- case("table")

gold("reports.curves", list(
  km("half", half, Surv(time, event) ~ arm), km("half_plain", half, Surv(time, event) ~ arm, "plain"), km("half_loglog", half, Surv(time, event) ~ arm, "log-log"),
  km("open", open, Surv(time, event) ~ arm, dropped_levels = dropped("open")), km("open_plain", open, Surv(time, event) ~ arm, "plain", 0.9, dropped_levels = dropped("open")),
  km("zero", zero, Surv(time, event) ~ arm, dropped_levels = dropped("zero")), km("zero_all", zero, Surv(time, event) ~ 1, "log-log"),
  logrank("zero_lr", zero, Surv(time, event) ~ arm, rho = 1, dropped_levels = dropped("zero")),
  km_gold("weights", ties, Surv(time, event) ~ arm, "w"),
  km("late", late, Surv(start, time, event) ~ 1), km("late_arm", late, Surv(start, time, event) ~ arm, dropped_levels = dropped("late")),
  cuminc_gold("sure", ties, "time", "sure", "arm", dropped_levels = dropped("ties")),
  cuminc_gold("cause", zero, "time", "cause", "arm", dropped_levels = dropped("zero"))))

gone <- function(gold, name) { gold$dropped_levels <- dropped(name); gold }
positive <- ties[ties$w > 0, ]
gold("reports.models", list(
  gone(cox_gold("ties", ties, "Surv(time, event) ~ x + arm"), "ties"), cox_gold("ties_x", ties, "Surv(time, event) ~ x", ties = "breslow"),
  cox_gold("ties_strata", ties, "Surv(time, event) ~ x + strata(arm, shortlabel = FALSE)"),
  cox_gold("ties_weights", positive, "Surv(time, event) ~ x", weights = "w", robust = TRUE),
  cox_gold("zero", zero, "Surv(time, event) ~ x + strata(arm, shortlabel = FALSE)", robust = TRUE),
  cox_gold("late", late, "Surv(start, time, event) ~ x"),
  failed("none", "cox"), failed("nobody", "glm"),
  finegray_gold("sure", ties, "x", cause = "cancer", surv = "Surv(time, sure)"),
  finegray_gold("cause", ties, "x + y", cause = "cancer", surv = "Surv(time, cause)"),
  glm_gold("rank", d, gaussian(), "y ~ x * won + I(x * 2) + far"), glm_gold("rank_logit", d, binomial(), "won ~ x + I(3 - x) + event"),
  glm_gold("interaction", d[d$case %in% c("ties", "zero"), ], gaussian(), "y ~ won * event", robust = TRUE),
  failed("separated", "glm")))

gold("reports.tables", list(
  describe("one", table_, c("once", "same")), describe("empty", table_, "grade", "arm", dropped_levels = c(dropped("table"), list("grade=mid"))),
  quantiles("q", table_, "y", c(0, 0.1, 0.25, 0.5, 0.9, 1), "arm", 0.1), histogram("edges", d, "y", seq(-5, 15, 0.1)),
  crosstab("fisher", table_, c("won", "event")), crosstab("missing", table_, c("grade", "flag"), dropped_levels = list("grade=mid")),
  ttest("tiny", d[d$arm %in% c("h1", "h2"), ], far ~ arm, dropped_levels = as.list(paste0("arm=h", 3:8))),
  anova_gold("tiny_anova", d, far ~ arm), correlation("constant", table_, c("y", "same", "x")),
  failed("constant_t", "ttest"), failed("alone_t", "ttest"),
  logrank("trend", case("ties"), Surv(time, event) ~ arm, trend = TRUE, dropped_levels = dropped("ties")),
  logrank("trend_gap", gap <- droplevels(half[half$arm != "h3", ]), Surv(time, event) ~ arm, trend = TRUE, dropped_levels = list("arm=h3")),
  smd("smd", table_, "won", c("y", "same", "grade", "event"), dropped_levels = list("grade=mid")),
  count("and", table_[!is.na(table_$flag) & table_$flag & !is.na(table_$grade) & table_$grade == "low", ], "arm"),
  count("or", table_[(!is.na(table_$flag) & table_$flag) | (!is.na(table_$grade) & table_$grade == "low"), ], "arm"),
  count("not", table_[!is.na(table_$flag) & !table_$flag, ], "arm"), count("numbers", table_, "x")))
