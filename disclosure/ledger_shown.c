#include "disclosure/ledger_shown.h"

#include "disclosure/ledger_private.h"

/* A list's number is greater than those of all that were put before it, also of those that are gone. */
static const char tables[] =
    "CREATE TABLE IF NOT EXISTS shown (id INTEGER PRIMARY KEY AUTOINCREMENT, qid BLOB NOT NULL UNIQUE, list "
    "BLOB "
    "NOT NULL);"
    "CREATE TABLE IF NOT EXISTS shown_seen (qid BLOB PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID";

#define ANSWERS                                                                                              \
    "EXISTS (SELECT 1 FROM query JOIN groups ON groups.query = query.id WHERE query.qid = shown.qid AND "    \
    "groups.answered IN (1, 4) AND query.epoch = ?2)"

/* Statements are few a query: each is made when it is wanted. The caller finalizes it. */
static enum maille_code prepare(sqlite3_stmt **statement, struct ledger *ledger, const char *sql,
                                const uint8_t *query, struct maille_error *error)
{
    if (sqlite3_exec(ledger->database, tables, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(ledger->database, sql, -1, statement, NULL) != SQLITE_OK)
        return ledger_fail(ledger, error);
    ledger_bind_blob(*statement, 1, query, LEDGER_QUERY_BYTES);
    return MAILLE_OK;
}

/* One that gives no row. */
static enum maille_code run(struct ledger *ledger, const char *sql, const uint8_t *query,
                            struct maille_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum maille_code code = prepare(&statement, ledger, sql, query, error);
    if (code == MAILLE_OK)
        code = ledger_run(ledger, statement, error);
    sqlite3_finalize(statement);
    return code;
}

enum maille_code ledger_shown_before(struct shown *before, struct arena *arena, struct ledger *ledger,
                                     const uint8_t *query, uint32_t epoch, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct shown made = {0};
    bool row = true;
    MAILLE_TRY(run(ledger,
                   "INSERT OR REPLACE INTO shown_seen VALUES (?1, (SELECT IFNULL(MAX(seq), 0) FROM "
                   "sqlite_sequence WHERE name = 'shown'))",
                   query, error));
    MAILLE_TRY(
        prepare(&statement, ledger, "SELECT list FROM shown WHERE qid != ?1 AND " ANSWERS, query, error));
    sqlite3_bind_int64(statement, 2, epoch);
    while (row) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (row && shown_read(&made, arena, sqlite3_column_blob(statement, 0),
                              (size_t)sqlite3_column_bytes(statement, 0), NULL) != MAILLE_OK) {
            code = ledger_corrupt(error);
            goto out;
        }
    }
    *before = made;
out:
    sqlite3_finalize(statement);
    return code;
}

/* Did another query's plan come between this one's T2 and its own? Then neither was judged with the other. */
static enum maille_code overtaken(struct ledger *ledger, const uint8_t *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    MAILLE_TRY(prepare(&statement, ledger,
                       "SELECT 1 FROM shown JOIN shown_seen ON shown_seen.qid = ?1 WHERE shown.id > "
                       "shown_seen.last AND shown.qid != ?1 LIMIT 1",
                       query, error));
    MAILLE_TRY(ledger_next(&row, ledger, statement, error));
    if (row)
        code = maille_refuse(error, "again", "another question's plan was made since this one was judged");
out:
    sqlite3_finalize(statement);
    return code;
}

enum maille_code ledger_shown_put(struct ledger *ledger, const uint8_t *query, const struct shown *shown,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *insert = NULL;
    struct bytes list = {0};
    MAILLE_TRY(
        run(ledger, "DELETE FROM shown WHERE qid = ?1 OR qid NOT IN (SELECT qid FROM query)", query, error));
    if (shown == NULL || shown->n == 0)
        goto out;
    MAILLE_TRY(overtaken(ledger, query, error));
    shown_write(&list, shown);
    MAILLE_TRY(bytes_check(&list, error));
    MAILLE_TRY(prepare(&insert, ledger, "INSERT INTO shown (qid, list) VALUES (?1, ?2)", query, error));
    ledger_bind_blob(insert, 2, list.data, list.length);
    MAILLE_TRY(ledger_run(ledger, insert, error));
    code = run(ledger, "DELETE FROM shown_seen WHERE qid NOT IN (SELECT qid FROM query WHERE qid != ?1)",
               query, error);
out:
    sqlite3_finalize(insert);
    bytes_clear(&list);
    return code;
}
