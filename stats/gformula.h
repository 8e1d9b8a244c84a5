/* The g-formula inside the rounds of a glm (stats/glm.c). Internal to stats/. */
#ifndef STATS_GFORMULA_H
#define STATS_GFORMULA_H

#include "stats/glm.h"

enum { GFORMULA_LEVELS_MAX = 8 };

/* What a study may not ask: MAILLE_INVALID, with the line. */
enum maille_code gformula_check(const struct glm *glm, const struct analysis *analysis,
                                struct maille_error *error) MAILLE_CHECKED;

/* Numbers that are told beside the model's: means, their errors, and an error of each contrast. */
size_t gformula_shown(const struct glm *glm);

/* Two kinds of blocks behind the model's own, at the converged θ: one of products, and one a level. */
void gformula_plan(const struct glm *glm, const struct fit_theta *at, struct arena *arena,
                   struct tally_spec *spec);

/* Reads them from `block` on: `means` and `contrasts`. normal: of the same totals. MAILLE_FAILED where the
 * model cannot say what everybody in one level would have. */
enum maille_code gformula_report(const struct glm_step *step, const struct normal *normal, size_t block,
                                 struct maille_error *error) MAILLE_CHECKED;

#endif
