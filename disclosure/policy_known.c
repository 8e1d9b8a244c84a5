/* What a policy says beside what it was said about: its preset, the dictionary, the network's purposes. */
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "disclosure/policy_table.h"

static const char *value_text(struct arena *arena, const struct policy_row *row, double value)
{
    char number[32];
    size_t length;
    if (row->kind == POLICY_CHOICE) {
        const char *word = policy_choice_word(row->choices, (int)value, &length);
        return arena_strndup(arena, word, length);
    }
    if (value == POLICY_OFF)
        return "off";
    number_format_double(number, value);
    return arena_strdup(arena, number);
}

const char *policy_title(struct arena *arena, const struct policy *policy)
{
    const char *title = policy->preset;
    size_t preset = 0, n = 0;
    while (strcmp(policy_presets[preset], policy->preset) != 0)
        preset++;
    for (size_t r = 0; r < policy_n_rows; r++) {
        const struct policy_row *row = &policy_rows[r];
        if (row->kind != POLICY_NUMBER && row->kind != POLICY_CHOICE)
            continue;
        const double value = policy_number(policy, row);
        if (value == row->presets[preset] || policy_tighter(row, value, row->presets[preset]) == value)
            continue;
        title = arena_printf(arena, "%s%s%s %s (%s: %s)", title, n++ == 0 ? ", loosened: " : ", ", row->name,
                             value_text(arena, row, value), policy->preset,
                             value_text(arena, row, row->presets[preset]));
    }
    return title;
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The first name of the list that is not among those that are known. */
static enum maille_code check_names(const struct name_list *list, const char *const *known, size_t n,
                                    const char *rule, const char *what, struct maille_error *error)
{
    for (size_t i = 0; i < list->n; i++) {
        if (is_among(list->names[i], known, n))
            continue;
        const char *nearest = dictionary_nearest_name(list->names[i], known, n);
        return maille_refuse(error, rule, "expected %s in the policy, found \"%s\"%s%s%s", what,
                             list->names[i], nearest != NULL ? "; did you mean \"" : "",
                             nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
    }
    return MAILLE_OK;
}

enum maille_code policy_check_dictionary(const struct policy *policy, const struct dictionary *dictionary,
                                         struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for names, found none");
    const char **names = arena_array(arena, dictionary->n_variables + 1, sizeof *names);
    for (size_t v = 0; v < dictionary->n_variables; v++)
        names[v] = dictionary->variables[v].name;
    code = check_names(&policy->variables_deny, names, dictionary->n_variables, "variables.deny",
                       "variables of the dictionary", error);
    arena_free(arena);
    return code;
}

enum maille_code policy_check_purposes(const struct policy *policy, const char *const *purposes, size_t n,
                                       struct maille_error *error)
{
    const struct name_list *const lists[] = {&policy->purposes, &policy->hold_purposes,
                                             &policy->auto_purposes};
    for (size_t i = 0; n > 0 && i < sizeof lists / sizeof *lists; i++) {
        enum maille_code code =
            check_names(lists[i], purposes, n, "purposes", "purposes of the network", error);
        if (code != MAILLE_OK)
            return code;
    }
    return MAILLE_OK;
}
