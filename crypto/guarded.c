#include "crypto/guarded.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

struct guarded {
    pthread_mutex_t lock; /* page rights belong to the whole process: one user at a time */
    void *memory;
};

struct guarded *guarded_new(size_t size)
{
    struct guarded *guarded = calloc(1, sizeof *guarded);
    if (guarded == NULL)
        return NULL;
    guarded->memory = sodium_malloc(size);
    if (guarded->memory == NULL || pthread_mutex_init(&guarded->lock, NULL) != 0) {
        sodium_free(guarded->memory);
        free(guarded);
        return NULL;
    }
    memset(guarded->memory, 0, size);
    if (sodium_mprotect_noaccess(guarded->memory) != 0)
        abort();
    return guarded;
}

void guarded_free(struct guarded *guarded)
{
    if (guarded == NULL)
        return;
    sodium_free(guarded->memory); /* opens, checks the canary, wipes */
    pthread_mutex_destroy(&guarded->lock);
    free(guarded);
}

const void *guarded_open(struct guarded *guarded)
{
    pthread_mutex_lock(&guarded->lock);
    if (sodium_mprotect_readonly(guarded->memory) != 0)
        abort();
    return guarded->memory;
}

void *guarded_change(struct guarded *guarded)
{
    pthread_mutex_lock(&guarded->lock);
    if (sodium_mprotect_readwrite(guarded->memory) != 0)
        abort();
    return guarded->memory;
}

void guarded_close(struct guarded *guarded)
{
    if (sodium_mprotect_noaccess(guarded->memory) != 0)
        abort();
    pthread_mutex_unlock(&guarded->lock);
}
