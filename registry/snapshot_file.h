/* The chunks of a snapshot file, decoded in the calling thread. Private to this room.
 *
 * The layout stands in snapshot_layout.h. HDF5 is asked once, at opening, where each chunk stands; from then
 * on chunks are read with pread and decoded here. So no lock is held while patients are tallied, and HDF5,
 * which on Debian is built without thread safety, is not on the path at all. */
#ifndef REGISTRY_SNAPSHOT_FILE_H
#define REGISTRY_SNAPSHOT_FILE_H

#include "registry/source.h"
#include "registry/table.h"

/* Where one chunk stands in the file. */
struct chunk {
    uint64_t offset;
    size_t size;
};

/* One dataset: chunk b holds block b. */
struct chunked {
    size_t entry_size, chunk_entries;
    struct chunk *chunks; /* one per block; NULL when the file has no such dataset */
};

struct snapshot_file {
    int fd;
    char *path;
    size_t n_variables;
    struct chunked *values, *missing; /* per variable */
    struct chunked patient_index, row_id;
};

/* Opens path and checks its shape: what columns_open does. In snapshot_read.c. */
enum maille_code snapshot_read(struct columns **columns, const char *path,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
