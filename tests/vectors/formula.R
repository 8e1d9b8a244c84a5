# Makes rotterdam.formula.gold.json: what a formula can hold, one thing at a time; robust errors of glm. Run from the repository's
# root: Rscript tests/vectors/formula.R     (R 4.2, survival 3.5, splines, sandwich)
source("tests/vectors/common.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")
library(splines)

d <- rotterdam()
whole <- d # glm knows no grid
for (v in c("dtime", "rtime")) d[[v]] <- on_grid_exit(d[[v]], 30.4375) * 30.4375
d$region <- cut(d$year, c(-Inf, 1982, 1984, 1986, 1988, 1990, Inf))
d$share <- d$age / 64
weigh <- function(d, ...) { d$.iptw <- iptw(d, ...)$weight; d }
without_aic <- function(gold) { gold$result$aic <- NA; gold }
# factor() of an integer has the levels of the dictionary, years from 1970 to 2000.
years <- function(gold) { gold$dropped_levels <- as.list(paste0("factor(year)=", setdiff(1970:2000, d$year))); gold }
# ns() of a study and of R are written alike.
age <- "ns(age, knots = c(45, 55, 65), Boundary.knots = c(25, 85))"
b <- binomial(); g <- gaussian(); p <- poisson()
write_gold("tests/vectors/rotterdam.formula.gold.json", list(
  cox_gold("ns_cox", d, paste("Surv(dtime, death) ~", age, "+ size"), zph = "km"),
  glm_gold("ns_logit", whole, b, paste("death ~", age, "+ chemo")),
  glm_gold("ns_gauss", whole, g, "nodes ~ ns(age, knots = c(50), Boundary.knots = c(20, 95)) + grade"),
  glm_gold("ns_by", whole, b, "death ~ ns(age, knots = c(50, 60), Boundary.knots = c(30, 80)) * chemo"),
  glm_gold("ns_log", whole, p, "nodes ~ ns(log(pgr + 1), knots = c(2, 5), Boundary.knots = c(0, 8))"),
  years(glm_gold("factor", whole, b, "death ~ factor(year) + age")),
  glm_gold("cut", whole, b, "death ~ cut(age, c(-Inf, 45, 55, 65, Inf)) + cut(nodes, c(-Inf, 1, 4, Inf), right = FALSE)"),
  cox_gold("cut_cox", d, "Surv(dtime, death) ~ cut(nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE):chemo + age"),
  glm_gold("insulated", whole, g, "nodes ~ I((age - 50)^2) + I(age * (year - 1980)) + I(pgr / 100) + I(-er)"),
  glm_gold("functions", whole, b, "death ~ sqrt(nodes) + log(pgr + 1) + exp(age / 100)"),
  glm_gold("three", whole, b, "death ~ size * chemo * grade"),
  glm_gold("numbers", whole, b, "death ~ age * log(nodes + 1) + pgr:er"),
  glm_gold("minus", whole, b, "death ~ age + size * grade - grade"),
  glm_gold("calendar", whole, b, "death ~ year + age"),
  glm_gold("cubic", whole, b, "death ~ nodes + I(nodes^2) + I(nodes^3)"),
  cox_gold("crossed", d, "Surv(dtime, death) ~ I(year - 1985) * nodes"),
  glm_gold("crossed_rate", whole, p, "nodes ~ year * age"),
  glm_gold("orth_year", whole, b, "death ~ poly(year, 2) + poly(nodes, 3) + age"),
  cox_gold("orth_strata", d, "Surv(dtime, death) ~ poly(age, 3) + chemo + strata(size, shortlabel = FALSE)", zph = "km", baseline = TRUE),
  cox_gold("offsets", d, "Surv(dtime, death) ~ size + offset(0.02 * age)", ties = "breslow"),
  glm_gold("far_logit", whole, b, "death ~ age + offset(0.1 * age)"),
  glm_gold("far_level", whole, b, "death ~ size + offset(-0.1 * age)"),
  glm_gold("far_null", whole, b, "death ~ 1 + offset(0.2 * age - 5)"),
  glm_gold("far_origin", whole, b, "death ~ age - 1 + offset(0.1 * age)"),
  glm_gold("far_rate", whole, p, "nodes ~ size + offset(-0.1 * age)"),
  cox_gold("far_cox", d, "Surv(dtime, death) ~ size + offset(-0.2 * age)"),
  cox_gold("strata_cluster", d, "Surv(rtime, recur) ~ age + size + strata(chemo, meno, shortlabel = FALSE)", cluster = "region", weights = "share"),
  cox_gold("strata_expression", within(d, `nodes > 3` <- nodes > 3), "Surv(rtime, recur) ~ age + strata(nodes > 3)"),
  glm_gold("robust_gauss", whole, g, "nodes ~ age + size", robust = TRUE),
  glm_gold("robust_logit", whole, b, "death ~ age + log(nodes + 1) + size * chemo", robust = TRUE, conf = 0.9),
  glm_gold("robust_poisson", whole, p, "death ~ age + size + offset(log(dtime))", robust = TRUE),
  without_aic(glm_gold("robust_iptw", weigh(whole, "chemo ~ age + size + nodes"), b, "death ~ chemo", weights = ".iptw", robust = TRUE)),
  smd_gold("smd_level", within(whole, high <- grade == "3"), "high", c("age", "size", "chemo"))))
