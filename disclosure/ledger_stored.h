/* Results that this epoch has shown, in the ledger's file, sealed, by what was asked: the same question on a
 * later snapshot is answered from here, so that nobody sees what a few patients less make of it. Decision
 * 0037. */
#ifndef DISCLOSURE_LEDGER_STORED_H
#define DISCLOSURE_LEDGER_STORED_H

#include "disclosure/ledger.h"

/* Of all results together; what comes then is not kept. */
#define LEDGER_STORED_BYTES_MAX (INT64_C(512) * 1024 * 1024)

struct ledger_stored {
    uint8_t query[LEDGER_QUERY_BYTES]; /* that it was shown to */
    uint32_t analysis;                 /* of that query's study */
    uint32_t snapshot;                 /* of this site, then */
    int64_t asked_ms;                  /* when that query was made: the same at every site */
};

/* What is of another epoch is gone. */
enum maille_code ledger_stored_begin(struct ledger *ledger, uint32_t epoch,
                                     struct maille_error *error) MAILLE_CHECKED;
/* asked: LEDGER_HASH_BYTES, of all that the result depends on but the patients. In the place of what was
 * there. Nothing where the query is one of another epoch. On disk when it returns. MAILLE_IO. */
enum maille_code ledger_stored_put(struct ledger *ledger, const struct ledger_stored *stored,
                                   const uint8_t *asked, uint32_t epoch, const struct bytes *sealed,
                                   struct maille_error *error) MAILLE_CHECKED;
/* That of this epoch, where another query than this was shown it. *found false: there is none. */
enum maille_code ledger_stored_find(bool *found, struct ledger_stored *stored, struct ledger *ledger,
                                    const uint8_t *asked, uint32_t epoch, const uint8_t *query,
                                    struct maille_error *error) MAILLE_CHECKED;
/* Its bytes. *found false: it is gone. */
enum maille_code ledger_stored_get(bool *found, struct bytes *sealed, struct ledger *ledger,
                                   const uint8_t *asked, const uint8_t *query,
                                   struct maille_error *error) MAILLE_CHECKED;
/* One that cannot be opened. */
enum maille_code ledger_stored_drop(struct ledger *ledger, const uint8_t *asked,
                                    struct maille_error *error) MAILLE_CHECKED;

/* Analysis `analysis` of this query is answered by that result: its own group is compared with nothing, and
 * counts in the budgets; the group of then counts as shown to this researcher, and under this protocol, where
 * groups are combined (ledger_forms). Before anything of it can leave. Idempotent. */
enum maille_code ledger_stored_tell(struct ledger *ledger, const struct ledger_stored *stored,
                                    const uint8_t *query, uint32_t analysis, const char *researcher,
                                    const char *protocol, struct maille_error *error) MAILLE_CHECKED;

#endif
