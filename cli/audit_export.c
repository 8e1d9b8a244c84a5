/* maille audit export: the register of processing (GDPR art. 30), the list of all releases and the yearly
 * access review, each as CSV (RFC 4180) and as JSON. */
#include <string.h>

#include "cli/audit_over.h"
#include "cli/audit_private.h"
#include "cli/sheet.h"
#include "disclosure/policy.h"

/* One table; its keys are the JSON's, its titles the CSV's. */
struct column {
    const char *key;
    enum word title;
    bool is_number;
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
                               sheet_time(sheet, query->first_ms),
                               sheet_time(sheet, query->last_ms),
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
                               query->snapshot > 0 ? sheet_number(sheet, query->snapshot) : "",
                               word(language, WORD_RETENTION_IS),
                               word(language, WORD_SECURITY_IS),
                               sheet_number(sheet, query->n_vectors),
                               sheet_number(sheet, query->bytes),
                               sheet_number(sheet, query->threshold_bytes)};
        _Static_assert(sizeof cells / sizeof *cells == sizeof register_columns / sizeof *register_columns,
                       "one cell a column");
        sheet_add(sheet, cells);
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
                                       sheet_number(sheet, vector->sequence),
                                       sheet_time(sheet, vector->utc_ms),
                                       query->requester,
                                       vector->round > 0 ? sheet_number(sheet, vector->round) : "",
                                       vector->n_members > 0 ? sheet_number(sheet, vector->n_members) : "",
                                       released != NULL ? released->analysis : "",
                                       released != NULL ? released->method : "",
                                       released != NULL ? part.variables : vector->detail,
                                       released != NULL ? sheet_number(sheet, part.numbers) : "",
                                       sheet_number(sheet, vector->bytes),
                                       vector->vector};
                _Static_assert(sizeof cells / sizeof *cells ==
                                   sizeof release_columns / sizeof *release_columns,
                               "one cell a column");
                sheet_add(sheet, cells);
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
            first = sheet_time(sheet, query->first_ms);
        refusals += query->outcome_rule[0] != '\0';
        last_ms = query->last_ms > last_ms ? query->last_ms : last_ms;
        last = sheet_time(sheet, last_ms);
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
        sheet_number(sheet, queries),
        sheet_number(sheet, refusals),
        purposes};
    _Static_assert(sizeof cells / sizeof *cells == sizeof access_columns / sizeof *access_columns,
                   "one cell a column");
    sheet_add(sheet, cells);
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

/* Words for titles; columns in arena. */
static struct sheet sheet_of(struct arena *arena, const struct column *columns, size_t n)
{
    struct sheet_column *made = arena_array(arena, n, sizeof *made);
    for (size_t i = 0; i < n; i++) {
        made[i] = (struct sheet_column){.key = columns[i].key, .is_number = columns[i].is_number};
        for (int language = 0; language < LANGUAGES; language++)
            made[i].title[language] = word((enum language)language, columns[i].title);
    }
    return (struct sheet){.columns = made, .n_columns = n, .arena = arena};
}

enum maille_code audit_export_write(struct audit_over *over, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory *directory = over->trust.directory;
    struct arena *arena = over->arena;
    struct sheet registered =
                     sheet_of(arena, register_columns, sizeof register_columns / sizeof *register_columns),
                 released =
                     sheet_of(arena, release_columns, sizeof release_columns / sizeof *release_columns),
                 access = sheet_of(arena, access_columns, sizeof access_columns / sizeof *access_columns);
    for (size_t i = 0; i < over->n_logs; i++) {
        struct book book;
        MAILLE_TRY(audit_over_read(&book, over, over->logs[i], error));
        add_register(&registered, &book, directory, over->language);
        add_releases(&released, &book);
        add_access(&access, &book, directory, over->language);
        MAILLE_TRY(audit_over_leave(&book, "export of the register", error));
    }
    MAILLE_TRY(sheet_write(&registered, over->folder, "register", over->language, error));
    MAILLE_TRY(sheet_write(&released, over->folder, "releases", over->language, error));
    MAILLE_TRY(sheet_write(&access, over->folder, "access", over->language, error));
out:
    return code;
}

int audit_export(int argc, char **argv)
{
    static const struct audit_over_what what = {
        .usage =
            {"maille audit export", "LOG…",
             "Writes register.csv (one row per query), releases.csv (all that left) and access.csv (who may\n"
             "ask what, last use; with --network everybody who may), and the same as JSON. Verifies first;\n"
             "nothing is written from a log that is not sound. (maille audit record: the entries of art. "
             "30.)",
             1, AUDIT_LOGS_MAX},
        .run = audit_export_write};
    return audit_over_logs(argc, argv, &what);
}
