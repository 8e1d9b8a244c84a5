/* A log, query by query, as maille audit show and export tell it; and the words in which they do. */
#ifndef CLI_AUDIT_BOOK_H
#define CLI_AUDIT_BOOK_H

#include <stdio.h>

#include "audit/vector.h"
#include "audit/verify.h"
#include "base/arena.h"
#include "base/language.h"

/* One masked vector that left. */
struct book_vector {
    uint64_t sequence;
    int64_t utc_ms;
    uint32_t round, attempt;
    size_t n_members;
    uint64_t bytes;
    const char *vector; /* hex; "" */
    const char *detail;
    size_t n_released;
    const struct audit_released *released;
    const char *replay; /* words, where a key was given; "" */
    size_t n_numbers;   /* the very numbers, where a key was given: block by block; as the words stand where
                           blocks are not recorded */
    const char **numbers;
};

struct book_query {
    uint8_t qid[32];
    char name[65]; /* hex */
    int64_t first_ms, last_ms;
    const char *requester, *requester_key, *study, *purpose, *legal_basis, *protocol, *recipients;
    const char *decision, *cohort, *cohort_band, *policy, *approver, *approver_key, *end;
    uint64_t bytes;         /* of masked vectors */
    const char *study_text; /* as it was signed; "" */
    const char *build;
    size_t n_rules, n_vectors, n_refusals, room_rules, room_vectors, room_refusals;
    struct audit_rule *rules;
    struct book_vector *vectors;
    const char **refusals;
};

struct book_event {
    uint64_t sequence;
    int64_t utc_ms;
    const char *kind, *detail;
};

struct book {
    struct arena *arena;
    bool is_coordinator; /* it passes messages on, and holds nobody's numbers */
    const char *folder, *party;
    const char *only;              /* hex prefix of one query; NULL: all */
    const struct secret_keys *dpo; /* NULL: numbers stay sealed */
    size_t n_queries, room_queries, n_events, room_events;
    struct book_query *queries;
    struct book_event *events; /* of no query: start, policy, import, gap, pruned … */
    const char *policy_text;   /* the last one that was noted; NULL: none */
    uint64_t in, out, replayed, replayed_wrong;
};

/* Reads a folder; everything lives in arena. Errors as audit_read: what was read until then is in the book.
 */
enum maille_code book_read(struct book *book, struct arena *arena, const char *folder, const char *only,
                           const struct secret_keys *dpo, struct maille_error *error) MAILLE_CHECKED;

/* What left with a vector, one analysis: its blocks [first, first + n). */
struct book_part {
    size_t first, n, first_number;
    uint64_t numbers;
    const char *variables; /* "age, chemo" */
};
/* Part after part; *at begins zeroed. In arena. False: there is no more. */
bool book_next_part(struct book_part *at, struct arena *arena, const struct book_vector *vector);

/* "2026-11-23 17:51:50"; out has 32 bytes. */
void book_time(char out[32], int64_t utc_ms);

/* --- words --- */

enum word {
    WORD_QUERY,
    WORD_ASKED_BY,
    WORD_STUDY,
    WORD_PURPOSE,
    WORD_LEGAL_BASIS,
    WORD_PROTOCOL,
    WORD_REGISTRATION,
    WORD_SUMMARY,
    WORD_RECIPIENTS,
    WORD_ASKED_ON,
    WORD_LAST,
    WORD_PATIENTS,
    WORD_DECISION,
    WORD_APPROVED_BY,
    WORD_POLICY,
    WORD_RULES,
    WORD_RULE,
    WORD_ANALYSIS,
    WORD_RESULT,
    WORD_DEMANDED,
    WORD_LEFT,
    WORD_NOTHING_LEFT,
    WORD_ENTRY,
    WORD_WHEN,
    WORD_ROUND,
    WORD_SITES,
    WORD_BYTES,
    WORD_WHAT,
    WORD_NUMBERS,
    WORD_REFUSED,
    WORD_EVENTS,
    WORD_EVENT,
    WORD_NOT_RECORDED,
    WORD_END,
    WORD_NO_QUERY,
    WORD_KEY,
    WORD_REPLAY,
    WORD_FIRST_USE,
    WORD_LAST_USE,
    WORD_QUERIES,
    WORD_REFUSALS,
    WORD_SITE,
    WORD_VECTOR,
    WORD_SUBJECTS,
    WORD_SUBJECTS_ARE,
    WORD_DATA,
    WORD_DATA_ARE,
    WORD_SECURITY,
    WORD_SECURITY_IS,
    WORD_RETENTION,
    WORD_RETENTION_IS,
    WORD_METHOD,
    WORD_VARIABLES,
    WORD_SAME_BYTES,
    WORD_ALL,
    WORD_MORE_NUMBERS,
    WORD_GROUP,
    WORD_PASSED,
    WORD_HELD,
    WORD_VETOED,
    WORD_IS_READY,
    WORD_BUILD,
    WORD_AUTOMATIC,
    WORD_ASKED,
    WORD_ENTITLED,
    WORD_IN_DIRECTORY,
    WORD_MAY_METHODS,
    WORD_MAY_PURPOSES,
    WORD_APPROVAL,
    WORD_YES,
    WORD_NO,
    WORD_DENIED,
    WORD_SITES_ALONE,
    WORDS
};
const char *word(enum language language, enum word which);
/* What a kind of entry is called: "masked" → "masked sums". The kind itself where there is no word. */
const char *word_of_kind(enum language language, const char *kind);
/* "passed", "refused", "held", "ready". */
const char *word_of_result(enum language language, const char *result);
/* A sentence of a log, which is in English, as far as its words are known. In arena. */
const char *word_of_text(struct arena *arena, enum language language, const char *text);

#endif
