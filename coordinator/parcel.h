/* One message, kept once: a query's state and the outbox refer to the same bytes. Its hash is what the log
 * notes. */
#ifndef COORDINATOR_PARCEL_H
#define COORDINATOR_PARCEL_H

#include "proto/message.h"

struct parcel {
    size_t references;
    enum message_kind kind;
    struct bytes envelope, frame;
    bool has_frame;
    struct digest hash; /* of all frames */
};

/* Copies envelope and frame (NULL: none). NULL without memory. The caller holds one reference. */
struct parcel *parcel_new(enum message_kind kind, const void *envelope, size_t length, const void *frame,
                          size_t frame_length);
struct parcel *parcel_keep(struct parcel *parcel); /* one reference more; NULL is legal */
void parcel_drop(struct parcel *parcel);           /* one reference less; NULL is legal */
/* Puts a parcel (its reference is taken over) in a place, dropping what was there. */
void parcel_set(struct parcel **place, struct parcel *parcel);
/* The same envelope, byte for byte (frames are bound by what the envelope signs). NULL equals nothing. */
bool parcel_equal(const struct parcel *a, const struct parcel *b);
struct byte_view parcel_view(const struct parcel *parcel); /* of the envelope */

#endif
