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
    assert_int_equal(strncmp(said, "3 rows were left out that this model could use", 46), 0);
    assert_non_null(strstr(said, "na.omit()"));
    assert_null(warning(&paper, 1, "missing: study")); /* it misses z itself */
    assert_null(warning(&paper, 2, "missing: study")); /* a table loses none */
    assert_int_equal(paper.run.states[2].outcome.n, 10);
    paper_close(&paper);
}

static const char dated[] = "  - { name: dx, type: date, min: 2000-01-01, max: 2009-12-31 }\n"
                            "  - { name: op, type: date, min: 2000-01-01, max: 2009-12-31 }\n"
                            "  - { name: end, type: date, min: 2000-01-01, max: 2009-12-31 }\n"
                            "  - { name: dead, type: boolean }\n"
                            "  - { name: x, type: integer, min: 0, max: 9 }\n";
/* b and e were operated on before the diagnosis; c has no operation, e no x, f nothing. */
static const char dated_csv[] =
    "pid,dx,op,end,dead,x\n"
    "a,2001-01-01,2001-02-01,2002-01-01,1,1\nb,2001-01-01,2000-12-31,2002-03-01,1,2\n"
    "c,2001-01-01,,2002-05-01,0,4\nd,2001-01-01,2001-01-01,2003-01-01,1,3\n"
    "e,2001-01-01,2000-06-01,2002-01-05,1,\nf,2001-01-01,,2002-06-01,0,\n"
    "g,2001-01-01,2001-03-01,2002-08-01,1,7\nh,2001-01-01,2001-03-09,2002-09-01,0,9\n";

static void negative_intervals_are_counted(void **state)
{
    (void)state;
    struct paper paper;
    paper_open_under(
        &paper, "grid: day\nderive:\n  lag: days(dx, op)\n", dated, dated_csv,
        "  - { id: t, method: describe, variables: [lag, x] }\n"
        "  - { id: m, method: cox, formula: \"Surv(days(dx, end), dead) ~ lag + x\" }\n"
        "  - { id: f, method: quantile, variable: x, probs: [0.5] }\n"
        "  - { id: n, method: km, formula: \"Surv(days(op, end), dead) ~ 1\", cohort: lag >= 0 }\n");
    while (study_run_open(&paper.run))
        paper_round(&paper);
    for (size_t k = 0; k < 2; k++) {
        const char *said = warning(&paper, k, "below 0");
        assert_non_null(said);
        assert_int_equal(strncmp(said, "2 rows were left out because days(dx, ", 38), 0);
        assert_non_null(strstr(said, "days(dx, op)"));
    }
    assert_int_equal(paper.run.states[1].outcome.n, 4);
    assert_int_equal(paper.run.states[1].outcome.n_missing, 4); /* these two, c and f */
    assert_null(warning(&paper, 2, "below 0"));
    assert_null(warning(&paper, 3, "below 0"));
    paper_close(&paper);
}

/* Behind threshold rounds: where either part of what is missing is too small, neither number leaves. */
static void what_is_hidden_does_not_leave(void **state)
{
    (void)state;
    for (size_t hidden = 0; hidden < 2; hidden++) {
        struct paper paper;
        struct maille_error error = {0};
        paper_open_under(&paper, "grid: day\nderive:\n  lag: days(dx, op)\n", dated, dated_csv,
                         "  - { id: t, method: ttest, formula: \"lag ~ dead\" }\n");
        const struct analysis *analysis = &paper.study->analyses[0];
        struct cells *cells = arena_alloc(paper.arena, sizeof *cells);
        assert_int_equal(method_cells(analysis, paper.arena, cells, &error), MAILLE_OK);
        assert_int_equal(cells->conditions, cells->spec.n_blocks - 1);
        assert_int_equal(cells->rules[cells->conditions], CELL_OUTSIDE);
        const uint8_t **kept = arena_array(paper.arena, cells->spec.n_blocks, sizeof *kept);
        for (size_t b = 0; b < cells->spec.n_blocks; b++) {
            uint8_t *all = arena_array(paper.arena, 4, 1);
            memset(all, 1, 4);
            all[hidden] = b != cells->conditions;
            kept[b] = all;
        }
        struct surviving surviving = {.n_blocks = cells->spec.n_blocks, .kept = kept};
        const struct surviving *of_all[] = {&surviving};
        study_run_survive(&paper.run, of_all);
        paper_round(&paper);
        assert_non_null(warning(&paper, 0, "how many is withheld, because days(dx, op) is below 0"));
        assert_null(warning(&paper, 0, "2 rows"));
        paper_close(&paper);
    }
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
        cmocka_unit_test(negative_intervals_are_counted),
        cmocka_unit_test(what_is_hidden_does_not_leave),
        cmocka_unit_test(a_grid_that_nobody_wrote_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
