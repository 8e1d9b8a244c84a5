/* What the programs of the speed table share: a clock, a way to stop, and the row that bench/run.sh turns
 * into one line of the table. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"

/* Turns of everything that is timed; the median is what a row says. */
enum { BENCH_TURNS = 7 };

/* One line of the table. Small is good: `target` is the least that compared / value may be. */
struct bench_row {
    const char *what, *dataset;
    unsigned threads, processes;
    double value; /* in `unit`: s, MB */
    const char *unit;
    const char *compared; /* with what, in the same run; or a limit */
    double compared_value;
    double target;
};

/* Prints a row as fields between tabs, after the word "row". A comparison that could not be made has a
 * compared_value of 0 and says why in `compared`. */
static inline void bench_row_print(const struct bench_row *row)
{
    printf("row\t%s\t%s\t%u\t%u\t%.6g\t%s\t%s\t%.6g\t%.6g\n", row->what, row->dataset, row->threads,
           row->processes, row->value, row->unit, row->compared, row->compared_value, row->target);
    fflush(stdout);
}

static inline double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static inline int bench_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The middle one of BENCH_TURNS times, which are put in order. */
static inline double bench_median(double *times)
{
    qsort(times, BENCH_TURNS, sizeof *times, bench_compare);
    return times[BENCH_TURNS / 2];
}

static inline void bench_must(enum maille_code code, const struct maille_error *error)
{
    if (code == MAILLE_OK)
        return;
    fprintf(stderr, "bench: %s\n", error->sentence);
    exit(1);
}

#endif
