#include "stats/design.h"

#include <stdio.h>
#include <string.h>

/* The factors (categories) and numbers of a term, in the formula's order: R lets the first run fastest. */
struct parts {
    size_t factors[FORMULA_FACTORS_MAX], numbers[FORMULA_FACTORS_MAX];
    size_t n_factors, n_numbers;
};

static struct parts parts_of(const struct design *design, uint64_t bits)
{
    struct parts parts = {.n_factors = 0, .n_numbers = 0};
    for (size_t f = 0; f < design->formula->n_factors; f++) {
        if (!(bits >> f & 1))
            continue;
        if (design->factors[f].n_levels)
            parts.factors[parts.n_factors++] = f;
        else
            parts.numbers[parts.n_numbers++] = f;
    }
    return parts;
}

static size_t levels_of(const struct design *design, const struct parts *parts)
{
    size_t n = 1;
    for (size_t i = 0; i < parts->n_factors && n <= DESIGN_COLUMNS_MAX; i++)
        n *= design->factors[parts->factors[i]].n_levels;
    return n;
}

static size_t basis_of(const struct formula_factor *factor)
{
    return factor->n_basis ? factor->n_basis : 1;
}

/* The crossed code of the parts' factors, the first running fastest; NULL without factors. */
static const struct expression *code_of(const struct design *design, struct arena *arena,
                                        const struct parts *parts)
{
    if (parts->n_factors == 0)
        return NULL;
    if (parts->n_factors == 1)
        return design->factors[parts->factors[0]].code;
    const struct expression **codes = arena_array(arena, parts->n_factors, sizeof *codes);
    for (size_t i = 0; i < parts->n_factors; i++) /* expression_cross lets the last run fastest */
        codes[parts->n_factors - 1 - i] = design->factors[parts->factors[i]].code;
    return expression_cross(arena, codes, parts->n_factors);
}

static uint64_t factor_bits(const struct parts *parts)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < parts->n_factors; i++)
        bits |= UINT64_C(1) << parts->factors[i];
    return bits;
}

/* Level of each factor in combination k of the parts. */
static const uint32_t *combination(const struct design *design, struct arena *arena,
                                   const struct parts *parts, size_t k)
{
    size_t n = design->formula->n_factors;
    uint32_t *levels = arena_array(arena, n + 1, sizeof *levels);
    for (size_t f = 0; f < n; f++)
        levels[f] = DESIGN_ABSENT;
    for (size_t i = 0; i < parts->n_factors; i++) {
        uint32_t count = design->factors[parts->factors[i]].n_levels;
        levels[parts->factors[i]] = (uint32_t)(k % count);
        k /= count;
    }
    return levels;
}

/* R's name of a column: each factor's label with its level or basis number, joined by ":". */
static const char *name_of(const struct design *design, struct arena *arena, uint64_t bits,
                           const uint32_t *levels, const size_t *basis)
{
    const char *name = NULL;
    for (size_t f = 0; f < design->formula->n_factors; f++) {
        if (!(bits >> f & 1))
            continue;
        const struct formula_factor *factor = &design->formula->factors[f];
        const char *part = factor->label;
        if (levels[f] != DESIGN_ABSENT)
            part = arena_printf(arena, "%s%s", factor->label, design->factors[f].code->levels[levels[f]]);
        else if (factor->n_basis > 1 || (factor->n_basis == 1 && !factor->orthogonal))
            part = arena_printf(arena, "%s%zu", factor->label, basis[f] + 1);
        name = name ? arena_printf(arena, "%s:%s", name, part) : part;
    }
    return name ? name : "(Intercept)";
}

/* R's TermCode: a factor is coded by contrasts when what is left of the term without it stands in an earlier
 * term. */
static void choose_coding(struct design *design)
{
    const struct formula *formula = design->formula;
    bool first = true;
    for (size_t t = 0; t < formula->n_terms; t++) {
        uint64_t bits = formula->terms[t].factors;
        for (size_t f = 0; f < formula->n_factors; f++) {
            if (!(bits >> f & 1) || !design->factors[f].n_levels)
                continue;
            uint64_t rest = bits & ~(UINT64_C(1) << f);
            bool contrasts = rest == 0;
            for (size_t e = 0; e < t && !contrasts; e++)
                contrasts = (rest & ~formula->terms[e].factors) == 0;
            /* Without an intercept the first factor of the formula spans the constant. */
            if (!contrasts || (first && !design->intercept))
                design->full[t] |= UINT64_C(1) << f;
            first = false;
        }
    }
}

static struct design_column *add_column(struct design *design)
{
    return &design->columns[design->n_columns++];
}

static struct design_piece *add_piece(struct design *design, struct arena *arena,
                                      const struct expression *number, const struct expression *code,
                                      size_t n_levels, size_t **columns)
{
    struct design_piece *piece = &design->pieces[design->n_pieces++];
    *columns = arena_array(arena, n_levels, sizeof **columns);
    *piece = (struct design_piece){.number = number, .code = code, .columns = *columns, .n_levels = n_levels};
    return piece;
}

static enum maille_code too_many(struct maille_error *error)
{
    return maille_fail(error, MAILLE_FAILED,
                       "expected a model of at most %d columns (all levels of all factors), found more: "
                       "merge levels or take "
                       "interactions out",
                       DESIGN_COLUMNS_MAX);
}

/* number × the indicator of level k; either may be NULL. */
static const struct expression *column_term(struct arena *arena, const struct expression *number,
                                            const struct expression *levels, size_t k)
{
    const struct expression *indicator = levels ? expression_indicator(arena, levels, (uint32_t)k) : NULL;
    if (number && indicator)
        return expression_binary(arena, OP_MULTIPLY, number, indicator);
    return number ? number : indicator;
}

/* The columns of one term (or, with formula_term SIZE_MAX, of a base that no term names). */
static enum maille_code add_term(struct design *design, struct arena *arena, uint64_t bits,
                                 size_t formula_term, const char *label, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct formula *formula = design->formula;
    struct parts parts = parts_of(design, bits);
    size_t n_levels = levels_of(design, &parts), n_basis = 1;
    for (size_t i = 0; i < parts.n_numbers && n_basis <= DESIGN_COLUMNS_MAX; i++)
        n_basis *= basis_of(&formula->factors[parts.numbers[i]]);
    if (n_levels > DESIGN_COLUMNS_MAX || n_basis > DESIGN_COLUMNS_MAX ||
        n_levels * n_basis > DESIGN_COLUMNS_MAX - design->n_columns)
        return too_many(error);

    const struct expression *levels = code_of(design, arena, &parts);
    for (size_t q = 0; q < n_basis; q++) {
        /* The product of the numbers, then its scale. */
        size_t basis[FORMULA_FACTORS_MAX] = {0}, left = q;
        const struct expression *number = NULL;
        for (size_t i = 0; i < parts.n_numbers; i++) {
            const struct formula_factor *factor = &formula->factors[parts.numbers[i]];
            basis[parts.numbers[i]] = left % basis_of(factor);
            left /= basis_of(factor);
            const struct expression *one =
                factor->n_basis ? factor->basis[basis[parts.numbers[i]]] : factor->expression;
            number = number ? expression_binary(arena, OP_MULTIPLY, number, one) : one;
        }
        double middle = 0, half = 1;
        const struct expression *raw = number;
        if (number) {
            MAILLE_TRY(expression_unit_scale(&middle, &half, number, label, error));
            number = expression_scale(arena, number, middle, half);
        }
        size_t *columns;
        add_piece(design, arena, number, levels, n_levels, &columns)->raw = raw;
        for (size_t k = 0; k < n_levels; k++) {
            columns[k] = design->n_columns;
            struct design_column *column = add_column(design);
            column->levels = combination(design, arena, &parts, k);
            column->basis =
                memcpy(arena_array(arena, FORMULA_FACTORS_MAX, sizeof *basis), basis, sizeof basis);
            column->label = name_of(design, arena, bits, column->levels, basis);
            column->middle = middle;
            column->half = half;
            column->formula_term = formula_term;
            column->numeric = number != NULL;
            column->term = column_term(arena, number, levels, k);
        }
    }
out:
    return code;
}

/* The indicator with the levels of `column`; n_columns when there is none. */
static size_t find_base(const struct design *design, const struct design_column *column)
{
    size_t bytes = design->formula->n_factors * sizeof *column->levels;
    for (size_t j = 0; j < design->n_columns; j++)
        if (!design->columns[j].numeric && memcmp(design->columns[j].levels, column->levels, bytes) == 0)
            return j;
    return design->n_columns;
}

static enum maille_code add_bases(struct design *design, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n = design->n_columns;
    for (size_t j = 0; j < n; j++) {
        struct design_column *column = &design->columns[j];
        column->base = find_base(design, column);
        if (column->base == design->n_columns) {
            struct parts parts = parts_of(design, design->formula->terms[column->formula_term].factors);
            MAILLE_TRY(add_term(design, arena, factor_bits(&parts), SIZE_MAX, "", error));
            column->base = find_base(design, column);
        }
    }
    for (size_t j = n; j < design->n_columns; j++)
        design->columns[j].base = j;
out:
    return code;
}

/* Is there a term of just these factors? The constant is that of none. */
static bool has_term(const struct design *design, uint64_t factors)
{
    bool found = factors == 0 && design->intercept;
    for (size_t t = 0; t < design->formula->n_terms && !found; t++)
        found = design->formula->terms[t].factors == factors;
    return found;
}

/* R's orthogonal columns hold a constant, so that powers span the same models only beside what they multiply.
 */
static enum maille_code check_orthogonal(const struct design *design, struct maille_error *error)
{
    const struct formula *formula = design->formula;
    for (size_t t = 0; t < formula->n_terms; t++)
        for (size_t f = 0; f < formula->n_factors; f++)
            if (formula->factors[f].orthogonal && formula->terms[t].factors >> f & 1 &&
                !has_term(design, formula->terms[t].factors & ~(UINT64_C(1) << f)))
                return maille_fail(error, MAILLE_FAILED,
                                   "expected beside %s what it multiplies, found no such term: write the "
                                   "intercept and the main effects (a * poly(x, 2)), or raw = TRUE",
                                   formula->terms[t].label);
    return MAILLE_OK;
}

static void count_parameters(struct design *design)
{
    bool used[DESIGN_COLUMNS_MAX];
    double counts[DESIGN_COLUMNS_MAX];
    for (size_t j = 0; j < design->n_columns; j++)
        counts[j] = 1;
    design->n_parameters = 0;
    if (design_used(design, counts, used, NULL, NULL) != MAILLE_OK)
        return;
    for (size_t j = 0; j < design->n_columns; j++)
        design->n_parameters += used[j];
}

enum maille_code design_build(const struct design **out, struct arena *arena, const struct formula *formula,
                              bool intercept, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct design *design = arena_alloc(arena, sizeof *design);
    design->formula = formula;
    design->intercept = intercept;
    design->columns = arena_array(arena, DESIGN_COLUMNS_MAX, sizeof *design->columns);
    design->pieces = arena_array(arena, 2 * DESIGN_COLUMNS_MAX, sizeof *design->pieces);
    for (size_t f = 0; f < formula->n_factors; f++) {
        const struct formula_factor *factor = &formula->factors[f];
        if (factor->n_basis || factor->expression->kind == EXPRESSION_NUMBER)
            continue;
        MAILLE_TRY(expression_as_code(&design->factors[f].code, arena, factor->expression, error));
        design->factors[f].n_levels = design->factors[f].code->n_levels;
    }
    choose_coding(design);

    size_t *columns;
    add_piece(design, arena, NULL, NULL, 1, &columns); /* the constant: column 0 */
    struct parts none = {.n_factors = 0, .n_numbers = 0};
    struct design_column *constant = add_column(design);
    constant->term = expression_constant(arena, 1);
    constant->label = "(Intercept)";
    constant->half = 1;
    constant->formula_term = SIZE_MAX;
    constant->levels = combination(design, arena, &none, 0);
    constant->basis = arena_array(arena, FORMULA_FACTORS_MAX, sizeof *constant->basis);

    for (size_t t = 0; t < formula->n_terms; t++)
        MAILLE_TRY(add_term(design, arena, formula->terms[t].factors, t, formula->terms[t].label, error));
    MAILLE_TRY(check_orthogonal(design, error));
    MAILLE_TRY(add_bases(design, arena, error));
    count_parameters(design);
    *out = design;
out:
    return code;
}

bool design_is_orthogonal(const struct design *design, size_t j)
{
    const struct formula *formula = design->formula;
    size_t term = design->columns[j].formula_term;
    for (size_t f = 0; f < formula->n_factors && term != SIZE_MAX; f++)
        if (formula->factors[f].orthogonal && formula->terms[term].factors >> f & 1)
            return true;
    return false;
}

const struct design *design_narrow(struct arena *arena, const struct design *design, const double *middle,
                                   const double *half)
{
    struct design *narrow = arena_alloc(arena, sizeof *narrow);
    *narrow = *design;
    narrow->narrowed = true;
    narrow->columns = arena_array(arena, design->n_columns, sizeof *narrow->columns);
    narrow->pieces = arena_array(arena, design->n_pieces, sizeof *narrow->pieces);
    memcpy(narrow->columns, design->columns, design->n_columns * sizeof *narrow->columns);
    memcpy(narrow->pieces, design->pieces, design->n_pieces * sizeof *narrow->pieces);
    for (size_t i = 0; i < design->n_pieces; i++) {
        struct design_piece *piece = &narrow->pieces[i];
        const size_t first = piece->columns[0];
        if (piece->number == NULL || !(half[first] > 0))
            continue;
        const struct expression *one = expression_constant(arena, 1), *low = expression_constant(arena, -1);
        piece->number = expression_scale(arena, piece->raw, middle[first], half[first]);
        piece->number =
            expression_binary(arena, OP_MIN, expression_binary(arena, OP_MAX, piece->number, low), one);
        for (size_t k = 0; k < piece->n_levels; k++) {
            struct design_column *column = &narrow->columns[piece->columns[k]];
            column->middle = middle[first];
            column->half = half[first];
            column->term = column_term(arena, piece->number, piece->code, k);
        }
    }
    return narrow;
}

const struct expression *design_predictor(const struct design *design, struct arena *arena,
                                          const double *gamma, const struct expression *offset, double shift)
{
    const struct expression **args = arena_array(arena, design->n_pieces + 1, sizeof *args);
    double *coefficients = arena_array(arena, design->n_pieces + 2, sizeof *coefficients);
    double constant = -shift;
    size_t n = 0;
    for (size_t i = 0; i < design->n_pieces; i++) {
        const struct design_piece *piece = &design->pieces[i];
        double *table = arena_array(arena, piece->n_levels, sizeof *table);
        bool zero = true;
        for (size_t k = 0; k < piece->n_levels; k++) {
            table[k] = gamma[piece->columns[k]];
            zero = zero && table[k] == 0;
        }
        if (zero) /* a base that nothing needs, a column that is not used */
            continue;
        if (!piece->number && !piece->code) {
            constant += table[0];
            continue;
        }
        coefficients[n] = 1;
        if (!piece->code) {
            coefficients[n] = table[0];
            args[n++] = piece->number;
            continue;
        }
        const struct expression *level = expression_lookup(arena, table, piece->n_levels, piece->code);
        args[n++] = piece->number ? expression_binary(arena, OP_MULTIPLY, piece->number, level) : level;
    }
    if (offset) {
        coefficients[n] = 1;
        args[n++] = offset;
    }
    coefficients[n] = constant;
    return expression_predictor(arena, coefficients, args, n);
}

/* Whether anybody has level l of factor f: over the indicators of one set of factors that f belongs to. */
static bool level_present(const struct design *design, const double *counts, size_t f, uint32_t l)
{
    for (size_t j = 0; j < design->n_columns; j++)
        if (!design->columns[j].numeric && design->columns[j].levels[f] == l && counts[j] > 0)
            return true;
    return false;
}

enum maille_code design_used(const struct design *design, const double *counts, bool *used,
                             struct result *dropped, struct maille_error *error)
{
    const struct formula *formula = design->formula;
    uint32_t reference[FORMULA_FACTORS_MAX] = {0};
    memset(used, 0, design->n_columns * sizeof *used);
    used[0] = design->intercept;
    for (size_t j = 1; j < design->n_columns; j++)
        used[j] = design->columns[j].formula_term != SIZE_MAX;

    for (size_t f = 0; f < formula->n_factors; f++) {
        uint32_t n_levels = design->factors[f].n_levels, present = 0;
        if (n_levels == 0)
            continue;
        for (uint32_t l = 0; l < n_levels; l++) {
            if (level_present(design, counts, f, l)) {
                if (present++ == 0)
                    reference[f] = l;
                continue;
            }
            if (dropped) {
                char name[512];
                snprintf(name, sizeof name, "%s=%s", formula->factors[f].label,
                         design->factors[f].code->levels[l]);
                result_add_string(dropped, NULL, name);
            }
            for (size_t j = 1; j < design->n_columns; j++)
                used[j] = used[j] && design->columns[j].levels[f] != l;
        }
        if (present < 2)
            return maille_fail(error, MAILLE_FAILED,
                               "expected at least two levels of %s among the complete patients, found %s: "
                               "take it out of the "
                               "formula",
                               formula->factors[f].label,
                               present ? design->factors[f].code->levels[reference[f]] : "none");
    }
    for (size_t j = 1; j < design->n_columns; j++) {
        const struct design_column *column = &design->columns[j];
        if (!used[j])
            continue;
        for (size_t f = 0; f < formula->n_factors; f++)
            if (column->levels[f] == reference[f] && design->factors[f].n_levels &&
                !(design->full[column->formula_term] >> f & 1))
                used[j] = false;
    }
    return MAILLE_OK;
}
