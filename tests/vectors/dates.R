# Makes dates.csv (once; the file is kept) and dates.language.gold.json: dates, groups of numbers, levels and arithmetic of a study
# against R's own functions. Run from the repository's root: Rscript tests/vectors/dates.R     (R 4.2, survival 3.5)
source("tests/vectors/common.R")
source("tests/vectors/models.R")
if (!file.exists("tests/vectors/dates.csv")) {
  set.seed(20261128)
  n <- 240
  made <- data.frame(pid = sprintf("D%03d", 1:n))
  made$born <- as.Date("1930-01-01") + sample(0:18000, n, TRUE)
  made$diagnosis <- as.Date("2001-01-01") + sample(0:5000, n, TRUE)
  made$surgery <- made$diagnosis + sample(-30:200, n, TRUE) # some before the diagnosis
  made$surgery[sample(n, 30)] <- NA
  made$last <- pmax(made$diagnosis, made$surgery, na.rm = TRUE) + sample(1:3000, n, TRUE)
  made$dead <- rbinom(n, 1, .6)
  made$stage <- sample(c("I", "II", "III", "IV"), n, TRUE)
  made$size <- sample(0:80, n, TRUE)
  made$score <- round(rnorm(n, 0, 2), 1)
  made$treated <- rbinom(n, 1, .5)
  write.csv(made, "tests/vectors/dates.csv", row.names = FALSE)
}
d <- read.csv("tests/vectors/dates.csv")
for (v in c("born", "diagnosis", "surgery", "last")) d[[v]] <- as.Date(d[[v]])
d$stage <- factor(d$stage)
d$dead <- d$dead == 1
d$treated <- d$treated == 1
days <- function(from, to) { x <- as.numeric(to - from); ifelse(x < 0, NA, x) }
months <- function(from, to) days(from, to) / 30.4375
year <- function(x) as.integer(format(x, "%Y"))
month <- function(x) as.integer(format(x, "%m"))
b <- binomial(); g <- gaussian()
# Who is known to live with the disease at a date, all and of those diagnosed in the five years before it.
prevalent <- function(id, k) list(id = id, method = "count", status = "ok", n = sum(k), n_missing = 0, result = list(groups =
  lapply(c(FALSE, TRUE), function(t) list(by = "treated", level = as.character(t), n = sum(k & d$treated == t)))))
at <- as.Date("2008-01-01")
write_gold("tests/vectors/dates.language.gold.json", list(
  prevalent("prevalent", d$diagnosis <= at & d$last > at), prevalent("five_years", d$diagnosis <= at & d$diagnosis > as.Date("2003-01-01") & d$last > at),
  cox_gold("times", d, "Surv(days(diagnosis, last), dead) ~ stage"),
  cox_gold("negative", d, "Surv(days(surgery, last), dead) ~ months(diagnosis, surgery)"),
  glm_gold("calendar", d, b, "dead ~ year(diagnosis) + factor(month(surgery))"),
  glm_gold("age", d, g, "size ~ I(days(born, diagnosis)/365.25) + treated"),
  glm_gold("cut", d, b, "dead ~ cut(size, c(0, 20, 40, 70)) + cut(score, c(-3, 0, 3), right = FALSE, include.lowest = TRUE)"),
  glm_gold("labels", d, b, "dead ~ cut(size, c(-Inf, 20, Inf), labels = c(\"small\", \"large\"))"),
  glm_gold("levels", d, b, "dead ~ factor(stage, levels = c(\"III\", \"IV\", \"I\"), labels = c(\"late\", \"late\", \"early\")) + treated"),
  cox_gold("relevel", d, "Surv(days(diagnosis, last), dead) ~ relevel(stage, ref = \"III\") * treated"),
  glm_gold("bent", d, g, "size ~ pmin(score, 1) + pmax(score, -1, 0) + abs(score) + ifelse(score > 1, score, 0)"),
  glm_gold("powers", d, g, "score ~ I(size^0.5) + I((size + 1)^-0.5) + I((size + 1)^(1/3)) + I(size^1.5)"),
  glm_gold("poly", d, g, "score ~ poly(size, 3, raw = TRUE) * treated"),
  glm_gold("logit-powers", d, b, "dead ~ I(size^0.5) + I((size + 1)^-0.5) + I(size^1.5)"),
  glm_gold("logit-poly", d, b, "dead ~ poly(size, 3, raw = TRUE) * treated"),
  cox_gold("age-powers", d, "Surv(days(diagnosis, last), dead) ~ I(days(born, diagnosis)/3652.5) + I((days(born, diagnosis)/3652.5)^2) + I((days(born, diagnosis)/3652.5)^3)"),
  glm_gold("age-crossed", d, b, "dead ~ I(days(born, diagnosis)/365.25) * year(diagnosis)"),
  glm_gold("orth", d, g, "score ~ poly(size, 3) * treated"),
  glm_gold("orth_logit", d, b, "dead ~ poly(size, 2) + poly(score, 2) + stage"),
  glm_gold("orth_both", d, g, "score ~ poly(size, 2) * poly(days(born, diagnosis), 2)"),
  glm_gold("orth_robust", d, b, "dead ~ poly(size, 2) * treated", robust = TRUE),
  cox_gold("orth_cox", d, "Surv(days(diagnosis, last), dead) ~ poly(size, 3) * treated + poly(score, 1)"),
  cox_gold("crossed", d, "Surv(days(diagnosis, last), dead) ~ (stage + treated + size)^2")))
