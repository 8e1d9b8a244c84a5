#include "coordinator/parcel.h"

#include <stdlib.h>
#include <string.h>

static void hash_frames(struct digest *hash, const struct parcel *parcel)
{
    if (!parcel->has_frame) {
        hash_bytes(hash, parcel->envelope.data, parcel->envelope.length);
        return;
    }
    struct bytes all = {0};
    bytes_put(&all, parcel->envelope.data, parcel->envelope.length);
    bytes_put(&all, parcel->frame.data, parcel->frame.length);
    hash_bytes(hash, all.data, all.length);
    bytes_clear(&all);
}

struct parcel *parcel_new(enum message_kind kind, const void *envelope, size_t length, const void *frame,
                          size_t frame_length)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);
    if (parcel == NULL)
        return NULL;
    parcel->references = 1;
    parcel->kind = kind;
    parcel->has_frame = frame != NULL;
    bytes_put(&parcel->envelope, envelope, length);
    if (frame != NULL)
        bytes_put(&parcel->frame, frame, frame_length);
    if (parcel->envelope.failed || parcel->frame.failed) {
        parcel_drop(parcel);
        return NULL;
    }
    hash_frames(&parcel->hash, parcel);
    return parcel;
}

struct parcel *parcel_keep(struct parcel *parcel)
{
    if (parcel != NULL)
        parcel->references++;
    return parcel;
}

void parcel_drop(struct parcel *parcel)
{
    if (parcel == NULL || --parcel->references > 0)
        return;
    bytes_clear(&parcel->envelope);
    bytes_clear(&parcel->frame);
    free(parcel);
}

void parcel_set(struct parcel **place, struct parcel *parcel)
{
    parcel_drop(*place);
    *place = parcel;
}

bool parcel_equal(const struct parcel *a, const struct parcel *b)
{
    return a != NULL && b != NULL && a->envelope.length == b->envelope.length &&
           memcmp(a->envelope.data, b->envelope.data, a->envelope.length) == 0;
}

struct byte_view parcel_view(const struct parcel *parcel)
{
    return (struct byte_view){.data = parcel->envelope.data, .length = parcel->envelope.length};
}
