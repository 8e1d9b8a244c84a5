/* What left the sites of a network, message by message, and what of it may differ. */
#ifndef TESTS_SILENCE_TRANSCRIPT_H
#define TESTS_SILENCE_TRANSCRIPT_H

#include "tests/network/network.h"

/* One message as it left. */
struct left {
    size_t question, party;
    enum message_kind kind;
    int64_t after_ms; /* since the question was asked */
    struct bytes envelope, frame;
    bool has_frame;
};
struct transcript {
    struct left *list;
    size_t n, room;
    size_t question;  /* of what is noted from here on */
    int64_t asked_ms; /* when it was asked */
};

/* Copies it, when a site sent it. */
void transcript_note(struct transcript *transcript, const struct play *play, const struct flight *flight);
void transcript_clear(struct transcript *transcript);

/* Kind, order, time, size and every field of every message are the same in both. Of what is random, masked,
 * sealed, signed or hashed (opaque in transcript.c) the length is compared. Ends the test with a sentence
 * that begins with `what` otherwise. */
void transcript_compare(const struct transcript *a, const struct transcript *b, const char *what);

/* Calls `each` for every field of bytes of every message of sites (name: "accept.ek"), and for frames
 * ("masked frame"). */
void transcript_fields(const struct transcript *transcript,
                       void (*each)(void *context, const struct left *left, const char *name,
                                    const uint8_t *data, size_t length),
                       void *context);

#endif
