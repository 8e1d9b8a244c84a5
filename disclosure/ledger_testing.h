/* What tests of the ledger's files share. */
#ifndef DISCLOSURE_LEDGER_TESTING_H
#define DISCLOSURE_LEDGER_TESTING_H

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "disclosure/ledger.h"

/* An empty ledger; path: room for 512. */
static inline struct ledger *fresh(char *path, const char *name)
{
    struct ledger *ledger = NULL;
    struct maille_error error = {0};
    char command[700];
    test_path(path, name);
    snprintf(command, sizeof command, "rm -f '%s'*", path);
    assert_int_equal(system(command), 0);
    assert_ok(ledger_open(&ledger, path, &error), &error);
    return ledger;
}

static inline const uint8_t *hash_of(uint8_t which)
{
    static uint8_t hashes[256][LEDGER_HASH_BYTES];
    memset(hashes[which], which, LEDGER_HASH_BYTES);
    return hashes[which];
}

#endif
