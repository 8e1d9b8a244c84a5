#include "base/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disclosure/ledger_private.h"

enum { K = 11, NUMBERS = 150000, BYTES = NUMBERS / 8 };

/* --- a question by hand --- */

static uint8_t everyone_bits[BYTES];

static struct ledger_set range(uint8_t *bits, size_t from, size_t to)
{
    memset(bits, 0, BYTES);
    for (size_t n = from; n < to; n++)
        bits[n / 8] |= (uint8_t)(1u << n % 8);
    return (struct ledger_set){bits, BYTES};
}

static const uint32_t six[] = {1, 2, 3, 4, 5, 6};

static uint8_t qids[256][LEDGER_QUERY_BYTES], questions[256][LEDGER_HASH_BYTES];

static const uint8_t *qid(unsigned i)
{
    memset(qids[i], (int)i, LEDGER_QUERY_BYTES);
    return qids[i];
}

/* One group, of analysis 0, by the six sites, on snapshot 1, everybody with one row. */
static struct ledger_question question_of(unsigned i, struct ledger_group *group, struct ledger_set set)
{
    memset(questions[i], (int)(i ^ 0x55), LEDGER_HASH_BYTES);
    *group = (struct ledger_group){.reading = MISSING_STUDY, .rows = set, .patients = set};
    return (struct ledger_question){.query = qid(i),
                                    .question = questions[i],
                                    .snapshot = 1,
                                    .protocol = "p",
                                    .researcher = "alice",
                                    .sites = six,
                                    .n_sites = 6,
                                    .groups = group,
                                    .n_groups = 1,
                                    .now_ms = 1};
}

static struct ledger *fresh(const char *name, char *path)
{
    struct ledger *ledger = NULL;
    struct maille_error error = {0};
    char beside[600];
    test_path(path, name);
    unlink(path);
    snprintf(beside, sizeof beside, "%s-wal", path);
    unlink(beside);
    snprintf(beside, sizeof beside, "%s-shm", path);
    unlink(beside);
    assert_ok(ledger_open(&ledger, path, &error), &error);
    return ledger;
}

static size_t reserve(struct ledger *ledger, struct ledger_reference *entries,
                      const struct ledger_question *question)
{
    struct maille_error error = {0};
    size_t n = 0;
    assert_ok(ledger_reserve(entries, &n, ledger, question, K, &error), &error);
    return n;
}

static void answer(struct ledger *ledger, const uint8_t *query, const uint32_t *sites, size_t n_sites,
                   bool inferred)
{
    struct maille_error error = {0};
    static const uint32_t all[] = {0, 1, 2, 3};
    struct ledger_member members[16];
    for (size_t i = 0; i < n_sites; i++)
        members[i] = (struct ledger_member){.site = sites[i], .may_be_inferred = inferred};
    assert_ok(ledger_roster(ledger, query, members, n_sites, MISSING_STUDY, &error), &error);
    assert_ok(ledger_commit(ledger, query, all, 4, &error), &error);
}

/* --- tests --- */

/* 1 … k − 1 in either direction is listed; 0 and k are not. */
static void what_differs_by_a_few_is_listed(void **state)
{
    (void)state;
    static const struct {
        size_t from, to;
        bool listed;
    } cases[] = {{0, 100000, false}, {0, 99999, true},      {0, 99990, true},   {0, 99989, false},
                 {1, 100000, true},  {0, 100010, true},     {0, 100011, false}, {11, 100011, false},
                 {11, 100001, true}, {50000, 60000, false}, {0, 0, false},      {0, 10, false}};
    char path[512];
    struct ledger *ledger = fresh("few", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
    struct maille_error error = {0};
    struct ledger_group group;
    uint8_t *bits = calloc(1, BYTES);
    struct ledger_question question = question_of(1, &group, range(everyone_bits, 0, 100000));
    assert_int_equal(reserve(ledger, entries, &question), 0);
    answer(ledger, qid(1), six, 6, false);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        question = question_of(2, &group, range(bits, cases[i].from, cases[i].to));
        size_t n = reserve(ledger, entries, &question);
        if (n != cases[i].listed)
            fail_msg("case %zu: expected %d entries, found %zu", i, cases[i].listed, n);
        if (n == 1) {
            assert_memory_equal(entries[0].query, qid(1), LEDGER_QUERY_BYTES);
            assert_int_equal(entries[0].group, 0);
        }
        struct threshold_difference difference;
        struct ledger_reference entry = {.group = 0};
        memcpy(entry.query, qid(1), LEDGER_QUERY_BYTES);
        assert_ok(ledger_differences(&difference, ledger, qid(2), &entry, 1, 1, &error), &error);
        size_t common = cases[i].to < 100000 ? cases[i].to : 100000;
        common = common > cases[i].from ? common - cases[i].from : 0;
        assert_int_equal(difference.only_now, (int64_t)(cases[i].to - cases[i].from - common));
        assert_int_equal(difference.only_then, (int64_t)(100000 - common));
        assert_ok(ledger_release(ledger, qid(2), &error), &error);
    }
    ledger_close(ledger);
    free(bits);
}

/* In flight, two queries see each other; what ended without an answer is forgotten, what was answered is not.
 */
static void reservations_are_seen_and_released(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("reserved", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
    struct maille_error error = {0};
    struct ledger_group group;
    uint8_t *bits = calloc(1, BYTES);
    struct ledger_question question = question_of(1, &group, range(everyone_bits, 0, 5000));
    assert_int_equal(reserve(ledger, entries, &question), 0);
    question = question_of(2, &group, range(bits, 0, 4999));
    assert_int_equal(reserve(ledger, entries, &question), 1);
    assert_int_equal(reserve(ledger, entries, &question), 1); /* again: replaces itself */
    assert_ok(ledger_release(ledger, qid(1), &error), &error);
    assert_int_equal(reserve(ledger, entries, &question), 0);
    question = question_of(3, &group, range(everyone_bits, 0, 5000));
    assert_int_equal(reserve(ledger, entries, &question), 1);
    answer(ledger, qid(2), six, 6, false);
    assert_ok(ledger_release(ledger, qid(2), &error), &error);
    assert_ok(ledger_release(ledger, qid(2), &error), &error);
    assert_int_equal(reserve(ledger, entries, &question), 1);
    assert_ok(ledger_release(ledger, qid(9), &error), &error); /* not known */
    /* A query that was answered cannot be reserved again. */
    size_t n;
    question = question_of(2, &group, range(bits, 0, 4999));
    assert_fails(ledger_reserve(entries, &n, ledger, &question, K, &error), MAILLE_INTERNAL, &error,
                 "answered");
    ledger_close(ledger);
    free(bits);
}

static bool only_three(const void *context, const uint8_t *query)
{
    (void)context;
    return query[0] == 3;
}

static void a_start_releases_what_is_not_open(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("sweep", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
    struct maille_error error = {0};
    struct ledger_group group;
    uint8_t *bits = calloc(1, BYTES);
    for (unsigned i = 1; i <= 3; i++) {
        struct ledger_question question = question_of(i, &group, range(bits, 0, 1000));
        assert_int_equal(reserve(ledger, entries, &question), 0);
    }
    answer(ledger, qid(2), six, 6, false);
    assert_ok(ledger_sweep(ledger, only_three, NULL, &error), &error);
    struct ledger_question question = question_of(4, &group, range(bits, 0, 999));
    assert_int_equal(reserve(ledger, entries, &question), 2);
    assert_int_equal(entries[0].query[0], 2);
    assert_int_equal(entries[1].query[0], 3);
    ledger_close(ledger);
    free(bits);
}

/* The same question to the same sites on the same snapshot lists nothing of what was answered to it; anything
 * else of it changed does. */
static void the_same_question_is_answered_again(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("again", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
    struct ledger_group groups[2];
    uint8_t *bits = calloc(1, BYTES), *other = calloc(1, BYTES);
    struct maille_error error = {0};
    struct ledger_question question = question_of(1, groups, range(bits, 0, 1000));
    assert_int_equal(reserve(ledger, entries, &question), 0);
    answer(ledger, qid(1), six, 6, true);
    question = question_of(2, groups, range(other, 0, 995));
    assert_int_equal(reserve(ledger, entries, &question), 1);
    answer(ledger, qid(2), six, 6, false); /* as if the pooled difference had allowed it */
    for (int change = 0; change < 5; change++) {
        question = question_of(3, groups, range(bits, 0, 1000));
        groups[1] = groups[0];
        groups[1].analysis = 1;
        question.question = change == 1 ? questions[9] : questions[1];
        question.snapshot = change == 2 ? 2 : 1;
        question.n_sites = change == 3 ? 5 : 6;
        question.n_groups = change == 4 ? 2 : 1; /* an analysis that was not answered then */
        size_t n = reserve(ledger, entries, &question);
        assert_int_equal(n, change == 0 ? 0 : change == 2 ? 2 : 1);
        assert_ok(ledger_release(ledger, qid(3), &error), &error);
    }
    ledger_close(ledger);
    free(bits);
    free(other);
}

/* Analyses of one study among themselves; a reading that the roster does not choose is forgotten. */
static void analyses_of_one_study_are_compared(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("study", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
    struct threshold_difference differences[3];
    struct maille_error error = {0};
    struct ledger_group groups[6];
    uint8_t *bits = calloc(1, BYTES), *some = calloc(1, BYTES);
    const struct ledger_member members[] = {{1, false}, {2, false}, {3, false}};
    struct ledger_question question = question_of(1, groups, range(bits, 0, 1000));
    range(some, 0, 996); /* complete cases of a model */
    for (unsigned g = 0; g < 6; g++) {
        groups[g] = groups[0];
        groups[g].analysis = g % 3;
        groups[g].reading = g < 3 ? MISSING_ANALYSIS : MISSING_STUDY;
    }
    groups[2].rows = groups[2].patients = (struct ledger_set){some, BYTES}; /* analysis 2, reading analysis */
    question.n_groups = 6;
    assert_int_equal(reserve(ledger, entries, &question), 2);
    for (uint32_t e = 0; e < 2; e++) {
        assert_memory_equal(entries[e].query, qid(1), LEDGER_QUERY_BYTES);
        assert_int_equal(entries[e].group, e);
    }
    for (int reading = MISSING_STUDY; reading >= MISSING_ANALYSIS; reading--) {
        reserve(ledger, entries, &question);
        assert_ok(ledger_roster(ledger, qid(1), members, 3, (enum missing_rule)reading, &error), &error);
        assert_ok(ledger_differences(differences, ledger, qid(1), &entries[1], 1, 3, &error), &error);
        for (int k = 0; k < 3; k++) {
            assert_int_equal(differences[k].only_now, 0);
            assert_int_equal(differences[k].only_then, k == 2 && reading == MISSING_ANALYSIS ? 4 : 0);
        }
    }
    ledger_close(ledger);
    free(bits);
    free(some);
}

/* Snapshot 2: everybody's row has changed and one patient is gone. By row all differ; by patient one does. */
static void snapshots_are_compared_by_patient_too(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("snapshots", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
    struct threshold_difference difference;
    struct maille_error error = {0};
    struct ledger_group group;
    uint8_t *before = calloc(1, BYTES), *rows = calloc(1, BYTES), *patients = calloc(1, BYTES);
    struct ledger_question question = question_of(1, &group, range(before, 1, 501));
    assert_int_equal(reserve(ledger, entries, &question), 0);
    answer(ledger, qid(1), six, 6, false);
    question = question_of(2, &group, range(rows, 1001, 1500));
    group.patients = range(patients, 1, 500);
    question.snapshot = 2;
    assert_int_equal(reserve(ledger, entries, &question), 1);
    assert_int_equal(entries[0].group, LEDGER_BY_PATIENT);
    assert_ok(ledger_differences(&difference, ledger, qid(2), entries, 1, 1, &error), &error);
    assert_int_equal(difference.only_now, 0);
    assert_int_equal(difference.only_then, 1);
    entries[0].group = 0;
    assert_ok(ledger_differences(&difference, ledger, qid(2), entries, 1, 1, &error), &error);
    assert_int_equal(difference.only_now, 499);
    assert_int_equal(difference.only_then, 500);
    /* Not known here: nobody then. */
    memset(entries[0].query, 0xee, LEDGER_QUERY_BYTES);
    assert_ok(ledger_differences(&difference, ledger, qid(2), entries, 1, 1, &error), &error);
    assert_int_equal(difference.only_now, 499);
    assert_int_equal(difference.only_then, 0);
    ledger_close(ledger);
    free(before);
    free(rows);
    free(patients);
}

/* Patients with several rows: against a count by hand, over random groups. */
static void distinct_patients_are_counted(void **state)
{
    (void)state;
    enum { ROWS = 3000, ROUNDS = 60 };
    char path[512];
    struct ledger *ledger = fresh("persons", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
    struct maille_error error = {0};
    uint32_t *person = calloc(ROWS, sizeof *person);
    uint8_t *sets = calloc(2 * ROUNDS, BYTES), *persons = calloc(ROWS, 4);
    srand(7);
    for (uint32_t r = 1; r < ROWS; r++) {
        person[r] = r == 1 || rand() % 3 == 0 ? r : person[r - 1];
        for (int b = 0; b < 4; b++)
            persons[4 * r + (unsigned)b] = (uint8_t)(person[r] >> 8 * b);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t *rows = sets + 2 * i * BYTES, *patients = rows + BYTES;
        struct ledger_group group;
        int drop = i % 4 == 0 ? 2 : 300;
        size_t listed = 0, n;
        for (uint32_t r = 1; r < ROWS; r++)
            if (rand() % drop != 0) {
                rows[r / 8] |= (uint8_t)(1u << r % 8);
                patients[person[r] / 8] |= (uint8_t)(1u << person[r] % 8);
            }
        struct ledger_question question = question_of(i, &group, (struct ledger_set){rows, BYTES});
        group.patients = (struct ledger_set){patients, BYTES};
        question.persons = persons;
        question.n_persons = ROWS;
        n = reserve(ledger, entries, &question);
        for (unsigned j = 0; j < i; j++) {
            const uint8_t *then = sets + 2 * j * BYTES;
            int64_t only[2] = {0, 0};
            uint32_t last[2] = {0, 0};
            struct threshold_difference difference;
            struct ledger_reference entry = {.group = 0};
            memcpy(entry.query, qid(j), LEDGER_QUERY_BYTES);
            for (uint32_t r = 1; r < ROWS; r++) {
                int a = rows[r / 8] >> r % 8 & 1, b = then[r / 8] >> r % 8 & 1;
                if (a == b || last[b] == person[r])
                    continue;
                only[b]++;
                last[b] = person[r];
            }
            assert_ok(ledger_differences(&difference, ledger, qid(i), &entry, 1, 1, &error), &error);
            assert_int_equal(difference.only_now, only[0]);
            assert_int_equal(difference.only_then, only[1]);
            bool close = (only[0] > 0 && only[0] < K) || (only[1] > 0 && only[1] < K), found = false;
            for (size_t e = 0; e < n; e++)
                found = found || memcmp(entries[e].query, qid(j), LEDGER_QUERY_BYTES) == 0;
            assert_int_equal(found, close);
            listed += close;
        }
        assert_int_equal(n, listed);
    }
    ledger_close(ledger);
    free(person);
    free(persons);
    free(sets);
}

/* own_totals: the same group, a roster that differs by 1 to 4 sites, one of which does not want its totals
 * inferred. */
static void rosters_that_show_a_site_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t then[12], now[12];
        size_t n_then, n_now;
        bool inferred_then, inferred_now, same_group, refused;
    } cases[] = {
        {{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}, 6, 6, false, false, true, false},
        {{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5}, 6, 5, false, false, true, true},
        {{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5}, 6, 5, false, true, true, true}, /* the one that has gone did not
                                                                                 say so */
        {{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5}, 6, 5, true, false, true, false},
        {{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 6}, 5, 6, false, false, true, true},
        {{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 6}, 5, 6, false, true, true, false},
        {{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 6}, 5, 6, false, false, false, false}, /* another question */
        {{1, 2, 3}, {3, 4, 5}, 3, 3, false, false, true, true},                  /* four */
        {{1, 2, 3, 4}, {4, 5, 6}, 4, 3, false, false, true, false},              /* five */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        struct ledger *ledger = fresh("rosters", path);
        struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
        struct maille_error error = {0};
        struct ledger_group group;
        struct ledger_member members[12];
        uint8_t *bits = calloc(1, BYTES);
        struct ledger_question question = question_of(1, &group, range(bits, 0, 100));
        reserve(ledger, entries, &question);
        answer(ledger, qid(1), cases[i].then, cases[i].n_then, cases[i].inferred_then);
        question = question_of(2, &group, range(bits, 0, cases[i].same_group ? 100 : 50));
        reserve(ledger, entries, &question);
        for (size_t k = 0; k < cases[i].n_now; k++)
            members[k] = (struct ledger_member){cases[i].now[k], cases[i].inferred_now};
        enum maille_code code = ledger_roster(ledger, qid(2), members, cases[i].n_now, MISSING_STUDY, &error);
        if (code != (cases[i].refused ? MAILLE_REFUSED : MAILLE_OK))
            fail_msg("case %zu: %s", i, error.sentence);
        if (cases[i].refused)
            assert_string_equal(error.rule, "own_totals");
        ledger_close(ledger);
        free(bits);
    }
}

/* Head counts that were pooled among the sites show a site to the others as an answer would to the
 * researcher; nothing else of a query without an answer stays. */
static void rosters_of_pooled_head_counts_are_kept(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("pooled", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
    struct maille_error error = {0};
    struct ledger_group group;
    uint8_t *bits = calloc(1, BYTES);
    const struct ledger_member members[] = {{1, false}, {2, false}, {3, false},
                                            {4, false}, {5, false}, {6, false}};
    static const uint32_t analyses[] = {0};
    for (unsigned pooled = 0; pooled < 2; pooled++) {
        struct ledger_question question = question_of(1, &group, range(bits, 0, 100));
        reserve(ledger, entries, &question);
        assert_ok(ledger_roster(ledger, qid(1), members, 6, MISSING_STUDY, &error), &error);
        for (unsigned again = 0; again < 2 * pooled; again++)
            assert_ok(ledger_pool(ledger, qid(1), analyses, 1, &error), &error);
        question = question_of(2, &group, range(bits, 0, 99));
        assert_int_equal(reserve(ledger, entries, &question),
                         1); /* while it is open it may still be answered */
        assert_ok(ledger_release(ledger, qid(2), &error), &error);
        assert_ok(pooled ? ledger_sweep(ledger, only_three, NULL, &error)
                         : ledger_release(ledger, qid(1), &error),
                  &error);
        assert_int_equal(reserve(ledger, entries, &question), 0);
        assert_ok(ledger_release(ledger, qid(2), &error), &error);
        int64_t tables, models;
        assert_ok(ledger_spent(&tables, &models, ledger, &question, &error), &error);
        assert_int_equal(tables + models, 0);
        question = question_of(9, &group, range(bits, 0, 100));
        reserve(ledger, entries, &question);
        assert_ok(ledger_roster(ledger, qid(9), members, 6, MISSING_STUDY, &error), &error);
        if (pooled)
            assert_fails(ledger_roster(ledger, qid(9), members, 5, MISSING_STUDY, &error), MAILLE_REFUSED,
                         &error, "totals");
        else
            assert_ok(ledger_roster(ledger, qid(9), members, 5, MISSING_STUDY, &error), &error);
        assert_ok(ledger_release(ledger, qid(9), &error), &error);
    }
    /* A pooled group that is answered is as any that is. */
    struct ledger_question question = question_of(4, &group, range(bits, 0, 80));
    reserve(ledger, entries, &question);
    assert_ok(ledger_roster(ledger, qid(4), members, 6, MISSING_STUDY, &error), &error);
    assert_ok(ledger_pool(ledger, qid(4), analyses, 1, &error), &error);
    assert_ok(ledger_commit(ledger, qid(4), analyses, 1, &error), &error);
    assert_ok(ledger_pool(ledger, qid(4), analyses, 1, &error), &error);
    assert_ok(ledger_release(ledger, qid(4), &error), &error);
    question = question_of(2, &group, range(bits, 0, 79));
    assert_int_equal(reserve(ledger, entries, &question), 1);
    ledger_close(ledger);
    free(bits);
}

/* What a site said the last time is what holds once it has gone. */
static void the_last_word_of_a_site_holds(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("last", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
    struct maille_error error = {0};
    struct ledger_group group;
    uint8_t *bits = calloc(1, BYTES);
    const struct ledger_member five[] = {{1, false}, {2, false}, {3, false}, {4, false}, {5, false}};
    for (unsigned i = 1; i <= 3; i++) {
        struct ledger_question question = question_of(i, &group, range(bits, 0, 100));
        reserve(ledger, entries, &question);
        answer(ledger, qid(i), six, 6, i == 2);
        question = question_of(9, &group, range(bits, 0, 100));
        reserve(ledger, entries, &question);
        assert_int_equal(ledger_roster(ledger, qid(9), five, 5, MISSING_STUDY, &error),
                         i == 2 ? MAILLE_OK : MAILLE_REFUSED);
        assert_ok(ledger_release(ledger, qid(9), &error), &error);
    }
    ledger_close(ledger);
    free(bits);
}

static void budgets_count_questions_once(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("budget", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
    struct maille_error error = {0};
    struct ledger_group groups[3];
    uint8_t *bits = calloc(1, BYTES);
    int64_t tables, models;
    for (unsigned i = 1; i <= 3; i++) {
        struct ledger_question question = question_of(i, groups, range(bits, 0, 1000));
        for (unsigned g = 0; g < 3; g++) {
            groups[g] = groups[0];
            groups[g].analysis = g;
            groups[g].is_model = g == 2;
        }
        question.n_groups = 3;
        question.question = questions[i == 3 ? 1 : i]; /* the third is the first again */
        question.snapshot = 1;
        assert_ok(ledger_spent(&tables, &models, ledger, &question, &error), &error);
        assert_int_equal(tables, i == 1 ? 0 : 2);
        assert_int_equal(models, i == 1 ? 0 : 1);
        reserve(ledger, entries, &question);
        answer(ledger, question.query, six, 6, false);
    }
    struct ledger_question question = question_of(4, groups, range(bits, 0, 1000));
    assert_ok(ledger_spent(&tables, &models, ledger, &question, &error), &error);
    assert_int_equal(tables, 4);
    assert_int_equal(models, 2);
    question.researcher = "bob";
    assert_ok(ledger_spent(&tables, &models, ledger, &question, &error), &error);
    assert_int_equal(tables + models, 0);
    question.researcher = "alice";
    question.snapshot = 2;
    assert_ok(ledger_spent(&tables, &models, ledger, &question, &error), &error);
    assert_int_equal(tables + models, 0);
    question.snapshot = 1;
    question.protocol = "q";
    assert_ok(ledger_spent(&tables, &models, ledger, &question, &error), &error);
    assert_int_equal(tables + models, 0);
    ledger_close(ledger);
    free(bits);
}

/* More than the messages have room for: the same first ones every time, and their number. */
static void too_many_are_counted(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("many", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX], again[THRESHOLD_LEDGER_MAX];
    uint8_t *bits = calloc(1, BYTES);
    struct ledger_group *groups = calloc(STUDY_ANALYSES_MAX, sizeof *groups);
    struct ledger_question question;
    for (unsigned i = 1; i <= 2; i++) { /* by analysis, all of one group */
        question = question_of(i, groups, range(bits, 0, 1000));
        for (unsigned g = 0; g < 200; g++) {
            groups[g] = groups[0];
            groups[g].analysis = g;
        }
        question.n_groups = 200;
        assert_int_equal(reserve(ledger, entries, &question), 0);
    }
    question = question_of(3, groups, range(bits, 0, 999));
    assert_int_equal(reserve(ledger, entries, &question), 400);
    assert_int_equal(reserve(ledger, again, &question), 400);
    assert_memory_equal(entries, again, sizeof entries);
    for (size_t e = 1; e < THRESHOLD_LEDGER_MAX; e++)
        assert_true(ledger_reference_compare(&entries[e - 1], &entries[e]) < 0);
    ledger_close(ledger);
    free(bits);
    free(groups);
}

/* A network that has grown by many sites: also what did not change here may have changed there. */
static void many_new_sites_are_looked_at(void **state)
{
    (void)state;
    static const uint32_t eleven[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    char path[512];
    struct ledger *ledger = fresh("grown", path);
    struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
    struct ledger_group group;
    uint8_t *bits = calloc(1, BYTES);
    struct ledger_question question = question_of(1, &group, range(bits, 0, 1000));
    reserve(ledger, entries, &question);
    answer(ledger, qid(1), six, 6, false);
    question = question_of(2, &group, range(bits, 0, 1000));
    question.sites = eleven;
    for (question.n_sites = 6; question.n_sites <= 11; question.n_sites++)
        assert_int_equal(reserve(ledger, entries, &question), question.n_sites == 11);
    ledger_close(ledger);
    free(bits);
}

/* Killed at any moment: what a call returned is there, and nothing is half there. */
static void a_killed_process_loses_nothing(void **state)
{
    (void)state;
    char path[512];
    uint8_t *bits = calloc(1, BYTES);
    ledger_close(fresh("killed", path));
    for (unsigned round = 0; round < 4; round++) {
        int done[2];
        assert_int_equal(pipe(done), 0);
        pid_t child = fork();
        if (child == 0) {
            struct ledger *ledger = NULL;
            struct maille_error error;
            struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
            struct ledger_group group;
            size_t n;
            static const uint32_t first = 0;
            if (ledger_open(&ledger, path, &error) != MAILLE_OK)
                _exit(1);
            for (unsigned i = 20 * round; i < 20 * (round + 1); i++) {
                uint8_t number = (uint8_t)i;
                struct ledger_question question =
                    question_of(i, &group, range(bits, i * 100, i * 100 + 50000));
                const struct ledger_member member = {.site = 1};
                if (ledger_reserve(entries, &n, ledger, &question, K, &error) != MAILLE_OK ||
                    ledger_roster(ledger, qid(i), &member, 1, MISSING_STUDY, &error) != MAILLE_OK ||
                    ledger_commit(ledger, qid(i), &first, 1, &error) != MAILLE_OK ||
                    write(done[1], &number, 1) != 1)
                    _exit(2);
            }
            _exit(0);
        }
        close(done[1]);
        uint8_t last = 0, number;
        unsigned n = 0;
        while (n < 2 + 3 * round && read(done[0], &number, 1) == 1) {
            last = number;
            n++;
        }
        kill(child, SIGKILL);
        while (read(done[0], &number, 1) == 1)
            last = number;
        assert_int_equal(waitpid(child, NULL, 0), child);
        close(done[0]);
        struct ledger *ledger = NULL;
        struct maille_error error = {0};
        struct ledger_reference entry = {.group = 0};
        struct threshold_difference difference;
        assert_ok(ledger_open(&ledger, path, &error), &error);
        for (unsigned i = 20 * round; i <= last;
             i++) { /* all of each: its own group against itself is none */
            struct ledger_group group;
            struct ledger_reference entries[THRESHOLD_LEDGER_MAX];
            struct ledger_question question = question_of(250, &group, range(bits, i * 100, i * 100 + 50000));
            reserve(ledger, entries, &question);
            memcpy(entry.query, qid(i), LEDGER_QUERY_BYTES);
            assert_ok(ledger_differences(&difference, ledger, qid(250), &entry, 1, 1, &error), &error);
            assert_int_equal(difference.only_now + difference.only_then, 0);
            assert_ok(ledger_release(ledger, qid(250), &error), &error);
        }
        ledger_close(ledger);
    }
    free(bits);
}

static void files_are_private_and_checked(void **state)
{
    (void)state;
    char path[512];
    struct stat status;
    struct ledger *ledger = fresh("files", path);
    struct maille_error error = {0};
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    ledger_close(ledger);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fputs("this is no database", file);
    fclose(file);
    assert_fails(ledger_open(&ledger, path, &error), MAILLE_CORRUPT, &error, "ledger");
}

/* Tiles: what the counts say is never more than what is there, and exact where it claims so. */
static void tiles_never_overstate(void **state)
{
    (void)state;
    struct maille_error error = {0};
    uint8_t *bits[2] = {calloc(1, BYTES), calloc(1, BYTES)};
    srand(3);
    for (int round = 0; round < 200; round++) {
        struct plain_set sets[2];
        int64_t only[2] = {0, 0};
        for (int s = 0; s < 2; s++) {
            size_t from = (size_t)rand() % NUMBERS, to = from + (size_t)rand() % (NUMBERS - from);
            struct ledger_set set = range(bits[s], from, to);
            for (int i = 0; i < rand() % 40; i++)
                bits[s][rand() % BYTES] ^= (uint8_t)rand();
            assert_ok(plain_set_fill(&sets[s], &set, true, &error), &error);
        }
        for (size_t i = 0; i < BYTES; i++) {
            only[0] += __builtin_popcount(bits[0][i] & ~bits[1][i]);
            only[1] += __builtin_popcount(bits[1][i] & ~bits[0][i]);
        }
        struct difference difference = {.limit = K, .now_single = true, .then_single = true};
        if (difference_by_tiles(&difference, &sets[0].tiles, sets[1].tiles.data, sets[1].tiles.length)) {
            assert_true(difference.only_now <= only[0] && difference.only_then <= only[1]);
            assert_true(difference.only_now == only[0] || (difference.only_now >= K && only[0] >= K));
            assert_true(difference.only_then == only[1] || (difference.only_then >= K && only[1] >= K));
        }
        plain_set_clear(&sets[0]);
        plain_set_clear(&sets[1]);
    }
    free(bits[0]);
    free(bits[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_differs_by_a_few_is_listed),
        cmocka_unit_test(reservations_are_seen_and_released),
        cmocka_unit_test(rosters_of_pooled_head_counts_are_kept),
        cmocka_unit_test(a_start_releases_what_is_not_open),
        cmocka_unit_test(the_same_question_is_answered_again),
        cmocka_unit_test(analyses_of_one_study_are_compared),
        cmocka_unit_test(snapshots_are_compared_by_patient_too),
        cmocka_unit_test(distinct_patients_are_counted),
        cmocka_unit_test(rosters_that_show_a_site_are_refused),
        cmocka_unit_test(the_last_word_of_a_site_holds),
        cmocka_unit_test(budgets_count_questions_once),
        cmocka_unit_test(too_many_are_counted),
        cmocka_unit_test(many_new_sites_are_looked_at),
        cmocka_unit_test(a_killed_process_loses_nothing),
        cmocka_unit_test(files_are_private_and_checked),
        cmocka_unit_test(tiles_never_overstate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
