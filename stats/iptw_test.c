/* Six patients worked on paper; cuts; what is refused. */
#include "stats/iptw.h"
#include "stats/paper.h"

static const char variables[] = "  - { name: time, type: duration, units: days, min: 0, max: 9 }\n"
                                "  - { name: dead, type: boolean }\n"
                                "  - { name: x, type: boolean }\n"
                                "  - { name: one, type: integer, min: 0, max: 1 }\n"
                                "  - { name: v, type: boolean }\n"
                                "  - { name: y, type: integer, min: 0, max: 8 }\n"
                                "  - { name: g, type: category, levels: [a, b, c] }\n";

static const char csv[] = "pid,time,dead,x,one,v,y,g\n"
                          "1,1,1,1,1,1,4,a\n"
                          "2,2,1,1,1,1,8,b\n"
                          "3,3,1,0,0,1,2,a\n"
                          "4,4,1,1,1,0,5,b\n"
                          "5,5,0,0,0,0,1,a\n"
                          "6,6,0,0,0,0,3,b\n";

static void close_to(const struct result *got, double expected)
{
    assert_int_equal(got->kind, RESULT_NUMBER);
    if (!(fabs(got->number - expected) <= 1e-9 * fmax(fabs(expected), 1)))
        fail_msg("got %.17g, expected %.17g", got->number, expected);
}

static const struct result *row(const struct paper *paper, size_t analysis, size_t i)
{
    return result_get(paper_result(paper, analysis), "variables")->items[i];
}

/* Two of three are treated with v, one of three without: p̂ = 2/3 and 1/3. Weights of everybody: 3/2, 3/2, 3
 * with v, 3, 3/2, 3/2 without, 6 in each arm, and v is balanced. Mean y: (3/2·4 + 3/2·8 + 3·5)/6 of the
 * treated, (3·2 + 3/2·1 + 3/2·3)/6 of the others. Stabilised all are halved. Of the treated: 1, and p̂/(1 − p̂)
 * = 2, 1/2, 1/2. */
static void weights_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: e, method: describe, variables: [y, v], by: x, weights: { iptw: \"x ~ v\" } }\n"
        "  - { id: s, method: describe, variables: [y], by: x, weights: { iptw: \"one ~ v\", "
        "stabilised: true } "
        "}\n"
        "  - { id: t, method: describe, variables: [y], by: x, weights: { iptw: \"x ~ v\", estimand: "
        "att } }\n"
        "  - { id: k, method: km, formula: \"Surv(time, dead) ~ x\", weights: { iptw: \"x ~ v\" } }\n"
        "  - { id: f, method: describe, variables: [y], by: x, weights: { iptw: \"factor(one) ~ v\" } }\n");
    close_to(result_get(row(&paper, 4, 1), "sum"), 33);
    close_to(result_get(row(&paper, 0, 0), "mean"), 2);
    close_to(result_get(row(&paper, 0, 1), "mean"), 5.5);
    close_to(result_get(row(&paper, 0, 1), "sum"), 33);
    /* Σw(y − 5.5)² = 3/2·(9/4 + 25/4) + 3·1/4 = 13.5; Σw − Σw²/Σw = 6 − 13.5/6 */
    close_to(result_get(row(&paper, 0, 1), "sd"), sqrt(13.5 / 3.75));
    close_to(result_get(row(&paper, 0, 1), "se"), sqrt(13.5 / 3.75) * sqrt(13.5) / 6);
    for (size_t i = 2; i < 6; i++)
        close_to(result_get(row(&paper, 0, i), "share"), 0.5);
    paper_number(row(&paper, 0, 5), "n", 2);
    close_to(result_get(row(&paper, 1, 0), "mean"), 2);
    close_to(result_get(row(&paper, 1, 1), "sum"), 16.5);
    close_to(result_get(row(&paper, 2, 0), "mean"), (2 * 2 + 0.5 + 1.5) / 3);
    close_to(result_get(row(&paper, 2, 1), "mean"), 17.0 / 3);
    /* Of the weight 6 of the treated 3/2, 3/2 and 3 die one after the other. */
    const struct result *curve = result_get(paper_result(&paper, 3), "curves")->items[1];
    close_to(result_get(curve, "n_risk")->items[0], 6);
    close_to(result_get(curve, "estimate")->items[0], 0.75);
    close_to(result_get(curve, "estimate")->items[1], 0.5);
    assert_true(fabs(result_get(curve, "estimate")->items[2]->number) < 1e-9);
    /* Jackknife at 1, before anybody is censored: Var S = Σw²·(1{alive} − S)²/6² */
    close_to(result_get(curve, "std_error")->items[0],
             sqrt(2.25 * 0.75 * 0.75 + (2.25 + 9) * 0.25 * 0.25) / 6);
    paper_close(&paper);
}

/* p̂ = 1/3 in three and 2/3 in three, in the intervals 1365 and 2730 of 4096: quantiles 0.6 and 0.9 both fall
 * into the second, so nobody above is cut and those below come up to its lower edge; 0.1 and 0.4 into the
 * first. */
static void cuts_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: a, method: describe, variables: [y], by: x, weights: { iptw: \"x ~ v\", truncate: "
              "[0.6, 0.9] } "
              "}\n"
              "  - { id: b, method: describe, variables: [y], by: x, weights: { iptw: \"x ~ v\", truncate: "
              "[0.1, 0.4] } "
              "}\n"
              "  - { id: c, method: describe, variables: [y], by: x, weights: { iptw: \"x ~ v\", truncate: "
              "[0.1, 0.9] } "
              "}\n");
    double lower = 2730.0 / 4096, upper = 1366.0 / 4096, inner_low = 1366.0 / 4096,
           inner_high = 2730.0 / 4096;
    close_to(result_get(row(&paper, 0, 1), "sum"), 12 * 1.5 + 5 / lower);
    close_to(result_get(row(&paper, 1, 1), "sum"), 12 / upper + 5 * 3);
    close_to(result_get(row(&paper, 2, 1), "sum"), 12 / inner_high + 5 / inner_low);
    close_to(result_get(row(&paper, 2, 0), "sum"), 2 / (1 - inner_high) + 4 / (1 - inner_low));
    paper_close(&paper);
}

/* Of four with v two have a, one b and one c; of four without one, two and one. Weights: 2 of a and 4 of b
 * and c with v, 4, 2 and 4 without; every arm weighs 8 and half of it has v. Mean y of a: (2·4 + 2·8 +
 * 4·1)/8. */
static void several_arms_on_paper(void **state)
{
    (void)state;
    static const char rows[] =
        "pid,time,dead,x,one,v,y,g\n1,1,1,1,1,1,4,a\n2,2,1,1,1,1,8,a\n3,3,1,0,0,1,2,b\n4,4,1,1,1,1,5,c\n"
        "5,5,0,0,0,0,1,a\n6,6,0,0,0,0,3,b\n7,7,0,0,0,0,5,b\n8,8,0,0,0,0,7,c\n";
    struct paper paper;
    paper_run(&paper, variables, rows,
              "  - { id: e, method: describe, variables: [y, v], by: g, weights: { iptw: \"g ~ v\" } }\n"
              "  - { id: s, method: describe, variables: [y], by: g, weights: { iptw: \"g ~ v\", stabilised: "
              "true } }\n"
              "  - { id: m, method: smd, treatment: x, variables: [v], weights: { iptw: \"g ~ v\" } }\n");
    close_to(result_get(row(&paper, 0, 0), "mean"), 28.0 / 8);
    close_to(result_get(row(&paper, 0, 1), "mean"), (4 * 2 + 2 * 3 + 2 * 5) / 8.0);
    close_to(result_get(row(&paper, 0, 2), "sum"), 4 * 5 + 4 * 7);
    for (size_t i = 3; i < 9; i++)
        close_to(result_get(row(&paper, 0, i), "share"), 0.5);
    close_to(result_get(row(&paper, 1, 1), "sum"), 24 * 3.0 / 8);
    close_to(result_get(result_get(paper_result(&paper, 2), "weights"), "mean"), 3);
    assert_int_equal(result_get(result_get(paper_result(&paper, 2), "weights"), "p99")->kind, RESULT_NULL);
    paper_close(&paper);
}

/* Nobody has c; b is nobody's without v; v tells the arms apart where it is a number. */
static void arms_that_somebody_cannot_have_say_so(void **state)
{
    (void)state;
    static const char rows[] =
        "pid,time,dead,x,one,v,y,g\n1,1,1,1,1,1,4,a\n2,2,1,1,1,1,8,b\n3,3,1,0,0,1,2,b\n"
        "4,4,1,1,1,0,5,a\n5,5,0,0,0,0,1,a\n6,6,0,0,0,0,3,a\n";
    struct paper paper;
    paper_run(&paper, variables, rows,
              "  - { id: v, method: describe, variables: [y], weights: { iptw: \"g ~ v\" } }\n"
              "  - { id: t, method: describe, variables: [y], weights: { iptw: \"g ~ I(time * time)\" }, "
              "cohort: \"time > 1 && time != 4\" }\n"
              "  - { id: o, method: describe, variables: [y], weights: { iptw: \"g ~ v\" }, cohort: \"g == "
              "\\\"a\\\"\" }\n"
              "  - { id: k, method: describe, variables: [time], by: g, weights: { iptw: \"g ~ y\" } }\n");
    paper_failed(&paper, 0, "found none of b");
    paper_failed(&paper, 1, "tell arms apart");
    paper_failed(&paper, 2, "at least two arms");
    assert_int_equal(paper.run.states[3].status, ANALYSIS_OK);
    paper_close(&paper);
}

static void what_cannot_be_weighted_says_so(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: a, method: describe, variables: [y], weights: { iptw: \"x ~ g\" }, cohort: x }\n"
        "  - { id: b, method: describe, variables: [y], weights: { iptw: \"x ~ one\" } }\n"
        "  - { id: c, method: describe, variables: [y], weights: { iptw: \"x ~ v\" }, cohort: y > 20 }\n");
    paper_failed(&paper, 0, "the model of the treatment");
    paper_failed(&paper, 1, "the model of the treatment");
    paper_failed(&paper, 2, "cohort");
    paper_close(&paper);
}

static void wrong_treatments_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *analysis, *sentence;
    } cases[] = {
        {"method: describe, variables: [y], weights: { iptw: \"y ~ v\" }", "boolean as the treatment"},
        {"method: describe, variables: [y], weights: { iptw: \"Surv(time, dead) ~ v\" }",
         "a treatment on the left"},
        {"method: describe, variables: [y], weights: { iptw: \"x ~ v + strata(g)\" }", "no strata()"},
        {"method: describe, variables: [y], weights: { iptw: \"g ~ v\", estimand: att }", "several arms"},
        {"method: describe, variables: [y], weights: { iptw: \"g ~ v + offset(y)\" }", "without offset()"},
        {"method: cox, formula: \"y ~ x\", weights: { iptw: \"x ~ v\" }", "Surv(time, event)"},
        {"method: km, formula: \"Surv(time, time, dead) ~ x\", weights: { iptw: \"x ~ v\" }",
         "delayed entry"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct paper paper;
        struct maille_error error = {0};
        char text[256];
        snprintf(text, sizeof text, "  - { id: a, %s }\n", cases[k].analysis);
        paper_open(&paper, variables, csv, text);
        const struct analysis *analysis = &paper.study->analyses[0];
        assert_int_equal(method_find(analysis->method)->check(analysis, &error), MAILLE_INVALID);
        if (strstr(error.sentence, cases[k].sentence) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.sentence, cases[k].sentence);
        paper_close(&paper);
    }
}

/* Both of c are treated: they have nobody to stand for. */
static void a_level_that_is_always_treated_says_so(void **state)
{
    (void)state;
    static const char rows[] =
        "pid,time,dead,x,one,v,y,g\n1,1,1,1,1,1,4,c\n2,2,1,1,1,1,8,c\n3,3,1,0,0,1,2,a\n"
        "4,4,1,1,1,0,5,a\n5,5,0,0,0,0,1,b\n6,6,0,1,0,0,3,b\n";
    struct paper paper;
    paper_run(&paper, variables, rows,
              "  - { id: m, method: describe, variables: [y], weights: { iptw: \"x ~ g\" } }\n");
    paper_failed(&paper, 0, "found all of them at gc, where nobody can be weighted");
    paper_close(&paper);
}

static void strange_theta_is_refused(void **state)
{
    (void)state;
    struct paper paper;
    struct maille_error error = {0};
    paper_open(
        &paper, variables, csv,
        "  - { id: m, method: km, formula: \"Surv(time, dead) ~ x\", weights: { iptw: \"x ~ v\" } }\n");
    const struct analysis *analysis = &paper.study->analyses[0];
    const struct method *method = method_find("km");
    struct vector *theta = &paper.run.states[0].iteration.theta;
    struct cells cells = {0};
    assert_int_equal(method->cells(analysis, paper.arena, &cells, &error), MAILLE_OK);
    assert_true(cells.n_parameters == 2 && cells.axis.days == 1);
    while (theta->n == 0 || theta->v[0] != 3)
        paper_round(&paper);
    struct tally_spec *spec = arena_alloc(paper.arena, sizeof *spec);
    assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_OK);
    const double good = theta->v[theta->n - 1];
    const double bad[] = {0, -1, 2, NAN}; /* the numerator of the treated */
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        theta->v[theta->n - 1] = bad[k];
        *spec = (struct tally_spec){.n_blocks = 0};
        assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_INVALID);
    }
    theta->v[theta->n - 1] = good;
    theta->n--;
    assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_INVALID);
    theta->n++;
    theta->v[0] = 7;
    assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_INVALID);
    /* A propensity that is certain within the bounds of the dictionary: as a weight, and as the interval that
     * is counted. */
    for (int phase = 2; phase <= 3; phase++) {
        struct tally_extent extents[TALLY_BLOCKS_MAX];
        size_t bytes, n = theta->n;
        theta->v[0] = phase;
        theta->v[1] = 101;
        theta->n = phase == 2 ? n - 4 : n;
        *spec = (struct tally_spec){.n_blocks = 0};
        assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_OK);
        assert_int_equal(tally_layout(extents, &bytes, spec, &error), MAILLE_REFUSED);
        assert_string_equal(error.rule, "theta");
        theta->n = n;
    }
    paper_close(&paper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_on_paper),
        cmocka_unit_test(cuts_on_paper),
        cmocka_unit_test(several_arms_on_paper),
        cmocka_unit_test(arms_that_somebody_cannot_have_say_so),
        cmocka_unit_test(what_cannot_be_weighted_says_so),
        cmocka_unit_test(wrong_treatments_are_refused),
        cmocka_unit_test(a_level_that_is_always_treated_says_so),
        cmocka_unit_test(strange_theta_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
