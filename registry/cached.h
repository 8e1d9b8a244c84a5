/* What columns.c and table.c need of the cache. Private to this room. */
#ifndef REGISTRY_CACHED_H
#define REGISTRY_CACHED_H

#include "registry/table.h"

/* Stands for the patients' indices among the variables. */
#define CACHED_PATIENTS UINT32_MAX

/* As table_read or table_read_patients, through columns->cache, which must be there. What it gives is held by
 * the scratch until that is used again or released. */
enum maille_code column_cache_read(struct column_block *out, const struct columns *columns,
                                   struct column_scratch *scratch, uint32_t variable, size_t block,
                                   struct maille_error *error) MAILLE_CHECKED;

/* The scratch holds nothing any more. */
void column_cache_release(struct column_scratch *scratch);

/* Gives back what is kept of these columns. */
void column_cache_forget(const struct columns *columns);

#endif
