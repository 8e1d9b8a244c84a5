/* From head counts to attributes, classes and numbers (suppress.h). */
#include "disclosure/suppress.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Room for one entry more. */
static void *grown(struct arena *arena, void *entries, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return entries;
    size_t more = *room == 0 ? 32 : 2 * *room;
    void *moved = arena_array(arena, more, size);
    if (n > 0)
        memcpy(moved, entries, n * size);
    *room = more;
    return moved;
}

/* --- attributes and features --- */

static size_t feature_of(struct system *system, const struct expression *e, bool presence,
                         const int32_t *coarse);

/* The largest parts of an expression that read one variable each. False where one of them cannot be followed.
 */
static bool parts_find(struct system *system, struct attribute *made, const struct expression *e)
{
    uint32_t variable;
    bool constant;
    if (!lattice_reads(&variable, &constant, e)) {
        for (size_t i = 0; i < e->n_args; i++)
            if (!parts_find(system, made, e->args[i]))
                return false;
        return true;
    }
    if (constant)
        return true;
    const struct variable *of = &system->judge->threshold->study->dictionary->variables[variable];
    if (e->kind == EXPRESSION_NUMBER && of->type != VARIABLE_CATEGORY && of->type != VARIABLE_BOOLEAN &&
        (of->max - of->min) / of->resolution >= SUPPRESS_EXACT_MAX)
        return false;
    size_t *more = arena_array(system->arena, made->n_parts + 1, sizeof *more);
    if (made->n_parts > 0)
        memcpy(more, made->parts, made->n_parts * sizeof *more);
    more[made->n_parts] = feature_of(system, e, false, NULL);
    system->features[more[made->n_parts++]].exact = true;
    made->parts = more;
    return true;
}

size_t system_attribute_add(struct system *system, const struct attribute *made)
{
    system->attributes = grown(system->arena, system->attributes, system->n_attributes,
                               &system->room_attributes, sizeof *system->attributes);
    system->attributes[system->n_attributes] = *made;
    return system->n_attributes++;
}

static size_t attribute_of_variable(struct system *system, uint32_t variable)
{
    for (size_t i = 0; i < system->n_attributes; i++)
        if (system->attributes[i].single && system->attributes[i].variable == variable)
            return i;
    return system_attribute_add(system, &(struct attribute){.single = true, .variable = variable});
}

/* An expression that stands for itself: equal ones, by their canonical bytes, are one attribute. */
static size_t attribute_of_whole(struct system *system, const struct expression *e)
{
    struct bytes bytes = {0};
    expression_serialise(&bytes, e);
    size_t found = SUPPRESS_NONE;
    for (size_t i = 0; i < system->n_attributes && found == SUPPRESS_NONE; i++)
        if (!system->attributes[i].single && system->attributes[i].key_length == bytes.length &&
            memcmp(system->attributes[i].key, bytes.data, bytes.length) == 0)
            found = i;
    if (found == SUPPRESS_NONE) {
        struct attribute made = {.whole = e, .key_length = bytes.length};
        made.key = (const uint8_t *)arena_strndup(system->arena, (const char *)bytes.data, bytes.length);
        if (e->op == OP_COMPLETE) {
            made.parts = arena_array(system->arena, e->n_args, sizeof *made.parts);
            for (size_t i = 0; i < e->n_args; i++)
                made.parts[made.n_parts++] = feature_of(system, e->args[i], true, NULL);
        } else if (!lattice_knows(e) || !parts_find(system, &made, e)) {
            made.n_parts = 0;
        }
        found = system_attribute_add(system, &made);
    }
    bytes_clear(&bytes);
    return found;
}

static size_t feature_of(struct system *system, const struct expression *e, bool presence,
                         const int32_t *coarse)
{
    uint32_t variable;
    bool constant;
    while (e->op == OP_BOOLEAN_CODE)
        e = e->args[0];
    for (size_t i = 0; i < system->n_features; i++)
        if (system->features[i].e == e && system->features[i].presence == presence &&
            system->features[i].coarse == coarse)
            return i;
    bool single = lattice_reads(&variable, &constant, e) && !constant;
    struct feature made = {.e = e, .presence = presence, .coarse = coarse};
    made.attribute = single ? attribute_of_variable(system, variable) : attribute_of_whole(system, e);
    system->features = grown(system->arena, system->features, system->n_features, &system->room_features,
                             sizeof *system->features);
    system->features[system->n_features] = made;
    return system->n_features++;
}

/* --- one block of head counts --- */

static void condition_add(struct system *system, struct member *member, const struct expression *e,
                          int32_t wanted)
{
    uint32_t variable;
    bool constant;
    if (e->op == OP_NOT) {
        condition_add(system, member, e->args[0], 1 - wanted);
        return;
    }
    if ((e->op == OP_AND && wanted == 1) || (e->op == OP_OR && wanted == 0)) {
        condition_add(system, member, e->args[0], wanted);
        condition_add(system, member, e->args[1], wanted);
        return;
    }
    if (lattice_reads(&variable, &constant, e) && constant) {
        int32_t found = 0;
        lattice_code(&found, &(struct lattice){.n = 1}, e);
        member->empty = member->empty || found != wanted;
        return;
    }
    /* Of an expression that stands for itself: those who miss it are the others of those who have it. */
    const bool presence = e->op == OP_IS_MISSING && !lattice_reads(&variable, &constant, e);
    struct condition *more = arena_array(system->arena, member->n_conditions + 1, sizeof *more);
    if (member->n_conditions > 0)
        memcpy(more, member->conditions, member->n_conditions * sizeof *more);
    more[member->n_conditions++] =
        (struct condition){.feature = feature_of(system, presence ? e->args[0] : e, presence, NULL),
                           .wanted = presence ? -wanted : wanted};
    member->conditions = more;
}

static size_t parts_of(const struct expression **parts, size_t n, const struct expression *group)
{
    if (group == NULL || n == TALLY_BLOCKS_MAX)
        return n;
    if (group->op != OP_CROSS) {
        parts[n] = group;
        return n + 1;
    }
    for (size_t i = 0; i < group->n_args; i++)
        n = parts_of(parts, n, group->args[i]);
    return n;
}

static size_t number_add(struct system *system, const struct member *member, size_t cell, double value)
{
    system->numbers = grown(system->arena, system->numbers, system->n_numbers, &system->room_numbers,
                            sizeof *system->numbers);
    system->numbers[system->n_numbers] = (struct number){.analysis = member->analysis,
                                                         .block = member->block,
                                                         .cell = cell,
                                                         .value = value,
                                                         .released = true,
                                                         .owner = SUPPRESS_NONE,
                                                         .weight = 1e6};
    return system->n_numbers++;
}

static bool follows_up(const struct expression *e)
{
    bool any = expression_op_follows_up(e->op);
    for (size_t i = 0; i < e->n_args; i++)
        any = any || follows_up(e->args[i]);
    return any;
}

/* Pooled counts of a block's cells; zeros under a local rule. */
static double count_at(const struct judge *judge, const struct threshold_block *block, size_t cell)
{
    return block->counts == THRESHOLD_ABSENT ? 0 : (double)threshold_word(judge->first, block->counts + cell);
}

/* Merged bins of time, of rows that no other block counts: how many each group holds. Counts per step of time
 * are no cells (docs/DISCLOSURE.md §4). */
static void numbers_of_groups(struct system *system, struct member *member,
                              const struct threshold_block *block)
{
    for (size_t group = 0; group < block->n_groups; group++) {
        double all = 0;
        for (size_t i = 0; i < block->n_bins; i++)
            all += count_at(system->judge, block, group * block->n_bins + i);
        member->number_of[group] = number_add(system, member, group, all);
    }
}

/* The number of a table's cell that was added before. */
static size_t number_find(const struct system *system, size_t analysis, size_t block, size_t cell)
{
    for (size_t i = 0; i < system->n_numbers; i++)
        if (system->numbers[i].analysis == analysis && system->numbers[i].block == block &&
            system->numbers[i].cell == cell)
            return i;
    return SUPPRESS_NONE;
}

/* A bin of a group that is a table's cell is given up with that cell, at its price. */
static void number_own(struct system *system, size_t number, size_t owner)
{
    if (owner == SUPPRESS_NONE || !system->numbers[owner].hideable)
        return;
    system->numbers[number].owner = owner;
    system->numbers[number].hideable = true;
    system->numbers[number].weight = system->numbers[owner].weight;
    system->numbers[number].released = system->numbers[owner].released;
}

/* Merged bins of a variable: its codes are joined as far as all groups join them. Returns the number of
 * codes. */
static uint32_t numbers_of_merged(struct system *system, struct member *member,
                                  const struct threshold_block *block, const uint8_t *kept, int32_t *coarse)
{
    const size_t n = block->n_bins;
    uint32_t n_coarse = 0;
    for (size_t bin = 0; bin < n; bin++) {
        bool edge = false;
        coarse[bin] = (int32_t)n_coarse;
        for (size_t group = 0; group < block->n_groups; group++)
            edge = edge || kept[group * n + bin];
        n_coarse += edge;
    }
    member->number_of = arena_array(system->arena, block->n_groups * n_coarse, sizeof *member->number_of);
    for (size_t group = 0; group < block->n_groups; group++) {
        size_t number = SUPPRESS_NONE;
        for (size_t bin = 0; bin < n; bin++) {
            if (number == SUPPRESS_NONE) {
                number = number_add(system, member, group * n + bin, 0);
                number_own(system, number, number_find(system, member->analysis, block->groups, group));
            }
            system->numbers[number].value += count_at(system->judge, block, group * n + bin);
            member->number_of[group * n_coarse + (size_t)coarse[bin]] = number;
            if (kept[group * n + bin])
                number = SUPPRESS_NONE;
        }
    }
    return n_coarse;
}

static bool has_tables(const struct threshold_analysis *analysis)
{
    for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++)
        if (analysis->blocks[b].rule == CELL_TABLE)
            return true;
    return false;
}

/* What a cell of a table costs: its patients, so that the smallest go first; a count of what is missing costs
 * more; the last part breaks ties alike at every site. */
static void numbers_of_cells(struct system *system, struct member *member,
                             const struct threshold_block *block, const uint8_t *kept, bool tables)
{
    for (size_t i = 0; i < block->n_cells; i++) {
        size_t at = member->number_of[i] = number_add(system, member, i, count_at(system->judge, block, i));
        struct number *number = &system->numbers[at];
        number->released = kept[i] != 0;
        const bool table = block->rule == CELL_TABLE, outside = block->rule == CELL_OUTSIDE;
        number->target = (table || outside) && !number->released;
        number->hideable = table || outside || block->rule == CELL_MISSING;
        number->assumed = block->rule == CELL_COHORT && tables;
        if (number->hideable)
            number->weight = (table ? 1 : 1000) + number->value + 1e-4 * (double)(at % 9973);
    }
}

/* groups: of bins whose groups alone are looked at. */
static void member_add(struct system *system, size_t k, size_t b, bool groups)
{
    const struct threshold_analysis *analysis = &system->judge->threshold->analyses[k];
    const struct threshold_block *block = &analysis->blocks[b];
    const struct tally_block *tally = &analysis->cells->spec.blocks[b];
    const uint8_t *kept = system->judge->kept[k][b];
    const struct expression *parts[TALLY_BLOCKS_MAX] = {NULL};
    system->members = grown(system->arena, system->members, system->n_members, &system->room_members,
                            sizeof *system->members);
    struct member *member = &system->members[system->n_members++];
    const size_t n_parts = parts_of(parts, 0, tally->group);
    *member = (struct member){.analysis = k, .block = b, .n_parts = n_parts};
    if (tally->filter != NULL)
        condition_add(system, member, tally->filter, 1);
    member->number_of = arena_array(system->arena, block->n_cells, sizeof *member->number_of);
    for (size_t i = 0; i < n_parts; i++)
        member->levels[i] = parts[i]->n_levels;
    /* Of bins the last part is the bin (threshold.c has seen to it). */
    assert(block->rule != CELL_MERGE || n_parts > 0);
    const size_t last = n_parts - 1;
    const bool merged = block->rule == CELL_MERGE && !groups && !follows_up(parts[last]);
    const bool time = (block->rule == CELL_MERGE && !merged) || (groups && block->n_bins > 1);
    int32_t *coarse = NULL;
    if (merged) {
        coarse = arena_array(system->arena, block->n_bins, sizeof *coarse);
        member->levels[last] = numbers_of_merged(system, member, block, kept, coarse);
    } else if (time) {
        member->n_parts--;
        numbers_of_groups(system, member, block);
    } else {
        numbers_of_cells(system, member, block, kept, has_tables(analysis));
    }
    for (size_t i = 0; i < n_parts - (time ? 1 : 0); i++)
        member->parts[i] = feature_of(system, parts[i], false, merged && i == last ? coarse : NULL);
}

/* --- what nobody can be --- */

bool system_impossible_reads(const struct system *system, const struct impossible *impossible, bool *reads)
{
    size_t n_found = 0;
    for (size_t i = 0; i < impossible->n; i++)
        for (size_t a = 0; a < system->n_attributes; a++)
            if (system->attributes[a].single &&
                system->attributes[a].variable == impossible->parts[i].variable) {
                reads[a] = true;
                n_found++;
            }
    return n_found == impossible->n;
}

bool system_impossible(const struct system *system, const uint32_t *classes, const bool *in)
{
    const struct dictionary *dictionary = system->judge->threshold->study->dictionary;
    for (size_t k = 0; k < dictionary->n_impossible; k++) {
        const struct impossible *impossible = &dictionary->impossible[k];
        size_t n_met = 0;
        for (size_t i = 0; i < impossible->n; i++)
            for (size_t a = 0; a < system->n_attributes; a++) {
                const struct attribute *attribute = &system->attributes[a];
                if (!in[a] || !attribute->single || attribute->variable != impossible->parts[i].variable)
                    continue;
                const size_t value = attribute->value_of[classes[a]]; /* 0: missing, else a level + 1 */
                n_met += value > 0 && impossible->parts[i].levels[value - 1];
            }
        if (n_met == impossible->n)
            return true;
    }
    return false;
}

/* --- classes --- */

struct pair {
    uint32_t class;
    int32_t code;
    size_t value;
};

static int by_class_and_code(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    if (x->code != y->code)
        return x->code < y->code ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

/* Values that the feature tells apart are in different classes from here on. */
static void attribute_refine(struct attribute *attribute, const int32_t *codes, struct arena *arena)
{
    struct pair *pairs = arena_array(arena, attribute->lattice.n, sizeof *pairs);
    for (size_t i = 0; i < attribute->lattice.n; i++)
        pairs[i] = (struct pair){.class = attribute->class_of[i], .code = codes[i], .value = i};
    qsort(pairs, attribute->lattice.n, sizeof *pairs, by_class_and_code);
    uint32_t class = 0;
    for (size_t i = 0; i < attribute->lattice.n; i++) {
        if (i > 0 && (pairs[i].class != pairs[i - 1].class || pairs[i].code != pairs[i - 1].code))
            class ++;
        attribute->class_of[pairs[i].value] = class;
    }
    attribute->n_classes = class + (size_t)1;
}

static void attribute_values(struct system *system, size_t a)
{
    struct attribute *attribute = &system->attributes[a];
    if (attribute->single) {
        const struct expression **e = arena_array(system->arena, system->n_features, sizeof *e);
        size_t n = 0;
        for (size_t i = 0; i < system->n_features; i++)
            if (system->features[i].attribute == a)
                e[n++] = system->features[i].e;
        lattice_make(&attribute->lattice, system->arena,
                     &system->judge->threshold->study->dictionary->variables[attribute->variable], e, n);
    } else {
        const struct expression *whole = attribute->whole;
        attribute->lattice.n = whole->kind == EXPRESSION_CODE      ? whole->n_levels + (size_t)1
                               : whole->kind == EXPRESSION_BOOLEAN ? 3
                                                                   : 2;
    }
    attribute->class_of = arena_array(system->arena, attribute->lattice.n, sizeof *attribute->class_of);
}

static void feature_values(struct system *system, struct feature *feature)
{
    struct attribute *attribute = &system->attributes[feature->attribute];
    int32_t *codes = feature->of_value = arena_array(system->arena, attribute->lattice.n, sizeof *codes);
    if (attribute->single)
        lattice_code(codes, &attribute->lattice, feature->e);
    for (size_t i = 0; i < attribute->lattice.n && feature->exact && feature->e->kind == EXPRESSION_NUMBER;
         i++)
        codes[i] = codes[i] >= 0 ? (int32_t)i : -1;
    for (size_t i = 0; i < attribute->lattice.n; i++) {
        if (!attribute->single)
            codes[i] = (int32_t)i - 1;
        if (codes[i] >= 0)
            codes[i] = feature->presence ? 0 : feature->coarse != NULL ? feature->coarse[codes[i]] : codes[i];
    }
    attribute_refine(attribute, codes, system->arena);
}

/* Values that an impossible cross tells apart are in different classes. */
static void impossible_values(struct system *system)
{
    const struct dictionary *dictionary = system->judge->threshold->study->dictionary;
    for (size_t k = 0; k < dictionary->n_impossible; k++)
        for (size_t i = 0; i < dictionary->impossible[k].n; i++)
            for (size_t a = 0; a < system->n_attributes; a++) {
                const struct impossible_part *part = &dictionary->impossible[k].parts[i];
                struct attribute *attribute = &system->attributes[a];
                if (!attribute->single || attribute->variable != part->variable)
                    continue;
                int32_t *codes = arena_array(system->arena, attribute->lattice.n, sizeof *codes);
                for (size_t v = 1; v < attribute->lattice.n; v++)
                    codes[v] = part->levels[v - 1];
                attribute_refine(attribute, codes, system->arena);
            }
}

/* Whether somebody knows of a block what no other block of its analysis says. The events of an analysis with
 * tables are worked out from the cells that are shown, and so is its n, which is taken as known nevertheless:
 * whoever asks another analysis of the same cohort has it. Bins of time say how many their groups hold. */
static bool says_more(const struct threshold_analysis *analysis, size_t b)
{
    const struct threshold_block *block = &analysis->blocks[b];
    switch (block->rule) {
    case CELL_EVENTS:
        return !has_tables(analysis) || block->n_cells > 1;
    case CELL_AT_RISK:
    case CELL_ENTERING:
    case CELL_PAIRS: /* shown in no number but all together, and then none is small */
        return false;
    case CELL_MERGE:
        return block->groups == THRESHOLD_ABSENT ||
               !follows_up(threshold_last_part(analysis->cells->spec.blocks[b].group));
    case CELL_COHORT:
    case CELL_PATIENTS:
    case CELL_TABLE:
    case CELL_MISSING:
    case CELL_OUTSIDE:
        break;
    }
    return true;
}

/* narrow: without what no member counts. */
static void make_classes(struct system *system, bool narrow)
{
    struct arena *arena = system->arena;
    for (size_t a = 0; a < system->n_attributes; a++)
        attribute_values(system, a);
    for (size_t i = 0; i < system->n_features; i++)
        feature_values(system, &system->features[i]);
    impossible_values(system);
    if (narrow)
        system_narrow(system);
    for (size_t a = 0; a < system->n_attributes; a++) {
        struct attribute *attribute = &system->attributes[a];
        attribute->value_of = arena_array(arena, attribute->n_classes, sizeof *attribute->value_of);
        for (size_t v = attribute->lattice.n; v-- > 0;)
            if (attribute->class_of[v] != SUPPRESS_NO_CLASS)
                attribute->value_of[attribute->class_of[v]] = v;
    }
    for (size_t i = 0; i < system->n_features; i++) {
        const struct attribute *attribute = &system->attributes[system->features[i].attribute];
        system->features[i].of_class =
            arena_array(arena, attribute->n_classes, sizeof *system->features[i].of_class);
        for (size_t v = 0; v < attribute->lattice.n; v++)
            if (attribute->class_of[v] != SUPPRESS_NO_CLASS)
                system->features[i].of_class[attribute->class_of[v]] = system->features[i].of_value[v];
    }
    if (narrow)
        system_coarsen(system);
}

void system_build(struct system *system, struct judge *judge, struct arena *arena)
{
    *system = (struct system){.arena = arena, .judge = judge, .assumes = true};
    for (size_t k = 0; k < judge->plan->n; k++) {
        const struct threshold_analysis *analysis = &judge->threshold->analyses[k];
        if (analysis->open && !plan_refused(judge, k))
            for (size_t b = 0; b < analysis->cells->spec.n_blocks; b++)
                if (says_more(analysis, b))
                    member_add(system, k, b, false);
    }
    make_classes(system, true);
}

void system_build_block(struct system *system, struct judge *judge, size_t analysis, size_t block,
                        struct arena *arena)
{
    *system = (struct system){.arena = arena, .judge = judge};
    member_add(system, analysis, block, true);
    make_classes(system, false);
}

void system_assume_nothing(struct system *system)
{
    system->assumes = false;
    for (size_t i = 0; i < system->n_numbers; i++)
        if (system->numbers[i].assumed)
            system->numbers[i].released = false;
}

size_t system_number(const struct system *system, const struct member *member, const uint32_t *classes)
{
    size_t cell = 0;
    bool counts = !member->empty;
    for (size_t i = 0; i < member->n_conditions && counts; i++) {
        const struct feature *feature = &system->features[member->conditions[i].feature];
        counts = feature->of_class[classes[feature->attribute]] == member->conditions[i].wanted;
    }
    for (size_t i = 0; i < member->n_parts && counts; i++) {
        const struct feature *feature = &system->features[member->parts[i]];
        int32_t code = feature->of_class[classes[feature->attribute]];
        counts = code >= 0;
        cell = cell * member->levels[i] + (size_t)(counts ? code : 0);
    }
    return counts ? member->number_of[cell] : SUPPRESS_NONE;
}

void system_reads(const struct system *system, const struct member *member, bool *reads)
{
    for (size_t i = 0; i < member->n_conditions; i++)
        reads[system->features[member->conditions[i].feature].attribute] = true;
    for (size_t i = 0; i < member->n_parts; i++)
        reads[system->features[member->parts[i]].attribute] = true;
    for (size_t a = 0; a < system->n_attributes; a++)
        if (system->attributes[a].joins != NULL && reads[system->attributes[a].fine])
            reads[a] = true;
}
