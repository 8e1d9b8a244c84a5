/* registry/import.h: a site's file, cell by cell. */
#include <unistd.h>

#include "registry/csv.h"
#include "registry/import.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *dictionary_text;
    static size_t dictionary_length;
    const struct dictionary *dictionary;
    struct import_report report = {0};
    struct columns *table = NULL;
    struct column_scratch scratch = {0};
    struct maille_error error = {0};
    char path[PATH_MAX];
    int fd;
    struct arena *arena = arena_new();
    if (dictionary_text == NULL)
        dictionary_text = fuzz_text("examples/rotterdam/dictionary.yaml", &dictionary_length);
    if (arena == NULL || dictionary_parse(&dictionary, arena, "dictionary", dictionary_text,
                                          dictionary_length, NULL) != MAILLE_OK)
        fuzz_fail("the dictionary of the example");
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
    }
    column_scratch_clear(&scratch);
    columns_free(table);
    import_report_clear(&report);
    close(fd);
    arena_free(arena);
    return 0;
}
