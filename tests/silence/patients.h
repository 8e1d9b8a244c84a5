/* The patients of a network that is held to the rule of silence: three hundred of the example's, fifty at
 * each of six sites or as many of fewer. */
#ifndef TESTS_SILENCE_PATIENTS_H
#define TESTS_SILENCE_PATIENTS_H

#include "registry/columns.h"

enum { PATIENTS = 300, PATIENTS_SITES = 6 };

/* What is otherwise in a table than in that of everybody. */
enum patients_change_kind { CHANGE_NONE, CHANGE_OUTCOME, CHANGE_ADDED, CHANGE_OBJECTED, CHANGE_REPLACED };
struct patients_change {
    enum patients_change_kind kind;
    size_t site;   /* whose: 0 … PATIENTS_SITES − 1 */
    uint64_t draw; /* which patient, or what one, or whom the site has instead */
};
/* One word of what a change is; for sentences. */
const char *patients_change_word(const struct patients_change *change);

/* A table for each of n sites, dealt by `deal` (0: by their turn; another: each site has as many, but
 * others). Free each with columns_free. */
void patients_deal(struct columns *parts[PATIENTS_SITES], size_t n, uint64_t deal, bool last_keeps);
/* The table of one site of deal 0, changed: an outcome is the other one, one patient is there who has values
 * that no other of the site has, one is not there, or all are others (as many). */
struct columns *patients_changed(const struct patients_change *change);

#endif
