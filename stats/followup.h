/* Counts over follow-up: what Kaplan–Meier, the log-rank test and everything built on counts per time bin
 * begin with. Round 1: n per group × exit bin × status; with delayed entry also n per group × entry bin. */
#ifndef STATS_FOLLOWUP_H
#define STATS_FOLLOWUP_H

#include "stats/groups.h"

enum { FOLLOWUP_BINS_MAX = 1 << 20 };

struct followup {
    const struct formula *formula;
    struct groups groups;      /* the right-hand side, all factors crossed (R's strata()) */
    struct groups strata;      /* strata() of the formula */
    struct groups cells;       /* strata × groups, groups fastest */
    struct cohort_rows cohort; /* rows: complete */
    struct time_axis axis;
    uint32_t n_bins;
    bool curves; /* arms may be suppressed alone (followup_cells); the method sets it */
    /* Where the method has moved rows to (km_steps). exit: CODE, the bin in which a row leaves; ends: of each
     * cell, how many bins are shown at most; NULL: as the grid has it. exit_steps: guards beside the others,
     * of the counts by arm × bin × status; NULL: none. */
    const struct expression *exit;
    const size_t *ends;
    const struct guard *exit_steps;
    uint32_t
        n_status; /* 2: censored and event; of followup_of_causes the levels of the event, 0 is censoring */
};

/* Reads an analysis whose key number `key` is a survival formula with factors alone on its right-hand side.
 * MAILLE_INVALID with a sentence when it is something else, or when its times have no bounds or no grid. */
enum maille_code followup_of(struct followup *followup, const struct analysis *analysis, size_t key,
                             struct arena *arena, struct maille_error *error) MAILLE_CHECKED;

/* The groups of such a formula: causes as below. MAILLE_INVALID as above. */
enum maille_code followup_groups(struct groups *groups, const struct formula *formula, bool causes,
                                 struct arena *arena, struct maille_error *error) MAILLE_CHECKED;

/* The same where the event is a category whose first level is censoring, each other level a cause; strata()
 * are allowed, delayed entry is not. */
enum maille_code followup_of_causes(struct followup *followup, const struct analysis *analysis, size_t key,
                                    struct arena *arena, struct maille_error *error) MAILLE_CHECKED;

/* Sets the spec's survival part and adds blocks in this order, the last three with delayed entry alone. Exits
 * and entries are asked for up to the end of each curve; the totals of an arm are whole. Rows of one patient
 * that continue each other in one arm are one (tally_survival.joins): to go on is no censoring. */
enum {
    FOLLOWUP_MISSING,
    FOLLOWUP_COMPLETE,
    FOLLOWUP_ARMS, /* by status */
    FOLLOWUP_EXITS,
    FOLLOWUP_ENTRIES,
    FOLLOWUP_PATIENTS, /* by arm */
    FOLLOWUP_LEFT_OUT  /* by reason (stats/left_out.h) */
};
enum maille_code followup_plan(const struct followup *followup, struct arena *arena, struct tally_spec *spec,
                               struct maille_error *error) MAILLE_CHECKED;
/* The survival part alone. */
void followup_survival(const struct followup *followup, struct arena *arena, struct tally_spec *spec);

/* Head counts. Of curves (CELL_TABLE: an arm that fails is suppressed alone): patients per arm, patients with
 * an event (of each cause) per arm, all patients with an event. Of a test (each must pass): patients per arm,
 * patients with an event per group and per stratum. Arms are strata × groups. Behind them rows that leave per
 * arm × bin, and with delayed entry rows that enter, and those that are left out. */
enum { FOLLOWUP_CELLS_ARMS = CELLS_OWN, FOLLOWUP_CELLS_EVENTS };
/* Where those of a method's own begin. */
size_t followup_cells_end(const struct followup *followup);
/* Where the head counts of rows that are left out stand; only with delayed entry. site: of
 * followup_cells_site. */
size_t followup_cells_left_out(const struct followup *followup, bool site);
enum maille_code followup_cells(const struct followup *followup, struct arena *arena, struct cells *cells,
                                struct maille_error *error) MAILLE_CHECKED;
/* Of a test inside every site, which shows no stratum and no time: patients and events per group. */
enum maille_code followup_cells_site(const struct followup *followup, struct arena *arena,
                                     struct cells *cells, struct maille_error *error) MAILLE_CHECKED;

/* Does an arm's curve survive? True for all without threshold rounds, and for the arms of a test. */
bool followup_shown(const struct followup *followup, const struct surviving *surviving, size_t cell);
/* How many bins of an arm may be shown: exits before the last bin in which enough are at risk, so that as
 * many are left behind them. n_bins where the curve does not end early; 0 where the arm does not survive. */
size_t followup_end(const struct followup *followup, const struct surviving *surviving, size_t cell);

/* The totals of followup_plan as columns over the bins. */
struct followup_counts {
    size_t n_cells, n_bins;
    int64_t *event, *censored, *at_risk; /* [cell][bin]; event: of any cause; 0 from the curve's end on */
    int64_t *cause;                      /* [status − 1][cell][bin]: events of each cause */
    int64_t *n, *n_event, *n_censored;   /* [cell], whole; 0 where the arm is not shown. n: patients, or rows
                                          * that   do not continue each other without delayed entry */
    size_t *end;                         /* [cell]: bins that are shown (followup_end) */
    uint8_t *shown;                      /* [cell] */
    int64_t n_all, n_missing,
        n_complete;  /* n_missing −1: withheld; n_complete −1: not known, an arm is withheld */
    size_t n_hidden; /* arms that are not shown */
};
void followup_read(struct followup_counts *counts, const struct followup *followup,
                   const struct surviving *surviving, const struct totals *totals, struct arena *arena);

/* n, n_missing and n_event; MAILLE_FAILED when nobody is left. */
enum maille_code followup_outcome(const struct followup_counts *counts, struct outcome *outcome,
                                  struct maille_error *error) MAILLE_CHECKED;
/* Warns where a curve ends early. */
void followup_warn_end(const struct followup *followup, const struct followup_counts *counts, size_t cell,
                       const char *stratum, struct outcome *outcome);

#endif
