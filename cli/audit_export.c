/* maille audit export: the register of processing (GDPR art. 30), the list of all releases and the yearly
 * access review, each as CSV (RFC 4180) and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/options.h"
#include "cli/audit_book.h"
#include "cli/audit_private.h"

/* One table; its keys are the JSON's, its titles the CSV's. */
struct column {
    const char *key;
    enum word title;
    bool is_number;
};

struct sheet {
    const struct column *columns;
    size_t n_columns, n_rows, room;
    const char ***rows; /* n_columns texts each; "" for none */
    struct arena *arena;
};

static const struct column register_columns[] = {{"party", WORD_SITE, false},
                                                 {"query", WORD_QUERY, false},
                                                 {"asked", WORD_ASKED_ON, false},
                                                 {"last_message", WORD_LAST, false},
                                                 {"requester", WORD_ASKED_BY, false},
                                                 {"study", WORD_STUDY, false},
                                                 {"purpose", WORD_PURPOSE, false},
                                                 {"legal_basis", WORD_LEGAL_BASIS, false},
                                                 {"protocol", WORD_PROTOCOL, false},
                                                 {"data_subjects", WORD_SUBJECTS, false},
                                                 {"patients", WORD_PATIENTS, false},
                                                 {"data", WORD_DATA, false},
                                                 {"recipients", WORD_RECIPIENTS, false},
                                                 {"decision", WORD_DECISION, false},
                                                 {"approver", WORD_APPROVED_BY, false},
                                                 {"retention", WORD_RETENTION, false},
                                                 {"security", WORD_SECURITY, false},
                                                 {"vectors", WORD_LEFT, true},
                                                 {"bytes", WORD_BYTES, true}};
static const struct column release_columns[] = {
    {"party", WORD_SITE, false},   {"query", WORD_QUERY, false},        {"entry", WORD_ENTRY, true},
    {"time", WORD_WHEN, false},    {"requester", WORD_ASKED_BY, false}, {"round", WORD_ROUND, true},
    {"sites", WORD_SITES, true},   {"analysis", WORD_ANALYSIS, false},  {"method", WORD_METHOD, false},
    {"what", WORD_WHAT, false},    {"numbers", WORD_NUMBERS, true},     {"bytes", WORD_BYTES, true},
    {"vector", WORD_VECTOR, false}};
static const struct column access_columns[] = {
    {"party", WORD_SITE, false},        {"requester", WORD_ASKED_BY, false},
    {"key", WORD_KEY, false},           {"first_use", WORD_FIRST_USE, false},
    {"last_use", WORD_LAST_USE, false}, {"queries", WORD_QUERIES, true},
    {"refusals", WORD_REFUSALS, true},  {"purposes", WORD_PURPOSE, false}};

static const char **row_new(struct sheet *sheet)
{
    if (sheet->n_rows == sheet->room) {
        size_t room = sheet->room == 0 ? 16 : 2 * sheet->room;
        const char ***grown = arena_array(sheet->arena, room, sizeof *grown);
        if (sheet->n_rows > 0)
            memcpy(grown, sheet->rows, sheet->n_rows * sizeof *grown);
        sheet->rows = grown;
        sheet->room = room;
    }
    const char **row = arena_array(sheet->arena, sheet->n_columns, sizeof *row);
    for (size_t i = 0; i < sheet->n_columns; i++)
        row[i] = "";
    return sheet->rows[sheet->n_rows++] = row;
}

static const char *number(struct sheet *sheet, uint64_t value)
{
    return arena_printf(sheet->arena, "%llu", (unsigned long long)value);
}

static const char *time_text(struct sheet *sheet, int64_t utc_ms)
{
    char text[32];
    book_time(text, utc_ms);
    return arena_strdup(sheet->arena, text);
}

/* --- what stands in them --- */

static void add_register(struct sheet *sheet, const struct book *book, enum language language)
{
    for (size_t i = 0; i < book->n_queries; i++) {
        const struct book_query *query = &book->queries[i];
        const char *cells[] = {book->party,
                               query->name,
                               time_text(sheet, query->first_ms),
                               time_text(sheet, query->last_ms),
                               query->requester,
                               query->study,
                               query->purpose,
                               query->legal_basis,
                               query->protocol,
                               word(language, WORD_SUBJECTS_ARE),
                               query->cohort_band,
                               word(language, WORD_DATA_ARE),
                               query->recipients[0] != '\0' ? query->recipients : query->requester,
                               query->decision,
                               query->approver,
                               word(language, WORD_RETENTION_IS),
                               word(language, WORD_SECURITY_IS),
                               number(sheet, query->n_vectors),
                               number(sheet, query->bytes)};
        _Static_assert(sizeof cells / sizeof *cells == sizeof register_columns / sizeof *register_columns,
                       "one cell a column");
        memcpy(row_new(sheet), cells, sizeof cells);
    }
}

/* One row for each analysis of each vector; one for the vector where the analyses are not recorded apart. */
static void add_releases(struct sheet *sheet, const struct book *book)
{
    for (size_t i = 0; i < book->n_queries; i++)
        for (size_t k = 0; k < book->queries[i].n_vectors; k++) {
            const struct book_query *query = &book->queries[i];
            const struct book_vector *vector = &query->vectors[k];
            for (size_t a = 0; a < (vector->n_released > 0 ? vector->n_released : 1); a++) {
                const struct audit_released *released = vector->n_released > 0 ? &vector->released[a] : NULL;
                const char *cells[] = {book->party,
                                       query->name,
                                       number(sheet, vector->sequence),
                                       time_text(sheet, vector->utc_ms),
                                       query->requester,
                                       vector->round > 0 ? number(sheet, vector->round) : "",
                                       vector->n_members > 0 ? number(sheet, vector->n_members) : "",
                                       released != NULL ? released->analysis : "",
                                       released != NULL ? released->method : "",
                                       released != NULL ? released->what : vector->detail,
                                       released != NULL ? number(sheet, released->numbers) : "",
                                       number(sheet, vector->bytes),
                                       vector->vector};
                _Static_assert(sizeof cells / sizeof *cells ==
                                   sizeof release_columns / sizeof *release_columns,
                               "one cell a column");
                memcpy(row_new(sheet), cells, sizeof cells);
            }
        }
}

/* Who has asked this party for anything, from when to when. */
static void add_access(struct sheet *sheet, const struct book *book)
{
    for (size_t i = 0; i < book->n_queries; i++) {
        const struct book_query *query = &book->queries[i];
        bool before = false;
        for (size_t k = 0; k < i && !before; k++)
            before = strcmp(book->queries[k].requester, query->requester) == 0;
        if (before)
            continue;
        uint64_t queries = 0, refusals = 0;
        int64_t last_ms = query->last_ms;
        const char *purposes = "", *key = "";
        for (size_t k = i; k < book->n_queries; k++) {
            const struct book_query *other = &book->queries[k];
            if (strcmp(other->requester, query->requester) != 0)
                continue;
            queries++;
            refusals += other->n_refusals > 0 || strncmp(other->decision, "refused", 7) == 0;
            last_ms = other->last_ms > last_ms ? other->last_ms : last_ms;
            key = other->requester_key[0] != '\0' ? other->requester_key : key;
            if (other->purpose[0] != '\0' && strstr(purposes, other->purpose) == NULL)
                purposes = arena_printf(sheet->arena, "%s%s%s", purposes, purposes[0] != '\0' ? "; " : "",
                                        other->purpose);
        }
        const char *cells[] = {book->party,
                               query->requester,
                               key,
                               time_text(sheet, query->first_ms),
                               time_text(sheet, last_ms),
                               number(sheet, queries),
                               number(sheet, refusals),
                               purposes};
        _Static_assert(sizeof cells / sizeof *cells == sizeof access_columns / sizeof *access_columns,
                       "one cell a column");
        memcpy(row_new(sheet), cells, sizeof cells);
    }
}

/* --- writing --- */

/* A text that a spreadsheet would take for a formula gets an apostrophe. */
static void csv_cell(FILE *out, const char *text, bool is_text)
{
    bool formula = is_text && text[0] != '\0' && strchr("=+-@", text[0]) != NULL;
    if (!formula && strpbrk(text, ",\"\r\n;") == NULL) {
        fputs(text, out);
        return;
    }
    fputs(formula ? "\"'" : "\"", out);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"')
            putc('"', out);
        putc(*c, out);
    }
    putc('"', out);
}

static void write_csv(FILE *out, const struct sheet *sheet, enum language language)
{
    for (size_t i = 0; i < sheet->n_columns; i++) {
        fputs(i > 0 ? "," : "", out);
        csv_cell(out, word(language, sheet->columns[i].title), true);
    }
    fputs("\r\n", out);
    for (size_t r = 0; r < sheet->n_rows; r++) {
        for (size_t i = 0; i < sheet->n_columns; i++) {
            fputs(i > 0 ? "," : "", out);
            csv_cell(out, sheet->rows[r][i], !sheet->columns[i].is_number);
        }
        fputs("\r\n", out);
    }
}

static void write_json(FILE *out, const struct sheet *sheet, enum language language)
{
    (void)language;
    fputs("[", out);
    for (size_t r = 0; r < sheet->n_rows; r++) {
        fputs(r > 0 ? ",\n {" : "\n {", out);
        for (size_t i = 0; i < sheet->n_columns; i++) {
            const char *text = sheet->rows[r][i];
            fprintf(out, "%s\"%s\": ", i > 0 ? ", " : "", sheet->columns[i].key);
            if (text[0] == '\0')
                fputs("null", out);
            else if (sheet->columns[i].is_number)
                fputs(text, out);
            else
                audit_json_text(out, text);
        }
        putc('}', out);
    }
    fputs("\n]\n", out);
}

typedef void sheet_writer(FILE *out, const struct sheet *sheet, enum language language);

static enum maille_code write_file(const char *folder, const char *name, sheet_writer *writer,
                                   const struct sheet *sheet, enum language language,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[4096];
    char *text = NULL;
    size_t length = 0;
    FILE *memory = NULL;
    MAILLE_TRY(path_join(path, sizeof path, folder, name, error));
    memory = open_memstream(&text, &length);
    if (memory == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to write %s, found none", path);
        goto out;
    }
    writer(memory, sheet, language);
    if (fclose(memory) != 0) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory to write %s, found none", path);
        goto out;
    }
    MAILLE_TRY(file_write_atomic(path, text, length, 0600, error));
    printf("%s\n", path);
out:
    free(text);
    return code;
}

static enum maille_code export_logs(struct arena *arena, const char **logs, size_t n, const char *folder,
                                    enum language language, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct {
        const char *csv, *json;
        struct sheet sheet;
    } sheets[] = {
#define SHEET(name, columns_)                                                                                \
    {                                                                                                        \
        name ".csv", name ".json",                                                                           \
        {                                                                                                    \
            .columns = columns_, .n_columns = sizeof columns_ / sizeof *columns_, .arena = arena             \
        }                                                                                                    \
    }
        SHEET("register", register_columns),
        SHEET("releases", release_columns),
        SHEET("access", access_columns),
#undef SHEET
    };
    for (size_t i = 0; i < n; i++) {
        struct book book;
        MAILLE_TRY(book_read(&book, arena, logs[i], NULL, NULL,
                             error)); /* nothing is written from a log that is not sound */
        add_register(&sheets[0].sheet, &book, language);
        add_releases(&sheets[1].sheet, &book);
        add_access(&sheets[2].sheet, &book);
    }
    MAILLE_TRY(folder_make(folder, 0700, error));
    for (size_t i = 0; i < sizeof sheets / sizeof *sheets; i++) {
        MAILLE_TRY(write_file(folder, sheets[i].csv, write_csv, &sheets[i].sheet, language, error));
        MAILLE_TRY(write_file(folder, sheets[i].json, write_json, &sheets[i].sheet, language, error));
    }
out:
    return code;
}

int audit_export(int argc, char **argv)
{
    const char *lang = NULL, *folder = NULL, **logs = calloc(AUDIT_LOGS_MAX, sizeof *logs);
    struct arena *arena = arena_new();
    enum language language = LANGUAGE_EN;
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {"out", OPTION_STRING, &folder, "DIR", "the folder to write into", true, 0, 0},
        {"lang", OPTION_STRING, &lang, "fr|en", "the language of the CSV (default: that of LANG)", false, 0,
         0},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, false, 0, 0}};
    const struct option_usage usage = {
        "maille audit export", "LOG…",
        "Writes register.csv (GDPR art. 30; one row per query), releases.csv (all that left) and access.csv\n"
        "(who has asked, last use), and the same as JSON.",
        1, AUDIT_LOGS_MAX};
    struct maille_error error = {0};
    enum maille_code code = logs == NULL || arena == NULL
                                ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                : options_parse(&usage, rows, argc, argv, logs, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = language_choose(&language, lang, &error);
    if (code == MAILLE_OK && !done)
        code = export_logs(arena, logs, n, folder, language, &error);
    arena_free(arena);
    free(logs);
    return code == MAILLE_OK ? 0 : program_fail("maille audit export", &error);
}
