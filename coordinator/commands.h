/* Subcommands of maille-coordinator; main.c is the table. */
#ifndef COORDINATOR_COMMANDS_H
#define COORDINATOR_COMMANDS_H

#include "crypto/identity.h"

int coordinator_init(int argc, char **argv);
int coordinator_serve(int argc, char **argv);
int coordinator_status(int argc, char **argv);

/* Says which of credential and passphrase the key file wants when that one is missing (MAILLE_INVALID). */
enum maille_code coordinator_check_unlock(const char *path, const struct key_unlock *unlock,
                                          struct maille_error *error) MAILLE_CHECKED;

#endif
