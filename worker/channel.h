/* Records between the processes of one worker, over socketpairs: LE32 kind, LE64 length, bytes. A
 * process believes the sizes of another only up to its own limit; anything else is nonsense, and nonsense
 * from an own process is fatal (docs/ARCHITECTURE.md, Processes at a site). */
#ifndef WORKER_CHANNEL_H
#define WORKER_CHANNEL_H

#include "base/bytes.h"

enum { CHANNEL_HEADER_BYTES = 12 };

struct record {
    uint32_t kind;
    struct bytes body; /* owned; may hold sums: cleared with bytes_wipe */
};

/* Two connected ends, close-on-exec. MAILLE_IO. */
enum maille_code channel_pair(int ends[2], struct maille_error *error) MAILLE_CHECKED;

/* Writes one record, waiting as long as it takes. MAILLE_INTERNAL when the other end is closed; MAILLE_IO. */
enum maille_code channel_send(int end, uint32_t kind, const void *body, size_t length,
                              struct maille_error *error) MAILLE_CHECKED;

/* Reads one record of at most limit bytes into *record (whose old content is wiped), waiting as long as it
 * takes. MAILLE_INTERNAL when the other end is closed, closes in the middle of a record, or announces more
 * than limit. */
enum maille_code channel_receive(int end, struct record *record, size_t limit,
                                 struct maille_error *error) MAILLE_CHECKED;

/* Records that wait for the other end to read: for the one process that must never wait itself.
 * Zero-initialise. */
struct channel_queue {
    struct bytes pending;
    size_t sent; /* of pending */
};
/* Appends one record. MAILLE_MEMORY. */
enum maille_code channel_queue_put(struct channel_queue *queue, uint32_t kind, const void *body,
                                   size_t length, struct maille_error *error) MAILLE_CHECKED;
/* Writes what goes without waiting. MAILLE_INTERNAL when the other end is closed. */
enum maille_code channel_queue_flush(struct channel_queue *queue, int end,
                                     struct maille_error *error) MAILLE_CHECKED;
size_t channel_queue_left(const struct channel_queue *queue); /* bytes */
void channel_queue_clear(struct channel_queue *queue);

#endif
