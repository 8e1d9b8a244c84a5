/* query/study.h, and what a site does with a study before it has looked at a patient: the policy's verdict,
 * head counts and the plan of round 1. A researcher of the network writes these bytes. */
#include <stdlib.h>

#include "crypto/mask.h"
#include "disclosure/gate.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *dictionary_text;
    static size_t dictionary_length;
    const struct dictionary *dictionary;
    const struct policy *policy;
    const struct study *study;
    struct round_plan plan = {0};
    struct maille_error error = {0};
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    struct arena *arena = arena_new();
    if (dictionary_text == NULL)
        dictionary_text = fuzz_text("examples/rotterdam/dictionary.yaml", &dictionary_length);
    if (arena == NULL ||
        dictionary_parse(&dictionary, arena, "dictionary", dictionary_text, dictionary_length, NULL) !=
            MAILLE_OK ||
        policy_parse(&policy, arena, "policy", "policy: strict\n", 15, NULL) != MAILLE_OK)
        fuzz_fail("the dictionary of the example");
    if (study_parse(&study, arena, dictionary, methods, n_methods, "study", (const char *)data, size,
                    &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        goto out;
    }
    struct verdict *verdicts = arena_array(arena, study->n_analyses, sizeof *verdicts);
    bool *open = arena_array(arena, study->n_analyses, sizeof *open);
    struct vector *thetas = arena_array(arena, study->n_analyses, sizeof *thetas);
    if (gate_question(verdicts, policy, study, "alice", &error) != MAILLE_OK)
        goto out;
    for (size_t k = 0; k < study->n_analyses; k++) {
        const struct method *method = method_find(study->analyses[k].method);
        struct cells *cells = arena_alloc(arena, sizeof *cells);
        open[k] = (method->check == NULL || method->check(&study->analyses[k], &error) == MAILLE_OK) &&
                  method_cells(&study->analyses[k], arena, cells, &error) == MAILLE_OK;
    }
    if (round_plan(&plan, study, open, thetas, NULL, 0, &error) == MAILLE_OK) {
        enum { RUNS_MAX = 2 * STUDY_ANALYSES_MAX * TALLY_BLOCKS_MAX + 1 };
        struct word_run *runs = calloc(RUNS_MAX, sizeof *runs);
        uint64_t covered;
        bool whole = true;
        for (size_t k = 0; k < plan.n; k++)
            whole = whole && (!open[k] || plan.analyses[k].error.code == MAILLE_OK);
        if (whole && runs != NULL &&
            (!mask_runs_length(&covered, runs, gate_runs(runs, RUNS_MAX, &plan)) || covered != plan.bytes))
            fuzz_fail("runs that cover the vector");
        free(runs);
    }
    round_plan_clear(&plan);
out:
    arena_free(arena);
    return 0;
}
