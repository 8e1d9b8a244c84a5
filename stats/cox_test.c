/* Six patients worked on paper; strata(site) with one patient a site; what cannot be fitted. */
#include "stats/paper.h"

static const char variables[] = "  - { name: start, type: duration, units: days, min: 0, max: 9 }\n"
                                "  - { name: time, type: duration, units: days, min: 0, max: 9 }\n"
                                "  - { name: tied, type: duration, units: days, min: 0, max: 9 }\n"
                                "  - { name: death, type: boolean }\n"
                                "  - { name: fall, type: boolean }\n"
                                "  - { name: x, type: boolean }\n"
                                "  - { name: w, type: integer, min: 0, max: 9 }\n"
                                "  - { name: v, type: integer, min: 0, max: 4 }\n";

static const char csv[] = "pid,start,time,tied,death,fall,x,w,v\n"
                          "1,0,1,1,1,1,1,1,2\n"
                          "2,0,2,1,1,1,0,1,2\n"
                          "3,0,3,1,0,1,1,1,2\n"
                          "4,1,3,3,0,0,1,1,2\n"
                          "5,0,3,3,0,0,0,1,2\n"
                          "6,0,3,3,0,0,0,1,0\n";

/* Deaths at 1 (x = 1; at risk 3 and 3) and at 2 (x = 0; at risk 2 and 3). With θ = e^β the score is 1 −
 * θ/(θ+1) − 2θ/(2θ+3): 0 where θ² = 3/2. */
static void no_ties_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: e, method: cox, formula: \"Surv(time, death) ~ x\", baseline: true }\n"
              "  - { id: b, method: cox, formula: \"Surv(time, death) ~ x\", ties: breslow }\n");
    double theta = sqrt(1.5);
    double information =
        theta / ((theta + 1) * (theta + 1)) + 6 * theta / ((2 * theta + 3) * (2 * theta + 3));
    double fitted = log(theta) - log(3 * theta + 3) - log(2 * theta + 3), null = -log(6) - log(5);
    for (size_t k = 0; k < 2; k++) { /* without ties there is one partial likelihood */
        const struct result *result = paper_result(&paper, k);
        paper_term(result, 0, "xTRUE", log(theta), 1 / sqrt(information));
        paper_near(result_get(result, "loglik")->items[0], null);
        paper_near(result_get(result, "loglik")->items[1], fitted);
        paper_number(result, "aic", -2 * fitted + 2);
        const struct result *tests = result_get(result, "tests");
        paper_number(result_get(tests, "likelihood_ratio"), "statistic", 2 * (fitted - null));
        paper_number(result_get(tests, "wald"), "statistic", log(theta) * log(theta) * information);
        /* At β = 0: U = 1 − ½ − 2/5, I = ¼ + 6/25 */
        paper_number(result_get(tests, "score"), "statistic", 0.1 * 0.1 / 0.49);
        const struct result *term = result_get(result, "terms")->items[0];
        paper_number(term, "n", 3);
        paper_number(term, "n_event", 1);
    }
    /* The first death outranks the three with x = 0, the second is outranked by two; four pairs are ties. */
    const struct result *concordance = result_get(paper_result(&paper, 0), "concordance");
    paper_number(concordance, "pairs", 9);
    paper_number(concordance, "low", 5.0 / 9);
    paper_number(concordance, "high", 5.0 / 9);
    /* Of the six, concordant less discordant are 3, −1, −1, −1, 1, 1 and all pairs 5, 5, 2, 2, 2, 2; half the
     * one less 1/18 of the other is 22, −14, −11, −11, 7, 7 eighteenths. */
    paper_number(concordance, "std_error", sqrt(1020) / (18 * 9));
    const struct result *baseline = result_get(paper_result(&paper, 0), "baseline")->items[0];
    assert_string_equal(result_get(baseline, "stratum")->string, "all");
    paper_near(result_get(baseline, "time")->items[1], 2);
    paper_near(result_get(baseline, "cumhaz")->items[0], 1 / (3 * theta + 3));
    paper_near(result_get(baseline, "cumhaz")->items[1], 1 / (3 * theta + 3) + 1 / (2 * theta + 3));
    assert_int_equal(result_get(baseline, "time")->n, 2);
    paper_close(&paper);
}

/* The model of the first test: Λ0 is 1/(3θ + 3) at 1 and 1/(2θ + 3) more at 2, and those with x have θ times
 * as much. Nobody is followed up beyond 3. */
static void standardised_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: e, method: cox, formula: \"Surv(time, death) ~ x\", adjusted: x, times: [0, 1, 2.5, "
              "4] }\n");
    const struct result *adjusted = result_get(paper_result(&paper, 0), "adjusted");
    double theta = sqrt(1.5), first = 1 / (3 * theta + 3), second = first + 1 / (2 * theta + 3);
    assert_int_equal(adjusted->n, 2);
    for (size_t x = 0; x < 2; x++) {
        const struct result *estimate = result_get(adjusted->items[x], "estimate");
        assert_string_equal(result_get(adjusted->items[x], "stratum")->string, x == 0 ? "x=FALSE" : "x=TRUE");
        paper_near(estimate->items[0], 1);
        paper_near(estimate->items[1], exp(-first * (x == 0 ? 1 : theta)));
        paper_near(estimate->items[2], exp(-second * (x == 0 ? 1 : theta)));
        assert_int_equal(estimate->items[3]->kind, RESULT_NULL);
    }
    paper_close(&paper);
}

/* Errors of the same. Everybody's S is the same in a level, θ^a times the hazard, so that what row i does to
 * 6·S_a at t is A·J_i + (B − A·∫x̄dΛ0)·6·ρ_i/I with A = −S·θ^a, B = −S·Λ0·θ^a·a; risk sets weigh 3θ + 3 and 2θ
 * + 3 with mean x of θ/(θ + 1) and 2θ/(2θ + 3), and I is the information of the first test. */
static void errors_of_standardised_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: e, method: cox, formula: \"Surv(time, death) ~ x\", adjusted: x, times: [0, 1, 2.5] }\n");
    static const double x[] = {1, 0, 1, 1, 0, 0};
    const double theta = sqrt(1.5), h[] = {1 / (3 * theta + 3), 1 / (2 * theta + 3)},
                 mean[] = {theta / (theta + 1), 2 * theta / (2 * theta + 3)},
                 information = theta / pow(theta + 1, 2) + 6 * theta / pow(2 * theta + 3, 2);
    const struct result *result = paper_result(&paper, 0), *adjusted = result_get(result, "adjusted"),
                        *difference = result_get(result, "adjusted_differences")->items[0];
    for (size_t t = 0; t <= 2; t++) { /* by how many deaths */
        double square[3] = {0}, survival[2], apart = 0;
        for (size_t i = 0; i < 6; i++) {
            const double risk = x[i] > 0 ? theta : 1;
            double score = 0, hazard = 0, met = 0, drift = 0, influence[2];
            for (size_t k = 0; k < 2; k++) {
                const bool at_risk = i == k || i > k, dies = i == k;
                score += at_risk ? (x[i] - mean[k]) * (dies - risk * h[k]) : 0;
                if (k < t) {
                    met += at_risk ? dies * h[k] - risk * h[k] * h[k] : 0;
                    hazard += h[k];
                    drift += mean[k] * h[k];
                }
            }
            for (size_t a = 0; a < 2; a++) {
                const double of_level = a == 0 ? 1 : theta;
                survival[a] = exp(-hazard * of_level);
                const double slope = -survival[a] * of_level, by = slope * hazard * (double)a - slope * drift;
                influence[a] = slope * met + by * score / information;
                square[a] += influence[a] * influence[a];
            }
            square[2] += pow(influence[1] - influence[0], 2);
        }
        for (size_t a = 0; a < 2; a++) {
            const struct result *row = adjusted->items[a];
            paper_near(result_get(row, "std_error")->items[t], sqrt(square[a]));
            paper_near(result_get(row, "conf_low")->items[t],
                       fmax(survival[a] - 1.959963984540054 * sqrt(square[a]), 0));
            paper_near(result_get(row, "conf_high")->items[t],
                       fmin(survival[a] + 1.959963984540054 * sqrt(square[a]), 1));
        }
        apart = survival[1] - survival[0];
        paper_near(result_get(difference, "difference")->items[t], apart);
        paper_near(result_get(difference, "difference_se")->items[t], sqrt(square[2]));
        paper_near(result_get(difference, "difference_low")->items[t],
                   apart - 1.959963984540054 * sqrt(square[2]));
    }
    assert_int_equal(result_get(difference, "difference_p_value")->items[0]->kind, RESULT_NULL);
    paper_close(&paper);
}

static void what_cannot_be_standardised_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *analysis, *sentence;
    } cases[] = {
        {"formula: \"Surv(time, death) ~ x\", adjusted: x", "expected `times`"},
        {"formula: \"Surv(time, death) ~ x + w\", adjusted: w, times: [1]", "a category or a boolean"},
        {"formula: \"Surv(time, death) ~ w\", adjusted: x, times: [1]", "found `x`"},
        {"formula: \"Surv(start, time, death) ~ x\", adjusted: x, times: [1]", "delayed entry"},
        {"formula: \"Surv(time, death) ~ x + strata(site)\", adjusted: x, times: [1]", "strata(site)"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct paper paper;
        struct maille_error error = {0};
        char text[256];
        snprintf(text, sizeof text, "  - { id: a, method: cox, %s }\n", cases[k].analysis);
        paper_open(&paper, variables, csv, text);
        assert_int_equal(method_find("cox")->check(&paper.study->analyses[0], &error), MAILLE_INVALID);
        if (strstr(error.sentence, cases[k].sentence) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.sentence, cases[k].sentence);
        paper_close(&paper);
    }
}

/* Three falls at 1, two of them with x = 1, all six at risk. Breslow: U = 2 − 3θ/(θ+1), so θ = 2. Efron at β
 * = 0: the denominators are 6, 5, 4 and the means ½, (3 − ⅔)/5, (3 − 4/3)/4. */
static void ties_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: b, method: cox, formula: \"Surv(tied, fall) ~ x\", ties: breslow }\n"
              "  - { id: e, method: cox, formula: \"Surv(tied, fall) ~ x\" }\n");
    const struct result *result = paper_result(&paper, 0);
    paper_term(result, 0, "xTRUE", log(2), sqrt(1.5));
    paper_near(result_get(result, "loglik")->items[0], -3 * log(6));
    paper_near(result_get(result, "loglik")->items[1], 2 * log(2) - 3 * log(9));
    paper_number(result_get(result_get(result, "tests"), "score"), "statistic", 1.0 / 3);
    result = paper_result(&paper, 1);
    double mean[3] = {0.5, (3 - 2.0 / 3) / 5, (3 - 4.0 / 3) / 4}, u = 2, i = 0;
    for (size_t l = 0; l < 3; l++) {
        u -= mean[l];
        i += mean[l] * (1 - mean[l]);
    }
    paper_near(result_get(result, "loglik")->items[0], -log(6) - log(5) - log(4));
    paper_number(result_get(result_get(result, "tests"), "score"), "statistic", u * u / i);
    paper_close(&paper);
}

/* As exact as the iteration: a last step below 1e-10 standard errors is not taken. */
static void close_to(const struct result *got, double expected)
{
    assert_int_equal(got->kind, RESULT_NUMBER);
    if (!(fabs(got->number - expected) <= 1e-9 * fabs(expected)))
        fail_msg("got %.17g, expected %.17g", got->number, expected);
}

/* The same by Breslow: mean covariate 2/3, hazard 3/9. Score residuals of the six are 1, −4, 1, −2, 2, 2
 * ninths, so B = 30/81 and V·B·V = (3/2)²·30/81 = 5/6. By death, which the first two have, they sum to −1/3
 * and 1/3. With weight 2 for five of them and 0 for the sixth θ is 4/3, the hazard 1/2, the information 4/3,
 * the residuals 1/9, −1/3, 1/9, −2/9, 1/3, B = 4·24/81 and V·B·V = 2/3. */
static void robust_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: r, method: cox, formula: \"Surv(tied, fall) ~ x\", ties: breslow, robust: true }\n"
        "  - { id: c, method: cox, formula: \"Surv(tied, fall) ~ x + cluster(death)\", ties: breslow }\n"
        "  - { id: w, method: cox, formula: \"Surv(tied, fall) ~ x\", ties: breslow, weights: v }\n"
        "  - { id: m, method: cox, formula: \"Surv(tied, fall) ~ x\", ties: breslow, weights: v, robust: "
        "false }\n"
        "  - { id: s, method: cox, formula: \"Surv(tied, fall) ~ x + cluster(site)\", ties: breslow }\n");
    const double variance[] = {5.0 / 6, 0.5, 2.0 / 3};
    for (size_t k = 0; k < 3; k++) {
        const struct result *result = paper_result(&paper, k), *term = result_get(result, "terms")->items[0];
        double beta = k < 2 ? log(2) : log(4.0 / 3), model = k < 2 ? 1.5 : 0.75;
        close_to(result_get(term, "estimate"), beta);
        close_to(result_get(term, "std_error"), sqrt(model));
        close_to(result_get(term, "robust_se"), sqrt(variance[k]));
        close_to(result_get(term, "statistic"), beta / sqrt(variance[k]));
        close_to(result_get(result, "vcov")->items[0]->items[0], variance[k]);
        close_to(result_get(result_get(result_get(result, "tests"), "wald"), "statistic"),
                 beta * beta / variance[k]);
    }
    for (size_t k = 2; k < 4; k++) {
        const struct result *loglik = result_get(paper_result(&paper, k), "loglik");
        paper_near(loglik->items[0], -6 * log(10));
        paper_near(loglik->items[1], 4 * log(4.0 / 3) - 6 * log(12));
        assert_int_equal(paper.run.states[k].outcome.n, 5);
        assert_string_equal(paper.run.states[k].outcome.warnings->items[0]->string,
                            "1 row was left out: of weight 0");
    }
    /* Every patient is a site: a cluster of one. */
    close_to(result_get(result_get(paper_result(&paper, 4), "terms")->items[0], "robust_se"), sqrt(5.0 / 6));
    const struct result *model = result_get(paper_result(&paper, 3), "terms")->items[0];
    assert_int_equal(result_get(model, "robust_se")->kind, RESULT_NULL);
    paper_close(&paper);
}

/* Who comes and goes at the same time leaves, which is said. */
static void emptied_rows_are_named(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: d, method: cox, formula: \"Surv(start, tied, fall) ~ x\", cohort: \"start == 0\" }\n"
              "  - { id: s, method: cox, formula: \"Surv(tied, time, death) ~ x\" }\n");
    assert_int_equal(paper.run.states[0].outcome.warnings->n, 0);
    assert_non_null(strstr(paper.run.states[1].outcome.warnings->items[0]->string, "left out"));
    paper_close(&paper);
}

/* Patient 4 enters at 1, after the first death: at risk 2 and 3 there. At β = 0 the score is 1 − 2/5 − 2/5.
 */
static void delayed_entry_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: d, method: cox, formula: \"Surv(start, time, death) ~ x\" }\n");
    const struct result *result = paper_result(&paper, 0);
    paper_near(result_get(result, "loglik")->items[0], -2 * log(5));
    paper_number(result_get(result_get(result, "tests"), "score"), "statistic", 0.2 * 0.2 / (2 * 6.0 / 25));
    /* θ/(2θ+3) = ¼, so θ = 3/2 */
    paper_term(result, 0, "xTRUE", log(1.5), 1 / sqrt(2 * 6 * 1.5 / 36));
    paper_close(&paper);
}

/* Twenty with x = 0 and two with x = 1; one of the two dies at 1, one of the twenty at 2. With θ = e^β the
 * score is 1 − 2θ/(2θ+20) − θ/(θ+20), 0 at θ² = 200. At 0 the information is small: the first step goes
 * to 6.7, where the likelihood is lower (−7.4 after −6.1), and is halved. */
static void a_step_that_is_too_long(void **state)
{
    (void)state;
    struct paper paper;
    char many[1024] =
        "pid,start,time,tied,death,fall,x,w,v\n1,0,1,1,1,0,1,1,1\n2,0,2,1,1,0,0,1,1\n3,0,3,1,0,0,1,1,1\n";
    for (int p = 4; p <= 22; p++) {
        size_t end = strlen(many);
        snprintf(many + end, sizeof many - end, "%d,0,3,1,0,0,0,1,1\n", p);
    }
    paper_run(&paper, variables, many, "  - { id: a, method: cox, formula: \"Surv(time, death) ~ x\" }\n");
    const struct result *result = paper_result(&paper, 0), *term = result_get(result, "terms")->items[0];
    double theta = sqrt(200), s1 = 2 * theta + 20, s2 = theta + 20;
    close_to(result_get(term, "estimate"), log(theta));
    close_to(result_get(term, "std_error"), 1 / sqrt(40 * theta / (s1 * s1) + 20 * theta / (s2 * s2)));
    paper_near(result_get(result, "loglik")->items[0], -log(22) - log(21));
    paper_near(result_get(result, "loglik")->items[1], log(theta) - log(s1) - log(s2));
    /* Two rounds for β = 0 and for every step, one for concordance, and one for each halving. */
    assert_true(paper.rounds > 2 * (result_get(result, "iterations")->integer + 1) + 1);
    paper_close(&paper);
}

static void what_cannot_be_fitted_says_so(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: a, method: cox, formula: \"Surv(time, death) ~ x\", cohort: time > 8 }\n"
        "  - { id: b, method: cox, formula: \"Surv(time, death) ~ x\", cohort: \"death == FALSE\" }\n"
        "  - { id: c, method: cox, formula: \"Surv(time, death) ~ fall * x * w\" }\n"
        "  - { id: d, method: cox, formula: \"Surv(time, death) ~ w + time\" }\n"
        "  - { id: e, method: cox, formula: \"Surv(time, death) ~ x + strata(site)\", baseline: true }\n"
        "  - { id: h, method: cox, formula: \"Surv(time, death) ~ x + strata(site)\", zph: true }\n");
    paper_failed(&paper, 0, "cohort");
    paper_failed(&paper, 1, "expected an event");
    paper_failed(&paper, 2, "fallFALSE");
    paper_failed(&paper, 3, "infinity");
    paper_failed(&paper, 4, "strata(site)");
    paper_failed(&paper, 5, "strata(site)");
    /* Before it failed, the fourth named what the constant column is: nothing of its own. */
    assert_int_equal(paper.run.states[3].outcome.aliased->n, 0);
    paper_close(&paper);
}

/* One patient a site: nobody is ever compared with anybody, so nothing can be estimated, as in R with
 * strata(pid). */
static void alone_in_a_site(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: s, method: cox, formula: \"Surv(time, death) ~ x + strata(site)\" }\n");
    const struct result *result = paper_result(&paper, 0);
    assert_int_equal(result_get(result_get(result, "terms")->items[0], "estimate")->kind, RESULT_NULL);
    assert_string_equal(paper.run.states[0].outcome.aliased->items[0]->string, "xTRUE");
    paper_close(&paper);
}

static void strange_theta_is_refused(void **state)
{
    (void)state;
    struct paper paper;
    struct maille_error error = {0};
    paper_open(&paper, variables, csv, "  - { id: m, method: cox, formula: \"Surv(time, death) ~ x\" }\n");
    paper_round(&paper);
    const struct analysis *analysis = &paper.study->analyses[0];
    struct vector *theta = &paper.run.states[0].iteration.theta;
    struct tally_spec *spec = arena_alloc(paper.arena, sizeof *spec);
    const struct method *method = method_find("cox");
    assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_OK);
    theta->n--; /* a table too short would be read past its end */
    assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_INVALID);
    theta->n++;
    theta->v[0] = 3; /* cut points of concordance that are not there */
    assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_INVALID);
    paper_close(&paper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standardised_on_paper),
        cmocka_unit_test(errors_of_standardised_on_paper),
        cmocka_unit_test(what_cannot_be_standardised_is_refused),
        cmocka_unit_test(no_ties_on_paper),
        cmocka_unit_test(ties_on_paper),
        cmocka_unit_test(robust_on_paper),
        cmocka_unit_test(emptied_rows_are_named),
        cmocka_unit_test(delayed_entry_on_paper),
        cmocka_unit_test(what_cannot_be_fitted_says_so),
        cmocka_unit_test(a_step_that_is_too_long),
        cmocka_unit_test(alone_in_a_site),
        cmocka_unit_test(strange_theta_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
