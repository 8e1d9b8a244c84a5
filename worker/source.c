#include "worker/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "worker/channel.h"
#include "worker/snapshots.h"

enum source_record {
    SOURCE_COUNT =
        60, /* LE32 number, LE32 variables, 64 characters of the salt → LE64 rows, patients, two sums */
    SOURCE_BLOCK =
        61, /* LE32 number, LE64 first, LE32 rows, LE32 n, n LE32 columns → n times rows LE64 entries */
    SOURCE_FAILED = 62 /* LE32 code, then the sentence */
};
enum { REQUEST_MAX = 4096, SALT_LENGTH = 64 };
static const size_t reply_max = (size_t)ENGINE_COLUMNS_AT_ONCE * COLUMNS_BLOCK_ROWS * 8 + 4096;

/* --- where the engine is --- */

enum maille_code source_find(struct site_engine *engine, const struct worker_settings *settings,
                             struct maille_error *error)
{
    struct site_engine found = {.driver = engine_find(settings->source_driver),
                                .timeout_s = (unsigned)settings->source_timeout_s};
    if (settings->source != SOURCE_ENGINE)
        return maille_fail(error, MAILLE_INVALID,
                           "expected source: engine in worker.yaml, found source: snapshot");
    if (found.driver == NULL)
        return maille_fail(error, MAILLE_INVALID,
                           "expected source_driver: postgresql in worker.yaml, found \"%.60s\"",
                           settings->source_driver);
    if (!engine_name_legal(settings->source_schema))
        return maille_fail(
            error, MAILLE_INVALID,
            "expected source_schema in worker.yaml of small letters, digits and _, found \"%.80s\"",
            settings->source_schema);
    memcpy(found.schema, settings->source_schema, strlen(settings->source_schema) + 1);
    enum maille_code code = found.driver->find(&found.address, settings->source_connection,
                                               "worker.yaml (source_connection)", error);
    if (code == MAILLE_OK)
        *engine = found;
    return code;
}

static enum maille_code dial(struct site_engine *engine, struct maille_error *error)
{
    struct engine *made = NULL;
    enum maille_code code = engine->driver->connect(&made, engine->address, engine->timeout_s, error);
    if (code == MAILLE_OK)
        engine->link =
            (struct engine_link){.driver = engine->driver, .engine = made, .schema = engine->schema};
    return code;
}

static void hang_up(struct site_engine *engine)
{
    if (engine->link.engine != NULL)
        engine->driver->close(engine->link.engine);
    engine->link.engine = NULL;
}

static enum maille_code check_role(struct site_engine *engine, struct maille_error *error)
{
    enum maille_code code = engine->driver->check_reader(engine->link.engine, engine->schema, error);
    if (code != MAILLE_OK)
        hang_up(engine);
    return code;
}

enum maille_code source_connect(struct site_engine *engine, struct maille_error *error)
{
    enum maille_code code = dial(engine, error);
    return code == MAILLE_OK ? check_role(engine, error) : code;
}

void source_clear(struct site_engine *engine)
{
    if (engine->driver == NULL)
        return;
    hang_up(engine);
    engine->driver->forget(engine->address);
    *engine = (struct site_engine){0};
}

enum maille_code source_columns_open(struct columns **columns, struct site_engine *engine, const char *dir,
                                     const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct worker_settings settings;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    if (!engine_columns_path(path)) {
        code = columns_open(columns, path, error);
        goto out;
    }
    if (engine->link.engine == NULL) {
        MAILLE_TRY(worker_settings_read(&settings, arena, dir, error));
        MAILLE_TRY(source_find(engine, &settings, error));
        MAILLE_TRY(source_connect(engine, error));
    }
    const struct engine_reader reader = engine_reader_over(&engine->link);
    code = engine_columns_open(columns, path, &reader, error);
out:
    arena_free(arena);
    return code;
}

/* --- the process --- */

/* Connected, or why not. */
static enum maille_code at_hand(struct site_engine *engine, struct maille_error *error)
{
    return engine->link.engine != NULL ? MAILLE_OK : source_connect(engine, error);
}

static bool salt_legal(const char *salt)
{
    return strspn(salt, "0123456789abcdef") == SALT_LENGTH && salt[SALT_LENGTH] == '\0';
}

static enum maille_code nonsense(struct maille_error *error)
{
    return maille_fail(error, MAILLE_INTERNAL, "expected a request of the process data, found nonsense");
}

/* asked: whether the request could be read. */
static enum maille_code give_count(bool *asked, struct bytes *reply, struct site_engine *engine,
                                   const struct bytes *request, struct maille_error *error)
{
    struct reader reader = reader_of(request->data, request->length);
    const uint32_t number = reader_u32(&reader), n = reader_u32(&reader);
    const uint8_t *text = reader_take(&reader, SALT_LENGTH);
    struct engine_count count = {0};
    char salt[SALT_LENGTH + 1] = "";
    if (text != NULL)
        memcpy(salt, text, SALT_LENGTH);
    *asked =
        reader_done(&reader) && number <= SNAPSHOTS_MAX && n <= DICTIONARY_VARIABLES_MAX && salt_legal(salt);
    if (!*asked)
        return nonsense(error);
    enum maille_code code =
        engine_count(&count, engine->driver, engine->link.engine, engine->schema, number, n, salt, error);
    bytes_put_u64(reply, count.rows);
    bytes_put_u64(reply, count.patients);
    bytes_put_u64(reply, count.sums[0]);
    bytes_put_u64(reply, count.sums[1]);
    return code;
}

static enum maille_code give_block(bool *asked, struct bytes *reply, struct site_engine *engine,
                                   const struct bytes *request, struct maille_error *error)
{
    struct reader reader = reader_of(request->data, request->length);
    uint32_t columns[ENGINE_COLUMNS_AT_ONCE];
    const uint32_t number = reader_u32(&reader);
    const uint64_t first = reader_u64(&reader);
    const uint32_t rows = reader_u32(&reader), n = reader_u32(&reader);
    *asked = number <= SNAPSHOTS_MAX && first <= COLUMNS_ROWS_MAX && rows <= COLUMNS_BLOCK_ROWS && n > 0 &&
             n <= ENGINE_COLUMNS_AT_ONCE;
    for (uint32_t i = 0; *asked && i < n; i++) {
        columns[i] = reader_u32(&reader);
        *asked = columns[i] < DICTIONARY_VARIABLES_MAX || columns[i] >= ENGINE_ROW_IDS;
    }
    *asked = *asked && reader_done(&reader);
    if (!*asked)
        return nonsense(error);
    const size_t entries = (size_t)rows * n;
    int64_t *values = malloc((entries + 1) * sizeof *values);
    if (values == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a block of rows, found none");
    enum maille_code code = engine_block(values, engine->driver, engine->link.engine, engine->schema, number,
                                         columns, n, (size_t)first, rows, error);
    bytes_reserve(reply, entries * sizeof *values);
    for (size_t i = 0; code == MAILLE_OK && i < entries && !reply->failed; i++)
        le64_store(reply->data + i * sizeof *values, (uint64_t)values[i]);
    if (values != NULL)
        explicit_bzero(values, entries * sizeof *values);
    free(values);
    return code;
}

/* One request, on a connection that is tried once more where it had gone. */
static enum maille_code answer(bool *asked, struct bytes *reply, struct site_engine *engine,
                               const struct record *request, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    *asked = true;
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        bytes_wipe(reply);
        code = at_hand(engine, error);
        if (code == MAILLE_OK)
            code = request->kind == SOURCE_COUNT   ? give_count(asked, reply, engine, &request->body, error)
                   : request->kind == SOURCE_BLOCK ? give_block(asked, reply, engine, &request->body, error)
                                                   : (*asked = false, nonsense(error));
        if (code != MAILLE_UNREACHABLE)
            break;
        hang_up(engine);
    }
    return code == MAILLE_OK ? bytes_check(reply, error) : code;
}

enum maille_code source_serve(struct site_engine *engine, int end, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct record request = {0};
    struct bytes reply = {0};
    struct maille_error why = {0};
    if (dial(engine, &why) != MAILLE_OK) /* it may come later */
        log_line(LOG_LEVEL_WARNING, "%s", why.sentence);
    else
        MAILLE_TRY(check_role(engine, error));
    for (;;) {
        bool asked = true;
        MAILLE_TRY(channel_receive(end, &request, REQUEST_MAX, error));
        const enum maille_code given = answer(&asked, &reply, engine, &request, &why);
        if (!asked) {
            code = given;
            *error = why;
            goto out;
        }
        if (given != MAILLE_OK) {
            log_line(LOG_LEVEL_ERROR, "%s", why.sentence);
            bytes_wipe(&reply);
            bytes_put_u32(&reply, (uint32_t)given);
            bytes_put_text(&reply, why.sentence);
        }
        MAILLE_TRY(channel_send(end, given == MAILLE_OK ? request.kind : SOURCE_FAILED, reply.data,
                                reply.length, error));
    }
out:
    bytes_wipe(&request.body);
    bytes_wipe(&reply);
    return code;
}

/* --- data's end --- */

/* A failure of the engine is none of the question's: what a study may be told of stays as with files. */
static enum maille_code failed(const struct record *reply, struct maille_error *error)
{
    struct reader reader = reader_of(reply->body.data, reply->body.length);
    const uint32_t told = reader_u32(&reader);
    const size_t length = reader_left(&reader);
    const uint8_t *sentence = reader_take(&reader, length);
    const enum maille_code code =
        told == MAILLE_CORRUPT || told == MAILLE_MEMORY ? (enum maille_code)told : MAILLE_IO;
    return maille_fail(error, code, "%.*s", sentence != NULL ? (int)length : 0,
                       sentence != NULL ? (const char *)sentence : "");
}

static enum maille_code ask(int end, struct record *reply, uint32_t kind, struct bytes *request,
                            size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(bytes_check(request, error));
    MAILLE_TRY(channel_send(end, kind, request->data, request->length, error));
    MAILLE_TRY(channel_receive(end, reply, reply_max, error));
    if (reply->kind == SOURCE_FAILED)
        code = failed(reply, error);
    else if (reply->kind != kind || reply->body.length != length)
        code =
            maille_fail(error, MAILLE_INTERNAL, "expected an answer of the process source, found nonsense");
out:
    bytes_clear(request);
    return code;
}

static enum maille_code remote_count(void *context, struct engine_count *count, uint32_t number,
                                     size_t n_variables, const char *salt, struct maille_error *error)
{
    const struct source_remote *remote = context;
    struct bytes request = {0};
    struct record reply = {0};
    bytes_put_u32(&request, number);
    bytes_put_u32(&request, (uint32_t)n_variables);
    bytes_put_text(&request, salt);
    enum maille_code code = ask(remote->end, &reply, SOURCE_COUNT, &request, sizeof(uint64_t) * 4, error);
    if (code == MAILLE_OK) {
        struct reader reader = reader_of(reply.body.data, reply.body.length);
        count->rows = reader_u64(&reader);
        count->patients = reader_u64(&reader);
        count->sums[0] = reader_u64(&reader);
        count->sums[1] = reader_u64(&reader);
    }
    bytes_wipe(&reply.body);
    return code;
}

static enum maille_code remote_block(void *context, int64_t *out, uint32_t number, const uint32_t *columns,
                                     size_t n, size_t first, size_t rows, struct maille_error *error)
{
    const struct source_remote *remote = context;
    struct bytes request = {0};
    struct record reply = {0};
    bytes_put_u32(&request, number);
    bytes_put_u64(&request, first);
    bytes_put_u32(&request, (uint32_t)rows);
    bytes_put_u32(&request, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        bytes_put_u32(&request, columns[i]);
    enum maille_code code = ask(remote->end, &reply, SOURCE_BLOCK, &request, n * rows * sizeof *out, error);
    for (size_t i = 0; code == MAILLE_OK && i < n * rows; i++)
        out[i] = (int64_t)le64_load(reply.body.data + i * sizeof *out);
    bytes_wipe(&reply.body);
    return code;
}

struct engine_reader source_over(struct source_remote *remote)
{
    return (struct engine_reader){.context = remote, .count = remote_count, .block = remote_block};
}
