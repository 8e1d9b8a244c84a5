/* Checks over a whole block at the speed of memory. Built with -O3: the loops are written for the vectoriser.
 */
#ifndef REGISTRY_RANGE_H
#define REGISTRY_RANGE_H

#include "registry/columns.h"

/* Whether every entry, also one that the mask calls missing, is from least to greatest (a NaN is not). */
bool range_holds(const struct column_block *block, double least, double greatest);

/* Whether each of rows > 0 numbers equals the one before it or is one more. */
bool range_is_dense(const int32_t *numbers, size_t rows);

#endif
