#include "cli/sandbox_synthetic.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "cli/sandbox_split.h"
#include "registry/csv.h"

enum { MISSING_ONE_IN = 50, BELL = 4 };

#define LEVEL_NONE SIZE_MAX

struct source {
    const struct dictionary *dictionary;
    struct arena *arena;
    uint64_t random;
    /* Dates in an order in which each comes after all that it may not be before; and the last day that leaves
     * room for those that follow it. */
    uint32_t *dates;
    size_t n_dates;
    double *latest, *day; /* of each variable; day: of the patient at hand */
    size_t *level;        /* likewise; LEVEL_NONE: missing, or not drawn yet */
};

/* In [0, 1). */
static double uniform(struct source *s)
{
    return ldexp((double)(sandbox_split_random(&s->random) >> 11), -53);
}

/* Falls off exponentially from 0. */
static double exponential(struct source *s, double mean)
{
    return -log1p(-uniform(s)) * mean;
}

/* --- dates --- */

/* Calls each for the neighbours in every order, earlier first. */
typedef bool each_pair(struct source *s, uint32_t before, uint32_t after);
static bool for_pairs(struct source *s, each_pair *each)
{
    bool changed = false;
    for (size_t k = 0; k < s->dictionary->n_orders; k++)
        for (size_t i = 1; i < s->dictionary->orders[k].n; i++)
            if (each(s, s->dictionary->orders[k].variables[i - 1], s->dictionary->orders[k].variables[i]))
                changed = true;
    return changed;
}

static bool leave_room(struct source *s, uint32_t before, uint32_t after)
{
    if (s->latest[before] <= s->latest[after])
        return false;
    s->latest[before] = s->latest[after];
    return true;
}

static bool follow(struct source *s, uint32_t before, uint32_t after)
{
    if (s->day[after] >= s->day[before])
        return false;
    s->day[after] = s->day[before];
    return true;
}

/* Is `date` among the dates that stand already? */
static bool stands(const struct source *s, uint32_t date)
{
    for (size_t i = 0; i < s->n_dates; i++)
        if (s->dates[i] == date)
            return true;
    return false;
}

static bool may_stand(const struct source *s, uint32_t date)
{
    for (size_t k = 0; k < s->dictionary->n_orders; k++) {
        const struct date_order *order = &s->dictionary->orders[k];
        for (size_t i = 1; i < order->n; i++)
            if (order->variables[i] == date && !stands(s, order->variables[i - 1]))
                return false;
    }
    return true;
}

static enum maille_code order_dates(struct source *s, struct maille_error *error)
{
    const struct dictionary *d = s->dictionary;
    size_t wanted = 0;
    s->dates = arena_array(s->arena, d->n_variables + 1, sizeof *s->dates);
    s->latest = arena_array(s->arena, d->n_variables + 1, sizeof *s->latest);
    s->day = arena_array(s->arena, d->n_variables + 1, sizeof *s->day);
    for (size_t v = 0; v < d->n_variables; v++) {
        s->latest[v] = d->variables[v].max;
        s->day[v] = d->variables[v].min;
        wanted += d->variables[v].type == VARIABLE_DATE;
    }
    for (bool moved = true; moved && s->n_dates < wanted;) {
        moved = false;
        for (uint32_t v = 0; v < d->n_variables; v++)
            if (d->variables[v].type == VARIABLE_DATE && !stands(s, v) && may_stand(s, v)) {
                s->dates[s->n_dates++] = v;
                moved = true;
            }
    }
    if (s->n_dates < wanted)
        return maille_fail(error, MAILLE_INVALID,
                           "expected orders of dates that can be kept, found dates that follow each other in "
                           "a circle; see `order` in the dictionary");
    while (for_pairs(s, leave_room))
        continue;
    while (for_pairs(s, follow)) /* the first days that are possible */
        continue;
    for (size_t v = 0; v < d->n_variables; v++)
        if (d->variables[v].type == VARIABLE_DATE && s->day[v] > s->latest[v])
            return maille_fail(error, MAILLE_INVALID,
                               "expected bounds that leave room for the order of dates, found none for `%s`; "
                               "see `order`, `min` and `max` in the dictionary",
                               d->variables[v].name);
    return MAILLE_OK;
}

/* The dates of one patient. */
static void draw_dates(struct source *s)
{
    const struct dictionary *d = s->dictionary;
    for (size_t i = 0; i < s->n_dates; i++) {
        const uint32_t v = s->dates[i];
        double first = d->variables[v].min, last = s->latest[v];
        bool follows = false;
        for (size_t k = 0; k < d->n_orders; k++)
            for (size_t j = 1; j < d->orders[k].n; j++)
                if (d->orders[k].variables[j] == v) {
                    first = fmax(first, s->day[d->orders[k].variables[j - 1]]);
                    follows = true;
                }
        s->day[v] = follows ? fmin(first + floor(exponential(s, (last - first) / 3)), last)
                            : first + floor(uniform(s) * (last - first + 1));
    }
}

/* --- values --- */

static double draw_steps(struct source *s, const struct variable *v)
{
    double least, greatest, sum = 0;
    dictionary_steps(v, &least, &greatest);
    const double range = greatest - least;
    if (v->type == VARIABLE_DURATION) /* never 0, of which there is no logarithm and no rate */
        return least + fmin(ceil(exponential(s, range / 3)), range);
    if (v->min == 0)
        return least + fmin(floor(exponential(s, range / 6) + exponential(s, range / 6)), range);
    for (int i = 0; i < BELL; i++)
        sum += uniform(s);
    return least + floor(sum / BELL * (range + 1));
}

/* The first of n levels n times as often as the last. */
static size_t draw_level(struct source *s, size_t n)
{
    double left = uniform(s) * (double)n * (double)(n + 1) / 2;
    size_t k = 0;
    while (k + 1 < n && left >= (double)(n - k)) {
        left -= (double)(n - k);
        k++;
    }
    return k;
}

/* Would the patient at hand be one that the dictionary rules out? */
static bool is_impossible(const struct source *s)
{
    for (size_t k = 0; k < s->dictionary->n_impossible; k++) {
        const struct impossible *impossible = &s->dictionary->impossible[k];
        bool all = true;
        for (size_t i = 0; i < impossible->n && all; i++) {
            const size_t level = s->level[impossible->parts[i].variable];
            all = level != LEVEL_NONE && impossible->parts[i].levels[level];
        }
        if (all)
            return true;
    }
    return false;
}

static void put_cell(struct bytes *out, const char *text)
{
    if (strpbrk(text, ",;\t\"\r\n") != NULL || text[0] == ' ' || text[0] == '\'')
        csv_put_quoted(out, text);
    else
        bytes_put_text(out, text);
}

static void put_value(struct bytes *out, struct source *s, size_t index)
{
    const struct variable *v = &s->dictionary->variables[index];
    char text[32];
    const bool missing = uniform(s) * MISSING_ONE_IN < 1;
    switch (v->type) {
    case VARIABLE_CATEGORY:
    case VARIABLE_BOOLEAN: {
        s->level[index] = draw_level(s, v->n_levels);
        if (missing || is_impossible(s))
            s->level[index] = LEVEL_NONE;
        put_cell(out, s->level[index] == LEVEL_NONE ? "" : v->levels[s->level[index]]);
        return;
    }
    case VARIABLE_DATE:
        number_format_date(text, (int32_t)s->day[index]);
        break;
    case VARIABLE_INTEGER:
    case VARIABLE_REAL:
    case VARIABLE_DURATION:
        number_format_double(text, dictionary_value(v, draw_steps(s, v)));
        break;
    }
    put_cell(out, missing ? "" : text);
}

enum maille_code sandbox_synthetic(struct bytes *out, const struct dictionary *dictionary, uint64_t n,
                                   uint64_t seed, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct source s = {.dictionary = dictionary, .arena = arena_new(), .random = seed};
    char key[40];
    if (s.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(order_dates(&s, error));
    s.level = arena_array(s.arena, dictionary->n_variables + 1, sizeof *s.level);
    put_cell(out, dictionary->key);
    for (size_t v = 0; v < dictionary->n_variables; v++) {
        bytes_put_u8(out, ',');
        put_cell(out, dictionary->variables[v].name);
    }
    bytes_put_u8(out, '\n');
    for (uint64_t i = 1; i <= n && !out->failed; i++) {
        snprintf(key, sizeof key, "synthetic-%07llu", (unsigned long long)i);
        put_cell(out, key);
        draw_dates(&s);
        for (size_t v = 0; v < dictionary->n_variables; v++)
            s.level[v] = LEVEL_NONE;
        for (size_t v = 0; v < dictionary->n_variables; v++) {
            bytes_put_u8(out, ',');
            put_value(out, &s, v);
        }
        bytes_put_u8(out, '\n');
    }
    code = bytes_check(out, error);
out:
    arena_free(s.arena);
    return code;
}
