/* Private to proto/: protobuf-c with an arena behind it, and field checks that remember the first failure, so
 * that a codec is one straight function each way. */
#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

#include <string.h>

#include "proto/maille.pb-c.h"
#include "proto/message.h"

/* --- from protobuf --- */

/* One body being read. code is the first failure; once it is set, the checks below do nothing. */
struct decoder {
    const char *message; /* for sentences: "accept" */
    struct arena *arena;
    struct maille_error *error;
    enum maille_code code;
};

/* The unpacked message (in the arena), or NULL with code set: body longer than limit, not protobuf, more
 * memory than a body of this length can need, or a field that maille.proto does not have, at any depth. */
const void *decoder_unpack(struct decoder *decoder, const ProtobufCMessageDescriptor *type, size_t limit,
                           const void *body, size_t length);

/* Fails with "expected <what>, found something else in <message>.<field>". */
void decoder_refuse(struct decoder *decoder, const char *field, const char *what);

/* Exactly length bytes into out. */
void codec_decode_fixed(struct decoder *decoder, const char *field, void *out, size_t length,
                        ProtobufCBinaryData in);
/* Between min and max bytes, borrowed from the arena. */
struct byte_view codec_decode_view(struct decoder *decoder, const char *field, ProtobufCBinaryData in,
                                   size_t min, size_t max);
/* [a-z0-9][a-z0-9-]{0,39} */
const char *codec_decode_name(struct decoder *decoder, const char *field, const char *in);
/* A policy key, a method: [a-z0-9_.-]{min,31} */
const char *codec_decode_word(struct decoder *decoder, const char *field, const char *in, size_t min);
/* UTF-8 without control characters, at most max bytes. */
const char *codec_decode_text(struct decoder *decoder, const char *field, const char *in, size_t max);
/* A number in min … max. */
uint32_t codec_decode_u32(struct decoder *decoder, const char *field, uint32_t in, uint32_t min,
                          uint32_t max);
uint64_t codec_decode_u64(struct decoder *decoder, const char *field, uint64_t in, uint64_t min,
                          uint64_t max);
/* 0 to MESSAGE_TIME_MAX_MS. */
int64_t codec_decode_time(struct decoder *decoder, const char *field, int64_t in);
/* Between min and max elements: true when so. */
bool codec_decode_count(struct decoder *decoder, const char *field, size_t n, size_t min, size_t max);
/* A strictly ascending list of min … max numbers, each ≥ least. Borrowed; *n is set. */
const uint32_t *codec_decode_ascending(struct decoder *decoder, const char *field, size_t *n,
                                       const uint32_t *in, size_t n_in, size_t min, size_t max,
                                       uint32_t least);
/* A list of blocks, each at most each_max bytes and not empty. *n is set. */
const struct byte_view *codec_decode_views(struct decoder *decoder, const char *field, size_t *n,
                                           const ProtobufCBinaryData *in, size_t n_in, size_t max,
                                           size_t each_max);
struct message_head codec_decode_head(struct decoder *decoder, const Maille__Wire__Head *in);
const struct message_finding *codec_decode_findings(struct decoder *decoder, size_t *n,
                                                    Maille__Wire__Finding *const *in, size_t n_in);

/* --- to protobuf --- */

/* Appends the packed message to out. */
enum maille_code codec_encoder_pack(struct bytes *out, const ProtobufCMessage *message,
                                    struct maille_error *error) MAILLE_CHECKED;

ProtobufCBinaryData codec_encode_bytes(const void *data, size_t length);
ProtobufCBinaryData codec_encode_view(struct byte_view view);
char *codec_encode_string(const char *string); /* NULL as "" */
ProtobufCBinaryData *codec_encode_views(struct arena *arena, const struct byte_view *views, size_t n);
uint32_t *codec_encode_list(const uint32_t *list);
Maille__Wire__Head *codec_encode_head(struct arena *arena, const struct message_head *head);
Maille__Wire__Finding **codec_encode_findings(struct arena *arena, const struct message_finding *findings,
                                              size_t n);

/* The longest body of a kind. */
size_t codec_limit(enum message_kind kind);

/* --- the two public functions of message X, from X_pack and X_unpack --- */

/* X_pack fills a protobuf message that borrows from message and arena; X_unpack checks one and fills a
 * message. limit: of the body. Out-parameters are untouched on failure. */
#define CODEC(X, Type, prefix, limit)                                                                        \
    enum maille_code message_##X##_encode(struct bytes *out, const struct message_##X *message,              \
                                          struct maille_error *error)                                        \
    {                                                                                                        \
        Type packed;                                                                                         \
        prefix##__init(&packed);                                                                             \
        struct arena *arena = arena_new();                                                                   \
        if (arena == NULL)                                                                                   \
            return maille_fail(error, MAILLE_MEMORY, "expected memory for a message, found none");           \
        X##_pack(&packed, message, arena);                                                                   \
        enum maille_code code = codec_encoder_pack(out, &packed.base, error);                                \
        arena_free(arena);                                                                                   \
        return code;                                                                                         \
    }                                                                                                        \
    enum maille_code message_##X##_decode(struct message_##X *message, struct arena *arena,                  \
                                          const void *body, size_t length, struct maille_error *error)       \
    {                                                                                                        \
        struct decoder decoder = {.message = #X, .arena = arena, .error = error, .code = MAILLE_OK};         \
        struct message_##X decoded;                                                                          \
        memset(&decoded, 0, sizeof decoded);                                                                 \
        const Type *unpacked = decoder_unpack(&decoder, &prefix##__descriptor, (limit), body, length);       \
        if (unpacked != NULL)                                                                                \
            X##_unpack(&decoder, &decoded, unpacked);                                                        \
        if (decoder.code == MAILLE_OK)                                                                       \
            *message = decoded;                                                                              \
        return decoder.code;                                                                                 \
    }

#endif
