/* What the manual shows beside the keys (query/language.h): types, operators and functions, in rows that
 * stand with the code that reads them, so that the page cannot differ from it (tests/study_page_test.c). */
#ifndef QUERY_MANUAL_H
#define QUERY_MANUAL_H

#include <stddef.h>

struct manual_row {
    const char *name;    /* of a type or function; an operator as it is written */
    const char *form;    /* how it is written: "cut(x, c(…), right = TRUE)" */
    const char *meaning; /* one sentence, without a full stop */
};

/* Each gives its rows and their number. */
const struct manual_row *dictionary_types(size_t *n);
const struct manual_row *syntax_operators(size_t *n);
const struct manual_row *expression_functions(size_t *n);
const struct manual_row *formula_functions(size_t *n);

#endif
