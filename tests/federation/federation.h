/* A network without a network: splits one table into sites and runs a study through plan, tally, addition and
 * step, in one process; under a policy, the threshold rounds before them. What is left out is the wire, the
 * masks and the ledger; the arithmetic is the real one. */
#ifndef TESTS_FEDERATION_H
#define TESTS_FEDERATION_H

#include "disclosure/plan.h"
#include "stats/round.h"

/* n tables with the patients of `table` dealt out at random (seed), to some sites more than to others; a site
 * may get none. Free each with columns_free. */
enum maille_code federation_split(struct columns **sites, size_t n, const struct columns *table,
                                  uint64_t seed, struct maille_error *error) MAILLE_CHECKED;
/* The same, dealt otherwise: each site has as many patients as with shuffle 0, but others. */
enum maille_code federation_deal(struct columns **sites, size_t n, const struct columns *table, uint64_t seed,
                                 uint64_t shuffle, struct maille_error *error) MAILLE_CHECKED;

/* n tables by the values of an integer or a category, the lowest first; beyond n, those of the last: a
 * registry's own split, which a script in R can make too. MAILLE_INVALID when the variable is neither. */
enum maille_code federation_split_by(struct columns **sites, size_t n, const struct columns *table,
                                     const struct dictionary *dictionary, const char *variable,
                                     struct maille_error *error) MAILLE_CHECKED;

/* Runs all rounds of a study over the sites. *run is filled (free with study_run_clear). rounds: how many it
 * took. */
enum maille_code federation_run(struct study_run *run, unsigned *rounds, const struct study *study,
                                struct columns *const *sites, size_t n, const struct tally_options *options,
                                struct maille_error *error) MAILLE_CHECKED;

/* The threshold rounds of a policy that every site has. MAILLE_FAILED where nothing can be judged. Free with
 * plan_clear. */
enum maille_code federation_thresholds(struct plan *plan, const struct study *study,
                                       struct columns *const *sites, size_t n, const struct policy *policy,
                                       const struct tally_options *options,
                                       struct maille_error *error) MAILLE_CHECKED;

/* federation_run with those rounds before the rounds of values, where the policy needs them (else, and with
 * policy NULL, *plan stays as it is). *plan must outlive the run. steps (NULL: not
 * wanted): a line of text for the plan and for each analysis of each round, with status, θ and memo to the
 * bit. */
enum maille_code federation_run_under(struct study_run *run, struct plan *plan, unsigned *rounds,
                                      const struct study *study, struct columns *const *sites, size_t n,
                                      const struct policy *policy, const struct tally_options *options,
                                      struct bytes *steps, struct maille_error *error) MAILLE_CHECKED;

/* Reads a policy: the path of a file, or the name of a preset. */
enum maille_code federation_policy(const struct policy **policy, struct arena *arena, const char *name,
                                   struct maille_error *error) MAILLE_CHECKED;

/* Reads dictionary and table of a test data set: tests/vectors/NAME.dictionary.yaml and NAME.csv, or
 * examples/NAME/. "NAME=FILE" takes the table from another CSV file of the same dictionary. */
enum maille_code federation_data(const struct dictionary **dictionary, struct columns **table,
                                 struct arena *arena, const char *name,
                                 struct maille_error *error) MAILLE_CHECKED;

/* Reads and types a study file against a dictionary. */
enum maille_code federation_study(const struct study **study, struct arena *arena,
                                  const struct dictionary *dictionary, const char *path,
                                  struct maille_error *error) MAILLE_CHECKED;

#endif
