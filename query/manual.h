/* The language as its manual shows it (docs/STUDY.md): the rows that the parsers themselves read, so that the
 * page cannot differ from them (tests/study_page_test.c). */
#ifndef QUERY_MANUAL_H
#define QUERY_MANUAL_H

#include <stddef.h>

struct manual_row {
    const char *name;    /* of a key or function; an operator as it is written */
    const char *form;    /* how it is written: "cut(x, c(…), right = TRUE)"; of a key, what its value is */
    const char *meaning; /* one sentence, without a full stop */
};

/* Each gives its rows and their number. */
const struct manual_row *dictionary_keys(size_t *n);
const struct manual_row *dictionary_variable_keys(size_t *n);
const struct manual_row *dictionary_types(size_t *n);
const struct manual_row *study_keys(size_t *n);
const struct manual_row *study_analysis_keys(size_t *n);
const struct manual_row *syntax_operators(size_t *n);
const struct manual_row *expression_functions(size_t *n);
const struct manual_row *formula_functions(size_t *n);

#endif
