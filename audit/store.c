#include "audit/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lz4frame.h>

#include "base/file.h"
#include "base/number.h"

enum { CHUNK_BYTES = 256 * 1024, NUMBER_DIGITS = 12 };

static const char file_current[] = "messages.log", file_magic[] = "maille-log 2 ";

void store_file_header(char out[FILE_HEADER_BYTES + 1], uint64_t first)
{
    snprintf(out, FILE_HEADER_BYTES + 1, "%s%0*" PRIu64 "\n", file_magic, NUMBER_DIGITS, first);
}

static bool header_parse(uint64_t *first, const char *text)
{
    char again[FILE_HEADER_BYTES + 1];
    uint64_t found;
    if (!number_parse_u64(text + strlen(file_magic), NUMBER_DIGITS, &found))
        return false;
    store_file_header(again, found);
    if (memcmp(again, text, FILE_HEADER_BYTES) != 0)
        return false;
    *first = found;
    return true;
}

/* --- which files --- */

static bool parse_packed(struct store_file *file, const char *name)
{
    struct store_file found = {.packed = true};
    char again[64];
    if (strlen(name) != strlen("messages-000000000000.log.lz4") ||
        !number_parse_u64(name + strlen("messages-"), NUMBER_DIGITS, &found.first))
        return false;
    snprintf(again, sizeof again, "messages-%0*" PRIu64 ".log.lz4", NUMBER_DIGITS, found.first);
    if (strcmp(again, name) != 0)
        return false;
    memcpy(found.name, again, sizeof again);
    *file = found;
    return true;
}

static int file_order(const void *a, const void *b)
{
    const struct store_file *left = a, *right = b;
    if (left->packed != right->packed)
        return left->packed ? -1 : 1;
    return (left->first > right->first) - (left->first < right->first);
}

/* The header of messages.log. Not there, or without one: *there is false. */
static enum maille_code current_find(struct store_file *file, bool *there, const char *folder,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], text[FILE_HEADER_BYTES];
    struct store_file found = {0};
    int fd = -1;
    MAILLE_TRY(file_path_join(path, sizeof path, folder, file_current, error));
    MAILLE_TRY(file_open_regular(&fd, path, error));
    *there = fd >= 0;
    if (fd < 0)
        goto out;
    memcpy(found.name, file_current, sizeof file_current);
    if (pread(fd, text, sizeof text, 0) == (ssize_t)sizeof text && header_parse(&found.first, text))
        *file = found;
    else
        code = maille_fail(
            error, MAILLE_CORRUPT,
            "%s: expected a log of maille, version 2, found something else; where a later program has "
            "written it, install that one again (docs/UPGRADE.md)",
            path);
out:
    if (fd >= 0)
        close(fd);
    return code;
}

enum maille_code store_list(struct store_file **files, size_t *n, const char *folder, uint64_t base,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    DIR *dir = NULL;
    struct store_file *list = NULL, found, current;
    size_t count = 0, room = 0;
    bool there = false;
    dir = opendir(folder);
    if (dir == NULL) {
        code = maille_fail_errno(error, "cannot open %s", folder);
        goto out;
    }
    MAILLE_TRY(current_find(&current, &there, folder, error));
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (count + 1 >= room) {
            room = room == 0 ? 16 : 2 * room;
            struct store_file *grown = realloc(list, room * sizeof *grown);
            if (grown == NULL) {
                code = maille_fail(error, MAILLE_MEMORY, "expected memory to list %s, found none", folder);
                goto out;
            }
            list = grown;
        }
        if (parse_packed(&found, entry->d_name) && found.first >= base &&
            !(there && found.first >= current.first))
            list[count++] = found;
    }
    if (there && list != NULL)
        list[count++] = current;
    if (count > 0)
        qsort(list, count, sizeof *list, file_order);
    *files = list;
    *n = count;
    list = NULL;
out:
    if (dir != NULL)
        closedir(dir);
    free(list);
    return code;
}

/* --- one file --- */

struct source {
    char path[PATH_MAX];
    FILE *file;
    LZ4F_dctx *unpack; /* NULL: not packed */
    uint8_t *packed;   /* CHUNK_BYTES */
    size_t packed_at, packed_length;
    bool unpacked;  /* the packed frame is at its end */
    uint64_t first; /* of the file's header */
    uint64_t offset;
    struct bytes frame;
};

void source_close(struct source *source)
{
    if (source == NULL)
        return;
    if (source->file != NULL)
        fclose(source->file);
    LZ4F_freeDecompressionContext(source->unpack);
    free(source->packed);
    bytes_clear(&source->frame);
    free(source);
}

uint64_t source_offset(const struct source *source)
{
    return source->offset;
}

static enum maille_code damaged(const struct source *source, struct maille_error *error)
{
    return maille_fail(error, MAILLE_CORRUPT,
                       "%s was altered: from byte %" PRIu64 " on it is not what was written", source->path,
                       source->offset);
}

/* Up to length bytes; fewer only at the end. */
static enum maille_code read_some(struct source *source, uint8_t *out, size_t length, size_t *got,
                                  struct maille_error *error)
{
    size_t done = 0;
    while (done < length) {
        if (source->unpack == NULL) {
            size_t part = fread(out + done, 1, length - done, source->file);
            done += part;
            if (part == 0)
                break;
            continue;
        }
        if (source->packed_at == source->packed_length) {
            source->packed_length = fread(source->packed, 1, CHUNK_BYTES, source->file);
            source->packed_at = 0;
            if (source->packed_length == 0 || source->unpacked)
                break;
        }
        if (source->unpacked) /* something stands behind the frame */
            break;
        size_t to = length - done, from = source->packed_length - source->packed_at;
        size_t hint =
            LZ4F_decompress(source->unpack, out + done, &to, source->packed + source->packed_at, &from, NULL);
        if (LZ4F_isError(hint))
            return damaged(source, error);
        source->packed_at += from;
        done += to;
        source->unpacked = hint == 0;
    }
    if (ferror(source->file))
        return maille_fail_errno(error, "cannot read %s", source->path);
    *got = done;
    return MAILLE_OK;
}

enum maille_code source_open(struct source **source, const char *folder, const struct store_file *file,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t header[FILE_HEADER_BYTES];
    size_t got = 0;
    int fd = -1;
    struct source *made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory to read a log, found none");
    MAILLE_TRY(file_path_join(made->path, sizeof made->path, folder, file->name, error));
    MAILLE_TRY(file_open_regular(&fd, made->path, error));
    made->file = fd < 0 ? NULL : fdopen(fd, "r");
    if (made->file == NULL) {
        code = maille_fail(error, MAILLE_IO, "expected the log's file %s, found nothing", made->path);
        if (fd >= 0)
            close(fd);
        goto out;
    }
    setvbuf(made->file, NULL, _IOFBF, CHUNK_BYTES);
    if (file->packed) {
        made->packed = malloc(CHUNK_BYTES);
        if (made->packed == NULL ||
            LZ4F_isError(LZ4F_createDecompressionContext(&made->unpack, LZ4F_VERSION))) {
            code = maille_fail(error, MAILLE_MEMORY, "expected memory to unpack %s, found none", made->path);
            goto out;
        }
    }
    MAILLE_TRY(read_some(made, header, sizeof header, &got, error));
    if (got != sizeof header || !header_parse(&made->first, (const char *)header) ||
        made->first != file->first) {
        code = damaged(made, error);
        goto out;
    }
    made->offset = FILE_HEADER_BYTES;
    *source = made;
    made = NULL;
out:
    source_close(made);
    return code;
}

enum maille_code source_next(struct source *source, enum source_end *end, enum frame_kind *kind,
                             const uint8_t **data, size_t *length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t header[FRAME_HEADER_BYTES] = {0};
    size_t got = 0, done = 0;
    MAILLE_TRY(read_some(source, header, sizeof header, &got, error));
    if (got < sizeof header) {
        *end = got == 0 ? SOURCE_DONE : SOURCE_HALF;
        if (source->unpack != NULL &&
            (got > 0 || !source->unpacked || source->packed_at < source->packed_length))
            code = damaged(source, error); /* a packed file is whole */
        goto out;
    }
    struct reader reader = reader_of(header + 1, 4);
    size_t size = reader_u32(&reader);
    if ((header[0] != FRAME_RECORD && header[0] != FRAME_CHECKPOINT) ||
        size > (header[0] == FRAME_RECORD ? (size_t)RECORD_BYTES_MAX : (size_t)NOTE_BYTES_MAX)) {
        code = damaged(source, error);
        goto out;
    }
    /* Memory grows with the bytes that come, not with the length that is claimed. */
    source->frame.length = 0;
    while (done < size) {
        size_t part = size - done < CHUNK_BYTES ? size - done : CHUNK_BYTES;
        uint8_t *place = bytes_reserve(&source->frame, part);
        MAILLE_TRY(bytes_check(&source->frame, error));
        MAILLE_TRY(read_some(source, place, part, &got, error));
        done += got;
        if (got < part) {
            *end = SOURCE_HALF;
            if (source->unpack != NULL)
                code = damaged(source, error);
            goto out;
        }
    }
    source->offset += FRAME_HEADER_BYTES + size;
    *end = SOURCE_MORE;
    *kind = (enum frame_kind)header[0];
    *data = source->frame.data;
    *length = size;
out:
    return code;
}

/* --- packing --- */

/* The tree proves what a packed file says. The blocks' checksums hold its own bytes too: without them a
 * match that points to another copy of the same text is an altered file that reads the same. */
static enum maille_code pack_stream(int to, int from, uint64_t length, uint8_t *in, uint8_t *out, size_t room,
                                    LZ4F_cctx *pack, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const LZ4F_preferences_t preferences = {.frameInfo = {.blockSizeID = LZ4F_max256KB,
                                                          .contentChecksumFlag = LZ4F_contentChecksumEnabled,
                                                          .blockChecksumFlag = LZ4F_blockChecksumEnabled,
                                                          .contentSize = length}};
    size_t size = LZ4F_compressBegin(pack, out, room, &preferences);
    for (uint64_t done = 0; !LZ4F_isError(size) && done < length;) {
        MAILLE_TRY(file_write_all(to, out, size, error));
        size_t part = length - done < CHUNK_BYTES ? (size_t)(length - done) : CHUNK_BYTES;
        ssize_t got = pread(from, in, part, (off_t)done);
        if (got <= 0) {
            code = maille_fail_errno(error, "cannot read the log that is to be packed");
            goto out;
        }
        size = LZ4F_compressUpdate(pack, out, room, in, (size_t)got, NULL);
        done += (uint64_t)got;
    }
    if (!LZ4F_isError(size)) {
        MAILLE_TRY(file_write_all(to, out, size, error));
        size = LZ4F_compressEnd(pack, out, room, NULL);
    }
    if (LZ4F_isError(size))
        code = maille_fail(error, MAILLE_INTERNAL, "expected LZ4 to pack a log, found: %s",
                           LZ4F_getErrorName(size));
    else
        code = file_write_all(to, out, size, error);
out:
    return code;
}

enum maille_code store_pack(const char *folder, const char *to, int from, uint64_t length,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], beside[PATH_MAX];
    LZ4F_cctx *pack = NULL;
    const LZ4F_preferences_t preferences = {
        .frameInfo = {.blockSizeID = LZ4F_max256KB, .blockChecksumFlag = LZ4F_blockChecksumEnabled}};
    size_t room = LZ4F_compressBound(CHUNK_BYTES, &preferences) + LZ4F_HEADER_SIZE_MAX;
    uint8_t *in = malloc(CHUNK_BYTES), *out = malloc(room);
    int fd = -1;
    if (in == NULL || out == NULL || LZ4F_isError(LZ4F_createCompressionContext(&pack, LZ4F_VERSION))) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to pack a log, found none");
        goto out;
    }
    MAILLE_TRY(file_path_join(path, sizeof path, folder, to, error));
    MAILLE_TRY(file_path_join(beside, sizeof beside, folder, "packing", error));
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        code = maille_fail_errno(error, "cannot open %s", beside);
        goto out;
    }
    file_give(fd, path);
    MAILLE_TRY(pack_stream(fd, from, length, in, out, room, pack, error));
    if (fsync(fd) != 0 || rename(beside, path) != 0) {
        code = maille_fail_errno(error, "cannot write %s", path);
        goto out;
    }
    code = file_sync_folder(folder, error);
out:
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && code != MAILLE_OK)
        unlink(beside);
    LZ4F_freeCompressionContext(pack);
    free(in);
    free(out);
    return code;
}

/* --- the whole folder --- */

enum maille_code store_tail(bool *is_signed, const char *folder, const struct walk_end *end,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    static const char line[] = "\n\n\xe2\x80\x94 maille/"; /* a blank line, an em dash, the origin */
    char path[PATH_MAX];
    struct bytes tail = {0};
    int fd = -1;
    *is_signed = false;
    if (end->length == end->offset)
        return MAILLE_OK;
    MAILLE_TRY(file_path_join(path, sizeof path, folder, file_current, error));
    uint8_t *place = bytes_reserve(&tail, (size_t)(end->length - end->offset));
    MAILLE_TRY(bytes_check(&tail, error));
    MAILLE_TRY(file_open_regular(&fd, path, error));
    ssize_t got = fd < 0 ? -1 : pread(fd, place, tail.length, (off_t)end->offset);
    if (got < 0) {
        code = maille_fail_errno(error, "cannot read %s", path);
        goto out;
    }
    *is_signed = memmem(place, (size_t)got, line, sizeof line - 1) != NULL;
out:
    if (fd >= 0)
        close(fd);
    bytes_clear(&tail);
    return code;
}

static enum maille_code walk_file(struct state *state, struct walk_end *end, const char *folder,
                                  const struct store_file *file, const struct walk *walk,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct source *source = NULL;
    enum source_end at = SOURCE_MORE;
    enum frame_kind kind = FRAME_RECORD;
    const uint8_t *data = NULL;
    size_t length = 0;
    if (file->first != state->tree.size) {
        state->fault = AUDIT_REMOVED;
        code = maille_fail(error, MAILLE_CORRUPT,
                           "expected the file with entry %" PRIu64
                           ", found %s, which begins with entry %" PRIu64 ": what stood between was removed",
                           state->tree.size + 1, file->name, file->first + 1);
        goto out;
    }
    MAILLE_TRY(source_open(&source, folder, file, error));
    for (;;) {
        MAILLE_TRY(source_next(source, &at, &kind, &data, &length, error));
        if (at != SOURCE_MORE)
            break;
        MAILLE_TRY(kind == FRAME_RECORD ? state_record(state, data, length, error)
                                        : state_checkpoint(state, (const char *)data, length, error));
        if (walk != NULL && walk->frame != NULL)
            walk->frame(walk->context, state, kind, data, length);
    }
    if (!file->packed)
        *end = (struct walk_end){source_offset(source), (uint64_t)ftello(source->file), file->first};
    else if (!state->fresh || state_unsigned(state) > 0) {
        state->fault = AUDIT_UNSEALED;
        code = maille_fail(error, MAILLE_CORRUPT, "%s ends without a seal: it was cut, or was never sealed",
                           source->path);
        goto out;
    }
    if (walk != NULL && walk->file != NULL)
        walk->file(walk->context, state, file);
out:
    source_close(source);
    return code;
}

enum maille_code store_walk(struct state *state, struct walk_end *end, const char *folder,
                            const struct walk *walk, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    struct bytes base = {0};
    struct store_file *files = NULL;
    size_t n = 0;
    *end = (struct walk_end){0};
    MAILLE_TRY(file_path_join(path, sizeof path, folder, "base", error));
    if (file_exists(path)) {
        MAILLE_TRY(file_read(&base, path, NOTE_BYTES_MAX, error));
        MAILLE_TRY(state_base(state, (const char *)base.data, base.length, error));
    }
    MAILLE_TRY(store_list(&files, &n, folder, state->base_size, error));
    for (size_t i = 0; i < n; i++)
        MAILLE_TRY(walk_file(state, end, folder, &files[i], walk, error));
    if (n > 0 && files[n - 1].packed) {
        state->fault = AUDIT_REMOVED;
        code = maille_fail(error, MAILLE_CORRUPT, "expected %s in %s, found none: it was removed",
                           file_current, folder);
    }
out:
    if (code == MAILLE_CORRUPT && state->fault == AUDIT_SOUND)
        state->fault = AUDIT_ALTERED;
    free(files);
    bytes_clear(&base);
    return code;
}
