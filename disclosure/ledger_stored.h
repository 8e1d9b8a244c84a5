/* Results that this epoch has shown, in the ledger's file, sealed, by what was asked: the same question on a
 * later snapshot is answered from here, so that nobody sees what a few patients less make of it. Decision
 * 0037. */
#ifndef DISCLOSURE_LEDGER_STORED_H
#define DISCLOSURE_LEDGER_STORED_H

#include "disclosure/ledger.h"

struct ledger_stored {
    uint8_t query[LEDGER_QUERY_BYTES]; /* that it was shown to */
    uint32_t snapshot;                 /* of this site, then */
    int64_t asked_ms;                  /* when that query was made: the same at every site */
};

/* asked: LEDGER_HASH_BYTES, of all that the result depends on but the patients. What is of another epoch is
 * removed; a result that is there already stays: the first counts. On disk when it returns. MAILLE_IO. */
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

#endif
