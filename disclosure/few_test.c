/* What counts against a registration, once each, and where it is kept. */
#include "disclosure/testing.h"

#include <stdlib.h>

#include "disclosure/ledger_few.h"
#include "disclosure/published.h"

static const char dictionary_text[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                      "  - { name: arm, type: category, levels: [a, b, c] }\n"
                                      "  - { name: sex, type: category, levels: [m, w] }\n"
                                      "  - { name: place, type: category, levels: [p, q, r, s] }\n"
                                      "  - { name: age, type: integer, min: 0, max: 99 }\n"
                                      "  - { name: grade, type: category, levels: [low, high] }\n"
                                      "  - { name: stage, type: category, levels: [early, late] }\n"
                                      "  - { name: time, type: duration, units: days, min: 0, max: 9 }\n"
                                      "  - { name: fate, type: category, levels: [none, relapse, death] }\n";

/* 300 patients of ages 20 to 79; arm c has 6 of them. 5 have no grade, all of age 27 and of one site; 15 no
 * stage, of ages 28 to 30. */
static void registry_of(struct roster *roster, size_t n_sites)
{
    struct bytes csv = {0};
    size_t site_of[300];
    bytes_put_text(&csv, "id,arm,sex,place,age,grade,stage,time,fate\n");
    for (size_t k = 0; k < 300; k++) {
        site_of[k] = k % n_sites;
        bytes_printf(&csv, "%zu,%c,%c,%c,%zu,%s,%s,%zu,%s\n", k, k < 6 ? 'c' : "ab"[k / 6 % 2],
                     "mw"[k / 12 % 2], k < 8 ? "pq"[k % 2] : "rs"[k % 2], 20 + k % 60,
                     k % 60 == 7       ? ""
                     : k / 12 % 2 == 0 ? "low"
                                       : "high",
                     k % 60 >= 8 && k % 60 <= 10 ? ""
                     : k / 12 % 2 == 0           ? "early"
                                                 : "late",
                     1 + k % 9,
                     k % 3 == 0   ? "none"
                     : k % 3 == 1 ? "relapse"
                                  : "death");
    }
    roster_init(roster, dictionary_text, (const char *)csv.data, csv.length, site_of, n_sites);
    bytes_clear(&csv);
}

static void registry(struct roster *roster)
{
    registry_of(roster, 6);
}

/* As a hash any function of the bytes will do that no test makes collide. */
static void hash_of(uint8_t out[FEW_HASH_BYTES], const uint8_t *data, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    memset(out, 0, FEW_HASH_BYTES);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ data[i]) * UINT64_C(1099511628211);
    le64_store(out, hash);
}

/* Distinct groups that count of all studies so far. */
static size_t distinct(const struct few *few)
{
    size_t n = 0;
    for (size_t a = 0; a < few->hashes.length; a += FEW_HASH_BYTES) {
        bool before = false;
        for (size_t b = 0; b < a; b += FEW_HASH_BYTES)
            before = before || memcmp(few->hashes.data + a, few->hashes.data + b, FEW_HASH_BYTES) == 0;
        n += !before;
    }
    return n;
}

/* No plans count more than is said before it is asked: this one, and one that hides all where fewer sites are
 * left. */
static void at_most(const struct rounds *rounds)
{
    enum { CELLS_MAX = 4096 };
    static const uint8_t nothing[CELLS_MAX];
    struct maille_error error = {0};
    struct few alone = {0};
    struct plan later = rounds->plan;
    struct plan_analysis analyses[16];
    const uint8_t *kept[TALLY_BLOCKS_MAX];
    size_t most;
    assert_in_range(later.n, 1, 16);
    for (size_t b = 0; b < TALLY_BLOCKS_MAX; b++)
        kept[b] = nothing;
    for (size_t k = 0; k < later.n; k++) {
        analyses[k] = rounds->plan.analyses[k];
        analyses[k].surviving.kept = kept;
        for (size_t b = 0; b < analyses[k].surviving.n_blocks && analyses[k].n_cells != NULL; b++)
            assert_in_range(analyses[k].n_cells[b], 0, CELLS_MAX);
    }
    later.analyses = analyses;
    assert_ok(few_add_plan(&alone, &rounds->threshold, &rounds->plan, hash_of, &error), &error);
    assert_ok(few_add_plan(&alone, &rounds->threshold, &later, hash_of, &error), &error);
    assert_ok(few_most(&most, &rounds->threshold, hash_of, &error), &error);
    assert_in_range(distinct(&alone), 0, most);
    few_clear(&alone);
}

/* What there is, in all, once a study has been asked too. */
static size_t counted_under(struct few *few, const struct roster *roster, const char *policy_text,
                            const char *head, const char *analysis)
{
    struct maille_error error = {0};
    struct rounds rounds;
    const struct study *study = roster_study(roster, head, analysis);
    const struct policy *policy = roster_policy(roster, policy_text);
    assert_ok(rounds_run(&rounds, roster, study, policy, NULL, NULL, 0, &error), &error);
    assert_ok(few_add_plan(few, &rounds.threshold, &rounds.plan, hash_of, &error), &error);
    at_most(&rounds);
    rounds_clear(&rounds);
    return distinct(few);
}

static size_t counted(struct few *few, const struct roster *roster, const char *head, const char *analysis)
{
    return counted_under(few, roster, "policy: open\nmin_cell: 11\nmin_patients: 30\nmax_site_share: 1\n",
                         head, analysis);
}

/* Six sites that each object to everything, as one that lies may: refusals and nulls, and nothing that
 * counts; but what is below its limit counts whatever else refuses it. */
static void vetoes_count_for_nothing(void **state)
{
    (void)state;
    static const char policy[] = "policy: open\nmin_cell: 11\nmin_patients: 30\nmax_site_share: 0.1\n";
    static const char all[] = "derive:\n  old: cut(age, c(-1, 30, 50, 99))\n";
    static const char by[] = "  - { id: x, method: count, by: [old] }\n";
    struct roster roster;
    struct few few = {0};
    registry(&roster);
    assert_int_equal(counted_under(&few, &roster, policy, all, by), 0);
    assert_int_equal(
        counted_under(&few, &roster, policy, "cohort: age < 60\n", "  - { id: x, method: count }\n"), 0);
    assert_int_equal(
        counted_under(&few, &roster, policy, "cohort: age < 23\n", "  - { id: x, method: count }\n"), 1);
    few_clear(&few);
    roster_clear(&roster);
}

static void groups_count_once(void **state)
{
    (void)state;
    struct roster roster;
    struct few few = {0};
    registry(&roster);
    static const struct {
        const char *head, *analysis;
        size_t all;
    } asked[] = {
        /* the dictionary's own groups over everybody: a null that nobody chose */
        {"", "  - { id: x, method: count, by: [arm] }\n", 0},
        {"", "  - { id: x, method: count, by: [sex] }\n", 0},
        /* a cohort that is refused, whatever is asked of it and however it is called */
        {"cohort: age < 23\n", "  - { id: x, method: count, by: [sex] }\n", 1},
        {"cohort: age < 23\n", "  - { id: y, method: count, by: [sex] }\n", 1},
        {"cohort: age < 24\n", "  - { id: y, method: count, by: [sex] }\n", 2},
        /* a cohort of the study's words: a table with nulls counts once; not that nobody lacks a value */
        {"cohort: age < 70\n", "  - { id: x, method: count, by: [arm] }\n", 3},
        {"cohort: age < 70\n", "  - { id: y, method: count, by: [arm] }\n", 3},
        {"cohort: age < 69\n", "  - { id: x, method: count, by: [arm] }\n", 4},
        {"cohort: age < 69\n", "  - { id: x, method: count, by: [sex] }\n", 4}, /* no level is hidden */
        /* how many lack a value: where they are 1 to 10, once a cohort, of whatever variable and method */
        {"cohort: age < 69\n", "  - { id: x, method: count, by: [stage] }\n", 4}, /* 15: shown */
        {"cohort: age < 69\n", "  - { id: x, method: count, by: [grade] }\n", 5},
        {"cohort: age < 69\n", "  - { id: x, method: describe, variables: [stage, grade] }\n", 5},
        {"cohort: age < 69\n", "  - { id: x, method: describe, variables: [grade] }\n", 5},
        {"cohort: age < 30\n", "  - { id: x, method: describe, variables: [grade, stage, sex] }\n", 6},
        {"cohort: age >= 28\n", "  - { id: x, method: describe, variables: [grade] }\n", 6}, /* nobody */
        {"", "  - { id: x, method: count, by: [grade] }\n", 6},                              /* not its own */
        /* levels of the study's words: each that is hidden; not what must go with it */
        {"derive:\n  old: cut(age, c(-1, 21, 50, 99))\n", "  - { id: x, method: count, by: [old] }\n", 7},
        {"derive:\n  late: cut(age, c(-1, 21, 50, 99))\n", "  - { id: x, method: count, by: [late] }\n", 7},
        {"derive:\n  old: cut(age, c(-1, 22, 50, 99))\n", "  - { id: x, method: count, by: [old] }\n", 7},
        /* whom breaks leave out, where the dictionary's bounds do not say that there is nobody */
        {"derive:\n  old: cut(age, c(0, 22, 50, 99))\n", "  - { id: x, method: count, by: [old] }\n", 8},
        /* several levels are a group that the study made; one, or all but one, is the dictionary's */
        {"", "  - { id: x, method: count, by: [sex], cohort: 'arm == \"c\"' }\n", 9}, /* refused */
        {"derive:\n  some: arm != \"c\"\n", "  - { id: x, method: count, by: [some] }\n", 10},
        {"derive:\n  some: arm == \"c\"\n", "  - { id: x, method: count, by: [some] }\n", 10},
        {"derive:\n  some: place %in% c(\"p\", \"q\")\n", "  - { id: x, method: count, by: [some] }\n", 11},
        {"derive:\n  some: place %in% c(\"p\", \"r\")\n", "  - { id: x, method: count, by: [some] }\n",
         11} /* nothing is hidden */,
        /* who has a value of the study's own making is a choice (whom the breaks leave
         * out, once; and a null); who has one of the dictionary's is not */
        {"derive:\n  g: cut(age, c(60, 99))\ncohort: \"!is_missing(g)\"\n",
         "  - { id: x, method: count, by: [sex] }\n", 12},
        {"derive:\n  g: cut(age, c(60, 99))\ncohort: \"!is_missing(g)\"\n", "  - { id: x, method: count }\n",
         12},
        {"derive:\n  g: cut(age, c(60, 99))\ncohort: \"!is_missing(g)\"\n",
         "  - { id: x, method: count, by: [arm] }\n", 13},
        {"cohort: \"!is_missing(stage)\"\n", "  - { id: x, method: count, by: [arm] }\n", 13},
        /* events of a status of the dictionary, by its own arm */
        {"", "  - { id: x, method: cuminc, formula: \"Surv(time, fate) ~ arm\" }\n", 13},
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const size_t found = counted(&few, &roster, asked[i].head, asked[i].analysis);
        if (found != asked[i].all)
            fail_msg("%zu: %s%s: expected %zu groups in all, found %zu", i, asked[i].head, asked[i].analysis,
                     asked[i].all, found);
    }
    few_clear(&few);
    roster_clear(&roster);
}

/* Values that nobody lacks count for nothing where the sites know that nobody does: by a pooled count, or by
 * the word of T2 for it. Among four sites it is a veto only, and counts. */
static void nobody_lacks_it(void **state)
{
    (void)state;
    static const char total[] = "policy: open\nmin_cell: 11\nmin_patients: 30\nmax_site_share: 1\n";
    static const char local[] =
        "policy: open\nmin_cell: 11\nmin_patients: 30\nmax_site_share: 1\ncell_rule: local\n";
    static const char sex[] = "  - { id: x, method: count, by: [sex] }\n";
    static const char grade[] = "  - { id: x, method: count, by: [grade] }\n";
    static const struct {
        size_t n_sites;
        const char *policy, *analysis;
        size_t all;
    } asked[] = {{6, total, sex, 0},   {6, total, grade, 1}, {6, local, sex, 0},
                 {6, local, grade, 1}, {4, total, sex, 1},   {4, total, grade, 1}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct roster roster;
        struct few few = {0};
        registry_of(&roster, asked[i].n_sites);
        const size_t found =
            counted_under(&few, &roster, asked[i].policy, "cohort: age < 70\n", asked[i].analysis);
        if (found != asked[i].all)
            fail_msg("%zu: expected %zu groups, found %zu", i, asked[i].all, found);
        few_clear(&few);
        roster_clear(&roster);
    }
}

/* Kept across an end of the program; an opening begins anew, and what counted before counts no more. */
static void openings(void **state)
{
    (void)state;
    struct maille_error error = {0};
    char path[512], command[700];
    struct ledger *ledger = NULL;
    int64_t n = -1;
    struct few few = {0};
    test_path(path, "few");
    snprintf(command, sizeof command, "rm -f '%s'*", path);
    assert_int_equal(system(command), 0);
    for (uint8_t which = 1; which <= 3; which++) {
        uint8_t hash[FEW_HASH_BYTES];
        memset(hash, which, sizeof hash);
        bytes_put(&few.hashes, hash, sizeof hash);
        bytes_put(&few.hashes, hash, sizeof hash);
    }
    assert_ok(ledger_open(&ledger, path, &error), &error);
    assert_ok(ledger_few_add(ledger, "HDH-1", 0, &few, 4, &error), &error);
    assert_ok(ledger_few_add(ledger, "HDH-1", 0, &few, 4, &error), &error);
    ledger_close(ledger);
    assert_ok(ledger_open(&ledger, path, &error), &error);
    assert_ok(ledger_few_count(&n, ledger, "HDH-1", 0, 9, &error), &error);
    assert_int_equal(n, 3);
    assert_ok(ledger_few_count(&n, ledger, "HDH-2", 0, 9, &error), &error);
    assert_int_equal(n, 0);
    assert_ok(ledger_few_count(&n, ledger, "HDH-1", 1, 9, &error), &error);
    assert_int_equal(n, 0);
    assert_ok(ledger_few_add(ledger, "HDH-1", 1, &few, 4, &error), &error); /* known: costs nothing */
    assert_ok(ledger_few_count(&n, ledger, "HDH-1", 1, 9, &error), &error);
    assert_int_equal(n, 0);
    few.hashes.data[0] ^= 1; /* another */
    assert_ok(ledger_few_add(ledger, "HDH-1", 1, &few, 4, &error), &error);
    assert_ok(ledger_few_count(&n, ledger, "HDH-1", 1, 9, &error), &error);
    assert_int_equal(n, 1);
    assert_ok(ledger_few_count(&n, ledger, "HDH-1", 0, 9, &error),
              &error); /* a directory with fewer openings */
    assert_int_equal(n, 4);
    ledger_close(ledger);
    few_clear(&few);
}

static const struct ledger_few_closed *unnoted(struct ledger *ledger, struct arena *arena)
{
    struct maille_error error = {0};
    const struct ledger_few_closed *closed;
    assert_ok(ledger_few_unnoted(&closed, arena, ledger, &error), &error);
    return closed;
}

/* An alarm waits from the group on that closes an opening until it is noted, and never comes again. */
static void closing_is_noted_once(void **state)
{
    (void)state;
    struct maille_error error = {0};
    char path[512], command[700];
    struct ledger *ledger = NULL;
    struct arena *arena = arena_new();
    struct few few = {0};
    uint8_t hash[FEW_HASH_BYTES] = {0};
    int64_t n = -1;
    test_path(path, "closing");
    snprintf(command, sizeof command, "rm -f '%s'*", path);
    assert_int_equal(system(command), 0);
    assert_ok(ledger_open(&ledger, path, &error), &error);
    for (uint8_t which = 1; which <= 5; which++) {
        hash[0] = which;
        bytes_put(&few.hashes, hash, sizeof hash);
        assert_ok(ledger_few_add(ledger, "HDH-1", 2, &few, 4, &error), &error);
        assert_true((unnoted(ledger, arena) != NULL) == (which >= 4));
    }
    ledger_close(ledger); /* before anybody noted it */
    assert_ok(ledger_open(&ledger, path, &error), &error);
    const struct ledger_few_closed *closed = unnoted(ledger, arena);
    assert_non_null(closed);
    assert_string_equal(closed->registration, "HDH-1");
    assert_int_equal(closed->opening, 2);
    assert_int_equal(closed->limit, 4);
    assert_ok(ledger_few_noted(ledger, closed, &error), &error);
    assert_null(unnoted(ledger, arena));
    assert_ok(ledger_few_add(ledger, "HDH-1", 2, &few, 4, &error), &error);
    assert_null(unnoted(ledger, arena));
    assert_ok(ledger_few_count(&n, ledger, "HDH-1", 2, 4, &error), &error); /* no more than is asked */
    assert_int_equal(n, 4);
    for (uint8_t which = 6; which <= 9; which++) { /* the next opening: it may close again */
        hash[0] = which;
        bytes_put(&few.hashes, hash, sizeof hash);
    }
    assert_ok(ledger_few_add(ledger, "HDH-1", 3, &few, 4, &error), &error);
    assert_non_null(unnoted(ledger, arena));
    ledger_close(ledger);
    few_clear(&few);
    arena_free(arena);
}

/* Everybody, then those of the directory; who asks for one is compared with those before it. */
static void published_cohorts(void **state)
{
    (void)state;
    struct roster roster;
    struct maille_error error = {0};
    struct published published;
    struct threshold threshold = {0};
    static const struct published_cohort list[] = {
        {"old", "age >= 50"}, {"wrong", "heght > 3"}, {"older", "age >= 51"}};
    static const struct {
        const char *head;
        size_t pairs; /* of the cohort */
    } asked[] = {{"", 0}, {"cohort: age >= 50\n", 1}, {"cohort: age >= 51\n", 2}, {"cohort: age >= 52\n", 3}};
    const bool open[] = {true};
    registry(&roster);
    const struct policy *policy = roster_policy(&roster, "policy: standard\n");
    assert_ok(published_make(&published, roster.arena, roster.dictionary, list, 3, &error), &error);
    assert_int_equal(published.n, 3); /* a dictionary that has no such variable has no such cohort */
    assert_string_equal(published.list[0].name, "everybody");
    assert_int_equal(published_check(roster.dictionary, &list[1], &error), MAILLE_INVALID);
    assert_ok(published_check(roster.dictionary, &list[0], &error), &error);
    const struct threshold_past past = published_past(&published);
    assert_false(threshold_before(policy, &past, 1));
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const struct study *study =
            roster_study(&roster, asked[i].head, "  - { id: x, method: describe, variables: [age] }\n");
        size_t n = 0;
        assert_ok(threshold_init(&threshold, study, open, policy, 6, &past, 1, &error), &error);
        for (size_t p = 0; p < threshold.pairs[THRESHOLD_FIRST].n; p++) {
            n += threshold.groups[threshold.pairs[THRESHOLD_FIRST].list[p].group].part == 0;
            assert_false(threshold_near(&threshold, policy, THRESHOLD_FIRST, p, 0)); /* the same patients */
            assert_true(threshold_near(&threshold, policy, THRESHOLD_FIRST, p, 10));
        }
        assert_int_equal(n, asked[i].pairs);
        threshold_clear(&threshold);
    }
    roster_clear(&roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_count_once), cmocka_unit_test(vetoes_count_for_nothing),
        cmocka_unit_test(openings),          cmocka_unit_test(closing_is_noted_once),
        cmocka_unit_test(published_cohorts), cmocka_unit_test(nobody_lacks_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
