/* Files of a site's own folder, as a broken disk or a hand leaves them: the list of snapshots, the map of row
 * numbers, what a running program counts. The first byte says which. */
#include <string.h>
#include <unistd.h>

#include "base/figures.h"
#include "crypto/hash.h"
#include "registry/rowkeys.h"
#include "tests/fuzz/fuzz.h"
#include "worker/snapshots.h"

static void hashed(uint8_t out[ROW_KEY_BYTES], const void *context, const void *data, size_t length)
{
    struct digest digest;
    (void)context;
    hash_bytes(&digest, data, length);
    memcpy(out, digest.b, ROW_KEY_BYTES);
}

static void index_of(const uint8_t *data, size_t size)
{
    const struct snapshot_entry *entries = NULL;
    struct maille_error error = {0};
    size_t n = 0;
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    fuzz_put("index", data, size);
    if (snapshots_read(&entries, &n, arena, fuzz_folder(), &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else {
        for (size_t i = 1; i < n; i++)
            if (entries[i].number <= entries[i - 1].number)
                fuzz_fail("numbers that ascend");
        snapshots_superseded(entries, n, 1);
    }
    arena_free(arena);
}

/* With 'r' the hash at the end is made here. */
static void rows_of(bool right, const uint8_t *data, size_t size)
{
    const struct row_hash hash = {.make = hashed};
    struct row_keys *keys = NULL;
    struct maille_error error = {0};
    struct bytes text = {0};
    bytes_put(&text, data, size);
    if (right) {
        uint8_t last[ROW_KEY_BYTES];
        hashed(last, NULL, data, size);
        bytes_put(&text, last, sizeof last);
    }
    const char *path = fuzz_put("rows", text.data, text.length);
    if (row_keys_read(&keys, path, &hash, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else {
        bool alike;
        row_keys_patient(keys, "P0001");
        if (row_keys_alike(&alike, keys, "P1", &error) != MAILLE_OK)
            fuzz_fail("a map that can be asked");
        row_keys_objects(keys, "P0001");
        row_keys_objecting_patients(keys);
        row_keys_free(keys);
    }
    bytes_clear(&text);
}

/* Nobody waits: a reader waits a moment for a writer between two looks. */
int __wrap_usleep(useconds_t microseconds);

int __wrap_usleep(useconds_t microseconds)
{
    (void)microseconds;
    return 0;
}

/* The file of a program that runs (it holds the lock), and what such a program writes of two numbers. */
static void status_of(const uint8_t *data, size_t size)
{
    static const struct figure_row rows[] = {{.name = "messages_received"}, {.name = "bytes_received"}};
    int64_t values[2] = {0}, again[2];
    bool there;
    int fd = -1;
    struct maille_error error = {0};
    fuzz_put(FIGURES_FILE, data, size);
    for (size_t i = 0; i < 2 * sizeof *values && i < size; i++)
        values[i / sizeof *values] ^= (int64_t)data[i] << i % sizeof *values * 7;
    if (figures_file_read(again, &there, rows, 2, fuzz_folder(), &error) != MAILLE_OK || there)
        fuzz_fail("no figures where nobody writes any");
    if (figures_file_open(&fd, fuzz_folder(), &error) != MAILLE_OK || fd < 0)
        fuzz_fail("a file of figures");
    fuzz_put(FIGURES_FILE, data, size);
    if (figures_file_read(again, &there, rows, 2, fuzz_folder(), &error) != MAILLE_OK &&
        error.sentence[0] == '\0')
        fuzz_fail("a sentence with an error");
    close(fd);
    if (figures_file_open(&fd, fuzz_folder(), &error) != MAILLE_OK || fd < 0)
        fuzz_fail("a file of figures");
    if (figures_file_write(fd, rows, 2, values, &error) != MAILLE_OK ||
        figures_file_read(again, &there, rows, 2, fuzz_folder(), &error) != MAILLE_OK || !there ||
        memcmp(values, again, sizeof values) != 0)
        fuzz_fail("the figures that were written");
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    switch (data[0]) {
    case 'i':
        index_of(data + 1, size - 1);
        break;
    case 'f':
        status_of(data + 1, size - 1);
        break;
    default:
        rows_of(data[0] == 'r', data + 1, size - 1);
        break;
    }
    return 0;
}
