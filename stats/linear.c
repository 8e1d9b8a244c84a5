#include "stats/linear.h"

#include <string.h>

void linear_decompose(struct linear_factor *factor, struct arena *arena, const f128 *a, const f128 *floor,
                      const bool *aliased, size_t n)
{
    f128 *l = arena_array(arena, n * n + 1, sizeof *l);
    bool *out = arena_array(arena, n + 1, sizeof *out);
    f128 *scaled = arena_array(arena, n + 1, sizeof *scaled); /* L[j][k]·D[k] of the row at hand */
    size_t rank = 0;
    for (size_t j = 0; j < n; j++) {
        out[j] = aliased && aliased[j];
        /* Row j of L: forward substitution through the rows above it. */
        for (size_t i = 0; i < j; i++) {
            scaled[i] = 0;
            if (out[j] || out[i])
                continue;
            f128 sum = a[j * n + i];
            for (size_t k = 0; k < i; k++)
                sum -= scaled[k] * l[i * n + k];
            scaled[i] = sum;
            l[j * n + i] = sum / l[i * n + i];
        }
        f128 pivot = a[j * n + j];
        for (size_t k = 0; k < j; k++)
            pivot -= scaled[k] * l[j * n + k];
        if (!(pivot > floor[j])) /* NaN too */
            out[j] = true;
        if (out[j]) {
            memset(&l[j * n], 0, (j + 1) * sizeof *l);
            continue;
        }
        l[j * n + j] = pivot;
        rank++;
    }
    factor->n = n;
    factor->lower = l;
    factor->aliased = out;
    factor->rank = rank;
}

/* x := L⁻¹ x; aliased entries become 0. */
static void forward(const struct linear_factor *factor, f128 *x)
{
    size_t n = factor->n;
    for (size_t i = 0; i < n; i++) {
        if (factor->aliased[i]) {
            x[i] = 0;
            continue;
        }
        for (size_t k = 0; k < i; k++)
            x[i] -= factor->lower[i * n + k] * x[k];
    }
}

void linear_solve(const struct linear_factor *factor, f128 *x)
{
    size_t n = factor->n;
    forward(factor, x);
    for (size_t i = 0; i < n; i++)
        if (!factor->aliased[i])
            x[i] /= factor->lower[i * n + i];
    for (size_t i = n; i-- > 0;)
        for (size_t k = i + 1; k < n; k++)
            x[i] -= factor->lower[k * n + i] * x[k];
}

void linear_inverse(const struct linear_factor *factor, struct arena *arena, f128 *inverse)
{
    size_t n = factor->n;
    f128 *column = arena_array(arena, n + 1, sizeof *column);
    for (size_t j = 0; j < n; j++) {
        memset(column, 0, n * sizeof *column);
        if (!factor->aliased[j]) {
            column[j] = 1;
            linear_solve(factor, column);
        }
        for (size_t i = 0; i < n; i++)
            inverse[i * n + j] = column[i];
    }
    for (size_t i = 0; i < n; i++) /* symmetric to the last bit */
        for (size_t j = i + 1; j < n; j++)
            inverse[i * n + j] = inverse[j * n + i];
}

f128 linear_inverse_form(const struct linear_factor *factor, struct arena *arena, const f128 *x)
{
    size_t n = factor->n;
    f128 *y = arena_array(arena, n + 1, sizeof *y);
    memcpy(y, x, n * sizeof *y);
    forward(factor, y);
    f128 sum = 0;
    for (size_t i = 0; i < n; i++)
        if (!factor->aliased[i])
            sum += y[i] * y[i] / factor->lower[i * n + i];
    return sum;
}

f128 linear_form(const f128 *a, const f128 *x, size_t n)
{
    f128 sum = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            sum += x[i] * a[i * n + j] * x[j];
    return sum;
}

void linear_unpack(f128 *full, const f128 *upper, size_t n)
{
    size_t next = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            full[i * n + j] = full[j * n + i] = upper[next++];
}
