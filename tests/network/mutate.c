#include "tests/network/mutate.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "proto/maille.pb-c.h"
#include "tests/silence/fields.h"

/* protobuf-c takes its memory from an arena: an entry may stand twice, and nobody frees it. */
static void *take(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void leave(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

/* Every field of a message and of those within it; of a list also its entries. */
struct place {
    ProtobufCMessage *message;
    const ProtobufCFieldDescriptor *field;
    void *value; /* NULL: the list itself */
    size_t *n;   /* of a list */
};
enum { PLACES_MAX = 4096 };
struct places {
    struct place list[PLACES_MAX];
    size_t n;
};

static void places_add(struct places *places, struct place place)
{
    if (places->n < PLACES_MAX)
        places->list[places->n++] = place;
}

static void places_of(struct places *places, ProtobufCMessage *message)
{
    for (unsigned f = 0; f < message->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[f];
        uint8_t *at = (uint8_t *)message + field->offset;
        const bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
        size_t *n = list ? (size_t *)(void *)((uint8_t *)message + field->quantifier_offset) : NULL;
        if (list)
            places_add(places, (struct place){message, field, NULL, n});
        for (size_t i = 0; i < (list ? *n : 1); i++) {
            void *value = list ? *(uint8_t **)(void *)at + i * fields_width(field->type) : at;
            places_add(places, (struct place){message, field, value, n});
            if (field->type == PROTOBUF_C_TYPE_MESSAGE && *(ProtobufCMessage **)value != NULL)
                places_of(places, *(ProtobufCMessage **)value);
        }
    }
}

static void change_bytes(uint8_t **data, size_t *length, struct arena *arena, struct seeded *dice)
{
    const size_t more = 1 + seeded_below(dice, 40);
    uint8_t *made = arena_alloc(arena, *length + more + 1);
    size_t n = *length;
    if (n > 0)
        memcpy(made, *data, n);
    switch (n == 0 ? 0 : seeded_below(dice, 5)) {
    case 0: /* longer */
        for (size_t i = 0; i < more; i++)
            made[n++] = (uint8_t)('a' + seeded_below(dice, 26));
        break;
    case 1:
        n = seeded_below(dice, n);
        break;
    case 2:
        memset(made, 0, n);
        break;
    case 3:
        made[seeded_below(dice, n)] = (uint8_t)seeded_below(dice, 256);
        break;
    default:
        made[seeded_below(dice, n)] ^= (uint8_t)(1 << seeded_below(dice, 8));
        break;
    }
    *data = made;
    *length = n;
}

static uint64_t changed_number(uint64_t old, struct seeded *dice)
{
    static const uint64_t edges[] = {0, 1, 2, 3, 255, 65536, UINT32_MAX, INT64_MAX, UINT64_MAX};
    switch (seeded_below(dice, 4)) {
    case 0:
        return old + 1;
    case 1:
        return old - 1;
    case 2:
        return old ^ UINT64_C(1) << seeded_below(dice, 64);
    default:
        return edges[seeded_below(dice, sizeof edges / sizeof *edges)];
    }
}

/* An entry fewer, one twice, or two in each other's place. */
static void change_list(const struct place *place, struct arena *arena, struct seeded *dice)
{
    const size_t width = fields_width(place->field->type), n = *place->n;
    uint8_t **at = (uint8_t **)(void *)((uint8_t *)place->message + place->field->offset);
    if (n == 0)
        return;
    uint8_t *made = arena_alloc(arena, (n + 1) * width);
    const size_t i = seeded_below(dice, n), j = seeded_below(dice, n);
    memcpy(made, *at, n * width);
    switch (seeded_below(dice, 3)) {
    case 0:
        memmove(made + i * width, made + (i + 1) * width, (n - i - 1) * width);
        *place->n = n - 1;
        break;
    case 1:
        memcpy(made + n * width, made + i * width, width);
        *place->n = n + 1;
        break;
    default:
        memcpy(made + i * width, *at + j * width, width);
        memcpy(made + j * width, *at + i * width, width);
        break;
    }
    *at = made;
}

static void change(const struct place *place, struct arena *arena, struct seeded *dice)
{
    if (place->value == NULL) {
        change_list(place, arena, dice);
        return;
    }
    switch (place->field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        if (place->n == NULL)
            *(ProtobufCMessage **)place->value = NULL;
        break;
    case PROTOBUF_C_TYPE_BYTES: {
        ProtobufCBinaryData *bytes = place->value;
        change_bytes(&bytes->data, &bytes->len, arena, dice);
        break;
    }
    case PROTOBUF_C_TYPE_STRING: {
        char **text = place->value;
        uint8_t *data = (uint8_t *)*text;
        size_t length = strlen(*text);
        change_bytes(&data, &length, arena, dice);
        data[length] = '\0';
        *text = (char *)data;
        break;
    }
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)place->value = changed_number(*(uint64_t *)place->value, dice);
        break;
    default:
        *(uint32_t *)place->value = (uint32_t)changed_number(*(uint32_t *)place->value, dice);
        break;
    }
}

bool mutate_body(struct bytes *out, enum message_kind kind, const uint8_t *body, size_t length,
                 struct seeded *dice)
{
    const ProtobufCMessageDescriptor *descriptor = fields_body(kind);
    struct arena *arena = arena_new();
    struct places *places = calloc(1, sizeof *places);
    ProtobufCMessage *message = NULL;
    const size_t before = out->length;
    if (arena != NULL && places != NULL && descriptor != NULL && seeded_below(dice, 8) != 0) {
        ProtobufCAllocator allocator = {.alloc = take, .free = leave, .allocator_data = arena};
        message = protobuf_c_message_unpack(descriptor, &allocator, length, body);
    }
    if (message != NULL)
        places_of(places, message);
    if (message != NULL && places->n > 0) {
        for (uint64_t times = 1 + seeded_below(dice, 8) / 7; times > 0; times--)
            change(&places->list[seeded_below(dice, places->n)], arena, dice);
        uint8_t *to = bytes_reserve(out, protobuf_c_message_get_packed_size(message));
        if (to != NULL)
            protobuf_c_message_pack(message, to);
    } else if (length > 0 && arena != NULL) {
        uint8_t *data = arena_alloc(arena, length);
        size_t n = length;
        memcpy(data, body, length);
        change_bytes(&data, &n, arena, dice);
        bytes_put(out, data, n);
    }
    const bool other = out->length - before != length || memcmp(out->data + before, body, length) != 0;
    free(places);
    arena_free(arena);
    return other && !out->failed;
}
