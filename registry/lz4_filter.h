/* The LZ4 chunk filter of HDF5, registered number 32004, in exactly the byte format of the registered filter
 * (HDF Group, "Registered Filter Plugins", id 32004; reference implementation H5Zlz4.c of
 * nexusformat/HDF5-External-Filter-Plugins):
 *
 *     8 bytes  big-endian  size of the plain chunk
 *     4 bytes  big-endian  size of a block (the last one may be shorter)
 *     per block:
 *         4 bytes  big-endian  size of the packed block; equal to its plain size: stored as it is
 *         the packed block
 */
#ifndef REGISTRY_LZ4_FILTER_H
#define REGISTRY_LZ4_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { LZ4_FILTER_ID = 32004 };

/* Makes the filter known to HDF5, in both directions. Call while holding HDF5 (hdf5_session.h). */
enum maille_code lz4_filter_register(struct maille_error *error) MAILLE_CHECKED;

/* Most bytes that a chunk of `plain` bytes takes when packed (in one block). */
size_t lz4_filter_bound(size_t plain);

/* Packs length > 0 bytes as one block into out, which has lz4_filter_bound(length) bytes; returns how many
 * were written, 0 when it cannot be done. */
size_t lz4_filter_encode(void *out, const void *in, size_t length);

/* Unpacks a chunk whose plain size is known: true when it is well-formed, gives exactly out_length bytes and
 * nothing is left over. Any bytes may be passed. */
bool lz4_filter_decode(void *out, size_t out_length, const void *in, size_t length);

#endif
