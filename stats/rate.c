/* rate: events per time at risk, one rate per group, with exact limits; standardised to given weights of the
 * levels of a variable, and as a ratio to what given rates of these levels lead to expect.
 *
 * One round. Per group: rows and Σ time at risk T (stop − start), events d. Per group and level k of
 * `standardise`: the same, T_k and d_k. Times are used as recorded: the study's grid is for curves, and a sum
 * over a group shows no single time.
 *   rate            d/T, limits of a Poisson count over T: χ²(α/2; 2d)/(2T), 0 where d is 0, and
 *                   χ²(1 − α/2; 2d + 2)/(2T)  (Garwood, Biometrika 1936;28:437)
 *   standardised    y = Σ w_k·d_k/T_k with Σ w_k = 1, v = Σ w_k²·d_k/T_k², m = max w_k/T_k:
 *                   v/(2y)·χ²(α/2; 2y²/v) and (v + m²)/(2(y + m))·χ²(1 − α/2; 2(y + m)²/(v + m²))
 *                   (gamma limits: Fay and Feuer, Stat Med 1997;16:791)
 *   SIR             d/E, E = Σ r_k·T_k, with Garwood's limits over E */
#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/followup.h"
#include "stats/wording.h"

enum { KEY_RATE_FORMULA, KEY_RATE_PER, KEY_RATE_STANDARDISE, KEY_RATE_STANDARD, KEY_RATE_REFERENCE };
enum { LEVELS_MAX = 200 };

static const struct query_key keys[] = {
    [KEY_RATE_FORMULA] = {.name = "formula",
                          .kind = KEY_FORMULA,
                          .required = true,
                          .sentence = "Surv(time, event) ~ the categories that make the groups, or 1."},
    [KEY_RATE_PER] = {.name = "per",
                      .kind = KEY_NUMBER,
                      .min = 1e-6,
                      .max = 1e9,
                      .fallback = 1,
                      .sentence =
                          "Time at risk that rates are given for, in the units of the time: 36525 for "
                          "100 years of days."},
    [KEY_RATE_STANDARDISE] = {.name = "standardise",
                              .kind = KEY_VARIABLE,
                              .sentence =
                                  "A category, such as age in groups, that rates are standardised for."},
    [KEY_RATE_STANDARD] = {.name = "standard",
                           .kind = KEY_NUMBERS,
                           .min = 0,
                           .max = 1e12,
                           .n_min = 1,
                           .n_max = LEVELS_MAX,
                           .sentence = "The weight of each level of `standardise` in a standard population."},
    [KEY_RATE_REFERENCE] =
        {.name = "reference",
         .kind = KEY_NUMBERS,
         .min = 0,
         .max = 1e12,
         .n_min = 1,
         .n_max = LEVELS_MAX,
         .sentence = "The rate of each level of `standardise` that events are expected by, in `per`."},
};

/* Levels are there with `standardise`, their events with `standard`. */
enum { BLOCK_MISSING, BLOCK_TIME, BLOCK_EVENTS, BLOCK_LEVEL_TIME, BLOCK_LEVEL_EVENTS };
enum { CELLS_GROUPS = CELLS_OWN, CELLS_EVENTS, CELLS_ALL_EVENTS, CELLS_LEVELS, CELLS_LEVEL_EVENTS };

struct rate {
    struct groups groups;
    struct cohort_rows cohort;
    const struct expression *time;  /* NUMBER: at risk */
    const struct expression *event; /* BOOLEAN: rows that count, with an event */
    double middle, half;            /* time = middle + half·t, |t| ≤ 1 */
    double per;
    const struct expression *level; /* CODE; NULL: nothing is standardised */
    size_t n_levels;
    const double *standard, *reference; /* n_levels each; NULL: not asked for */
};

/* One number a level; *numbers stays NULL where the key is not there. */
static enum maille_code level_numbers(const double **numbers, const struct rate *rate,
                                      const struct analysis *analysis, size_t key, struct maille_error *error)
{
    const struct query_value *value = &analysis->values[key];
    double sum = 0;
    if (!value->present)
        return MAILLE_OK;
    for (size_t k = 0; k < value->n; k++)
        sum += value->numbers[k];
    if (value->n != rate->n_levels || !(sum > 0))
        return maille_fail(
            error, MAILLE_INVALID,
            "expected in `%s` a number for each of the %zu levels of `standardise`, not all 0, "
            "found %zu",
            keys[key].name, rate->n_levels, value->n);
    *numbers = value->numbers;
    return MAILLE_OK;
}

static enum maille_code read_standard(struct rate *rate, const struct analysis *analysis, struct arena *arena,
                                      struct maille_error *error)
{
    const struct query_value *by = &analysis->values[KEY_RATE_STANDARDISE];
    enum maille_code code = MAILLE_OK;
    if (by->present !=
        (analysis->values[KEY_RATE_STANDARD].present || analysis->values[KEY_RATE_REFERENCE].present)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected `standardise` together with `standard`, `reference` or both, found one "
                           "without the other");
        goto out;
    }
    if (!by->present)
        goto out;
    MAILLE_TRY(expression_as_code(&rate->level, arena, by->expressions[0], error));
    rate->n_levels = rate->level->n_levels;
    MAILLE_TRY(level_numbers(&rate->standard, rate, analysis, KEY_RATE_STANDARD, error));
    MAILLE_TRY(level_numbers(&rate->reference, rate, analysis, KEY_RATE_REFERENCE, error));
out:
    return code;
}

/* Rows that count: as R's Surv, one whose stop is not after its start is missing. */
static void read_rows(struct rate *rate, const struct analysis *analysis, const struct formula *formula,
                      struct arena *arena)
{
    const struct expression *complete = analysis_complete(analysis, arena, &rate->level, rate->level != NULL);
    if (formula->start != NULL)
        complete =
            expression_and(arena, complete, expression_binary(arena, OP_GT, formula->stop, formula->start));
    rate->cohort.rows = expression_and(arena, analysis->cohort, complete);
    rate->cohort.missing = expression_and(arena, analysis->cohort, expression_unary(arena, OP_NOT, complete));
    rate->event = expression_and(arena, rate->cohort.rows, formula->event);
}

static enum maille_code rate_of(struct rate *rate, const struct analysis *analysis, struct arena *arena,
                                struct maille_error *error)
{
    const struct formula *formula = analysis->values[KEY_RATE_FORMULA].formula;
    enum maille_code code;
    *rate = (struct rate){.per = analysis->values[KEY_RATE_PER].numbers[0]};
    MAILLE_TRY(followup_groups(&rate->groups, formula, false, arena, error));
    if (formula->n_strata > 0 || formula->strata_site || formula->cluster_site) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected groups alone after the `~`, found strata() or a site: remove it");
        goto out;
    }
    MAILLE_TRY(read_standard(rate, analysis, arena, error));
    if (rate->n_levels > TALLY_GROUPS_MAX / rate->groups.n) {
        code = maille_fail(error, MAILLE_INVALID, "expected at most %d groups times levels, found more",
                           TALLY_GROUPS_MAX);
        goto out;
    }
    if (formula->start == NULL && formula->stop->low < 0) {
        code = maille_fail(error, MAILLE_INVALID, "expected times of at least 0, found a minimum of %g",
                           formula->stop->low);
        goto out;
    }
    rate->time = formula->start == NULL
                     ? formula->stop
                     : expression_binary(arena, OP_SUBTRACT, formula->stop, formula->start);
    MAILLE_TRY(expression_unit_scale(&rate->middle, &rate->half, rate->time, formula->response_label, error));
    read_rows(rate, analysis, formula, arena);
out:
    return code;
}

static enum maille_code readable(const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    struct rate rate;
    return rate_of(&rate, analysis, arena, error);
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    return wording_check(analysis, readable, error);
}

/* As a curve: a group with too few patients, or too few patients with an event, is suppressed alone. */
static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    struct rate rate;
    enum maille_code code;
    MAILLE_TRY(rate_of(&rate, analysis, arena, error));
    const struct expression *rows = rate.cohort.rows, *groups = groups_code(&rate.groups, arena, NULL);
    MAILLE_TRY(groups_cohort_cells(out, &rate.cohort, error));
    MAILLE_TRY(groups_cell(out, CELL_TABLE, rows, groups, error));
    groups_share(out, arena, CELLS_GROUPS, rate.time, NULL);
    MAILLE_TRY(groups_cell(out, CELL_TABLE, rate.event, groups, error));
    out->of_events[out->spec.n_blocks - 1] = true;
    MAILLE_TRY(groups_cell(out, CELL_EVENTS, rate.event, NULL, error));
    if (rate.level == NULL)
        goto out;
    groups = groups_code(&rate.groups, arena, rate.level);
    MAILLE_TRY(groups_cell(out, CELL_TABLE, rows, groups, error));
    groups_share(out, arena, CELLS_LEVELS, rate.time, NULL);
    if (rate.standard != NULL) {
        MAILLE_TRY(groups_cell(out, CELL_TABLE, rate.event, groups, error));
        out->of_events[out->spec.n_blocks - 1] = true;
    }
out:
    return code;
}

/* Rows and their time at risk by some groups. */
static enum maille_code add_time(struct tally_spec *spec, const struct rate *rate, const struct guard *guard,
                                 const struct expression *code_of, struct arena *arena,
                                 struct maille_error *error)
{
    const struct expression **terms = arena_array(arena, 2, sizeof *terms);
    terms[0] = expression_constant(arena, 1);
    terms[1] = expression_scale(arena, rate->time, rate->middle, rate->half);
    return groups_sums(spec, guard, rate->cohort.rows, code_of, NULL, terms, 2, error);
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)theta;
    (void)surviving;
    struct rate rate;
    enum maille_code code;
    MAILLE_TRY(rate_of(&rate, analysis, arena, error));
    const struct expression *by = groups_code(&rate.groups, arena, NULL);
    const struct guard *groups =
        guard_both(arena, guard_each(arena, CELLS_GROUPS), guard_each(arena, CELLS_EVENTS));
    MAILLE_TRY(groups_cohort_tally(spec, &rate.cohort, error));
    MAILLE_TRY(add_time(spec, &rate, groups, by, arena, error));
    MAILLE_TRY(groups_tally(spec, groups, rate.event, by, error));
    if (rate.level == NULL)
        goto out;
    const struct guard *levels = guard_both(arena, guard_each(arena, CELLS_LEVELS), groups);
    by = groups_code(&rate.groups, arena, rate.level);
    MAILLE_TRY(add_time(spec, &rate, levels, by, arena, error));
    if (rate.standard == NULL)
        goto out;
    levels = guard_both(arena, guard_each(arena, CELLS_LEVEL_EVENTS), levels);
    MAILLE_TRY(groups_tally(spec, levels, rate.event, by, error));
out:
    return code;
}

/* --- step --- */

static bool rate_shown(const struct surviving *surviving, size_t group)
{
    return surviving_kept(surviving, CELLS_GROUPS, group) && surviving_kept(surviving, CELLS_EVENTS, group);
}

/* Σ time over cell `cell` of a block of times, in units of `per`. */
static double time_of(const struct rate *rate, const struct totals *totals, size_t block, size_t cell)
{
    f128 n = totals_quad(totals, block, 2 * cell), t = totals_quad(totals, block, 2 * cell + 1);
    return (double)(n * (f128)rate->middle + (f128)rate->half * t) / rate->per;
}

/* events over time (or over expected events), with Garwood's limits. */
static void add_ratio(struct result *row, const char *name, double events, double time, double conf_level)
{
    double tail = (1 - conf_level) / 2;
    result_add_number(row, name, events / time);
    result_add_number(row, "conf_low", events > 0 ? qchisq(tail, 2 * events, 1, 0) / (2 * time) : 0 / time);
    result_add_number(row, "conf_high", qchisq(tail, 2 * events + 2, 0, 0) / (2 * time));
}

/* What is known of the levels of one group. */
struct levels {
    bool shown; /* all that are asked for */
    double *time, *events;
};

/* asked: of each level; 0: it does not matter. events: are they asked for too? */
static struct levels levels_read(const struct rate *rate, const double *asked, bool events,
                                 const struct totals *totals, const struct surviving *surviving, size_t group,
                                 struct arena *arena)
{
    struct levels levels = {.shown = rate_shown(surviving, group)};
    levels.time = arena_array(arena, rate->n_levels, sizeof *levels.time);
    levels.events = arena_array(arena, rate->n_levels, sizeof *levels.events);
    for (size_t k = 0; k < rate->n_levels; k++) {
        size_t cell = group * rate->n_levels + k;
        levels.time[k] = time_of(rate, totals, BLOCK_LEVEL_TIME, cell);
        if (events)
            levels.events[k] = (double)totals_count(totals, BLOCK_LEVEL_EVENTS, cell);
        bool kept = surviving_kept(surviving, CELLS_LEVELS, cell) &&
                    (!events || surviving_kept(surviving, CELLS_LEVEL_EVENTS, cell));
        levels.shown = levels.shown && (asked[k] == 0 || kept);
    }
    return levels;
}

static void add_nulls(struct result *to, const char *const *names, size_t n, bool withheld,
                      struct outcome *outcome)
{
    for (size_t i = 0; i < n; i++)
        result_add_null(to, names[i]);
    outcome->suppressed += withheld ? (int64_t)n : 0;
}

/* Fay and Feuer's; none where somebody's level has a weight and no time at risk. */
static void add_standardised(struct result *row, const struct rate *rate, const struct levels *levels,
                             double conf_level, const char *stratum, struct outcome *outcome)
{
    static const char *const names[] = {"rate", "conf_low", "conf_high"};
    double all = 0, y = 0, v = 0, m = 0, tail = (1 - conf_level) / 2;
    struct result *to = result_add_object(row, "standardised");
    bool empty = false;
    for (size_t k = 0; k < rate->n_levels; k++)
        all += rate->standard[k];
    for (size_t k = 0; k < rate->n_levels; k++) {
        if (rate->standard[k] == 0)
            continue;
        double weight = rate->standard[k] / all / levels->time[k];
        empty = empty || !(levels->time[k] > 0);
        y += weight * levels->events[k];
        v += weight * weight * levels->events[k];
        m = weight > m ? weight : m;
    }
    if (!levels->shown || empty) {
        add_nulls(to, names, sizeof names / sizeof *names, !levels->shown, outcome);
        if (levels->shown)
            wording_warn(outcome, "no time at risk at a level of %s: there is no standardised rate", stratum);
        return;
    }
    result_add_number(to, "rate", y);
    result_add_number(to, "conf_low", y > 0 ? v / (2 * y) * qchisq(tail, 2 * y * y / v, 1, 0) : 0);
    result_add_number(to, "conf_high",
                      (v + m * m) / (2 * (y + m)) * qchisq(tail, 2 * (y + m) * (y + m) / (v + m * m), 0, 0));
}

static void add_sir(struct result *row, const struct rate *rate, const struct levels *levels, double events,
                    double conf_level, struct outcome *outcome)
{
    static const char *const names[] = {"expected", "ratio", "conf_low", "conf_high"};
    struct result *to = result_add_object(row, "sir");
    double expected = 0;
    if (!levels->shown) {
        add_nulls(to, names, sizeof names / sizeof *names, true, outcome);
        return;
    }
    for (size_t k = 0; k < rate->n_levels; k++)
        expected += rate->reference[k] * levels->time[k];
    result_add_number(to, "expected", expected);
    add_ratio(to, "ratio", events, expected, conf_level);
}

/* The numbers of a group that is shown. */
static void add_group(struct result *row, const struct rate *rate, const struct totals *totals, size_t group,
                      const char *stratum, double conf_level, struct outcome *outcome)
{
    int64_t events = totals_count(totals, BLOCK_EVENTS, group);
    double time = time_of(rate, totals, BLOCK_TIME, group);
    result_add_count(row, "n_event", events);
    result_add_number(row, "time_at_risk", time);
    add_ratio(row, "rate", (double)events, time, conf_level);
    if (!(time > 0))
        wording_warn(outcome, "no time at risk in %s: there is no rate", stratum);
}

/* What is standardised, where it is asked for; null where a level that matters is not shown. */
static void add_of_levels(struct result *row, const struct rate *rate, const struct totals *totals,
                          const struct surviving *surviving, size_t group, const char *stratum,
                          double conf_level, struct outcome *outcome)
{
    if (rate->standard != NULL) {
        struct levels levels =
            levels_read(rate, rate->standard, true, totals, surviving, group, outcome->arena);
        add_standardised(row, rate, &levels, conf_level, stratum, outcome);
    }
    if (rate->reference != NULL) {
        struct levels levels =
            levels_read(rate, rate->reference, false, totals, surviving, group, outcome->arena);
        double events = (double)totals_count(totals, BLOCK_EVENTS, group);
        add_sir(row, rate, &levels, events, conf_level, outcome);
    }
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    static const char *const names[] = {"n_event", "time_at_risk", "rate", "conf_low", "conf_high"};
    const struct surviving *surviving = iteration->surviving;
    struct rate rate;
    enum maille_code code;
    bool hidden = false;
    int64_t n = 0, n_event = 0;
    MAILLE_TRY(rate_of(&rate, analysis, outcome->arena, error));
    groups_cohort_read(outcome, totals, BLOCK_MISSING, surviving);
    int64_t *counts = arena_array(outcome->arena, rate.groups.n, sizeof *counts);
    uint8_t *shown = arena_array(outcome->arena, rate.groups.n, sizeof *shown);
    for (size_t group = 0; group < rate.groups.n; group++) {
        n += counts[group] = totals_heads((f128)totals_real(totals, BLOCK_TIME, 2 * group));
        n_event += totals_count(totals, BLOCK_EVENTS, group);
        shown[group] = rate_shown(surviving, group);
        hidden = hidden || !shown[group];
    }
    if (n == 0 && !hidden) {
        code = wording_nobody(error, outcome->n_missing);
        goto out;
    }
    groups_note_dropped(&rate.groups, counts, shown, outcome);
    struct result *list = result_add_list(outcome->result, "rates");
    for (size_t group = 0; group < rate.groups.n; group++) {
        if (shown[group] && counts[group] == 0)
            continue;
        const char *stratum = groups_stratum(&rate.groups, outcome->arena, group);
        struct result *row = result_add_object(list, NULL);
        result_add_string(row, "stratum", stratum);
        groups_add_count(outcome, row, "n", counts[group], shown[group]);
        if (shown[group])
            add_group(row, &rate, totals, group, stratum, analysis->conf_level, outcome);
        else
            add_nulls(row, names, sizeof names / sizeof *names, true, outcome);
        add_of_levels(row, &rate, totals, surviving, group, stratum, analysis->conf_level, outcome);
    }
    outcome->n = n;
    outcome->n_event = n_event;
    groups_warn_suppressed(outcome);
    *done = true;
out:
    return code;
}

const struct method method_rate = {
    .declared = {.name = "rate", .keys = keys, .n_keys = sizeof keys / sizeof *keys},
    .version = 1,
    .words = {.name = "Incidence rates",
              .sentence = "Events per time at risk with exact limits; standardised directly, with gamma "
                          "limits, and as a ratio to expected events.",
              .r = "poisson.test()",
              .source = "Garwood, Biometrika 1936;28:437; Fay and Feuer, Statistics in Medicine 1997;16:791"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
