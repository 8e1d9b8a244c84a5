#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/private.h"

/* The policy's verdicts on a study (disclosure/gate.h says what is refused). Head counts are judged pooled:
 * custody.c. */

/* cells NULL: what its method counts is not known. */
static void judge_cuts(const struct vault *vault, struct verdict *verdict, const struct analysis *analysis,
                       const struct cells *cells, struct arena *arena)
{
    const struct registration *registration = registration_find(vault->directory, analysis->study->protocol);
    const struct variable_cuts *registered;
    const size_t n = registration_cuts_of(&registered, arena, registration, analysis->study->dictionary);
    gate_cuts(verdict, vault->policy, analysis, cells, registered, n, vault->self->has_dpo);
}

/* What can be said of an analysis before anybody looks at a patient: its head counts and its first round are
 * defined for all of them, and its times are no finer than they may be. */
static enum maille_code judge_declared(const struct vault *vault, struct verdict *verdict,
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
    if (method_cells(analysis, arena, cells, &why) == MAILLE_OK) {
        gate_cells(verdict, vault->policy, analysis, cells);
        judge_cuts(vault, verdict, analysis, cells, arena);
        MAILLE_TRY(gate_domain(verdict, vault->policy, &cells->spec, error));
    } else {
        judge_cuts(vault, verdict, analysis, NULL, arena);
    }
    if (method->plan(analysis, &none, NULL, arena, spec, &why) == MAILLE_OK)
        MAILLE_TRY(gate_domain(verdict, vault->policy, spec, error));
out:
    arena_free(arena);
    return code;
}

enum maille_code vault_verdicts(const struct vault *vault, struct verdict *verdicts,
                                const struct study *study, const char *researcher, bool begins,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(gate_question(verdicts, vault->policy, study, researcher, error));
    for (size_t k = 0; k < study->n_analyses && begins; k++)
        MAILLE_TRY(judge_declared(vault, &verdicts[k], &study->analyses[k], error));
out:
    return code;
}

enum maille_code vault_counts(struct vault *vault, struct data_cells *cells, struct verdict *verdicts,
                              const struct study *study, uint32_t snapshot, struct maille_error *error)
{
    const struct data_source *data = &vault->options.data;
    enum maille_code code = data->cells(data->context, cells, snapshot, study, error);
    if (code == MAILLE_OK)
        vault_log_counts(vault, study, cells);
    for (size_t k = 0; code == MAILLE_OK && k < study->n_analyses; k++)
        if (cells->failures[k].rule[0] != '\0')
            gate_refuse(&verdicts[k], cells->failures[k].rule, "%s", cells->failures[k].sentence);
    return code;
}

size_t vault_verdict_findings(struct message_finding *findings, const struct verdict *verdicts, size_t n,
                              const bool *open)
{
    size_t found = 0;
    for (size_t k = 0; k < n; k++)
        if ((open == NULL || open[k]) && verdicts[k].rule[0] != '\0')
            findings[found++] = (struct message_finding){.analysis = (uint32_t)k, .rule = verdicts[k].rule};
    return found;
}
