/* Columns of snapshots that were read lately, unpacked and checked, in memory up to a bound: one that still
 * fits is not read from its file again.
 *
 * A column is kept whole or not at all. When a column that is not kept is read and there is no room, those
 * that were used longest ago make room, but never one that somebody is reading: of a question that reads more
 * than fits, what came first stays, and the rest goes through the readers' scratches as without a cache. */
#ifndef REGISTRY_COLUMN_CACHE_H
#define REGISTRY_COLUMN_CACHE_H

#include "registry/columns.h"

struct column_cache; /* opaque; safe to use from several threads */

/* bytes_max: of values and masks; 0 keeps nothing. Free with column_cache_free, after the columns that use it
 * and their scratches. Errors: MAILLE_MEMORY. */
enum maille_code column_cache_new(struct column_cache **cache, size_t bytes_max,
                                  struct maille_error *error) MAILLE_CHECKED;
void column_cache_free(struct column_cache *cache); /* NULL is legal */

/* From now on blocks of these columns go through the cache. Once, before the first is read; of a table in
 * memory it means nothing. columns_free gives back what is kept of them. */
void columns_use_cache(struct columns *columns, struct column_cache *cache);

struct column_cache_facts {
    uint64_t reads;   /* blocks that were read from a file */
    uint64_t hits;    /* blocks that were found here */
    uint64_t evicted; /* columns that made room */
    size_t bytes;     /* that are kept, or will be when the columns are read to their end */
};
struct column_cache_facts column_cache_facts(struct column_cache *cache);

#endif
