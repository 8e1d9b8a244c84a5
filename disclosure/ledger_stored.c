#include "disclosure/ledger_stored.h"

#include <string.h>

#include "disclosure/ledger_private.h"

enum maille_code ledger_stored_open(struct ledger *ledger, struct maille_error *error)
{
    static const char schema[] =
        "CREATE TABLE IF NOT EXISTS stored (asked BLOB PRIMARY KEY, qid BLOB NOT NULL, epoch INTEGER NOT "
        "NULL, snapshot INTEGER NOT NULL, asked_ms INTEGER NOT NULL, sealed BLOB NOT NULL)";
    return sqlite3_exec(ledger->database, schema, NULL, NULL, NULL) == SQLITE_OK ? MAILLE_OK
                                                                                 : ledger_fail(ledger, error);
}

/* The caller finalizes it. */
static enum maille_code prepare(sqlite3_stmt **statement, struct ledger *ledger, const char *sql,
                                struct maille_error *error)
{
    return sqlite3_prepare_v2(ledger->database, sql, -1, statement, NULL) == SQLITE_OK
               ? MAILLE_OK
               : ledger_fail(ledger, error);
}

enum maille_code ledger_stored_put(struct ledger *ledger, const struct ledger_stored *stored,
                                   const uint8_t *asked, uint32_t epoch, const struct bytes *sealed,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *old = NULL, *insert = NULL;
    MAILLE_TRY(prepare(&old, ledger, "DELETE FROM stored WHERE epoch != ?1", error));
    MAILLE_TRY(
        prepare(&insert, ledger, "INSERT OR IGNORE INTO stored VALUES (?1, ?2, ?3, ?4, ?5, ?6)", error));
    sqlite3_bind_int64(old, 1, epoch);
    ledger_bind_blob(insert, 1, asked, LEDGER_HASH_BYTES);
    ledger_bind_blob(insert, 2, stored->query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(insert, 3, epoch);
    sqlite3_bind_int64(insert, 4, stored->snapshot);
    sqlite3_bind_int64(insert, 5, stored->asked_ms);
    ledger_bind_blob(insert, 6, sealed->data, sealed->length);
    MAILLE_TRY(ledger_begin(ledger, error));
    code = ledger_run(ledger, old, error);
    if (code == MAILLE_OK)
        code = ledger_run(ledger, insert, error);
    code = ledger_finish(ledger, code, error);
out:
    sqlite3_finalize(old);
    sqlite3_finalize(insert);
    return code;
}

enum maille_code ledger_stored_find(bool *found, struct ledger_stored *stored, struct ledger *ledger,
                                    const uint8_t *asked, uint32_t epoch, const uint8_t *query,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(prepare(
        &statement, ledger,
        "SELECT qid, snapshot, asked_ms FROM stored WHERE asked = ?1 AND epoch = ?2 AND qid != ?3", error));
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
    stored->snapshot = (uint32_t)sqlite3_column_int64(statement, 1);
    stored->asked_ms = sqlite3_column_int64(statement, 2);
out:
    sqlite3_finalize(statement);
    return code;
}

enum maille_code ledger_stored_get(bool *found, struct bytes *sealed, struct ledger *ledger,
                                   const uint8_t *asked, const uint8_t *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(prepare(&statement, ledger, "SELECT sealed FROM stored WHERE asked = ?1 AND qid = ?2", error));
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
