/* Weights that stand for few, and numbers that are too many. */
#include <math.h>

#include "disclosure/gate.h"
#include "tally/testing.h"

static const char yaml[] = "dictionary: toy\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n"
                           "  - { name: g, type: category, levels: [a, b] }\n"
                           "  - { name: x, type: real, min: -30, max: 30, resolution: 0.5 }\n"
                           "  - { name: w, type: real, min: 0, max: 100000, resolution: 1 }\n";
/* Weights 1, 1, 1, 97 and a missing one: (Σw)²/Σw² = 10000/9412, of four rows. */
static const char csv[] = "pid,g,x,w\n1,a,0,1\n2,a,1,1\n3,b,2,1\n4,b,30,97\n5,b,3,\n";

static double share_of(const struct toy *toy, struct tally_spec *spec)
{
    struct maille_error error = {0};
    double share = NAN;
    MUST(gate_weight_share(&share, spec, toy->columns, NULL, &error));
    return share;
}

static struct tally_block *weighted(struct tally_spec *spec, const struct toy *toy,
                                    const struct expression *weight, int order)
{
    const struct expression **term = arena_alloc(toy->arena, sizeof *term);
    *spec = (struct tally_spec){.n_blocks = 0};
    *term = toy_variable(toy, "x");
    struct tally_block *block = tally_spec_add(spec);
    block->weight = weight;
    block->order = order;
    block->terms = order > 0 ? term : NULL;
    block->n_terms = order > 0;
    return block;
}

static void test_shares(void **state)
{
    (void)state;
    struct toy toy = toy_new(yaml, csv, strlen(csv));
    struct tally_spec spec;
    const struct expression *w = toy_variable(&toy, "w"), *x = toy_variable(&toy, "x"),
                            *g = toy_variable(&toy, "g");
    const double lonely = 10000.0 / 9412 / 4;
    for (int order = 1; order <= 2; order++) {
        weighted(&spec, &toy, w, order);
        assert_true(fabs(share_of(&toy, &spec) - lonely) < 1e-12);
    }
    weighted(&spec, &toy, w, 0)->group = g; /* over all groups together */
    assert_true(fabs(share_of(&toy, &spec) - lonely) < 1e-12);
    weighted(&spec, &toy, w, 1)->filter =
        expression_binary(toy.arena, OP_LT, x, expression_constant(toy.arena, 10));
    assert_true(fabs(share_of(&toy, &spec) - 1) < 1e-12); /* the three alike */
    weighted(&spec, &toy, w, 1)->filter =
        expression_binary(toy.arena, OP_LT, x, expression_constant(toy.arena, -10));
    assert_true(share_of(&toy, &spec) == 1); /* nobody */
    weighted(&spec, &toy, expression_constant(toy.arena, 0), 1);
    assert_true(share_of(&toy, &spec) == 1); /* nothing leaves */
    weighted(&spec, &toy, NULL, 1);
    assert_true(share_of(&toy, &spec) == 1);
    weighted(&spec, &toy, w, 0); /* one sum: a log likelihood */
    assert_true(share_of(&toy, &spec) == 1);
    weighted(&spec, &toy, x, 1); /* a residual is no weight */
    assert_true(share_of(&toy, &spec) == 1);
    toy_clear(&toy);
}

/* θ that singles out one patient: exp(x) of 30 beside 0, 1, 2, 3; and shifted, so that all weights are small
 * under a bound that is not. */
static void test_crafted(void **state)
{
    (void)state;
    struct toy toy = toy_new(yaml, csv, strlen(csv));
    struct tally_spec spec;
    const struct expression *x = toy_variable(&toy, "x");
    const struct expression *shifted =
        expression_binary(toy.arena, OP_SUBTRACT, x, expression_constant(toy.arena, 29));
    weighted(&spec, &toy, expression_unary(toy.arena, OP_EXP, x), 1);
    assert_true(share_of(&toy, &spec) < 0.2 + 1e-6);
    weighted(&spec, &toy, expression_unary(toy.arena, OP_EXP, shifted), 2);
    assert_true(share_of(&toy, &spec) < 0.2 + 1e-6);
    weighted(&spec, &toy, NULL, 2)->kind = TALLY_RISKSET; /* inside the site's risk sets */
    spec.blocks[0].riskset = RISKSET_COX_BRESLOW;
    spec.blocks[0].eta = x;
    assert_true(share_of(&toy, &spec) < 0.2 + 1e-6);
    toy_clear(&toy);
}

static void test_rules(void **state)
{
    (void)state;
    struct policy policy = {.min_ess_share = 0.05};
    struct verdict verdict = {{0}, {0}, {0}};
    gate_weights(&verdict, &policy, 0.05);
    assert_string_equal(verdict.rule, "");
    gate_weights(&verdict, &policy, 0.049);
    assert_string_equal(verdict.rule, "min_ess_share");
    assert_null(strpbrk(verdict.sentence, "0123456789"));
    gate_refuse(&verdict, "theta", "another");
    assert_string_equal(verdict.rule, "min_ess_share"); /* the first is told */
    verdict = (struct verdict){{0}, {0}, {0}};
    policy.min_ess_share = POLICY_OFF;
    gate_weights(&verdict, &policy, 0);
    assert_string_equal(verdict.rule, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shares), cmocka_unit_test(test_crafted),
                                       cmocka_unit_test(test_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
