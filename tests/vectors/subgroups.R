# rotterdam.subgroups and edge.subgroups: the effect of a treatment in a level is the coefficient that R prints when that level is made the
# reference. Interaction: Wald's test from vcov; of a linear model it is the F of anova() (checked below).
source("tests/vectors/tables_common.R")
source("tests/vectors/models.R")
source("tests/vectors/weighted.R")

# make(id, d, formula): a gold model. treatment: its variable; names: of its coefficients; event: of the events per level.
subgroup <- function(id, make, d, formula, treatment, names, by, event = NULL, plain_id = id) {
  whole <- paste0(formula, " + ", by, " + ", treatment, ":", by)
  gold <- make(paste0(plain_id, "-", by), d, whole)
  all <- if (is.factor(d[[by]])) levels(d[[by]]) else c("FALSE", "TRUE")
  used <- d[complete.cases(d[all.vars(as.formula(whole))]), ]
  rows <- list()
  for (l in all[all %in% as.character(used[[by]])]) {
    other <- d
    other[[by]] <- relevel(factor(as.character(d[[by]]), all[all %in% as.character(used[[by]])]), l)
    terms <- make("x", other, whole)$result$terms
    k <- as.character(used[[by]]) == l
    for (name in names) {
      t <- Filter(function(t) t$term == name, terms)[[1]]
      if (is.logical(used[[treatment]]) && length(unique(used[[treatment]][k])) < 2) # nobody to compare: R's coefficient is of another level
        t[c("estimate", "std_error", "robust_se", "statistic", "p_value", "conf_low", "conf_high")] <- NA_real_
      rows <- c(rows, list(list(variable = by, level = l, term = name, n = sum(k), n_event = if (is.null(event)) NA else sum(used[[event]][k]),
        estimate = t$estimate, std_error = if (is.na(t$robust_se)) t$std_error else t$robust_se, statistic = t$statistic,
        p_value = t$p_value, conf_low = t$conf_low, conf_high = t$conf_high)))
    }
  }
  gold$result$subgroups <- rows
  labels <- vapply(gold$result$terms, `[[`, "", "term")
  is_inter <- vapply(strsplit(labels, ":", fixed = TRUE), function(p) length(p) == 2, NA)
  b <- vapply(gold$result$terms, function(t) as.numeric(t$estimate), 0)
  is_inter <- which(is_inter & !is.na(b))
  wald <- drop(b[is_inter] %*% solve(gold$result$vcov[is_inter, is_inter], b[is_inter]))
  q <- length(is_inter)
  gold$result$interaction <- if (identical(gold$result$family, "gaussian")) {
    df <- gold$result$df_residual
    w <- if (is.null(used$.iptw)) rep(1, nrow(used)) else used$.iptw
    f <- anova(lm(as.formula(paste(formula, "+", by)), used, weights = w), lm(as.formula(whole), used, weights = w))$F[2]
    stopifnot(abs(wald / q / f - 1) < 1e-8)
    list(statistic = wald / q, df1 = q, df2 = df, p_value = pf(wald / q, q, df, lower.tail = FALSE))
  } else chisq_test(wald, q)
  list(gold)
}

d <- rotterdam()

for (v in c("dtime", "rtime")) d[[v]] <- on_grid_exit(d[[v]], 30.4375) * 30.4375
day <- rotterdam()
d$node_group <- cut(d$nodes, c(-1, 3, 9, 100))
d$share <- d$age / 64
d$fine <- cut(d$nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE) # nobody below 1 has had chemotherapy
cox <- function(...) { more <- list(...); function(id, d, formula) do.call(cox_gold, c(list(id, d, formula), more)) }
glm_of <- function(family, ...) { more <- list(...); function(id, d, formula) do.call(glm_gold, c(list(id, d, family, formula), more)) }
weighed <- within(d, .iptw <- iptw(d, "chemo ~ age + nodes", stabilised = TRUE)$weight)
small <- d[d$size != ">50", ]
os <- "Surv(dtime, death) ~ chemo + age"

gold("rotterdam.subgroups", c(
  list(cox_gold("os", d, os, zph = "km", baseline = TRUE)),
  subgroup("os", cox(), d, os, "chemo", "chemoTRUE", "size", "death"),
  subgroup("os", cox(), d, os, "chemo", "chemoTRUE", "meno", "death"),
  subgroup("os", cox(), d, os, "chemo", "chemoTRUE", "node_group", "death"),
  subgroup("levels", cox(ties = "breslow", conf = 0.9), d, "Surv(rtime, recur) ~ node_group + strata(chemo, shortlabel = FALSE)", "node_group",
           c("node_group(3,9]", "node_group(9,100]"), "meno", "recur"),
  subgroup("empty", cox(), d, os, "chemo", "chemoTRUE", "fine", "death"),
  subgroup("full", cox(), d[d$chemo | d$size != "<=20", ], os, "chemo", "chemoTRUE", "size", "death"),
  subgroup("strata", cox(), d, "Surv(dtime, death) ~ hormon + strata(grade, shortlabel = FALSE) + age", "hormon", "hormonTRUE", "grade", "death"),
  subgroup("weights", cox(weights = "share", robust = TRUE), d, "Surv(dtime, death) ~ hormon + age + size", "hormon", "hormonTRUE", "size", "death"),
  subgroup("iptw", cox(weights = ".iptw", robust = TRUE), weighed, "Surv(dtime, death) ~ chemo", "chemo", "chemoTRUE", "size", "death"),
  subgroup("number", glm_of(binomial()), d, "death ~ age + meno + size", "age", "age", "grade", "death"),
  subgroup("number", glm_of(binomial()), d, "death ~ age + meno + size", "age", "age", "size", "death"),
  subgroup("gauss", glm_of(gaussian(), conf = 0.99), d, "log(er + 1) ~ size + age", "size", c("size20-50", "size>50"), "meno"),
  subgroup("robust", glm_of(binomial(), robust = TRUE), d, "death ~ chemo + age", "chemo", "chemoTRUE", "grade", "death"),
  subgroup("count", glm_of(poisson()), day, "death ~ hormon + offset(log(dtime))", "hormon", "hormonTRUE", "size"),
  subgroup("dropped", glm_of(binomial()), small, "death ~ hormon", "hormon", "hormonTRUE", "size", "death")))

# The weights of an analysis are of its own rows: those of `iptw` need no arm, those of `iptw-arm` do.
e <- edge()
weigh <- function(d) within(d, .iptw <- iptw(d, "sex ~ time")$weight)
armed <- weigh(e[!is.na(e$arm), ])
as_if <- function(gold, n_missing) { gold$n_missing <- n_missing; gold$result$aic <- "*"; gold }
gold("edge.subgroups", c(
  subgroup("missing", glm_of(gaussian()), e, "time ~ sex", "sex", "sexTRUE", "arm"),
  list(as_if(glm_gold("iptw", weigh(e), gaussian(), "time ~ sex", weights = ".iptw"), 0)),
  lapply(subgroup("iptw", glm_of(gaussian(), weights = ".iptw"), armed, "time ~ sex", "sex", "sexTRUE", "arm"), as_if, sum(is.na(e$arm))),
  subgroup("cox", cox(), e, "Surv(time, dead) ~ sex", "sex", "sexTRUE", "arm", "dead")))
