#include "worker/settings.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "query/yaml.h"

enum { SETTINGS_BYTES_MAX = 65536, TEXT_BYTES_MAX = 200 };

enum setting_type { SETTING_TEXT, SETTING_COUNT, SETTING_DURATION, SETTING_CHOICE };

static const struct setting_row {
    const char *name;
    enum setting_type type;
    const char *unit;
    double min, max; /* COUNT; DURATION in ms; CHOICE: the last position */
    const char *fallback;
    const char *choices; /* CHOICE */
    size_t offset;
    const char *sentence;
} rows[] = {
    {"legal_entity", SETTING_TEXT, "", 0, TEXT_BYTES_MAX, "", NULL,
     offsetof(struct worker_settings, legal_entity),
     "the legal entity that answers for this site; sites of one entity count as one"},
    {"network", SETTING_TEXT, "", 1, TEXT_BYTES_MAX, "network.yaml", NULL,
     offsetof(struct worker_settings, network),
     "the signed directory of the network; a newer one that its authorities have signed replaces it"},
    {"threads", SETTING_COUNT, "threads", 0, 64, "0", NULL, offsetof(struct worker_settings, threads),
     "threads of a tally; 0 takes as many as there are cores, at most 8"},
    {"column_cache_mb", SETTING_COUNT, "MB", 0, 65536, "128", NULL,
     offsetof(struct worker_settings, column_cache_mb),
     "memory for columns that were read lately: one that still fits is not read from its file again; 0 keeps "
     "none"},
    {"queries_max", SETTING_COUNT, "queries", 1, 100000, "256", NULL,
     offsetof(struct worker_settings, queries_max),
     "open queries at once; more are refused under the rule queries_max"},
    {"log_retention_months", SETTING_COUNT, "months", 6, 36, "12", NULL,
     offsetof(struct worker_settings, log_retention_months),
     "entries of the message log are kept for so long; older ones are removed with a signed entry that says "
     "so"},
    {"hello_every", SETTING_DURATION, "ms", 100, 60000, "2s", NULL,
     offsetof(struct worker_settings, hello_every_ms),
     "how often the coordinator is told that this site is there"},
    {"restart_after", SETTING_DURATION, "ms", 50, 60000, "500ms", NULL,
     offsetof(struct worker_settings, restart_after_ms),
     "wait before a process that died is started again; doubles each time, to at most 30 s"},
    {"log_level", SETTING_CHOICE, "", 0, 3, "info", "error|warning|info|debug",
     offsetof(struct worker_settings, log_level), "what is said on standard error"},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

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

/* The value of a text; false where it is none of the row's. */
static bool value_of(double *value, const struct setting_row *row, const char *text)
{
    int64_t number;
    switch (row->type) {
    case SETTING_TEXT:
        return strlen(text) >= (size_t)row->min && strlen(text) <= (size_t)row->max;
    case SETTING_COUNT:
        if (!number_parse_i64(text, strlen(text), &number))
            return false;
        break;
    case SETTING_DURATION:
        if (!number_parse_duration_ms(text, &number))
            return false;
        break;
    case SETTING_CHOICE:
        number = position_of(row->choices, text);
        break;
    default:
        return false;
    }
    *value = (double)number;
    return *value >= row->min && *value <= row->max;
}

static const char *legal(struct arena *arena, const struct setting_row *row)
{
    if (row->type == SETTING_CHOICE)
        return arena_printf(arena, "one of %s", row->choices);
    if (row->type == SETTING_TEXT)
        return arena_printf(arena, "a text of %g to %g bytes", row->min, row->max);
    return arena_printf(arena, "%g to %g %s", row->min, row->max, row->unit);
}

static enum maille_code row_read(struct worker_settings *settings, struct arena *arena,
                                 const struct setting_row *row, const struct yaml_node *root,
                                 struct maille_error *error)
{
    const struct yaml_node *at = yaml_get(root, row->name);
    const char *text = row->fallback;
    char *place = (char *)settings + row->offset;
    double value = 0;
    if (at != NULL) {
        enum maille_code code = yaml_string(&text, at, error);
        if (code != MAILLE_OK)
            return code;
    }
    if (!value_of(&value, row, text))
        return yaml_fail(error, at != NULL ? at : root, "expected %s for %s, found \"%.80s\"",
                         legal(arena, row), row->name, text);
    if (row->type == SETTING_TEXT)
        memcpy(place, &text, sizeof text);
    else
        memcpy(place, &value, sizeof value);
    return MAILLE_OK;
}

enum maille_code worker_settings_read(struct worker_settings *settings, struct arena *arena, const char *dir,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    struct worker_settings made = {0};
    const struct yaml_node *root;
    const char *known[N_ROWS + 1] = {NULL};
    char path[PATH_MAX];
    for (size_t r = 0; r < N_ROWS; r++)
        known[r] = rows[r].name;
    MAILLE_TRY(file_path_join(path, sizeof path, dir, "worker.yaml", error));
    MAILLE_TRY(file_read(&text, path, SETTINGS_BYTES_MAX, error));
    MAILLE_TRY(
        yaml_parse(&root, arena, arena_strdup(arena, path), (const char *)text.data, text.length, error));
    if (root->kind != YAML_KIND_MAP) {
        code = yaml_fail(error, root, "expected settings as \"name: value\"");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(root, known, error));
    for (size_t r = 0; r < N_ROWS; r++)
        MAILLE_TRY(row_read(&made, arena, &rows[r], root, error));
    *settings = made;
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

const char *worker_settings_write(struct arena *arena, const char *legal_entity)
{
    const char *text = "# Settings of this site; maille-worker serve --help lists them. A line with a # "
                       "shows the default.\n";
    for (size_t r = 0; r < N_ROWS; r++) {
        bool own = strcmp(rows[r].name, "legal_entity") == 0;
        text =
            arena_printf(arena, "%s\n# %s\n%s%s: %s\n", text, rows[r].sentence, own ? "" : "# ", rows[r].name,
                         rows[r].type == SETTING_TEXT ? quoted(arena, own ? legal_entity : rows[r].fallback)
                                                      : rows[r].fallback);
    }
    return text;
}

const char *worker_settings_help(struct arena *arena)
{
    const char *text = "settings in worker.yaml:";
    for (size_t r = 0; r < N_ROWS; r++)
        text = arena_printf(arena, "%s\n  %-26s %s (%s; default %s)", text, rows[r].name, rows[r].sentence,
                            legal(arena, &rows[r]), rows[r].fallback[0] != '\0' ? rows[r].fallback : "none");
    return text;
}
