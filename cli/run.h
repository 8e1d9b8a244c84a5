/* What the commands that talk to a network have in common. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "base/options.h"
#include "crypto/identity.h"
#include "proto/directory.h"

/* The network and the researcher's key. Free keys with secret_keys_free. */
struct cli_access {
    const char *network, *key, *credential; /* paths as given */
    const struct directory *directory;      /* in the arena */
    struct secret_keys *keys;
};

/* Reads both. Starts libsodium. */
enum maille_code cli_access(struct cli_access *access, struct arena *arena,
                            struct maille_error *error) MAILLE_CHECKED;

/* The rows of --network, --key and --credential: the first of the commands that have them. */
enum { CLI_ACCESS_ROWS = 3 };
void cli_access_rows(struct option_row rows[CLI_ACCESS_ROWS], struct cli_access *access, bool key_required);

/* $MAILLE_NETWORK, else network.yaml. */
const char *cli_network_default(void);

/* Columns of the terminal that reads standard output; a file or a pipe is as wide as a page. */
int cli_run_width(void);

#endif
