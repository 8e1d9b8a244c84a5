/* The ledger of one site: which patients stood behind every group that was ever answered, so that no two
 * answers differ by a few of them (docs/DISCLOSURE.md §4; docs/decisions/0009-cohort-ledger.md).
 *
 * A group is the set of rows that count in one part of an analysis of one query (disclosure/parts.h): its
 * cohort, or a level or a table's rows of their own, with the missing values left out. It is kept twice, over
 * numbers that are stable across snapshots (registry/rowkeys.h): by row, where a row whose values changed has
 * another number, and by patient, whatever his values. Membership only, no value. Groups of any snapshot are
 * compared with each other; by patient only where the snapshots differ, because within one snapshot the rows
 * say it all.
 *
 * A query is first reserved, which nobody but itself sees; then it is pooled among the sites; what their plan
 * lets go on is planned, the rest is left; what left, here or at another site, is shown, for ever. Other
 * queries are compared with what is shown, and with what is pooled or planned while its query is open. Check
 * and change are one transaction. What is here is on disk when a function returns (SQLite, write-ahead log,
 * synchronous). Nothing that a function gives depends on who is in a group but ledger_differences. */
#ifndef DISCLOSURE_LEDGER_H
#define DISCLOSURE_LEDGER_H

#include "base/arena.h"
#include "disclosure/parts.h"
#include "disclosure/policy.h"
#include "disclosure/shown.h"

struct ledger; /* opaque */

enum {
    LEDGER_QUERY_BYTES = 32,
    LEDGER_HASH_BYTES = 32,
    LEDGER_CHOSEN_BYTES = 16,
    LEDGER_NUMBERS_MAX = 1 << 28 /* rows, over all snapshots */
};

/* Numbers as a bitmap: bit n % 8 of byte n / 8. Bytes that are not there are zero. */
struct ledger_set {
    const uint8_t *bits;
    size_t bytes;
};

struct ledger_group {
    uint32_t analysis, part;
    uint32_t reading; /* of `missing`: enum missing_rule */
    bool is_model;
    const uint8_t
        *canon; /* LEDGER_HASH_BYTES: of what says who is in it, and of the dictionary. NULL: unknown */
    const uint8_t *chosen;       /* LEDGER_CHOSEN_BYTES: a hash of disclosure/chosen.h. NULL: unknown */
    bool plain;                  /* of the part */
    const char *words;           /* who is in it, for a person. NULL: unknown */
    struct byte_view conditions; /* the same for near.h, by the dictionary of the question */
    struct ledger_set rows, patients;
};

/* What is asked. All borrowed. */
struct ledger_question {
    const uint8_t *query;    /* LEDGER_QUERY_BYTES */
    const uint8_t *question; /* LEDGER_HASH_BYTES: of the study's bytes */
    uint32_t snapshot, epoch;
    const char *protocol, *researcher;
    const char *study;         /* its id; NULL: unknown */
    const uint8_t *dictionary; /* LEDGER_HASH_BYTES; NULL: unknown */
    const uint32_t *sites;     /* called, ascending */
    size_t n_sites;
    const struct ledger_group *groups;
    size_t n_groups;
    struct byte_view families; /* of all groups of the study (part_groups_write); empty: part 0 of each */
    const uint8_t *persons;    /* per row number, LE32: the number of its patient, 0: no such row. NULL: every
                                  patient has one row */
    size_t n_persons;
    int64_t now_ms;
};

/* The version of the file at path, which need not be there: 0. LEDGER_PINNED and later were only ever written
 * beside a pin of the directory (vault/pin.c). MAILLE_IO, MAILLE_CORRUPT. */
enum { LEDGER_PINNED = 2 };
enum maille_code ledger_version(int *version, const char *path, struct maille_error *error) MAILLE_CHECKED;

/* Opens or makes the file (0600); one of before this version becomes one of this version, and what was
 * answered under it is of epoch 0. MAILLE_IO, MAILLE_CORRUPT, MAILLE_MEMORY. */
enum maille_code ledger_open(struct ledger **ledger, const char *path,
                             struct maille_error *error) MAILLE_CHECKED;
void ledger_close(struct ledger *ledger);
/* Frees what is kept in memory of the file beyond what is needed: it is read again when it is asked for. */
void ledger_give_back(struct ledger *ledger);

/* Analyses that were answered or are reserved, of other questions than this one: what counts against the
 * budgets. A question that was asked before on the same snapshot by the same researcher is not counted again.
 */
enum maille_code ledger_spent(int64_t *tables, int64_t *models, struct ledger *ledger,
                              const struct ledger_question *question,
                              struct maille_error *error) MAILLE_CHECKED;

/* M1. Reserves the groups. A second call for the same query replaces the first. MAILLE_INTERNAL: the query
 * was shown something before. */
enum maille_code ledger_reserve(struct ledger *ledger, const struct ledger_question *question,
                                struct maille_error *error) MAILLE_CHECKED;

/* An earlier query, as it stands in M1. */
struct ledger_past {
    uint8_t query[LEDGER_QUERY_BYTES];
    struct byte_view shown;    /* bit per group of the study: shown, planned or pooled */
    struct byte_view families; /* of its study, as it was reserved */
    uint32_t snapshot;         /* of this site */
    const uint32_t *sites;     /* of its roster */
    size_t n_sites;
};
/* Every other query of this epoch and the one before of which something is shown or, while it is open, pooled
 * or planned: oldest first. A group that another query has shown too, with the same canon and scene (or an
 * earlier analysis of the same), is listed once: there where the bytes of the query are least. settled_ms: of
 * queries that were made up to then, so that all sites have shown the same of them. In arena. */
enum maille_code ledger_list(struct ledger_past **list, size_t *n, struct arena *arena, struct ledger *ledger,
                             const uint8_t *query, uint32_t epoch, int64_t settled_ms,
                             struct maille_error *error) MAILLE_CHECKED;
/* The queries of all of them, as ledger_list would give them if none were listed once: *queries has *n times
 * LEDGER_QUERY_BYTES. In arena. */
enum maille_code ledger_queries(const uint8_t **queries, size_t *n, struct arena *arena,
                                struct ledger *ledger, const uint8_t *query, uint32_t epoch,
                                struct maille_error *error) MAILLE_CHECKED;

/* A group that an earlier query showed, or that it shows while it is open, by what it says. */
struct ledger_named {
    const char *study, *researcher;
    const char *words; /* "": a group of before this version */
    int64_t made_ms;
    struct byte_view conditions;
    struct byte_view dictionary; /* a hash; empty: of before this version */
    struct byte_view canon;      /* a hash; empty: unknown */
    const struct part_family *family;
};
/* Of all queries of which ledger_list tells, the newest first. Who is in a group plays no part. In arena. */
enum maille_code ledger_named(struct ledger_named **list, size_t *n, struct arena *arena,
                              struct ledger *ledger, const uint8_t *query, uint32_t epoch,
                              struct maille_error *error) MAILLE_CHECKED;

/* M2, and an attempt of round 1 with fewer members: who is asked. scene: LEDGER_HASH_BYTES, of the sites and
 * the snapshots of all of them; NULL: unknown. */
enum maille_code ledger_roster(struct ledger *ledger, const uint8_t *query, const uint32_t *sites,
                               size_t n_sites, const uint8_t *scene,
                               struct maille_error *error) MAILLE_CHECKED;

/* One thing to compare with a group of this query. */
struct ledger_pair {
    uint32_t analysis, part; /* of this query */
    const uint8_t *query;    /* whose: LEDGER_QUERY_BYTES; NULL: nobody was in it */
    uint32_t its_analysis, its_part;
};
/* T0, T1. by: how many distinct patients are in one of the two and not in the other; exact below `limit`,
 * else any number from limit on. -1: a group that is not here. otherwise: of both it is known what chose
 * them, it is not the same, and one at least is not plain. */
enum maille_code ledger_differences(struct part_difference *differences, struct ledger *ledger,
                                    const uint8_t *query, const struct ledger_pair *pairs, size_t n,
                                    int64_t limit, struct maille_error *error) MAILLE_CHECKED;

/* Before this query's first totals can be added up at the sites. MAILLE_REFUSED "again": another query's
 * were since this one was reserved: its groups are not in what this one is compared with. Idempotent. */
enum maille_code ledger_pool(struct ledger *ledger, const uint8_t *query, const uint32_t *analyses,
                             size_t n_analyses, struct maille_error *error) MAILLE_CHECKED;
/* Of an analysis: the parts of which its results will show nothing. */
struct ledger_hidden {
    const bool *parts; /* [n] */
    size_t n;
};
/* What the plan lets go on; what else was pooled, and hidden[i] (NULL: nothing) of analyses[i], is left:
 * compared with nothing any more. In one transaction: what an earlier plan of this query left of these
 * analyses, and this one shows, is taken back; what an earlier one let go on stays. shown: what its results
 * will show (ledger_shown.h); NULL: nothing. MAILLE_REFUSED "again": another plan that shows something was
 * made since this query was judged. Idempotent. */
enum maille_code ledger_plan(struct ledger *ledger, const uint8_t *query, const uint32_t *analyses,
                             size_t n_analyses, const struct ledger_hidden *hidden, const struct shown *shown,
                             struct maille_error *error) MAILLE_CHECKED;
/* Before a value of these analyses leaves, or what lets others show a result: shown, for ever. Those of
 * others stay what they are. Idempotent. */
enum maille_code ledger_commit(struct ledger *ledger, const uint8_t *query, const uint32_t *analyses,
                               size_t n_analyses, struct maille_error *error) MAILLE_CHECKED;
/* The end of a query: what was not shown is forgotten. A query that is not known is fine. */
enum maille_code ledger_release(struct ledger *ledger, const uint8_t *query,
                                struct maille_error *error) MAILLE_CHECKED;
/* At a start: releases every query that is not open any more. */
typedef bool ledger_is_open(const void *context, const uint8_t *query);
enum maille_code ledger_sweep(struct ledger *ledger, ledger_is_open *is_open, const void *context,
                              struct maille_error *error) MAILLE_CHECKED;

#endif
