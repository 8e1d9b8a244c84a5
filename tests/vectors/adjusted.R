# Makes rotterdam.adjusted.gold.json: standardised survival. Run from the repository's root: Rscript tests/vectors/adjusted.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")

d <- rotterdam()
for (v in c("dtime", "rtime")) d[[v]] <- on_grid_exit(d[[v]], 30.4375) * 30.4375

# The mean over everybody of survfit(fit, newdata)'s curve, all of them in one level (riskRegression's ate() without its errors).
with_adjusted <- function(gold, d, formula, treatment, times, ties = "efron", weights = rep(1, nrow(d))) {
  d$.w <- weights
  fit <- coxph(as.formula(formula), d, ties = ties, weights = .w, control = coxph.control(eps = 1e-13, iter.max = 50))
  levels <- if (is.logical(d[[treatment]])) c(FALSE, TRUE) else levels(d[[treatment]])
  gold$result$adjusted <- lapply(seq_along(levels), function(i) {
    set <- d
    set[[treatment]] <- if (is.logical(d[[treatment]])) levels[i] else factor(levels[i], levels)
    curves <- survfit(fit, newdata = set)
    S <- if (is.null(curves$strata)) summary(curves, times = times)$surv else {
      H <- basehaz(fit, centered = FALSE)
      risk <- exp(drop(model.matrix(delete.response(drop_specials(terms(fit))), set)[, -1, drop = FALSE] %*% coef(fit)))
      own <- trimws(gsub(" +(,|$)", "\\1", as.character(strata_of(fit))))
      t(vapply(times, function(t) { h <- vapply(split(H, gsub(" +(,|$)", "\\1", H$strata)), function(b) max(0, b$hazard[b$time <= t]), 0)
        exp(-h[own] * risk) }, risk))
    }
    list(stratum = paste0(treatment, "=", levels[i]), time = as.list(times), estimate = as.list(c(unname(apply(S, 1, weighted.mean, weights)), rep(NA, length(times) - nrow(S))))) # beyond the follow-up
  })
  gold
}
gold <- function(id, formula, treatment, times, ...) with_adjusted(cox_gold(id, d, formula, ...), d, formula, treatment, times)
d$share <- d$age / 64
f <- "Surv(rtime, recur) ~ chemo + log(nodes + 1)"
write_gold("tests/vectors/rotterdam.adjusted.gold.json", list(
  gold("chemo", "Surv(dtime, death) ~ chemo + age + size + log(nodes + 1)", "chemo", c(0, 365.25, 1826.25, 3652.5, 8000)),
  gold("size", "Surv(rtime, recur) ~ age * size + grade + hormon", "size", c(1826.25, 3652.5)),
  with_adjusted(cox_gold("breslow", d, f, ties = "breslow"), d, f, "chemo", c(1000, 3652.5), ties = "breslow"),
  gold("strata", "Surv(dtime, death) ~ hormon + age + strata(grade, shortlabel = FALSE)", "hormon", c(1826.25, 3652.5)),
  with_adjusted(cox_gold("weights", d, f, weights = "share", robust = TRUE), d, f, "chemo", c(1000, 3652.5), weights = d$share)))
