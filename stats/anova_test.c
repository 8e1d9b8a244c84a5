/* Ages: A 40 50 60, B 60 70 80; means 50, 70 and 60 in all. Between 3·100 + 3·100 = 600 with 1 df, within 200
 * + 200 with 4: F = 600/(400/4) = 6, the square of the t-test's −√6, and the same p. Of two groups Welch's F
 * is the square of Welch's t. */
#include "stats/six_patients.h"

static void test_paper(void **state)
{
    (void)state;
    for (int equal = 0; equal < 2; equal++) {
        struct six six;
        char text[128];
        snprintf(text, sizeof text, "method: anova, formula: \"age ~ arm\", var_equal: %s",
                 equal ? "true" : "false");
        const struct result *result = six_result(&six, text), *means = get(result, "means");
        assert_number(get(result, "df1"), 1);
        assert_number(get(result, "df2"), 4);
        assert_number(get(result, "statistic"), 6);
        assert_number(get(result, "p_value"), 1 - 1.2 * sqrt(0.6));
        assert_int_equal(means->n, 2); /* C is nobody's */
        assert_text(get(at(means, 1), "level"), "B");
        assert_number(get(at(means, 0), "mean"), 50);
        assert_number(get(at(means, 1), "mean"), 70);
        assert_text(at(six.state->outcome.dropped_levels, 0), "arm=C");
        six_clear(&six);
    }
}

/* Times 1 2 | 3 3 | 5 6 by a cut at 2 and 4: means 3/2, 3, 11/2, in all 10/3. Between 2·(121/36 + 4/36 +
 * 169/36) = 49/3, within 1/2 + 0 + 1/2 with 3 df: F = (49/6)/(1/3) = 49/2. One group has no variance: Welch's
 * weights do not exist. */
static void test_three(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        six_result(&six, "method: anova, formula: \"time ~ cut(time, c(-Inf, 2, 4, Inf))\"");
    assert_number(get(result, "df1"), 2);
    assert_number(get(result, "df2"), 3);
    assert_number(get(result, "statistic"), 24.5);
    assert_number(get(result, "p_value"),
                  pow(3 / (3 + 2 * 24.5), 1.5)); /* of F with 2 and m df: (m/(m + 2F))^(m/2) */
    assert_text(get(at(get(result, "means"), 2), "level"), "(4, Inf]");
    assert_number(get(at(get(result, "means"), 2), "mean"), 5.5);
    six_clear(&six);
    six_fails("method: anova, formula: \"time ~ cut(time, c(-Inf, 2, 4, Inf))\", var_equal: false", "(2,4]");
}

static void test_bad(void **state)
{
    (void)state;
    six_fails("method: anova, formula: \"age ~ arm\", cohort: arm == \"A\"", "at least two levels");
    six_fails("method: anova, formula: \"x ~ arm\"", "differ within the groups");
    six_fails("method: anova, formula: \"time ~ factor(age)\", cohort: age != 60",
              "more patients than groups");
    six_fails("method: anova, formula: \"time ~ factor(age)\", var_equal: false",
              "found one in factor(age)=40");
    six_fails("method: anova, formula: \"age ~ arm\", cohort: age > 100", "found nobody");
    six_refused("method: anova, formula: \"age ~ arm + offset(time)\"", "offset()");
    six_refused("method: anova, formula: \"age ~ 1\"", "one category");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paper), cmocka_unit_test(test_three),
                                       cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
