#include "worker/import_rows.h"

#include <string.h>

static void keyed(uint8_t out[ROW_KEY_BYTES], const void *context, const void *data, size_t length)
{
    struct digest digest;
    hash_kdf(&digest, context, "row", data, length);
    memcpy(out, digest.b, ROW_KEY_BYTES);
}

enum maille_code import_rows_open(struct import_rows *rows, struct arena *arena, const char *folder, size_t n,
                                  const struct secret_keys *keys, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    *rows = (struct import_rows){
        .path = arena_printf(arena, "%s/rows", folder), .folder = arena_strdup(arena, folder), .site = keys};
    secret_keys_derive(&rows->secret, keys, "rows");
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
