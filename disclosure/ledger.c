#include <stdlib.h>
#include <string.h>

#include "disclosure/ledger_private.h"

/* What a query goes through in the ledger: reserve (ledger_reserve.c), roster, differences, commit, release.
 * How sets are kept: ledger_store.c; how they are compared: ledger_compare.c. */

int ledger_reference_compare(const void *a, const void *b)
{
    const struct ledger_reference *left = a, *right = b;
    int order = memcmp(left->query, right->query, LEDGER_QUERY_BYTES);
    return order != 0 ? order : (left->group > right->group) - (left->group < right->group);
}

enum maille_code ledger_find_query(struct ledger_query_row *out, struct ledger *ledger, const uint8_t *query,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_FIND_QUERY, error));
    ledger_bind_blob(statement, 1, query, LEDGER_QUERY_BYTES);
    MAILLE_TRY(ledger_next(&out->found, ledger, statement, error));
    if (!out->found)
        goto out;
    out->id = sqlite3_column_int64(statement, 0);
    out->snapshot = (uint32_t)sqlite3_column_int64(statement, 1);
    code = bytes_copy(&out->roster, sqlite3_column_blob(statement, 2),
                      (size_t)sqlite3_column_bytes(statement, 2));
out:
    return code;
}

/* Runs a bound DELETE … RETURNING by_row, by_patient, then removes the sets that nobody refers to any more.
 */
static enum maille_code drop_groups(struct ledger *ledger, sqlite3_stmt *statement,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes sets = {0};
    bool row = true;
    while (row) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        for (int column = 0; row && column < 2; column++)
            bytes_put_u64(&sets, (uint64_t)sqlite3_column_int64(statement, column));
    }
    sqlite3_reset(statement);
    MAILLE_TRY(bytes_check(&sets, error));
    for (size_t at = 0; at < sets.length; at += 8)
        MAILLE_TRY(ledger_drop_set(ledger, (int64_t)le64_load(sets.data + at), error));
out:
    bytes_clear(&sets);
    return code;
}

/* --- budgets --- */

enum maille_code ledger_spent(int64_t *tables, int64_t *models, struct ledger *ledger,
                              const struct ledger_question *question, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    int64_t spent[2] = {0, 0};
    bool row = true;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_SPENT, error));
    sqlite3_bind_text(statement, 1, question->protocol, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, question->researcher, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, question->snapshot);
    ledger_bind_blob(statement, 4, question->question, LEDGER_HASH_BYTES);
    while (row) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (row)
            spent[sqlite3_column_int(statement, 0) != 0] = sqlite3_column_int64(statement, 1);
    }
    *tables = spent[0];
    *models = spent[1];
out:
    return code;
}

/* --- roster --- */

/* The rosters of other queries that have a group of this one, the last first: LE64 length, then the roster.
 */
static enum maille_code same_groups(struct bytes *out, struct ledger *ledger, int64_t id,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row = true;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_SAME_GROUPS, error));
    sqlite3_bind_int64(statement, 1, id);
    while (row) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (row)
            bytes_put_block(out, sqlite3_column_blob(statement, 0),
                            (size_t)sqlite3_column_bytes(statement, 0));
    }
    code = bytes_check(out, error);
out:
    return code;
}

static const uint8_t *next_roster(struct reader *rosters, size_t *n)
{
    const uint8_t *roster = reader_block(rosters, SIZE_MAX, n);
    *n /= 4;
    return roster;
}

/* What a site said of itself when such a group was asked for the last time; it is not there now. */
static bool gone_consents(const struct bytes *rosters, uint32_t site)
{
    struct reader reader = reader_of(rosters->data, rosters->length);
    size_t n;
    for (const uint8_t *roster; reader_left(&reader) > 0 && (roster = next_roster(&reader, &n)) != NULL;)
        for (size_t k = 0; k < n; k++)
            if ((ledger_roster_site(roster, k) & ~LEDGER_INFERRED) == site)
                return (ledger_roster_site(roster, k) & LEDGER_INFERRED) != 0;
    return false;
}

static bool member_has(const struct ledger_member *members, size_t n, uint32_t site)
{
    for (size_t i = 0; i < n; i++)
        if (members[i].site == site)
            return true;
    return false;
}

static bool roster_has(const uint8_t *roster, size_t n, uint32_t site)
{
    for (size_t k = 0; k < n; k++)
        if ((ledger_roster_site(roster, k) & ~LEDGER_INFERRED) == site)
            return true;
    return false;
}

/* Do these rosters show a site's own totals that it wants shielded? */
static bool shows_totals(const struct ledger_member *members, size_t n_members, const uint8_t *roster,
                         size_t n_roster, const struct bytes *rosters)
{
    size_t differ = 0;
    bool consent = true;
    for (size_t i = 0; i < n_members; i++) /* come */
        if (!roster_has(roster, n_roster, members[i].site)) {
            differ++;
            consent = consent && members[i].may_be_inferred;
        }
    for (size_t k = 0; k < n_roster; k++) { /* gone */
        uint32_t site = ledger_roster_site(roster, k) & ~LEDGER_INFERRED;
        if (!member_has(members, n_members, site)) {
            differ++;
            consent = consent && gone_consents(rosters, site);
        }
    }
    return differ > 0 && differ <= LEDGER_ROSTER_CLOSE && !consent;
}

static enum maille_code check_totals(struct ledger *ledger, int64_t id, const struct ledger_member *members,
                                     size_t n_members, struct maille_error *error)
{
    struct bytes rosters = {0};
    enum maille_code code = same_groups(&rosters, ledger, id, error);
    struct reader reader = reader_of(rosters.data, rosters.length);
    size_t n;
    for (const uint8_t *roster;
         code == MAILLE_OK && reader_left(&reader) > 0 && (roster = next_roster(&reader, &n)) != NULL;)
        if (shows_totals(members, n_members, roster, n, &rosters))
            code = maille_refuse(error, "own_totals",
                                 "a group of this question was asked of other sites before: the difference "
                                 "would be the totals of the "
                                 "sites that have come or gone");
    bytes_clear(&rosters);
    return code;
}

enum maille_code ledger_roster(struct ledger *ledger, const uint8_t *query,
                               const struct ledger_member *members, size_t n_members,
                               enum missing_rule reading, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct ledger_query_row row = {0};
    struct bytes roster = {0};
    MAILLE_TRY(ledger_begin(ledger, error));
    code = ledger_find_query(&row, ledger, query, error);
    if (code == MAILLE_OK && !row.found)
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected a query that is reserved in the ledger, found none");
    if (code == MAILLE_OK)
        code = ledger_ready(&statement, ledger, LEDGER_DROP_READING, error);
    if (code == MAILLE_OK) {
        sqlite3_bind_int64(statement, 1, row.id);
        sqlite3_bind_int(statement, 2, (int)reading);
        code = drop_groups(ledger, statement, error);
    }
    if (code == MAILLE_OK)
        code = check_totals(ledger, row.id, members, n_members, error);
    for (size_t i = 0; i < n_members; i++)
        bytes_put_u32(&roster, members[i].site | (members[i].may_be_inferred ? LEDGER_INFERRED : 0));
    if (code == MAILLE_OK)
        code = bytes_check(&roster, error);
    if (code == MAILLE_OK)
        code = ledger_ready(&statement, ledger, LEDGER_PUT_ROSTER, error);
    if (code == MAILLE_OK) {
        sqlite3_bind_int64(statement, 1, row.id);
        ledger_bind_blob(statement, 2, roster.data, roster.length);
        code = ledger_run(ledger, statement, error);
    }
    code = ledger_finish(ledger, code, error);
out:
    bytes_clear(&row.roster);
    bytes_clear(&roster);
    return code;
}

/* --- differences --- */

struct differing {
    struct ledger *ledger;
    const uint8_t *query;
    const struct ledger_reference *entries;
    size_t n_entries, n_analyses;
    int64_t *by_row, *by_patient; /* per analysis: its sets; 0: it has no group */
    struct threshold_difference *out;
};

static enum maille_code own_groups(struct differing *work, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct ledger_query_row query = {0};
    bool row = true;
    MAILLE_TRY(ledger_find_query(&query, work->ledger, work->query, error));
    MAILLE_TRY(ledger_ready(&statement, work->ledger, LEDGER_GROUPS_OF, error));
    sqlite3_bind_int64(statement, 1, query.id);
    while (row && query.found) {
        MAILLE_TRY(ledger_next(&row, work->ledger, statement, error));
        int64_t analysis = row ? sqlite3_column_int64(statement, 0) : -1;
        if (analysis < 0 || (size_t)analysis >= work->n_analyses || work->by_row[analysis] != 0)
            continue;
        work->by_row[analysis] = sqlite3_column_int64(statement, 1);
        work->by_patient[analysis] = sqlite3_column_int64(statement, 2);
    }
    sqlite3_reset(statement);
out:
    bytes_clear(&query.roster);
    return code;
}

/* The set of an entry, of rows or patients; 0: not known here. */
static enum maille_code entry_set(int64_t *set, struct ledger *ledger, const struct ledger_reference *entry,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row;
    *set = 0;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_FIND_GROUP, error));
    ledger_bind_blob(statement, 1, entry->query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(statement, 2, entry->group & ~(uint32_t)LEDGER_BY_PATIENT);
    MAILLE_TRY(ledger_next(&row, ledger, statement, error));
    if (row)
        *set = sqlite3_column_int64(statement, (entry->group & LEDGER_BY_PATIENT) != 0);
    sqlite3_reset(statement);
out:
    return code;
}

/* One set of this query against every entry that looks at sets of its kind; the numbers go to all analyses
 * that have it. */
static enum maille_code differ_set(struct differing *work, int64_t id, int64_t patients, bool by_patient,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct plain_set now = {0};
    const int64_t *sets = by_patient ? work->by_patient : work->by_row;
    MAILLE_TRY(ledger_get_set(&now, work->ledger, id, error));
    for (size_t e = 0; e < work->n_entries; e++) {
        const struct ledger_reference *entry = &work->entries[e];
        struct difference difference = {.only_now = patients};
        int64_t then;
        if (((entry->group & LEDGER_BY_PATIENT) != 0) != by_patient)
            continue;
        MAILLE_TRY(entry_set(&then, work->ledger, entry, error));
        if (then != 0)
            MAILLE_TRY(ledger_compare(&difference, work->ledger, &now, then, by_patient, INT64_MAX, error));
        bool own = memcmp(entry->query, work->query, LEDGER_QUERY_BYTES) == 0;
        for (size_t k = 0; k < work->n_analyses; k++)
            if (sets[k] == id && (!own || k > (entry->group & ~(uint32_t)LEDGER_BY_PATIENT)))
                work->out[e * work->n_analyses + k] = (struct threshold_difference){
                    .only_now = difference.only_now, .only_then = difference.only_then};
    }
out:
    plain_set_clear(&now);
    return code;
}

/* Distinct patients in analysis k's group. */
static enum maille_code count_patients(int64_t *n, struct differing *work, size_t k,
                                       struct maille_error *error)
{
    struct plain_set set = {0};
    enum maille_code code = ledger_get_set(&set, work->ledger, work->by_patient[k], error);
    *n = set.n;
    plain_set_clear(&set);
    return code;
}

static bool set_seen(const int64_t *sets, size_t k)
{
    for (size_t j = 0; j < k; j++)
        if (sets[j] == sets[k])
            return true;
    return false;
}

enum maille_code ledger_differences(struct threshold_difference *differences, struct ledger *ledger,
                                    const uint8_t *query, const struct ledger_reference *entries,
                                    size_t n_entries, size_t n_analyses, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct differing work = {.ledger = ledger,
                             .query = query,
                             .entries = entries,
                             .n_entries = n_entries,
                             .n_analyses = n_analyses,
                             .by_row = calloc(n_analyses + 1, sizeof(int64_t)),
                             .by_patient = calloc(n_analyses + 1, sizeof(int64_t)),
                             .out = differences};
    if (work.by_row == NULL || work.by_patient == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for %zu analyses, found none", n_analyses);
        goto out;
    }
    memset(differences, 0, n_entries * n_analyses * sizeof *differences);
    MAILLE_TRY(own_groups(&work, error));
    for (size_t k = 0; k < n_analyses; k++) {
        int64_t patients;
        if (work.by_row[k] == 0)
            continue;
        MAILLE_TRY(count_patients(&patients, &work, k, error));
        if (!set_seen(work.by_row, k))
            MAILLE_TRY(differ_set(&work, work.by_row[k], patients, false, error));
        if (!set_seen(work.by_patient, k))
            MAILLE_TRY(differ_set(&work, work.by_patient[k], patients, true, error));
    }
out:
    free(work.by_row);
    free(work.by_patient);
    return code;
}

/* --- the end --- */

enum maille_code ledger_forget(struct ledger *ledger, const uint8_t *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct ledger_query_row row = {0};
    bool there;
    MAILLE_TRY(ledger_find_query(&row, ledger, query, error));
    if (!row.found)
        goto out;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_DROP_OPEN, error));
    sqlite3_bind_int64(statement, 1, row.id);
    MAILLE_TRY(drop_groups(ledger, statement, error));
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_CLOSE_POOLED, error));
    sqlite3_bind_int64(statement, 1, row.id);
    MAILLE_TRY(ledger_run(ledger, statement, error));
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_COUNT_ANSWERED, error));
    sqlite3_bind_int64(statement, 1, row.id);
    MAILLE_TRY(ledger_next(&there, ledger, statement, error));
    if (!there || sqlite3_column_int64(statement, 0) > 0)
        goto out;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_DROP_QUERY, error));
    sqlite3_bind_int64(statement, 1, row.id);
    code = ledger_run(ledger, statement, error);
out:
    bytes_clear(&row.roster);
    return code;
}

static enum maille_code mark(struct ledger *ledger, enum ledger_statement update, const uint8_t *query,
                             const uint32_t *analyses, size_t n_analyses, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct ledger_query_row row = {0};
    MAILLE_TRY(ledger_begin(ledger, error));
    code = ledger_find_query(&row, ledger, query, error);
    if (code == MAILLE_OK && !row.found)
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected a query that is reserved in the ledger, found none");
    for (size_t i = 0; i < n_analyses && code == MAILLE_OK; i++) {
        code = ledger_ready(&statement, ledger, update, error);
        if (code != MAILLE_OK)
            break;
        sqlite3_bind_int64(statement, 1, row.id);
        sqlite3_bind_int64(statement, 2, analyses[i]);
        code = ledger_run(ledger, statement, error);
    }
    code = ledger_finish(ledger, code, error);
out:
    bytes_clear(&row.roster);
    return code;
}

enum maille_code ledger_pool(struct ledger *ledger, const uint8_t *query, const uint32_t *analyses,
                             size_t n_analyses, struct maille_error *error)
{
    return mark(ledger, LEDGER_POOL, query, analyses, n_analyses, error);
}

enum maille_code ledger_commit(struct ledger *ledger, const uint8_t *query, const uint32_t *analyses,
                               size_t n_analyses, struct maille_error *error)
{
    return mark(ledger, LEDGER_ANSWER, query, analyses, n_analyses, error);
}

enum maille_code ledger_release(struct ledger *ledger, const uint8_t *query, struct maille_error *error)
{
    enum maille_code code = ledger_begin(ledger, error);
    return code != MAILLE_OK ? code : ledger_finish(ledger, ledger_forget(ledger, query, error), error);
}

enum maille_code ledger_sweep(struct ledger *ledger, ledger_is_open *is_open, const void *context,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct bytes gone = {0};
    bool row = true;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_ALL_QUERIES, error));
    while (row) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (row && sqlite3_column_bytes(statement, 0) == LEDGER_QUERY_BYTES &&
            !is_open(context, sqlite3_column_blob(statement, 0)))
            bytes_put(&gone, sqlite3_column_blob(statement, 0), LEDGER_QUERY_BYTES);
    }
    sqlite3_reset(statement);
    MAILLE_TRY(bytes_check(&gone, error));
    for (size_t at = 0; at < gone.length; at += LEDGER_QUERY_BYTES)
        MAILLE_TRY(ledger_release(ledger, gone.data + at, error));
out:
    bytes_clear(&gone);
    return code;
}
