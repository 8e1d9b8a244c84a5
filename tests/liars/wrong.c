#include "tests/liars/wrong.h"

#include "tests/silence/fields.h"

enum { INVENTED = 32, INVENTED_BYTE = 0x5a };

struct walk {
    const struct play *play;
    const struct wrong *wrong;
    unsigned at; /* the next field */
    char *name;
};

static const ProtobufCMessageDescriptor *const envelope_is = &maille__wire__envelope__descriptor;

static void *copied(const void *data, size_t length)
{
    void *copy = malloc(length + 1);
    assert_non_null(copy);
    if (length > 0)
        memcpy(copy, data, length);
    return copy;
}

static ProtobufCBinaryData packed(const ProtobufCMessage *message)
{
    ProtobufCBinaryData out = {.len = protobuf_c_message_get_packed_size(message)};
    out.data = malloc(out.len + 1);
    assert_non_null(out.data);
    protobuf_c_message_pack(message, out.data);
    return out;
}

static ProtobufCMessage *copy_of(const ProtobufCMessage *message)
{
    ProtobufCBinaryData bytes = packed(message);
    ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, bytes.len, bytes.data);
    assert_non_null(copy);
    free(bytes.data);
    return copy;
}

/* Which bytes are a message themselves. */
static const ProtobufCMessageDescriptor *within(const ProtobufCMessageDescriptor *message, const char *field)
{
    static const struct {
        const char *message, *field;
    } envelopes[] = {{"Roster", "accepts"},
                     {"Close", "masked"},
                     {"Custody", "reveals"},
                     {"Agreed", "taken"},
                     {"Catalogues", "envelopes"}};
    for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++)
        if (strcmp(message->short_name, envelopes[i].message) == 0 && strcmp(field, envelopes[i].field) == 0)
            return envelope_is;
    return strcmp(message->short_name, "Start") == 0 && strcmp(field, "header") == 0
               ? &maille__wire__round_header__descriptor
               : NULL;
}

/* --- one value --- */

static void clear_value(const ProtobufCFieldDescriptor *field, void *value)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        protobuf_c_message_free_unpacked(*(ProtobufCMessage **)value, NULL);
        *(ProtobufCMessage **)value = NULL;
    } else if (field->type == PROTOBUF_C_TYPE_STRING) {
        if (*(char **)value != (const char *)field->default_value)
            free(*(char **)value);
        *(char **)value = (char *)(uintptr_t)field->default_value;
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        free(((ProtobufCBinaryData *)value)->data);
        *(ProtobufCBinaryData *)value = (ProtobufCBinaryData){0};
    } else {
        memset(value, 0, fields_width(field->type));
    }
}

static void copy_value(const ProtobufCFieldDescriptor *field, void *to, const void *from)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        *(ProtobufCMessage **)to = copy_of(*(ProtobufCMessage *const *)from);
    } else if (field->type == PROTOBUF_C_TYPE_STRING) {
        *(char **)to = copied(*(char *const *)from, strlen(*(char *const *)from) + 1);
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        const ProtobufCBinaryData *bytes = from;
        *(ProtobufCBinaryData *)to = (ProtobufCBinaryData){bytes->len, copied(bytes->data, bytes->len)};
    } else {
        memcpy(to, from, fields_width(field->type));
    }
}

static void invent_all(ProtobufCMessage *message);

static void invent_value(const ProtobufCFieldDescriptor *field, void *value)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessageDescriptor *is = field->descriptor;
        ProtobufCMessage *message = calloc(1, is->sizeof_message);
        assert_non_null(message);
        protobuf_c_message_init(is, message);
        invent_all(message);
        *(ProtobufCMessage **)value = message;
    } else if (field->type == PROTOBUF_C_TYPE_STRING) {
        *(char **)value = copied("invented", sizeof "invented");
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        uint8_t bytes[INVENTED];
        memset(bytes, INVENTED_BYTE, sizeof bytes);
        *(ProtobufCBinaryData *)value = (ProtobufCBinaryData){sizeof bytes, copied(bytes, sizeof bytes)};
    } else if (fields_width(field->type) == sizeof(uint64_t)) {
        ++*(uint64_t *)value;
    } else {
        ++*(uint32_t *)value;
    }
}

static void invent_all(ProtobufCMessage *message)
{
    for (unsigned f = 0; f < message->descriptor->n_fields; f++)
        if (message->descriptor->fields[f].label != PROTOBUF_C_LABEL_REPEATED &&
            message->descriptor->fields[f].type != PROTOBUF_C_TYPE_MESSAGE)
            invent_value(&message->descriptor->fields[f],
                         fields_value(message, &message->descriptor->fields[f], 0));
}

static bool alter_value(const ProtobufCFieldDescriptor *field, void *value)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return false; /* its own fields are */
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        char *text = *(char **)value;
        if (text[0] == '\0') {
            invent_value(field, value);
            return true;
        }
        char *last = &text[strlen(text) - 1];
        *last = *last == 'x' ? 'y' : 'x';
    } else if (field->type == PROTOBUF_C_TYPE_BYTES && ((ProtobufCBinaryData *)value)->len > 0) {
        ProtobufCBinaryData *bytes = value;
        bytes->data[bytes->len / 2] ^= 1;
    } else {
        invent_value(field, value);
    }
    return true;
}

/* --- one field --- */

struct list {
    size_t *n, width;
    uint8_t **values;
};

static struct list list_of(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (struct list){(size_t *)(void *)((uint8_t *)message + field->quantifier_offset),
                         fields_width(field->type), (uint8_t **)(void *)((uint8_t *)message + field->offset)};
}

static void *list_add(const struct list *list)
{
    *list->values = realloc(*list->values, (*list->n + 1) * list->width);
    assert_non_null(*list->values);
    uint8_t *added = *list->values + (*list->n)++ * list->width;
    memset(added, 0, list->width);
    return added;
}

static bool change_list(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        const ProtobufCMessage *foreign, enum wrong_what what)
{
    enum { WIDTH_MAX = sizeof(ProtobufCBinaryData) };
    const struct list list = list_of(message, field);
    uint8_t first[WIDTH_MAX];
    void *other = foreign != NULL ? fields_value(foreign, field, 0) : NULL;
    if (*list.n == 0 && what == WRONG_ALTERED) {
        invent_value(field, list_add(&list));
        return true;
    }
    if (*list.n == 0 || (what == WRONG_SWAPPED && *list.n < 2) || (what == WRONG_FOREIGN && other == NULL))
        return false;
    switch (what) {
    case WRONG_ALTERED:
        return alter_value(field, *list.values);
    case WRONG_ABSENT:
        clear_value(field, *list.values);
        memmove(*list.values, *list.values + list.width, --*list.n * list.width);
        return true;
    case WRONG_FOREIGN:
        clear_value(field, *list.values);
        copy_value(field, *list.values, other);
        return true;
    case WRONG_TWICE: {
        void *added = list_add(&list);
        copy_value(field, added, *list.values + (*list.n - 2) * list.width);
        return true;
    }
    default:
        memcpy(first, *list.values, list.width);
        memcpy(*list.values, *list.values + list.width, list.width);
        memcpy(*list.values + list.width, first, list.width);
        return true;
    }
}

static bool change_field(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                         const ProtobufCMessage *foreign, enum wrong_what what)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return change_list(message, field, foreign, what);
    void *value = (uint8_t *)message + field->offset;
    const void *other = foreign != NULL ? fields_value(foreign, field, 0) : NULL;
    const bool is_empty = fields_value(message, field, 0) == NULL;
    switch (what) {
    case WRONG_ALTERED:
        if (is_empty)
            invent_value(field, value);
        return is_empty || alter_value(field, value);
    case WRONG_ABSENT:
        clear_value(field, value);
        return true;
    case WRONG_FOREIGN:
        if (other == NULL)
            return false;
        clear_value(field, value);
        copy_value(field, value, other);
        return true;
    default:
        return false;
    }
}

/* --- a message --- */

static const struct secret_keys *keys_of(const struct play *play, const char *name)
{
    for (size_t i = 0; i < play->n; i++)
        if (strcmp(play->parties[i].name, name) == 0)
            return play->parties[i].keys;
    return NULL;
}

static void sign(const struct play *play, Maille__Wire__Envelope *envelope, const struct secret_keys *keys)
{
    const struct message_rule *rule = message_rule(envelope->kind);
    if (rule == NULL || !rule->is_signed || keys == NULL || envelope->signature.len != SIGNATURE_BYTES)
        return;
    (void)play;
    assert_int_equal(identity_sign(envelope->signature.data, keys, rule->name, envelope->body.data,
                                   envelope->body.len, NULL),
                     MAILLE_OK);
}

static bool visit(struct walk *walk, ProtobufCMessage *message, const ProtobufCMessage *foreign,
                  const char *path, unsigned depth);

/* Bytes that are a message: changed within, and packed again. */
static bool visit_bytes(struct walk *walk, ProtobufCBinaryData *bytes, const ProtobufCBinaryData *foreign,
                        const ProtobufCMessageDescriptor *is, const char *path, unsigned depth)
{
    ProtobufCMessage *message = protobuf_c_message_unpack(is, NULL, bytes->len, bytes->data);
    ProtobufCMessage *other =
        foreign != NULL ? protobuf_c_message_unpack(is, NULL, foreign->len, foreign->data) : NULL;
    bool changed = false;
    if (message != NULL)
        changed = visit(walk, message, other, path, depth);
    if (changed) {
        free(bytes->data);
        *bytes = packed(message);
    }
    if (message != NULL)
        protobuf_c_message_free_unpacked(message, NULL);
    if (other != NULL)
        protobuf_c_message_free_unpacked(other, NULL);
    return changed;
}

static bool visit_within(struct walk *walk, ProtobufCMessage *message, const ProtobufCMessage *foreign,
                         const ProtobufCFieldDescriptor *field, const char *path, unsigned depth)
{
    const size_t most =
        field->label == PROTOBUF_C_LABEL_REPEATED && field->type == PROTOBUF_C_TYPE_BYTES ? 2 : 1;
    const ProtobufCMessageDescriptor *is =
        field->type == PROTOBUF_C_TYPE_BYTES ? within(message->descriptor, field->name) : NULL;
    bool changed = false;
    if (message->descriptor == envelope_is && strcmp(field->name, "body") == 0)
        is = fields_body(((Maille__Wire__Envelope *)message)->kind);
    for (size_t i = 0; i < most && !changed; i++) {
        void *value = fields_value(message, field, i);
        const void *other = foreign != NULL ? fields_value(foreign, field, i) : NULL;
        if (value == NULL)
            break;
        if (is != NULL)
            changed = visit_bytes(walk, value, other, is, path, depth + (is == envelope_is));
        else if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            changed = visit(walk, *(ProtobufCMessage **)value,
                            other != NULL ? *(ProtobufCMessage *const *)other : NULL, path, depth);
    }
    return changed;
}

/* depth: of envelopes around it. */
static bool visit(struct walk *walk, ProtobufCMessage *message, const ProtobufCMessage *foreign,
                  const char *path, unsigned depth)
{
    for (unsigned f = 0; f < message->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[f];
        const bool is_body = message->descriptor == envelope_is && strcmp(field->name, "body") == 0;
        char name[WRONG_NAME_BYTES];
        snprintf(name, sizeof name, "%.*s%s%s.%s", WRONG_NAME_BYTES / 2, path, path[0] != '\0' ? "/" : "",
                 message->descriptor->short_name, field->name);
        bool changed;
        if (walk->at++ == walk->wrong->leaf) {
            snprintf(walk->name, WRONG_NAME_BYTES, "%s", name);
            changed = change_field(message, field, foreign, walk->wrong->what);
        } else {
            changed = visit_within(walk, message, foreign, field, is_body ? path : name, depth);
        }
        if (changed && is_body && walk->wrong->is_signed != WRONG_SIGNED_BEFORE &&
            !(depth > 1 && walk->wrong->is_signed == WRONG_SIGNED_OUTSIDE)) {
            Maille__Wire__Envelope *envelope = (Maille__Wire__Envelope *)message;
            sign(walk->play, envelope, keys_of(walk->play, envelope->from));
        }
        if (changed)
            return true;
    }
    return false;
}

static bool change_fields(struct flight *flight, char name[WRONG_NAME_BYTES], const struct play *play,
                          const struct flight *foreign, const struct wrong *wrong, unsigned *leaves)
{
    struct walk walk = {.play = play, .wrong = wrong, .name = name};
    ProtobufCBinaryData bytes = {flight->envelope.length,
                                 copied(flight->envelope.data, flight->envelope.length)};
    ProtobufCBinaryData other = {0};
    if (foreign != NULL)
        other = (ProtobufCBinaryData){foreign->envelope.length, foreign->envelope.data};
    bool changed =
        visit_bytes(&walk, &bytes, foreign != NULL ? &other : NULL, envelope_is, "", 1) &&
        (bytes.len != flight->envelope.length || memcmp(bytes.data, flight->envelope.data, bytes.len) != 0);
    if (changed)
        assert_int_equal((flight->envelope.length = 0, bytes_copy(&flight->envelope, bytes.data, bytes.len)),
                         MAILLE_OK);
    free(bytes.data);
    *leaves = walk.at;
    return changed;
}

static bool change_frame(struct flight *flight, const struct flight *foreign, enum wrong_what what)
{
    if (!flight->has_frame || (flight->frame.length == 0 && what != WRONG_FRAME_ABSENT))
        return false;
    if (what == WRONG_FRAME_ALTERED) {
        flight->frame.data[flight->frame.length / 2] ^= 1;
    } else if (what == WRONG_FRAME_ABSENT) {
        flight->has_frame = false;
        flight->frame.length = 0;
    } else if (what == WRONG_FRAME_SHORT) {
        flight->frame.length--;
    } else {
        if (foreign == NULL || !foreign->has_frame ||
            (foreign->frame.length == flight->frame.length &&
             memcmp(foreign->frame.data, flight->frame.data, flight->frame.length) == 0))
            return false;
        flight->frame.length = 0;
        assert_int_equal(bytes_copy(&flight->frame, foreign->frame.data, foreign->frame.length), MAILLE_OK);
    }
    return true;
}

/* Another of the same role where there is one. */
static bool sign_by_another(struct flight *flight, const struct play *play)
{
    Maille__Wire__Envelope *envelope =
        maille__wire__envelope__unpack(NULL, flight->envelope.length, flight->envelope.data);
    assert_non_null(envelope);
    const bool is_signed = envelope->signature.len == SIGNATURE_BYTES;
    const size_t other =
        strcmp(envelope->from, play->parties[PLAY_SITE].name) == 0 ? PLAY_SITE + 1 : PLAY_SITE;
    sign(play, envelope, play->parties[other].keys);
    ProtobufCBinaryData bytes = packed(&envelope->base);
    flight->envelope.length = 0;
    assert_int_equal(bytes_copy(&flight->envelope, bytes.data, bytes.len), MAILLE_OK);
    free(bytes.data);
    maille__wire__envelope__free_unpacked(envelope, NULL);
    return is_signed;
}

bool wrong_make(struct flight *flight, char name[WRONG_NAME_BYTES], const struct play *play,
                const struct flight *foreign, const struct wrong *wrong)
{
    unsigned leaves;
    const ProtobufCMessageDescriptor *body = fields_body(flight->kind);
    snprintf(name, WRONG_NAME_BYTES, "%s", body->short_name);
    switch (wrong->what) {
    case WRONG_FRAME_ALTERED:
    case WRONG_FRAME_ABSENT:
    case WRONG_FRAME_SHORT:
    case WRONG_FRAME_FOREIGN:
        return change_frame(flight, foreign, wrong->what);
    case WRONG_MESSAGE_FOREIGN:
        if (foreign == NULL ||
            (foreign->envelope.length == flight->envelope.length &&
             memcmp(foreign->envelope.data, flight->envelope.data, flight->envelope.length) == 0))
            return false;
        flight->envelope.length = flight->frame.length = 0;
        flight->has_frame = foreign->has_frame;
        assert_int_equal(bytes_copy(&flight->envelope, foreign->envelope.data, foreign->envelope.length),
                         MAILLE_OK);
        assert_int_equal(bytes_copy(&flight->frame, foreign->frame.data, foreign->frame.length), MAILLE_OK);
        return true;
    case WRONG_KEY:
        return sign_by_another(flight, play);
    default:
        return wrong->what < WRONG_FRAME_ALTERED &&
               change_fields(flight, name, play, foreign, wrong, &leaves);
    }
}

unsigned wrong_leaves(const struct play *play, const struct flight *flight)
{
    char name[WRONG_NAME_BYTES];
    unsigned leaves = 0;
    struct flight copy = *flight; /* nothing of it is changed */
    change_fields(&copy, name, play, NULL, &(struct wrong){.leaf = UINT32_MAX}, &leaves);
    return leaves;
}

const char *wrong_word(enum wrong_what what)
{
    static const char *const words[] = {"altered",
                                        "absent",
                                        "of another query",
                                        "twice",
                                        "swapped",
                                        "frame altered",
                                        "frame absent",
                                        "frame short",
                                        "frame of another query",
                                        "another query's",
                                        "signed by another",
                                        "lost",
                                        "lost for ever",
                                        "repeated",
                                        "late"};
    return words[what];
}
