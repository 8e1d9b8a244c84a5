/* Cells that a classification by one or more categories makes, under the names that results give them
 * (docs/RESULT.md). */
#ifndef STATS_GROUPS_H
#define STATS_GROUPS_H

#include "stats/guard.h"

enum { GROUPS_PARTS_MAX = 16 };

struct groups {
    size_t n_parts;
    const struct expression *parts[GROUPS_PARTS_MAX]; /* CODE each */
    const char *names[GROUPS_PARTS_MAX];
    size_t n; /* cells: the product of the levels, the last part fastest; 1 without parts */
};

/* No parts, one cell. */
void groups_init(struct groups *groups);
/* One category more. MAILLE_INVALID when there are GROUPS_PARTS_MAX, or more than TALLY_GROUPS_MAX cells. */
enum maille_code groups_add(struct groups *groups, const char *name, const struct expression *code,
                            struct maille_error *error) MAILLE_CHECKED;
/* The same from any kind: a boolean as {FALSE, TRUE}, an integer as its values. */
enum maille_code groups_add_any(struct groups *groups, struct arena *arena, const char *name,
                                const struct expression *expression,
                                struct maille_error *error) MAILLE_CHECKED;
/* The analysis's `by`. */
enum maille_code groups_of_by(struct groups *groups, const struct analysis *analysis,
                              struct maille_error *error) MAILLE_CHECKED;

/* The cell of a row as one CODE; crossed with `inner` (fastest; may be NULL). NULL when there is neither. */
const struct expression *groups_code(const struct groups *groups, struct arena *arena,
                                     const struct expression *inner);

/* Level of part `part` in cell `cell`. */
size_t groups_level_of(const struct groups *groups, size_t cell, size_t part);
/* Name of a level: the dictionary's, or as R prints the number. */
const char *groups_level_name(const struct groups *groups, struct arena *arena, size_t part, size_t level);

/* Adds `by` ("chemo,grade") and `level` ("FALSE,2") to a row; both null without parts. */
void groups_add_names(const struct groups *groups, size_t cell, struct result *row);
/* "chemo=FALSE, grade=2"; "all" without parts. */
const char *groups_stratum(const struct groups *groups, struct arena *arena, size_t cell);

/* Names in outcome->dropped_levels, as "grade=1", each level of a category or boolean that no cell with a
 * count has. counts: groups->n numbers. kept: of as many cells, 0 where the count is not known; NULL: all
 * are. */
void groups_note_dropped(const struct groups *groups, const int64_t *counts, const uint8_t *kept,
                         struct outcome *outcome);

/* The rows that an analysis counts, and those of its cohort that miss something: each is counted by itself,
 * so that no difference of two counts is a third. */
struct cohort_rows {
    const struct expression *rows, *missing; /* BOOLEAN */
};
/* extra, n: as analysis_complete. */
void cohort_rows(struct cohort_rows *cohort, const struct analysis *analysis, struct arena *arena,
                 const struct expression *const *extra, size_t n);
/* CELL_OUTSIDE where some of those rows may have been left out by an expression of the analysis, CELL_MISSING
 * where all of them miss what the registry has not. */
enum cell_rule cells_missing_rule(const struct expression *missing);
/* The two blocks of head counts that every method begins with: CELL_COHORT, and CELL_MISSING or CELL_OUTSIDE.
 */
enum { CELLS_COHORT, CELLS_MISSING, CELLS_OWN };
enum maille_code groups_cohort_cells(struct cells *cells, const struct cohort_rows *cohort,
                                     struct maille_error *error) MAILLE_CHECKED;
/* How many rows miss something, as block 0 of a round. */
enum maille_code groups_cohort_tally(struct tally_spec *spec, const struct cohort_rows *cohort,
                                     struct maille_error *error) MAILLE_CHECKED;
/* Sets n_missing, null where it did not survive. */
void groups_cohort_read(struct outcome *outcome, const struct totals *totals, size_t block,
                        const struct surviving *surviving);

/* A count, or null where its cell did not survive; counts the nulls. */
void groups_add_count(struct outcome *outcome, struct result *to, const char *name, int64_t count, bool kept);
/* The sentence about suppressed cells, where there are any. */
void groups_warn_suppressed(struct outcome *outcome);

/* A count block over the rows of filter (order 0). The spec must have room (MAILLE_INVALID otherwise). */
enum maille_code groups_tally(struct tally_spec *spec, const struct guard *guard,
                              const struct expression *filter, const struct expression *code,
                              struct maille_error *error) MAILLE_CHECKED;
/* The same of Σ weight·t (order 1), or without terms of Σ weight. weight NULL: 1. */
enum maille_code groups_sums(struct tally_spec *spec, const struct guard *guard,
                             const struct expression *filter, const struct expression *code,
                             const struct expression *weight, const struct expression *const *terms,
                             size_t n_terms, struct maille_error *error) MAILLE_CHECKED;
/* One moment more, of the cells of a block of head counts; where it is weighted, also of the weights. */
void groups_moment(struct cells *cells, struct arena *arena, size_t block, const struct expression *x,
                   const struct expression *weight, unsigned powers);
/* One sum more that the result tells of the cells of a block of head counts, or means by it; where it is
 * weighted, also of the weights, since a mean is nearly the value of whoever has most of them. */
void groups_share(struct cells *cells, struct arena *arena, size_t block, const struct expression *x,
                  const struct expression *weight);
/* Of weights alone. */
void groups_share_weights(struct cells *cells, struct arena *arena, size_t block,
                          const struct expression *weight);
/* The same sum of another block. */
void groups_share_as(struct cells *cells, struct arena *arena, size_t block, const struct cells_share *share);
/* A block of head counts under a rule: patients, not rows. */
enum maille_code groups_cell(struct cells *cells, enum cell_rule rule, const struct expression *filter,
                             const struct expression *code, struct maille_error *error) MAILLE_CHECKED;

#endif
