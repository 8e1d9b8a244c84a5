/* What results have shown of groups of patients. A plan says what its results will show (plan->shown); each
 * site's ledger keeps it (ledger_shown.h), and in T2 a site objects to an analysis that would show too much
 * with what it knows of other queries of the epoch. No result is in it: which group, how many patients, which
 * number and how many numbers. */
#ifndef DISCLOSURE_SHOWN_H
#define DISCLOSURE_SHOWN_H

#include "base/arena.h"
#include "base/bytes.h"

enum shown_kind {
    SHOWN_SCALARS = 1, /* group: canonical bytes of a cohort. Coefficients, standard errors, weighted means */
    SHOWN_MOMENT       /* group: the variable, LE64. A sum over a power of it */
};

struct shown_entry {
    enum shown_kind kind;
    int64_t patients; /* of the group, pooled */
    uint64_t amount;  /* numbers */
    uint64_t values;  /* of a moment: how many the variable can have in the cohort; 0: many. Not kept */
    size_t group_length, item_length;
    const uint8_t *group, *item; /* item: what tells these numbers from others of the same group */
};

struct shown {
    size_t n, room;
    struct shown_entry *entries;
};

/* Adds one, copied into arena. Not for long lists: the same group, patients and item again change nothing. */
void shown_add(struct shown *shown, struct arena *arena, const struct shown_entry *entry);
/* Numbers in n lists (NULL: empty) of entry's kind and group, the same item once. Scalars of a cohort: those
 * of the same expression, and those of any of as many patients, since one cohort can be written in two ways.
 * Moments of a variable: those of a group of as many patients. */
uint64_t shown_of_group(const struct shown *const *lists, size_t n, const struct shown_entry *entry,
                        struct arena *arena);

/* Canonical bytes, and back; shown_read adds to what is in the list, whatever is there already.
 * MAILLE_INVALID. */
void shown_write(struct bytes *out, const struct shown *shown);
enum maille_code shown_read(struct shown *shown, struct arena *arena, const uint8_t *bytes, size_t length,
                            struct maille_error *error) MAILLE_CHECKED;

#endif
