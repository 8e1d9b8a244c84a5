/* The epoch of a directory: reading it, and what may follow it. */
#ifndef PROTO_DIRECTORY_EPOCH_H
#define PROTO_DIRECTORY_EPOCH_H

#include "proto/directory.h"

/* The key `epoch` of root, or number 0 with every site. directory->sites are read already. MAILLE_INVALID. */
enum maille_code directory_epoch_read(struct directory_epoch *epoch, const struct directory *directory,
                                      struct arena *arena, const struct yaml_node *root,
                                      struct maille_error *error) MAILLE_CHECKED;
/* Whether `next` may come after `pinned`; name: of the file, for the sentence. MAILLE_SIGNATURE. */
enum maille_code directory_epoch_follows(const struct directory *next, const struct directory *pinned,
                                         const char *name, struct maille_error *error) MAILLE_CHECKED;

#endif
