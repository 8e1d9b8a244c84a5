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

static void list(const struct result *result, size_t row, const char *name, const double *expected, size_t n)
{
    assert_int_equal(result_get(result_get(result, "curves")->items[row], name)->n, n);
    for (size_t i = 0; i < n; i++)
        item(result, "curves", row, name, i, expected[i]);
}

/* Of five who come to day 2 alive or start by it two start: weights 5/3 and 5/2. No start: of six 1 dies and
 * two depart, 1 − 1/(6 − 1); of three who weigh the same 4 dies by day 4, and 5 by day 5: 8/15, 4/15. In
 * 120ths patients move log S(4) by −24, 3, 3, −34, 26, 26. Start: 4, 5 and 6 are not in it, 2 and 3 stand for
 * them, and 1, who dies without a start, weighs 1/(2 − 2/5) = 5/8: 1 − (5/8)/(45/8) = 8/9, and from day 4 on,
 * by when one of two dies, 4/9; 3 is lost on day 6. In 72nds they move log S(2) by −8, 1, 1, 2, 2, 2, and log
 * S(4) by −8, −35, 37, 2, 2, 2. */
static void without_a_covariate(void **state)
{
    (void)state;
    struct paper paper;
    const double z = 1.959963984540054;
    static const double waits[] = {-24, 3, 3, -34, 26, 26}, starts[] = {-8, -35, 37, 2, 2, 2};
    double difference = 0, ratio = 0;
    for (size_t i = 0; i < 6; i++) {
        difference += pow(starts[i] / 162 - waits[i] / 225, 2);
        ratio += pow(starts[i] / 72 - waits[i] / 120, 2);
    }
    paper_run(&paper, variables, csv,
              "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ 1\", treatment: treated, start: "
              "wait, grace: [2], times: [4, 5, 6, 20], tau: 4 }\n");
    const struct result *result = paper_result(&paper, 0);
    const struct result *const curves = result_get(result, "curves");
    assert_string_equal(result_text(curves->items[EMULATION_WAITS], "stratum"), "no start");
    paper_number(curves->items[EMULATION_WAITS], "n", 6);
    paper_number(curves->items[EMULATION_WAITS], "n_followed", 3);
    paper_number(curves->items[EMULATION_STARTS], "n_followed", 2);
    list(result, EMULATION_WAITS, "time", (double[]){2, 4, 5, 6, 20}, 5);
    list(result, EMULATION_WAITS, "estimate", (double[]){0.8, 8.0 / 15, 4.0 / 15, 4.0 / 15, 4.0 / 15}, 5);
    list(result, EMULATION_STARTS, "time", (double[]){2, 4, 5, 6}, 4); /* nobody is left on day 20 */
    list(result, EMULATION_STARTS, "estimate", (double[]){8.0 / 9, 4.0 / 9, 4.0 / 9, 4.0 / 9}, 4);
    item(result, "curves", EMULATION_WAITS, "std_error", 0, sqrt(78) / 50);
    item(result, "curves", EMULATION_WAITS, "std_error", 1, 8.0 / 15 * sqrt(3102) / 120);
    item(result, "curves", EMULATION_WAITS, "conf_low", 1, 8.0 / 15 * exp(-z * sqrt(3102) / 120));
    item(result, "curves", EMULATION_WAITS, "conf_high", 1, 1);
    item(result, "curves", EMULATION_STARTS, "std_error", 0, sqrt(78) / 81);
    item(result, "curves", EMULATION_STARTS, "std_error", 1, 4.0 / 9 * sqrt(2670) / 72);
    assert_int_equal(result_get(curves->items[EMULATION_WAITS], "n_event_at")->items[0]->kind, RESULT_NULL);
    item(result, "curves", EMULATION_WAITS, "n_event_at", 2, 1);
    paper_number(result_get(curves->items[EMULATION_WAITS], "rmst"), "estimate", 47.0 / 15);
    paper_number(result_get(curves->items[EMULATION_STARTS], "rmst"), "estimate", 29.0 / 9);
    item(result, "contrasts", 0, "difference", 0, 29.0 / 9 - 47.0 / 15);
    item(result, "contrasts", 1, "difference", 1, 4.0 / 9 - 8.0 / 15);
    item(result, "contrasts", 1, "difference_se", 1, sqrt(difference));
    item(result, "contrasts", 1, "ratio", 1, 5.0 / 6);
    item(result, "contrasts", 1, "ratio_high", 1, 5.0 / 6 * exp(z * sqrt(ratio)));
    assert_int_equal(result_get(result_get(result, "contrasts")->items[1], "time")->n, 4);
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
    item(result, "curves", EMULATION_STARTS, "estimate", 1, 3.0 / 4);
    item(result, "curves", EMULATION_STARTS, "std_error", 1, sqrt(5.0 / 128));
    item(result, "curves", EMULATION_WAITS, "estimate", 1, 5.0 / 6);
    item(result, "curves", EMULATION_WAITS, "std_error", 1, sqrt(19.0 / 864));
    item(result, "contrasts", 0, "difference", 1, -1.0 / 12);
    item(result, "contrasts", 0, "difference_se", 1, sqrt(247.0 / 3456));
    paper_close(&paper);
}

/* Who is lost on day 1 or 2 is taken as followed to day 2, and leaves there: of six who come to it two start,
 * 1 − 1/(7 − 1), then one of three dies. Who starts and is lost stays so long as well. */
static void losses_within_the_grace_period(void **state)
{
    (void)state;
    for (int day = 1; day <= 2; day++) {
        struct paper paper;
        struct arena *arena = arena_new();
        paper_run(&paper, variables,
                  arena_printf(arena, "%s7,0,1,0,0,,%d,0\n8,0,1,0,1,1,%d,0\n", csv, day, day),
                  "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ 1\", treatment: treated, "
                  "start: wait, grace: [2], times: [4] }\n");
        const struct result *result = paper_result(&paper, 0);
        /* eight, one dies, three depart; seven of whom three start: weights 7/4, 7/3, and 7/11 of who dies */
        item(result, "curves", EMULATION_WAITS, "estimate", 0, 1 - 1 / 6.5);
        item(result, "curves", EMULATION_WAITS, "estimate", 1, (1 - 1 / 6.5) * 2 / 3);
        item(result, "curves", EMULATION_STARTS, "estimate", 0, 1 - 1.0 / 12);
        item(result, "curves", EMULATION_STARTS, "estimate", 1, (1 - 1.0 / 12) / 2);
        paper_number(result_get(result, "curves")->items[EMULATION_WAITS], "n_followed", 3);
        paper_number(result_get(result, "curves")->items[EMULATION_STARTS], "n_followed", 2);
        paper_close(&paper);
        arena_free(arena);
    }
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

/* Steps of one day: of five who come to the end of day 1 or start on it one starts; of the other four, who
 * come to day 2, one. Weights 5/4, then 5/4·4/3. No start: 1 − 1/(6 − ½), then nobody dies. Start: 1 − 1/6;
 * who starts on day 1 weighs 1, and on day 2 4, for herself and the three who do not: 5/6·(1 − 1/5). */
static void weights_of_steps(void **state)
{
    (void)state;
    struct paper paper;
    paper_run(&paper, variables, csv,
              "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ 1\", treatment: treated, start: "
              "wait, grace: [1, 2], times: [4] }\n");
    const struct result *result = paper_result(&paper, 0);
    item(result, "curves", EMULATION_WAITS, "estimate", 0, 9.0 / 11);
    item(result, "curves", EMULATION_WAITS, "estimate", 1, 6.0 / 11);
    item(result, "curves", EMULATION_STARTS, "estimate", 0, 5.0 / 6);
    item(result, "curves", EMULATION_STARTS, "estimate", 1, 2.0 / 3);
    paper_close(&paper);
}

/* --- the life table --- */

static void near_to(double found, double expected, double within)
{
    if (!(fabs(found - expected) <= within))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

/* Runs of rows of events that end in rows 1, 2 and 4, of losses in 0 and 4; by differences. */
static void derivatives_by_the_sums(void **state)
{
    (void)state;
    static const double ends[] = {2, 3, 5, 6, 9, 10};
    static const size_t events[] = {1, 1, 2, 4, 4}, losses[] = {0, 4, 4, 4, 4};
    const struct emulation_life life = {2, 5, ends, events, losses};
    double sums[] = {50, 3, 2, 44, 1.5, 6, 40, 0, 4, 5, 0, 7, 2, 0, 0, 0, 9};
    enum { N = sizeof sums / sizeof *sums, POINTS = 6 };
    double survival[POINTS], up[POINTS], down[POINTS];
    assert_int_equal(emulation_life_sums(&life), N);
    emulation_life_survival(survival, &life, sums);
    assert_true(isnan(survival[1]) && isnan(survival[4]));
    near_to(survival[0], (1 - 3 / 49.0) * (1 - 1.5 / 41), 1e-14);
    /* of the second run of losses 2/7 in row 1 */
    near_to(survival[2], survival[0] * (1 - 4 / (40 - (2 + 18 / 7.0) / 2)), 1e-14);
    near_to(survival[3], survival[2] * (1 - 5 / (34 - 18 / 7.0 - 9 / 14.0)), 1e-14);
    for (size_t at = 0; at <= POINTS; at++) { /* the last is a mean */
        double gradient[N] = {0};
        const size_t last = POINTS - 1;
        if (at < POINTS && isnan(survival[at]))
            continue;
        if (at < POINTS)
            emulation_life_gradient(gradient, &life, sums, at, 1);
        else
            emulation_life_mean_gradient(gradient, &life, sums, last);
        for (size_t i = 0; i < N; i++) {
            const double here = sums[i], step = 1e-5;
            sums[i] = here + step;
            emulation_life_survival(up, &life, sums);
            sums[i] = here - step;
            emulation_life_survival(down, &life, sums);
            sums[i] = here;
            const double slope =
                at < POINTS ? up[at] - down[at]
                            : emulation_life_mean(&life, up, last) - emulation_life_mean(&life, down, last);
            /* 0 where nothing goes: inside of a run */
            near_to(gradient[i], slope / (2 * step), 1e-8);
        }
    }
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
    refused(arena_printf(paper.arena, "%s, grace: [28]", named), "the latest time");
    refused(arena_printf(paper.arena, "%s, grace: [14]", named), "after the end of the grace period");
    refused(arena_printf(paper.arena, "%s, grace: [7], tau: 13", named), "among `times`");
    refused_on("day",
               "treatment: treated, start: wait, grace: [1, 2, 3, 4, 5, 6], formula: \"Surv(time, dead) ~ v "
               "* never * dead + x * never * v + dead * x + never * x * dead\"",
               "take fewer of either");
    refused("treatment: treated, start: wait, grace: [7], formula: \"Surv(time, dead) ~ wait\"",
            "found `wait`, which `treatment` or `start` reads");
    refused("treatment: treated, start: wait, grace: [7], formula: \"Surv(time, dead) ~ x + treated\"",
            "found `treated`");
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

/* Four of the six start on day 0 or 1; two do not, and are followed to day 3 and 6. Between two times with
 * too few events S is told at the later alone; where too few are lost nobody is, before the last time. */
static void where_single_weights_would_show(void **state)
{
    (void)state;
    struct six six;
    const struct six_hidden few[] = {{emulation_cells_of(EMULATION_WAITS, EMULATION_CELLS_EVENTS), 0, 1},
                                     {emulation_cells_of(EMULATION_WAITS, EMULATION_CELLS_LOST), 0, 1},
                                     {emulation_cells_of(EMULATION_WAITS, EMULATION_CELLS_LOSSES), 0, 1}};
    const struct result *curves = get(six_result(&six, behind), "curves");
    assert_int_equal(get(at(curves, EMULATION_WAITS), "time")->n, 3);
    assert_number(at(get(at(curves, EMULATION_WAITS), "estimate"), 1), 0.5);
    assert_number(at(get(at(curves, EMULATION_WAITS), "estimate"), 2), 0.5);
    six_clear(&six);
    six_run_behind(&six, behind, few, 3);
    assert_int_equal(six.state->status, ANALYSIS_OK);
    assert_true(six.state->outcome.grid_merged);
    curves = get(six.state->outcome.result, "curves");
    assert_int_equal(get(at(curves, EMULATION_WAITS), "time")->n, 2);
    assert_number(at(get(at(curves, EMULATION_WAITS), "time"), 1), 6);
    assert_number(at(get(at(curves, EMULATION_WAITS), "estimate"), 1), 0.5);
    assert_int_equal(get(at(curves, EMULATION_STARTS), "time")->n, 3);
    assert_int_equal(get(at(get(six.state->outcome.result, "contrasts"), 1), "time")->n, 2);
    assert_warned(&six, "S of no start at time 3 is withheld");
    assert_warned(&six, "how many of no start are lost to follow-up is withheld");
    assert_int_equal(six.state->outcome.suppressed, 2);
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
    assert_int_equal(shares->n_shares, 4); /* each arm: in its last step, behind it */
    struct emulation trial;
    paper_must(emulation_of(&trial, analysis, paper.arena, &error), &error);
    theta.v[0] = EMULATION_SLOPES;
    vector_push(&theta, 6);
    for (size_t a = 0; a < EMULATION_ARMS; a++) {
        const struct emulation_life life = emulation_life_of(&trial, NULL, a, paper.arena);
        vector_grow(&theta, emulation_life_sums(&life));
    }
    spec = arena_alloc(paper.arena, sizeof *spec);
    paper_must(method->plan(analysis, &theta, NULL, paper.arena, spec, &error), &error);
    assert_true(spec->fitted);
    vector_clear(&theta);
    paper_close(&paper);
}

/* --- what a result must not tell --- */

/* Is it judged, patients or events, and refused where it holds few? */
static int64_t judged(const struct cells *cells, const struct tally_extent *extents, const uint8_t *words,
                      size_t block, enum cell_rule rule, size_t n, size_t cell)
{
    assert_int_equal(cells->rules[block], rule);
    assert_int_equal(extents[block].count, n);
    return (int64_t)tally_count(words, &extents[block], cell);
}

/* All that the sums of a life table are of has a head count of its own. */
static void what_must_hold_enough(void **state)
{
    (void)state;
    struct paper paper;
    struct maille_error error = {0};
    struct tally tally = {0};
    size_t bytes;
    paper_open(
        &paper, variables, csv,
        "  - { id: m, method: emulation, formula: \"Surv(time, dead) ~ v\", treatment: treated, start: "
        "wait, grace: [1, 4], times: [6, 20] }\n");
    struct cells *cells = arena_alloc(paper.arena, sizeof *cells);
    struct tally_extent *extents = arena_array(paper.arena, TALLY_BLOCKS_MAX, sizeof *extents);
    paper_must(method_find("emulation")->cells(&paper.study->analyses[0], paper.arena, cells, &error),
               &error);
    paper_must(tally_layout(extents, &bytes, &cells->spec, &error), &error);
    paper_must(tally_run(&tally, &cells->spec, paper.table, NULL, &error), &error);
    const uint8_t *words = tally.words.data;
#define HELD(block, rule, n, cell) judged(cells, extents, words, block, rule, n, cell)
    assert_int_equal(HELD(EMULATION_CELLS_DIED, CELL_EVENTS, 2, 0), 1);  /* 1 */
    assert_int_equal(HELD(EMULATION_CELLS_DIED, CELL_EVENTS, 2, 1), 1);  /* 4 */
    assert_int_equal(HELD(EMULATION_CELLS_AFTER, CELL_EVENTS, 2, 0), 1); /* 2 on day 4 */
    assert_int_equal(HELD(EMULATION_CELLS_AFTER, CELL_EVENTS, 2, 1), 0);
    assert_int_equal(HELD(EMULATION_CELLS_STARTS, CELL_PATIENTS, 1, 0), 1);     /* 2 */
    assert_int_equal(HELD(EMULATION_CELLS_STARTS + 1, CELL_PATIENTS, 1, 0), 1); /* 3 */
    const size_t waits = emulation_cells_of(EMULATION_WAITS, EMULATION_CELLS_BEYOND),
                 starts = emulation_cells_of(EMULATION_STARTS, EMULATION_CELLS_BEYOND);
    assert_int_equal(HELD(waits, CELL_PATIENTS, 1, 0), 2); /* 5 and 6 */
    assert_int_equal(HELD(starts, CELL_PATIENTS, 1, 0), 1);
    assert_int_equal(HELD(waits + EMULATION_CELLS_EVENTS, CELL_MERGE, 2, 0), 1); /* 5 */
    assert_int_equal(HELD(waits + EMULATION_CELLS_LOST, CELL_MISSING, 1, 0), 1);
    assert_int_equal(HELD(waits + EMULATION_CELLS_LOSSES, CELL_MERGE, 2, 1), 1);
    assert_int_equal(HELD(starts + EMULATION_CELLS_LOSSES, CELL_MERGE, 2, 0), 1); /* 3 on day 6 */
    /* the model of the second step has rows of its own: who came to it without a start, but for who died */
    const size_t model = EMULATION_CELLS_STARTS + 2;
    assert_int_equal(HELD(model, CELL_PATIENTS, 1, 0), 5);
    size_t second = model + 1;
    while (cells->spec.blocks[second].group != NULL || cells->rules[second] != CELL_PATIENTS)
        second++;
    assert_int_equal(HELD(second, CELL_PATIENTS, 1, 0), 3);
    for (size_t b = 1; b < cells->spec.n_blocks; b++)
        assert_int_not_equal(cells->rules[b], CELL_COHORT);
    /* S at three times, of two arms, its errors and that of the difference; two columns of two models */
    assert_int_equal(cells->n_shown, 2 * 2 * 2 + 5 * 3);
#undef HELD
    tally_clear(&tally);
    paper_close(&paper);
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
                                       cmocka_unit_test(losses_within_the_grace_period),
                                       cmocka_unit_test(derivatives_by_the_sums),
                                       cmocka_unit_test(one_patients_share_of_the_weights),
                                       cmocka_unit_test(where_single_weights_would_show),
                                       cmocka_unit_test(what_weights_are_judged_by),
                                       cmocka_unit_test(what_must_hold_enough)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
