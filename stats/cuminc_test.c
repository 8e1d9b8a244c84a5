/* Causes: cancer at 1 and 3, other at 3; censored at 2, 5, 6.
 *
 * At 1: 6 at risk, F_cancer = 1/6, S = 5/6. At 3: 4 at risk, F_cancer = 1/6 + 5/6·1/4 = 3/8, F_other = 5/24.
 * Variance of F_cancer: at 1 (1/6)²·(6/5)²·(1 − 1/6)² = 1/36. At 3 the sums of the powers of F(t) are
 * 1/25 + 9/256 + 361/2304, 1/25 + 3/32 + 19/96 and 1/25 + 1/4 + 1/4: with F = 3/8 they give 17/288.
 *
 * Gray's test of A against B. Cancer: at 1 the score is 1 − 3/6, at 3, with h = 3 and 2 and 1 − F = 2/3 and
 * 1, 0 − 2/4: 0 in all. Other: score 1 − 3/5 at 3; a = ±6/5, c = ±6/25, constant part 5856/15625, and V =
 * 159/625: χ² = (4/25)/(159/625) = 100/159. */
#include "stats/six_patients.h"

static void assert_array(const struct result *list, const double *expected, size_t n)
{
    assert_int_equal(list->n, n);
    for (size_t i = 0; i < n; i++)
        assert_number(at(list, i), expected[i]);
}

static void test_paper(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(&six, "method: cuminc, formula: \"Surv(time, cause) ~ 1\"");
    const struct result *curves = get(result, "curves"), *cancer = at(curves, 0), *other = at(curves, 1);
    const double z = 1.959963984540054;
    assert_int_equal(curves->n, 2);
    assert_text(get(cancer, "stratum"), "all");
    assert_text(get(cancer, "cause"), "cancer");
    assert_array(get(cancer, "time"), (const double[]){1, 3}, 2);
    assert_array(get(cancer, "estimate"), (const double[]){1.0 / 6, 3.0 / 8}, 2);
    assert_array(get(cancer, "std_error"), (const double[]){1.0 / 6, sqrt(17.0 / 288)}, 2);
    assert_number(at(get(cancer, "conf_low"), 0), pow(1.0 / 6, exp(z / log(6))));
    assert_number(at(get(cancer, "conf_high"), 0), pow(1.0 / 6, exp(-z / log(6))));
    assert_text(get(other, "cause"), "other");
    assert_array(get(other, "time"), (const double[]){3}, 1);
    assert_array(get(other, "estimate"), (const double[]){5.0 / 24}, 1);
    const struct result *heads = at(get(result, "risk_sets"), 0);
    assert_int_equal(get(result, "risk_sets")->n, 1);
    assert_text(get(heads, "stratum"), "all");
    assert_array(get(heads, "time"), (const double[]){1, 2, 3, 5, 6}, 5);
    assert_array(get(heads, "n_risk"), (const double[]){6, 5, 4, 2, 1}, 5);
    assert_array(get(heads, "n_event_at"), (const double[]){1, 0, 2, 0, 0}, 5);
    assert_array(get(heads, "n_censor"), (const double[]){0, 1, 0, 1, 1}, 5);
    assert_int_equal(get(result, "gray")->n, 0);
    assert_int_equal(six.state->outcome.n, 6);
    assert_int_equal(six.state->outcome.n_event, 3);
    six_clear(&six);
}

static void test_gray(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(&six, "method: cuminc, formula: \"Surv(time, cause) ~ arm\"");
    const struct result *gray = get(result, "gray");
    assert_int_equal(gray->n, 2);
    assert_text(get(at(gray, 0), "cause"), "cancer");
    assert_number(get(at(gray, 0), "statistic"), 0);
    assert_number(get(at(gray, 0), "p_value"), 1);
    assert_number(get(at(gray, 1), "statistic"), 100.0 / 159);
    assert_number(get(at(gray, 1), "df"), 1);
    assert_number(get(at(gray, 1), "p_value"), erfc(sqrt(50.0 / 159)));
    assert_text(at(six.state->outcome.dropped_levels, 0), "arm=C");
    /* B has nobody of cause other: a curve without a step. */
    assert_int_equal(get(result, "curves")->n, 4);
    assert_text(get(at(get(result, "curves"), 3), "stratum"), "arm=B");
    assert_int_equal(get(at(get(result, "curves"), 3), "time")->n, 0);
    six_clear(&six);
}

/* The last at risk dies of it: F = 1 has no limits on the scale of log(−log F), and a cause that nobody has
 * is named. */
static void test_edges(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        six_result(&six, "method: cuminc, formula: \"Surv(time, cause) ~ 1\", cohort: dead && arm == \"B\"");
    const struct result *curve = at(get(result, "curves"), 0);
    assert_array(get(curve, "estimate"), (const double[]){1}, 1);
    assert_empty(at(get(curve, "conf_low"), 0));
    assert_empty(at(get(curve, "conf_high"), 0));
    assert_text(at(six.state->outcome.dropped_levels, 0), "cause=other");
    six_clear(&six);
    /* Each arm a stratum of its own: no two groups are ever compared. */
    result = six_result(&six, "method: cuminc, formula: \"Surv(time, cause) ~ arm + strata(arm)\"");
    assert_empty(get(at(get(result, "gray"), 0), "statistic"));
    assert_empty(get(at(get(result, "gray"), 0), "p_value"));
    assert_int_equal(six.state->outcome.warnings->n, 2);
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_refused("method: cuminc, formula: \"Surv(time, dead) ~ arm\"", "found a boolean: use km");
    six_refused("method: cuminc, formula: \"Surv(start, time, cause) ~ arm\"", "no delayed entry");
    six_refused("method: cuminc, formula: \"Surv(time, cause) ~ strata(site)\"", "strata(site)");
    six_refused("method: cuminc, formula: \"age ~ arm\"", "Surv(time, event)");
    six_refused("method: cuminc, formula: \"Surv(time, cause) ~ arm\", rho: 11", "from -10 to 10");
    six_fails("method: cuminc, formula: \"Surv(time, cause) ~ arm\", cohort: \"!dead\"",
              "everybody is censored");
    six_fails("method: cuminc, formula: \"Surv(time, cause) ~ arm\", cohort: age > 100", "found nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paper), cmocka_unit_test(test_gray),
                                       cmocka_unit_test(test_edges), cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
