#include "stats/methods.h"

#include <string.h>

extern const struct method method_count, method_describe, method_quantile, method_histogram, method_crosstab, method_km, method_logrank,
    method_cox, method_glm;

const struct method *const methods_all[] = {
    &method_count,
    &method_describe,
    &method_quantile,
    &method_histogram,
    &method_crosstab,
    &method_glm,
    &method_km,
    &method_logrank,
    &method_cox,
    NULL,
};

enum { N_METHODS = sizeof methods_all / sizeof *methods_all - 1 };

const struct method *method_find(const char *name)
{
    for (size_t i = 0; i < N_METHODS; i++)
        if (strcmp(methods_all[i]->declared.name, name) == 0)
            return methods_all[i];
    return NULL;
}

const struct query_method *methods_declared(size_t *n)
{
    /* The declarations stand inside the methods; the parser wants them side by side. Copied at every call, so that no order of
     * initialisation matters; the copies are all alike. */
    static struct query_method declared[N_METHODS];
    for (size_t i = 0; i < N_METHODS; i++)
        declared[i] = methods_all[i]->declared;
    *n = N_METHODS;
    return declared;
}
