/* Ages: A 40 50 60, B 60 70 80. Means 50 and 70, both variances 100: se² = 100/3 + 100/3, t = −20/√(200/3) =
 * −√6. With equal sizes and variances Welch's df is 4, as Student's. For 4 degrees of freedom P(|T| > t) = 1
 * − s(1 + (1 − s²)/2), s = t/√(4 + t²): s² = 3/5, p = 1 − 6/5·√(3/5). */
#include "stats/six_patients.h"

static void test_paper(void **state)
{
    (void)state;
    static const char *const studies[] = {
        "method: ttest, formula: \"age ~ arm\"",
        "method: ttest, formula: \"age ~ arm\", var_equal: true",
    };
    for (size_t i = 0; i < 2; i++) {
        struct six six;
        const struct result *result = six_result(&six, studies[i]);
        double half = (number(get(result, "conf_high")) - number(get(result, "conf_low"))) / 2;
        assert_number(get(result, "estimate"), -20);
        assert_number(get(result, "statistic"), -sqrt(6));
        assert_number(get(result, "df"), 4);
        assert_number(get(result, "p_value"), 1 - 1.2 * sqrt(0.6));
        assert_number(get(result, "conf_low"), -20 - half);
        /* the limit at q of 4 df: 1 − s(1 + (1 − s²)/2) = 0.05, s = q/√(4 + q²) */
        double q = half / sqrt(200.0 / 3), s = q / sqrt(4 + q * q);
        assert_true(fabs(1 - s * (1 + (1 - s * s) / 2) - 0.05) < 1e-12);
        assert_int_equal(six.state->outcome.n, 6);
        assert_text(at(six.state->outcome.dropped_levels, 0), "arm=C");
        six_clear(&six);
    }
}

/* A 40 50 against B 60: one patient has no variance, so Student's alone: s² = 50 with 1 df, se² = 50·3/2, t =
 * −15/√75 = −√3, p = 1 − 2/π·atan √3 = 1/3. */
static void test_one(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(
        &six, "method: ttest, formula: \"age ~ dead\", var_equal: true, cohort: age < 60 || time == 2");
    assert_number(get(result, "estimate"), 15); /* FALSE first */
    assert_number(get(result, "statistic"), sqrt(3));
    assert_number(get(result, "p_value"), 1.0 / 3);
    six_clear(&six);
    six_fails("method: ttest, formula: \"age ~ dead\", cohort: age < 60 || time == 2",
              "found one in dead=FALSE");
    six_fails("method: ttest, formula: \"age ~ dead\", var_equal: true, cohort: time < 3 && age != 50",
              "at least three");
}

static void test_bad(void **state)
{
    (void)state;
    six_fails("method: ttest, formula: \"age ~ arm\", cohort: arm == \"A\"",
              "exactly two levels of `arm`, found 1");
    six_fails("method: ttest, formula: \"x ~ arm\"", "differ within the groups");
    six_fails("method: ttest, formula: \"age ~ arm\", cohort: age > 100", "found nobody");
    six_refused("method: ttest, formula: \"arm ~ dead\"", "found the category `arm`");
    six_refused("method: ttest, formula: \"Surv(time, dead) ~ arm\"", "expected a number before");
    six_refused("method: ttest, formula: \"age ~ arm + dead\"", "one category");
    six_refused("method: ttest, formula: \"age ~ arm:dead\"", "one category");
    six_refused("method: ttest, formula: \"age ~ arm - 1\"", "one category");
    six_refused("method: ttest, formula: \"age ~ root\"", "root");
    six_refused("method: ttest", "formula");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paper), cmocka_unit_test(test_one),
                                       cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
