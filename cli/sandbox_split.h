/* Deals one CSV file out to the sites of a sandbox: whole patients, never the rows of one. */
#ifndef CLI_SANDBOX_SPLIT_H
#define CLI_SANDBOX_SPLIT_H

#include "base/arena.h"
#include "query/dictionary.h"

struct sandbox_site {
    const char *name; /* [a-z0-9-]{1,40} */
    const char *file; /* its CSV */
    size_t rows;
};

/* Either n_sites (patients dealt at random by seed, sizes differ by at most one: site-1 … site-n) or split_by
 * (one site per value of that column, named COLUMN-VALUE). Writes DIR/sites/NAME/data.csv for each, header
 * included, records byte for byte as they stand. sites lives in arena. Errors: MAILLE_INVALID (no key column,
 * one patient with two values, more than 1000 values …), MAILLE_IO. */
enum maille_code sandbox_split(struct sandbox_site **sites, size_t *n, struct arena *arena, const char *dir,
                               const char *data, const struct dictionary *dictionary, size_t n_sites,
                               const char *split_by, uint64_t seed,
                               struct maille_error *error) MAILLE_CHECKED;

/* The next number of a stream: splitmix64 (Steele, Lea and Flood 2014), so that the same seed deals the same
 * patients on every machine. */
uint64_t sandbox_split_random(uint64_t *state);

#endif
