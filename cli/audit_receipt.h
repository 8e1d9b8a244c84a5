/* Receipts: the coordinator's signature (close) over the hash of every vector that it got. */
#ifndef CLI_AUDIT_RECEIPT_H
#define CLI_AUDIT_RECEIPT_H

#include "audit/log.h"
#include "base/arena.h"
#include "proto/directory.h"

struct receipts {
    struct arena *arena;
    const struct directory *directory;
    size_t n, room;
    struct receipt {
        uint64_t sequence; /* of the masked message */
        uint8_t psi[HASH_BYTES], vector[HASH_BYTES];
        bool signed_for;
    } * list;
    size_t former; /* receipts that today's keys of the coordinator did not sign, after it had others */
    enum maille_code code; /* of the first thing that was wrong */
    struct maille_error error;
};

/* To be called for every entry of a site's log in its order: remembers what was sent, and compares it with
 * the receipts that the log holds (entries "close" with their envelope). What is wrong stands in
 * receipts->code and error. */
void receipts_take(struct receipts *receipts, uint64_t sequence, const struct audit_entry *entry);
/* How many of the vectors sent have their receipt. */
size_t receipts_signed(const struct receipts *receipts);

#endif
