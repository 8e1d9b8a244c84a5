/* Combinations of groups that single out a few patients (docs/decisions/0020-combinations.md): G1 − G2 + G3 −
 * G4 may be one patient where each pair is far apart. Whoever holds sums over groups holds every combination
 * of them.
 *
 * The words of the groups (combination_form.h) cut everybody into classes: two patients are of one class
 * where no group tells them apart. As vectors over classes the groups are reduced to echelon form modulo 2^61
 * − 1, the widest class first, so that the last rows stand on the narrowest classes; each row is a
 * combination of groups, whose coefficients the caller gets. By how many patients a row is not 0 no class
 * says: the sites count it (ledger_combination.h).
 *
 * All of it is a function of public words, and the same at every site. */
#ifndef DISCLOSURE_COMBINATION_H
#define DISCLOSURE_COMBINATION_H

#include "base/arena.h"
#include "base/bytes.h"

enum {
    COMBINATION_GROUPS_MAX = 1024,
    COMBINATION_CLASSES_MAX = 4096, /* of more, the widest; what is beyond shows in rows that are implied */
    COMBINATION_ROWS_MAX = 4096     /* of one question */
};
#define COMBINATION_PRIME ((UINT64_C(1) << 61) - 1)

struct combination_group {
    const uint8_t *form; /* borrowed */
    size_t length;
};

struct combination {
    struct arena *arena;
    size_t n_past, n_groups; /* those that were shown come first */
    size_t n_classes, words; /* uint64_t a class */
    const uint64_t *classes; /* [class][words]: which groups have it, the widest class first */
    const bool *present;     /* [class]: some of its patients may lack nothing that a group reads */
    bool whole;              /* these are all classes */
    bool crowded; /* to cut them is more work than is done for a question: there are none, and no row
                     says anything */
};

/* n_groups: at most COMBINATION_GROUPS_MAX. A form that is none is of a group that nobody is in.
 * MAILLE_MEMORY.
 */
enum maille_code combination_init(struct combination *combination, const struct combination_group *groups,
                                  size_t n_past, size_t n_groups, struct maille_error *error) MAILLE_CHECKED;
void combination_clear(struct combination *combination);

/* One row in which group `group`, a new one, takes part with those before it. coefficients: one a group,
 * modulo COMBINATION_PRIME. implied: by the classes that are here it is 0 everywhere. */
typedef enum maille_code combination_row(void *context, size_t group, const uint64_t *coefficients,
                                         bool implied, struct maille_error *error);
/* Every row, new group by new group. Stops with what `row` returns where that is not MAILLE_OK. */
enum maille_code combination_rows(const struct combination *combination, combination_row *row, void *context,
                                  struct maille_error *error) MAILLE_CHECKED;

/* Is the combination other than 0 in a class of patients who may lack nothing? */
bool combination_of_present(const struct combination *combination, const uint64_t *coefficients);
/* Σ coefficients of the groups in `members`, a bitmap of n_groups. */
uint64_t combination_sum(const uint64_t *coefficients, const uint64_t *members, size_t words);

#endif
