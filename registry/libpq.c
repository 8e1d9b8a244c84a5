#include "registry/libpq.h"

#include <stdio.h>
#include <string.h>

#include "registry/route.h"

enum maille_code libpq_load(struct libpq *pq, struct maille_error *error)
{
    static const struct route_library library = {"libpq.so.5", "libpq", "from PostgreSQL", "libpq5"};
    const struct route_function functions[] = {{&pq->connectdb, "PQconnectdb"},
                                               {&pq->connectdb_params, "PQconnectdbParams"},
                                               {&pq->connect_start, "PQconnectStart"},
                                               {&pq->finish, "PQfinish"},
                                               {&pq->status, "PQstatus"},
                                               {&pq->error_message, "PQerrorMessage"},
                                               {&pq->host, "PQhost"},
                                               {&pq->pass, "PQpass"},
                                               {&pq->conninfo, "PQconninfo"},
                                               {&pq->conninfo_parse, "PQconninfoParse"},
                                               {&pq->conninfo_free, "PQconninfoFree"},
                                               {&pq->set_notice, "PQsetNoticeProcessor"},
                                               {&pq->exec, "PQexec"},
                                               {&pq->exec_params, "PQexecParams"},
                                               {&pq->get_result, "PQgetResult"},
                                               {&pq->result_status, "PQresultStatus"},
                                               {&pq->error_field, "PQresultErrorField"},
                                               {&pq->clear, "PQclear"},
                                               {&pq->ntuples, "PQntuples"},
                                               {&pq->nfields, "PQnfields"},
                                               {&pq->fname, "PQfname"},
                                               {&pq->ftype, "PQftype"},
                                               {&pq->getvalue, "PQgetvalue"},
                                               {&pq->get_copy_data, "PQgetCopyData"},
                                               {&pq->freemem, "PQfreemem"}};
    return route_load(&library, functions, sizeof functions / sizeof *functions, error);
}

enum maille_code libpq_fail(const struct libpq *pq, const PGconn *connection, const char *what,
                            struct maille_error *error)
{
    char line[300];
    snprintf(line, sizeof line, "%s", pq->error_message(connection));
    for (char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F) /* it is the server's text */
            *c = c[1] == '\0' ? '\0' : ' ';
    return maille_fail(error, MAILLE_INVALID, "expected PostgreSQL to %s, found: %s", what, line);
}

/* A password on a command line is read by everybody on the machine, one in a file of settings by its readers.
 */
enum maille_code libpq_refuse_password(const struct libpq *pq, const char *connection, const char *where,
                                       struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char *message = NULL;
    PQconninfoOption *options = pq->conninfo_parse(connection, &message);
    if (options == NULL) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a connection such as postgresql:service=NAME, found: %.200s",
                           message != NULL ? message : "no memory");
        pq->freemem(message);
        return code;
    }
    for (const PQconninfoOption *option = options; option->keyword != NULL && code == MAILLE_OK; option++)
        if (strcmp(option->keyword, "password") == 0 && option->val != NULL && option->val[0] != '\0')
            code = maille_fail(error, MAILLE_INVALID,
                               "expected no password in %s, found one; put it in ~/.pgpass (PGPASSFILE) or a "
                               "service file",
                               where);
    pq->conninfo_free(options);
    return code;
}
