#include "stats/method.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void vector_clear(struct vector *vector)
{
    free(vector->v);
    *vector = (struct vector){0};
}

double *vector_grow(struct vector *vector, size_t n)
{
    size_t need;
    if (__builtin_add_overflow(vector->n, n, &need) || need > SIZE_MAX / (2 * sizeof(double)))
        abort(); /* n comes from a plan whose size was limited */
    if (need > vector->capacity) {
        size_t capacity = need < 64 ? 64 : need + need / 2;
        double *v = realloc(vector->v, capacity * sizeof *v);
        if (v == NULL) {
            fputs("maille: out of memory for the state of an analysis; the program stops\n", stderr);
            abort();
        }
        vector->v = v;
        vector->capacity = capacity;
    }
    double *first = vector->v == NULL ? NULL : vector->v + vector->n; /* n is 0 then */
    assert(first != NULL || n == 0);
    for (size_t i = 0; i < n; i++)
        first[i] = 0.0;
    vector->n = need;
    return first;
}

void vector_push(struct vector *vector, double value)
{
    *vector_grow(vector, 1) = value;
}

void vector_truncate(struct vector *vector, size_t n)
{
    if (n < vector->n)
        vector->n = n;
}

int64_t totals_count(const struct totals *totals, size_t block, size_t index)
{
    return tally_count(totals->words, &totals->extents[block], index);
}

double totals_real(const struct totals *totals, size_t block, size_t index)
{
    return tally_real(totals->words, &totals->extents[block], index);
}

f128 totals_quad(const struct totals *totals, size_t block, size_t index)
{
    return tally_quad(totals->words, &totals->extents[block], index);
}

int64_t totals_heads(f128 number)
{
    static const int64_t most = INT64_C(1) << 40;
    if (!(number > 0))
        return 0;
    return number > (f128)most ? most : (int64_t)number;
}

bool surviving_kept(const struct surviving *surviving, size_t block, size_t cell)
{
    return surviving == NULL || surviving->kept[block][cell] != 0;
}

int64_t surviving_rounded(const struct surviving *surviving, int64_t heads)
{
    return surviving == NULL ? heads : (int64_t)result_rounded((double)heads, surviving->round_counts);
}

bool surviving_covariance(const struct surviving *surviving)
{
    return surviving == NULL || !surviving->no_covariance;
}

const uint8_t *surviving_mask(const struct surviving *surviving, size_t block)
{
    return surviving == NULL ? NULL : surviving->kept[block];
}

size_t surviving_end(const uint8_t *kept, size_t n)
{
    size_t end = 0;
    while (end < n && kept[end] != 0)
        end++;
    return end == n ? n : end > 0 ? end - 1 : 0;
}

int64_t surviving_least(const struct surviving *surviving)
{
    return surviving == NULL || surviving->min_cell < 1 ? 1 : (int64_t)surviving->min_cell;
}

const struct surviving *surviving_from(const struct surviving *surviving, size_t first, struct arena *arena)
{
    if (surviving == NULL)
        return NULL;
    struct surviving *rest = arena_alloc(arena, sizeof *rest);
    *rest = *surviving;
    rest->n_blocks -= first;
    rest->kept += first;
    return rest;
}
