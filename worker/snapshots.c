#include "worker/snapshots.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"

enum { INDEX_BYTES_MAX = 4 * 1024 * 1024 };

static const char index_head[] = "# number  BLAKE2b-256 of the file  rows  created\n";
static const char objection_word[] = "objection";

void snapshots_name(char out[SNAPSHOT_NAME_BYTES], uint32_t number)
{
    snprintf(out, SNAPSHOT_NAME_BYTES, "snapshot-%04" PRIu32 ".h5", number);
}

enum maille_code snapshots_path(char path[], size_t size, const char *folder, uint32_t number,
                                struct maille_error *error)
{
    enum maille_code code = snapshots_path_new(path, size, folder, number, true, error);
    return code != MAILLE_OK || file_exists(path)
               ? code
               : snapshots_path_new(path, size, folder, number, false, error);
}

enum maille_code snapshots_path_new(char path[], size_t size, const char *folder, uint32_t number,
                                    bool in_engine, struct maille_error *error)
{
    char name[SNAPSHOT_NAME_BYTES];
    if (in_engine)
        snprintf(name, sizeof name, "snapshot-%04" PRIu32 ".engine", number);
    else
        snapshots_name(name, number);
    return file_path_join(path, size, folder, name, error);
}

/* The next word of a line; its length is 0 at the end. */
static const char *word(const char **at, size_t *length)
{
    *at += strspn(*at, " ");
    const char *start = *at;
    *length = strcspn(start, " ");
    *at += *length;
    return start;
}

static bool entry_read(struct snapshot_entry *entry, struct arena *arena, const char *line)
{
    size_t length;
    uint64_t number;
    const char *at = line, *text = word(&at, &length);
    if (!number_parse_u64(text, length, &number) || number == 0 || number > SNAPSHOTS_MAX)
        return false;
    entry->number = (uint32_t)number;
    text = word(&at, &length);
    if (length != 2 * HASH_BYTES ||
        !bytes_from_hex(entry->hash.b, HASH_BYTES, arena_strndup(arena, text, length)))
        return false;
    text = word(&at, &length);
    if (!number_parse_u64(text, length, &entry->rows))
        return false;
    text = word(&at, &length);
    if (length == 0 || length > 31)
        return false;
    entry->created = arena_strndup(arena, text, length);
    text = word(&at, &length);
    /* Up to version 0.1 a snapshot that was made for an objection said so here. */
    return *at == '\0' && (length == 0 || (length == sizeof objection_word - 1 &&
                                           memcmp(text, objection_word, length) == 0));
}

void snapshots_salt(char out[65])
{
    uint8_t salt[32];
    crypto_random_bytes(salt, sizeof salt);
    bytes_to_hex(out, salt, sizeof salt);
}

enum maille_code snapshots_read(const struct snapshot_entry **entries, size_t *n, struct arena *arena,
                                const char *folder, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    char path[PATH_MAX];
    size_t line = 0, found = 0;
    struct snapshot_entry *made = NULL;
    MAILLE_TRY(file_path_join(path, sizeof path, folder, "index", error));
    if (!file_exists(path)) {
        *entries = NULL;
        *n = 0;
        goto out;
    }
    MAILLE_TRY(file_read(&text, path, INDEX_BYTES_MAX, error));
    made = arena_array(arena, SNAPSHOTS_MAX, sizeof *made);
    for (const char *at = (const char *)text.data, *end = at + text.length; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        const char *copy = arena_strndup(arena, at, (size_t)(stop - at));
        line++;
        at = stop + 1;
        if (copy[0] == '#')
            continue;
        if (found == SNAPSHOTS_MAX || !entry_read(&made[found], arena, copy) ||
            made[found].number != found + 1) {
            code = maille_fail(error, MAILLE_CORRUPT,
                               "expected the entry of snapshot %zu in %s:%zu, found \"%.80s\"", found + 1,
                               path, line, copy);
            goto out;
        }
        found++;
    }
    *entries = made;
    *n = found;
out:
    bytes_clear(&text);
    return code;
}

uint32_t snapshots_superseded(const struct snapshot_entry *entries, size_t n, uint32_t number)
{
    return n > number ? entries[n - 1].number : 0;
}

enum maille_code snapshots_add(const char *folder, const struct snapshot_entry *entry,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    char path[PATH_MAX], line[256], hash[2 * HASH_BYTES + 1];
    MAILLE_TRY(file_path_join(path, sizeof path, folder, "index", error));
    if (file_exists(path))
        MAILLE_TRY(file_read(&text, path, INDEX_BYTES_MAX, error));
    else
        bytes_put(&text, index_head, sizeof index_head - 1);
    bytes_to_hex(hash, entry->hash.b, HASH_BYTES);
    int length = snprintf(line, sizeof line, "%" PRIu32 " %s %" PRIu64 " %s\n", entry->number, hash,
                          entry->rows, entry->created);
    bytes_put(&text, line, (size_t)length);
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(file_write_atomic(path, text.data, text.length, 0600, error));
out:
    bytes_clear(&text);
    return code;
}
