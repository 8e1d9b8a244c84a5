/* The group-bys of the speed table: counts and sums by centre and by category, in a cohort of two comparisons
 * (age ≥ 30 and pgr < 5000). bench/duckdb.mjs asks DuckDB the same, under the same names. */
#ifndef BENCH_QUESTIONS_H
#define BENCH_QUESTIONS_H

#include "tally/tally.h"

enum { QUESTIONS = 6, QUESTION_TERMS = 4 };

struct question {
    const char *name, *what;
    struct tally_spec *spec;
    uint32_t variables[8]; /* columns that are read */
    size_t n_variables;
};

void questions_make(struct question questions[QUESTIONS], struct arena *arena,
                    const struct dictionary *dictionary);

/* Bytes that a row takes in the columns that are read (values; masks of missing ones apart). */
size_t question_row_bytes(const struct question *question, struct columns *columns);

/* Seconds of one tally. */
double question_seconds(const struct question *question, struct columns *columns, unsigned threads);

#endif
