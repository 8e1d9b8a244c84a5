#include "query/settings.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "query/yaml.h"

enum { SETTINGS_BYTES_MAX = 65536 };

static int position_of(const char *choices, const char *word)
{
    int position = 0;
    for (const char *at = choices;; at++, position++) {
        size_t length = strcspn(at, "|");
        if (strlen(word) == length && memcmp(at, word, length) == 0)
            return position;
        at += length;
        if (*at == '\0')
            return -1;
    }
}

/* The value of a text (of a TEXT its length); false where it is none of the row's. */
static bool value_of(int64_t *value, const struct settings_row *row, const char *text)
{
    int64_t number = 0;
    switch (row->type) {
    case SETTINGS_TEXT:
        number = (int64_t)strlen(text);
        break;
    case SETTINGS_COUNT:
        if (!number_parse_i64(text, strlen(text), &number))
            return false;
        break;
    case SETTINGS_DURATION:
        if (!number_parse_duration_ms(text, &number))
            return false;
        break;
    case SETTINGS_CHOICE:
        number = position_of(row->choices, text);
        break;
    }
    *value = number;
    return number >= row->min && number <= row->max;
}

static const char *legal(struct arena *arena, const struct settings_row *row)
{
    if (row->type == SETTINGS_CHOICE)
        return arena_printf(arena, "one of %s", row->choices);
    return arena_printf(arena,
                        row->type == SETTINGS_TEXT ? "a text of %" PRId64 " to %" PRId64 " bytes"
                                                   : "%" PRId64 " to %" PRId64 " %s",
                        row->min, row->max, row->unit);
}

static enum maille_code row_read(void *settings, struct arena *arena, const struct settings_row *row,
                                 const struct yaml_node *root, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct yaml_node *at = yaml_get(root, row->name);
    const char *text = row->fallback;
    char *place = (char *)settings + row->offset;
    int64_t value = 0;
    if (at != NULL)
        MAILLE_TRY(yaml_string(&text, at, error));
    if (!value_of(&value, row, text))
        code = yaml_fail(error, at != NULL ? at : root, "expected %s for %s, found \"%.80s\"",
                         legal(arena, row), row->name, text);
    else if (row->type == SETTINGS_TEXT)
        memcpy(place, &text, sizeof text);
    else
        memcpy(place, &value, sizeof value);
out:
    return code;
}

enum maille_code settings_read(void *settings, struct arena *arena, const struct settings_row *rows,
                               size_t n_rows, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    const struct yaml_node *root;
    const char **known = arena_array(arena, n_rows + 1, sizeof *known);
    for (size_t r = 0; r < n_rows; r++)
        known[r] = rows[r].name;
    MAILLE_TRY(file_read(&text, path, SETTINGS_BYTES_MAX, error));
    MAILLE_TRY(
        yaml_parse(&root, arena, arena_strdup(arena, path), (const char *)text.data, text.length, error));
    if (root->kind != YAML_KIND_MAP) {
        code = yaml_fail(error, root, "expected settings as \"name: value\", found something else");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(root, known, error));
    for (size_t r = 0; r < n_rows; r++)
        MAILLE_TRY(row_read(settings, arena, &rows[r], root, error));
out:
    bytes_clear(&text);
    return code;
}

/* A text in double quotes, as YAML reads it. */
static const char *quoted(struct arena *arena, const char *text)
{
    char *out = arena_alloc(arena, 2 * strlen(text) + 3), *at = out;
    *at++ = '"';
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            *at++ = '\\';
        *at++ = *text;
    }
    *at = '"';
    return out;
}

const char *settings_write(struct arena *arena, const struct settings_row *rows, size_t n_rows,
                           const char *title, const char *own, const char *value)
{
    const char *text = arena_printf(arena, "# %s A line with a # shows the default.\n", title);
    for (size_t r = 0; r < n_rows; r++) {
        const bool is_own = strcmp(rows[r].name, own) == 0;
        const char *says = is_own ? value : rows[r].fallback;
        text = arena_printf(arena, "%s\n# %s\n%s%s: %s\n", text, rows[r].sentence, is_own ? "" : "# ",
                            rows[r].name, rows[r].type == SETTINGS_TEXT ? quoted(arena, says) : says);
    }
    return text;
}

const char *settings_help(struct arena *arena, const struct settings_row *rows, size_t n_rows,
                          const char *file)
{
    const char *text = arena_printf(arena, "settings in %s:", file);
    for (size_t r = 0; r < n_rows; r++)
        text = arena_printf(arena, "%s\n  %-26s %s (%s; default %s)", text, rows[r].name, rows[r].sentence,
                            legal(arena, &rows[r]), rows[r].fallback[0] != '\0' ? rows[r].fallback : "none");
    return text;
}
