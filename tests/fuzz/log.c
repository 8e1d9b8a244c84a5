/* audit/log.h: a message log from somebody else's machine. An input that begins with 'c' is a list of lines
 * that get their right chain values here, so that what lies behind the chain is reached too; any other is the
 * file itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/log.h"
#include "base/bytes.h"
#include "tests/fuzz/fuzz.h"

/* Every line with a tab and its chain value behind it. */
static void chained(struct bytes *out, const uint8_t *data, size_t size)
{
    struct digest chain = {{0}};
    for (const uint8_t *end = data + size; data < end;) {
        const uint8_t *stop = memchr(data, '\n', (size_t)(end - data));
        size_t length = (size_t)((stop == NULL ? end : stop) - data);
        struct bytes joined = {0};
        char hex[2 * HASH_BYTES + 1];
        bytes_put(&joined, chain.b, HASH_BYTES);
        bytes_put(&joined, data, length);
        hash_bytes(&chain, joined.data, joined.length);
        bytes_clear(&joined);
        bytes_to_hex(hex, chain.b, HASH_BYTES);
        bytes_put(out, data, length);
        bytes_put_u8(out, '\t');
        bytes_put(out, hex, 2 * HASH_BYTES);
        bytes_put_u8(out, '\n');
        data += length + 1;
        if (stop == NULL)
            break;
    }
}

static void count(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    size_t *n = context;
    (void)utc_ms;
    if (sequence != ++*n)
        fuzz_fail("entries in order");
    if (strlen(entry->message) + strlen(entry->peer) + strlen(entry->detail) > 1 << 16)
        fuzz_fail("short entries");
}

static char folder[PATH_MAX], path[PATH_MAX + 32];

static void folder_remove(void)
{
    unlink(path);
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *tmp = getenv("MAILLE_TEST_TMP");
    struct maille_error error = {0};
    struct bytes text = {0};
    size_t n = 0;
    if (folder[0] == '\0') {
        snprintf(folder, sizeof folder, "%s/log-XXXXXX", tmp != NULL ? tmp : "/tmp");
        if (mkdtemp(folder) == NULL)
            fuzz_fail("a folder to write to");
        snprintf(path, sizeof path, "%s/messages.log", folder);
        atexit(folder_remove);
    }
    if (size > 0 && data[0] == 'c')
        chained(&text, data + 1, size - 1);
    else
        bytes_put(&text, data, size);
    FILE *file = fopen(path, "w");
    if (file == NULL || (text.length > 0 && fwrite(text.data, 1, text.length, file) != text.length) ||
        fclose(file) != 0)
        fuzz_fail("a file to be written");
    if (audit_read(folder, count, &n, &error) != MAILLE_OK && error.sentence[0] == '\0')
        fuzz_fail("a sentence with an error");
    bytes_clear(&text);
    return 0;
}
