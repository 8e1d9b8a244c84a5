#include "disclosure/ledger_stored.h"

#include <string.h>

#include "disclosure/ledger_private.h"

enum maille_code ledger_stored_open(struct ledger *ledger, struct maille_error *error)
{
    static const char schema[] =
        "CREATE TABLE IF NOT EXISTS stored (asked BLOB PRIMARY KEY, qid BLOB NOT NULL, analysis INTEGER NOT "
        "NULL, epoch INTEGER NOT NULL, snapshot INTEGER NOT NULL, asked_ms INTEGER NOT NULL, sealed BLOB NOT "
        "NULL);"
        "CREATE TABLE IF NOT EXISTS told (qid BLOB NOT NULL, analysis INTEGER NOT NULL, researcher TEXT NOT "
        "NULL, protocol TEXT NOT NULL, PRIMARY KEY (qid, analysis, researcher, protocol)) WITHOUT ROWID";
    return ledger_execute(ledger, schema, error);
}

enum maille_code ledger_stored_begin(struct ledger *ledger, uint32_t epoch, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *old = NULL;
    MAILLE_TRY(ledger_prepare(&old, ledger, "DELETE FROM stored WHERE epoch != ?1", error));
    sqlite3_bind_int64(old, 1, epoch);
    code = ledger_run(ledger, old, error);
out:
    sqlite3_finalize(old);
    return code;
}

enum maille_code ledger_stored_put(struct ledger *ledger, const struct ledger_stored *stored,
                                   const uint8_t *asked, uint32_t epoch, const struct bytes *sealed,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *insert = NULL;
    MAILLE_TRY(ledger_prepare(
        &insert, ledger,
        "INSERT OR REPLACE INTO stored SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 "
        "FROM query WHERE qid = ?2 AND epoch = ?4) AND (SELECT IFNULL(SUM(LENGTH(sealed)), 0) "
        "FROM stored) < ?8",
        error));
    ledger_bind_blob(insert, 1, asked, LEDGER_HASH_BYTES);
    ledger_bind_blob(insert, 2, stored->query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(insert, 3, stored->analysis);
    sqlite3_bind_int64(insert, 4, epoch);
    sqlite3_bind_int64(insert, 5, stored->snapshot);
    sqlite3_bind_int64(insert, 6, stored->asked_ms);
    ledger_bind_blob(insert, 7, sealed->data, sealed->length);
    sqlite3_bind_int64(insert, 8, LEDGER_STORED_BYTES_MAX);
    code = ledger_run(ledger, insert, error);
out:
    sqlite3_finalize(insert);
    return code;
}

enum maille_code ledger_stored_find(bool *found, struct ledger_stored *stored, struct ledger *ledger,
                                    const uint8_t *asked, uint32_t epoch, const uint8_t *query,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ledger_prepare(
        &statement, ledger,
        "SELECT qid, analysis, snapshot, asked_ms FROM stored WHERE asked = ?1 AND epoch = ?2 AND qid != ?3",
        error));
    ledger_bind_blob(statement, 1, asked, LEDGER_HASH_BYTES);
    sqlite3_bind_int64(statement, 2, epoch);
    ledger_bind_blob(statement, 3, query, LEDGER_QUERY_BYTES);
    MAILLE_TRY(ledger_next(found, ledger, statement, error));
    if (!*found)
        goto out;
    if (sqlite3_column_bytes(statement, 0) != LEDGER_QUERY_BYTES) {
        code = ledger_corrupt(error);
        goto out;
    }
    memcpy(stored->query, sqlite3_column_blob(statement, 0), LEDGER_QUERY_BYTES);
    stored->analysis = (uint32_t)sqlite3_column_int64(statement, 1);
    stored->snapshot = (uint32_t)sqlite3_column_int64(statement, 2);
    stored->asked_ms = sqlite3_column_int64(statement, 3);
out:
    sqlite3_finalize(statement);
    return code;
}

enum maille_code ledger_stored_get(bool *found, struct bytes *sealed, struct ledger *ledger,
                                   const uint8_t *asked, const uint8_t *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(
        ledger_prepare(&statement, ledger, "SELECT sealed FROM stored WHERE asked = ?1 AND qid = ?2", error));
    ledger_bind_blob(statement, 1, asked, LEDGER_HASH_BYTES);
    ledger_bind_blob(statement, 2, query, LEDGER_QUERY_BYTES);
    MAILLE_TRY(ledger_next(found, ledger, statement, error));
    if (*found && bytes_copy(sealed, sqlite3_column_blob(statement, 0),
                             (size_t)sqlite3_column_bytes(statement, 0)) != MAILLE_OK)
        code = maille_fail(error, MAILLE_MEMORY, "no memory for a result");
out:
    sqlite3_finalize(statement);
    return code;
}

enum maille_code ledger_stored_drop(struct ledger *ledger, const uint8_t *asked, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *drop = NULL;
    MAILLE_TRY(ledger_prepare(&drop, ledger, "DELETE FROM stored WHERE asked = ?1", error));
    ledger_bind_blob(drop, 1, asked, LEDGER_HASH_BYTES);
    code = ledger_run(ledger, drop, error);
out:
    sqlite3_finalize(drop);
    return code;
}

enum maille_code ledger_stored_tell(struct ledger *ledger, const struct ledger_stored *stored,
                                    const uint8_t *query, uint32_t analysis, const char *researcher,
                                    const char *protocol, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *mark = NULL, *insert = NULL;
    MAILLE_TRY(ledger_prepare(
        &mark, ledger,
        "UPDATE groups SET answered = 5 WHERE query = (SELECT id FROM query WHERE qid = ?1) AND "
        "analysis = ?2 AND answered IN (0, 2)",
        error));
    MAILLE_TRY(ledger_prepare(&insert, ledger, "INSERT OR IGNORE INTO told VALUES (?1, ?2, ?3, ?4)", error));
    ledger_bind_blob(mark, 1, query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(mark, 2, analysis);
    ledger_bind_blob(insert, 1, stored->query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(insert, 2, stored->analysis);
    sqlite3_bind_text(insert, 3, researcher, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 4, protocol, -1, SQLITE_STATIC);
    MAILLE_TRY(ledger_begin(ledger, error));
    code = ledger_run(ledger, mark, error);
    if (code == MAILLE_OK)
        code = ledger_run(ledger, insert, error);
    code = ledger_finish(ledger, code, error);
out:
    sqlite3_finalize(mark);
    sqlite3_finalize(insert);
    return code;
}
