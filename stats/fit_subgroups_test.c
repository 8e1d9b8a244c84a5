/* age ~ arm in the living and the dead. Means: A, alive 60 (patient 3), dead 45 (1, 2); B, alive 70 (4, 6),
 * dead 70 (5). So B − A is 10 in the living and 25 in the dead. Squares about the means: 50 + 200, on 6 − 4
 * degrees of freedom 125; a difference has the variance 125·(1 + 1/2), and that of the two differences, 15,
 * twice as much. */
#include "stats/six_patients.h"

static void assert_row(const struct result *row, const char *level, double estimate)
{
    double error = sqrt(125 * 1.5), t = estimate / error;
    assert_text(get(row, "variable"), "dead");
    assert_text(get(row, "level"), level);
    assert_text(get(row, "term"), "armB");
    assert_number(get(row, "n"), 3);
    assert_empty(get(row, "n_event"));
    assert_number(get(row, "estimate"), estimate);
    assert_number(get(row, "std_error"), error);
    assert_number(get(row, "p_value"), 1 - t / sqrt(2 + t * t)); /* of t with 2 */
    assert_number(get(row, "conf_high"), estimate + 0.95 / sqrt(2 * 0.975 * 0.025) * error);
}

static void test_paper(void **state)
{
    (void)state;
    struct six six;
    const struct result *whole =
        six_result(&six, "method: glm, family: gaussian, formula: \"age ~ arm\", subgroups: [dead]");
    assert_null(result_get(whole, "subgroups")); /* of all: as without */
    assert_int_equal(six.study->n_analyses, 2);
    const struct analysis *added = &six.study->analyses[1];
    assert_string_equal(added->id, "a-dead");
    assert_string_equal(added->subgroup, "dead");
    assert_int_equal(added->index, 1);
    assert_int_equal(added->entry, 0);
    if (six.run.states[1].status != ANALYSIS_OK)
        fail_msg("%s", six.run.states[1].reason);
    const struct result *result = six.run.states[1].outcome.result;
    const struct result *rows = get(result, "subgroups"), *test = get(result, "interaction");
    assert_int_equal(rows->n, 2);
    assert_row(at(rows, 0), "FALSE", 10);
    assert_row(at(rows, 1), "TRUE", 25);
    double f = 15.0 * 15 / (2 * 125 * 1.5);
    assert_number(get(test, "statistic"), f);
    assert_number(get(test, "df1"), 1);
    assert_number(get(test, "df2"), 2);
    assert_number(get(test, "p_value"), 1 - sqrt(f / (2 + f)));
    six_clear(&six);
}

/* Deaths at 1 and 3 of A, at 3 of B. The living have no event: nothing is said of them, and of the dead what
 * they say alone. */
static void test_level_without_events(void **state)
{
    (void)state;
    struct six six;
    const struct result *alone =
        six_result(&six, "method: cox, formula: \"Surv(time, dead) ~ age\", cohort: dead");
    const double expected = get(at(get(alone, "terms"), 0), "estimate")->number;
    six_clear(&six);
    six_result(&six, "method: cox, formula: \"Surv(time, dead) ~ age\", subgroups: [dead]");
    if (six.run.states[1].status != ANALYSIS_OK)
        fail_msg("%s", six.run.states[1].reason);
    const struct result *rows = get(six.run.states[1].outcome.result, "subgroups");
    assert_int_equal(rows->n, 2);
    assert_int_equal(get(at(rows, 0), "estimate")->kind, RESULT_NULL);
    assert_number(get(at(rows, 1), "estimate"), expected);
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_refused("method: glm, family: gaussian, formula: \"age ~ arm\", subgroups: [x]", "cut() it under");
    six_refused("method: glm, family: gaussian, formula: \"age ~ arm\", subgroups: [arm]",
                "other variables than");
    six_refused("method: glm, family: gaussian, formula: \"age ~ arm\", subgroups: [dead, dead]", "once");
    six_refused("method: glm, family: gaussian, formula: \"age ~ arm\", subgroups: []", "subgroups");
    six_refused("method: glm, family: gaussian, formula: \"age ~ arm * x\", subgroups: [dead]",
                "in no interaction");
    six_refused("method: glm, family: gaussian, formula: \"age ~ arm - 1\", subgroups: [dead]", "intercept");
    six_refused("method: cox, formula: \"Surv(time, dead) ~ 1\", subgroups: [arm]", "first term");
    six_refused("method: cox, formula: \"Surv(time, dead) ~ ns(age, knots = c(40, 60), Boundary.knots = "
                "c(20, 90))\", subgroups: [arm]",
                "first term");
    six_refused("method: km, formula: \"Surv(time, dead) ~ 1\", subgroups: [arm]", "subgroups");
    six_refused("method: meta, term: age, model: { method: cox, formula: \"Surv(time, dead) ~ age\", "
                "subgroups: [arm] }",
                "subgroups");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paper),
                                       cmocka_unit_test(test_level_without_events),
                                       cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
