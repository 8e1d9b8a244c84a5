# meta: rotterdam.meta, a site for each year of surgery (R 4.2, metafor 3.8-1). Run from the source folder.
suppressMessages({ library(survival); library(metafor) })
source("tests/vectors/tables_common.R")

# The site's own fit, driven to convergence; none where R's coefficient is missing or runs away, or where the term's reference is
# nobody's.
own_fit <- function(s, fit, term, reference) {
  if (!reference(s)) return(NULL)
  f <- tryCatch(suppressWarnings(fit(s)), error = function(e) NULL)
  if (is.null(f)) return(NULL)
  b <- coef(f)[term]; se <- sqrt(diag(vcov(f)))[term]
  if (is.na(b) || is.na(se) || se > 10 * max(abs(b), .1)) return(NULL)
  c(b, se)
}
meta_gold <- function(id, d, fit, term, reference = function(s) TRUE, events = NULL, conf = 0.95) {
  e <- do.call(rbind, lapply(split(d, d$year), own_fit, fit, term, reference))
  z <- conf * 100
  one <- function(method) { r <- rma(yi = e[, 1], sei = e[, 2], method = method, level = z)
    row_of(estimate = as.numeric(r$b), std_error = r$se, conf_low = r$ci.lb, conf_high = r$ci.ub, p_value = r$pval) }
  r <- rma(yi = e[, 1], sei = e[, 2], method = "DL")
  analysis(id, "meta", nrow(d), 0, if (is.null(events)) NA else sum(d[[events]]), result = list(sites = nrow(e),
    fixed = one("EE"), random = one("DL"), tau2 = r$tau2, i2 = r$I2, q = r$QE, q_p_value = r$QEp))
}
logit <- function(formula) function(s) {
  control <- glm.control(epsilon = 1e-15, maxit = 100)
  f <- glm(formula, binomial, s, control = control)
  glm(formula, binomial, s, start = coef(f), control = control)
}
count <- function(formula) function(s) {
  control <- glm.control(epsilon = 1e-15, maxit = 100)
  f <- glm(formula, poisson, s, control = control)
  glm(formula, poisson, s, start = coef(f), control = control)
}
hazard <- function(formula, ties = "efron") function(s) coxph(formula, s, ties = ties, eps = 1e-13, iter.max = 50, toler.chol = 1e-15)
has <- function(v, level) function(s) any(s[[v]] == level)

d <- rotterdam()
d$many <- d$nodes > 20
month <- d
month$dtime <- 30.4375 * on_grid_exit(d$dtime, 30.4375)
gold("rotterdam.meta", list(
  meta_gold("line", d, function(s) lm(age ~ nodes + size, s), "nodes"),
  meta_gold("line_level", d, function(s) lm(er ~ meno + age, s), "menoTRUE", has("meno", FALSE), conf = 0.9),
  meta_gold("logit", d, logit(death ~ age + grade), "age", events = "death"),
  meta_gold("logit_level", d, logit(death ~ hormon + nodes), "hormonTRUE", has("hormon", FALSE), "death"),
  meta_gold("rate", d, count(nodes ~ age + meno), "menoTRUE", has("meno", FALSE)),
  meta_gold("cox", month, hazard(Surv(dtime, death) ~ nodes + age), "nodes", events = "death"),
  meta_gold("cox_breslow", month, hazard(Surv(dtime, death) ~ size + strata(meno), "breslow"), "size20-50", has("size", "<=20"), "death"),
  meta_gold("rare", d, logit(many ~ age), "age", events = "many"), # several years without an event, τ² = 0
  list(id = "few", method = "meta", status = "failed"), list(id = "nobody", method = "meta", status = "failed")))
