/* Private to coordinator/: one row per kind of message that may come here, and what the handlers share. */
#ifndef COORDINATOR_HANDLERS_H
#define COORDINATOR_HANDLERS_H

#include "coordinator/coordinator.h"
#include "proto/open.h"
#include "query/study.h"

/* One message being handled: opened, decoded, and in the log. */
struct incoming {
    const struct wire_message *message; /* as it came, and from whom */
    struct message opened;
    struct parcel *parcel; /* all frames of it */
    int64_t utc_ms;
    struct study_heading heading; /* of a manifest's study */
};

/* query: that of the message, in which its sender has a part; NULL where the table says that none is meant.
 */
typedef enum maille_code handler(struct coordinator *coordinator, struct query *query, struct incoming *in,
                                 struct maille_error *error);

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
/* handlers_round.c: one round */
handler coordinator_handle_start, coordinator_handle_refuse, coordinator_handle_masked,
    coordinator_handle_segment, coordinator_handle_pull, coordinator_handle_reveal, coordinator_handle_taken,
    coordinator_handle_result;

#endif
