#include "stats/methods.h"

#include <pthread.h>
#include <string.h>

#include "stats/conditions.h"

extern const struct method method_count, method_describe, method_quantile, method_histogram, method_crosstab,
    method_attrition, method_pathways;
extern const struct method method_ttest, method_anova, method_correlation;
extern const struct method method_glm, method_km, method_logrank, method_cox, method_cuminc, method_finegray;
extern const struct method method_meta, method_rate, method_smd, method_table1, method_gformula;
extern const struct method method_negative_controls;
extern const struct method method_emulation;

const struct method *const methods_all[] = {
    &method_count,     &method_describe,    &method_quantile, &method_histogram,
    &method_crosstab,  &method_attrition,   &method_pathways, &method_ttest,
    &method_anova,     &method_correlation, &method_glm,      &method_gformula,
    &method_emulation, &method_km,          &method_logrank,  &method_cox,
    &method_cuminc,    &method_finegray,    &method_meta,     &method_negative_controls,
    &method_rate,      &method_smd,         &method_table1,   NULL,
};

enum { N_METHODS = sizeof methods_all / sizeof *methods_all - 1 };

const struct method *method_find(const char *name)
{
    for (size_t i = 0; i < N_METHODS; i++)
        if (strcmp(methods_all[i]->declared.name, name) == 0)
            return methods_all[i];
    return NULL;
}

enum maille_code method_cells(const struct analysis *analysis, struct arena *arena, struct cells *cells,
                              struct maille_error *error)
{
    enum maille_code code = method_find(analysis->method)->cells(analysis, arena, cells, error);
    return code != MAILLE_OK ? code : conditions_cells(cells, analysis, arena, error);
}

/* The declarations stand inside the methods; the parser wants them side by side. */
static struct query_method declared[N_METHODS];
static pthread_once_t declared_once = PTHREAD_ONCE_INIT;

static void declare(void)
{
    for (size_t i = 0; i < N_METHODS; i++)
        declared[i] = methods_all[i]->declared;
}

const struct query_method *methods_declared(size_t *n)
{
    pthread_once(&declared_once, declare);
    *n = N_METHODS;
    return declared;
}
