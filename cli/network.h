/* What the network subcommands share. */
#ifndef CLI_NETWORK_H
#define CLI_NETWORK_H

#include "base/options.h"
#include "proto/card.h"
#include "proto/directory.h"

/* The directory's path where no option says another, and the option. */
extern const char network_default_path[];
struct option_row network_path_row(const char **path, const char *sentence);

/* A copy of n entries of this size that may be changed in place, with room for one more at its end. */
void *network_list_copy(struct arena *arena, const void *list, size_t n, size_t size);

/* Reads a directory that may still lack signatures. */
enum maille_code network_read(const struct directory **directory, struct arena *arena, const char *path,
                              struct maille_error *error) MAILLE_CHECKED;

/* Writes a directory without signatures, once it reads back: every rule of a directory holds for what we
 * write. what: said on standard error. */
enum maille_code network_write(struct arena *arena, const char *path, const struct directory *d,
                               const char *what, struct maille_error *error) MAILLE_CHECKED;

/* A card that must have this role. */
enum maille_code network_card_of(struct card *card, struct arena *arena, const char *path, enum key_role role,
                                 struct maille_error *error) MAILLE_CHECKED;

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

/* Takes a researcher who leaves out of every registration of d, whose lists are new ones in arena: the same
 * name may come back as somebody else. Of how many. */
size_t network_registrations_leave(struct directory *d, struct arena *arena, const char *researcher);

/* --- subcommands: network_init.c, network_parties.c, network_keys.c, network_register.c, network_cohort.c
 * --- */
typedef enum maille_code network_run(int argc, char **argv, struct arena *arena,
                                     struct maille_error *error) MAILLE_CHECKED;
network_run network_run_init, network_run_add, network_run_revoke, network_run_epoch, network_run_invite,
    network_run_rekey, network_run_lost, network_run_register, network_run_cohort;

/* maille network show: version, registrations, parties with their safety numbers, signatures and whether the
 * quorum is met; on standard output. */
void network_print(const struct directory *directory);

#endif
