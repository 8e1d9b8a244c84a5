/* A first mapping of an export onto a dictionary, for a person to edit. */
#ifndef REGISTRY_MAPPING_MAKE_H
#define REGISTRY_MAPPING_MAKE_H

#include "base/bytes.h"
#include "query/dictionary.h"

/* Reads header and values of path, and appends the text of a mapping to out: columns by name but for accents,
 * case and units; levels likewise, and yes and no in English, French and numbers; formats of dates that all
 * values have. What it cannot say stands as a comment with a `?`. Errors of csv_open and csv_next. */
enum maille_code mapping_make(struct bytes *out, const struct dictionary *dictionary, const char *path,
                              struct maille_error *error) MAILLE_CHECKED;

#endif
