/* Partial likelihood and log-rank inside one site: the sums of TALLY_RISKSET blocks. Internal to tally/.
 *
 * Unlike moments these need every row of the site at once: rows · (terms + 6) doubles of memory. */
#ifndef TALLY_RISKSET_H
#define TALLY_RISKSET_H

#include "base/bytes.h"
#include "tally/evaluate.h"
#include "tally/unit.h"

/* Roots of the main program: filter, strata, weight, eta or arms, then the terms. */
struct riskset_plan {
    const struct tally_block *block;
    const struct tally_extent *extent;
    size_t roots;
};
enum { RISKSET_FILTER, RISKSET_STRATUM, RISKSET_WEIGHT, RISKSET_ETA_OR_ARM, RISKSET_TERMS };

/* One row as it is kept: riskset_stride numbers, of which these come first, then the terms. The number of the
 * patient says only which rows are of one: no order of summation depends on it. */
enum { ROW_PATIENT, ROW_STRATUM, ROW_EXIT, ROW_ENTRY, ROW_EVENT, ROW_WEIGHT, ROW_ETA_OR_ARM, ROW_TERMS };
size_t riskset_stride(const struct riskset_plan *plan);

/* Are rows of one patient summed up before they are squared? */
bool riskset_by_patient(const struct tally_block *block);
bool riskset_is_concordance(enum riskset_kind kind);

/* Appends those of the n rows evaluated last (rows.n) that count to kept. A row with a weight of 0 does not,
 * as coxph has it. Errors: MAILLE_FAILED (a domain error in a row that counts), MAILLE_MEMORY. */
enum maille_code riskset_collect(struct bytes *kept, const struct riskset_plan *plan,
                                 const struct evaluator *evaluator, const struct evaluate_survival *survival,
                                 const struct unit_rows *rows, struct maille_error *error) MAILLE_CHECKED;

/* The block's words from all rows, which stand in n_parts buffers in row order: the sums are taken in double,
 * in an order that depends on the rows alone, and rounded once at the layout's scale. Errors: MAILLE_MEMORY;
 * MAILLE_FAILED where a sum is not within its public bound. */
enum maille_code riskset_write(uint8_t *words, const struct riskset_plan *plan, const struct bytes *parts,
                               size_t n_parts, struct maille_error *error) MAILLE_CHECKED;

/* --- the kernels, over rows of one stratum that were sorted --- */

/* Rows by descending exit, and the same rows by descending entry. */
struct riskset_stratum {
    const double *const *by_exit, *const *by_entry;
    size_t n, n_terms;
};

/* Adds loglik, U[n_terms] and I (upper triangle, row-wise) of one stratum to sums (as many doubles as the
 * extent has). */
enum maille_code riskset_cox(double *sums, const struct riskset_stratum *stratum, bool efron,
                             struct maille_error *error) MAILLE_CHECKED;
/* Adds O[arms], E[arms] and V (upper triangle) of one stratum to sums. */
enum maille_code riskset_logrank(double *sums, const struct riskset_stratum *stratum, size_t n_arms, bool rho,
                                 struct maille_error *error) MAILLE_CHECKED;
/* Adds the weights of comparable pairs of one stratum to sums: concordant, discordant, equal eta; and the
 * products of what each row, times its weight, has of pairs: concordant less discordant (NET), and all, in
 * units of 1/RISKSET_PAIRS_SCALE. own: not NULL where the rows of a site, or of each patient, are one
 * cluster: adds there the sums {net, pairs} of each instead. */
enum {
    RISKSET_CONCORDANT,
    RISKSET_DISCORDANT,
    RISKSET_EQUAL,
    RISKSET_NET_NET,
    RISKSET_NET_PAIRS,
    RISKSET_PAIRS_PAIRS,
    RISKSET_PAIRS
};
enum maille_code riskset_concordance(double *sums, double *own, const struct riskset_stratum *stratum,
                                     bool by_patient, struct maille_error *error) MAILLE_CHECKED;
/* The score residuals of a stratum. ROWS: adds the products (upper triangle); LEVELS: the sums by level;
 * PATIENTS and SITE: the sums (n_terms) of each patient or of the site, which riskset_write squares over all
 * strata. */
enum maille_code riskset_scores(double *sums, const struct riskset_stratum *stratum,
                                const struct tally_block *block, struct maille_error *error) MAILLE_CHECKED;
/* Adds weight·x of every row to the sums (n_terms) of its patient or of the site, likewise. */
void riskset_square(double *sums, const struct riskset_stratum *stratum, bool by_patient);

#endif
