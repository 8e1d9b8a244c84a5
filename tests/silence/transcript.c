#include "tests/silence/transcript.h"

#include "tests/silence/fields.h"

/* What a site sends. A kind that is not here has no row in docs/GOALS.md either: the test ends. */
static const enum message_kind kinds[] = {
    MESSAGE_HELLO,   MESSAGE_CATALOGUE, MESSAGE_READY, MESSAGE_ACCEPT, MESSAGE_REFUSE, MESSAGE_MASKED,
    MESSAGE_SEGMENT, MESSAGE_REVEAL,    MESSAGE_TAKEN, MESSAGE_RESULT, MESSAGE_CANCEL, MESSAGE_LOG_HEAD};

/* Fields whose length is compared and nothing else: random, masked, sealed, signed, or a hash with something
 * secret or random in it. silence.guesses holds the hashes to that. */
static const char *const opaque[] = {
    "Envelope.signature", "Catalogue.snapshot_hash",
    "Accept.ek",          "Accept.snapshot_hash",
    "LedgerEntry.tag",    "Head.root",
    "HeadProof.path",     "Refuse.psi",
    "Masked.psi",         "Masked.vector_hash",
    "Masked.commit",      "Tag.tag",
    "Segment.psi",        "Reveal.psi",
    "Reveal.sealed",      "Reveal.close_hash",
    "SealedKey.sealed",   "Taken.psi",
    "Taken.tag",          "Result.psi",
    "Result.hash",
};

static bool is_opaque(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
    char name[128];
    snprintf(name, sizeof name, "%s.%s", message->short_name, field->name);
    for (size_t i = 0; i < sizeof opaque / sizeof *opaque; i++)
        if (strcmp(opaque[i], name) == 0)
            return true;
    return false;
}

static const ProtobufCMessageDescriptor *body_of(enum message_kind kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i] == kind)
            return fields_body(kind);
    fail_msg("a site sends kind %d, of which transcript.c knows nothing", (int)kind);
    return NULL;
}

/* --- the difference between two messages --- */

/* The name of the first field in which they differ; NULL: in none. */
static const char *difference(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    for (unsigned f = 0; f < a->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *field = &a->descriptor->fields[f];
        for (size_t i = 0;; i++) {
            const void *x = fields_value(a, field, i), *y = fields_value(b, field, i);
            const char *within = NULL;
            bool same = (x == NULL) == (y == NULL);
            if (!same)
                return field->name;
            if (x == NULL)
                break;
            if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
                within = difference(*(ProtobufCMessage *const *)x, *(ProtobufCMessage *const *)y);
                same = within == NULL;
            } else if (field->type == PROTOBUF_C_TYPE_STRING) {
                same = strcmp(*(char *const *)x, *(char *const *)y) == 0;
            } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
                const ProtobufCBinaryData *p = x, *q = y;
                same = p->len == q->len && (p->len == 0 || is_opaque(a->descriptor, field) ||
                                            memcmp(p->data, q->data, p->len) == 0);
            } else {
                same = memcmp(x, y, fields_width(field->type)) == 0;
            }
            if (!same)
                return within != NULL ? within : field->name;
            if (field->label != PROTOBUF_C_LABEL_REPEATED)
                break;
        }
    }
    return NULL;
}

static ProtobufCMessage *unpack_body(const struct left *left)
{
    struct envelope envelope;
    struct arena *arena = arena_new();
    assert_int_equal(envelope_decode(&envelope, arena, left->envelope.data, left->envelope.length, NULL),
                     MAILLE_OK);
    assert_int_equal(envelope.kind, left->kind);
    ProtobufCMessage *message =
        protobuf_c_message_unpack(body_of(left->kind), NULL, envelope.body_length, envelope.body);
    assert_non_null(message);
    arena_free(arena);
    return message;
}

static const char *body_difference(const struct left *a, const struct left *b)
{
    ProtobufCMessage *x = unpack_body(a), *y = unpack_body(b);
    const char *name = difference(x, y);
    protobuf_c_message_free_unpacked(x, NULL);
    protobuf_c_message_free_unpacked(y, NULL);
    return name;
}

static const char *name_of(const struct left *left)
{
    return message_rule((uint32_t)left->kind)->name;
}

void transcript_compare(const struct transcript *a, const struct transcript *b, const char *what)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        const struct left *x = &a->list[i], *y = &b->list[i];
        if (x->question != y->question || x->party != y->party || x->kind != y->kind ||
            x->after_ms != y->after_ms)
            fail_msg("%s, question %zu: first site %zu says %s after %lld ms, then (question %zu) site %zu "
                     "%s after %lld ms",
                     what, x->question + 1, x->party - PLAY_SITE + 1, name_of(x), (long long)x->after_ms,
                     y->question + 1, y->party - PLAY_SITE + 1, name_of(y), (long long)y->after_ms);
        if (x->envelope.length != y->envelope.length || x->has_frame != y->has_frame ||
            x->frame.length != y->frame.length)
            fail_msg("%s, question %zu: %s of site %zu has %zu and %zu bytes, then %zu and %zu", what,
                     x->question + 1, name_of(x), x->party - PLAY_SITE + 1, x->envelope.length,
                     x->frame.length, y->envelope.length, y->frame.length);
        const char *field = body_difference(x, y);
        if (field != NULL)
            fail_msg("%s, question %zu: %s of site %zu says another `%s`", what, x->question + 1, name_of(x),
                     x->party - PLAY_SITE + 1, field);
    }
    const struct transcript *longer = a->n > b->n ? a : b;
    if (a->n != b->n)
        fail_msg("%s: %zu messages leave the sites, then %zu; the first that is alone is %s", what, a->n,
                 b->n, name_of(&longer->list[a->n < b->n ? a->n : b->n]));
}

/* --- notes --- */

void transcript_note(struct transcript *transcript, const struct play *play, const struct flight *flight)
{
    if (flight->from < PLAY_SITE)
        return;
    if (transcript->n == transcript->room) {
        transcript->room = transcript->room == 0 ? 256 : 2 * transcript->room;
        transcript->list = realloc(transcript->list, transcript->room * sizeof *transcript->list);
        assert_non_null(transcript->list);
    }
    struct left *left = &transcript->list[transcript->n++];
    *left = (struct left){.question = transcript->question,
                          .party = flight->from,
                          .kind = flight->kind,
                          .after_ms = play_elapsed_ms(play) - transcript->asked_ms,
                          .has_frame = flight->has_frame};
    assert_int_equal(bytes_copy(&left->envelope, flight->envelope.data, flight->envelope.length), MAILLE_OK);
    assert_int_equal(bytes_copy(&left->frame, flight->frame.data, flight->frame.length), MAILLE_OK);
}

void transcript_clear(struct transcript *transcript)
{
    for (size_t i = 0; i < transcript->n; i++) {
        bytes_clear(&transcript->list[i].envelope);
        bytes_clear(&transcript->list[i].frame);
    }
    free(transcript->list);
    *transcript = (struct transcript){0};
}

/* --- all bytes --- */

struct walk {
    const struct left *left;
    void (*each)(void *context, const struct left *left, const char *name, const uint8_t *data,
                 size_t length);
    void *context;
};

static void walk_message(const struct walk *walk, const ProtobufCMessage *message)
{
    for (unsigned f = 0; f < message->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[f];
        const void *value;
        for (size_t i = 0; (value = fields_value(message, field, i)) != NULL; i++) {
            char name[128];
            snprintf(name, sizeof name, "%s.%s", message->descriptor->short_name, field->name);
            if (field->type == PROTOBUF_C_TYPE_MESSAGE)
                walk_message(walk, *(ProtobufCMessage *const *)value);
            else if (field->type == PROTOBUF_C_TYPE_BYTES)
                walk->each(walk->context, walk->left, name, ((const ProtobufCBinaryData *)value)->data,
                           ((const ProtobufCBinaryData *)value)->len);
            if (field->label != PROTOBUF_C_LABEL_REPEATED)
                break;
        }
    }
}

void transcript_fields(const struct transcript *transcript,
                       void (*each)(void *context, const struct left *left, const char *name,
                                    const uint8_t *data, size_t length),
                       void *context)
{
    for (size_t i = 0; i < transcript->n; i++) {
        const struct walk walk = {&transcript->list[i], each, context};
        ProtobufCMessage *message = unpack_body(walk.left);
        walk_message(&walk, message);
        protobuf_c_message_free_unpacked(message, NULL);
        if (walk.left->has_frame)
            each(context, walk.left, "frame", walk.left->frame.data, walk.left->frame.length);
    }
}
