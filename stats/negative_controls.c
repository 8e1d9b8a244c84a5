/* negative_controls: the effect of a treatment beside what the same model finds where there is no effect, and
 * calibrated by it (M. Lipsitch and others, Epidemiology 2010;21:383; M. J. Schuemie and others, Statistics
 * in Medicine 2014;33:209).
 *
 * Control i is another analysis of the study whose outcome the treatment cannot change; y_i is its estimate
 * of the term and s_i the standard error. Systematic error is normal, y_i ~ N(μ, σ² + s_i²), with μ and σ of
 * greatest likelihood. The calibrated estimate of the analysis is y − μ, its standard error √(s² + σ²): of an
 * effect that is none exactly, of others where the error does not depend on the effect (Schuemie and others,
 * PNAS 2018;115:2571).
 *
 * Nothing is tallied but how many patients the analysis has: the numbers are those that the other analyses
 * tell. It ends when they have. R's counterpart: EmpiricalCalibration::fitNull and calibrateP; μ and σ are
 * those of metafor::rma(method = "ML"). */
#include <math.h>
#include <string.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/arithmetic.h"
#include "stats/design.h"
#include "stats/groups.h"
#include "stats/methods.h"
#include "stats/round.h"
#include "stats/wording.h"
#include "tally/elementary.h"

enum { KEY_OF, KEY_CONTROLS, KEY_TERM };
/* With fewer, nothing can be said of a spread. */
enum { CONTROLS_MIN = 5, CONTROLS_MAX = 100 };

static const struct query_key keys[] = {
    [KEY_OF] = {.name = "analysis",
                .kind = KEY_ANALYSIS,
                .required = true,
                .n_min = 1,
                .n_max = 1,
                .sentence = "The analysis whose effect is looked at: its id. A glm, cox or finegray."},
    [KEY_CONTROLS] = {.name = "controls",
                      .kind = KEY_ANALYSES,
                      .required = true,
                      .n_min = 1,
                      .n_max = CONTROLS_MAX,
                      .sentence =
                          "Ids of analyses by the same method with outcomes that the treatment cannot "
                          "change."},
    [KEY_TERM] = {.name = "term",
                  .kind = KEY_TEXT,
                  .required = true,
                  .sentence = "The coefficient of the treatment, as R names it: chemoTRUE."},
};

/* --- reading --- */

static const struct analysis *subject(const struct analysis *analysis)
{
    return analysis->values[KEY_OF].model;
}

static bool has_terms(const struct analysis *analysis)
{
    return strcmp(analysis->method, "glm") == 0 || strcmp(analysis->method, "cox") == 0 ||
           strcmp(analysis->method, "finegray") == 0;
}

/* Are the effects of both on one scale? */
static bool is_alike(const struct analysis *a, const struct analysis *b)
{
    return strcmp(a->method, b->method) == 0 &&
           (strcmp(a->method, "glm") != 0 ||
            analysis_value(a, "family")->choice == analysis_value(b, "family")->choice);
}

/* MAILLE_INVALID: the model of an analysis has no such coefficient. */
static enum maille_code check_term(const struct analysis *of, const char *term, struct arena *arena,
                                   struct maille_error *error)
{
    const struct design *design = NULL;
    enum maille_code code = design_build(&design, arena, analysis_value(of, "formula")->formula, true, error);
    if (code != MAILLE_OK)
        return code == MAILLE_FAILED ? MAILLE_OK : code; /* its own plan says so */
    for (size_t j = 1; j < design->n_columns; j++)
        if (strcmp(design->columns[j].label, term) == 0)
            return MAILLE_OK;
    return maille_fail(error, MAILLE_INVALID,
                       "expected as `term` a coefficient of `%s` as R names it, such as `%s`, found `%s`",
                       of->id,
                       design->n_columns > 1 ? design->columns[design->n_columns - 1].label : "(none)", term);
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct query_value *controls = &analysis->values[KEY_CONTROLS];
    const struct analysis *of = subject(analysis);
    const char *term = analysis->values[KEY_TERM].names[0];
    if (!has_terms(of)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected as `analysis` one by glm, cox or finegray, found `%s` by %s", of->id,
                           of->method);
        goto out;
    }
    if (analysis->has_cohort) {
        code = maille_fail(error, MAILLE_INVALID, "expected no `cohort`: it is that of `%s`; remove it here",
                           of->id);
        goto out;
    }
    MAILLE_TRY(check_term(of, term, arena, error));
    for (size_t i = 0; i < controls->n; i++) {
        if (controls->analyses[i] == of || !is_alike(of, controls->analyses[i])) {
            code = maille_fail(error, MAILLE_INVALID,
                               "expected as `controls` other analyses by the method and family of `%s`, "
                               "found `%s`",
                               of->id, controls->names[i]);
            goto out;
        }
        MAILLE_TRY(check_term(controls->analyses[i], term, arena, error));
    }
out:
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

/* --- head counts and plan --- */

/* The patients of the analysis, and no more: what is told of them it tells. */
static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct cells *all = arena_alloc(arena, sizeof *all);
    enum maille_code code =
        method_find(subject(analysis)->method)->cells(subject(analysis), arena, all, error);
    if (code != MAILLE_OK)
        return code;
    out->spec.survival = all->spec.survival;
    out->axis = all->axis;
    for (size_t b = 0; b < CELLS_OWN; b++) {
        out->spec.blocks[b] = all->spec.blocks[b];
        out->rules[b] = all->rules[b];
    }
    out->spec.n_blocks = CELLS_OWN;
    return MAILLE_OK;
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct cells *own = arena_alloc(arena, sizeof *own);
    (void)surviving;
    if (theta->n != 0)
        return maille_fail(error, MAILLE_INVALID, "expected no parameters of negative controls, found some");
    MAILLE_TRY(cells(analysis, arena, own, error));
    const struct cohort_rows cohort = {.rows = own->spec.blocks[CELLS_COHORT].filter,
                                       .missing = own->spec.blocks[CELLS_MISSING].filter};
    spec->survival = own->spec.survival;
    MAILLE_TRY(groups_cohort_tally(spec, &cohort, error));
    MAILLE_TRY(groups_tally(spec, &guard_cohort, cohort.rows, NULL, error));
out:
    return code;
}

/* --- systematic error --- */

struct estimate {
    double value, std_error;
};

struct systematic {
    double mean, variance;
};

/* Of greatest likelihood where the variance is given: Σwy/Σw, w = 1/(s² + variance). */
static double mean_at(const struct estimate *controls, size_t n, double variance)
{
    double w = 0, wy = 0;
    for (size_t i = 0; i < n; i++) {
        const double weight = 1 / (controls[i].std_error * controls[i].std_error + variance);
        w += weight;
        wy += weight * controls[i].value;
    }
    return wy / w;
}

/* The profile likelihood of a variance, and (slope) how it grows. */
static double likelihood_at(double *slope, const struct estimate *controls, size_t n, double variance)
{
    const double mean = mean_at(controls, n, variance);
    double sum = 0;
    *slope = 0;
    for (size_t i = 0; i < n; i++) {
        const double all = controls[i].std_error * controls[i].std_error + variance,
                     square = (controls[i].value - mean) * (controls[i].value - mean);
        sum -= (elementary_log(all) + square / all) / 2;
        *slope += (square / all - 1) / (2 * all);
    }
    return sum;
}

/* The greatest of a grid, and the maximum beside it by bisection of the slope. It lies below (max y − min
 * y)², where each term of the slope is negative. */
static struct systematic systematic_of(const struct estimate *controls, size_t n)
{
    enum { GRID = 512, HALVINGS = 200 };
    double low = INFINITY, high = -INFINITY, best = -INFINITY, slope;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        low = fmin(low, controls[i].value);
        high = fmax(high, controls[i].value);
    }
    const double step = (high - low) / GRID; /* of the standard deviation */
    for (size_t g = 0; g <= GRID; g++) {
        const double found = likelihood_at(&slope, controls, n, (double)g * step * ((double)g * step));
        if (found > best) {
            best = found;
            at = g;
        }
    }
    const double from = at == 0 ? 0 : (double)(at - 1) * step, to = (double)(at + 1) * step;
    double below = from * from, above = to * to;
    (void)likelihood_at(&slope, controls, n, below);
    if (at == 0 && slope <= 0)
        above = 0;
    for (size_t i = 0; i < HALVINGS && below < above; i++) {
        const double middle = below + (above - below) / 2;
        (void)likelihood_at(&slope, controls, n, middle);
        if (slope > 0)
            below = middle;
        else
            above = middle;
    }
    return (struct systematic){mean_at(controls, n, above), above};
}

/* --- step --- */

/* Where an analysis of the study stands; NULL: it is not in this run. */
static const struct analysis_state *state_of(const struct study_run *run, const struct analysis *of)
{
    for (size_t k = 0; k < run->study->n_analyses; k++)
        if (strcmp(run->study->analyses[k].id, of->id) == 0)
            return &run->states[k];
    return NULL;
}

/* Its coefficient; NULL: it has none that is known. */
static const struct result *term_of(const struct analysis_state *state, const char *term)
{
    const struct result *terms =
        state == NULL || state->status != ANALYSIS_OK ? NULL : result_get(state->outcome.result, "terms");
    for (size_t i = 0; terms != NULL && terms->kind == RESULT_LIST && i < terms->n; i++)
        if (result_same(result_text(terms->items[i], "term"), term) &&
            result_number(terms->items[i], "std_error") > 0)
            return terms->items[i];
    return NULL;
}

/* Its error is the robust one where it has one. */
static struct estimate estimate_of(const struct result *term)
{
    const double robust = result_number(term, "robust_se");
    return (struct estimate){result_number(term, "estimate"),
                             robust > 0 ? robust : result_number(term, "std_error")};
}

static void add_row(struct result *rows, const char *name, struct estimate estimate, double z)
{
    const double statistic = estimate.value / estimate.std_error, half = z * estimate.std_error;
    struct result *row = result_add_object(rows, NULL);
    result_add_string(row, "term", name);
    result_add_number(row, "estimate", estimate.value);
    result_add_number(row, "std_error", estimate.std_error);
    result_add_number(row, "statistic", statistic);
    result_add_number(row, "p_value", 2 * pnorm5(-fabs(statistic), 0, 1, 1, 0));
    result_add_number(row, "conf_low", estimate.value - half);
    result_add_number(row, "conf_high", estimate.value + half);
}

/* The controls that came to an estimate, and their rows. */
static size_t read_controls(struct estimate *estimates, const struct analysis *analysis,
                            const struct iteration *iteration, struct outcome *outcome, double z,
                            struct result *rows)
{
    const struct query_value *controls = &analysis->values[KEY_CONTROLS];
    size_t n = 0;
    for (size_t i = 0; i < controls->n; i++) {
        const struct result *term =
            term_of(state_of(iteration->run, controls->analyses[i]), analysis->values[KEY_TERM].names[0]);
        if (term == NULL) {
            wording_warn(outcome, "the control `%s` has no estimate and is left out", controls->names[i]);
            continue;
        }
        estimates[n] = estimate_of(term);
        add_row(rows, controls->names[i], estimates[n++], z);
    }
    return n;
}

static void add_systematic(struct result *result, const struct systematic *error, size_t n)
{
    struct result *object = result_add_object(result, "systematic_error");
    result_add_integer(object, "controls", (int64_t)n);
    result_add_number(object, "mean", error == NULL ? NAN : error->mean);
    result_add_number(object, "sd", error == NULL ? NAN : sqrt(error->variance));
}

/* What the effects are: as the analysis says it (ties, family, link). */
static void add_scale(struct result *result, const struct result *of)
{
    static const char *const names[] = {"family", "link", "ties"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (result_get(of, names[i]) != NULL)
            result_add_same(result, names[i], of);
}

static enum maille_code report(const struct analysis *analysis, const struct iteration *iteration,
                               struct outcome *outcome, struct maille_error *error)
{
    const struct analysis *of = subject(analysis);
    const struct analysis_state *state = state_of(iteration->run, of);
    const struct result *term = term_of(state, analysis->values[KEY_TERM].names[0]);
    const double z = -arithmetic_normal_quantile((1 - analysis->conf_level) / 2);
    if (term == NULL)
        return maille_fail(error, MAILLE_FAILED, "expected an estimate of `%s` in `%s`, found none there",
                           analysis->values[KEY_TERM].names[0], of->id);
    struct estimate *estimates =
        arena_array(outcome->arena, analysis->values[KEY_CONTROLS].n, sizeof *estimates);
    const struct estimate own = estimate_of(term);
    outcome->n_event = state->outcome.n_event;
    result_add_string(outcome->result, "model", of->method);
    add_scale(outcome->result, state->outcome.result);
    struct result *rows = result_add_list(outcome->result, "terms");
    const size_t n = read_controls(estimates, analysis, iteration, outcome, z, rows);
    add_row(rows, of->id, own, z);
    if (n < CONTROLS_MIN) {
        add_systematic(outcome->result, NULL, n);
        wording_warn(outcome, "%zu controls have an estimate: nothing is calibrated by fewer than %d of them",
                     n, CONTROLS_MIN);
        return MAILLE_OK;
    }
    const struct systematic systematic = systematic_of(estimates, n);
    add_row(rows, arena_printf(outcome->arena, "%s, calibrated", of->id),
            (struct estimate){own.value - systematic.mean,
                              sqrt(own.std_error * own.std_error + systematic.variance)},
            z);
    add_systematic(outcome->result, &systematic, n);
    return MAILLE_OK;
}

static bool is_open(const struct study_run *run, const struct analysis *of)
{
    const struct analysis_state *state = state_of(run, of);
    return state != NULL && state->status == ANALYSIS_OPEN;
}

/* Has one of those that it reads not ended? */
static bool waits(const struct study_run *run, const struct analysis *analysis)
{
    const struct query_value *controls = &analysis->values[KEY_CONTROLS];
    bool open = is_open(run, subject(analysis));
    for (size_t i = 0; i < controls->n; i++)
        open = open || is_open(run, controls->analyses[i]);
    return open;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    if (waits(iteration->run, analysis))
        return MAILLE_OK;
    groups_cohort_read(outcome, totals, 0, iteration->surviving);
    outcome->n = totals_count(totals, 1, 0);
    *done = true;
    return report(analysis, iteration, outcome, error);
}

extern const struct method method_negative_controls;
const struct method method_negative_controls = {
    .declared = {.name = "negative_controls", .keys = keys, .n_keys = sizeof keys / sizeof *keys},
    .version = 1,
    .words = {.name = "Negative controls",
              .sentence = "The same model for outcomes that the treatment cannot change; systematic error is "
                          "normal over these, and the effect is calibrated by it.",
              .r = "EmpiricalCalibration::fitNull(), metafor::rma(method = \"ML\")",
              .source = "Schuemie and others, Statistics in Medicine 2014;33:209"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
