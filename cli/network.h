/* What the network subcommands share. */
#ifndef CLI_NETWORK_H
#define CLI_NETWORK_H

#include "proto/directory.h"

/* Reads a directory that may still lack signatures. */
enum maille_code network_read(const struct directory **directory, struct arena *arena, const char *path,
                              struct maille_error *error) MAILLE_CHECKED;

/* maille network show: version, parties with their safety numbers, signatures and whether the quorum is met;
 * on standard output. */
void network_print(const struct directory *directory);

#endif
