/* A network without a network: splits one table into sites and runs a study through plan, tally, addition and step, in one
 * process. What is left out is the wire, the masks and the policies; the arithmetic is the real one. */
#ifndef TESTS_FEDERATION_H
#define TESTS_FEDERATION_H

#include "stats/round.h"

/* n tables with the patients of `table` dealt out at random (seed), to some sites more than to others; a site may get none.
 * Free each with columns_free. */
enum maille_code federation_split(struct columns **sites, size_t n, const struct columns *table, uint64_t seed,
                                  struct maille_error *error) MAILLE_CHECKED;

/* n tables by the values of an integer or a category, the lowest first; beyond n, those of the last: a registry's own split, which a
 * script in R can make too. MAILLE_INVALID when the variable is neither. */
enum maille_code federation_split_by(struct columns **sites, size_t n, const struct columns *table,
                                     const struct dictionary *dictionary, const char *variable,
                                     struct maille_error *error) MAILLE_CHECKED;

/* Runs all rounds of a study over the sites. *run is filled (free with study_run_clear). rounds: how many it took. */
enum maille_code federation_run(struct study_run *run, unsigned *rounds, const struct study *study,
                                struct columns *const *sites, size_t n, const struct tally_options *options,
                                struct maille_error *error) MAILLE_CHECKED;

/* Reads dictionary and table of a test data set: tests/vectors/NAME.dictionary.yaml and NAME.csv, or examples/NAME/. "NAME=FILE" takes
 * the table from another CSV file of the same dictionary. */
enum maille_code federation_data(const struct dictionary **dictionary, struct columns **table, struct arena *arena,
                                 const char *name, struct maille_error *error) MAILLE_CHECKED;

/* Reads and types a study file against a dictionary. */
enum maille_code federation_study(const struct study **study, struct arena *arena, const struct dictionary *dictionary,
                                  const char *path, struct maille_error *error) MAILLE_CHECKED;

#endif
