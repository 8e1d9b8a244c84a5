/* Private to disclosure/: groups that a study makes of a number or a date, and the cuts that it may make them
 * by. */
#ifndef DISCLOSURE_GATE_CUTS_H
#define DISCLOSURE_GATE_CUTS_H

#include "disclosure/gate.h"

/* What is wrong with the groups of an analysis: a sentence in arena, or NULL. Looked at are all of its
 * expressions, and the tables that its method makes of a number (cells; NULL: not known). A group is well
 * made where it reads one variable, alone, against the cuts of the dictionary and those that are registered:
 *
 *   - a comparison with, or a cut() at, one of them, from either side (age < 75 and age <= 75 at 75), but not
 *     from both sides in one analysis, which would leave a single value;
 *   - year() of a date, where the first of January is one of them;
 *   - any value of a whole number of at most GATE_FEW_VALUES, which is a category;
 *   - what divides nothing within the dictionary's limits.
 *
 * A time of Surv() is a variable as it is, or days() or months() of two dates that the dictionary has in an
 * order: by sums and differences the grid could be moved under the patients. Decision 0021. */
const char *gate_cuts_fault(const struct analysis *analysis, const struct cells *cells,
                            const struct variable_cuts *registered, size_t n_registered, struct arena *arena);

#endif
