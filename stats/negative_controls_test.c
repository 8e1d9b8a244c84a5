#include "stats/methods.h"
#include "stats/six_patients.h"

/* Of time + c·dead by dead: c − 2, and √17/3 whatever c is. The dead have 1, 3, 3 and the others 5, 2, 6, so
 * that the difference is 7/3 − 13/3, and (24/9 + 78/9)/4 · (1/3 + 1/3) its variance. */
#define LINE(id, c)                                                                                          \
    "  - { id: " id ", method: glm, family: gaussian, formula: \"time + " c " * dead ~ dead\" }\n"
/* The first analysis of a study is `a`, and its braces are closed behind it. */
#define CONTROLS(keys) "method: negative_controls, " keys " }\n"
#define LAST "  - { id: z, method: count"

static const double variance = 17.0 / 9;

static void assert_near(const struct result *r, double expected)
{
    const double got = number(r);
    if (!(fabs(got - expected) <= 1e-12 * fmax(1, fabs(expected))))
        fail_msg("expected %.17g, found %.17g", expected, got);
}

static void assert_row(const struct result *terms, size_t i, const char *name, double estimate,
                       double std_error)
{
    const struct result *row = at(terms, i);
    assert_text(get(row, "term"), name);
    assert_near(get(row, "estimate"), estimate);
    assert_near(get(row, "std_error"), std_error);
    assert_near(get(row, "statistic"), estimate / std_error);
    assert_near(get(row, "conf_low"), estimate - 1.959963984540054 * std_error);
    assert_near(get(row, "conf_high"), estimate + 1.959963984540054 * std_error);
}

/* Estimates −7, −3, 1, 5 and 9: μ is their mean, and σ² the mean square of 32 less 17/9. */
static void five_controls(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(
        &six, CONTROLS("analysis: b, controls: [c1, c2, c3, c4, c5], term: deadTRUE") LINE("b", "22")
                  LINE("c1", "-5") LINE("c2", "-1") LINE("c3", "3") LINE("c4", "7") LINE("c5", "11") LAST);
    const struct result *terms = get(result, "terms"), *error = get(result, "systematic_error");
    static const char *const names[] = {"c1", "c2", "c3", "c4", "c5"};
    assert_int_equal(terms->n, 7);
    for (size_t i = 0; i < 5; i++)
        assert_row(terms, i, names[i], -7 + 4 * (double)i, sqrt(variance));
    assert_row(terms, 5, "b", 20, sqrt(variance));
    assert_row(terms, 6, "b, calibrated", 19, sqrt(32));
    assert_number(get(error, "controls"), 5);
    assert_near(get(error, "mean"), 1);
    assert_near(get(error, "sd"), sqrt(32 - variance));
    assert_text(get(result, "model"), "glm");
    assert_text(get(result, "family"), "gaussian");
    assert_int_equal(six.state->outcome.n, 6);
    assert_int_equal(six.state->outcome.n_missing, 0);
    six_clear(&six);
}

/* Estimates that differ by less than their errors allow: no spread of their own. */
static void no_spread(void **state)
{
    (void)state;
    struct six six;
    const struct result *result = six_result(
        &six, CONTROLS("analysis: b, controls: [c1, c2, c3, c4, c5], term: deadTRUE") LINE("b", "22")
                  LINE("c1", "1") LINE("c2", "1.5") LINE("c3", "2") LINE("c4", "2.5") LINE("c5", "3") LAST);
    assert_near(get(get(result, "systematic_error"), "mean"), 0);
    assert_number(get(get(result, "systematic_error"), "sd"), 0);
    assert_row(get(result, "terms"), 6, "b, calibrated", 20, sqrt(variance));
    six_clear(&six);
}

/* Four of five have an estimate: the fifth is a model of nobody. */
static void too_few(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        six_result(&six, CONTROLS("analysis: b, controls: [c1, c2, c3, c4, c5], term: deadTRUE")
                             LINE("b", "22") LINE("c1", "1") LINE("c2", "1.5") LINE("c3", "2")
                                 LINE("c4", "2.5") "  - { id: c5, method: glm, family: gaussian, formula: "
                                                   "\"time ~ dead\", cohort: \"age > 100\" }\n" LAST);
    const struct result *error = get(result, "systematic_error");
    assert_int_equal(get(result, "terms")->n, 5);
    assert_row(get(result, "terms"), 4, "b", 20, sqrt(variance));
    assert_number(get(error, "controls"), 4);
    assert_empty(get(error, "mean"));
    assert_empty(get(error, "sd"));
    assert_warned(&six, "the control `c5` has no estimate and is left out");
    assert_warned(&six, "nothing is calibrated by fewer than 5 of them");
    six_clear(&six);
}

static void without_the_analysis(void **state)
{
    (void)state;
    six_fails(
        CONTROLS("analysis: b, controls: [c1], term: deadTRUE") "  - { id: b, method: glm, family: gaussian, "
                                                                "formula: \"time ~ dead\", cohort: \"age > "
                                                                "100\" }\n" LINE("c1", "1") LAST,
        "expected an estimate of `deadTRUE` in `b`, found none there");
}

/* The head counts are those of the analysis's patients, and no more. */
static void whose_patients(void **state)
{
    (void)state;
    struct six six = {0};
    struct maille_error error = {0};
    assert_int_equal(six_study(&six,
                               CONTROLS("analysis: b, controls: [c1], term: ageTRUE")
                                   LINE("c1", "1") "  - { id: b, method: glm, family: binomial, formula: "
                                                   "\"dead ~ x\", cohort: \"age > 45\" }\n" LAST,
                               &error),
                     MAILLE_OK);
    struct cells *own = arena_alloc(six.arena, sizeof *own), *of = arena_alloc(six.arena, sizeof *of);
    assert_int_equal(method_cells(&six.study->analyses[0], six.arena, own, &error), MAILLE_OK);
    assert_int_equal(method_cells(&six.study->analyses[2], six.arena, of, &error), MAILLE_OK);
    assert_int_equal(own->spec.n_blocks, 2);
    for (size_t b = 0; b < own->spec.n_blocks; b++) {
        assert_int_equal(own->rules[b], of->rules[b]);
        assert_ptr_not_equal(own->spec.blocks[b].filter, NULL);
    }
    /* So rules look at them: its cohort and its variables are that one's. */
    const struct analysis *analyses = six.study->analyses;
    bool used[16] = {false}, of_it[16] = {false};
    assert_true(six.study->dictionary->n_variables <= 16);
    assert_ptr_equal(analyses[0].cohort, analyses[2].cohort);
    analysis_variables(&analyses[0], used);
    analysis_variables(&analyses[2], of_it);
    assert_memory_equal(used, of_it, sizeof used);
    /* What it is called depends on what all of them are called. */
    struct bytes names = {0}, others = {0};
    for (size_t k = 1; k < 3; k++)
        analysis_names(&others, &analyses[k]);
    analysis_names(&names, &analyses[0]);
    assert_true(names.length > others.length && others.length > 0);
    bytes_clear(&names);
    bytes_clear(&others);
    six_clear(&six);
}

static void refused(void **state)
{
    (void)state;
    six_refused(CONTROLS("analysis: b, controls: [c1], term: dead") LINE("b", "2") LINE("c1", "1") LAST,
                "expected as `term` a coefficient of `b` as R names it, such as `deadTRUE`, found `dead`");
    six_refused(CONTROLS("analysis: b, controls: [c1], term: deadTRUE") LINE(
                    "b", "2") "  - { id: c1, method: glm, family: gaussian, formula: \"time ~ age\" }\n" LAST,
                "expected as `term` a coefficient of `c1` as R names it, such as `age`, found `deadTRUE`");
    six_refused(
        CONTROLS("analysis: b, controls: [c1], term: deadTRUE")
            LINE("b", "2") "  - { id: c1, method: glm, family: binomial, formula: \"small ~ dead\" }\n" LAST,
        "expected as `controls` other analyses by the method and family of `b`, found `c1`");
    six_refused(CONTROLS("analysis: b, controls: [b], term: deadTRUE") LINE("b", "2") LAST,
                "expected as `controls` other analyses by the method and family of `b`, found `b`");
    six_refused(CONTROLS("analysis: z, controls: [b], term: deadTRUE") LINE("b", "2") LAST,
                "expected as `analysis` one by glm, cox or finegray, found `z` by count");
    six_refused(CONTROLS("analysis: b, controls: [c1], term: deadTRUE, cohort: \"age > 50\"") LINE("b", "2")
                    LINE("c1", "1") LAST,
                "expected no `cohort`: it is that of `b`");
}

/* What the language says of a key that names analyses. */
static void names_of_analyses(void **state)
{
    (void)state;
    six_refused(CONTROLS("analysis: b, controls: [c9], term: deadTRUE") LINE("b", "2") LAST,
                "expected in `controls` the id of another analysis of this study, found `c9`");
    six_refused(CONTROLS("analysis: a, controls: [b], term: deadTRUE") LINE("b", "2") LAST,
                "expected in `analysis` the id of another analysis of this study, found `a`");
    six_refused(CONTROLS("analysis: b, controls: [c1, c1], term: deadTRUE") LINE("b", "2") LINE("c1", "2")
                    LAST,
                "expected each analysis of `controls` once, found `c1` again");
    six_refused(CONTROLS("analysis: b, controls: [], term: deadTRUE") LINE("b", "2") LAST, "in `controls`");
    six_refused(CONTROLS("analysis: d, controls: [b], term: deadTRUE")
                    LINE("b", "2") "  - { id: d, method: negative_controls, analysis: b, controls: [b], "
                                   "term: deadTRUE }\n" LAST,
                "expected in `analysis` analyses that name no others, found `d`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_controls),        cmocka_unit_test(no_spread),      cmocka_unit_test(too_few),
        cmocka_unit_test(without_the_analysis), cmocka_unit_test(whose_patients), cmocka_unit_test(refused),
        cmocka_unit_test(names_of_analyses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
