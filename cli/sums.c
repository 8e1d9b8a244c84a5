#include "cli/sums.h"

#include <assert.h>
#include <string.h>

#include "crypto/tree_hash.h"

void sums_put(struct bytes *out, const struct archive_file *files, size_t n, size_t skip)
{
    for (size_t f = 0; f < n; f++) {
        struct digest hash;
        char hex[2 * HASH_BYTES + 1];
        tree_sha256(&hash, files[f].data, files[f].length);
        bytes_to_hex(hex, hash.b, HASH_BYTES);
        bytes_printf(out, "%s  %s\n", hex, files[f].name + skip);
    }
}

int sums_by_name(const void *a, const void *b)
{
    return strcmp(((const struct archive_file *)a)->name, ((const struct archive_file *)b)->name);
}

const struct archive_file *sums_file(const struct archive_file *files, size_t n, size_t skip,
                                     const char *name)
{
    for (size_t f = 0; f < n; f++)
        if (strcmp(files[f].name + skip, name) == 0)
            return &files[f];
    return NULL;
}

size_t sums_folder(const struct archive_file *files, size_t n)
{
    const char *slash = n == 0 ? NULL : strchr(files[0].name, '/');
    const size_t skip = slash == NULL ? 0 : (size_t)(slash - files[0].name) + 1;
    for (size_t f = 1; f < n; f++)
        if (strncmp(files[f].name, files[0].name, skip) != 0)
            return 0;
    return skip;
}

enum maille_code sums_check(const struct archive_file *files, size_t n, size_t skip,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes sums = {0};
    const struct archive_file *own = sums_file(files, n, skip, SUMS);
    const uint8_t *line, *end;
    for (size_t f = 0; f < n; f++)
        if (&files[f] != own && strcmp(files[f].name + skip, SUMS_SIGNATURE) != 0)
            sums_put(&sums, &files[f], 1, skip);
    MAILLE_TRY(bytes_check(&sums, error));
    assert(sums.data != NULL && "an archive has files beside these two");
    if (own->length == sums.length && memcmp(own->data, sums.data, sums.length) == 0)
        goto out;
    /* which one: the first line that is not there as it should be */
    for (line = sums.data, end = sums.data + sums.length; line < end;) {
        const size_t length = (size_t)((const uint8_t *)memchr(line, '\n', (size_t)(end - line)) - line) + 1;
        if (memmem(own->data, own->length, line, length) == NULL) {
            code =
                maille_fail(error, MAILLE_SIGNATURE,
                            "expected %.*s as " SUMS " has it, found other bytes, or a file that it does not "
                            "list",
                            (int)(length - 2 * HASH_BYTES - 3), (const char *)line + 2 * HASH_BYTES + 2);
            goto out;
        }
        line += length;
    }
    code = maille_fail(error, MAILLE_SIGNATURE,
                       "expected the files that " SUMS " lists, found that one is not there");
out:
    bytes_clear(&sums);
    return code;
}
