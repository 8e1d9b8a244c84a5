/* What changes the answer stands in its warnings, and one analysis never changes another's n by itself. */
#include "stats/conditions.h"

#include "stats/paper.h"

static const char variables[] = "  - { name: time, type: duration, units: days, min: 0, max: 400 }\n"
                                "  - { name: dead, type: boolean }\n"
                                "  - { name: x, type: integer, min: 0, max: 9 }\n"
                                "  - { name: z, type: integer, min: 0, max: 9 }\n";
static const char csv[] = "pid,time,dead,x,z\n"
                          "a,35,1,3,1\nb,70,1,1,\nc,100,0,4,2\nd,130,1,1,5\ne,160,1,5,\n"
                          "f,190,0,9,2\ng,220,1,2,6\nh,250,1,6,5\ni,280,1,5,\nj,310,0,3,5\n";
static const char analyses[] = "  - { id: one, method: cox, formula: \"Surv(time, dead) ~ x\" }\n"
                               "  - { id: two, method: cox, formula: \"Surv(time, dead) ~ z\" }\n"
                               "  - { id: table, method: describe, variables: [x] }\n";

static void run_under(struct paper *paper, const char *head)
{
    paper_open_under(paper, head, variables, csv, analyses);
    while (study_run_open(&paper->run)) {
        assert_true(paper->rounds < 200);
        paper_round(paper);
    }
}

/* The warning of analysis k that holds `words`; NULL: none. */
static const char *warning(const struct paper *paper, size_t k, const char *words)
{
    const struct result *warnings = paper->run.states[k].outcome.warnings;
    for (size_t i = 0; i < warnings->n; i++)
        if (strstr(warnings->items[i]->string, words) != NULL)
            return warnings->items[i]->string;
    return NULL;
}

static void nothing_written_is_analysis(void **state)
{
    (void)state;
    struct paper paper;
    run_under(&paper, "grid: day\n");
    assert_int_equal(paper.run.states[0].outcome.n, 10);
    assert_int_equal(paper.run.states[0].outcome.n_missing, 0);
    assert_int_equal(paper.run.states[1].outcome.n, 7);
    assert_int_equal(paper.run.states[1].outcome.n_missing, 3);
    for (size_t k = 0; k < 3; k++) {
        assert_null(warning(&paper, k, "missing: study"));
        assert_null(warning(&paper, k, "grid"));
    }
    paper_close(&paper);
}

static void rows_that_other_models_cost_are_said(void **state)
{
    (void)state;
    struct paper paper;
    run_under(&paper, "grid: day\nmissing: study\n");
    assert_int_equal(paper.run.states[0].outcome.n, 7);
    const char *said = warning(&paper, 0, "missing: study");
    assert_non_null(said);
    assert_int_equal(strncmp(said, "3 rows that miss", 16), 0);
    assert_non_null(strstr(said, "na.omit()"));
    assert_null(warning(&paper, 2, "missing: study")); /* a table loses none */
    assert_int_equal(paper.run.states[2].outcome.n, 10);
    paper_close(&paper);
}

static void a_grid_that_nobody_wrote_is_said(void **state)
{
    (void)state;
    struct paper paper;
    run_under(&paper, "");
    const char *said = warning(&paper, 0, "a grid of one month");
    assert_non_null(said);
    assert_non_null(strstr(said, "Surv(ceiling(time / 30.4375) * 30.4375, event)"));
    assert_null(warning(&paper, 2, "grid"));
    paper_close(&paper);
    run_under(&paper, "grid: month\n");
    assert_null(warning(&paper, 0, "a grid of one month"));
    paper_close(&paper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_written_is_analysis),
        cmocka_unit_test(rows_that_other_models_cost_are_said),
        cmocka_unit_test(a_grid_that_nobody_wrote_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
