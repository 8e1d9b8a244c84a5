/* Classes of patients: those of one class are in the same groups. Attribute by attribute (a variable of the
 * dictionary, or a condition over several that stands for itself) every state is split by what the attribute
 * can be, and states in which the same groups are still possible are one. So the cross of all attributes is
 * never written out. */
#include "disclosure/combination_class.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "disclosure/combination_form.h"

enum { WORD_BITS = 64, STATES_MAX = 32768, STATES_WORDS_MAX = 1 << 21, NODES_MAX = 4096 };
/* Forms come from others' ledgers: what they cost is counted, in words and bytes that are looked at. A count
 * is the same at every site, which a time would not be. Past it the question is crowded. */
static const uint64_t work_max = UINT64_C(1) << 30;
enum { STATE_STEPS = 16, RANK_STEPS = 64 }; /* of a state: to find its place, to sort it in */
/* How wide a class of patients who lack a value is taken to be; of all who have one, the rest. */
static const double missing_share = 0.05;

/* --- reading --- */

struct leaf {
    const uint8_t *bytes; /* of the node, whole */
    size_t length, attribute;
    uint8_t missing;
    double least;
    const uint8_t *runs; /* NULL: a condition that stands for itself */
    uint32_t n_runs;
};

struct node {
    enum form_tag tag;
    size_t n, leaf, size; /* size: nodes in it, with itself */
    struct node **children;
};

struct attribute {
    const uint8_t *key;
    size_t key_length, n_leaves, n_classes;
    size_t *leaves;
    uint8_t *codes; /* [class][leaf of the attribute] */
    double *width;  /* [class]; class 0: missing */
    size_t kept;    /* its place in a state, where a factor reads it beside others; SIZE_MAX: none */
};

struct ranked {
    double width;
    const uint64_t *key;
    size_t number, stride;
};

/* A condition that all patients of a group meet. */
struct factor {
    const struct node *node;
    size_t group, attribute; /* SIZE_MAX: it reads several */
};

struct reading {
    struct arena *arena;
    struct reader reader;
    size_t left;   /* nodes that a form may still have */
    uint64_t work; /* that may still be done */
    bool crowded;  /* there was more to do */
    struct leaf *leaves;
    struct attribute *attributes;
    size_t n_leaves, n_attributes, room_leaves, room_attributes;
    struct factor *factors;
    size_t n_factors, room_factors;
    /* room to work in, once all is read */
    uint8_t *codes; /* of each leaf */
    uint64_t *key;  /* of a state */
    struct ranked *ranked;
};

/* False, from then on: more than may be done. */
static bool spend(struct reading *reading, uint64_t each, uint64_t times)
{
    if (reading->crowded || (each > 0 && times > reading->work / each)) {
        reading->crowded = true;
        return false;
    }
    reading->work -= each * times;
    return true;
}

static void *grown(struct arena *arena, void *entries, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return entries;
    *room = *room == 0 ? 64 : 2 * *room;
    void *moved = arena_array(arena, *room, size);
    if (n > 0)
        memcpy(moved, entries, n * size);
    return moved;
}

static size_t attribute_of(struct reading *reading, const uint8_t *key, size_t length)
{
    for (size_t a = 0; a < reading->n_attributes; a++)
        if (reading->attributes[a].key_length == length &&
            memcmp(reading->attributes[a].key, key, length) == 0)
            return a;
    reading->attributes = grown(reading->arena, reading->attributes, reading->n_attributes,
                                &reading->room_attributes, sizeof *reading->attributes);
    reading->attributes[reading->n_attributes] =
        (struct attribute){.key = key, .key_length = length, .kept = SIZE_MAX};
    return reading->n_attributes++;
}

/* The number of a leaf that was read, of an equal one that was there; SIZE_MAX: no leaf. */
static size_t leaf_add(struct reading *reading, const struct leaf *leaf, const uint8_t *key, size_t length)
{
    if (!spend(reading, reading->n_leaves + reading->n_attributes, 1))
        return SIZE_MAX;
    for (size_t i = 0; i < reading->n_leaves; i++)
        if (reading->leaves[i].length == leaf->length &&
            memcmp(reading->leaves[i].bytes, leaf->bytes, leaf->length) == 0)
            return i;
    reading->leaves = grown(reading->arena, reading->leaves, reading->n_leaves, &reading->room_leaves,
                            sizeof *reading->leaves);
    reading->leaves[reading->n_leaves] = *leaf;
    reading->leaves[reading->n_leaves].attribute = attribute_of(reading, key, length);
    return reading->n_leaves++;
}

static double run_last(const struct leaf *leaf, size_t run)
{
    struct reader reader = reader_of(leaf->runs + 9 * run, 8);
    return reader_f64(&reader);
}

static uint8_t run_code(const struct leaf *leaf, size_t run)
{
    return leaf->runs[9 * run + 8];
}

static size_t read_ranges(struct reading *reading, const uint8_t *from)
{
    struct reader *reader = &reading->reader;
    struct leaf leaf = {.bytes = from};
    size_t length;
    const uint8_t *key = reader_block(reader, 256, &length);
    leaf.missing = reader_u8(reader);
    leaf.least = reader_f64(reader);
    leaf.n_runs = reader_u32(reader);
    if (reader->bad || key == NULL || leaf.missing > FORM_MISSING || leaf.n_runs > reader_left(reader) / 9)
        return SIZE_MAX;
    leaf.runs = reader_take(reader, 9 * (size_t)leaf.n_runs);
    for (size_t i = 0; i < leaf.n_runs; i++)
        if (!isfinite(run_last(&leaf, i)) || run_code(&leaf, i) > FORM_MISSING ||
            (i > 0 && run_last(&leaf, i) <= run_last(&leaf, i - 1)))
            return SIZE_MAX;
    leaf.length = (size_t)(reader->next - from);
    return isfinite(leaf.least) ? leaf_add(reading, &leaf, key, length) : SIZE_MAX;
}

static size_t read_whole(struct reading *reading, const uint8_t *from)
{
    const uint8_t *key = reader_take(&reading->reader, FORM_HASH_BYTES);
    const struct leaf leaf = {.bytes = from, .length = 1 + FORM_HASH_BYTES};
    return key == NULL ? SIZE_MAX : leaf_add(reading, &leaf, key, FORM_HASH_BYTES);
}

/* NULL: no form. */
static struct node *read_node(struct reading *reading, unsigned depth)
{
    const uint8_t *from = reading->reader.next;
    struct node *made = arena_alloc(reading->arena, sizeof *made);
    made->tag = (enum form_tag)reader_u8(&reading->reader);
    made->leaf = SIZE_MAX;
    made->size = 1;
    if (reading->reader.bad || depth == FORM_DEPTH_MAX || reading->left-- == 0)
        return NULL;
    switch (made->tag) {
    case FORM_TRUE:
        return made;
    case FORM_RANGES:
        made->leaf = read_ranges(reading, from);
        return made->leaf != SIZE_MAX ? made : NULL;
    case FORM_WHOLE:
        made->leaf = read_whole(reading, from);
        return made->leaf != SIZE_MAX ? made : NULL;
    case FORM_AND:
    case FORM_OR:
    case FORM_NOT:
        made->n = made->tag == FORM_NOT ? 1 : reader_u32(&reading->reader);
        if (reading->reader.bad || made->n > reader_left(&reading->reader))
            return NULL;
        made->children = arena_array(reading->arena, made->n + 1, sizeof *made->children);
        for (size_t i = 0; i < made->n; i++) {
            if ((made->children[i] = read_node(reading, depth + 1)) == NULL)
                return NULL;
            made->size += made->children[i]->size;
        }
        return made;
    default:
        return NULL;
    }
}

/* The attribute that a node reads; SIZE_MAX: several; `none`: nothing. */
static size_t reads(const struct reading *reading, const struct node *node, size_t none)
{
    size_t found = none;
    if (node->leaf != SIZE_MAX)
        return reading->leaves[node->leaf].attribute;
    for (size_t i = 0; i < node->n; i++) {
        const size_t one = reads(reading, node->children[i], none);
        if (one == none)
            continue;
        if (one == SIZE_MAX || (found != none && found != one))
            return SIZE_MAX;
        found = one;
    }
    return found;
}

static void factors_of(struct reading *reading, const struct node *node, size_t group)
{
    if (node->tag == FORM_AND) {
        for (size_t i = 0; i < node->n; i++)
            factors_of(reading, node->children[i], group);
        return;
    }
    if (node->tag == FORM_TRUE)
        return;
    reading->factors = grown(reading->arena, reading->factors, reading->n_factors, &reading->room_factors,
                             sizeof *reading->factors);
    reading->factors[reading->n_factors++] =
        (struct factor){.node = node, .group = group, .attribute = reads(reading, node, SIZE_MAX - 1)};
}

/* --- what a node is --- */

/* codes: of each leaf of the reading. */
static uint8_t code_at(const struct node *node, const uint8_t *codes)
{
    uint8_t code, made;
    switch (node->tag) {
    case FORM_RANGES:
    case FORM_WHOLE:
        return codes[node->leaf];
    case FORM_NOT:
        code = code_at(node->children[0], codes);
        return code == FORM_MISSING ? code : !code;
    case FORM_AND:
    case FORM_OR:
        made = node->tag == FORM_AND;
        for (size_t i = 0; i < node->n; i++) {
            code = code_at(node->children[i], codes);
            if (code == (node->tag == FORM_OR))
                return code;
            made = code == FORM_MISSING ? code : made;
        }
        return made;
    default:
        return 1;
    }
}

/* --- classes of one attribute --- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static uint8_t leaf_code(const struct leaf *leaf, double value)
{
    for (size_t i = 0; i < leaf->n_runs; i++)
        if (value <= run_last(leaf, i))
            return run_code(leaf, i);
    return FORM_MISSING;
}

/* A stretch of values, of a width, as one class with those that no leaf tells from it. */
static void class_add(struct reading *reading, struct attribute *attribute, const uint8_t *codes,
                      double width)
{
    if (!spend(reading, attribute->n_classes + 1, 1 + attribute->n_leaves / WORD_BITS))
        return;
    size_t c = attribute->n_classes > 0 ? 1 : 0; /* missing stays apart */
    while (c < attribute->n_classes &&
           memcmp(attribute->codes + c * attribute->n_leaves, codes, attribute->n_leaves) != 0)
        c++;
    if (c == attribute->n_classes) {
        memcpy(attribute->codes + c * attribute->n_leaves, codes, attribute->n_leaves);
        attribute->n_classes++;
    }
    attribute->width[c] += width;
}

static void attribute_room(struct attribute *attribute, struct arena *arena, size_t n)
{
    attribute->codes = arena_array(arena, n * attribute->n_leaves + 1, 1);
    attribute->width = arena_array(arena, n, sizeof *attribute->width);
}

static void classes_of_ranges(struct reading *reading, struct attribute *attribute)
{
    size_t n = 0, distinct = 0;
    double least = HUGE_VAL, total = 0;
    uint8_t *codes = arena_array(reading->arena, attribute->n_leaves, 1);
    for (size_t l = 0; l < attribute->n_leaves; l++) {
        const struct leaf *leaf = &reading->leaves[attribute->leaves[l]];
        n += leaf->n_runs;
        least = leaf->least < least ? leaf->least : least;
        codes[l] = leaf->missing;
    }
    double *ends = arena_array(reading->arena, n + 1, sizeof *ends);
    n = 0;
    for (size_t l = 0; l < attribute->n_leaves; l++)
        for (size_t i = 0; i < reading->leaves[attribute->leaves[l]].n_runs; i++)
            ends[n++] = run_last(&reading->leaves[attribute->leaves[l]], i);
    qsort(ends, n, sizeof *ends, ascending);
    for (size_t i = 0; i < n; i++)
        if (distinct == 0 || ends[distinct - 1] != ends[i])
            ends[distinct++] = ends[i];
    if (!spend(reading, distinct + 1, n + 2 * attribute->n_leaves))
        return;
    attribute_room(attribute, reading->arena, distinct + 1);
    class_add(reading, attribute, codes, 0);
    for (size_t i = 0; i < distinct; i++) {
        const double width = i == 0 ? ends[0] - least + 1 : ends[i] - ends[i - 1];
        for (size_t l = 0; l < attribute->n_leaves; l++)
            codes[l] = leaf_code(&reading->leaves[attribute->leaves[l]], ends[i]);
        class_add(reading, attribute, codes, width);
        total += width;
    }
    for (size_t c = 1; c < attribute->n_classes; c++)
        attribute->width[c] *= (1 - missing_share) / total;
    attribute->width[0] = missing_share;
}

static void classes_of_whole(struct reading *reading, struct attribute *attribute)
{
    static const uint8_t missing = FORM_MISSING, yes = 1, no = 0;
    attribute_room(attribute, reading->arena, 3);
    class_add(reading, attribute, &missing, missing_share);
    class_add(reading, attribute, &yes, (1 - missing_share) / 2);
    class_add(reading, attribute, &no, (1 - missing_share) / 2);
}

static void attribute_classes(struct reading *reading, size_t a)
{
    struct attribute *attribute = &reading->attributes[a];
    size_t n = 0;
    if (!spend(reading, reading->n_leaves, 2))
        return;
    for (size_t l = 0; l < reading->n_leaves; l++)
        n += reading->leaves[l].attribute == a;
    attribute->leaves = arena_array(reading->arena, n + 1, sizeof *attribute->leaves);
    for (size_t l = 0; l < reading->n_leaves; l++)
        if (reading->leaves[l].attribute == a)
            attribute->leaves[attribute->n_leaves++] = l;
    if (reading->leaves[attribute->leaves[0]].runs == NULL)
        classes_of_whole(reading, attribute);
    else
        classes_of_ranges(reading, attribute);
}

/* --- states --- */

/* Which groups are still possible, then the classes of the attributes that are kept, 64 bits each. */
struct states {
    struct arena *arena;
    size_t n, room, stride;
    uint64_t *keys;
    double *width;
    bool *present;
    uint32_t *table; /* number + 1; four times the room */
};

static size_t table_at(const struct states *states, const uint64_t *key)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t w = 0; w < states->stride; w++) {
        hash = (hash ^ key[w]) * 0x100000001b3U;
        hash ^= hash >> 29;
    }
    return hash % (4 * states->room);
}

static void table_put(struct states *states, size_t i)
{
    size_t at = table_at(states, states->keys + i * states->stride);
    while (states->table[at] != 0)
        at = (at + 1) % (4 * states->room);
    states->table[at] = (uint32_t)i + 1;
}

static void states_grow(struct states *states, size_t room)
{
    const struct states old = *states;
    states->room = room;
    states->keys = arena_array(states->arena, room * states->stride, sizeof *states->keys);
    states->width = arena_array(states->arena, room, sizeof *states->width);
    states->present = arena_array(states->arena, room, sizeof *states->present);
    states->table = arena_array(states->arena, 4 * room, sizeof *states->table);
    if (old.n == 0)
        return;
    memcpy(states->keys, old.keys, old.n * old.stride * sizeof *old.keys);
    memcpy(states->width, old.width, old.n * sizeof *old.width);
    memcpy(states->present, old.present, old.n * sizeof *old.present);
    for (size_t i = 0; i < old.n; i++)
        table_put(states, i);
}

static struct states states_new(struct arena *arena, size_t stride)
{
    struct states states = {.arena = arena, .stride = stride};
    states_grow(&states, 16);
    return states;
}

static void states_empty(struct states *states)
{
    states->n = 0;
    memset(states->table, 0, 4 * states->room * sizeof *states->table);
}

/* False: there is no room for another one. */
static bool states_add(struct states *states, const uint64_t *key, double width, bool present)
{
    for (size_t at = table_at(states, key); states->table[at] != 0; at = (at + 1) % (4 * states->room)) {
        const size_t i = states->table[at] - 1;
        if (memcmp(states->keys + i * states->stride, key, states->stride * sizeof *key) != 0)
            continue;
        states->width[i] += width;
        states->present[i] = states->present[i] || present;
        return true;
    }
    if (states->n == STATES_MAX || (states->n + 1) * states->stride > STATES_WORDS_MAX)
        return false;
    if (states->n == states->room)
        states_grow(states, 2 * states->room);
    memcpy(states->keys + states->n * states->stride, key, states->stride * sizeof *key);
    states->width[states->n] = width;
    states->present[states->n] = present;
    table_put(states, states->n++);
    return true;
}

static int widest_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->width != y->width)
        return x->width > y->width ? -1 : 1;
    for (size_t w = 0; w < x->stride; w++)
        if (x->key[w] != y->key[w])
            return x->key[w] > y->key[w] ? -1 : 1;
    return 0;
}

/* The widest COMBINATION_CLASSES_MAX of them, in order. False: there were more. */
static bool states_rank(struct states *to, const struct states *from, struct reading *reading)
{
    struct ranked *ranked = reading->ranked;
    if (!spend(reading, from->n, RANK_STEPS + from->stride))
        return false;
    states_empty(to);
    for (size_t i = 0; i < from->n; i++)
        ranked[i] = (struct ranked){from->width[i], from->keys + i * from->stride, i, from->stride};
    qsort(ranked, from->n, sizeof *ranked, widest_first);
    bool all = true;
    for (size_t i = 0; i < from->n && all; i++) {
        all = i < COMBINATION_CLASSES_MAX;
        if (all)
            all = states_add(to, ranked[i].key, ranked[i].width, from->present[ranked[i].number]);
    }
    return all;
}

static bool any_group(const uint64_t *key, size_t words)
{
    for (size_t w = 0; w < words; w++)
        if (key[w] != 0)
            return true;
    return false;
}

/* What the factors of single attributes leave of the groups, class by class of one attribute. */
static uint64_t *masks_of(struct reading *reading, size_t a, size_t words)
{
    const struct attribute *attribute = &reading->attributes[a];
    uint64_t nodes = reading->n_factors + attribute->n_leaves + words;
    for (size_t f = 0; f < reading->n_factors; f++)
        nodes += reading->factors[f].attribute == a ? reading->factors[f].node->size : 0;
    if (!spend(reading, attribute->n_classes + 1, nodes))
        return NULL;
    uint64_t *masks = arena_array(reading->arena, attribute->n_classes * words, sizeof *masks);
    uint8_t *codes = reading->codes;
    memset(masks, 0xff, attribute->n_classes * words * sizeof *masks);
    for (size_t c = 0; c < attribute->n_classes; c++) {
        for (size_t l = 0; l < attribute->n_leaves; l++)
            codes[attribute->leaves[l]] = attribute->codes[c * attribute->n_leaves + l];
        for (size_t f = 0; f < reading->n_factors; f++) {
            const struct factor *factor = &reading->factors[f];
            if (factor->attribute == a && code_at(factor->node, codes) != 1)
                masks[c * words + factor->group / WORD_BITS] &= ~(UINT64_C(1) << factor->group % WORD_BITS);
        }
    }
    return masks;
}

static bool split(struct states *to, const struct states *from, struct reading *reading, size_t a,
                  size_t words)
{
    const struct attribute *attribute = &reading->attributes[a];
    const uint64_t *masks = masks_of(reading, a, words);
    uint64_t *key = reading->key;
    bool room = true;
    if (masks == NULL || !spend(reading, from->n * attribute->n_classes, STATE_STEPS + from->stride))
        return false;
    states_empty(to);
    for (size_t i = 0; i < from->n; i++)
        for (size_t c = 0; c < attribute->n_classes; c++) {
            memcpy(key, from->keys + i * from->stride, from->stride * sizeof *key);
            for (size_t w = 0; w < words; w++)
                key[w] &= masks[c * words + w];
            if (attribute->kept != SIZE_MAX)
                key[words + attribute->kept] = c;
            if (any_group(key, words))
                room = states_add(to, key, from->width[i] * attribute->width[c], from->present[i] && c > 0) &&
                       room;
        }
    return room;
}

/* The factors that read several attributes, once the classes of all of them are known. */
static void settle(struct states *to, const struct states *from, struct reading *reading, size_t words)
{
    uint8_t *codes = reading->codes;
    uint64_t *key = reading->key;
    uint64_t nodes = reading->n_attributes + reading->n_leaves + reading->n_factors;
    for (size_t f = 0; f < reading->n_factors; f++)
        nodes += reading->factors[f].attribute == SIZE_MAX ? reading->factors[f].node->size : 0;
    if (!spend(reading, from->n, STATE_STEPS + from->stride + nodes))
        return;
    states_empty(to);
    for (size_t i = 0; i < from->n; i++) {
        memcpy(key, from->keys + i * from->stride, from->stride * sizeof *key);
        for (size_t a = 0; a < reading->n_attributes; a++) {
            const struct attribute *attribute = &reading->attributes[a];
            for (size_t l = 0; attribute->kept != SIZE_MAX && l < attribute->n_leaves; l++)
                codes[attribute->leaves[l]] =
                    attribute->codes[key[words + attribute->kept] * attribute->n_leaves + l];
        }
        for (size_t f = 0; f < reading->n_factors; f++) {
            const struct factor *factor = &reading->factors[f];
            if (factor->attribute == SIZE_MAX && code_at(factor->node, codes) != 1)
                key[factor->group / WORD_BITS] &= ~(UINT64_C(1) << factor->group % WORD_BITS);
        }
        memset(key + words, 0, (from->stride - words) * sizeof *key);
        if (any_group(key, words))
            (void)!states_add(to, key, from->width[i], from->present[i]);
    }
}

/* --- the whole --- */

static void keep(struct reading *reading, const struct node *node, size_t *n_kept)
{
    if (node->leaf != SIZE_MAX) {
        struct attribute *attribute = &reading->attributes[reading->leaves[node->leaf].attribute];
        if (attribute->kept == SIZE_MAX)
            attribute->kept = (*n_kept)++;
    }
    for (size_t i = 0; i < node->n; i++)
        keep(reading, node->children[i], n_kept);
}

/* Returns the bitmap of the groups that can be compared. */
static uint64_t *read_groups(struct reading *reading, const struct combination_group *groups, size_t n,
                             size_t words)
{
    uint64_t *good = arena_array(reading->arena, words + 1, sizeof *good);
    for (size_t g = 0; g < n; g++) {
        reading->reader = reader_of(groups[g].form, groups[g].length);
        reading->left = NODES_MAX;
        const struct node *node = groups[g].length <= FORM_BYTES_MAX ? read_node(reading, 0) : NULL;
        if (node == NULL || !reader_done(&reading->reader))
            continue;
        good[g / WORD_BITS] |= UINT64_C(1) << g % WORD_BITS;
        factors_of(reading, node, g);
    }
    return good;
}

/* Of a factor that reads nothing: false for everybody or true for everybody. */
static void settle_constants(const struct reading *reading, uint64_t *good)
{
    const uint8_t no_leaf = 0;
    for (size_t f = 0; f < reading->n_factors; f++) {
        const struct factor *factor = &reading->factors[f];
        if (factor->attribute == SIZE_MAX - 1 && code_at(factor->node, &no_leaf) != 1)
            good[factor->group / WORD_BITS] &= ~(UINT64_C(1) << factor->group % WORD_BITS);
    }
}

static void take(struct combination *combination, const struct states *states)
{
    const size_t words = combination->words;
    uint64_t *classes = arena_array(combination->arena, states->n * words + 1, sizeof *classes);
    bool *present = arena_array(combination->arena, states->n + 1, sizeof *present);
    for (size_t i = 0; i < states->n; i++) {
        memcpy(classes + i * words, states->keys + i * states->stride, words * sizeof *classes);
        present[i] = states->present[i];
    }
    combination->n_classes = states->n;
    combination->classes = classes;
    combination->present = present;
}

enum maille_code combination_classes(struct combination *combination, const struct combination_group *groups,
                                     struct maille_error *error)
{
    const size_t words = combination->words;
    struct reading reading = {.arena = arena_new(), .work = work_max};
    size_t n_kept = 0;
    if (reading.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for classes of patients");
    uint64_t *good = read_groups(&reading, groups, combination->n_groups, words);
    settle_constants(&reading, good);
    for (size_t f = 0; f < reading.n_factors; f++)
        if (reading.factors[f].attribute == SIZE_MAX)
            keep(&reading, reading.factors[f].node, &n_kept);
    struct states now = states_new(reading.arena, words + n_kept),
                  next = states_new(reading.arena, words + n_kept);
    reading.codes = arena_array(reading.arena, reading.n_leaves + 1, 1);
    reading.key = arena_array(reading.arena, words + n_kept + 1, sizeof *reading.key);
    reading.ranked = arena_array(reading.arena, STATES_MAX, sizeof *reading.ranked);
    memcpy(reading.key, good, words * sizeof *reading.key);
    combination->whole =
        words == 0 || !any_group(reading.key, words) || states_add(&now, reading.key, 1, true);
    for (size_t a = 0; a < reading.n_attributes && !reading.crowded; a++) {
        attribute_classes(&reading, a);
        combination->whole = split(&next, &now, &reading, a, words) && combination->whole;
        combination->whole = states_rank(&now, &next, &reading) && combination->whole;
    }
    settle(&next, &now, &reading, words);
    combination->whole = states_rank(&now, &next, &reading) && combination->whole;
    combination->crowded = reading.crowded;
    if (!reading.crowded)
        take(combination, &now);
    arena_free(reading.arena);
    return MAILLE_OK;
}
