/* The study that some targets' bytes are of: what stands outside of them. */
#ifndef TESTS_FUZZ_STUDY_H
#define TESTS_FUZZ_STUDY_H

#include "stats/methods.h"
#include "tests/fuzz/fuzz.h"

/* The study of this file, over the Rotterdam dictionary; read once, so one path a target. */
static inline const struct study *fuzz_study(const char *path)
{
    static const struct study *study;
    static struct arena *kept;
    static const char *dictionary_text, *study_text; /* to the end of the process */
    const struct dictionary *dictionary;
    size_t dictionary_length, study_length, n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    if (study != NULL)
        return study;
    dictionary_text = fuzz_text("examples/rotterdam/dictionary.yaml", &dictionary_length);
    study_text = fuzz_text(path, &study_length);
    kept = arena_new();
    if (kept == NULL ||
        dictionary_parse(&dictionary, kept, "dictionary", dictionary_text, dictionary_length, NULL) !=
            MAILLE_OK ||
        study_parse(&study, kept, dictionary, methods, n_methods, "study", study_text, study_length, NULL) !=
            MAILLE_OK)
        fuzz_fail("a study that parses");
    return study;
}

#endif
