/* Combinations of groups at six real sites (disclosure/combination.h): G1 − G2 + G3 − G4 is three patients
 * where each pair is far apart. */
#include "tests/protocol/questions.h"

#define SINCE_50 "  - { id: a, method: count, cohort: \"age >= 50\" }\n"
#define BEFORE_70 "  - { id: b, method: count, cohort: \"age < 70\" }\n"
#define BEFORE_50 "  - { id: c, method: count, cohort: \"age < 50\" }\n"
#define OLD_BUT_THREE                                                                                        \
    "  - { id: d, method: count, cohort: \"age >= 70 && age < 88\" }\n" /* 3 are 88 or older */
#define OLD "  - { id: e, method: count, cohort: \"age >= 70\" }\n"

static void four_questions_leave_three_patients(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", SINCE_50);
    ask(world, NULL, 0, NULL);
    ask(world, BEFORE_70, 0, NULL);
    ask(world, BEFORE_50, 0, NULL);
    ask(world, OLD_BUT_THREE, 0, "few");
    /* Other words of it, and another method. */
    ask(world, "  - { id: d, method: count, cohort: \"!(age < 70) && !(age > 87)\" }\n", 0, "few");
    ask(world,
        "  - { id: d, method: km, formula: \"Surv(rtime, recur) ~ 1\", cohort: \"age > 69 && age < 88\" }\n",
        0, "few");
    ask(world, OLD, 0, NULL); /* nothing is left of that */
    ask(world, SINCE_50, 0, NULL);
    down(world);
}

/* In one study the last of them is refused, and so it is under a policy that is looser. */
static void four_analyses_leave_three_patients(void **state)
{
    (void)state;
    struct world *world = up("policy: standard\n", SINCE_50 BEFORE_70 BEFORE_50 OLD_BUT_THREE);
    ask(world, NULL, 3, "few");
    ask(world, SINCE_50 BEFORE_70 BEFORE_50 OLD, 0, NULL);
    down(world);
    world = up("policy: standard\ndifferencing: off\n", SINCE_50 BEFORE_70 BEFORE_50 OLD_BUT_THREE);
    ask(world, NULL, 0, NULL);
    down(world);
}

/* Everybody and all parts: nobody is left, and by the words only who misses the variable could be. */
static void everybody_and_the_parts_are_answered(void **state)
{
    (void)state;
    struct world *world = up("policy: strict\n", "  - { id: x, method: count }\n");
    ask(world, NULL, 0, NULL);
    ask(world, "  - { id: x, method: count, cohort: \"!meno\" }\n", 0, NULL);
    ask(world, "  - { id: x, method: count, cohort: \"meno\" }\n", 0, NULL);
    down(world);
}

/* Where a site is not asked any more the words stand in T0, and what is refused there is not counted. */
static void another_roster_leaves_three_patients(void **state)
{
    (void)state;
    struct world *world = up("policy: standard\n", SINCE_50);
    ask(world, NULL, 0, NULL);
    ask(world, BEFORE_70, 0, NULL);
    ask(world, BEFORE_50, 0, NULL);
    world->n = 5;
    sites_next(world, OLD_BUT_THREE);
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_finish_round(world);
    assert_false(study_run_open(&world->run));
    assert_int_equal(world->run.states[0].status, ANALYSIS_REFUSED);
    world->n = 6;
    down(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(four_questions_leave_three_patients),
                                       cmocka_unit_test(four_analyses_leave_three_patients),
                                       cmocka_unit_test(everybody_and_the_parts_are_answered),
                                       cmocka_unit_test(another_roster_leaves_three_patients)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
