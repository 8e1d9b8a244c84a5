/* What the network subcommands share. */
#ifndef CLI_NETWORK_H
#define CLI_NETWORK_H

#include "proto/card.h"
#include "proto/directory.h"

/* Reads a directory that may still lack signatures. */
enum maille_code network_read(const struct directory **directory, struct arena *arena, const char *path,
                              struct maille_error *error) MAILLE_CHECKED;

/* Writes a directory without signatures, once it reads back: every rule of a directory holds for what we
 * write. what: said on standard error. */
enum maille_code network_write(struct arena *arena, const char *path, const struct directory *d,
                               const char *what, struct maille_error *error) MAILLE_CHECKED;
/* A card's safety number on standard error: whoever made it has it too, and both read it by voice. */
void network_print_safety(const struct card *card);

/* --- network_invite.c: tokens, good once and for 72 hours, beside the directory (FILE.invitations, 0600) ---
 */

/* A new token for a name, which replaces an open one. now_ms: UTC. */
enum maille_code network_invite(char token[CARD_TOKEN_BYTES], const char *path, enum key_role role,
                                const char *name, int64_t now_ms, struct maille_error *error) MAILLE_CHECKED;
/* Whether a card may be added: *invited, that it carries the mark of an open invitation for its name, which
 * is used up by that. MAILLE_INVALID: it carries another mark, or none where an invitation for its name is
 * open, or one that is too old or used. */
enum maille_code network_admit_card(bool *invited, const char *path, const struct card *card, int64_t now_ms,
                                    struct maille_error *error) MAILLE_CHECKED;

/* --- network_keys.c: subcommands --- */
enum maille_code network_run_invite(int argc, char **argv, struct arena *arena,
                                    struct maille_error *error) MAILLE_CHECKED;
enum maille_code network_run_rekey(int argc, char **argv, struct arena *arena,
                                   struct maille_error *error) MAILLE_CHECKED;
enum maille_code network_run_lost(int argc, char **argv, struct arena *arena,
                                  struct maille_error *error) MAILLE_CHECKED;

/* maille network show: version, parties with their safety numbers, signatures and whether the quorum is met;
 * on standard output. */
void network_print(const struct directory *directory);

#endif
