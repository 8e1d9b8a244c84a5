/* What counts against a registration (key of the policy `budget.registration_few`; decision 0033): every
 * refusal under `few`, every null under `few` of a group that the study made by words of its own, and a
 * covariance that is withheld from such a model; where a pooled count or a difference is below its limit by
 * itself (plan_analysis.small), so that no site makes others count by its veto. A number of missing values
 * that is withheld counts where somebody lacks one. A ruler, many groups of which each is a little larger
 * than the one before, reads one bit from each of them.
 *
 * What counts is named by public facts and by what the researcher is shown, so that how much counts tells
 * nothing beside it: the words of the cohort, of what else makes the groups (factors and conditions that are
 * no variable of the dictionary by itself, nor one level of it) and, of nulls, their levels. The same words
 * count once, whoever of the registration uses them, in whatever study and method. Of a null in a table of
 * the dictionary's own levels: where the cohort is of the study's words, the table counts once. */
#ifndef DISCLOSURE_FEW_H
#define DISCLOSURE_FEW_H

#include "disclosure/plan.h"

enum { FEW_HASH_BYTES = 32 };
typedef void few_hash(uint8_t out[FEW_HASH_BYTES], const uint8_t *data, size_t length);

/* Groups that count, each a hash; some may stand there twice. */
struct few {
    struct bytes hashes;
};
void few_clear(struct few *few);

/* Adds that of an analysis that is refused under `few`. MAILLE_MEMORY. */
enum maille_code few_add_refused(struct few *few, const struct threshold *threshold, size_t analysis,
                                 few_hash *hash, struct maille_error *error) MAILLE_CHECKED;
/* Adds those of all analyses of a plan: refused under `few`, or with nulls. MAILLE_MEMORY. */
enum maille_code few_add_plan(struct few *few, const struct threshold *threshold, const struct plan *plan,
                              few_hash *hash, struct maille_error *error) MAILLE_CHECKED;

/* What a study counts at most, whoever the patients are and whichever sites drop out: every analysis of it
 * refused, and every number withheld that can count. threshold: as few_add_plan has it; where it knows no
 * published cohort these count as the study's own words. MAILLE_MEMORY. */
enum maille_code few_most(size_t *most, const struct threshold *threshold, few_hash *hash,
                          struct maille_error *error) MAILLE_CHECKED;

#endif
