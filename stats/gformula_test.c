/* Six patients worked on paper: risks without a covariate, means of a saturated model, a level without an
 * event; and what is refused. */
#include "stats/paper.h"

#include "stats/fit.h"

static const char variables[] = "  - { name: x, type: integer, min: 0, max: 9 }\n"
                                "  - { name: y, type: integer, min: 0, max: 9 }\n"
                                "  - { name: arm, type: category, levels: [none, a, b] }\n"
                                "  - { name: sex, type: category, levels: [m, f] }\n"
                                "  - { name: part, type: category, levels: [p, q] }\n"
                                "  - { name: ill, type: boolean }\n"
                                "  - { name: rare, type: boolean }\n";

static const char csv[] = "pid,x,y,arm,sex,part,ill,rare\n"
                          "1,0,1,a,m,p,1,1\n"
                          "2,0,3,a,m,p,0,0\n"
                          "3,1,2,a,f,q,0,0\n"
                          "4,1,4,b,m,p,1,1\n"
                          "5,2,6,b,f,p,1,0\n"
                          "6,2,8,b,f,q,0,0\n";

/* A row of `means`, or of `contrasts`, of this level of its variable. */
static const struct result *row_of(const struct result *result, const char *list, size_t row,
                                   const char *level, const char *measure)
{
    const struct result *rows = result_get(result, list);
    assert_non_null(rows);
    assert_true(row < rows->n);
    assert_string_equal(result_text(rows->items[row], "level"), level);
    if (measure != NULL)
        assert_string_equal(result_text(rows->items[row], "measure"), measure);
    return rows->items[row];
}

/* Estimate and error, and limits 1.959964 errors to either side. */
static void expect(const struct result *row, double estimate, double error)
{
    const double z = 1.959963984540054;
    paper_number(row, "estimate", estimate);
    paper_number(row, "std_error", error);
    paper_number(row, "conf_low", estimate - z * error);
    paper_number(row, "conf_high", estimate + z * error);
}

/* A ratio, with the error of its logarithm. */
static void expect_ratio(const struct result *row, double ratio, double error)
{
    const double z = 1.959963984540054;
    paper_number(row, "estimate", ratio);
    paper_number(row, "std_error", error);
    paper_number(row, "conf_low", ratio * exp(-z * error));
    paper_number(row, "conf_high", ratio * exp(z * error));
    paper_number(row, "p_value", erfc(fabs(log(ratio)) / error / sqrt(2)));
}

/* Without a covariate a mean is the share of its arm, ⅓ and ⅔, with the variance p·(1 − p)/3 = 2/27. Nobody
 * has the first level. Ratio 2 with ln's variance (2/27)·(9 + 9/4) = 5/6; odds ratio 4 with 2·(2/27)/(2/9)²
 * = 3. */
static void risks_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: gformula, family: binomial, treatment: arm, formula: \"ill ~ arm\" }\n");
    const struct result *result = paper_result(&paper, 0), *row = row_of(result, "means", 0, "a", NULL);
    assert_int_equal(result_get(result, "means")->n, 2);
    assert_string_equal(result_text(row, "variable"), "arm");
    paper_number(row, "n", 3);
    paper_number(row, "n_event", 1);
    paper_number(row, "estimate", 1.0 / 3);
    paper_number(row, "std_error", sqrt(2.0 / 27));
    paper_number(row, "conf_low", 0); /* a risk ends there */
    paper_number(row, "conf_high", 1.0 / 3 + 1.959963984540054 * sqrt(2.0 / 27));
    row = row_of(result, "means", 1, "b", NULL);
    paper_number(row, "estimate", 2.0 / 3);
    paper_number(row, "conf_high", 1);
    assert_int_equal(result_get(result, "contrasts")->n, 3);
    row = row_of(result, "contrasts", 0, "b", "risk difference");
    assert_string_equal(result_text(row, "reference"), "a");
    expect(row, 1.0 / 3, sqrt(4.0 / 27));
    paper_number(row, "p_value", erfc(sqrt(27.0 / 36) / sqrt(2)));
    expect_ratio(row_of(result, "contrasts", 1, "b", "risk ratio"), 2, sqrt(5.0 / 6));
    expect_ratio(row_of(result, "contrasts", 2, "b", "odds ratio"), 4, sqrt(3));
    paper_term(result, 1, "armb", 2 * log(2), sqrt(3)); /* the model stands beside it */
    paper_close(&paper);
}

/* Arms by sex have the means 2, 2 (arm a: m, f) and 4, 7; three are m and three f, so everybody in a has 2,
 * everybody in b 5½. Patient by patient, in quarters: a moves by −1, 1, 0, 0, 0, 0; b by −1, −1, 1, −1, 0, 2.
 */
static void means_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: m, method: gformula, family: gaussian, treatment: arm, formula: \"y ~ arm * sex\" }\n"
        "  - { id: offset, method: gformula, treatment: arm, formula: \"y ~ arm * sex + offset(x)\" }\n");
    const struct result *result = paper_result(&paper, 0);
    expect(row_of(result, "means", 0, "a", NULL), 2, sqrt(1.0 / 8));
    expect(row_of(result, "means", 1, "b", NULL), 5.5, sqrt(1.0 / 2));
    assert_int_equal(result_get(row_of(result, "means", 0, "a", NULL), "n_event")->kind, RESULT_NULL);
    assert_int_equal(result_get(result, "contrasts")->n, 1);
    expect(row_of(result, "contrasts", 0, "b", "mean difference"), 3.5, sqrt(5.0 / 8));
    assert_int_equal(paper.rounds, 3); /* two of the model, one of the means */
    /* What the arms by sex have beside x: 2, 1 and 3, 5; x is 1 on average. */
    result = paper_result(&paper, 1);
    paper_number(row_of(result, "means", 0, "a", NULL), "estimate", 1.5 + 1);
    paper_number(row_of(result, "means", 1, "b", NULL), "estimate", 4 + 1);
    paper_close(&paper);
}

/* Of p one of two has `rare` in each arm, of q nobody. Two thirds are p, so the means are ⅔·½ = ⅓. In
 * thirty-sixths a moves by 1 ± 6 in its two of p, by 1 in the others of p, by −2 in q: 84/36². */
static void level_without_an_event_on_paper(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: m, method: gformula, family: binomial, treatment: arm, formula: \"rare ~ arm + part\" }\n"
        "  - { id: n, method: gformula, family: binomial, treatment: part, formula: \"rare ~ arm + part\" "
        "}\n");
    const struct result *result = paper_result(&paper, 0), *row = row_of(result, "means", 0, "a", NULL);
    paper_number(row, "estimate", 1.0 / 3);
    paper_number(row, "std_error", sqrt(84) / 36);
    paper_number(row_of(result, "means", 1, "b", NULL), "estimate", 1.0 / 3);
    paper_number(row_of(result, "contrasts", 1, "b", "risk ratio"), "estimate", 1);
    paper_failed(
        &paper, 1,
        "expected patients with and without rare in each level of `part`, found none with in part=q");
    paper_close(&paper);
}

static void what_nobody_can_say(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: empty, method: gformula, treatment: arm, formula: \"y ~ arm * part\", "
              "cohort: 'arm != \"a\" || part == \"p\"' }\n"
              "  - { id: alias, method: gformula, treatment: sex, formula: \"y ~ sex + x + I(2 * x)\" }\n"
              "  - { id: nobody, method: gformula, treatment: sex, formula: \"y ~ sex\", cohort: x > 8 }\n"
              "  - { id: one, method: gformula, treatment: arm, formula: \"y ~ arm\", cohort: x == 0 }\n");
    paper_failed(&paper, 0, "found nobody in arma:partq");
    paper_failed(&paper, 1, "expected terms of which none is a combination of the others, found I(2 * x)");
    paper_failed(&paper, 2, "expected");
    paper_failed(&paper, 3, "expected");
    paper_close(&paper);
}

/* Where y may be 10¹¹ its squares are 10²² and their sums hold 14 bits behind the point. */
static void errors_that_have_no_digits(void **state)
{
    (void)state;
    static const char far[] = "  - { name: y, type: integer, min: 0, max: 100000000000 }\n"
                              "  - { name: arm, type: category, levels: [a, b] }\n";
    struct paper paper;
    paper_run(&paper, far, "pid,y,arm\n1,1,a\n2,3,a\n3,2,a\n4,4,b\n5,6,b\n6,8,b\n",
              "  - { id: m, method: gformula, treatment: arm, formula: \"y ~ arm\" }\n");
    paper_failed(&paper, 0, "expected errors of nine digits, found that y may be so far from its mean");
    paper_close(&paper);
}

static void refused_words(const char *analysis, const char *part)
{
    struct arena *arena = arena_new();
    const struct dictionary *dictionary = NULL;
    const struct study *study = NULL;
    struct maille_error error = {0};
    size_t n;
    const char *text = arena_printf(
        arena, "dictionary: paper\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n%s", variables);
    paper_must(dictionary_parse(&dictionary, arena, "paper.dictionary", text, strlen(text), &error), &error);
    text = arena_printf(
        arena,
        "study: paper\ndictionary: paper@1\npurpose: test\nlegal_basis: none\nexpires: 2099-12-31\n"
        "analyses:\n  - { id: m, method: gformula, %s }\n",
        analysis);
    const struct query_method *methods = methods_declared(&n);
    enum maille_code code =
        study_parse(&study, arena, dictionary, methods, n, "paper.study", text, strlen(text), &error);
    if (code == MAILLE_OK)
        code = method_find("gformula")->check(&study->analyses[0], &error);
    assert_int_equal(code, MAILLE_INVALID);
    if (strstr(error.sentence, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.sentence, part);
    arena_free(arena);
}

static void refusals(void **state)
{
    (void)state;
    refused_words(
        "treatment: arm, formula: \"y ~ x\"",
        "expected `treatment` to be a category or a boolean among the terms of the formula, found `arm`");
    refused_words("treatment: x, formula: \"y ~ x\"", "found `x`");
    refused_words("treatment: arm, formula: \"y ~ arm:sex\"", "found `arm`");
    refused_words("treatment: arm, formula: \"y ~ arm + strata(site)\"",
                  "expected no strata(site) in a gformula");
    refused_words("treatment: arm, family: poisson, formula: \"y ~ arm\"", "poisson");
    refused_words("treatment: arm, family: binomial, formula: \"y ~ arm\"", "binomial");
    refused_words("formula: \"y ~ arm\"", "treatment");
}

/* The model's coefficients with their errors, and of two arms (three levels) 3 means, 3 errors and 2 of
 * contrasts. A site believes no θ of a stage that there is not. */
static void cells_and_theta(void **state)
{
    (void)state;
    struct paper paper;
    struct maille_error error = {0};
    struct cells cells = {0};
    paper_open(&paper, variables, csv,
               "  - { id: m, method: gformula, family: binomial, treatment: arm, formula: \"ill ~ arm\" }\n"
               "  - { id: g, method: glm, family: binomial, formula: \"ill ~ arm\" }\n");
    const struct analysis *analysis = &paper.study->analyses[0];
    const struct method *method = method_find("gformula");
    paper_must(method_cells(analysis, paper.arena, &cells, &error), &error);
    assert_int_equal(cells.n_shown, 2 * 3 + 8);
    assert_true(cells.both && cells.is_model);
    assert_int_equal(cells.rules[cells.spec.n_blocks - 2],
                     CELL_PATIENTS); /* by arm: patients, and with the event */
    assert_int_equal(cells.rules[cells.spec.n_blocks - 1], CELL_EVENTS);
    struct vector *theta = &paper.run.states[0].iteration.theta;
    struct tally_spec spec = {0};
    while (fit_theta_stage(theta) < 2)
        paper_round(&paper);
    paper_must(method->plan(analysis, theta, NULL, paper.arena, &spec, &error),
               &error); /* of the last round */
    for (size_t b = 0; b < spec.n_blocks; b++)
        assert_non_null(spec.blocks[b].guard);
    spec = (struct tally_spec){0};
    assert_int_equal(
        method_find("glm")->plan(&paper.study->analyses[1], theta, NULL, paper.arena, &spec, &error),
        MAILLE_INVALID); /* which has no such stage */
    fit_theta_set_stage(theta, 3);
    spec = (struct tally_spec){0};
    assert_int_equal(method->plan(analysis, theta, NULL, paper.arena, &spec, &error), MAILLE_INVALID);
    paper_close(&paper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(risks_on_paper),
        cmocka_unit_test(means_on_paper),
        cmocka_unit_test(level_without_an_event_on_paper),
        cmocka_unit_test(what_nobody_can_say),
        cmocka_unit_test(errors_that_have_no_digits),
        cmocka_unit_test(refusals),
        cmocka_unit_test(cells_and_theta),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
