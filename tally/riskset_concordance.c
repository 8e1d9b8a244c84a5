/* Concordant and discordant pairs inside a site: a patient with an event against everybody who is at risk at
 * that time and has no event then (Harrell et al., JAMA 1982;247:2543; Therneau and Watson, "The concordance
 * statistic and the Cox model", 2017; concordance3.c of R's survival package). Of two who are compared the
 * one with the larger linear predictor should have the event first. O(n log n) by a Fenwick tree over the
 * ranks of eta (Fenwick, Softw Pract Exp 1994;24:327).
 *
 * A row's own pairs, concordant less discordant and all of them, are those at risk at its event (times from
 * the last to the first) and the events that it has seen (from the first to the last). Their squares and
 * product make the infinitesimal jackknife of the concordance, whatever the concordance of all sites will be.
 */
#include <stdlib.h>
#include <string.h>

#include "tally/riskset.h"

/* Weights of those at risk, by rank of eta; tree[0] is not used. */
struct ranked {
    double *tree;
    size_t n;
};

static void ranked_add(struct ranked *ranked, size_t rank, double weight)
{
    for (size_t i = rank + 1; i <= ranked->n; i += i & -i)
        ranked->tree[i] += weight;
}

/* Of the ranks below. */
static double ranked_below(const struct ranked *ranked, size_t rank)
{
    double sum = 0;
    for (size_t i = rank; i > 0; i -= i & -i)
        sum += ranked->tree[i];
    return sum;
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Rank of eta among the n distinct values. */
static size_t rank_of(const double *values, size_t n, double eta)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (values[middle] < eta)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t distinct_etas(double *values, const struct riskset_stratum *stratum)
{
    size_t n = 0;
    for (size_t i = 0; i < stratum->n; i++)
        values[i] = stratum->by_exit[i][ROW_ETA_OR_ARM];
    qsort(values, stratum->n, sizeof *values, compare_numbers);
    for (size_t i = 0; i < stratum->n; i++)
        if (n == 0 || values[i] != values[n - 1])
            values[n++] = values[i];
    return n;
}

/* What stands for one stratum while it is counted. */
struct counting {
    const struct riskset_stratum *stratum;
    double *values; /* distinct etas */
    struct ranked ranked;
    double all;            /* weight of who is in the tree */
    double *net, *pairs;   /* by place in by_exit */
    const double **places; /* the rows by their address, and the place of each */
    size_t *place;
};

static void put(struct counting *c, const double *row, double weight)
{
    ranked_add(&c->ranked, rank_of(c->values, c->ranked.n, row[ROW_ETA_OR_ARM]), weight);
    c->all += weight;
}

/* Weights in the tree below, at and above the eta of a row. */
static void look(const struct counting *c, const double *row, double *below, double *equal, double *above)
{
    size_t rank = rank_of(c->values, c->ranked.n, row[ROW_ETA_OR_ARM]);
    double upto = ranked_below(&c->ranked, rank + 1);
    *below = ranked_below(&c->ranked, rank);
    *equal = upto - *below;
    *above = c->all - upto;
}

/* The end of the rows that leave at the time of row i. */
static size_t end_of(const struct riskset_stratum *stratum, size_t i)
{
    double time = stratum->by_exit[i][ROW_EXIT];
    while (i < stratum->n && stratum->by_exit[i][ROW_EXIT] == time)
        i++;
    return i;
}

/* Each event against who is at risk then: the tree holds who leaves later, less who enters later. */
static void count_at_events(struct counting *c, double *sums)
{
    const struct riskset_stratum *stratum = c->stratum;
    size_t left = 0;
    for (size_t i = 0, end; i < stratum->n; i = end) {
        double time = stratum->by_exit[i][ROW_EXIT];
        end = end_of(stratum, i);
        for (size_t k = i; k < end; k++)
            if (stratum->by_exit[k][ROW_EVENT] == 0)
                put(c, stratum->by_exit[k], stratum->by_exit[k][ROW_WEIGHT]);
        /* Who enters at this time or later is not at risk; events of this time have not been added yet. */
        for (; left < stratum->n && stratum->by_entry[left][ROW_ENTRY] >= time; left++)
            put(c, stratum->by_entry[left], -stratum->by_entry[left][ROW_WEIGHT]);
        for (size_t k = i; k < end; k++) {
            const double *row = stratum->by_exit[k];
            double below, equal, above;
            if (row[ROW_EVENT] == 0)
                continue;
            look(c, row, &below, &equal, &above);
            sums[RISKSET_CONCORDANT] += row[ROW_WEIGHT] * below;
            sums[RISKSET_DISCORDANT] += row[ROW_WEIGHT] * above;
            sums[RISKSET_EQUAL] += row[ROW_WEIGHT] * equal;
            c->net[k] = below - above;
            c->pairs[k] = below + equal + above;
        }
        for (size_t k = i; k < end; k++)
            if (stratum->by_exit[k][ROW_EVENT] != 0)
                put(c, stratum->by_exit[k], stratum->by_exit[k][ROW_WEIGHT]);
    }
}

static int compare_places(const void *a, const void *b)
{
    const double *x = *(const double *const *)a, *y = *(const double *const *)b;
    return x < y ? -1 : x > y;
}

/* The events in the tree, which a row has seen (sign 1) or which came before it (sign −1). */
static void add_seen(struct counting *c, size_t k, double sign)
{
    double below, equal, above;
    look(c, c->stratum->by_exit[k], &below, &equal, &above);
    c->net[k] += sign * (above - below);
    c->pairs[k] += sign * (below + equal + above);
}

/* Everybody against the events while he is at risk: the tree, empty again, holds those so far. */
static void count_seen(struct counting *c)
{
    const struct riskset_stratum *stratum = c->stratum;
    size_t n = stratum->n, entered = n;
    memset(c->ranked.tree, 0, (n + 2) * sizeof *c->ranked.tree);
    c->all = 0;
    memcpy(c->places, stratum->by_exit, n * sizeof *c->places);
    qsort(c->places, n, sizeof *c->places, compare_places);
    for (size_t k = 0; k < n; k++) {
        const double *const *at =
            bsearch(&stratum->by_exit[k], c->places, n, sizeof *c->places, compare_places);
        c->place[at - c->places] = k;
    }
    for (size_t end = n, first; end > 0; end = first) {
        double time = stratum->by_exit[end - 1][ROW_EXIT];
        for (first = end; first > 0 && stratum->by_exit[first - 1][ROW_EXIT] == time;)
            first--;
        for (; entered > 0 && stratum->by_entry[entered - 1][ROW_ENTRY] < time; entered--) {
            const double *const *at =
                bsearch(&stratum->by_entry[entered - 1], c->places, n, sizeof *c->places, compare_places);
            add_seen(c, c->place[at - c->places], -1);
        }
        for (int censored = 0; censored < 2; censored++) {
            for (size_t k = first; k < end; k++)
                if ((stratum->by_exit[k][ROW_EVENT] == 0) == censored)
                    add_seen(c, k, 1);
            for (size_t k = first; k < end && !censored; k++)
                if (stratum->by_exit[k][ROW_EVENT] != 0)
                    put(c, stratum->by_exit[k], stratum->by_exit[k][ROW_WEIGHT]);
        }
    }
}

enum maille_code riskset_concordance(double *sums, double *own, const struct riskset_stratum *stratum,
                                     bool by_patient, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n = stratum->n;
    struct counting c = {.stratum = stratum,
                         .values = malloc((n + 1) * sizeof *c.values),
                         .ranked = {.tree = calloc(n + 2, sizeof *c.ranked.tree)},
                         .net = calloc(n + 1, sizeof *c.net),
                         .pairs = calloc(n + 1, sizeof *c.pairs),
                         .places = malloc((n + 1) * sizeof *c.places),
                         .place = malloc((n + 1) * sizeof *c.place)};
    if (!c.values || !c.ranked.tree || !c.net || !c.pairs || !c.places || !c.place) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for %zu patients, found none", n);
        goto out;
    }
    c.ranked.n = distinct_etas(c.values, stratum);
    count_at_events(&c, sums);
    count_seen(&c);
    for (size_t k = 0; k < n; k++) {
        const double *row = stratum->by_exit[k];
        double pair[] = {row[ROW_WEIGHT] * c.net[k] * RISKSET_PAIRS_SCALE,
                         row[ROW_WEIGHT] * c.pairs[k] * RISKSET_PAIRS_SCALE};
        if (own == NULL) {
            sums[RISKSET_NET_NET] += pair[0] * pair[0];
            sums[RISKSET_NET_PAIRS] += pair[0] * pair[1];
            sums[RISKSET_PAIRS_PAIRS] += pair[1] * pair[1];
            continue;
        }
        double *cluster = own + (by_patient ? 2 * (size_t)row[ROW_PATIENT] : 0);
        cluster[0] += pair[0];
        cluster[1] += pair[1];
    }
out:
    free(c.values);
    free(c.ranked.tree);
    free(c.net);
    free(c.pairs);
    free(c.places);
    free(c.place);
    return code;
}
