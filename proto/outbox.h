/* What a party has to say: the messages that one call made, in order. A party is a function from message to
 * messages; whoever calls it carries them. */
#ifndef PROTO_OUTBOX_H
#define PROTO_OUTBOX_H

#include "proto/message.h"

struct message_outgoing {
    enum message_kind kind;
    struct bytes envelope, frame;
    bool has_frame;
};

/* Owned, growing; zero-initialise. */
struct message_outbox {
    struct message_outgoing *messages;
    size_t n, capacity;
};

/* Appends copies. frame NULL: none. MAILLE_MEMORY. */
enum maille_code message_outbox_put(struct message_outbox *outbox, enum message_kind kind,
                                    const struct bytes *envelope, const void *frame, size_t frame_length,
                                    struct maille_error *error) MAILLE_CHECKED;
void message_outbox_clear(struct message_outbox *outbox); /* empty again; frees */

#endif
