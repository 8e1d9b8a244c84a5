# Makes rotterdam.knots.gold.json: ns(x, df = k), whose knots R takes from the model's rows. Run from the repository's root:
# Rscript tests/vectors/knots.R     (R 4.2, survival 3.5, splines)
source("tests/vectors/common.R")
source("tests/vectors/models.R")
library(splines)

d <- rotterdam()
whole <- d # glm knows no grid
d$dtime <- on_grid_exit(d$dtime, 30.4375) * 30.4375
with_knots <- function(gold, x, df, name = "age") {
  basis <- ns(x, df = df)
  gold$result$knots <- list(list(term = sprintf("ns(%s, df = %d)", name, df), knots = as.list(unname(attr(basis, "knots"))),
                                 boundary_knots = as.list(attr(basis, "Boundary.knots"))))
  gold
}
old <- function(d) d$age > 50
b <- binomial(); g <- gaussian(); p <- poisson()
write_gold("tests/vectors/rotterdam.knots.gold.json", list(
  with_knots(glm_gold("line", whole, g, "nodes ~ ns(age, df = 4) + size", robust = TRUE), d$age, 4),
  with_knots(glm_gold("logit", whole, b, "death ~ grade * ns(age, df = 3)"), d$age, 3),
  with_knots(glm_gold("some", whole, b, "recur ~ ns(age, df = 5)", cohort = old), d$age[d$age > 50], 5),
  with_knots(glm_gold("rate", whole, p, "nodes ~ ns(year, df = 3) + chemo"), d$year, 3, "year"),
  with_knots(cox_gold("cox", d, "Surv(dtime, death) ~ ns(age, df = 3) + size"), d$age, 3),
  with_knots(cox_gold("strata", d, "Surv(dtime, death) ~ ns(age, df = 2) + chemo + strata(grade)"), d$age, 2),
  list(id = "near", method = "glm", status = "failed")))
