/* Which columns R's model.matrix would have, and under which names: coding by contrasts or by all levels,
 * levels that nobody has. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stats/design.h"

static const char dictionary_text[] = "dictionary: d\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n"
                                      "  - { name: y, type: real, min: 0, max: 10, resolution: 0.1 }\n"
                                      "  - { name: x, type: integer, min: 10, max: 50 }\n"
                                      "  - { name: z, type: integer, min: 0, max: 4 }\n"
                                      "  - { name: a, type: category, levels: [p, q, r] }\n"
                                      "  - { name: b, type: boolean }\n";

struct fixture {
    struct arena *arena;
    const struct formula *formula;
    const struct design *design;
};

static void build(struct fixture *fixture, const char *text)
{
    struct maille_error error = {0};
    const struct dictionary *dictionary = NULL;
    fixture->arena = arena_new();
    assert_non_null(fixture->arena);
    assert_int_equal(dictionary_parse(&dictionary, fixture->arena, "d", dictionary_text,
                                      sizeof dictionary_text - 1, &error),
                     MAILLE_OK);
    struct expression_scope scope = {.dictionary = dictionary, .file = "t", .line = 1, .column = 1};
    assert_int_equal(formula_parse(&fixture->formula, fixture->arena, &scope, text, &error), MAILLE_OK);
    assert_int_equal(
        design_build(&fixture->design, fixture->arena, fixture->formula, fixture->formula->intercept, &error),
        MAILLE_OK);
}

/* The columns of R's design, space-separated, when everything occurs but what `absent` names as a column. */
static void assert_columns(const char *text, const char *absent, const char *expected)
{
    struct fixture fixture;
    struct maille_error error = {0};
    double counts[DESIGN_COLUMNS_MAX];
    bool used[DESIGN_COLUMNS_MAX];
    char got[2048] = "";
    build(&fixture, text);
    struct result *dropped = result_list(fixture.arena);
    for (size_t j = 0; j < fixture.design->n_columns; j++)
        counts[j] = absent && strstr(fixture.design->columns[j].label, absent) ? 0 : 5;
    assert_int_equal(design_used(fixture.design, counts, used, dropped, &error), MAILLE_OK);
    for (size_t j = 0; j < fixture.design->n_columns; j++)
        if (used[j])
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", *got ? " " : "",
                     fixture.design->columns[j].label);
    assert_string_equal(got, expected);
    assert_int_equal(dropped->n, absent ? 1 : 0);
    arena_free(fixture.arena);
}

/* Each expected line is colnames(model.matrix(…)) of R 4.2.2 with a = factor(c("p", "q", "r")), b logical. */
static void columns_are_those_of_R(void **state)
{
    (void)state;
    assert_columns("y ~ x + a", NULL, "(Intercept) x aq ar");
    assert_columns("y ~ a * b", NULL, "(Intercept) aq ar bTRUE aq:bTRUE ar:bTRUE");
    assert_columns("y ~ a:b", NULL, "(Intercept) ap:bFALSE aq:bFALSE ar:bFALSE ap:bTRUE aq:bTRUE ar:bTRUE");
    assert_columns("y ~ a + a:b", NULL, "(Intercept) aq ar ap:bTRUE aq:bTRUE ar:bTRUE");
    assert_columns("y ~ x:a", NULL, "(Intercept) x:ap x:aq x:ar");
    assert_columns("y ~ x * a", NULL, "(Intercept) x aq ar x:aq x:ar");
    assert_columns("y ~ a + b - 1", NULL, "ap aq ar bTRUE");
    assert_columns("y ~ x + b + a - 1", NULL, "x bFALSE bTRUE aq ar");
    assert_columns("y ~ x * z", NULL, "(Intercept) x z x:z");
    assert_columns("y ~ I(x^2) + log(z + 1)", NULL, "(Intercept) I(x^2) log(z + 1)");
    assert_columns("y ~ 1", NULL, "(Intercept)");
    assert_columns("y ~ a * b", "ap", "(Intercept) ar bTRUE ar:bTRUE");
    assert_columns("y ~ a:b", "aq", "(Intercept) ap:bFALSE ar:bFALSE ap:bTRUE ar:bTRUE");
}

static void one_level_is_an_error(void **state)
{
    (void)state;
    struct fixture fixture;
    struct maille_error error = {0};
    double counts[DESIGN_COLUMNS_MAX] = {0};
    bool used[DESIGN_COLUMNS_MAX];
    build(&fixture, "y ~ a + x");
    for (size_t j = 0; j < fixture.design->n_columns; j++)
        counts[j] = strcmp(fixture.design->columns[j].label, "aq") == 0 ? 7 : 0;
    assert_int_equal(design_used(fixture.design, counts, used, NULL, &error), MAILLE_FAILED);
    assert_non_null(strstr(error.sentence, "two levels of a"));
    arena_free(fixture.arena);
}

/* x in 10 … 50 is (x − 30)/32; a level adds the range of its coefficients, not their sum. */
static void scales_and_bounds(void **state)
{
    (void)state;
    struct fixture fixture;
    build(&fixture, "y ~ x + a + x:a");
    const struct design *design = fixture.design;
    assert_true(design->columns[1].middle == 30 && design->columns[1].half == 32);
    double gamma[DESIGN_COLUMNS_MAX] = {0};
    gamma[0] = 1;
    gamma[1] = 2;                /* x */
    gamma[3] = 3, gamma[4] = -1; /* aq, ar */
    const struct expression *eta = design_predictor(design, fixture.arena, gamma, NULL, 0.5);
    assert_int_equal(eta->op, OP_LINEAR);
    assert_true(fabs(eta->high - (1 + 2 * 0.625 + 3 - 0.5)) < 1e-12);
    assert_true(fabs(eta->low - (1 - 2 * 0.625 - 1 - 0.5)) < 1e-12);
    for (size_t j = 0; j < design->n_columns; j++) {
        const struct design_column *column = &design->columns[j];
        assert_true(column->term->low >= -1 && column->term->high <= 1);
        assert_false(design->columns[column->base].numeric);
    }
    assert_int_equal(design->n_parameters, 6);
    arena_free(fixture.arena);
}

/* Of one row, as a site works it out. */
static double value_of(const struct expression *e, const double *row)
{
    double a = e->n_args > 0 && e->args[0]->kind == EXPRESSION_NUMBER ? value_of(e->args[0], row) : 0;
    double b = e->n_args > 1 && e->args[1]->kind == EXPRESSION_NUMBER ? value_of(e->args[1], row) : 0;
    double sum = 0, product = 1;
    switch (e->op) {
    case OP_VARIABLE:
        return row[e->variable];
    case OP_CONSTANT:
        return e->value;
    case OP_ADD:
        return a + b;
    case OP_SUBTRACT:
        return a - b;
    case OP_MULTIPLY:
        return a * b;
    case OP_DIVIDE:
        return a / b;
    case OP_POWER:
        for (int i = 0; i < e->integer; i++)
            product *= a;
        return product;
    case OP_LOG:
        return log(a);
    case OP_SQRT:
        return sqrt(a);
    case OP_MIN:
        return fmin(a, b);
    case OP_SCALE:
        return (a - e->value) / e->value2;
    case OP_LOOKUP: /* of a category, or of a boolean as a code */
        return e->table[(
            size_t)row[e->args[0]->op == OP_VARIABLE ? e->args[0]->variable : e->args[0]->args[0]->variable]];
    case OP_LINEAR:
        for (size_t i = 0; i < e->n_args; i++)
            sum += e->table[i] * value_of(e->args[i], row);
        return sum + e->table[e->n_args];
    default:
        fail_msg("an operation that no model here has: %d", (int)e->op);
        return 0;
    }
}

/* Terms of one variable are bounded together: at random coefficients no value of a site leaves the bounds,
 * and a cubic that stays small is not taken for one that does not. */
static void terms_of_one_variable_share_their_bounds(void **state)
{
    (void)state;
    static const char *const models[] = {"y ~ x + I(x^2) + I(x^3)",
                                         "y ~ poly(x, 3, raw = TRUE) * b",
                                         "y ~ log(x) + sqrt(x) + I(1/x) + a + x:a",
                                         "y ~ x * z + I(z^2)",
                                         "y ~ x * z * a + I(x^2):z",
                                         "z ~ (x + y)^2 + I(y / x)",
                                         "y ~ pmin(x, 20) + x"};
    uint64_t seed = 20261128;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        struct fixture fixture;
        build(&fixture, models[m]);
        for (int trial = 0; trial < 20; trial++) {
            double gamma[DESIGN_COLUMNS_MAX] = {0};
            for (size_t j = 0; j < fixture.design->n_columns; j++) {
                seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                gamma[j] = ((double)(seed >> 40) / 0x1p23 - 1) * 40;
            }
            const struct expression *eta = design_predictor(fixture.design, fixture.arena, gamma, NULL, 0.5);
            for (int point = 0; point <= 400;
                 point++) { /* every value of x, and those of z, a and b in turn */
                double row[] = {point % 11, 10 + point % 41, point % 5, point % 3, point % 2};
                double value = value_of(eta, row);
                assert_true(value >= eta->low && value <= eta->high);
            }
        }
        arena_free(fixture.arena);
    }
    /* t³ − t for t in ±1 is within ±0.385, not ±2. In x: t = (x − 30)/20, t³ scaled by the design. */
    struct fixture fixture;
    build(&fixture, "y ~ x + I(x^2) + I(x^3)");
    const struct design *design = fixture.design;
    double beta[4] = {0, (3 * 900.0 / 8000 - 1 / 20.0) * 30, -90 / 8000.0 * 30, 1 / 8000.0 * 30},
           gamma[4] = {0};
    for (size_t j = 1; j < 4; j++)
        gamma[j] = beta[j] * design->columns[j].half;
    double middle = 0;
    for (size_t j = 1; j < 4; j++)
        middle += beta[j] * design->columns[j].middle;
    gamma[0] = middle + (30 / 20.0 - 27000 / 8000.0) * 30;
    const struct expression *eta = design_predictor(design, fixture.arena, gamma, NULL, 0);
    assert_true(eta->high >= 30 * 0.3849 && eta->high < 30 * 0.45);
    assert_true(eta->low <= -30 * 0.3849 && eta->low > -30 * 0.45);
    arena_free(fixture.arena);
    /* (x − 30)·(z − 2) is within ±40, where x, z and x·z by themselves would add up to ±180. */
    build(&fixture, "y ~ x * z");
    double crossed[4] = {60, -2, -30, 1}, of[4] = {0};
    for (size_t j = 0; j < 4; j++) {
        of[j] += crossed[j] * fixture.design->columns[j].half;
        of[0] += j > 0 ? crossed[j] * fixture.design->columns[j].middle : 0;
    }
    eta = design_predictor(fixture.design, fixture.arena, of, NULL, 0);
    assert_true(eta->high >= 40 && eta->high < 44 && eta->low <= -40 && eta->low > -44);
    arena_free(fixture.arena);
}

/* y ~ x:a has no indicators of its own; they are tallied beside it, for x = 32·t + 30·indicator. */
static void bases_are_added(void **state)
{
    (void)state;
    struct fixture fixture;
    build(&fixture, "y ~ x:a");
    assert_int_equal(fixture.design->n_columns, 7);
    for (size_t j = 1; j <= 3; j++) {
        assert_int_equal(fixture.design->columns[j].base, j + 3);
        assert_true(fixture.design->columns[j + 3].formula_term == SIZE_MAX);
    }
    arena_free(fixture.arena);
}

static void too_many_columns(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct maille_error error = {0};
    const struct dictionary *dictionary = NULL;
    const struct formula *formula = NULL;
    const struct design *design = NULL;
    static const char text[] =
        "dictionary: d\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n"
        "  - { name: y, type: real, min: 0, max: 10, resolution: 0.1 }\n"
        "  - { name: k, type: integer, min: 0, max: 30 }\n  - { name: l, type: integer, min: 0, max: 30 }\n";
    assert_int_equal(dictionary_parse(&dictionary, arena, "d", text, sizeof text - 1, &error), MAILLE_OK);
    struct expression_scope scope = {.dictionary = dictionary, .file = "t", .line = 1, .column = 1};
    assert_int_equal(formula_parse(&formula, arena, &scope, "y ~ factor(k):factor(l)", &error), MAILLE_OK);
    assert_int_equal(design_build(&design, arena, formula, true, &error), MAILLE_FAILED);
    assert_non_null(strstr(error.sentence, "columns"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_those_of_R), cmocka_unit_test(one_level_is_an_error),
        cmocka_unit_test(scales_and_bounds),      cmocka_unit_test(bases_are_added),
        cmocka_unit_test(too_many_columns),       cmocka_unit_test(terms_of_one_variable_share_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
