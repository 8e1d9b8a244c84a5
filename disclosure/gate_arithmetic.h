/* Private to disclosure/: how sharply what a researcher wrote may tell one patient from the others. */
#ifndef DISCLOSURE_GATE_ARITHMETIC_H
#define DISCLOSURE_GATE_ARITHMETIC_H

#include "query/study.h"

/* The degree of a number as a polynomial in all its variables; a divisor counts as a factor does. */
unsigned gate_arithmetic_degree(const struct expression *e);
/* What is wrong with the numbers that an analysis computes from the variables, by the dictionary's bounds
 * alone: a sentence (static), or NULL. The limits and what they do not stop: docs/DISCLOSURE.md §6. Looked at
 * are the terms (products over their factors), response, times and offset of every formula, the variables,
 * the weights and the formula of iptw; not what only picks patients or makes groups of them (cohort, by,
 * strata, categories, comparisons), whose cells are counted. Derived variables are looked at where they are
 * used. */
const char *gate_arithmetic_fault(const struct analysis *analysis);

#endif
