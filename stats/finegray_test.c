/* Six patients worked on paper; what cannot be fitted. */
#include "stats/paper.h"

static const char variables[] =
    "  - { name: start, type: duration, units: days, min: 0, max: 9 }\n"
    "  - { name: time, type: duration, units: days, min: 0, max: 9 }\n"
    "  - { name: status, type: category, levels: [none, relapse, death, other] }\n"
    "  - { name: death, type: boolean }\n"
    "  - { name: x, type: boolean }\n";

static const char csv[] = "pid,start,time,status,death,x\n"
                          "1,0,1,death,1,1\n"
                          "2,0,2,none,0,0\n"
                          "3,0,3,relapse,0,1\n"
                          "4,0,4,none,0,1\n"
                          "5,0,4,none,0,0\n"
                          "6,0,1,relapse,0,0\n";

static void close_to(const struct result *got, double expected)
{
    assert_int_equal(got->kind, RESULT_NUMBER);
    if (!(fabs(got->number - expected) <= 1e-9 * fabs(expected)))
        fail_msg("got %.17g, expected %.17g", got->number, expected);
}

/* Relapses at 1 (x = 0; all six at risk) and at 3 (x = 1). Of the four left at 2 one is censored: Ĝ = 3/4
 * from then on, so at 3 the risk set is patients 3, 4, 5 and three quarters of patient 1, who died at 1. With
 * θ = e^β the score is 1 − θ/(θ+1) − 11θ/(11θ+4): 0 where θ² = 4/11. */
static void six_patients(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: f, method: finegray, formula: \"Surv(time, status) ~ x\", cause: relapse }\n");
    const struct result *result = paper_result(&paper, 0), *term = result_get(result, "terms")->items[0];
    double theta = sqrt(4.0 / 11), s1 = 3 * theta + 3, s2 = 2.75 * theta + 1;
    double m1 = theta / (theta + 1), m2 = 2.75 * theta / s2;
    double information = m1 * (1 - m1) + m2 * (1 - m2);
    close_to(result_get(term, "estimate"), log(theta));
    close_to(result_get(term, "std_error"), 1 / sqrt(information));
    paper_near(result_get(result, "loglik")->items[0], -log(6) - log(3.75));
    paper_near(result_get(result, "loglik")->items[1], log(theta) - log(s1) - log(s2));
    /* Score residuals: what each did, less what was expected at 1 and at 3. */
    double first = theta * (1 - m1) / s1, second = theta * (1 - m2) / s2;
    const double residuals[] = {-first - 0.75 * second, m1 / s1,           1 - m2 - first - second,
                                -first - second,        m1 / s1 + m2 / s2, -m1 + m1 / s1};
    double sum = 0, squares = 0;
    for (size_t i = 0; i < 6; i++) {
        sum += residuals[i];
        squares += residuals[i] * residuals[i];
    }
    assert_true(fabs(sum) < 1e-14);
    close_to(result_get(term, "robust_se"), sqrt(squares) / information);
    close_to(result_get(term, "statistic"), log(theta) * information / sqrt(squares));
    assert_int_equal(paper.run.states[0].outcome.n, 6);
    assert_int_equal(paper.run.states[0].outcome.n_event, 2);
    assert_int_equal(result_get(result, "concordance")->kind, RESULT_NULL);
    paper_close(&paper);
}

/* The third enters at 2, when three are there of whom he is one: Ĥ = 2/3 up to then. Of the three left at 2
 * one is censored: Ĝ = 2/3 behind it. So the first, who died at 1, weighs (2/3·1)/(1·2/3) = 1 at 3. At 1 two
 * with x = 1 and three without are at risk, at 3 three and one: with θ = e^β the score is 1 − 2θ/(2θ+3) −
 * 3θ/(3θ+1), 0 where θ² = 1/2. */
static void six_patients_of_whom_one_enters_late(void **state)
{
    (void)state;
    static const char late[] = "pid,start,time,status,death,x\n"
                               "1,0,1,death,1,1\n"
                               "2,0,2,none,0,0\n"
                               "3,2,3,relapse,0,1\n"
                               "4,0,4,none,0,1\n"
                               "5,0,4,none,0,0\n"
                               "6,0,1,relapse,0,0\n";
    struct paper paper;
    paper_run(
        &paper, variables, late,
        "  - { id: f, method: finegray, formula: \"Surv(start, time, status) ~ x\", cause: relapse }\n");
    const struct result *result = paper_result(&paper, 0), *term = result_get(result, "terms")->items[0];
    double theta = sqrt(0.5), s1 = 2 * theta + 3, s2 = 3 * theta + 1;
    close_to(result_get(term, "estimate"), log(theta));
    close_to(result_get(term, "std_error"), 1 / sqrt(6 * theta / (s1 * s1) + 3 * theta / (s2 * s2)));
    paper_near(result_get(result, "loglik")->items[0], -log(5) - log(4));
    paper_near(result_get(result, "loglik")->items[1], log(theta) - log(s1) - log(s2));
    paper_close(&paper);
}

/* The same six, of whom two are cut into rows: going on is no censoring. One whose covariate changes on the
 * way has no weight that is defined. */
static void rows_of_a_patient_are_joined(void **state)
{
    (void)state;
    static const char cut[] =
        "pid,start,time,status,death,x\n1,0,1,death,1,1\n2,0,2,none,0,0\n3,0,1,none,0,1\n"
        "3,1,2,none,0,1\n3,2,3,relapse,0,1\n4,0,4,none,0,1\n5,0,3,none,0,0\n"
        "5,3,4,none,0,0\n6,0,1,relapse,0,0\n";
    static const char changed[] = "pid,start,time,status,death,x\n1,0,1,death,1,1\n2,0,2,none,0,0\n"
                                  "3,0,1,none,0,0\n3,1,3,relapse,0,1\n4,0,4,none,0,1\n5,0,4,none,0,0\n"
                                  "6,0,1,relapse,0,0\n";
    static const char model[] =
        "  - { id: f, method: finegray, formula: \"Surv(start, time, status) ~ x\", cause: relapse }\n";
    struct paper paper;
    paper_run(&paper, variables, cut, model);
    const struct result *result = paper_result(&paper, 0), *term = result_get(result, "terms")->items[0];
    close_to(result_get(term, "estimate"), log(sqrt(4.0 / 11)));
    paper_near(result_get(result, "loglik")->items[0], -log(6) - log(3.75));
    assert_int_equal(paper.run.states[0].outcome.n, 6);
    assert_int_equal(paper.run.states[0].outcome.warnings->n, 0);
    paper_close(&paper);
    paper_run(&paper, variables, changed, model);
    paper_failed(&paper, 0, "found a patient who leaves and comes back, or changes");
    paper_close(&paper);
}

/* Where everybody at risk has just entered, nobody's weight is known. Several rows a patient:
 * tests/vectors/modeledges.R. */
static void what_late_entries_cannot_do(void **state)
{
    (void)state;
    static const char gap[] = "pid,start,time,status,death,x\n"
                              "1,0,1,death,0,1\n2,0,1,relapse,0,0\n3,2,3,relapse,0,1\n4,2,4,none,0,0\n";
    static const char model[] =
        "  - { id: f, method: finegray, formula: \"Surv(start, time, status) ~ x\", cause: relapse }\n";
    struct paper paper;
    paper_run(&paper, variables, gap, model);
    paper_failed(&paper, 0, "somebody at risk");
    paper_close(&paper);
}

/* Without another cause it is Cox's model. */
static void one_cause_is_cox(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: f, method: finegray, formula: \"Surv(time, status) ~ x\", cause: relapse, cohort: "
        "\"status "
        "!= \\\"death\\\"\" }\n"
        "  - { id: c, method: cox, formula: \"Surv(time, relapsed) ~ x\", robust: true, cohort: \"status != "
        "\\\"death\\\"\" }\n"
        "derive:\n  relapsed: \"status == \\\"relapse\\\"\"\n");
    const struct result *fine = result_get(paper_result(&paper, 0), "terms")->items[0],
                        *cox = result_get(paper_result(&paper, 1), "terms")->items[0];
    const char *const names[] = {"estimate", "std_error", "robust_se", "conf_low", "p_value"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(result_get(fine, names[i])->number == result_get(cox, names[i])->number);
    paper_close(&paper);
}

static void what_cannot_be_fitted_says_so(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: a, method: finegray, formula: \"Surv(time, status) ~ x\", cause: other }\n"
        "  - { id: c, method: finegray, formula: \"Surv(time, status) ~ x + strata(site)\", cause: relapse "
        "}\n"
        "  - { id: d, method: finegray, formula: \"Surv(time, status) ~ x\", cause: relapse, cohort: time > "
        "8 }\n");
    paper_failed(&paper, 0, "expected an event");
    paper_failed(&paper, 1, "strata(site)");
    paper_failed(&paper, 2, "cohort");
    paper_close(&paper);
}

static void wrong_causes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *analysis, *sentence;
    } cases[] = {
        {"formula: \"Surv(time, status) ~ x\", cause: none", "behind the first"},
        {"formula: \"Surv(time, status) ~ x\", cause: cancer", "found `cancer`"},
        {"formula: \"Surv(time, death) ~ x\", cause: relapse", "expected a category in Surv()"},
        {"formula: \"time ~ x\", cause: relapse", "Surv(time, event)"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct paper paper;
        struct maille_error error = {0};
        char text[256];
        snprintf(text, sizeof text, "  - { id: a, method: finegray, %s }\n", cases[k].analysis);
        paper_open(&paper, variables, csv, text);
        assert_int_equal(method_find("finegray")->check(&paper.study->analyses[0], &error), MAILLE_INVALID);
        if (strstr(error.sentence, cases[k].sentence) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.sentence, cases[k].sentence);
        paper_close(&paper);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_patients),
        cmocka_unit_test(six_patients_of_whom_one_enters_late),
        cmocka_unit_test(rows_of_a_patient_are_joined),
        cmocka_unit_test(what_late_entries_cannot_do),
        cmocka_unit_test(one_cause_is_cox),
        cmocka_unit_test(what_cannot_be_fitted_says_so),
        cmocka_unit_test(wrong_causes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
