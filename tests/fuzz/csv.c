/* registry/import.h: a site's file, cell by cell, and the row numbers of what was read (registry/rowkeys.h).
 * Where there is a NUL, the dictionary of the file stands before it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "registry/csv.h"
#include "registry/import.h"
#include "registry/objections.h"
#include "registry/rowkeys.h"
#include "tests/fuzz/fuzz.h"

static void hashed(uint8_t out[ROW_KEY_BYTES], const void *context, const void *data, size_t length)
{
    uint64_t hash[2] = {0x9e3779b97f4a7c15U, length};
    (void)context;
    for (size_t i = 0; i < length; i++) {
        hash[i % 2] = (hash[i % 2] ^ ((const uint8_t *)data)[i]) * 0x100000001b3U;
        hash[0] ^= hash[1] >> 29;
    }
    memcpy(out, hash, ROW_KEY_BYTES);
}

/* A table is numbered, its first patient objects, and the map is read back from its file. */
static void numbers_of(struct columns *table)
{
    static const struct row_hash hash = {.make = hashed};
    struct row_keys *keys = NULL, *again = NULL;
    struct columns *left = NULL;
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    size_t left_out = 0;
    bool alike = false;
    if (columns_rows(table) == 0)
        goto out;
    const char *path = fuzz_put("rows", NULL, 0), *first = import_key(table, 0);
    char other[64];
    snprintf(other, sizeof other, "0%.60s", first);
    unlink(path);
    if (row_keys_read(&keys, path, &hash, &error) != MAILLE_OK || !row_keys_empty(keys) ||
        row_keys_number(keys, table, &error) != MAILLE_OK ||
        row_keys_object(keys, first, &error) != MAILLE_OK ||
        row_keys_object(keys, "nobody", &error) != MAILLE_OK ||
        row_keys_know(keys, "known", row_keys_patient(keys, first), &error) != MAILLE_OK ||
        row_keys_write(keys, path, 1, &error) != MAILLE_OK ||
        row_keys_read(&again, path, &hash, &error) != MAILLE_OK || row_keys_snapshot(again) != 1)
        fuzz_fail("rows that are numbered, and the map of them");
    if (row_keys_patient(again, first) == 0 || !row_keys_objects(again, first) ||
        row_keys_objections(again) < 1 || row_keys_alike(&alike, again, first, &error) != MAILLE_OK || !alike)
        fuzz_fail("the first patient of the table");
    objections_near(arena, again, other, false);
    objections_near(arena, again, other, true);
    row_keys_withdraw(again, "nobody");
    if (row_keys_objects(again, "nobody") && strcmp(first, "nobody") != 0)
        fuzz_fail("an objection that was withdrawn to be gone");
    if (row_keys_exclude(&left, &left_out, again, table, &error) != MAILLE_OK || left_out != 1 ||
        left == NULL || columns_rows(left) >= columns_rows(table))
        fuzz_fail("the table without who objects");
out:
    columns_free(left);
    row_keys_free(keys);
    row_keys_free(again);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dictionary *the_dictionary;
    static struct arena *kept;
    const struct dictionary *dictionary;
    struct import_report report = {0};
    struct columns *table = NULL;
    struct column_scratch scratch = {0};
    struct maille_error error = {0};
    char path[PATH_MAX];
    int fd;
    struct arena *arena = arena_new();
    if (kept == NULL) {
        static const char *text; /* to the end of the process */
        size_t length;
        kept = arena_new();
        text = fuzz_text("examples/rotterdam/dictionary.yaml", &length);
        if (kept == NULL ||
            dictionary_parse(&the_dictionary, kept, "dictionary", text, length, NULL) != MAILLE_OK)
            fuzz_fail("the dictionary of the example");
    }
    if (arena == NULL)
        fuzz_fail("memory");
    dictionary = the_dictionary;
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    if (end != NULL) {
        const size_t length = (size_t)(end - data);
        if (dictionary_parse(&dictionary, arena, "dictionary", (const char *)data, length, &error) ==
            MAILLE_OK)
            data += length + 1, size -= length + 1;
        else
            dictionary = the_dictionary;
    }
    fuzz_file(path, &fd, data, size);
    if (import_csv(&table, &report, dictionary, path, NULL, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else {
        for (uint32_t v = 0; v < dictionary->n_variables; v++)
            for (size_t b = 0; b < columns_blocks(table); b++) {
                struct column_block block;
                if (columns_block(&block, table, &scratch, v, b, &error) != MAILLE_OK)
                    fuzz_fail("columns of a table that was read");
            }
        numbers_of(table);
    }
    column_scratch_clear(&scratch);
    columns_free(table);
    import_report_clear(&report);
    close(fd);
    arena_free(arena);
    return 0;
}
