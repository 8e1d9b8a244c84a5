/* Counts over follow-up: what Kaplan–Meier, the log-rank test and everything built on counts per time bin
 * begin with. Round 1: n per group × exit bin × status; with delayed entry also n per group × entry bin. */
#ifndef STATS_FOLLOWUP_H
#define STATS_FOLLOWUP_H

#include "stats/groups.h"

enum { FOLLOWUP_BINS_MAX = 1 << 20 };

struct followup {
    const struct formula *formula;
    struct groups groups;          /* the right-hand side, all factors crossed (R's strata()) */
    struct groups strata;          /* strata() of the formula */
    struct groups cells;           /* strata × groups, groups fastest */
    const struct expression *rows; /* of the cohort, complete */
    double width;                  /* of a bin, in the time variable's units */
    uint32_t n_bins;
    uint32_t
        n_status; /* 2: censored and event; of followup_of_causes the levels of the event, 0 is censoring */
};

/* Reads an analysis whose key number `key` is a survival formula with factors alone on its right-hand side.
 * MAILLE_INVALID with a sentence when it is something else, or when its times have no bounds or no grid. */
enum maille_code followup_of(struct followup *followup, const struct analysis *analysis, size_t key,
                             struct arena *arena, struct maille_error *error) MAILLE_CHECKED;

/* The same where the event is a category whose first level is censoring, each other level a cause; strata()
 * are allowed, delayed entry is not. */
enum maille_code followup_of_causes(struct followup *followup, const struct analysis *analysis, size_t key,
                                    struct arena *arena, struct maille_error *error) MAILLE_CHECKED;

/* Sets the spec's survival part and adds four blocks, or three without delayed entry, in this order: */
enum { FOLLOWUP_COHORT, FOLLOWUP_COMPLETE, FOLLOWUP_EXITS, FOLLOWUP_ENTRIES };
enum maille_code followup_plan(const struct followup *followup, const struct analysis *analysis,
                               struct arena *arena, struct tally_spec *spec,
                               struct maille_error *error) MAILLE_CHECKED;
/* The survival part alone. */
void followup_survival(const struct followup *followup, struct tally_spec *spec);

/* Head counts: the cohort, patients per arm, patients with an event (of each cause) per arm; arms: cells of
 * `groups`, and strata where there are any. */
enum maille_code followup_cells(const struct followup *followup, struct arena *arena, struct cells *cells,
                                struct maille_error *error) MAILLE_CHECKED;

/* The totals of followup_plan as columns over the bins. */
struct followup_counts {
    size_t n_cells, n_bins;
    int64_t *event, *censored, *at_risk; /* [cell][bin]; event: of any cause */
    int64_t *cause;                      /* [status − 1][cell][bin]: events of each cause */
    int64_t *n, *n_event;                /* [cell] */
    int64_t n_all, n_cohort, n_complete;
};
void followup_read(struct followup_counts *counts, const struct followup *followup,
                   const struct totals *totals, struct arena *arena);

/* n, n_missing, n_event and the warning about rows that the grid empties; MAILLE_FAILED when nobody is left.
 */
enum maille_code followup_outcome(const struct followup_counts *counts, struct outcome *outcome,
                                  struct maille_error *error) MAILLE_CHECKED;

#endif
