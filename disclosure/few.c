#include "disclosure/few.h"

#include <stdlib.h>
#include <string.h>

void few_clear(struct few *few)
{
    bytes_clear(&few->hashes);
    *few = (struct few){0};
}

/* --- words --- */

/* One of the levels of a variable, or all but one: several of them are chosen. */
static bool is_one_level(const struct expression *e)
{
    size_t in = 0;
    for (size_t i = 0; i < e->n_table; i++)
        in += e->table[i] != 0;
    return e->args[0]->op == OP_VARIABLE && (in == 1 || in + 1 == e->n_table);
}

/* What a method makes of a status, the first level of which is no event: x and 1, where x is its number. */
static bool is_of_status(const struct expression *e)
{
    return e->args[0]->op == OP_NUMBER_OF && e->args[0]->args[0]->op == OP_VARIABLE &&
           e->args[1]->op == OP_CONSTANT && e->args[1]->value == 1;
}

/* A variable of the dictionary by itself, or whether it has a value or a level of its own: nobody chose where
 * its groups end. */
static bool is_plain(const struct expression *e)
{
    bool plain = true;
    switch (e->op) {
    case OP_VARIABLE:
    case OP_CONSTANT:
        return true;
    case OP_IN_LEVELS:
        return is_one_level(e);
    case OP_NOT:
    case OP_IS_MISSING:
    case OP_BOOLEAN_CODE:
        return is_plain(e->args[0]);
    case OP_COMPLETE:
        for (size_t i = 0; i < e->n_args; i++)
            plain = plain && is_plain(e->args[i]);
        return plain;
    case OP_GE: /* patients with an event … */
        return is_of_status(e);
    case OP_CODE_OF: /* … and of which kind */
        return e->args[0]->op == OP_MAX && is_of_status(e->args[0]);
    default:
        return expression_op_follows_up(e->op);
    }
}

/* Words, each once and in the order of their bytes. */
struct words {
    struct byte_view *list;
    size_t n, room;
    struct arena *arena;
};

static int by_bytes(const void *a, const void *b)
{
    const struct byte_view *x = a, *y = b;
    const size_t length = x->length < y->length ? x->length : y->length;
    const int order = length == 0 ? 0 : memcmp(x->data, y->data, length);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static void words_put_one(struct words *words, struct byte_view word)
{
    if (words->n == words->room) {
        const size_t room = words->room == 0 ? 16 : 2 * words->room;
        struct byte_view *grown = arena_array(words->arena, room, sizeof *grown);
        if (words->n > 0)
            memcpy(grown, words->list, words->n * sizeof *grown);
        words->list = grown;
        words->room = room;
    }
    words->list[words->n++] = word;
}

static enum maille_code words_add(struct words *words, const struct expression *e, struct maille_error *error)
{
    struct bytes bytes = {0};
    expression_serialise(&bytes, e);
    enum maille_code code = bytes_check(&bytes, error);
    if (code == MAILLE_OK) {
        const char *kept = arena_strndup(words->arena, (const char *)bytes.data, bytes.length);
        words_put_one(words, (struct byte_view){(const uint8_t *)kept, bytes.length});
    }
    bytes_clear(&bytes);
    return code;
}

static void words_put(struct bytes *out, struct words *words)
{
    if (words->n > 0)
        qsort(words->list, words->n, sizeof *words->list, by_bytes);
    for (size_t i = 0; i < words->n; i++)
        if (i == 0 || by_bytes(&words->list[i - 1], &words->list[i]) != 0)
            bytes_put_block(out, words->list[i].data, words->list[i].length);
}

/* Conditions of a block's rows that are plain, or are not. */
static enum maille_code add_conditions(struct words *words, const struct expression *filter, bool plain,
                                       struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (filter == NULL)
        return MAILLE_OK;
    if (filter->op == OP_AND) {
        for (size_t i = 0; i < filter->n_args && code == MAILLE_OK; i++)
            code = add_conditions(words, filter->args[i], plain, error);
        return code;
    }
    return is_plain(filter) != plain ? MAILLE_OK : words_add(words, filter, error);
}

static bool is_binned(enum cell_rule rule)
{
    return rule == CELL_AT_RISK || rule == CELL_ENTERING || rule == CELL_MERGE;
}

static struct byte_view cohort_of(const struct threshold *threshold, size_t k)
{
    return threshold->analyses[k].parts.list[0].canon;
}

static enum maille_code add_key(struct few *few, const struct bytes *key, few_hash *hash,
                                struct maille_error *error)
{
    uint8_t hashed[FEW_HASH_BYTES];
    enum maille_code code = bytes_check(key, error);
    if (code != MAILLE_OK)
        return code;
    hash(hashed, key->data, key->length);
    bytes_put(&few->hashes, hashed, sizeof hashed);
    return bytes_check(&few->hashes, error);
}

/* --- refusals --- */

/* What an analysis asks of its cohort: conditions and factors of all its blocks, but for bins. */
static enum maille_code words_of_analysis(struct words *words, const struct threshold_analysis *analysis,
                                          bool plain, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++) {
        const struct tally_block *block = &analysis->cells->spec.blocks[b];
        if (is_binned(analysis->cells->rules[b]))
            continue;
        MAILLE_TRY(add_conditions(words, block->filter, plain, error));
        for (size_t f = 0; part_factor(block->group, f) != NULL; f++)
            if (is_plain(part_factor(block->group, f)) == plain)
                MAILLE_TRY(words_add(words, part_factor(block->group, f), error));
    }
out:
    return code;
}

enum maille_code few_add_refused(struct few *few, const struct threshold *threshold, size_t analysis,
                                 few_hash *hash, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct byte_view cohort = cohort_of(threshold, analysis);
    struct bytes key = {0};
    struct words words = {.arena = arena_new()};
    if (words.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for what counts, found none");
    MAILLE_TRY(words_of_analysis(&words, &threshold->analyses[analysis], false, error));
    bytes_put_string(&key, "refused");
    bytes_put_block(&key, cohort.data, cohort.length);
    words_put(&key, &words);
    code = add_key(few, &key, hash, error);
out:
    bytes_clear(&key);
    arena_free(words.arena);
    return code;
}

/* --- nulls --- */

/* Who has a value of what the study made chooses patients as a condition does. */
static bool is_chosen_value(const struct part_condition *condition)
{
    return condition->kind == PART_PRESENT && !is_plain(condition->e);
}

/* Is the cohort of the study's own words? Not where it is everybody with a value, or published. */
static bool cohort_is_own(const struct threshold *threshold, size_t k)
{
    const struct part *cohort = &threshold->analyses[k].parts.list[0];
    bool conditions = false;
    for (size_t i = 0; i < cohort->n_conditions; i++) {
        if (is_chosen_value(&cohort->conditions[i]))
            return true;
        conditions = conditions || cohort->conditions[i].kind == PART_TRUE;
    }
    for (size_t e = 0; e < threshold->n_past; e++)
        for (size_t g = 0; threshold->past[e].canons != NULL && g < threshold->past[e].n_groups; g++)
            if (part_chosen_alike(cohort, threshold->past[e].canons[g]))
                return false;
    return conditions;
}

/* A model without its covariance: some pair of its columns is of few patients. */
static enum maille_code add_covariance(struct few *few, const struct threshold *threshold, size_t k,
                                       few_hash *hash, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct byte_view cohort = cohort_of(threshold, k);
    struct bytes key = {0};
    struct words own = {.arena = arena_new()}, plain = {.arena = own.arena};
    if (own.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for what counts, found none");
    MAILLE_TRY(words_of_analysis(&own, &threshold->analyses[k], false, error));
    MAILLE_TRY(words_of_analysis(&plain, &threshold->analyses[k], true, error));
    if (own.n == 0 && !cohort_is_own(threshold, k))
        goto out;
    bytes_put_string(&key, "covariance");
    bytes_put_block(&key, cohort.data, cohort.length);
    words_put(&key, &own);
    words_put(&key, &plain);
    code = add_key(few, &key, hash, error);
out:
    bytes_clear(&key);
    arena_free(own.arena);
    return code;
}

/* One block with nulls: its factors, own words apart from the dictionary's. */
struct block {
    struct byte_view cohort;
    const struct tally_block *spec;
    const uint8_t *kept;
    const bool *small;
    size_t n_cells;
    bool missing;       /* it counts values that are not there */
    struct words own;   /* conditions and factors of the study's words, beside those of the cohort */
    struct bytes plain; /* those of the dictionary */
    size_t n_levels;    /* of the study's own factors together */
    uint32_t *level;    /* [n_cells]: its level of them */
    size_t *first;      /* [n_levels]: a cell of it; the three below likewise */
    bool *there, *any, *all;
};

static bool is_own_factor(const struct block *block, size_t f)
{
    return !is_plain(part_factor(block->spec->group, f));
}

/* The level of each factor of the study's own words, of a cell. */
static void put_levels(struct bytes *out, const struct block *block, size_t cell)
{
    for (size_t f = 0; part_factor(block->spec->group, f) != NULL; f++)
        if (is_own_factor(block, f)) {
            expression_serialise(out, part_factor(block->spec->group, f));
            bytes_put_u64(out, part_level(block->spec->group, f, cell));
        }
}

/* Numbers the levels of the study's own factors, and looks which have a small cell, and which no other. */
static void number_levels(struct block *block, struct arena *arena)
{
    const struct expression *group = block->spec->group;
    block->n_levels = 1;
    block->level = arena_array(arena, block->n_cells + 1, sizeof *block->level);
    for (size_t f = 0; part_factor(group, f) != NULL; f++) {
        if (!is_own_factor(block, f))
            continue;
        const size_t n = part_factor(group, f)->n_levels;
        for (size_t i = 0; i < block->n_cells; i++)
            block->level[i] += (uint32_t)(block->n_levels * part_level(group, f, i));
        block->n_levels *= n;
    }
    block->first = arena_array(arena, block->n_levels + 1, sizeof *block->first);
    block->there = arena_array(arena, block->n_levels + 1, sizeof *block->there);
    block->any = arena_array(arena, block->n_levels + 1, sizeof *block->any);
    block->all = arena_array(arena, block->n_levels + 1, sizeof *block->all);
    for (size_t i = 0; i < block->n_cells; i++) {
        const size_t level = block->level[i];
        if (!block->there[level]) {
            block->there[level] = block->all[level] = true;
            block->first[level] = i;
        }
        block->any[level] = block->any[level] || block->small[i];
        block->all[level] = block->all[level] && !block->kept[i];
    }
}

/* One level of the study's own words (where it has none: all cells): hidden altogether it is one group,
 * whatever it is crossed with; else it is this table. */
static enum maille_code add_level(struct few *few, struct block *block, size_t level, few_hash *hash,
                                  struct maille_error *error)
{
    struct bytes key = {0};
    bytes_put_string(&key, "hidden");
    bytes_put_block(&key, block->cohort.data, block->cohort.length);
    words_put(&key, &block->own);
    put_levels(&key, block, block->first[level]);
    if (!block->all[level] && !block->missing)
        bytes_put_block(&key, block->plain.data, block->plain.length);
    enum maille_code code = add_key(few, &key, hash, error);
    bytes_clear(&key);
    return code;
}

/* Conditions of the block's rows that the cohort has not: plain ones, or the study's own. */
static enum maille_code rows_of(struct words *out, const struct threshold_analysis *analysis,
                                const struct tally_block *spec, bool plain, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct words all = {.arena = out->arena}, cohort = {.arena = out->arena};
    MAILLE_TRY(add_conditions(&all, spec->filter, plain, error));
    MAILLE_TRY(add_conditions(&cohort, analysis->cells->spec.blocks[0].filter, plain, error));
    for (size_t i = 0; i < all.n; i++) {
        bool there = false;
        for (size_t j = 0; j < cohort.n; j++)
            there = there || by_bytes(&all.list[i], &cohort.list[j]) == 0;
        if (!there)
            words_put_one(out, all.list[i]);
    }
out:
    return code;
}

static enum maille_code read_words(struct block *block, const struct threshold_analysis *analysis,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct words plain = {.arena = block->own.arena};
    const struct expression *group = block->spec->group;
    if (!block->missing)
        MAILLE_TRY(rows_of(&block->own, analysis, block->spec, false, error));
    MAILLE_TRY(rows_of(&plain, analysis, block->spec, true, error));
    for (size_t f = 0; part_factor(group, f) != NULL; f++)
        MAILLE_TRY(words_add(is_own_factor(block, f) ? &block->own : &plain, part_factor(group, f), error));
    words_put(&block->plain, &plain);
    code = bytes_check(&block->plain, error);
out:
    return code;
}

/* How many values are missing: once a cohort, of whatever variables. By what a study says of the cohort,
 * without the values that an analysis needs. */
static enum maille_code missing_of(struct byte_view *out, const struct threshold *threshold, size_t k,
                                   struct arena *arena, struct maille_error *error)
{
    const struct part *cohort = &threshold->analyses[k].parts.list[0];
    struct bytes bytes = {0};
    struct words words = {.arena = arena};
    for (size_t i = 0; i < cohort->n_conditions; i++)
        if (cohort->conditions[i].kind == PART_TRUE || is_chosen_value(&cohort->conditions[i]))
            words_put_one(&words, cohort->conditions[i].key);
    bytes_put_string(&bytes, "missing");
    words_put(&bytes, &words);
    const enum maille_code code = bytes_check(&bytes, error);
    if (code == MAILLE_OK)
        *out = (struct byte_view){
            (const uint8_t *)arena_strndup(arena, (const char *)bytes.data, bytes.length), bytes.length};
    bytes_clear(&bytes);
    return code;
}

static enum maille_code add_block(struct few *few, const struct threshold *threshold, size_t k, size_t b,
                                  const struct plan_analysis *made, few_hash *hash,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct threshold_analysis *analysis = &threshold->analyses[k];
    struct block block = {.cohort = cohort_of(threshold, k),
                          .spec = &analysis->cells->spec.blocks[b],
                          .kept = made->surviving.kept[b],
                          .small = made->small_hidden[b],
                          .n_cells = analysis->blocks[b].n_cells,
                          .missing = analysis->cells->rules[b] == CELL_MISSING,
                          .own = {.arena = arena_new()}};
    if (block.own.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for what counts, found none");
    MAILLE_TRY(read_words(&block, analysis, error));
    if (block.own.n == 0 && !cohort_is_own(threshold, k))
        goto out;
    if (analysis->cells->rules[b] == CELL_OUTSIDE && block.own.n == 0)
        block.missing = true; /* the cohort chose whom it leaves out: once, whatever is asked of it */
    if (block.missing)
        MAILLE_TRY(missing_of(&block.cohort, threshold, k, block.own.arena, error));
    number_levels(&block, block.own.arena);
    for (size_t level = 0; level < block.n_levels; level++)
        if (block.any[level])
            MAILLE_TRY(add_level(few, &block, level, hash, error));
out:
    bytes_clear(&block.plain);
    arena_free(block.own.arena);
    return code;
}

/* --- the plan --- */

static bool has_small(const bool *small, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (small[i])
            return true;
    return false;
}

static enum maille_code add_nulls(struct few *few, const struct threshold *threshold, size_t k,
                                  const struct plan_analysis *made, few_hash *hash,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (made->small_covariance)
        MAILLE_TRY(add_covariance(few, threshold, k, hash, error));
    for (size_t b = 0; b < made->surviving.n_blocks; b++) {
        const enum cell_rule rule = threshold->analyses[k].cells->rules[b];
        if ((rule == CELL_TABLE || rule == CELL_OUTSIDE || rule == CELL_MISSING) &&
            has_small(made->small_hidden[b], made->n_cells[b]))
            MAILLE_TRY(add_block(few, threshold, k, b, made, hash, error));
    }
out:
    return code;
}

enum maille_code few_add_plan(struct few *few, const struct threshold *threshold, const struct plan *plan,
                              few_hash *hash, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t k = 0; k < plan->n; k++) {
        const struct plan_analysis *made = &plan->analyses[k];
        if (!made->open)
            continue;
        if (made->small && strcmp(made->rule, "few") == 0)
            MAILLE_TRY(few_add_refused(few, threshold, k, hash, error));
        if (made->rule[0] == '\0')
            MAILLE_TRY(add_nulls(few, threshold, k, made, hash, error));
    }
out:
    return code;
}

/* --- before anything is asked --- */

/* A plan of an analysis in which every level of each table has a small cell: it hides some of them, so that
 * the table counts by itself, or all. */
static struct plan_analysis worst_of(const struct threshold_analysis *analysis, bool hides_all,
                                     struct arena *arena)
{
    const size_t n_blocks = analysis->cells->spec.n_blocks;
    const uint8_t **kept = arena_array(arena, n_blocks + 1, sizeof *kept);
    const bool **small = arena_array(arena, n_blocks + 1, sizeof *small);
    size_t *n_cells = arena_array(arena, n_blocks + 1, sizeof *n_cells);
    bool pairs = false;
    for (size_t b = 0; b < n_blocks; b++) {
        n_cells[b] = analysis->blocks[b].n_cells;
        uint8_t *all = arena_array(arena, n_cells[b] + 1, sizeof *all);
        bool *every = arena_array(arena, n_cells[b] + 1, sizeof *every);
        memset(all, hides_all ? 0 : 1, n_cells[b]);
        for (size_t i = 0; i < n_cells[b]; i++)
            every[i] = true;
        kept[b] = all;
        small[b] = every;
        pairs = pairs || analysis->cells->rules[b] == CELL_PAIRS;
    }
    return (struct plan_analysis){.open = true,
                                  .surviving = {.n_blocks = n_blocks, .kept = kept},
                                  .n_cells = n_cells,
                                  .small_hidden = small,
                                  .small_covariance = pairs};
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, b, FEW_HASH_BYTES);
}

enum maille_code few_most(size_t *most, const struct threshold *threshold, few_hash *hash,
                          struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct few few = {0};
    struct arena *arena = arena_new();
    *most = 0;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for what counts, found none");
    for (size_t k = 0; k < threshold->study->n_analyses; k++) {
        if (!threshold->analyses[k].open)
            continue;
        MAILLE_TRY(few_add_refused(&few, threshold, k, hash, error));
        for (int hides_all = 0; hides_all < 2; hides_all++) { /* a later plan of fewer sites counts too */
            const struct plan_analysis worst = worst_of(&threshold->analyses[k], hides_all != 0, arena);
            MAILLE_TRY(add_nulls(&few, threshold, k, &worst, hash, error));
        }
    }
    if (few.hashes.length > 0)
        qsort(few.hashes.data, few.hashes.length / FEW_HASH_BYTES, FEW_HASH_BYTES, by_hash);
    for (size_t at = 0; at < few.hashes.length; at += FEW_HASH_BYTES)
        *most += at == 0 || by_hash(few.hashes.data + at - FEW_HASH_BYTES, few.hashes.data + at) != 0;
out:
    few_clear(&few);
    arena_free(arena);
    return code;
}
