/* Evidence in the journal: records that a resumed query passes over, and that maille bundle reads. */
#include "agent/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "agent/private.h"
#include "report/report.h"

enum evidence_kind { EVIDENCE_NETWORK = 1, EVIDENCE_MESSAGE = 2, EVIDENCE_RESULT = 3 };

static enum maille_code keep(struct agent *agent, enum evidence_kind kind, const void *data, size_t length,
                             const void *frame, size_t frame_length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes record = {0};
    bytes_put_u8(&record, (uint8_t)kind);
    bytes_put_block(&record, data, length);
    bytes_put_block(&record, frame, frame_length);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(agent_journal_append(agent, JOURNAL_EVIDENCE, &record, error));
out:
    bytes_clear(&record);
    return code;
}

enum maille_code agent_evidence_message(struct agent *agent, const struct envelope *envelope,
                                        const void *frame, size_t frame_length, struct maille_error *error)
{
    return keep(agent, EVIDENCE_MESSAGE, envelope->bytes, envelope->length, frame, frame_length, error);
}

enum maille_code agent_evidence_network(struct agent *agent, struct maille_error *error)
{
    const struct directory *directory = agent->options.directory;
    return keep(agent, EVIDENCE_NETWORK, directory->text, directory->text_length, NULL, 0, error);
}

enum maille_code agent_evidence_result(struct agent *agent, const struct bytes *result,
                                       struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (!agent->result_kept)
        code = keep(agent, EVIDENCE_RESULT, result->data, result->length, NULL, 0, error);
    agent->result_kept = agent->result_kept || code == MAILLE_OK;
    return code;
}

enum maille_code agent_evidence_seen(struct agent *agent, struct reader *record, struct maille_error *error)
{
    const uint8_t kind = reader_u8(record);
    if (record->bad)
        return maille_fail(error, MAILLE_CORRUPT, "expected a record of evidence, found other bytes");
    agent->result_kept = agent->result_kept || kind == EVIDENCE_RESULT;
    return MAILLE_OK;
}

/* --- reading --- */

/* What is collected; the agent comes first, so that the journal's reader can hand it on. */
struct collector {
    struct agent agent;
    struct agent_evidence found;
    struct arena *arena;
    struct byte_view *messages, *frames;
    size_t n, capacity;
};

static struct byte_view copied(struct arena *arena, const uint8_t *bytes, size_t length)
{
    uint8_t *copy = arena_alloc(arena, length + 1);
    memcpy(copy, bytes, length);
    return (struct byte_view){copy, length};
}

static void grow(struct arena *arena, struct byte_view **list, size_t n, size_t capacity)
{
    struct byte_view *grown = arena_array(arena, capacity, sizeof *grown);
    if (n > 0)
        memcpy(grown, *list, n * sizeof *grown);
    *list = grown;
}

/* A message that came again after the program was started again is kept once. */
static void add_message(struct collector *to, const uint8_t *bytes, size_t length, struct byte_view frame)
{
    for (size_t m = 0; m < to->n; m++)
        if (to->messages[m].length == length && memcmp(to->messages[m].data, bytes, length) == 0)
            return;
    if (to->n == to->capacity) {
        to->capacity = 2 * to->capacity + 16;
        grow(to->arena, &to->messages, to->n, to->capacity);
        grow(to->arena, &to->frames, to->n, to->capacity);
    }
    to->frames[to->n] = frame.length == 0 ? frame : copied(to->arena, frame.data, frame.length);
    to->messages[to->n++] = copied(to->arena, bytes, length);
}

static enum maille_code take(struct agent *agent, enum journal_kind kind, struct reader *record,
                             struct maille_error *error)
{
    struct collector *to = (struct collector *)agent;
    struct byte_view *text = NULL;
    size_t length;
    const uint8_t *bytes;
    uint8_t what = EVIDENCE_MESSAGE;
    (void)error;
    switch (kind) {
    case JOURNAL_EVIDENCE:
        what = reader_u8(record);
        break;
    case JOURNAL_HEAD:
    case JOURNAL_ROSTER:
    case JOURNAL_START:
        break;
    default: /* nothing that another party signed */
        return MAILLE_OK;
    }
    bytes = reader_block(record, REPORT_BYTES_MAX, &length);
    if (bytes == NULL)
        return maille_fail(error, MAILLE_CORRUPT, "expected a record of a query's state, found other bytes");
    struct byte_view frame = {0};
    if (kind == JOURNAL_EVIDENCE && reader_left(record) > 0)
        frame.data = reader_block(record, MESSAGE_FRAME_MAX, &frame.length);
    if (record->bad)
        return maille_fail(error, MAILLE_CORRUPT, "expected a record of evidence, found other bytes");
    if (what == EVIDENCE_MESSAGE)
        add_message(to, bytes, length, frame);
    else
        text = what == EVIDENCE_NETWORK ? &to->found.network : &to->found.result;
    if (text != NULL && text->length == 0)
        *text = copied(to->arena, bytes, length);
    if (kind == JOURNAL_HEAD) { /* behind the manifest: two keys, and the dictionary */
        const uint8_t *key = reader_take(record, KEY_BYTES);
        if (key != NULL)
            memcpy(to->found.question_key, key, KEY_BYTES);
        reader_take(record, KEY_BYTES);
        bytes = reader_block(record, YAML_BYTES_MAX, &length);
        if (bytes != NULL)
            to->found.dictionary = copied(to->arena, bytes, length);
    }
    return MAILLE_OK;
}

enum maille_code agent_evidence_read(struct agent_evidence *evidence, struct arena *arena,
                                     const struct secret_keys *keys, const char *id,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct collector collector = {.agent = {.journal = -1}, .arena = arena};
    secret_keys_derive(&collector.agent.journal_key, keys, "agent-journal");
    MAILLE_TRY(agent_journal_open(&collector.agent, id, error));
    MAILLE_TRY(agent_journal_replay(&collector.agent, take, error));
    memcpy(collector.found.id, collector.agent.id, sizeof collector.found.id);
    collector.found.messages = collector.messages;
    collector.found.frames = collector.frames;
    collector.found.n_messages = collector.n;
    *evidence = collector.found;
out:
    agent_journal_close(&collector.agent);
    crypto_wipe(&collector.agent, sizeof collector.agent);
    return code;
}
