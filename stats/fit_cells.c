/* The head counts of a model: patients and events by level of every factor, combination of levels, and pair
 * of these. */
#include "stats/fit.h"

/* Patients, and patients with an event, of each group. */
static enum maille_code add_cells(struct cells *cells, const struct expression *filter,
                                  const struct expression *with_event, const struct expression *group,
                                  struct maille_error *error)
{
    enum maille_code code;
    MAILLE_TRY(groups_cell(cells, CELL_PATIENTS, filter, group, error));
    if (with_event != NULL)
        MAILLE_TRY(groups_cell(cells, CELL_EVENTS, with_event, group, error));
out:
    return code;
}

/* The factors of a term crossed; NULL where it has fewer than two. */
static const struct expression *interaction(const struct design *design, size_t term, struct arena *arena)
{
    const struct expression *codes[FORMULA_FACTORS_MAX];
    size_t n = 0;
    for (size_t f = 0; f < design->formula->n_factors; f++)
        if (design->formula->terms[term].factors >> f & 1 && design->factors[f].n_levels > 0)
            codes[n++] = design->factors[f].code;
    return n > 1 ? expression_cross(arena, codes, n) : NULL;
}

/* The factors of a term that are categories, one bit each. */
static uint64_t categories_of(const struct design *design, size_t term)
{
    uint64_t factors = 0;
    for (size_t f = 0; f < design->formula->n_factors; f++)
        if (design->formula->terms[term].factors >> f & 1 && design->factors[f].n_levels > 0)
            factors |= UINT64_C(1) << f;
    return factors;
}

/* Crosses of factors whose cells are the pairs of two terms' columns. */
enum { PAIRS_BLOCKS_MAX = 45, PAIRS_CELLS_MAX = 8192 };
struct pairs {
    uint64_t sets[PAIRS_BLOCKS_MAX];
    size_t n;
    bool too_many;
};

/* A set is left out where another holds it: no cell of it is smaller than theirs. */
static void pairs_add(struct pairs *pairs, uint64_t set)
{
    size_t n = 0;
    for (size_t i = 0; i < pairs->n; i++)
        if ((pairs->sets[i] & set) == set)
            return;
    for (size_t i = 0; i < pairs->n; i++)
        if ((pairs->sets[i] & set) != pairs->sets[i])
            pairs->sets[n++] = pairs->sets[i];
    pairs->n = n;
    if (n < PAIRS_BLOCKS_MAX)
        pairs->sets[pairs->n++] = set;
    else
        pairs->too_many = true;
}

static enum maille_code pairs_cells(struct cells *cells, const struct design *design,
                                    const struct expression *rows, struct arena *arena,
                                    struct maille_error *error)
{
    const size_t n_terms = design->formula->n_terms;
    struct pairs pairs = {.n = 0};
    double n_cells = 0;
    enum maille_code code = MAILLE_OK;
    for (size_t t = 0; t < n_terms; t++)
        for (size_t u = 0; u < t; u++) {
            uint64_t one = categories_of(design, t), other = categories_of(design, u), both = one | other;
            if (one != 0 && other != 0 && both != one && both != other)
                pairs_add(&pairs, both);
        }
    for (size_t i = 0; i < pairs.n; i++) {
        double product = 1;
        for (size_t f = 0; f < design->formula->n_factors; f++)
            product *= pairs.sets[i] >> f & 1 ? (double)design->factors[f].n_levels : 1;
        n_cells += product;
    }
    cells->pairs_uncounted = pairs.too_many || n_cells > PAIRS_CELLS_MAX;
    for (size_t i = 0; i < pairs.n && !cells->pairs_uncounted; i++) {
        const struct expression *codes[FORMULA_FACTORS_MAX];
        size_t n = 0;
        for (size_t f = 0; f < design->formula->n_factors; f++)
            if (pairs.sets[i] >> f & 1)
                codes[n++] = design->factors[f].code;
        MAILLE_TRY(groups_cell(cells, CELL_PAIRS, rows, expression_cross(arena, codes, n), error));
    }
out:
    return code;
}

enum maille_code fit_cells(struct cells *cells, const struct design *design, const struct cohort_rows *cohort,
                           const struct expression *event, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct expression *with_event = event ? expression_and(arena, cohort->rows, event) : NULL;
    cells->n_parameters = design->n_parameters;
    cells->n_shown = 2 * design->n_parameters;
    cells->is_model = true;
    MAILLE_TRY(groups_cohort_cells(cells, cohort, error));
    if (event)
        MAILLE_TRY(groups_cell(cells, CELL_EVENTS, with_event, NULL, error));
    for (size_t f = 0; f < design->formula->n_factors; f++)
        if (design->factors[f].n_levels > 0)
            MAILLE_TRY(add_cells(cells, cohort->rows, with_event, design->factors[f].code, error));
    for (size_t t = 0; t < design->formula->n_terms; t++) {
        const struct expression *group = interaction(design, t, arena);
        if (group != NULL)
            MAILLE_TRY(add_cells(cells, cohort->rows, with_event, group, error));
    }
    MAILLE_TRY(pairs_cells(cells, design, cohort->rows, arena, error));
out:
    return code;
}

enum maille_code fit_cells_by(struct cells *cells, const struct design *design,
                              const struct cohort_rows *cohort, const struct expression *by,
                              struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct formula *formula = design->formula;
    for (size_t i = 0; i < formula->n_factors + formula->n_terms; i++) {
        const struct expression *group =
            i < formula->n_factors ? design->factors[i].n_levels > 0 ? design->factors[i].code : NULL
                                   : interaction(design, i - formula->n_factors, arena);
        const struct expression *both[] = {by, group};
        if (group != NULL)
            MAILLE_TRY(
                groups_cell(cells, CELL_PATIENTS, cohort->rows, expression_cross(arena, both, 2), error));
    }
out:
    return code;
}
