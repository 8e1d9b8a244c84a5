# Makes rotterdam.sites.gold.json: glm(y ~ factor(site) + x) with a site for each year of surgery.
# Run from the repository's root: Rscript tests/vectors/sites.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")

d <- rotterdam()
d$many <- d$nodes > 20 # nobody in some years
positive <- function(d) d$nodes > 0
g <- gaussian(); b <- binomial(); p <- poisson()
one <- function(...) glm_gold(..., site = "year")
write_gold("tests/vectors/rotterdam.sites.gold.json", list(
  one("line", d, g, "nodes ~ age + size + grade * chemo"),
  one("line-weight", d, g, "age ~ size + meno", weights = "nodes"),
  one("line-robust", d, g, "pgr ~ er + age", robust = TRUE),
  one("logit", d, b, "death ~ age + log(nodes + 1) + pgr + size + grade + chemo"),
  one("logit-offset", d, b, "death ~ size + offset(log(nodes + 1))", conf = 0.9),
  one("logit-robust", d, b, "recur ~ age * meno + size", robust = TRUE),
  one("logit-weight", d, b, "death ~ age + size", weights = "nodes", cohort = positive),
  one("logit-alias", d, b, "death ~ age + I(2 * age + 3) + size"),
  one("logit-none", d, b, "many ~ age + grade"), # sites without an event: R's coefficient of them is about -30
  one("logit-poly", d, b, "death ~ poly(age, 2) + chemo"),
  one("rate", d, p, "nodes ~ age + size + grade"),
  one("rate-offset", d, p, "death ~ age + size + chemo + offset(log(dtime))"),
  one("rate-robust", d, p, "nodes ~ age + meno", robust = TRUE),
  one("rate-none", d, p, "many ~ size + pgr"),
  one("null", d, b, "death ~ chemo", cohort = function(d) d$year %in% c(1984, 1985, 1990, 1991, 1992))
))
