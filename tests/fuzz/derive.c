/* registry/derive.h: rules.yaml, by which variables come out of further tables, and the tables read by it:
 * rules NUL lines.csv NUL drugs.csv NUL visits.csv. The dictionaries are those of the examples. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/derive.h"
#include "tests/fuzz/fuzz.h"

static const struct dictionary *the_dictionary(const char *path)
{
    static struct arena *kept;
    static const char *texts[2];
    static size_t n;
    const struct dictionary *dictionary;
    size_t length;
    if (kept == NULL)
        kept = arena_new();
    const char *text = fuzz_text(path, &length);
    texts[n++] = text;
    if (kept == NULL || texts[n - 1] == NULL ||
        dictionary_parse(&dictionary, kept, path, text, length, NULL) != MAILLE_OK)
        fuzz_fail("a dictionary of the examples");
    return dictionary;
}

static void each_patient(struct derive *derive, const struct dictionary *dictionary, struct arena *arena)
{
    struct cell *cells = arena_array(arena, dictionary->n_variables, sizeof *cells);
    struct maille_error error = {0};
    char sentence[CELL_SENTENCE_MAX];
    size_t rows = 0, bad = 0, strangers, table = 0, unfollowed;
    const char *name;
    enum { DAY_2012 = 15340 };
    for (size_t v = 0; v < dictionary->n_variables; v++)
        if (dictionary->variables[v].type == VARIABLE_DATE)
            cells[v].integer = DAY_2012 + 365 * (int64_t)v;
    if (derive_patient(&rows, derive, cells, "SYN0000001", 10, &error) == MAILLE_OK)
        for (size_t r = 0; r < rows && r < 16; r++)
            if (!derive_cells(cells, &bad, sentence, derive, "SYN0000001", 10, r) &&
                (bad >= dictionary->n_variables || sentence[0] == '\0'))
                fuzz_fail("a sentence about a variable");
    while (derive_strangers(&name, &strangers, &table, derive))
        ;
    derive_makes_rows(derive, &unfollowed);
}

static size_t part_length(const uint8_t *next, const uint8_t *end)
{
    const uint8_t *stop = next < end ? memchr(next, '\0', (size_t)(end - next)) : NULL;
    return (size_t)((stop != NULL ? stop : end) - next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dictionary *both[2];
    struct derive *derive = NULL;
    struct maille_error error = {0};
    static bool linked;
    if (!linked) {
        static const char *const files[] = {"lines/lines.yaml", "drugs/drugs.yaml", "drugs/visits.yaml"},
                                 *const names[] = {"lines.yaml", "drugs.yaml", "visits.yaml"};
        both[0] = the_dictionary("examples/esme-mbc/lines/dictionary.yaml");
        both[1] = the_dictionary("examples/esme-mbc/drugs/dictionary.yaml");
        for (size_t i = 0; i < 3; i++) {
            char path[PATH_MAX];
            size_t length;
            snprintf(path, sizeof path, "examples/esme-mbc/%s", files[i]);
            char *text = (char *)(uintptr_t)fuzz_text(path, &length);
            fuzz_put(names[i], (const uint8_t *)text, length);
            free(text);
        }
        linked = true;
    }
    const uint8_t *next = data, *end = data + size;
    const size_t length = part_length(next, end);
    next += length;
    for (size_t t = 0; t < 3; t++) {
        static const char *const tables[] = {"lines.csv", "drugs.csv", "visits.csv"};
        next += next < end;
        const size_t part = part_length(next, end);
        fuzz_put(tables[t], next, part);
        next += part;
    }
    for (size_t d = 0; d < 2; d++) {
        struct arena *arena = arena_new();
        char folder[PATH_MAX + 2];
        if (arena == NULL)
            fuzz_fail("memory");
        snprintf(folder, sizeof folder, "%s/", fuzz_folder());
        if (derive_parse(&derive, arena, "rules", (const char *)data, length, folder, both[d], &error) !=
            MAILLE_OK) {
            if (error.sentence[0] == '\0')
                fuzz_fail("a sentence with an error");
        } else {
            if (derive_text(derive)[0] == '\0')
                fuzz_fail("rules as a text");
            if (derive_read(derive, NULL, NULL, &error) == MAILLE_OK)
                each_patient(derive, both[d], arena);
            else if (error.sentence[0] == '\0')
                fuzz_fail("a sentence with an error");
            derive_clear(derive);
        }
        arena_free(arena);
    }
    return 0;
}
