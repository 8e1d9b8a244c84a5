/* What the files of the target trial share: emulation.c (keys, reading, steps), emulation_rows.c (clones),
 * emulation_plan.c (head counts, what is tallied) and emulation_report.c (curves, their errors, the result).
 * Internal to stats/.
 *
 * θ:  [EMULATION_MODEL, which model, γ of each model before it, the model's own θ]
 *     [EMULATION_WEIGH, γ of all models]
 *     [EMULATION_ERRORS, γ of all models, rows, per arm: bins shown, weight at risk per bin, weight with the
 *      event per bin]
 * γ is on the columns of the design, one number each. */
#ifndef STATS_EMULATION_H
#define STATS_EMULATION_H

#include "stats/fit.h"

enum { EMULATION_STEPS_MAX = 6, EMULATION_SEGMENTS_MAX = EMULATION_STEPS_MAX + 1, EMULATION_TIMES_MAX = 10 };
/* What a curve is asked for: S at each time, and its mean up to tau. */
enum { EMULATION_TARGETS_MAX = EMULATION_TIMES_MAX + 1 };
enum emulation_arm_index { EMULATION_WAITS, EMULATION_STARTS, EMULATION_ARMS };
/* What became of a clone. */
enum { EMULATION_CENSORED, EMULATION_EVENT, EMULATION_DEPARTED, EMULATION_STATES };
enum emulation_phase { EMULATION_MODEL, EMULATION_WEIGH, EMULATION_ERRORS };

/* Head counts. The last ones are those of the models. */
enum {
    EMULATION_CELLS_FATES = CELLS_OWN, /* what became of a patient in the grace period */
    EMULATION_CELLS_STEPS,             /* who started, by step */
    EMULATION_CELLS_EVENTS,            /* patients with the event, by fate */
    EMULATION_CELLS_RISK,              /* clones that leave per bin, an arm a block */
    /* patients with the event by arm and row of the result behind the grace period, joined until each holds
     * enough: elsewhere S would tell what single patients weigh */
    EMULATION_CELLS_ROWS = EMULATION_CELLS_RISK + EMULATION_ARMS,
    EMULATION_CELLS_MODELS
};

/* Blocks of the rounds of weights and of errors. Of each segment behind the first (emulation_arm): what
 * leaves weighs, by bin and state, and what is there when it begins. */
enum { EMULATION_BLOCK_MISSING, EMULATION_BLOCK_ROWS, EMULATION_BLOCK_EVENTS, EMULATION_BLOCK_COUNTS };

/* One strategy. Weights are 1 in the first segment, and change behind the bin `after` of each other. */
struct emulation_arm {
    const char *name;
    const struct expression *exit; /* NUMBER: the bin in which the clone leaves */
    const struct expression *code; /* bin × state */
    size_t n_segments, after[EMULATION_SEGMENTS_MAX];
    const struct expression *weight[EMULATION_SEGMENTS_MAX]; /* once γ is known; NULL: 1 */
    /* How the weights of segments from `since` on change with the predictor of a model, as a factor; NULL:
     * they do not. */
    const struct expression *slope[EMULATION_STEPS_MAX];
    size_t since[EMULATION_STEPS_MAX];
};

struct emulation {
    const struct analysis *analysis;
    const struct formula *formula;
    const struct design *design;
    struct cohort_rows cohort;
    struct time_axis axis;
    size_t n_bins;
    struct tally_survival survival;
    size_t n_steps;                       /* of the grace period; a model each */
    size_t bins[EMULATION_STEPS_MAX + 1]; /* bins[k]: the end of step k, which is the first where k is 1 */
    const struct expression *treated;     /* BOOLEAN */
    /* What the result has a row for: bins behind the end of the grace period, ascending. */
    size_t rows[EMULATION_TIMES_MAX], n_rows;
    /* CODE: what was done in the grace period; of it for the head counts: four fates, the step of a start;
     * and who is followed beyond it by arm and row. */
    const struct expression *stage, *fate, *step, *row;
    /* BOOLEAN: who starts in the last step, and who leaves in it without a start. */
    const struct expression *starts_last, *left_last;
    struct emulation_arm arms[EMULATION_ARMS];
    struct {
        const struct analysis *analysis;         /* by glm */
        const struct expression *rows, *outcome; /* BOOLEAN; of `rows` beside the cohort */
        const struct expression *eta;            /* once γ is known */
        const char *words;                       /* for sentences */
    } models[EMULATION_STEPS_MAX];
    const double *times;
    size_t n_times, n_targets;
    double tau; /* NaN: not asked for */
    /* of θ */
    enum emulation_phase phase;
    size_t model;
    const double *gamma, *errors; /* n_steps × columns; what EMULATION_ERRORS has behind them */
    struct vector theta;          /* the model's: a part of θ, not owned */
};

/* --- emulation.c --- */

/* Reads an analysis, anew in each call; and θ, whose weights are then in the arms. MAILLE_INVALID with a
 * sentence; MAILLE_FAILED: a covariate without bounds. */
enum maille_code emulation_of(struct emulation *trial, const struct analysis *analysis, struct arena *arena,
                              struct maille_error *error) MAILLE_CHECKED;
enum maille_code emulation_read_theta(struct emulation *trial, const struct vector *theta,
                                      struct arena *arena, struct maille_error *error) MAILLE_CHECKED;

/* --- emulation_rows.c --- */

/* Stages, groups of the head counts, the rows of the models and the clones, once the steps are known. */
void emulation_rows(struct emulation *trial, struct arena *arena);

/* --- emulation_plan.c --- */

/* What the method puts into its row (stats/method.h). */
enum maille_code emulation_cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                                 struct maille_error *error) MAILLE_CHECKED;
enum maille_code emulation_plan(const struct analysis *analysis, const struct vector *theta,
                                const struct surviving *surviving, struct arena *arena,
                                struct tally_spec *spec, struct maille_error *error) MAILLE_CHECKED;
enum maille_code emulation_shares(const struct cells **out, const struct analysis *analysis,
                                  const struct vector *theta, struct arena *arena,
                                  struct maille_error *error) MAILLE_CHECKED;
/* Where the head counts of a model begin. */
enum maille_code emulation_model_cells(size_t *first, const struct emulation *trial, size_t model,
                                       struct arena *arena, struct maille_error *error) MAILLE_CHECKED;

/* Which block of the round of errors: the products, the information of a model, the derivatives of a target
 * by the coefficients of a model (SIZE_MAX: it does not depend on them). */
size_t emulation_block_weights(const struct emulation *trial, enum emulation_arm_index arm, size_t segment,
                               bool there);
size_t emulation_blocks_weigh(const struct emulation *trial);
size_t emulation_block_products(const struct emulation *trial);
size_t emulation_block_information(const struct emulation *trial, size_t model);
size_t emulation_block_derivatives(const struct emulation *trial, enum emulation_arm_index arm, size_t target,
                                   size_t model);

/* --- emulation_report.c --- */

/* Of one arm as θ has it: a curve over the bins that are shown. */
struct emulation_curve {
    size_t end, n_bins;
    double width;
    const double *at_risk, *died; /* weights, n_bins */
    double *survival;             /* behind each bin, n_bins */
};
/* survival in arena. */
void emulation_curve_make(struct emulation_curve *curve, const struct emulation *trial, const double *at_risk,
                          const double *died, size_t end, struct arena *arena);
/* The bin of a time: the last that is not later. */
size_t emulation_bin_of(const struct emulation *trial, double time);
/* What is asked for number `target`; NaN where the curve is not shown so far. */
double emulation_target(const struct emulation *trial, const struct emulation_curve *curve, size_t target,
                        struct arena *arena);
/* By state and bin of a clone, what it does to that number in one segment, times `rows`: EMULATION_STATES ×
 * n_bins, bin by bin; its weight is not in it. NULL: the number is not known. In arena. */
const double *emulation_moves(const struct emulation *trial, const struct emulation_curve *curve,
                              size_t target, enum emulation_arm_index arm, size_t segment, double rows,
                              struct arena *arena);

/* From the round of weights: the tail of θ for the round of errors. MAILLE_FAILED: nobody, or too few digits.
 */
enum maille_code emulation_weighed(struct vector *theta, const struct emulation *trial,
                                   const struct totals *totals, const struct surviving *surviving,
                                   struct arena *arena, struct maille_error *error) MAILLE_CHECKED;
/* From the round of errors: the result. */
enum maille_code emulation_report(const struct emulation *trial, const struct totals *totals,
                                  const struct surviving *surviving, struct outcome *outcome,
                                  struct maille_error *error) MAILLE_CHECKED;
/* How many bins of an arm are shown. */
size_t emulation_end(const struct emulation *trial, const struct surviving *surviving,
                     enum emulation_arm_index arm);

#endif
