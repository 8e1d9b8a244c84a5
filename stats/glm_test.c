/* Six patients worked on paper for each family, refusals, and θ that a site must not believe. */
#include "stats/paper.h"

static const char variables[] = "  - { name: x, type: integer, min: 0, max: 9 }\n"
                                "  - { name: y, type: integer, min: 0, max: 9 }\n"
                                "  - { name: arm, type: category, levels: [none, a, b] }\n"
                                "  - { name: ill, type: boolean }\n"
                                "  - { name: both, type: boolean }\n"
                                "  - { name: w, type: integer, min: 0, max: 9 }\n";

static const char csv[] = "pid,x,y,arm,ill,both,w\n"
                          "1,0,1,a,1,1,1\n"
                          "2,0,3,a,0,0,2\n"
                          "3,1,2,a,0,1,0\n"
                          "4,1,4,b,1,0,1\n"
                          "5,2,6,b,1,1,3\n"
                          "6,2,8,b,0,0,1\n";

/* y = 1.5 + 2.5·x: x̄ = 1, ȳ = 4, Sxx = 4, Sxy = 10; residuals −½, 1½, −2, 0, −½, 1½, so RSS = 9 on 4 degrees
 * of freedom. */
static void gaussian_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv, "  - { id: m, method: glm, family: gaussian, formula: \"y ~ x\" }\n");
    const struct result *result = paper_result(&paper, 0);
    paper_term(result, 0, "(Intercept)", 1.5, 1.5 * sqrt(5.0 / 12));
    paper_term(result, 1, "x", 2.5, 0.75);
    paper_number(result, "deviance", 9);
    paper_number(result, "null_deviance", 34);
    paper_number(result, "dispersion", 2.25);
    paper_number(result, "df_residual", 4);
    paper_number(result, "df_null", 5);
    paper_number(result, "aic", 6 * (log(2 * M_PI * 1.5) + 1) + 6);
    const struct result *slope = result_get(result, "terms")->items[1];
    paper_number(slope, "statistic", 10.0 / 3);
    /* t with 4 degrees of freedom: P(|T| > t) = 1 − u·(3 − u²)/2, u = t/√(t² + 4) */
    double u = 10.0 / 3 / sqrt(100.0 / 9 + 4);
    paper_number(slope, "p_value", 1 - u * (3 - u * u) / 2);
    paper_near(result_get(result, "vcov")->items[0]->items[1], -0.5625);
    assert_int_equal(paper.rounds, 2);
    assert_int_equal(paper.run.states[0].outcome.n, 6);
    paper_close(&paper);
}

/* x is 0, 1, 2 twice each: q1 = (x − 1)/2, q2 = ((x − 1)² − 2/3)/√(4/3). Σq1·y = 5, Σq2·y = √3, ȳ = 4; the
 * means 2, 3 and 7 leave RSS = 6 on 3 degrees of freedom. */
static void orthogonal_polynomial_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: glm, family: gaussian, formula: \"y ~ poly(x, 2)\" }\n"
              "  - { id: few, method: glm, family: gaussian, formula: \"y ~ poly(x, 3)\" }\n"
              "  - { id: bare, method: glm, family: gaussian, formula: \"y ~ poly(x, 2) - 1\" }\n"
              "  - { id: alone, method: glm, family: gaussian, formula: \"y ~ poly(x, 2):arm\" }\n"
              "  - { id: twice, method: glm, family: gaussian, formula: \"y ~ x + poly(x, 2)\" }\n");
    const struct result *result = paper_result(&paper, 0);
    paper_term(result, 0, "(Intercept)", 4, sqrt(1.0 / 3));
    paper_term(result, 1, "poly(x, 2)1", 5, sqrt(2));
    paper_term(result, 2, "poly(x, 2)2", sqrt(3), sqrt(2));
    paper_number(result, "deviance", 6);
    paper_near(result_get(result, "vcov")->items[1]->items[2], 0); /* orthogonal */
    paper_failed(&paper, 1, "expected more values than its degree in poly(x, 3)");
    paper_failed(&paper, 2, "write the intercept");
    paper_failed(&paper, 3, "expected beside poly(x, 2):arm what it multiplies");
    paper_failed(&paper, 4, "no combination of the other terms");
    paper_close(&paper);
}

/* Arm a: 1 of 3 ill, arm b: 2 of 3. Nobody has the first level, so a is the reference. */
static void binomial_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: glm, family: binomial, formula: \"ill ~ arm\" }\n");
    const struct result *result = paper_result(&paper, 0);
    paper_term(result, 0, "(Intercept)", -log(2), sqrt(1.5));
    paper_term(result, 1, "armb", 2 * log(2), sqrt(3));
    paper_number(result, "deviance", -4 * (2 * log(2.0 / 3) + log(1.0 / 3)));
    paper_number(result, "null_deviance", 12 * log(2));
    paper_number(result, "aic", -4 * (2 * log(2.0 / 3) + log(1.0 / 3)) + 4);
    const struct outcome *outcome = &paper.run.states[0].outcome;
    assert_int_equal(outcome->n_event, 3);
    assert_int_equal(outcome->dropped_levels->n, 1);
    assert_string_equal(outcome->dropped_levels->items[0]->string, "arm=none");
    const struct result *arm = result_get(result, "terms")->items[1];
    paper_number(arm, "n", 3);
    paper_number(arm, "n_event", 2);
    paper_close(&paper);
}

/* One of two ill in {none} and in b, none of two in a, whose estimate is minus infinity: the others are 0 and
 * 0, as if these two were not there; they are rows, and a is a parameter, all the same. */
static void level_without_an_event_on_paper(void **state)
{
    (void)state;
    static const char rows[] = "pid,x,y,arm,ill,both,w\n1,0,1,none,1,1,1\n2,0,3,none,0,0,2\n3,1,2,a,0,1,0\n"
                               "4,1,4,a,0,0,1\n5,2,6,b,1,1,3\n6,2,8,b,0,0,1\n";
    struct paper paper;
    paper_run(
        &paper, variables, rows,
        "  - { id: m, method: glm, family: binomial, formula: \"ill ~ arm\" }\n"
        "  - { id: r, method: glm, family: binomial, formula: \"ill ~ relevel(arm, ref = \\\"a\\\")\" }\n");
    const struct result *result = paper_result(&paper, 0);
    paper_term(result, 0, "(Intercept)", 0, sqrt(2));
    paper_term(result, 2, "armb", 0, 2);
    assert_int_equal(result_get(result_get(result, "terms")->items[1], "estimate")->kind, RESULT_NULL);
    paper_number(result, "deviance", 8 * log(2));
    paper_number(result, "df_residual", 3);
    paper_number(result, "aic", 8 * log(2) + 6);
    const struct outcome *outcome = &paper.run.states[0].outcome;
    assert_int_equal(outcome->aliased->n, 0);
    assert_non_null(strstr(outcome->warnings->items[0]->string, "none of the rows with arma has ill"));
    /* What the others are compared with has no event: every difference from it is infinite, and the
     * constant's. */
    const struct result *other = paper_result(&paper, 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(result_get(result_get(other, "terms")->items[i], "estimate")->kind, RESULT_NULL);
    paper_number(other, "deviance", 8 * log(2));
    paper_number(other, "df_residual", 3);
    paper_number(other, "aic", 8 * log(2) + 6);
    assert_non_null(strstr(paper.run.states[1].outcome.warnings->items[0]->string,
                           "which the other levels are compared with, has ill"));
    paper_close(&paper);
}

/* Means 2 and 6: log 2, log 3; Σy = 6 and 18. */
static void poisson_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: glm, family: poisson, formula: \"y ~ arm\" }\n"
              "  - { id: n, method: glm, family: poisson, formula: \"y ~ arm - 1\" }\n");
    const struct result *result = paper_result(&paper, 0);
    double deviance = 2 * (log(0.5) + 3 * log(1.5) + 4 * log(4.0 / 6) + 8 * log(8.0 / 6));
    paper_term(result, 0, "(Intercept)", log(2), sqrt(1.0 / 6));
    paper_term(result, 1, "armb", log(3), sqrt(1.0 / 6 + 1.0 / 18));
    paper_number(result, "deviance", deviance);
    paper_number(result, "null_deviance",
                 2 * (log(1.0 / 4) + 3 * log(3.0 / 4) + 2 * log(2.0 / 4) + 6 * log(6.0 / 4) + 8 * log(2)));
    /* −2 log likelihood = 2·Σ(μ − y·log μ + log y!), y! = 1, 6, 2, 24, 720, 40320 */
    double loglik = 24 - 6 * log(2) - 18 * log(6) + log(6) + log(2) + log(24) + log(720) + log(40320);
    paper_number(result, "aic", 2 * loglik + 4);
    result = paper_result(&paper, 1); /* without a constant in the span of one column alone */
    paper_term(result, 0, "arma", log(2), sqrt(1.0 / 6));
    paper_term(result, 1, "armb", log(6), sqrt(1.0 / 18));
    paper_number(result, "deviance", deviance);
    paper_close(&paper);
}

/* Weights count as so many patients in the estimate, and one of 0 not at all: Σw by arm and ill: a: 1 of 3,
 * b: 4 of 5. */
static void weights_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: glm, family: binomial, formula: \"ill ~ arm\", weights: w }\n");
    const struct result *result = paper_result(&paper, 0);
    paper_term(result, 0, "(Intercept)", -log(2), sqrt(1.5));
    paper_term(result, 1, "armb", log(8), sqrt(1.5 + 1.25));
    paper_number(result, "df_residual", 3);
    paper_number(result, "df_null", 4);
    paper_close(&paper);
}

/* The residuals above: Σ(x − x̄)²·e² = ¼ + 9/4 + ¼ + 9/4 = 5, so the robust variance of the slope is 5/Sxx² =
 * 5/16. */
static void robust_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: glm, family: gaussian, formula: \"y ~ x\", robust: true }\n"
              "  - { id: p, method: glm, family: gaussian, formula: \"y ~ x\" }\n");
    const struct result *result = paper_result(&paper, 0), *slope = result_get(result, "terms")->items[1];
    paper_term(result, 1, "x", 2.5, 0.75);
    paper_number(slope, "robust_se", sqrt(5) / 4);
    paper_number(slope, "statistic", 10 / sqrt(5));
    paper_near(result_get(result, "vcov")->items[1]->items[1], 5.0 / 16);
    slope = result_get(paper_result(&paper, 1), "terms")->items[1];
    assert_int_equal(result_get(slope, "robust_se")->kind, RESULT_NULL);
    paper_close(&paper);
}

/* Three of six have it and the offset says −4: the answer is 4 with information 6/4. At 0 the information is
 * so small that a whole step would go to 27, so steps are halved, in the model and in its null model. */
static void steps_that_are_too_long(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: glm, family: binomial, formula: \"both ~ 1 + offset(0 * x - 4)\" }\n"
              "  - { id: n, method: glm, family: binomial, formula: \"both ~ 1 + offset(4 - 0 * x)\", "
              "cohort: \"both\" }\n"
              "  - { id: o, method: glm, family: binomial, formula: \"both ~ 1 + offset(4 - 0 * x)\", "
              "cohort: \"!both\" }\n");
    const struct result *result = paper_result(&paper, 0);
    paper_term(result, 0, "(Intercept)", 4, sqrt(2.0 / 3));
    paper_number(result, "deviance", 12 * log(2));
    paper_number(result, "null_deviance", 12 * log(2));
    assert_true(paper.rounds > result_get(result, "iterations")->integer + 1);
    paper_failed(&paper, 1, "none without");
    paper_failed(&paper, 2, "none with");
    paper_close(&paper);
}

static void what_cannot_be_fitted_says_so(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: a, method: glm, family: binomial, formula: \"ill ~ arm\", cohort: x > 8 }\n"
        "  - { id: b, method: glm, family: binomial, formula: \"ill ~ x\", cohort: ill }\n"
        "  - { id: c, method: glm, family: binomial, formula: \"I(x > 1) ~ arm * w * y\" }\n"
        "  - { id: d, method: glm, family: gaussian, formula: \"y ~ arm\", cohort: \"arm == \\\"a\\\"\" }\n"
        "  - { id: e, method: glm, family: poisson, formula: \"y ~ arm\", cohort: y < 1 }\n"
        "  - { id: f, method: glm, family: binomial, formula: \"I(x > 1) ~ y\" }\n"
        "  - { id: g, method: glm, family: gaussian, formula: \"I(y - y) ~ x\" }\n");
    paper_failed(&paper, 0, "cohort");
    paper_failed(&paper, 1, "with and without ill");
    paper_failed(&paper, 2, "arma");
    paper_failed(&paper, 3, "two levels of arm");
    paper_failed(&paper, 4, "cohort");
    paper_failed(&paper, 5, "infin");
    paper_failed(&paper, 6, "varies");
    paper_close(&paper);
}

static void wrong_questions_are_invalid(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "  - { id: m, method: glm, family: poisson, formula: \"I(y - 5) ~ x\" }\n",
        "  - { id: m, method: glm, family: binomial, formula: \"y ~ x\" }\n",
        "  - { id: m, method: glm, family: gaussian, formula: \"y ~ x + strata(arm)\" }\n",
        "  - { id: m, method: glm, family: gaussian, formula: \"y ~ x + strata(site) - 1\" }\n",
        "  - { id: m, method: glm, family: gaussian, formula: \"y ~ x + strata(arm, site)\" }\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct paper paper;
        struct maille_error error = {0};
        paper_open(&paper, variables, csv, wrong[i]);
        assert_int_equal(method_find("glm")->check(&paper.study->analyses[0], &error), MAILLE_INVALID);
        assert_non_null(strstr(error.sentence, "line "));
        paper_close(&paper);
    }
}

/* θ comes from another party: what has not the shape of the model is refused, whatever is in it. */
static void strange_theta_is_refused(void **state)
{
    (void)state;
    struct paper paper;
    struct maille_error error = {0};
    paper_open(&paper, variables, csv,
               "  - { id: m, method: glm, family: binomial, formula: \"ill ~ x\" }\n");
    paper_round(&paper);
    const struct method *method = method_find("glm");
    struct vector *theta = &paper.run.states[0].iteration.theta;
    struct tally_spec *spec = arena_alloc(paper.arena, sizeof *spec);
    const struct analysis *analysis = &paper.study->analyses[0];
    assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_OK);
    for (size_t i = 0; i < 2; i++) {
        double old = theta->v[2 * i]; /* stage, first γ */
        theta->v[2 * i] = i == 0 ? 7 : INFINITY;
        memset(spec, 0, sizeof *spec);
        assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_INVALID);
        theta->v[2 * i] = old;
    }
    theta->n--;
    memset(spec, 0, sizeof *spec);
    assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_INVALID);
    theta->n = 3;
    assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, spec, &error), MAILLE_INVALID);
    paper_close(&paper);
}

/* A coefficient that would take exp() out of its bounds is refused by the tally, by rule. */
static void large_theta_is_refused(void **state)
{
    (void)state;
    struct paper paper;
    struct maille_error error = {0};
    struct tally_extent extents[TALLY_BLOCKS_MAX];
    size_t bytes;
    paper_open(&paper, variables, csv, "  - { id: m, method: glm, family: poisson, formula: \"y ~ x\" }\n");
    paper_round(&paper);
    struct vector *theta = &paper.run.states[0].iteration.theta;
    struct tally_spec *spec = arena_alloc(paper.arena, sizeof *spec);
    theta->v[3] = 80; /* γ of x, whose scaled interval is ±9/16: the predictor is cut off at 22 */
    assert_int_equal(
        method_find("glm")->plan(&paper.study->analyses[0], theta, NULL, paper.arena, spec, &error),
        MAILLE_OK);
    assert_int_equal(tally_layout(extents, &bytes, spec, &error), MAILLE_OK);
    theta->v[3] = 200; /* beyond 100 it is refused */
    memset(spec, 0, sizeof *spec);
    assert_int_equal(
        method_find("glm")->plan(&paper.study->analyses[0], theta, NULL, paper.arena, spec, &error),
        MAILLE_OK);
    assert_int_equal(tally_layout(extents, &bytes, spec, &error), MAILLE_REFUSED);
    assert_string_equal(error.rule, "theta");
    paper_close(&paper);
}

static void cells_are_declared(void **state)
{
    (void)state;
    struct paper paper;
    struct maille_error error = {0};
    paper_open(&paper, variables, csv,
               "  - { id: m, method: glm, family: binomial, formula: \"ill ~ arm * x\" }\n");
    struct cells *cells = arena_alloc(paper.arena, sizeof *cells);
    assert_int_equal(method_find("glm")->cells(&paper.study->analyses[0], paper.arena, cells, &error),
                     MAILLE_OK);
    assert_int_equal(cells->spec.n_blocks, 5);
    const enum cell_rule rules[] = {CELL_COHORT, CELL_MISSING, CELL_EVENTS, CELL_PATIENTS, CELL_EVENTS};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(cells->rules[i], rules[i]);
        assert_true(cells->spec.blocks[i].distinct);
    }
    assert_int_equal(cells->n_parameters, 6);
    assert_true(cells->is_model);
    assert_true(cells->axis.days == 0);
    paper_close(&paper);
}

/* Seconds of a minute in bounds of 63 years: round 1 is asked for again with the bounds that the sum of their
 * squares gives. One value for everybody has no estimate, and says so; a number twice is aliased without a
 * word. */
static void a_spread_far_below_its_bounds(void **state)
{
    (void)state;
    static const char wide_variables[] = "  - { name: y, type: integer, min: 0, max: 9 }\n"
                                         "  - { name: s, type: integer, min: 0, max: 2000000000 }\n"
                                         "  - { name: x, type: integer, min: 0, max: 9 }\n";
    static const char wide[] = "pid,y,s,x\n1,3,1700000000,1\n2,5,1700000001,4\n3,4,1700000002,2\n"
                               "4,8,1700000000,9\n5,6,1700000003,5\n6,2,1700000001,3\n";
    struct paper paper;
    paper_run(&paper, wide_variables, wide,
              "  - { id: a, method: glm, family: gaussian, formula: \"y ~ s + x\" }\n"
              "  - { id: b, method: glm, family: gaussian, formula: \"y ~ x + I(2 * x)\" }\n"
              "  - { id: c, method: glm, family: gaussian, formula: \"y ~ x + I(0 * s + 5)\" }\n");
    const struct outcome *twice = &paper.run.states[1].outcome, *lost = &paper.run.states[2].outcome;
    const struct result *result = paper_result(&paper, 0); /* lm(y ~ s + x), s less 1,700,000,000 */
    paper_term(result, 1, "s", 0.25, 0.4817203083175389);
    paper_term(result, 2, "x", 0.6875, 0.1991045859306458);
    paper_result(&paper, 1);
    paper_result(&paper, 2);
    assert_int_equal(twice->aliased->n, 1);
    assert_int_equal(twice->warnings->n, 0);
    assert_int_equal(lost->aliased->n, 1);
    assert_string_equal(lost->aliased->items[0]->string, "I(0 * s + 5)");
    assert_int_equal(lost->warnings->n, 1);
    assert_non_null(strstr(lost->warnings->items[0]->string, "has no estimate because it hardly varies"));
    paper_close(&paper);
}

/* Three sites of two: a treated one and one who is not. Of two of them the treated one is ill, of the third
 * the other: with p the chance of who is ill where it is the treated one, α drops out and β = 2·log(p/(1 −
 * p)), p = 2/3. Each site holds Σμ′(x − x̄)² = (2/9)/2. A fourth site, in which both are ill, is a parameter
 * and two rows; a fifth has no complete row. */
static void site_effects_on_paper(void **state)
{
    (void)state;
    static const char site_variables[] = "  - { name: x, type: integer, min: 0, max: 1 }\n"
                                         "  - { name: y, type: integer, min: 0, max: 100 }\n"
                                         "  - { name: ill, type: boolean }\n";
    static const char rows[] = "pid,x,y,ill\n1,0,2,0\n1,1,6,1\n2,0,3,0\n2,1,6,1\n3,0,9,1\n3,1,3,0\n4,0,1,1\n"
                               "4,1,8,1\n5,,5,1\n";
    struct paper paper;
    paper_run(
        &paper, site_variables, rows,
        "  - { id: b, method: glm, family: binomial, formula: \"ill ~ x + strata(site)\" }\n"
        "  - { id: g, method: glm, family: gaussian, formula: \"y ~ x + strata(site)\", robust: true }\n"
        "  - { id: p, method: glm, family: poisson, formula: \"y ~ x + strata(site)\" }\n"
        "  - { id: s, method: glm, family: gaussian, formula: \"y ~ strata(site)\" }\n");
    const struct result *result = paper_result(&paper, 0);
    paper_term(result, 0, "x", 2 * log(2), sqrt(3));
    paper_number(result, "deviance", -8 * log(2. / 3) - 4 * log(1. / 3));
    paper_number(result, "df_residual", 8 - 4 - 1);
    paper_number(result, "df_null", 7);
    paper_number(result, "site_effects", 4);
    paper_number(result, "aic", -8 * log(2. / 3) - 4 * log(1. / 3) + 2 * 5);
    assert_int_equal(result_get(result, "terms")->n, 1);
    result =
        paper_result(&paper, 1); /* differences 4, 3, −6, 7: their mean, its error by 2(n − 1) residuals */
    const double residuals = 4 + 1 + 64 + 25; /* about the mean of 2 */
    const struct result *term = result_get(result, "terms")->items[0];
    paper_number(term, "estimate", 2);
    paper_number(term, "std_error", sqrt(residuals / 2 / 3 / 2));
    paper_number(term, "robust_se", sqrt(residuals / 8) / 2);
    /* Given a site's sum its two counts are binomial: Σy at 1 over Σy at 0. */
    term = result_get(paper_result(&paper, 2), "terms")->items[0];
    assert_float_equal(result_get(term, "estimate")->number, log(23. / 15), 1e-10);
    assert_float_equal(result_get(term, "std_error")->number, sqrt(1. / 23 + 1. / 15), 1e-10);
    paper_number(paper_result(&paper, 3), "df_residual", 4);
    paper_number(paper_result(&paper, 3), "deviance", (16. + 9 + 36 + 49) / 2);
    paper_close(&paper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spread_far_below_its_bounds),
        cmocka_unit_test(gaussian_on_paper),
        cmocka_unit_test(binomial_on_paper),
        cmocka_unit_test(orthogonal_polynomial_on_paper),
        cmocka_unit_test(level_without_an_event_on_paper),
        cmocka_unit_test(poisson_on_paper),
        cmocka_unit_test(site_effects_on_paper),
        cmocka_unit_test(weights_on_paper),
        cmocka_unit_test(robust_on_paper),
        cmocka_unit_test(steps_that_are_too_long),
        cmocka_unit_test(what_cannot_be_fitted_says_so),
        cmocka_unit_test(wrong_questions_are_invalid),
        cmocka_unit_test(strange_theta_is_refused),
        cmocka_unit_test(large_theta_is_refused),
        cmocka_unit_test(cells_are_declared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
