#include "tests/attacks/combine.h"

#include <stdlib.h>
#include <string.h>

enum { NARROW = 32 };

/* A sum of one or two groups. */
struct half {
    int8_t of[KINDS];
    int8_t coefficients[2];
    uint8_t groups[2];
    uint8_t n;
};

/* Kinds, those with most patients first, so that what is wide is seen at once. */
struct order {
    size_t kinds[KINDS];
    size_t patients[KINDS];
};

static void order_kinds(struct order *order, const size_t patients[KINDS])
{
    for (size_t i = 0; i < KINDS; i++) {
        size_t at = i;
        for (; at > 0 && order->patients[at - 1] < patients[i]; at--) {
            order->patients[at] = order->patients[at - 1];
            order->kinds[at] = order->kinds[at - 1];
        }
        order->patients[at] = patients[i];
        order->kinds[at] = i;
    }
}

static size_t halves_make(struct half *halves, const struct shown_group *groups, size_t n,
                          const struct order *order)
{
    size_t n_halves = 0;
    for (size_t i = 0; i < n; i++)
        for (int a = 1; a <= 2; a++) {
            struct half *half = &halves[n_halves++];
            *half = (struct half){.coefficients = {(int8_t)a, 0}, .groups = {(uint8_t)i, 0}, .n = 1};
            for (size_t k = 0; k < KINDS; k++)
                half->of[k] = (int8_t)(groups[i].group.has[order->kinds[k]] ? a : 0);
        }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            for (int b = -1; b <= 1; b += 2) {
                struct half *half = &halves[n_halves++];
                *half =
                    (struct half){.coefficients = {1, (int8_t)b}, .groups = {(uint8_t)i, (uint8_t)j}, .n = 2};
                for (size_t k = 0; k < KINDS; k++)
                    half->of[k] = (int8_t)((groups[i].group.has[order->kinds[k]] ? 1 : 0) +
                                           (groups[j].group.has[order->kinds[k]] ? b : 0));
            }
    return n_halves;
}

/* Patients where u + sign·v is not 0, up to `enough`; nothing: whether it is 0 everywhere. */
static size_t support(bool *nothing, const int8_t *u, const int8_t *v, int sign, const struct order *order,
                      size_t enough)
{
    size_t patients = 0;
    bool all = true;
    for (size_t k = 0; k < KINDS && patients < enough; k++)
        if (u[k] + sign * v[k] != 0) {
            patients += order->patients[k];
            all = false;
        }
    *nothing = all;
    return patients;
}

/* One that goes on: its vector beside it. */
struct narrow {
    struct narrowest combined;
    int8_t of[KINDS];
};

static void put_half(struct narrowest *combined, const struct half *half, int sign)
{
    for (size_t t = 0; t < half->n; t++) {
        size_t at = 0;
        while (at < combined->n_terms && combined->terms[at].group != half->groups[t])
            at++;
        if (at == combined->n_terms) {
            combined->terms[at].group = half->groups[t];
            combined->terms[at].coefficient = 0;
            combined->n_terms++;
        }
        combined->terms[at].coefficient += sign * half->coefficients[t];
    }
}

static void keep(struct narrow *list, size_t *n, const struct narrow *one)
{
    size_t at = *n;
    if (*n == NARROW && list[NARROW - 1].combined.support <= one->combined.support)
        return;
    if (*n < NARROW)
        (*n)++;
    else
        at--;
    for (; at > 0 && list[at - 1].combined.support > one->combined.support; at--)
        list[at] = list[at - 1];
    list[at] = *one;
}

static void try(struct narrowest *best, struct narrow *list, size_t *n_list, const struct narrowest *before,
                const int8_t *u, const struct half *v, int sign, const struct order *order, size_t wide)
{
    bool nothing;
    const size_t enough = *n_list == NARROW ? list[NARROW - 1].combined.support : wide;
    size_t patients = support(&nothing, u, v->of, sign, order, enough);
    if (patients >= enough || nothing)
        return;
    struct narrow one = {.combined = *before};
    one.combined.found = true;
    one.combined.support = patients;
    put_half(&one.combined, v, sign);
    for (size_t k = 0; k < KINDS; k++)
        one.of[k] = (int8_t)(u[k] + sign * v->of[k]);
    if (!best->found || patients < best->support)
        *best = one.combined;
    keep(list, n_list, &one);
}

struct narrowest combine_least(const struct shown_group *groups, size_t n, const size_t patients[KINDS],
                               size_t least)
{
    struct narrowest best = {0};
    struct order order = {{0}, {0}};
    static const int8_t zeros[KINDS];
    n = n < COMBINE_GROUPS_MAX ? n : COMBINE_GROUPS_MAX;
    struct half *halves = calloc(2 * n + n * n + 1, sizeof *halves);
    struct narrow *lists = calloc(2 * NARROW, sizeof *lists), *list = lists, *next = lists + NARROW;
    if (halves == NULL || lists == NULL)
        abort();
    order_kinds(&order, patients);
    size_t n_halves = halves_make(halves, groups, n, &order), n_list = 0;
    for (size_t i = 0; i < n_halves; i++) {
        struct narrowest start = {0};
        try(&best, list, &n_list, &start, zeros, &halves[i], 1, &order, 8 * least);
        put_half(&start, &halves[i], 1);
        for (size_t j = i + 1; j < n_halves; j++)
            for (int sign = -1; sign <= 1; sign += 2)
                try(&best, list, &n_list, &start, halves[i].of, &halves[j], sign, &order, 8 * least);
    }
    for (size_t turn = 0; turn < 2; turn++) {
        size_t n_next = 0;
        for (size_t i = 0; i < n_list; i++)
            for (size_t j = 0; j < n_halves && list[i].combined.n_terms + 2 <= COMBINE_TERMS_MAX; j++)
                for (int sign = -1; sign <= 1; sign += 2)
                    try(&best, next, &n_next, &list[i].combined, list[i].of, &halves[j], sign, &order,
                        8 * least);
        struct narrow *swap = list;
        list = next;
        next = swap;
        n_list = n_next;
    }
    free(halves);
    free(lists);
    best.found = best.found && best.support < least;
    return best;
}
