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
    bool threshold; /* for the sites alone */
    size_t n_released;
    const struct audit_released *released;
    const char *replay; /* words, where a key was given; "" */
    size_t n_numbers;   /* the very numbers, where a key was given: block by block; as the words stand where
                           blocks are not recorded */
    const char **numbers;
};

/* What happened to a question, one after the other (audit_life.c). */
enum book_step_kind {
    STEP_ASKED,
    STEP_ACCEPTED, /* judged by the site's policy */
    STEP_REFUSED,  /* by a rule: the whole (analyses ""), or these analyses; at once or later */
    STEP_HELD,     /* a person is asked */
    STEP_APPROVED, /* … and decided */
    STEP_DENIED,
    STEP_STOPPED,   /* … against it, after it had begun */
    STEP_VOID,      /* what she was asked, or had approved, is no longer what would be done */
    STEP_FIRST,     /* one of two persons who must approve has signed */
    STEP_NOT_TAKEN, /* a decision that does not count */
    STEP_RUN,       /* who takes part is fixed */
    STEP_LEFT,      /* a masked vector */
    STEP_RESULTS,   /* results, sealed, to the researcher */
    STEP_ENDED,     /* by the researcher, who has what she asked for */
    STEP_WITHDRAWN, /* by the researcher */
    STEP_CANCELLED, /* by this site, under a rule */
    STEP_EXPIRED,
    STEPS
};
/* Before the day of an answer that was given again, in `analyses`. */
#define BOOK_ANSWER_OF " (the answer of "
struct book_step {
    enum book_step_kind kind;
    uint64_t sequence;
    int64_t utc_ms;
    const char *rule, *analyses, *by, *reason; /* "" where there is none; analyses: "os, cox" */
    uint32_t round, attempt;
    uint64_t bytes;
    bool threshold; /* STEP_LEFT: for the sites alone */
};
/* Where it stands after the last of them. */
enum book_outcome {
    OUTCOME_ASKED,
    OUTCOME_ACCEPTED, /* nothing of it has run */
    OUTCOME_HELD,
    OUTCOME_APPROVED, /* nothing of it has run */
    OUTCOME_RUNNING,
    OUTCOME_ANSWERED,
    OUTCOME_IN_PART, /* some analyses were refused */
    OUTCOME_REFUSED,
    OUTCOME_DENIED,
    OUTCOME_STOPPED,
    OUTCOME_CANCELLED,
    OUTCOME_WITHDRAWN,
    OUTCOME_EXPIRED,
    OUTCOME_NOTHING, /* over, and nothing left */
    OUTCOMES
};
struct book_analysis {
    const char *id, *method; /* method "": not recorded */
    const char *rule;        /* of its refusal; "": none */
    bool vetoed;             /* refused by noise: the others do not learn where */
    bool left, answered;     /* sums of it left; its result went to the researcher */
};

struct book_query {
    uint8_t qid[32];
    char name[65]; /* hex */
    int64_t first_ms, last_ms;
    const char *requester, *requester_key, *study, *purpose, *legal_basis, *protocol, *recipients;
    const char *study_id; /* study is "ID: TITLE" */
    const char *cohort, *cohort_band, *policy;
    const char *approver,
        *approver_key; /* of who approved; "" where nobody has, or it was denied or stopped */
    uint32_t snapshot; /* that it was counted on; 0: none, or not recorded */
    enum book_outcome outcome;
    const char *outcome_rule;                /* "few, approval"; "" */
    const char *decided_by, *decided_reason; /* the last decision of a person; "" */
    size_t n_steps, n_analyses, room_steps, room_analyses;
    struct book_step *steps;
    struct book_analysis *analyses;
    uint64_t bytes, threshold_bytes; /* of masked vectors, each once; those for the sites alone among them */
    const char *study_text;          /* as it was signed; "" */
    const char *build;
    size_t n_rules, n_vectors, room_rules, room_vectors;
    struct audit_rule *rules;
    struct book_vector *vectors;
};

struct book_event {
    uint64_t sequence;
    int64_t utc_ms;
    const char *kind, *detail;
};

/* A program that judged here, as its entries name it: "maille 0.2.0 HASH". */
struct book_program {
    const char *build;
    uint64_t first, n; /* its first entry; how many name it */
    int64_t first_ms, last_ms;
};

struct book {
    struct arena *arena;
    bool is_coordinator; /* it passes messages on, and holds nobody's numbers */
    const char *folder, *party;
    const char *only;              /* hex prefix of one query; NULL: all */
    const struct secret_keys *dpo; /* NULL: numbers stay sealed */
    size_t n_queries, room_queries, n_events, room_events;
    struct book_query *queries;
    size_t n_programs, room_programs;
    struct book_program *programs;
    struct book_event *events; /* of no query: start, policy, import, gap, pruned … */
    const char *policy_text;   /* the last one that was noted; NULL: none */
    const char *duties_text;   /* likewise, for the register of processing */
    uint64_t in, out, replayed, replayed_wrong;
};

/* Reads a folder; everything lives in arena. Errors as audit_read: what was read until then is in the book.
 */
enum maille_code book_read(struct book *book, struct arena *arena, const char *folder, const char *only,
                           const struct secret_keys *dpo, struct maille_error *error) MAILLE_CHECKED;

/* Keeps what is asked for: questions by when they came, events by when they were. */
struct book_filter {
    const char *since, *until;                /* days, "2026-10-01", both included; NULL: all */
    const char *researcher, *purpose, *study; /* exactly; NULL: all */
};
/* MAILLE_INVALID: no day. */
enum maille_code book_keep(struct book *book, const struct book_filter *filter,
                           struct maille_error *error) MAILLE_CHECKED;

/* audit_life.c, for audit_book.c: one entry of a query, in the log's order; then, after the last, where it
 * stands. */
void book_live(struct book *book, struct book_query *query, uint64_t sequence, int64_t utc_ms,
               const struct audit_entry *entry);
void book_settle(struct book *book, struct book_query *query);
/* Doubles a list of the arena where it is full. */
void *book_grow(struct arena *arena, void *list, size_t n, size_t *room, size_t size);

/* For programs: "answered", "in part", …; "asked", "accepted", …. */
const char *book_outcome_name(enum book_outcome outcome);
const char *book_step_name(enum book_step_kind kind);

/* A book as JSON, behind what is open: audit_json.c. worth may be NULL. */
struct json_put;
struct audit_worth;
void book_put_json(struct json_put *put, const struct book *book, const struct audit_worth *worth);

/* What left with a vector, one analysis: its blocks [first, first + n). */
struct book_part {
    size_t first, n, first_number;
    uint64_t numbers;
    const char *variables; /* "age, chemo" */
};
/* all and the names of a list "a, b" that are not in it yet. In arena. */
const char *book_join_names(struct arena *arena, const char *all, const char *more);
/* Part after part; *at begins zeroed. In arena. False: there is no more. */
bool book_next_part(struct book_part *at, struct arena *arena, const struct book_vector *vector);

/* Adds the names of a list "a, b" that are not in another one yet. In arena. */
const char *book_join_names(struct arena *arena, const char *all, const char *more);

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
    WORD_OUTCOME,
    WORD_DECIDED_BY,
    WORD_REASON,
    WORD_SNAPSHOT,
    WORD_STEPS,
    WORD_THRESHOLD_BYTES,
    WORD_STUDIES,
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
    WORD_EVENTS,
    WORD_EVENT,
    WORD_NOT_RECORDED,
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
    WORD_NOT_PASSED,
    WORD_VETOED,
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
/* "answered in part", "refused". */
const char *word_of_outcome(enum language language, enum book_outcome outcome);
/* "approved by officer: read and understood". In arena. */
const char *word_of_step(struct arena *arena, enum language language, const struct book_step *step);
/* "passed", "refused", "held", "vetoed". */
const char *word_of_result(enum language language, const char *result);
/* A sentence of a log, which is in English, as far as its words are known. In arena. */
const char *word_of_text(struct arena *arena, enum language language, const char *text);

#endif
