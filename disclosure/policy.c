#include "disclosure/policy.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "disclosure/policy_table.h"
#include "query/yaml.h"
#include "stats/methods.h"

enum { POLICY_NAMES_MAX = 1024, POLICY_NAME_BYTES_MAX = 64 };

/* --- from YAML --- */

/* Letters, digits and _ . : - : what methods, variables, purposes and researchers are called. */
static enum maille_code name_read(const char **name, const struct yaml_node *at, struct maille_error *error)
{
    enum maille_code code = yaml_string(name, at, error);
    if (code != MAILLE_OK)
        return code;
    size_t length = strlen(*name);
    bool legal = length > 0 && length <= POLICY_NAME_BYTES_MAX;
    for (size_t i = 0; i < length; i++)
        legal = legal && (isalnum((unsigned char)(*name)[i]) || strchr("_.:-", (*name)[i]) != NULL);
    if (!legal)
        return yaml_fail(error, at, "expected a name of at most %d letters, digits and _.:-, found \"%.80s\"",
                         POLICY_NAME_BYTES_MAX, *name);
    return MAILLE_OK;
}

/* A method that this build does not know would never be refused: most likely it is misspelt. */
static enum maille_code method_known(const char *name, const struct yaml_node *at, struct maille_error *error)
{
    if (method_find(name) != NULL)
        return MAILLE_OK;
    const char *names[64];
    size_t n = 0;
    for (; n < sizeof names / sizeof names[0] && methods_all[n] != NULL; n++)
        names[n] = methods_all[n]->declared.name;
    const char *nearest = dictionary_nearest_name(name, names, n);
    return yaml_fail(error, at, "expected a method, found \"%s\"%s%s%s", name,
                     nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

static bool names_have(const struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->names[i], name) == 0)
            return true;
    return false;
}

static bool row_of_methods(const struct policy_row *row)
{
    return strcmp(row->unit, "methods") == 0;
}

static void names_push(struct name_list *list, const char *name)
{
    list->names[list->n++] = name;
}

static void names_room(struct name_list *list, struct arena *arena, size_t n)
{
    *list = (struct name_list){.names = arena_array(arena, n + 1, sizeof *list->names)};
}

static enum maille_code names_read(struct policy *policy, const struct policy_row *row, struct arena *arena,
                                   const struct yaml_node *at, struct maille_error *error)
{
    struct name_list *list = policy_names(policy, row->offset);
    if (row->kind == POLICY_NAMES && at->kind == YAML_KIND_SCALAR && strcmp(at->scalar, "all") == 0) {
        *list = (struct name_list){.all = true};
        return MAILLE_OK;
    }
    if (at->kind != YAML_KIND_LIST || at->n > POLICY_NAMES_MAX)
        return yaml_fail(error, at, "expected %sa list of at most %d %s for %s",
                         row->kind == POLICY_NAMES ? "all or " : "", POLICY_NAMES_MAX, row->unit, row->name);
    names_room(list, arena, at->n);
    for (size_t i = 0; i < at->n; i++) {
        const char *name;
        enum maille_code code = name_read(&name, at->values[i], error);
        if (code == MAILLE_OK && row_of_methods(row))
            code = method_known(name, at->values[i], error);
        if (code != MAILLE_OK)
            return code;
        if (names_have(list, name))
            return yaml_fail(error, at->values[i], "expected each name once in %s, found \"%s\" again",
                             row->name, name);
        names_push(list, name);
    }
    return MAILLE_OK;
}

static enum maille_code exceptions_read(struct policy *policy, const struct policy_row *row,
                                        struct arena *arena, const struct yaml_node *at,
                                        struct maille_error *error)
{
    struct name_list *hold = policy_names(policy, row->offset), *auto_ = policy_names(policy, row->offset2);
    if (at->kind != YAML_KIND_MAP || at->n > POLICY_NAMES_MAX)
        return yaml_fail(error, at, "expected a map such as {cox: hold} for %s", row->name);
    names_room(hold, arena, at->n);
    names_room(auto_, arena, at->n);
    for (size_t i = 0; i < at->n; i++) {
        const char *name, *word;
        enum maille_code code = name_read(&name, at->keys[i], error);
        if (code == MAILLE_OK && row_of_methods(row))
            code = method_known(name, at->keys[i], error);
        if (code == MAILLE_OK)
            code = yaml_string(&word, at->values[i], error);
        if (code != MAILLE_OK)
            return code;
        int position = policy_choice_position("auto|hold", word);
        if (position < 0)
            return yaml_fail(error, at->values[i], "expected auto or hold, found \"%.80s\"", word);
        names_push(position == APPROVAL_HOLD ? hold : auto_, name);
    }
    return MAILLE_OK;
}

static enum maille_code number_read(struct policy *policy, const struct policy_row *row,
                                    const struct yaml_node *at, struct maille_error *error)
{
    double value;
    if (row->may_be_off && at->kind == YAML_KIND_SCALAR && !at->quoted && strcmp(at->scalar, "off") == 0) {
        policy_set_number(policy, row, POLICY_OFF);
        return MAILLE_OK;
    }
    enum maille_code code = yaml_number(&value, at, row->min, row->max, error);
    if (code == MAILLE_OK && row->whole && value != floor(value))
        code = yaml_fail(error, at, "expected a whole number of %s, found %s", row->unit, at->scalar);
    if (code != MAILLE_OK) {
        maille_error_prefix(error, "%s", row->name);
        return code;
    }
    policy_set_number(policy, row, value);
    return MAILLE_OK;
}

static enum maille_code choice_read(struct policy *policy, const struct policy_row *row,
                                    const struct yaml_node *at, struct maille_error *error)
{
    const char *word;
    enum maille_code code = yaml_string(&word, at, error);
    if (code != MAILLE_OK)
        return code;
    int position = policy_choice_position(row->choices, word);
    if (position < 0)
        return yaml_fail(error, at, "expected one of %s for %s, found \"%.80s\"", row->choices, row->name,
                         word);
    policy_set_number(policy, row, position);
    return MAILLE_OK;
}

static enum maille_code row_read(struct policy *policy, const struct policy_row *row, struct arena *arena,
                                 const struct yaml_node *at, struct maille_error *error)
{
    switch (row->kind) {
    case POLICY_NUMBER:
        return number_read(policy, row, at, error);
    case POLICY_CHOICE:
        return choice_read(policy, row, at, error);
    case POLICY_NAMES:
    case POLICY_DENIED:
        return names_read(policy, row, arena, at, error);
    case POLICY_EXCEPTIONS:
        return exceptions_read(policy, row, arena, at, error);
    }
    return MAILLE_INTERNAL;
}

/* "budget" of "budget.tables"; a row without a dot has no group. */
static size_t group_length(const struct policy_row *row)
{
    const char *dot = strchr(row->name, '.');
    return dot == NULL ? 0 : (size_t)(dot - row->name);
}

static bool in_group(const struct policy_row *row, const char *group)
{
    return group_length(row) == strlen(group) && memcmp(row->name, group, strlen(group)) == 0;
}

/* A key of the file: a row of its own, or a group of rows in a map. `approval: hold` and `budget: off` are
 * short for all numbers and choices of the group. */
static enum maille_code key_read(struct policy *policy, struct arena *arena, const struct yaml_node *key,
                                 const struct yaml_node *value, struct maille_error *error)
{
    const char *known[8] = {NULL};
    size_t n_known = 0;
    for (size_t r = 0; r < policy_n_rows; r++) {
        const struct policy_row *row = &policy_rows[r];
        if (strcmp(row->name, key->scalar) == 0)
            return row_read(policy, row, arena, value, error);
        if (!in_group(row, key->scalar))
            continue;
        known[n_known++] = row->name + group_length(row) + 1;
        const struct yaml_node *inner =
            value->kind == YAML_KIND_MAP ? yaml_get(value, known[n_known - 1]) : NULL;
        bool brief = value->kind == YAML_KIND_SCALAR && (row->kind == POLICY_CHOICE || row->may_be_off);
        enum maille_code code = MAILLE_OK;
        if (inner != NULL || brief)
            code = row_read(policy, row, arena, inner != NULL ? inner : value, error);
        else if (value->kind != YAML_KIND_MAP && row->kind != POLICY_EXCEPTIONS)
            code = yaml_fail(error, value, "expected a map for %s", key->scalar);
        if (code != MAILLE_OK)
            return code;
    }
    return value->kind == YAML_KIND_MAP ? yaml_only_keys(value, known, error) : MAILLE_OK;
}

static enum maille_code keys_known(const struct yaml_node *root, struct maille_error *error)
{
    const char *known[64] = {"policy"};
    char groups[64][POLICY_NAME_BYTES_MAX];
    size_t n = 1;
    for (size_t r = 0; r < policy_n_rows; r++) {
        size_t group = group_length(&policy_rows[r]);
        memcpy(groups[n], policy_rows[r].name, group);
        groups[n][group] = '\0';
        known[n] = group > 0 ? groups[n] : policy_rows[r].name;
        n++;
    }
    known[n] = NULL;
    return yaml_only_keys(root, known, error);
}

/* --- contradictions --- */

/* Two minima that are both written: the smaller group cannot have the larger minimum. */
static enum maille_code not_above(const struct policy *policy, const struct yaml_node *root,
                                  const char *small, double low, double high, struct maille_error *error)
{
    const struct yaml_node *at = yaml_get(root, small);
    (void)policy;
    if (at == NULL || yaml_get(root, "min_patients") == NULL || low <= high)
        return MAILLE_OK;
    return yaml_fail(error, at,
                     "expected %s to be at most min_patients (%.0f), since they are among them, found %.0f",
                     small, high, low);
}

static enum maille_code exceptions_agree(const struct yaml_node *root, const char *key,
                                         const struct name_list *allowed, struct maille_error *error)
{
    const struct yaml_node *map = yaml_get(root, "approval");
    map = map != NULL && map->kind == YAML_KIND_MAP ? yaml_get(map, key) : NULL;
    for (size_t i = 0; map != NULL && !allowed->all && i < map->n; i++)
        if (!names_have(allowed, map->keys[i]->scalar))
            return yaml_fail(error, map->keys[i],
                             "expected an approval for one of the %s that the policy allows, found \"%s\"",
                             key, map->keys[i]->scalar);
    return MAILLE_OK;
}

static enum maille_code policy_agrees(const struct policy *policy, const struct yaml_node *root,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(not_above(policy, root, "min_cell", policy->min_cell, policy->min_patients, error));
    MAILLE_TRY(not_above(policy, root, "min_events", policy->min_events, policy->min_patients, error));
    MAILLE_TRY(exceptions_agree(root, "methods", &policy->methods, error));
    MAILLE_TRY(exceptions_agree(root, "purposes", &policy->purposes, error));
out:
    return code;
}

/* --- the whole --- */

static void policy_preset(struct policy *policy, int preset)
{
    *policy = (struct policy){.preset = policy_presets[preset]};
    for (size_t r = 0; r < policy_n_rows; r++) {
        const struct policy_row *row = &policy_rows[r];
        if (row->kind == POLICY_NUMBER || row->kind == POLICY_CHOICE)
            policy_set_number(policy, row, row->presets[preset]);
        else if (row->kind == POLICY_NAMES)
            policy_names(policy, row->offset)->all = true;
    }
}

static enum maille_code preset_read(int *preset, const struct yaml_node *root, struct maille_error *error)
{
    const struct yaml_node *at = yaml_get(root, "policy");
    const char *word;
    if (at == NULL)
        return yaml_fail(error, root, "expected the key policy (strict, standard or open)");
    enum maille_code code = yaml_string(&word, at, error);
    if (code != MAILLE_OK)
        return code;
    for (*preset = 0; *preset < PRESETS; (*preset)++)
        if (strcmp(word, policy_presets[*preset]) == 0)
            return MAILLE_OK;
    return yaml_fail(error, at, "expected strict, standard or open, found \"%.80s\"", word);
}

enum maille_code policy_parse(const struct policy **policy, struct arena *arena, const char *name,
                              const char *text, size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *root;
    struct policy *made = arena_alloc(arena, sizeof *made);
    int preset = PRESET_STRICT;
    MAILLE_TRY(yaml_parse(&root, arena, name, text, length, error));
    if (root->kind != YAML_KIND_MAP) {
        code = yaml_fail(error, root, "expected a map of policy keys");
        goto out;
    }
    MAILLE_TRY(keys_known(root, error));
    MAILLE_TRY(preset_read(&preset, root, error));
    policy_preset(made, preset);
    for (size_t i = 0; i < root->n; i++)
        if (strcmp(root->keys[i]->scalar, "policy") != 0)
            MAILLE_TRY(key_read(made, arena, root->keys[i], root->values[i], error));
    MAILLE_TRY(policy_agrees(made, root, error));
    /* Where one of two minima comes from the preset, the cohort holds at least the smaller group. (Said,
     * because the policy is written out for others, who read both as written.) */
    made->min_patients = fmax(made->min_patients, fmax(made->min_cell, made->min_events));
    made->text = arena_strndup(arena, text, length);
    made->text_length = length;
    *policy = made;
out:
    return code;
}

enum approval_mode policy_approval(const struct policy *policy, const char *method, const char *purpose)
{
    if (names_have(&policy->hold_methods, method) || names_have(&policy->hold_purposes, purpose))
        return APPROVAL_HOLD;
    if (names_have(&policy->auto_methods, method) || names_have(&policy->auto_purposes, purpose))
        return APPROVAL_AUTO;
    return policy->approval_default;
}

double policy_patient_share(const struct policy *policy)
{
    const double share = policy->max_patient_share;
    return share == POLICY_OFF || share >= 1 ? 0 : share;
}
