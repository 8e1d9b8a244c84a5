/* Standardised differences and tests of a table 1, of the numbers that it shows.
 * Difference: (m₂ − m₁)/√((s²₁ + s²₂)/2), s² = p(1 − p) of a level (Austin, Stat Med 2009;28:3083), as smd.
 * Test of a number: Welch's (t.test; of three groups and more oneway.test). Of a category: Pearson's χ²
 * without correction (chisq.test(correct = FALSE)); in 2 × 2 with an expected count below 5 Fisher's
 * (fisher.test). */
#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/chisq.h"
#include "stats/fisher.h"
#include "stats/means.h"
#include "stats/table1.h"
#include "stats/wording.h"

bool table1_row_is(const struct result *row, const char *variable, const char *by, const char *level)
{
    return result_same(result_text(row, "variable"), variable) && result_same(result_text(row, "by"), by) &&
           result_same(result_text(row, "level"), level);
}

/* The row of a variable (and its level) in a group of `by`; NULL: nobody of the group is there. */
static const struct result *find_row(const struct outcome *outcome, const char *variable, const char *value,
                                     const struct result *group)
{
    const struct result *rows = result_get(outcome->result, "variables");
    for (size_t i = 0; i < rows->n; i++)
        if (table1_row_is(rows->items[i], variable, result_text(group, "by"), result_text(group, "level")) &&
            result_same(result_text(rows->items[i], "value"), value))
            return rows->items[i];
    return NULL;
}

/* The groups of `by`, without the column of all. */
static const struct result **groups_compared(size_t *n, const struct outcome *outcome)
{
    const struct result *groups = result_get(outcome->result, "groups");
    const struct result **list = arena_array(outcome->arena, groups->n, sizeof *list);
    *n = 0;
    for (size_t g = 0; g < groups->n; g++)
        if (result_text(groups->items[g], "by") != NULL)
            list[(*n)++] = groups->items[g];
    return list;
}

/* What is compared: the groups, and which comparisons are asked for. */
struct comparison {
    struct outcome *outcome;
    struct result *list;
    bool smd, p;
    const struct result **groups;
    size_t n_groups;
};

static struct result *add_comparison(const struct comparison *c, const char *variable, const char *value)
{
    struct result *row = result_add_object(c->list, NULL);
    result_add_string(row, "variable", variable);
    result_add_string(row, "value", value);
    return row;
}

/* The second group minus the first; NaN where either is not known or does not vary. */
static void add_difference(const struct comparison *c, struct result *row, const double means[2],
                           const double variances[2])
{
    double pooled = c->n_groups == 2 ? (variances[0] + variances[1]) / 2 : NAN;
    if (c->smd)
        result_add_number(row, "smd", pooled > 0 ? (means[1] - means[0]) / sqrt(pooled) : NAN);
}

/* test NULL: none. */
static void add_p(const struct comparison *c, struct result *row, const char *test, double p)
{
    if (!c->p)
        return;
    result_add_string(row, "test", test);
    result_add_number(row, "p_value", test == NULL ? NAN : p);
}

static void compare_number(const struct comparison *c, const char *variable)
{
    struct means_level *levels = arena_array(c->outcome->arena, c->n_groups + 1, sizeof *levels);
    double means[2] = {NAN, NAN}, variances[2] = {NAN, NAN};
    struct means_test welch = {0};
    bool can = true;
    size_t k = 0;
    for (size_t g = 0; g < c->n_groups; g++) {
        const struct result *found = find_row(c->outcome, variable, NULL, c->groups[g]);
        double n = result_number(found, "n"), sd = result_number(found, "sd");
        if (g < 2) {
            means[g] = result_number(found, "mean");
            variances[g] = sd * sd;
        }
        if (n <= 0) /* nobody of the group has a value */
            continue;
        can = can && n > 1 && sd > 0;
        levels[k++] = (struct means_level){.n = n,
                                           .mean = (f128)result_number(found, "mean"),
                                           .squares = (f128)sd * (f128)sd * (f128)(n - 1)};
    }
    can = can && k > 1;
    if (can)
        means_welch(&welch, levels, k);
    else if (c->p)
        wording_warn(c->outcome,
                     "no test of %s: groups are withheld, or have fewer than two different values", variable);
    struct result *row = add_comparison(c, variable, NULL);
    add_difference(c, row, means, variances);
    add_p(c, row,
          !can     ? NULL
          : k == 2 ? "t.test"
                   : "oneway.test",
          pf(welch.statistic, welch.df1, welch.df2, 0, 0));
}

/* A category by group: counts of levels that somebody has × groups; a count is −1 where it is withheld. */
struct counts {
    const char **levels;
    size_t n_levels;
    double *counts;
    bool all_known;
};

static void counts_read(struct counts *counts, const struct comparison *c, const char *variable)
{
    const struct result *rows = result_get(c->outcome->result, "variables");
    struct arena *arena = c->outcome->arena;
    *counts =
        (struct counts){.levels = arena_array(arena, rows->n, sizeof *counts->levels), .all_known = true};
    for (size_t i = 0; i < rows->n; i++) {
        const struct result *row = rows->items[i];
        const char *value = result_text(row, "value");
        size_t l = 0;
        while (l < counts->n_levels && !result_same(counts->levels[l], value))
            l++;
        if (result_same(result_text(row, "variable"), variable) && result_text(row, "by") != NULL &&
            l == counts->n_levels)
            counts->levels[counts->n_levels++] = value;
    }
    counts->counts = arena_array(arena, counts->n_levels * c->n_groups + 1, sizeof *counts->counts);
    for (size_t l = 0; l < counts->n_levels; l++)
        for (size_t g = 0; g < c->n_groups; g++) {
            double n = result_number(find_row(c->outcome, variable, counts->levels[l], c->groups[g]), "n");
            counts->counts[l * c->n_groups + g] = isnan(n) ? -1 : n;
            counts->all_known = counts->all_known && !isnan(n);
        }
}

/* χ², or Fisher's test; groups of which nobody has a level are left out. */
static void test_counts(const struct comparison *c, const struct counts *counts, const char *variable,
                        struct result *row)
{
    int64_t *table = arena_array(c->outcome->arena, counts->n_levels * c->n_groups + 1, sizeof *table);
    struct chisq chisq;
    size_t n = 0;
    for (size_t g = 0; g < c->n_groups; g++) { /* transposed: groups × levels */
        double all = 0;
        for (size_t l = 0; l < counts->n_levels; l++) {
            all += counts->counts[l * c->n_groups + g];
            table[n * counts->n_levels + l] = totals_heads((f128)counts->counts[l * c->n_groups + g]);
        }
        n += all > 0;
    }
    if (!counts->all_known || n < 2 || counts->n_levels < 2) {
        wording_warn(c->outcome,
                     counts->all_known ? "no test of %s: all patients are in one level or group"
                                       : "no test of %s: a test of all cells would tell those "
                                         "that are withheld",
                     variable);
        add_p(c, row, NULL, NAN);
        return;
    }
    chisq_test(&chisq, table, n, counts->n_levels);
    if (chisq.least_expected < 5 && n == 2 && counts->n_levels == 2) {
        struct fisher fisher;
        fisher_test(&fisher, table, 0.95);
        add_p(c, row, "fisher.test", fisher.p_value);
        return;
    }
    if (chisq.least_expected < 5)
        wording_warn(c->outcome, "the χ² approximation for %s may be poor: an expected count is below 5",
                     variable);
    add_p(c, row, "chisq.test", chisq_p(chisq.plain, chisq.df));
}

static void compare_category(const struct comparison *c, const char *variable)
{
    struct counts counts;
    struct result *row = add_comparison(c, variable, NULL);
    counts_read(&counts, c, variable);
    if (c->smd)
        result_add_null(row, "smd");
    if (c->p)
        test_counts(c, &counts, variable, row);
    for (size_t l = 0; c->smd && l < counts.n_levels; l++) {
        double means[2] = {NAN, NAN}, variances[2] = {NAN, NAN};
        for (size_t g = 0; g < c->n_groups && g < 2; g++) {
            means[g] = result_number(find_row(c->outcome, variable, counts.levels[l], c->groups[g]), "share");
            variances[g] = means[g] * (1 - means[g]);
        }
        row = add_comparison(c, variable, counts.levels[l]);
        add_difference(c, row, means, variances);
        add_p(c, row, NULL, NAN);
    }
}

void table1_compare(struct outcome *outcome, const struct query_value *variables, bool smd, bool p)
{
    struct comparison c = {.outcome = outcome, .smd = smd, .p = p};
    if (!smd && !p)
        return;
    c.groups = groups_compared(&c.n_groups, outcome);
    c.list = result_add_list(outcome->result, "comparisons");
    if (c.smd && c.n_groups != 2)
        wording_warn(outcome, "no standardised differences: they are of two groups, and there are %zu",
                     c.n_groups);
    for (size_t i = 0; i < variables->n; i++) {
        if (variables->expressions[i]->kind == EXPRESSION_NUMBER)
            compare_number(&c, variables->names[i]);
        else
            compare_category(&c, variables->names[i]);
    }
}
