/* The list of methods. */
#ifndef STATS_METHODS_H
#define STATS_METHODS_H

#include "stats/method.h"

/* All methods, in the order of docs/methods/README.md; NULL-terminated. */
extern const struct method *const methods_all[];

const struct method *method_find(const char *name); /* NULL when there is none */

/* The head counts of an analysis: its method's, and behind them those of stats/conditions.h. Errors: as
 * method.cells. */
enum maille_code method_cells(const struct analysis *analysis, struct arena *arena, struct cells *cells,
                              struct maille_error *error) MAILLE_CHECKED;

/* For study_parse: the declarations of all methods. */
const struct query_method *methods_declared(size_t *n);

#endif
