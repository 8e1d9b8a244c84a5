#' Build a study
#'
#' `study()` says what a study is, `define()` adds variables, and one verb for each method adds what is asked:
#' [km()], [cox()], [describe()] ... Nothing is sent before [maille_run()]. `format()` gives the study file, in
#' YAML, that every party signs and logs; `write_study()` writes it.
#'
#' Conditions and expressions are one-sided formulas (`~ age >= 18 & year >= 1980`) or texts.
#'
#' @param id name of the study: letters, digits, `-` and `_`.
#' @param dictionary the network's data dictionary that it is written in: `"rotterdam@1"`.
#' @param purpose a purpose code that the network lists.
#' @param legal_basis legal basis, kept in every log entry.
#' @param expires the last day on which a site answers, a `Date` or `"YYYY-MM-DD"`.
#' @param title,protocol one line for people; reference of the registered protocol.
#' @param cohort condition that every patient of the study meets.
#' @param grid survival times are told as multiples of this.
#' @param missing complete rows of each analysis (`"analysis"`), or of all models together (`"study"`).
#' @param sites names of the sites to ask; `NULL`: all.
#' @return An object of class `maille_study`.
#' @examples
#' first <- study("first-look", "rotterdam@1", purpose = "research-public-interest",
#'                legal_basis = "MR-004", expires = "2027-12-31",
#'                cohort = ~ age >= 18 & year >= 1980) |>
#'   define(node_group = ~ cut(nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)) |>
#'   km(Surv(dtime, death) ~ chemo, id = "os") |>
#'   cox(Surv(dtime, death) ~ age + size + chemo + strata(site))
#' first
#' @export
study <- function(id, dictionary, purpose, legal_basis, expires, title = NULL, protocol = NULL, cohort = NULL,
                  grid = NULL, missing = NULL, sites = NULL) {
  head <- list(study = id, dictionary = dictionary, title = title, purpose = purpose, legal_basis = legal_basis,
               protocol = protocol, expires = as.Date(expires),
               sites = if (!is.null(sites) && !identical(sites, "all")) I(as.character(sites)),
               cohort = if (!is.null(cohort)) text_of(cohort), grid = grid, missing = missing)
  structure(list(head = Filter(Negate(is.null), head), derive = list(), analyses = list()), class = "maille_study")
}

check_study <- function(study) {
  if (!inherits(study, "maille_study")) {
    stop("expected a study as study() makes it, found ", class(study)[1], call. = FALSE)
  }
  study
}

#' @rdname study
#' @param study what `study()` made.
#' @param ... `define()`: `name = ~ expression`, a later one may use an earlier one.
#' @export
define <- function(study, ...) {
  check_study(study)
  new <- list(...)
  if (length(new) == 0 || is.null(names(new)) || any(!nzchar(names(new)))) {
    stop("expected name = ~ expression, found no name")
  }
  study$derive <- c(study$derive, lapply(new, text_of))
  study
}

#' @rdname study
#' @param x a study.
#' @export
format.maille_study <- function(x, ...) {
  line <- function(name, value) paste0(name, ": ", yaml_value(value))
  c(mapply(line, names(x$head), x$head, USE.NAMES = FALSE),
    if (length(x$derive) > 0) c("derive:", paste0("  ", mapply(line, names(x$derive), x$derive, USE.NAMES = FALSE))),
    "analyses:", vapply(x$analyses, function(a) paste0("  - ", yaml_value(a)), ""))
}

#' @export
as.character.maille_study <- function(x, ...) paste0(paste(format(x), collapse = "\n"), "\n")

#' @export
print.maille_study <- function(x, ...) {
  cat(as.character(x))
  invisible(x)
}

#' @rdname study
#' @param file where to write.
#' @export
write_study <- function(study, file) {
  out <- file(file, "wb")
  on.exit(close(out))
  writeLines(format(check_study(study)), out, useBytes = TRUE)
  invisible(file)
}

# Keys that are lists even with one value.
LISTS <- c("variables", "probs", "breaks", "truncate", "times", "grace", "subgroups", "controls")

#' Ask for an analysis by the name of its method
#'
#' What every verb does; for methods that this package has no verb for yet. `maille schema methods` lists the methods
#' of the program and their keys.
#'
#' @param study what [study()] made.
#' @param method name of the method.
#' @param id name of the analysis; the method where absent, with a number behind it the second time.
#' @param cohort a further condition, beside the study's.
#' @param by names of categories: one result for each combination.
#' @param weights name of a variable, or [iptw()].
#' @param conf_level level of the confidence limits.
#' @param ... keys of the method.
#' @return The study with the analysis added.
#' @examples
#' s <- study("s", "rotterdam@1", "research-public-interest", "MR-004", "2027-12-31")
#' ask(s, "km", formula = Surv(dtime, death) ~ 1, conf_type = "log-log")
#' @export
ask <- function(study, method, id = NULL, ..., cohort = NULL, by = NULL, weights = NULL, conf_level = NULL) {
  check_study(study)
  taken <- vapply(study$analyses, function(a) a$id, "")
  if (is.null(id)) {
    id <- method
    for (n in seq_along(taken)) if (id %in% taken) id <- paste0(method, "-", n + 1)
  }
  if (id %in% taken) stop("expected each id once, found \"", id, "\" again")
  keys <- Filter(Negate(is.null), list(...))
  for (name in intersect(names(keys), LISTS)) {
    keys[[name]] <- I(if (name %in% c("variables", "subgroups", "controls")) names_of(keys[[name]]) else as.numeric(keys[[name]]))
  }
  for (name in intersect(names(keys), c("variable", "treatment", "start"))) keys[[name]] <- names_of(keys[[name]])
  analysis <- c(list(id = id, method = method), keys,
                list(cohort = if (!is.null(cohort)) text_of(cohort), by = if (!is.null(by)) names_of(by),
                     weights = if (is.list(weights) || is.null(weights)) weights else names_of(weights),
                     conf_level = conf_level))
  study$analyses <- c(study$analyses, list(Filter(Negate(is.null), analysis)))
  study
}

#' Inverse probability of treatment weights
#'
#' @param formula `treatment ~ covariates`.
#' @param estimand `"ate"`: effect in everybody; `"att"`: in the treated.
#' @param stabilised weights times the share of the treatment, with `"ate"`.
#' @param truncate two quantiles of the propensity to which it is cut.
#' @return For the argument `weights`.
#' @examples
#' iptw(hormon ~ age + size, stabilised = TRUE, truncate = c(0.01, 0.99))
#' @export
iptw <- function(formula, estimand = NULL, stabilised = NULL, truncate = NULL) {
  Filter(Negate(is.null), list(iptw = text_of(formula), estimand = estimand, stabilised = stabilised,
                               truncate = if (!is.null(truncate)) I(truncate)))
}

#' Survival analyses
#'
#' @inheritParams ask
#' @param formula the model as in R: `Surv(time, event) ~ x + strata(z)`, `Surv(start, stop, event)` for delayed
#'   entry, `strata(site)` for each site's own risk sets. In `cuminc()` and `fine_gray()` the event is a category
#'   whose first level is censoring.
#' @param conf_type `"log"`, `"log-log"` or `"plain"`, as in `survival::survfit()`.
#' @param tau end of the restricted mean survival time, in the units of the time variable.
#' @param times `km()`: where survival is given, and compared between curves. `cox()`: the times of `adjusted`.
#'   `emulation()`: ends of the rows of the life table, behind the grace period; `tau` is one of them.
#' @param treatment,start,grace `emulation()`: has it ever started, a boolean; when, in the units of the time; ends of the
#'   steps of the grace period within which one strategy starts it and the other does not, the last is its end.
#' @param landmark a time: who is still followed then without the event is in the analysis, and time counts from it.
#' @param reverse censoring is the event: the curve of the follow-up.
#' @param rho `logrank()`: 0 log-rank, 1 Peto and Peto. `cuminc()`: Gray's test weighs a time by this power of 1 - F.
#' @param trend also the test for trend.
#' @param ties `"efron"` or `"breslow"`.
#' @param robust robust standard errors.
#' @param zph test of proportional hazards: `TRUE`, or of `"km"` and `"identity"`.
#' @param baseline also the baseline cumulative hazard.
#' @param subgroups categories in whose levels the effect of the first term is given, each an analysis more.
#' @param adjusted a category or boolean of the formula: mean survival at `times` were everybody in each of its levels.
#' @param cause the level whose subdistribution is modelled.
#' @return The study with the analysis added.
#' @examples
#' study("s", "rotterdam@1", "research-public-interest", "MR-004", "2027-12-31") |>
#'   km(Surv(dtime, death) ~ chemo, id = "os", tau = 3652.5) |>
#'   logrank(Surv(dtime, death) ~ chemo) |>
#'   cox(Surv(dtime, death) ~ age + size + chemo, zph = TRUE)
#' @name survival-verbs
NULL

#' @rdname survival-verbs
#' @export
km <- function(study, formula, id = NULL, conf_type = NULL, tau = NULL, times = NULL, reverse = NULL, landmark = NULL,
               cohort = NULL, weights = NULL,
               conf_level = NULL) {
  ask(study, "km", id, formula = formula, conf_type = conf_type, tau = tau, times = times, reverse = reverse,
      landmark = landmark, cohort = cohort,
      weights = weights, conf_level = conf_level)
}

#' @rdname survival-verbs
#' @export
emulation <- function(study, formula, treatment, start, grace, times, id = NULL, tau = NULL, cohort = NULL,
                      conf_level = NULL) {
  ask(study, "emulation", id, formula = formula, treatment = treatment, start = start, grace = grace, times = times,
      tau = tau, cohort = cohort, conf_level = conf_level)
}

#' @rdname survival-verbs
#' @export
logrank <- function(study, formula, id = NULL, rho = NULL, trend = NULL, landmark = NULL, cohort = NULL) {
  ask(study, "logrank", id, formula = formula, rho = rho, trend = trend, landmark = landmark, cohort = cohort)
}

#' @rdname survival-verbs
#' @export
cox <- function(study, formula, id = NULL, ties = NULL, robust = NULL, zph = NULL, baseline = NULL, subgroups = NULL,
                adjusted = NULL, times = NULL, landmark = NULL, cohort = NULL, weights = NULL, conf_level = NULL) {
  ask(study, "cox", id, formula = formula, ties = ties, robust = robust, zph = if (is.character(zph)) I(zph) else zph,
      baseline = baseline, subgroups = subgroups, adjusted = adjusted, times = times, landmark = landmark,
      cohort = cohort, weights = weights,
      conf_level = conf_level)
}

#' @rdname survival-verbs
#' @export
cuminc <- function(study, formula, id = NULL, rho = NULL, landmark = NULL, cohort = NULL, conf_level = NULL) {
  ask(study, "cuminc", id, formula = formula, rho = rho, landmark = landmark, cohort = cohort, conf_level = conf_level)
}

#' @rdname survival-verbs
#' @export
fine_gray <- function(study, formula, cause, id = NULL, landmark = NULL, cohort = NULL, conf_level = NULL) {
  ask(study, "finegray", id, formula = formula, cause = cause, landmark = landmark, cohort = cohort, conf_level = conf_level)
}

#' Tables, tests and models
#'
#' `quantile()` and `anova()` are methods of R's own generics; `count_by()` and `fit_glm()` are the methods `count` and
#' `glm` under names that hide nothing of R's.
#'
#' @inheritParams ask
#' @param variables,variable,treatment names of variables: `c("age", "size")` or `~ age + size`. `smd()`: `treatment`
#'   are the arms. `gformula()`: the category of the formula in whose levels everybody is put.
#' @param formula `y ~ g` (`ttest()`, `anova()`), or a model as in R (`fit_glm()`, `gformula()`).
#' @param family `"gaussian"`, `"binomial"` or (not in `gformula()`) `"poisson"`.
#' @param robust robust standard errors.
#' @param subgroups categories in whose levels the effect of the first term is given, each an analysis more.
#' @param statistics `table1()`, of numbers: `"median"` with quartiles, `"mean"` with the standard deviation, or `"both"`.
#' @param overall also a column of all patients.
#' @param smd,p standardised differences between two groups; a test of each variable between the groups.
#' @param probs probabilities.
#' @param criteria booleans that a patient must meet, in the order in which they are asked.
#' @param breaks,width edges of the bars, or their width.
#' @param var_equal one variance for all groups.
#' @param model `meta()`: what each site fits, `list(method = "cox", formula = Surv(dtime, death) ~ age)`.
#' @param term the coefficient that is combined or looked at, as R names it.
#' @param analysis,controls `negative_controls()`: the id of the analysis whose effect is looked at; ids of analyses by the same
#'   method with outcomes that the treatment cannot change.
#' @param x,object the study.
#' @param ... nothing.
#' @return The study with the analysis added.
#' @examples
#' study("s", "rotterdam@1", "research-public-interest", "MR-004", "2027-12-31") |>
#'   table1(~ age + size + nodes, by = "chemo", smd = TRUE) |>
#'   quantile("pgr", probs = c(0.25, 0.5, 0.75)) |>
#'   crosstab(c("grade", "size")) |>
#'   fit_glm(death ~ age + log(nodes + 1), family = "binomial")
#' @name table-verbs
NULL

#' @rdname table-verbs
#' @export
count_by <- function(study, variables = NULL, id = NULL, by = NULL, cohort = NULL) {
  ask(study, "count", id, variables = variables, by = by, cohort = cohort)
}

#' @rdname table-verbs
#' @export
describe <- function(study, variables, id = NULL, by = NULL, cohort = NULL, weights = NULL) {
  ask(study, "describe", id, variables = variables, by = by, cohort = cohort, weights = weights)
}

#' @rdname table-verbs
#' @export
table1 <- function(study, variables, id = NULL, by = NULL, statistics = NULL, overall = NULL, smd = NULL, p = NULL, cohort = NULL) {
  ask(study, "table1", id, variables = variables, by = by, statistics = statistics, overall = overall, smd = smd, p = p,
      cohort = cohort)
}

#' @rdname table-verbs
#' @export
quantile.maille_study <- function(x, variable, probs = c(0.25, 0.5, 0.75), id = NULL, by = NULL, cohort = NULL, ...) {
  ask(x, "quantile", id, variable = variable, probs = probs, by = by, cohort = cohort)
}

#' @rdname table-verbs
#' @export
histogram <- function(study, variable, id = NULL, breaks = NULL, width = NULL, by = NULL, cohort = NULL) {
  ask(study, "histogram", id, variable = variable, breaks = breaks, width = width, by = by, cohort = cohort)
}

#' @rdname table-verbs
#' @export
crosstab <- function(study, variables, id = NULL, cohort = NULL) {
  ask(study, "crosstab", id, variables = variables, cohort = cohort)
}

#' @rdname table-verbs
#' @export
attrition <- function(study, criteria, id = NULL, by = NULL, cohort = NULL) {
  ask(study, "attrition", id, criteria = criteria, by = by, cohort = cohort)
}

#' @rdname table-verbs
#' @export
pathways <- function(study, variables, id = NULL, by = NULL, cohort = NULL) {
  ask(study, "pathways", id, variables = variables, by = by, cohort = cohort)
}

#' @rdname table-verbs
#' @export
ttest <- function(study, formula, id = NULL, var_equal = NULL, cohort = NULL, conf_level = NULL) {
  ask(study, "ttest", id, formula = formula, var_equal = var_equal, cohort = cohort, conf_level = conf_level)
}

#' @rdname table-verbs
#' @export
anova.maille_study <- function(object, formula, id = NULL, var_equal = NULL, cohort = NULL, ...) {
  ask(object, "anova", id, formula = formula, var_equal = var_equal, cohort = cohort)
}

#' @rdname table-verbs
#' @export
correlation <- function(study, variables, id = NULL, cohort = NULL) {
  ask(study, "correlation", id, variables = variables, cohort = cohort)
}

#' @rdname table-verbs
#' @export
fit_glm <- function(study, formula, family = "gaussian", id = NULL, robust = NULL, subgroups = NULL, cohort = NULL,
                    weights = NULL, conf_level = NULL) {
  ask(study, "glm", id, family = family, formula = formula, robust = robust, subgroups = subgroups, cohort = cohort,
      weights = weights, conf_level = conf_level)
}

#' @rdname table-verbs
#' @export
gformula <- function(study, formula, treatment, family = "gaussian", id = NULL, cohort = NULL, conf_level = NULL) {
  ask(study, "gformula", id, family = family, formula = formula, treatment = treatment, cohort = cohort, conf_level = conf_level)
}

#' @rdname table-verbs
#' @export
smd <- function(study, treatment, variables, id = NULL, cohort = NULL, weights = NULL) {
  ask(study, "smd", id, treatment = treatment, variables = variables, cohort = cohort, weights = weights)
}

#' @rdname table-verbs
#' @export
meta <- function(study, model, term, id = NULL, cohort = NULL, conf_level = NULL) {
  ask(study, "meta", id, model = model, term = term, cohort = cohort, conf_level = conf_level)
}

#' @rdname table-verbs
#' @export
negative_controls <- function(study, analysis, controls, term, id = NULL, conf_level = NULL) {
  ask(study, "negative_controls", id, analysis = analysis, controls = controls, term = term, conf_level = conf_level)
}
