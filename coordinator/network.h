/* The directory that is in force: read from a file, kept in the store, changed only by a newer one that the
 * authorities known so far have signed. The ZAP thread asks it who may connect. */
#ifndef COORDINATOR_NETWORK_H
#define COORDINATOR_NETWORK_H

#include "coordinator/store.h"
#include "proto/directory.h"

struct network; /* opaque */

/* path: network.yaml. What the store has pinned must agree with it: a newer file is taken when it is signed
 * by the pinned quorum, an older or missing one is passed over (*note says so in words; else ""). keys: our
 * own, which the directory must name (MAILLE_INVALID). */
enum maille_code network_open(struct network **network, const char *path, struct store *store,
                              const struct secret_keys *keys, char note[MAILLE_SENTENCE_MAX],
                              struct maille_error *error) MAILLE_CHECKED;
void network_free(struct network *network);

/* For the thread that calls network_reload only; valid until the next reload that changes something. */
const struct directory *network_directory(const struct network *network);

/* Reads the file again when it changed since (or `always`). *changed: a newer directory is in force;
 * *rekeyed: somebody's transport key is gone or another, so connections must be made anew. A file that is
 * refused changes nothing (the error says why, once). */
enum maille_code network_reload(struct network *network, struct store *store, const struct secret_keys *keys,
                                bool always, bool *changed, bool *rekeyed,
                                struct maille_error *error) MAILLE_CHECKED;

/* wire_admit: sites and researchers of the directory. context: struct network. */
bool network_admit(void *context, const uint8_t transport[PUBLIC_BYTES], char *name, enum key_role *role);

#endif
