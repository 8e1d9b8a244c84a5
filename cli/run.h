/* What the commands that talk to a network have in common. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

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

/* $MAILLE_NETWORK, else network.yaml. */
const char *cli_network_default(void);

#endif
