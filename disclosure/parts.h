/* The groups of patients behind the numbers of one analysis (docs/DISCLOSURE.md §4), by public facts alone:
 * part 0 is who counts in the analysis; the others are the rows that a table, an arm or a level has for
 * itself, after those that miss something are dropped. What differs by few patients from a group that was
 * shown is found part by part.
 *
 * A part is: the rows of a block of head counts (CELL_TABLE, CELL_PATIENTS) that has no categories; of a
 * block that has some, the rows of each level of each of them (its margins), and of each combination of
 * levels of two of them or more (its cells, and the sums of these). Not parts: who has an event in a model,
 * bins, steps and pairs.
 *
 * A family is a list of parts that are the levels of one category, or the combinations of levels of several,
 * over the same rows. Two groups are compared
 * where one may be near the other by what they are: each must be told, by something, on every variable that
 * makes the other a part (part_families_related). A group that says nothing of a variable by which the other
 * is cut can be near it by the patients alone, and not because somebody chose it so. */
#ifndef DISCLOSURE_PARTS_H
#define DISCLOSURE_PARTS_H

#include "stats/method.h"

/* PARTS_LEVELS_MAX: of one category; PARTS_ALL_MAX: of one analysis, which has PARTS_USES_MAX places for
 * them. Past these: `crowded`.
 * PARTS_FEATURES_MAX: what cuts a part out of its cohort: its levels, and what else its rows need.
 * PARTS_FACTORS_MAX: more than a cross can have whose parts are not too many. */
enum {
    PARTS_LEVELS_MAX = 256,
    PARTS_ALL_MAX = 2048,
    PARTS_USES_MAX = 4096,
    PARTS_FEATURES_MAX = 4,
    PARTS_FACTORS_MAX = 16
};

/* Sets of variables are 32 bits, a variable's by its name: what has no bit in common has no variable in
 * common, whatever the dictionaries. */
struct part_family {
    uint16_t n;     /* parts */
    uint32_t reads; /* variables on which its rows depend */
    uint8_t n_features;
    uint32_t features[PARTS_FEATURES_MAX]; /* variables of each thing that cuts it out of the cohort; none: it
                                              is the cohort of an analysis */
};

/* One of the conditions that all hold for who is in a part. */
enum part_condition_kind { PART_TRUE, PART_PRESENT, PART_FOLLOW_UP };
struct part_condition {
    enum part_condition_kind kind;
    const struct expression *e; /* is true, has a value; NULL of PART_FOLLOW_UP: it depends on how patients
                                   are followed up in the analysis */
    struct byte_view key;       /* equal for two that say the same */
    uint32_t variables;         /* a set of variables, as below */
    struct byte_view chosen;    /* of PART_FOLLOW_UP: when it begins and ends, where these are more than
                                   variables of the dictionary and times between two of them; else empty */
};

struct part {
    const struct expression *rows; /* BOOLEAN: who is in it; NULL: everybody */
    struct byte_view canon;        /* equal for two parts that are the same rows by what they say */
    const struct part_condition *conditions;
    size_t n_conditions;
    size_t family;
    bool plain; /* a level of variables of the dictionary as they are, of the rows of its cohort that have
                   values: nobody chose where it ends */
};

/* Whether a part has the conditions of another, which has this canon, but for those that a value is known. */
bool part_chosen_alike(const struct part *part, struct byte_view canon);

/* Where a part stands in the head counts. */
struct part_use {
    size_t part, block;
    uint32_t factors; /* bit f: factor f of the block's cross; 0: the whole block */
    size_t level;     /* among the combinations of levels of these (part_level) */
    bool whole;       /* its rows are those of the analysis: all of its blocks hold to the level */
};

/* What a site knows of two parts: how many of its patients are in one and not in the other, by rows and by
 * patients; and whether they were chosen otherwise (disclosure/chosen.h), but for levels as the dictionary
 * has them in both. */
struct part_difference {
    int64_t by[2];
    bool otherwise;
};

struct parts {
    size_t n, n_families, n_uses;
    struct part *list; /* [0]: the cohort */
    struct part_family *families;
    struct part_use *uses; /* of others than part 0 */
    bool crowded;          /* there are more parts than can be compared */
};

/* All in arena. MAILLE_INTERNAL: no count of everybody among the head counts; MAILLE_MEMORY. */
enum maille_code parts_read(struct parts *parts, const struct cells *cells,
                            const struct dictionary *dictionary, struct arena *arena,
                            struct maille_error *error) MAILLE_CHECKED;

bool part_families_related(const struct part_family *a, const struct part_family *b);
/* A factor of a block's group; NULL: it has fewer. */
const struct expression *part_factor(const struct expression *group, size_t factor);
/* A cell's level of a factor. */
size_t part_level(const struct expression *group, size_t factor, size_t cell);
/* Which combination of levels of these factors (bit f: factor f) a cell has, the last one fastest. */
size_t part_levels(const struct expression *group, uint32_t factors, size_t cell);
/* And the level of one of them that such a combination has. */
size_t part_level_in(const struct expression *group, uint32_t factors, size_t levels, size_t factor);

/* --- the groups of a whole study, as other questions hear of them --- */

/* Group number g of a study: analysis by analysis, part by part. */
struct part_group {
    uint32_t analysis, part;
    const struct part_family *family;
};
struct part_groups {
    size_t n;
    struct part_group *list;
};

/* Canonical bytes of the families of every analysis; n: analyses; parts[k].n 0: none. */
void part_groups_write(struct bytes *out, const struct parts *parts, size_t n);
/* Empty bytes are a study of before there were parts, and what are no such bytes is taken as that: `n_whole`
 * analyses, each one group, compared with all. In arena. */
enum { PART_GROUPS_MAX = 8192 };
void part_groups_read(struct part_groups *groups, struct byte_view bytes, size_t n_whole,
                      struct arena *arena);
/* Those whose bit is set: bit n % 8 of byte n / 8. In arena. */
const struct part_group *part_groups_listed(size_t *n, struct byte_view families, struct byte_view bits,
                                            struct arena *arena);
/* NULL: it is not there. */
const struct part_group *part_groups_find(const struct part_groups *groups, uint32_t analysis, uint32_t part);

#endif
