#include "cli/check_size.h"

#include <string.h>

#include "disclosure/threshold.h"
#include "stats/round.h"

static void add(struct check_size *to, bool sure, const char *sentence)
{
    to->findings[to->n++] = (struct check_size_finding){.sentence = sentence, .sure = sure};
}

/* Do steps or bins of it join where few patients are in them? Then it is shorter than its first plan. */
static bool joins(const struct cells *cells)
{
    for (size_t b = 0; b < cells->spec.n_blocks; b++)
        if (cells->rules[b] == CELL_MERGE)
            return true;
    return false;
}

static enum maille_code size_values(struct check_size *out, const struct study *study, bool joined,
                                    size_t n_sites, const char *path, struct arena *arena,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct round_plan plan = {0};
    bool *open = arena_array(arena, study->n_analyses + 1, sizeof *open);
    struct vector *none = arena_array(arena, study->n_analyses + 1, sizeof *none);
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = true;
    MAILLE_TRY(round_plan(&plan, study, open, none, NULL, round_room(n_sites), error));
    for (size_t k = 0; k < study->n_analyses; k++) {
        const struct maille_error *found = &plan.analyses[k].error;
        struct cells *cells = arena_alloc(arena, sizeof *cells);
        if (found->code != MAILLE_REFUSED || strcmp(found->rule, "size") != 0)
            continue;
        MAILLE_TRY(method_cells(&study->analyses[k], arena, cells, error));
        const bool sure = !joined || !joins(cells);
        add(out, sure,
            arena_printf(arena, "%s:%d: analysis %s among %zu sites: %s", path, study->analyses[k].line,
                         study->analyses[k].id, n_sites, found->sentence));
    }
out:
    round_plan_clear(&plan);
    return code;
}

/* The words of all analyses lie in one vector; earlier questions add to them. */
static enum maille_code size_heads(struct check_size *out, const struct study *study,
                                   const struct policy *policy, size_t n_sites, const char *path,
                                   struct arena *arena, struct maille_error *error)
{
    struct threshold threshold = {0};
    bool *open = arena_array(arena, study->n_analyses + 1, sizeof *open);
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = true;
    enum maille_code code = threshold_init(&threshold, study, open, policy, n_sites, NULL, 0, error);
    const size_t room = round_room(n_sites),
                 words = threshold.n_words[THRESHOLD_FIRST] > threshold.n_words[THRESHOLD_SECOND]
                             ? threshold.n_words[THRESHOLD_FIRST]
                             : threshold.n_words[THRESHOLD_SECOND];
    if (code == MAILLE_INVALID || (code == MAILLE_OK && 8 * words > room))
        add(out, true,
            arena_printf(
                arena,
                "%s:1:1: expected at most %zu bytes of head counts, which is what each of %zu sites can "
                "exchange with the others in a round, found %s; ask for fewer analyses at once, fewer "
                "levels or a coarser grid, or of fewer sites",
                path, room, n_sites,
                code == MAILLE_OK ? arena_printf(arena, "%zu", 8 * words) : "more than any round has"));
    threshold_clear(&threshold);
    return code == MAILLE_INVALID ? MAILLE_OK : code;
}

enum maille_code cli_check_size(struct check_size *out, const struct study *study,
                                const struct policy *policy, size_t n_sites, const char *path,
                                struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const bool counted = policy != NULL && threshold_needed(policy);
    struct check_size made = {.findings = arena_array(arena, study->n_analyses + 2, sizeof *made.findings)};
    MAILLE_TRY(size_values(&made, study, policy == NULL || counted, n_sites, path, arena, error));
    if (counted)
        MAILLE_TRY(size_heads(&made, study, policy, n_sites, path, arena, error));
    *out = made;
out:
    return code;
}
