# Makes rotterdam.glm.gold.json. Run from the repository's root: Rscript tests/vectors/glm.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")

d <- rotterdam()
d$node_group <- cut(d$nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)
positive <- function(d) d$nodes > 0
g <- gaussian(); b <- binomial(); p <- poisson()
write_gold("tests/vectors/rotterdam.glm.gold.json", list(
  glm_gold("gauss", d, g, "nodes ~ age + size + grade + chemo"),
  glm_gold("gauss-narrow", d, g, "pgr ~ er + year"),
  glm_gold("gauss-origin", d, g, "nodes ~ age + size - 1"),
  glm_gold("gauss-offset", d, g, "nodes ~ size + offset(age)"),
  glm_gold("gauss-weight", d, g, "age ~ size * meno", weights = "nodes", cohort = positive),
  glm_gold("gauss-zero", d, g, "age ~ size", weights = "nodes"),
  glm_gold("gauss-one", d, g, "age ~ 1"),
  glm_gold("logit", d, b, "death ~ age + log(nodes + 1) + pgr + er + size + grade + chemo + hormon"),
  glm_gold("logit-inter", d, b, "death ~ age * size + chemo:meno + node_group"),
  glm_gold("logit-margin", d, b, "death ~ size:chemo + age:grade"),
  glm_gold("logit-poly", d, b, "recur ~ age + I(age^2) + sqrt(pgr) + factor(year > 1988)"),
  glm_gold("logit-weight", d, b, "death ~ age + size", weights = "nodes", cohort = positive),
  glm_gold("logit-offset", d, b, "death ~ size + offset(log(nodes + 1))"),
  glm_gold("logit-origin", d, b, "death ~ size + chemo - 1"),
  glm_gold("logit-alias", d, b, "death ~ age + I(2 * age + 3) + size + I(nodes + age) + nodes"),
  glm_gold("logit-level", d, b, "death ~ node_group + age", cohort = function(d) d$nodes < 4),
  glm_gold("logit-first", d, b, "death ~ node_group + age", cohort = positive, conf = 0.9),
  glm_gold("pois", d, p, "nodes ~ age + size + grade + pgr"),
  glm_gold("pois-rate", d, p, "death ~ age + size + chemo + offset(log(dtime))"),
  glm_gold("pois-origin", d, p, "nodes ~ size + chemo - 1"),
  glm_gold("pois-slope", d, p, "nodes ~ age - 1"),
  glm_gold("pois-weight", d, p, "nodes ~ age + meno", weights = "year")
))
