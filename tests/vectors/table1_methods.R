# R's table 1 in the shape of a gold file. p: t.test of two groups, oneway.test of more; chisq.test without correction, fisher.test of
# a 2 x 2 table that expects fewer than 5 somewhere. Differences: the formula, second group minus first.
table1 <- function(id, d, variables, by = NULL, quartiles = TRUE, overall = TRUE, smd = FALSE, p = FALSE, ...) {
  k <- has(d, by)
  all <- d[k, ]
  sides <- if (is.null(by)) list(NULL) else if (overall) list(by, NULL) else list(by)
  each_side <- function(each) do.call(c, lapply(sides, function(side) cells(all, side, each)))
  rows <- do.call(c, lapply(variables, function(v) each_side(function(s, b, l) {
    x <- s[[v]]
    if (is.numeric(x)) {
      y <- x[!is.na(x)]
      row <- row_of(variable = v, value = NULL, by = b, level = l, n = length(y), missing = sum(is.na(x)), mean = mean(y), sd = sd(y))
      if (quartiles) {
        q <- unname(quantile(y, c(0.25, 0.5, 0.75), type = 7))
        row <- c(row, list(q1 = q[1], median = q[2], q3 = q[3]))
      }
      return(list(row))
    }
    levels_used <- levels(droplevels(level_text(all[[v]])))
    t <- table(factor(as.character(level_text(x)), levels_used))
    lapply(seq_along(t), function(i) row_of(variable = v, value = names(t)[i], by = b, level = l, n = as.integer(t[[i]]),
                                            missing = sum(is.na(x)), share = as.numeric(t[[i]]) / sum(t)))
  })))
  result <- list(groups = each_side(function(s, b, l) list(row_of(by = b, level = l, n = nrow(s)))), variables = rows)
  if (smd || p)
    result$comparisons <- do.call(c, lapply(variables, function(v)
      compared(v, all[[v]], interaction(lapply(by, function(b) level_text(all[[b]])), drop = TRUE, lex.order = TRUE), smd, p)))
  analysis(id, "table1", sum(k), sum(!k), result = result, ...)
}

compared <- function(v, x, g, smd, p) {
  d <- function(m, s2) if (mean(s2) > 0) (m[2] - m[1]) / sqrt(mean(s2)) else NA
  row <- function(value, difference, test = NULL, p_value = NA) {
    r <- row_of(variable = v, value = value)
    if (smd) r$smd <- difference
    if (p) r <- c(r, list(test = if (is.null(test)) NA else test, p_value = p_value))
    r
  }
  if (is.numeric(x)) {
    two <- nlevels(droplevels(g[!is.na(x)])) == 2
    test <- if (two) t.test(x ~ g) else oneway.test(x ~ g)
    return(list(row(NULL, unname(d(tapply(x, g, mean, na.rm = TRUE), tapply(x, g, var, na.rm = TRUE))),
                    if (two) "t.test" else "oneway.test", test$p.value)))
  }
  x <- droplevels(level_text(x))
  t <- table(g, x)
  t <- t[rowSums(t) > 0, , drop = FALSE]
  expected <- suppressWarnings(chisq.test(t, correct = FALSE)$expected)
  exact <- all(dim(t) == 2) && min(expected) < 5
  test <- if (exact) fisher.test(t) else suppressWarnings(chisq.test(t, correct = FALSE))
  rows <- list(row(NULL, NA, if (exact) "fisher.test" else "chisq.test", test$p.value))
  share <- t / rowSums(t)
  if (smd)
    rows <- c(rows, lapply(colnames(t), function(l) row(l, unname(d(share[, l], share[, l] * (1 - share[, l]))))))
  rows
}
