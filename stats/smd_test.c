/* Six patients worked on paper; what cannot be compared. */
#include "stats/paper.h"

static const char variables[] = "  - { name: x, type: boolean }\n"
                                "  - { name: v, type: boolean }\n"
                                "  - { name: y, type: integer, min: 0, max: 8 }\n"
                                "  - { name: w, type: integer, min: 0, max: 9 }\n"
                                "  - { name: g, type: category, levels: [a, b, c] }\n";

static const char csv[] = "pid,x,v,y,w,g\n"
                          "1,1,1,4,2,a\n"
                          "2,1,1,8,2,b\n"
                          "3,0,1,2,2,a\n"
                          "4,1,0,5,2,b\n"
                          "5,0,0,1,2,a\n"
                          "6,0,0,3,2,b\n"
                          "7,0,0,,2,b\n";

static void close_to(const struct result *got, double expected)
{
    assert_int_equal(got->kind, RESULT_NUMBER);
    if (!(fabs(got->number - expected) <= 1e-9 * fmax(fabs(expected), 1)))
        fail_msg("got %.17g, expected %.17g", got->number, expected);
}

/* The seventh has no y and is left out. y: means 17/3 and 2, variances 13/3 and 1; v: 2/3 and 1/3. p̂ = 2/3
 * with v, 1/3 without; weights 3/2, 3/2, 3 of the treated (y = 4, 8, 5), 3, 3/2, 3/2 of the others (2, 1, 3):
 * means 5.5 and 2, variances 3/2·13.5/6 and 3/2·3/6, and v is balanced. */
static void six_patients(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: s, method: smd, treatment: x, variables: [y, v, g], weights: { iptw: \"x ~ v\" } }\n");
    const struct result *result = paper_result(&paper, 0), *rows = result_get(result, "variables");
    assert_int_equal(rows->n, 5); /* nobody has c */
    assert_string_equal(paper.run.states[0].outcome.dropped_levels->items[0]->string, "g=c");
    assert_int_equal(result_get(rows->items[0], "level")->kind, RESULT_NULL);
    close_to(result_get(rows->items[0], "unweighted"), 11.0 / 3 / sqrt(8.0 / 3));
    close_to(result_get(rows->items[0], "weighted"), 3.5 / sqrt((3.375 + 0.75) / 2));
    assert_string_equal(result_get(rows->items[2], "level")->string, "TRUE");
    close_to(result_get(rows->items[2], "unweighted"), sqrt(0.5));
    close_to(result_get(rows->items[1], "unweighted"), -sqrt(0.5));
    close_to(result_get(rows->items[2], "weighted"), 0);
    const struct result *weights = result_get(result, "weights");
    close_to(result_get(weights, "mean"), 2);
    close_to(result_get(weights, "sd"), sqrt(0.6));
    close_to(result_get(weights, "ess"), 144.0 / 27);
    close_to(result_get(weights, "p01"), 4096 / 2730.5); /* in the middle of its interval */
    close_to(result_get(weights, "p99"), 4096 / 1365.5);
    const struct result *counts = result_get(result_get(result, "overlap"), "counts");
    paper_near(counts->items[0]->items[10], 2);
    paper_near(counts->items[0]->items[21], 1);
    paper_near(counts->items[1]->items[10], 1);
    paper_near(counts->items[1]->items[21], 2);
    assert_int_equal(paper.run.states[0].outcome.n, 6);
    assert_int_equal(paper.run.states[0].outcome.n_missing, 1);
    paper_close(&paper);
}

/* Weights 1, 1, 0 of the treated and 1, 2, 1 of the others: who weighs nothing is not one of n. Means 6
 * and 1.75, variances 2/1·8/2 and 3/2·2.75/4. */
static void no_weight(void **state)
{
    (void)state;
    static const char weighed[] = "pid,x,v,y,w,g\n"
                                  "1,1,1,4,1,a\n"
                                  "2,1,1,8,1,b\n"
                                  "3,0,1,2,1,a\n"
                                  "4,1,0,5,0,b\n"
                                  "5,0,0,1,2,a\n"
                                  "6,0,0,3,1,b\n";
    struct paper paper;
    paper_run(&paper, variables, weighed,
              "  - { id: s, method: smd, treatment: x, variables: [y], weights: w }\n");
    const struct result *rows = result_get(paper_result(&paper, 0), "variables");
    close_to(result_get(rows->items[0], "weighted"), 4.25 / sqrt((8 + 1.03125) / 2));
    close_to(result_get(rows->items[0], "unweighted"), (17.0 / 3 - 2) / sqrt((13.0 / 3 + 1) / 2));
    paper_close(&paper);
}

/* One treated patient has no variance, so there is no difference in units of it. */
static void one_alone(void **state)
{
    (void)state;
    static const char alone[] = "pid,x,v,y,w,g\n"
                                "1,1,1,4,1,a\n"
                                "2,0,1,8,1,b\n"
                                "3,0,1,2,1,a\n";
    struct paper paper;
    paper_run(&paper, variables, alone, "  - { id: s, method: smd, treatment: x, variables: [y] }\n");
    const struct result *rows = result_get(paper_result(&paper, 0), "variables");
    assert_int_equal(result_get(rows->items[0], "unweighted")->kind, RESULT_NULL);
    paper_close(&paper);
}

/* Equal weights change nothing; without weights there is no second column. */
static void weights_that_change_nothing(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: w, method: smd, treatment: x, variables: [y, v], weights: w }\n"
              "  - { id: n, method: smd, treatment: x, variables: [y, v] }\n"
              "  - { id: c, method: smd, treatment: x, variables: [w] }\n");
    for (size_t i = 0; i < 3; i++) {
        const struct result *row = result_get(paper_result(&paper, 0), "variables")->items[i],
                            *plain = result_get(paper_result(&paper, 1), "variables")->items[i];
        close_to(result_get(row, "weighted"), result_get(row, "unweighted")->number);
        close_to(result_get(plain, "unweighted"), result_get(row, "unweighted")->number);
        assert_int_equal(result_get(plain, "weighted")->kind, RESULT_NULL);
    }
    const struct result *weights = result_get(paper_result(&paper, 0), "weights");
    close_to(result_get(weights, "p01"), 2);
    close_to(result_get(weights, "sd"), 0);
    close_to(result_get(weights, "ess"), 6);
    assert_int_equal(result_get(paper_result(&paper, 0), "overlap")->kind, RESULT_NULL);
    assert_int_equal(result_get(paper_result(&paper, 1), "weights")->kind, RESULT_NULL);
    /* A constant: no spread to standardise by. */
    const struct result *constant = result_get(paper_result(&paper, 2), "variables")->items[0];
    assert_int_equal(result_get(constant, "unweighted")->kind, RESULT_NULL);
    paper_close(&paper);
}

static void what_cannot_be_compared_says_so(void **state)
{
    (void)state;
    struct paper paper;
    struct maille_error error = {0};
    paper_run(&paper, variables, csv,
              "  - { id: a, method: smd, treatment: x, variables: [y], cohort: x }\n"
              "  - { id: b, method: smd, treatment: x, variables: [y], cohort: w > 3 }\n"
              "  - { id: c, method: smd, treatment: g, variables: [y] }\n");
    paper_failed(&paper, 0, "none without");
    paper_failed(&paper, 1, "found nobody");
    paper_failed(&paper, 2, "boolean as the treatment");
    assert_int_equal(method_find("smd")->check(&paper.study->analyses[2], &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "boolean as the treatment"));
    paper_close(&paper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_patients),
        cmocka_unit_test(no_weight),
        cmocka_unit_test(one_alone),
        cmocka_unit_test(weights_that_change_nothing),
        cmocka_unit_test(what_cannot_be_compared_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
