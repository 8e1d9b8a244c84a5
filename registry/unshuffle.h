/* The inverse of HDF5's shuffle filter: from planes (all first bytes, all second bytes, …) to entries. */
#ifndef REGISTRY_UNSHUFFLE_H
#define REGISTRY_UNSHUFFLE_H

#include <stddef.h>
#include <stdint.h>

/* out and in: entries · size bytes that do not overlap; size is 1, 2, 4 or 8. */
void unshuffle(uint8_t *out, const uint8_t *in, size_t entries, size_t size);

#endif
