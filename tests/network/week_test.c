/* What a network keeps of a question that is over. Many questions of one network in one process; bytes in use
 * are the C library's own count: those of a coordinator, three vaults with their ledgers and logs, and the
 * agent together, without SQLite's caches of pages and without what was freed. MAILLE_QUESTIONS=2000: a week
 * of them. */
#include "tests/network/testing.h"

#include <malloc.h>
#include <sqlite3.h>

enum {
    SITES_ASKED = 3,
    QUESTIONS = 15,
    LET_GO_MS = 90 * 1000,
    /* While what is bounded still fills (heads and proofs of other logs: audit/log.h), four parties together.
     */
    KEPT_BYTES = 64 * 1024
};

static const char question[] = "  - { id: n, method: count, by: [chemo] }\n";

static size_t in_use(void)
{
    const struct mallinfo2 facts = mallinfo2();
    return facts.uordblks + facts.hblkhd - (size_t)sqlite3_memory_used();
}

/* What is in use once the question is over, told, and let go by everybody. */
static size_t after_one(struct play *play)
{
    struct maille_error error = {0};
    play_ask(play, question);
    if (play_run(play, TESTING_LIMIT_MS, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_int_equal(agent_study_run(play_agent(play))->states[0].status, ANALYSIS_OK);
    play_wait(play, LET_GO_MS);
    return in_use();
}

static void little_is_kept_of_a_question(void **state)
{
    (void)state;
    const char *many = getenv("MAILLE_QUESTIONS");
    const unsigned questions = many != NULL ? (unsigned)strtoul(many, NULL, 10) : QUESTIONS;
    struct play *play =
        play_new(&(struct play_options){.seed = 950, .n_sites = SITES_ASKED, .study = question});
    size_t first = 0, last = 0;
    for (unsigned i = 1; i <= questions; i++) {
        last = after_one(play);
        if (i == questions / 3)
            first = last;
        if (i % 10 == 0)
            print_message("%u questions: %zu bytes in use, SQLite %lld\n", i, last,
                          (long long)sqlite3_memory_used());
    }
    const size_t grown = last > first ? last - first : 0;
    print_message("%zu bytes a question\n", grown / (questions - questions / 3));
    assert_true(grown / (questions - questions / 3) < KEPT_BYTES);
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(little_is_kept_of_a_question)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
