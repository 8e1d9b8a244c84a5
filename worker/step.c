#include "worker/step.h"

#include "worker/channel.h"

enum { STEP_REQUEST = 40, STEP_DONE = 41, STEP_ERROR = 42 };
static const size_t record_max = TALLY_BYTES_MAX + 4 * (size_t)RUN_BYTES_MAX;

/* --- the process --- */

static enum maille_code serve_one(int end, struct record *record, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error why = {0};
    struct bytes run = {0}, body = {0};
    MAILLE_TRY(channel_receive(end, record, record_max, error));
    if (record->kind != STEP_REQUEST) {
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected a step that is asked for, found a record of kind %u", record->kind);
        goto out;
    }
    const enum maille_code stepped = step_answer(&run, record->body.data, record->body.length, &why);
    if (stepped == MAILLE_OK) {
        code = channel_send(end, STEP_DONE, run.data, run.length, error);
        goto out;
    }
    bytes_put_u32(&body, (uint32_t)stepped);
    bytes_put_string(&body, why.sentence);
    MAILLE_TRY(bytes_check(&body, error));
    code = channel_send(end, STEP_ERROR, body.data, body.length, error);
out:
    bytes_wipe(&record->body);
    bytes_wipe(&run);
    bytes_clear(&body);
    return code;
}

enum maille_code step_serve(int end, struct maille_error *error)
{
    struct record record = {0};
    enum maille_code code = MAILLE_OK;
    while (code == MAILLE_OK)
        code = serve_one(end, &record, error);
    return code;
}

/* --- the vault's end --- */

static enum maille_code answer_read(struct bytes *run, struct record *record, struct maille_error *error)
{
    struct reader reader = reader_of(record->body.data, record->body.length);
    if (record->kind == STEP_DONE) {
        bytes_wipe(run);
        *run = record->body;
        record->body = (struct bytes){0};
        return MAILLE_OK;
    }
    const uint32_t code = reader_u32(&reader);
    size_t length = 0;
    const uint8_t *sentence = reader_block(&reader, MAILLE_SENTENCE_MAX - 1, &length);
    if (record->kind != STEP_ERROR || sentence == NULL || !reader_done(&reader) || code == MAILLE_OK ||
        code > MAILLE_INTERNAL)
        return maille_fail(error, MAILLE_INTERNAL,
                           "expected an answer of the process step, found other bytes");
    return maille_fail(error, (enum maille_code)code, "%.*s", (int)length, (const char *)sentence);
}

static enum maille_code over(void *context, struct bytes *run, const struct step_request *request,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct step_remote *remote = context;
    struct bytes bytes = {0};
    struct record record = {0};
    step_request_write(&bytes, request);
    MAILLE_TRY(bytes_check(&bytes, error));
    MAILLE_TRY(channel_send(remote->end, STEP_REQUEST, bytes.data, bytes.length, error));
    MAILLE_TRY(channel_receive(remote->end, &record, record_max, error));
    code = answer_read(run, &record, error);
out:
    remote->broken = remote->broken || code == MAILLE_INTERNAL;
    bytes_wipe(&bytes);
    bytes_wipe(&record.body);
    return code;
}

struct step_source step_over(struct step_remote *remote)
{
    return (struct step_source){.context = remote, .step = over};
}
