# ttest, anova, correlation, smd: rotterdam.means and edge.means.
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
failed <- function(id, method) list(id = id, method = method, status = "failed")

d <- rotterdam()
d$node_group <- node_group(d)
gold("rotterdam.means", list(
  ttest("t", d, age ~ chemo), ttest("t_equal", d, nodes ~ hormon, TRUE), ttest("t_level", d, pgr ~ meno, conf = 0.9),
  ttest("t_two", subset(d, size != ">50"), er ~ size, dropped_levels = list("size=>50")),
  ttest("t_boolean", d, death ~ grade), ttest("t_log", d, log(nodes + 1) ~ chemo),
  anova_gold("a", d, age ~ size), anova_gold("a_welch", d, pgr ~ node_group, FALSE), anova_gold("a_two", d, er ~ chemo),
  anova_gold("a_years", d, nodes ~ year),
  correlation("r", d, c("age", "nodes", "pgr", "er")), correlation("r_two", d, c("dtime", "rtime")),
  smd("smd", d, "chemo", c("age", "nodes", "pgr", "size", "grade", "meno"))))

e <- edge()
gold("edge.means", list(
  ttest("t_missing", e, x ~ sex), ttest("t_skewed", e, skewed ~ sex, TRUE),
  ttest("t_entry", e, stop - start ~ dead),
  failed("t_three", "ttest"), failed("t_constant", "ttest"), failed("t_nobody", "ttest"), failed("t_one", "ttest"),
  ttest("t_one_equal", subset(e, arm == "A" | pid == "E003"),
        time ~ arm, TRUE, dropped_levels = list("arm=B", "arm=C")),
  anova_gold("a", e, x ~ arm, dropped_levels = list("arm=C")),
  anova_gold("a_welch", e, skewed ~ arm, FALSE, dropped_levels = list("arm=C")),
  failed("a_constant", "anova"), failed("a_single", "anova"),
  correlation("r", e, c("x", "skewed", "time")), correlation("r_constant", e, c("x", "constant", "stop")),
  failed("r_two", "correlation"),
  smd("smd", e, "sex", c("x", "skewed", "arm", "constant", "never"), dropped_levels = list("arm=C", "never=TRUE"))))
