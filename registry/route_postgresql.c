/* PostgreSQL through libpq: one query of a role that can only read, by a cursor, in one read-only snapshot of
 * the database. No password passes through this program: libpq takes it from ~/.pgpass (PGPASSFILE) or a
 * service file. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "registry/libpq.h"
#include "registry/route.h"

enum { ROWS_AT_A_TIME = 5000, OID_BOOL = 16, OID_TIMESTAMP = 1114, OID_TIMESTAMPTZ = 1184 };
static const char prefix[] = "postgresql:";

static bool takes(const char *where)
{
    return strncmp(where, prefix, sizeof prefix - 1) == 0;
}

/* One statement; result may be NULL. */
static enum maille_code run(PGresult **result, const struct libpq *pq, PGconn *connection,
                            const char *statement, const char *what, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    PGresult *got = pq->exec_params(connection, statement, 0, NULL, NULL, NULL, NULL, 0);
    const ExecStatusType status = pq->result_status(got);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        code = libpq_fail(pq, connection, what, error);
    if (code == MAILLE_OK && result != NULL)
        *result = got;
    else
        pq->clear(got);
    return code;
}

/* A role that could write is refused: the import reads, and nothing that it is told may do more. */
static enum maille_code check_role(const struct libpq *pq, PGconn *connection, struct maille_error *error)
{
    static const char question[] =
        "SELECT CASE WHEN (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN 'a "
        "superuser' "
        "WHEN EXISTS (SELECT 1 FROM information_schema.role_table_grants WHERE grantee = current_user AND "
        "privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')) THEN 'one that may write' ELSE '' END";
    PGresult *result = NULL;
    enum maille_code code = run(&result, pq, connection, question, "say what the role may do", error);
    if (code != MAILLE_OK)
        return code;
    const char *found = pq->getvalue(result, 0, 0);
    if (found[0] != '\0')
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected a role that can only read, found %s; GRANT SELECT on the view to a role of its own",
            found);
    pq->clear(result);
    return code;
}

/* A value as the dictionary's words have it: 1 and 0, and a day without the hour 0. */
static const char *plain(char *value, Oid type)
{
    if (type == OID_BOOL)
        return value[0] == 't' ? "1" : value[0] == 'f' ? "0" : value;
    if (type == OID_TIMESTAMP || type == OID_TIMESTAMPTZ) {
        char *hour = strstr(value, " 00:00:00");
        if (hour != NULL && (hour[9] == '\0' || hour[9] == '+' || hour[9] == '-'))
            *hour = '\0';
    }
    return value;
}

static enum maille_code write_rows(int to, const struct libpq *pq, const PGresult *result, bool with_header,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes out = {0};
    const int fields = pq->nfields(result);
    for (int f = 0; with_header && f < fields; f++)
        route_put_field(&out, pq->fname(result, f), f == 0);
    if (with_header)
        bytes_put_u8(&out, '\n');
    for (int r = 0; r < pq->ntuples(result); r++) {
        for (int f = 0; f < fields; f++)
            route_put_field(&out, plain(pq->getvalue(result, r, f), pq->ftype(result, f)), f == 0);
        bytes_put_u8(&out, '\n');
    }
    MAILLE_TRY(bytes_check(&out, error));
    code = file_write_all(to, out.data, out.length, error);
out:
    bytes_wipe(&out);
    return code;
}

static enum maille_code fetch(int to, const char *where, const char *query, struct maille_error *error)
{
    static const char *const first[] = {"SET client_encoding TO 'UTF8'", "SET DateStyle TO 'ISO'",
                                        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
    enum maille_code code = MAILLE_OK;
    struct libpq pq = {0};
    PGconn *connection = NULL;
    PGresult *result = NULL;
    struct bytes declare = {0};
    const char *target = strncmp(where, "postgresql://", 13) == 0 ? where : where + sizeof prefix - 1;
    char fetch_some[40];
    if (query == NULL)
        return maille_fail(error, MAILLE_INVALID,
                           "expected --view NAME or --query FILE.sql with PostgreSQL, found neither");
    MAILLE_TRY(libpq_load(&pq, error));
    MAILLE_TRY(libpq_refuse_password(&pq, target, "--data", error));
    connection = pq.connectdb(target);
    if (pq.status(connection) != CONNECTION_OK) {
        code = libpq_fail(&pq, connection, "take the connection", error);
        goto out;
    }
    MAILLE_TRY(check_role(&pq, connection, error));
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        MAILLE_TRY(run(NULL, &pq, connection, first[i], "begin", error));
    bytes_printf(&declare, "DECLARE rows NO SCROLL CURSOR FOR %s", query);
    bytes_put_u8(&declare, '\0');
    MAILLE_TRY(bytes_check(&declare, error));
    MAILLE_TRY(run(NULL, &pq, connection, (const char *)declare.data, "run the query", error));
    snprintf(fetch_some, sizeof fetch_some, "FETCH %d FROM rows", ROWS_AT_A_TIME);
    for (bool begun = false, more = true; more; begun = true) {
        MAILLE_TRY(run(&result, &pq, connection, fetch_some, "give rows", error));
        MAILLE_TRY(write_rows(to, &pq, result, !begun, error));
        more = pq.ntuples(result) == ROWS_AT_A_TIME;
        pq.clear(result);
        result = NULL;
    }
out:
    bytes_clear(&declare);
    if (result != NULL)
        pq.clear(result);
    if (connection != NULL)
        pq.finish(connection);
    return code;
}

const struct route route_postgresql = {
    .name = "postgresql", .where = "postgresql:service=NAME", .takes = takes, .fetch = fetch};
