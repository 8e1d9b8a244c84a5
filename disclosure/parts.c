#include "disclosure/parts.h"

#include <stdlib.h>
#include <string.h>

/* Who is in a part is a list of conditions that all must hold. A filter is taken apart into them, so that a
 * level of a table and the cohort that asks for that level are the same rows by the same bytes. */

/* PRESENT: that a variable has a value. */
enum condition_kind { CONDITION_TRUE, CONDITION_PRESENT };

struct condition {
    struct byte_view key;
    const struct expression *e;
    uint32_t variables;
    bool follows_up;                 /* it depends on the follow-up of the analysis */
    const struct expression *strict; /* of CONDITION_TRUE: it needs all of its variables; else NULL */
    bool present;
    uint32_t variable; /* of CONDITION_PRESENT, where present */
};

struct conditions {
    struct condition *list;
    size_t n, room;
};

struct work {
    struct arena *arena;
    const struct cells *cells;
    const struct dictionary *dictionary;
    struct conditions cohort;
    uint32_t follow_up;                /* variables that the follow-up reads */
    struct byte_view follow_up_key;    /* and what it is */
    struct byte_view follow_up_chosen; /* part_condition.chosen */
    struct parts *parts;
    size_t room_parts, room_families, room_uses;
};

/* --- variables as bits --- */

static uint32_t name_bit(const char *name)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *c = name; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619U;
    return UINT32_C(1) << (hash >> 27);
}

static uint32_t variables_of(const struct work *work, const struct expression *e)
{
    if (e == NULL)
        return 0;
    uint32_t bits = e->op == OP_VARIABLE ? name_bit(work->dictionary->variables[e->variable].name)
                    : expression_op_follows_up(e->op) ? work->follow_up
                                                      : 0;
    for (size_t i = 0; i < e->n_args; i++)
        bits |= variables_of(work, e->args[i]);
    return bits;
}

static bool follows_up(const struct expression *e)
{
    bool any = expression_op_follows_up(e->op);
    for (size_t i = 0; i < e->n_args; i++)
        any = any || follows_up(e->args[i]);
    return any;
}

/* --- conditions --- */

static void *grown(struct arena *arena, void *old, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return old;
    *room = *room == 0 ? 16 : 2 * *room;
    uint8_t *made = arena_alloc(arena, *room * size);
    if (n > 0)
        memcpy(made, old, n * size);
    return made;
}

static struct byte_view kept_bytes(struct arena *arena, const struct bytes *bytes)
{
    uint8_t *copy = arena_alloc(arena, bytes->length + 1);
    if (bytes->length > 0)
        memcpy(copy, bytes->data, bytes->length);
    return (struct byte_view){copy, bytes->length};
}

static void put_condition(struct work *work, struct conditions *conditions, enum condition_kind kind,
                          const struct expression *e, struct condition condition)
{
    struct bytes key = {0};
    bytes_put_u8(&key, (uint8_t)kind);
    expression_serialise(&key, e);
    condition.key = kept_bytes(work->arena, &key);
    condition.e = e;
    condition.variables = variables_of(work, e);
    condition.follows_up = follows_up(e);
    bytes_clear(&key);
    conditions->list =
        grown(work->arena, conditions->list, conditions->n, &conditions->room, sizeof *conditions->list);
    conditions->list[conditions->n++] = condition;
}

static void put_variables_present(struct work *work, struct conditions *conditions,
                                  const struct expression *e)
{
    if (e->op == OP_VARIABLE)
        put_condition(work, conditions, CONDITION_PRESENT, e,
                      (struct condition){.present = true, .variable = e->variable});
    for (size_t i = 0; i < e->n_args; i++)
        put_variables_present(work, conditions, e->args[i]);
}

/* e has a value: where that only takes values of its variables, those. */
static void put_present(struct work *work, struct conditions *conditions, const struct expression *e)
{
    const struct expression *missing = expression_unary(work->arena, OP_IS_MISSING, e);
    if (expression_is_partial(missing) || follows_up(e))
        put_condition(work, conditions, CONDITION_PRESENT, e, (struct condition){.present = false});
    else
        put_variables_present(work, conditions, e);
}

/* Is it never true or false where one of its variables is missing? */
static bool is_strict(const struct expression *e)
{
    bool strict = e->op != OP_AND && e->op != OP_OR && e->op != OP_SELECT && e->op != OP_IS_MISSING &&
                  e->op != OP_COMPLETE;
    for (size_t i = 0; i < e->n_args; i++)
        strict = strict && is_strict(e->args[i]);
    return strict;
}

static bool is_variable(const struct expression *e, uint32_t variable)
{
    bool found = e->op == OP_VARIABLE && e->variable == variable;
    for (size_t i = 0; i < e->n_args && !found; i++)
        found = is_variable(e->args[i], variable);
    return found;
}

/* e is true. NULL: everybody. */
static void put_true(struct work *work, struct conditions *conditions, const struct expression *e)
{
    if (e == NULL || (e->op == OP_CONSTANT && e->value != 0))
        return;
    if (e->op == OP_AND || e->op == OP_COMPLETE) {
        for (size_t i = 0; i < e->n_args; i++)
            if (e->op == OP_AND)
                put_true(work, conditions, e->args[i]);
            else
                put_present(work, conditions, e->args[i]);
    } else if (e->op == OP_NOT && e->args[0]->op == OP_IS_MISSING) {
        put_present(work, conditions, e->args[0]->args[0]);
    } else {
        put_condition(work, conditions, CONDITION_TRUE, e,
                      (struct condition){.strict = is_strict(e) ? e : NULL});
    }
}

/* A level of a category. */
static const struct expression *in_level(struct arena *arena, const struct expression *code, size_t level)
{
    if (code->op == OP_BOOLEAN_CODE)
        return level == 1 ? code->args[0] : expression_unary(arena, OP_NOT, code->args[0]);
    return expression_in_level(arena, code, level);
}

static int by_key(const void *a, const void *b)
{
    const struct condition *x = a, *y = b;
    const size_t n = x->key.length < y->key.length ? x->key.length : y->key.length;
    const int order = memcmp(x->key.data, y->key.data, n);
    return order != 0 ? order : (x->key.length > y->key.length) - (x->key.length < y->key.length);
}

static bool holds(const struct conditions *conditions, struct byte_view key)
{
    for (size_t i = 0; i < conditions->n; i++)
        if (byte_view_equal(conditions->list[i].key, key))
            return true;
    return false;
}

/* Each once; a value that another condition needs anyhow is not asked for. */
static void tidy(struct conditions *conditions)
{
    size_t n = 0;
    if (conditions->n > 1)
        qsort(conditions->list, conditions->n, sizeof *conditions->list, by_key);
    for (size_t i = 0; i < conditions->n; i++) {
        const struct condition *own = &conditions->list[i];
        bool needed = n == 0 || !byte_view_equal(conditions->list[n - 1].key, own->key);
        for (size_t j = 0; own->present && needed && j < conditions->n; j++)
            needed =
                conditions->list[j].strict == NULL || !is_variable(conditions->list[j].strict, own->variable);
        if (needed)
            conditions->list[n++] = conditions->list[i];
    }
    conditions->n = n;
}

/* A part by its conditions, tidied. */
static struct part part_of(const struct work *work, const struct conditions *conditions,
                           const struct expression *rows)
{
    struct bytes all = {0};
    bool any = false;
    struct part_condition *list = arena_array(work->arena, conditions->n + 1, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < conditions->n; i++) {
        const struct condition *own = &conditions->list[i];
        bytes_put_block(&all, own->key.data, own->key.length);
        any = any || own->follows_up;
        list[n++] =
            (struct part_condition){.kind = own->key.data[0] == CONDITION_PRESENT ? PART_PRESENT : PART_TRUE,
                                    .e = own->e,
                                    .key = own->key,
                                    .variables = own->variables};
    }
    if (any) {
        bytes_put_block(&all, work->follow_up_key.data, work->follow_up_key.length);
        list[n++] = (struct part_condition){PART_FOLLOW_UP, NULL, work->follow_up_key, work->follow_up,
                                            work->follow_up_chosen};
    }
    const struct part part = {
        .rows = rows, .canon = kept_bytes(work->arena, &all), .conditions = list, .n_conditions = n};
    bytes_clear(&all);
    return part;
}

/* --- parts --- */

const struct expression *part_factor(const struct expression *group, size_t factor)
{
    if (group == NULL || group->op != OP_CROSS)
        return factor == 0 ? group : NULL;
    return factor < group->n_args ? group->args[factor] : NULL;
}

size_t part_level(const struct expression *group, size_t factor, size_t cell)
{
    if (group->op != OP_CROSS)
        return cell;
    for (size_t i = group->n_args - 1; i > factor; i--)
        cell /= group->args[i]->n_levels;
    return cell % group->args[factor]->n_levels;
}

static bool is_of(uint32_t factors, size_t factor)
{
    return (factors >> factor & 1) != 0;
}

size_t part_levels(const struct expression *group, uint32_t factors, size_t cell)
{
    size_t level = 0;
    for (size_t f = 0; part_factor(group, f) != NULL; f++)
        if (is_of(factors, f))
            level = level * part_factor(group, f)->n_levels + part_level(group, f, cell);
    return level;
}

size_t part_level_in(const struct expression *group, uint32_t factors, size_t levels, size_t factor)
{
    size_t behind = 1;
    for (size_t f = factor + 1; part_factor(group, f) != NULL; f++)
        if (is_of(factors, f))
            behind *= part_factor(group, f)->n_levels;
    return levels / behind % part_factor(group, factor)->n_levels;
}

/* How many combinations of levels these factors have. */
static size_t combinations_of(const struct expression *group, uint32_t factors)
{
    size_t n = 1;
    for (size_t f = 0; part_factor(group, f) != NULL; f++)
        if (is_of(factors, f))
            n *= part_factor(group, f)->n_levels;
    return n;
}

static struct part_family *add_family(struct work *work, const struct conditions *conditions)
{
    struct parts *parts = work->parts;
    parts->families =
        grown(work->arena, parts->families, parts->n_families, &work->room_families, sizeof *parts->families);
    struct part_family *family = &parts->families[parts->n_families++];
    *family = (struct part_family){.n = 0};
    for (size_t i = 0; i < conditions->n; i++)
        family->reads |= conditions->list[i].variables;
    return family;
}

static bool is_chosen(struct byte_view key)
{
    return key.length > 0 && key.data[0] != CONDITION_PRESENT;
}

bool part_chosen_alike(const struct part *part, struct byte_view canon)
{
    struct reader reader = reader_of(canon.data, canon.length);
    size_t chosen = 0, alike = 0;
    for (size_t i = 0; i < part->n_conditions; i++)
        chosen += part->conditions[i].kind == PART_TRUE;
    while (reader_left(&reader) > 0 && !reader.bad) {
        struct byte_view key = {0};
        bool found = false;
        key.data = reader_block(&reader, canon.length, &key.length);
        for (size_t i = 0; key.data != NULL && i < part->n_conditions; i++)
            found = found ||
                    (part->conditions[i].kind == PART_TRUE && byte_view_equal(part->conditions[i].key, key));
        if (key.data == NULL || (is_chosen(key) && !found))
            return false;
        alike += found;
    }
    return alike == chosen;
}

/* What finds no room joins the last one: less must be told of it, and more is compared. */
static void add_feature(struct part_family *family, uint32_t variables)
{
    if (variables == 0)
        return;
    if (family->n_features < PARTS_FEATURES_MAX)
        family->features[family->n_features++] = variables;
    else
        family->features[PARTS_FEATURES_MAX - 1] |= variables;
}

static size_t add_part(struct work *work, const struct part *part)
{
    struct parts *parts = work->parts;
    parts->list = grown(work->arena, parts->list, parts->n, &work->room_parts, sizeof *parts->list);
    parts->list[parts->n] = *part;
    parts->list[parts->n].family = parts->n_families - 1;
    parts->families[parts->n_families - 1].n++;
    return parts->n++;
}

static void add_use(struct work *work, struct part_use use)
{
    struct parts *parts = work->parts;
    parts->uses = grown(work->arena, parts->uses, parts->n_uses, &work->room_uses, sizeof *parts->uses);
    parts->uses[parts->n_uses++] = use;
}

static size_t find_part(const struct parts *parts, struct byte_view canon)
{
    for (size_t p = 0; p < parts->n; p++)
        if (byte_view_equal(parts->list[p].canon, canon))
            return p;
    return SIZE_MAX;
}

/* The conditions of one combination of levels of factors of a block (of none: of the whole block), and the
 * rows as one filter. */
static const struct expression *level_conditions(struct work *work, struct conditions *out,
                                                 const struct tally_block *block, uint32_t factors,
                                                 size_t level)
{
    const struct expression *rows = block->filter;
    put_true(work, out, rows);
    for (size_t f = 0; part_factor(block->group, f) != NULL; f++) {
        const struct expression *code = part_factor(block->group, f),
                                *here = is_of(factors, f)
                                            ? in_level(work->arena, code,
                                                       part_level_in(block->group, factors, level, f))
                                            : expression_complete(work->arena, &code, 1);
        put_true(work, out, here);
        rows = expression_and(work->arena, rows, here);
    }
    tidy(out);
    return rows;
}

/* What cuts a part of a block out of the cohort: its categories, and all that the cohort does not ask for (as
 * one: of `x + z - z` either is told of x). */
static void family_features(struct work *work, struct part_family *family, const struct tally_block *block,
                            uint32_t factors, const struct conditions *conditions)
{
    uint32_t own = 0, others = 0;
    for (size_t f = 0; part_factor(block->group, f) != NULL; f++)
        if (is_of(factors, f))
            own |= variables_of(work, part_factor(block->group, f));
    for (size_t i = 0; i < conditions->n; i++)
        if (!holds(&work->cohort, conditions->list[i].key))
            others |= conditions->list[i].variables & ~own;
    add_feature(family, others);
    for (size_t f = 0; part_factor(block->group, f) != NULL; f++)
        if (is_of(factors, f))
            add_feature(family, variables_of(work, part_factor(block->group, f)));
}

/* Are the rows of a block all that count in the analysis? */
static bool is_whole(struct work *work, const struct tally_block *block)
{
    struct conditions own = {0};
    put_true(work, &own, block->filter);
    tidy(&own);
    bool whole = own.n == work->cohort.n;
    for (size_t i = 0; i < own.n; i++)
        whole = whole && holds(&work->cohort, own.list[i].key);
    return whole;
}

/* Levels of variables as the dictionary has them, of the rows of the cohort that have values? */
static bool is_plain(struct work *work, const struct conditions *conditions, const struct tally_block *block,
                     uint32_t factors, size_t level)
{
    struct conditions levels = {0};
    bool plain = factors != 0;
    for (size_t f = 0; part_factor(block->group, f) != NULL; f++) {
        const struct expression *code = part_factor(block->group, f);
        if (!is_of(factors, f))
            continue;
        put_true(work, &levels, in_level(work->arena, code, part_level_in(block->group, factors, level, f)));
        plain = plain && (code->op == OP_BOOLEAN_CODE ? code->args[0] : code)->op == OP_VARIABLE;
    }
    for (size_t i = 0; i < conditions->n; i++)
        plain = plain && (conditions->list[i].present || holds(&work->cohort, conditions->list[i].key) ||
                          holds(&levels, conditions->list[i].key));
    return plain;
}

/* The combinations of levels of some factors of a block, or (of none) all of its rows. */
static void add_levels(struct work *work, size_t b, uint32_t factors)
{
    struct parts *parts = work->parts;
    const struct tally_block *block = &work->cells->spec.blocks[b];
    const bool whole = is_whole(work, block), margin = (factors & (factors - 1)) == 0;
    const size_t n = combinations_of(block->group, factors);
    if (factors == 0 && whole)
        return;
    if ((margin && n > PARTS_LEVELS_MAX) || parts->n + n > PARTS_ALL_MAX ||
        parts->n_uses + n > PARTS_USES_MAX) {
        parts->crowded = true;
        return;
    }
    struct part_family *family = NULL;
    for (size_t level = 0; level < n; level++) {
        struct conditions conditions = {0};
        const struct expression *rows = level_conditions(work, &conditions, block, factors, level);
        struct part made = part_of(work, &conditions, rows);
        made.plain = is_plain(work, &conditions, block, factors, level);
        size_t part = find_part(parts, made.canon);
        if (part == SIZE_MAX) {
            if (family == NULL) {
                family = add_family(work, &conditions);
                family_features(work, family, block, factors, &conditions);
            }
            part = add_part(work, &made);
        }
        add_use(work, (struct part_use){part, b, factors, level, whole});
    }
}

/* Of every set of factors of a block. How many parts these would be says the product of all levels and one
 * more each. */
static void add_block(struct work *work, size_t b)
{
    const struct expression *group = work->cells->spec.blocks[b].group;
    size_t n = 0, all = 1;
    for (; part_factor(group, n) != NULL && all <= PARTS_ALL_MAX + 1; n++)
        all *= (size_t)part_factor(group, n)->n_levels + 1;
    if (all > PARTS_ALL_MAX + 1) {
        work->parts->crowded = true;
        return;
    }
    if (n == 0)
        add_levels(work, b, 0);
    for (uint32_t factors = 1; factors >> n == 0 && !work->parts->crowded; factors++)
        add_levels(work, b, factors);
}

/* A time that is a variable of the dictionary, or lies between two of them. */
static bool is_plain_time(const struct expression *e)
{
    bool plain = e == NULL || e->op == OP_VARIABLE || e->op == OP_INTERVAL;
    for (size_t i = 0; plain && e != NULL && i < e->n_args; i++)
        plain = e->args[i]->op == OP_VARIABLE;
    return plain;
}

static void read_follow_up(struct work *work)
{
    const struct tally_survival *survival = &work->cells->spec.survival;
    const struct expression *const read[] = {survival->filter, survival->start, survival->stop,
                                             survival->event, survival->same};
    struct bytes key = {0};
    for (size_t i = 0; i < sizeof read / sizeof *read; i++)
        work->follow_up |= variables_of(work, read[i]);
    struct tally_spec *alone = arena_alloc(work->arena, sizeof *alone);
    *alone = (struct tally_spec){.survival = *survival};
    tally_spec_serialise(&key, alone);
    work->follow_up_key = kept_bytes(work->arena, &key);
    key.length = 0;
    if (!is_plain_time(survival->start) || !is_plain_time(survival->stop)) {
        bytes_put_u8(&key, survival->start != NULL);
        if (survival->start != NULL)
            expression_serialise(&key, survival->start);
        expression_serialise(&key, survival->stop);
    }
    work->follow_up_chosen = kept_bytes(work->arena, &key);
    bytes_clear(&key);
}

enum maille_code parts_read(struct parts *parts, const struct cells *cells,
                            const struct dictionary *dictionary, struct arena *arena,
                            struct maille_error *error)
{
    struct work work = {.arena = arena, .cells = cells, .dictionary = dictionary, .parts = parts};
    size_t cohort = 0;
    *parts = (struct parts){.n = 0};
    while (cohort < cells->spec.n_blocks && cells->rules[cohort] != CELL_COHORT)
        cohort++;
    if (cohort == cells->spec.n_blocks)
        return maille_fail(error, MAILLE_INTERNAL,
                           "expected a count of everybody among head counts, found none");
    read_follow_up(&work);
    const struct expression *rows = cells->spec.blocks[cohort].filter;
    put_true(&work, &work.cohort, rows);
    tidy(&work.cohort);
    add_family(&work, &work.cohort);
    const struct part whole = part_of(&work, &work.cohort, rows);
    add_part(&work, &whole);
    for (size_t b = 0; b < cells->spec.n_blocks; b++)
        if (cells->rules[b] == CELL_TABLE || cells->rules[b] == CELL_PATIENTS)
            add_block(&work, b);
    return MAILLE_OK;
}

/* Is there something in what the rows of b depend on for everything that cuts a out of its cohort? */
static bool told_of(const struct part_family *b, const struct part_family *a)
{
    for (size_t f = 0; f < a->n_features; f++)
        if ((a->features[f] & b->reads) == 0)
            return false;
    return true;
}

bool part_families_related(const struct part_family *a, const struct part_family *b)
{
    return told_of(a, b) && told_of(b, a);
}

/* --- as bytes: per analysis LE32 how many families; of each LE32 parts, LE32 reads, u8 and LE32 features ---
 */

void part_groups_write(struct bytes *out, const struct parts *parts, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        bytes_put_u8(out, (uint8_t)parts[k].n_families);
        bytes_put_u8(out, (uint8_t)(parts[k].n_families >> 8));
        for (size_t f = 0; f < parts[k].n_families; f++) {
            const struct part_family *family = &parts[k].families[f];
            bytes_put_u8(out, (uint8_t)family->n);
            bytes_put_u8(out, (uint8_t)(family->n >> 8));
            bytes_put_u32(out, family->reads);
            bytes_put_u8(out, family->n_features);
            for (size_t i = 0; i < family->n_features; i++)
                bytes_put_u32(out, family->features[i]);
        }
    }
}

static uint16_t read_u16(struct reader *reader)
{
    const uint16_t low = reader_u8(reader);
    return (uint16_t)(low | reader_u8(reader) << 8);
}

static bool read_family(struct part_family *family, struct reader *reader)
{
    *family = (struct part_family){.n = read_u16(reader)};
    family->reads = reader_u32(reader);
    family->n_features = reader_u8(reader);
    if (family->n == 0 || family->n > PARTS_ALL_MAX || family->n_features > PARTS_FEATURES_MAX)
        return false;
    for (size_t i = 0; i < family->n_features; i++)
        family->features[i] = reader_u32(reader);
    return !reader->bad;
}

static void whole_study(struct part_groups *groups, size_t n, struct arena *arena)
{
    struct part_family *any = arena_alloc(arena, sizeof *any);
    *any = (struct part_family){.n = 1, .reads = UINT32_MAX};
    groups->n = n;
    groups->list = arena_array(arena, n + 1, sizeof *groups->list);
    for (size_t g = 0; g < n; g++)
        groups->list[g] = (struct part_group){(uint32_t)g, 0, any};
}

void part_groups_read(struct part_groups *groups, struct byte_view bytes, size_t n_whole, struct arena *arena)
{
    struct part_groups made = {0};
    struct reader reader = reader_of(bytes.data, bytes.length);
    size_t room = 0;
    bool right = bytes.length > 0;
    for (uint32_t k = 0; right && reader_left(&reader) > 0; k++) {
        uint32_t part = 0;
        for (size_t f = read_u16(&reader); right && f > 0; f--) {
            struct part_family *family = arena_alloc(arena, sizeof *family);
            right = k < STUDY_ANALYSES_MAX && read_family(family, &reader) &&
                    made.n + family->n <= PART_GROUPS_MAX;
            for (size_t i = 0; right && i < family->n; i++) {
                made.list = grown(arena, made.list, made.n, &room, sizeof *made.list);
                made.list[made.n++] = (struct part_group){k, part++, family};
            }
        }
    }
    if (right && reader_done(&reader))
        *groups = made;
    else
        whole_study(groups, n_whole, arena);
}

const struct part_group *part_groups_listed(size_t *n, struct byte_view families, struct byte_view bits,
                                            struct arena *arena)
{
    struct part_groups all;
    part_groups_read(&all, families, 8 * bits.length, arena);
    struct part_group *listed = arena_array(arena, all.n + 1, sizeof *listed);
    *n = 0;
    for (size_t g = 0; g < all.n && g < 8 * bits.length; g++)
        if (bits.data[g / 8] >> g % 8 & 1)
            listed[(*n)++] = all.list[g];
    return listed;
}

const struct part_group *part_groups_find(const struct part_groups *groups, uint32_t analysis, uint32_t part)
{
    for (size_t g = 0; g < groups->n; g++)
        if (groups->list[g].analysis == analysis && groups->list[g].part == part)
            return &groups->list[g];
    return NULL;
}
