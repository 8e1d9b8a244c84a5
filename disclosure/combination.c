/* The echelon form. What stands behind it: combination_class.c. */
#include "disclosure/combination_class.h"

#include <string.h>

#include "base/number.h"

enum { WORD_BITS = 64 };

/* --- modulo 2^61 − 1 --- */

static uint64_t folded(uint64_t x)
{
    x = (x & COMBINATION_PRIME) + (x >> 61);
    return x >= COMBINATION_PRIME ? x - COMBINATION_PRIME : x;
}

static uint64_t times(uint64_t a, uint64_t b)
{
    const u128 product = (u128)a * b;
    return folded((uint64_t)(product & COMBINATION_PRIME) + (uint64_t)(product >> 61));
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a >= b ? a - b : a + COMBINATION_PRIME - b;
}

static uint64_t inverse(uint64_t a)
{
    uint64_t made = 1;
    for (uint64_t left = COMBINATION_PRIME - 2; left > 0; left >>= 1, a = times(a, a))
        if (left & 1)
            made = times(made, a);
    return made;
}

uint64_t combination_sum(const uint64_t *coefficients, const uint64_t *members, size_t words)
{
    uint64_t sum = 0;
    for (size_t w = 0; w < words; w++)
        for (uint64_t left = members[w]; left != 0; left &= left - 1)
            sum = folded(sum + coefficients[w * WORD_BITS + (size_t)__builtin_ctzll(left)]);
    return sum;
}

/* --- rows --- */

struct echelon {
    const struct combination *of;
    uint64_t **rows; /* coefficients: 1 in the class of its own pivot, 0 in those of the others */
    size_t *pivots, n;
    uint64_t *made; /* the next row */
};

static const uint64_t *class_at(const struct combination *combination, size_t class)
{
    return combination->classes + class * combination->words;
}

static bool has_group(const struct combination *combination, size_t class, size_t group)
{
    return (class_at(combination, class)[group / WORD_BITS] >> group % WORD_BITS & 1) != 0;
}

/* The group less what the rows say of it: 0 in the class of every pivot. */
static void reduce(struct echelon *echelon, size_t group)
{
    uint64_t *made = echelon->made;
    memset(made, 0, echelon->of->n_groups * sizeof *made);
    for (size_t i = 0; i < echelon->n; i++)
        for (size_t g = 0; g < group && has_group(echelon->of, echelon->pivots[i], group); g++)
            made[g] = less(made[g], echelon->rows[i][g]);
    made[group] = 1;
}

static enum maille_code add(struct echelon *echelon, size_t group, combination_row *row, void *context,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct combination *of = echelon->of;
    const bool new = group >= of->n_past;
    uint64_t *made = echelon->made, value = 0;
    size_t pivot = 0;
    reduce(echelon, group);
    while (pivot < of->n_classes && (value = combination_sum(made, class_at(of, pivot), of->words)) == 0)
        pivot++;
    if (pivot == of->n_classes)
        return new && !of->whole ? row(context, group, made, true, error) : MAILLE_OK;
    value = inverse(value);
    for (size_t g = 0; g <= group; g++)
        made[g] = times(made[g], value);
    if (new)
        MAILLE_TRY(row(context, group, made, false, error));
    for (size_t i = 0; i < echelon->n; i++) {
        uint64_t *other = echelon->rows[i];
        value = combination_sum(other, class_at(of, pivot), of->words);
        if (value == 0)
            continue;
        for (size_t g = 0; g <= group; g++)
            other[g] = less(other[g], times(value, made[g]));
        if (new)
            MAILLE_TRY(row(context, group, other, false, error));
    }
    echelon->rows[echelon->n] = made;
    echelon->pivots[echelon->n++] = pivot;
    echelon->made = NULL;
out:
    return code;
}

enum maille_code combination_rows(const struct combination *combination, combination_row *row, void *context,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t n = combination->n_groups;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for combinations of %zu groups", n);
    struct echelon echelon = {.of = combination,
                              .rows = arena_array(arena, n + 1, sizeof(uint64_t *)),
                              .pivots = arena_array(arena, n + 1, sizeof(size_t))};
    for (size_t group = 0; group < n; group++) {
        if (echelon.made == NULL)
            echelon.made = arena_array(arena, combination->words * WORD_BITS + 1, sizeof *echelon.made);
        MAILLE_TRY(add(&echelon, group, row, context, error));
    }
out:
    arena_free(arena);
    return code;
}

bool combination_of_present(const struct combination *combination, const uint64_t *coefficients)
{
    for (size_t c = 0; c < combination->n_classes; c++)
        if (combination->present[c] &&
            combination_sum(coefficients, class_at(combination, c), combination->words) != 0)
            return true;
    return false;
}

/* --- the whole --- */

enum maille_code combination_init(struct combination *combination, const struct combination_group *groups,
                                  size_t n_past, size_t n_groups, struct maille_error *error)
{
    struct combination made = {.arena = arena_new(),
                               .n_past = n_past,
                               .n_groups = n_groups,
                               .words = (n_groups + WORD_BITS - 1) / WORD_BITS};
    if (made.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for combinations of %zu groups", n_groups);
    const enum maille_code code = combination_classes(&made, groups, error);
    if (code == MAILLE_OK)
        *combination = made;
    else
        arena_free(made.arena);
    return code;
}

void combination_clear(struct combination *combination)
{
    arena_free(combination->arena);
    *combination = (struct combination){0};
}
