#include "tally/moments.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tally/grouped.h"
#include "tally/product.h"

_Static_assert((int)EVALUATE_ROWS <= (int)PRODUCT_ROWS && (int)EVALUATE_ROWS <= (int)GROUPED_ROWS,
               "the rows at hand are one run of the inner loops");

/* Above this many groups rows are not sorted by group within a run: the counting would cost more than it
 * saves. */
enum { SORT_GROUPS_MAX = 256 };

/* Sums of order 0 and 1 by group are kept in pairs (grouped.h) as long as the pairs stay in the second cache.
 */
enum { GROUPED_BYTES_MAX = 512 * 1024 };

/* One block's sums: counts[n_groups + 1], or sums[n_groups · n_values]. */
struct moments_sums {
    int64_t *counts;
    i128 *sums;
    int32_t *last;           /* `distinct`: the patient that each group counted last */
    struct grouped *grouped; /* what is still to be folded into sums; NULL: nothing ever is */
    struct fixed_constants constants;
};

struct moments {
    const struct moments_plan *plans;
    size_t n_plans;
    bool scalar;
    struct moments_sums *blocks;
    /* Of the rows at hand: */
    uint8_t keep[EVALUATE_ROWS], failed[EVALUATE_ROWS];
    uint32_t rows[EVALUATE_ROWS], group[EVALUATE_ROWS]; /* those that count, and their group */
    int64_t high[EVALUATE_ROWS], low[EVALUATE_ROWS];
    double weight[EVALUATE_ROWS];
    double *left, *right;         /* columns of EVALUATE_ROWS: w·t_i, t_i */
    struct grouped_value *values; /* per term */
};

static double magnitude(const struct expression *e)
{
    double low = e->low < 0 ? -e->low : e->low, high = e->high < 0 ? -e->high : e->high;
    return low > high ? low : high;
}

void moments_plan(struct moments_plan *plan, const struct tally_block *block,
                  const struct tally_extent *extent, size_t roots)
{
    size_t n = block->n_terms;
    *plan = (struct moments_plan){.block = block, .extent = extent, .roots = roots};
    plan->n_groups = block->group == NULL ? 1 : block->group->n_levels;
    plan->n_values = block->order == 0 ? 1 : block->order == 1 ? n : n * (n + 1) / 2;
    plan->weight_bound = block->weight == NULL ? 1 : magnitude(block->weight);
    for (size_t i = 0; i < n; i++) {
        double bound = magnitude(block->terms[i]);
        plan->term_bound = bound > plan->term_bound ? bound : plan->term_bound;
    }
}

static bool plan_counts(const struct moments_plan *plan)
{
    return plan->extent->width == 8;
}

/* Order 0 with a weight, or order 1: by group in pairs, or all patients at once. */
static bool plan_in_place(const struct moments_plan *plan)
{
    return plan->block->order < 2 && !plan_counts(plan) &&
           (plan->n_groups == 1 || grouped_memory(plan->n_groups, plan->n_values) <= GROUPED_BYTES_MAX);
}

size_t moments_memory(const struct moments_plan *plan)
{
    size_t cell = plan_counts(plan) ? sizeof(int64_t) : plan->n_values * sizeof(i128);
    size_t pairs = plan_in_place(plan) ? grouped_memory(plan->n_groups, plan->n_values) : 0;
    return pairs + plan->n_groups * (cell + (plan->block->distinct ? sizeof(int32_t) : 0));
}

enum maille_code moments_new(struct moments **moments, const struct moments_plan *plans, size_t n_plans,
                             bool scalar, struct maille_error *error)
{
    size_t terms = 1;
    struct moments *made = calloc(1, sizeof *made);
    if (made == NULL)
        goto no_memory;
    made->plans = plans;
    made->n_plans = n_plans;
    made->scalar = scalar;
    made->blocks = calloc(n_plans + 1, sizeof *made->blocks);
    for (size_t b = 0; b < n_plans; b++)
        terms = plans[b].block->n_terms > terms ? plans[b].block->n_terms : terms;
    made->left = malloc(terms * EVALUATE_ROWS * sizeof *made->left);
    made->right = malloc(terms * EVALUATE_ROWS * sizeof *made->right);
    made->values = malloc(terms * sizeof *made->values);
    if (made->blocks == NULL || made->left == NULL || made->right == NULL || made->values == NULL)
        goto no_memory;
    for (size_t b = 0; b < n_plans; b++) {
        struct moments_sums *sums = &made->blocks[b];
        if (plan_counts(&plans[b]))
            sums->counts = calloc(plans[b].n_groups + 1, sizeof *sums->counts);
        else
            sums->sums = calloc(plans[b].n_groups * plans[b].n_values + 1, sizeof *sums->sums);
        sums->last = plans[b].block->distinct ? malloc(plans[b].n_groups * sizeof *sums->last) : NULL;
        if ((sums->counts == NULL && sums->sums == NULL) || (plans[b].block->distinct && sums->last == NULL))
            goto no_memory;
        for (size_t g = 0; sums->last != NULL && g < plans[b].n_groups; g++)
            sums->last[g] = -1;
        if (!scalar && plan_in_place(&plans[b]) && plans[b].n_groups > 1) {
            sums->grouped = grouped_new(plans[b].n_groups, plans[b].n_values);
            if (sums->grouped == NULL)
                goto no_memory;
        }
        sums->constants = fixed_constants(plans[b].extent->fraction);
    }
    *moments = made;
    return MAILLE_OK;
no_memory:
    moments_free(made);
    return maille_fail(error, MAILLE_MEMORY,
                       "expected memory for the sums of an analysis, found none; ask for fewer cells");
}

static void wipe(void *memory, size_t bytes)
{
    if (memory != NULL)
        explicit_bzero(memory, bytes);
    free(memory);
}

void moments_free(struct moments *moments)
{
    if (moments == NULL)
        return;
    for (size_t b = 0; moments->blocks != NULL && b < moments->n_plans; b++) {
        const struct moments_plan *plan = &moments->plans[b];
        wipe(moments->blocks[b].counts, (plan->n_groups + 1) * sizeof(int64_t));
        wipe(moments->blocks[b].sums, plan->n_groups * plan->n_values * sizeof(i128));
        wipe(moments->blocks[b].last, plan->n_groups * sizeof(int32_t));
        grouped_free(moments->blocks[b].grouped);
    }
    free(moments->blocks);
    free(moments->left);
    free(moments->right);
    free(moments->values);
    wipe(moments, sizeof *moments);
}

/* --- which rows count --- */

static enum maille_code rows_mark(struct moments *m, const struct moments_plan *plan,
                                  const struct evaluator *evaluator, size_t n, struct maille_error *error)
{
    memset(m->keep, 1, n);
    memset(m->failed, 0, n);
    for (size_t i = 0; i < MOMENTS_TERMS + plan->block->n_terms; i++)
        evaluate_keep(m->keep, m->failed, evaluator, plan->roots + i, n);
    return evaluate_check(m->keep, m->failed, n, error);
}

static const int32_t *plan_codes(const struct moments_plan *plan, const struct evaluator *evaluator)
{
    return plan->block->group == NULL ? NULL : evaluate_codes(evaluator, plan->roots + MOMENTS_GROUP);
}

/* The marked rows, and their groups: how many there are. */
static size_t rows_list(struct moments *m, const int32_t *codes, size_t n)
{
    size_t count = 0;
    for (size_t r = 0; r < n; r++) {
        m->rows[count] = (uint32_t)r;
        count += m->keep[r];
    }
    for (size_t k = 0; k < count; k++)
        m->group[k] = codes == NULL ? 0 : (uint32_t)codes[m->rows[k]];
    return count;
}

/* Puts rows of one group together (a stable counting sort), so that a group's rows are one run of the inner
 * loops. */
static void rows_sort(struct moments *m, size_t count, size_t n_groups)
{
    uint32_t start[SORT_GROUPS_MAX + 1] = {0}, rows[EVALUATE_ROWS], group[EVALUATE_ROWS];
    for (size_t k = 0; k < count; k++)
        start[m->group[k] + 1]++;
    for (size_t g = 0; g < n_groups; g++)
        start[g + 1] += start[g];
    for (size_t k = 0; k < count; k++) {
        uint32_t at = start[m->group[k]]++;
        rows[at] = m->rows[k];
        group[at] = m->group[k];
    }
    /* cppcheck-suppress uninitvar ; the loop wrote count of them */
    memcpy(m->rows, rows, count * sizeof *rows);
    /* cppcheck-suppress uninitvar ; the loop wrote count of them */
    memcpy(m->group, group, count * sizeof *group);
}

/* --- values of the rows that count --- */

static enum maille_code outside(struct maille_error *error)
{
    return maille_fail(
        error, MAILLE_CORRUPT,
        "expected values within the bounds that the dictionary gives them, found one outside; import the "
        "data again");
}

/* False where a value lies outside of its public bound: the sums would not hold it. */
static bool gather(double *out, const double *values, const uint32_t *rows, size_t count, double bound)
{
    unsigned outside = 0;
    for (size_t k = 0; k < count; k++) {
        double x = values[rows[k]];
        out[k] = x;
        outside |= (unsigned)(x > bound) | (unsigned)(x < -bound);
    }
    return outside == 0;
}

/* Fills weight, right (t_i) and left (w·t_i; w itself at order 0). */
static enum maille_code values_gather(struct moments *m, const struct moments_plan *plan,
                                      const struct evaluator *evaluator, size_t count,
                                      struct maille_error *error)
{
    const struct tally_block *block = plan->block;
    bool inside = true;
    if (block->weight != NULL)
        inside = gather(m->weight, evaluate_numbers(evaluator, plan->roots + MOMENTS_WEIGHT), m->rows, count,
                        plan->weight_bound);
    if (block->order == 0)
        memcpy(m->left, m->weight, count * sizeof *m->left);
    for (size_t i = 0; block->order > 0 && i < block->n_terms; i++) {
        double *left = m->left + i * EVALUATE_ROWS, *right = m->right + i * EVALUATE_ROWS;
        inside = gather(right, evaluate_numbers(evaluator, plan->roots + MOMENTS_TERMS + i), m->rows, count,
                        plan->term_bound) &&
                 inside;
        for (size_t k = 0; k < count; k++)
            left[k] = block->weight == NULL ? right[k] : m->weight[k] * right[k];
    }
    return inside ? MAILLE_OK : outside(error);
}

/* --- the sums --- */

/* Rows that do not count go to a group of their own after the last: no branch. */
static void add_rows(const struct moments *m, const struct moments_plan *plan, struct moments_sums *sums,
                     const int32_t *codes, size_t n)
{
    if (plan->n_groups <= GROUPED_COUNT_MAX && !m->scalar) {
        grouped_count(sums->counts, m->keep, codes, n, plan->n_groups);
        return;
    }
    for (size_t r = 0; r < n; r++)
        sums->counts[m->keep[r] == 0 ? plan->n_groups : codes == NULL ? 0 : (size_t)codes[r]]++;
}

/* Order 0 with a weight, or order 1, of all rows where they stand. */
static enum maille_code add_in_place(struct moments *m, const struct moments_plan *plan,
                                     struct moments_sums *sums, const struct evaluator *evaluator,
                                     const int32_t *codes, size_t n, struct maille_error *error)
{
    const struct tally_block *block = plan->block;
    const double *weight =
        block->weight == NULL ? NULL : evaluate_numbers(evaluator, plan->roots + MOMENTS_WEIGHT);
    bool inside = true;
    if (block->order == 0)
        m->values[0] = (struct grouped_value){.values = weight, .bound = plan->weight_bound};
    for (size_t i = 0; block->order == 1 && i < plan->n_values; i++)
        m->values[i] =
            (struct grouped_value){.values = evaluate_numbers(evaluator, plan->roots + MOMENTS_TERMS + i),
                                   .weight = weight,
                                   .bound = plan->term_bound,
                                   .weight_bound = plan->weight_bound};
    if (sums->grouped == NULL) {
        for (size_t i = 0; i < plan->n_values; i++)
            inside = grouped_sum(&sums->sums[i], &m->values[i], m->keep, n, &sums->constants) && inside;
    } else {
        inside = grouped_add(sums->grouped, sums->sums, m->values, m->keep, codes, n, &sums->constants);
    }
    return inside ? MAILLE_OK : outside(error);
}

static void add_patients(const struct moments *m, struct moments_sums *sums, size_t count,
                         const int32_t *patients)
{
    for (size_t k = 0; k < count; k++) {
        int32_t patient = patients[m->rows[k]];
        sums->counts[m->group[k]] += sums->last[m->group[k]] != patient;
        sums->last[m->group[k]] = patient;
    }
}

/* The definition, product by product. */
static void add_scalar(const struct moments *m, const struct moments_plan *plan, struct moments_sums *sums,
                       size_t count)
{
    int fraction = plan->extent->fraction;
    size_t terms = plan->block->order == 0 ? 1 : plan->block->n_terms;
    for (size_t k = 0; k < count; k++) {
        i128 *sum = sums->sums + m->group[k] * plan->n_values;
        for (size_t i = 0; i < terms; i++) {
            double left = m->left[i * EVALUATE_ROWS + k];
            if (plan->block->order < 2)
                *sum++ += fixed_of(left, fraction);
            for (size_t j = i; plan->block->order == 2 && j < terms; j++)
                *sum++ += fixed_of(left * m->right[j * EVALUATE_ROWS + k], fraction);
        }
    }
}

/* Do at least half of the rows count? Then products of 0 cost less than bringing the rows together. */
static bool most_count(const struct moments *m, size_t n)
{
    unsigned count = 0;
    for (size_t r = 0; r < n; r++)
        count += m->keep[r];
    return 2 * count >= n;
}

/* Order 2 of all rows where they stand. */
static enum maille_code add_all_products(struct moments *m, const struct moments_plan *plan,
                                         struct moments_sums *sums, const struct evaluator *evaluator,
                                         size_t n, struct maille_error *error)
{
    const struct tally_block *block = plan->block;
    bool inside = true, weighted = block->weight != NULL;
    if (weighted)
        inside = product_mask(m->weight, evaluate_numbers(evaluator, plan->roots + MOMENTS_WEIGHT), m->keep,
                              n, plan->weight_bound);
    for (size_t i = 0; i < block->n_terms; i++) {
        const double *values = evaluate_numbers(evaluator, plan->roots + MOMENTS_TERMS + i);
        double *left = m->left + i * EVALUATE_ROWS, *right = m->right + i * EVALUATE_ROWS;
        inside = (weighted ? product_weigh(left, right, values, m->weight, m->keep, n, plan->term_bound)
                           : product_mask(right, values, m->keep, n, plan->term_bound)) &&
                 inside;
    }
    if (!inside)
        return outside(error);
    product_triangle(sums->sums, weighted ? m->left : m->right, m->right, EVALUATE_ROWS, block->n_terms, n,
                     &sums->constants);
    return MAILLE_OK;
}

static size_t run_end(const struct moments *m, size_t first, size_t count)
{
    size_t end = first + 1;
    while (end < count && m->group[end] == m->group[first])
        end++;
    return end;
}

static void add_products(const struct moments *m, const struct moments_plan *plan, struct moments_sums *sums,
                         size_t count)
{
    for (size_t first = 0, end; first < count; first = end) {
        end = run_end(m, first, count);
        product_triangle(sums->sums + m->group[first] * plan->n_values, m->left + first, m->right + first,
                         EVALUATE_ROWS, plan->block->n_terms, end - first, &sums->constants);
    }
}

/* Groups too many for add_in_place. */
static void add_terms(struct moments *m, const struct moments_plan *plan, struct moments_sums *sums,
                      size_t count)
{
    for (size_t i = 0; i < plan->n_values; i++) {
        product_split(m->high, m->low, m->left + i * EVALUATE_ROWS, count, &sums->constants);
        for (size_t k = 0; k < count; k++)
            sums->sums[m->group[k] * plan->n_values + i] +=
                (i128)m->high[k] * ((i128)1 << FIXED_STEP) + m->low[k];
    }
}

enum maille_code moments_add(struct moments *moments, const struct evaluator *evaluator, size_t n,
                             const int32_t *patients, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t b = 0; b < moments->n_plans; b++) {
        const struct moments_plan *plan = &moments->plans[b];
        struct moments_sums *sums = &moments->blocks[b];
        const int32_t *codes = plan_codes(plan, evaluator);
        MAILLE_TRY(rows_mark(moments, plan, evaluator, n, error));
        if (plan_counts(plan) && (!plan->block->distinct || patients == NULL)) {
            add_rows(moments, plan, sums, codes, n);
            continue;
        }
        if (plan_in_place(plan) && !moments->scalar) {
            MAILLE_TRY(add_in_place(moments, plan, sums, evaluator, codes, n, error));
            continue;
        }
        if (plan->block->order == 2 && plan->n_groups == 1 && !moments->scalar && most_count(moments, n)) {
            MAILLE_TRY(add_all_products(moments, plan, sums, evaluator, n, error));
            continue;
        }
        size_t count = rows_list(moments, codes, n);
        if (plan_counts(plan)) {
            add_patients(moments, sums, count, patients);
            continue;
        }
        if (plan->block->order == 2 && plan->n_groups > 1 && plan->n_groups <= SORT_GROUPS_MAX)
            rows_sort(moments, count, plan->n_groups);
        MAILLE_TRY(values_gather(moments, plan, evaluator, count, error));
        if (moments->scalar)
            add_scalar(moments, plan, sums, count);
        else if (plan->block->order == 2)
            add_products(moments, plan, sums, count);
        else
            add_terms(moments, plan, sums, count);
    }
out:
    return code;
}

void moments_settle(struct moments *moments)
{
    for (size_t b = 0; b < moments->n_plans; b++)
        if (moments->blocks[b].grouped != NULL)
            grouped_settle(moments->blocks[b].grouped, moments->blocks[b].sums);
}

void moments_merge(struct moments *into, const struct moments *from)
{
    for (size_t b = 0; b < into->n_plans; b++) {
        const struct moments_plan *plan = &into->plans[b];
        for (size_t g = 0; plan_counts(plan) && g < plan->n_groups; g++)
            into->blocks[b].counts[g] += from->blocks[b].counts[g];
        for (size_t k = 0; !plan_counts(plan) && k < plan->n_groups * plan->n_values; k++)
            into->blocks[b].sums[k] += from->blocks[b].sums[k];
    }
}

void moments_write(uint8_t *words, const struct moments *moments)
{
    for (size_t b = 0; b < moments->n_plans; b++) {
        const struct tally_extent *extent = moments->plans[b].extent;
        const struct moments_sums *sums = &moments->blocks[b];
        uint8_t *word = words + extent->offset;
        for (size_t k = 0; k < extent->count; k++, word += extent->width) {
            if (sums->counts != NULL) {
                le64_store(word, (uint64_t)sums->counts[k]);
            } else {
                le64_store(word, (uint64_t)sums->sums[k]);
                le64_store(word + 8, (uint64_t)(sums->sums[k] >> 64));
            }
        }
    }
}
