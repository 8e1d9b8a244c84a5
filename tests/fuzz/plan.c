/* disclosure/plan.h: the plan as an analyst gets it from a site, of the study of the example. */
#include "disclosure/plan.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *dictionary_text, *study_text;
    static size_t dictionary_length, study_length;
    static const struct study *study;
    static struct arena *kept;
    struct maille_error error = {0};
    struct plan plan = {0};
    struct bytes again = {0};
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    if (study == NULL) {
        const struct dictionary *dictionary;
        dictionary_text = fuzz_text("examples/rotterdam/dictionary.yaml", &dictionary_length);
        study_text = fuzz_text("examples/rotterdam/study.yaml", &study_length);
        kept = arena_new();
        if (kept == NULL ||
            dictionary_parse(&dictionary, kept, "dictionary", dictionary_text, dictionary_length, NULL) !=
                MAILLE_OK ||
            study_parse(&study, kept, dictionary, methods, n_methods, "study", study_text, study_length,
                        NULL) != MAILLE_OK)
            fuzz_fail("the study of the example");
    }
    if (plan_read(&plan, study, data, size, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        return 0;
    }
    /* There is one way to write a plan: its hash is compared. */
    plan_write(&again, &plan);
    if (again.failed || again.length != size || memcmp(again.data, data, size) != 0)
        fuzz_fail("the bytes that were read");
    for (size_t k = 0; k < plan.n; k++)
        if (plan.surviving[k] != NULL && (!plan.analyses[k].open || plan.analyses[k].rule[0] != '\0'))
            fuzz_fail("nothing that survives of an analysis that is refused");
    bytes_clear(&again);
    plan_clear(&plan);
    return 0;
}
