/* state/format: which program's state this is. What open queries and their journals hold changes with the
 * program, and an older one would read bytes that it does not know: it stops before it has touched anything.
 * Format 2 has published cohorts in the record of M1 and offers behind where a study stands; without them
 * both are read as format 1 wrote them. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "vault/private.h"

enum { STATE_FORMAT = 2, TEXT_BYTES_MAX = 64 };
static const char words[] = "maille-state ";

enum maille_code vault_format_check(const struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX], text[TEXT_BYTES_MAX];
    struct bytes found = {0};
    uint64_t format = 0;
    const int length = snprintf(text, sizeof text, "%s%d\n", words, STATE_FORMAT);
    MAILLE_TRY(file_path_join(path, sizeof path, vault->state_folder, "format", error));
    if (!file_exists(path)) { /* a new site, or one of before there was this file: format 1 */
        code = file_write_atomic(path, text, (size_t)length, 0600, error);
        goto out;
    }
    MAILLE_TRY(file_read_regular(&found, path, TEXT_BYTES_MAX, error));
    const size_t head = strlen(words);
    const bool known = found.length > head + 1 && memcmp(found.data, words, head) == 0 &&
                       found.data[found.length - 1] == '\n' &&
                       number_parse_u64((const char *)found.data + head, found.length - head - 1, &format);
    if (!known || format > STATE_FORMAT)
        code = maille_fail(
            error, MAILLE_INVALID,
            "%s: expected the state of a site in format %d, found %s; a later maille-worker has run "
            "here: install that one again (docs/UPGRADE.md)",
            path, STATE_FORMAT, known ? "a later one" : "other words");
    else if (format < STATE_FORMAT)
        code = file_write_atomic(path, text, (size_t)length, 0600, error);
out:
    bytes_clear(&found);
    return code;
}
