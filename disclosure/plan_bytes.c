/* A plan as bytes, and back:
 *
 *   "maille plan 4", u64 analyses; per analysis u8 open; where open the rule (u64 length, text); where there
 * is none, u8 flags (1: no covariances, 2: sums are the sites' alone, 4: a round has no room for cells that
 * depend on θ), u64 min_cell, f64 max_patient_share (0: off), u64
 * round_counts (0: off), u64 patients, u64 blocks, and per block u64
 * cells and one bit per cell, the first in the lowest bit; spare bits are 0. */
#include <stdio.h>
#include <string.h>

#include "disclosure/plan.h"

static const char plan_tag[] = "maille plan 4";

/* Cells of a block, for the writer: not in struct surviving, so each kept row is told by the analysis's own
 * head counts. */
static enum maille_code shape_of(struct cells *cells, struct tally_extent *extents,
                                 const struct analysis *analysis, struct arena *arena,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t bytes;
    const struct method *method = method_find(analysis->method);
    if (method == NULL)
        return maille_fail(error, MAILLE_INTERNAL, "expected a method, found \"%s\"", analysis->method);
    MAILLE_TRY(method_cells(analysis, arena, cells, error));
    MAILLE_TRY(tally_layout(extents, &bytes, &cells->spec, error));
out:
    return code;
}

static void bits_write(struct bytes *out, const uint8_t *kept, size_t n)
{
    bytes_put_u64(out, n);
    for (size_t i = 0; i < n; i += 8) {
        uint8_t byte = 0;
        for (size_t j = i; j < n && j < i + 8; j++)
            byte = (uint8_t)(byte | (kept[j] != 0) << (j - i));
        bytes_put_u8(out, byte);
    }
}

void plan_write(struct bytes *out, const struct plan *plan)
{
    bytes_put_string(out, plan_tag);
    bytes_put_u64(out, plan->n);
    for (size_t k = 0; k < plan->n; k++) {
        const struct plan_analysis *analysis = &plan->analyses[k];
        bytes_put_u8(out, analysis->open);
        if (!analysis->open)
            continue;
        bytes_put_string(out, analysis->rule);
        if (analysis->rule[0] != '\0')
            continue;
        bytes_put_u8(out, (uint8_t)(analysis->surviving.no_covariance | analysis->surviving.closed << 1 |
                                    analysis->surviving.narrow << 2));
        bytes_put_u64(out, analysis->surviving.min_cell);
        bytes_put_f64(out, analysis->surviving.max_share);
        bytes_put_u64(out, analysis->surviving.round_counts);
        bytes_put_u64(out, (uint64_t)analysis->surviving.patients);
        bytes_put_u64(out, analysis->surviving.n_blocks);
        for (size_t b = 0; b < analysis->surviving.n_blocks; b++)
            bits_write(out, analysis->surviving.kept[b], analysis->n_cells[b]);
    }
}

static bool bits_read(uint8_t *kept, size_t n, struct reader *reader)
{
    for (size_t i = 0; i < n; i += 8) {
        uint8_t byte = reader_u8(reader);
        for (size_t j = i; j < i + 8; j++) {
            uint8_t bit = byte >> (j - i) & 1;
            if (j < n)
                kept[j] = bit;
            else if (bit != 0)
                return false;
        }
    }
    return !reader->bad;
}

/* Could plan_make have written this of such a block? */
static bool kept_possible(const uint8_t *kept, enum cell_rule rule, size_t n, size_t n_bins)
{
    for (size_t i = 0; i < n; i++)
        switch (rule) {
        case CELL_TABLE:
        case CELL_MISSING:
        case CELL_OUTSIDE:
            break;
        case CELL_COHORT:
        case CELL_PATIENTS:
        case CELL_EVENTS:
        case CELL_ENTERING:
        case CELL_PAIRS:
            if (!kept[i])
                return false;
            break;
        case CELL_AT_RISK: /* nothing after the end of a curve */
            if (n_bins == 0 || (i % n_bins != 0 && kept[i] && !kept[i - 1]))
                return false;
            break;
        case CELL_MERGE: /* the last bin is an edge */
            if (n_bins == 0 || (i % n_bins == n_bins - 1 && !kept[i]))
                return false;
            break;
        }
    return true;
}

static bool rule_legal(const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || text[i] == '_' || text[i] == '.'))
            return false;
    return true;
}

static enum maille_code analysis_read(struct plan *plan, size_t k, const struct study *study,
                                      struct reader *reader, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct plan_analysis *made = &plan->analyses[k];
    struct cells *cells = arena_alloc(plan->arena, sizeof *cells);
    struct tally_extent *extents = arena_array(plan->arena, TALLY_BLOCKS_MAX, sizeof *extents);
    size_t length;
    uint8_t open = reader_u8(reader);
    if (open > 1 || reader->bad)
        goto invalid;
    made->open = open;
    if (!made->open)
        goto out;
    const uint8_t *rule = reader_block(reader, MAILLE_RULE_MAX - 1, &length);
    if (rule == NULL || reader->bad || !rule_legal(rule, length))
        goto invalid;
    memcpy(made->rule, rule, length);
    if (length > 0)
        goto out;
    MAILLE_TRY(shape_of(cells, extents, &study->analyses[k], plan->arena, error));
    uint8_t flags = reader_u8(reader);
    const uint64_t min_cell = reader_u64(reader);
    const double max_share = reader_f64(reader);
    const uint64_t rounded = reader_u64(reader);
    const uint64_t patients = reader_u64(reader);
    if (flags > 7 || min_cell > UINT32_MAX || !(max_share >= 0 && max_share < 1) || rounded > UINT32_MAX ||
        patients > INT64_MAX || reader_u64(reader) != cells->spec.n_blocks)
        goto invalid;
    uint8_t **kept = arena_array(plan->arena, cells->spec.n_blocks, sizeof *kept);
    size_t *n_cells = arena_array(plan->arena, cells->spec.n_blocks, sizeof *n_cells);
    for (size_t b = 0; b < cells->spec.n_blocks; b++) {
        n_cells[b] = extents[b].count;
        if (reader_u64(reader) != n_cells[b] || reader_left(reader) < (n_cells[b] + 7) / 8)
            goto invalid;
        kept[b] = arena_array(plan->arena, n_cells[b], 1);
        if (!bits_read(kept[b], n_cells[b], reader) ||
            !kept_possible(kept[b], cells->rules[b], n_cells[b], cells->n_bins[b]))
            goto invalid;
        for (size_t i = 0;
             i < n_cells[b] && (cells->rules[b] == CELL_TABLE || cells->rules[b] == CELL_OUTSIDE); i++)
            made->n_suppressed += !kept[b][i];
    }
    made->n_cells = n_cells;
    made->surviving = (struct surviving){.n_blocks = cells->spec.n_blocks,
                                         .kept = (const uint8_t *const *)kept,
                                         .no_covariance = flags & 1,
                                         .min_cell = min_cell,
                                         .max_share = max_share,
                                         .round_counts = rounded,
                                         .patients = (int64_t)patients,
                                         .closed = flags & 2,
                                         .narrow = flags & 4};
    plan->surviving[k] = &made->surviving;
out:
    return code;
invalid:
    return maille_fail(error, MAILLE_INVALID,
                       "expected the plan of analysis %zu of this study, found something else", k + 1);
}

enum maille_code plan_read(struct plan *plan, const struct study *study, const uint8_t *bytes, size_t length,
                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct plan made = {.arena = arena_new(), .n = study->n_analyses};
    struct reader reader = reader_of(bytes, length);
    size_t tag_length;
    if (made.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a plan, found none");
    made.analyses = arena_array(made.arena, made.n, sizeof *made.analyses);
    made.surviving = arena_array(made.arena, made.n, sizeof *made.surviving);
    const uint8_t *tag = reader_block(&reader, sizeof plan_tag - 1, &tag_length);
    if (tag == NULL || tag_length != sizeof plan_tag - 1 || memcmp(tag, plan_tag, tag_length) != 0 ||
        reader_u64(&reader) != made.n) {
        code = maille_fail(error, MAILLE_INVALID, "expected a plan of %zu analyses, found something else",
                           made.n);
        goto out;
    }
    for (size_t k = 0; k < made.n; k++)
        MAILLE_TRY(analysis_read(&made, k, study, &reader, error));
    if (!reader_done(&reader)) {
        code = maille_fail(error, MAILLE_INVALID, "expected the end of the plan, found %zu bytes more",
                           reader_left(&reader));
        goto out;
    }
    *plan = made;
    made = (struct plan){0};
out:
    plan_clear(&made);
    return code;
}
