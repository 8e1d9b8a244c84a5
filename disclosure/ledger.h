/* The ledger of one site: which patients stood behind every group that was ever answered, so that no two
 * answers differ by a few of them (docs/DISCLOSURE.md §4; docs/decisions/0009-cohort-ledger.md).
 *
 * A group is the set of rows that count in one analysis of one query: its cohort with the missing values left
 * out. It is kept twice, over numbers that are stable across snapshots (registry/rowkeys.h): by row, where a
 * row whose values changed has another number, and by patient, whatever his values. Membership only, no
 * value. Groups of any snapshot are compared with each other; by patient only where the snapshots differ,
 * because within one snapshot the rows say it all.
 *
 * A query is first reserved (seen by every other query, but gone again when it ends without an answer) and
 * becomes permanent with the first value that leaves; of one whose head counts were pooled among the sites
 * the roster stays. Check and reservation are one transaction. What is here is on disk when a function
 * returns (SQLite, write-ahead log, synchronous). */
#ifndef DISCLOSURE_LEDGER_H
#define DISCLOSURE_LEDGER_H

#include "disclosure/threshold.h"

struct ledger; /* opaque */

enum {
    LEDGER_QUERY_BYTES = 32,
    LEDGER_HASH_BYTES = 32,
    /* A group number in a message: the analysis, and this bit where the groups are compared by patient. */
    LEDGER_BY_PATIENT = 0x10000,
    /* Sites list what differs by fewer patients than this even where their own policy asks for less: another
     * site's may ask for more. It is the number of the columns strict and standard; a network whose sites ask
     * for more puts that into its floor. */
    LEDGER_LISTED_BELOW = 11,
    /* Rosters that differ by more sites than this do not show one site's totals (rule own_totals). */
    LEDGER_ROSTER_CLOSE = 4,
    LEDGER_NUMBERS_MAX = 1 << 28 /* rows, over all snapshots */
};

/* A group of a query, as in the accepts of the roster. */
struct ledger_reference {
    uint8_t query[LEDGER_QUERY_BYTES];
    uint32_t group; /* analysis | LEDGER_BY_PATIENT */
};
/* By query, then group: the order in which the entries of a roster stand in the threshold rounds. */
int ledger_reference_compare(const void *a, const void *b);

/* Numbers as a bitmap: bit n % 8 of byte n / 8. Bytes that are not there are zero. */
struct ledger_set {
    const uint8_t *bits;
    size_t bytes;
};

struct ledger_group {
    uint32_t analysis;
    uint32_t reading; /* of `missing`: enum missing_rule; the roster says later which one holds */
    bool is_model;
    struct ledger_set rows, patients;
};

/* What is asked. All borrowed. */
struct ledger_question {
    const uint8_t *query;    /* LEDGER_QUERY_BYTES */
    const uint8_t *question; /* LEDGER_HASH_BYTES: of the study's bytes */
    uint32_t snapshot;
    const char *protocol, *researcher;
    const uint32_t *sites; /* called, ascending */
    size_t n_sites;
    const struct ledger_group *groups;
    size_t n_groups;
    const uint8_t *persons; /* per row number, LE32: the number of its patient, 0: no such row. NULL: every
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

/* Analyses that were answered or are reserved, of other questions than this one: what counts against the
 * budgets. A question that was asked before on the same snapshot by the same researcher is not counted again.
 */
enum maille_code ledger_spent(int64_t *tables, int64_t *models, struct ledger *ledger,
                              const struct ledger_question *question,
                              struct maille_error *error) MAILLE_CHECKED;

/* M1. Lists the groups of other queries (and of this one: an earlier analysis of the same study) that differ
 * from a group of this query by 1 … below − 1 of this site's patients in either direction, then reserves: one
 * transaction. A second call for the same query replaces the first. below: the site's `differencing`, at
 * least LEDGER_LISTED_BELOW. entries: room for THRESHOLD_LEDGER_MAX, ascending. *n may come out larger than
 * that: then there are more, the first in order are in entries, and the question is to be refused where the
 * policy's `differencing` is on.
 *
 * Not listed: groups of an analysis that was answered before to this very question, by the same sites, on the
 * same snapshot. */
enum maille_code ledger_reserve(struct ledger_reference *entries, size_t *n, struct ledger *ledger,
                                const struct ledger_question *question, int64_t below,
                                struct maille_error *error) MAILLE_CHECKED;

struct ledger_member {
    uint32_t site;
    bool may_be_inferred;
};
/* M2. reading: what `missing` means in this roster. MAILLE_REFUSED "own_totals": a group of this query was
 * asked of a roster that differs from this one by 1 … LEDGER_ROSTER_CLOSE sites, of which one does not
 * consent: it has come, and is not may_be_inferred here; or it has gone, and was not when such a group was
 * asked for the last time. Otherwise the roster is kept with the query. members: ascending. */
enum maille_code ledger_roster(struct ledger *ledger, const uint8_t *query,
                               const struct ledger_member *members, size_t n_members,
                               enum missing_rule reading, struct maille_error *error) MAILLE_CHECKED;

/* T1. differences[entry · n_analyses + k]: this site's patients in the group of analysis k now and not in the
 * entry's then, and the reverse. An entry that this site does not know has nobody. Of this query's own groups
 * only those of earlier analyses count. */
enum maille_code ledger_differences(struct threshold_difference *differences, struct ledger *ledger,
                                    const uint8_t *query, const struct ledger_reference *entries,
                                    size_t n_entries, size_t n_analyses,
                                    struct maille_error *error) MAILLE_CHECKED;

/* Before a value leaves: the groups of these analyses are answered, for ever. Those of others stay reserved.
 * Idempotent. */
enum maille_code ledger_commit(struct ledger *ledger, const uint8_t *query, const uint32_t *analyses,
                               size_t n_analyses, struct maille_error *error) MAILLE_CHECKED;
/* Before head counts of these analyses can be added up at the sites: the roster that they were asked of is
 * kept for own_totals, whatever becomes of the query. Idempotent. Without an answer nothing else is compared
 * with these groups once the query has ended, and they count against no budget. */
enum maille_code ledger_pool(struct ledger *ledger, const uint8_t *query, const uint32_t *analyses,
                             size_t n_analyses, struct maille_error *error) MAILLE_CHECKED;
/* The end of a query: what was not answered is forgotten. A query that is not known is fine. */
enum maille_code ledger_release(struct ledger *ledger, const uint8_t *query,
                                struct maille_error *error) MAILLE_CHECKED;
/* At a start: releases every query that is not open any more. */
typedef bool ledger_is_open(const void *context, const uint8_t *query);
enum maille_code ledger_sweep(struct ledger *ledger, ledger_is_open *is_open, const void *context,
                              struct maille_error *error) MAILLE_CHECKED;

#endif
