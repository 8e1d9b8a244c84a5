/* maille audit export: the register of processing (GDPR art. 30), the list of all releases and the yearly
 * access review, each as CSV (RFC 4180) and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/display.h"
#include "base/file.h"
#include "base/options.h"
#include "cli/audit_book.h"
#include "cli/audit_private.h"
#include "cli/audit_trust.h"
#include "cli/files.h"
#include "disclosure/policy.h"

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
                                                 {"registration", WORD_REGISTRATION, false},
                                                 {"summary_for_patients", WORD_SUMMARY, false},
                                                 {"data_subjects", WORD_SUBJECTS, false},
                                                 {"patients", WORD_PATIENTS, false},
                                                 {"data", WORD_DATA, false},
                                                 {"recipients", WORD_RECIPIENTS, false},
                                                 {"outcome", WORD_OUTCOME, false},
                                                 {"rule", WORD_RULE, false},
                                                 {"decided_by", WORD_DECIDED_BY, false},
                                                 {"reason", WORD_REASON, false},
                                                 {"snapshot", WORD_SNAPSHOT, true},
                                                 {"retention", WORD_RETENTION, false},
                                                 {"security", WORD_SECURITY, false},
                                                 {"vectors", WORD_LEFT, true},
                                                 {"bytes", WORD_BYTES, true},
                                                 {"bytes_for_the_sites_alone", WORD_THRESHOLD_BYTES, true}};
static const struct column release_columns[] = {
    {"party", WORD_SITE, false},          {"query", WORD_QUERY, false},        {"entry", WORD_ENTRY, true},
    {"time", WORD_WHEN, false},           {"requester", WORD_ASKED_BY, false}, {"round", WORD_ROUND, true},
    {"sites", WORD_SITES, true},          {"analysis", WORD_ANALYSIS, false},  {"method", WORD_METHOD, false},
    {"variables", WORD_VARIABLES, false}, {"numbers", WORD_NUMBERS, true},     {"bytes", WORD_BYTES, true},
    {"vector", WORD_VECTOR, false}};
static const struct column access_columns[] = {{"party", WORD_SITE, false},
                                               {"requester", WORD_ASKED_BY, false},
                                               {"key", WORD_KEY, false},
                                               {"in_directory", WORD_IN_DIRECTORY, false},
                                               {"may_ask", WORD_ENTITLED, false},
                                               {"methods_allowed", WORD_MAY_METHODS, false},
                                               {"purposes_allowed", WORD_MAY_PURPOSES, false},
                                               {"variables_denied", WORD_DENIED, false},
                                               {"approval", WORD_APPROVAL, false},
                                               {"first_use", WORD_FIRST_USE, false},
                                               {"last_use", WORD_LAST_USE, false},
                                               {"queries", WORD_QUERIES, true},
                                               {"refusals", WORD_REFUSALS, true},
                                               {"purposes", WORD_PURPOSE, false}};

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

/* directory: of today, for what the network says of a protocol; NULL: it is not asked. */
static void add_register(struct sheet *sheet, const struct book *book, const struct directory *directory,
                         enum language language)
{
    for (size_t i = 0; i < book->n_queries; i++) {
        const struct book_query *query = &book->queries[i];
        const struct registration *registration =
            directory != NULL ? registration_find(directory, query->protocol) : NULL;
        const char *cells[] = {book->party,
                               query->name,
                               time_text(sheet, query->first_ms),
                               time_text(sheet, query->last_ms),
                               query->requester,
                               query->study,
                               query->purpose,
                               query->legal_basis,
                               query->protocol,
                               registration != NULL ? registration->title : "",
                               registration != NULL ? registration->summary : "",
                               word(language, WORD_SUBJECTS_ARE),
                               query->cohort_band,
                               word(language, WORD_DATA_ARE),
                               query->recipients[0] != '\0' ? query->recipients : query->requester,
                               word_of_outcome(language, query->outcome),
                               query->outcome_rule,
                               query->decided_by,
                               query->decided_reason,
                               query->snapshot > 0 ? number(sheet, query->snapshot) : "",
                               word(language, WORD_RETENTION_IS),
                               word(language, WORD_SECURITY_IS),
                               number(sheet, query->n_vectors),
                               number(sheet, query->bytes),
                               number(sheet, query->threshold_bytes)};
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
            struct book_part part = {0};
            while (book_next_part(&part, sheet->arena, vector) || part.n == 0) {
                const struct audit_released *released =
                    vector->n_released > 0 ? &vector->released[part.first] : NULL;
                const char *cells[] = {book->party,
                                       query->name,
                                       number(sheet, vector->sequence),
                                       time_text(sheet, vector->utc_ms),
                                       query->requester,
                                       vector->round > 0 ? number(sheet, vector->round) : "",
                                       vector->n_members > 0 ? number(sheet, vector->n_members) : "",
                                       released != NULL ? released->analysis : "",
                                       released != NULL ? released->method : "",
                                       released != NULL ? part.variables : vector->detail,
                                       released != NULL ? number(sheet, part.numbers) : "",
                                       number(sheet, vector->bytes),
                                       vector->vector};
                _Static_assert(sizeof cells / sizeof *cells ==
                                   sizeof release_columns / sizeof *release_columns,
                               "one cell a column");
                memcpy(row_new(sheet), cells, sizeof cells);
                if (released == NULL)
                    break;
            }
        }
}

/* --- the access review: who may ask, by the directory and by the policy, and who did --- */

struct review {
    struct sheet *sheet;
    const struct book *book;
    const struct directory *directory; /* NULL: not given */
    const struct policy *policy;       /* the last one in the log; NULL: it has none, as a coordinator's */
    enum language language;
};

static bool named(const struct name_list *list, const char *name)
{
    bool found = list->all || list->n == 0;
    for (size_t i = 0; i < list->n && !found; i++)
        found = strcmp(list->names[i], name) == 0;
    return found;
}

static const char *names_of(const struct review *review, const struct name_list *list, bool empty_is_all)
{
    const char *text = "";
    if (list->all || (list->n == 0 && empty_is_all))
        return word(review->language, WORD_ALL);
    for (size_t i = 0; i < list->n; i++)
        text = arena_printf(review->sheet->arena, "%s%s%s", text, i > 0 ? "; " : "", list->names[i]);
    return text;
}

static const char *approval_of(const struct review *review)
{
    const struct policy *policy = review->policy;
    if (policy->approval_default == APPROVAL_HOLD)
        return word(review->language, WORD_YES);
    if (policy->hold_methods.n == 0 && policy->hold_purposes.n == 0)
        return word(review->language, WORD_NO);
    return arena_printf(review->sheet->arena, "%s%s%s", names_of(review, &policy->hold_methods, false),
                        policy->hold_methods.n > 0 && policy->hold_purposes.n > 0 ? "; " : "",
                        names_of(review, &policy->hold_purposes, false));
}

static void review_one(const struct review *review, const char *requester)
{
    struct sheet *sheet = review->sheet;
    const struct book *book = review->book;
    const struct directory_researcher *listed =
        review->directory != NULL ? directory_researcher(review->directory, requester) : NULL;
    const struct policy *policy = review->policy;
    const char *purposes = "", *key = "", *first = "", *last = "";
    uint64_t queries = 0, refusals = 0;
    int64_t last_ms = 0;
    for (size_t k = 0; k < book->n_queries; k++) {
        const struct book_query *query = &book->queries[k];
        if (strcmp(query->requester, requester) != 0)
            continue;
        if (queries++ == 0)
            first = time_text(sheet, query->first_ms);
        refusals += query->outcome_rule[0] != '\0';
        last_ms = query->last_ms > last_ms ? query->last_ms : last_ms;
        last = time_text(sheet, last_ms);
        key = query->requester_key[0] != '\0' ? query->requester_key : key;
        if (query->purpose[0] != '\0' && strstr(purposes, query->purpose) == NULL)
            purposes = arena_printf(sheet->arena, "%s%s%s", purposes, purposes[0] != '\0' ? "; " : "",
                                    query->purpose);
    }
    if (key[0] == '\0' && listed != NULL) {
        char hex[2 * PUBLIC_BYTES + 1];
        bytes_to_hex(hex, listed->keys.identity, PUBLIC_BYTES);
        key = arena_strdup(sheet->arena, hex);
    }
    const bool in = review->directory == NULL || listed != NULL;
    const bool may = in && (policy == NULL || named(&policy->researchers, requester));
    const char *cells[] = {
        book->party,
        requester,
        key,
        review->directory == NULL ? "" : word(review->language, listed != NULL ? WORD_YES : WORD_NO),
        review->directory == NULL && policy == NULL ? "" : word(review->language, may ? WORD_YES : WORD_NO),
        policy != NULL && may ? names_of(review, &policy->methods, true) : "",
        policy != NULL && may ? names_of(review, &policy->purposes, true) : "",
        policy != NULL && may ? names_of(review, &policy->variables_deny, false) : "",
        policy != NULL && may ? approval_of(review) : "",
        first,
        last,
        number(sheet, queries),
        number(sheet, refusals),
        purposes};
    _Static_assert(sizeof cells / sizeof *cells == sizeof access_columns / sizeof *access_columns,
                   "one cell a column");
    memcpy(row_new(sheet), cells, sizeof cells);
}

static void add_access(struct sheet *sheet, const struct book *book, const struct directory *directory,
                       enum language language)
{
    struct maille_error ignored;
    struct review review = {.sheet = sheet, .book = book, .directory = directory, .language = language};
    if (book->policy_text != NULL && policy_parse(&review.policy, sheet->arena, "policy", book->policy_text,
                                                  strlen(book->policy_text), &ignored) != MAILLE_OK)
        review.policy = NULL;
    for (size_t i = 0; directory != NULL && i < directory->n_researchers; i++)
        review_one(&review, directory->researchers[i].name);
    for (size_t i = 0; i < book->n_queries; i++) {
        const char *requester = book->queries[i].requester;
        bool before =
            requester[0] == '\0' || (directory != NULL && directory_researcher(directory, requester) != NULL);
        for (size_t k = 0; k < i && !before; k++)
            before = strcmp(book->queries[k].requester, requester) == 0;
        if (!before)
            review_one(&review, requester);
    }
}

/* --- writing --- */

/* A number is never quoted. */
static void csv_cell(FILE *out, const char *text, bool is_text)
{
    struct bytes cell = {0};
    if (is_text)
        display_put_cell(&cell, text);
    else
        bytes_put(&cell, text, strlen(text));
    fwrite(cell.data, 1, cell.length, out);
    bytes_clear(&cell);
}

/* What a French Excel opens by a double click: a byte order mark, and ; between cells. */
static void write_csv(FILE *out, const struct sheet *sheet, enum language language)
{
    static const char *const marks[] = {[LANGUAGE_EN] = "", [LANGUAGE_FR] = "\xEF\xBB\xBF"},
                             *const between[] = {[LANGUAGE_EN] = ",", [LANGUAGE_FR] = ";"};
    fputs(marks[language], out);
    for (size_t i = 0; i < sheet->n_columns; i++) {
        fputs(i > 0 ? between[language] : "", out);
        csv_cell(out, word(language, sheet->columns[i].title), true);
    }
    fputs("\r\n", out);
    for (size_t r = 0; r < sheet->n_rows; r++) {
        for (size_t i = 0; i < sheet->n_columns; i++) {
            fputs(i > 0 ? between[language] : "", out);
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
    MAILLE_TRY(file_path_join(path, sizeof path, folder, name, error));
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
                                    const struct audit_trust *trust, enum language language,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory *directory = trust->directory;
    struct {
        const char *csv, *json;
        struct sheet sheet;
    } sheets[] = {
        {.csv = "register.csv",
         .json = "register.json",
         .sheet = {.columns = register_columns,
                   .n_columns = sizeof register_columns / sizeof *register_columns,
                   .arena = arena}},
        {.csv = "releases.csv",
         .json = "releases.json",
         .sheet = {.columns = release_columns,
                   .n_columns = sizeof release_columns / sizeof *release_columns,
                   .arena = arena}},
        {.csv = "access.csv",
         .json = "access.json",
         .sheet = {.columns = access_columns,
                   .n_columns = sizeof access_columns / sizeof *access_columns,
                   .arena = arena}},
    };
    for (size_t i = 0; i < n; i++) {
        struct book book;
        struct audit_worth worth = {0};
        code = audit_trust_log(&worth, trust, arena, logs[i], error);
        if (worth.party != NULL)
            audit_trust_say(&worth, language);
        MAILLE_TRY(code);
        code = book_read(&book, arena, logs[i], NULL, NULL, error);
        if (code == MAILLE_CORRUPT && !worth.sound) /* --anyway: as far as it can be read */
            code = MAILLE_OK;
        MAILLE_TRY(code);
        add_register(&sheets[0].sheet, &book, directory, language);
        add_releases(&sheets[1].sheet, &book);
        add_access(&sheets[2].sheet, &book, directory, language);
    }
    MAILLE_TRY(file_folder_make(folder, 0700, error));
    for (size_t i = 0; i < sizeof sheets / sizeof *sheets; i++) {
        MAILLE_TRY(write_file(folder, sheets[i].csv, write_csv, &sheets[i].sheet, language, error));
        MAILLE_TRY(write_file(folder, sheets[i].json, write_json, &sheets[i].sheet, language, error));
    }
out:
    return code;
}

int audit_export(int argc, char **argv)
{
    struct audit_trust trust = {0};
    const char *lang = NULL, *folder = NULL, **logs = calloc(AUDIT_LOGS_MAX, sizeof *logs);
    struct arena *arena = arena_new();
    enum language language = LANGUAGE_EN;
    bool done = false;
    size_t n = 0;
    struct option_row rows[AUDIT_TRUST_ROWS + 3] = {
        [AUDIT_TRUST_ROWS] = {.name = "out",
                              .kind = OPTION_STRING,
                              .target = &folder,
                              .argument = "DIR",
                              .sentence = "the folder to write into",
                              .required = true},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "fr|en",
         .sentence = "the language of the CSV (default: that of LANG)"},
        {.name = NULL},
    };
    audit_trust_rows(rows, &trust);
    const struct option_usage usage = {
        "maille audit export", "LOG…",
        "Writes register.csv (GDPR art. 30; one row per query), releases.csv (all that left) and access.csv\n"
        "(who may ask what, last use; with --network everybody who may), and the same as JSON. Verifies "
        "first; nothing is written\n"
        "from a log that is not sound.",
        1, AUDIT_LOGS_MAX};
    struct maille_error error = {0};
    enum maille_code code = logs == NULL || arena == NULL
                                ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                : options_parse(&usage, rows, argc, argv, logs, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = language_choose(&language, lang, &error);
    if (code == MAILLE_OK && !done)
        code = audit_trust_read(&trust, arena, &error);
    if (code == MAILLE_OK && !done)
        code = export_logs(arena, logs, n, folder, &trust, language, &error);
    arena_free(arena);
    free(logs);
    return code == MAILLE_OK ? 0 : options_program_fail("maille audit export", &error);
}
