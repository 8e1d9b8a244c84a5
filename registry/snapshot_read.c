#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/hdf5_session.h"
#include "registry/lz4_filter.h"
#include "registry/snapshot_file.h"
#include "registry/snapshot_layout.h"

/* Everything that comes from the file is compared with what this program would have written; nothing in it is
 * trusted for a size before it was. */

struct opening {
    const char *path;
    hid_t file;
    uint64_t file_size;
    size_t blocks;
    struct columns *columns;
};

static enum maille_code corrupt(const struct opening *opening, const char *what, const char *name,
                                struct maille_error *error)
{
    return hdf5_fail(error, MAILLE_CORRUPT,
                     "%s: expected %s %s as in a snapshot of maille, found another or none; import again",
                     opening->path, what, name);
}

/* ---- Attributes ---- */

static bool read_number(hid_t object, const char *name, uint64_t greatest, uint64_t *value)
{
    uint64_t found = 0;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = attribute < 0 ? H5I_INVALID_HID : H5Aget_type(attribute);
    hid_t space = attribute < 0 ? H5I_INVALID_HID : H5Aget_space(attribute);
    bool done = type >= 0 && space >= 0 && H5Tequal(type, H5T_STD_U64LE) > 0 &&
                H5Sget_simple_extent_type(space) == H5S_SCALAR &&
                H5Aread(attribute, H5T_NATIVE_UINT64, &found) >= 0 && found <= greatest;
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (attribute >= 0)
        H5Aclose(attribute);
    if (done)
        *value = found;
    return done;
}

/* A string type of fixed length below room. */
static bool is_string_type(hid_t type, size_t room)
{
    return type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
           H5Tget_size(type) < room;
}

/* Into value, which has room bytes, with a NUL. */
static bool read_string(hid_t object, const char *name, char *value, size_t room)
{
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = attribute < 0 ? H5I_INVALID_HID : H5Aget_type(attribute);
    hid_t space = attribute < 0 ? H5I_INVALID_HID : H5Aget_space(attribute);
    memset(value, 0, room);
    bool done = is_string_type(type, room) && space >= 0 && H5Sget_simple_extent_type(space) == H5S_SCALAR &&
                H5Aread(attribute, type, value) >= 0;
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (attribute >= 0)
        H5Aclose(attribute);
    return done;
}

const char columns_other_format[] = "snapshot_format";

static enum maille_code read_facts(struct opening *opening, struct maille_error *error)
{
    struct columns *columns = opening->columns;
    struct snapshot_facts *facts = &columns->facts;
    char format[32];
    uint64_t version, number = 0, is_public = 0, rows = 0, patients = 0;
    hid_t file = opening->file;
    if (!read_string(file, "format", format, sizeof format) || strcmp(format, SNAPSHOT_FORMAT) != 0)
        return corrupt(opening, "attribute", "format", error);
    if (!read_number(file, "format_version", UINT64_MAX, &version))
        return corrupt(opening, "attribute", "format_version", error);
    if (version != SNAPSHOT_FORMAT_VERSION) {
        maille_fail(error, MAILLE_CORRUPT, "%s: expected a snapshot of format %d, found format %llu: %s",
                    opening->path, SNAPSHOT_FORMAT_VERSION, (unsigned long long)version,
                    version < SNAPSHOT_FORMAT_VERSION
                        ? "an older maille wrote it; import the data again"
                        : "a newer maille wrote it; use that one, or import the data again");
        if (error != NULL)
            snprintf(error->rule, sizeof error->rule, "%s", columns_other_format);
        return MAILLE_CORRUPT;
    }
    if (!read_number(file, "number", UINT32_MAX, &number) ||
        !read_string(file, "created", facts->created, sizeof facts->created) ||
        !read_string(file, "source_hash", facts->source_hash, sizeof facts->source_hash) ||
        !read_string(file, "salt", facts->salt, sizeof facts->salt) ||
        !read_string(file, "exclusions", facts->exclusions, sizeof facts->exclusions) ||
        !read_number(file, "public", 1, &is_public))
        return corrupt(opening, "attributes", "number, created, source_hash, salt, exclusions and public",
                       error);
    /* A block takes at least a header in the file: no file can claim more rows than it has bytes for. */
    const uint64_t room = opening->file_size * COLUMNS_BLOCK_ROWS / 16;
    if (!read_number(file, "rows", room < COLUMNS_ROWS_MAX ? room : COLUMNS_ROWS_MAX, &rows) ||
        !read_number(file, "patients", rows < INT32_MAX ? rows : INT32_MAX, &patients) ||
        (rows > 0 && patients == 0))
        return corrupt(opening, "attributes", "rows and patients", error);
    facts->number = (uint32_t)number;
    facts->is_public = is_public != 0;
    columns->rows = (size_t)rows;
    columns->patients = (size_t)patients;
    opening->blocks = columns_blocks(columns);
    return MAILLE_OK;
}

/* ---- The dictionary ---- */

static bool read_text(struct opening *opening, char **text, size_t *length)
{
    hid_t dataset = H5Dopen2(opening->file, "dictionary", H5P_DEFAULT);
    hid_t type = dataset < 0 ? H5I_INVALID_HID : H5Dget_type(dataset);
    hid_t space = dataset < 0 ? H5I_INVALID_HID : H5Dget_space(dataset);
    bool done = is_string_type(type, SNAPSHOT_DICTIONARY_MAX) && space >= 0 &&
                H5Sget_simple_extent_type(space) == H5S_SCALAR && H5Tget_size(type) <= opening->file_size;
    if (done) {
        *length = H5Tget_size(type);
        *text = calloc(1, *length + 1);
        done = *text != NULL && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *text) >= 0;
    }
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (dataset >= 0)
        H5Dclose(dataset);
    return done;
}

static enum maille_code read_dictionary(struct opening *opening, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct columns *columns = opening->columns;
    char *text = NULL, name[DICTIONARY_NAME_MAX + 2];
    size_t length = 0;
    uint64_t version = 0;
    struct maille_error why = {0};
    if (!read_text(opening, &text, &length)) {
        code = corrupt(opening, "dataset", "/dictionary", error);
        goto out;
    }
    if (dictionary_parse(&columns->dictionary, columns->arena, opening->path, text, length, &why) !=
        MAILLE_OK) {
        code = maille_fail(error, MAILLE_CORRUPT, "%s: expected a dictionary in /dictionary: %s",
                           opening->path, why.sentence);
        goto out;
    }
    if (!read_string(opening->file, "dictionary", name, sizeof name) ||
        !read_number(opening->file, "dictionary_version", INT64_MAX, &version) ||
        strcmp(name, columns->dictionary->name) != 0 || (int64_t)version != columns->dictionary->version)
        code = corrupt(opening, "attributes", "dictionary and dictionary_version", error);
out:
    free(text);
    return code;
}

/* ---- Datasets ---- */

/* One dimension of `entries`, the type, and, where there are entries, chunks of `chunk` through shuffle and
 * LZ4. */
static bool has_shape(hid_t dataset, hid_t type, size_t entries, size_t chunk)
{
    hsize_t length = 0, chunk_length = 0;
    unsigned flags = 0;
    hid_t space = H5Dget_space(dataset), found_type = H5Dget_type(dataset),
          properties = H5Dget_create_plist(dataset);
    bool fits = space >= 0 && found_type >= 0 && properties >= 0 && H5Tequal(found_type, type) > 0 &&
                H5Sget_simple_extent_ndims(space) == 1 &&
                H5Sget_simple_extent_dims(space, &length, NULL) == 1 && length == entries;
    if (fits && entries > 0) {
        size_t none = 0;
        fits = H5Pget_layout(properties) == H5D_CHUNKED && H5Pget_chunk(properties, 1, &chunk_length) == 1 &&
               chunk_length == chunk && H5Pget_nfilters(properties) == 2 &&
               H5Pget_filter2(properties, 0, &flags, &none, NULL, 0, NULL, NULL) == H5Z_FILTER_SHUFFLE &&
               (none = 0, H5Pget_filter2(properties, 1, &flags, &none, NULL, 0, NULL, NULL) == LZ4_FILTER_ID);
    }
    if (properties >= 0)
        H5Pclose(properties);
    if (found_type >= 0)
        H5Tclose(found_type);
    if (space >= 0)
        H5Sclose(space);
    return fits;
}

/* Where the chunks of an open dataset stand; each within the file and of a size that such a chunk can have.
 */
static bool locate_chunks(const struct opening *opening, hid_t dataset, struct chunked *chunked)
{
    size_t largest = lz4_filter_bound(chunked->chunk_entries * chunked->entry_size);
    for (size_t b = 0; b < opening->blocks; b++) {
        hsize_t start = b * chunked->chunk_entries, size = 0;
        unsigned skipped = 0;
        haddr_t address = HADDR_UNDEF;
        if (H5Dget_chunk_info_by_coord(dataset, &start, &skipped, &address, &size) < 0 ||
            address == HADDR_UNDEF || skipped != 0 || size == 0 || size > largest ||
            address > opening->file_size || size > opening->file_size - address)
            return false;
        chunked->chunks[b] = (struct chunk){.offset = address, .size = (size_t)size};
    }
    return true;
}

/* Opens group/name, checks it and fills *chunked. */
static enum maille_code open_dataset(struct opening *opening, struct chunked *chunked, const char *group,
                                     const char *name, hid_t type, size_t entry_size, size_t rows_per_entry,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[DICTIONARY_NAME_MAX + 32];
    size_t entries = (opening->columns->rows + rows_per_entry - 1) / rows_per_entry;
    chunked->entry_size = entry_size;
    chunked->chunk_entries = snapshot_chunk(entries, COLUMNS_BLOCK_ROWS / rows_per_entry);
    snprintf(path, sizeof path, "%s/%s", group, name);
    hid_t dataset = H5Dopen2(opening->file, path, H5P_DEFAULT);
    if (dataset < 0 || !has_shape(dataset, type, entries, chunked->chunk_entries)) {
        code = corrupt(opening, "dataset", path, error);
        goto out;
    }
    chunked->chunks = calloc(opening->blocks + 1, sizeof *chunked->chunks);
    if (chunked->chunks == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to open %s, found none", opening->path);
        goto out;
    }
    if (!locate_chunks(opening, dataset, chunked))
        code = corrupt(opening, "the chunks of", path, error);
out:
    if (dataset >= 0)
        H5Dclose(dataset);
    return code;
}

static enum maille_code open_datasets(struct opening *opening, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct snapshot_file *file = opening->columns->place;
    const struct dictionary *dictionary = opening->columns->dictionary;
    assert(dictionary != NULL);
    file->values = calloc(dictionary->n_variables + 1, sizeof *file->values);
    file->missing = calloc(dictionary->n_variables + 1, sizeof *file->missing);
    if (file->values == NULL || file->missing == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to open %s, found none", opening->path);
        goto out;
    }
    file->n_variables = dictionary->n_variables;
    hid_t masks = H5Gopen2(opening->file, "missing", H5P_DEFAULT);
    if (masks < 0) {
        code = corrupt(opening, "group", "/missing", error);
        goto out;
    }
    for (size_t v = 0; v < dictionary->n_variables && code == MAILLE_OK; v++) {
        const struct variable *variable = &dictionary->variables[v];
        enum column_storage storage = cell_storage(variable);
        code = open_dataset(opening, &file->values[v], "/patient", variable->name, snapshot_type(storage),
                            table_storage_size(storage), 1, error);
        if (code == MAILLE_OK && H5Lexists(masks, variable->name, H5P_DEFAULT) > 0)
            code = open_dataset(opening, &file->missing[v], "/missing", variable->name, H5T_STD_U8LE, 1, 8,
                                error);
    }
    H5Gclose(masks);
    if (code == MAILLE_OK)
        code = open_dataset(opening, &file->patient_index, "", "patient_index", H5T_STD_I32LE, 4, 1, error);
    if (code == MAILLE_OK)
        code = open_dataset(opening, &file->row_id, "", "row_id", H5T_STD_U64LE, 8, 1, error);
out:
    return code;
}

/* ---- The file ---- */

/* The descriptor that HDF5 reads from, so that both see one file whatever happens to its name. */
static enum maille_code keep_descriptor(struct opening *opening, struct maille_error *error)
{
    void *handle = NULL;
    struct stat status;
    struct snapshot_file *file = opening->columns->place;
    if (H5Fget_vfd_handle(opening->file, H5P_DEFAULT, &handle) < 0 || handle == NULL)
        return hdf5_fail(error, MAILLE_IO, "cannot read %s", opening->path);
    file->fd = fcntl(*(int *)handle, F_DUPFD_CLOEXEC, 3);
    if (file->fd < 0 || fstat(file->fd, &status) != 0)
        return maille_fail_errno(error, "cannot read %s", opening->path);
    opening->file_size = (uint64_t)status.st_size;
    return MAILLE_OK;
}

/* With HDF5 held. */
static enum maille_code open_file(struct opening *opening, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* A frozen file needs no lock, and a read-only file system may have none. */
    if (access < 0 || H5Pset_file_locking(access, false, true) < 0 ||
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0) {
        code = hdf5_fail(error, MAILLE_INTERNAL, "HDF5 cannot be set up to read %s", opening->path);
        goto out;
    }
    opening->file = H5Fopen(opening->path, H5F_ACC_RDONLY, access);
    if (opening->file < 0) {
        code = hdf5_fail(error, MAILLE_CORRUPT,
                         "%s: expected a snapshot (HDF5), found a file that is not one or is cut off; "
                         "import again",
                         opening->path);
        goto out;
    }
    MAILLE_TRY(keep_descriptor(opening, error));
    MAILLE_TRY(read_facts(opening, error));
    MAILLE_TRY(read_dictionary(opening, error));
    code = open_datasets(opening, error);
out:
    if (opening->file >= 0)
        H5Fclose(opening->file);
    if (access >= 0)
        H5Pclose(access);
    return code;
}

/* The index over all blocks: from 0, without a jump, to the number of patients. Each block is checked
 * whenever it is read; where one ends and the next begins, here. */
static enum maille_code check_patients(const struct columns *columns, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct column_scratch scratch = {0};
    struct column_block block;
    int32_t last = -1;
    for (size_t b = 0; b < columns_blocks(columns); b++) {
        MAILLE_TRY(table_read_patients(&block, columns, &scratch, b, error));
        const int32_t *patients = block.values;
        if (patients[0] != last + 1 && (b == 0 || patients[0] != last)) {
            last = -2;
            break;
        }
        last = patients[block.rows - 1];
    }
    if (last != (int32_t)columns->patients - 1)
        code = maille_fail(error, MAILLE_CORRUPT,
                           "%s: expected %zu patients in /patient_index, found another number; import again",
                           ((const struct snapshot_file *)columns->place)->path, columns->patients);
out:
    column_scratch_clear(&scratch);
    return code;
}

enum maille_code snapshot_read(struct columns **columns, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct opening opening = {.path = path, .file = H5I_INVALID_HID};
    struct snapshot_file *file = NULL;
    /* HDF5 does not tell a file that is not there from one that is not its own. */
    if (access(path, R_OK) != 0)
        return maille_fail_errno(error, "cannot open %s", path);
    opening.columns = calloc(1, sizeof *opening.columns);
    if (opening.columns == NULL || (opening.columns->arena = arena_new()) == NULL ||
        (file = calloc(1, sizeof *file)) == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to open %s, found none", path);
        goto out;
    }
    file->fd = -1;
    file->path = strdup(path);
    opening.columns->source = &source_snapshot;
    opening.columns->place = file;
    if (file->path == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to open %s, found none", path);
        goto out;
    }
    MAILLE_TRY(hdf5_enter(error));
    code = open_file(&opening, error);
    hdf5_leave();
    if (code == MAILLE_OK)
        code = check_patients(opening.columns, error);
    if (code == MAILLE_OK) {
        *columns = opening.columns;
        opening.columns = NULL;
    }
out:
    columns_free(opening.columns);
    return code;
}
