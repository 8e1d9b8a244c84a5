/* Pairs of patients by counts in cells of linear predictor and time (stats/cox.h): what a table says for
 * certain of the pairs between its intervals. Intervals are refined in levels: a pair is counted where its
 * intervals first differ, so that each level needs times only as fine as few pairs are left to it. */
#include <math.h>
#include <string.h>

#include "stats/cox.h"

/* --- classes of time --- */

void cox_pairs_classes(double *edges, size_t n_classes, double base, const double *events,
                       const struct cox_units *units, size_t target)
{
    double total = 0, sum = 0;
    size_t with_event = 0, made = 0;
    bool begun = false; /* has the class at hand an event? */
    for (size_t u = 0; u < units->n; u++) {
        total += events[u];
        with_event += events[u] > 0;
    }
    double quota = with_event <= target ? 0 : total / (double)target;
    for (size_t u = 1; u < units->n && made + 1 < n_classes; u++) {
        sum += events[u - 1];
        begun = begun || events[u - 1] > 0;
        bool another = units->stratum[u] != units->stratum[u - 1];
        if (!another && (!(events[u] > 0) || (begun && sum < quota)))
            continue;
        edges[made++] = base + (double)(u - 1);
        sum = 0;
        begun = false;
    }
    for (size_t c = made; c < n_classes; c++) /* the last, and empty ones */
        edges[c] = base + (double)units->n - 1 + (double)(c - made) / (double)(n_classes - made);
}

void cox_pairs_bounds(const struct cox_level *level, size_t n_units, size_t parent, size_t *first,
                      size_t *last)
{
    const double *edges = level->edges + (level->own ? parent * level->n_classes : 0);
    double base = level->own ? (double)(parent * n_units) : 0;
    bool is_last = !level->own || parent + 1 == level->parents;
    size_t next = 0;
    for (size_t c = 0; c < level->n_classes; c++) {
        double edge = c + 1 == level->n_classes && is_last ? INFINITY : floor(edges[c] - base);
        first[c] = next;
        last[c] = edge < (double)n_units - 1 ? (size_t)fmax(edge, 0) : n_units - 1;
        next = last[c] + 1;
    }
}

/* --- counts --- */

/* One class of one parent, by interval; `later` and `entered` go over the classes, from the last to the
 * first. */
struct moment {
    double *events, *censored, *later, *entered, *certain;
    bool exact; /* who leaves in the class has seen all of its events, but for those who have one */
};

static struct moment moment_of(const struct cox_step *step, size_t n)
{
    struct moment m = {.exact = true};
    double **parts[] = {&m.events, &m.censored, &m.later, &m.entered, &m.certain};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        *parts[i] = arena_array(step->arena, n + 1, sizeof **parts[i]);
    return m;
}

double cox_read_rows(const struct cox_step *step, size_t block, size_t index)
{
    return step->cox.weights ? totals_real(step->totals, block, index)
                             : (double)totals_count(step->totals, block, index);
}

/* Events come before censorings of the same time; in a class of several nobody knows. */
static void moment_read(struct moment *m, const struct cox_step *step, const struct cox_level *level,
                        size_t parent, size_t class)
{
    for (size_t q = 0; q < level->children; q++) {
        size_t cell = (parent * level->children + q) * level->n_classes + class;
        m->censored[q] = cox_read_rows(step, level->block, 2 * cell + COX_CENSORED);
        m->events[q] = cox_read_rows(step, level->block, 2 * cell + COX_EVENT);
        if (step->cox.entry_code)
            m->entered[q] += cox_read_rows(step, level->block + 1, cell);
        m->certain[q] = fmax(m->later[q] + (m->exact ? m->censored[q] : 0) - m->entered[q], 0);
    }
}

static void moment_leave(struct moment *m, size_t n)
{
    for (size_t q = 0; q < n; q++)
        m->later[q] += m->events[q] + m->censored[q];
}

static void moment_reset(struct moment *m, size_t n)
{
    memset(m->later, 0, n * sizeof *m->later);
    memset(m->entered, 0, n * sizeof *m->entered);
}

/* Are all events of these units at one time, at which the class begins? */
static bool is_exact(const struct cox_units *units, const double *events, size_t first, size_t last)
{
    for (size_t u = first + 1; u <= last; u++)
        if (events[u] > 0)
            return false;
    return !(events[first] > 0) || units->exact == NULL || units->exact[first];
}

static void add_class(struct cox_pairs *pairs, double *same, const struct moment *m, size_t n)
{
    double all = 0, below = 0;
    for (size_t q = 0; q < n; q++)
        all += m->certain[q];
    for (size_t q = 0; q < n; q++) {
        pairs->concordant += m->events[q] * below;
        pairs->discordant += m->events[q] * (all - below - m->certain[q]);
        same[q] += m->events[q] * m->certain[q];
        below += m->certain[q];
    }
}

void cox_pairs_add(struct cox_pairs *pairs, double *same, const struct cox_step *step,
                   const struct cox_level *level, const struct cox_units *units)
{
    size_t n_classes = level->n_classes, stratum = SIZE_MAX;
    size_t *first = arena_array(step->arena, n_classes, sizeof *first),
           *last = arena_array(step->arena, n_classes, sizeof *last);
    struct moment m = moment_of(step, level->children);
    for (size_t parent = 0; parent < level->parents; parent++) {
        const double *events = units->events + (level->own ? parent * units->n : 0);
        cox_pairs_bounds(level, units->n, parent, first, last);
        stratum = SIZE_MAX;
        for (size_t c = n_classes; c-- > 0;) {
            if (first[c] > last[c])
                continue;
            if (units->stratum[first[c]] != stratum)
                moment_reset(&m, level->children);
            stratum = units->stratum[first[c]];
            m.exact = is_exact(units, events, first[c], last[c]);
            moment_read(&m, step, level, parent, c);
            add_class(pairs, same + parent * level->children, &m, level->children);
            moment_leave(&m, level->children);
        }
    }
}

/* --- a row's own pairs --- */

/* net[q]: what lies below interval q less what lies above. */
static void below_less_above(double *net, const double *v, size_t n)
{
    double all = 0, below = 0;
    for (size_t q = 0; q < n; q++)
        all += v[q];
    for (size_t q = 0; q < n; q++) {
        net[q] = below - (all - below - v[q]);
        below += v[q];
    }
}

void cox_pairs_net(double *exits, double *entries, const struct cox_step *step, const struct cox_level *level,
                   const struct cox_units *units)
{
    size_t n = level->parents * level->children, n_classes = level->n_classes, stratum = SIZE_MAX;
    size_t *first = arena_array(step->arena, n_classes, sizeof *first),
           *last = arena_array(step->arena, n_classes, sizeof *last);
    struct cox_level whole = *level;
    struct moment m = moment_of(step, n);
    double *net = arena_array(step->arena, n + 1, sizeof *net),
           *passed = arena_array(step->arena, n + 1, sizeof *passed);
    whole.parents = 1;
    whole.children = n;
    cox_pairs_bounds(&whole, units->n, 0, first, last);
    /* An event: who is left after it. */
    for (size_t c = n_classes; c-- > 0;) {
        if (first[c] > last[c])
            continue;
        if (units->stratum[first[c]] != stratum)
            moment_reset(&m, n);
        stratum = units->stratum[first[c]];
        m.exact = is_exact(units, units->events, first[c], last[c]);
        moment_read(&m, step, &whole, 0, c);
        for (size_t q = 0; !m.exact && q < n; q++) /* of the class itself half are thought to be left */
            m.certain[q] += (m.events[q] + m.censored[q]) / 2;
        below_less_above(net, m.certain, n);
        for (size_t q = 0; q < n; q++)
            exits[2 * (q * n_classes + c) + COX_EVENT] = net[q];
        moment_leave(&m, n);
    }
    stratum = SIZE_MAX;
    /* Everybody: the events that he has seen, which should lie above. */
    for (size_t c = 0; c < n_classes; c++) {
        if (first[c] > last[c])
            continue;
        if (units->stratum[first[c]] != stratum)
            memset(passed, 0, n * sizeof *passed);
        stratum = units->stratum[first[c]];
        bool exact = is_exact(units, units->events, first[c], last[c]);
        moment_read(&m, step, &whole, 0, c);
        below_less_above(net, m.events, n);
        for (size_t q = 0; q < n; q++) { /* of a class of several events half are thought to be before him */
            double *exit = &exits[2 * (q * n_classes + c)], before = exact ? 0 : -net[q] / 2,
                   by_then = exact ? -net[q] : before;
            exit[COX_EVENT] += passed[q] + before;
            exit[COX_CENSORED] = passed[q] + by_then;
            if (step->cox.entry_code)
                entries[q * n_classes + c] = passed[q] + by_then;
            passed[q] -= net[q];
        }
    }
}
