/* Every field of every message wrong in every way, and every message lost, late, repeated, another query's or
 * signed by another, one lie at a time (README.md). */
#include "tests/liars/liars.h"

/* --- why a lie that nobody notices does no harm --- */

enum { ANYBODY = PLAY_PARTIES };
static const struct reason {
    size_t to;
    enum query_mode mode;   /* 0: both */
    enum message_kind kind; /* 0: all */
    const char *name;       /* the end of the field's, or (ending with '/') something in it; NULL: all */
    const char *why;
} reasons[] = {
    {ANYBODY, 0, 0, ".qid", "of another query, or of none: let go, and what was missing is sent again"},
    {ANYBODY, 0, 0, "Envelope.body", "as the field that it changes, or as of another query"},
    {ANYBODY, 0, 0, ".psi", "of no attempt under way: let go, and what was missing is sent again"},
    {ANYBODY, 0, MESSAGE_HELLO, NULL,
     "who speaks is told by the connection's key; a directory that is old or new is only sent, or asked for"},
    {ANYBODY, 0, MESSAGE_WELCOME, NULL,
     "a clock and a version to compare: nothing of a query follows from it"},
    {ANYBODY, 0, MESSAGE_CATALOGUE, NULL, "read by whoever writes a study; what counts is in the accept"},
    {ANYBODY, 0, MESSAGE_STATUS, NULL,
     "shown to whoever waits; the next one, half a second later, says what is"},
    {ANYBODY, 0, MESSAGE_READY, ".rule", "of a study that is not refused no rule is read"},
    {ANYBODY, 0, MESSAGE_READY, ".state", "the site says it again"},
    {PLAY_COORDINATOR, 0, MESSAGE_MASKED, "Masked",
     "the coordinator pulls the segments that it has not; a signed hash binds them"},
    {PLAY_AGENT, 0, 0, "Envelope.kind", "of a kind that is not taken at that time: let go, and sent again"},
    {PLAY_AGENT, 0, 0, ".head",
     "sites, coordinator and `audit verify` compare heads; a researcher has no log"},
    {PLAY_AGENT, 0, 0, ".head/",
     "sites, coordinator and `audit verify` compare heads; a researcher has no log"},
    {PLAY_AGENT, MODE_CIRCLE, MESSAGE_CLOSE, NULL,
     "in the circle a researcher opens nothing: the sites check the close"},
    {PLAY_AGENT, MODE_CIRCLE, MESSAGE_TAKEN, "Taken.tag",
     "the sites compare tags; a researcher has no key for them"},
    {ANYBODY, 0, 0, "Head.seen", "where a proof may begin: one that cannot be made is asked for again"},
    {ANYBODY, 0, 0, ".head/Head.proofs", "a head that is known needs no proof"},
    {ANYBODY, 0, 0, ".head/Head.proofs/", "a head that is known needs no proof"},
    {PLAY_SITE + 1, MODE_CIRCLE, MESSAGE_CUSTODY, "Reveal.keys/",
     "of the key that is meant for another site"},
    {PLAY_SITE + 1, MODE_CIRCLE, MESSAGE_CUSTODY, "Reveal.keys", "of the key that is meant for another site"},
    {PLAY_SITE + 1, MODE_AGENT, MESSAGE_START, "Start.keys", "of the key that is meant for another site"},
    {PLAY_SITE + 1, MODE_AGENT, MESSAGE_START, "Start.keys/", "of the key that is meant for another site"},
    {PLAY_COORDINATOR, 0, MESSAGE_PULL, NULL,
     "what is pulled beside is let go, and what is missing is pulled again"},
    {PLAY_AGENT, 0, MESSAGE_SUM, "Sum.vectors_held", "then segments of every vector are drawn and compared"},
    {PLAY_AGENT, 0, MESSAGE_SEGMENT, NULL,
     "what was not pulled is let go, and what is missing is pulled again"},
    {PLAY_SITE + 1, 0, MESSAGE_LOG_HEAD, "Head.size",
     "its proof fits either size; the next head must go on from the one that was said"},
    {ANYBODY, 0, 0, "Envelope.from", "not signed: the connection's key says whose it is"},
};

static bool fits(const struct reason *reason, const struct lie *lie, const char *name)
{
    if ((reason->to != ANYBODY && reason->to != lie->to) ||
        (reason->mode != 0 && reason->mode != lie->mode) || (reason->kind != 0 && reason->kind != lie->kind))
        return false;
    if (reason->name == NULL)
        return true;
    const size_t length = strlen(reason->name), of = strlen(name);
    return reason->name[length - 1] == '/' ? strstr(name, reason->name) != NULL
                                           : of >= length && strcmp(name + of - length, reason->name) == 0;
}

static const char *reason_of(const struct lie *lie, const char *name)
{
    if (lie->wrong.what >= WRONG_LOST)
        return "what is lost or late is sent again, what comes again is answered by the same bytes or let go";
    if (lie->wrong.what == WRONG_MESSAGE_FOREIGN)
        return reasons[0].why;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (fits(&reasons[i], lie, name))
            return reasons[i].why;
    return NULL;
}

/* --- all of them --- */

struct lies_told {
    const struct exchange *exchange;
    unsigned step, n, bad, count[VERDICTS];
    FILE *table;
};

/* MAILLE_LIARS_TABLE=FILE: a line each. */
static void put_line(FILE *table, const struct lie_outcome *outcome, const char *lie, const char *reason)
{
    static const char *const words[VERDICTS] = {"same", "dropped", "refused", "waits", "UNNAMED", "OTHER"};
    if (table == NULL)
        return;
    fprintf(table, "%s\t%s\t%s\t%s\n", words[outcome->verdict], lie, outcome->rule,
            reason != NULL ? reason : outcome->words);
    fflush(table);
}

static void play_one(void *context, const struct lie *lie, const char *name)
{
    struct lies_told *told = context;
    struct lie_outcome outcome;
    const char *reason = NULL;
    char words[WRONG_NAME_BYTES + 128];
    if (told->n++ % told->step != 0)
        return;
    lie_words(words, sizeof words, told->exchange, lie, name);
    lie_play(&outcome, told->exchange, lie);
    told->count[outcome.verdict]++;
    if (outcome.verdict == VERDICT_SAME)
        reason = reason_of(lie, name);
    put_line(told->table, &outcome, words, reason);
    if (outcome.verdict == VERDICT_OTHER || outcome.verdict == VERDICT_UNNAMED ||
        (outcome.verdict == VERDICT_SAME && reason == NULL)) {
        told->bad++;
        print_error("%s: %s %s\n", words,
                    outcome.verdict == VERDICT_OTHER     ? "another result"
                    : outcome.verdict == VERDICT_UNNAMED ? "nobody says which rule"
                                                         : "nobody notices, and no reason is known",
                    outcome.words);
    }
}

static void count_one(void *context, const struct lie *lie, const char *name)
{
    (void)lie;
    (void)name;
    ++*(unsigned *)context;
}

/* One in so many; MAILLE_LIARS=N: one in N. */
enum { EVERY = 37 };

static void in_mode(enum query_mode mode, unsigned at_least)
{
    struct exchange exchange;
    unsigned n = 0;
    const char *every = getenv("MAILLE_LIARS"), *table = getenv("MAILLE_LIARS_TABLE");
    exchange_record(&exchange, mode);
    lies_of(&exchange, count_one, &n);
    assert_true(n >= at_least);
    struct lies_told told = {.exchange = &exchange, .step = EVERY};
    if (every != NULL && atoi(every) > 0)
        told.step = (unsigned)atoi(every);
    told.table = table != NULL ? fopen(table, "a") : NULL;
    lies_of(&exchange, play_one, &told);
    print_message("%u lies, %u played: %u refused, %u dropped and mended, %u wait, %u harmless\n", n,
                  (n + told.step - 1) / told.step, told.count[VERDICT_REFUSED], told.count[VERDICT_DROPPED],
                  told.count[VERDICT_WAITS], told.count[VERDICT_SAME]);
    exchange_free(&exchange);
    if (told.table != NULL)
        fclose(told.table);
    assert_int_equal(told.bad, 0);
}

static void in_the_circle(void **state)
{
    (void)state;
    in_mode(MODE_CIRCLE, 2000);
}

static void where_the_agent_steps(void **state)
{
    (void)state;
    in_mode(MODE_AGENT, 1800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_circle),
        cmocka_unit_test(where_the_agent_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
