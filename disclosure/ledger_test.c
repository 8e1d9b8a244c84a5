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

static void reserve(struct ledger *ledger, const struct ledger_question *question)
{
    struct maille_error error = {0};
    assert_ok(ledger_reserve(ledger, question, &error), &error);
}

static void show(struct ledger *ledger, const uint8_t *query, const uint32_t *sites, size_t n_sites)
{
    struct maille_error error = {0};
    static const uint32_t all[] = {0, 1, 2, 3};
    assert_ok(ledger_roster(ledger, query, sites, n_sites, NULL, &error), &error);
    assert_ok(ledger_commit(ledger, query, all, 4, &error), &error);
}

/* By how many the group of query `now` differs from that of `then`. view 0: by rows, 1: by patients. */
static int64_t differs(struct ledger *ledger, unsigned now, unsigned then, int view)
{
    struct maille_error error = {0};
    struct part_difference found;
    const struct ledger_pair pair = {.query = qid(then)};
    assert_ok(ledger_differences(&found, ledger, qid(now), &pair, 1, INT64_MAX, &error), &error);
    return found.by[view];
}

/* How many earlier queries are listed for query i; the first of them. */
static size_t listed(struct ledger_past *first, struct ledger *ledger, unsigned i, uint32_t epoch)
{
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct ledger_past *list = NULL;
    size_t n = 0;
    assert_ok(ledger_list(&list, &n, arena, ledger, qid(i), epoch, 1, &error), &error);
    if (n > 0 && first != NULL) {
        static uint8_t shown;
        *first = list[0];
        shown = first->shown.data[0];
        first->shown = (struct byte_view){&shown, 1};
    }
    arena_free(arena);
    return n;
}

/* --- tests --- */

/* Symmetric, exact, of distinct patients; nobody; a group that is not here. */
static void differences_are_symmetric(void **state)
{
    (void)state;
    static const struct {
        size_t from, to;
    } cases[] = {{0, 100000}, {0, 99999}, {1, 100000}, {0, 100010}, {11, 100011}, {50000, 60000}, {0, 0}};
    char path[512];
    struct ledger *ledger = fresh("differ", path);
    struct maille_error error = {0};
    struct ledger_group group;
    uint8_t *bits = calloc(1, BYTES);
    struct ledger_question question = question_of(1, &group, range(everyone_bits, 0, 100000));
    reserve(ledger, &question);
    show(ledger, qid(1), six, 6);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t from = (int64_t)cases[i].from, to = (int64_t)cases[i].to;
        int64_t common = (to < 100000 ? to : 100000) - from;
        common = common > 0 ? common : 0;
        question = question_of(2, &group, range(bits, cases[i].from, cases[i].to));
        reserve(ledger, &question);
        for (int view = 0; view < 2; view++)
            assert_int_equal(differs(ledger, 2, 1, view), to - from - common + 100000 - common);
        const struct ledger_pair nobody = {.query = NULL};
        struct part_difference found;
        assert_ok(ledger_differences(&found, ledger, qid(2), &nobody, 1, INT64_MAX, &error), &error);
        assert_int_equal(found.by[0], to - from);
        assert_int_equal(differs(ledger, 2, 9, 0), -1);
        assert_ok(ledger_release(ledger, qid(2), &error), &error);
        assert_int_equal(differs(ledger, 2, 1, 0), -1);
    }
    ledger_close(ledger);
    free(bits);
}

/* A reservation is seen by nobody, whoever is in it; what is pooled while its query is open, until a plan
 * leaves it; what was shown for ever. */
static void only_what_is_shown_is_listed(void **state)
{
    (void)state;
    static const uint32_t zero = 0;
    char path[512];
    struct ledger *ledger = fresh("listed", path);
    struct maille_error error = {0};
    struct ledger_group group;
    struct ledger_past past;
    uint8_t *bits = calloc(1, BYTES);
    struct ledger_question question = question_of(1, &group, range(bits, 0, 5000));
    for (unsigned i = 1; i <= 3; i += 2) {
        question = question_of(i, &group, range(bits, 0, 5000));
        reserve(ledger, &question);
        assert_ok(ledger_roster(ledger, qid(i), six, 6, NULL, &error), &error);
        assert_int_equal(listed(NULL, ledger, 2, 0), 0);
        assert_ok(ledger_pool(ledger, qid(i), &zero, 1, &error), &error);
        assert_int_equal(listed(NULL, ledger, 2, 0), 1);
        assert_ok(ledger_plan(ledger, qid(i), &zero, 1, NULL, NULL, &error), &error);
        assert_int_equal(listed(&past, ledger, 2, 0), 1);
        assert_memory_equal(past.query, qid(i), LEDGER_QUERY_BYTES);
        assert_int_equal(past.shown.data[0], 1);
        assert_int_equal(past.n_sites, 6);
        assert_int_equal(past.snapshot, question.snapshot);
        assert_int_equal(listed(NULL, ledger, i, 0), 0); /* not of itself */
        if (i == 1) {
            assert_ok(ledger_release(ledger, qid(1), &error), &error);
            assert_int_equal(listed(NULL, ledger, 2, 0), 0);
        }
    }
    assert_ok(ledger_plan(ledger, qid(3), &zero, 1, NULL, NULL, &error), &error);
    assert_ok(ledger_commit(ledger, qid(3), &zero, 1, &error), &error);
    assert_ok(ledger_release(ledger, qid(3), &error), &error);
    assert_int_equal(listed(&past, ledger, 2, 0), 1);
    assert_fails(ledger_reserve(ledger, &question, &error), MAILLE_INTERNAL, &error, "answered");
    ledger_close(ledger);
    free(bits);
}

/* The same group of the same sites and snapshots is listed once, whoever asked for it: with the query whose
 * bytes are least. Another scene, another group, one that is not shown, and one of which nothing is known are
 * listed each for itself. */
static void the_same_group_is_listed_once(void **state)
{
    (void)state;
    static const uint32_t zero = 0;
    static const uint8_t canon[2][LEDGER_HASH_BYTES] = {{1}, {2}}, scene[2][LEDGER_HASH_BYTES] = {{3}, {4}};
    static const struct {
        unsigned qid;
        const uint8_t *canon, *scene;
        bool shown;
        size_t listed;
    } cases[] = {{70, canon[0], scene[0], true, 1}, {60, canon[0], scene[0], true, 1},
                 {80, canon[0], scene[0], true, 1}, {81, canon[0], scene[1], true, 2},
                 {82, canon[1], scene[0], true, 3}, {83, NULL, scene[0], true, 4},
                 {84, canon[0], NULL, true, 5},     {50, canon[0], scene[0], false, 6},
                 {51, canon[0], scene[0], true, 6}};
    char path[512];
    struct ledger *ledger = fresh("once", path);
    struct maille_error error = {0};
    struct ledger_group group;
    struct ledger_past first;
    struct arena *arena = arena_new();
    const uint8_t *queries;
    size_t n = 0;
    uint8_t *bits = calloc(1, BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ledger_question question = question_of(cases[i].qid, &group, range(bits, 0, 1000));
        group.canon = cases[i].canon;
        reserve(ledger, &question);
        assert_ok(ledger_roster(ledger, qid(cases[i].qid), six, 6, cases[i].scene, &error), &error);
        assert_ok(cases[i].shown ? ledger_commit(ledger, qid(cases[i].qid), &zero, 1, &error)
                                 : ledger_pool(ledger, qid(cases[i].qid), &zero, 1, &error),
                  &error);
        assert_int_equal(listed(&first, ledger, 1, 0), cases[i].listed);
        if (i == 1)
            assert_memory_equal(first.query, qid(60), LEDGER_QUERY_BYTES);
    }
    /* Not while it may not be shown everywhere yet. */
    struct ledger_past *list;
    assert_ok(ledger_list(&list, &n, arena, ledger, qid(1), 0, 0, &error), &error);
    assert_int_equal(n, sizeof cases / sizeof *cases);
    assert_ok(ledger_queries(&queries, &n, arena, ledger, qid(1), 0, &error), &error);
    assert_int_equal(n, sizeof cases / sizeof *cases);
    arena_free(arena);
    ledger_close(ledger);
    free(bits);
}

/* This epoch and the one before it; nothing of those before. */
static void epochs_are_left_behind(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("epochs", path);
    struct ledger_group group;
    uint8_t *bits = calloc(1, BYTES);
    for (unsigned epoch = 0; epoch < 4; epoch++) {
        struct ledger_question question = question_of(10 + epoch, &group, range(bits, 0, 1000));
        question.epoch = epoch;
        reserve(ledger, &question);
        show(ledger, qid(10 + epoch), six, 6);
        assert_int_equal(listed(NULL, ledger, 30, epoch), epoch == 0 ? 1 : 2);
    }
    ledger_close(ledger);
    free(bits);
}

/* Of two that are counted at once the second is told to ask again. One that comes between the pooling of
 * another and its plan is compared with it. */
static void no_two_are_counted_at_once(void **state)
{
    (void)state;
    static const uint32_t zero = 0;
    char path[512];
    struct ledger *ledger = fresh("races", path);
    struct maille_error error = {0};
    struct ledger_group group;
    uint8_t *bits = calloc(1, BYTES);
    for (unsigned i = 40; i < 43; i++) {
        struct ledger_question question = question_of(i, &group, range(bits, 0, 1000));
        reserve(ledger, &question);
    }
    assert_ok(ledger_pool(ledger, qid(40), &zero, 1, &error), &error);
    assert_ok(ledger_pool(ledger, qid(40), &zero, 1, &error), &error); /* idempotent */
    assert_int_equal(ledger_pool(ledger, qid(41), &zero, 1, &error), MAILLE_REFUSED);
    assert_string_equal(error.rule, "again");
    struct ledger_past past;
    struct ledger_question question = question_of(43, &group, range(bits, 0, 1000));
    reserve(ledger, &question);
    assert_int_equal(listed(&past, ledger, 43, 0), 1);
    assert_memory_equal(past.query, qid(40), LEDGER_QUERY_BYTES);
    assert_ok(ledger_pool(ledger, qid(43), &zero, 1, &error), &error);
    /* What its plan leaves is compared with nothing any more, and is never shown. */
    assert_ok(ledger_plan(ledger, qid(40), NULL, 0, NULL, NULL, &error), &error);
    assert_ok(ledger_commit(ledger, qid(40), &zero, 1, &error), &error);
    assert_int_equal(listed(&past, ledger, 44, 0), 1);
    assert_memory_equal(past.query, qid(43), LEDGER_QUERY_BYTES);
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
    static const uint32_t zero = 0;
    char path[512];
    struct ledger *ledger = fresh("sweep", path);
    struct maille_error error = {0};
    struct ledger_group group;
    uint8_t *bits = calloc(1, BYTES);
    for (unsigned i = 2; i <= 4; i++) {
        struct ledger_question question = question_of(i, &group, range(bits, 0, 1000));
        reserve(ledger, &question);
        if (i == 2)
            show(ledger, qid(2), six, 6);
        else
            assert_ok(ledger_plan(ledger, qid(i), &zero, 1, NULL, NULL, &error), &error);
    }
    assert_int_equal(listed(NULL, ledger, 9, 0), 3);
    assert_ok(ledger_sweep(ledger, only_three, NULL, &error), &error);
    assert_int_equal(listed(NULL, ledger, 9, 0), 2);
    ledger_close(ledger);
    free(bits);
}

/* Snapshot 2: everybody's row has changed and one patient is gone. By row all differ; by patient one does. */
static void snapshots_are_compared_by_patient_too(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("snapshots", path);
    struct ledger_group group;
    uint8_t *before = calloc(1, BYTES), *rows = calloc(1, BYTES), *patients = calloc(1, BYTES);
    struct ledger_question question = question_of(1, &group, range(before, 1, 501));
    reserve(ledger, &question);
    show(ledger, qid(1), six, 6);
    question = question_of(2, &group, range(rows, 1001, 1500));
    group.patients = range(patients, 1, 500);
    question.snapshot = 2;
    reserve(ledger, &question);
    assert_int_equal(differs(ledger, 2, 1, 0), 999);
    assert_int_equal(differs(ledger, 2, 1, 1), 1);
    ledger_close(ledger);
    free(before);
    free(rows);
    free(patients);
}

/* Patients with several rows: against a count by hand, over random groups. */
static void distinct_patients_are_counted(void **state)
{
    (void)state;
    enum { ROWS = 3000, ROUNDS = 40 };
    char path[512];
    struct ledger *ledger = fresh("persons", path);
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
        for (uint32_t r = 1; r < ROWS; r++)
            if (rand() % drop != 0) {
                rows[r / 8] |= (uint8_t)(1u << r % 8);
                patients[person[r] / 8] |= (uint8_t)(1u << person[r] % 8);
            }
        struct ledger_question question = question_of(i, &group, (struct ledger_set){rows, BYTES});
        group.patients = (struct ledger_set){patients, BYTES};
        question.persons = persons;
        question.n_persons = ROWS;
        reserve(ledger, &question);
        for (unsigned j = 0; j < i; j++) {
            const uint8_t *then = sets + 2 * j * BYTES;
            int64_t only[2] = {0, 0};
            uint32_t last[2] = {0, 0};
            for (uint32_t r = 1; r < ROWS; r++) {
                int a = rows[r / 8] >> r % 8 & 1, b = then[r / 8] >> r % 8 & 1;
                if (a == b || last[b] == person[r])
                    continue;
                only[b]++;
                last[b] = person[r];
            }
            assert_int_equal(differs(ledger, i, j, 0), only[0] + only[1]);
        }
    }
    ledger_close(ledger);
    free(person);
    free(persons);
    free(sets);
}

static void budgets_count_questions_once(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh("budget", path);
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
        reserve(ledger, &question);
        show(ledger, question.query, six, 6);
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
            struct ledger_group group;
            static const uint32_t first = 0, site = 1;
            if (ledger_open(&ledger, path, &error) != MAILLE_OK)
                _exit(1);
            for (unsigned i = 20 * round; i < 20 * (round + 1); i++) {
                uint8_t number = (uint8_t)i;
                struct ledger_question question =
                    question_of(i, &group, range(bits, i * 100, i * 100 + 50000));
                if (ledger_reserve(ledger, &question, &error) != MAILLE_OK ||
                    ledger_roster(ledger, qid(i), &site, 1, NULL, &error) != MAILLE_OK ||
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
        assert_ok(ledger_open(&ledger, path, &error), &error);
        for (unsigned i = 20 * round; i <= last;
             i++) { /* all of each: its own group against itself is none */
            struct ledger_group group;
            struct ledger_question question = question_of(250, &group, range(bits, i * 100, i * 100 + 50000));
            reserve(ledger, &question);
            assert_int_equal(differs(ledger, 250, i, 0), 0);
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
            assert_true((difference.only_now == only[0] && difference.only_then == only[1]) ||
                        difference.only_now >= K || difference.only_then >= K);
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
        cmocka_unit_test(differences_are_symmetric),
        cmocka_unit_test(only_what_is_shown_is_listed),
        cmocka_unit_test(the_same_group_is_listed_once),
        cmocka_unit_test(epochs_are_left_behind),
        cmocka_unit_test(no_two_are_counted_at_once),
        cmocka_unit_test(a_start_releases_what_is_not_open),
        cmocka_unit_test(snapshots_are_compared_by_patient_too),
        cmocka_unit_test(distinct_patients_are_counted),
        cmocka_unit_test(budgets_count_questions_once),
        cmocka_unit_test(a_killed_process_loses_nothing),
        cmocka_unit_test(files_are_private_and_checked),
        cmocka_unit_test(tiles_never_overstate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
