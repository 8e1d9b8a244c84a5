#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "registry/columns.h"
#include "registry/hdf5_session.h"
#include "registry/lz4_filter.h"
#include "registry/snapshot_layout.h"

enum { IMAGE_STEP = 1 << 20 }; /* bytes by which the image grows */

/* ---- Pieces of HDF5; each returns false when the library said no ---- */

static bool write_attribute(hid_t object, const char *name, hid_t file_type, hid_t memory_type,
                            const void *value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool done = attribute >= 0 && H5Awrite(attribute, memory_type, value) >= 0;
    if (attribute >= 0)
        done = H5Aclose(attribute) >= 0 && done;
    if (space >= 0)
        H5Sclose(space);
    return done;
}

static bool write_number(hid_t object, const char *name, uint64_t value)
{
    return write_attribute(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value);
}

/* A string type of fixed length: those of variable length stand in a heap without a checksum. */
static hid_t string_type(size_t length)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0)
        return type;
    if (H5Tset_size(type, length > 0 ? length : 1) < 0 || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
        H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

static bool write_string(hid_t object, const char *name, const char *value)
{
    hid_t type = string_type(strlen(value));
    bool done = type >= 0 && write_attribute(object, name, type, type, value);
    if (type >= 0)
        H5Tclose(type);
    return done;
}

/* Creation properties of a kind of object, without times: the same table is the same file. Negative: none. */
static hid_t untimed(hid_t class)
{
    hid_t properties = H5Pcreate(class);
    if (properties >= 0 && H5Pset_obj_track_times(properties, false) < 0) {
        H5Pclose(properties);
        properties = H5I_INVALID_HID;
    }
    return properties;
}

static hid_t create_group(hid_t file, const char *name)
{
    hid_t properties = untimed(H5P_GROUP_CREATE), group = H5I_INVALID_HID;
    if (properties >= 0) {
        group = H5Gcreate2(file, name, H5P_DEFAULT, properties, H5P_DEFAULT);
        H5Pclose(properties);
    }
    return group;
}

static bool write_text(hid_t file, const char *name, const char *text, size_t length)
{
    hid_t type = string_type(length);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t properties = untimed(H5P_DATASET_CREATE), dataset = H5I_INVALID_HID;
    bool done = properties >= 0;
    if (done)
        dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    done =
        dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, length > 0 ? text : "") >= 0;
    if (dataset >= 0)
        done = H5Dclose(dataset) >= 0 && done;
    if (properties >= 0)
        H5Pclose(properties);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return done;
}

/* An empty dataset of so many entries; chunk entries to a chunk. */
static hid_t create_dataset(hid_t group, const char *name, hid_t type, size_t entries, size_t chunk)
{
    hsize_t length = entries, chunk_length = chunk;
    hid_t space = H5Screate_simple(1, &length, NULL);
    hid_t properties = untimed(H5P_DATASET_CREATE), dataset = H5I_INVALID_HID;
    bool done = space >= 0 && properties >= 0;
    /* The padding of the last chunk is written as zeros, never as what happened to be in memory. */
    done = done && H5Pset_fill_time(properties, H5D_FILL_TIME_ALLOC) >= 0;
    if (done && entries > 0)
        done = H5Pset_chunk(properties, 1, &chunk_length) >= 0 && H5Pset_shuffle(properties) >= 0 &&
               H5Pset_filter(properties, LZ4_FILTER_ID, H5Z_FLAG_MANDATORY, 0, NULL) >= 0;
    if (done)
        dataset = H5Dcreate2(group, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    if (properties >= 0)
        H5Pclose(properties);
    if (space >= 0)
        H5Sclose(space);
    return dataset;
}

static bool write_entries(hid_t dataset, hid_t type, size_t first, size_t entries, const void *values)
{
    hsize_t start = first, count = entries;
    hid_t memory = H5Screate_simple(1, &count, NULL);
    hid_t space = H5Dget_space(dataset);
    bool done = memory >= 0 && space >= 0 &&
                H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0 &&
                H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, values) >= 0;
    if (space >= 0)
        H5Sclose(space);
    if (memory >= 0)
        H5Sclose(memory);
    return done;
}

/* ---- What a snapshot holds ---- */

struct writer {
    const struct columns *table;
    const char *path;
    hid_t file, patient, missing;
    struct column_scratch scratch;
};

static enum maille_code fail_write(const struct writer *writer, const char *name, struct maille_error *error)
{
    return hdf5_fail(error, MAILLE_MEMORY, "cannot make %s of %s in memory", name, writer->path);
}

/* One dataset, block by block. read gives the entries of a block, of which there are rows (or, for a mask,
 * bytes). */
enum content { VALUES, MASK, PATIENTS, ROW_IDS };

static enum maille_code read_content(const void **entries, struct writer *writer, enum content content,
                                     uint32_t variable, size_t block, struct maille_error *error)
{
    static const uint8_t nothing_missing[COLUMNS_BLOCK_ROWS / 8];
    enum maille_code code = MAILLE_OK;
    struct column_block found = {0};
    const uint64_t *ids = NULL;
    switch (content) {
    case VALUES:
    case MASK:
        MAILLE_TRY(table_read(&found, writer->table, &writer->scratch, variable, block, error));
        *entries = content == VALUES ? found.values : found.missing != NULL ? found.missing : nothing_missing;
        break;
    case PATIENTS:
        MAILLE_TRY(table_read_patients(&found, writer->table, &writer->scratch, block, error));
        *entries = found.values;
        break;
    case ROW_IDS:
        MAILLE_TRY(table_read_row_ids(&ids, writer->table, &writer->scratch, block, error));
        *entries = ids;
        break;
    }
out:
    return code;
}

static enum maille_code write_content(struct writer *writer, hid_t group, const char *name, hid_t type,
                                      enum content content, uint32_t variable, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    /* A mask has a byte where the others have eight rows. */
    size_t divisor = content == MASK ? 8 : 1;
    size_t per_block = COLUMNS_BLOCK_ROWS / divisor;
    size_t entries = (writer->table->rows + divisor - 1) / divisor;
    hid_t dataset = create_dataset(group, name, type, entries, snapshot_chunk(entries, per_block));
    if (dataset < 0) {
        code = fail_write(writer, name, error);
        goto out;
    }
    for (size_t block = 0; block < columns_blocks(writer->table); block++) {
        size_t first = block * per_block, here = entries - first < per_block ? entries - first : per_block;
        const void *values = NULL;
        MAILLE_TRY(read_content(&values, writer, content, variable, block, error));
        if (!write_entries(dataset, type, first, here, values)) {
            code = fail_write(writer, name, error);
            goto out;
        }
    }
out:
    if (dataset >= 0 && H5Dclose(dataset) < 0 && code == MAILLE_OK)
        code = fail_write(writer, name, error);
    return code;
}

static enum maille_code write_facts(struct writer *writer, const struct snapshot_facts *facts,
                                    struct maille_error *error)
{
    const struct columns *table = writer->table;
    const struct dictionary *dictionary = table->dictionary;
    hid_t file = writer->file;
    bool done =
        write_string(file, "format", SNAPSHOT_FORMAT) &&
        write_number(file, "format_version", SNAPSHOT_FORMAT_VERSION) &&
        write_number(file, "number", facts->number) && write_string(file, "created", facts->created) &&
        write_string(file, "dictionary", dictionary->name) &&
        write_number(file, "dictionary_version", (uint64_t)dictionary->version) &&
        write_string(file, "source_hash", facts->source_hash) && write_string(file, "salt", facts->salt) &&
        write_number(file, "rows", table->rows) && write_number(file, "patients", table->patients) &&
        write_number(file, "public", facts->is_public) &&
        write_string(file, "exclusions", facts->exclusions) &&
        write_text(file, "dictionary", dictionary->text, dictionary->text_length);
    return done ? MAILLE_OK : fail_write(writer, "the attributes", error);
}

static enum maille_code write_table(struct writer *writer, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct columns *table = writer->table;
    writer->patient = create_group(writer->file, "patient");
    writer->missing = create_group(writer->file, "missing");
    if (writer->patient < 0 || writer->missing < 0) {
        code = fail_write(writer, "a group", error);
        goto out;
    }
    for (uint32_t v = 0; v < table->dictionary->n_variables; v++) {
        const struct variable *variable = &table->dictionary->variables[v];
        MAILLE_TRY(write_content(writer, writer->patient, variable->name,
                                 snapshot_type(cell_storage(variable)), VALUES, v, error));
        if (table_has_missing(table, v))
            MAILLE_TRY(write_content(writer, writer->missing, variable->name, H5T_STD_U8LE, MASK, v, error));
    }
    MAILLE_TRY(write_content(writer, writer->file, "patient_index", H5T_STD_I32LE, PATIENTS, 0, error));
    code = write_content(writer, writer->file, "row_id", H5T_STD_U64LE, ROW_IDS, 0, error);
out:
    return code;
}

/* ---- The file, in memory ---- */

/* HDF5 makes the file in memory (compressed: smaller than the table that stands there already) and we write
 * it out, because HDF5 1.10 does not get over a full disk: a file whose close failed stays open, leaks, and
 * at exit is tried again and crashes. H5Fget_file_image would not do: it clears a flag of the superblock and
 * leaves the checksum as it was. So the memory of the closed file is kept, by the callbacks that HDF5 has for
 * its core driver (H5Pset_file_image_callbacks). */

static void *image_malloc(size_t size, H5FD_file_image_op_t op, void *image)
{
    (void)op;
    (void)image;
    return malloc(size);
}

static void *image_realloc(void *old, size_t size, H5FD_file_image_op_t op, void *image)
{
    (void)op;
    (void)image;
    return realloc(old, size);
}

/* At the close the memory holds the finished file: it is handed over and not freed. */
static herr_t image_free(void *memory, H5FD_file_image_op_t op, void *image)
{
    struct bytes *kept = image;
    if (op == H5FD_FILE_IMAGE_OP_FILE_CLOSE && kept->data == NULL)
        kept->data = memory;
    else
        free(memory);
    return 0;
}

static void *image_same(void *image)
{
    return image;
}

static herr_t image_leave(void *image)
{
    (void)image;
    return 0;
}

static hid_t image_access(struct bytes *image)
{
    H5FD_file_image_callbacks_t callbacks = {.image_malloc = image_malloc,
                                             .image_realloc = image_realloc,
                                             .image_free = image_free,
                                             .udata_copy = image_same,
                                             .udata_free = image_leave,
                                             .udata = image};
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* The format of 1.10: its superblock, headers and indices carry checksums. A close takes everything with
     * it. */
    if (access >= 0 && (H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0 ||
                        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 ||
                        H5Pset_fapl_core(access, IMAGE_STEP, false) < 0 ||
                        H5Pset_file_image_callbacks(access, &callbacks) < 0)) {
        H5Pclose(access);
        access = H5I_INVALID_HID;
    }
    return access;
}

/* The length of a finished file: its memory is a multiple of IMAGE_STEP. HDF5 File Format Specification 3.0,
 * II.A, superblock versions 2 and 3: end-of-file address, 8 bytes at 28. */
static size_t image_length(const struct bytes *image, size_t memory)
{
    uint64_t end = memory < 48 ? 0 : le64_load(image->data + 28);
    return end <= memory ? (size_t)end : 0;
}

/* The whole file as bytes; HDF5 is held by the caller. */
static enum maille_code make_image(struct bytes *image, struct writer *writer,
                                   const struct snapshot_facts *facts, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    hsize_t memory = 0;
    hid_t access = image_access(image), properties = untimed(H5P_FILE_CREATE);
    if (access < 0 || properties < 0 ||
        (writer->file = H5Fcreate(writer->path, H5F_ACC_TRUNC, properties, access)) < 0) {
        code = fail_write(writer, "the file", error);
        goto out;
    }
    MAILLE_TRY(write_facts(writer, facts, error));
    MAILLE_TRY(write_table(writer, error));
    if (H5Fflush(writer->file, H5F_SCOPE_LOCAL) < 0 || H5Fget_filesize(writer->file, &memory) < 0)
        code = fail_write(writer, "the file", error);
out:
    if (writer->patient >= 0)
        H5Gclose(writer->patient);
    if (writer->missing >= 0)
        H5Gclose(writer->missing);
    if (writer->file >= 0 && H5Fclose(writer->file) < 0 && code == MAILLE_OK)
        code = fail_write(writer, "the file", error);
    if (access >= 0)
        H5Pclose(access);
    if (properties >= 0)
        H5Pclose(properties);
    if (code == MAILLE_OK && image->data != NULL)
        image->length = image_length(image, (size_t)memory);
    if (code == MAILLE_OK && image->length == 0)
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected HDF5 to leave the file of %s in memory, found none", writer->path);
    return code;
}

/* ---- The file, on disk ---- */

static enum maille_code fail_exists(const char *path, struct maille_error *error)
{
    return maille_fail(error, MAILLE_INVALID,
                       "expected no file at %s, found one: snapshots are frozen; write the next number",
                       path);
}

/* Writes beside; whole, durable and read-only before it gets its name, and never over another. */
static enum maille_code publish(const struct bytes *image, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char beside[PATH_MAX], folder[PATH_MAX];
    int fd = -1;
    bool made = false;
    if (snprintf(beside, sizeof beside, "%s.new-%ld", path, (long)getpid()) >= (int)sizeof beside) {
        code = maille_fail(error, MAILLE_INVALID, "expected a shorter path, found %s", path);
        goto out;
    }
    unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        code = maille_fail_errno(error, "cannot create %s", beside);
        goto out;
    }
    made = true;
    file_give(fd, path);
    MAILLE_TRY(file_write_all(fd, image->data, image->length, error));
    if (fchmod(fd, 0400) != 0 || fsync(fd) != 0) {
        code = maille_fail_errno(error, "cannot write %s to disk", beside);
        goto out;
    }
    if (renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE) != 0) {
        /* Some network file systems know no such flag; the name was free a moment ago. */
        bool unknown = errno == EINVAL || errno == ENOSYS;
        if (errno == EEXIST || (unknown && file_exists(path))) {
            code = fail_exists(path, error);
            goto out;
        }
        if (!unknown || rename(beside, path) != 0) {
            code = maille_fail_errno(error, "cannot rename %s to %s", beside, path);
            goto out;
        }
    }
    made = false;
    snprintf(folder, sizeof folder, "%s", path);
    code = file_sync_folder(dirname(folder), error);
out:
    if (fd >= 0)
        close(fd);
    if (made)
        unlink(beside);
    if (code != MAILLE_OK && error != NULL && strstr(error->sentence, path) == NULL)
        maille_error_prefix(error, "%s", path);
    return code;
}

enum maille_code snapshot_write(const struct columns *table, const char *path,
                                const struct snapshot_facts *facts, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct writer writer = {.table = table,
                            .path = path,
                            .file = H5I_INVALID_HID,
                            .patient = H5I_INVALID_HID,
                            .missing = H5I_INVALID_HID};
    struct bytes image = {0};
    if (file_exists(path)) {
        code = fail_exists(path, error);
        goto out;
    }
    if (strspn(facts->salt, "0123456789abcdef") != sizeof facts->salt - 1) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected 32 random bytes for the snapshot %s, found \"%s\"", path, facts->salt);
        goto out;
    }
    MAILLE_TRY(hdf5_enter(error));
    code = make_image(&image, &writer, facts, error);
    hdf5_leave();
    if (code == MAILLE_OK)
        code = publish(&image, path, error);
out:
    column_scratch_clear(&writer.scratch);
    bytes_clear(&image);
    return code;
}
