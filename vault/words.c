/* What a block of sums is, in words that a data protection officer can read: which variables, which groups,
 * which cell is which number. Names come from the dictionary and the study; there is no number of a patient
 * here. */
#include <stdio.h>
#include <string.h>

#include "query/words.h"
#include "vault/log.h"

enum { TERM_DEPTH_MAX = 6 };

/* A text under construction that gives up, rather than grow beyond AUDIT_CELLS_MAX. */
struct words {
    struct arena *arena;
    const struct dictionary *dictionary;
    char *text;
    size_t used;
    bool full;
};

static void put(struct words *words, const char *text)
{
    size_t length = strlen(text);
    if (words->full || words->used + length > AUDIT_CELLS_MAX) {
        words->full = true;
        return;
    }
    memcpy(words->text + words->used, text, length + 1);
    words->used += length;
}

/* A name, without the sign that stands between two. */
static void put_name(struct words *words, const char *name)
{
    char *copy = arena_strdup(words->arena, name);
    for (char *c = copy; *c != '\0'; c++)
        if (*c == '|')
            *c = '/';
    put(words, copy);
}

static void put_number(struct words *words, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", value);
    put(words, text);
}

static struct words words_begin(struct arena *arena, const struct dictionary *dictionary)
{
    struct words words = {
        .arena = arena, .dictionary = dictionary, .text = arena_alloc(arena, AUDIT_CELLS_MAX + 1)};
    words.text[0] = '\0';
    return words;
}

static const char *words_end(struct words *words)
{
    return words->full ? "" : words->text;
}

/* --- variables --- */

static void put_variables(struct words *words, const struct expression *const *list, size_t n)
{
    const struct dictionary *d = words->dictionary;
    bool *used = arena_array(words->arena, d->n_variables + 1, sizeof *used);
    bool first = true;
    for (size_t i = 0; i < n; i++)
        if (list[i] != NULL)
            expression_variables(list[i], used);
    for (size_t v = 0; v < d->n_variables; v++)
        if (used[v]) {
            put(words, first ? "" : ", ");
            put_name(words, d->variables[v].name);
            first = false;
        }
}

/* --- groups --- */

static void put_level(struct words *words, const struct expression *code, uint32_t level);

/* "chemo = yes, grade = 3" for a crossing; the level's own name, or its number, for a single code. */
static void put_cross(struct words *words, const struct expression *cross, uint32_t level)
{
    uint32_t below = 1;
    for (size_t i = 0; i < cross->n_args; i++)
        below *= cross->args[i]->n_levels;
    for (size_t i = 0; i < cross->n_args; i++) {
        below /= cross->args[i]->n_levels;
        put(words, i > 0 ? ", " : "");
        put_level(words, cross->args[i], level / below % cross->args[i]->n_levels);
    }
}

static void put_level(struct words *words, const struct expression *code, uint32_t level)
{
    if (code->op == OP_CROSS) {
        put_cross(words, code, level);
        return;
    }
    if (code->op == OP_SURV_EXIT || code->op == OP_SURV_ENTRY)
        put(words, code->op == OP_SURV_EXIT ? "exit in step " : "entry in step ");
    else if (code->op == OP_SURV_STATUS)
        put(words, level == 0 ? "censored" : "event ");
    else {
        put_variables(words, &code, 1);
        put(words, " = ");
    }
    if (code->op == OP_SURV_STATUS && level == 0)
        return;
    if (code->op == OP_UNIFORM_BIN) {
        put(words, "from ");
        put_number(words, code->value + level * code->value2);
    } else if (code->levels != NULL && level < code->n_levels)
        put_name(words, code->levels[level]);
    else
        put_number(words, level);
}

static const char *group_words(struct arena *arena, const struct dictionary *dictionary,
                               const struct expression *group)
{
    struct words words = words_begin(arena, dictionary);
    for (uint32_t level = 0; group != NULL && level < group->n_levels && !words.full; level++) {
        put(&words, level > 0 ? "|" : "");
        put_level(&words, group, level);
    }
    return words_end(&words);
}

/* --- terms --- */

static void put_term(struct words *words, const struct expression *e, int depth);

/* As `check` words it. */
static void put_expression(struct words *words, const struct expression *e)
{
    struct bytes text = {0};
    expression_words(&text, e, words->dictionary);
    bytes_put_u8(&text, 0);
    if (!text.failed)
        put_name(words, (const char *)text.data);
    bytes_clear(&text);
}

static void put_term(struct words *words, const struct expression *e, int depth)
{
    if (depth > TERM_DEPTH_MAX) {
        put(words, "…");
        return;
    }
    switch (e->op) {
    case OP_CONSTANT:
        put_number(words, e->value);
        return;
    case OP_NUMBER_OF:
    case OP_BOOLEAN_CODE:
        put_term(words, e->args[0], depth + 1);
        return;
    case OP_INDICATOR:
        put(words, "[");
        put_level(words, e->args[0], (uint32_t)e->integer);
        put(words, "]");
        return;
    case OP_SCALE:
        put(words, "(");
        put_term(words, e->args[0], depth + 1);
        put(words, " − ");
        put_number(words, e->value);
        put(words, ")/");
        put_number(words, e->value2);
        return;
    case OP_POWER:
        put(words, "(");
        put_term(words, e->args[0], depth + 1);
        put(words, ")^");
        put_number(words, (double)e->integer);
        return;
    case OP_MULTIPLY:
        put_term(words, e->args[0], depth + 1);
        put(words, "·");
        put_term(words, e->args[1], depth + 1);
        return;
    case OP_COMPLETE:
        put(words, "known ");
        put_variables(words, e->args, e->n_args);
        return;
    case OP_SELECT: /* a value where it is known, else nothing */
        if (e->args[1]->op == OP_CONSTANT || e->args[2]->op == OP_CONSTANT)
            put_term(words, e->args[e->args[1]->op == OP_CONSTANT ? 2 : 1], depth + 1);
        else
            put_expression(words, e);
        return;
    default:
        put_expression(words, e);
        return;
    }
}

/* Σ w·t_i, or Σ w·t_i·t_j for i ≤ j row by row. */
static const char *value_words(struct arena *arena, const struct dictionary *dictionary,
                               const struct tally_block *block)
{
    struct words words = words_begin(arena, dictionary);
    if (block->order == 0) {
        put(&words, block->weight != NULL ? "sum of weights" : block->distinct ? "patients" : "rows");
        return words_end(&words);
    }
    for (size_t i = 0; i < block->n_terms && !words.full; i++)
        for (size_t j = i; j < (block->order == 1 ? i + 1 : block->n_terms) && !words.full; j++) {
            put(&words, i + j > 0 ? "|" : "");
            put_term(&words, block->terms[i], 0);
            if (block->order == 2) {
                put(&words, " × ");
                put_term(&words, block->terms[j], 0);
            }
        }
    return words_end(&words);
}

/* --- blocks --- */

/* Does the tree look at the rows' follow-up? Its times and events are then among what it reads. */
static bool follows_up(const struct expression *e)
{
    bool found = e != NULL && (e->op == OP_SURV_EXIT || e->op == OP_SURV_ENTRY || e->op == OP_SURV_STATUS);
    for (size_t i = 0; e != NULL && i < e->n_args && !found; i++)
        found = follows_up(e->args[i]);
    return found;
}

/* The expressions of a block: what its numbers are of; all_read: and what decides who counts and where. */
static size_t block_expressions(const struct expression ***list, struct arena *arena,
                                const struct tally_spec *spec, const struct tally_block *block, bool all_read)
{
    const struct expression *const others[] = {block->weight, block->eta, block->arms,
                                               all_read ? block->group : NULL,
                                               all_read ? block->filter : NULL};
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
    struct words words = words_begin(arena, dictionary);
    const struct expression **all;
    size_t n = block_expressions(&all, arena, spec, block, true);
    put_variables(&words, all, n);
    return words_end(&words);
}

static const char *riskset_words(enum riskset_kind kind)
{
    switch (kind) { /* no default: the compiler names one that has no words */
    case RISKSET_COX_EFRON:
    case RISKSET_COX_BRESLOW:
        return "partial likelihood inside the site, its gradient and information";
    case RISKSET_LOGRANK:
        return "log-rank sums inside the site";
    case RISKSET_CONCORDANCE:
        return "comparable pairs inside the site";
    case RISKSET_SQUARE:
        return "products of the site's own sums";
    case RISKSET_SCORES_ROWS:
        return "squared score residuals inside the site";
    case RISKSET_SCORES_LEVELS:
        return "squared score residuals per cluster inside the site";
    case RISKSET_SCORES_SITE:
        return "squared score of the site";
    }
    return "sums over the patients at risk, inside the site";
}

/* The parts of a filter that are not the cohort's: joined by && in the words. */
static void put_filter(struct words *words, const struct expression *filter, const struct expression *cohort)
{
    if (filter == NULL || filter == cohort ||
        (cohort != NULL && cohort->op == OP_AND && (filter == cohort->args[0] || filter == cohort->args[1])))
        return;
    if (filter->op == OP_AND) {
        put_filter(words, filter->args[0], cohort);
        put_filter(words, filter->args[1], cohort);
        return;
    }
    put(words, words->used > 0 ? " && " : "");
    put_expression(words, filter);
}

static const char *block_what(struct arena *arena, const struct dictionary *dictionary,
                              const struct tally_spec *spec, const struct tally_block *block,
                              const struct expression *cohort)
{
    struct words words = words_begin(arena, dictionary);
    const struct expression **all;
    const size_t n = block_expressions(&all, arena, spec, block, false);
    if (block->kind == TALLY_OWN) {
        put(&words, "the site's own fit: ");
        put(&words, block->own->what);
    } else if (block->kind == TALLY_RISKSET)
        put(&words, riskset_words(block->riskset));
    else
        put(&words, block->order == 0   ? (block->distinct         ? "patients"
                                           : block->weight != NULL ? "sum of weights"
                                                                   : "rows")
                    : block->order == 1 ? "sums"
                                        : "sums of products");
    struct words of = words_begin(arena, dictionary);
    put_variables(&of, all, n);
    if (of.used > 0) {
        put(&words, " of ");
        put(&words, words_end(&of));
    }
    if (block->group != NULL) {
        struct words by = words_begin(arena, dictionary);
        put_variables(&by, &block->group, 1);
        put(&words, by.used > 0 ? " by " : "");
        put(&words, words_end(&by));
    }
    struct words where = words_begin(arena, dictionary);
    put_filter(&where, block->filter, cohort);
    if (where.used > 0) {
        put(&words, " where ");
        put(&words, words_end(&where));
    }
    return words_end(&words);
}

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
            made[n++] = (struct audit_released){
                .analysis = study->analyses[k].id,
                .method = study->analyses[k].method,
                .what = block_what(arena, study->dictionary, spec, block, study->analyses[k].cohort),
                .numbers = extent->count,
                .offset = plan->analyses[k].offset + extent->offset,
                .width = extent->width,
                .fraction = extent->fraction > 0 ? (uint32_t)extent->fraction : 0,
                .groups = moments ? group_words(arena, study->dictionary, block->group) : "",
                .values = moments ? value_words(arena, study->dictionary, block) : "",
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
                             ? group_words(arena, study->dictionary, block->group)
                             : "";
    return (struct audit_released){
        .analysis = study->analyses[k].id,
        .method = study->analyses[k].method,
        .what = arena_printf(arena, "%s: %s", what,
                             block_what(arena, study->dictionary, spec, block, study->analyses[k].cohort)),
        .numbers = n,
        .offset = 8 * (uint64_t)at,
        .width = 8,
        .groups = groups,
        .values = value,
        .variables = block_variables(arena, study->dictionary, spec, block)};
}

size_t vault_words_threshold(const struct audit_released **released, struct arena *arena,
                             const struct threshold *threshold, enum threshold_which which)
{
    const size_t n_analyses = threshold->study->n_analyses;
    struct audit_released *made = arena_array(arena, n_analyses * 2 * TALLY_BLOCKS_MAX + 1, sizeof *made);
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
    *released = made;
    return n;
}
