/* PostgreSQL (tried: 15) as a site's engine, through libpq. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "registry/engine.h"
#include "registry/libpq.h"

enum { PARAMETERS_MAX = 64, COPY_HEAD = 19, CONNECT_S = 10 };

/* A network that says nothing ends: after 60 s without an answer of the other machine. */
static const char *const patience[][2] = {{"keepalives", "1"},
                                          {"keepalives_idle", "30"},
                                          {"keepalives_interval", "10"},
                                          {"keepalives_count", "3"},
                                          {"tcp_user_timeout", "60000"}};

static const struct engine_words words = {.decimal = "numeric",
                                          .text = "text",
                                          .day = "timestamp",
                                          .small = "smallint",
                                          .integer = "integer",
                                          .big = "bigint",
                                          .hash = "hashint8extended"};

struct engine_address {
    struct libpq pq;
    char *names[PARAMETERS_MAX + 1], *values[PARAMETERS_MAX + 1];
    size_t n;
    int port;
};

struct engine {
    struct libpq pq;
    PGconn *connection;
};

/* --- the address --- */

static bool keep(struct engine_address *address, const char *name, const char *value)
{
    if (address->n == PARAMETERS_MAX)
        return false;
    address->names[address->n] = strdup(name);
    address->values[address->n] = strdup(value);
    return address->names[address->n] != NULL && address->values[address->n++] != NULL;
}

static const char *value_of(const struct engine_address *address, const char *name)
{
    for (size_t i = 0; i < address->n; i++)
        if (strcmp(address->names[i], name) == 0)
            return address->values[i];
    return "";
}

static void forget(struct engine_address *address)
{
    if (address == NULL)
        return;
    for (size_t i = 0; i <= address->n && i < PARAMETERS_MAX; i++) {
        if (address->values[i] != NULL)
            explicit_bzero(address->values[i], strlen(address->values[i]));
        free(address->names[i]);
        free(address->values[i]);
    }
    free(address);
}

/* All that libpq has read, of a service file, the environment and its defaults, but what names these files.
 */
static bool keep_options(struct engine_address *address, PGconn *connection)
{
    static const char *const left[] = {"service",    "servicefile", "passfile",        "password",
                                       "gssencmode", "hostaddr",    "connect_timeout", "options"};
    bool done = true;
    PQconninfoOption *options = address->pq.conninfo(connection);
    if (options == NULL)
        return false;
    for (const PQconninfoOption *option = options; option->keyword != NULL && done; option++) {
        bool kept = option->val != NULL && option->val[0] != '\0';
        for (size_t i = 0; i < sizeof left / sizeof *left; i++)
            kept = kept && strcmp(option->keyword, left[i]) != 0;
        done = !kept || keep(address, option->keyword, option->val);
    }
    address->pq.conninfo_free(options);
    const char *password = address->pq.pass(connection);
    if (done && password != NULL && password[0] != '\0')
        done = keep(address, "password", password);
    for (size_t i = 0; i < sizeof patience / sizeof *patience && done; i++)
        if (value_of(address, patience[i][0])[0] == '\0')
            done = keep(address, patience[i][0], patience[i][1]);
    return done && keep(address, "gssencmode", "disable") &&
           keep(address, "fallback_application_name", "maille");
}

/* Numbers of an address that no other machine has. */
static bool is_here(const char *numbers)
{
    return strncmp(numbers, "127.", 4) == 0 || strcmp(numbers, "::1") == 0;
}

/* The numbers of the host, once: behind walls no library can be loaded that would look it up. */
static enum maille_code look_up(struct engine_address *address, const char *where, struct maille_error *error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char numbers[128];
    const char *host = value_of(address, "host"), *port = value_of(address, "port");
    if (host[0] == '\0' || host[0] == '/' || strchr(host, ',') != NULL || strchr(port, ',') != NULL)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected one host that is reached by TCP in %s (host=127.0.0.1 for this machine), "
            "found \"%.100s\"",
            where, host);
    address->port = port[0] != '\0' ? atoi(port) : 5432;
    const int status = getaddrinfo(host, port, &hints, &found);
    if (status != 0 || getnameinfo(found->ai_addr, found->ai_addrlen, numbers, sizeof numbers, NULL, 0,
                                   NI_NUMERICHOST) != 0) {
        if (found != NULL)
            freeaddrinfo(found);
        return maille_fail(error, MAILLE_INVALID, "expected the address of the host %.100s (%s), found: %s",
                           host, where, gai_strerror(status));
    }
    freeaddrinfo(found);
    if (!is_here(numbers) && strcmp(value_of(address, "sslmode"), "verify-full") != 0)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected sslmode=verify-full (and sslrootcert) in %s, since %.60s is another machine, "
            "found sslmode=%.30s",
            where, numbers, value_of(address, "sslmode"));
    return keep(address, "hostaddr", numbers)
               ? MAILLE_OK
               : maille_fail(error, MAILLE_MEMORY, "expected memory for a connection, found none");
}

static enum maille_code find(struct engine_address **address, const char *connection, const char *where,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct libpq pq = {0};
    PGconn *begun = NULL;
    struct engine_address *made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a connection, found none");
    MAILLE_TRY(libpq_load(&pq, error));
    made->pq = pq;
    MAILLE_TRY(libpq_refuse_password(&pq, connection, where, error));
    /* Files are read when a connection begins; this one is never brought to its end. */
    begun = pq.connect_start(connection);
    if (begun == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a connection, found none");
        goto out;
    }
    if (pq.host(begun) == NULL || pq.host(begun)[0] == '\0') {
        code = libpq_fail(&pq, begun, "know the connection", error);
        goto out;
    }
    if (!keep_options(made, begun)) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a connection, found none");
        goto out;
    }
    MAILLE_TRY(look_up(made, where, error));
    *address = made;
    made = NULL;
out:
    if (begun != NULL)
        pq.finish(begun);
    forget(made);
    return code;
}

static int port_of(const struct engine_address *address)
{
    return address->port;
}

static const char *file_of(const struct engine_address *address, size_t i)
{
    static const char *const files[] = {"sslrootcert", "sslcert", "sslkey", "sslcrl"};
    return i < sizeof files / sizeof *files ? value_of(address, files[i]) : NULL;
}

/* --- a connection --- */

static void no_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

/* Why a statement failed, in one sentence, without the server's own words: they may hold values. result may
 * be NULL. */
static enum maille_code fail_statement(const struct engine *engine, const PGresult *result, const char *what,
                                       struct maille_error *error)
{
    const char *state = result != NULL ? engine->pq.error_field(result, PG_DIAG_SQLSTATE) : NULL;
    if (engine->pq.status(engine->connection) != CONNECTION_OK ||
        (state != NULL && strncmp(state, "57P0", 4) == 0))
        return maille_fail(
            error, MAILLE_UNREACHABLE,
            "expected PostgreSQL to %s, found that the server stopped or hung up; start it again", what);
    if (state != NULL && strcmp(state, "57014") == 0)
        return maille_fail(error, MAILLE_TIMEOUT,
                           "expected PostgreSQL to %s within the time of source_timeout, found that it takes "
                           "longer",
                           what);
    if (state != NULL && strcmp(state, "42P01") == 0)
        return maille_fail(
            error, MAILLE_CORRUPT,
            "expected PostgreSQL to %s, found that the table is gone; restore it or import again", what);
    return maille_fail(error, MAILLE_INVALID,
                       "expected PostgreSQL to %s, found SQLSTATE %.5s%s; the server's own log says more",
                       what, state != NULL ? state : "00000",
                       state == NULL                  ? ""
                       : strcmp(state, "42501") == 0  ? " (the role has no right to it)"
                       : strcmp(state, "42704") == 0  ? " (no role of that name)"
                       : strncmp(state, "22", 2) == 0 ? " (a value of another kind)"
                       : strncmp(state, "53", 2) == 0 ? " (no room on the server)"
                                                      : "");
}

static enum maille_code run(struct engine *engine, struct engine_answer *answer, struct arena *arena,
                            const char *statement, const struct engine_parameters *parameters,
                            const char *what, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct libpq *pq = &engine->pq;
    log_line(LOG_LEVEL_DEBUG, "statement: %.800s", statement);
    PGresult *result = parameters == NULL ? pq->exec(engine->connection, statement)
                                          : pq->exec_params(engine->connection, statement, (int)parameters->n,
                                                            NULL, parameters->values, NULL, NULL, 0);
    const ExecStatusType status = pq->result_status(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        code = fail_statement(engine, result, what, error);
        goto out;
    }
    if (answer == NULL)
        goto out;
    *answer =
        (struct engine_answer){.rows = (size_t)pq->ntuples(result), .columns = (size_t)pq->nfields(result)};
    answer->cells = arena_array(arena, answer->rows * answer->columns + 1, sizeof *answer->cells);
    for (size_t r = 0; r < answer->rows; r++)
        for (size_t c = 0; c < answer->columns; c++)
            answer->cells[r * answer->columns + c] =
                arena_strdup(arena, pq->getvalue(result, (int)r, (int)c));
out:
    pq->clear(result);
    return code;
}

static void close_engine(struct engine *engine)
{
    if (engine == NULL)
        return;
    if (engine->connection != NULL)
        engine->pq.finish(engine->connection);
    free(engine);
}

static enum maille_code connect_engine(struct engine **engine, const struct engine_address *address,
                                       unsigned timeout_s, struct maille_error *error)
{
    static const char *const first[] = {"SET client_encoding TO 'UTF8'", "SET client_min_messages TO error",
                                        "SET search_path TO pg_catalog", "SET DateStyle TO ISO",
                                        "SET standard_conforming_strings TO on"};
    enum maille_code code = MAILLE_OK;
    const char *names[PARAMETERS_MAX + 3], *values[PARAMETERS_MAX + 3];
    char wait[16], timeout[64];
    struct engine *made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a connection, found none");
    made->pq = address->pq;
    memcpy(names, address->names, address->n * sizeof *names);
    memcpy(values, address->values, address->n * sizeof *values);
    snprintf(wait, sizeof wait, "%d", CONNECT_S);
    names[address->n] = "connect_timeout";
    values[address->n] = wait;
    names[address->n + 1] = values[address->n + 1] = NULL;
    made->connection = made->pq.connectdb_params(names, values, 0);
    if (made->pq.status(made->connection) != CONNECTION_OK) {
        code = libpq_fail(&made->pq, made->connection, "take the connection", error);
        goto out;
    }
    made->pq.set_notice(made->connection, no_notice, NULL);
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        MAILLE_TRY(run(made, NULL, NULL, first[i], NULL, "begin", error));
    snprintf(timeout, sizeof timeout, "SET statement_timeout TO '%us'", timeout_s);
    MAILLE_TRY(run(made, NULL, NULL, timeout, NULL, "begin", error));
    *engine = made;
    made = NULL;
out:
    close_engine(made);
    return code;
}

/* --- the role --- */

static enum maille_code check_reader(struct engine *engine, const char *schema, struct maille_error *error)
{
    static const char question[] =
        "SELECT CASE WHEN session_user <> current_user THEN 'one that took another role (SET ROLE)'"
        " WHEN r.rolsuper THEN 'a superuser'"
        " WHEN r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls THEN"
        " 'one with CREATEROLE, CREATEDB, REPLICATION or BYPASSRLS'"
        " WHEN EXISTS (SELECT 1 FROM pg_roles g WHERE g.oid <> r.oid AND pg_has_role(r.oid, g.oid, 'MEMBER'))"
        " THEN 'a member of another role'"
        " WHEN EXISTS (SELECT 1 FROM pg_namespace n WHERE has_schema_privilege(r.oid, n.oid, 'CREATE')) THEN"
        " 'one that may create tables'"
        " WHEN has_database_privilege(r.oid, current_database(), 'CREATE') THEN 'one that may create schemas'"
        " WHEN EXISTS (SELECT 1 FROM tables t WHERE t.relowner = r.oid) THEN 'the owner of a table'"
        " WHEN EXISTS (SELECT 1 FROM tables t WHERE has_table_privilege(r.oid, t.oid, 'INSERT, UPDATE, "
        "DELETE,"
        " TRUNCATE') OR has_any_column_privilege(r.oid, t.oid, 'INSERT, UPDATE')) THEN 'one that may write a "
        "table'"
        " WHEN EXISTS (SELECT 1 FROM tables t WHERE NOT (t.nspname = '%s' AND t.relname LIKE "
        "'snapshot\\_%%') AND"
        " has_schema_privilege(r.oid, t.relnamespace, 'USAGE') AND"
        " (has_table_privilege(r.oid, t.oid, 'SELECT') OR has_any_column_privilege(r.oid, t.oid, 'SELECT'))) "
        "THEN"
        " 'one that may read other tables' ELSE '' END FROM pg_roles r WHERE r.rolname = current_user";
    enum maille_code code = MAILLE_OK;
    struct engine_answer answer;
    struct arena *arena = arena_new();
    struct bytes text = {0};
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a question, found none");
    bytes_put_text(
        &text,
        "WITH tables AS (SELECT c.oid, c.relname, c.relnamespace, c.relowner, n.nspname FROM pg_class c JOIN"
        " pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')) ");
    bytes_printf(&text, question, schema);
    bytes_put_u8(&text, '\0');
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(run(engine, &answer, arena, (const char *)text.data, NULL, "say what the role may do", error));
    if (answer.rows != 1 || answer.cells[0][0] != '\0')
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected a role that can read the frozen tables of the schema %.64s and do nothing "
                        "else, found %s; give the worker a role of its own",
                        schema, answer.rows == 1 ? answer.cells[0] : "none");
out:
    bytes_clear(&text);
    arena_free(arena);
    return code;
}

/* --- a relation --- */

static enum engine_kind kind_of(const char *type)
{
    static const struct {
        const char *type;
        enum engine_kind kind;
    } kinds[] = {{"smallint", ENGINE_NUMBER}, {"integer", ENGINE_NUMBER},
                 {"bigint", ENGINE_NUMBER},   {"numeric", ENGINE_NUMBER},
                 {"real", ENGINE_NUMBER},     {"double precision", ENGINE_NUMBER},
                 {"text", ENGINE_TEXT},       {"character varying", ENGINE_TEXT},
                 {"character", ENGINE_TEXT},  {"boolean", ENGINE_BOOLEAN},
                 {"date", ENGINE_DAY},        {"timestamp without time zone", ENGINE_DAY}};
    const size_t length = strcspn(type, "(");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].type, type) == 0 ||
            (length == strlen(kinds[i].type) && strncmp(kinds[i].type, type, length) == 0))
            return kinds[i].kind;
    return ENGINE_OTHER;
}

static enum maille_code describe(struct engine_column **columns, size_t *n, struct engine *engine,
                                 struct arena *arena, const char *relation, struct maille_error *error)
{
    struct engine_answer answer = {0};
    /* relation holds letters, digits, dots and quotation marks alone. */
    const char *question = arena_printf(
        arena,
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a WHERE a.attrelid ="
        " '%s'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        relation);
    enum maille_code code = run(engine, &answer, arena, question, NULL, "know the relation", error);
    if (code != MAILLE_OK)
        return code;
    *n = answer.rows;
    *columns = arena_array(arena, answer.rows + 1, sizeof **columns);
    for (size_t i = 0; i < answer.rows; i++)
        (*columns)[i] = (struct engine_column){.name = answer.cells[2 * i],
                                               .type = answer.cells[2 * i + 1],
                                               .kind = kind_of(answer.cells[2 * i + 1])};
    return MAILLE_OK;
}

/* --- whole numbers --- */

static int64_t big_endian(const uint8_t *at, size_t length)
{
    uint64_t value = at[0] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < length; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

/* The rows of COPY … (FORMAT binary): a head, then per row the number of fields, each with its length; -1
 * ends it (PostgreSQL 15, COPY, "Binary Format"). */
static bool read_rows(int64_t *out, size_t rows, size_t columns, const struct bytes *copied)
{
    static const uint8_t signature[11] = "PGCOPY\n\377\r\n";
    struct reader reader = reader_of(copied->data, copied->length);
    const uint8_t *head = reader_take(&reader, COPY_HEAD);
    if (head == NULL || memcmp(head, signature, sizeof signature) != 0 || big_endian(head + 15, 4) != 0)
        return false;
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *count = reader_take(&reader, 2);
        if (count == NULL || big_endian(count, 2) != (int64_t)columns)
            return false;
        for (size_t c = 0; c < columns; c++) {
            const uint8_t *size = reader_take(&reader, 4);
            const int64_t length = size != NULL ? big_endian(size, 4) : 0;
            if (length != 2 && length != 4 && length != 8)
                return false;
            const uint8_t *value = reader_take(&reader, (size_t)length);
            if (value == NULL)
                return false;
            out[c * rows + r] = big_endian(value, (size_t)length);
        }
    }
    const uint8_t *end = reader_take(&reader, 2);
    return end != NULL && big_endian(end, 2) == -1 && reader_done(&reader);
}

static enum maille_code fail_rows(size_t rows, size_t columns, struct maille_error *error)
{
    return maille_fail(error, MAILLE_CORRUPT,
                       "expected %zu rows of %zu whole numbers from PostgreSQL, found others: the table was "
                       "changed; restore it or import again",
                       rows, columns);
}

/* Rows are not left in freed memory. A function of its own: gcc 12 with its sanitizers takes part for NULL
 * where it is inlined. */
static __attribute__((noinline)) void drop_part(const struct libpq *pq, char *part, size_t length)
{
    explicit_bzero(part, length);
    pq->freemem(part);
}

static enum maille_code integers(struct engine *engine, int64_t *out, size_t rows, size_t columns,
                                 const char *statement, struct maille_error *error)
{
    static const char what[] = "give the rows";
    enum maille_code code = MAILLE_OK;
    const struct libpq *pq = &engine->pq;
    struct bytes copied = {0}, copy = {0};
    PGresult *result = NULL;
    int got;
    const size_t most = COPY_HEAD + rows * (2 + columns * (4 + sizeof *out)) + 2;
    log_line(LOG_LEVEL_DEBUG, "statement: %.800s", statement);
    bytes_printf(&copy, "COPY (%s) TO STDOUT (FORMAT binary)", statement);
    bytes_put_u8(&copy, '\0');
    MAILLE_TRY(bytes_check(&copy, error));
    result = pq->exec(engine->connection, (const char *)copy.data);
    if (pq->result_status(result) != PGRES_COPY_OUT) {
        code = fail_statement(engine, result, what, error);
        goto out;
    }
    for (char *part = NULL; (got = pq->get_copy_data(engine->connection, &part, 0)) > 0; part = NULL) {
        const bool fits = (size_t)got <= most - copied.length;
        if (fits)
            bytes_put(&copied, part, (size_t)got);
        drop_part(pq, part, (size_t)got);
        if (!fits) { /* what else it sends is not awaited */
            pq->finish(engine->connection);
            engine->connection = NULL;
            code = fail_rows(rows, columns, error);
            goto out;
        }
    }
    /* The last result says whether all of it came. */
    for (PGresult *last; (last = pq->get_result(engine->connection)) != NULL; pq->clear(last))
        if (code == MAILLE_OK && pq->result_status(last) != PGRES_COMMAND_OK)
            code = fail_statement(engine, last, what, error);
    if (code == MAILLE_OK && got == -2)
        code = fail_statement(engine, NULL, what, error);
    if (code != MAILLE_OK)
        goto out;
    MAILLE_TRY(bytes_check(&copied, error));
    if (!read_rows(out, rows, columns, &copied))
        code = fail_rows(rows, columns, error);
out:
    pq->clear(result);
    bytes_wipe(&copied);
    bytes_clear(&copy);
    return code;
}

const struct engine_driver engine_postgresql = {.name = "postgresql",
                                                .words = &words,
                                                .find = find,
                                                .forget = forget,
                                                .port = port_of,
                                                .file = file_of,
                                                .connect = connect_engine,
                                                .close = close_engine,
                                                .check_reader = check_reader,
                                                .describe = describe,
                                                .run = run,
                                                .integers = integers};
