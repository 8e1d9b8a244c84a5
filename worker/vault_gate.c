#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/vault_private.h"

/* The policy's verdicts on a study, with the sums of `data` behind them (disclosure/gate.h says what is
 * refused). */

static void verdict_set(struct verdict *verdict, const char *rule, const char *sentence)
{
    if (verdict->rule[0] != '\0')
        return;
    snprintf(verdict->rule, sizeof verdict->rule, "%s", rule);
    snprintf(verdict->sentence, sizeof verdict->sentence, "%s", sentence);
}

/* The head counts of one analysis, laid out by this process and not by the one that counted. */
static enum maille_code judge_counts(struct vault *vault, struct verdict *verdict,
                                     const struct analysis *analysis, const struct tally *words,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct maille_error why = {0};
    size_t bytes = 0;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for head counts");
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    struct tally_extent *extents = arena_array(arena, TALLY_BLOCKS_MAX, sizeof *extents);
    if (method_find(analysis->method)->cells(analysis, arena, cells, &why) != MAILLE_OK ||
        tally_layout(extents, &bytes, &cells->spec, &why) != MAILLE_OK) {
        verdict_set(verdict, why.rule[0] != '\0' ? why.rule : "domain", why.sentence);
        goto out;
    }
    if (words->words.length != bytes) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected %zu bytes of head counts, found %zu", bytes,
                           words->words.length);
        goto out;
    }
    gate_counts(verdict, vault->policy, analysis, cells, extents, words->words.data);
    vault_log_cohort(vault, cells, extents, words->words.data);
out:
    arena_free(arena);
    return code;
}

/* What can be said of an analysis before anybody looks at a patient: its head counts and its first round are
 * defined for all of them. */
static enum maille_code judge_domain(struct vault *vault, struct verdict *verdict,
                                     const struct analysis *analysis, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct method *method = method_find(analysis->method);
    const struct vector none = {0};
    struct maille_error why = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a plan");
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    struct tally_spec *spec = arena_alloc(arena, sizeof *spec);
    /* What cannot be planned is refused elsewhere, with its own rule. */
    if (method->cells(analysis, arena, cells, &why) == MAILLE_OK)
        MAILLE_TRY(gate_domain(verdict, vault->policy, &cells->spec, error));
    if (method->plan(analysis, &none, NULL, arena, spec, &why) == MAILLE_OK)
        MAILLE_TRY(gate_domain(verdict, vault->policy, spec, error));
out:
    arena_free(arena);
    return code;
}

enum maille_code vault_verdicts(struct vault *vault, struct verdict *verdicts, const struct study *study,
                                uint32_t snapshot, const char *researcher, bool counts,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct data_cells cells = {0};
    vault_log_cohort(vault, NULL, NULL, NULL);
    MAILLE_TRY(gate_question(verdicts, vault->policy, study, researcher, error));
    if (!counts)
        goto out;
    /* Before the counting: whether that succeeds may then say nothing about a patient. */
    for (size_t k = 0; k < study->n_analyses; k++)
        MAILLE_TRY(judge_domain(vault, &verdicts[k], &study->analyses[k], error));
    MAILLE_TRY(vault->options.data.cells(vault->options.data.context, &cells, snapshot, study, error));
    for (size_t k = 0; k < study->n_analyses; k++) {
        if (cells.failures[k].rule[0] != '\0')
            verdict_set(&verdicts[k], cells.failures[k].rule, cells.failures[k].sentence);
        else
            MAILLE_TRY(judge_counts(vault, &verdicts[k], &study->analyses[k], &cells.words[k], error));
    }
out:
    data_cells_clear(&cells);
    return code;
}

size_t verdict_findings(struct message_finding *findings, const struct verdict *verdicts, size_t n,
                        const bool *open)
{
    size_t found = 0;
    for (size_t k = 0; k < n; k++)
        if ((open == NULL || open[k]) && verdicts[k].rule[0] != '\0')
            findings[found++] = (struct message_finding){.analysis = (uint32_t)k, .rule = verdicts[k].rule};
    return found;
}
