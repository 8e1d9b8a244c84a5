/* Combinations of groups (disclosure/combination.h) in the ledger's file: the public words of every group
 * that was asked for, and by how many patients of this site a combination of groups is not 0. */
#ifndef DISCLOSURE_LEDGER_COMBINATION_H
#define DISCLOSURE_LEDGER_COMBINATION_H

#include "disclosure/combination.h"
#include "disclosure/ledger.h"

/* A group that was shown, by its words: two of the same words are listed once, the later snapshot's. */
struct ledger_formed {
    uint8_t query[LEDGER_QUERY_BYTES];
    uint32_t analysis;
    const uint8_t *form;
    size_t length;
};

/* M1, after ledger_reserve: the words of a group of this query. */
enum maille_code ledger_form_put(struct ledger *ledger, const uint8_t *query, uint32_t analysis,
                                 const uint8_t *form, size_t length,
                                 struct maille_error *error) MAILLE_CHECKED;
/* What ledger_list goes through, of this researcher or under one of these protocols, or answered to them from
 * the store (ledger_stored_tell). Forms of queries that
 * the ledger has forgotten are forgotten here. In arena. */
enum maille_code ledger_forms(struct ledger_formed **list, size_t *n, struct arena *arena,
                              struct ledger *ledger, const uint8_t *query, uint32_t epoch,
                              const char *researcher, const char *const *protocols, size_t n_protocols,
                              struct maille_error *error) MAILLE_CHECKED;

struct ledger_combined; /* opaque: who is in which of a list of groups */

/* groups: as struct ledger_pair has the other one; of a query that is NULL nobody is in it. limit: counted up
 * to it. Free with ledger_combined_free. */
enum maille_code ledger_combined_new(struct ledger_combined **combined, struct ledger *ledger,
                                     const struct ledger_pair *groups, size_t n, int64_t limit,
                                     struct maille_error *error) MAILLE_CHECKED;
void ledger_combined_free(struct ledger_combined *combined);
/* Distinct patients in whose groups, by rows and by patients, the coefficients add up to anything but 0;
 * exact below the limit, else the limit. */
void ledger_combined_count(int64_t out[2], struct ledger_combined *combined, const uint64_t *coefficients);

#endif
