/* What the files of the Cox model share: cox.c (keys, counts, result), cox_pooled.c (risk sets over all
 * sites), cox_site.c (strata(site): risk sets inside a site), cox_zph.c (proportional hazards). Internal to
 * stats/. */
#ifndef STATS_COX_H
#define STATS_COX_H

#include "stats/fit.h"
#include "stats/groups.h"

/* Stages of θ. Round 1 (stage 0) is an evaluation at β = 0 with the counts beside it. */
enum { COX_ROUND_1, COX_EVALUATE, COX_CURVATURE, COX_ZPH };

/* Transforms of time in zph, as bits of the key. */
enum { COX_KM, COX_IDENTITY, COX_TRANSFORMS };

/* A Cox analysis as it is asked; built anew for each call. */
struct cox {
    const struct analysis *analysis;
    const struct formula *formula;
    const struct design *design;
    bool efron, baseline;
    uint64_t zph;                           /* bit t: transform t is asked for */
    const struct expression *missing;       /* rows of the cohort that are incomplete */
    struct tally_survival survival;         /* its filter: the complete rows */
    const struct expression *exit, *status; /* CODE: bin, and whether it is an event */
    const struct expression *exit_code,
        *entry_code; /* stratum × exit × status; stratum × entry, NULL without delayed entry */
    struct groups strata;
    size_t n_bins;
    double grid_days;
};

/* The blocks that every round 1 begins with; what follows is the first evaluation. */
enum {
    COX_BLOCK_MISSING,
    COX_BLOCK_ROWS,    /* by status */
    COX_BLOCK_COLUMNS, /* Σ of every column, by status; the offset behind them */
    COX_BLOCK_TIES,    /* stratum × exit bin × status */
    COX_BLOCK_ENTRIES, /* stratum × entry bin; only with delayed entry */
    COX_BLOCKS
};

/* memo beyond the common part begins with these. */
enum { COX_NULL_LOGLIK, COX_LOGLIK, COX_SCORE_TEST, COX_EVENT_OFFSET, COX_OWN };

/* One call of step(). The pointers go into memo. Quadruple numbers take two doubles (cox_store, cox_load);
 * what is per column is per kept column of the θ that the evaluation writes. */
struct cox_step {
    struct cox cox;
    const struct totals *totals;
    struct iteration *iteration;
    struct outcome *outcome;
    struct arena *arena;
    struct fit_theta at; /* θ of the round that is being stepped */
    struct fit fit;
    double *own;
    double *ties;    /* strata × bins: events */
    double *c1, *c2; /* strata × bins: steps of the cumulated hazard and Efron's correction (methods.md §2) */
    double *weights;      /* transform × bin: centred g(t); only with zph, as all below but the first two */
    double *score;        /* columns, quadruple */
    double *products;     /* columns²: what the information subtracts */
    double *zph_score;    /* per transform, columns: Σ g·(mean covariate), what its score subtracts */
    double *zph_products; /* per transform, g and g², columns² */
};

void cox_store(double *at, f128 value);
f128 cox_load(const double *at);

/* cox.c: what both kinds do. */

/* After an evaluation: false when the step was too long; β is then halved. */
enum maille_code cox_accept(struct cox_step *step, double loglik, bool *accepted,
                            struct maille_error *error) MAILLE_CHECKED;
/* Columns of the round's block, as quadruples, and an order-2 block unpacked. */
f128 *cox_read_matrix(const struct cox_step *step, size_t block, size_t first, size_t n);
/* Everything of the result that no further round is needed for. */
void cox_report(struct cox_step *step, const struct normal *normal);

/* cox_pooled.c */

enum maille_code cox_pooled_plan(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                                 struct tally_spec *spec, struct maille_error *error) MAILLE_CHECKED;
enum maille_code cox_pooled_step(struct cox_step *step, bool *done,
                                 struct maille_error *error) MAILLE_CHECKED;
/* Numbers of the two tables of θ: stratum × exit bin × status, then stratum × entry bin. */
size_t cox_table_size(const struct cox *cox);
/* Appends the tables of Σ g^power·c1 up to a bin, less g^power·c2 for an event. g: one number a bin, or NULL
 * for 1. */
void cox_tables_push(const struct cox_step *step, const double *g, int power);
/* exp(x′β − c)·(exit table − entry table). */
const struct expression *cox_table_weight(const struct cox *cox, const struct fit_theta *at,
                                          const double *tables, struct arena *arena);

/* cox_site.c */

enum maille_code cox_site_plan(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                               struct tally_spec *spec, struct maille_error *error) MAILLE_CHECKED;
enum maille_code cox_site_step(struct cox_step *step, bool *done, struct maille_error *error) MAILLE_CHECKED;

/* cox_zph.c: one more round behind the last, with the tables weighted by g and g². */

/* g(t) of each transform, centred over the events, from the counts of round 1. */
void cox_zph_weights(struct cox_step *step);
void cox_zph_theta(struct cox_step *step);
size_t cox_zph_theta_size(const struct cox *cox);
void cox_zph_plan(const struct cox *cox, const struct fit_theta *at, struct arena *arena,
                  struct tally_spec *spec);
void cox_zph_report(struct cox_step *step, const struct normal *normal);

#endif
