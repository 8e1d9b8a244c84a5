/* The signed directory of a sandbox, and waiting for its sites. */
#ifndef CLI_SANDBOX_NETWORK_H
#define CLI_SANDBOX_NETWORK_H

#include "base/arena.h"
#include "cli/sandbox_split.h"

/* Makes the keys of authority, researcher and coordinator (maille-coordinator init) and writes
 * DIR/network.yaml, signed, of a network of this name. dir is absolute; the sites have been initialised. */
enum maille_code sandbox_network_make(struct arena *arena, const char *dir, const char *network,
                                      const struct sandbox_site *sites, size_t n,
                                      struct maille_error *error) MAILLE_CHECKED;

/* Asks the coordinator for its catalogue until every site is in it. MAILLE_TIMEOUT names who is missing and
 * where to look; a party that stopped is named at once, with the last line of its log. */
enum maille_code sandbox_network_wait(struct arena *arena, const char *dir, int timeout_ms,
                                      struct maille_error *error) MAILLE_CHECKED;

#endif
