/* Published cohorts, signed with the directory under its key `cohorts`:
 *
 *     cohorts:
 *       - { name: elderly, dictionary: "rotterdam@1", expression: "age >= 65" }   # or rotterdam: every
 * version
 *
 * Everybody is always published first, and stands in no directory. Within an epoch that has a number the list
 * stays as it is: what is near to a cohort is refused from the epoch's start (disclosure/published.h). */
#ifndef PROTO_COHORTS_H
#define PROTO_COHORTS_H

#include "query/study.h"
#include "query/yaml.h"

enum { COHORTS_MAX = 1024, COHORTS_OF_MAX = 64 /* of one dictionary */, COHORT_TEXT_BYTES = 2000 };

struct directory_cohort {
    const char *dictionary; /* NAME or NAME@VERSION */
    struct published_cohort cohort;
};
struct directory_cohorts {
    size_t n;
    const struct directory_cohort *list;
};

/* The key `cohorts` of root; none without it. MAILLE_INVALID with file:line:column, also where a name or, of
 * one dictionary, more than COHORTS_OF_MAX stand there. In arena. */
enum maille_code directory_cohorts_read(struct directory_cohorts *cohorts, struct arena *arena,
                                        const struct yaml_node *root,
                                        struct maille_error *error) MAILLE_CHECKED;
/* As it is read; nothing where there are none. */
void directory_cohorts_write(struct bytes *out, const struct directory_cohorts *cohorts);
bool directory_cohorts_equal(const struct directory_cohorts *a, const struct directory_cohorts *b);

/* Those of a dictionary, in the directory's order, in arena; their number. */
size_t directory_cohorts_of(const struct published_cohort **list, struct arena *arena,
                            const struct directory_cohorts *cohorts, const struct dictionary *dictionary);

#endif
