#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"

bool outbox_entry(struct audit_entry *entry, enum audit_direction direction, const char *peer,
                  const struct parcel *parcel, const uint8_t *qid)
{
    switch (parcel->kind) { /* said every second or two, and says nothing about anybody */
    case MESSAGE_HELLO:
    case MESSAGE_WELCOME:
    case MESSAGE_STATUS:
    case MESSAGE_RESUME:
    case MESSAGE_LIST_REQUEST:
    case MESSAGE_LIST:
        return false;
    default:
        break;
    }
    *entry = (struct audit_entry){
        .direction = direction,
        .message = message_rule((uint32_t)parcel->kind)->name,
        .peer = peer,
        .qid = qid,
        .hash = parcel->hash,
        .bytes = parcel->envelope.length + parcel->frame.length,
        .detail = "",
    };
    return true;
}

/* What a query makes this program say is on its researcher's account. */
static void count_entry(struct coordinator *coordinator, const uint8_t *qid)
{
    const struct query *query = qid == NULL ? NULL : coordinator_query(coordinator, qid);
    struct seen *peer = query == NULL ? NULL : coordinator_peer(coordinator, query->row.researcher);
    if (peer != NULL)
        (void)quota_log(&coordinator->quotas, &peer->use, clock_read_utc_ms(&coordinator->clock));
}

enum maille_code outbox_put(struct coordinator *coordinator, const char *peer, uint64_t address,
                            struct parcel *parcel, const uint8_t *qid, struct maille_error *error)
{
    if (coordinator->n_outbox == coordinator->outbox_room) {
        size_t room = coordinator->outbox_room == 0 ? 64 : 2 * coordinator->outbox_room;
        struct outgoing *grown = realloc(coordinator->outbox, room * sizeof *grown);
        if (grown == NULL)
            return maille_fail(error, MAILLE_MEMORY, "expected memory for %zu messages, found none", room);
        coordinator->outbox = grown;
        coordinator->outbox_room = room;
    }
    struct audit_entry entry;
    enum maille_code code = MAILLE_OK;
    if (outbox_entry(&entry, AUDIT_OUT, peer, parcel, qid)) {
        code = audit_append(coordinator->log, &entry, error);
        count_entry(coordinator, qid);
    }
    if (code != MAILLE_OK)
        return code;
    struct outgoing *out = &coordinator->outbox[coordinator->n_outbox++];
    *out = (struct outgoing){.address = address, .parcel = parcel_keep(parcel), .has_qid = qid != NULL};
    snprintf(out->peer, sizeof out->peer, "%s", peer);
    if (qid != NULL)
        memcpy(out->qid, qid, QID_BYTES);
    return MAILLE_OK;
}

enum maille_code outbox_parcel(struct coordinator *coordinator, struct parcel **parcel,
                               enum message_kind kind, struct bytes *body, const void *frame,
                               size_t frame_length, struct maille_error *error)
{
    struct bytes envelope = {0};
    enum maille_code code =
        envelope_encode(&envelope, kind, coordinator->keys, secret_keys_name(coordinator->keys), body, error);
    if (code == MAILLE_OK) {
        struct parcel *made = parcel_new(kind, envelope.data, envelope.length, frame, frame_length);
        if (made == NULL)
            code = maille_fail(error, MAILLE_MEMORY, "expected memory for a message, found none");
        else
            *parcel = made;
    }
    bytes_clear(&envelope);
    bytes_clear(body);
    return code;
}

enum maille_code outbox_body(struct coordinator *coordinator, const char *peer, uint64_t address,
                             enum message_kind kind, struct bytes *body, const void *frame,
                             size_t frame_length, const uint8_t *qid, struct maille_error *error)
{
    struct parcel *parcel = NULL;
    enum maille_code code = outbox_parcel(coordinator, &parcel, kind, body, frame, frame_length, error);
    if (code == MAILLE_OK)
        code = outbox_put(coordinator, peer, address, parcel, qid, error);
    parcel_drop(parcel);
    return code;
}

enum maille_code outbox_site(struct coordinator *coordinator, struct query *query, struct query_site *site,
                             struct parcel *parcel, struct maille_error *error)
{
    return outbox_put(coordinator, site->name, 0, parcel, query->row.qid, error);
}

enum maille_code outbox_agent(struct coordinator *coordinator, struct query *query, struct parcel *parcel,
                              struct maille_error *error)
{
    enum maille_code code =
        outbox_put(coordinator, query->row.researcher, query->agent_address, parcel, query->row.qid, error);
    if (code == MAILLE_OK)
        coordinator->outbox[coordinator->n_outbox - 1].is_agent = true;
    return code;
}

enum maille_code outbox_problem(struct coordinator *coordinator, const char *peer, uint64_t address,
                                const uint8_t *qid, enum maille_code what, const char *rule,
                                struct maille_error *error)
{
    struct message_problem problem = {.code = what, .rule = rule};
    struct bytes body = {0};
    coordinator->counts.refused += what == MAILLE_REFUSED;
    if (qid != NULL)
        memcpy(problem.qid, qid, QID_BYTES);
    enum maille_code code = message_problem_encode(&body, &problem, error);
    if (code == MAILLE_OK)
        code = outbox_body(coordinator, peer, address, MESSAGE_PROBLEM, &body, NULL, 0, qid, error);
    bytes_clear(&body);
    return code;
}

enum maille_code outbox_flush(struct coordinator *coordinator, coordinator_send *send, void *context,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < coordinator->n_outbox; i++) {
        struct outgoing *out = &coordinator->outbox[i];
        bool sent = false;
        if (code == MAILLE_OK)
            code = send(context, out, &sent, error);
        if (code == MAILLE_OK && !sent && out->is_agent) {
            struct query *query = coordinator_query(coordinator, out->qid);
            if (query != NULL)
                query->agent_address = 0; /* its next message says where it is */
        }
        if (code == MAILLE_OK && sent && out->has_qid &&
            (out->parcel->kind == MESSAGE_END || out->parcel->kind == MESSAGE_CANCEL))
            code = store_paid(coordinator->store, out->peer, out->qid, error);
        parcel_drop(out->parcel);
    }
    coordinator->n_outbox = 0;
    return code;
}
