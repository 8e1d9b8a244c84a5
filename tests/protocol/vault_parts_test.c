/* Groups inside an analysis, at six real sites: arms, levels and tables' own rows that differ by a few
 * patients from what another question showed are not shown, and what is the same or far is. */
#include "tests/protocol/questions.h"

#include <math.h>

#include "stats/result.h"

#define HEAD                                                                                                 \
    "study: arms\ndictionary: rotterdam@1\ntitle: t\npurpose: research\nlegal_basis: MR-004\nprotocol: "     \
    "P-1\n"                                                                                                  \
    "expires: 2099-12-31\nsites: all\n"
#define DESCRIBE "analyses:\n  - { id: d, method: describe, variables: [nodes, pgr], by: g }\n"
/* 3 patients are 88 or older. */
#define YOUNG HEAD "derive:\n  g: age < 60\n" DESCRIBE
#define YOUNG_AND_OLDEST HEAD "derive:\n  g: age < 60 || age >= 88\n" DESCRIBE
#define YOUNGER HEAD "derive:\n  g: age < 55\n" DESCRIBE

/* How many of a list's rows tell a number under this name. */
static size_t told(const struct world *world, size_t k, const char *list, const char *name)
{
    const struct result *rows = result_get(world->run.states[k].outcome.result, list);
    size_t n = 0;
    assert_non_null(rows);
    for (size_t i = 0; i < rows->n; i++)
        n += isfinite(result_number(rows->items[i], name)) ? 1 : 0;
    return n;
}

/* Two arms that differ by three patients; the same arms again; arms that differ by many. */
static void arms_that_differ_by_a_few(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", YOUNG);
    ask(world, NULL, 0, NULL);
    assert_int_equal(told(world, 0, "variables", "mean"), 4);
    ask(world, YOUNG, 0, NULL);
    assert_int_equal(told(world, 0, "variables", "mean"), 4);
    ask(world, YOUNG_AND_OLDEST, 0, "few"); /* both arms are hidden, and nothing is left */
    ask(world, YOUNGER, 0, NULL);
    assert_int_equal(told(world, 0, "variables", "mean"), 4);
    down(world);
}

/* A level of a table, and a cohort that is this level but for a few; and the other way round. A filter that
 * is a level is the same rows, whoever wrote it how. */
static void levels_and_cohorts(void **state)
{
    (void)state;
    static const char level[] = "  - { id: x, method: count, variables: [meno] }\n",
                      cohort[] = "  - { id: x, method: count, cohort: \"meno\" }\n",
                      less[] = "  - { id: x, method: count, cohort: \"meno && age < 88\" }\n",
                      far[] = "  - { id: x, method: count, cohort: \"meno && nodes < 5\" }\n";
    struct world *world = up("policy: strict\n", level);
    ask(world, NULL, 0, NULL);
    ask(world, cohort, 0, NULL);
    ask(world, far, 0, NULL);
    ask(world, less, 0, "few");
    down(world);
    world = up("policy: strict\n", less);
    ask(world, NULL, 0, NULL);
    ask(world, level, 0, "few");
    down(world);
}

/* A model cannot do without an arm. */
static void an_arm_of_a_model(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", YOUNG);
    ask(world, NULL, 0, NULL);
    ask(world,
        HEAD "derive:\n  g: age < 60 || age >= 88\nanalyses:\n"
             "  - { id: l, method: glm, family: gaussian, formula: \"pgr ~ g\" }\n",
        0, "few");
    ask(world,
        HEAD "derive:\n  g: age < 60\nanalyses:\n  - { id: l, method: glm, family: gaussian, formula: \"pgr "
             "~ g\" }\n",
        0, NULL);
    down(world);
}

/* Two analyses of one study: the later one is judged with the earlier. */
static void arms_of_one_study(void **state)
{
    (void)state;
    struct world *world =
        up("policy: strict\n", HEAD "derive:\n  a: age < 60\n  b: age < 60 || age >= 88\nanalyses:\n"
                                    "  - { id: x, method: describe, variables: [nodes], by: a }\n"
                                    "  - { id: y, method: describe, variables: [pgr], by: a }\n"
                                    "  - { id: z, method: describe, variables: [nodes], by: b }\n");
    ask(world, NULL, 2, "few");
    assert_int_equal(told(world, 0, "variables", "mean"), 2);
    assert_int_equal(told(world, 1, "variables", "mean"), 2);
    down(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arms_that_differ_by_a_few), cmocka_unit_test(levels_and_cohorts),
        cmocka_unit_test(an_arm_of_a_model), cmocka_unit_test(arms_of_one_study)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
