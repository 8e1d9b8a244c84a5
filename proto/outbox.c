#include "proto/outbox.h"

#include <stdlib.h>

enum maille_code message_outbox_put(struct message_outbox *outbox, enum message_kind kind,
                                    const struct bytes *envelope, const void *frame, size_t frame_length,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_outgoing made = {.kind = kind, .has_frame = frame != NULL};
    if (outbox->n == outbox->capacity) {
        size_t capacity = outbox->capacity == 0 ? 4 : 2 * outbox->capacity;
        struct message_outgoing *grown = realloc(outbox->messages, capacity * sizeof *grown);
        if (grown == NULL)
            return maille_fail(error, MAILLE_MEMORY, "expected memory for a message, found none");
        outbox->messages = grown;
        outbox->capacity = capacity;
    }
    MAILLE_TRY(bytes_copy(&made.envelope, envelope->data, envelope->length));
    if (frame != NULL)
        MAILLE_TRY(bytes_copy(&made.frame, frame, frame_length));
    outbox->messages[outbox->n++] = made;
    made = (struct message_outgoing){0};
out:
    bytes_clear(&made.envelope);
    bytes_clear(&made.frame);
    return code;
}

void message_outbox_clear(struct message_outbox *outbox)
{
    for (size_t i = 0; i < outbox->n; i++) {
        bytes_clear(&outbox->messages[i].envelope);
        bytes_clear(&outbox->messages[i].frame);
    }
    free(outbox->messages);
    *outbox = (struct message_outbox){0};
}
