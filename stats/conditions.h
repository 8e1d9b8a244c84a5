/* What changes the answer without being an error, said in the answer: the reading of `missing`, a grid that
 * nobody wrote, steps that were joined. Of all methods in one place; each sentence has R's words for it. */
#ifndef STATS_CONDITIONS_H
#define STATS_CONDITIONS_H

#include "stats/method.h"

/* Appends to outcome->warnings what holds for this analysis. For one that ended well. */
void conditions_warn(const struct analysis *analysis, struct outcome *outcome);

#endif
