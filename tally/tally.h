/* The tally: grouped, weighted moments over patients: the one thing that a site computes, whatever the
 * method.
 *
 *     for each group g:   n_g,   Σ w,   Σ w·t_i,   Σ w·t_i·t_j
 *
 * Sums are integers: counts in Z_2^64, reals in Z_2^128 with `fraction` fractional bits. Every term is
 * rounded once per patient row (half to even), so the sum does not depend on how rows are spread over sites,
 * blocks or threads (docs/decisions/0002-exact-sums.md). */
#ifndef TALLY_TALLY_H
#define TALLY_TALLY_H

#include "base/arena.h"
#include "base/number.h"
#include "query/expression.h"
#include "registry/columns.h"

/* Rows of a whole network, the bound that the fixed point is scaled for: never the number of one site. */
#define TALLY_N_MAX_LOG2 34
/* Rows of one site: what a site works out by itself is bounded by them. */
#define TALLY_SITE_MAX_LOG2 28
_Static_assert(COLUMNS_ROWS_MAX == 1 << TALLY_SITE_MAX_LOG2, "a snapshot holds no more rows");
/* Sites of a network, likewise. */
#define TALLY_SITES_MAX_LOG2 10
enum { TALLY_GROUPS_MAX = 1 << 22, TALLY_BLOCKS_MAX = 128, TALLY_TERMS_MAX = 512, TALLY_OWN_MAX = 1 << 18 };
#define TALLY_BYTES_MAX ((size_t)256 << 20)

/* What became of a row on the grid. The first three do not count; a row that misses something has no fate. */
enum tally_fate {
    FATE_BACKWARDS, /* its stop is not after its start (R's Surv makes it missing) */
    FATE_EMPTIED,   /* nothing of it is left on the grid, and it has no event */
    FATE_OVERTAKEN, /* nothing of it is left: the patient has an event later in the step in which it begins */
    FATES_LEFT_OUT,
    FATE_FIRST = FATES_LEFT_OUT, /* the patient's first row that counts; every row without delayed entry */
    FATE_LATER,
    FATE_JOINED, /* it has no event, and stands in the row of the patient that continues it */
    FATES
};
/* In words: "it stops when or before it starts". */
const char *tally_fate_words(enum tally_fate fate);

/* Follow-up of a row on the grid. Times are counted in whole numbers of `lattice`, of which per_bin make a
 * bin; bin k stands for the time k·per_bin·lattice (its right edge). Exit and event times become ⌈t/bin⌉, a
 * patient's first entry ⌊t/bin⌋, the entry of a row that continues the patient's earlier row is that row's
 * exit bin; a row emptied by this is dropped (OP_SURV_* missing); if it holds an event it becomes (exit − 1,
 * exit] and the patient's earlier rows are cut at exit − 1 (docs/STUDY.md §6). Only rows that pass `filter`
 * are looked at. */
struct tally_survival {
    const struct expression *filter; /* BOOLEAN; NULL: all */
    const struct expression *start;  /* NUMBER or NULL: no delayed entry, no OP_SURV_ENTRY */
    const struct expression *stop;   /* NUMBER ≥ 0 */
    const struct expression *event;  /* BOOLEAN, or CODE whose level 0 is censoring */
    /* Where rows of one patient are one follow-up: a row without an event that the patient's next row
     * continues is joined to that, which then begins where it did. Not across codes of `same` (CODE; NULL:
     * always). Only with `start`. */
    bool joins;
    const struct expression *same;
    double lattice, per_bin; /* struct time_axis in query/study.h */
    uint32_t n_bins;         /* bins 0 … n_bins − 1 hold every time up to high(stop) */
};

enum tally_kind {
    TALLY_MOMENTS, /* moments.c */
    TALLY_RISKSET, /* riskset.c: partial likelihood inside one site */
    TALLY_OWN      /* own.c: what a site works out by rounds of its own */
};

/* A row's pairs are counted in these units. */
#define RISKSET_PAIRS_SCALE 0x1p-13

enum riskset_kind {
    RISKSET_COX_EFRON,
    RISKSET_COX_BRESLOW,
    RISKSET_LOGRANK,
    RISKSET_CONCORDANCE,
    RISKSET_CONCORDANCE_SITE,
    RISKSET_CONCORDANCE_PATIENTS,
    RISKSET_SQUARE,
    RISKSET_SQUARE_PATIENTS,
    RISKSET_SCORES_ROWS,
    RISKSET_SCORES_LEVELS,
    RISKSET_SCORES_PATIENTS,
    RISKSET_SCORES_SITE
};

struct tally_options;
struct guard;

/* TALLY_OWN: a few numbers that a site works out by rounds over its own tallies, such as the estimate of its
 * own fit; only their sums over the sites are read (docs/decisions/0007-own-rounds.md). Filled by a method.
 */
struct tally_own {
    const char
        *what; /* all that the numbers depend on beside `filter`, in words: the layout hash covers it */
    size_t n_values;
    double bound; /* public, of |each number| of one site */
    /* Fills values (n_values). Errors: as tally_run. */
    enum maille_code (*run)(double *values, const struct tally_own *own, struct columns *columns,
                            const struct tally_options *options, struct maille_error *error);
    const void *context; /* of run */
    /* Tallies that its rounds are made of, as those of a first one; the layout hash covers them. NULL: none.
     */
    const struct tally_spec *over;
};

struct tally_block {
    enum tally_kind kind;
    const struct expression *filter; /* BOOLEAN: rows that count (true); NULL: all */
    const struct expression *group;  /* CODE with n_levels groups (often OP_CROSS); NULL: one group. A row
                                        whose group is missing is left out */
    const struct expression *weight; /* NUMBER, or NULL: 1. A row whose weight is missing is left out */
    const struct expression *const
        *terms; /* NUMBER each, bounded; a missing term leaves the row out of this block */
    size_t n_terms;
    /* What disclosure control left: tally_block_parts bytes, 0: the words of this part are 0, whoever is in
     * it. NULL: all of them. The layout is the same, the layout hash is not. */
    const uint8_t *kept;
    const struct guard
        *guard;    /* the head counts that decide it (stats/guard.h), which a tally does not read */
    int order;     /* 0: n or Σw. 1: Σ w·t_i. 2: Σ w·t_i·t_j for i ≤ j (row-wise upper triangle) */
    bool distinct; /* order 0 without weight: distinct patients with a row in the group, not rows */
    /* TALLY_RISKSET only: strata = `group` (its levels are strata, summed); weight; terms are the covariates;
     * eta: linear predictor (COX, CONCORDANCE); arms: CODE (LOGRANK); rho: 0 or 1 (LOGRANK). One set of sums
     * for the whole site:
     * - COX: loglik, U[n_terms], I[n_terms(n_terms+1)/2] (upper triangle, of −∂²).
     * - LOGRANK: O[arms], E[arms], V[arms(arms+1)/2].
     * - CONCORDANCE: weights of the comparable pairs (event first): larger eta first, smaller eta first,
     * equal eta; then Σ of the products of {net, net}, {net, pairs}, {pairs, pairs} of every row, of which
     * net and pairs are its own pairs times its weight and RISKSET_PAIRS_SCALE. CONCORDANCE_SITE,
     *   CONCORDANCE_PATIENTS: of the site's own Σ net and Σ pairs, or of each patient's.
     * - SQUARE: products of the site's own Σ weight·t_i and Σ weight·t_j (upper triangle); no strata, eta is
     *   not read but must be there. SQUARE_PATIENTS: Σ over patients of the same products of each one's own
     *   sums.
     * - SCORES: weight·(score residual) ρ of every row of COX, within strata (`efron`: its ties). ROWS: Σ of
     *   ρ_i·ρ_j (upper triangle). LEVELS: Σ ρ by the levels of `arms`, which is also the last term, as a
     *   number. PATIENTS: Σ over patients of products of each one's own Σ ρ. SITE: products of the site's own
     *   Σ ρ. */
    enum riskset_kind riskset;
    const struct expression *eta;
    const struct expression *arms;
    double rho;
    bool efron;
    const struct tally_own *own; /* TALLY_OWN only, and nothing else but the filter, which is hashed */
    double bound; /* RISKSET: 2^-34 of a public bound of |each sum| over the network; 0 for MOMENTS (worked
                     out from the intervals) */
};

/* What one analysis asks for in one round. Lives in the arena of whoever planned it. */
struct tally_spec {
    struct tally_survival survival; /* stop NULL: none */
    struct tally_block blocks[TALLY_BLOCKS_MAX];
    size_t n_blocks;
    bool fitted; /* θ holds coefficients of a model, whose predictor is in the weights: they are not the
                    study's alone (its weights and offset). A tally does not read it */
};

/* Where a block's words stand and how they are scaled. */
struct tally_extent {
    size_t offset;  /* bytes from the start of the spec's words */
    size_t count;   /* numbers: groups × values per group, group-major */
    unsigned width; /* 8 or 16 bytes each, little-endian two's complement */
    int fraction;   /* fractional bits; 0 for counts */
};

/* Adds a zeroed block and returns it; NULL when there are TALLY_BLOCKS_MAX already. */
struct tally_block *tally_spec_add(struct tally_spec *spec);

/* How many groups a block has. */
size_t tally_block_groups(const struct tally_block *block);
/* How many values each group of a block of TALLY_MOMENTS has. */
size_t tally_block_values(const struct tally_block *block);
/* Parts of a block that may be left out by themselves: the groups of TALLY_MOMENTS, the numbers of TALLY_OWN,
 * all of TALLY_RISKSET as one. */
size_t tally_block_parts(const struct tally_block *block);

/* Extents of all blocks (n_blocks entries) and the bytes of the whole, a multiple of 16. A block starts at a
 * multiple of its word's width; what lies between blocks is zero. fraction = min(64, 126 −
 * ⌈log2(2^34·bound)⌉), of TALLY_OWN with 2^10 (sites). MAILLE_FAILED when an interval is infinite or the
 * exponent of a weight is above 30 ("theta"), MAILLE_INVALID when a limit above is passed. A pure function of
 * the spec: sites and analyst get the same. */
enum maille_code tally_layout(struct tally_extent *extents, size_t *bytes, const struct tally_spec *spec,
                              struct maille_error *error) MAILLE_CHECKED;

/* Can a row within the dictionary's bounds meet a domain error anywhere in this spec: a logarithm of 0 or
 * less, a root of less than 0, a division by 0? A pure function of the spec. MAILLE_INVALID: a limit of size;
 * MAILLE_MEMORY. */
enum maille_code tally_spec_may_fail(bool *may_fail, const struct tally_spec *spec,
                                     struct maille_error *error) MAILLE_CHECKED;

/* Canonical bytes of a spec: the layout hash covers them. */
void tally_spec_serialise(struct bytes *out, const struct tally_spec *spec);

/* The sums of one analysis at one site: words as laid out above. Only tally_run makes one with content, and
 * only disclosure/ turns it into something that can leave. */
struct tally {
    struct bytes words;
};
void tally_clear(struct tally *tally); /* wipes */

struct tally_options {
    unsigned threads; /* 0: as many as there are cores, at most 8 */
    bool scalar; /* force the portable path; tests compare (also by the environment variable MAILLE_SCALAR=1)
                  */
};

/* Runs a spec over all rows. Memory is bounded by blocks and groups, not by rows. Errors: MAILLE_FAILED "a
 * logarithm or a division met a value that is not above 0" (no count, no row); MAILLE_CORRUPT; MAILLE_MEMORY.
 */
enum maille_code tally_run(struct tally *out, const struct tally_spec *spec, struct columns *columns,
                           const struct tally_options *options, struct maille_error *error) MAILLE_CHECKED;

/* into += words of one more part (both of `bytes` bytes laid out by extents): addition mod 2^64 and 2^128. */
void tally_add(uint8_t *into, const uint8_t *more, const struct tally_extent *extents, size_t n_blocks);

/* Reading one number of a block. */
int64_t tally_count(const uint8_t *words, const struct tally_extent *extent, size_t index);
i128 tally_fixed(const uint8_t *words, const struct tally_extent *extent, size_t index);
f128 tally_quad(const uint8_t *words, const struct tally_extent *extent, size_t index);
double tally_real(const uint8_t *words, const struct tally_extent *extent, size_t index); /* rounded once */

#endif
