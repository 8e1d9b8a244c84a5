/* Private to coordinator/: one row per kind of message that may come here, and what the handlers share. */
#ifndef COORDINATOR_HANDLERS_H
#define COORDINATOR_HANDLERS_H

#include "coordinator/coordinator.h"
#include "query/study.h"

/* One message being handled. */
struct incoming {
    const struct wire_message *message;
    struct envelope envelope;
    struct arena *arena;
    struct parcel *parcel; /* all frames of it */
    unsigned phases;       /* of the row: bit p for enum query_phase p */
    int64_t utc_ms;
    /* What its entry in the log says beside that it came; set before handlers_note. */
    const struct message_manifest *manifest;
    struct study_heading heading; /* of the manifest's study */
    const struct message_masked *masked;
    const struct message_head *head; /* of the sender's own log */
};

typedef enum maille_code handler(struct coordinator *coordinator, struct incoming *in,
                                 struct maille_error *error);

/* Appends the message to the log: the first thing that a handler does with one that is well-formed. qid may
 * be NULL. A head of the sender's log that does not follow from the one before: MAILLE_PROTOCOL, rule
 * log_head, once all is in the log and the sender's answer in the outbox. */
enum maille_code handlers_note(struct coordinator *coordinator, struct incoming *in, const uint8_t *qid,
                               struct maille_error *error) MAILLE_CHECKED;
/* Notes the message and finds its query, when its sender has a part in it (its researcher, or a named site)
 * and the phase permits the message; *query is NULL otherwise and the message is to be let go (the code says
 * whether that was a mistake: MAILLE_PROTOCOL). An agent that is late, or early, gets a status instead. */
enum maille_code handlers_query(struct coordinator *coordinator, struct incoming *in,
                                const uint8_t qid[QID_BYTES], struct query **query,
                                struct maille_error *error) MAILLE_CHECKED;
/* The named site that sent the message; `claimed` is the number in its body (MAILLE_PROTOCOL when they
 * differ). */
enum maille_code handlers_site(const struct query *query, const struct incoming *in, uint32_t claimed,
                               struct query_site **site, struct maille_error *error) MAILLE_CHECKED;

/* Everything that a query's agent should have: readies, roster, refusals, close, sum, reveals, and how it
 * ended. */
enum maille_code handlers_resend(struct coordinator *coordinator, struct query *query,
                                 struct maille_error *error) MAILLE_CHECKED;

/* handlers_query.c: a query from manifest to end */
handler coordinator_handle_manifest, coordinator_handle_ready, coordinator_handle_call,
    coordinator_handle_accept, coordinator_handle_end, coordinator_handle_cancel, coordinator_handle_resume,
    coordinator_handle_list_request;
/* heads.c: a site's log head, with M7 */
handler coordinator_handle_log_head;
/* handlers_round.c: one round */
handler coordinator_handle_start, coordinator_handle_refuse, coordinator_handle_masked,
    coordinator_handle_segment, coordinator_handle_pull, coordinator_handle_reveal, coordinator_handle_plan,
    coordinator_handle_taken;

#endif
