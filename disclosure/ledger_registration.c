#include "disclosure/ledger_registration.h"

#include "disclosure/ledger_private.h"

/* What counts follows from the groups: an analysis whose group is forgotten with its query counts no more. */
static const char table[] =
    "CREATE TABLE IF NOT EXISTS registered (qid BLOB NOT NULL, analysis INTEGER NOT NULL, registration TEXT "
    "NOT "
    "NULL, is_model INTEGER NOT NULL, asked BLOB NOT NULL, PRIMARY KEY (qid, analysis)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS registered_by ON registered (registration, asked)";

#define COUNTED                                                                                              \
    "FROM registered JOIN query ON query.qid = registered.qid WHERE registered.registration = ?1 AND "       \
    "EXISTS "                                                                                                \
    "(SELECT 1 FROM groups WHERE groups.query = query.id AND groups.analysis = registered.analysis)"

/* Statements are few a day: each is made when it is wanted. The caller finalizes it. */
static enum maille_code prepare(sqlite3_stmt **statement, struct ledger *ledger, const char *sql,
                                struct maille_error *error)
{
    const enum maille_code code = ledger_execute(ledger, table, error);
    return code != MAILLE_OK ? code : ledger_prepare(statement, ledger, sql, error);
}

enum maille_code ledger_registration_has(bool *has, struct ledger *ledger, const char *registration,
                                         const struct ledger_asked *asked, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row;
    MAILLE_TRY(prepare(&statement, ledger, "SELECT 1 " COUNTED " AND registered.asked = ?2 LIMIT 1", error));
    sqlite3_bind_text(statement, 1, registration, -1, SQLITE_STATIC);
    ledger_bind_blob(statement, 2, asked->hash, LEDGER_HASH_BYTES);
    MAILLE_TRY(ledger_next(&row, ledger, statement, error));
    *has = row;
out:
    sqlite3_finalize(statement);
    return code;
}

enum maille_code ledger_registration_spent(int64_t spent[2], int64_t added[2], struct ledger *ledger,
                                           const char *registration, const uint8_t *query,
                                           struct maille_error *error)
{
    static const char sql[] =
        "WITH counted AS (SELECT registered.qid, registered.asked, registered.is_model " COUNTED
        ") SELECT is_model, COUNT(DISTINCT asked), COUNT(DISTINCT asked) FILTER (WHERE asked NOT IN (SELECT "
        "asked "
        "FROM counted WHERE qid != ?2)) FROM counted GROUP BY is_model";
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    int64_t all[2] = {0, 0}, own[2] = {0, 0};
    bool row = true;
    MAILLE_TRY(prepare(&statement, ledger, sql, error));
    sqlite3_bind_text(statement, 1, registration, -1, SQLITE_STATIC);
    ledger_bind_blob(statement, 2, query, LEDGER_QUERY_BYTES);
    while (row) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row)
            break;
        const bool is_model = sqlite3_column_int(statement, 0) != 0;
        all[is_model] = sqlite3_column_int64(statement, 1);
        own[is_model] = sqlite3_column_int64(statement, 2);
    }
    for (int i = 0; i < 2; i++)
        spent[i] = all[i], added[i] = own[i];
out:
    sqlite3_finalize(statement);
    return code;
}

static enum maille_code put(struct ledger *ledger, sqlite3_stmt *insert, const char *registration,
                            const uint8_t *query, const struct ledger_asked *asked,
                            struct maille_error *error)
{
    ledger_bind_blob(insert, 1, query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(insert, 2, asked->analysis);
    sqlite3_bind_text(insert, 3, registration, -1, SQLITE_STATIC);
    sqlite3_bind_int(insert, 4, asked->is_model);
    ledger_bind_blob(insert, 5, asked->hash, LEDGER_HASH_BYTES);
    return ledger_run(ledger, insert, error);
}

enum maille_code ledger_registration_reserve(struct ledger *ledger, const char *registration,
                                             const uint8_t *query, const struct ledger_asked *asked, size_t n,
                                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *forget = NULL, *insert = NULL;
    MAILLE_TRY(
        prepare(&forget, ledger, "DELETE FROM registered WHERE qid NOT IN (SELECT qid FROM query)", error));
    MAILLE_TRY(
        prepare(&insert, ledger, "INSERT OR REPLACE INTO registered VALUES (?1, ?2, ?3, ?4, ?5)", error));
    MAILLE_TRY(ledger_begin(ledger, error));
    code = ledger_run(ledger, forget, error);
    for (size_t i = 0; i < n && code == MAILLE_OK; i++)
        code = put(ledger, insert, registration, query, &asked[i], error);
    code = ledger_finish(ledger, code, error);
out:
    sqlite3_finalize(forget);
    sqlite3_finalize(insert);
    return code;
}
