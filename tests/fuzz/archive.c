/* base/archive.h: there is one way to write given files, and the reader takes that way alone. cli/bundle.h:
 * the archive as a study that proves itself. An input that begins with "F" is a list of files (name, NUL,
 * LE16 length, bytes) of which a right archive is made, so that what lies behind the form is reached. */
#include <string.h>

#include "cli/bundle.h"
#include "tests/fuzz/fuzz.h"

enum { FILES_MAX = 64 };

static void made(struct bytes *out, struct arena *arena, const uint8_t *data, size_t size)
{
    struct archive_file *files = arena_array(arena, FILES_MAX, sizeof *files);
    size_t n = 0;
    while (size > 0 && n < FILES_MAX) {
        const uint8_t *end = memchr(data, '\0', size);
        const size_t name = end != NULL ? (size_t)(end - data) : size;
        size_t length = 0;
        files[n].name = arena_strndup(arena, (const char *)data, name);
        data += name, size -= name;
        if (size >= 3) {
            length = (size_t)(data[1] | data[2] << 8);
            data += 3, size -= 3;
        } else {
            size = 0;
        }
        files[n].length = length < size ? length : size;
        files[n].data = data;
        data += files[n].length, size -= files[n].length;
        n++;
    }
    if (archive_write(out, files, n, NULL) != MAILLE_OK)
        out->length = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct archive_file *files;
    struct bundle_facts facts = {0};
    struct maille_error error = {0};
    struct bytes bundle = {0}, again = {0};
    size_t n;
    struct arena *arena = arena_new();
    if (arena == NULL || crypto_start(NULL) != MAILLE_OK)
        fuzz_fail("memory");
    if (size > 0 && data[0] == 'F')
        made(&bundle, arena, data + 1, size - 1);
    else
        bytes_put(&bundle, data, size);
    if (archive_read(&files, &n, arena, "bundle", bundle.data, bundle.length, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else if (archive_write(&again, files, n, &error) != MAILLE_OK || again.length != bundle.length ||
               (again.length > 0 && memcmp(again.data, bundle.data, again.length) != 0)) {
        fuzz_fail("the bytes that were read");
    }
    error.sentence[0] = '\0';
    if (bundle_verify(&facts, &n, arena, "bundle", &bundle, NULL, &error) != MAILLE_OK &&
        error.sentence[0] == '\0')
        fuzz_fail("a sentence with an error");
    bytes_clear(&bundle);
    bytes_clear(&again);
    arena_free(arena);
    return 0;
}
