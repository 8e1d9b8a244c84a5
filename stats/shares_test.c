/* max_patient_share on the six patients: ages 40, 50, 60 in A (60 is 0.4 of their sum), 60, 70, 80 in B. */
#include "stats/six_patients.h"

static void run(struct six *six, const char *analysis, double max_share)
{
    six_run_judged(six, analysis, (const struct six_hidden[]){{0, 0, 0}}, 0, 0, max_share);
}

static bool is_null(double number)
{
    return isnan(number);
}

/* Row `row` of the list `list`: its number `name`, or NAN where it is null. */
static double number_of(const struct six *six, const char *list, size_t row, const char *name)
{
    return result_number(at(get(six->state->outcome.result, list), row), name);
}

/* A number of a table: hidden in all groups, also in those where nobody carries too much. */
static void tables(void **state)
{
    (void)state;
    struct six six;
    static const char describe[] = "method: describe, variables: [age, dead], by: arm";
    run(&six, describe, 0.41);
    assert_int_equal(six.state->status, ANALYSIS_OK);
    assert_int_equal(six.rounds, 2);
    assert_true(number_of(&six, "variables", 0, "mean") == 50);
    assert_int_equal(six.state->outcome.suppressed, 0);
    six_clear(&six);
    run(&six, describe, 0.39);
    assert_int_equal(six.state->status, ANALYSIS_OK);
    assert_true(is_null(number_of(&six, "variables", 0, "mean")));
    assert_true(is_null(number_of(&six, "variables", 0, "n")));
    assert_true(six.state->outcome.suppressed > 0);
    assert_warned(&six, "the numbers of age are withheld in all groups");
    for (size_t row = 0; row < get(six.state->outcome.result, "variables")->n; row++)
        if (strcmp(result_text(at(get(six.state->outcome.result, "variables"), row), "variable"), "age") == 0)
            assert_true(is_null(number_of(&six, "variables", row, "mean")));
    six_clear(&six);
    six_run_behind(&six, describe, (const struct six_hidden[]){{0, 0, 0}}, 0); /* off: no round more */
    assert_int_equal(six.rounds, 1);
    six_clear(&six);
}

/* Person time of A: 1 + 3 + 5, of B: 2 + 3 + 6. */
static void rates(void **state)
{
    (void)state;
    struct six six;
    run(&six, "method: rate, formula: \"Surv(time, dead) ~ arm\"", 0.56);
    assert_false(is_null(number_of(&six, "rates", 0, "rate")));
    six_clear(&six);
    run(&six, "method: rate, formula: \"Surv(time, dead) ~ arm\"", 0.55);
    assert_true(is_null(number_of(&six, "rates", 0, "rate")) && is_null(number_of(&six, "rates", 1, "rate")));
    six_clear(&six);
}

/* By time the three of A, 1, 3 and 5, have 9, those of B, 2, 3 and 6, have 11. By age 60 of 150 and 80 of
 * 210. */
static void weighted_counts(void **state)
{
    (void)state;
    static const struct {
        const char *analysis;
        double passes, fails;
        const char *list, *name, *warned;
    } cases[] = {
        {"method: describe, variables: [arm], weights: time", 0.56, 0.55, "variables", "share", "(of time)"},
        {"method: km, formula: \"Surv(time, dead) ~ 1\", weights: age", 0.45, 0.4, "curves", "n", "(of age)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct six six;
        run(&six, cases[i].analysis, cases[i].passes);
        assert_int_equal(six.state->status, ANALYSIS_OK);
        if (is_null(number_of(&six, cases[i].list, 0, cases[i].name)))
            fail_msg("%s: expected numbers at %g", cases[i].analysis, cases[i].passes);
        six_clear(&six);
        run(&six, cases[i].analysis, cases[i].fails);
        assert_int_equal(six.state->status, ANALYSIS_OK);
        if (!is_null(number_of(&six, cases[i].list, 0, cases[i].name)))
            fail_msg("%s: expected none at %g", cases[i].analysis, cases[i].fails);
        assert_warned(&six, "carries too much of the weights");
        assert_warned(&six, cases[i].warned);
        six_clear(&six);
    }
}

/* What cannot do without is refused, and says of which variable. */
static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *analysis;
        double passes, fails;
        const char *names;
    } cases[] = {
        {"method: ttest, formula: \"age ~ arm\"", 0.41, 0.39, "a sum of age"},
        {"method: glm, formula: \"age ~ arm\"", 0.41, 0.39, "a sum of age"},
        {"method: glm, formula: \"age ~ x\"", 0.26, 0.25, "a sum of age"}, /* 80 of 300: patient 4 has no x */
        /* of A 5 of 9 by weight, and of weighted ages 300 of 490 */
        {"method: describe, variables: [age], weights: time", 0.35, 0.29, "the weights (of time)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct six six;
        run(&six, cases[i].analysis, cases[i].passes < 0.27 ? 0.27 : cases[i].passes);
        if (six.state->status == ANALYSIS_REFUSED)
            fail_msg("%s at %g: %s", cases[i].analysis, cases[i].passes, six.state->reason);
        six_clear(&six);
        run(&six, cases[i].analysis, cases[i].fails);
        if (six.state->status != ANALYSIS_REFUSED || strcmp(six.state->rule, "max_patient_share") != 0)
            fail_msg("%s at %g: expected a refusal", cases[i].analysis, cases[i].fails);
        if (strstr(six.state->reason, cases[i].names) == NULL)
            fail_msg("expected \"%s\" in: %s", cases[i].names, six.state->reason);
        six_clear(&six);
    }
}

/* sqrt(age) of A is 6.32, 7.07, 7.75: of the squares about their mean the first is 0.52; of the sum less the
 * least that the dictionary allows nobody has half. */
static void derived(void **state)
{
    (void)state;
    struct six six;
    run(&six, "method: describe, variables: [root], by: arm", 0.53);
    assert_false(is_null(number_of(&six, "variables", 0, "mean")));
    six_clear(&six);
    run(&six, "method: describe, variables: [root], by: arm", 0.5);
    assert_true(is_null(number_of(&six, "variables", 0, "mean")));
    six_clear(&six);
}

/* Bounds as wide as somebody likes: of sums in such units nobody sees who carries them. */
static void wide(void **state)
{
    (void)state;
    struct six six;
    run(&six, "method: ttest, formula: \"age + 10 * age - 10 * age ~ arm\"", 0.9);
    assert_int_equal(six.state->status, ANALYSIS_OK);
    six_clear(&six);
    run(&six, "method: ttest, formula: \"age + 1e7 * age - 1e7 * age ~ arm\"", 0.9);
    assert_int_equal(six.state->status, ANALYSIS_REFUSED);
    assert_string_equal(six.state->rule, "max_patient_share");
    six_clear(&six);
}

/* θ that a coordinator or a researcher made up. */
static void made_up(void **state)
{
    (void)state;
    struct six six = {0};
    struct maille_error error = {0};
    assert_int_equal(six_study(&six, "method: describe, variables: [age], by: arm", &error), MAILLE_OK);
    struct surviving *left = six_surviving(&six, NULL, 0);
    left->max_share = 0.5;
    const struct surviving *surviving = left;
    static const struct {
        double v[4];
        size_t n;
        bool right;
    } cases[] = {
        {{0, 0}, 2, true},   {{5}, 1, false},      {{1, 2, 2, 0}, 4, false}, /* six sums are wanted */
        {{0, -1}, 2, false}, {{0.5, 0}, 2, false}, {{9, 0}, 2, false},       {{0, INFINITY}, 2, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double v[4];
        memcpy(v, cases[i].v, sizeof v);
        const struct vector theta = {.v = v, .n = cases[i].n};
        const bool open = true;
        struct round_plan plan;
        assert_int_equal(round_plan(&plan, six.study, &open, &theta, &surviving, 0, &error), MAILLE_OK);
        if ((plan.analyses[0].error.code == MAILLE_OK) != cases[i].right)
            fail_msg("case %zu: %s", i, plan.analyses[0].error.sentence);
        round_plan_clear(&plan);
    }
    six_clear(&six);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tables),          cmocka_unit_test(rates),
                                       cmocka_unit_test(weighted_counts), cmocka_unit_test(refused),
                                       cmocka_unit_test(derived),         cmocka_unit_test(wide),
                                       cmocka_unit_test(made_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
