#include "report/report.h"

#include <string.h>

#include "base/number.h"
#include "report/asked.h"

void report_of_run(struct report *report, struct arena *arena, const struct study_run *run,
                   const struct report_facts *facts)
{
    const struct study *study = run->study;
    struct report_analysis *analyses = arena_array(arena, study->n_analyses + 1, sizeof *analyses);
    const struct result **asked = asked_analyses(study, arena);
    const struct report_earlier none = {NULL, NULL, NULL};
    char expires[16];
    number_format_date(expires, study->expires);
    for (size_t i = 0; i < study->n_analyses; i++) {
        const struct analysis_state *state = &run->states[i];
        const struct outcome *outcome = &state->outcome;
        bool ok = state->status == ANALYSIS_OK;
        analyses[i] = (struct report_analysis){
            .id = study->analyses[i].id,
            .method = study->analyses[i].method,
            .status = state->status,
            .rule = state->status == ANALYSIS_REFUSED ? state->rule : NULL,
            .reason = ok ? NULL : state->reason,
            .offer = state->status == ANALYSIS_REFUSED && state->offer[0] != '\0' ? state->offer : NULL,
            .earlier = facts->earlier != NULL && state->status == ANALYSIS_REFUSED ? facts->earlier[i] : none,
            .n = outcome->n,
            .n_missing = outcome->n_missing,
            .n_event = outcome->n_event,
            .warnings = outcome->warnings,
            .dropped_levels = outcome->dropped_levels,
            .aliased = outcome->aliased,
            .suppressed = outcome->suppressed,
            .grid_merged = outcome->grid_merged,
            .asked = asked[i],
            .frame = asked_frame(study, &study->analyses[i], arena),
            .result = ok ? outcome->result : NULL,
        };
    }
    *report = (struct report){
        .maille = MAILLE_VERSION,
        .study = study->id,
        .query = facts->query,
        .grid = analysis_grid_name(study->grid),
        .title = study->title,
        .purpose = study->purpose,
        .legal_basis = study->legal_basis,
        .protocol = study->protocol,
        .expires = arena_strdup(arena, expires),
        .cohort = asked_cohort(study, arena),
        .missing = study->missing == MISSING_STUDY ? "study" : "analysis",
        .text = study->text,
        .date = facts->date,
        .elapsed_ms = facts->elapsed_ms,
        .wire = facts->wire,
        .mode = facts->mode,
        .synthetic = facts->synthetic,
        .rounds = facts->rounds,
        .bytes = facts->bytes,
        .derive = asked_derived(study, arena),
        .dictionary = asked_dictionary(study, arena),
        .roster = facts->roster,
        .policy = facts->policy,
        .n_sites = facts->n_sites,
        .snapshots = facts->snapshots,
        .n_snapshots = facts->n_snapshots,
        .log_heads = facts->log_heads,
        .n_log_heads = facts->n_log_heads,
        .analyses = analyses,
        .n_analyses = study->n_analyses,
    };
}
