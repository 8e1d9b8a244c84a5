#include "tally/evaluate.h"

#include <math.h>

#include "tally/testing.h"
#include "base/vector.h"

/* Six rows that between them hold what an operation may meet. */
static const char yaml[] = "dictionary: ops\nversion: 1\nkey: pid\nmissing: [\"NA\"]\nvariables:\n"
                           "  - { name: x, type: real, min: -8, max: 8, resolution: 0.25 }\n"
                           "  - { name: y, type: integer, min: -3, max: 3 }\n"
                           "  - { name: g, type: category, levels: [a, b, c] }\n"
                           "  - { name: p, type: boolean }\n"
                           "  - { name: q, type: boolean }\n"
                           "  - { name: big, type: integer, min: 0, max: 3000000000 }\n"
                           "  - { name: day, type: date, min: 1900-01-01, max: 2030-12-31 }\n"
                           "  - { name: mid, type: integer, min: -1000, max: 1000 }\n"
                           "  - { name: wide, type: integer, min: -100000, max: 100000 }\n";
static const char csv[] = "pid,x,y,g,p,q,big,day,mid,wide\n"
                          "1,1.5,2,a,1,1,3000000000,1970-01-02,-1000,99999\n"
                          "2,-2,0,b,1,0,1,2000-01-01,1,1\n"
                          "3,0,-3,c,0,NA,2,1970-01-01,2,2\n"
                          "4,NA,1,NA,NA,1,3,1970-01-01,3,3\n"
                          "5,8,NA,b,0,0,4,1970-01-01,4,4\n"
                          "6,-0.25,3,a,NA,NA,NA,NA,NA,NA\n";
enum { ROWS = 6 };
#define M NAN
#define F INFINITY /* stands for: failed */

static struct toy toy;

static int set_up(void **state)
{
    (void)state;
    toy = toy_new(yaml, csv, strlen(csv));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    toy_clear(&toy);
    return 0;
}

static const struct expression *v(const char *name)
{
    return toy_variable(&toy, name);
}

static const struct expression *n(double value)
{
    return expression_constant(toy.arena, value);
}

static const struct expression *two(enum expression_op op, const struct expression *a,
                                    const struct expression *b)
{
    return expression_binary(toy.arena, op, a, b);
}

static const struct expression *one(enum expression_op op, const struct expression *a)
{
    return expression_unary(toy.arena, op, a);
}

/* Value of the expression in the six rows at every vector level; NAN missing, INFINITY failed. */
static void expect(const struct expression *e, const double *expected, const char *what)
{
    struct maille_error error = {0};
    struct program program;
    struct evaluator *evaluator = NULL;
    MUST(program_compile(&program, toy.arena, &e, 1, false, &error));
    for (enum vector_level level = VECTOR_PORTABLE; level <= VECTOR_AVX512; level++) {
        vector_limit(level);
        MUST(evaluate_new(&evaluator, &program, toy.columns, &error));
        MUST(evaluate_load(evaluator, 0, &error));
        MUST(evaluate_rows(evaluator, 0, ROWS, NULL, &error));
        for (size_t r = 0; r < ROWS; r++) {
            const uint8_t *failed = evaluate_failed(evaluator, 0);
            double found;
            if (failed != NULL && failed[r])
                found = F;
            else if (e->kind == EXPRESSION_NUMBER)
                found = evaluate_numbers(evaluator, 0)[r];
            else
                found = evaluate_codes(evaluator, 0)[r] < 0 ? (double)M : evaluate_codes(evaluator, 0)[r];
            bool same = isnan(expected[r])
                            ? isnan(found)
                            : fabs(found - expected[r]) <= 4e-16 * fabs(expected[r]) || found == expected[r];
            if (!same)
                fail_msg("%s, row %zu: expected %.17g, found %.17g", what, r, expected[r], found);
        }
        evaluate_free(evaluator);
    }
    vector_limit(VECTOR_AVX512);
}
#define EXPECT(e, ...) expect((e), (const double[ROWS]){__VA_ARGS__}, #e)

static void leaves(void **state)
{
    (void)state;
    EXPECT(v("x"), 1.5, -2, 0, M, 8, -0.25);
    EXPECT(v("y"), 2, 0, -3, 1, M, 3);
    EXPECT(v("g"), 0, 1, 2, M, 1, 0);
    EXPECT(v("p"), 1, 1, 0, M, 0, M);
    EXPECT(v("big"), 3e9, 1, 2, 3, 4, M);
    EXPECT(v("day"), 1, 10957, 0, 0, 0, M);
    EXPECT(v("mid"), -1000, 1, 2, 3, 4, M);
    EXPECT(v("wide"), 99999, 1, 2, 3, 4, M);
    EXPECT(n(2.5), 2.5, 2.5, 2.5, 2.5, 2.5, 2.5);
    EXPECT(expression_true(toy.arena), 1, 1, 1, 1, 1, 1);
}

static void arithmetic(void **state)
{
    (void)state;
    const struct expression *x = v("x"), *y = v("y");
    EXPECT(one(OP_NEGATE, x), -1.5, 2, 0, M, -8, 0.25);
    EXPECT(two(OP_ADD, x, y), 3.5, -2, -3, M, M, 2.75);
    EXPECT(two(OP_SUBTRACT, x, y), -0.5, -2, 3, M, M, -3.25);
    EXPECT(two(OP_MULTIPLY, x, y), 3, 0, 0, M, M, -0.75);
    EXPECT(two(OP_DIVIDE, x, y), 0.75, F, 0, M, M, -0.25 / 3);
    EXPECT(two(OP_DIVIDE, n(1), x), 1 / 1.5, -0.5, F, M, 0.125, -4);
    EXPECT(expression_power(toy.arena, x, 0), 1, 1, 1, M, 1, 1);
    EXPECT(expression_power(toy.arena, x, 3), 3.375, -8, 0, M, 512, -0.015625);
    EXPECT(expression_power(toy.arena, x, -2), 1 / 2.25, 0.25, F, M, 1. / 64, 16);
    EXPECT(two(OP_MIN, x, y), 1.5, -2, -3, M, M, -0.25);
    EXPECT(two(OP_MAX, x, y), 2, 0, 0, M, M, 3);
    EXPECT(expression_scale(toy.arena, x, 1, 4), 0.125, -0.75, -0.25, M, 1.75, -0.3125);
    static const double table[] = {2, -1, 0.5};
    const struct expression *args[] = {x, y};
    EXPECT(expression_linear(toy.arena, table, args, 2), 1.5, -3.5, 3.5, M, M, -3);
    EXPECT(expression_linear(toy.arena, table + 2, args, 0), 0.5, 0.5, 0.5, 0.5, 0.5, 0.5);
}

static void functions(void **state)
{
    (void)state;
    const struct expression *x = v("x");
    EXPECT(one(OP_LOG, x), log(1.5), F, F, M, log(8), F);
    EXPECT(one(OP_SQRT, x), sqrt(1.5), F, 0, M, sqrt(8), F);
    EXPECT(one(OP_EXP, x), exp(1.5), exp(-2), 1, M, exp(8), exp(-0.25));
    EXPECT(one(OP_LOGISTIC, x), 1 / (1 + exp(-1.5)), 1 / (1 + exp(2)), 0.5, M, 1 / (1 + exp(-8)),
           1 / (1 + exp(0.25)));
    EXPECT(one(OP_SOFTPLUS, x), 1.5 + log1p(exp(-1.5)), log1p(exp(-2)), log(2), M, 8 + log1p(exp(-8)),
           log1p(exp(-0.25)));
    EXPECT(one(OP_SOFTPLUS, two(OP_MULTIPLY, x, n(-4))), log1p(exp(-6)), 8 + log1p(exp(-8)), log(2), M,
           log1p(exp(-32)), 1 + log1p(exp(-1)));
}

static void comparisons(void **state)
{
    (void)state;
    const struct expression *x = v("x"), *y = v("y");
    EXPECT(two(OP_EQ, x, n(-2)), 0, 1, 0, M, 0, 0);
    EXPECT(two(OP_NE, x, n(-2)), 1, 0, 1, M, 1, 1);
    EXPECT(two(OP_LT, x, y), 1, 1, 0, M, M, 1);
    EXPECT(two(OP_LE, x, n(0)), 0, 1, 1, M, 0, 1);
    EXPECT(two(OP_GT, x, n(0)), 1, 0, 0, M, 1, 0);
    EXPECT(two(OP_GE, x, y), 0, 0, 1, M, M, 0);
    static const double member[] = {1, 0, 1};
    EXPECT(expression_in_levels(toy.arena, v("g"), member), 1, 0, 1, M, 0, 1);
}

/* The truth tables of R. p: T T F NA F NA, q: T F NA T F NA. */
static void three_valued_logic(void **state)
{
    (void)state;
    const struct expression *p = v("p"), *q = v("q");
    EXPECT(one(OP_NOT, p), 0, 0, 1, M, 1, M);
    EXPECT(two(OP_AND, p, q), 1, 0, 0, M, 0, M);
    EXPECT(two(OP_AND, q, p), 1, 0, 0, M, 0, M);
    EXPECT(two(OP_OR, p, q), 1, 1, M, 1, 0, M);
    EXPECT(two(OP_OR, q, p), 1, 1, M, 1, 0, M);
    EXPECT(one(OP_IS_MISSING, v("x")), 0, 0, 0, 1, 0, 0);
    EXPECT(one(OP_IS_MISSING, q), 0, 0, 1, 0, 0, 1);
    const struct expression *args[] = {v("x"), v("g"), q};
    EXPECT(expression_complete(toy.arena, args, 3), 1, 1, 0, 0, 1, 0);
    EXPECT(expression_complete(toy.arena, NULL, 0), 1, 1, 1, 1, 1, 1);
    EXPECT(expression_select(toy.arena, p, v("x"), v("y")), 1.5, -2, -3, M, M, M);
}

static void codes(void **state)
{
    (void)state;
    struct maille_error error = {0};
    static const double breaks[] = {-2, 0, 1.5};
    EXPECT(expression_cut_open(toy.arena, v("x"), breaks, 3, true), 2, 0, 1, M, 3, 1);
    EXPECT(expression_cut_open(toy.arena, v("x"), breaks, 3, false), 3, 1, 2, M, 3, 1);
    EXPECT(expression_cut(toy.arena, v("x"), breaks, 3, (struct cut_style){.right = true}), 1, M, 0, M, M, 0);
    EXPECT(expression_cut(toy.arena, v("x"), breaks, 3, (struct cut_style){.right = false}), M, 0, 1, M, M,
           0);
    EXPECT(expression_cut(toy.arena, v("x"), breaks, 3,
                          (struct cut_style){.right = true, .include_lowest = true}),
           1, 0, 0, M, M, 0);
    EXPECT(expression_cut(toy.arena, v("x"), breaks, 3, (struct cut_style){.include_lowest = true}), 1, 0, 1,
           M, M, 0);
    EXPECT(expression_uniform_bin(toy.arena, v("x"), -2, 1, 3), M, 0, 2, M, M, 1);
    EXPECT(expression_uniform_bin(toy.arena, v("x"), -2, 0.5, 7), 6, 0, 4, M, M, 3); /* the closed end */
    const struct expression *code = NULL;
    MUST(expression_as_code(&code, toy.arena, v("y"), &error));
    EXPECT(code, 5, 3, 0, 4, M, 6);
    MUST(expression_as_code(&code, toy.arena, v("p"), &error));
    EXPECT(code, 1, 1, 0, M, 0, M);
    const struct expression *both[] = {v("g"), code};
    EXPECT(expression_cross(toy.arena, both, 2), 1, 3, 4, M, 2, M);
    EXPECT(expression_indicator(toy.arena, v("g"), 1), 0, 1, 0, M, 1, 0);
    EXPECT(expression_number_of(toy.arena, v("g")), 0, 1, 2, M, 1, 0);
    EXPECT(expression_number_of(toy.arena, v("p")), 1, 1, 0, M, 0, M);
    static const double table[] = {0.5, -3, 7};
    EXPECT(expression_lookup(toy.arena, table, 3, v("g")), 0.5, -3, 7, M, -3, 0.5);
}

/* What fails, fails the row only where nothing is missing and the value matters. */
/* Bit rule 3: an argument of 0 or less is an error of the analysis. */
static void failures(void **state)
{
    (void)state;
    const struct expression *x = v("x"), *log_x = one(OP_LOG, x), *positive = two(OP_GT, x, n(0));
    const struct expression *above = two(OP_GT, log_x, n(1));
    EXPECT(two(OP_ADD, log_x, v("y")), log(1.5) + 2, F, F, M, M, F);
    EXPECT(above, 0, F, F, M, 1, F);
    EXPECT(two(OP_AND, positive, above), 0, 0, 0, M, 1, 0);
    EXPECT(two(OP_AND, above, positive), 0, 0, 0, M, 1, 0);
    EXPECT(two(OP_OR, one(OP_NOT, positive), above), 0, 1, 1, M, 1, 1);
    EXPECT(two(OP_OR, positive, above), 1, F, F, M, 1, F);
    EXPECT(two(OP_AND, above, v("q")), 0, 0, M, M, 0, M);
    EXPECT(expression_select(toy.arena, positive, log_x, n(-9)), log(1.5), -9, -9, M, log(8), -9);
    EXPECT(expression_select(toy.arena, above, n(1), n(0)), 0, F, F, M, 1, F);
    EXPECT(one(OP_IS_MISSING, log_x), 0, F, F, 1, 0, F);
    const struct expression *args[] = {log_x, v("y")};
    EXPECT(expression_complete(toy.arena, args, 2), 1, F, F, 0, 0, F);
    EXPECT(one(OP_LOG, one(OP_LOG, x)), F, F, F, M, log(log(8)), F);
    EXPECT(expression_uniform_bin(toy.arena, log_x, 0.1, 1, 3), 0, F, F, M, 1, F);
}

/* Bit rule 2: a linear predictor is ((c0·x0 + c1·x1) + c2·x2) + …, over its terms as they are given, at every
 * vector level. In the first row 2^53 + 1 − 2^53 is 0 from the left, and 1 in any other order. */
static void a_linear_predictor_is_summed_in_order(void **state)
{
    (void)state;
    const double big = 0x1p53;
    const struct expression *one_of[] = {n(1), n(1), n(1), v("x")};
    const double up[] = {big, 1, -big, 1, 0}, down[] = {big, -big, 1, 1, 0}; /* the constant last */
    const double x[] = {1.5, -2, 0, M, 8, -0.25};
    double left[ROWS], right[ROWS];
    for (size_t r = 0; r < ROWS; r++) {
        volatile double a = up[0], b = down[0];
        for (size_t k = 1; k < 4; k++) {
            a = a + up[k] * (k == 3 ? x[r] : 1);
            b = b + down[k] * (k == 3 ? x[r] : 1);
        }
        left[r] = a;
        right[r] = b;
    }
    assert_true(left[0] == 1.5 && right[0] == 2.5);
    expect(expression_linear(toy.arena, up, one_of, 4), left, "from the left");
    expect(expression_linear(toy.arena, down, one_of, 4), right, "another order");
}

static void equal_subtrees_are_one(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct program program;
    const struct expression *roots[] = {two(OP_ADD, v("x"), n(1)), NULL,
                                        two(OP_MULTIPLY, two(OP_ADD, v("x"), n(1)), v("y")),
                                        two(OP_ADD, v("x"), n(2))};
    MUST(program_compile(&program, toy.arena, roots, 4, false, &error));
    assert_int_equal(program.n_instructions, 7); /* x, 1, x + 1, y, ·, 2, x + 2 */
    assert_int_equal(program.n_variables, 2);
    assert_true(program.roots[1] == PROGRAM_NONE);
    /* a tower of shared nodes: 2^60 paths, 61 nodes */
    const struct expression *tower = v("p");
    for (int i = 0; i < 60; i++)
        tower = two(OP_AND, tower, tower);
    MUST(program_compile(&program, toy.arena, &tower, 1, false, &error));
    assert_int_equal(program.n_instructions, 61);
    assert_true(program.n_slots <= 3);
    EXPECT(tower, 1, 1, 0, M, 0, M);
}

static void bad_trees_are_refused(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct program program;
    struct evaluator *evaluator = NULL;
    const struct expression *tower = v("x");
    for (int i = 0; i < 2000; i++)
        tower = one(OP_NEGATE, tower);
    assert_int_equal(program_compile(&program, toy.arena, &tower, 1, false, &error), MAILLE_INVALID);
    const struct expression *g = v("g");
    static const double table[] = {1, 2};
    struct expression lookup = {.op = OP_LOOKUP, .table = table, .n_table = 2, .args = &g, .n_args = 1};
    const struct expression *root = &lookup;
    assert_int_equal(program_compile(&program, toy.arena, &root, 1, false, &error), MAILLE_INVALID);
    struct expression stranger = *v("x");
    stranger.variable = 99;
    root = &stranger;
    MUST(program_compile(&program, toy.arena, &root, 1, false, &error));
    assert_int_equal(evaluate_new(&evaluator, &program, toy.columns, &error), MAILLE_INVALID);
}

/* A tree that was built for narrower bounds than the data has. */
static void values_outside_of_the_dictionary(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct program program;
    struct evaluator *evaluator = NULL;
    struct expression narrow = *v("x");
    narrow.high = 7;
    struct expression levels = *v("g");
    levels.n_levels = 2;
    const struct expression *roots[] = {&narrow, &levels};
    for (size_t k = 0; k < 2; k++) {
        MUST(program_compile(&program, toy.arena, &roots[k], 1, false, &error));
        MUST(evaluate_new(&evaluator, &program, toy.columns, &error));
        MUST(evaluate_load(evaluator, 0, &error));
        assert_int_equal(evaluate_rows(evaluator, 0, ROWS, NULL, &error), MAILLE_CORRUPT);
        MUST(evaluate_rows(evaluator, 0, 2, NULL, &error));
        evaluate_free(evaluator);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves),
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(functions),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(three_valued_logic),
        cmocka_unit_test(codes),
        cmocka_unit_test(failures),
        cmocka_unit_test(a_linear_predictor_is_summed_in_order),
        cmocka_unit_test(equal_subtrees_are_one),
        cmocka_unit_test(bad_trees_are_refused),
        cmocka_unit_test(values_outside_of_the_dictionary),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
