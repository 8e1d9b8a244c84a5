/* What a result may show of a model and of a variable (docs/DISCLOSURE.md §8). */
#include "disclosure/testing.h"

static const char dictionary_text[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                      "  - { name: arm, type: category, levels: [a, b, c] }\n"
                                      "  - { name: sex, type: category, levels: [m, w] }\n"
                                      "  - { name: age, type: integer, min: 0, max: 99 }\n"
                                      "  - { name: stage, type: integer, min: 1, max: 4 }\n"
                                      "  - { name: death, type: boolean }\n";

/* n[arm][sex] patients, dealt out to six sites in turn. */
static void registry(struct roster *roster, const size_t n[3][2])
{
    struct bytes csv = {0};
    size_t site_of[1024], k = 0;
    bytes_put_text(&csv, "id,arm,sex,age,stage,death\n");
    for (size_t arm = 0; arm < 3; arm++)
        for (size_t sex = 0; sex < 2; sex++)
            for (size_t i = 0; i < n[arm][sex]; i++, k++) {
                char line[64];
                site_of[k] = k % 6;
                snprintf(line, sizeof line, "%zu,%c,%c,%zu,%zu,%d\n", k, "abc"[arm], "mw"[sex], 20 + k % 60,
                         1 + k % 4, k % 3 == 0);
                bytes_put_text(&csv, line);
            }
    roster_init(roster, dictionary_text, (const char *)csv.data, csv.length, site_of, 6);
    bytes_clear(&csv);
}

#define LAX                                                                                                  \
    "policy: open\nmin_patients: 20\nmin_events: 1\nmin_contributors: 1\nmax_site_share: 1\n"                \
    "max_parameter_share: 1\nmin_tail: 1\ndifferencing: off\n"

/* Is the covariance of an analysis shown? It must not be refused. */
static bool covariance(const size_t n[3][2], const char *policy, const char *analysis)
{
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    struct bytes bytes = {0};
    struct plan read = {0};
    registry(&roster, n);
    const struct study *study = roster_study(&roster, "", analysis);
    assert_ok(rounds_run(&rounds, &roster, study, roster_policy(&roster, policy), NULL, NULL, 0, &error),
              &error);
    assert_string_equal(rounds.plan.analyses[0].rule, "");
    bool shown = surviving_covariance(rounds.plan.surviving[0]);
    plan_write(&bytes, &rounds.plan);
    assert_ok(plan_read(&read, study, bytes.data, bytes.length, &error), &error);
    assert_true(surviving_covariance(read.surviving[0]) == shown);
    plan_clear(&read);
    bytes_clear(&bytes);
    rounds_clear(&rounds);
    roster_clear(&roster);
    return shown;
}

static void every_pair_of_columns_holds_min_cell(void **state)
{
    (void)state;
    static const char glm[] =
        "  - { id: m, method: glm, family: binomial, formula: \"death ~ age + arm + sex\" }\n";
    static const char one[] =
        "  - { id: m, method: glm, family: binomial, formula: \"death ~ age + arm\" }\n";
    static const char crossed[] =
        "  - { id: m, method: glm, family: binomial, formula: \"death ~ arm + age:sex\" }\n";
    static const size_t enough[3][2] = {{12, 11}, {15, 11}, {20, 30}},
                        ten[3][2] = {{13, 10}, {15, 11}, {20, 30}},
                        nobody[3][2] = {{23, 0}, {15, 11}, {20, 30}};
    assert_true(covariance(enough, LAX "min_cell: 11\n", glm));
    assert_false(covariance(ten, LAX "min_cell: 11\n", glm));
    assert_false(covariance(nobody, LAX "min_cell: 11\n", glm)); /* nobody is too few */
    assert_false(
        covariance(ten, LAX "min_cell: 11\n", crossed)); /* a number times a level is a column of the level */
    assert_true(covariance(ten, LAX "min_cell: 11\n", one));   /* one factor has no pairs */
    assert_true(covariance(nobody, LAX "min_cell: 1\n", glm)); /* nothing is hidden */
}

/* The rule under which the last analysis is refused; before: what was shown earlier. after: gets what the
 * plan adds. */
static const char *last_rule(const char *policy, const char *analyses, struct shown *before,
                             struct shown *after, struct arena *arena)
{
    static char rule[MAILLE_RULE_MAX];
    static const size_t n[3][2] = {{12, 11}, {12, 11}, {25, 29}}; /* 100 */
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    registry(&roster, n);
    roster.before = before;
    const struct study *study = roster_study(
        &roster, strstr(analyses, "square") != NULL ? "derive:\n  square: age^2 + 1\n" : "", analyses);
    assert_ok(rounds_run(&rounds, &roster, study, roster_policy(&roster, policy), NULL, NULL, 0, &error),
              &error);
    snprintf(rule, sizeof rule, "%s", rounds.plan.analyses[study->n_analyses - 1].rule);
    if (after != NULL && rounds.plan.shown.n > 0) { /* through its bytes, as a ledger keeps it */
        struct bytes bytes = {0};
        shown_write(&bytes, &rounds.plan.shown);
        assert_ok(shown_read(after, arena, bytes.data, bytes.length, &error), &error);
        bytes_clear(&bytes);
    }
    rounds_clear(&rounds);
    roster_clear(&roster);
    return rule;
}

static void models_of_one_cohort_share_its_patients(void **state)
{
    (void)state;
    /* Of 100 patients: 2 numbers for each of intercept, age, two arms. */
    static const char one[] =
        "  - { id: a, method: glm, family: binomial, formula: \"death ~ age + arm\" }\n";
    static const char three[] =
        "  - { id: a, method: glm, family: binomial, formula: \"death ~ age + arm\" }\n"
        "  - { id: b, method: glm, family: binomial, formula: \"death ~ sex + arm\" }\n"
        "  - { id: c, method: glm, family: gaussian, formula: \"age ~ arm + sex\" }\n";
    struct arena *arena = arena_new();
    struct shown before = {0}, other = {0};
    assert_string_equal(last_rule(LAX "max_scalar_share: 0.08\n", one, NULL, &before, arena), "");
    assert_string_equal(last_rule(LAX "max_scalar_share: 0.079\n", one, NULL, NULL, arena),
                        "max_scalar_share");
    assert_string_equal(last_rule(LAX "max_scalar_share: 0.24\n", three, NULL, NULL, arena), "");
    assert_string_equal(last_rule(LAX "max_scalar_share: 0.23\n", three, NULL, NULL, arena),
                        "max_scalar_share");
    /* The same analysis again costs nothing, whatever study it stands in; another, whoever asks, comes to
     * what was shown before it, where one site knows that. */
    static const char another[] =
        "  - { id: x, method: glm, family: binomial, formula: \"death ~ sex + arm\" }\n";
    assert_string_equal(last_rule(LAX "max_scalar_share: 0.08\n", one, &before, NULL, arena), "");
    assert_string_equal(last_rule(LAX "max_scalar_share: 0.24\n", three, &before, NULL, arena), "");
    assert_string_equal(last_rule(LAX "max_scalar_share: 0.15\n", another, NULL, NULL, arena), "");
    assert_string_equal(last_rule(LAX "max_scalar_share: 0.15\n", another, &before, NULL, arena),
                        "max_scalar_share");
    assert_string_equal(last_rule(LAX "max_scalar_share: 0.16\n", another, &before, NULL, arena), "");
    /* Everybody in other words. */
    static const char again[] =
        "  - { id: a, method: glm, family: binomial, formula: \"death ~ age + arm\", cohort: \"age >= "
        "0\" }\n";
    assert_string_equal(last_rule(LAX "max_scalar_share: 0.15\n", again, &before, &other, arena),
                        "max_scalar_share");
    assert_int_equal(other.n, 0); /* what is refused shows nothing */
    arena_free(arena);
}

static void moments_of_one_variable_are_few(void **state)
{
    (void)state;
    static const char small[] =
        "  - { id: a, method: describe, variables: [age], by: sex, cohort: \"arm == \\\"a\\\"\" }\n";
    static const char squares[] =
        "  - { id: a, method: describe, variables: [age], by: sex, cohort: \"arm == \\\"a\\\"\" }\n"
        "  - { id: b, method: describe, variables: [age], by: sex, cohort: \"arm == \\\"a\\\"\" }\n"
        "  - { id: c, method: describe, variables: [square], by: sex, cohort: \"arm == \\\"a\\\"\" }\n";
    static const char all[] = "  - { id: a, method: describe, variables: [age, square] }\n"
                              "  - { id: b, method: ttest, formula: \"age ~ sex\" }\n";
    static const char policy[] = LAX "min_cell: 11\nmax_scalar_share: off\n";
    struct arena *arena = arena_new();
    struct shown before = {0};
    assert_string_equal(last_rule(policy, small, NULL, &before, arena),
                        ""); /* mean, sd, skewness of 11 and of 12 */
    assert_int_equal(before.n, 6);
    assert_string_equal(last_rule(policy, small, &before, NULL, arena), ""); /* the same ones count once */
    assert_string_equal(last_rule(policy, squares, NULL, NULL, arena), "moments");
    static const char square[] =
        "  - { id: c, method: describe, variables: [square], by: sex, cohort: \"arm == \\\"a\\\"\" }\n";
    assert_string_equal(last_rule(policy, square, NULL, NULL, arena), "");
    assert_string_equal(last_rule(policy, square, &before, NULL, arena), "moments");
    assert_string_equal(last_rule(policy, all, NULL, NULL, arena),
                        ""); /* a tenth of 100 patients and values */
    /* 100 patients of 40 ages at most: 4 power sums, not 10. */
    static const char young[] =
        "  - { id: a, method: describe, variables: [age], cohort: \"age > 19 && age <= 59\" }\n"
        "  - { id: b, method: glm, family: gaussian, formula: \"square ~ 1\", cohort: \"age > 19 && age <= "
        "59\" "
        "}\n";
    static const char older[] =
        "  - { id: a, method: describe, variables: [age], cohort: \"age > 19 && age <= 69\" }\n"
        "  - { id: b, method: glm, family: gaussian, formula: \"square ~ 1\", cohort: \"age > 19 && age <= "
        "69\" "
        "}\n";
    assert_string_equal(last_rule(policy, young, NULL, NULL, arena), "moments");
    assert_string_equal(last_rule(policy, older, NULL, NULL, arena), "");
    assert_string_equal(last_rule(LAX "min_cell: 1\nmax_scalar_share: off\n", squares, NULL, NULL, arena),
                        "");
    arena_free(arena);
}

/* A model of nothing but a constant tells the mean of its response, and by its deviance the square: power
 * sums, of which a few tell how many patients have each value. */
static void models_tell_moments(void **state)
{
    (void)state;
    static const char policy[] = LAX "min_cell: 11\nmax_scalar_share: off\n";
    static const char five[] = "  - { id: a, method: glm, family: gaussian, formula: \"age ~ 1\" }\n"
                               "  - { id: b, method: glm, family: gaussian, formula: \"I(age^2) ~ 1\" }\n"
                               "  - { id: c, method: glm, family: gaussian, formula: \"I(age^3) ~ 1\" }\n"
                               "  - { id: d, method: glm, family: gaussian, formula: \"I(age^4) ~ 1\" }\n"
                               "  - { id: e, method: glm, family: gaussian, formula: \"I(age^5) ~ 1\" }\n";
    struct arena *arena = arena_new();
    struct shown before = {0};
    assert_string_equal(last_rule(policy, five, NULL, &before, arena), ""); /* ten of 100 patients */
    assert_int_equal(before.n, 15); /* with the numbers of the five models */
    assert_string_equal(last_rule(policy,
                                  "  - { id: f, method: glm, family: gaussian, formula: \"I(age^6) ~ 1\" }\n",
                                  &before, NULL, arena),
                        "moments");
    assert_string_equal(
        last_rule(policy, "  - { id: f, method: glm, family: binomial, formula: \"death ~ I(age^6)\" }\n",
                  &before, NULL, arena),
        "moments"); /* by its covariances */
    /* Of each level where the levels are all there is: four of an arm of 23. */
    assert_string_equal(
        last_rule(policy,
                  "  - { id: a, method: glm, family: gaussian, formula: \"age ~ arm\" }\n"
                  "  - { id: b, method: glm, family: gaussian, formula: \"I(age^2) ~ arm\" }\n"
                  "  - { id: c, method: glm, family: gaussian, formula: \"I(age^3) ~ arm\" }\n"
                  "  - { id: d, method: glm, family: gaussian, formula: \"I(age^4) ~ arm\" }\n",
                  NULL, NULL, arena),
        "moments");
    /* Beside another variable, as an offset, as weights. */
    assert_string_equal(
        last_rule(policy,
                  "  - { id: f, method: glm, family: gaussian, formula: \"I(age^6 + 0 * stage) ~ 1\" }\n",
                  &before, NULL, arena),
        "moments");
    assert_string_equal(
        last_rule(policy,
                  "  - { id: f, method: glm, family: gaussian, formula: \"stage ~ offset(square)\" }\n",
                  &before, NULL, arena),
        "moments");
    assert_string_equal(last_rule(policy,
                                  "  - { id: f, method: describe, variables: [stage], weights: square }\n",
                                  &before, NULL, arena),
                        "moments");
    /* A number of few values is a covariate like others. */
    assert_string_equal(
        last_rule(policy, "  - { id: a, method: glm, family: binomial, formula: \"death ~ stage\" }\n", NULL,
                  NULL, arena),
        "");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_columns_holds_min_cell),
        cmocka_unit_test(models_of_one_cohort_share_its_patients),
        cmocka_unit_test(moments_of_one_variable_are_few),
        cmocka_unit_test(models_tell_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
