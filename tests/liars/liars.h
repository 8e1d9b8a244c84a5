/* One honest exchange, and the same with one lie in it. */
#ifndef TESTS_LIARS_LIARS_H
#define TESTS_LIARS_LIARS_H

#include "tests/liars/wrong.h"

/* Which message, of which exchange, is wrong, and how. */
struct lie {
    enum query_mode mode;
    bool next; /* of the second question, which the first one's ledger is looked at for */
    size_t from, to;
    enum message_kind kind;
    unsigned nth; /* of this kind on this link, from 0 */
    struct wrong wrong;
};

/* What came of it. */
enum lie_verdict {
    VERDICT_SAME,    /* the honest result bit for bit, and nobody noticed: harmless, for a reason */
    VERDICT_DROPPED, /* the honest result bit for bit; the message was dropped, and its receiver's log says
                        why */
    VERDICT_REFUSED, /* no result, or none of some analyses: a rule is named */
    VERDICT_WAITS,   /* no result: whoever asked is told whom the query waits for */
    VERDICT_UNNAMED, /* no result, and nobody says why: a fault */
    VERDICT_OTHER    /* another result: a fault */
};
enum { VERDICTS = VERDICT_OTHER + 1 };

struct lie_outcome {
    enum lie_verdict verdict;
    char rule[MAILLE_RULE_MAX]; /* the first that was named */
    char words[256];            /* who says what */
};

/* The honest exchange of a mode, with the next question of the same network after it. */
struct exchange {
    enum query_mode mode;
    struct flight *flights, *foreign;
    unsigned *nth, *foreign_nth;
    size_t n, n_foreign;
    struct bytes result, next_result;
    struct play *play; /* for names and keys */
};
void exchange_record(struct exchange *exchange, enum query_mode mode);
void exchange_free(struct exchange *exchange);
/* The same message of the next question; NULL: it has none. */
const struct flight *exchange_foreign(const struct exchange *exchange, const struct flight *flight,
                                      unsigned nth);

/* Every lie about one of its messages, in a fixed order. */
void lies_of(const struct exchange *exchange,
             void (*each)(void *context, const struct lie *lie, const char *name), void *context);

/* Plays it. */
void lie_play(struct lie_outcome *outcome, const struct exchange *exchange, const struct lie *lie);
/* "circle beta > coordinator accept.0 Accept.ek altered" */
void lie_words(char *words, size_t size, const struct exchange *exchange, const struct lie *lie,
               const char *name);

/* --- shared with what is lied by hand --- */

enum { LIARS_PATIENCE_MS = 75 * 1000, LIARS_LIMIT_MS = 10 * 60 * 1000 };
/* What the logs of a play's sites and coordinator have under "dropped" and the like, and what its agent said:
 * the first rule of all that is named. words: the agent's lines. */
void liars_named(struct lie_outcome *outcome, const struct play *play, const char *words);
/* No site opened two masks for a round, and none answered one ψ with two vectors: to be called for every
 * message. Ends the test otherwise. */
struct guard {
    struct {
        size_t party;
        uint8_t psi[HASH_BYTES], vector[HASH_BYTES];
    } masked[256];
    struct {
        size_t party;
        uint8_t qid[QID_BYTES], psi[HASH_BYTES];
        uint32_t round;
    } revealed[256];
    struct {
        uint8_t psi[HASH_BYTES];
        uint32_t round;
    } rounds[256];
    size_t n_masked, n_revealed, n_rounds;
};
void guard_look(struct guard *guard, const struct flight *flight);

#endif
