/* From key texts to dense numbers, in order of first appearance. */
#ifndef REGISTRY_KEYMAP_H
#define REGISTRY_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct keymap; /* opaque */

struct keymap *keymap_new(void) MAILLE_CHECKED; /* NULL when there is no memory */
void keymap_free(struct keymap *keymap);        /* NULL is legal; the texts are overwritten */

/* The number of this text, a new one when it was not seen before. Errors: MAILLE_MEMORY; MAILLE_INVALID past
 * 2^31 − 1 texts. */
enum maille_code keymap_number(struct keymap *keymap, int32_t *number, const char *text, size_t length,
                               struct maille_error *error) MAILLE_CHECKED;

/* The number of this text, or -1 when it was not seen. */
int32_t keymap_find(const struct keymap *keymap, const char *text, size_t length);

size_t keymap_count(const struct keymap *keymap);

/* The text of a number below keymap_count, NUL-terminated. Valid until the next keymap_number. */
const char *keymap_text(const struct keymap *keymap, int32_t number);

#endif
