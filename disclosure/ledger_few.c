#include "disclosure/ledger_few.h"

#include "disclosure/ledger_private.h"

#define COUNTED                                                                                              \
    "(SELECT COUNT(*) FROM (SELECT 1 FROM few WHERE registration = ?1 AND opening >= ?2 LIMIT ?3))"

enum maille_code ledger_few_open(struct ledger *ledger, struct maille_error *error)
{
    static const char schema[] =
        "CREATE TABLE IF NOT EXISTS few (registration TEXT NOT NULL, hash BLOB NOT NULL, opening INTEGER NOT "
        "NULL, PRIMARY KEY (registration, hash)) WITHOUT ROWID;"
        "CREATE INDEX IF NOT EXISTS few_opening ON few (registration, opening);"
        "CREATE TABLE IF NOT EXISTS few_closed (registration TEXT NOT NULL, opening INTEGER NOT NULL, most "
        "INTEGER NOT NULL, noted INTEGER NOT NULL, PRIMARY KEY (registration, opening, most)) WITHOUT ROWID";
    return ledger_execute(ledger, schema, error);
}

/* The caller finalizes it. */
static enum maille_code prepare(sqlite3_stmt **statement, struct ledger *ledger, const char *sql,
                                const char *registration, uint32_t opening, int64_t most,
                                struct maille_error *error)
{
    if (sqlite3_prepare_v2(ledger->database, sql, -1, statement, NULL) != SQLITE_OK)
        return ledger_fail(ledger, error);
    sqlite3_bind_text(*statement, 1, registration, -1, SQLITE_STATIC);
    sqlite3_bind_int64(*statement, 2, opening);
    sqlite3_bind_int64(*statement, 3, most);
    return MAILLE_OK;
}

enum maille_code ledger_few_add(struct ledger *ledger, const char *registration, uint32_t opening,
                                const struct few *few, int64_t limit, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *insert = NULL, *close = NULL;
    MAILLE_TRY(prepare(&insert, ledger, "INSERT OR IGNORE INTO few VALUES (?1, ?3, ?2)", registration,
                       opening, 0, error));
    MAILLE_TRY(prepare(&close, ledger,
                       "INSERT OR IGNORE INTO few_closed SELECT ?1, ?2, ?3, 0 WHERE " COUNTED " >= ?3",
                       registration, opening, limit, error));
    MAILLE_TRY(ledger_begin(ledger, error));
    for (size_t at = 0; at < few->hashes.length && code == MAILLE_OK; at += FEW_HASH_BYTES) {
        sqlite3_reset(insert);
        ledger_bind_blob(insert, 3, few->hashes.data + at, FEW_HASH_BYTES);
        code = ledger_run(ledger, insert, error);
    }
    if (code == MAILLE_OK)
        code = ledger_run(ledger, close, error);
    code = ledger_finish(ledger, code, error);
out:
    sqlite3_finalize(insert);
    sqlite3_finalize(close);
    return code;
}

enum maille_code ledger_few_count(int64_t *n, struct ledger *ledger, const char *registration,
                                  uint32_t opening, int64_t most, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    MAILLE_TRY(prepare(&statement, ledger, "SELECT " COUNTED, registration, opening, most, error));
    MAILLE_TRY(ledger_next(&row, ledger, statement, error));
    *n = row ? sqlite3_column_int64(statement, 0) : 0;
out:
    sqlite3_finalize(statement);
    return code;
}

enum maille_code ledger_few_unnoted(const struct ledger_few_closed **closed, struct arena *arena,
                                    struct ledger *ledger, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct ledger_few_closed *made = arena_alloc(arena, sizeof *made);
    bool row = false;
    *closed = NULL;
    if (sqlite3_prepare_v2(ledger->database,
                           "SELECT registration, opening, most FROM few_closed WHERE noted = 0 LIMIT 1", -1,
                           &statement, NULL) != SQLITE_OK)
        return ledger_fail(ledger, error);
    MAILLE_TRY(ledger_next(&row, ledger, statement, error));
    if (row) {
        made->registration = arena_strdup(arena, (const char *)sqlite3_column_text(statement, 0));
        made->opening = (uint32_t)sqlite3_column_int64(statement, 1);
        made->limit = sqlite3_column_int64(statement, 2);
        *closed = made;
    }
out:
    sqlite3_finalize(statement);
    return code;
}

enum maille_code ledger_few_noted(struct ledger *ledger, const struct ledger_few_closed *closed,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(
        prepare(&statement, ledger,
                "UPDATE few_closed SET noted = 1 WHERE registration = ?1 AND opening = ?2 AND most = ?3",
                closed->registration, closed->opening, closed->limit, error));
    code = ledger_run(ledger, statement, error);
out:
    sqlite3_finalize(statement);
    return code;
}
