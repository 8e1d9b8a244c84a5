#include "disclosure/testing.h"

#include <time.h>

#include "disclosure/bins.h"

static const char dictionary_text[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                      "  - { name: arm, type: category, levels: [a, b, c] }\n"
                                      "  - { name: sex, type: category, levels: [m, w] }\n"
                                      "  - { name: age, type: integer, min: 0, max: 99 }\n"
                                      "  - { name: time, type: duration, units: days, min: 0, max: 3000 }\n"
                                      "  - { name: death, type: boolean }\n";

/* Every key that needs pooled numbers is off. */
#define LAX                                                                                                  \
    "policy: standard\nmin_patients: 1\nmin_cell: 1\nmin_events: 1\nmin_contributors: 1\nmax_site_share: "   \
    "1\nmax_parameter_share: 1\n"                                                                            \
    "min_tail: 1\ndifferencing: off\n"

/* A registry that is written patient by patient. */
struct made {
    struct bytes csv;
    size_t site_of[4096], n;
};

static void patients(struct made *made, size_t n, size_t site, const char *arm, const char *sex, int age,
                     int time, bool death)
{
    char line[128];
    for (size_t i = 0; i < n; i++) {
        made->site_of[made->n] = site;
        int length =
            snprintf(line, sizeof line, "%zu,%s,%s,%d,%d,%d\n", made->n++, arm, sex, age, time, death);
        bytes_put(&made->csv, line, (size_t)length);
    }
}

static void made_begin(struct made *made)
{
    *made = (struct made){0};
    bytes_put(&made->csv, "id,arm,sex,age,time,death\n", 26);
}

static void made_end(struct roster *roster, struct made *made, size_t n_sites)
{
    roster_init(roster, dictionary_text, (const char *)made->csv.data, made->csv.length, made->site_of,
                n_sites);
    bytes_clear(&made->csv);
}

/* Twelve patients of each arm at each of n_sites sites, half of them women, with ages and times of all kinds;
 * every third died. */
static void ordinary(struct made *made, size_t n_sites)
{
    made_begin(made);
    for (size_t s = 0; s < n_sites; s++)
        for (size_t i = 0; i < 36; i++)
            patients(made, 1, s, (const char *[]){"a", "b", "c"}[i % 3], i % 6 < 3 ? "m" : "w",
                     (int)(20 + 2 * i), (int)(100 + 50 * i), i % 9 < 3);
}

/* The rule of the first analysis under a policy; "" where it goes on. */
static const char *rule_of(const struct roster *roster, const char *policy, const char *analyses)
{
    static char rule[MAILLE_RULE_MAX];
    struct maille_error error = {0};
    struct rounds rounds;
    assert_ok(rounds_run(&rounds, roster, roster_study(roster, "grid: month\n", analyses),
                         roster_policy(roster, policy), NULL, NULL, 0, &error),
              &error);
    memcpy(rule, rounds.plan.analyses[0].rule, sizeof rule);
    rounds_clear(&rounds);
    return rule;
}

#define TTEST "  - { id: t, method: anova, formula: \"age ~ arm\" }\n"
#define COX "  - { id: c, method: cox, formula: \"Surv(time, death) ~ age + arm\", ties: breslow }\n"

/* Nobody can be of arm c: it refuses nothing. */
#define TWO "  - { id: t, method: anova, formula: \"age ~ arm\", cohort: arm != \"c\" }\n"
#define COX_TWO                                                                                              \
    "  - { id: c, method: cox, formula: \"Surv(time, death) ~ age + arm\", ties: breslow, cohort: arm != "   \
    "\"c\" }\n"

static void test_boundaries(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    made_begin(&made);
    /* 20 of arm a, 4 at each of 5 sites; 10 of arm b at 2 sites, 8 and 2; the only deaths are 6 of arm a and
     * 7 of arm b. */
    for (size_t s = 0; s < 5; s++) {
        patients(&made, 1, s, "a", "m", 50 + (int)s, 400, true);
        patients(&made, 3, s, "a", "w", 40 + (int)s, 500, false);
    }
    patients(&made, 1, 0, "a", "m", 60, 700, true);
    patients(&made, 7, 0, "b", "m", 61, 700, true);
    patients(&made, 1, 0, "b", "m", 62, 800, false);
    patients(&made, 2, 1, "b", "w", 63, 800, false);
    made_end(&roster, &made, 5); /* 31 patients: 21 a, 10 b */
    const char *const cases[][3] = {
        {"min_patients: 31\n", TWO, ""},
        {"min_patients: 32\n", TWO, "few"},
        {"min_cell: 10\nmin_patients: 30\n", TWO, ""},
        {"min_cell: 11\nmin_patients: 30\n", TWO, "few"},
        {"min_contributors: 2\n", TWO, ""},
        {"min_contributors: 3\n", TWO, "few"},
        {"max_site_share: 0.8\n", TWO, ""}, /* 8 of 10 */
        {"max_site_share: 0.79\n", TWO, "few"},
        {"min_events: 6\nmin_patients: 30\n", COX_TWO, ""},
        {"min_events: 7\nmin_patients: 30\n", COX_TWO, "few"},
        {"max_parameter_share: 0.1\n", COX_TWO, ""}, /* 3 of 31: age, and two of three levels */
        {"max_parameter_share: 0.09\n", COX_TWO, "max_parameter_share"},
        {"min_tail: 15\n", "  - { id: q, method: quantile, variable: age, probs: [0.5] }\n",
         ""}, /* 31 · 0.5 = 15.5 */
        {"min_tail: 16\n", "  - { id: q, method: quantile, variable: age, probs: [0.5] }\n", "few"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* LAX with one key, or two, set otherwise */
        char text[1024] = "policy: standard\n";
        const char *keys[] = {"min_patients: 1\n",     "min_cell: 1\n",       "min_events: 1\n",
                              "min_contributors: 1\n", "max_site_share: 1\n", "max_parameter_share: 1\n",
                              "min_tail: 1\n",         "differencing: off\n"};
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)strcspn(keys[k], ":") + 1, keys[k]);
            if (strstr(cases[i][0], name) == NULL)
                strcat(text, keys[k]);
        }
        strcat(text, cases[i][0]);
        const char *found = rule_of(&roster, text, cases[i][1]);
        if (strcmp(found, cases[i][2]) != 0)
            fail_msg("%s: expected \"%s\", found \"%s\"", cases[i][0], cases[i][2], found);
    }
    roster_clear(&roster);
}

/* Of two steps of a grace period each has a model. Four patients come through the second without a start,
 * many more of the cohort. */
static void test_own_model(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    made_begin(&made);
    for (size_t s = 0; s < 6; s++) {
        patients(&made, 20, s, "a", "m", 40, 900, true); /* they start on day 30, */
        patients(&made, 20, s, "a", "m", 40, 930, true); /* and on day 60 */
        patients(&made, 20, s, "b", "m", 40, 20, true);  /* these die without a start */
        patients(&made, 20, s, "b", "m", 40, 80, true);
        patients(&made, 10, s, "a", "m", 40, 30, true); /* and these after one */
        patients(&made, 10, s, "a", "m", 40, 80, true);
        patients(&made, s < 4, s, "b", "m", 40, 900, true);
    }
    made_end(&roster, &made, 6);
    const struct study *study =
        roster_study(&roster, "grid: month\nderive:\n  started: arm == \"a\"\n  wait: time - 870\n",
                     "  - { id: e, method: emulation, formula: \"Surv(time, death) ~ 1\", treatment: "
                     "started, start: wait, "
                     "grace: [30.4375, 91.3125], times: [1826.25] }\n");
    for (int events = 4; events <= 5; events++) {
        struct maille_error error = {0};
        struct rounds rounds;
        const char *policy = arena_printf(
            roster.arena,
            "policy: standard\nmin_patients: 5\nmin_cell: 1\nmin_events: %d\nmin_contributors: 1\n"
            "max_site_share: 1\nmax_parameter_share: 1\nmin_tail: 1\ndifferencing: off\n",
            events);
        assert_ok(rounds_run(&rounds, &roster, study, roster_policy(&roster, policy), NULL, NULL, 0, &error),
                  &error);
        assert_string_equal(rounds.plan.analyses[0].rule, events == 4 ? "" : "few");
        rounds_clear(&rounds);
    }
    roster_clear(&roster);
}

/* Fewer sites with patients of the cohort than min_sites. */
static void test_sites(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    ordinary(&made, 5);
    patients(&made, 40, 0, "a", "m", 1, 100, false);
    patients(&made, 40, 1, "a", "m", 1, 100, false);
    made_end(&roster, &made, 5);
    assert_string_equal(
        rule_of(&roster, LAX, "  - { id: t, method: anova, formula: \"time ~ arm\", cohort: age < 5 }\n"),
        "min_sites");
    assert_string_equal(rule_of(&roster, LAX, "  - { id: t, method: anova, formula: \"time ~ arm\" }\n"), "");
    roster_clear(&roster);
}

static void test_differencing(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    ordinary(&made, 6);
    made_end(&roster, &made, 6);
    /* n_now and n_then pooled over the sites, the first having the most. */
    static const struct {
        int64_t differ; /* patients, over six sites */
        const char *rule;
    } cases[] = {{0, ""}, {1, "few"}, {10, "few"}, {11, ""}, {29, ""}, {3000, ""}};
    const struct study *study =
        roster_study(&roster, "grid: month\n", TTEST "  - { id: u, method: count, cohort: arm == \"a\" }\n");
    /* Groups: both cohorts and three arms of the first analysis. Each with two groups that were shown, and
     * the second cohort with the first's and its arms. */
    enum { PAIRS = 14 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t view = 0; view < 2; view++) {
            struct part_difference of[6][PAIRS] = {{{.otherwise = false}}};
            const struct part_difference *differences[6];
            for (size_t s = 0; s < 6; s++) {
                differences[s] = of[s];
                for (int64_t n = 0; n < cases[i].differ; n++)
                    of[s][1].by[view] += n % 6 == (int64_t)s; /* the first analysis, the second group */
            }
            assert_ok(rounds_run(&rounds, &roster, study, roster_policy(&roster, "policy: standard\n"), NULL,
                                 differences, 2, &error),
                      &error);
            assert_int_equal(rounds.threshold.pairs[THRESHOLD_FIRST].n, PAIRS);
            assert_string_equal(rounds.plan.analyses[0].rule, cases[i].rule);
            assert_string_equal(rounds.plan.analyses[1].rule, "");
            rounds_clear(&rounds);
        }
    /* Where a site of then is not asked now, its share would be the difference: the earlier answer stands. */
    for (int policy = 0; policy < 2; policy++) {
        const char *text =
            policy == 0 ? "policy: standard\n" : "policy: standard\nown_totals: may_be_inferred\n";
        struct threshold_past past = {.n_groups = 1, .gone = true};
        struct threshold threshold = {0};
        const bool open[] = {true, true};
        assert_ok(threshold_init(&threshold, study, open, roster_policy(&roster, text), 6, &past, 1, &error),
                  &error);
        assert_int_equal(threshold_near(&threshold, roster_policy(&roster, text), THRESHOLD_FIRST, 0, 0),
                         policy == 0);
        assert_true(threshold_near(&threshold, roster_policy(&roster, text), THRESHOLD_FIRST, 0, 1));
        assert_false(threshold_near(&threshold, roster_policy(&roster, text), THRESHOLD_FIRST, 0, 11));
        assert_false(threshold_near(&threshold, roster_policy(&roster, text), THRESHOLD_FIRST, 2,
                                    0)); /* one of this study */
        threshold_clear(&threshold);
    }
    /* Groups of other sites or snapshots are in T0, where nothing is counted. What a word says of rows is
     * read only where no patient differs. */
    static const struct {
        int64_t rows, patients; /* at each of six sites */
        bool near;
        size_t otherwise; /* so many of them know that they were chosen otherwise */
    } before[] = {{0, 0, false, 0}, {1, 1, true, 0},    {9, 1, true, 0},   {12, 1, true, 0},
                  {2, 2, false, 0}, {1, 0, true, 0},    {2, 0, false, 0},  {300, 0, false, 0},
                  {0, 0, true, 6},  {0, 0, true, 1},    {1, 1, true, 6},   {2, 2, false, 6},
                  {2, 0, true, 6},  {40, 30, false, 6}, {40, 30, false, 0}};
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        const struct policy *policy = roster_policy(&roster, "policy: standard\n");
        const struct threshold_past past[] = {{.n_groups = 1}, {.n_groups = 1, .other = true}};
        const bool open[] = {true, true};
        struct part_difference of[5] = {{.by = {before[i].rows, before[i].patients}},
                                        {.by = {THRESHOLD_UNKNOWN, THRESHOLD_UNKNOWN}}};
        struct threshold threshold = {0};
        struct bytes sum = {0};
        assert_ok(threshold_init(&threshold, study, open, policy, 6, past, 2, &error), &error);
        assert_int_equal(threshold.n_words[THRESHOLD_BEFORE], 5); /* a pair of each group, no veto word */
        assert_int_equal(threshold.pairs[THRESHOLD_FIRST].n, 5 + 4);
        for (size_t s = 0; s < 6; s++) {
            struct tally words = {0};
            of[0].otherwise = s < before[i].otherwise;
            assert_ok(
                threshold_zeroth(&words, &threshold, of, policy, testing_noise(roster.arena, 5, s), &error),
                &error);
            words_add(&sum, &words);
            tally_clear(&words);
        }
        bool refused[5] = {false}; /* two cohorts, then three arms */
        threshold_near_groups(refused, &threshold, THRESHOLD_BEFORE, sum.data, policy);
        assert_int_equal(refused[0], before[i].near);
        assert_false(refused[1]);
        bytes_clear(&sum);
        threshold_clear(&threshold);
    }
    { /* the pairs of the second group have no place any more: it is compared with nothing, and refused */
        const struct threshold_past past = {.n_groups = THRESHOLD_BEFORE_MAX, .other = true};
        const bool open[] = {true, true};
        bool refused[5] = {false};
        const struct policy *policy = roster_policy(&roster, "policy: standard\n");
        struct threshold threshold = {0};
        struct bytes sum = {0}; /* nobody differs */
        assert_ok(threshold_init(&threshold, study, open, policy, 6, &past, 1, &error), &error);
        assert_int_equal(threshold.pairs[THRESHOLD_BEFORE].n, THRESHOLD_BEFORE_MAX);
        assert_non_null(bytes_reserve(&sum, 8 * threshold.n_words[THRESHOLD_BEFORE]));
        threshold_near_groups(refused, &threshold, THRESHOLD_BEFORE, sum.data, policy);
        assert_false(refused[0]);
        assert_true(refused[1]);
        bytes_clear(&sum);
        threshold_clear(&threshold);
    }
    assert_int_equal(threshold_round(false, 1), THRESHOLD_FIRST);
    assert_int_equal(threshold_round(true, 1), THRESHOLD_BEFORE);
    assert_int_equal(threshold_round(true, 3), THRESHOLD_SECOND);
    assert_int_equal(threshold_round(true, 4), 0);
    assert_int_equal(threshold_round(false, 3), 0);
    /* Under a local rule each site's own difference decides: 11 patients over six sites are 2 at one. */
    struct part_difference of[6][PAIRS] = {{{.otherwise = false}}};
    const struct part_difference *differences[6];
    for (size_t s = 0; s < 6; s++) {
        for (size_t w = 0; w < PAIRS; w++)
            of[s][w] = (struct part_difference){.by = {12, 12}};
        of[s][0].by[0] = s == 3 ? 2 : 12;
        differences[s] = of[s];
    }
    assert_ok(rounds_run(&rounds, &roster, study,
                         roster_policy(&roster, "policy: standard\ncell_rule: local\n"), NULL, differences, 2,
                         &error),
              &error);
    assert_string_equal(rounds.plan.analyses[0].rule, "few");
    assert_string_equal(rounds.plan.analyses[1].rule, "");
    rounds_clear(&rounds);
    roster_clear(&roster);
}

/* Five patients of every cell at each of 18 sites: too few anywhere, enough together. */
static void test_rare_cells(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    made_begin(&made);
    for (size_t s = 0; s < 18; s++)
        for (size_t i = 0; i < 6; i++)
            patients(&made, 5, s, (const char *[]){"a", "b", "c"}[i % 3], i < 3 ? "m" : "w", 40 + (int)i, 400,
                     i % 2);
    made_end(&roster, &made, 18);
    const struct study *study =
        roster_study(&roster, "", "  - { id: t, method: crosstab, variables: [arm, sex] }\n");
    assert_ok(rounds_run(&rounds, &roster, study, roster_policy(&roster, "policy: strict\n"), NULL, NULL, 0,
                         &error),
              &error);
    assert_string_equal(rounds.plan.analyses[0].rule, "");
    assert_int_equal(rounds.plan.analyses[0].n_suppressed, 0);
    rounds_clear(&rounds);
    /* The same under a local rule: nothing of it is left. */
    assert_ok(rounds_run(&rounds, &roster, study,
                         roster_policy(&roster, "policy: strict\ncell_rule: local\n"), NULL, NULL, 0, &error),
              &error);
    assert_string_equal(rounds.plan.analyses[0].rule, "few");
    rounds_clear(&rounds);
    roster_clear(&roster);
}

static void test_few_sites(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    ordinary(&made, 4);
    made_end(&roster, &made, 4);
    const struct study *study = roster_study(&roster, "",
                                             "  - { id: t, method: count, variables: [arm] }\n  - { id: u, "
                                             "method: count, variables: [arm, sex] }\n");
    assert_ok(rounds_run(&rounds, &roster, study, roster_policy(&roster, "policy: standard\n"), NULL, NULL, 0,
                         &error),
              &error);
    assert_int_equal(rounds.threshold.scope, CELL_SCOPE_LOCAL);
    assert_int_equal(rounds.threshold.n_words[THRESHOLD_FIRST],
                     6 + 16); /* a veto word, N and sites of two analyses, pairs of their groups, and nothing
                                 else */
    assert_int_equal(rounds.plan.analyses[0].n_suppressed, 0); /* 12 at each site in each arm */
    assert_string_equal(rounds.plan.analyses[1].rule, "few");  /* 6 at each site: nothing is left */
    rounds_clear(&rounds);
    roster_clear(&roster);
}

/* Without counts only what nothing bounds is safe: the number of its arm goes with a cell that a site vetoes.
 * And no table hides one cell alone, because its n may be known: the next goes with it, and with that the
 * number of its arm. */
static void test_local_complement(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    ordinary(&made, 4);
    for (size_t s = 0; s < 4; s++) {
        patients(&made, 20, s, "a", "m", 40, 400, false);
        patients(&made, 20, s, "a", "w", 40, 400, false);
        patients(&made, 20, s, "b", "m", 40, 400, false);
        patients(&made, 20, s, "c", "m", 40, 400, false);
        patients(&made, 20, s, "c", "w", 40, 400, false);
    }
    made_end(&roster, &made, 4); /* arm b, women: 6 at each site */
    assert_ok(rounds_run(&rounds, &roster,
                         roster_study(&roster, "",
                                      "  - { id: u, method: count, variables: [arm, sex] }\n  - { id: t, "
                                      "method: count, variables: [arm] }\n"),
                         roster_policy(&roster, "policy: standard\n"), NULL, NULL, 0, &error),
              &error);
    assert_memory_equal(rounds.plan.analyses[0].surviving.kept[2], ((uint8_t[]){1, 1, 1, 0, 0, 1}), 6);
    assert_memory_equal(rounds.plan.analyses[1].surviving.kept[2], ((uint8_t[]){1, 0, 0}), 3);
    rounds_clear(&rounds);
    roster_clear(&roster);
}

/* Cells that follow from others of the study go with those that are too small, of nobody or of few. */
static void test_complement(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    made_begin(&made);
    for (size_t s = 0; s < 6; s++) {
        patients(&made, 8, s, "a", "m", 40, 400, false);
        patients(&made, 6, s, "a", "w", 40, 400, false);
        patients(&made, 5, s, "b", "m", 40, 400, false);
    }
    patients(&made, 1, 0, "b", "w", 40, 400, false);
    patients(&made, 1, 1, "b", "w", 40, 400, false);
    patients(&made, 1, 2, "b", "w", 40, 400, false);
    made_end(&roster, &made, 6);
    const struct policy *policy = roster_policy(&roster, "policy: standard\nunanimous: show\n");
    /* Alone, a table loses the cell of 3 and the two of nobody, and the smallest other one with them: its n
     * may be known. */
    assert_ok(
        rounds_run(&rounds, &roster,
                   roster_study(&roster, "", "  - { id: t, method: crosstab, variables: [arm, sex] }\n"),
                   policy, NULL, NULL, 0, &error),
        &error);
    static const uint8_t alone[6] = {1, 1, 0, 0, 0, 0};
    assert_memory_equal(rounds.plan.analyses[0].surviving.kept[2], alone, 6);
    rounds_clear(&rounds);
    /* Beside both margins the same: how many miss an arm or a sex is withheld, and they are in one of them.
     */
    assert_ok(rounds_run(&rounds, &roster,
                         roster_study(&roster, "",
                                      "  - { id: t, method: crosstab, variables: [arm, sex] }\n  - { id: r, "
                                      "method: anova, formula: \"age ~ arm\", cohort: arm != \"c\" }\n"
                                      "  - { id: s, method: anova, formula: \"age ~ sex\" }\n"),
                         policy, NULL, NULL, 0, &error),
              &error);
    for (size_t k = 0; k < 3; k++)
        assert_string_equal(rounds.plan.analyses[k].rule, "");
    assert_memory_equal(rounds.plan.analyses[0].surviving.kept[2], alone, 6);
    rounds_clear(&rounds);
    roster_clear(&roster);
}

/* The n of an analysis is another one's that is asked of the same cohort: of two cells, one of them small,
 * neither is shown. */
static void test_known_n(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    const struct policy *policy;
    made_begin(&made);
    for (size_t s = 0; s < 6; s++) {
        patients(&made, 30, s, "a", "m", 40, 400, false);
        patients(&made, 20, s, "b", "m", 40, 400, s > 2);
        patients(&made, 1, s, "c", "w", 40, 400, false);
    }
    made_end(&roster, &made, 6);
    policy = roster_policy(&roster, "policy: standard\n");
    /* 300 men and 6 women: nothing is left. */
    assert_ok(rounds_run(&rounds, &roster,
                         roster_study(&roster, "", "  - { id: t, method: count, variables: [sex] }\n"),
                         policy, NULL, NULL, 0, &error),
              &error);
    assert_string_equal(rounds.plan.analyses[0].rule, "few");
    rounds_clear(&rounds);
    /* 180, 120 and 6: the two smaller ones. Bars of a histogram and the groups of quantiles alike. */
    assert_ok(
        rounds_run(&rounds, &roster,
                   roster_study(&roster, "",
                                "  - { id: t, method: count, variables: [arm] }\n"
                                "  - { id: q, method: quantile, variable: age, probs: [0.5], by: arm }\n"
                                "  - { id: k, method: km, formula: \"Surv(time, death) ~ arm\" }\n"),
                   policy, NULL, NULL, 0, &error),
        &error);
    for (size_t k = 0; k < 3; k++) {
        assert_string_equal(rounds.plan.analyses[k].rule, "");
        assert_memory_equal(rounds.plan.analyses[k].surviving.kept[2], ((uint8_t[]){1, 0, 0}), 3);
    }
    rounds_clear(&rounds);
    /* The same where each site judges its own cells: the next one goes, the first after the last. */
    assert_ok(rounds_run(&rounds, &roster,
                         roster_study(&roster, "", "  - { id: t, method: count, variables: [arm] }\n"),
                         roster_policy(&roster, "policy: standard\ncell_rule: local\n"), NULL, NULL, 0,
                         &error),
              &error);
    assert_memory_equal(rounds.plan.analyses[0].surviving.kept[2], ((uint8_t[]){0, 1, 0}), 3);
    rounds_clear(&rounds);
    assert_ok(rounds_run(&rounds, &roster,
                         roster_study(&roster, "", "  - { id: t, method: count, variables: [sex] }\n"),
                         roster_policy(&roster, "policy: standard\ncell_rule: local\n"), NULL, NULL, 0,
                         &error),
              &error);
    assert_string_equal(rounds.plan.analyses[0].rule, "few");
    rounds_clear(&rounds);
    roster_clear(&roster);
}

/* Who is left out by a value, few, follows neither from n less those in the cells that are shown: patients
 * whose sum is beyond a cut, and those without an age of whom only the late ones miss `late & age`. */
static void test_left_out_by_value(void **state)
{
    (void)state;
    static const char *const derived[] = {"cut(age + time, c(-1, 1000, 2500))", "time > 2400 & age >= 0",
                                          "ifelse(time > 2400, age >= 0, TRUE)"};
    struct made made;
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    made_begin(&made);
    for (size_t s = 0; s < 6; s++) {
        patients(&made, 20, s, "a", "m", 40, 400, false);
        patients(&made, 15, s, "a", "m", 40, 2450, false);
    }
    for (size_t s = 0; s < 3; s++)
        patients(&made, 1, s, "a", "m", 90, 2450, false);
    static const char without_age[] = "x,a,m,,2450,0\n";
    bytes_put(&made.csv, without_age, sizeof without_age - 1);
    made.site_of[made.n++] = 0;
    made_end(&roster, &made, 6);
    for (size_t i = 0; i < sizeof derived / sizeof *derived; i++) {
        assert_ok(
            rounds_run(&rounds, &roster,
                       roster_study(&roster, arena_printf(roster.arena, "derive:\n  x: %s\n", derived[i]),
                                    "  - { id: d, method: describe, variables: [x] }\n"),
                       roster_policy(&roster, "policy: strict\n"), NULL, NULL, 0, &error),
            &error);
        const struct surviving *surviving = &rounds.plan.analyses[0].surviving;
        if (rounds.plan.analyses[0].rule[0] == '\0' && surviving->kept[3][0] && surviving->kept[3][1])
            fail_msg("%s: every cell is shown, so who is left out can be counted", derived[i]);
        rounds_clear(&rounds);
    }
    roster_clear(&roster);
}

static void plan_same(const struct plan *a, const struct plan *b)
{
    struct bytes x = {0}, y = {0};
    plan_write(&x, a);
    plan_write(&y, b);
    assert_int_equal(x.length, y.length);
    assert_memory_equal(x.data, y.data, x.length);
    bytes_clear(&x);
    bytes_clear(&y);
}

#define MIXED                                                                                                \
    "  - { id: t, method: crosstab, variables: [arm, sex] }\n  - { id: d, method: describe, variables: "     \
    "[age, sex, death], by: arm }\n"                                                                         \
    "  - { id: k, method: km, formula: \"Surv(time, death) ~ arm\" }\n" COX                                  \
    "  - { id: q, method: quantile, variable: age, probs: [0.5], by: sex }\n"

static void test_order_and_bytes(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    struct rounds rounds, turned;
    struct maille_error error = {0};
    struct bytes bytes = {0};
    struct plan read = {0};
    static const size_t order[7] = {4, 6, 0, 2, 5, 1, 3};
    ordinary(&made, 7);
    patients(&made, 3, 1, "", "w", 30, 900, true);
    made_end(&roster, &made, 7);
    const struct study *study = roster_study(&roster, "grid: month\n", MIXED);
    const struct policy *policy = roster_policy(&roster, "policy: standard\nmin_cell: 30\nround_counts: 5\n");
    assert_ok(rounds_run(&rounds, &roster, study, policy, NULL, NULL, 0, &error), &error);
    assert_ok(rounds_run(&turned, &roster, study, policy, order, NULL, 0, &error), &error);
    plan_same(&rounds.plan, &turned.plan);
    plan_write(&bytes, &rounds.plan);
    assert_ok(plan_read(&read, study, bytes.data, bytes.length, &error), &error);
    plan_same(&rounds.plan, &read);
    for (size_t k = 0; k < read.n; k++) {
        assert_int_equal(read.analyses[k].n_suppressed, rounds.plan.analyses[k].n_suppressed);
        assert_int_equal(read.surviving[k] == NULL, rounds.plan.surviving[k] == NULL);
        assert_true(read.surviving[k] == NULL ||
                    (read.surviving[k]->round_counts == 5 && read.surviving[k]->max_share == 0.5));
    }
    plan_clear(&read);
    /* One byte less, one more, and no flipped bit that is not a plan again is taken for this one. */
    assert_fails(plan_read(&read, study, bytes.data, bytes.length - 1, &error), MAILLE_INVALID, &error,
                 "expected");
    bytes_put_u8(&bytes, 0);
    assert_fails(plan_read(&read, study, bytes.data, bytes.length, &error), MAILLE_INVALID, &error,
                 "bytes more");
    bytes.length--;
    for (size_t i = 0; i < bytes.length; i++) {
        struct bytes again = {0};
        bytes.data[i] ^= 1;
        if (plan_read(&read, study, bytes.data, bytes.length, &error) == MAILLE_OK) {
            plan_write(&again, &read);
            assert_int_equal(again.length, bytes.length);
            assert_memory_equal(again.data, bytes.data, bytes.length);
            plan_clear(&read);
        }
        bytes_clear(&again);
        bytes.data[i] ^= 1;
    }
    bytes_clear(&bytes);
    rounds_clear(&rounds);
    rounds_clear(&turned);
    roster_clear(&roster);
}

/* Totals that no roster can have: somebody altered them. */
static void test_altered_totals(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    struct plan plan = {0};
    ordinary(&made, 5);
    made_end(&roster, &made, 5);
    const struct study *study = roster_study(&roster, "", "  - { id: t, method: count, variables: [arm] }\n");
    assert_ok(rounds_run(&rounds, &roster, study, roster_policy(&roster, "policy: standard\n"), NULL, NULL, 0,
                         &error),
              &error);
    const struct threshold_block *block = &rounds.threshold.analyses[0].blocks[2];
    const struct {
        bool second;
        size_t at;
        uint64_t value;
    } cases[] = {{false, block->counts, (uint64_t)-1},
                 {false, block->counts, 0},
                 {false, block->sites, 6},
                 {false, block->sites, 0},
                 {false, block->counts, UINT64_C(1) << 50}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *word = (cases[i].second ? rounds.second.data : rounds.first.data) + 8 * cases[i].at, was[8];
        memcpy(was, word, 8);
        le64_store(word, cases[i].value);
        assert_fails(plan_make(&plan, &rounds.threshold, rounds.first.data, rounds.second.data, rounds.policy,
                               5, &error),
                     MAILLE_FAILED, &error, "altered");
        memcpy(word, was, 8);
    }
    /* A veto is whatever is not 0, in either round: sums of random words. */
    for (int which = THRESHOLD_FIRST; which <= THRESHOLD_SECOND; which++) {
        uint8_t *word = (which == THRESHOLD_FIRST ? rounds.first.data : rounds.second.data) +
                        8 * rounds.threshold.analyses[0].veto[which];
        le64_store(word, UINT64_C(0xfedcba9876543210));
        assert_ok(plan_make(&plan, &rounds.threshold, rounds.first.data, rounds.second.data, rounds.policy, 5,
                            &error),
                  &error);
        assert_string_equal(plan.analyses[0].rule, "site_rule");
        plan_clear(&plan);
        le64_store(word, 0);
    }
    rounds_clear(&rounds);
    roster_clear(&roster);
}

/* Curves end where too few are at risk; merged bins hold min_cell each. */
static void test_curves_and_bins(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    ordinary(&made, 6);
    made_end(&roster, &made, 6);
    const struct policy *policy = roster_policy(&roster, "policy: standard\n");
    assert_ok(
        rounds_run(&rounds, &roster,
                   roster_study(&roster, "grid: month\n",
                                "  - { id: k, method: km, formula: \"Surv(time, death) ~ arm\" }\n" COX),
                   policy, NULL, NULL, 0, &error),
        &error);
    for (size_t k = 0; k < 2; k++) {
        const struct threshold_analysis *analysis = &rounds.threshold.analyses[k];
        assert_string_equal(rounds.plan.analyses[k].rule, "");
        for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++) {
            const struct threshold_block *block = &analysis->blocks[b];
            const uint8_t *kept = rounds.plan.analyses[k].surviving.kept[b];
            for (size_t group = 0;
                 group < block->n_groups && (block->rule == CELL_AT_RISK || block->rule == CELL_MERGE);
                 group++) {
                int64_t here = 0, at_risk = 0, edges = 0;
                for (size_t i = group * block->n_bins; i < (group + 1) * block->n_bins; i++)
                    at_risk += threshold_word(rounds.first.data, block->counts + i);
                for (size_t i = group * block->n_bins; i < (group + 1) * block->n_bins; i++) {
                    if (block->rule == CELL_AT_RISK)
                        assert_int_equal(kept[i],
                                         at_risk >=
                                             11); /* nobody enters, so the curve of each arm ends for good */
                    here += threshold_word(rounds.first.data, block->counts + i);
                    at_risk -= threshold_word(rounds.first.data, block->counts + i);
                    if (block->rule == CELL_MERGE && kept[i]) {
                        assert_true(here >= 11);
                        edges++;
                        here = 0;
                    }
                }
                assert_true(block->rule == CELL_AT_RISK || (edges > 1 && here == 0));
            }
        }
    }
    rounds_clear(&rounds);
    roster_clear(&roster);
}

/* Of a weighted curve each joined step holds enough with the event, and enough who are censored. An arm of
 * which nobody is censored, or a few, is hidden, and with it another, which would tell its patients. */
static void test_weighted_curves(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    struct rounds rounds;
    struct maille_error error = {0};
    made_begin(&made);
    for (size_t s = 0; s < 6; s++)
        for (int i = 0; i < 12; i++) {
            patients(&made, 1, s, "a", "m", 40 + i, 100 + 150 * i, true);
            patients(&made, 1, s, "a", "w", 50 + i, 150 + 150 * i, false);
            patients(&made, 1, s, "c", "m", 40 + i, 100 + 150 * i, true);
            patients(&made, 1, s, "c", "w", 50 + i, 150 + 150 * i, false);
            patients(&made, 1, s, "b", "m", 60 + i, 200 + 150 * i, true);
            patients(&made, i == 0, s, "b", "w", 70, 900, false);
        }
    made_end(&roster, &made, 6);
    assert_ok(
        rounds_run(
            &rounds, &roster,
            roster_study(&roster, "grid: month\n",
                         "  - { id: k, method: km, formula: \"Surv(time, death) ~ arm\", weights: age }\n"),
            roster_policy(&roster, "policy: standard\n"), NULL, NULL, 0, &error),
        &error);
    const struct threshold_analysis *analysis = &rounds.threshold.analyses[0];
    const uint8_t *const *kept = rounds.plan.analyses[0].surviving.kept;
    size_t n_merged = 0;
    assert_string_equal(rounds.plan.analyses[0].rule, "");
    for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++) {
        const struct threshold_block *block = &analysis->blocks[b];
        int64_t here = 0, edges = 0;
        if (block->rule != CELL_MERGE)
            continue;
        n_merged++;
        const uint8_t *arms = kept[block->groups];
        assert_int_equal(analysis->blocks[block->groups].rule, CELL_TABLE);
        assert_true(!arms[1] && arms[0] + arms[2] == 1);
        const size_t first = arms[0] ? 0 : 2 * block->n_bins;
        for (size_t i = first; i < first + block->n_bins; i++) {
            here += threshold_word(rounds.first.data, block->counts + i);
            assert_true(!kept[b][i] || here >= 11);
            edges += kept[b][i];
            here = kept[b][i] ? 0 : here;
        }
        assert_true(edges > 1 && here == 0);
    }
    assert_int_equal(n_merged, 2);
    rounds_clear(&rounds);
    roster_clear(&roster);
}

static void test_bins(void **state)
{
    (void)state;
    uint8_t edges[8];
    int64_t nodes[16];
    static const int64_t counts[7] = {3, 9, 0, 11, 5, 5, 2};
    assert_int_equal(bins_merge(edges, counts, 7, 11), 3);
    assert_memory_equal(edges, ((uint8_t[]){0, 1, 0, 1, 0, 0, 1}), 7);
    assert_int_equal(bins_merge(edges, counts, 7, 12), 2); /* 12, and 11 + 5; the rest of 7 joins it */
    assert_memory_equal(edges, ((uint8_t[]){0, 1, 0, 0, 0, 0, 1}), 7);
    assert_int_equal(bins_merge(edges, counts, 7, 100), 1);
    assert_memory_equal(edges, ((uint8_t[]){0, 0, 0, 0, 0, 0, 1}), 7);
    assert_int_equal(bins_merge(edges, counts, 7, 1), 7);
    assert_int_equal(bins_nodes(7), 15);
    bins_sums(nodes, counts, 7, 7);
    assert_int_equal(nodes[0], 35);
    assert_int_equal(nodes[1], 23);
    assert_int_equal(nodes[14], 0);
    bool bad[15] = {false};
    assert_true(bins_cover(edges, bad, 7, 7));
    assert_memory_equal(edges, ((uint8_t[]){1, 1, 1, 1, 1, 1, 1}), 7);
    bad[7] = true; /* the first leaf: its pair stands, the others stay apart */
    assert_true(bins_cover(edges, bad, 7, 7));
    assert_memory_equal(edges, ((uint8_t[]){0, 1, 1, 1, 1, 1, 1}), 7);
    bad[13] = bad[6] = true; /* the last leaf and its pair: four together */
    assert_true(bins_cover(edges, bad, 7, 7));
    assert_memory_equal(edges, ((uint8_t[]){0, 1, 1, 1, 0, 0, 1}), 7);
    bad[0] = bad[1] = true;
    bad[3] = true;
    assert_false(bins_cover(edges, bad, 7, 7));
}

/* A policy of each key's tightest; and which policies need the rounds at all. */
static void test_strictest(void **state)
{
    (void)state;
    struct maille_error error = {0};
    const struct policy *found = NULL;
    struct arena *arena = arena_new();
    const char *texts[4] = {
        "policy: open\nmethods: [km, cox]\n", "policy: standard\nmin_cell: 7\ncell_rule: local\n",
        "policy: standard\nmin_cell: 13\nmin_patients: 20\n",
        /* each at the value that asks for nothing */
        "policy: standard\nmin_patients: 1\nmin_cell: 1\nmin_events: 1\nmax_site_share: 1\n"
        "min_contributors: 1\nmax_parameter_share: 1\nmax_patient_share: 1\nmax_scalar_share: off\n"
        "min_tail: 1\ndifferencing: off\n"};
    size_t lengths[4];
    for (size_t i = 0; i < 4; i++)
        lengths[i] = strlen(texts[i]);
    assert_ok(policy_strictest(&found, arena, texts, lengths, 3, &error), &error);
    assert_true(found->min_cell == 13 && found->min_patients == 30 && found->cell_rule == CELL_SCOPE_LOCAL &&
                !found->methods.all);
    assert_string_equal(found->preset, "standard");
    assert_true(threshold_needed(found));
    assert_int_equal(threshold_scope(found, 18), CELL_SCOPE_LOCAL);
    assert_ok(policy_strictest(&found, arena, texts, lengths, 1, &error), &error);
    assert_false(threshold_needed(found));
    assert_int_equal(threshold_scope(found, 5), CELL_SCOPE_TOTAL);
    assert_int_equal(threshold_scope(found, 4), CELL_SCOPE_LOCAL);
    assert_ok(policy_strictest(&found, arena, &texts[3], &lengths[3], 1, &error), &error);
    assert_false(threshold_needed(found));
    assert_fails(policy_strictest(&found, arena, texts, lengths, 0, &error), MAILLE_INVALID, &error,
                 "policies");
    arena_free(arena);
}

/* A cell of nobody and one of few leave the same plan, byte for byte, whatever the hidden ones hold. What
 * nobody can be in by public facts is shown, and refuses nothing. */
static void test_nobody_is_few(void **state)
{
    (void)state;
    static const char *const analyses[] = {
        "  - { id: t, method: crosstab, variables: [arm, sex] }\n",
        "  - { id: t, method: describe, variables: [age, sex], by: arm }\n",
        "  - { id: t, method: km, formula: \"Surv(time, death) ~ arm\" }\n",
        "  - { id: t, method: quantile, variable: age, probs: [0.5], by: arm }\n",
        "  - { id: t, method: histogram, variable: age, breaks: [0, 50, 99], by: arm }\n",
        "  - { id: t, method: rate, formula: \"Surv(time, death) ~ arm\" }\n",
        TTEST,
        COX,
        "  - { id: t, method: logrank, formula: \"Surv(time, death) ~ arm\" }\n",
        "  - { id: t, method: count, cohort: arm == \"c\" }\n",
        "  - { id: t, method: glm, family: gaussian, formula: \"age ~ sex\", cohort: arm == \"c\" }\n",
        "  - { id: t, method: smd, treatment: sex, variables: [arm] }\n"};
    static const char *const policies[] = {"policy: standard\n", "policy: strict\n",
                                           "policy: standard\ncell_rule: local\n"};
    const size_t n_analyses = sizeof analyses / sizeof *analyses;
    for (size_t p = 0; p < sizeof policies / sizeof *policies; p++) {
        struct bytes first[sizeof analyses / sizeof *analyses] = {{0}};
        for (size_t few = 0; few < 11; few += few == 0 ? 1 : few == 1 ? 4 : 5) {
            struct made made;
            struct roster roster;
            made_begin(&made);
            for (size_t s = 0; s < 6; s++)
                for (size_t i = 0; i < 60; i++)
                    patients(&made, 1, s, i % 2 ? "a" : "b", i % 4 < 2 ? "m" : "w", 20 + (int)i,
                             100 + 10 * (int)i, i % 3 == 0);
            for (size_t i = 0; i < few; i++)
                patients(&made, 1, i % 6, "c", i % 3 ? "m" : "w", 40, 300, i % 2);
            made_end(&roster, &made, 6);
            for (size_t k = 0; k < n_analyses; k++) {
                struct rounds rounds;
                struct maille_error error = {0};
                struct bytes plan = {0};
                assert_ok(rounds_run(&rounds, &roster, roster_study(&roster, "grid: month\n", analyses[k]),
                                     roster_policy(&roster, policies[p]), NULL, NULL, 0, &error),
                          &error);
                /* The sites alone read it: whether patients have several rows (smd). */
                rounds.plan.analyses[0].surviving.patients = 0;
                plan_write(&plan, &rounds.plan);
                if (few == 0)
                    first[k] = plan;
                else {
                    if (plan.length != first[k].length || memcmp(plan.data, first[k].data, plan.length) != 0)
                        fail_msg("%s, %s: %zu patients of arm c make another plan than none", policies[p],
                                 analyses[k], few);
                    bytes_clear(&plan);
                }
                rounds_clear(&rounds);
            }
            roster_clear(&roster);
        }
        for (size_t k = 0; k < n_analyses; k++)
            bytes_clear(&first[k]);
    }
}

/* What the cohort's condition, or the dictionary, leaves nobody in. */
static void test_vacant(void **state)
{
    (void)state;
    static const char impossible[] = "impossible: [{ arm: b, sex: w }]\n";
    for (int i = 0; i < 2; i++) {
        struct made made;
        struct roster roster;
        struct rounds rounds;
        struct maille_error error = {0};
        made_begin(&made);
        for (size_t s = 0; s < 6; s++) {
            patients(&made, 30, s, "a", "m", 40, 400, false);
            patients(&made, 20, s, "a", "w", 40, 400, false);
            patients(&made, 10, s, "b", "m", 40, 400, false);
        }
        struct arena *arena = arena_new();
        char *text = arena_printf(arena, "%s%s", dictionary_text, i == 0 ? "" : impossible);
        roster_init(&roster, text, (const char *)made.csv.data, made.csv.length, made.site_of, 6);
        bytes_clear(&made.csv);
        assert_ok(
            rounds_run(&rounds, &roster,
                       roster_study(
                           &roster, "",
                           "  - { id: t, method: crosstab, variables: [arm, sex], cohort: arm != \"c\" }\n"),
                       roster_policy(&roster, "policy: standard\nunanimous: show\n"), NULL, NULL, 0, &error),
            &error);
        assert_string_equal(rounds.plan.analyses[0].rule, "");
        assert_memory_equal(rounds.plan.analyses[0].surviving.kept[2],
                            (i == 0 ? (uint8_t[]){1, 1, 0, 0, 1, 1} : (uint8_t[]){1, 1, 1, 1, 1, 1}), 6);
        rounds_clear(&rounds);
        roster_clear(&roster);
        arena_free(arena);
    }
}

/* The part of an analysis that has this combination of levels of the first two categories of its table. */
static size_t cell_part(const struct parts *parts, size_t level)
{
    for (size_t u = 0; u < parts->n_uses; u++)
        if (parts->uses[u].factors == 3 && parts->uses[u].level == level)
            return parts->uses[u].part;
    fail_msg("expected a cell");
    return 0;
}

/* Two tables of which one cell differs by few: that cell of the later one is hidden, its margins are not
 * near. */
static void test_near_cells(void **state)
{
    (void)state;
    enum { WOMEN_OF_B = 1 * 2 + 1, COUNTS = 2 };
    struct made made;
    struct roster roster;
    struct threshold shape = {0};
    struct maille_error error = {0};
    const bool open[] = {true, true};
    ordinary(&made, 6);
    made_end(&roster, &made, 6);
    const struct policy *policy = roster_policy(&roster, "policy: standard\n");
    const struct study *study =
        roster_study(&roster, "grid: month\n",
                     "  - { id: t, method: count, by: [arm, sex] }\n"
                     "  - { id: u, method: count, by: [arm, sex], cohort: age < 60 }\n");
    assert_ok(threshold_init(&shape, study, open, policy, 6, NULL, 0, &error), &error);
    const struct threshold_pairs *pairs = &shape.pairs[THRESHOLD_FIRST];
    struct part_difference *of = arena_array(roster.arena, pairs->n, sizeof *of);
    const struct part_difference *const differences[6] = {of, of, of, of, of, of};
    for (int near = 0; near < 2; near++) {
        struct rounds rounds;
        size_t found = 0;
        for (size_t i = 0; i < pairs->n; i++) {
            const struct threshold_group *own = &shape.groups[pairs->list[i].group],
                                         *other = &shape.groups[pairs->list[i].other];
            const bool cells = own->part == cell_part(&shape.analyses[1].parts, WOMEN_OF_B) &&
                               other->part == cell_part(&shape.analyses[0].parts, WOMEN_OF_B);
            found += cells;
            of[i].by[0] = of[i].by[1] = near && cells ? 1 : 30; /* at each of six sites */
        }
        assert_int_equal(found, 1);
        assert_ok(rounds_run(&rounds, &roster, study, policy, NULL, differences, 0, &error), &error);
        const struct plan_analysis *t = &rounds.plan.analyses[0], *u = &rounds.plan.analyses[1];
        assert_string_equal(u->rule, "");
        for (size_t i = 0; i < 6; i++)
            assert_true(t->surviving.kept[COUNTS][i]);
        assert_int_equal(u->surviving.kept[COUNTS][WOMEN_OF_B], near == 0);
        assert_int_equal(u->hidden[cell_part(&shape.analyses[1].parts, WOMEN_OF_B)], near != 0);
        rounds_clear(&rounds);
    }
    threshold_clear(&shape);
    roster_clear(&roster);
}

/* Of 18 of arm b all are men: under strict that is hidden as the cell of nobody is, and with it what would
 * give it away. */
static void test_unanimous(void **state)
{
    (void)state;
    struct made made;
    struct roster roster;
    made_begin(&made);
    for (size_t s = 0; s < 6; s++) {
        patients(&made, 30, s, "a", "m", 40, 400, false);
        patients(&made, 40, s, "a", "w", 40, 400, false);
        patients(&made, 3, s, "b", "m", 40, 400, false);
        patients(&made, 20, s, "c", "m", 40, 400, false);
        patients(&made, 25, s, "c", "w", 40, 400, false);
    }
    made_end(&roster, &made, 6);
    for (int strict = 0; strict < 2; strict++) {
        struct rounds rounds;
        struct maille_error error = {0};
        assert_ok(
            rounds_run(&rounds, &roster,
                       roster_study(&roster, "", "  - { id: t, method: crosstab, variables: [arm, sex] }\n"),
                       roster_policy(&roster, strict ? "policy: standard\nunanimous: hide\n"
                                                     : "policy: standard\nunanimous: show\n"),
                       NULL, NULL, 0, &error),
            &error);
        const uint8_t *kept = rounds.plan.analyses[0].surviving.kept[2];
        assert_int_equal(kept[3], 0); /* nobody */
        assert_true(kept[0] && kept[1] && kept[4] + kept[5] > 0);
        if (strict)
            assert_int_equal(kept[2], 0);
        rounds_clear(&rounds);
    }
    roster_clear(&roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boundaries),
        cmocka_unit_test(test_own_model),
        cmocka_unit_test(test_sites),
        cmocka_unit_test(test_differencing),
        cmocka_unit_test(test_rare_cells),
        cmocka_unit_test(test_few_sites),
        cmocka_unit_test(test_complement),
        cmocka_unit_test(test_order_and_bytes),
        cmocka_unit_test(test_altered_totals),
        cmocka_unit_test(test_curves_and_bins),
        cmocka_unit_test(test_bins),
        cmocka_unit_test(test_strictest),
        cmocka_unit_test(test_local_complement),
        cmocka_unit_test(test_known_n),
        cmocka_unit_test(test_left_out_by_value),
        cmocka_unit_test(test_nobody_is_few),
        cmocka_unit_test(test_vacant),
        cmocka_unit_test(test_unanimous),
        cmocka_unit_test(test_near_cells),
        cmocka_unit_test(test_weighted_curves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
