#include "coordinator/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "query/yaml.h"

enum { SETTINGS_BYTES_MAX = 65536 };

const struct setting_row settings_rows[] = {
    {"endpoint", SETTING_TEXT, "", 0, 0, "tcp://*:9700", offsetof(struct settings, endpoint),
     "address and port that sites and researchers dial"},
    {"directory", SETTING_TEXT, "", 0, 0, "network.yaml", offsetof(struct settings, directory),
     "the signed directory of the network; read again when it changes"},
    {"round_bytes_max", SETTING_SIZE, "bytes", 65536, (int64_t)1 << 34, "268435456",
     offsetof(struct settings, round_bytes_max), "largest vector that one round may sum"},
    {"held_bytes_max", SETTING_SIZE, "bytes", 0, (int64_t)1 << 34, "67108864",
     offsetof(struct settings, held_bytes_max),
     "vectors of one round are held for the researcher's own addition when all of them fit in this"},
    {"batch_messages", SETTING_SIZE, "messages", 1, 65536, "256", offsetof(struct settings, batch_messages),
     "messages that are made durable together, before any answer to them is sent"},
    {"log_retention_months", SETTING_SIZE, "months", 6, 36, "12",
     offsetof(struct settings, log_retention_months),
     "entries of the message log are kept for so long; older ones are removed with a signed entry that says "
     "so"},
    {NULL, SETTING_TEXT, NULL, 0, 0, NULL, 0, NULL},
};

static void put(struct settings *settings, const struct setting_row *row, const char *text, int64_t number)
{
    char *place = (char *)settings + row->offset;
    if (row->type == SETTING_TEXT)
        memcpy(place, &text, sizeof text);
    else
        memcpy(place, &number, sizeof number);
}

enum maille_code settings_read(struct settings *settings, struct arena *arena, const char *path,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    struct settings found = {0};
    const struct yaml_node *root;
    const char *known[16] = {0};
    size_t n = 0;
    for (const struct setting_row *row = settings_rows; row->name != NULL; row++)
        known[n++] = row->name;
    MAILLE_TRY(file_read(&text, path, SETTINGS_BYTES_MAX, error));
    MAILLE_TRY(yaml_parse(&root, arena, path, (const char *)text.data, text.length, error));
    if (root->kind != YAML_KIND_MAP) {
        code = yaml_fail(error, root, "expected settings as \"name: value\", found something else");
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(root, known, error));
    for (const struct setting_row *row = settings_rows; row->name != NULL; row++) {
        const struct yaml_node *node = yaml_get(root, row->name);
        const char *value = row->fallback;
        int64_t number = 0;
        if (row->type == SETTING_TEXT && node != NULL)
            MAILLE_TRY(yaml_string(&value, node, error));
        if (row->type == SETTING_SIZE && node != NULL)
            MAILLE_TRY(yaml_integer(&number, node, row->min, row->max, error));
        else if (row->type == SETTING_SIZE &&
                 !number_parse_i64(row->fallback, strlen(row->fallback), &number))
            code = MAILLE_INTERNAL;
        put(&found, row, value, number);
    }
    *settings = found;
out:
    bytes_clear(&text);
    return code;
}

const char *settings_write(struct arena *arena, const char *endpoint)
{
    const char *text = "# Settings of this coordinator; `maille-coordinator serve --help` says more.\n";
    for (const struct setting_row *row = settings_rows; row->name != NULL; row++) {
        const char *value = strcmp(row->name, "endpoint") == 0 && endpoint != NULL ? endpoint : row->fallback;
        const char *quote = row->type == SETTING_TEXT ? "\"" : "";
        text = arena_printf(arena, "%s# %s%s%s\n%s: %s%s%s\n", text, row->sentence,
                            row->unit[0] == '\0' ? "" : ", in ", row->unit, row->name, quote, value, quote);
    }
    return text;
}

void settings_help(void)
{
    printf("\nsettings in coordinator.yaml:\n");
    for (const struct setting_row *row = settings_rows; row->name != NULL; row++) {
        char range[96] = "";
        if (row->type == SETTING_SIZE)
            snprintf(range, sizeof range, ", %lld to %lld %s", (long long)row->min, (long long)row->max,
                     row->unit);
        printf("  %-18s %s (default %s%s)\n", row->name, row->sentence, row->fallback, range);
    }
}
