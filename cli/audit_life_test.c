/* What the register says of a question: what happened to it last. Entries are as vault/log.c writes them. */
#include <string.h>
#include <unistd.h>

#include "audit/testing.h"
#include "base/json.h"
#include "cli/audit_book.h"

static struct testing site;

static const struct audit_rule passed_cox[] = {{"methods", "cox", "passed", "methods: all"}};
static const struct audit_rule passed_two[] = {{"methods", "cox", "passed", "methods: all"},
                                               {"methods", "n", "passed", "methods: all"}};
static const struct audit_rule refused_cox[] = {{"finest_grid", "cox", "refused", "month"}};
static const struct audit_rule few_cox[] = {{"min_patients", "cox", "refused", "30"}};
static const struct audit_rule vetoed_cox[] = {{"domain", "cox", "vetoed", "a logarithm"}};
static const struct audit_rule whole[] = {{"purposes", "", "refused", "purposes: care"}};
static const struct audit_released released[] = {
    {"cox", "cox", "sums", 1, 0, 8, 0, "", "", "age"},
};

/* One entry of a story. */
struct told {
    enum audit_direction direction;
    const char *message, *detail, *decision;
    const struct audit_rule *rules;
    size_t n_rules;
    uint64_t bytes; /* of a vector; 0: none */
    uint32_t round;
};
#define RULES(list) list, sizeof(list) / sizeof *(list)
#define ASKED                                                                                                \
    {                                                                                                        \
        AUDIT_IN, "manifest", "", NULL, NULL, 0, 0, 0                                                        \
    }
#define END                                                                                                  \
    {                                                                                                        \
        AUDIT_IN, "end", "", NULL, NULL, 0, 0, 0                                                             \
    }
#define NOTE(what, detail)                                                                                   \
    {                                                                                                        \
        AUDIT_NOTE, what, detail, NULL, NULL, 0, 0, 0                                                        \
    }
#define OUT(what, detail)                                                                                    \
    {                                                                                                        \
        AUDIT_OUT, what, detail, NULL, NULL, 0, 0, 0                                                         \
    }
#define READY(decision, rules)                                                                               \
    {                                                                                                        \
        AUDIT_OUT, "ready", decision, decision, RULES(rules), 0, 0                                           \
    }
#define PERSON(decision, reason)                                                                             \
    {                                                                                                        \
        AUDIT_NOTE, "approval", reason, decision, NULL, 0, 0, 0                                              \
    }
#define LEFT(round, detail)                                                                                  \
    {                                                                                                        \
        AUDIT_OUT, "masked", detail, NULL, NULL, 0, 100, round                                               \
    }
#define THRESHOLD LEFT(1, "head counts, for the sites alone")
#define PLAN(rules)                                                                                          \
    {                                                                                                        \
        AUDIT_OUT, "taken", "the plan", "planned", RULES(rules), 0, 0                                        \
    }
#define RESULT(names) OUT("result", "results of round 2, to the researcher: " names)

static const struct story {
    const char *name;
    struct told told[12];
    enum book_outcome outcome;
    const char *rule, *approver, *decided_by, *steps;
    uint64_t bytes, threshold_bytes;
} stories[] = {
    {"asked", {ASKED}, OUTCOME_ASKED, "", "", "", "asked", 0, 0},
    {"accepted", {ASKED, READY("ready", passed_cox)}, OUTCOME_ACCEPTED, "", "", "", "asked, accepted", 0, 0},
    {"refused as a whole",
     {ASKED, READY("refused", whole), NOTE("erased", "refused")},
     OUTCOME_REFUSED,
     "purposes",
     "",
     "",
     "asked, refused",
     0,
     0},
    {"refused in words alone",
     {ASKED, OUT("ready", "refused: queries_max: too many"), END},
     OUTCOME_REFUSED,
     "queries_max",
     "",
     "",
     "asked, refused, ended",
     0,
     0},
    {"every analysis refused at once",
     {ASKED, READY("ready", refused_cox), END},
     OUTCOME_REFUSED,
     "finest_grid",
     "",
     "",
     "asked, refused, ended",
     0,
     0},
    {"refused by the totals, later",
     {ASKED, READY("ready", passed_cox), NOTE("joined", ""), THRESHOLD, PLAN(few_cox), RESULT("cox"), END},
     OUTCOME_REFUSED,
     "min_patients",
     "",
     "",
     "asked, accepted, run, left, refused, ended",
     100,
     100},
    {"in part",
     {ASKED, READY("ready", passed_two), NOTE("joined", ""), THRESHOLD, PLAN(few_cox), LEFT(2, "round 2"),
      RESULT("cox, n"), END},
     OUTCOME_IN_PART,
     "min_patients",
     "",
     "",
     "asked, accepted, run, left, refused, left, results, ended",
     200,
     100},
    {"vetoed: noise left",
     {ASKED,
      READY("ready", passed_cox),
      NOTE("joined", ""),
      {AUDIT_OUT, "masked", "round 1", NULL, RULES(vetoed_cox), 100, 1},
      END},
     OUTCOME_REFUSED,
     "domain",
     "",
     "",
     "asked, accepted, run, left, refused, ended",
     100,
     0},
    {"held", {ASKED, READY("held", passed_cox)}, OUTCOME_HELD, "", "", "", "asked, held", 0, 0},
    {"denied",
     {ASKED,
      READY("held", passed_cox),
      PERSON("denied", "no opinion"),
      OUT("ready", "refused: approval"),
      {AUDIT_IN, "cancel", "", NULL, NULL, 0, 0, 0}},
     OUTCOME_DENIED,
     "approval",
     "",
     "officer",
     "asked, held, denied, withdrawn",
     0,
     0},
    {"approved",
     {ASKED, READY("held", passed_cox), PERSON("approved", "read"), OUT("ready", "ready: approved"),
      OUT("ready", "again")},
     OUTCOME_APPROVED,
     "",
     "officer",
     "officer",
     "asked, held, approved",
     0,
     0},
    {"approved, then refused in a round",
     {ASKED,
      READY("held", passed_cox),
      PERSON("approved", "read"),
      OUT("ready", "ready: approved"),
      NOTE("joined", ""),
      {AUDIT_OUT, "refuse", "refused", "refused", RULES(few_cox), 0, 1},
      END},
     OUTCOME_REFUSED,
     "min_patients",
     "officer",
     "officer",
     "asked, held, approved, run, refused, ended",
     0,
     0},
    {"approved, void, held again, denied",
     {ASKED, READY("held", passed_cox), PERSON("approved", "read"),
      NOTE("approval", "void: the snapshot, the policy or the build is another one"),
      READY("held", passed_cox), PERSON("denied", "no")},
     OUTCOME_DENIED,
     "approval",
     "",
     "officer",
     "asked, held, approved, void, held, denied",
     0,
     0},
    {"stopped after it ran",
     {ASKED, READY("held", passed_cox), PERSON("approved", "read"), NOTE("joined", ""), LEFT(1, "round 1"),
      PERSON("stopped", "a complaint"), OUT("cancel", "approval")},
     OUTCOME_STOPPED,
     "approval",
     "",
     "officer",
     "asked, held, approved, run, left, stopped, cancelled",
     100,
     0},
    {"a snapshot ended it",
     {ASKED, READY("ready", passed_cox), OUT("accept", "snapshot 3, 4 earlier questions"), NOTE("joined", ""),
      LEFT(1, "round 1"), OUT("cancel", "snapshot")},
     OUTCOME_CANCELLED,
     "snapshot",
     "",
     "",
     "asked, accepted, run, left, cancelled",
     100,
     0},
    {"answered; what is sent again has left once",
     {ASKED, READY("ready", passed_cox), NOTE("joined", ""), LEFT(1, "round 1"), OUT("masked", "again"),
      RESULT("cox"), END},
     OUTCOME_ANSWERED,
     "",
     "",
     "",
     "asked, accepted, run, left, results, ended",
     100,
     0},
    {"runs",
     {ASKED, READY("ready", passed_cox), NOTE("joined", ""), THRESHOLD},
     OUTCOME_RUNNING,
     "",
     "",
     "",
     "asked, accepted, run, left",
     100,
     100},
    {"withdrawn",
     {ASKED, READY("ready", passed_cox), {AUDIT_IN, "cancel", "", NULL, NULL, 0, 0, 0}},
     OUTCOME_WITHDRAWN,
     "",
     "",
     "",
     "asked, accepted, withdrawn",
     0,
     0},
    {"answered as before",
     {ASKED, READY("ready", passed_cox), NOTE("joined", ""), THRESHOLD, RESULT("cox (2026-11-29)"), END},
     OUTCOME_ANSWERED,
     "",
     "",
     "",
     "asked, accepted, run, left, results, ended",
     100,
     100},
};
enum { STORIES = sizeof stories / sizeof *stories };

static void write_story(struct audit_log *log, const struct story *story, uint8_t number)
{
    static const uint8_t hash[32] = {1};
    struct maille_error error = {0};
    uint8_t qid[32] = {number};
    for (size_t i = 0; story->told[i].message != NULL; i++) {
        const struct told *told = &story->told[i];
        const bool person = told->decision != NULL && strcmp(told->message, "approval") == 0;
        const bool manifest = strcmp(told->message, "manifest") == 0;
        const struct audit_entry entry = {.direction = told->direction,
                                          .message = told->message,
                                          .peer = manifest ? "alice" : "coordinator",
                                          .qid = qid,
                                          .detail = told->detail,
                                          .requester = manifest ? (number % 2 == 0 ? "alice" : "bob") : NULL,
                                          .study = manifest ? "s1: a title" : NULL,
                                          .purpose = manifest ? "care" : NULL,
                                          .decision = told->decision,
                                          .n_rules = told->n_rules,
                                          .rules = told->rules,
                                          .round = told->round,
                                          .vector_bytes = told->bytes,
                                          .n_released = told->bytes > 0 && told->round > 0,
                                          .released = released,
                                          .approver = person ? "officer" : NULL,
                                          .approver_key = person ? hash : NULL};
        assert_ok(audit_append(log, &entry, &error), &error);
    }
    assert_ok(audit_sync(log, &error), &error);
}

static int setup(void **state)
{
    if (testing_start(state) != 0)
        return 1;
    testing_begin(&site, "alpha", true);
    struct audit_log *log = testing_open(&site);
    for (size_t i = 0; i < STORIES; i++)
        write_story(log, &stories[i], (uint8_t)(i + 1));
    audit_close(log);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    testing_end(&site);
    return 0;
}

static void test_outcomes(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct book book;
    struct arena *arena = arena_new();
    assert_non_null(arena);
    assert_ok(book_read(&book, arena, site.folder, NULL, NULL, &error), &error);
    assert_int_equal(book.n_queries, STORIES);
    for (size_t i = 0; i < STORIES; i++) {
        const struct story *story = &stories[i];
        const struct book_query *query = &book.queries[i];
        const char *steps = "";
        for (size_t k = 0; k < query->n_steps; k++)
            steps =
                arena_printf(arena, "%s%s%s", steps, k > 0 ? ", " : "", book_step_name(query->steps[k].kind));
        if (query->outcome != story->outcome || strcmp(query->outcome_rule, story->rule) != 0 ||
            strcmp(query->approver, story->approver) != 0 ||
            strcmp(query->decided_by, story->decided_by) != 0 || strcmp(steps, story->steps) != 0 ||
            query->bytes != story->bytes || query->threshold_bytes != story->threshold_bytes)
            fail_msg(
                "%s: found %s under \"%s\", approved by \"%s\", decided by \"%s\", %llu bytes, %llu of them "
                "for the sites alone; %s",
                story->name, book_outcome_name(query->outcome), query->outcome_rule, query->approver,
                query->decided_by, (unsigned long long)query->bytes,
                (unsigned long long)query->threshold_bytes, steps);
        for (int language = 0; language < LANGUAGES; language++) {
            assert_true(word_of_outcome((enum language)language, query->outcome)[0] != '\0');
            for (size_t k = 0; k < query->n_steps; k++)
                assert_true(word_of_step(arena, (enum language)language, &query->steps[k])[0] != '\0');
        }
        /* Neither a refused nor a denied study reads as if it had been let through. */
        if (story->outcome == OUTCOME_REFUSED || story->outcome == OUTCOME_DENIED)
            assert_null(strstr(word_of_outcome(LANGUAGE_EN, query->outcome), "ccepted"));
    }
    assert_int_equal(book.queries[14].snapshot, 3);
    arena_free(arena);
}

static void test_filters(void **state)
{
    (void)state;
    static const struct {
        struct book_filter filter;
        size_t n;
    } cases[] = {{{0}, STORIES},
                 {{.researcher = "alice"}, STORIES / 2},
                 {{.researcher = "carol"}, 0},
                 {{.purpose = "care", .study = "s1"}, STORIES},
                 {{.study = "s"}, 0},
                 {{.since = "2000-01-01", .until = "2000-01-02"}, 0},
                 {{.since = "2000-01-01"}, STORIES}};
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    assert_non_null(arena);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct book book;
        assert_ok(book_read(&book, arena, site.folder, NULL, NULL, &error), &error);
        assert_ok(book_keep(&book, &cases[i].filter, &error), &error);
        assert_int_equal(book.n_queries, cases[i].n);
    }
    struct book book;
    assert_ok(book_read(&book, arena, site.folder, NULL, NULL, &error), &error);
    const struct book_filter wrong = {.since = "last month"};
    assert_int_equal(book_keep(&book, &wrong, &error), MAILLE_INVALID);
    assert_non_null(
        strstr(error.sentence, "expected --since as a day such as 2026-10-01, found \"last month\""));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_outcomes), cmocka_unit_test(test_filters)};
    return cmocka_run_group_tests(tests, setup, finish);
}
