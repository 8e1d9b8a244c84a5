#include "registry/snapshot_file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/lz4_filter.h"
#include "registry/range.h"
#include "registry/unshuffle.h"

static void free_file(void *place)
{
    struct snapshot_file *file = place;
    if (file == NULL)
        return;
    for (size_t v = 0; v < file->n_variables; v++) {
        free(file->values[v].chunks);
        free(file->missing[v].chunks);
    }
    free(file->values);
    free(file->missing);
    free(file->patient_index.chunks);
    free(file->row_id.chunks);
    free(file->path);
    if (file->fd >= 0)
        close(file->fd);
    free(file);
}

static bool has_missing(const struct columns *columns, uint32_t variable)
{
    const struct snapshot_file *file = columns->place;
    return file->missing[variable].chunks != NULL;
}

/* Makes the buffer hold length bytes, of no particular content; what fits already is not touched. */
static enum maille_code make_room(struct bytes *buffer, size_t length, struct maille_error *error)
{
    if (buffer->capacity < length) {
        bytes_clear(buffer);
        (void)bytes_reserve(buffer, length);
    } else {
        buffer->length = length;
    }
    return bytes_check(buffer, error);
}

static enum maille_code read_at(const struct snapshot_file *file, void *to, size_t length, uint64_t offset,
                                struct maille_error *error)
{
    char *next = to;
    while (length > 0) {
        ssize_t got = pread(file->fd, next, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return maille_fail_errno(error, "cannot read %s", file->path);
        if (got == 0)
            return maille_fail(error, MAILLE_CORRUPT,
                               "%s: expected %zu more bytes at %llu, found the end of the file", file->path,
                               length, (unsigned long long)offset);
        next += got;
        length -= (size_t)got;
        offset += (uint64_t)got;
    }
    return MAILLE_OK;
}

/* One chunk, unpacked and unshuffled, into out. */
static enum maille_code read_chunk(const struct snapshot_file *file, const struct chunked *dataset,
                                   size_t block, struct bytes *packed, struct bytes *out, const char *name,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct chunk chunk = dataset->chunks[block];
    size_t plain = dataset->chunk_entries * dataset->entry_size;
    bool is_shuffled = dataset->entry_size > 1;
    /* The packed bytes and, behind them, the planes. */
    MAILLE_TRY(make_room(packed, chunk.size + (is_shuffled ? plain : 0), error));
    MAILLE_TRY(make_room(out, plain, error));
    MAILLE_TRY(read_at(file, packed->data, chunk.size, chunk.offset, error));
    uint8_t *planes = is_shuffled ? packed->data + chunk.size : out->data;
    if (!lz4_filter_decode(planes, plain, packed->data, chunk.size)) {
        code = maille_fail(error, MAILLE_CORRUPT,
                           "%s: expected an LZ4 chunk of %s (block %zu), found other bytes; import again",
                           file->path, name, block);
        goto out;
    }
    if (is_shuffled)
        unshuffle(out->data, planes, dataset->chunk_entries, dataset->entry_size);
out:
    return code;
}

static enum maille_code read_values(struct column_block *out, const struct columns *columns,
                                    struct column_scratch *scratch, uint32_t variable, size_t block,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct snapshot_file *file = columns->place;
    const struct variable *described = &columns->dictionary->variables[variable];
    struct column_block found = {.storage = cell_storage(described),
                                 .rows = table_block_rows(columns, block)};
    double least, greatest;
    MAILLE_TRY(read_chunk(file, &file->values[variable], block, &scratch->packed, &scratch->plain,
                          described->name, error));
    found.values = scratch->plain.data;
    cell_range(described, &least, &greatest);
    if (!range_holds(&found, least, greatest)) {
        code = maille_fail(
            error, MAILLE_CORRUPT,
            "%s: expected values of %s as the dictionary allows (block %zu), found others; import again",
            file->path, described->name, block);
        goto out;
    }
    if (file->missing[variable].chunks != NULL) {
        MAILLE_TRY(read_chunk(file, &file->missing[variable], block, &scratch->packed, &scratch->bits,
                              described->name, error));
        found.missing = scratch->bits.data;
    }
    *out = found;
out:
    return code;
}

static enum maille_code read_patients(struct column_block *out, const struct columns *columns,
                                      struct column_scratch *scratch, size_t block,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct snapshot_file *file = columns->place;
    size_t rows = table_block_rows(columns, block);
    MAILLE_TRY(read_chunk(file, &file->patient_index, block, &scratch->packed, &scratch->plain,
                          "/patient_index", error));
    const int32_t *patients = (const int32_t *)(const void *)scratch->plain.data;
    if (!range_is_dense(patients, rows) || patients[0] < 0 ||
        (size_t)patients[rows - 1] >= columns->patients) {
        code = maille_fail(error, MAILLE_CORRUPT,
                           "%s: expected a dense ascending /patient_index (block %zu), found another; "
                           "import again",
                           file->path, block);
        goto out;
    }
    *out = (struct column_block){.storage = STORE_INT32, .rows = rows, .values = patients};
out:
    return code;
}

static enum maille_code read_row_ids(const uint64_t **ids, const struct columns *columns,
                                     struct column_scratch *scratch, size_t block, struct maille_error *error)
{
    const struct snapshot_file *file = columns->place;
    enum maille_code code =
        read_chunk(file, &file->row_id, block, &scratch->packed, &scratch->plain, "/row_id", error);
    if (code == MAILLE_OK)
        *ids = (const uint64_t *)(const void *)scratch->plain.data;
    return code;
}

const struct source source_snapshot = {.has_missing = has_missing,
                                       .read = read_values,
                                       .read_patients = read_patients,
                                       .read_row_ids = read_row_ids,
                                       .free = free_file};
