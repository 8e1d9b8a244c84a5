#include "stats/knots.h"

#include <math.h>
#include <string.h>

#include "stats/fit.h"
#include "stats/methods.h"
#include "stats/wording.h"

enum { KNOTS_FINDING = 1, KNOTS_FITTING };
/* Boundary knots where small numbers are hidden. */
#define KNOTS_OUTER 0.05
/* No two knots nearer than these parts of the range and of the steps (as rule `arithmetic` has it of written
 * ones). */
#define KNOTS_RANGE_SHARE (1.0 / 200)
#define KNOTS_STEPS 2

/* The analysis, where its knots come from, and θ as it stands. */
struct knots {
    const struct analysis *analysis;
    const struct formula *formula;
    const struct formula_factor *factor;
    size_t n;                    /* knots: df + 1 */
    const struct analysis *find; /* by quantile */
    const struct method *quantile;
    size_t first; /* head counts of the model: those of the quantile stand behind them */
    bool fitting;
    const double *placed;
    struct vector theta; /* of the quantile or of the model: a part of θ, not owned */
};

/* Are small numbers hidden? */
static bool is_guarded(const struct surviving *surviving)
{
    return surviving_least(surviving) > 1;
}

static size_t formula_key(const struct analysis *analysis)
{
    size_t k = 0;
    while (k < analysis->declared->n_keys && analysis->declared->keys[k].kind != KEY_FORMULA)
        k++;
    return k;
}

enum maille_code knots_none(const struct formula *formula, struct maille_error *error)
{
    const struct formula_factor *factor = formula_open_knots(formula);
    if (factor == NULL)
        return MAILLE_OK;
    return maille_fail(
        error, MAILLE_INVALID,
        "expected the knots of a spline here, ns(x, knots = c(…), Boundary.knots = c(lo, hi)), found %s, "
        "which is for the formula of glm, cox and finegray",
        factor->label);
}

/* outer: boundary knots that hide the extremes. */
static const struct analysis *find_by(const struct knots *knots, bool outer, struct arena *arena)
{
    const struct query_method *declared = &knots->quantile->declared;
    struct analysis *find = arena_alloc(arena, sizeof *find);
    struct query_value *values = arena_array(arena, declared->n_keys, sizeof *values);
    double *probs = arena_array(arena, knots->n, sizeof *probs);
    const struct expression **x = arena_alloc(arena, sizeof *x);
    const char **name = arena_alloc(arena, sizeof *name);
    const double by = 1 / (double)(knots->n - 1); /* as R's seq() */
    for (size_t i = 1; i + 1 < knots->n; i++)
        probs[i] = (double)i * by;
    probs[0] = outer ? KNOTS_OUTER : 0;
    probs[knots->n - 1] = outer ? 1 - KNOTS_OUTER : 1;
    *x = knots->factor->expression;
    *name = knots->factor->label;
    for (size_t k = 0; k < declared->n_keys; k++) {
        values[k].present = true;
        if (declared->keys[k].kind == KEY_VARIABLE) {
            values[k].expressions = x;
            values[k].names = name;
            values[k].n = 1;
        } else {
            values[k].numbers = probs;
            values[k].n = knots->n;
        }
    }
    *find = *knots->analysis;
    find->declared = declared;
    find->method = declared->name;
    find->values = values;
    find->propensity = NULL;
    find->subgroup = NULL;
    find->weights = NULL;
    find->n_by = 0;
    find->cohort =
        expression_and(arena, knots->analysis->cohort, analysis_complete(knots->analysis, arena, NULL, 0));
    return find;
}

static enum maille_code knots_of(struct knots *knots, const struct method *fitted,
                                 const struct analysis *analysis, bool outer, struct arena *arena,
                                 struct maille_error *error)
{
    enum maille_code code;
    struct cells *own = arena_alloc(arena, sizeof *own);
    *knots = (struct knots){.analysis = analysis,
                            .formula = analysis->values[formula_key(analysis)].formula,
                            .quantile = method_find("quantile")};
    knots->factor = formula_open_knots(knots->formula);
    knots->n = knots->factor->n_basis + 1;
    knots->find = find_by(knots, outer, arena);
    MAILLE_TRY(fitted->cells(analysis, arena, own, error));
    knots->first = own->spec.n_blocks;
out:
    return code;
}

static const struct formula_factor *open_knots(const struct analysis *analysis)
{
    return formula_open_knots(analysis->values[formula_key(analysis)].formula);
}

/* Are these far enough from each other? */
static bool are_apart(const struct knots *knots, const double *placed, bool guarded)
{
    const struct expression *x = knots->factor->expression;
    for (size_t i = 1; i < knots->n; i++) {
        const double width = placed[i] - placed[i - 1];
        if (!(width > 0) || (guarded && (width < (x->high - x->low) * KNOTS_RANGE_SHARE ||
                                         width < KNOTS_STEPS * x->step * (1 - 1e-9))))
            return false;
    }
    return placed[0] >= x->low && placed[knots->n - 1] <= x->high;
}

static enum maille_code read_theta(struct knots *knots, const struct vector *theta, bool guarded,
                                   struct maille_error *error)
{
    size_t head = 1;
    if (theta->n == 0)
        return MAILLE_OK;
    knots->fitting = theta->v[0] == KNOTS_FITTING;
    head += knots->fitting ? knots->n : 0;
    bool known = (knots->fitting || theta->v[0] == KNOTS_FINDING) && theta->n >= head;
    for (size_t i = 0; known && i < head; i++)
        known = isfinite(theta->v[i]);
    if (!known || (knots->fitting && !are_apart(knots, theta->v + 1, guarded)))
        return maille_fail(error, MAILLE_INVALID, "expected the knots of %s, found other parameters",
                           knots->factor->label);
    knots->placed = theta->v + 1;
    knots->theta = (struct vector){.v = theta->v + head, .n = theta->n - head};
    return MAILLE_OK;
}

/* The analysis with these knots in its formula. */
static const struct analysis *placed_in(const struct knots *knots, struct arena *arena)
{
    struct analysis *placed = arena_alloc(arena, sizeof *placed);
    struct query_value *values = arena_array(arena, knots->analysis->declared->n_keys, sizeof *values);
    memcpy(values, knots->analysis->values, knots->analysis->declared->n_keys * sizeof *values);
    values[formula_key(knots->analysis)].formula = formula_with_knots(knots->formula, arena, knots->placed);
    *placed = *knots->analysis;
    placed->values = values;
    return placed;
}

/* Head counts: those of the model, then those of the quantiles. */
enum maille_code knots_cells(const struct method *fitted, const struct analysis *analysis,
                             struct arena *arena, struct cells *out, struct maille_error *error)
{
    enum maille_code code;
    struct knots knots;
    struct cells *more = arena_alloc(arena, sizeof *more);
    MAILLE_TRY(fitted->cells(analysis, arena, out, error));
    if (open_knots(analysis) == NULL)
        goto out;
    MAILLE_TRY(knots_of(&knots, fitted, analysis, true, arena, error));
    MAILLE_TRY(knots.quantile->cells(knots.find, arena, more, error));
    for (size_t b = 0; b < more->spec.n_blocks; b++) {
        struct tally_block *block = tally_spec_add(&out->spec);
        if (block == NULL) {
            code = maille_fail(error, MAILLE_INVALID, "expected fewer head counts than %d, found more",
                               TALLY_BLOCKS_MAX);
            goto out;
        }
        *block = more->spec.blocks[b];
        out->rules[out->spec.n_blocks - 1] = more->rules[b];
        out->n_bins[out->spec.n_blocks - 1] = more->n_bins[b];
        out->tail[out->spec.n_blocks - 1] = more->tail[b];
    }
    out->n_shown += knots.n;
out:
    return code;
}

enum maille_code knots_plan(const struct method *fitted, const struct analysis *analysis,
                            const struct vector *theta, const struct surviving *surviving,
                            struct arena *arena, struct tally_spec *spec, struct maille_error *error)
{
    enum maille_code code;
    struct knots knots;
    if (open_knots(analysis) == NULL)
        return fitted->plan(analysis, theta, surviving, arena, spec, error);
    MAILLE_TRY(knots_of(&knots, fitted, analysis, is_guarded(surviving), arena, error));
    MAILLE_TRY(read_theta(&knots, theta, is_guarded(surviving), error));
    if (knots.fitting) {
        code = fitted->plan(placed_in(&knots, arena), &knots.theta, surviving, arena, spec, error);
        goto out;
    }
    MAILLE_TRY(knots.quantile->plan(knots.find, &knots.theta, surviving_from(surviving, knots.first, arena),
                                    arena, spec, error));
    for (size_t b = 0; b < spec->n_blocks; b++)
        spec->blocks[b].guard = guard_behind(arena, spec->blocks[b].guard, knots.first);
out:
    return code;
}

/* θ := head of n numbers, then the rest. head is no part of θ. */
static void write_theta(struct vector *theta, const double *head, size_t n, const struct vector *rest)
{
    vector_truncate(theta, 0);
    for (size_t i = 0; i < n; i++)
        vector_push(theta, head[i]);
    for (size_t i = 0; i < rest->n; i++)
        vector_push(theta, rest->v[i]);
}

/* One step of the quantiles or of the model, with its own part of θ; *own becomes the next one. */
static enum maille_code step_part(struct vector *own, const struct method *method, const struct knots *knots,
                                  const struct analysis *analysis, const struct surviving *surviving,
                                  const struct totals *totals, struct iteration *iteration,
                                  struct outcome *outcome, bool *done, struct maille_error *error)
{
    struct iteration part = *iteration; /* the memo is its own as long as it goes on */
    part.surviving = surviving;
    part.theta = (struct vector){0};
    for (size_t i = 0; i < knots->theta.n; i++)
        vector_push(&part.theta, knots->theta.v[i]);
    enum maille_code code = method->step(analysis, totals, &part, outcome, done, error);
    *own = part.theta;
    iteration->memo = part.memo;
    return code;
}

static enum maille_code read_knots(double *placed, const struct knots *knots, const struct result *found,
                                   bool guarded, struct maille_error *error)
{
    const struct result *groups = result_get(found, "groups");
    const struct result *values =
        groups != NULL && groups->n > 0 ? result_get(groups->items[0], "values") : NULL;
    for (size_t i = 0; i < knots->n; i++) {
        placed[i] = values != NULL && i < values->n && values->items[i]->kind == RESULT_NUMBER
                        ? values->items[i]->number
                        : NAN;
        if (!isfinite(placed[i]))
            return maille_fail(
                error, MAILLE_FAILED,
                "expected quantiles of %s for its knots, found one that is hidden: too few patients lie "
                "beyond it or near it; take a smaller df, or write the knots",
                knots->factor->label);
    }
    if (!are_apart(knots, placed, guarded))
        return maille_fail(
            error, MAILLE_FAILED,
            "expected quantiles of %s that are apart, found two that are one value or too near: take a "
            "smaller df, or write the knots",
            knots->factor->label);
    return MAILLE_OK;
}

/* {term, knots, boundary_knots}: what ns() wants to be told elsewhere. */
static void report_knots(const struct knots *knots, struct result *result)
{
    struct result *list = result_add_list(result, "knots"), *row = result_add_object(list, NULL);
    result_add_string(row, "term", knots->factor->label);
    struct result *inner = result_add_list(row, "knots"), *outer = result_add_list(row, "boundary_knots");
    for (size_t i = 0; i < knots->n; i++)
        result_add_number(i == 0 || i + 1 == knots->n ? outer : inner, NULL, knots->placed[i]);
}

enum maille_code knots_step(const struct method *fitted, const struct analysis *analysis,
                            const struct totals *totals, struct iteration *iteration, struct outcome *outcome,
                            bool *done, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct surviving *surviving = iteration->surviving;
    struct arena *arena = outcome->arena;
    struct knots knots;
    struct vector own = {0};
    if (open_knots(analysis) == NULL)
        return fitted->step(analysis, totals, iteration, outcome, done, error);
    MAILLE_TRY(knots_of(&knots, fitted, analysis, is_guarded(surviving), arena, error));
    MAILLE_TRY(read_theta(&knots, &iteration->theta, is_guarded(surviving), error));
    double *head = arena_array(arena, knots.n + 1, sizeof *head);
    if (knots.fitting) {
        memcpy(head + 1, knots.placed, knots.n * sizeof *head);
        knots.placed = head + 1;
        head[0] = KNOTS_FITTING;
        MAILLE_TRY(step_part(&own, fitted, &knots, placed_in(&knots, arena), surviving, totals, iteration,
                             outcome, done, error));
        write_theta(&iteration->theta, head, knots.n + 1, &own);
        if (!*done)
            goto out;
        report_knots(&knots, outcome->result);
        if (is_guarded(surviving))
            wording_warn(
                outcome,
                "%s: its boundary knots are the quantiles %.2g and %.2g, where R takes the least and the "
                "greatest value, which are one patient's each; `knots` has them all",
                knots.factor->label, KNOTS_OUTER, 1 - KNOTS_OUTER);
        goto out;
    }
    bool found = false;
    struct outcome finding = {.arena = arena,
                              .warnings = result_list(arena),
                              .dropped_levels = result_list(arena),
                              .aliased = result_list(arena),
                              .result = result_object(arena)};
    MAILLE_TRY(step_part(&own, knots.quantile, &knots, knots.find,
                         surviving_from(surviving, knots.first, arena), totals, iteration, &finding, &found,
                         error));
    head[0] = KNOTS_FINDING;
    if (!found) {
        write_theta(&iteration->theta, head, 1, &own);
        goto out;
    }
    MAILLE_TRY(read_knots(head + 1, &knots, finding.result, is_guarded(surviving), error));
    head[0] = KNOTS_FITTING;
    write_theta(&iteration->theta, head, knots.n + 1, &(struct vector){0});
    vector_truncate(&iteration->memo, 0);
out:
    vector_clear(&own);
    return code;
}
