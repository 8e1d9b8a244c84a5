/* libpq, loaded by name when a database is asked for: a site without one needs no libpq. Private to this
 * room. */
#ifndef REGISTRY_LIBPQ_H
#define REGISTRY_LIBPQ_H

#include <libpq-fe.h>

#include "base/error.h"

/* The functions that are used. */
struct libpq {
    PGconn *(*connectdb)(const char *);
    PGconn *(*connectdb_params)(const char *const *, const char *const *, int);
    PGconn *(*connect_start)(const char *);
    void (*finish)(PGconn *);
    ConnStatusType (*status)(const PGconn *);
    char *(*error_message)(const PGconn *);
    char *(*host)(const PGconn *);
    char *(*pass)(const PGconn *);
    PQconninfoOption *(*conninfo)(PGconn *);
    PQconninfoOption *(*conninfo_parse)(const char *, char **);
    void (*conninfo_free)(PQconninfoOption *);
    PQnoticeProcessor (*set_notice)(PGconn *, PQnoticeProcessor, void *);
    PGresult *(*exec)(PGconn *, const char *);
    PGresult *(*exec_params)(PGconn *, const char *, int, const Oid *, const char *const *, const int *,
                             const int *, int);
    PGresult *(*get_result)(PGconn *);
    ExecStatusType (*result_status)(const PGresult *);
    char *(*error_field)(const PGresult *, int);
    void (*clear)(PGresult *);
    int (*ntuples)(const PGresult *);
    int (*nfields)(const PGresult *);
    char *(*fname)(const PGresult *, int);
    Oid (*ftype)(const PGresult *, int);
    char *(*getvalue)(const PGresult *, int, int);
    int (*get_copy_data)(PGconn *, char **, int);
    void (*freemem)(void *);
};

/* MAILLE_FAILED: it is not installed. */
enum maille_code libpq_load(struct libpq *pq, struct maille_error *error) MAILLE_CHECKED;

/* What libpq says of a connection, on one line: MAILLE_INVALID, "expected PostgreSQL to WHAT, found: …". */
enum maille_code libpq_fail(const struct libpq *pq, const PGconn *connection, const char *what,
                            struct maille_error *error);

/* MAILLE_INVALID where the words of a connection are none, or hold a password. where: "--data". */
enum maille_code libpq_refuse_password(const struct libpq *pq, const char *connection, const char *where,
                                       struct maille_error *error) MAILLE_CHECKED;

#endif
