/* query/dictionary.h: the public facts of a network's variables; comes with every catalogue. */
#include "query/dictionary.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dictionary *dictionary;
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    if (dictionary_parse(&dictionary, arena, "dictionary", (const char *)data, size, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else {
        for (size_t v = 0; v < dictionary->n_variables; v++)
            if (dictionary_find(dictionary, dictionary->variables[v].name) != (int)v)
                fuzz_fail("every variable once");
    }
    arena_free(arena);
    return 0;
}
