#include "tally/riskset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tally/fixed.h"

size_t riskset_stride(const struct riskset_plan *plan)
{
    return ROW_TERMS + plan->block->n_terms;
}

bool riskset_by_patient(const struct tally_block *block)
{
    return block->kind == TALLY_RISKSET &&
           (block->riskset == RISKSET_SQUARE_PATIENTS || block->riskset == RISKSET_SCORES_PATIENTS ||
            block->riskset == RISKSET_CONCORDANCE_PATIENTS);
}

enum maille_code riskset_collect(struct bytes *kept, const struct riskset_plan *plan,
                                 const struct evaluator *evaluator, const struct evaluate_survival *survival,
                                 const struct unit_rows *rows, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct tally_block *block = plan->block;
    const size_t n = rows->n;
    bool logrank = block->riskset == RISKSET_LOGRANK;
    uint8_t keep[EVALUATE_ROWS], failed[EVALUATE_ROWS];
    for (size_t r = 0; r < n; r++) {
        failed[r] = survival->failed != NULL && survival->failed[r] != 0;
        keep[r] = survival->exit[r] >= 0 || failed[r];
    }
    for (size_t i = 0; i < RISKSET_TERMS + block->n_terms; i++)
        evaluate_keep(keep, failed, evaluator, plan->roots + i, n);
    MAILLE_TRY(evaluate_check(keep, failed, n, error));
    const int32_t *strata =
        block->group == NULL ? NULL : evaluate_codes(evaluator, plan->roots + RISKSET_STRATUM);
    const double *weights =
        block->weight == NULL ? NULL : evaluate_numbers(evaluator, plan->roots + RISKSET_WEIGHT);
    for (size_t r = 0; r < n; r++) {
        double weight = weights == NULL ? 1 : weights[r];
        if (!keep[r] || !(weight > 0))
            continue;
        double *row = (double *)(void *)bytes_reserve(kept, riskset_stride(plan) * sizeof *row);
        if (row == NULL)
            break;
        row[ROW_PATIENT] = rows->patients != NULL
                               ? (double)rows->patients[r]
                               : (double)(rows->block * COLUMNS_BLOCK_ROWS + rows->first + r);
        row[ROW_STRATUM] = strata == NULL ? 0 : strata[r];
        row[ROW_EXIT] = survival->exit[r];
        row[ROW_ENTRY] = survival->entry == NULL ? -1 : survival->entry[r];
        row[ROW_EVENT] = survival->status[r] > 0;
        row[ROW_WEIGHT] = weight;
        row[ROW_ETA_OR_ARM] = logrank ? evaluate_codes(evaluator, plan->roots + RISKSET_ETA_OR_ARM)[r]
                                      : evaluate_numbers(evaluator, plan->roots + RISKSET_ETA_OR_ARM)[r];
        for (size_t i = 0; i < block->n_terms; i++)
            row[ROW_TERMS + i] = evaluate_numbers(evaluator, plan->roots + RISKSET_TERMS + i)[r];
    }
    MAILLE_TRY(bytes_check(kept, error));
out:
    return code;
}

/* Descending by one column inside a stratum; then by all the others, so that the order of summation depends
 * on the rows as a set and not on where they stood. */
static int compare_column(const double *a, const double *b, size_t column)
{
    if (a[ROW_STRATUM] != b[ROW_STRATUM])
        return a[ROW_STRATUM] < b[ROW_STRATUM] ? -1 : 1;
    if (a[column] != b[column])
        return a[column] > b[column] ? -1 : 1;
    return 0;
}

static int compare_rest(const double *a, const double *b, size_t stride)
{
    for (size_t i = ROW_EXIT; i < stride; i++) {
        if (a[i] != b[i])
            return a[i] > b[i] ? -1 : 1;
    }
    return 0;
}

static int compare_exit(const void *a, const void *b, void *stride)
{
    const double *x = *(const double *const *)a, *y = *(const double *const *)b;
    int order = compare_column(x, y, ROW_EXIT);
    return order != 0 ? order : compare_rest(x, y, *(size_t *)stride);
}

static int compare_entry(const void *a, const void *b, void *stride)
{
    const double *x = *(const double *const *)a, *y = *(const double *const *)b;
    int order = compare_column(x, y, ROW_ENTRY);
    return order != 0 ? order : compare_rest(x, y, *(size_t *)stride);
}

static enum maille_code out_of_bounds(struct maille_error *error)
{
    return maille_fail(error, MAILLE_FAILED,
                       "expected every sum of this site within its public bound, found one outside; narrow "
                       "min and max of the covariates");
}

static void store_word(uint8_t *words, const struct tally_extent *extent, size_t k, i128 value)
{
    uint8_t *word = words + extent->offset + k * extent->width;
    le64_store(word, (uint64_t)value);
    le64_store(word + 8, (uint64_t)(value >> 64));
}

static enum maille_code write_sums(uint8_t *words, const struct riskset_plan *plan, const double *sums,
                                   struct maille_error *error)
{
    const struct tally_extent *extent = plan->extent;
    double bound = plan->block->bound * fixed_power(TALLY_N_MAX_LOG2);
    for (size_t k = 0; k < extent->count; k++) {
        if (!(sums[k] >= -bound && sums[k] <= bound))
            return out_of_bounds(error);
    }
    for (size_t k = 0; k < extent->count; k++)
        store_word(words, extent, k, fixed_of(sums[k], extent->fraction));
    return MAILLE_OK;
}

/* The products (upper triangle) of the p numbers that each cluster summed up, as the last of the words, each
 * rounded once: so they add up to the same bits whatever the order of the clusters. */
static enum maille_code write_products(uint8_t *words, const struct riskset_plan *plan, const double *own,
                                       size_t p, size_t n_clusters, struct maille_error *error)
{
    const struct tally_extent *extent = plan->extent;
    double bound = plan->block->bound * fixed_power(TALLY_N_MAX_LOG2);
    for (size_t i = 0, k = extent->count - p * (p + 1) / 2; i < p; i++)
        for (size_t j = i; j < p; j++, k++) {
            i128 sum = 0;
            double size = 0;
            for (size_t c = 0; c < n_clusters; c++) {
                double product = own[c * p + i] * own[c * p + j];
                size += fabs(product);
                if (!(size <= bound))
                    return out_of_bounds(error);
                sum += fixed_of(product, extent->fraction);
            }
            store_word(words, extent, k, sum);
        }
    return MAILLE_OK;
}

bool riskset_is_concordance(enum riskset_kind kind)
{
    return kind == RISKSET_CONCORDANCE || kind == RISKSET_CONCORDANCE_SITE ||
           kind == RISKSET_CONCORDANCE_PATIENTS;
}

enum maille_code riskset_write(uint8_t *words, const struct riskset_plan *plan, const struct bytes *parts,
                               size_t n_parts, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct tally_block *block = plan->block;
    const bool by_patient = riskset_by_patient(block), concordance = riskset_is_concordance(block->riskset),
               own_sums = by_patient || block->riskset == RISKSET_SQUARE ||
                          block->riskset == RISKSET_SCORES_SITE || block->riskset == RISKSET_CONCORDANCE_SITE;
    size_t stride = riskset_stride(plan), n = 0, n_clusters = 1;
    for (size_t p = 0; p < n_parts; p++)
        n += parts[p].length / (stride * sizeof(double));
    const double **by_exit = malloc((n + 1) * sizeof *by_exit),
                 **by_entry = malloc((n + 1) * sizeof *by_entry);
    double *sums = calloc(plan->extent->count, sizeof *sums), *own = NULL; /* [cluster · terms] */
    if (by_exit == NULL || by_entry == NULL || sums == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for %zu patients' rows, found none", n);
        goto out;
    }
    size_t at = 0;
    for (size_t p = 0; p < n_parts; p++) {
        const double *rows = (const double *)(const void *)parts[p].data;
        for (size_t r = 0; r < parts[p].length / (stride * sizeof *rows); r++) {
            size_t patient = (size_t)rows[r * stride + ROW_PATIENT];
            n_clusters = by_patient && patient >= n_clusters ? patient + 1 : n_clusters;
            by_exit[at++] = rows + r * stride;
        }
    }
    if (own_sums && (own = calloc(n_clusters, (block->n_terms + 2) * sizeof *own)) == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for the sums of %zu patients, found none",
                           n_clusters);
        goto out;
    }
    qsort_r(by_exit, n, sizeof *by_exit, compare_exit, &stride);
    memcpy(by_entry, by_exit, n * sizeof *by_entry);
    qsort_r(by_entry, n, sizeof *by_entry, compare_entry, &stride);

    for (size_t first = 0, end; first < n; first = end) {
        for (end = first; end < n && by_exit[end][ROW_STRATUM] == by_exit[first][ROW_STRATUM];)
            end++;
        struct riskset_stratum stratum = {.by_exit = by_exit + first,
                                          .by_entry = by_entry + first,
                                          .n = end - first,
                                          .n_terms = block->n_terms};
        if (block->riskset == RISKSET_LOGRANK)
            MAILLE_TRY(riskset_logrank(sums, &stratum, block->arms->n_levels, block->rho != 0, error));
        else if (concordance)
            MAILLE_TRY(riskset_concordance(sums, own, &stratum, by_patient, error));
        else if (block->riskset == RISKSET_SQUARE || block->riskset == RISKSET_SQUARE_PATIENTS)
            riskset_square(own, &stratum, by_patient);
        else if (block->riskset >= RISKSET_SCORES_ROWS)
            MAILLE_TRY(riskset_scores(own_sums ? own : sums, &stratum, block, error));
        else
            MAILLE_TRY(riskset_cox(sums, &stratum, block->riskset == RISKSET_COX_EFRON, error));
    }
    if (!own_sums || concordance)
        MAILLE_TRY(write_sums(words, plan, sums, error));
    if (own_sums)
        MAILLE_TRY(write_products(words, plan, own, concordance ? 2 : block->n_terms, n_clusters, error));
out:
    free(own);
    free(by_exit);
    free(by_entry);
    free(sums);
    return code;
}
