#include "proto/open.h"

#include <stdio.h>
#include <string.h>

typedef enum maille_code body_decoder(struct message *message, struct maille_error *error);

#define BODY(X)                                                                                              \
    static enum maille_code open_##X(struct message *message, struct maille_error *error)                    \
    {                                                                                                        \
        return message_##X##_decode(&message->body.X, message->arena, message->envelope.body,                \
                                    message->envelope.body_length, error);                                   \
    }
#define BODY_OF_QUERY(X)                                                                                     \
    static enum maille_code open_##X(struct message *message, struct maille_error *error)                    \
    {                                                                                                        \
        message->qid = message->body.X.qid;                                                                  \
        return message_##X##_decode(&message->body.X, message->arena, message->envelope.body,                \
                                    message->envelope.body_length, error);                                   \
    }
BODY(hello)
BODY(welcome)
BODY(directory)
BODY(catalogue)
BODY(catalogues)
BODY_OF_QUERY(manifest)
BODY_OF_QUERY(ready)
BODY_OF_QUERY(call)
BODY_OF_QUERY(accept)
BODY_OF_QUERY(roster)
BODY_OF_QUERY(refuse)
BODY_OF_QUERY(masked)
BODY_OF_QUERY(pull)
BODY_OF_QUERY(segment)
BODY_OF_QUERY(close)
BODY_OF_QUERY(reveal)
BODY_OF_QUERY(sum)
BODY_OF_QUERY(custody)
BODY_OF_QUERY(taken)
BODY_OF_QUERY(agreed)
BODY_OF_QUERY(result)
BODY_OF_QUERY(end)
BODY_OF_QUERY(cancel)
BODY_OF_QUERY(log_head)
BODY_OF_QUERY(status)
BODY(list)
BODY_OF_QUERY(resume)
BODY_OF_QUERY(problem)

/* The one place where runs and lengths of a peer are checked: words of a width, aligned, all of the vector.
 */
static enum maille_code open_start(struct message *message, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_start *start = &message->body.start;
    uint64_t covered = 0;
    message->qid = start->qid;
    MAILLE_TRY(message_start_decode(start, message->arena, message->envelope.body,
                                    message->envelope.body_length, error));
    MAILLE_TRY(message_round_header_decode(&message->round, message->arena, start->header.data,
                                           start->header.length, error));
    hash_kdf(&message->psi, NULL, "round", start->header.data, start->header.length);
    if (!mask_runs_length(&covered, start->runs, start->n_runs) || covered != message->round.length)
        code = maille_protest(error, "form",
                              "expected runs of whole words, aligned, of %llu bytes together, found others",
                              (unsigned long long)message->round.length);
out:
    return code;
}

/* Kinds that are not here have empty bodies. */
static body_decoder *const decoders[MESSAGE_KINDS] = {
    [MESSAGE_HELLO] = open_hello,
    [MESSAGE_WELCOME] = open_welcome,
    [MESSAGE_DIRECTORY] = open_directory,
    [MESSAGE_CATALOGUE] = open_catalogue,
    [MESSAGE_CATALOGUES] = open_catalogues,
    [MESSAGE_MANIFEST] = open_manifest,
    [MESSAGE_READY] = open_ready,
    [MESSAGE_CALL] = open_call,
    [MESSAGE_ACCEPT] = open_accept,
    [MESSAGE_ROSTER] = open_roster,
    [MESSAGE_START] = open_start,
    [MESSAGE_REFUSE] = open_refuse,
    [MESSAGE_MASKED] = open_masked,
    [MESSAGE_PULL] = open_pull,
    [MESSAGE_SEGMENT] = open_segment,
    [MESSAGE_CLOSE] = open_close,
    [MESSAGE_REVEAL] = open_reveal,
    [MESSAGE_SUM] = open_sum,
    [MESSAGE_CUSTODY] = open_custody,
    [MESSAGE_TAKEN] = open_taken,
    [MESSAGE_AGREED] = open_agreed,
    [MESSAGE_RESULT] = open_result,
    [MESSAGE_END] = open_end,
    [MESSAGE_CANCEL] = open_cancel,
    [MESSAGE_LOG_HEAD] = open_log_head,
    [MESSAGE_STATUS] = open_status,
    [MESSAGE_LIST] = open_list,
    [MESSAGE_RESUME] = open_resume,
    [MESSAGE_PROBLEM] = open_problem,
};

static void name_rule(struct maille_error *error, const char *rule)
{
    if (error != NULL)
        snprintf(error->rule, sizeof error->rule, "%s", rule);
}

enum maille_code message_open(struct message *message, struct arena *arena, const void *envelope,
                              size_t length, const void *frame, size_t frame_length,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    *message = (struct message){.arena = arena, .frame = frame, .frame_length = frame_length};
    MAILLE_TRY(envelope_decode(&message->envelope, arena, envelope, length, error));
    message->rule = message_rule((uint32_t)message->envelope.kind);
    if (frame != NULL && (message->rule->frame_max == 0 || frame_length > message->rule->frame_max)) {
        code = maille_protest(error, "frame", "expected at most %zu bytes beside a %s, found %zu",
                              message->rule->frame_max, message->rule->name, frame_length);
    }
out:
    return code;
}

enum maille_code message_decode(struct message *message, const struct directory *directory, unsigned from,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (message->rule->is_signed && directory != NULL) {
        enum key_role role;
        const uint8_t *identity = directory_identity(directory, message->envelope.from, &role);
        if (identity == NULL || (from & 1u << role) == 0 ||
            !envelope_verified(&message->envelope, identity)) {
            code = maille_fail(error, MAILLE_SIGNATURE,
                               "signature: expected %s signed by who may send it, found \"%s\" or a wrong "
                               "signature",
                               message->rule->name, message->envelope.from);
            name_rule(error, "signature");
            goto out;
        }
    }
    body_decoder *decode = decoders[message->envelope.kind];
    if (decode != NULL)
        code = decode(message, error);
    else if (message->envelope.body_length != 0)
        code = maille_protest(error, "form", "expected an empty body of %s, found %zu bytes",
                              message->rule->name, message->envelope.body_length);
    if (code != MAILLE_OK)
        message->qid = NULL;
out:
    return code;
}

enum maille_code message_within(struct message *message, struct arena *arena, const struct byte_view *bytes,
                                enum message_kind kind, const struct directory *directory, unsigned from,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(message_open(message, arena, bytes->data, bytes->length, NULL, 0, error));
    if (message->envelope.kind != kind) {
        code = maille_protest(error, "kind", "expected %s within another message, found %s",
                              message_rule((uint32_t)kind)->name, message->rule->name);
        goto out;
    }
    MAILLE_TRY(message_decode(message, directory, from, error));
out:
    return code;
}
