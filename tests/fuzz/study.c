/* query/study.h, and what a site does with a study before it has looked at a patient: the policy's verdict,
 * head counts, the groups in words, and the plan of round 1. A researcher of the network writes these bytes.
 * Where there is a NUL, the dictionary of the study stands before it. */
#include <stdlib.h>
#include <string.h>

#include "crypto/mask.h"
#include "disclosure/gate.h"
#include "disclosure/near.h"
#include "tests/fuzz/fuzz.h"

static const struct dictionary *the_dictionary;
static const struct policy *policy;

static void once(void)
{
    static struct arena *kept;
    static const char *text; /* to the end of the process */
    size_t length;
    if (kept != NULL)
        return;
    kept = arena_new();
    text = fuzz_text("examples/rotterdam/dictionary.yaml", &length);
    if (kept == NULL ||
        dictionary_parse(&the_dictionary, kept, "dictionary", text, length, NULL) != MAILLE_OK ||
        policy_parse(&policy, kept, "policy", "policy: strict\n", 15, NULL) != MAILLE_OK)
        fuzz_fail("the dictionary of the example");
}

/* The groups of an analysis as others hear of them (disclosure/near.h) are read back. */
static void groups_of(const struct analysis *analysis, const struct cells *cells)
{
    enum { GROUPS_MAX = 16 };
    struct parts parts = {0};
    struct near_group groups[2] = {0};
    struct bytes bytes[2] = {0}, words = {0};
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    if (parts_read(&parts, cells, analysis->study->dictionary, arena, &error) != MAILLE_OK)
        goto out;
    for (size_t p = 0; p < parts.n && p < GROUPS_MAX; p++) {
        const size_t i = p % 2;
        near_words(&words, &parts.list[p], analysis->study->dictionary);
        bytes[i].length = 0;
        near_write(&bytes[i], &parts.list[p]);
        if (!near_read(&groups[i], (struct byte_view){bytes[i].data, bytes[i].length}, arena) ||
            groups[i].n != parts.list[p].n_conditions || near_distance(&groups[i], &groups[i]) != NEAR_SAME)
            fuzz_fail("a group in words that can be read back");
        if (near_distance(&groups[0], &groups[1]) != near_distance(&groups[1], &groups[0]))
            fuzz_fail("the same distance both ways");
    }
out:
    for (size_t i = 0; i < 2; i++)
        bytes_clear(&bytes[i]);
    bytes_clear(&words);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dictionary *dictionary;
    const struct study *study;
    struct round_plan plan = {0};
    struct study_problems problems = {.today = 1};
    struct maille_error error = {0}, first = {0};
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    struct arena *arena = arena_new();
    once();
    if (arena == NULL)
        fuzz_fail("memory");
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    dictionary = the_dictionary;
    if (end != NULL) {
        const size_t length = (size_t)(end - data);
        if (dictionary_parse(&dictionary, arena, "dictionary", (const char *)data, length, &error) !=
            MAILLE_OK)
            goto out;
        data += length + 1, size -= length + 1;
    }
    const enum maille_code code =
        study_parse(&study, arena, dictionary, methods, n_methods, "study", (const char *)data, size, &error);
    if (code != MAILLE_OK) {
        if (error.sentence[0] == '\0' ||
            study_parse_all(&study, &problems, arena, dictionary, methods, n_methods, "study",
                            (const char *)data, size, &first) == MAILLE_OK ||
            problems.n == 0)
            fuzz_fail("a sentence with an error, and a list of them");
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
        if (open[k])
            groups_of(&study->analyses[k], cells);
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
