#include "proto/cohorts.h"

#include <string.h>

#include "proto/directory.h"

static enum maille_code read_text(const char **out, const struct yaml_node *map, const char *key,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *node = yaml_get(map, key);
    if (node == NULL)
        return yaml_fail(error, map, "expected the key \"%s\" of a cohort, found none", key);
    MAILLE_TRY(yaml_string(out, node, error));
    if ((*out)[0] == '\0' || strlen(*out) > COHORT_TEXT_BYTES || strpbrk(*out, "\t\r\n") != NULL)
        code = yaml_fail(error, node, "expected one line of at most %d bytes for \"%s\"", COHORT_TEXT_BYTES,
                         key);
out:
    return code;
}

static enum maille_code read_one(struct directory_cohort *one, const struct yaml_node *node,
                                 struct maille_error *error)
{
    static const char *const keys[] = {"name", "dictionary", "expression", NULL};
    enum maille_code code = MAILLE_OK;
    struct directory_cohort made = {0};
    if (node->kind != YAML_KIND_MAP)
        return yaml_fail(error, node,
                         "expected a cohort as { name: elderly, dictionary: \"NAME@VERSION\", expression: "
                         "\"age >= 65\" }");
    MAILLE_TRY(yaml_only_keys(node, keys, error));
    MAILLE_TRY(read_text(&made.cohort.name, node, "name", error));
    MAILLE_TRY(read_text(&made.dictionary, node, "dictionary", error));
    MAILLE_TRY(read_text(&made.cohort.expression, node, "expression", error));
    if (!identity_name_valid(made.cohort.name) || strcmp(made.cohort.name, "everybody") == 0)
        code =
            yaml_fail(error, yaml_get(node, "name"),
                      "expected a name of letters, digits and \"-\" for a cohort, but for everybody, who is "
                      "always published; found \"%.80s\"",
                      made.cohort.name);
    else
        *one = made;
out:
    return code;
}

/* Bytes of its name, without a version. */
static size_t name_length(const char *dictionary)
{
    return strcspn(dictionary, "@");
}

/* How many of a list one dictionary has: those of its version with those of all versions. */
static size_t count_like(const struct directory_cohort *list, size_t n, const char *dictionary)
{
    const size_t length = name_length(dictionary);
    size_t like = 0;
    for (size_t i = 0; i < n; i++)
        like += strcmp(list[i].dictionary, dictionary) == 0 ||
                (name_length(list[i].dictionary) == length && list[i].dictionary[length] == '\0' &&
                 strncmp(list[i].dictionary, dictionary, length) == 0);
    return like;
}

enum maille_code directory_cohorts_read(struct directory_cohorts *cohorts, struct arena *arena,
                                        const struct yaml_node *root, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *list = yaml_get(root, "cohorts");
    if (list == NULL) {
        *cohorts = (struct directory_cohorts){0};
        return MAILLE_OK;
    }
    if (list->kind != YAML_KIND_LIST || list->n > COHORTS_MAX)
        return yaml_fail(error, list, "expected a list of at most %d cohorts", COHORTS_MAX);
    struct directory_cohort *made = arena_array(arena, list->n + 1, sizeof *made);
    for (size_t i = 0; i < list->n; i++) {
        MAILLE_TRY(read_one(&made[i], list->values[i], error));
        for (size_t k = 0; k < i; k++) {
            if (strcmp(made[k].cohort.name, made[i].cohort.name) == 0) {
                code = yaml_fail(error, list->values[i], "expected each cohort once, found \"%s\" again",
                                 made[i].cohort.name);
                goto out;
            }
        }
    }
    for (size_t i = 0; i < list->n; i++)
        if (count_like(made, list->n, made[i].dictionary) > COHORTS_OF_MAX) {
            code = yaml_fail(error, list->values[i], "expected at most %d cohorts of %s, found more",
                             COHORTS_OF_MAX, made[i].dictionary);
            goto out;
        }
    *cohorts = (struct directory_cohorts){list->n, made};
out:
    return code;
}

/* A list that is not there (NULL) is of a directory without the key, which publishes nobody; an empty one
 * publishes everybody alone. */
void directory_cohorts_write(struct bytes *out, const struct directory_cohorts *cohorts)
{
    if (cohorts->list == NULL)
        return;
    bytes_put_text(out, cohorts->n > 0 ? "cohorts:\n" : "cohorts: []\n");
    for (size_t i = 0; i < cohorts->n; i++) {
        bytes_printf(out, "  - { name: %s, dictionary: ", cohorts->list[i].cohort.name);
        directory_put_quoted(out, cohorts->list[i].dictionary);
        bytes_put_text(out, ", expression: ");
        directory_put_quoted(out, cohorts->list[i].cohort.expression);
        bytes_put_text(out, " }\n");
    }
}

bool directory_cohorts_equal(const struct directory_cohorts *a, const struct directory_cohorts *b)
{
    if (a->list == NULL || b->list == NULL)
        return a->list == b->list;
    bool equal = a->n == b->n;
    for (size_t i = 0; equal && i < a->n; i++)
        equal = strcmp(a->list[i].cohort.name, b->list[i].cohort.name) == 0 &&
                strcmp(a->list[i].dictionary, b->list[i].dictionary) == 0 &&
                strcmp(a->list[i].cohort.expression, b->list[i].cohort.expression) == 0;
    return equal;
}

static bool is_of(const struct directory_cohort *cohort, const struct dictionary *dictionary)
{
    char with_version[COHORT_TEXT_BYTES + 32];
    snprintf(with_version, sizeof with_version, "%.*s@%lld", COHORT_TEXT_BYTES, dictionary->name,
             (long long)dictionary->version);
    return strcmp(cohort->dictionary, dictionary->name) == 0 || strcmp(cohort->dictionary, with_version) == 0;
}

size_t directory_cohorts_of(const struct published_cohort **list, struct arena *arena,
                            const struct directory_cohorts *cohorts, const struct dictionary *dictionary)
{
    size_t n = 0;
    struct published_cohort *made = arena_array(arena, cohorts->n + 1, sizeof *made);
    for (size_t i = 0; i < cohorts->n && n < COHORTS_OF_MAX; i++)
        if (is_of(&cohorts->list[i], dictionary))
            made[n++] = cohorts->list[i].cohort;
    *list = made;
    return n;
}
