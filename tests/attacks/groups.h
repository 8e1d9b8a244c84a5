/* Groups of patients of a small registry, as the enemy of tests/attacks/search_test.c knows them: by the
 * words that say who is in them. He reads the words himself and calls nothing of disclosure/. */
#ifndef TESTS_ATTACKS_GROUPS_H
#define TESTS_ATTACKS_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* Everybody has one value of each of four categories. A kind is a combination of them. */
enum { ATTRIBUTES = 4, KINDS = 3 * 3 * 4 * 2, LEVELS_MAX = 4 };
struct attribute {
    const char *name;
    size_t n_levels; /* name1, name2, … */
};
extern const struct attribute attributes[ATTRIBUTES];

size_t kind_level(size_t kind, size_t attribute);

/* A set of kinds. */
struct group {
    bool has[KINDS];
};

/* A condition in the words of the study language, and whom it lets pass. */
struct condition {
    const char *text;
    struct group group;
};

/* Chance: the same for the same seed. */
struct chance {
    uint64_t state;
};
size_t chance_below(struct chance *chance, size_t n);

/* A condition over one to three attributes. In arena. */
struct condition condition_any(struct chance *chance, struct arena *arena);
/* The same, with or without some who are rare: what an enemy asks next. */
struct condition condition_near(struct chance *chance, struct arena *arena,
                                const struct condition *condition);

/* Those of `group` who have this level of an attribute; of a condition (not), those whom it lets (not) pass.
 */
struct group group_of_level(const struct group *group, size_t attribute, size_t level);
struct group group_of_condition(const struct group *group, const struct condition *condition, bool passes);

#endif
