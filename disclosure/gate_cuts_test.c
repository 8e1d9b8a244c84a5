/* Which groups of a number or a date are made by public cuts: each spelling of a cohort, and of the places
 * where a number becomes a group. */
#include "base/test.h"

#include "disclosure/gate_cuts.h"
#include "stats/methods.h"

static const char dictionary_text[] =
    "dictionary: toy\n"
    "version: 1\n"
    "key: id\n"
    "missing: [\"\"]\n"
    "order: [born, diagnosis, last_news]\n"
    "variables:\n"
    "  - { name: arm, type: category, levels: [a, b] }\n"
    "  - { name: chemo, type: boolean }\n"
    "  - { name: age, type: integer, units: years, min: 0, max: 120, role: quasi, cuts: [40, 65, 75] }\n"
    "  - { name: year, type: integer, min: 2000, max: 2005, cuts: [2001, 2002, 2003, 2004, 2005] }\n"
    "  - { name: nodes, type: integer, min: 0, max: 60, cuts: [1, 4, 10] }\n"
    "  - { name: stage, type: integer, min: 1, max: 4 }\n"
    "  - { name: bmi, type: real, min: 10, max: 60, resolution: 0.1, cuts: [18.5, 25, 30] }\n"
    "  - { name: dose, type: real, min: 0, max: 10, resolution: 0.5 }\n"
    "  - { name: born, type: date, min: 1900-01-01, max: 2009-12-31, role: date }\n"
    "  - { name: diagnosis, type: date, min: 2000-01-01, max: 2029-12-31, cuts: [2010-01-01, 2015-07-01] }\n"
    "  - { name: surgery, type: date, min: 2000-01-01, max: 2029-12-31 }\n"
    "  - { name: last_news, type: date, min: 2000-01-01, max: 2029-12-31 }\n"
    "  - { name: relapse, type: duration, units: days, min: 0, max: 3000 }\n"
    "  - { name: time, type: duration, units: days, min: 0, max: 3000, cuts: [30, 365.25, 730.5] }\n"
    "  - { name: death, type: boolean }\n";

static const double registered_ages[] = {47};
static const struct variable_cuts registered[] = {{"age", registered_ages, 1}};

struct world {
    struct arena *arena;
    const struct dictionary *dictionary;
};

static int setup(void **state)
{
    static struct world world;
    struct maille_error error = {0};
    world.arena = arena_new();
    assert_ok(dictionary_parse(&world.dictionary, world.arena, "toy.yaml", dictionary_text,
                               strlen(dictionary_text), &error),
              &error);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    arena_free(world->arena);
    return 0;
}

static const struct study *study_of(struct world *world, const char *head, const char *analysis)
{
    struct maille_error error = {0};
    const struct study *study = NULL;
    size_t n;
    const struct query_method *methods = methods_declared(&n);
    const char *text =
        arena_printf(world->arena,
                     "study: s\ndictionary: toy@1\ntitle: t\npurpose: care\nlegal_basis: b\nprotocol: p\n"
                     "expires: 2030-01-01\nsites: all\n%sanalyses:\n  - { id: x, %s }\n",
                     head, analysis);
    if (study_parse(&study, world->arena, world->dictionary, methods, n, "study.yaml", text, strlen(text),
                    &error) != MAILLE_OK)
        fail_msg("%s%s: %s", head, analysis, error.sentence);
    return study;
}

static const char *fault_of(struct world *world, const char *head, const char *analysis, size_t n_registered)
{
    struct maille_error error = {0};
    const struct study *study = study_of(world, head, analysis);
    struct cells *cells = arena_alloc(world->arena, sizeof *cells);
    assert_ok(method_cells(&study->analyses[0], world->arena, cells, &error), &error);
    return gate_cuts_fault(&study->analyses[0], cells, registered, n_registered, world->arena);
}

static const char *of_cohort(struct world *world, const char *cohort, size_t n_registered)
{
    return fault_of(world, arena_printf(world->arena, "cohort: '%s'\n", cohort), "method: count, by: arm",
                    n_registered);
}

static void public_cuts_pass_from_either_side(void **state)
{
    static const char *const cohorts[] = {
        "age < 65",
        "age <= 65",
        "age >= 65",
        "age > 65",
        "65 <= age",
        "age > 64",
        "age < 66",
        "!(age < 65)",
        "age >= 40 && age < 75",
        "age < 40 || age >= 75",
        "age >= 0",
        "age <= 120",
        "age < 500",
        /* the first value alone: the cut is at the second */
        "nodes == 0",
        "nodes != 0",
        "nodes > 0",
        "nodes in {0}",
        "nodes %in% c(0)",
        "nodes >= 4 && chemo",
        /* the values beside it are cuts too */
        "year == 2003",
        "year in {2000, 2003, 2005}",
        "year >= 2002 && year <= 2003",
        "year > 2001.5",
        /* few values are a category */
        "stage == 2",
        "stage * 2 > 5",
        "bmi < 18.5",
        "bmi <= 18.4",
        "bmi >= 24.95",
        "diagnosis >= \"2010-01-01\"",
        "year(diagnosis) >= 2010",
        "year(diagnosis) < 2010",
        "diagnosis <= \"2015-06-30\"",
        "time > 365",
        "time > 365.25",
        "time >= 366",
        "is_missing(age)",
        "age == 40.5",
        "chemo * 1 + death * 2 >= 2",
        "ifelse(age < 65, 1, 0) == 1",
    };
    for (size_t i = 0; i < sizeof cohorts / sizeof *cohorts; i++) {
        const char *fault = of_cohort(*state, cohorts[i], 0);
        if (fault != NULL)
            fail_msg("%s: %s", cohorts[i], fault);
    }
}

static void everything_else_does_not(void **state)
{
    static const char *const cohorts[] = {
        "age < 47",
        "age >= 64.0001 - 1",
        "age == 65",
        "age != 65",
        "age in {65}",
        "age >= 65 && age <= 65",
        "!(age < 65 || age > 65)",
        "chemo && age == 81",
        "age > 120 - 1",
        "nodes == 1",
        "nodes == 4",
        "nodes < 3",
        "dose > 0",
        "dose == 2.5",
        "bmi == 25",
        "bmi < 24.8",
        "bmi >= 18.5 && bmi < 18.6",
        "bmi * 2 < 50",
        "log(nodes + 1) > 0.5",
        "age + nodes > 66",
        "age - 1 < 64",
        "pmin(age, 90) < 65",
        "abs(age - 65) < 0.5",
        "ifelse(chemo, age, 0) >= 65",
        "age < nodes",
        "age < stage",
        "age > ifelse(chemo, 40, 65)",
        "month(diagnosis) == 3",
        "year(diagnosis) >= 2011",
        "year(surgery) == 2010",
        "diagnosis < \"2010-01-03\"",
        "diagnosis == \"2010-01-01\"",
        "diagnosis >= surgery",
        "days(diagnosis, last_news) > 30",
        "days(diagnosis, surgery) >= 0",
        "time > 366",
        "time - relapse > 30",
        "relapse < time",
        "is_missing(surgery) || days(surgery, last_news) > 10",
    };
    for (size_t i = 0; i < sizeof cohorts / sizeof *cohorts; i++)
        if (of_cohort(*state, cohorts[i], 0) == NULL)
            fail_msg("%s: expected a fault, found none", cohorts[i]);
}

static void registered_cuts_count_like_those_of_the_dictionary(void **state)
{
    assert_non_null(of_cohort(*state, "age < 47", 0));
    assert_null(of_cohort(*state, "age < 47", 1));
    assert_null(of_cohort(*state, "age <= 47 && age >= 40", 1));
    assert_non_null(of_cohort(*state, "age == 47", 1));
    assert_non_null(of_cohort(*state, "nodes < 47", 1));
}

static void every_place_where_a_number_becomes_a_group_is_looked_at(void **state)
{
    static const struct {
        const char *head, *analysis;
        bool passes;
    } rows[] = {
        {"", "method: count, by: arm", true},
        {"", "method: count, by: arm, cohort: age < 47", false},
        {"derive:\n  g: cut(age, c(40, 65), open = TRUE)\n", "method: count, by: g", true},
        {"derive:\n  g: cut(age, c(40, 65), open = TRUE)\n  h: age < 47\n", "method: count, by: g", true},
        {"derive:\n  g: cut(age, c(40, 66), open = TRUE, right = FALSE)\n", "method: count, by: g", true},
        {"derive:\n  g: cut(age, c(40, 47), open = TRUE)\n", "method: count, by: g", false},
        /* both sides of 65 */
        {"cohort: age >= 65\nderive:\n  g: cut(age, c(40, 65), open = TRUE)\n", "method: count, by: g",
         false},
        {"derive:\n  g: cut(nodes, c(0, 3, 9, 60), include.lowest = TRUE)\n", "method: count, by: g", true},
        {"derive:\n  g: cut(nodes, c(0, 3, 9, 59), include.lowest = TRUE)\n", "method: count, by: g", false},
        {"derive:\n  g: cut(nodes + 1, c(0, 5, 100))\n", "method: count, by: g", false},
        {"derive:\n  g: factor(age < 47)\n", "method: crosstab, variables: [g, arm]", false},
        {"", "method: crosstab, variables: [year, arm]", true},
        {"", "method: crosstab, variables: [stage, arm]", true},
        {"", "method: crosstab, variables: [nodes, arm]", false},
        {"", "method: histogram, variable: age, breaks: [0, 40, 65, 75, 120]", true},
        {"", "method: histogram, variable: age, width: 10", false},
        {"", "method: histogram, variable: bmi, breaks: [10, 18.5, 25, 30, 60]", true},
        {"", "method: quantile, variable: age, probs: [0.5]", true},
        {"", "method: describe, variables: [age, nodes]", true},
        {"", "method: km, formula: \"Surv(time, death) ~ arm\"", true},
        {"", "method: km, formula: \"Surv(relapse, time, death) ~ 1\"", true},
        {"", "method: km, formula: \"Surv(time, death) ~ arm\", landmark: 365", true},
        {"", "method: km, formula: \"Surv(time, death) ~ arm\", landmark: 366", false},
        {"", "method: km, formula: \"Surv(time + 1, death) ~ arm\", landmark: 365", false},
        {"", "method: km, formula: \"Surv(time + 1, death) ~ arm\"", false},
        {"",
         "method: emulation, formula: \"Surv(time, death) ~ age\", treatment: chemo, start: time, grace: "
         "[365.25], times: [730.5]",
         true},
        {"",
         "method: emulation, formula: \"Surv(time, death) ~ age\", treatment: chemo, start: time, grace: "
         "[365.25], times: [730.5, 1095.75]",
         false},
        {"",
         "method: emulation, formula: \"Surv(time, death) ~ age\", treatment: chemo, start: time, grace: "
         "[182.625, 365.25], times: [730.5]",
         false},
        {"",
         "method: emulation, formula: \"Surv(time, death) ~ age\", treatment: chemo, start: relapse, grace: "
         "[365.25], times: [730.5]",
         false},
        {"", "method: km, formula: \"Surv(pmax(time - relapse, 0), death) ~ arm\"", false},
        {"", "method: km, formula: \"Surv(days(diagnosis, last_news), death) ~ arm\"", true},
        {"", "method: km, formula: \"Surv(months(diagnosis, last_news), death) ~ arm\"", true},
        {"", "method: km, formula: \"Surv(days(surgery, last_news), death) ~ arm\"", false},
        {"", "method: km, formula: \"Surv(days(diagnosis, last_news) + 1, death) ~ arm\"", false},
        {"", "method: km, formula: \"Surv(time, nodes > 3) ~ arm\"", true},
        {"", "method: km, formula: \"Surv(time, age > 47) ~ arm\"", false},
        {"", "method: logrank, formula: \"Surv(time, death) ~ arm + strata(cut(age, c(0, 47, 120)))\"",
         false},
        {"", "method: cox, formula: \"Surv(time, death) ~ age + log(nodes + 1) + arm\"", true},
        {"",
         "method: cox, formula: \"Surv(time, death) ~ ns(age, knots = c(47, 62), Boundary.knots = c(30, 90)) "
         "+ arm\"",
         true},
        {"", "method: cox, formula: \"Surv(time, death) ~ arm + I(age > 47)\"", false},
        {"", "method: cox, formula: \"Surv(time, death) ~ arm * I(nodes >= 4)\"", true},
        {"derive:\n  age_then: days(born, diagnosis) / 365.25\n",
         "method: cox, formula: \"Surv(time, death) ~ age_then\"", true},
        {"", "method: glm, family: binomial, formula: \"(age >= 47) ~ arm\"", false},
        {"",
         "method: cox, formula: \"Surv(time, death) ~ chemo\", weights: { iptw: \"chemo ~ age + I(nodes < "
         "3)\" }",
         false},
        {"",
         "method: cox, formula: \"Surv(time, death) ~ chemo\", weights: { iptw: \"chemo ~ age + nodes\" }",
         true},
        {"",
         "method: meta, model: { method: cox, formula: \"Surv(time, death) ~ I(age < 47) + nodes\" }, term: "
         "nodes",
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *fault = fault_of(*state, rows[i].head, rows[i].analysis, 0);
        if ((fault == NULL) != rows[i].passes)
            fail_msg("%s%s: expected %s, found %s", rows[i].head, rows[i].analysis,
                     rows[i].passes ? "no fault" : "one", fault != NULL ? fault : "none");
    }
}

static struct verdict verdict_of(struct world *world, const char *policy_text, bool person)
{
    struct maille_error error = {0};
    const struct policy *policy = NULL;
    struct verdict verdict = {{0}, {0}, {0}};
    assert_ok(policy_parse(&policy, world->arena, "policy.yaml", policy_text, strlen(policy_text), &error),
              &error);
    const struct study *study = study_of(world, "cohort: age < 47\n", "method: count, by: arm");
    gate_cuts(&verdict, policy, &study->analyses[0], NULL, NULL, 0, person);
    return verdict;
}

static void the_policy_says_who_decides(void **state)
{
    static const char *const fault = "age < 47: neither the dictionary nor the registration has this cut";
    struct verdict v = verdict_of(*state, "policy: strict\n", true);
    assert_string_equal(v.rule, "");
    assert_string_equal(v.held, fault);
    v = verdict_of(*state, "policy: standard\n", false);
    assert_string_equal(v.rule, "cuts");
    assert_string_equal(v.sentence, fault);
    assert_string_equal(v.held, "");
    v = verdict_of(*state, "policy: standard\nfine_predicates: refuse\n", true);
    assert_string_equal(v.rule, "cuts");
    v = verdict_of(*state, "policy: open\n", false);
    assert_string_equal(v.rule, "");
    assert_string_equal(v.held, "");
    v = verdict_of(*state, "policy: open\nfine_predicates: hold\n", true);
    assert_string_equal(v.held, fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_cuts_pass_from_either_side),
        cmocka_unit_test(everything_else_does_not),
        cmocka_unit_test(registered_cuts_count_like_those_of_the_dictionary),
        cmocka_unit_test(every_place_where_a_number_becomes_a_group_is_looked_at),
        cmocka_unit_test(the_policy_says_who_decides),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
