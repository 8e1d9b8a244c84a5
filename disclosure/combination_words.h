/* The combinations that a question has a part in (disclosure/combination.h): which rows, of which analyses.
 * The words that sites say of them stand in a threshold round (disclosure/threshold.h). */
#ifndef DISCLOSURE_COMBINATION_WORDS_H
#define DISCLOSURE_COMBINATION_WORDS_H

#include "disclosure/combination.h"
#include "disclosure/combination_form.h"
#include "query/study.h"

struct combined_row {
    size_t group; /* of the question's own */
    bool implied;
};

struct combined {
    struct arena *arena;
    struct combination combination;
    size_t n_own;              /* groups of the question: those of equal words are one */
    const size_t *group_of;    /* [analysis]: SIZE_MAX: it has none, or is not open */
    const size_t *analysis_of; /* [own group]: the first analysis that has it */
    const bool *crowded;       /* [own group]: not compared, for there are too many rows or groups */
    size_t n_rows;
    const struct combined_row *rows;
};

/* past: the groups that were shown; open: of the study's analyses. MAILLE_MEMORY, MAILLE_FAILED. Free with
 * combined_clear. */
enum maille_code combined_init(struct combined *combined, const struct study *study, const bool *open,
                               const struct combination_group *past, size_t n_past, form_hash *hash,
                               struct maille_error *error) MAILLE_CHECKED;
void combined_clear(struct combined *combined);
/* The form of the rows that count in an analysis. false: it cannot be counted. */
bool combined_form(struct bytes *form, const struct analysis *analysis, form_hash *hash);

/* Goes through the rows, in order. */
typedef enum maille_code combined_visit(void *context, size_t row, const uint64_t *coefficients,
                                        struct maille_error *error);
enum maille_code combined_rows(const struct combined *combined, combined_visit *visit, void *context,
                               struct maille_error *error) MAILLE_CHECKED;
/* Canonical bytes: for the layout of the round. */
void combined_layout(struct bytes *out, const struct combined *combined);

#endif
