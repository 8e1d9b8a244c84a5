/* Private to query/: a study file while it is read. */
#ifndef QUERY_STUDY_READING_H
#define QUERY_STUDY_READING_H

#include "query/study.h"
#include "query/yaml.h"

struct study_reading {
    struct arena *arena;
    struct maille_error *error;
    struct study *study;
    struct expression_scope scope; /* line and column are set per text */
    const struct query_method *methods;
    size_t n_methods;
    struct study_problems *problems; /* NULL: the first error ends the reading */
    size_t n_noted;                  /* errors, also those that are in no list: of another, or past its end */
    const char *follows;             /* the first sentence that was taken for one of another; NULL: none */
};

/* Where all problems are wanted, an invalid text is noted and the reading goes on: MAILLE_OK. Else code
 * itself. */
enum maille_code study_note(struct study_reading *, enum maille_code code) MAILLE_CHECKED;

/* The scope of the text of a scalar. */
struct expression_scope study_scope(const struct study_reading *, const struct yaml_node *text);

/* Typed from a scalar; cohort: a boolean is expected. */
enum maille_code study_cohort(struct study_reading *, const struct expression **,
                              const struct yaml_node *) MAILLE_CHECKED;

/* study_analysis.c: one entry of `analyses`. The analysis' study, index and cohort of the study are set by
 * the caller. */
enum maille_code study_analysis(struct study_reading *, struct analysis *,
                                const struct yaml_node *) MAILLE_CHECKED;

/* study_values.c: which analyses another names in keys of KEY_ANALYSIS and KEY_ANALYSES, once all are read.
 */
enum maille_code study_refer(struct study_reading *, struct analysis *) MAILLE_CHECKED;
/* study_values.c: the keys that the method declares. */
enum maille_code study_values(struct study_reading *, struct analysis *,
                              const struct yaml_node *) MAILLE_CHECKED;

/* study_subgroups.c: the analyses that the `subgroups` of an analysis add behind it; n: how many there are
 * room for. The analysis keeps no variable of them: which rows it has does not depend on them. */
enum maille_code study_subgroups(struct study_reading *, struct analysis *added, size_t *n_added, size_t n,
                                 struct analysis *, const struct yaml_node *) MAILLE_CHECKED;

/* study_landmark.c: the key `landmark` (NULL: none) of n analyses: who counts, and from when. */
enum maille_code study_landmark(struct study_reading *, struct analysis *analyses, size_t n,
                                const struct yaml_node *) MAILLE_CHECKED;

/* 1 to n_max letters, digits, `-` and `_`. */
bool study_id_legal(const char *id, size_t n_max);

/* A name: variable or derived; the scalar must be one name. */
enum maille_code study_name(struct study_reading *, const struct expression **, const char **name,
                            const struct yaml_node *) MAILLE_CHECKED;

#endif
