/* A snapshot file: HDF5, file format of 1.10 (its metadata carry checksums), filter pipeline shuffle, then
 * LZ4 (32004).
 *
 *     /                     attributes: format, format_version, number, created, dictionary,
 * dictionary_version, source_hash, salt, rows, patients, public, exclusions /dictionary           the
 * dictionary as it was read: one string (an attribute may not exceed 64 KiB) /patient/NAME         one entry
 * a row, int8 | int16 | int32 | int64, little-endian /missing/NAME         one bit a row in bytes, lowest bit
 * first; only where the variable has a missing entry /patient_index        int32, dense, ascending /row_id
 * uint64, 2^32 * the patient's number + the row's, both stable across snapshots (rowkeys.h)
 *
 * Chunks hold COLUMNS_BLOCK_ROWS rows (the masks an eighth as many bytes), or all rows of a smaller file:
 * HDF5 stores whole chunks, and a site of 500 patients must not take megabytes. Without rows there are no
 * chunks. */
#ifndef REGISTRY_SNAPSHOT_LAYOUT_H
#define REGISTRY_SNAPSHOT_LAYOUT_H

#include <hdf5.h>

#include "registry/table.h"

#define SNAPSHOT_FORMAT "maille-snapshot"
enum { SNAPSHOT_FORMAT_VERSION = 4, SNAPSHOT_DICTIONARY_MAX = 1 << 24 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "chunks are read as they stand, little-endian");

/* The type in the file; a constant of the library, not to be closed. */
static inline hid_t snapshot_type(enum column_storage storage)
{
    switch (storage) {
    case STORE_INT8:
        return H5T_STD_I8LE;
    case STORE_INT16:
        return H5T_STD_I16LE;
    case STORE_INT32:
        return H5T_STD_I32LE;
    case STORE_INT64:
        return H5T_STD_I64LE;
    }
    return H5I_INVALID_HID;
}

/* Entries of a chunk, for a dataset of `entries` of which a block has per_block. */
static inline size_t snapshot_chunk(size_t entries, size_t per_block)
{
    return entries < per_block ? entries : per_block;
}

#endif
