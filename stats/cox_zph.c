/* The score test of proportional hazards: cox.zph() of survival ≥ 3.0 (Grambsch and Therneau, Biometrika
 * 1994;81:515–526; Therneau, vignette "Approximating a Cox model's zph", 2020). Each term's interaction with
 * g(t) is tested at θ = 0: score U_g = Σ g·(x − x̄) and the information blocks with g and g² as weights are
 * those of the last Newton step with weighted tables, so one more round does it. */
#include <math.h>

#define MATHLIB_STANDALONE 1
#include <Rmath.h>

#include "stats/cox.h"

static const char *const transform_names[COX_TRANSFORMS] = {"km", "identity"};

/* Blocks of the round: the information first; then per transform that is asked for: */
enum { ZPH_FIRST = 1, ZPH_G = 0, ZPH_G_SQUARED, ZPH_EVENTS, ZPH_BLOCKS };

static bool wanted(const struct cox *cox, size_t transform)
{
    return cox->zph >> transform & 1;
}

void cox_zph_weights(struct cox_step *step)
{
    const struct cox *cox = &step->cox;
    size_t bins = cox->n_bins;
    double *km = step->weights + COX_KM * bins, *identity = step->weights + COX_IDENTITY * bins;
    double *events = arena_array(step->arena, bins, sizeof *events),
           *at_risk = arena_array(step->arena, bins, sizeof *at_risk);
    double survival = 1, n = 0, events_n = 0, sum_km = 0, sum_identity = 0;
    for (size_t k = bins; k-- > 0;) {
        for (size_t s = 0; s < cox->strata.n; s++) {
            size_t cell = s * bins + k;
            events[k] += step->ties[cell];
            for (size_t status = 0; status < cox->n_status; status++)
                n += (double)totals_count(step->totals, COX_BLOCK_TIES, cox->n_status * cell + status);
            if (cox->entry_code)
                n -= (double)totals_count(step->totals, COX_BLOCK_ENTRIES, cell);
        }
        at_risk[k] = n;
    }
    for (size_t k = 0; k < bins; k++) { /* g(t) = 1 − S(t−), of one curve over all strata, as R's */
        km[k] = 1 - survival;
        identity[k] = (double)k * cox->axis.width;
        if (events[k] > 0)
            survival *= (at_risk[k] - events[k]) / at_risk[k];
        events_n += events[k];
        sum_km += events[k] * km[k];
        sum_identity += events[k] * identity[k];
    }
    for (size_t k = 0; k < bins; k++) {
        km[k] -= sum_km / events_n;
        identity[k] -= sum_identity / events_n;
    }
}

size_t cox_zph_theta_size(const struct cox *cox)
{
    size_t n = 0;
    for (size_t t = 0; t < COX_TRANSFORMS; t++)
        n += wanted(cox, t) ? 2 * cox_table_size(cox) + cox->n_bins : 0;
    return n;
}

size_t cox_zph_blocks(const struct cox *cox)
{
    size_t n = 0;
    for (size_t t = 0; t < COX_TRANSFORMS; t++)
        n += wanted(cox, t) ? ZPH_BLOCKS : 0;
    return n;
}

/* Behind θ of the last Newton step, per transform: tables with g, tables with g², g. */
void cox_zph_theta(struct cox_step *step)
{
    struct vector *theta = &step->iteration->theta;
    for (size_t t = 0; t < COX_TRANSFORMS; t++) {
        const double *g = step->weights + t * step->cox.n_bins;
        if (!wanted(&step->cox, t))
            continue;
        for (int power = 1; power <= 2; power++)
            cox_tables_push(step, (struct cox_steps){step->c1, 1}, (struct cox_steps){step->c2, 1}, g, power);
        double *own = vector_grow(theta, step->cox.n_bins);
        for (size_t k = 0; k < step->cox.n_bins; k++)
            own[k] = g[k];
    }
}

void cox_zph_plan(const struct cox *cox, const struct fit_theta *at, const double *extra, struct arena *arena,
                  struct tally_spec *spec)
{
    const double *next = extra;
    const struct expression *risk = cox_weighted(cox, arena, cox_risk(cox, at, arena));
    const struct expression *const *terms = fit_theta_terms(at, arena, cox->design, NULL);
    const struct expression *event = expression_in_level(arena, cox->status, COX_EVENT);
    for (size_t t = 0; t < COX_TRANSFORMS; t++) {
        if (!wanted(cox, t))
            continue;
        struct tally_block *block;
        for (int power = 1; power <= 2; power++) {
            block =
                fit_block(spec, &guard_cohort, cox->survival.filter,
                          expression_binary(arena, OP_MULTIPLY, risk, cox_table_lookup(cox, next, arena)), 2);
            block->terms = terms;
            block->n_terms = at->n_columns;
            next += cox_table_size(cox);
        }
        block =
            fit_block(spec, &guard_cohort, expression_and(arena, cox->survival.filter, event),
                      cox_weighted(cox, arena, expression_lookup(arena, next, cox->n_bins, cox->exit)), 1);
        block->terms = terms;
        block->n_terms = at->n_columns;
        next += cox->n_bins;
    }
}

/* u′ A⁻¹ u over the columns of `pick`. */
static double score_test(struct arena *arena, const f128 *u, const f128 *a, size_t n, const bool *pick,
                         double *df)
{
    size_t m = 0;
    size_t *at = arena_array(arena, n + 1, sizeof *at);
    for (size_t j = 0; j < n; j++)
        if (pick[j])
            at[m++] = j;
    f128 *part = arena_array(arena, m * m + 1, sizeof *part),
         *score = arena_array(arena, m + 1, sizeof *score);
    f128 *floor = arena_array(arena, m + 1, sizeof *floor);
    for (size_t i = 0; i < m; i++) {
        score[i] = u[at[i]];
        floor[i] = 1e-14 * a[at[i] * n + at[i]];
        for (size_t j = 0; j < m; j++)
            part[i * m + j] = a[at[i] * n + at[j]];
    }
    struct linear_factor factor;
    linear_decompose(&factor, arena, part, floor, NULL, m);
    *df = (double)m;
    return factor.rank == m ? (double)linear_inverse_form(&factor, arena, score) : NAN;
}

static void add_row(struct result *list, const char *term, const char *transform, double chisq, double df)
{
    struct result *row = result_add_object(list, NULL);
    result_add_string(row, "term", term);
    result_add_string(row, "transform", transform);
    result_add_number(row, "chisq", chisq);
    result_add_number(row, "df", df);
    result_add_number(row, "p_value", pchisq(chisq, df, 0, 0));
}

/* Score and information of the interactions with g, on R's columns: what is left after β: I22 − I21·V·I12. */
static void report_transform(struct cox_step *step, const struct normal *normal, size_t transform,
                             size_t block, struct result *list)
{
    struct arena *arena = step->arena;
    const struct formula *formula = step->cox.formula;
    size_t m = step->at.n_columns, n = normal->n;
    f128 *u_kept = arena_array(arena, m + 1, sizeof *u_kept);
    f128 *parts[2];
    for (size_t i = 0; i < m; i++)
        u_kept[i] = totals_quad(step->totals, block + ZPH_EVENTS, i) -
                    cox_load(step->zph_score + 2 * (transform * m + i));
    for (size_t p = 0; p < 2; p++) {
        parts[p] = cox_read_matrix(step, block + p, 0, m);
        for (size_t i = 0; i < m * m; i++)
            parts[p][i] -= cox_load(step->zph_products + 2 * ((2 * transform + p) * m * m + i));
    }
    f128 *u = arena_array(arena, n + 1, sizeof *u), *i12 = arena_array(arena, n * n + 1, sizeof *i12);
    f128 *left = arena_array(arena, n * n + 1, sizeof *left),
         *half = arena_array(arena, n * n + 1, sizeof *half);
    fit_to_model(u, i12, arena, &step->fit, &step->at, u_kept, parts[0]);
    fit_to_model(u, left, arena, &step->fit, &step->at, u_kept, parts[1]);
    for (size_t i = 0; i < n; i++) /* V·I12; V is 0 where a column is aliased */
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < n; k++)
                half[i * n + j] += normal->variance[i * n + k] * i12[k * n + j];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < n; k++)
                left[i * n + j] -= i12[k * n + i] * half[k * n + j];

    bool *pick = arena_array(arena, n + 1, sizeof *pick);
    double df;
    for (size_t t = 0; t < formula->n_terms; t++) {
        bool any = false;
        double held = 0; /* R counts infinite estimates as parameters */
        for (size_t j = 0; j < n; j++) {
            const size_t at = normal->columns[j];
            const bool is_own = step->cox.design->columns[at].formula_term == t;
            pick[j] = is_own && !normal->factor.aliased[j];
            any = any || pick[j];
            held += is_own && fit_is_infinite(&step->fit, at);
        }
        if (!any)
            continue;
        double chisq = score_test(arena, u, left, n, pick, &df);
        add_row(list, formula->terms[t].label, transform_names[transform], chisq, df + held);
    }
    for (size_t j = 0; j < n; j++)
        pick[j] = !normal->factor.aliased[j];
    double chisq = score_test(arena, u, left, n, pick, &df);
    add_row(list, "GLOBAL", transform_names[transform], chisq, df + (double)fit_infinite(&step->fit));
}

void cox_zph_report(struct cox_step *step, const struct normal *normal, struct result *result)
{
    struct result *list = result_add_list(result, "zph");
    size_t block = ZPH_FIRST;
    for (size_t t = 0; t < COX_TRANSFORMS; t++) {
        if (!wanted(&step->cox, t))
            continue;
        report_transform(step, normal, t, block, list);
        block += ZPH_BLOCKS;
    }
}
