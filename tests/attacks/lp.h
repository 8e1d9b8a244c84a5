/* An attacker who holds the whole release of a study and a linear program. He knows every combination of
 * values that a patient can have (an atom), which of them each released number counts, and nothing else. */
#ifndef TESTS_ATTACKS_LP_H
#define TESTS_ATTACKS_LP_H

#include <stdbool.h>
#include <stddef.h>

struct attack {
    size_t n_atoms, n_numbers;
    double *counts; /* [number][atom]: how often the number counts such a patient */
    double *values; /* of each number */
    bool *released; /* else it is what he wants to know */
};

/* The least and the greatest that a number can be. False where no patients at all could have given the
 * release. */
bool attack_bounds(double *low, double *high, const struct attack *attack, size_t number);

#endif
