/* Arm against death: A 1 alive 2 dead, B 2 alive 1 dead. χ² = 6 (1·1 − 2·2)²/3⁴ = 2/3; every deviation is ½,
 * so Yates' is 0; V = √(2/3/6) = 1/3. Fisher: P(x) = {1, 9, 9, 1}/20, so p = 1, and the odds ratio ω makes
 * the mean of x equal 1: 2ω³ + 9ω² = 1. P(X ≥ 1) = (9ω+9ω²+ω³)/(1+9ω+9ω²+ω³) = 0.025 and P(X ≤ 1) =
 * (1+9ω)/(…) = 0.025 are the limits. */
#include "stats/six_patients.h"

static void test_paper(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(&six, "method: crosstab, variables: [arm, dead]");
    const struct result *counts = get(result, "counts"), *fisher = get(result, "fisher");
    assert_int_equal(counts->n, 2); /* nobody in C */
    assert_number(at(at(counts, 0), 0), 1);
    assert_number(at(at(counts, 0), 1), 2);
    assert_number(at(at(counts, 1), 0), 2);
    assert_number(at(at(counts, 1), 1), 1);
    assert_text(at(at(get(result, "levels"), 1), 1), "TRUE");
    assert_text(at(six.state->outcome.dropped_levels, 0), "arm=C");
    assert_number(get(get(result, "chisq"), "statistic"), 0);
    assert_number(get(get(result, "chisq"), "p_value"), 1);
    assert_number(get(get(result, "chisq_uncorrected"), "statistic"), 2.0 / 3);
    assert_number(get(get(result, "chisq_uncorrected"), "df"), 1);
    assert_number(get(result, "cramers_v"), 1.0 / 3);
    assert_number(get(fisher, "p_value"), 1);
    double w = number(get(fisher, "odds_ratio")), low = number(get(fisher, "conf_low")),
           high = number(get(fisher, "conf_high"));
    assert_true(fabs(2 * w * w * w + 9 * w * w - 1) < 1e-14);
    double all = 1 + 9 * low + 9 * low * low + low * low * low;
    assert_true(fabs((9 * low + 9 * low * low + low * low * low) / all - 0.025) < 1e-15);
    all = 1 + 9 * high + 9 * high * high + high * high * high;
    assert_true(fabs((1 + 9 * high) / all - 0.025) < 1e-15);
    assert_int_equal(six.state->outcome.warnings->n, 1); /* expected counts of 1.5 */
    six_clear(&six);
}

/* An empty cell: R gives an odds ratio of 0 or infinity. */
static void test_infinite(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(&six, "method: crosstab, variables: [dead, cause]");
    assert_empty(get(result, "fisher")); /* 2 × 3 */
    six_clear(&six);
    result = six_result(&six, "method: crosstab, variables: [dead, cause], cohort: cause != \"other\"");
    assert_empty(get(get(result, "fisher"), "odds_ratio"));
    assert_empty(get(get(result, "fisher"), "conf_high"));
    assert_int_equal(six.state->outcome.warnings->n, 2);
    six_clear(&six);
}

static void test_three_ways(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(&six, "method: crosstab, variables: [arm, dead, cause]");
    assert_int_equal(at(at(get(result, "counts"), 0), 1)->n, 3);
    assert_number(at(at(at(get(result, "counts"), 0), 1), 2), 1);
    assert_true(result_get(result, "chisq") == NULL);
    six_clear(&six);
}

static void test_one_level(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        six_result(&six, "method: crosstab, variables: [arm, dead], cohort: arm == \"A\"");
    assert_empty(get(result, "chisq"));
    assert_empty(get(result, "cramers_v"));
    assert_text(at(six.state->outcome.warnings, 0), "no test: all patients are in one level of arm");
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_refused("method: crosstab, variables: [arm]", "variables");
    six_refused("method: crosstab, variables: [arm, x]", "x");
    six_fails("method: crosstab, variables: [arm, dead], cohort: age > 100", "found nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paper), cmocka_unit_test(test_infinite),
                                       cmocka_unit_test(test_three_ways), cmocka_unit_test(test_one_level),
                                       cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
