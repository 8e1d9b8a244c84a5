#include "stats/conditions.h"

#include "stats/wording.h"

/* Under `missing: study` a model loses rows to the other models of its study; with one model there are none.
 */
static void warn_missing(const struct analysis *analysis, struct outcome *outcome)
{
    const struct study *study = analysis->study;
    size_t n_models = 0;
    for (size_t i = 0; i < study->n_analyses; i++)
        n_models += study->analyses[i].declared->is_model;
    if (study->missing != MISSING_STUDY || !analysis->declared->is_model || n_models < 2)
        return;
    const char *words = "that miss a variable of any model of the study are left out (missing: study); in R, "
                        "na.omit() of the variables of all models before the first is fitted";
    if (outcome->n_missing < 0)
        wording_warn(outcome, "rows %s; how many is withheld", words);
    else
        wording_warn(outcome, "%lld rows %s", (long long)outcome->n_missing, words);
}

/* A time whose steps are the dictionary's own is as it is in the data, whatever the grid. */
static void warn_grid(const struct analysis *analysis, struct outcome *outcome)
{
    for (size_t k = 0; k < analysis->declared->n_keys && analysis->study->grid_by_default; k++) {
        const struct formula *formula = analysis->values[k].formula;
        struct time_axis axis;
        if (formula == NULL || formula->kind != RESPONSE_SURVIVAL ||
            analysis_time_axis(&axis, analysis, formula, NULL) != MAILLE_OK || axis.per_bin <= 1)
            continue;
        wording_warn(outcome,
                     "times are on a grid of one %s, which is taken where the study has no `grid`; in R, "
                     "Surv(ceiling(time / %.10g) * %.10g, event)",
                     analysis_grid_name(analysis->study->grid), axis.width, axis.width);
    }
}

void conditions_warn(const struct analysis *analysis, struct outcome *outcome)
{
    warn_missing(analysis, outcome);
    warn_grid(analysis, outcome);
}
