#include "disclosure/combination_words.h"

#include <string.h>

#include "disclosure/threshold.h"

/* --- which rows there are --- */

bool combined_form(struct bytes *form, const struct analysis *analysis, form_hash *hash)
{
    struct maille_error why;
    bool made = false;
    struct arena *arena = arena_new();
    if (arena == NULL) {
        form->failed = true;
        return false;
    }
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    if (method_cells(analysis, arena, cells, &why) == MAILLE_OK)
        for (size_t b = 0; b < cells->spec.n_blocks && !made; b++)
            made = cells->rules[b] == CELL_COHORT &&
                   combination_form(form, &cells->spec.blocks[b], &cells->spec.survival,
                                    analysis->study->dictionary, hash, &why) == MAILLE_OK;
    arena_free(arena);
    return made;
}

struct counting {
    struct combined *combined;
    struct combined_row *rows;
    bool *crowded;
};

static enum maille_code count_row(void *context, size_t group, const uint64_t *coefficients, bool implied,
                                  struct maille_error *error)
{
    const struct counting *counting = context;
    struct combined *combined = counting->combined;
    const size_t own = group - combined->combination.n_past;
    (void)coefficients, (void)error;
    if (counting->crowded[own])
        return MAILLE_OK;
    if (combined->n_rows < COMBINATION_ROWS_MAX) {
        counting->rows[combined->n_rows++] = (struct combined_row){own, implied};
        return MAILLE_OK;
    }
    counting->crowded[own] = true;
    while (combined->n_rows > 0 && counting->rows[combined->n_rows - 1].group == own)
        combined->n_rows--;
    return MAILLE_OK;
}

/* The groups of the open analyses, behind those that were shown. */
static enum maille_code own_groups(struct combined *made, struct combination_group *groups, size_t n_past,
                                   const struct study *study, const bool *open, form_hash *hash,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes form = {0};
    size_t *group_of = arena_array(made->arena, study->n_analyses + 1, sizeof *group_of);
    size_t *analysis_of = arena_array(made->arena, study->n_analyses + 1, sizeof *analysis_of);
    for (size_t k = 0; k < study->n_analyses; k++) {
        size_t own = 0;
        form.length = 0;
        group_of[k] = SIZE_MAX;
        if (!open[k] || !combined_form(&form, &study->analyses[k], hash)) {
            MAILLE_TRY(bytes_check(&form, error));
            continue;
        }
        while (own < made->n_own && (groups[n_past + own].length != form.length ||
                                     memcmp(groups[n_past + own].form, form.data, form.length) != 0))
            own++;
        group_of[k] = own;
        if (own < made->n_own)
            continue;
        uint8_t *copy = arena_alloc(made->arena, form.length + 1);
        memcpy(copy, form.data, form.length);
        groups[n_past + made->n_own] = (struct combination_group){copy, form.length};
        analysis_of[made->n_own++] = k;
    }
    made->group_of = group_of;
    made->analysis_of = analysis_of;
out:
    bytes_clear(&form);
    return code;
}

enum maille_code combined_init(struct combined *combined, const struct study *study, const bool *open,
                               const struct combination_group *past, size_t n_past, form_hash *hash,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct combined made = {.arena = arena_new()};
    if (made.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for combinations of groups");
    struct combination_group *groups =
        arena_array(made.arena, n_past + study->n_analyses + 1, sizeof *groups);
    struct combined_row *rows = arena_array(made.arena, COMBINATION_ROWS_MAX, sizeof *rows);
    bool *crowded = arena_array(made.arena, study->n_analyses + 1, sizeof *crowded);
    if (n_past > 0)
        memcpy(groups, past, n_past * sizeof *groups);
    MAILLE_TRY(own_groups(&made, groups, n_past, study, open, hash, error));
    made.rows = rows;
    made.crowded = crowded;
    if (n_past + made.n_own > COMBINATION_GROUPS_MAX) {
        memset(crowded, 1, made.n_own * sizeof *crowded);
        n_past = made.n_own = 0;
    }
    MAILLE_TRY(combination_init(&made.combination, groups, n_past, n_past + made.n_own, error));
    if (made.combination.crowded) {
        memset(crowded, 1, made.n_own * sizeof *crowded);
        made.n_own = 0;
        combination_clear(&made.combination);
        MAILLE_TRY(combination_init(&made.combination, groups, 0, 0, error));
    }
    MAILLE_TRY(
        combination_rows(&made.combination, count_row, &(struct counting){&made, rows, crowded}, error));
    *combined = made;
    made = (struct combined){0};
out:
    combined_clear(&made);
    return code;
}

void combined_clear(struct combined *combined)
{
    combination_clear(&combined->combination);
    arena_free(combined->arena);
    *combined = (struct combined){0};
}

struct visiting {
    const struct combined *combined;
    combined_visit *visit;
    void *context;
    size_t row;
};

static enum maille_code visit_row(void *context, size_t group, const uint64_t *coefficients, bool implied,
                                  struct maille_error *error)
{
    struct visiting *visiting = context;
    const struct combined *combined = visiting->combined;
    (void)implied;
    return combined->crowded[group - combined->combination.n_past]
               ? MAILLE_OK
               : visiting->visit(visiting->context, visiting->row++, coefficients, error);
}

enum maille_code combined_rows(const struct combined *combined, combined_visit *visit, void *context,
                               struct maille_error *error)
{
    return combination_rows(&combined->combination, visit_row,
                            &(struct visiting){combined, visit, context, 0}, error);
}

void combined_layout(struct bytes *out, const struct combined *combined)
{
    bytes_put_u64(out, combined->n_rows);
    for (size_t i = 0; i < combined->n_rows; i++)
        bytes_put_u64(out, combined->rows[i].group * 2 + combined->rows[i].implied);
}

/* --- their words --- */

static const uint64_t patient_part = (UINT64_C(1) << THRESHOLD_PATIENT_BITS) - 1;

static bool has_words(const struct threshold *threshold, enum threshold_which which)
{
    return threshold->combined != NULL && threshold->combined_in == which;
}

static bool few(int64_t count, const struct policy *policy)
{
    return count > 0 && (double)count < policy->differencing;
}

void threshold_put_combined(struct tally *out, const struct threshold *threshold, enum threshold_which which,
                            const int64_t *counts, const struct policy *policy, const uint8_t *noise)
{
    for (size_t i = 0; has_words(threshold, which) && i < threshold->combined->n_rows; i++) {
        const size_t at = 8 * (threshold->combined_at + i);
        const int64_t rows = counts[2 * i], patients = counts[2 * i + 1];
        const uint64_t random = le64_load(noise + at);
        uint64_t word = (double)patients < policy->differencing ? (uint64_t)patients : random & patient_part;
        word |= (double)rows < policy->differencing ? (uint64_t)rows << THRESHOLD_PATIENT_BITS
                                                    : random & ~patient_part;
        if (threshold->scope == CELL_SCOPE_LOCAL)
            word = !few(rows, policy) && !few(patients, policy) ? 0 : random != 0 ? random : 1;
        le64_store(out->words.data + at, word);
    }
}

/* What the total of a row says: 1 … differencing − 1 patients, or as many rows of nobody else. Nobody is not
 * few, as in a pair (decision 0020). */
static bool says_few(const struct threshold *threshold, uint64_t total, const struct policy *policy)
{
    const int64_t patients = (int64_t)(total & patient_part),
                  rows = (int64_t)(total >> THRESHOLD_PATIENT_BITS);
    return threshold->scope == CELL_SCOPE_LOCAL
               ? total != 0
               : few(patients, policy) || (patients == 0 && few(rows, policy));
}

enum maille_code threshold_combined_refused(bool *refused, const struct threshold *threshold,
                                            enum threshold_which which, const uint8_t *totals,
                                            const struct policy *policy, struct maille_error *error)
{
    const struct combined *combined = threshold->combined;
    const size_t n = threshold->study->n_analyses;
    (void)error;
    if (!has_words(threshold, which))
        return MAILLE_OK;
    bool *bad = arena_array(threshold->arena, n + 1, sizeof *bad);
    for (size_t i = 0; i < combined->n_rows; i++)
        bad[combined->rows[i].group] |=
            says_few(threshold, le64_load(totals + 8 * (threshold->combined_at + i)), policy);
    for (size_t k = 0; k < n; k++)
        refused[k] = refused[k] || (combined->group_of[k] != SIZE_MAX && bad[combined->group_of[k]]);
    return MAILLE_OK;
}

bool threshold_combined_crowded(const struct threshold *threshold, size_t analysis)
{
    const struct combined *combined = threshold->combined;
    return combined != NULL && combined->group_of[analysis] != SIZE_MAX &&
           combined->crowded[combined->group_of[analysis]];
}
