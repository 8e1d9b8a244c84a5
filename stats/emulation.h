/* What the files of the target trial share: emulation.c (keys, reading, steps), emulation_rows.c (what a
 * patient did), emulation_life.c (the life table of an arm), emulation_plan.c (head counts, what is tallied)
 * and emulation_report.c (sums, errors, the result). Internal to stats/.
 *
 * θ:  [EMULATION_MODEL, which model, γ of each model before it, the model's own θ]
 *     [EMULATION_WEIGH, γ of all models]
 *     [EMULATION_SLOPES, γ of all models, patients, the sums of each arm's life table]
 *     [EMULATION_ERRORS, all of this, per number and pair: V·g on the columns of the design]
 * γ is on the columns of the design, one number each. */
#ifndef STATS_EMULATION_H
#define STATS_EMULATION_H

#include "stats/fit.h"

enum { EMULATION_STEPS_MAX = 6, EMULATION_ROWS_MAX = 24 };
/* S at the end of the grace period and of every row, and the restricted mean. */
enum { EMULATION_TARGETS_MAX = EMULATION_ROWS_MAX + 2 };
enum emulation_arm_index { EMULATION_WAITS, EMULATION_STARTS, EMULATION_ARMS };
enum emulation_phase { EMULATION_MODEL, EMULATION_WEIGH, EMULATION_SLOPES, EMULATION_ERRORS };

/* --- emulation_life.c --- */

/* The life table of one arm: a factor of S for each step of the grace period, then one for each joined run of
 * rows behind it. Its sums are weights: of each factor who stays, dies and departs as EMULATION_AT_RISK,
 * _DIED and _LEFT; then who is followed beyond the grace period; then by row who dies, then who is lost, each
 * in the last row of its run. */
enum { EMULATION_AT_RISK, EMULATION_DIED, EMULATION_LEFT, EMULATION_OF_FACTOR };
struct emulation_life {
    size_t n_factors, n_rows;
    const double *ends;            /* n_rows + 1 times: of the grace period, and of every row */
    const size_t *events, *losses; /* n_rows: the last row of the run of each row */
};
size_t emulation_life_sums(const struct emulation_life *life);
/* survival: n_rows + 1 numbers, at `ends`. NaN inside a run of events, and where nobody is at risk. */
void emulation_life_survival(double *survival, const struct emulation_life *life, const double *sums);
/* ∫ of S from 0 to ends[last], linear between the points that are told; NaN where the last is not told. */
double emulation_life_mean(const struct emulation_life *life, const double *survival, size_t last);
/* Derivatives by the sums: of S at ends[at], added to gradient as often as `times` says. 0 where S is 0. */
void emulation_life_gradient(double *gradient, const struct emulation_life *life, const double *sums,
                             size_t at, double times);
/* The same of the mean. */
void emulation_life_mean_gradient(double *gradient, const struct emulation_life *life, const double *sums,
                                  size_t last);

/* --- an analysis --- */

/* Head counts. Then those of each arm behind the grace period, who started by step, and the models'. */
enum {
    EMULATION_CELLS_DIED = CELLS_OWN, /* who died without a start, by step of the grace period */
    EMULATION_CELLS_AFTER,            /* who died after a start within it: before its last step, and in it */
    EMULATION_CELLS_ARMS
};
enum emulation_cells_of {
    EMULATION_CELLS_BEYOND, /* who is followed beyond the grace period */
    EMULATION_CELLS_EVENTS, /* of them who dies, by row */
    EMULATION_CELLS_LOST,   /* who is lost in some row */
    EMULATION_CELLS_LOSSES, /* and in which */
    EMULATION_CELLS_OF_ARM
};
static inline size_t emulation_cells_of(size_t arm, enum emulation_cells_of what)
{
    return EMULATION_CELLS_ARMS + arm * EMULATION_CELLS_OF_ARM + what;
}
#define EMULATION_CELLS_STARTS emulation_cells_of(EMULATION_ARMS, EMULATION_CELLS_BEYOND)

/* What a clone does in the part of the grace period that a factor is of. */
enum { EMULATION_STAYS, EMULATION_DIES, EMULATION_DEPARTS, EMULATION_STATES };

/* One strategy. */
struct emulation_arm {
    const char *name;
    const struct expression *beyond;           /* BOOLEAN: it is followed beyond the grace period */
    size_t n_factors;                          /* of the grace period */
    const double *states[EMULATION_STEPS_MAX]; /* of each, by stage; −1: is not at risk */
    /* Of each factor, then of the rows; NULL: 1. Once γ is known. */
    const struct expression *weight[EMULATION_STEPS_MAX + 1];
    /* How weights from `since` on change with the predictor of a model, as a factor; NULL: they do not. */
    const struct expression *slope[EMULATION_STEPS_MAX];
    size_t since[EMULATION_STEPS_MAX];
    const double *sums; /* of θ */
};

struct emulation {
    const struct analysis *analysis;
    const struct formula *formula;
    const struct design *design;
    struct cohort_rows cohort;
    struct time_axis axis;
    struct tally_survival survival;
    const struct expression *treated, *start; /* BOOLEAN, NUMBER */
    size_t n_steps;                           /* of the grace period; a model each */
    const double *grace;                      /* their ends */
    size_t n_rows;                            /* behind it */
    const double *times;                      /* their ends */
    size_t tau;                               /* 1 + the row at whose end it is; 0: not asked for */
    size_t n_targets;
    size_t bins[EMULATION_STEPS_MAX + 1]; /* bins[k]: the end of step k, which is the first where k is 1 */
    size_t row_bins[EMULATION_ROWS_MAX];
    double ends[EMULATION_ROWS_MAX + 1]; /* as struct emulation_life has them */
    /* CODE: what was done in the grace period (emulation_rows.c), and how it ended behind it: who dies in row
     * r r, who is lost in it n_rows + r, all others 2·n_rows. */
    const struct expression *stage, *end;
    /* BOOLEAN: who starts in the last step, and who dies in it without a start. */
    const struct expression *starts_last, *dies_last;
    struct emulation_arm arms[EMULATION_ARMS];
    struct {
        const struct analysis *analysis;         /* by glm */
        const struct expression *rows, *outcome; /* BOOLEAN; of `rows` beside the cohort */
        const struct expression *eta;            /* once γ is known */
        const char *words;                       /* for sentences */
    } models[EMULATION_STEPS_MAX];
    /* of θ */
    enum emulation_phase phase;
    size_t model;
    const double *gamma, *along; /* n_steps × columns; of EMULATION_ERRORS V·g */
    double n;                    /* patients */
    struct vector theta;         /* the model's: a part of θ, not owned */
};

/* Reads an analysis, anew in each call; and θ, whose weights are then in the arms. MAILLE_INVALID with a
 * sentence; MAILLE_FAILED: a covariate without bounds. */
enum maille_code emulation_of(struct emulation *trial, const struct analysis *analysis, struct arena *arena,
                              struct maille_error *error) MAILLE_CHECKED;
enum maille_code emulation_read_theta(struct emulation *trial, const struct vector *theta,
                                      struct arena *arena, struct maille_error *error) MAILLE_CHECKED;
/* The life table of an arm, of rows as they were joined. */
struct emulation_life emulation_life_of(const struct emulation *trial, const struct surviving *surviving,
                                        size_t arm, struct arena *arena);

/* --- emulation_rows.c --- */

/* Stages, ends, the rows of the models and the clones, once the steps are known. */
void emulation_rows(struct emulation *trial, struct arena *arena);
/* CODE of a number of levels, of a table by stage; −1: missing. */
const struct expression *emulation_by_stage(const struct emulation *trial, const double *table,
                                            const char *const *names, size_t n, struct arena *arena);
/* Who died in the grace period without a start, by step, and after one: CODE. */
const struct expression *emulation_died(const struct emulation *trial, struct arena *arena);
const struct expression *emulation_died_after(const struct emulation *trial, struct arena *arena);
/* The row of who dies behind the grace period, or is lost, moved to the row that `to` says (NULL: its own):
 * CODE of n_rows levels. */
const struct expression *emulation_row(const struct emulation *trial, bool dies, const size_t *to,
                                       struct arena *arena);
/* Who is at risk in the part of the grace period that a factor of an arm is of: BOOLEAN. */
const struct expression *emulation_is_there(const struct emulation *trial, size_t arm, size_t factor,
                                            struct arena *arena);

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

/* The rounds of weights and of errors begin with these blocks; the latter has one more of each target. */
enum { EMULATION_BLOCK_MISSING, EMULATION_BLOCK_ROWS, EMULATION_BLOCK_EVENTS, EMULATION_BLOCK_ARMS };
/* Of each arm: the factors, then these. */
enum emulation_block_of {
    EMULATION_BLOCK_BEYOND,      /* heads */
    EMULATION_BLOCK_WEIGHT,      /* what they weigh */
    EMULATION_BLOCK_DIED_HEADS,  /* by row */
    EMULATION_BLOCK_DIED_WEIGHT, /* by row */
    EMULATION_BLOCK_LOST_WEIGHT, /* by row */
    EMULATION_BLOCK_OF_ARM
};
size_t emulation_block_factor(const struct emulation *trial, size_t arm, size_t factor);
size_t emulation_block_of(const struct emulation *trial, size_t arm, enum emulation_block_of what);
size_t emulation_block_target(const struct emulation *trial, size_t target);
/* The round of slopes: the information of each model, then of each pair of an arm and a model that its
 * weights come from the derivatives of some targets by the coefficients, in as many blocks as it takes. */
size_t emulation_pairs(const struct emulation *trial);
size_t emulation_block_derivative(const struct emulation *trial, size_t pair, size_t target, size_t *term);
size_t emulation_blocks_slopes(const struct emulation *trial);
/* Which pair is of an arm and a model; SIZE_MAX: its weights do not come from it. */
size_t emulation_pair(const struct emulation *trial, size_t arm, size_t model);

/* --- emulation_report.c --- */

/* Is a number known of an arm? */
bool emulation_is_known(const struct emulation *trial, const struct emulation_life *life, const double *sums,
                        size_t target);
/* From the round of weights, and from that of slopes: the tail of θ for the next. MAILLE_FAILED: nobody, or
 * too few digits. */
enum maille_code emulation_weighed(struct vector *theta, const struct emulation *trial,
                                   const struct totals *totals, const struct surviving *surviving,
                                   struct arena *arena, struct maille_error *error) MAILLE_CHECKED;
enum maille_code emulation_sloped(struct vector *theta, const struct emulation *trial,
                                  const struct totals *totals, struct arena *arena,
                                  struct maille_error *error) MAILLE_CHECKED;
/* From the round of errors: the result. */
enum maille_code emulation_report(const struct emulation *trial, const struct totals *totals,
                                  const struct surviving *surviving, struct outcome *outcome,
                                  struct maille_error *error) MAILLE_CHECKED;

#endif
