#include "worker/import_rows.h"

#include <limits.h>
#include <string.h>

#include "base/file.h"

static void keyed(uint8_t out[ROW_KEY_BYTES], const void *context, const void *data, size_t length)
{
    struct digest digest;
    hash_kdf(&digest, context, "row", data, length);
    memcpy(out, digest.b, ROW_KEY_BYTES);
}

/* Of the site's keys, or, after a rotation, as it was before it: in FOLDER/rows.key. */
static enum maille_code map_secret(struct digest *secret, const char *folder, const struct secret_keys *keys,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes sealed = {0}, clear = {0};
    struct digest key;
    char path[PATH_MAX];
    secret_keys_derive(&key, keys, "rows-key");
    MAILLE_TRY(file_path_join(path, sizeof path, folder, "rows.key", error));
    if (!file_exists(path)) {
        secret_keys_derive(secret, keys, "rows");
    } else {
        MAILLE_TRY(file_read(&sealed, path, 1024, error));
        if (seal_secretbox_open(&clear, key.b, sealed.data, sealed.length, NULL) != MAILLE_OK ||
            clear.length != sizeof secret->b)
            code = maille_fail(
                error, MAILLE_CORRUPT,
                "%s: expected the key of the map of rows as this site sealed it, found other bytes or "
                "another key's; restore it",
                path);
        else
            memcpy(secret->b, clear.data, sizeof secret->b);
    }
out:
    crypto_wipe(&key, sizeof key);
    bytes_clear(&sealed);
    bytes_wipe(&clear);
    return code;
}

static enum maille_code map_secret_write(const struct digest *secret, const char *folder,
                                         const struct secret_keys *keys, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes sealed = {0};
    struct digest key;
    char path[PATH_MAX];
    secret_keys_derive(&key, keys, "rows-key");
    MAILLE_TRY(file_path_join(path, sizeof path, folder, "rows.key", error));
    code = seal_secretbox(&sealed, key.b, secret->b, sizeof secret->b);
    if (code != MAILLE_OK)
        code = maille_fail(error, code, "expected memory for a key, found none");
    else
        code = file_write_atomic(path, sealed.data, sealed.length, 0600, error);
out:
    crypto_wipe(&key, sizeof key);
    bytes_clear(&sealed);
    return code;
}

enum maille_code import_rows_rekey(const char *folder, const struct secret_keys *from,
                                   const struct secret_keys *to, struct arena *arena,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct objectors objectors;
    struct digest secret;
    char path[PATH_MAX];
    MAILLE_TRY(file_path_join(path, sizeof path, folder, "rows.key", error));
    if (!file_exists(path) || map_secret(&secret, folder, to, NULL) != MAILLE_OK) {
        MAILLE_TRY(map_secret(&secret, folder, from, error));
        MAILLE_TRY(map_secret_write(&secret, folder, to, error));
    }
    if (objectors_read(&objectors, arena, folder, to, NULL) != MAILLE_OK) {
        MAILLE_TRY(objectors_read(&objectors, arena, folder, from, error));
        MAILLE_TRY(objectors_write(&objectors, folder, to, error));
    }
out:
    crypto_wipe(&secret, sizeof secret);
    return code;
}

enum maille_code import_rows_open(struct import_rows *rows, struct arena *arena, const char *folder, size_t n,
                                  const struct secret_keys *keys, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    *rows = (struct import_rows){
        .path = arena_printf(arena, "%s/rows", folder), .folder = arena_strdup(arena, folder), .site = keys};
    MAILLE_TRY(map_secret(&rows->secret, folder, keys, error));
    rows->hash = (struct row_hash){.make = keyed, .context = rows->secret.b};
    MAILLE_TRY(row_keys_read(&rows->keys, rows->path, &rows->hash, error));
    if (row_keys_snapshot(rows->keys) < n) {
        code = maille_fail(error, MAILLE_CORRUPT,
                           "expected the numbers of rows of snapshot %zu in %s, found %s; restore that file "
                           "with the snapshots it belongs "
                           "to, or begin again with an empty folder",
                           n, rows->path, row_keys_empty(rows->keys) ? "none" : "older ones");
        goto out;
    }
    code = objectors_read(&rows->objectors, arena, folder, keys, error);
out:
    return code;
}

void import_rows_clear(struct import_rows *rows)
{
    row_keys_free(rows->keys);
    crypto_wipe(&rows->secret, sizeof rows->secret);
    *rows = (struct import_rows){0};
}

enum maille_code import_rows_apply(struct columns **table, struct import_rows *rows, struct arena *arena,
                                   const struct objections_change *change, bool is_new,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct columns *without = NULL;
    if (is_new)
        MAILLE_TRY(row_keys_number(rows->keys, *table, error));
    MAILLE_TRY(objections_apply(&rows->objectors, &rows->told, rows->keys, arena, change, error));
    MAILLE_TRY(row_keys_exclude(&without, &rows->left_out, rows->keys, *table, error));
    if (without != NULL) {
        columns_free(*table);
        *table = without;
    }
out:
    return code;
}

enum maille_code import_rows_write(struct import_rows *rows, uint32_t number, struct maille_error *error)
{
    enum maille_code code = objectors_write(&rows->objectors, rows->folder, rows->site, error);
    return code != MAILLE_OK ? code : row_keys_write(rows->keys, rows->path, number, error);
}
