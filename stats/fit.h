/* What the regression models share: one Newton iteration spread over rounds.
 *
 * θ, as the sites see it:   [stage, shift c, narrowed (0/1), γ per tallied column, kept (0/1) per tallied
 * column, where narrowed: middle and half-range per tallied column, the method's own …] memo, the analyst's
 * own:  [scalars, state, β tried, β accepted, Σ column, Σ column over events, what β and the accepted one
 * lack of twice the digits (all per column), the method's own …]
 *
 * β are R's coefficients, on R's columns; γ the same linear predictor on the tallied columns
 * (stats/design.h). */
#ifndef STATS_FIT_H
#define STATS_FIT_H

#include "stats/design.h"
#include "stats/groups.h"
#include "stats/linear.h"
#include "stats/method.h"

/* A Newton step below this many standard errors ends the iteration (docs/methods/README.md). */
#define FIT_TOLERANCE 1e-10
enum { FIT_STEPS_MAX = 40, FIT_HALVINGS_MAX = 30 };
/* A pivot below this share of the column's own variation is collinear: the square of the 1e-7 of R's lm and
 * glm. */
#define FIT_COLLINEAR 1e-14
/* The interval of a linear predictor under exp() ends here; the tally refuses above (rule "theta"). */
#define FIT_PREDICTOR_MAX 30.0
/* Over the dictionary's bounds, where nobody need be, a predictor may go so far. Of a logistic mean it is cut
 * off at ±FIT_PREDICTOR_MAX, as R does (THRESH in family.c of its stats package; 1 − p is below 1e-13). */
#define FIT_CUT_MAX 100.0
/* That of exp() is cut off here, as R's coxph does (`coxsafe` of its survival package); no count of a poisson
 * model reaches exp(22). */
#define FIT_CUT 22.0
/* How far the predictor of a model may go over the dictionary's bounds. Robust errors square what exp() is
 * in: on the scale of exp(2·30) their sums would have no digits left. */
double fit_predictor_max(bool robust);
/* What exp() is taken of: the predictor, cut off at FIT_CUT where it may go beyond. One beyond
 * FIT_CUT_MAX is left as it is, so that the tally refuses it. */
const struct expression *fit_cut(struct arena *arena, const struct expression *eta);
/* The predictor of a logistic mean; itself where it cannot leave ±FIT_PREDICTOR_MAX. */
const struct expression *fit_logit(struct arena *arena, const struct expression *eta);

/* The head counts of a model: its patients, those that miss something, those with an event, patients and
 * events per level of every factor and per combination of levels of every interaction, and patients of each
 * pair of these (CELL_PAIRS). event: BOOLEAN or NULL. The first two are those of groups_cohort_cells. */
enum maille_code fit_cells(struct cells *cells, const struct design *design, const struct cohort_rows *cohort,
                           const struct expression *event, struct arena *arena,
                           struct maille_error *error) MAILLE_CHECKED;

/* More of them: patients by level of every factor, and combination of levels, in each level of `by` (CODE).
 */
enum maille_code fit_cells_by(struct cells *cells, const struct design *design,
                              const struct cohort_rows *cohort, const struct expression *by,
                              struct arena *arena, struct maille_error *error) MAILLE_CHECKED;

/* A new block; specs of the models stay far below TALLY_BLOCKS_MAX. */
struct tally_block *fit_block(struct tally_spec *spec, const struct guard *guard,
                              const struct expression *filter, const struct expression *weight, int order);

/* --- θ --- */

struct fit_theta {
    unsigned stage; /* 0 in round 1 */
    double shift;
    const double *gamma; /* n_columns */
    const bool *kept;    /* n_columns: is tallied */
    size_t *columns;     /* the kept ones, ascending */
    size_t n_columns;
    const double *extra; /* the method's own */
    size_t n_extra;
};

/* Reads θ; an empty one is round 1: all columns, γ = 0. `centred` leaves the constant out (Cox). *design
 * becomes the narrowed one where θ says so. Lives in arena. MAILLE_INVALID when θ has not the shape of this
 * design or a number is not finite: a site does not trust it. */
enum maille_code fit_theta_read(struct fit_theta *view, struct arena *arena, const struct design **design,
                                bool centred, const struct vector *theta,
                                struct maille_error *error) MAILLE_CHECKED;
/* The stage of θ; 0 of an empty one. */
unsigned fit_theta_stage(const struct vector *theta);
/* Its γ. */
double *fit_theta_gamma(struct vector *theta);
/* γ of θ on the columns of the design that was not narrowed. */
void fit_theta_public_gamma(double *gamma, const struct fit_theta *view, const struct design *narrowed,
                            const struct design *design);

/* The expressions of the kept columns, with `first` before them when it is not NULL. */
const struct expression *const *fit_theta_terms(const struct fit_theta *view, struct arena *arena,
                                                const struct design *design, const struct expression *first);

/* --- memo --- */

/* FIT_LOST: aliased because it varies by no more than the rounding of the tally: it is constant, or its
 * spread is lost in the bounds of the dictionary. FIT_BELOW, FIT_ABOVE: a level without an event, or with
 * nothing else, whose estimate is infinite; used in the first step, then held where its rows say no more.
 * FIT_OTHERS_ABOVE, FIT_OTHERS_BELOW: such a level that others are compared with, whose column is none of
 * R's. FIT_BASE: the one of these that stands in its place (stats/fit_levels.c). */
enum fit_state {
    FIT_UNUSED,
    FIT_USED,
    FIT_ALIASED,
    FIT_LOST,
    FIT_BELOW,
    FIT_ABOVE,
    FIT_OTHERS_ABOVE,
    FIT_OTHERS_BELOW,
    FIT_BASE
};
/* Stands for infinity in a coefficient: e^-40 of a patient is below every tolerance. */
#define FIT_INFINITY 40.0
enum fit_scalar {
    FIT_ROWS,    /* complete rows */
    FIT_MISSING, /* rows of the cohort that are not */
    FIT_EVENTS,
    FIT_OBJECTIVE, /* at the accepted β: what is to become smaller (deviance, −log likelihood) */
    FIT_STEPS,     /* Newton steps taken */
    FIT_HALVINGS,  /* of the step at hand */
    FIT_OFFSET,    /* Cox: Σ offset over the rows */
    FIT_SCALARS = 8
};

struct fit {
    const struct design *design;
    bool centred; /* Cox: R's design has no constant */
    double *scalars, *state, *beta, *accepted, *sum, *event_sum, *low, *accepted_low;
    double *moments; /* of orthogonal polynomials: fit_poly_read */
    struct vector *memo;
};

/* Where the method's own part of memo begins. */
size_t fit_memo_size(const struct design *design);

/* Points into memo, which grows by zeros when it is empty. Bind again after memo has grown. */
void fit_bind(struct fit *fit, const struct design *design, bool centred, struct vector *memo);

/* From the sums of round 1 (fit->sum filled): which columns R's design has. Levels that nobody has go into
 * the outcome. */
enum maille_code fit_choose_columns(struct fit *fit, struct outcome *outcome,
                                    struct maille_error *error) MAILLE_CHECKED;

/* --- fit_levels.c: levels without an event --- */

/* A level (or combination of levels) without any event, or without anything else (`both`), has an infinite
 * estimate, with a warning that names it (a policy that hides how few events a level has refuses the model
 * before: CELL_EVENTS). The others are what R's tend to. Where it is a level that others are compared with,
 * theirs are infinite, and the constant; MAILLE_FAILED where the others cannot do without it, as where three
 * factors interact. events: n_columns sums of what counts as an event. */
enum maille_code fit_check_levels(struct fit *fit, const double *events, bool both, const char *what,
                                  struct outcome *outcome, struct maille_error *error) MAILLE_CHECKED;
/* Is the coefficient held where it is, after the first step? */
bool fit_is_infinite(const struct fit *fit, size_t j);
/* Where it is held. */
double fit_held(const struct fit *fit, size_t j);
/* Is it held, and no column of R's design? */
bool fit_is_reference(const struct fit *fit, size_t j);
/* Has the column a coefficient of its own in the step at hand? */
bool fit_is_free(const struct fit *fit, size_t j);
/* Is its estimate infinite, or a difference from one that is? */
bool fit_is_hidden(const struct fit *fit, size_t j);
/* Stands its factor in no interaction, and is there a constant? */
bool fit_stands_alone(const struct fit *fit, size_t j);
/* How many are held: R counts them among the parameters. */
size_t fit_infinite(const struct fit *fit);

/* θ anew: its head, whose shift is 0. */
void fit_theta_head(struct vector *theta, unsigned stage, bool narrowed);
/* Appends what a narrowed θ has behind its coefficients and kept columns: middle and half-range of n columns.
 */
void fit_theta_bounds(struct vector *theta, const double *middle, const double *half, size_t n);
/* Writes the common part of θ from fit->beta; what the method adds is appended afterwards. */
void fit_theta_write(const struct fit *fit, struct vector *theta, unsigned stage);
void fit_theta_set_stage(struct vector *theta, unsigned stage);
void fit_theta_set_shift(struct vector *theta, double shift);
double fit_theta_shift(const struct vector *theta);

/* γ of β (n_columns). */
void fit_gamma(const struct fit *fit, double *gamma);

/* The shift c of a linear predictor: its mean over the rows where the fit is centred, else 0. */
double fit_shift(const struct fit *fit, const double *gamma);

/* --- a step --- */

/* Score and information on R's columns, and what follows from them. */
struct normal {
    size_t n;
    size_t *columns; /* of the design: used or aliased */
    f128 *score, *information, *step, *variance;
    struct linear_factor factor;
};

/* What was tallied, on the kept columns of θ. */
struct fit_tally {
    const struct fit_theta *theta;
    const f128 *score;       /* θ->n_columns */
    const f128 *information; /* full square */
    const double *raw;       /* diagonal before anything was subtracted: what rounding is measured by */
    double rounding;         /* absolute, of one entry */
};

/* Goes over to R's columns, factors, and solves for the step. In the first step collinear columns become
 * FIT_ALIASED; in a later one a column that has lost its information means an infinite estimate:
 * MAILLE_FAILED with its name. */
enum maille_code fit_normal(struct normal *normal, struct arena *arena, struct fit *fit,
                            const struct fit_tally *tally, struct maille_error *error) MAILLE_CHECKED;

/* From the kept columns of θ to R's (those of normal->columns): score_out of them, information_out their full
 * square. */
void fit_to_model(f128 *score_out, f128 *information_out, struct arena *arena, const struct fit *fit,
                  const struct fit_theta *theta, const f128 *score, const f128 *information);

/* V·g on the tallied columns of θ, of a g that is on them too (of something that depends on the coefficients,
 * its derivatives): with ρ what a row does to the score, (V·g)′·ρ is what it does to that. */
f128 *fit_influence(struct arena *arena, const struct fit *fit, const struct fit_theta *theta,
                    const struct normal *normal, const f128 *gradient);

/* MAILLE_FAILED where B, n square on the kept columns, has less than nine digits: the sums of `rows` rows
 * have `fraction` bits behind the point, since the dictionary's bounds let exp() be large. */
enum maille_code fit_check_middle(const f128 *middle, size_t n, double rows, int fraction,
                                  struct maille_error *error) MAILLE_CHECKED;
/* V·B·V, normal->n square: V the inverse of the information, B the middle on the kept columns of θ (full
 * square). */
f128 *fit_sandwich(struct arena *arena, const struct fit *fit, const struct fit_theta *theta,
                   const struct normal *normal, const f128 *middle);

/* √(dispersion·variance) of column j of the model. */
double fit_standard_error(const struct normal *normal, size_t j, double dispersion);

/* The largest |step|/se; se is √(dispersion·variance). */
double fit_step_size(const struct normal *normal, double dispersion);

/* After so many steps that Newton would have ended: which estimates still run away. MAILLE_FAILED with their
 * names. */
enum maille_code fit_check_divergence(const struct fit *fit, const struct normal *normal,
                                      struct maille_error *error) MAILLE_CHECKED;

/* After a step that does not fit the bounds: MAILLE_FAILED, naming the terms that ask for it, as separation
 * or bounds too wide. */
enum maille_code fit_fail_bounds(const struct fit *fit, const struct normal *normal, double most,
                                 struct maille_error *error);

/* accepted := beta; beta := accepted + step. */
void fit_take_step(struct fit *fit, const struct normal *normal);

/* The same where exp() is taken of the linear predictor: a step whose predictor could leave ±most
 * over the public bounds (below, where the fit is centred, −FIT_CUT_MAX) is shortened; one that would have
 * to be shorter than 1/64 is left as it is, and the tally refuses it by rule "theta": false then. */
bool fit_take_bounded_step(struct fit *fit, const struct normal *normal, double most, struct arena *arena,
                           const struct expression *offset);

/* Counts one halving more in *n. MAILLE_FAILED after FIT_HALVINGS_MAX. */
enum maille_code fit_count_halving(double *n, struct maille_error *error) MAILLE_CHECKED;
/* beta := (beta + accepted)/2. MAILLE_FAILED after FIT_HALVINGS_MAX. */
enum maille_code fit_halve(struct fit *fit, struct maille_error *error) MAILLE_CHECKED;

/* --- the result --- */

struct fit_report {
    const struct normal *normal;
    const f128 *robust; /* covariance that the tests use instead of the model's, normal->n square; or NULL */
    double dispersion;
    double df; /* > 0: t with df; 0: normal */
    double conf_level;
    bool no_covariance; /* surviving->no_covariance */
    bool events;        /* n_event per level means something */
};

/* `terms`, in R's order, aliased ones as rows of nulls that are also named in outcome->aliased. */
void fit_report_terms(const struct fit *fit, const struct fit_report *report, struct outcome *outcome,
                      struct result *result);
/* `vcov`, nulls where aliased; null with a warning where report says no_covariance. */
void fit_report_vcov(const struct fit *fit, const struct fit_report *report, struct outcome *outcome,
                     struct result *result);
/* {statistic, df, p_value} of a χ². */
void fit_report_chisq(struct result *to, const char *name, double statistic, double df);

/* --- fit_narrow.c: numbers that vary far less than their bounds --- */

/* In round 1, behind the method's own blocks and before those of fit_poly_plan: 1, t and t² of every number
 * of the design. No block where there is none, or where the design is narrowed. */
void fit_narrow_plan(struct tally_spec *spec, const struct design *design, const struct expression *rows,
                     struct arena *arena);
/* Reads it, before anything else is read. true: θ asks for round 1 again with narrower bounds. */
bool fit_narrow_read(struct vector *theta, const struct design *design, const struct totals *totals,
                     struct arena *arena);

/* --- fit_poly.c: orthogonal polynomials --- */

/* Numbers in memo. */
size_t fit_poly_size(const struct design *design);
/* In round 1, behind everything else: 1, u … u^(2k) over the rows, of every poly() of the formula; no block
 * where there is none. */
void fit_poly_plan(struct tally_spec *spec, const struct design *design, const struct expression *rows,
                   struct arena *arena);
/* Reads that block, the last of the round, into fit->moments. MAILLE_FAILED where x has too few values. */
enum maille_code fit_poly_read(struct fit *fit, const struct totals *totals, struct arena *arena,
                               struct maille_error *error) MAILLE_CHECKED;
/* The linear predictor where every orthogonal column, and every other covariate, is 0: 0 without poly(). */
double fit_poly_origin(const struct fit *fit, struct arena *arena);
/* The fit, its variance and its robust covariance (NULL: none) on R's columns. Live in arena. */
void fit_poly_show(struct fit *fit, struct normal *normal, const f128 **robust, struct arena *arena);

/* --- fit_subgroups.c --- */

enum { FIT_SUBGROUPS_MAX = 20 };
#define FIT_SUBGROUPS_SENTENCE                                                                               \
    "categories in whose levels the effect of the formula's first term is given; each is an analysis more"

/* Of an analysis that `subgroups` added (analysis->subgroup): `subgroups`, the effect of the first term in
 * every level of the variable, and `interaction`, Wald's test that they are one. Nothing for any other. */
void fit_subgroups_report(const struct fit *fit, const struct fit_report *report,
                          const struct analysis *analysis, struct arena *arena, struct result *result);

#endif
