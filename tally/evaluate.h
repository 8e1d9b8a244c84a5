/* Runs a compiled program over rows, EVALUATE_ROWS at a time, so that what lies between a column and a sum
 * stays in the processor's caches. Internal to tally/.
 *
 * The value of an expression in a row is present, missing (NaN, or −1), or failed: a logarithm of a number
 * that is not above 0, a square root of one below 0, a division by 0. A failed value is marked in a byte
 * beside it and goes through every operation like a present one, but a missing value in the same operation
 * wins (the row is left out anyway), and a branch that does not matter (FALSE && …, the other side of a
 * select) does not fail. A failure counts only where the row does. */
#ifndef TALLY_EVALUATE_H
#define TALLY_EVALUATE_H

#include "registry/columns.h"
#include "tally/program.h"

enum { EVALUATE_ROWS = 1024 };

/* Follow-up of the rows that come next: what OP_SURV_EXIT, _ENTRY, _STATUS and _FATE give. */
struct evaluate_survival {
    const int32_t *exit, *entry, *status, *fate;
    const uint8_t *failed; /* NULL: none can */
};

struct evaluator; /* of one thread */

/* A program ready to run over columns; both must outlive it. Errors: MAILLE_MEMORY; MAILLE_INVALID where a
 * variable is not in the dictionary of the columns. Free with evaluate_free. */
enum maille_code evaluate_new(struct evaluator **evaluator, const struct program *program,
                              struct columns *columns, struct maille_error *error) MAILLE_CHECKED;
void evaluate_free(struct evaluator *evaluator);

/* Loads what the program reads of one block. Errors: those of columns_block. */
enum maille_code evaluate_load(struct evaluator *evaluator, size_t block,
                               struct maille_error *error) MAILLE_CHECKED;

/* Evaluates rows first … first + n − 1 of the loaded block, n ≤ EVALUATE_ROWS. survival may be NULL where the
 * program has no survival leaf. Errors: MAILLE_CORRUPT for a value outside of its dictionary's bounds: sums
 * are scaled by them. */
enum maille_code evaluate_rows(struct evaluator *evaluator, size_t first, size_t n,
                               const struct evaluate_survival *survival,
                               struct maille_error *error) MAILLE_CHECKED;

/* Values of root `root` of the rows that were evaluated last: numbers, or codes and booleans. */
const double *evaluate_numbers(const struct evaluator *evaluator, size_t root);
const int32_t *evaluate_codes(const struct evaluator *evaluator, size_t root);
/* 1 where the value failed; NULL where it cannot, or the root is NULL. */
const uint8_t *evaluate_failed(const struct evaluator *evaluator, size_t root);

/* Which rows count: keep[r] stays 1 only where root is present (a boolean: true) or failed; failed[r] becomes
 * 1 where it failed. A root that is NULL changes nothing. A row that is kept and failed at the end is an
 * error of the analysis. */
void evaluate_keep(uint8_t *keep, uint8_t *failed, const struct evaluator *evaluator, size_t root, size_t n);

/* MAILLE_FAILED, with the sentence for a row that is kept and failed; otherwise MAILLE_OK. */
enum maille_code evaluate_check(const uint8_t *keep, const uint8_t *failed, size_t n,
                                struct maille_error *error) MAILLE_CHECKED;

#endif
