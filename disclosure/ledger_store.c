#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "disclosure/ledger_private.h"

/* The file: SQLite. What is in it stands beside the snapshots, which hold the same patients with their
 * values: it is as readable as they are (0600, in a folder of 0700), and not sealed. */

enum { LEDGER_VERSION = 6, BUSY_MS = 2000, CACHE_KIB = 4096 };

/* A piece's id is its set's number · LEDGER_PIECES_MAX + which piece of it: a set is read in one stretch. */
static const char schema[] = "CREATE TABLE query (id INTEGER PRIMARY KEY, qid BLOB NOT NULL UNIQUE, question "
                             "BLOB NOT NULL, snapshot INTEGER NOT NULL,"
                             "  protocol TEXT NOT NULL, researcher TEXT NOT NULL, roster BLOB NOT NULL, "
                             "rostered INTEGER NOT NULL, made_ms INTEGER NOT NULL);"
                             "CREATE INDEX query_question ON query (question, snapshot);"
                             "CREATE INDEX query_budget ON query (protocol, researcher, snapshot);"
                             "CREATE TABLE groups (query INTEGER NOT NULL, analysis INTEGER NOT NULL, "
                             "reading INTEGER NOT NULL, is_model INTEGER NOT NULL,"
                             "  answered INTEGER NOT NULL, by_row INTEGER NOT NULL, by_patient INTEGER NOT "
                             "NULL, PRIMARY KEY (query, analysis, reading))"
                             "  WITHOUT ROWID;"
                             "CREATE INDEX groups_by_row ON groups (by_row);"
                             "CREATE INDEX groups_by_patient ON groups (by_patient);"
                             "CREATE TABLE member_set (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, n "
                             "INTEGER NOT NULL, single INTEGER NOT NULL, tiles BLOB"
                             "  NOT NULL);"
                             "CREATE INDEX member_set_hash ON member_set (hash);"
                             "CREATE TABLE piece (id INTEGER PRIMARY KEY, packed BLOB NOT NULL);"
                             "CREATE TABLE person (id INTEGER PRIMARY KEY, packed BLOB NOT NULL);"
                             "PRAGMA user_version = 1;";

/* From version 1 to 2: what was answered before there were epochs is of epoch 0. */
static const char schema_epochs[] = "ALTER TABLE query ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;"
                                    /* A number that grows with each pooling: of this query's, and the
                                     * greatest that there was when it was reserved. */
                                    "ALTER TABLE query ADD COLUMN revealed INTEGER NOT NULL DEFAULT 0;"
                                    "ALTER TABLE query ADD COLUMN since INTEGER NOT NULL DEFAULT 0;"
                                    "PRAGMA user_version = 2;";

/* From version 2 to 3: what is the same at all sites is listed once. */
static const char schema_canon[] = "ALTER TABLE query ADD COLUMN scene BLOB;"
                                   "ALTER TABLE groups ADD COLUMN canon BLOB;"
                                   "CREATE INDEX groups_canon ON groups (canon);"
                                   "PRAGMA user_version = 3;";

/* From version 3 to 4: an analysis has groups by part. */
static const char schema_parts[] =
    "ALTER TABLE query ADD COLUMN families BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE groups RENAME TO whole;"
    "CREATE TABLE groups (query INTEGER NOT NULL, analysis INTEGER NOT NULL, part INTEGER NOT NULL, reading "
    "INTEGER NOT NULL, is_model INTEGER NOT NULL, answered INTEGER NOT NULL, by_row INTEGER NOT NULL, "
    "by_patient INTEGER NOT NULL, canon BLOB, PRIMARY KEY (query, analysis, part, reading)) WITHOUT ROWID;"
    "INSERT INTO groups SELECT query, analysis, 0, reading, is_model, answered, by_row, by_patient, canon "
    "FROM "
    "whole;"
    "DROP TABLE whole;"
    "CREATE INDEX groups_by_row ON groups (by_row);"
    "CREATE INDEX groups_by_patient ON groups (by_patient);"
    "CREATE INDEX groups_canon ON groups (canon);"
    "PRAGMA user_version = 4;";

/* From version 4 to 5: a group is kept in words too; one of before has none. */
static const char schema_words[] = "ALTER TABLE query ADD COLUMN study TEXT NOT NULL DEFAULT '';"
                                   "ALTER TABLE query ADD COLUMN dictionary BLOB NOT NULL DEFAULT x'';"
                                   "ALTER TABLE groups ADD COLUMN words TEXT NOT NULL DEFAULT '';"
                                   "ALTER TABLE groups ADD COLUMN conditions BLOB NOT NULL DEFAULT x'';"
                                   "PRAGMA user_version = 5;";

/* From version 5 to 6: and by what chose it; of one of before that is not known. */
static const char schema_chosen[] = "ALTER TABLE groups ADD COLUMN chosen BLOB NOT NULL DEFAULT x'';"
                                    "ALTER TABLE groups ADD COLUMN plain INTEGER NOT NULL DEFAULT 0;"
                                    "PRAGMA user_version = 6;";

static const char *const statements[LEDGER_STATEMENTS] = {
    [LEDGER_FIND_QUERY] = "SELECT id FROM query WHERE qid = ?1",
    [LEDGER_PUT_QUERY] =
        "INSERT INTO query (qid, question, snapshot, protocol, researcher, roster, rostered, made_ms, epoch, "
        "families, study, dictionary, since)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11, (SELECT IFNULL(MAX(revealed), 0) FROM "
        "query))",
    [LEDGER_PUT_ROSTER] = "UPDATE query SET roster = ?2, scene = ?3, rostered = 1 WHERE id = ?1",
    [LEDGER_DROP_QUERY] = "DELETE FROM query WHERE id = ?1",
    [LEDGER_ALL_QUERIES] =
        "SELECT qid FROM query WHERE id IN (SELECT query FROM groups WHERE answered IN (0, 2, 4))",
    [LEDGER_PUT_GROUP] =
        "INSERT INTO groups (query, analysis, part, reading, is_model, answered, by_row, by_patient, canon, "
        "words, conditions, chosen, plain)"
        " VALUES (?1, ?2, ?8, ?3, ?4, 0, ?5, ?6, ?7, ?9, ?10, ?11, ?12)",
    [LEDGER_FIND_GROUP] =
        "SELECT groups.by_row, groups.by_patient, groups.chosen, groups.plain FROM groups JOIN query ON "
        "query.id = groups.query"
        " WHERE query.qid = ?1 AND groups.analysis = ?2 AND groups.part = ?3 AND groups.answered != 3 ORDER "
        "BY groups.reading "
        "LIMIT 1",
    [LEDGER_DROP_OPEN] = "DELETE FROM groups WHERE query = ?1 AND answered = 0 RETURNING by_row, by_patient",
    [LEDGER_ANSWER] =
        "UPDATE groups SET answered = 1 WHERE query = ?1 AND analysis = ?2 AND answered IN (0, 2, 4)",
    [LEDGER_POOL] =
        "UPDATE groups SET answered = 2 WHERE query = ?1 AND analysis = ?2 AND answered IN (0, 3)",
    [LEDGER_PLAN] =
        "UPDATE groups SET answered = 4 WHERE query = ?1 AND analysis = ?2 AND answered IN (0, 2)",
    [LEDGER_TAKE_BACK] = "UPDATE groups SET answered = 2 WHERE query = ?1 AND analysis = ?2 AND answered = 3",
    [LEDGER_HIDE] = "UPDATE groups SET answered = 3 WHERE query = ?1 AND analysis = ?2 AND part = ?3 AND "
                    "answered IN (0, 2)",
    [LEDGER_LEAVE] = "UPDATE groups SET answered = 3 WHERE query = ?1 AND answered = 2",
    [LEDGER_REVEALED_SINCE] = "SELECT EXISTS (SELECT 1 FROM query other JOIN query own ON own.id = ?1 WHERE "
                              "other.id != ?1 AND other.revealed > own.since AND own.revealed = 0)",
    [LEDGER_PUT_REVEALED] = "UPDATE query SET revealed = (SELECT MAX(revealed) FROM query) + 1 WHERE id = ?1",
    [LEDGER_LIST] =
        "SELECT id, qid, roster, snapshot, families, made_ms, scene FROM query WHERE qid != ?1 AND epoch "
        "BETWEEN ?2 - 1 AND ?2 ORDER BY id",
    [LEDGER_LIST_GROUPS] =
        "SELECT analysis, part, answered, canon FROM groups WHERE query = ?1 AND answered IN (1, 2, 4) ORDER "
        "BY analysis, part",
    [LEDGER_QUERIES] =
        "SELECT qid FROM query WHERE qid != ?1 AND epoch BETWEEN ?2 - 1 AND ?2 AND EXISTS (SELECT 1 "
        "FROM groups WHERE groups.query = query.id AND answered IN (1, 2, 4))",
    [LEDGER_NAMED] =
        "SELECT query.id, query.study, query.researcher, query.made_ms, query.dictionary, query.families, "
        "groups.analysis, groups.part, groups.words, groups.conditions, groups.canon FROM query JOIN groups "
        "ON groups.query = query.id WHERE query.qid != ?1 AND query.epoch BETWEEN ?2 - 1 AND ?2 AND "
        "groups.answered IN (1, 2, 4) ORDER BY query.made_ms DESC, query.id DESC, groups.analysis, "
        "groups.part",
    [LEDGER_CLOSE_POOLED] = "UPDATE groups SET answered = 3 WHERE query = ?1 AND answered IN (2, 4)",
    [LEDGER_COUNT_ANSWERED] = "SELECT COUNT(*) FROM groups WHERE query = ?1",
    [LEDGER_SPENT] =
        "SELECT is_model, COUNT(*) FROM (SELECT DISTINCT query.question, groups.analysis, groups.is_model "
        "FROM groups"
        " JOIN query ON query.id = groups.query WHERE query.protocol = ?1 AND query.researcher = ?2 AND"
        " query.snapshot = ?3 AND query.question != ?4 AND groups.answered != 3 AND groups.analysis < ?5)"
        " GROUP BY is_model",
    [LEDGER_FIND_SET] = "SELECT id FROM member_set WHERE hash = ?1 AND n = ?2 AND single = ?3",
    [LEDGER_PUT_SET] = "INSERT INTO member_set (hash, n, single, tiles) VALUES (?1, ?2, ?3, ?4)",
    [LEDGER_GET_SET] = "SELECT hash, n, single, tiles FROM member_set WHERE id = ?1",
    [LEDGER_SETS_FROM] = "SELECT id, single, tiles FROM member_set WHERE id >= ?1 ORDER BY id",
    [LEDGER_GROUPS_OF] =
        "SELECT analysis, part, by_row, by_patient, chosen, plain FROM groups WHERE query = ?1 AND answered "
        "!= 3 ORDER BY analysis, part, reading",
    [LEDGER_USED_SET] = "SELECT EXISTS (SELECT 1 FROM groups WHERE by_row = ?1) OR EXISTS (SELECT 1 FROM "
                        "groups WHERE by_patient = ?1)",
    [LEDGER_DROP_SET] = "DELETE FROM member_set WHERE id = ?1",
    [LEDGER_PUT_PIECE] = "INSERT INTO piece VALUES (?1, ?2)",
    [LEDGER_GET_PIECES] = "SELECT id, packed FROM piece WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
    [LEDGER_DROP_PIECES] = "DELETE FROM piece WHERE id BETWEEN ?1 AND ?2",
    [LEDGER_PUT_PERSONS] = "INSERT OR REPLACE INTO person VALUES (?1, ?2)",
    [LEDGER_GET_PERSONS] = "SELECT id, packed FROM person ORDER BY id",
};

/* --- statements --- */

enum maille_code ledger_fail(const struct ledger *ledger, struct maille_error *error)
{
    const int reason = sqlite3_errcode(ledger->database);
    const enum maille_code code = reason == SQLITE_CORRUPT || reason == SQLITE_NOTADB ? MAILLE_CORRUPT
                                  : reason == SQLITE_NOMEM                            ? MAILLE_MEMORY
                                                                                      : MAILLE_IO;
    return maille_fail(error, code,
                       "expected the ledger of answered groups to work, found: %s; look at the disk",
                       sqlite3_errmsg(ledger->database));
}

enum maille_code ledger_corrupt(struct maille_error *error)
{
    return maille_fail(
        error, MAILLE_CORRUPT,
        "expected a ledger of answered groups as this program writes it, found another; restore it");
}

enum maille_code ledger_execute(struct ledger *ledger, const char *sql, struct maille_error *error)
{
    return sqlite3_exec(ledger->database, sql, NULL, NULL, NULL) == SQLITE_OK ? MAILLE_OK
                                                                              : ledger_fail(ledger, error);
}

enum maille_code ledger_prepare(sqlite3_stmt **statement, struct ledger *ledger, const char *sql,
                                struct maille_error *error)
{
    return sqlite3_prepare_v2(ledger->database, sql, -1, statement, NULL) == SQLITE_OK
               ? MAILLE_OK
               : ledger_fail(ledger, error);
}

enum maille_code ledger_begin(struct ledger *ledger, struct maille_error *error)
{
    return ledger_execute(ledger, "BEGIN IMMEDIATE", error);
}

enum maille_code ledger_finish(struct ledger *ledger, enum maille_code code, struct maille_error *error)
{
    struct maille_error ignored;
    for (size_t i = 0; i < LEDGER_STATEMENTS; i++)
        sqlite3_reset(ledger->prepared[i]);
    if (code == MAILLE_OK)
        code = ledger_execute(ledger, "COMMIT", error);
    if (code == MAILLE_OK)
        return code;
    person_map_clear(&ledger->map); /* it may know what is not kept now */
    ledger->map_read = false;
    if (sqlite3_get_autocommit(ledger->database) == 0 &&
        ledger_execute(ledger, "ROLLBACK", &ignored) != MAILLE_OK)
        code = MAILLE_INTERNAL; /* the process starts again and finds the ledger as it was */
    return code;
}

enum maille_code ledger_ready(sqlite3_stmt **statement, struct ledger *ledger, enum ledger_statement which,
                              struct maille_error *error)
{
    if (ledger->prepared[which] == NULL &&
        sqlite3_prepare_v3(ledger->database, statements[which], -1, SQLITE_PREPARE_PERSISTENT,
                           &ledger->prepared[which], NULL) != SQLITE_OK)
        return ledger_fail(ledger, error);
    *statement = ledger->prepared[which];
    sqlite3_reset(*statement);
    sqlite3_clear_bindings(*statement);
    return MAILLE_OK;
}

void ledger_bind_blob(sqlite3_stmt *statement, int column, const void *data, size_t length)
{
    sqlite3_bind_blob64(statement, column, length == 0 ? "" : data, length, SQLITE_STATIC);
}

enum maille_code ledger_ready_past(sqlite3_stmt **statement, struct ledger *ledger,
                                   enum ledger_statement which, const uint8_t *query, uint32_t epoch,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(ledger_ready(statement, ledger, which, error));
    ledger_bind_blob(*statement, 1, query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(*statement, 2, epoch);
out:
    return code;
}

enum maille_code ledger_run(struct ledger *ledger, sqlite3_stmt *statement, struct maille_error *error)
{
    enum maille_code code = sqlite3_step(statement) == SQLITE_DONE ? MAILLE_OK : ledger_fail(ledger, error);
    sqlite3_reset(statement);
    return code;
}

enum maille_code ledger_next(bool *row, struct ledger *ledger, sqlite3_stmt *statement,
                             struct maille_error *error)
{
    const int result = sqlite3_step(statement);
    *row = result == SQLITE_ROW;
    return result == SQLITE_ROW || result == SQLITE_DONE ? MAILLE_OK : ledger_fail(ledger, error);
}

/* --- open --- */

static enum maille_code read_version(int *version, struct ledger *ledger, struct maille_error *error)
{
    sqlite3_stmt *statement = NULL;
    *version = -1;
    if (sqlite3_prepare_v2(ledger->database, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        *version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return *version < 0 ? ledger_fail(ledger, error) : MAILLE_OK;
}

static enum maille_code open_version(struct ledger *ledger, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int found;
    MAILLE_TRY(read_version(&found, ledger, error));
    if (found > LEDGER_VERSION)
        return maille_fail(
            error, MAILLE_CORRUPT,
            "expected a ledger of version %d or before, found version %d; a later maille-worker has "
            "run here: install that one again (docs/UPGRADE.md)",
            LEDGER_VERSION, found);
    if (found == LEDGER_VERSION)
        return MAILLE_OK;
    MAILLE_TRY(ledger_execute(ledger, "BEGIN EXCLUSIVE", error));
    code = found == 0 ? ledger_execute(ledger, schema, error) : MAILLE_OK;
    if (code == MAILLE_OK && found < LEDGER_PINNED)
        code = ledger_execute(ledger, schema_epochs, error);
    if (code == MAILLE_OK && found < 3)
        code = ledger_execute(ledger, schema_canon, error);
    if (code == MAILLE_OK && found < 4)
        code = ledger_execute(ledger, schema_parts, error);
    if (code == MAILLE_OK && found < 5)
        code = ledger_execute(ledger, schema_words, error);
    if (code == MAILLE_OK)
        code = ledger_execute(ledger, schema_chosen, error);
    if (code == MAILLE_OK)
        code = ledger_few_open(ledger, error);
    if (code == MAILLE_OK)
        code = ledger_stored_open(ledger, error);
    code = ledger_finish(ledger, code, error);
out:
    return code;
}

enum maille_code ledger_version(int *version, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct ledger looked = {0};
    if (access(path, F_OK) != 0) {
        *version = 0;
        return MAILLE_OK;
    }
    if (sqlite3_open_v2(path, &looked.database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        code = maille_fail(error, MAILLE_IO, "expected the ledger %s, found: %s", path,
                           looked.database == NULL ? "no memory" : sqlite3_errmsg(looked.database));
    else
        code = read_version(version, &looked, error);
    sqlite3_close(looked.database);
    return code;
}

enum maille_code ledger_open(struct ledger **ledger, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct ledger *made = calloc(1, sizeof *made);
    char pragma[64];
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a ledger, found none");
    MAILLE_TRY(file_make_private(path, error));
    if (sqlite3_open_v2(path, &made->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        code = maille_fail(error, MAILLE_IO, "expected the ledger %s, found: %s", path,
                           made->database == NULL ? "no memory" : sqlite3_errmsg(made->database));
        goto out;
    }
    sqlite3_busy_timeout(made->database, BUSY_MS);
    sqlite3_snprintf(sizeof pragma, pragma, "PRAGMA cache_size = -%d", CACHE_KIB);
    /* Pages that hold several pieces; a small cache of SQLite's own, the system's does the rest. */
    MAILLE_TRY(ledger_execute(made, "PRAGMA page_size = 32768", error));
    MAILLE_TRY(ledger_execute(made, pragma, error));
    /* What a statement needs beside: the walls of the vault let it write in its own folders alone. */
    MAILLE_TRY(ledger_execute(made, "PRAGMA temp_store = MEMORY", error));
    MAILLE_TRY(ledger_execute(made, "PRAGMA journal_mode = WAL", error));
    MAILLE_TRY(ledger_execute(made, "PRAGMA synchronous = FULL", error));
    MAILLE_TRY(open_version(made, error));
    MAILLE_TRY(ledger_few_open(made, error)); /* of before it counted; else it is there */
    MAILLE_TRY(ledger_stored_open(made, error));
    *ledger = made;
    made = NULL;
out:
    if (code != MAILLE_OK)
        maille_error_prefix(error, "%s", path);
    ledger_close(made);
    return code;
}

void ledger_give_back(struct ledger *ledger)
{
    sqlite3_db_release_memory(ledger->database);
}

void ledger_close(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    for (size_t i = 0; i < LEDGER_STATEMENTS; i++)
        sqlite3_finalize(ledger->prepared[i]);
    sqlite3_close(ledger->database);
    person_map_clear(&ledger->map);
    free(ledger);
}

/* --- sets --- */

static enum maille_code put_pieces(struct ledger *ledger, int64_t id, const struct plain_set *set,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t packed[LEDGER_PIECE_BYTES];
    sqlite3_stmt *statement = NULL;
    for (size_t p = 0; p < plain_set_pieces(set); p++) {
        size_t length = ledger_piece_pack(packed, plain_set_piece(set, p));
        if (length == 0)
            continue;
        MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_PUT_PIECE, error));
        sqlite3_bind_int64(statement, 1, id * LEDGER_PIECES_MAX + (int64_t)p);
        ledger_bind_blob(statement, 2, packed, length);
        MAILLE_TRY(ledger_run(ledger, statement, error));
    }
out:
    return code;
}

enum maille_code ledger_put_set(int64_t *id, struct ledger *ledger, const struct plain_set *set,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL, *find = NULL;
    bool row = true;
    MAILLE_TRY(ledger_ready(&find, ledger, LEDGER_FIND_SET, error));
    sqlite3_bind_int64(find, 1, (int64_t)set->hash);
    sqlite3_bind_int64(find, 2, set->n);
    sqlite3_bind_int(find, 3, set->single);
    while (row) {
        MAILLE_TRY(ledger_next(&row, ledger, find, error));
        if (!row)
            break;
        struct difference difference;
        MAILLE_TRY(ledger_compare(&difference, ledger, set, sqlite3_column_int64(find, 0), true, 1, error));
        if (difference.only_now == 0 && difference.only_then == 0) {
            *id = sqlite3_column_int64(find, 0);
            goto out;
        }
    }
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_PUT_SET, error));
    sqlite3_bind_int64(statement, 1, (int64_t)set->hash);
    sqlite3_bind_int64(statement, 2, set->n);
    sqlite3_bind_int(statement, 3, set->single);
    ledger_bind_blob(statement, 4, set->tiles.data, set->tiles.length);
    MAILLE_TRY(ledger_run(ledger, statement, error));
    int64_t made = sqlite3_last_insert_rowid(ledger->database);
    MAILLE_TRY(put_pieces(ledger, made, set, error));
    *id = made;
out:
    return code;
}

enum maille_code ledger_get_set(struct plain_set *set, struct ledger *ledger, int64_t id,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct plain_set made = {0};
    uint8_t room[LEDGER_PIECE_BYTES];
    bool row;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_GET_SET, error));
    sqlite3_bind_int64(statement, 1, id);
    MAILLE_TRY(ledger_next(&row, ledger, statement, error));
    if (!row) {
        code = ledger_corrupt(error);
        goto out;
    }
    made.hash = (uint64_t)sqlite3_column_int64(statement, 0);
    made.n = sqlite3_column_int64(statement, 1);
    made.single = sqlite3_column_int(statement, 2) != 0;
    MAILLE_TRY(bytes_copy(&made.tiles, sqlite3_column_blob(statement, 3),
                          (size_t)sqlite3_column_bytes(statement, 3)));
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_GET_PIECES, error));
    sqlite3_bind_int64(statement, 1, id * LEDGER_PIECES_MAX);
    sqlite3_bind_int64(statement, 2, (id + 1) * LEDGER_PIECES_MAX - 1);
    for (;;) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row)
            break;
        size_t piece = (size_t)(sqlite3_column_int64(statement, 0) % LEDGER_PIECES_MAX);
        const uint8_t *bits = ledger_piece_unpack(room, sqlite3_column_blob(statement, 1),
                                                  (size_t)sqlite3_column_bytes(statement, 1));
        if (bits == NULL) {
            code = ledger_corrupt(error);
            goto out;
        }
        (void)bytes_reserve(&made.bits, piece * LEDGER_PIECE_BYTES - made.bits.length);
        bytes_put(&made.bits, bits, LEDGER_PIECE_BYTES);
    }
    MAILLE_TRY(bytes_check(&made.bits, error));
    *set = made;
    made = (struct plain_set){0};
out:
    plain_set_clear(&made);
    return code;
}

enum maille_code ledger_drop_set(struct ledger *ledger, int64_t id, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_USED_SET, error));
    sqlite3_bind_int64(statement, 1, id);
    MAILLE_TRY(ledger_next(&row, ledger, statement, error));
    if (row && sqlite3_column_int(statement, 0) != 0)
        goto out;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_DROP_PIECES, error));
    sqlite3_bind_int64(statement, 1, id * LEDGER_PIECES_MAX);
    sqlite3_bind_int64(statement, 2, (id + 1) * LEDGER_PIECES_MAX - 1);
    MAILLE_TRY(ledger_run(ledger, statement, error));
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_DROP_SET, error));
    sqlite3_bind_int64(statement, 1, id);
    code = ledger_run(ledger, statement, error);
out:
    return code;
}
