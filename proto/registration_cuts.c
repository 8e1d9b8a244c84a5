/* The key `cuts` of a registration: by which cut points, beside those of the dictionary, its studies may make
 * groups of a number or a date (disclosure/gate_cuts.h). */
#include <string.h>

#include "base/number.h"
#include "proto/directory.h"
#include "proto/registration_private.h"

static enum maille_code read_values(struct registration_cuts *cuts, struct arena *arena,
                                    const struct yaml_node *list, struct maille_error *error)
{
    enum maille_code code;
    double number;
    int32_t day;
    MAILLE_TRY(yaml_texts(&cuts->texts, &cuts->n, arena, list, "cuts", REGISTRATION_CUTS_MAX, error));
    if (cuts->n == 0) {
        code = yaml_fail(error, list, "expected at least one cut of %s, found none", cuts->name);
        goto out;
    }
    for (size_t i = 0; i < cuts->n; i++) {
        const char *text = cuts->texts[i];
        if (!number_parse_date(text, strlen(text), &day))
            MAILLE_TRY(yaml_number(&number, list->values[i], -9007199254740992.0, 9007199254740992.0, error));
    }
out:
    return code;
}

enum maille_code registration_cuts_read(struct registration *registration, struct arena *arena,
                                        const struct yaml_node *node, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (node == NULL)
        goto out;
    if (node->kind != YAML_KIND_MAP || node->n == 0) {
        code = yaml_fail(error, node,
                         "expected cuts of variables as { age: [45, 55], diagnosis: [2015-07-01] }");
        goto out;
    }
    struct registration_cuts *each = arena_array(arena, node->n, sizeof *each);
    for (size_t i = 0; i < node->n; i++) {
        each[i].name = node->keys[i]->scalar;
        if (!dictionary_name_legal(each[i].name)) {
            code = yaml_fail(error, node->keys[i], "expected the name of a variable, found \"%.80s\"",
                             each[i].name);
            goto out;
        }
        MAILLE_TRY(read_values(&each[i], arena, node->values[i], error));
    }
    registration->cuts = each;
    registration->n_cuts = node->n;
out:
    return code;
}

void registration_cuts_write(struct bytes *out, const struct registration *registration)
{
    for (size_t i = 0; i < registration->n_cuts; i++) {
        const struct registration_cuts *cuts = &registration->cuts[i];
        bytes_printf(out, "%s%s: [", i == 0 ? "    cuts: { " : ", ", cuts->name);
        for (size_t k = 0; k < cuts->n; k++)
            bytes_printf(out, "%s%s", k > 0 ? ", " : "", cuts->texts[k]);
        bytes_printf(out, "]%s", i + 1 == registration->n_cuts ? " }\n" : "");
    }
}

size_t registration_cuts_of(const struct variable_cuts **list, struct arena *arena,
                            const struct registration *registration, const struct dictionary *dictionary)
{
    const size_t n = registration != NULL ? registration->n_cuts : 0;
    struct variable_cuts *made = arena_array(arena, n + 1, sizeof *made);
    for (size_t i = 0; i < n; i++) {
        const struct registration_cuts *cuts = &registration->cuts[i];
        const int at = dictionary_find(dictionary, cuts->name);
        const bool dates = at >= 0 && dictionary->variables[at].type == VARIABLE_DATE;
        double *values = arena_array(arena, cuts->n + 1, sizeof *values);
        made[i] = (struct variable_cuts){.name = cuts->name, .cuts = values};
        for (size_t k = 0; k < cuts->n; k++) {
            const size_t length = strlen(cuts->texts[k]);
            int32_t day = 0;
            const bool is_date = number_parse_date(cuts->texts[k], length, &day);
            double number = day;
            if (is_date == dates && (is_date || number_parse_double(cuts->texts[k], length, '.', &number)))
                values[made[i].n++] = number;
        }
    }
    *list = made;
    return n;
}
