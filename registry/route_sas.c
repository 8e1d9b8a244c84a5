/* SAS data sets (.sas7bdat, with the labels of a .sas7bcat beside them) and transport files (.xpt) through
 * ReadStat. */
#include <ctype.h>
#include <math.h>
#include <readstat.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/number.h"
#include "registry/keymap.h"
#include "registry/route.h"

enum { FLUSH_BYTES = 1 << 20, LABELS_MAX = 1 << 20, DAYS_1960 = 3653, SECONDS_A_DAY = 86400 };

/* The functions of ReadStat that are used, loaded by name. */
struct readstat {
    readstat_parser_t *(*parser_init)(void);
    void (*parser_free)(readstat_parser_t *);
    readstat_error_t (*set_metadata_handler)(readstat_parser_t *, readstat_metadata_handler);
    readstat_error_t (*set_variable_handler)(readstat_parser_t *, readstat_variable_handler);
    readstat_error_t (*set_value_handler)(readstat_parser_t *, readstat_value_handler);
    readstat_error_t (*set_value_label_handler)(readstat_parser_t *, readstat_value_label_handler);
    readstat_error_t (*parse_sas7bdat)(readstat_parser_t *, const char *, void *);
    readstat_error_t (*parse_sas7bcat)(readstat_parser_t *, const char *, void *);
    readstat_error_t (*parse_xport)(readstat_parser_t *, const char *, void *);
    const char *(*error_message)(readstat_error_t);
    int (*is_missing)(readstat_value_t, readstat_variable_t *);
    readstat_type_t (*value_type)(readstat_value_t);
    double (*double_value)(readstat_value_t);
    const char *(*string_value)(readstat_value_t);
    int (*get_var_count)(readstat_metadata_t *);
};

static enum maille_code load(struct readstat *sas, struct maille_error *error)
{
    static const struct route_library library = {"libreadstat.so.1", "ReadStat", "SAS files", "libreadstat1"};
    const struct route_function functions[] = {
        {&sas->parser_init, "readstat_parser_init"},
        {&sas->parser_free, "readstat_parser_free"},
        {&sas->set_metadata_handler, "readstat_set_metadata_handler"},
        {&sas->set_variable_handler, "readstat_set_variable_handler"},
        {&sas->set_value_handler, "readstat_set_value_handler"},
        {&sas->set_value_label_handler, "readstat_set_value_label_handler"},
        {&sas->parse_sas7bdat, "readstat_parse_sas7bdat"},
        {&sas->parse_sas7bcat, "readstat_parse_sas7bcat"},
        {&sas->parse_xport, "readstat_parse_xport"},
        {&sas->error_message, "readstat_error_message"},
        {&sas->is_missing, "readstat_value_is_missing"},
        {&sas->value_type, "readstat_value_type"},
        {&sas->double_value, "readstat_double_value"},
        {&sas->string_value, "readstat_string_value"},
        {&sas->get_var_count, "readstat_get_var_count"}};
    return route_load(&library, functions, sizeof functions / sizeof *functions, error);
}

static bool ends(const char *where, const char *end)
{
    const size_t n = strlen(where), m = strlen(end);
    return n > m && strcasecmp(where + n - m, end) == 0;
}

static bool takes(const char *where)
{
    return ends(where, ".sas7bdat") || ends(where, ".xpt");
}

/* What a column's numbers are. */
enum kind { KIND_PLAIN, KIND_DATE, KIND_DATETIME };

struct reading {
    struct readstat *sas;
    struct arena *arena;
    struct bytes out;
    struct keymap *labels; /* "FORMAT=value" → which of label_texts */
    const char **label_texts;
    size_t n_labels, labels_room;
    const char *where, *catalog; /* NULL: none */
    int fd, n_variables;
    enum kind *kinds;
    const char **formats;
    struct maille_error *error;
    enum maille_code code;
};

/* A format without its width: DATE9. is DATE. */
static const char *format_name(struct arena *arena, const char *format)
{
    size_t n = strlen(format);
    while (n > 0 && (format[n - 1] == '.' || (format[n - 1] >= '0' && format[n - 1] <= '9')))
        n--;
    char *name = arena_strndup(arena, format, n);
    for (char *c = name; *c != '\0'; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)toupper((unsigned char)*c);
    return name;
}

static enum kind kind_of(const char *format)
{
    static const char *const dates[] = {"DATE",    "DDMMYY",  "DDMMYYS",  "DDMMYYD", "DDMMYYP",
                                        "DDMMYYN", "MMDDYY",  "MMDDYYS",  "YYMMDD",  "YYMMDDD",
                                        "YYMMDDS", "YYMMDDN", "E8601DA",  "B8601DA", "IS8601DA",
                                        "EURDFDD", "FRADFDD", "WEEKDATE", "WORDDATE"},
                             *const times[] = {"DATETIME", "E8601DT", "B8601DT", "IS8601DT",
                                               "DTDATE",   "EURDFDT", "FRADFDT"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (strcmp(format, times[i]) == 0)
            return KIND_DATETIME;
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++)
        if (strcmp(format, dates[i]) == 0)
            return KIND_DATE;
    return KIND_PLAIN;
}

static void text_of(char out[32], const struct readstat *sas, readstat_value_t value)
{
    const double number = sas->double_value(value);
    number_format_double(out, number == 0 ? 0 : number);
}

static int take_label(const char *set, readstat_value_t value, const char *label, void *context)
{
    struct reading *reading = context;
    char number[32];
    int32_t at;
    const char *text =
        reading->sas->value_type(value) == READSTAT_TYPE_STRING ? reading->sas->string_value(value) : number;
    if (text == number)
        text_of(number, reading->sas, value);
    const char *key = arena_printf(reading->arena, "%s=%s", format_name(reading->arena, set), text);
    if (reading->n_labels == LABELS_MAX ||
        keymap_number(reading->labels, &at, key, strlen(key), NULL) != MAILLE_OK)
        return READSTAT_HANDLER_ABORT;
    if (reading->n_labels == reading->labels_room) {
        const char **grown = arena_array(reading->arena, 2 * reading->labels_room + 64, sizeof *grown);
        if (reading->n_labels > 0)
            memcpy(grown, reading->label_texts, reading->n_labels * sizeof *grown);
        reading->label_texts = grown;
        reading->labels_room = 2 * reading->labels_room + 64;
    }
    if ((size_t)at == reading->n_labels)
        reading->label_texts[reading->n_labels++] = arena_strdup(reading->arena, label);
    return READSTAT_HANDLER_OK;
}

static int take_metadata(readstat_metadata_t *metadata, void *context)
{
    struct reading *reading = context;
    reading->n_variables = reading->sas->get_var_count(metadata);
    reading->kinds = arena_array(reading->arena, (size_t)reading->n_variables + 1, sizeof *reading->kinds);
    reading->formats =
        arena_array(reading->arena, (size_t)reading->n_variables + 1, sizeof *reading->formats);
    return READSTAT_HANDLER_OK;
}

static int take_variable(int index, readstat_variable_t *variable, const char *labels, void *context)
{
    (void)labels;
    struct reading *reading = context;
    if (index >= reading->n_variables)
        return READSTAT_HANDLER_ABORT;
    reading->formats[index] = format_name(reading->arena, variable->format);
    reading->kinds[index] = kind_of(reading->formats[index]);
    route_put_field(&reading->out, variable->name, index == 0);
    if (index + 1 == reading->n_variables)
        bytes_put_u8(&reading->out, '\n');
    return READSTAT_HANDLER_OK;
}

/* A date or a time of SAS, which counts from 1960-01-01; other numbers as they are. */
static const char *number_text(char out[64], const struct reading *reading, int index, readstat_value_t value)
{
    const double number = reading->sas->double_value(value);
    const double days = reading->kinds[index] == KIND_DATE ? number : number / SECONDS_A_DAY;
    if (reading->kinds[index] == KIND_PLAIN || fabs(days) > 3e6) {
        text_of(out, reading->sas, value);
        return out;
    }
    number_format_date(out, (int32_t)floor(days) - DAYS_1960);
    if (reading->kinds[index] == KIND_DATETIME && floor(days) != days) {
        const int seconds = (int)(number - floor(days) * SECONDS_A_DAY);
        snprintf(out + strlen(out), 32, " %02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    return out;
}

static int take_value(int row, readstat_variable_t *variable, readstat_value_t value, void *context)
{
    (void)row;
    struct reading *reading = context;
    const struct readstat *sas = reading->sas;
    const int index = variable->index;
    char number[64], plain[32];
    const bool is_text = sas->value_type(value) == READSTAT_TYPE_STRING,
               is_missing = sas->is_missing(value, variable) != 0;
    const char *text = is_missing ? ""
                       : is_text  ? sas->string_value(value)
                                  : number_text(number, reading, index, value);
    if (text == NULL)
        text = "";
    if (!is_missing && reading->formats[index][0] != '\0') {
        if (!is_text)
            text_of(plain, sas, value);
        char key[600]; /* a longer one has no label */
        snprintf(key, sizeof key, "%s=%s", reading->formats[index], is_text ? text : plain);
        const int32_t at = keymap_find(reading->labels, key, strlen(key));
        if (at >= 0)
            text = reading->label_texts[at];
    }
    route_put_field(&reading->out, text, index == 0);
    if (index + 1 < reading->n_variables)
        return READSTAT_HANDLER_OK;
    bytes_put_u8(&reading->out, '\n');
    if (reading->out.length < FLUSH_BYTES && !reading->out.failed)
        return READSTAT_HANDLER_OK;
    reading->code = bytes_check(&reading->out, reading->error);
    if (reading->code == MAILLE_OK)
        reading->code = file_write_all(reading->fd, reading->out.data, reading->out.length, reading->error);
    bytes_wipe(&reading->out);
    return reading->code == MAILLE_OK ? READSTAT_HANDLER_OK : READSTAT_HANDLER_ABORT;
}

/* The catalog of a data set: of its own name, else formats.sas7bcat in its folder; NULL: neither is there. */
static const char *catalog_of(struct arena *arena, const char *where)
{
    const char *slash = strrchr(where, '/');
    const char *own = arena_printf(arena, "%.*s.sas7bcat", (int)(strlen(where) - strlen(".sas7bdat")), where);
    const char *common =
        arena_printf(arena, "%.*sformats.sas7bcat", slash == NULL ? 0 : (int)(slash + 1 - where), where);
    return !ends(where, ".sas7bdat") ? NULL : file_exists(own) ? own : file_exists(common) ? common : NULL;
}

static enum maille_code parse(struct reading *reading, const char *path,
                              readstat_error_t (*run)(readstat_parser_t *, const char *, void *))
{
    const struct readstat *sas = reading->sas;
    readstat_parser_t *parser = sas->parser_init();
    if (parser == NULL)
        return maille_fail(reading->error, MAILLE_MEMORY, "expected memory to read %s, found none", path);
    (void)sas->set_metadata_handler(parser, take_metadata);
    (void)sas->set_variable_handler(parser, take_variable);
    (void)sas->set_value_handler(parser, take_value);
    (void)sas->set_value_label_handler(parser, take_label);
    const readstat_error_t found = run(parser, path, reading);
    sas->parser_free(parser);
    if (reading->code != MAILLE_OK || found == READSTAT_OK)
        return reading->code;
    return maille_fail(reading->error, MAILLE_INVALID, "expected a SAS file at %s, found: %s", path,
                       sas->error_message(found));
}

/* In a process of its own: ReadStat parses what somebody else wrote. */
static enum maille_code parse_files(void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct reading *reading = context;
    reading->error = error;
    if (reading->catalog != NULL)
        MAILLE_TRY(parse(reading, reading->catalog, reading->sas->parse_sas7bcat));
    MAILLE_TRY(
        parse(reading, reading->where,
              ends(reading->where, ".xpt") ? reading->sas->parse_xport : reading->sas->parse_sas7bdat));
    MAILLE_TRY(bytes_check(&reading->out, error));
    code = file_write_all(reading->fd, reading->out.data, reading->out.length, error);
out:
    return code;
}

static enum maille_code fetch(int to, const char *where, const char *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct readstat sas = {0};
    struct reading reading = {.sas = &sas, .fd = to, .arena = arena_new(), .labels = keymap_new()};
    if (reading.arena == NULL || reading.labels == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to read %s, found none", where);
        goto out;
    }
    if (query != NULL) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected no --view and no --query with a SAS file, found one");
        goto out;
    }
    MAILLE_TRY(load(&sas, error));
    reading.where = where;
    reading.catalog = catalog_of(reading.arena, where);
    const char *const files[] = {where, reading.catalog};
    code = route_apart(parse_files, &reading, files, reading.catalog != NULL ? 2 : 1, error);
out:
    bytes_wipe(&reading.out);
    keymap_free(reading.labels);
    arena_free(reading.arena);
    return code;
}

const struct route route_sas = {
    .name = "sas", .where = "FILE.sas7bdat or FILE.xpt", .takes = takes, .fetch = fetch};
