/* What left, for the log: the words of tally/describe.h, which the officer was shown, and the names of the
 * cells in lists. Names come from the dictionary and the study; there is no number of a patient here. */
#include <string.h>

#include "tally/describe.h"
#include "vault/log.h"

/* --- lists of names --- */

/* "a|b|c", or "" where that is longer than AUDIT_CELLS_MAX; the sign that stands between two is taken out of
 * the names. */
struct names {
    struct bytes text;
    bool full;
};

static void names_end_one(struct names *names, size_t start)
{
    for (size_t i = start; !names->text.failed && i < names->text.length; i++)
        if (names->text.data[i] == '|')
            names->text.data[i] = '/';
    names->full = names->full || names->text.failed || names->text.length > AUDIT_CELLS_MAX;
}

/* Where the next name begins. */
static size_t names_begin_one(struct names *names)
{
    if (names->text.length > 0)
        bytes_put_u8(&names->text, '|');
    return names->text.length;
}

static const char *names_end(struct names *names, struct arena *arena)
{
    const char *text = names->full || names->text.length == 0
                           ? ""
                           : arena_strndup(arena, (const char *)names->text.data, names->text.length);
    bytes_clear(&names->text);
    return text;
}

static const char *group_names(struct arena *arena, const struct dictionary *dictionary,
                               const struct tally_block *block)
{
    struct names names = {0};
    const size_t n = block->group != NULL ? tally_block_groups(block) : 0;
    for (size_t g = 0; g < n && !names.full; g++) {
        size_t start = names_begin_one(&names);
        tally_group_words(&names.text, block, g, dictionary);
        names_end_one(&names, start);
    }
    return names_end(&names, arena);
}

static const char *value_names(struct arena *arena, const struct dictionary *dictionary,
                               const struct tally_block *block)
{
    struct names names = {0};
    for (size_t i = 0; i < tally_block_values(block) && !names.full; i++) {
        size_t start = names_begin_one(&names);
        tally_value_words(&names.text, block, i, dictionary);
        names_end_one(&names, start);
    }
    return names_end(&names, arena);
}

static const char *block_words(struct arena *arena, const struct study *study, size_t k,
                               const struct tally_block *block)
{
    struct bytes words = {0};
    tally_block_words(&words, block, study->analyses[k].cohort, study->dictionary);
    const char *text = words.failed ? "" : arena_strndup(arena, (const char *)words.data, words.length);
    bytes_clear(&words);
    return text;
}

/* --- the variables that were read --- */

/* Does the tree look at the rows' follow-up? Its times and events are then among what it reads. */
static bool follows_up(const struct expression *e)
{
    bool found = e != NULL && expression_op_follows_up(e->op);
    for (size_t i = 0; e != NULL && i < e->n_args && !found; i++)
        found = follows_up(e->args[i]);
    return found;
}

/* The expressions of a block: what its numbers are of, and what decides who counts and where. */
static size_t block_expressions(const struct expression ***list, struct arena *arena,
                                const struct tally_spec *spec, const struct tally_block *block)
{
    const struct expression *const others[] = {block->weight, block->eta, block->arms, block->group,
                                               block->filter};
    const struct expression *const survival[] = {spec->survival.stop, spec->survival.start,
                                                 spec->survival.event};
    const struct expression **all = arena_array(arena, block->n_terms + 8, sizeof(const struct expression *));
    bool times = block->kind == TALLY_RISKSET || follows_up(block->group) || follows_up(block->weight);
    size_t n = 0;
    for (size_t i = 0; i < block->n_terms; i++) {
        all[n++] = block->terms[i];
        times = times || follows_up(block->terms[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] != NULL)
            all[n++] = others[i];
    for (size_t i = 0; times && i < sizeof survival / sizeof *survival; i++)
        if (survival[i] != NULL)
            all[n++] = survival[i];
    *list = all;
    return n;
}

static const char *block_variables(struct arena *arena, const struct dictionary *dictionary,
                                   const struct tally_spec *spec, const struct tally_block *block)
{
    const struct expression **list;
    const size_t n = block_expressions(&list, arena, spec, block);
    bool *used = arena_array(arena, dictionary->n_variables + 1, sizeof *used);
    const char *text = "";
    for (size_t i = 0; i < n; i++)
        expression_variables(list[i], used);
    for (size_t v = 0; v < dictionary->n_variables; v++)
        if (used[v])
            text = arena_printf(arena, "%s%s%s", text, text[0] != '\0' ? ", " : "",
                                dictionary->variables[v].name);
    return text;
}

/* --- blocks --- */

size_t vault_words(const struct audit_released **released, struct arena *arena, const struct study *study,
                   const struct round_plan *plan)
{
    size_t n = 0, room = 0;
    for (size_t k = 0; k < plan->n; k++)
        room +=
            plan->analyses[k].open && plan->analyses[k].spec != NULL ? plan->analyses[k].spec->n_blocks : 0;
    struct audit_released *made = arena_array(arena, room + 1, sizeof *made);
    for (size_t k = 0; k < plan->n; k++) {
        const struct tally_spec *spec = plan->analyses[k].open ? plan->analyses[k].spec : NULL;
        for (size_t b = 0; spec != NULL && b < spec->n_blocks; b++) {
            const struct tally_block *block = &spec->blocks[b];
            const struct tally_extent *extent = &plan->analyses[k].extents[b];
            const bool moments = block->kind == TALLY_MOMENTS;
            made[n++] =
                (struct audit_released){.analysis = study->analyses[k].id,
                                        .method = study->analyses[k].method,
                                        .what = block_words(arena, study, k, block),
                                        .numbers = extent->count,
                                        .offset = plan->analyses[k].offset + extent->offset,
                                        .width = extent->width,
                                        .fraction = extent->fraction > 0 ? (uint32_t)extent->fraction : 0,
                                        .groups = moments ? group_names(arena, study->dictionary, block) : "",
                                        .values = moments ? value_names(arena, study->dictionary, block) : "",
                                        .variables = block_variables(arena, study->dictionary, spec, block)};
        }
    }
    *released = made;
    return n;
}

/* A run of words of a threshold round. */
static struct audit_released counts_of(struct arena *arena, const struct threshold *threshold, size_t k,
                                       size_t b, size_t at, size_t n, const char *what, const char *value)
{
    const struct study *study = threshold->study;
    const struct tally_spec *spec = &threshold->analyses[k].cells->spec;
    const struct tally_block *block = &spec->blocks[b];
    const char *groups = block->group != NULL && block->group->n_levels == n
                             ? group_names(arena, study->dictionary, block)
                             : "";
    return (struct audit_released){
        .analysis = study->analyses[k].id,
        .method = study->analyses[k].method,
        .what = arena_printf(arena, "%s: %s", what, block_words(arena, study, k, block)),
        .numbers = n,
        .offset = 8 * (uint64_t)at,
        .width = 8,
        .groups = groups,
        .values = value,
        .variables = block_variables(arena, study->dictionary, spec, block)};
}

/* The pair words of an analysis. */
static struct audit_released pairs_of(struct arena *arena, const struct threshold *threshold, size_t k,
                                      size_t at, size_t n, bool other)
{
    const struct study *study = threshold->study;
    const struct tally_spec *spec = &threshold->analyses[k].cells->spec;
    return (struct audit_released){
        .analysis = study->analyses[k].id,
        .method = study->analyses[k].method,
        .what =
            arena_printf(arena, "pair words, for the sites alone: by how many patients it differs from %s",
                         other ? "groups that were shown of other sites or snapshots"
                               : "groups that were shown, and from those of earlier analyses"),
        .numbers = n,
        .offset = 8 * (uint64_t)at,
        .width = 8,
        .groups = "",
        .values = "patients and rows",
        .variables = block_variables(arena, study->dictionary, spec, &spec->blocks[0])};
}

/* The words of an analysis's combinations. */
static struct audit_released combined_of(struct arena *arena, const struct threshold *threshold, size_t row,
                                         size_t n)
{
    const struct combined *combined = threshold->combined;
    struct audit_released made = pairs_of(arena, threshold, combined->analysis_of[combined->rows[row].group],
                                          threshold->combined_at + row, n, false);
    made.what = "combination words, for the sites alone: by how many patients its group and groups that were "
                "shown, added and taken away, differ from nobody";
    return made;
}

size_t vault_words_threshold(const struct audit_released **released, struct arena *arena,
                             const struct threshold *threshold, enum threshold_which which)
{
    const size_t n_analyses = threshold->study->n_analyses;
    struct audit_released *made =
        arena_array(arena, n_analyses * (2 * TALLY_BLOCKS_MAX + 2) + 1, sizeof *made);
    size_t n = 0;
    for (size_t k = 0; k < n_analyses; k++) {
        const struct threshold_analysis *analysis = &threshold->analyses[k];
        for (size_t b = 0; analysis->open && b < analysis->cells->spec.n_blocks; b++) {
            const struct threshold_block *block = &analysis->blocks[b];
            if (which == THRESHOLD_FIRST && block->counts != THRESHOLD_ABSENT)
                made[n++] = counts_of(arena, threshold, k, b, block->counts, block->n_cells,
                                      "head counts, for the sites alone", "count");
            if (which == THRESHOLD_FIRST && block->sites != THRESHOLD_ABSENT)
                made[n++] = counts_of(arena, threshold, k, b, block->sites, block->n_cells,
                                      "whether this site has any", "1 where it has");
            if (which == THRESHOLD_SECOND && block->vetoes != THRESHOLD_ABSENT && block->n_nodes == 0)
                made[n++] = counts_of(arena, threshold, k, b, block->vetoes, block->n_cells,
                                      "what this site objects to", "1 where it does");
        }
    }
    const struct threshold_pairs *pairs = &threshold->pairs[which];
    for (size_t first = 0, end; first < pairs->n;
         first = end) { /* of a cohort; of the other parts of an analysis */
        const size_t k = threshold->groups[pairs->list[first].group].analysis;
        for (end = first; end < pairs->n && threshold->groups[pairs->list[end].group].analysis == k;)
            end++;
        made[n++] = pairs_of(arena, threshold, k, pairs->at + first, end - first, which == THRESHOLD_BEFORE);
    }
    const struct combined *combined = threshold->combined_in == which ? threshold->combined : NULL;
    for (size_t first = 0, end; combined != NULL && first < combined->n_rows; first = end) {
        for (end = first; end < combined->n_rows && combined->rows[end].group == combined->rows[first].group;)
            end++;
        made[n++] = combined_of(arena, threshold, first, end - first);
    }
    *released = made;
    return n;
}
