#include <string.h>

#include "base/number.h"
#include "disclosure/policy_table.h"

/* The printed forms of a policy: what a site tells others, what a new site starts from, and the page for
 * people. */

static void put_value(struct bytes *out, const struct policy_row *row, double value)
{
    char number[32];
    size_t length;
    if (row->kind == POLICY_CHOICE) {
        const char *word = policy_choice_word(row->choices, (int)value, &length);
        bytes_put(out, word, length);
    } else if (value == POLICY_OFF) {
        bytes_printf(out, "off");
    } else {
        number_format_double(number, value);
        bytes_printf(out, "%s", number);
    }
}

static void put_names(struct bytes *out, const struct name_list *list)
{
    if (list->all) {
        bytes_printf(out, "all");
        return;
    }
    bytes_printf(out, "[");
    for (size_t i = 0; i < list->n; i++)
        bytes_printf(out, "%s\"%s\"", i > 0 ? ", " : "", list->names[i]);
    bytes_printf(out, "]");
}

static void put_exceptions(struct bytes *out, const struct name_list *hold, const struct name_list *auto_)
{
    const char *comma = "";
    bytes_printf(out, "{");
    for (size_t i = 0; i < hold->n; i++, comma = ", ")
        bytes_printf(out, "%s\"%s\": hold", comma, hold->names[i]);
    for (size_t i = 0; i < auto_->n; i++, comma = ", ")
        bytes_printf(out, "%s\"%s\": auto", comma, auto_->names[i]);
    bytes_printf(out, "}");
}

static void put_setting(struct bytes *out, const struct policy *policy, const struct policy_row *row)
{
    struct policy *readable = (struct policy *)policy; /* the accessors of lists serve the parser too */
    switch (row->kind) {
    case POLICY_NUMBER:
    case POLICY_CHOICE:
        put_value(out, row, policy_number(policy, row));
        break;
    case POLICY_NAMES:
    case POLICY_DENIED:
        put_names(out, policy_names(readable, row->offset));
        break;
    case POLICY_EXCEPTIONS:
        put_exceptions(out, policy_names(readable, row->offset), policy_names(readable, row->offset2));
        break;
    }
}

/* Opens or closes the maps of dotted names around row r; returns the key to print. */
static const char *put_group(struct bytes *out, size_t r, const char *prefix)
{
    const char *name = policy_rows[r].name, *dot = strchr(name, '.');
    if (dot == NULL)
        return name;
    size_t length = (size_t)(dot - name) + 1;
    if (r == 0 || strncmp(policy_rows[r - 1].name, name, length) != 0)
        bytes_printf(out, "%s%.*s:\n", prefix, (int)length - 1, name);
    bytes_printf(out, "%s  ", prefix);
    return dot + 1;
}

void policy_write(struct bytes *out, const struct policy *policy)
{
    bytes_printf(out, "policy: %s\n", policy->preset);
    for (size_t r = 0; r < policy_n_rows; r++) {
        bytes_printf(out, "%s: ", put_group(out, r, ""));
        put_setting(out, policy, &policy_rows[r]);
        bytes_printf(out, "\n");
    }
}

static void put_preset(struct bytes *out, const struct policy_row *row, int preset)
{
    if (row->kind == POLICY_NUMBER || row->kind == POLICY_CHOICE)
        put_value(out, row, row->presets[preset]);
    else
        bytes_printf(out, "%s", row->kind == POLICY_NAMES ? "all" : row->kind == POLICY_DENIED ? "[]" : "{}");
}

enum maille_code policy_template(struct bytes *out, const char *preset, struct maille_error *error)
{
    int column = 0;
    while (column < PRESETS && strcmp(policy_presets[column], preset) != 0)
        column++;
    if (column == PRESETS)
        return maille_fail(error, MAILLE_INVALID, "expected strict, standard or open, found \"%s\"", preset);
    bytes_printf(
        out,
        "# The policy of this site: what it refuses, whoever asks. docs/POLICY.md explains every key.\n"
        "# A key that stands here without a # overrides the preset. The values shown are those of %s.\n"
        "policy: %s\n\n",
        preset, preset);
    for (size_t r = 0; r < policy_n_rows; r++) {
        const struct policy_row *row = &policy_rows[r];
        size_t start = out->length;
        const char *key = put_group(out, r, "# ");
        if (strchr(row->name, '.') == NULL)
            bytes_printf(out, "# ");
        bytes_printf(out, "%s: ", key);
        put_preset(out, row, column);
        const uint8_t *newline = out->failed ? NULL : memrchr(out->data + start, '\n', out->length - start);
        size_t used = newline == NULL ? out->length - start : out->length - (size_t)(newline + 1 - out->data);
        bytes_printf(out, "%*s# %s\n", used < 34 ? (int)(34 - used) : 1, "", row->sentence);
    }
    return bytes_check(out, error);
}

void policy_manual(struct bytes *out)
{
    bytes_printf(out, "| key | strict | standard | open | legal | meaning |\n");
    bytes_printf(out, "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t r = 0; r < policy_n_rows; r++) {
        const struct policy_row *row = &policy_rows[r];
        bytes_printf(out, "| `%s` | ", row->name);
        for (int preset = 0; preset < PRESETS; preset++) {
            put_preset(out, row, preset);
            bytes_printf(out, " | ");
        }
        switch (row->kind) {
        case POLICY_NUMBER:
            bytes_printf(out, "%g to %g %s%s", row->min, row->max, row->unit,
                         row->may_be_off ? ", or off" : "");
            break;
        case POLICY_CHOICE:
            for (int i = 0;; i++) {
                size_t length;
                const char *word = policy_choice_word(row->choices, i, &length);
                bytes_printf(out, "%s%.*s", i > 0 ? ", " : "", (int)length, word);
                if (word[length] == '\0')
                    break;
            }
            break;
        case POLICY_NAMES:
            bytes_printf(out, "all, or a list of %s", row->unit);
            break;
        case POLICY_DENIED:
            bytes_printf(out, "a list of %s", row->unit);
            break;
        case POLICY_EXCEPTIONS:
            bytes_printf(out, "a map from %s to auto or hold", row->unit);
            break;
        }
        bytes_printf(out, " | %s |\n", row->sentence);
    }
}
