/* The languages as JSON Schema (draft 2020-12), for editors and other programs: made from the tables that the
 * parser reads with (query/language.h) and from what the methods declare. The parser knows more than a schema
 * can say (names, types, formulas): `maille check --json`. */
#ifndef QUERY_SCHEMA_H
#define QUERY_SCHEMA_H

#include "base/json.h"
#include "query/study.h"

/* Each appends one document to out. */
void schema_study(struct bytes *out, const struct query_method *methods, size_t n_methods);
void schema_dictionary(struct bytes *out);
/* One schema of an analysis per method, under $defs/METHOD. */
void schema_methods(struct bytes *out, const struct query_method *methods, size_t n_methods);

#endif
