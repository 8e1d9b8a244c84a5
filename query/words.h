/* Expressions in words that a data protection officer can read: what `check` shows and what the log keeps. */
#ifndef QUERY_WORDS_H
#define QUERY_WORDS_H

#include "query/expression.h"

/* Appends the expression, e.g. "age >= 18 && year >= 1980", "nodes cut at {1, 4, 10}", "exit bin". Tables are
 * named, not listed. */
void expression_words(struct bytes *out, const struct expression *expression,
                      const struct dictionary *dictionary);

#endif
