# R's describe, crosstab and their like in the shape of a gold file.
source("tests/vectors/tables_common.R")

# Rows per cell of the factors in `by`; every level of a boolean or a factor in its order.
level_text <- function(v) if (is.logical(v)) factor(v, c(FALSE, TRUE), c("FALSE", "TRUE")) else factor(v)
cells <- function(d, by, each) {
  if (length(by) == 0) return(each(d, NA, NA))
  f <- lapply(by, function(b) droplevels(level_text(d[[b]])))
  grid <- expand.grid(rev(lapply(f, levels)), stringsAsFactors = FALSE)[, length(by):1, drop = FALSE]
  out <- list()
  for (i in seq_len(nrow(grid))) {
    keep <- Reduce(`&`, Map(function(v, l) !is.na(v) & v == l, f, grid[i, ]))
    if (any(keep))
      out <- c(out, each(d[keep, , drop = FALSE], paste(by, collapse = ","), paste(unlist(grid[i, ]), collapse = ",")))
  }
  out
}
has <- function(d, by) if (length(by) == 0) rep(TRUE, nrow(d)) else complete.cases(d[by])
skewness <- function(x) { m <- x - mean(x); mean(m^3) / mean(m^2)^1.5 }

count <- function(id, d, by = NULL) {
  k <- has(d, by)
  analysis(id, "count", sum(k), sum(!k), result = list(groups = cells(d[k, ], by, function(s, b, l)
    list(row_of(by = b, level = l, n = nrow(s))))))
}

describe <- function(id, d, variables, by = NULL, ...) {
  k <- has(d, by)
  rows <- list()
  for (v in variables) {
    all <- d[k, ]
    rows <- c(rows, cells(all, by, function(s, b, l) {
      x <- s[[v]]
      if (is.numeric(x)) {
        y <- x[!is.na(x)]
        return(list(row_of(variable = v, by = b, level = l, n = length(y), missing = sum(is.na(x)), mean = mean(y), sd = sd(y),
                           se = sd(y) / sqrt(length(y)), skewness = skewness(y), sum = sum(y))))
      }
      levels_used <- levels(droplevels(level_text(all[[v]])))
      t <- table(factor(as.character(level_text(x)), levels_used))
      lapply(seq_along(t), function(i) row_of(variable = v, by = b, level = l, value = names(t)[i], n = as.integer(t[[i]]),
                                              share = as.numeric(t[[i]]) / sum(t)))
    }))
  }
  analysis(id, "describe", sum(k), sum(!k), result = list(variables = rows), ...)
}

quantiles <- function(id, d, v, probs, by = NULL, resolution) {
  k <- has(d, by)
  analysis(id, "quantile", sum(k), sum(!k), result = list(groups = cells(d[k, ], by, function(s, b, l) {
    x <- s[[v]][!is.na(s[[v]])]
    list(row_of(by = b, level = l, n = length(x), probs = as.list(probs), values = as.list(unname(quantile(x, probs, type = 7))),
                resolution = resolution))
  })))
}

histogram <- function(id, d, v, breaks, by = NULL) {
  k <- has(d, c(v, by))
  analysis(id, "histogram", sum(k), sum(!k), result = list(groups = cells(d[k, ], by, function(s, b, l)
    list(list(by = b, level = l, breaks = as.list(breaks), counts = as.list(hist(s[[v]], breaks, plot = FALSE)$counts))))))
}

# fisher.test's estimate and limits, solved to the last digit (its own uniroot stops at 1e-4).
fisher_exact <- function(t, conf = 0.95) {
  m <- sum(t[, 1]); n <- sum(t[, 2]); k <- sum(t[1, ]); x <- t[1, 1]
  lo <- max(0, k - n); hi <- min(k, m); support <- lo:hi
  logdc <- dhyper(support, m, n, k, log = TRUE)
  d <- function(lambda) { w <- logdc + lambda * support; w <- exp(w - max(w)); w / sum(w) }
  solve_for <- function(f) exp(uniroot(f, c(-60, 60), tol = 1e-15, maxiter = 10000)$root)
  a <- (1 - conf) / 2
  list(p_value = fisher.test(t)$p.value,
       odds_ratio = if (x == lo) 0 else if (x == hi) NA else solve_for(function(l) sum(support * d(l)) - x),
       conf_low = if (x == lo) 0 else solve_for(function(l) log(sum(d(l)[support >= x])) - log(a)),
       conf_high = if (x == hi) NA else solve_for(function(l) log(a) - log(sum(d(l)[support <= x]))))
}

nested <- function(t) {
  if (length(dim(t)) == 2) return(lapply(seq_len(nrow(t)), function(i) as.list(unname(t[i, ]))))
  lapply(seq_len(dim(t)[1]), function(i) nested(array(asub(t, i), dim(t)[-1])))
}
asub <- function(t, i) matrix(t, dim(t)[1])[i, ]

crosstab <- function(id, d, variables, conf = 0.95, ...) {
  k <- has(d, variables)
  f <- lapply(d[k, variables], function(v) droplevels(level_text(v)))
  t <- table(f)
  result <- list(variables = as.list(variables), levels = unname(lapply(f, function(v) as.list(levels(v)))), counts = nested(unclass(t)))
  if (length(variables) == 2) {
    test <- function(c) { r <- suppressWarnings(chisq.test(t, correct = c))
      row_of(statistic = unname(r$statistic), df = unname(r$parameter), p_value = r$p.value) }
    result$chisq <- test(TRUE)
    result$chisq_uncorrected <- test(FALSE)
    result["fisher"] <- list(if (all(dim(t) == 2)) fisher_exact(unclass(t), conf) else NA)
    result$cramers_v <- sqrt(unname(suppressWarnings(chisq.test(t, correct = FALSE))$statistic) / (sum(t) * (min(dim(t)) - 1)))
  }
  analysis(id, "crosstab", sum(k), sum(!k), result = result, ...)
}
