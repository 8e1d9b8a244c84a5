/* What several subcommands read: study, dictionary, network, keys. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "crypto/identity.h"
#include "proto/directory.h"
#include "stats/methods.h"

/* Reads and types a study. Its dictionary is `dictionary_path`, or (NULL) the first that has the right name
 * and version of: NAME.yaml, NAME.dictionary.yaml and dictionary.yaml in the study's folder, then in `beside`
 * (a folder; NULL: none), then `fallback` (its text; NULL: none). The methods' own checks are run. Everything
 * lives in arena. problems: filled with all that is wrong; NULL: the first error ends it. Errors:
 * MAILLE_INVALID with file, line and column. */
enum maille_code cli_read_study(const struct study **study, const struct dictionary **dictionary,
                                struct study_problems *problems, struct arena *arena, const char *path,
                                const char *dictionary_path, const char *beside, const char *fallback,
                                struct maille_error *error) MAILLE_CHECKED;

/* Reads network.yaml and demands the quorum of signatures. */
enum maille_code cli_read_network(const struct directory **directory, struct arena *arena, const char *path,
                                  struct maille_error *error) MAILLE_CHECKED;

/* A directory out of an archive is that of a network that the reader knows: as many of its authorities as it
 * asks for have signed it. MAILLE_SIGNATURE. */
enum maille_code cli_check_known(const struct directory *directory, const struct directory *known,
                                 struct maille_error *error) MAILLE_CHECKED;

/* Opens a key file of the role: with the credential file, or (NULL) with $MAILLE_PASSPHRASE, or with a
 * passphrase asked on the terminal without echo. */
enum maille_code cli_read_keys(struct secret_keys **keys, enum key_role role, const char *path,
                               const char *credential, struct maille_error *error) MAILLE_CHECKED;

/* From now on cli_read_keys of this file answers these: a program that was given a passphrase once runs
 * several commands, each in a process of its own, that would ask again. They stay the caller's; NULL: no
 * longer. */
void cli_keep_keys(struct secret_keys *keys, const char *path);

/* The folder of a path, in the arena: "a/b" → "a", "b" → ".". */
const char *cli_folder_of(struct arena *arena, const char *path);

#endif
