/* stats/round.h: θ as an analyst sends it, into the plan that a site makes from it. The first two bytes say
 * which analyses of the example are open. */
#include <stdlib.h>
#include <string.h>

#include "stats/round.h"
#include "tests/fuzz/fuzz.h"

/* A method of which the example has no analysis, and whose θ says what each patient's weights are. */
static const char trial[] = "\n  - { id: trial, method: emulation, formula: \"Surv(dtime, death) ~ age\", "
                            "treatment: recur, start: rtime, "
                            "grace: [365.25, 730.5], times: [1826.25, 3652.5], tau: 3652.5 }\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *dictionary_text, *study_text;
    static size_t dictionary_length, study_length;
    static const struct study *study;
    static struct arena *kept;
    struct maille_error error = {0};
    struct round_plan plan = {0};
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    if (study == NULL) {
        const struct dictionary *dictionary;
        kept = arena_new();
        dictionary_text = fuzz_text("examples/rotterdam/dictionary.yaml", &dictionary_length);
        study_text = fuzz_text("examples/rotterdam/study.yaml", &study_length);
        if (kept == NULL)
            fuzz_fail("memory");
        study_text = arena_printf(kept, "%.*s%s", (int)study_length, study_text, trial);
        study_length = strlen(study_text);
        if (dictionary_parse(&dictionary, kept, "dictionary", dictionary_text, dictionary_length, NULL) !=
                MAILLE_OK ||
            study_parse(&study, kept, dictionary, methods, n_methods, "study", study_text, study_length,
                        NULL) != MAILLE_OK)
            fuzz_fail("the study of the example");
    }
    if (size < 2)
        return 0;
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    bool *open = arena_array(arena, study->n_analyses, sizeof *open);
    struct vector *thetas = arena_array(arena, study->n_analyses, sizeof *thetas);
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = (data[k / 8 % 2] >> k % 8 & 1) != 0;
    if (round_thetas_read(thetas, study, open, data + 2, size - 2, &error) == MAILLE_OK &&
        round_plan(&plan, study, open, thetas, NULL, 0, &error) == MAILLE_OK)
        for (size_t k = 0; k < plan.n; k++)
            if (open[k] && (plan.analyses[k].spec == NULL) != (plan.analyses[k].error.code != MAILLE_OK))
                fuzz_fail("a plan or an error");
    round_plan_clear(&plan);
    for (size_t k = 0; k < study->n_analyses; k++)
        vector_clear(&thetas[k]);
    arena_free(arena);
    return 0;
}
