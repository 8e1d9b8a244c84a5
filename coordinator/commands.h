/* Subcommands of maille-coordinator; main.c is the table. */
#ifndef COORDINATOR_COMMANDS_H
#define COORDINATOR_COMMANDS_H

#include "crypto/identity.h"

int coordinator_init(int argc, char **argv);
int coordinator_serve(int argc, char **argv);
int coordinator_status(int argc, char **argv);

/* How the key file at path opens: by the credential that it wants, or by a passphrase (crypto/passphrase.h).
 * MAILLE_INVALID: another role's, or there is neither. */
enum maille_code coordinator_unlock(struct key_unlock *unlock, const char *path, const char *credential,
                                    struct maille_error *error) MAILLE_CHECKED;

#endif
