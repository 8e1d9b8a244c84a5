/* Whose schema it is, and who may do what with its tables. Within the transaction of an import. */
#ifndef REGISTRY_ENGINE_RIGHTS_H
#define REGISTRY_ENGINE_RIGHTS_H

#include "registry/engine_freeze.h"

/* The schema is of the folder of this id, from its first import on: tables of two folders have the same
 * names. MAILLE_INVALID: it is another's. */
enum maille_code engine_rights_claim(const struct engine_freeze *freeze, const char *id,
                                     struct maille_error *error) MAILLE_CHECKED;

/* MAILLE_INVALID where another than the owner, and of the frozen table the reader, may do anything with the
 * tables of the schema: default privileges of the database may have given more. */
enum maille_code engine_rights_check(const struct engine_freeze *freeze, const char *table,
                                     struct maille_error *error) MAILLE_CHECKED;

#endif
