/* registry/mapping.h: mapping.yaml, and cells and dates of a file through it. Bytes behind a NUL are a cell.
 */
#include <string.h>

#include "registry/mapping.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dictionary *dictionary;
    static struct arena *kept;
    const struct mapping *mapping;
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    if (kept == NULL) {
        static const char *text; /* to the end of the process */
        size_t text_length;
        kept = arena_new();
        text = fuzz_text("tests/fuzz/esme.dictionary.yaml", &text_length);
        if (kept == NULL ||
            dictionary_parse(&dictionary, kept, "dictionary", text, text_length, NULL) != MAILLE_OK)
            fuzz_fail("the dictionary of the corpus");
    }
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    const size_t length = end != NULL ? (size_t)(end - data) : size;
    const char *cell = "12/03/2024";
    size_t cell_length = strlen(cell);
    if (end != NULL) {
        cell_length = size - length - 1;
        cell = arena_strndup(arena, (const char *)end + 1, cell_length);
        cell_length = strlen(cell);
    }
    if (mapping_parse(&mapping, arena, "mapping", (const char *)data, length, dictionary, &error) !=
        MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        goto out;
    }
    for (size_t i = 0; i < mapping->n_columns; i++) {
        const struct mapping_column *column = &mapping->columns[i];
        char room[MAPPING_TEXT_MAX];
        size_t left = cell_length;
        const char *said = mapping_cell(column, cell, &left, room);
        if (mapping_find(mapping, column->to) == NULL)
            fuzz_fail("every column to be found");
        if (said != NULL && strlen(said) < left)
            fuzz_fail("the length of a text");
        for (size_t f = 0; f < column->n_dates; f++) {
            int32_t days = 0;
            bool lacks;
            if (mapping_date(&days, &lacks, column->dates[f], column->partial, cell, cell_length) &&
                (days < -800000 || days > 3000000))
                fuzz_fail("a day of the calendar");
        }
    }
out:
    arena_free(arena);
    return 0;
}
