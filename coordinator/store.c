#include "coordinator/store.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/file.h"

enum { STORE_VERSION = 1, BUSY_MS = 2000 };

static const char schema[] =
    "CREATE TABLE directory (version INTEGER PRIMARY KEY, hash BLOB NOT NULL, text BLOB NOT NULL, "
    "accepted_ms INTEGER NOT NULL);"
    "CREATE TABLE query (qid BLOB PRIMARY KEY, researcher TEXT NOT NULL, study TEXT NOT NULL, phase INTEGER "
    "NOT NULL,"
    "  round INTEGER NOT NULL, attempt INTEGER NOT NULL, bytes INTEGER NOT NULL, psi BLOB NOT NULL, previous "
    "BLOB NOT NULL,"
    "  created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, called_ms INTEGER NOT NULL, activity_ms "
    "INTEGER NOT NULL)"
    "  WITHOUT ROWID;"
    "CREATE TABLE message (qid BLOB NOT NULL, kind INTEGER NOT NULL, round INTEGER NOT NULL, attempt INTEGER "
    "NOT NULL,"
    "  site INTEGER NOT NULL, hash BLOB NOT NULL, envelope BLOB NOT NULL, frame BLOB, received_ms INTEGER "
    "NOT NULL,"
    "  PRIMARY KEY (qid, kind, round, attempt, site));"
    "CREATE TABLE route (user TEXT PRIMARY KEY, role INTEGER NOT NULL, seen_ms INTEGER NOT NULL) WITHOUT "
    "ROWID;"
    "CREATE TABLE catalogue (site TEXT PRIMARY KEY, envelope BLOB NOT NULL, received_ms INTEGER NOT NULL);"
    "CREATE TABLE heads (party TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, seen_ms INTEGER NOT "
    "NULL,"
    "  PRIMARY KEY (party, size)) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

#define QUERY_COLUMNS                                                                                        \
    "qid, researcher, study, phase, round, attempt, bytes, psi, previous, created_ms, expires_ms, "          \
    "called_ms, "                                                                                            \
    "activity_ms"

/* Came later than the first databases of version 1. */
static const char later[] =
    "CREATE TABLE IF NOT EXISTS owed (site TEXT NOT NULL, qid BLOB NOT NULL, "
    "PRIMARY KEY (site, qid)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS wire (user TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID";

static const char routes_with_wire[] =
    "SELECT user, role, seen_ms, ifnull(version, 0) FROM route LEFT JOIN wire USING (user) ORDER BY 2, 1";

/* Prepared once, by the first use of each. */
enum statement {
    PUT_DIRECTORY,
    GET_DIRECTORY,
    PUT_QUERY,
    READ_QUERIES,
    GET_QUERY,
    PUT_MESSAGE,
    DROP_MESSAGE,
    READ_MESSAGES,
    FORGET_FRAMES,
    FORGET_ROUNDS,
    FORGET_MESSAGES,
    FORGET_QUERIES,
    FORGET_HEADS,
    FORGET_OWED,
    OWE,
    PAID,
    OWED,
    PUT_ROUTE,
    PUT_WIRE,
    READ_ROUTES,
    READ_OLD_ROUTES,
    PUT_CATALOGUE,
    READ_CATALOGUES,
    PUT_HEAD,
    GET_HEAD,
    READ_HEADS,
    STATEMENTS
};
static const char *const statements[STATEMENTS] = {
    [PUT_DIRECTORY] = "INSERT OR REPLACE INTO directory VALUES (?1, ?2, ?3, ?4)",
    [GET_DIRECTORY] = "SELECT text FROM directory ORDER BY version DESC LIMIT 1",
    [PUT_QUERY] =
        "INSERT OR REPLACE INTO query VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [READ_QUERIES] =
        ("SELECT " QUERY_COLUMNS " FROM query WHERE ?1 IS NULL OR researcher = ?1 ORDER BY created_ms DESC"),
    [GET_QUERY] = ("SELECT " QUERY_COLUMNS " FROM query WHERE qid = ?1"),
    [PUT_MESSAGE] = "INSERT OR REPLACE INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [DROP_MESSAGE] =
        "DELETE FROM message WHERE qid = ?1 AND kind = ?2 AND round = ?3 AND attempt = ?4 AND site = ?5",
    [READ_MESSAGES] =
        ("SELECT kind, round, attempt, site, envelope, frame, hash FROM message WHERE qid = ?1 AND"
         " ((round = 0 AND attempt = 0) OR (round = ?2 AND attempt = ?3)) ORDER BY round, kind, site"),
    [FORGET_FRAMES] = "UPDATE message SET frame = NULL WHERE qid = ?1 AND frame IS NOT NULL",
    [FORGET_ROUNDS] =
        ("DELETE FROM message WHERE qid = ?1 AND (round > 0 OR attempt > 0) AND (round, attempt) <> "
         "(SELECT round, attempt FROM query WHERE qid = ?1)"),
    [FORGET_OWED] =
        "DELETE FROM owed WHERE qid IN (SELECT qid FROM query WHERE phase >= ?2 AND activity_ms < ?1)",
    [OWE] = "INSERT OR IGNORE INTO owed VALUES (?1, ?2)",
    [PAID] = "DELETE FROM owed WHERE site = ?1 AND qid = ?2",
    [OWED] = "SELECT qid FROM owed WHERE site = ?1 LIMIT ?2",
    [FORGET_MESSAGES] =
        "DELETE FROM message WHERE qid IN (SELECT qid FROM query WHERE phase >= ?2 AND activity_ms < ?1)",
    [FORGET_QUERIES] = "DELETE FROM query WHERE phase >= ?2 AND activity_ms < ?1",
    [FORGET_HEADS] = ("DELETE FROM heads WHERE seen_ms < ?1 AND ?2 AND "
                      "size < (SELECT max(size) FROM heads AS newer WHERE newer.party = heads.party)"),
    [PUT_ROUTE] = "INSERT OR REPLACE INTO route VALUES (?1, ?2, ?3)",
    [PUT_WIRE] = "INSERT OR REPLACE INTO wire VALUES (?1, ?2)",
    [READ_ROUTES] = routes_with_wire,
    [READ_OLD_ROUTES] =
        "SELECT user, role, seen_ms, 0 FROM route ORDER BY role, user", /* no program of this version ran on
                                                                           it yet */
    [PUT_CATALOGUE] = "INSERT OR REPLACE INTO catalogue VALUES (?1, ?2, ?3)",
    [READ_CATALOGUES] = "SELECT site, envelope FROM catalogue ORDER BY site",
    [PUT_HEAD] = "INSERT OR IGNORE INTO heads VALUES (?1, ?2, ?3, ?4)",
    [GET_HEAD] = "SELECT root FROM heads WHERE party = ?1 AND size = ?2",
    [READ_HEADS] = "SELECT size FROM heads WHERE party = ?1 AND size > ?2 ORDER BY size DESC LIMIT 64",
};

struct store {
    sqlite3 *database;
    sqlite3_stmt *prepared[STATEMENTS];
    bool writing;
};

static enum maille_code fail(const struct store *store, struct maille_error *error)
{
    const int reason = sqlite3_errcode(store->database);
    const enum maille_code code = reason == SQLITE_CORRUPT || reason == SQLITE_NOTADB ? MAILLE_CORRUPT
                                  : reason == SQLITE_NOMEM                            ? MAILLE_MEMORY
                                                                                      : MAILLE_IO;
    return maille_fail(error, code,
                       "expected the coordinator's database to work, found: %s; look at the disk",
                       sqlite3_errmsg(store->database));
}

static enum maille_code run(struct store *store, const char *sql, struct maille_error *error)
{
    return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK ? MAILLE_OK : fail(store, error);
}

static enum maille_code open_version(struct store *store, bool read_only, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *version = NULL;
    int found = -1;
    if (sqlite3_prepare_v2(store->database, "PRAGMA user_version", -1, &version, NULL) == SQLITE_OK &&
        sqlite3_step(version) == SQLITE_ROW)
        found = sqlite3_column_int(version, 0);
    sqlite3_finalize(version);
    if (found < 0)
        return fail(store, error);
    if (found == 0 && !read_only) {
        MAILLE_TRY(run(store, "BEGIN EXCLUSIVE", error));
        MAILLE_TRY(run(store, schema, error));
        MAILLE_TRY(run(store, "COMMIT", error));
    } else if (found != STORE_VERSION) {
        code = maille_fail(
            error, MAILLE_CORRUPT, "expected a coordinator's database of version %d, found version %d%s",
            STORE_VERSION, found,
            found > STORE_VERSION ? "; a later maille-coordinator has run here: install that one "
                                    "again (docs/UPGRADE.md)"
                                  : "");
    }
out:
    return code;
}

/* The database and the two files beside it, which take its mode when SQLite makes them: for the owner alone.
 */
static enum maille_code make_private(const char *path, struct maille_error *error)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    enum maille_code code = MAILLE_OK;
    char beside[PATH_MAX];
    for (size_t i = 0; i < sizeof endings / sizeof *endings && code == MAILLE_OK; i++) {
        snprintf(beside, sizeof beside, "%s%s", path, endings[i]);
        if (i == 0 || file_exists(beside))
            code = file_make_private(beside, error);
    }
    return code;
}

enum maille_code store_open(struct store **store, const char *path, bool read_only,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct store *made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a database, found none");
    if (!read_only)
        MAILLE_TRY(make_private(path, error));
    const int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(path, &made->database, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        code = maille_fail(error, MAILLE_IO, "expected the coordinator's database %s, found: %s", path,
                           made->database == NULL ? "no memory" : sqlite3_errmsg(made->database));
        goto out;
    }
    sqlite3_busy_timeout(made->database, BUSY_MS);
    if (!read_only) {
        /* The files beside it stay for good: behind the walls nothing can be made in their folder. */
        int keep = 1;
        MAILLE_TRY(run(made, "PRAGMA journal_mode = WAL", error));
        MAILLE_TRY(run(made, "PRAGMA journal_size_limit = 4194304", error));
        sqlite3_file_control(made->database, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
        MAILLE_TRY(run(made, "PRAGMA synchronous = FULL", error));
    }
    MAILLE_TRY(open_version(made, read_only, error));
    if (!read_only)
        MAILLE_TRY(run(made, later, error));
    *store = made;
    made = NULL;
out:
    if (code != MAILLE_OK)
        maille_error_prefix(error, "%s", path);
    store_close(made);
    return code;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(store->prepared[i]);
    sqlite3_close(store->database);
    free(store);
}

enum maille_code store_commit(struct store *store, struct maille_error *error)
{
    if (!store->writing)
        return MAILLE_OK;
    enum maille_code code = run(store, "COMMIT", error);
    if (code == MAILLE_OK)
        store->writing = false;
    return code;
}

/* --- statements --- */

/* A statement ready to be bound. For one that writes, a transaction is open. */
static enum maille_code ready(struct store *store, enum statement which, bool writes, sqlite3_stmt **out,
                              struct maille_error *error)
{
    if (writes && !store->writing) {
        enum maille_code code = run(store, "BEGIN IMMEDIATE", error);
        if (code != MAILLE_OK)
            return code;
        store->writing = true;
    }
    if (store->prepared[which] == NULL &&
        sqlite3_prepare_v3(store->database, statements[which], -1, SQLITE_PREPARE_PERSISTENT,
                           &store->prepared[which], NULL) != SQLITE_OK)
        return fail(store, error);
    sqlite3_reset(store->prepared[which]);
    sqlite3_clear_bindings(store->prepared[which]);
    *out = store->prepared[which];
    return MAILLE_OK;
}

static void bind_blob(sqlite3_stmt *statement, int column, const void *data, size_t length)
{
    sqlite3_bind_blob64(statement, column, length == 0 ? "" : data, length, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
    sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

/* Runs a bound statement that gives no rows; bindings are checked here, since a failed one leaves NULL. */
static enum maille_code done(struct store *store, sqlite3_stmt *statement, struct maille_error *error)
{
    const int result = sqlite3_step(statement);
    enum maille_code code = result == SQLITE_DONE ? MAILLE_OK : fail(store, error);
    sqlite3_reset(statement);
    return code;
}

static enum maille_code next(struct store *store, sqlite3_stmt *statement, bool *row,
                             struct maille_error *error)
{
    const int result = sqlite3_step(statement);
    *row = result == SQLITE_ROW;
    return result == SQLITE_ROW || result == SQLITE_DONE ? MAILLE_OK : fail(store, error);
}

/* A blob that must have this length. */
static bool column_fixed(sqlite3_stmt *statement, int column, void *out, size_t length)
{
    if (sqlite3_column_bytes(statement, column) != (int)length)
        return false;
    memcpy(out, sqlite3_column_blob(statement, column), length);
    return true;
}

static void column_text(sqlite3_stmt *statement, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    size_t length = text == NULL ? 0 : strlen(text);
    length = length < size ? length : size - 1;
    memcpy(out, text == NULL ? "" : text, length);
    out[length] = '\0';
}

static enum maille_code corrupt(struct maille_error *error)
{
    return maille_fail(error, MAILLE_CORRUPT, "expected a row as the coordinator writes it, found another");
}

/* --- directories --- */

enum maille_code store_put_directory(struct store *store, uint64_t version, const struct digest *hash,
                                     const char *text, size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ready(store, PUT_DIRECTORY, true, &statement, error));
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)version);
    bind_blob(statement, 2, hash->b, sizeof hash->b);
    bind_blob(statement, 3, text, length);
    sqlite3_bind_int64(statement, 4, clock_utc_ms());
    code = done(store, statement, error);
out:
    return code;
}

enum maille_code store_get_directory(struct store *store, struct bytes *text, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row;
    MAILLE_TRY(ready(store, GET_DIRECTORY, false, &statement, error));
    MAILLE_TRY(next(store, statement, &row, error));
    text->length = 0;
    if (row)
        MAILLE_TRY(
            bytes_copy(text, sqlite3_column_blob(statement, 0), (size_t)sqlite3_column_bytes(statement, 0)));
out:
    sqlite3_reset(statement);
    return code;
}

/* --- queries --- */

enum maille_code store_put_query(struct store *store, const struct store_query *query,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ready(store, PUT_QUERY, true, &statement, error));
    bind_blob(statement, 1, query->qid, QID_BYTES);
    bind_text(statement, 2, query->researcher);
    bind_text(statement, 3, query->study);
    sqlite3_bind_int(statement, 4, (int)query->phase);
    sqlite3_bind_int64(statement, 5, query->round);
    sqlite3_bind_int64(statement, 6, query->attempt);
    sqlite3_bind_int64(statement, 7, (sqlite3_int64)query->bytes);
    bind_blob(statement, 8, query->psi.b, HASH_BYTES);
    bind_blob(statement, 9, query->previous.b, HASH_BYTES);
    sqlite3_bind_int64(statement, 10, query->created_ms);
    sqlite3_bind_int64(statement, 11, query->expires_ms);
    sqlite3_bind_int64(statement, 12, query->called_ms);
    sqlite3_bind_int64(statement, 13, query->activity_ms);
    code = done(store, statement, error);
out:
    return code;
}

static enum maille_code read_query(struct store_query *out, sqlite3_stmt *statement,
                                   struct maille_error *error)
{
    struct store_query query = {0};
    if (!column_fixed(statement, 0, query.qid, QID_BYTES) ||
        !column_fixed(statement, 7, query.psi.b, HASH_BYTES) ||
        !column_fixed(statement, 8, query.previous.b, HASH_BYTES))
        return corrupt(error);
    column_text(statement, 1, query.researcher, sizeof query.researcher);
    column_text(statement, 2, query.study, sizeof query.study);
    query.phase = (enum query_phase)sqlite3_column_int(statement, 3);
    query.round = (uint32_t)sqlite3_column_int64(statement, 4);
    query.attempt = (uint32_t)sqlite3_column_int64(statement, 5);
    query.bytes = (uint64_t)sqlite3_column_int64(statement, 6);
    query.created_ms = sqlite3_column_int64(statement, 9);
    query.expires_ms = sqlite3_column_int64(statement, 10);
    query.called_ms = sqlite3_column_int64(statement, 11);
    query.activity_ms = sqlite3_column_int64(statement, 12);
    *out = query;
    return MAILLE_OK;
}

enum maille_code store_read_queries(struct store *store, const char *researcher, store_each_query *each,
                                    void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ready(store, READ_QUERIES, false, &statement, error));
    if (researcher != NULL)
        bind_text(statement, 1, researcher);
    for (;;) {
        struct store_query query;
        bool row;
        MAILLE_TRY(next(store, statement, &row, error));
        if (!row)
            break;
        MAILLE_TRY(read_query(&query, statement, error));
        MAILLE_TRY(each(context, &query, error));
    }
out:
    sqlite3_reset(statement);
    return code;
}

enum maille_code store_get_query(struct store *store, struct store_query *query, bool *there,
                                 const uint8_t qid[QID_BYTES], struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ready(store, GET_QUERY, false, &statement, error));
    bind_blob(statement, 1, qid, QID_BYTES);
    MAILLE_TRY(next(store, statement, there, error));
    if (*there)
        MAILLE_TRY(read_query(query, statement, error));
out:
    sqlite3_reset(statement);
    return code;
}

enum maille_code store_forget(struct store *store, int64_t utc_ms, struct maille_error *error)
{
    static const enum statement all[] = {FORGET_MESSAGES, FORGET_OWED, FORGET_QUERIES, FORGET_HEADS};
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        sqlite3_stmt *statement = NULL;
        MAILLE_TRY(ready(store, all[i], true, &statement, error));
        sqlite3_bind_int64(statement, 1, utc_ms);
        sqlite3_bind_int(statement, 2, PHASE_ENDED);
        MAILLE_TRY(done(store, statement, error));
    }
out:
    return code;
}

static enum maille_code change_owed(struct store *store, enum statement which, const char *site,
                                    const uint8_t *qid, struct maille_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum maille_code code = ready(store, which, true, &statement, error);
    if (code != MAILLE_OK)
        return code;
    bind_text(statement, 1, site);
    bind_blob(statement, 2, qid, QID_BYTES);
    return done(store, statement, error);
}

enum maille_code store_owe(struct store *store, const char *site, const uint8_t qid[QID_BYTES],
                           struct maille_error *error)
{
    return change_owed(store, OWE, site, qid, error);
}

enum maille_code store_paid(struct store *store, const char *site, const uint8_t qid[QID_BYTES],
                            struct maille_error *error)
{
    return change_owed(store, PAID, site, qid, error);
}

enum maille_code store_owed(struct store *store, uint8_t qids[OWED_MAX][QID_BYTES], size_t *n,
                            const char *site, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row;
    *n = 0;
    MAILLE_TRY(ready(store, OWED, false, &statement, error));
    bind_text(statement, 1, site);
    sqlite3_bind_int(statement, 2, OWED_MAX);
    for (;;) {
        MAILLE_TRY(next(store, statement, &row, error));
        if (!row)
            break;
        if (!column_fixed(statement, 0, qids[*n], QID_BYTES)) {
            code = corrupt(error);
            goto out;
        }
        ++*n;
    }
out:
    sqlite3_reset(statement);
    return code;
}

/* --- messages --- */

static void bind_key(sqlite3_stmt *statement, const struct store_key *key, enum message_kind kind)
{
    bind_blob(statement, 1, key->qid, QID_BYTES);
    sqlite3_bind_int(statement, 2, (int)kind);
    sqlite3_bind_int64(statement, 3, key->round);
    sqlite3_bind_int64(statement, 4, key->attempt);
    sqlite3_bind_int64(statement, 5, key->site);
}

enum maille_code store_put_message(struct store *store, const struct store_key *key,
                                   const struct parcel *parcel, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ready(store, PUT_MESSAGE, true, &statement, error));
    bind_key(statement, key, parcel->kind);
    bind_blob(statement, 6, parcel->hash.b, HASH_BYTES);
    bind_blob(statement, 7, parcel->envelope.data, parcel->envelope.length);
    /* Of the frames c_r and sealed results are kept: a segment of a masked vector is asked for again. */
    if (parcel->has_frame && (parcel->kind == MESSAGE_START || parcel->kind == MESSAGE_RESULT))
        bind_blob(statement, 8, parcel->frame.data, parcel->frame.length);
    sqlite3_bind_int64(statement, 9, clock_utc_ms());
    code = done(store, statement, error);
out:
    return code;
}

enum maille_code store_drop_message(struct store *store, const struct store_key *key, enum message_kind kind,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ready(store, DROP_MESSAGE, true, &statement, error));
    bind_key(statement, key, kind);
    code = done(store, statement, error);
out:
    return code;
}

static enum maille_code read_message(sqlite3_stmt *statement, const uint8_t *qid, store_each_message *each,
                                     void *context, struct maille_error *error)
{
    const enum message_kind kind = (enum message_kind)sqlite3_column_int(statement, 0);
    const struct store_key key = {.qid = qid,
                                  .round = (uint32_t)sqlite3_column_int64(statement, 1),
                                  .attempt = (uint32_t)sqlite3_column_int64(statement, 2),
                                  .site = (uint32_t)sqlite3_column_int64(statement, 3)};
    const bool has_frame = sqlite3_column_type(statement, 5) != SQLITE_NULL;
    const void *frame = has_frame ? sqlite3_column_blob(statement, 5) : NULL;
    struct digest hash;
    struct parcel *parcel =
        parcel_new(kind, sqlite3_column_blob(statement, 4), (size_t)sqlite3_column_bytes(statement, 4),
                   has_frame && frame == NULL ? "" : frame, (size_t)sqlite3_column_bytes(statement, 5));
    if (parcel == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a message, found none");
    /* The hash covers all frames: of a masked vector none is kept, those of an ended query were forgotten. */
    const bool whole =
        kind != MESSAGE_MASKED && ((kind != MESSAGE_START && kind != MESSAGE_RESULT) || has_frame);
    if (!column_fixed(statement, 6, hash.b, HASH_BYTES) || (whole && !digest_equal(&hash, &parcel->hash))) {
        parcel_drop(parcel);
        return corrupt(error);
    }
    return each(context, &key, parcel, error);
}

enum maille_code store_read_messages(struct store *store, const uint8_t qid[QID_BYTES], uint32_t round,
                                     uint32_t attempt, store_each_message *each, void *context,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row = true;
    MAILLE_TRY(ready(store, READ_MESSAGES, false, &statement, error));
    bind_blob(statement, 1, qid, QID_BYTES);
    sqlite3_bind_int64(statement, 2, round);
    sqlite3_bind_int64(statement, 3, attempt);
    while (row) {
        MAILLE_TRY(next(store, statement, &row, error));
        if (row)
            MAILLE_TRY(read_message(statement, qid, each, context, error));
    }
out:
    sqlite3_reset(statement);
    return code;
}

enum maille_code store_forget_frames(struct store *store, const uint8_t qid[QID_BYTES],
                                     struct maille_error *error)
{
    static const enum statement both[] = {FORGET_FRAMES, FORGET_ROUNDS};
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        sqlite3_stmt *statement = NULL;
        MAILLE_TRY(ready(store, both[i], true, &statement, error));
        bind_blob(statement, 1, qid, QID_BYTES);
        MAILLE_TRY(done(store, statement, error));
    }
out:
    return code;
}

/* --- who was seen, what they publish, their log heads --- */

enum maille_code store_put_route(struct store *store, const char *user, enum key_role role, int64_t seen_ms,
                                 uint32_t wire, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ready(store, PUT_ROUTE, true, &statement, error));
    bind_text(statement, 1, user);
    sqlite3_bind_int(statement, 2, (int)role);
    sqlite3_bind_int64(statement, 3, seen_ms);
    MAILLE_TRY(done(store, statement, error));
    MAILLE_TRY(ready(store, PUT_WIRE, true, &statement, error));
    bind_text(statement, 1, user);
    sqlite3_bind_int64(statement, 2, wire);
    code = done(store, statement, error);
out:
    return code;
}

enum maille_code store_read_routes(struct store *store, store_each_route *each, void *context,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row = true;
    const bool old = sqlite3_table_column_metadata(store->database, NULL, "wire", NULL, NULL, NULL, NULL,
                                                   NULL, NULL) != SQLITE_OK;
    MAILLE_TRY(ready(store, old ? READ_OLD_ROUTES : READ_ROUTES, false, &statement, error));
    while (row) {
        MAILLE_TRY(next(store, statement, &row, error));
        if (row)
            each(context, (const char *)sqlite3_column_text(statement, 0),
                 (enum key_role)sqlite3_column_int(statement, 1), sqlite3_column_int64(statement, 2),
                 (uint32_t)sqlite3_column_int64(statement, 3));
    }
out:
    sqlite3_reset(statement);
    return code;
}

enum maille_code store_put_catalogue(struct store *store, const char *site, const void *envelope,
                                     size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ready(store, PUT_CATALOGUE, true, &statement, error));
    bind_text(statement, 1, site);
    bind_blob(statement, 2, envelope, length);
    sqlite3_bind_int64(statement, 3, clock_utc_ms());
    code = done(store, statement, error);
out:
    return code;
}

enum maille_code store_read_catalogues(struct store *store, store_each_catalogue *each, void *context,
                                       struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row = true;
    MAILLE_TRY(ready(store, READ_CATALOGUES, false, &statement, error));
    while (row) {
        MAILLE_TRY(next(store, statement, &row, error));
        if (row)
            each(context, (const char *)sqlite3_column_text(statement, 0), sqlite3_column_blob(statement, 1),
                 (size_t)sqlite3_column_bytes(statement, 1));
    }
out:
    sqlite3_reset(statement);
    return code;
}

enum maille_code store_put_head(struct store *store, const char *party, const struct message_head *head,
                                bool *forked, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL, *kept = NULL;
    struct digest root;
    bool row;
    MAILLE_TRY(ready(store, PUT_HEAD, true, &statement, error));
    bind_text(statement, 1, party);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)head->size);
    bind_blob(statement, 3, head->root.b, HASH_BYTES);
    sqlite3_bind_int64(statement, 4, clock_utc_ms());
    MAILLE_TRY(done(store, statement, error));
    MAILLE_TRY(ready(store, GET_HEAD, false, &kept, error));
    bind_text(kept, 1, party);
    sqlite3_bind_int64(kept, 2, (sqlite3_int64)head->size);
    MAILLE_TRY(next(store, kept, &row, error));
    *forked = row && column_fixed(kept, 0, root.b, HASH_BYTES) && !digest_equal(&root, &head->root);
out:
    sqlite3_reset(kept);
    return code;
}

enum maille_code store_read_heads(struct store *store, const char *party, uint64_t least,
                                  store_each_head *each, void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row = true;
    MAILLE_TRY(ready(store, READ_HEADS, false, &statement, error));
    bind_text(statement, 1, party);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)least);
    while (row) {
        MAILLE_TRY(next(store, statement, &row, error));
        if (row)
            each(context, (uint64_t)sqlite3_column_int64(statement, 0));
    }
out:
    sqlite3_reset(statement);
    return code;
}
