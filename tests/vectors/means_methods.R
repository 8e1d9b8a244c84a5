# R's ttest, anova, correlation and unweighted smd in the shape of a gold file.
source("tests/vectors/tables_common.R")

both <- function(formula, d) { m <- model.frame(formula, d); list(n = nrow(m), n_missing = nrow(d) - nrow(m)) }

ttest <- function(id, d, formula, var_equal = FALSE, conf = 0.95, ...) {
  k <- both(formula, d)
  t <- t.test(formula, d, var.equal = var_equal, conf.level = conf)
  analysis(id, "ttest", k$n, k$n_missing, result = row_of(estimate = unname(t$estimate[1] - t$estimate[2]),
    statistic = unname(t$statistic), df = unname(t$parameter), p_value = t$p.value, conf_low = t$conf.int[1],
    conf_high = t$conf.int[2]), ...)
}

anova_gold <- function(id, d, formula, var_equal = TRUE, ...) {
  k <- both(formula, d)
  m <- model.frame(formula, d)
  f <- if (!var_equal) {
    o <- oneway.test(formula, d)
    list(df1 = unname(o$parameter[1]), df2 = unname(o$parameter[2]), statistic = unname(o$statistic), p_value = o$p.value)
  } else {
    m[[2]] <- factor(m[[2]])
    s <- summary(aov(m[[1]] ~ m[[2]]))[[1]]
    list(df1 = s$Df[1], df2 = s$Df[2], statistic = s$`F value`[1], p_value = s$`Pr(>F)`[1])
  }
  means <- tapply(m[[1]], droplevels(level_text(m[[2]])), mean)
  f$means <- lapply(seq_along(means), function(i) row_of(level = names(means)[i], mean = means[[i]]))
  analysis(id, "anova", k$n, k$n_missing, result = f, ...)
}

correlation <- function(id, d, variables) {
  m <- d[complete.cases(d[variables]), variables]
  one <- function(i, j) suppressWarnings(cor.test(as.numeric(m[[i]]), as.numeric(m[[j]])))
  matrix_of <- function(get) lapply(variables, function(i) lapply(variables, function(j) {
    if (length(unique(m[[i]])) == 1 || length(unique(m[[j]])) == 1) NA else get(i, j)
  }))
  analysis(id, "correlation", nrow(m), nrow(d) - nrow(m), result = list(variables = as.list(variables), n = nrow(m),
    estimate = matrix_of(function(i, j) if (i == j) 1 else unname(one(i, j)$estimate)),
    p_value = matrix_of(function(i, j) if (i == j) 0 else one(i, j)$p.value)))
}

# Austin, Stat Med 2009;28:3083; the second level of the treatment minus the first.
smd <- function(id, d, treatment, variables, ...) {
  m <- d[complete.cases(d[c(treatment, variables)]), ]
  arm <- droplevels(level_text(m[[treatment]]))
  rows <- list()
  for (v in variables) {
    x <- m[[v]]
    if (is.numeric(x)) {
      a <- tapply(x, arm, mean); s <- sum(tapply(x, arm, var)) / 2
      rows <- c(rows, list(row_of(variable = v, level = NULL, unweighted = if (s > 1e-20) (a[[2]] - a[[1]]) / sqrt(s), weighted = NULL)))
    } else for (l in levels(droplevels(level_text(x)))) {
      p <- tapply(level_text(x) == l, arm, mean); s <- sum(p * (1 - p)) / 2
      rows <- c(rows, list(row_of(variable = v, level = l, unweighted = if (s > 0) (p[[2]] - p[[1]]) / sqrt(s), weighted = NULL)))
    }
  }
  analysis(id, "smd", nrow(m), nrow(d) - nrow(m), result = list(variables = rows), ...)
}

level_text <- function(v) if (is.logical(v)) factor(v, c(FALSE, TRUE), c("FALSE", "TRUE")) else factor(v)
