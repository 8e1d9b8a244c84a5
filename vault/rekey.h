/* Rotation: what a site's state owes to its keys moves to other keys under the same name. The worker is
 * stopped, and both keys are at hand. */
#ifndef VAULT_REKEY_H
#define VAULT_REKEY_H

#include <limits.h>

#include "crypto/identity.h"
#include "proto/directory.h"

struct vault_rekey {
    const char *folder; /* of the site */
    const struct secret_keys *from, *to;
    const char *directory; /* text of the network.yaml that names the new keys */
    size_t directory_length;
};
struct vault_rekeyed {
    size_t queries;        /* open ones that ended here */
    char before[PATH_MAX]; /* the log that ended; "": there was none, or an earlier call has moved it */
};

/* Ends the open queries, moves the pin, closes the log and begins the next one, which names the head of the
 * one before. Whatever a crash leaves, the next call with the same keys finishes it. The ledger is under no
 * key and stays. Errors, and nothing has changed then: MAILLE_SIGNATURE, MAILLE_INVALID (the directory does
 * not follow from the pin, or does not name the new keys; a worker runs), MAILLE_CORRUPT (the log is not
 * sound, the pin is another key's); MAILLE_IO. */
enum maille_code vault_rekey(struct vault_rekeyed *told, const struct vault_rekey *order,
                             struct maille_error *error) MAILLE_CHECKED;

#endif
