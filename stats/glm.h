/* What the files of glm share: glm.c (keys, reading, rounds), glm_site.c (strata(site)) and gformula.c (means
 * of the fitted model). Internal to stats/. */
#ifndef STATS_GLM_H
#define STATS_GLM_H

#include "stats/family.h"
#include "stats/fit.h"

/* What a glm is made of; built anew for each call. */
struct glm {
    const struct formula *formula;
    const struct family *family;
    const struct design *design;
    struct cohort_rows cohort;           /* rows: of the model */
    const struct expression *y;          /* NUMBER */
    const struct expression *event;      /* BOOLEAN; NULL unless the family has events */
    const struct expression *groups;     /* event as CODE {FALSE, TRUE}, or NULL */
    const struct expression *weights;    /* NUMBER ≥ 0, or NULL */
    bool robust, by_site;                /* by_site: strata(site) */
    const struct query_value *treatment; /* of gformula; NULL in glm */
};

/* A step at the analyst. */
struct glm_step {
    const struct analysis *analysis;
    const struct totals *totals;
    struct iteration *iteration;
    struct outcome *outcome;
    struct arena *arena;
    struct glm glm;
    struct fit_theta at;
    struct fit fit;
    double *own; /* memo beyond the common part */
};

/* glm.c */

/* The rows of two methods: glm's own, to which weights are a variable like any other, and gformula's. */
enum maille_code glm_check(const struct analysis *analysis, struct maille_error *error) MAILLE_CHECKED;
enum maille_code glm_cells(const struct analysis *analysis, struct arena *arena, struct cells *out,
                           struct maille_error *error) MAILLE_CHECKED;
enum maille_code glm_plan(const struct analysis *analysis, const struct vector *theta,
                          const struct surviving *surviving, struct arena *arena, struct tally_spec *spec,
                          struct maille_error *error) MAILLE_CHECKED;
enum maille_code glm_step(const struct analysis *analysis, const struct totals *totals,
                          struct iteration *iteration, struct outcome *outcome, bool *done,
                          struct maille_error *error) MAILLE_CHECKED;

/* μ as a site works it out from the linear predictor. */
const struct expression *glm_mean(const struct glm *glm, struct arena *arena, const struct expression *eta);

/* Blocks of one evaluation, in this order; their score and information are of `terms`. */
enum { GLM_DEVIANCE, GLM_SCORE, GLM_INFORMATION, GLM_EVALUATION };
void glm_add_evaluation(const struct glm *glm, struct arena *arena, struct tally_spec *spec,
                        const struct expression *eta, const struct expression *const *terms, size_t n_terms);
/* The middle of the sandwich, of the score that stands in block `at`. */
void glm_add_squares(struct tally_spec *spec, struct arena *arena, size_t at);

/* glm_site.c */

/* One block: what all sites send in a round, added. Each site solves for its own constant α at the θ of the
 * round and sends, with α put in: whether it has anybody; Σ a·μ′; the deviance; then of the kept columns the
 * score, the information less what α takes of it (upper triangle) and, for robust errors, the middle of the
 * sandwich likewise. */
enum { GLM_SITES, GLM_SITE_WEIGHT, GLM_SITE_DEVIANCE, GLM_SITE_SCORE };
void glm_site_plan(const struct glm *glm, const struct fit_theta *at, struct arena *arena,
                   struct tally_spec *spec);

#endif
