#include "proto/codec.h"

/* --- protobuf-c's memory --- */

/* A body of L bytes may take at most 64 KiB + 32·L: the most expensive honest field (a run of 6 bytes on the
 * wire) needs a struct, a pointer to it and protobuf-c's own note of it, 112 bytes together; a peer that
 * sends empty submessages to make us allocate is stopped here. */
enum { DECODE_FIXED = 65536, DECODE_FACTOR = 32 };

struct capped {
    struct arena *arena;
    size_t left;
};

static void *capped_alloc(void *context, size_t size)
{
    struct capped *capped = context;
    if (size > capped->left)
        return NULL;
    capped->left -= size;
    return arena_alloc(capped->arena, size);
}

static void capped_free(void *context, void *memory)
{
    (void)context; /* the arena gives all of it back at once */
    (void)memory;
}

/* Is there a field, here or in a submessage, that maille.proto does not have? */
static bool has_unknown(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    if (message->n_unknown_fields != 0)
        return true;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        const void *member = (const char *)message + field->offset;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t n = *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
            ProtobufCMessage *const *list = *(ProtobufCMessage *const *const *)member;
            for (size_t k = 0; k < n; k++)
                if (has_unknown(list[k]))
                    return true;
        } else {
            const ProtobufCMessage *one = *(ProtobufCMessage *const *)member;
            if (one != NULL && has_unknown(one))
                return true;
        }
    }
    return false;
}

/* One message has one form on the wire: protobuf allows others (fields twice or in another order, padded
 * numbers, zeros written out), so what was read is packed again and compared. A signature and a hash are of
 * bytes: two readings of one must not be possible. */
static bool is_canonical(const ProtobufCMessage *message, struct arena *arena, const uint8_t *body,
                         size_t length)
{
    if (protobuf_c_message_get_packed_size(message) != length)
        return false;
    uint8_t *packed = arena_alloc(arena, length + 1);
    return protobuf_c_message_pack(message, packed) == length && memcmp(packed, body, length) == 0;
}

const void *decoder_unpack(struct decoder *decoder, const ProtobufCMessageDescriptor *type, size_t limit,
                           const void *body, size_t length)
{
    if (length > limit) {
        decoder->code = maille_protest(decoder->error, "form", "expected at most %zu bytes of %s, found %zu",
                                       limit, decoder->message, length);
        return NULL;
    }
    struct capped capped = {.arena = decoder->arena, .left = DECODE_FIXED + DECODE_FACTOR * length};
    ProtobufCAllocator allocator = {.alloc = capped_alloc, .free = capped_free, .allocator_data = &capped};
    static const uint8_t nothing[1];
    if (body == NULL)
        body = nothing;
    const ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, length, body);
    if (message == NULL || has_unknown(message)) {
        decoder->code =
            maille_protest(decoder->error, "form", "expected the fields of %s, found %s", decoder->message,
                           message == NULL ? "bytes that are not such a message" : "one that is unknown");
        return NULL;
    }
    if (!is_canonical(message, decoder->arena, body, length)) {
        decoder->code = maille_protest(
            decoder->error, "form", "expected %s in its one form, found bytes that say the same in another",
            decoder->message);
        return NULL;
    }
    return message;
}

/* --- checks --- */

void decoder_refuse(struct decoder *decoder, const char *field, const char *what)
{
    if (decoder->code == MAILLE_OK)
        decoder->code = maille_protest(decoder->error, "form", "expected %s, found something else in %s.%s",
                                       what, decoder->message, field);
}

void codec_decode_fixed(struct decoder *decoder, const char *field, void *out, size_t length,
                        ProtobufCBinaryData in)
{
    if (in.len != length)
        decoder_refuse(decoder, field, "bytes of the fixed length");
    else
        memcpy(out, in.data, length);
}

struct byte_view codec_decode_view(struct decoder *decoder, const char *field, ProtobufCBinaryData in,
                                   size_t min, size_t max)
{
    if (in.len < min || in.len > max)
        decoder_refuse(decoder, field, "a block within its limits");
    return (struct byte_view){.data = in.data, .length = in.len};
}

static bool lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

const char *codec_decode_name(struct decoder *decoder, const char *field, const char *in)
{
    size_t n = 0;
    for (; n <= NAME_MAX_BYTES && (lower_or_digit(in[n]) || (n > 0 && in[n] == '-')); n++)
        ;
    if (n == 0 || n > NAME_MAX_BYTES || in[n] != '\0')
        decoder_refuse(decoder, field, "a name of at most 40 of a-z, 0-9 and -");
    return in;
}

const char *codec_decode_word(struct decoder *decoder, const char *field, const char *in, size_t min)
{
    size_t n = 0;
    for (; n < MAILLE_RULE_MAX && (lower_or_digit(in[n]) || in[n] == '_' || in[n] == '.' || in[n] == '-');
         n++)
        ;
    if (n < min || n >= MAILLE_RULE_MAX || in[n] != '\0')
        decoder_refuse(decoder, field, "a word of at most 31 of a-z, 0-9, _, . and -");
    return in;
}

/* The length of one well-formed UTF-8 character (Unicode 15, table 3-7), or 0. */
static size_t utf8_length(const uint8_t *s)
{
    if (s[0] < 0x80)
        return s[0] >= 0x20 && s[0] != 0x7f;
    size_t n = s[0] >= 0xc2 && s[0] <= 0xdf   ? 2
               : (s[0] & 0xf0) == 0xe0        ? 3
               : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                              : 0;
    for (size_t k = 1; k < n; k++)
        if ((s[k] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

const char *codec_decode_text(struct decoder *decoder, const char *field, const char *in, size_t max)
{
    const uint8_t *s = (const uint8_t *)in;
    size_t n = 0, step = 1;
    for (; step > 0 && n <= max && s[n] != '\0'; n += step)
        step = utf8_length(s + n);
    if (step == 0 || n > max)
        decoder_refuse(decoder, field, "a short text in UTF-8 without control characters");
    return in;
}

uint32_t codec_decode_u32(struct decoder *decoder, const char *field, uint32_t in, uint32_t min, uint32_t max)
{
    return (uint32_t)codec_decode_u64(decoder, field, in, min, max);
}

uint64_t codec_decode_u64(struct decoder *decoder, const char *field, uint64_t in, uint64_t min, uint64_t max)
{
    if (in < min || in > max)
        decoder_refuse(decoder, field, "a number within its limits");
    return in;
}

int64_t codec_decode_time(struct decoder *decoder, const char *field, int64_t in)
{
    if (in < 0 || in > MESSAGE_TIME_MAX_MS)
        decoder_refuse(decoder, field, "a time from 1970 to 9999");
    return in;
}

bool codec_decode_count(struct decoder *decoder, const char *field, size_t n, size_t min, size_t max)
{
    if (n < min || n > max)
        decoder_refuse(decoder, field, "a list of a length within its limits");
    return decoder->code == MAILLE_OK;
}

const uint32_t *codec_decode_ascending(struct decoder *decoder, const char *field, size_t *n,
                                       const uint32_t *in, size_t n_in, size_t min, size_t max,
                                       uint32_t least)
{
    if (!codec_decode_count(decoder, field, n_in, min, max))
        return NULL;
    for (size_t i = 0; i < n_in; i++)
        if (i == 0 ? in[i] < least : in[i] <= in[i - 1])
            decoder_refuse(decoder, field, "an ascending list");
    *n = n_in;
    return in;
}

const struct byte_view *codec_decode_views(struct decoder *decoder, const char *field, size_t *n,
                                           const ProtobufCBinaryData *in, size_t n_in, size_t max,
                                           size_t each_max)
{
    if (!codec_decode_count(decoder, field, n_in, 0, max))
        return NULL;
    struct byte_view *views = arena_array(decoder->arena, n_in, sizeof *views);
    for (size_t i = 0; i < n_in; i++)
        views[i] = codec_decode_view(decoder, field, in[i], 1, each_max);
    *n = n_in;
    return views;
}

struct message_head codec_decode_head(struct decoder *decoder, const Maille__Wire__Head *in)
{
    struct message_head head = {0};
    if (in == NULL) {
        decoder_refuse(decoder, "head", "a log head");
        return head;
    }
    head.size = in->size;
    head.seen = in->seen;
    codec_decode_fixed(decoder, "head.root", head.root.b, sizeof head.root.b, in->root);
    if (!codec_decode_count(decoder, "head.proofs", in->n_proofs, 0, MESSAGE_HEAD_PROOFS_MAX))
        return head;
    struct audit_proof *proofs = arena_array(decoder->arena, in->n_proofs, sizeof *proofs);
    for (size_t i = 0; i < in->n_proofs; i++) {
        const Maille__Wire__HeadProof *proof = in->proofs[i];
        if (proof->path.len % HASH_BYTES != 0 || proof->path.len > (size_t)MESSAGE_HEAD_PATH_MAX * HASH_BYTES)
            decoder_refuse(decoder, "head.proofs", "at most 128 hashes of 32 bytes");
        proofs[i] = (struct audit_proof){.old = proof->old,
                                         .n = proof->path.len / HASH_BYTES,
                                         .path = (const struct digest *)proof->path.data};
    }
    head.n_proofs = in->n_proofs;
    head.proofs = proofs;
    return head;
}

const struct message_finding *codec_decode_findings(struct decoder *decoder, size_t *n,
                                                    Maille__Wire__Finding *const *in, size_t n_in)
{
    if (!codec_decode_count(decoder, "findings", n_in, 0, MESSAGE_ANALYSES_MAX))
        return NULL;
    struct message_finding *findings = arena_array(decoder->arena, n_in, sizeof *findings);
    for (size_t i = 0; i < n_in; i++) {
        findings[i].analysis =
            codec_decode_u32(decoder, "findings.analysis", in[i]->analysis, 0, MESSAGE_ANALYSES_MAX - 1);
        findings[i].rule = codec_decode_word(decoder, "findings.rule", in[i]->rule, 1);
        if (i > 0 && findings[i].analysis <= findings[i - 1].analysis)
            decoder_refuse(decoder, "findings", "an ascending list");
    }
    *n = n_in;
    return findings;
}

size_t codec_limit(enum message_kind kind)
{
    return message_rule((uint32_t)kind)->body_max;
}

/* --- to protobuf --- */

enum maille_code codec_encoder_pack(struct bytes *out, const ProtobufCMessage *message,
                                    struct maille_error *error)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *place = bytes_reserve(out, length);
    if (place == NULL)
        return bytes_check(out, error);
    protobuf_c_message_pack(message, place);
    return MAILLE_OK;
}

/* protobuf-c's structs have no const; packing does not write through these pointers. */
ProtobufCBinaryData codec_encode_bytes(const void *data, size_t length)
{
    return (ProtobufCBinaryData){.len = length, .data = (uint8_t *)data};
}

ProtobufCBinaryData codec_encode_view(struct byte_view view)
{
    return codec_encode_bytes(view.data, view.length);
}

char *codec_encode_string(const char *string)
{
    return (char *)(string == NULL ? protobuf_c_empty_string : string);
}

uint32_t *codec_encode_list(const uint32_t *list)
{
    return (uint32_t *)list;
}

ProtobufCBinaryData *codec_encode_views(struct arena *arena, const struct byte_view *views, size_t n)
{
    ProtobufCBinaryData *list = arena_array(arena, n, sizeof *list);
    for (size_t i = 0; i < n; i++)
        list[i] = codec_encode_view(views[i]);
    return list;
}

Maille__Wire__Head *codec_encode_head(struct arena *arena, const struct message_head *head)
{
    Maille__Wire__Head *out = arena_alloc(arena, sizeof *out);
    maille__wire__head__init(out);
    out->size = head->size;
    out->root = codec_encode_bytes(head->root.b, sizeof head->root.b);
    out->seen = head->seen;
    out->n_proofs = head->n_proofs;
    out->proofs = arena_array(arena, head->n_proofs, sizeof *out->proofs);
    for (size_t i = 0; i < head->n_proofs; i++) {
        out->proofs[i] = arena_alloc(arena, sizeof *out->proofs[i]);
        maille__wire__head_proof__init(out->proofs[i]);
        out->proofs[i]->old = head->proofs[i].old;
        out->proofs[i]->path = codec_encode_bytes(head->proofs[i].path, head->proofs[i].n * HASH_BYTES);
    }
    return out;
}

Maille__Wire__Finding **codec_encode_findings(struct arena *arena, const struct message_finding *findings,
                                              size_t n)
{
    Maille__Wire__Finding **list = arena_array(arena, n, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        list[i] = arena_alloc(arena, sizeof *list[i]);
        maille__wire__finding__init(list[i]);
        list[i]->analysis = findings[i].analysis;
        list[i]->rule = codec_encode_string(findings[i].rule);
    }
    return list;
}
