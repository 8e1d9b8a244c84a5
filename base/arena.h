/* Arena: memory that is given back all at once. Trees (expressions, documents, results) live in one. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/error.h"

struct arena; /* opaque */

/* A new, empty arena; NULL when there is no memory. Free with arena_free. */
struct arena *arena_new(void) MAILLE_CHECKED;

/* Gives back everything that was allocated in it. NULL is legal. */
void arena_free(struct arena *arena);

/* size bytes, zeroed, aligned for any type. Never NULL: a program that cannot get memory for its own small
 * trees stops with a message (base/arena.c says why). Sizes that come from a peer are checked before they
 * come here. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));

/* count · size bytes, as arena_alloc; the product is checked. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));

/* A copy of a string, or of its first length bytes (NUL added). */
char *arena_strdup(struct arena *arena, const char *string) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *arena, const char *string, size_t length) __attribute__((returns_nonnull));

/* As asprintf, in the arena. */
char *arena_printf(struct arena *arena, const char *format, ...) MAILLE_PRINTF(2, 3)
    __attribute__((returns_nonnull));

#endif
