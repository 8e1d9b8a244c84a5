/* Cells that a classification by one or more categories makes, under the names that results give them
 * (interface.md §5). */
#ifndef STATS_GROUPS_H
#define STATS_GROUPS_H

#include "stats/method.h"

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
 * count has. counts: groups->n numbers. */
void groups_note_dropped(const struct groups *groups, const int64_t *counts, struct outcome *outcome);

/* A count block over the rows of filter (order 0); distinct: patients instead of rows. The spec must have
 * room (MAILLE_INVALID otherwise). */
enum maille_code groups_tally(struct tally_spec *spec, const struct expression *filter,
                              const struct expression *code, bool distinct,
                              struct maille_error *error) MAILLE_CHECKED;
/* The same as a block of head counts under a rule. */
enum maille_code groups_cell(struct cells *cells, enum cell_rule rule, const struct expression *filter,
                             const struct expression *code, struct maille_error *error) MAILLE_CHECKED;

#endif
