#include "registry/column_cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "registry/cached.h"
#include "registry/source.h"

/* The buffers of one block, once somebody has read it. */
struct cached_block {
    struct column_block block;
    void *values, *missing;
    bool is_read;
};

struct cached_column {
    const struct columns *columns; /* NULL once they were freed */
    uint32_t variable;             /* of the dictionary, or CACHED_PATIENTS */
    size_t bytes, n_blocks;
    struct cached_block *blocks;
    unsigned held;     /* by how many scratches */
    uint64_t last_use; /* a count of uses */
    struct cached_column *next;
};

struct column_cache {
    pthread_mutex_t lock; /* of all below; not held while a file is read */
    size_t bytes_max;
    struct cached_column *first;
    uint64_t uses;
    struct column_cache_facts facts;
};

enum maille_code column_cache_new(struct column_cache **cache, size_t bytes_max, struct maille_error *error)
{
    struct column_cache *made = calloc(1, sizeof *made);
    if (made == NULL || pthread_mutex_init(&made->lock, NULL) != 0) {
        free(made);
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a cache of columns, found none");
    }
    made->bytes_max = bytes_max;
    *cache = made;
    return MAILLE_OK;
}

static void column_free(struct cached_column *column)
{
    for (size_t b = 0; b < column->n_blocks; b++) {
        free(column->blocks[b].values);
        free(column->blocks[b].missing);
    }
    free(column->blocks);
    free(column);
}

/* Takes *place out of the list. */
static void column_drop(struct column_cache *cache, struct cached_column **place)
{
    struct cached_column *column = *place;
    *place = column->next;
    cache->facts.bytes -= column->bytes;
    column_free(column);
}

void column_cache_free(struct column_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->first != NULL) {
        assert(cache->first->held == 0);
        column_drop(cache, &cache->first);
    }
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

void columns_use_cache(struct columns *columns, struct column_cache *cache)
{
    if (columns->source != NULL)
        columns->cache = cache;
}

struct column_cache_facts column_cache_facts(struct column_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    struct column_cache_facts facts = cache->facts;
    pthread_mutex_unlock(&cache->lock);
    return facts;
}

void column_cache_forget(const struct columns *columns)
{
    struct column_cache *cache = columns->cache;
    if (cache == NULL)
        return;
    pthread_mutex_lock(&cache->lock);
    for (struct cached_column **place = &cache->first; *place != NULL;) {
        if ((*place)->columns == columns && (*place)->held == 0) {
            column_drop(cache, place);
            continue;
        }
        if ((*place)->columns == columns)
            (*place)->columns = NULL; /* goes when nobody holds it */
        place = &(*place)->next;
    }
    pthread_mutex_unlock(&cache->lock);
}

/* ---- With the lock held ---- */

/* A chunk is whole also where the last block is not. */
static size_t column_bytes(const struct columns *columns, uint32_t variable)
{
    size_t entry = 4, bits = 0;
    if (variable != CACHED_PATIENTS) {
        entry = table_storage_size(cell_storage(&columns->dictionary->variables[variable]));
        bits = table_has_missing(columns, variable) ? COLUMNS_BLOCK_ROWS / 8 : 0;
    }
    return columns_blocks(columns) * (COLUMNS_BLOCK_ROWS * entry + bits);
}

/* Lets go those used longest ago until there is room; false where what is held leaves none. */
static bool make_room(struct column_cache *cache, size_t bytes)
{
    size_t idle = 0;
    for (const struct cached_column *at = cache->first; at != NULL; at = at->next)
        idle += at->held == 0 ? at->bytes : 0;
    if (bytes > cache->bytes_max || cache->facts.bytes - idle > cache->bytes_max - bytes)
        return false;
    while (cache->facts.bytes > cache->bytes_max - bytes) {
        struct cached_column **oldest = NULL;
        for (struct cached_column **place = &cache->first; *place != NULL; place = &(*place)->next)
            if ((*place)->held == 0 && (oldest == NULL || (*place)->last_use < (*oldest)->last_use))
                oldest = place;
        column_drop(cache, oldest);
        cache->facts.evicted++;
    }
    return true;
}

/* The column, made where there is room for it; otherwise NULL. */
static struct cached_column *column_find(struct column_cache *cache, const struct columns *columns,
                                         uint32_t variable)
{
    for (struct cached_column *at = cache->first; at != NULL; at = at->next)
        if (at->columns == columns && at->variable == variable)
            return at;
    size_t bytes = column_bytes(columns, variable);
    if (!make_room(cache, bytes))
        return NULL;
    struct cached_column *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->n_blocks = columns_blocks(columns);
    made->blocks = calloc(made->n_blocks + 1, sizeof *made->blocks);
    if (made->blocks == NULL) {
        free(made);
        return NULL;
    }
    made->columns = columns;
    made->variable = variable;
    made->bytes = bytes;
    made->next = cache->first;
    cache->first = made;
    cache->facts.bytes += bytes;
    return made;
}

static void hold(struct column_cache *cache, struct column_scratch *scratch, struct cached_column *column)
{
    if (scratch->held == column)
        return;
    if (column != NULL)
        column->held++;
    if (scratch->held != NULL && --scratch->held->held == 0 && scratch->held->columns == NULL) {
        struct cached_column **place = &cache->first;
        while (*place != scratch->held) {
            assert(*place != NULL); /* what is held stands in the list */
            place = &(*place)->next;
        }
        column_drop(cache, place);
    }
    scratch->held = column;
    scratch->held_in = column == NULL ? NULL : cache;
}

/* The buffer leaves the scratch, as small as it can be. */
static void *taken(struct bytes *buffer)
{
    void *smaller = buffer->capacity > buffer->length ? realloc(buffer->data, buffer->length) : NULL;
    void *data = smaller != NULL ? smaller : buffer->data;
    *buffer = (struct bytes){0};
    return data;
}

static void block_keep(struct cached_block *cached, struct column_block *block,
                       struct column_scratch *scratch)
{
    cached->values = taken(&scratch->plain);
    block->values = cached->values;
    if (block->missing != NULL) {
        cached->missing = taken(&scratch->bits);
        block->missing = cached->missing;
    }
    cached->block = *block;
    cached->is_read = true;
}

/* ---- Reading ---- */

void column_cache_release(struct column_scratch *scratch)
{
    struct column_cache *cache = scratch->held_in;
    if (cache == NULL)
        return;
    pthread_mutex_lock(&cache->lock);
    hold(cache, scratch, NULL);
    pthread_mutex_unlock(&cache->lock);
}

enum maille_code column_cache_read(struct column_block *out, const struct columns *columns,
                                   struct column_scratch *scratch, uint32_t variable, size_t block,
                                   struct maille_error *error)
{
    struct column_cache *cache = columns->cache;
    struct column_block found = {0};
    if (scratch->held_in != cache)
        column_cache_release(scratch);
    pthread_mutex_lock(&cache->lock);
    struct cached_column *column = column_find(cache, columns, variable);
    hold(cache, scratch, column);
    if (column != NULL)
        column->last_use = ++cache->uses;
    bool is_here = column != NULL && column->blocks[block].is_read;
    if (is_here) {
        *out = column->blocks[block].block;
        cache->facts.hits++;
    }
    pthread_mutex_unlock(&cache->lock);
    if (is_here)
        return MAILLE_OK;

    enum maille_code code = variable == CACHED_PATIENTS
                                ? table_read_patients(&found, columns, scratch, block, error)
                                : table_read(&found, columns, scratch, variable, block, error);
    if (code != MAILLE_OK)
        return code;
    pthread_mutex_lock(&cache->lock);
    cache->facts.reads++;
    if (column != NULL && !column->blocks[block].is_read)
        block_keep(&column->blocks[block], &found, scratch);
    pthread_mutex_unlock(&cache->lock);
    *out = found;
    return MAILLE_OK;
}
