# Makes rotterdam.adjusted.gold.json: standardised survival. Run from the repository's root: Rscript tests/vectors/adjusted.R
source("tests/vectors/common.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")

d <- rotterdam()
for (v in c("dtime", "rtime")) d[[v]] <- on_grid_exit(d[[v]], 30.4375) * 30.4375
cfc <- coxph.control(eps = 1e-13, iter.max = 50)

# The steps of the cumulated hazard by stratum, with Efron's or Breslow's ties, and what a row needs of them. r, w: of the rows.
hazard_of <- function(r, w, time, status, X, ties) {
  at <- sort(unique(time[status == 1]))
  rows <- lapply(at, function(t) {
    risk <- time >= t; dies <- time == t & status == 1; d <- sum(dies)
    f <- if (ties == "efron") (seq_len(d) - 1) / d else rep(0, d)
    S0 <- sum((w * r)[risk]); E0 <- sum((w * r)[dies]); mean_w <- mean(w[dies])
    S1 <- colSums((w * r * X)[risk, , drop = FALSE]); E1 <- colSums((w * r * X)[dies, , drop = FALSE])
    left <- S0 - f * E0
    list(step = mean_w * sum(1 / left), own = sum(1 / left) / d, square = mean_w * sum(1 / left^2), less = mean_w * sum(f / left^2),
         x = mean_w * (S1 * sum(1 / left^2) - E1 * sum(f / left^2)))
  })
  list(time = at, step = vapply(rows, `[[`, 0, "step"), own = vapply(rows, `[[`, 0, "own"), square = vapply(rows, `[[`, 0, "square"),
       less = vapply(rows, `[[`, 0, "less"), x = matrix(unlist(lapply(rows, `[[`, "x")), length(rows), byrow = TRUE))
}

# Mean survival in every level at the times, and what each row's weight does to it (its derivative): riskRegression's ate() (Ozenne et al.,
# Biometrical Journal 2020;62:751) for one cause and no model of the treatment, by formulas, so that ties may be Efron's. columns: by level, then time.
standardised <- function(fit, d, treatment, times, ties, w) {
  levels <- if (is.logical(d[[treatment]])) c(FALSE, TRUE) else levels(d[[treatment]])
  tt <- delete.response(drop_specials(terms(fit)))
  design <- function(set) model.matrix(tt, set)[, -1, drop = FALSE]
  X <- design(d); beta <- coef(fit); r <- exp(drop(X %*% beta))
  y <- fit$y; time <- y[, 1]; status <- y[, 2]
  stratum <- if (is.null(attr(terms(fit), "specials")$strata)) rep(1, nrow(d)) else as.integer(strata_of(fit))
  V <- if (is.null(fit$naive.var)) vcov(fit) else fit$naive.var
  score <- as.matrix(residuals(fit, "score")) # of a row, without its weight
  H <- lapply(seq_len(max(stratum)), function(s) { k <- stratum == s; hazard_of(r[k], w[k], time[k], status[k], X[k, , drop = FALSE], ties) })
  n <- sum(w)
  out <- lapply(levels, function(l) { set <- d; set[[treatment]] <- if (is.logical(d[[treatment]])) l else factor(l, levels)
    Xa <- design(set); ra <- exp(drop(Xa %*% beta))
    lapply(times, function(t) {
      L <- vapply(H, function(h) sum(h$step[h$time <= t]), 0)[stratum]
      S <- exp(-L * ra); mean_S <- sum(w * S) / n
      gradient <- -colSums(w * S * L * ra * Xa) / n
      influence <- (S - mean_S) / n
      for (s in seq_along(H)) { h <- H[[s]]; k <- which(stratum == s); upto <- h$time <= t
        A <- -sum((w * S * ra)[k]) / n
        gradient <- gradient - A * colSums(h$x[upto, , drop = FALSE])
        met <- vapply(k, function(i) sum(h$square[upto & h$time <= time[i]]), 0)
        own <- ifelse(status[k] == 1 & time[k] <= t, match(time[k], h$time), NA)
        J <- -r[k] * (met - ifelse(is.na(own), 0, h$less[own])) + ifelse(is.na(own), 0, h$own[own])
        influence[k] <- influence[k] + A * J
      }
      list(S = mean_S, influence = influence + drop(score %*% V %*% gradient))
    })
  })
  flat <- unlist(out, recursive = FALSE)
  list(levels = levels, S = vapply(flat, `[[`, 0, "S"), influence = vapply(flat, `[[`, rep(0, nrow(d)), "influence"))
}

# The same derivative with coxph() alone: the weight of a row a little more and a little less, the model fitted anew.
by_refitting <- function(formula, d, treatment, times, ties, w, rows, h = 1e-4) vapply(rows, function(i) {
  at <- function(by) { d$.w <- w; d$.w[i] <- w[i] + by
    fit <- coxph(as.formula(formula), d, ties = ties, weights = .w, control = cfc, model = TRUE)
    standardised(fit, d, treatment, times, ties, d$.w)$S }
  (at(h) - at(-h)) / (2 * h)
}, 0 * numeric(length(times) * if (is.logical(d[[treatment]])) 2 else nlevels(d[[treatment]])))

# The mean over everybody of survfit(fit, newdata)'s curve, all of them in one level.
with_adjusted <- function(gold, d, formula, treatment, times, ties = "efron", weights = rep(1, nrow(d)), robust = FALSE) {
  d$.w <- weights
  fit <- coxph(as.formula(formula), d, ties = ties, weights = .w, control = cfc)
  made <- standardised(fit, d, treatment, times, ties, weights)
  rows <- c(1, 700, 1500, 2982)
  near <- by_refitting(formula, d, treatment, times, ties, weights, rows)
  apart <- max(abs(near - t(made$influence[rows, ]))) / max(abs(made$influence))
  cat(gold$id, "largest difference from refitting, of the largest derivative:", apart, "\n"); stopifnot(apart < 1e-5)
  levels <- made$levels
  z <- qnorm(0.975)
  errors <- crossprod(weights * made$influence)
  m <- length(times)
  ends <- vapply(split(fit$y[, 1], if (is.null(attr(terms(fit), "specials")$strata)) rep(1, nrow(d)) else strata_of(fit)), max, 0)
  there <- times <= min(ends)
  shown <- function(x) as.list(ifelse(there, x, NA))
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
    mean_S <- c(unname(apply(S, 1, weighted.mean, weights)), rep(NA, m - nrow(S))) # beyond the follow-up
    k <- (i - 1) * m + seq_len(m)
    stopifnot(max(abs(mean_S - made$S[k]), na.rm = TRUE) < 1e-12)
    se <- sqrt(diag(errors)[k])
    list(stratum = paste0(treatment, "=", levels[i]), time = as.list(times), estimate = as.list(mean_S), std_error = shown(se),
         conf_low = shown(pmax(mean_S - z * se, 0)), conf_high = shown(pmin(mean_S + z * se, 1)))
  })
  gold$result$adjusted_differences <- lapply(seq_along(levels)[-1], function(i) {
    a <- (i - 1) * m + seq_len(m); b <- seq_len(m)
    difference <- made$S[a] - made$S[b]
    se <- sqrt(pmax(errors[cbind(a, a)] + errors[cbind(b, b)] - 2 * errors[cbind(a, b)], 0))
    list(stratum = paste0(treatment, "=", levels[i]), reference = paste0(treatment, "=", levels[1]), time = as.list(times), difference = shown(difference),
         difference_se = shown(se), difference_low = shown(difference - z * se), difference_high = shown(difference + z * se),
         difference_p_value = shown(ifelse(se > 0, 2 * pnorm(-abs(difference / se)), NA)))
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
