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

/* Of five who start by day 2 or are followed beyond it two start: weights 5/3 and 5/2. No start: 1 dies on
 * day 1 of six, 5/6; 4 on day 3 of three who weigh the same, 5/9; in thirtieths patients move log S by −5, 1,
 * 1, −9, 6, 6: ⅕. Start: 4, 5 and 6 are not in it, 2 and 3 stand for them, and 1, who leaves without a start,
 * weighs 1/(2 − 2/5) = 5/8: 1 − (5/8)/(45/8) = 8/9, and from day 4 on, when one of two dies, 4/9. */
static void without_a_covariate(void **state)
{
    (void)state;
    struct paper paper;
    const double z = 1.959963984540054;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ 1\", treatment: treated, start: "
              "wait, grace: [2], times: [2, 4, 5], tau: 4 }\n");
    const struct result *result = paper_result(&paper, 0),
                        *waits = result_get(result, "curves")->items[EMULATION_WAITS],
                        *starts = result_get(result, "curves")->items[EMULATION_STARTS];
    assert_string_equal(result_text(waits, "stratum"), "no start");
    paper_number(waits, "n", 6);
    paper_number(waits, "n_event_later", 2);
    paper_number(waits, "n_departed", 2);
    paper_number(starts, "n_event_later", 1);
    paper_number(starts, "n_departed", 3);
    item(result, "risk_sets", EMULATION_WAITS, "time", 0, 2);
    item(result, "risk_sets", EMULATION_WAITS, "n_risk", 0, 6);
    item(result, "risk_sets", EMULATION_WAITS, "n_depart", 0, 2);
    item(result, "risk_sets", EMULATION_WAITS, "n_risk", 1, 3);
    item(result, "risk_sets", EMULATION_STARTS, "n_depart", 0, 3);
    item(result, "risk_sets", EMULATION_STARTS, "n_risk", 1, 2);
    item(result, "curves", EMULATION_STARTS, "time", 0, 2);
    item(result, "curves", EMULATION_STARTS, "estimate", 0, 8.0 / 9);
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        item(result, "weights", a, "time", 0, 2);
        item(result, "weights", a, "weight", 0, 5);
    }
    item(result, "at_times", EMULATION_WAITS, "estimate", 0, 5.0 / 6);
    item(result, "at_times", EMULATION_WAITS, "std_error", 0, sqrt(5.0 / 216));
    item(result, "at_times", EMULATION_WAITS, "n_risk", 0, 3);
    item(result, "at_times", EMULATION_WAITS, "estimate", 1, 5.0 / 9);
    item(result, "at_times", EMULATION_WAITS, "std_error", 1, 5.0 / 9 * sqrt(1.0 / 5));
    item(result, "at_times", EMULATION_WAITS, "conf_low", 1, 5.0 / 9 * exp(-z * sqrt(1.0 / 5)));
    item(result, "at_times", EMULATION_WAITS, "conf_high", 1, 1);
    item(result, "at_times", EMULATION_WAITS, "estimate", 2, 5.0 / 18);
    item(result, "at_times", EMULATION_STARTS, "estimate", 0, 8.0 / 9);
    item(result, "at_times", EMULATION_STARTS, "std_error", 0, sqrt(26.0 / 2187));
    item(result, "at_times", EMULATION_STARTS, "estimate", 1, 4.0 / 9);
    item(result, "at_times", EMULATION_STARTS, "std_error", 1, sqrt(445.0 / 4374));
    paper_number(result_get(waits, "rmst"), "estimate", 29.0 / 9);
    paper_number(result_get(starts, "rmst"), "estimate", 11.0 / 3);
    item(result, "contrasts", 0, "difference", 0, 4.0 / 9);
    item(result, "contrasts", 1, "difference", 1, -1.0 / 9);
    item(result, "contrasts", 1, "difference_se", 1, sqrt(667.0 / 4374));
    item(result, "contrasts", 1, "ratio", 1, 0.8);
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

/* Under `missing: study` a row that has no time of a start, since there is none, is in all models; one that
 * started and has no time of it is in none. */
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
    assert_int_equal(paper.run.states[1].outcome.n, 8);
    paper_close(&paper);
}

/* Steps of one day: of five who start on day 1 or come to its end one starts; of the other four, who come to
 * the end of day 2, one. Weights 5/4, then 5/4·4/3. Start: who starts on day 1 weighs 1, and on day 2 4, for
 * herself and the three who do not: S = 5/6·(1 − 1/5). */
static void weights_of_steps(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ 1\", treatment: treated, start: "
              "wait, grace: [1, 2], times: [4] }\n");
    const struct result *result = paper_result(&paper, 0);
    item(result, "weights", EMULATION_WAITS, "n", 0, 3);
    item(result, "weights", EMULATION_WAITS, "weight", 0, 5);
    item(result, "weights", EMULATION_STARTS, "n", 0, 2);
    item(result, "weights", EMULATION_STARTS, "weight", 0, 5);
    item(result, "at_times", EMULATION_WAITS, "estimate", 0, 5.0 / 9);
    item(result, "at_times", EMULATION_STARTS, "estimate", 0, 2.0 / 3);
    item(result, "at_times", EMULATION_STARTS, "std_error", 0, sqrt(1.0 / 27));
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

static void refused_on(const char *grid, const char *keys, const char *part)
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
                     "expires: 2099-12-31\nsites: all\ngrid: %s\nmissing: analysis\nanalyses:\n"
                     "  - { id: m, method: emulation, times: [14], %s }\n",
                     grid, keys);
    paper_must(study_parse(&study, paper.arena, paper.study->dictionary, methods, n, "s", text, strlen(text),
                           &error),
               &error);
    assert_int_equal(method_find("emulation")->check(&study->analyses[0], &error), MAILLE_INVALID);
    if (strstr(error.sentence, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.sentence, part);
    paper_close(&paper);
}

static void refused(const char *keys, const char *part)
{
    refused_on("week", keys, part);
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
    refused_on("day",
               "treatment: treated, start: wait, grace: [1, 2, 3, 4, 5, 6], formula: \"Surv(time, dead) ~ v "
               "* never * "
               "dead + v * treated * never + treated * dead\"",
               "take fewer of either");
    refused(arena_printf(paper.arena, "%s, grace: [14], tau: 13", named),
            "at the end of the grace period or");
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
    assert_warned(&six, "tau (6) is later than the end of the curve of no start");
    six_clear(&six);
    /* within the grace period nothing can be weighed */
    const struct six_hidden early = {EMULATION_CELLS_RISK + EMULATION_WAITS, 3, 8};
    six_run_behind(&six, behind, &early, 1);
    assert_int_equal(six.state->status, ANALYSIS_REFUSED);
    assert_string_equal(six.state->rule, "min_cell");
    six_clear(&six);
}

/* Between two times with too few events S is told at the later alone. */
static void where_single_weights_would_show(void **state)
{
    (void)state;
    struct six six;
    const struct six_hidden few = {EMULATION_CELLS_ROWS, EMULATION_WAITS * 2, 1};
    six_run_behind(&six, behind, &few, 1);
    assert_int_equal(six.state->status, ANALYSIS_OK);
    const struct result *result = six.state->outcome.result, *times = get(result, "at_times"),
                        *curves = get(result, "curves");
    assert_empty(at(get(at(times, EMULATION_WAITS), "estimate"), 0));
    assert_empty(at(get(at(times, EMULATION_WAITS), "std_error"), 0));
    assert_number(at(get(at(times, EMULATION_WAITS), "estimate"), 1), 0.5);
    assert_int_equal(get(at(curves, EMULATION_WAITS), "time")->n, 2);
    assert_int_equal(get(at(curves, EMULATION_STARTS), "time")->n, 3);
    assert_empty(at(get(at(get(result, "contrasts"), 1), "difference"), 0));
    assert_warned(&six, "S of no start at time 3 is withheld");
    assert_warned(&six, "time 6 is later than the last follow-up of stratum start");
    six_clear(&six);
}

/* What a round of weights is judged by: min_ess_share in it alone; shares wherever weights change. */
static void what_weights_are_judged_by(void **state)
{
    (void)state;
    struct paper paper;
    struct maille_error error = {0};
    struct tally_spec *spec;
    struct vector theta = {0};
    paper_open(
        &paper, variables, csv,
        "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ 1\", treatment: treated, start: "
        "wait, grace: [1, 2], times: [4] }\n");
    const struct analysis *analysis = &paper.study->analyses[0];
    const struct method *method = method_find("emulation");
    const struct cells *shares = NULL;
    vector_push(&theta, EMULATION_WEIGH);
    vector_push(&theta, -1);
    vector_push(&theta, -1);
    spec = arena_alloc(paper.arena, sizeof *spec);
    paper_must(method->plan(analysis, &theta, NULL, paper.arena, spec, &error), &error);
    assert_false(spec->fitted);
    paper_must(method->shares(&shares, analysis, &theta, paper.arena, &error), &error);
    assert_int_equal(shares->n_shares, 3);
    struct emulation trial;
    paper_must(emulation_of(&trial, analysis, paper.arena, &error), &error);
    theta.v[0] = EMULATION_ERRORS;
    vector_push(&theta, 6);
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        vector_push(&theta, (double)trial.n_bins);
        vector_grow(&theta, 2 * trial.n_bins);
    }
    spec = arena_alloc(paper.arena, sizeof *spec);
    paper_must(method->plan(analysis, &theta, NULL, paper.arena, spec, &error), &error);
    assert_true(spec->fitted);
    vector_clear(&theta);
    paper_close(&paper);
}

/* --- what a result must not tell --- */

/* A register of 60, of whom one starts early, and dies soon. */
static const char *register_of(struct arena *arena, int start, int death)
{
    const char *text =
        arena_printf(arena, "pid,v,x,never,treated,wait,time,dead\n1,0,1,0,1,%d,%d,1\n", start, death);
    for (int i = 2; i <= 60; i++) {
        const bool starts = i % 3 == 0, early = i % 5 == 0 && !starts;
        text = arena_printf(arena, "%s%d,%d,%d,0,%d,%d,%d,%d\n", text, i, i % 2, i % 10, starts,
                            1 + i * 7 % 60, early ? 5 + i % 50 : 61 + i * 37 % 300, i % 4 != 0);
    }
    return text;
}

/* The result without S, its errors and what follows from them: all head counts. */
static const char *heads_of(struct arena *arena, const char *csv_text, int64_t *few)
{
    struct paper paper;
    struct maille_error error = {0};
    const char *text = "", *lists[] = {"time", "n_risk", "n_event_at", "n_censor", "n_depart", "n"};
    paper_run(&paper,
              "  - { name: v, type: boolean }\n  - { name: x, type: integer, min: 0, max: 9 }\n"
              "  - { name: never, type: boolean }\n  - { name: treated, type: boolean }\n"
              "  - { name: wait, type: duration, units: days, min: 0, max: 400 }\n"
              "  - { name: time, type: duration, units: days, min: 0, max: 400 }\n"
              "  - { name: dead, type: boolean }\n",
              csv_text,
              "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ v\", treatment: treated, start: "
              "wait, grace: [30, 60], times: [60, 200, 365], tau: 365 }\n");
    const struct result *result = paper_result(&paper, 0);
    static const char *const parts[] = {"risk_sets", "weights", "at_times", "curves"};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
        for (size_t a = 0; a < EMULATION_ARMS; a++) {
            const struct result *row = result_get(result, parts[p])->items[a];
            for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
                const struct result *list = result_get(row, lists[l]);
                for (size_t i = 0; list != NULL && list->kind == RESULT_LIST && i < list->n; i++) {
                    const struct result *one = list->items[i];
                    if (l == 0)
                        assert_true(number(one) >= 60);
                    if (one->kind != RESULT_NULL)
                        text = arena_printf(arena, "%s %g", text, number(one));
                }
                text = arena_printf(arena, "%s;", text);
            }
        }
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        const struct result *row = result_get(result, "curves")->items[a];
        text = arena_printf(arena, "%s %g %g", text, number(result_get(row, "n_event_later")),
                            number(result_get(row, "n_departed")));
        assert_empty(at(get(at(get(result, "risk_sets"), a), "n_event_at"), 0));
        assert_empty(at(get(at(get(result, "risk_sets"), a), "n_censor"), 0));
    }
    /* the fates, which are judged */
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    struct tally tally = {0};
    struct tally_extent *extents = arena_array(arena, TALLY_BLOCKS_MAX, sizeof *extents);
    size_t bytes;
    paper_must(method_find("emulation")->cells(&paper.study->analyses[0], arena, cells, &error), &error);
    assert_int_equal(cells->rules[EMULATION_CELLS_FATES], CELL_PATIENTS);
    assert_int_equal(cells->rules[EMULATION_CELLS_EVENTS], CELL_EVENTS);
    assert_int_equal(cells->rules[EMULATION_CELLS_ROWS], CELL_MERGE);
    assert_true(cells->both && cells->events_alone[EMULATION_CELLS_EVENTS]);
    paper_must(tally_layout(extents, &bytes, &cells->spec, &error), &error);
    paper_must(tally_run(&tally, &cells->spec, paper.table, NULL, &error), &error);
    for (size_t i = 0; i < 4; i++)
        few[i] = (int64_t)tally_count(tally.words.data, &extents[EMULATION_CELLS_FATES], i);
    tally_clear(&tally);
    paper_close(&paper);
    return text;
}

/* One who starts on day 3 and dies on day 40 is alone in a fate, which refuses the analysis under min_cell;
 * and no head of the result tells when she started or died, as the heads of two arms by day would. */
static void one_who_starts_and_dies(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    int64_t fates[4];
    const char *one = heads_of(arena, register_of(arena, 3, 40), fates);
    assert_int_equal(fates[1], 1);
    assert_int_equal(fates[0] + fates[1] + fates[2] + fates[3], 60);
    assert_true(fates[0] > 1 && fates[2] > 1 && fates[3] > 1);
    const char *other = heads_of(arena, register_of(arena, 21, 55), fates);
    assert_string_equal(one, other);
    arena_free(arena);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_a_covariate),
                                       cmocka_unit_test(with_a_covariate),
                                       cmocka_unit_test(weights_of_steps),
                                       cmocka_unit_test(rows_that_never_start_are_complete),
                                       cmocka_unit_test(what_ends_it),
                                       cmocka_unit_test(what_is_refused),
                                       cmocka_unit_test(where_curves_end),
                                       cmocka_unit_test(one_patients_share_of_the_weights),
                                       cmocka_unit_test(where_single_weights_would_show),
                                       cmocka_unit_test(what_weights_are_judged_by),
                                       cmocka_unit_test(one_who_starts_and_dies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
