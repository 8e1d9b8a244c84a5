#include <stdlib.h>
#include <string.h>

#include "disclosure/ledger_private.h"
#include "disclosure/published.h"

/* What a query goes through in the ledger: reserve (ledger_reserve.c), roster, differences, commit, release.
 * How sets are kept: ledger_store.c; how they are compared: ledger_compare.c, ledger_differ.c. */

enum maille_code ledger_find_query(int64_t *id, struct ledger *ledger, const uint8_t *query,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool found;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_FIND_QUERY, error));
    ledger_bind_blob(statement, 1, query, LEDGER_QUERY_BYTES);
    MAILLE_TRY(ledger_next(&found, ledger, statement, error));
    *id = found ? sqlite3_column_int64(statement, 0) : 0;
out:
    return code;
}

/* The same of a query that must be there. */
static enum maille_code reserved(int64_t *id, struct ledger *ledger, const uint8_t *query,
                                 struct maille_error *error)
{
    enum maille_code code = ledger_find_query(id, ledger, query, error);
    if (code == MAILLE_OK && *id == 0)
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected a query that is reserved in the ledger, found none");
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
    sqlite3_bind_int64(statement, 5, PUBLISHED_ANALYSIS);
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

enum maille_code ledger_roster(struct ledger *ledger, const uint8_t *query, const uint32_t *sites,
                               size_t n_sites, const uint8_t *scene, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    int64_t id = 0;
    struct bytes roster = {0};
    for (size_t i = 0; i < n_sites; i++)
        bytes_put_u32(&roster, sites[i]);
    MAILLE_TRY(bytes_check(&roster, error));
    MAILLE_TRY(ledger_begin(ledger, error));
    code = reserved(&id, ledger, query, error);
    if (code == MAILLE_OK)
        code = ledger_ready(&statement, ledger, LEDGER_PUT_ROSTER, error);
    if (code == MAILLE_OK) {
        sqlite3_bind_int64(statement, 1, id);
        ledger_bind_blob(statement, 2, roster.data, roster.length);
        if (scene != NULL)
            ledger_bind_blob(statement, 3, scene, LEDGER_HASH_BYTES);
        code = ledger_run(ledger, statement, error);
    }
    code = ledger_finish(ledger, code, error);
out:
    bytes_clear(&roster);
    return code;
}

void ledger_read_chosen(struct ledger_chosen *chosen, sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    *chosen = (struct ledger_chosen){.known = bytes != NULL &&
                                              sqlite3_column_bytes(statement, column) == LEDGER_CHOSEN_BYTES,
                                     .plain = sqlite3_column_int(statement, column + 1) != 0};
    if (bytes != NULL && chosen->known)
        memcpy(chosen->bytes, bytes, sizeof chosen->bytes);
}

enum maille_code ledger_group_sets(int64_t sets[2], struct ledger_chosen *chosen, struct ledger *ledger,
                                   const uint8_t *query, uint32_t analysis, uint32_t part,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row;
    sets[0] = sets[1] = 0;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_FIND_GROUP, error));
    ledger_bind_blob(statement, 1, query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(statement, 2, analysis);
    sqlite3_bind_int64(statement, 3, part);
    MAILLE_TRY(ledger_next(&row, ledger, statement, error));
    for (int view = 0; row && view < 2; view++)
        sets[view] = sqlite3_column_int64(statement, view);
    if (chosen != NULL)
        *chosen = (struct ledger_chosen){.known = false};
    if (chosen != NULL && row)
        ledger_read_chosen(chosen, statement, 2);
    sqlite3_reset(statement);
out:
    return code;
}

/* --- the end --- */

enum maille_code ledger_forget(struct ledger *ledger, const uint8_t *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    int64_t id = 0;
    bool there;
    MAILLE_TRY(ledger_find_query(&id, ledger, query, error));
    if (id == 0)
        goto out;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_DROP_OPEN, error));
    sqlite3_bind_int64(statement, 1, id);
    MAILLE_TRY(drop_groups(ledger, statement, error));
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_CLOSE_POOLED, error));
    sqlite3_bind_int64(statement, 1, id);
    MAILLE_TRY(ledger_run(ledger, statement, error));
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_COUNT_ANSWERED, error));
    sqlite3_bind_int64(statement, 1, id);
    MAILLE_TRY(ledger_next(&there, ledger, statement, error));
    if (!there || sqlite3_column_int64(statement, 0) > 0)
        goto out;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_DROP_QUERY, error));
    sqlite3_bind_int64(statement, 1, id);
    code = ledger_run(ledger, statement, error);
out:
    return code;
}

/* This query's number grows past all others', unless one of them has grown since it was reserved. */
static enum maille_code pool(struct ledger *ledger, int64_t id, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool there;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_REVEALED_SINCE, error));
    sqlite3_bind_int64(statement, 1, id);
    MAILLE_TRY(ledger_next(&there, ledger, statement, error));
    if (there && sqlite3_column_int(statement, 0) != 0) {
        code = maille_refuse(error, "again", "another question was counted since this one was called");
        goto out;
    }
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_PUT_REVEALED, error));
    sqlite3_bind_int64(statement, 1, id);
    code = ledger_run(ledger, statement, error);
out:
    return code;
}

static enum maille_code leave(struct ledger *ledger, int64_t id, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_LEAVE, error));
    sqlite3_bind_int64(statement, 1, id);
    code = ledger_run(ledger, statement, error);
out:
    return code;
}

/* The groups of one analysis. */
static enum maille_code update(struct ledger *ledger, enum ledger_statement which, int64_t id,
                               uint32_t analysis, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    MAILLE_TRY(ledger_ready(&statement, ledger, which, error));
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, analysis);
    code = ledger_run(ledger, statement, error);
out:
    return code;
}

/* The parts of an analysis that goes on of which its results will show nothing. */
static enum maille_code hide(struct ledger *ledger, int64_t id, uint32_t analysis,
                             const struct ledger_hidden *hidden, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    for (size_t part = 0; part < hidden->n; part++) {
        if (!hidden->parts[part])
            continue;
        MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_HIDE, error));
        sqlite3_bind_int64(statement, 1, id);
        sqlite3_bind_int64(statement, 2, analysis);
        sqlite3_bind_int64(statement, 3, (int64_t)part);
        MAILLE_TRY(ledger_run(ledger, statement, error));
    }
out:
    return code;
}

/* LEDGER_POOL, LEDGER_ANSWER. */
static enum maille_code mark(struct ledger *ledger, enum ledger_statement which, const uint8_t *query,
                             const uint32_t *analyses, size_t n_analyses, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int64_t id = 0;
    MAILLE_TRY(ledger_begin(ledger, error));
    code = reserved(&id, ledger, query, error);
    for (size_t i = 0; i < n_analyses && code == MAILLE_OK; i++)
        code = update(ledger, which, id, analyses[i], error);
    if (code == MAILLE_OK && which == LEDGER_POOL)
        code = pool(ledger, id, error);
    code = ledger_finish(ledger, code, error);
out:
    return code;
}

enum maille_code ledger_pool(struct ledger *ledger, const uint8_t *query, const uint32_t *analyses,
                             size_t n_analyses, struct maille_error *error)
{
    return mark(ledger, LEDGER_POOL, query, analyses, n_analyses, error);
}

/* An earlier plan of this query may have left what this one shows. */
static enum maille_code plan(struct ledger *ledger, int64_t id, uint32_t analysis,
                             const struct ledger_hidden *hidden, struct maille_error *error)
{
    enum maille_code code = update(ledger, LEDGER_TAKE_BACK, id, analysis, error);
    if (code == MAILLE_OK && hidden != NULL)
        code = hide(ledger, id, analysis, hidden, error);
    return code != MAILLE_OK ? code : update(ledger, LEDGER_PLAN, id, analysis, error);
}

enum maille_code ledger_plan(struct ledger *ledger, const uint8_t *query, const uint32_t *analyses,
                             size_t n_analyses, const struct ledger_hidden *hidden, const struct shown *shown,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int64_t id = 0;
    MAILLE_TRY(ledger_begin(ledger, error));
    code = reserved(&id, ledger, query, error);
    for (size_t i = 0; i < n_analyses && code == MAILLE_OK; i++)
        code = plan(ledger, id, analyses[i], hidden == NULL ? NULL : &hidden[i], error);
    if (code == MAILLE_OK)
        code = leave(ledger, id, error);
    if (code == MAILLE_OK)
        code = ledger_shown_put(ledger, query, shown, error);
    code = ledger_finish(ledger, code, error);
out:
    return code;
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
