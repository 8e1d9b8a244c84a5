/* From numbers to places: where ticks stand and what they say. */
#ifndef REPORT_FIGURES_SCALE_H
#define REPORT_FIGURES_SCALE_H

#include <stdbool.h>
#include <stddef.h>

enum { SCALE_TICKS_MAX = 24, SCALE_WORDS = 24 };

struct scale {
    double low, high; /* of the numbers; low < high */
    double from, to;  /* of the places */
    bool is_log;
    size_t n_ticks;
    double ticks[SCALE_TICKS_MAX];
};

/* Linear, from low to at least high, with steps of 1, 2 or 5 times a power of ten: at most `most` ticks.
 * low and high become ticks where `whole`. */
void scale_linear(struct scale *scale, double low, double high, size_t most, bool whole);

/* Logarithmic over [low, high], which are made to be 1, 2 or 5 times a power of ten; at most `most` ticks,
 * and 1 is one of them where it lies between. */
void scale_log(struct scale *scale, double low, double high, size_t most);

/* The place of a number; beyond the ends it is beyond the places. */
double scale_place(const struct scale *scale, double number);

/* A tick in words: as few digits as tell it from its neighbours. */
const char *scale_words(char words[SCALE_WORDS], const struct scale *scale, size_t tick);

#endif
