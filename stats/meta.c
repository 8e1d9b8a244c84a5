/* meta: every site fits the model to its own patients; the estimates of one term are combined, and no site's
 * own is seen.
 *
 * With y_i and s_i of site i, w_i = 1/s_i², k sites (DerSimonian and Laird, Controlled Clinical Trials
 * 1986;7:177): round 1: k, Σw, Σwy, Σwy², Σw² fixed effect ŷ = Σwy/Σw, se = 1/√Σw;  Q = Σwy² − (Σwy)²/Σw;  τ²
 * = max(0, (Q − (k − 1))/(Σw − Σw²/Σw)) I² = 100·τ²/(τ² + v), v = (k − 1)Σw/((Σw)² − Σw²)  (Higgins and
 * Thompson, Stat Med 2002;21:1539, equation 9) round 2, where τ² > 0, with w*_i = 1/(s_i² + τ²): Σw*, Σw*y,
 * the random effects' ŷ and se R's counterpart: metafor::rma(yi, sei, method = "EE" and "DL"). Estimates are
 * tallied scaled by public constants (stats/meta.h). */
#include <math.h>
#include <string.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/arithmetic.h"
#include "stats/design.h"
#include "stats/groups.h"
#include "stats/knots.h"
#include "stats/meta.h"
#include "stats/methods.h"
#include "stats/wording.h"

enum { KEY_META_MODEL, KEY_META_TERM };
/* With fewer, a sum says too much of each (docs/methods/meta.md). */
enum { META_SITES_MIN = 5 };

static const struct query_key keys[] = {
    [KEY_META_MODEL] = {.name = "model",
                        .kind = KEY_MODEL,
                        .required = true,
                        .choices = "glm|cox",
                        .sentence = "What each site fits: { method: glm or cox, formula, family }."},
    [KEY_META_TERM] = {.name = "term",
                       .kind = KEY_TEXT,
                       .required = true,
                       .sentence = "The coefficient that is combined, as R names it: chemoTRUE."},
};

/* memo: what round 1 found, for the result after round 2. Scaled. */
enum { MEMO_SITES, MEMO_FIXED, MEMO_FIXED_SE, MEMO_Q, MEMO_TAU2, MEMO_I2, MEMO_SIZE };

static bool is_cox(const struct meta *meta)
{
    return strcmp(meta->model->method, "cox") == 0;
}

/* The term's column: R's name among the coefficients that R can have. */
static const struct design_column *term_column(const struct design *design, const char *term, bool intercept)
{
    for (size_t j = intercept ? 0 : 1; j < design->n_columns; j++)
        if ((j == 0 || design->columns[j].formula_term != SIZE_MAX) &&
            strcmp(design->columns[j].label, term) == 0)
            return &design->columns[j];
    return NULL;
}

/* Factors that decide what the coefficient of a column contrasts: its own, and those that they interact with.
 */
static void meta_references(struct meta *meta, const struct design *design,
                            const struct design_column *column, struct arena *arena)
{
    const struct formula *formula = design->formula;
    uint64_t own =
                 column->formula_term == SIZE_MAX ? UINT64_MAX : formula->terms[column->formula_term].factors,
             all = own;
    for (size_t t = 0; t < formula->n_terms; t++)
        if ((formula->terms[t].factors & own) != 0)
            all |= formula->terms[t].factors;
    meta->references = arena_array(arena, formula->n_factors + 1, sizeof *meta->references);
    for (size_t f = 0; f < formula->n_factors; f++)
        if ((all >> f & 1) != 0 && design->factors[f].n_levels > 0)
            meta->references[meta->n_references++] = design->factors[f].code;
}

static enum maille_code meta_of(struct meta **out, const struct analysis *analysis, struct arena *arena,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct design *design = NULL;
    struct meta *meta = arena_alloc(arena, sizeof *meta);
    double middle, half = 1;
    *meta = (struct meta){.model = analysis->values[KEY_META_MODEL].model,
                          .term = analysis->values[KEY_META_TERM].names[0]};
    const struct formula *formula = analysis_value(meta->model, "formula")->formula;
    if (formula->strata_site || formula->cluster_site || formula->has_cluster) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected no site and no cluster() in the model of each site: remove it");
        goto out;
    }
    MAILLE_TRY(knots_none(formula, error));
    bool intercept = is_cox(meta) || formula->intercept;
    MAILLE_TRY(design_build(&design, arena, formula, intercept, error));
    const struct design_column *column = term_column(design, meta->term, intercept && !is_cox(meta));
    if (column == NULL) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected as `term` a coefficient of the model as R names it, such as `%s`, found `%s`",
            design->n_columns > 1 ? design->columns[design->n_columns - 1].label : "(Intercept)", meta->term);
        goto out;
    }
    bool gaussian = !is_cox(meta) && analysis_value(meta->model, "family")->choice == 0;
    if (gaussian && formula->kind == RESPONSE_EXPRESSION && formula->response->kind == EXPRESSION_NUMBER)
        MAILLE_TRY(expression_unit_scale(&middle, &half, formula->response, formula->response_label, error));
    meta->scale = column->half / half;
    meta->rows = expression_and(arena, analysis->cohort, analysis_complete(meta->model, arena, NULL, 0));
    meta_references(meta, design, column, arena);
    *out = meta;
out:
    return code;
}

static enum maille_code check(const struct analysis *analysis, struct maille_error *error)
{
    struct meta *meta = NULL;
    struct maille_error inner = {0};
    const struct analysis *model = analysis->values[KEY_META_MODEL].model;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory to read an analysis, found none");
    enum maille_code code = method_find(model->method)->check(model, error);
    if (code == MAILLE_OK) {
        code = meta_of(&meta, analysis, arena, &inner);
        if (code != MAILLE_OK)
            code = wording_invalid(error, analysis, "%s", inner.sentence);
    }
    arena_free(arena);
    return code;
}

static enum maille_code cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                              struct maille_error *error)
{
    const struct analysis *model = analysis->values[KEY_META_MODEL].model;
    enum maille_code code = method_find(model->method)->cells(model, arena, out, error);
    /* No step of a grid is summed over the sites. */
    while (code == MAILLE_OK && out->spec.n_blocks > 0 && out->rules[out->spec.n_blocks - 1] == CELL_MERGE)
        out->n_bins[--out->spec.n_blocks] = 0;
    return code;
}

/* Text number `index` of "a|b|c". */
static const char *choice_name(struct arena *arena, const char *choices, uint64_t index)
{
    for (; index > 0; index--)
        choices += strcspn(choices, "|") + 1;
    return arena_printf(arena, "%.*s", (int)strcspn(choices, "|"), choices);
}

/* All that a site's numbers depend on: hashed, and read by the DPO. */
static const char *what_of(const struct meta *meta, struct arena *arena)
{
    const struct query_method *method = meta->model->declared;
    const char *what = arena_printf(arena, "weight and estimate of %s by %s(%s", meta->term, method->name,
                                    analysis_value(meta->model, "formula")->formula->text);
    for (size_t i = 0; i < method->n_keys; i++) {
        const struct query_key *key = &method->keys[i];
        uint64_t choice = meta->model->values[i].choice;
        if (key->kind == KEY_CHOICE)
            what = arena_printf(arena, "%s, %s", what, choice_name(arena, key->choices, choice));
        else if (choice != 0)
            what = arena_printf(arena, "%s, %s", what, key->name);
    }

    if (meta->tau2 > 0)
        return arena_printf(arena, "%s), variance between sites %.17g", what, meta->tau2);
    return arena_printf(arena, "%s)", what);
}

static enum maille_code plan(const struct analysis *analysis, const struct vector *theta,
                             const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                             struct maille_error *error)
{
    (void)surviving;
    enum maille_code code;
    struct meta *meta = NULL;
    MAILLE_TRY(meta_of(&meta, analysis, arena, error));
    if (theta->n > 1 || (theta->n == 1 && !(theta->v[0] > 0 && isfinite(theta->v[0])))) {
        code =
            maille_fail(error, MAILLE_INVALID, "expected one variance between sites, found other parameters");
        goto out;
    }
    meta->tau2 = theta->n == 1 ? theta->v[0] : 0;
    struct tally_own *own = arena_alloc(arena, sizeof *own);
    *own = (struct tally_own){.n_values = META_VALUES,
                              .bound = META_WEIGHT_MAX * META_WEIGHT_MAX,
                              .run = meta_site,
                              .context = meta};
    own->what = what_of(meta, arena);
    const uint64_t missing = 1 << META_MISSING;
    const struct guard *guard = guard_both(arena, guard_places(arena, &guard_cohort, ~missing),
                                           guard_places(arena, &guard_missing, missing));
    MAILLE_TRY(groups_tally(spec, guard, meta->rows, NULL, error));
    struct tally_block *block = &spec->blocks[spec->n_blocks - 1];
    block->kind = TALLY_OWN;
    block->own = own;
out:
    return code;
}

/* What round 1 says, scaled; memo of MEMO_SIZE numbers. */
static void heterogeneity(double *memo, const struct totals *totals)
{
    f128 w = totals_quad(totals, 0, META_W), wy = totals_quad(totals, 0, META_WY);
    f128 wyy = totals_quad(totals, 0, META_WYY), ww = totals_quad(totals, 0, META_WW);
    double k = totals_real(totals, 0, META_SITES), q = fmax((double)(wyy - wy * wy / w), 0), df = k - 1;
    double tau2 = fmax((q - df) / (double)(w - ww / w), 0), typical = df * (double)(w / (w * w - ww));
    memo[MEMO_SITES] = k;
    memo[MEMO_FIXED] = (double)(wy / w);
    memo[MEMO_FIXED_SE] = 1 / sqrt((double)w);
    memo[MEMO_Q] = q;
    memo[MEMO_TAU2] = tau2;
    memo[MEMO_I2] = 100 * tau2 / (tau2 + typical);
}

static void add_estimate(struct result *to, const char *name, double estimate, double std_error,
                         double conf_level)
{
    struct result *row = result_add_object(to, name);
    double reach = -arithmetic_normal_quantile((1 - conf_level) / 2) * std_error;
    result_add_number(row, "estimate", estimate);
    result_add_number(row, "std_error", std_error);
    result_add_number(row, "conf_low", estimate - reach);
    result_add_number(row, "conf_high", estimate + reach);
    result_add_number(row, "p_value", 2 * pnorm5(-fabs(estimate / std_error), 0, 1, 1, 0));
}

/* random, random_se: scaled, as the memo. */
static void add_result(const double *memo, double random, double random_se, double scale, double conf_level,
                       struct result *result)
{
    double sign_free = fabs(scale);
    result_add_integer(result, "sites", totals_heads((f128)memo[MEMO_SITES]));
    add_estimate(result, "fixed", memo[MEMO_FIXED] / scale, memo[MEMO_FIXED_SE] / sign_free, conf_level);
    add_estimate(result, "random", random / scale, random_se / sign_free, conf_level);
    result_add_number(result, "tau2", memo[MEMO_TAU2] / (scale * scale));
    result_add_number(result, "i2", memo[MEMO_I2]);
    result_add_number(result, "q", memo[MEMO_Q]);
    result_add_number(result, "q_p_value", pchisq(memo[MEMO_Q], memo[MEMO_SITES] - 1, 0, 0));
}

static enum maille_code first_round(const struct meta *meta, const struct totals *totals,
                                    struct iteration *iteration, struct outcome *outcome,
                                    struct maille_error *error)
{
    int64_t k = totals_heads((f128)totals_real(totals, 0, META_SITES));
    outcome->n = totals_heads((f128)totals_real(totals, 0, META_ROWS));
    bool kept = surviving_kept(iteration->surviving, CELLS_MISSING, 0);
    outcome->n_missing = kept ? totals_heads((f128)totals_real(totals, 0, META_MISSING)) : -1;
    if (is_cox(meta) || analysis_value(meta->model, "family")->choice == 1)
        outcome->n_event = totals_heads((f128)totals_real(totals, 0, META_EVENTS));
    if (outcome->n == 0)
        return wording_nobody(error, outcome->n_missing);
    if (k < META_SITES_MIN)
        return maille_fail(
            error, MAILLE_FAILED,
            "expected at least %d sites with an estimate of `%s` of their own, found %lld of %zu: a site "
            "needs patients at the first level of each factor of the term, events, and no separation",
            META_SITES_MIN, meta->term, (long long)k, iteration->n_sites);
    if ((size_t)k < iteration->n_sites)
        wording_warn(outcome, "%zu of %zu sites have no estimate of %s of their own and are left out",
                     iteration->n_sites - (size_t)k, iteration->n_sites, meta->term);
    heterogeneity(vector_grow(&iteration->memo, MEMO_SIZE), totals);
    return MAILLE_OK;
}

static enum maille_code step(const struct analysis *analysis, const struct totals *totals,
                             struct iteration *iteration, struct outcome *outcome, bool *done,
                             struct maille_error *error)
{
    enum maille_code code;
    struct meta *meta = NULL;
    MAILLE_TRY(meta_of(&meta, analysis, outcome->arena, error));
    if (iteration->memo.n == 0) {
        MAILLE_TRY(first_round(meta, totals, iteration, outcome, error));
        const double *memo = iteration->memo.v;
        if (memo[MEMO_TAU2] > 0) {
            vector_push(&iteration->theta, memo[MEMO_TAU2]);
            goto out;
        }
        add_result(memo, memo[MEMO_FIXED], memo[MEMO_FIXED_SE], meta->scale, analysis->conf_level,
                   outcome->result);
    } else {
        double w = totals_real(totals, 0, META_W), wy = totals_real(totals, 0, META_WY);
        add_result(iteration->memo.v, wy / w, 1 / sqrt(w), meta->scale, analysis->conf_level,
                   outcome->result);
    }
    *done = true;
out:
    return code;
}

const struct method method_meta = {
    .declared = {.name = "meta", .keys = keys, .n_keys = sizeof keys / sizeof *keys, .is_model = true},
    .version = 1,
    .words = {.name = "Meta-analysis of sites",
              .sentence = "Every site’s own fit, combined by inverse variance and with random effects.",
              .r = "metafor::rma(method = \"EE\", \"DL\")",
              .source = "DerSimonian and Laird, Controlled Clinical Trials 1986;7:177"},
    .check = check,
    .cells = cells,
    .plan = plan,
    .step = step,
};
