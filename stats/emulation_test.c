/* Two strategies of a few patients worked on paper: without a covariate, where all weights of an arm are
 * alike, and with one that decides who starts; and what is refused. */
#include "stats/paper.h"

#include "stats/emulation.h"
#include "stats/six_patients.h"

static const char variables[] = "  - { name: v, type: boolean }\n"
                                "  - { name: x, type: integer, min: 0, max: 9 }\n"
                                "  - { name: never, type: boolean }\n"
                                "  - { name: treated, type: boolean }\n"
                                "  - { name: wait, type: duration, units: days, min: 0, max: 20 }\n"
                                "  - { name: time, type: duration, units: days, min: 0, max: 20 }\n"
                                "  - { name: dead, type: boolean }\n";

static const char csv[] = "pid,v,x,never,treated,wait,time,dead\n"
                          "1,0,1,0,0,,1,1\n"
                          "2,0,2,0,1,1,4,1\n"
                          "3,1,3,0,1,2,6,0\n"
                          "4,1,4,1,0,,3,1\n"
                          "5,1,5,1,0,,5,1\n"
                          "6,0,6,0,1,7,8,0\n"; /* who starts after the grace period has not started in it */

/* List `name` of row `row` of a list of the result, item i. */
static void item(const struct result *result, const char *list, size_t row, const char *name, size_t i,
                 double expected)
{
    const struct result *rows = result_get(result, list);
    assert_non_null(rows);
    assert_true(row < rows->n);
    const struct result *items = result_get(rows->items[row], name);
    assert_non_null(items);
    assert_true(i < items->n);
    paper_near(items->items[i], expected);
}

/* Of five who are followed beyond day 2 two have started: weights 5/3 and 5/2, the same in everybody of an
 * arm, so S is that of the clones as they are, and so is its error. Patient 1 dies on day 1, in both arms:
 * 5/6. No start: 4 dies on day 3 of three, 5/9; in thirtieths patients move log S by −5, 1, 1, −9, 6, 6: ⅕.
 * Start: 2 dies on day 4 of two, 5/12; −5, −14, 16, 1, 1, 1: 8/15. The difference moves by 25, −230, 220,
 * 195, −105, −105 in 1080ths: 5/36. */
static void without_a_covariate(void **state)
{
    (void)state;
    struct paper paper;
    const double z = 1.959963984540054;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ 1\", treatment: treated, start: "
              "wait, grace: [2], times: [0, 4, 5], tau: 4 }\n");
    const struct result *result = paper_result(&paper, 0),
                        *waits = result_get(result, "curves")->items[EMULATION_WAITS],
                        *starts = result_get(result, "curves")->items[EMULATION_STARTS];
    assert_string_equal(result_text(waits, "stratum"), "no start");
    paper_number(waits, "n", 6);
    paper_number(waits, "n_event", 3);
    paper_number(waits, "n_departed", 2);
    paper_number(starts, "n_event", 2);
    paper_number(starts, "n_departed", 3);
    item(result, "curves", EMULATION_STARTS, "time", 1, 2);
    item(result, "curves", EMULATION_STARTS, "n_depart", 1, 3);
    item(result, "curves", EMULATION_STARTS, "n_risk", 2, 2);
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        item(result, "weights", a, "weight", 0, 5);
        item(result, "at_times", a, "estimate", 0, 1);
        item(result, "at_times", a, "std_error", 0, 0);
    }
    item(result, "at_times", EMULATION_WAITS, "estimate", 1, 5.0 / 9);
    item(result, "at_times", EMULATION_WAITS, "std_error", 1, 5.0 / 9 * sqrt(1.0 / 5));
    item(result, "at_times", EMULATION_WAITS, "conf_low", 1, 5.0 / 9 * exp(-z * sqrt(1.0 / 5)));
    item(result, "at_times", EMULATION_WAITS, "conf_high", 1, 1);
    item(result, "at_times", EMULATION_WAITS, "estimate", 2, 5.0 / 18);
    item(result, "at_times", EMULATION_STARTS, "estimate", 1, 5.0 / 12);
    item(result, "at_times", EMULATION_STARTS, "std_error", 1, 5.0 / 12 * sqrt(8.0 / 15));
    paper_number(result_get(waits, "rmst"), "estimate", 29.0 / 9);
    paper_number(result_get(starts, "rmst"), "estimate", 3.5);
    item(result, "contrasts", 0, "difference", 0, 5.0 / 18);
    item(result, "contrasts", 1, "difference", 1, -5.0 / 36);
    item(result, "contrasts", 1, "difference_se", 1, sqrt(5.0 / 36));
    item(result, "contrasts", 1, "ratio", 1, 0.75);
    assert_int_equal(paper.run.states[0].outcome.n_event, 4);
    paper_close(&paper);
}

static const char eight[] =
    "pid,v,x,never,treated,wait,time,dead\n"
    "1,1,1,0,1,1,9,0\n2,1,1,0,1,2,4,1\n3,1,1,0,0,,9,0\n4,1,1,0,0,,9,0\n"
    "5,0,1,0,1,2,9,0\n6,0,1,0,0,,5,1\n7,0,1,0,0,,9,0\n8,0,1,0,0,,9,0\n9,0,1,0,1,,9,0\n";

/* Two of four with v start, and one of four without: weights 2 and 4, or 2 and 4/3, so half of each arm has
 * v. Start: one of two with v dies, S = 1 − 2/8; in quarters of an eighth patients move it by 3, −5, −1, −1,
 * 1, 1, 1, 1: 5/128. No start: one of three without v dies, 1 − (4/3)/8; in 144ths by 3 (four times), −3,
 * −19, 5, 5: 19/864. The difference in 288ths: 21, −51, −15, −15, 15, 47, −1, −1. With weights that were
 * known the errors would be others. Who misses the time of a start is left out. */
static void with_a_covariate(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, eight,
              "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ v\", treatment: treated, start: "
              "wait, grace: [2], times: [6] }\n");
    const struct result *result = paper_result(&paper, 0);
    assert_int_equal(paper.run.states[0].outcome.n, 8);
    assert_int_equal(paper.run.states[0].outcome.n_missing, 1);
    item(result, "weights", EMULATION_STARTS, "weight", 0, 8);
    item(result, "at_times", EMULATION_STARTS, "estimate", 0, 3.0 / 4);
    item(result, "at_times", EMULATION_STARTS, "std_error", 0, sqrt(5.0 / 128));
    item(result, "at_times", EMULATION_WAITS, "estimate", 0, 5.0 / 6);
    item(result, "at_times", EMULATION_WAITS, "std_error", 0, sqrt(19.0 / 864));
    item(result, "contrasts", 0, "difference", 0, -1.0 / 12);
    item(result, "contrasts", 0, "difference_se", 0, sqrt(247.0 / 3456));
    paper_close(&paper);
}

/* Under `missing: study` a row that has no time of a start, since there is none, is in all models. */
static void rows_that_never_start_are_complete(void **state)
{
    (void)state;
    struct paper paper;
    paper_open_under(&paper, "grid: day\nmissing: study\n", variables, eight,
                     "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ v\", treatment: treated, "
                     "start: wait, grace: [2], times: [6] }\n"
                     "  - { id: g, method: glm, family: binomial, formula: \"dead ~ v\" }\n");
    while (study_run_open(&paper.run))
        paper_round(&paper);
    assert_int_equal(paper.run.states[0].outcome.n, 8);
    assert_int_equal(paper.run.states[1].outcome.n, 9);
    paper_close(&paper);
}

/* Steps of one day: of five who start on day 1 or come to its end one starts; of the other four, who come to
 * the end of day 2, one. Weights 5/4, then 5/4·4/3. */
static void weights_of_steps(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ 1\", treatment: treated, start: "
              "wait, grace: [1, 2], times: [4] }\n");
    const struct result *result = paper_result(&paper, 0);
    item(result, "weights", EMULATION_WAITS, "n", 0, 4);
    item(result, "weights", EMULATION_WAITS, "weight", 0, 5);
    item(result, "weights", EMULATION_WAITS, "weight", 1, 5);
    item(result, "at_times", EMULATION_WAITS, "estimate", 0, 5.0 / 9);
    paper_close(&paper);
}

/* Everybody who never starts has it: nobody with it can stand for them. */
static void what_ends_it(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(
        &paper, variables, csv,
        "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ never\", treatment: treated, start: "
        "wait, grace: [2], times: [4] }\n");
    paper_failed(&paper, 0,
                 "the model of who starts by 2: expected patients with and without a start in every "
                 "level");
    paper_close(&paper);
}

static void refused(const char *keys, const char *part)
{
    struct paper paper;
    struct maille_error error = {0};
    const char *text = "  - { id: m, method: count }\n";
    paper_open(&paper, variables, csv, text);
    size_t n;
    const struct query_method *methods = methods_declared(&n);
    const struct study *study = NULL;
    text =
        arena_printf(paper.arena,
                     "study: paper\ndictionary: paper@1\ntitle: t\npurpose: p\nlegal_basis: l\nprotocol: r\n"
                     "expires: 2099-12-31\nsites: all\ngrid: week\nmissing: analysis\nanalyses:\n"
                     "  - { id: m, method: emulation, times: [4], %s }\n",
                     keys);
    paper_must(study_parse(&study, paper.arena, paper.study->dictionary, methods, n, "s", text, strlen(text),
                           &error),
               &error);
    assert_int_equal(method_find("emulation")->check(&study->analyses[0], &error), MAILLE_INVALID);
    if (strstr(error.sentence, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.sentence, part);
    paper_close(&paper);
}

static void what_is_refused(void **state)
{
    (void)state;
    static const char named[] = "treatment: treated, start: wait, formula: \"Surv(time, dead) ~ x\"";
    struct paper paper;
    paper_open(&paper, variables, csv, "  - { id: m, method: count }\n");
    refused(arena_printf(paper.arena, "%s, grace: [10]", named), "the nearest is 7");
    refused(arena_printf(paper.arena, "%s, grace: [14, 7]", named), "ascending");
    refused(arena_printf(paper.arena, "%s, grace: [21]", named), "ends before the latest time");
    refused("treatment: x, start: wait, grace: [7], formula: \"Surv(time, dead) ~ x\"",
            "a boolean as `treatment`");
    refused("treatment: treated, start: wait, grace: [7], formula: \"Surv(wait, time, dead) ~ x\"",
            "begin at time 0");
    refused("treatment: treated, start: wait, grace: [7], formula: \"Surv(time, dead) ~ x + strata(v)\"",
            "covariates alone");
    refused("treatment: treated, start: x, grace: [7], formula: \"Surv(time, dead) ~ x\"",
            "in the same units");
    refused("treatment: treated, start: wait, grace: [7], formula: \"dead ~ x\"", "Surv(time, event)");
    paper_close(&paper);
}

static const char behind[] = "method: emulation, formula: \"Surv(time, dead) ~ 1\", treatment: young, start: "
                             "start, grace: [2], times: [3, 6], tau: 6";

/* Four of the six start on day 0 or 1; two do not, and are followed to day 3 and 6. */
static void where_curves_end(void **state)
{
    (void)state;
    struct six six;
    const struct result *times = get(six_result(&six, behind), "at_times");
    assert_number(at(get(at(times, EMULATION_WAITS), "estimate"), 0), 0.5);
    six_clear(&six);
    /* too few are at risk from day 5 on: exits are shown before day 4 */
    const struct six_hidden late = {EMULATION_CELLS_RISK + EMULATION_WAITS, 5, 6};
    six_run_behind(&six, behind, &late, 1);
    assert_int_equal(six.state->status, ANALYSIS_OK);
    times = get(six.state->outcome.result, "at_times");
    assert_number(at(get(at(times, EMULATION_WAITS), "estimate"), 0), 0.5);
    assert_empty(at(get(at(times, EMULATION_WAITS), "estimate"), 1));
    assert_empty(at(get(at(times, EMULATION_WAITS), "std_error"), 1));
    assert_empty(get(get(at(get(six.state->outcome.result, "curves"), EMULATION_WAITS), "rmst"), "estimate"));
    const struct result *contrasts = get(six.state->outcome.result, "contrasts");
    assert_empty(at(get(at(contrasts, 1), "difference"), 1));
    assert_empty(at(get(at(contrasts, 1), "difference_se"), 1));
    assert_warned(&six, "the curve of no start ends before time 4");
    assert_warned(&six, "time 6 is later than the end of the curve of no start");
    six_clear(&six);
    /* within the grace period nothing can be weighed */
    const struct six_hidden early = {EMULATION_CELLS_RISK + EMULATION_WAITS, 3, 8};
    six_run_behind(&six, behind, &early, 1);
    assert_int_equal(six.state->status, ANALYSIS_REFUSED);
    assert_string_equal(six.state->rule, "min_cell");
    six_clear(&six);
}

/* Each of the two who do not start has half of their weights. */
static void one_patients_share_of_the_weights(void **state)
{
    (void)state;
    struct six six;
    const struct six_hidden none = {0, 0, 0};
    six_run_judged(&six, behind, &none, 1, 0, 0.4);
    assert_int_equal(six.state->status, ANALYSIS_REFUSED);
    assert_string_equal(six.state->rule, "max_patient_share");
    six_clear(&six);
    six_run_judged(&six, behind, &none, 1, 0, 0.6);
    assert_int_equal(six.state->status, ANALYSIS_OK);
    six_clear(&six);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_covariate), cmocka_unit_test(with_a_covariate),
        cmocka_unit_test(weights_of_steps),    cmocka_unit_test(rows_that_never_start_are_complete),
        cmocka_unit_test(what_ends_it),        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(where_curves_end),    cmocka_unit_test(one_patients_share_of_the_weights)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
