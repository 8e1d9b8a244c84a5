/* Envelopes, and the table that dispatch and limits come from. The bodies: message_peer.c (who is there),
 * message_query.c (a query from manifest to end), message_round.c (one round). */
#include "proto/directory.h"

#include "proto/codec.h"
#include "query/yaml.h"

enum { KIB = 1024, ENVELOPE_OVERHEAD = 256 };

/* Each limit is the largest honest body, rounded up; what makes it that large stands beside. */
static const struct message_rule rules[] = {
    {MESSAGE_HELLO, "hello", false, 1 * KIB, 0},
    {MESSAGE_WELCOME, "welcome", false, 256, 0},
    {MESSAGE_DIRECTORY, "directory", false, DIRECTORY_BYTES_MAX + 64, 0},
    {MESSAGE_CATALOGUE, "catalogue", true, YAML_BYTES_MAX + 4 * KIB, 0}, /* the dictionary */
    {MESSAGE_CATALOGUE_REQUEST, "catalogue_request", false, 0, 0},
    {MESSAGE_CATALOGUES, "catalogues", false, MESSAGE_BODY_MAX, 0},
    {MESSAGE_MANIFEST, "manifest", true, YAML_BYTES_MAX + 64 * KIB, 0}, /* the study */
    {MESSAGE_READY, "ready", true, 16 * KIB, 0},                        /* a finding per analysis */
    {MESSAGE_CALL, "call", true, 8 * KIB, 0},
    {MESSAGE_ACCEPT, "accept", true, 1280 * KIB, 0}, /* the policy in force, the ledger, a head */
    {MESSAGE_ROSTER, "roster", true, MESSAGE_BODY_MAX, 0},
    {MESSAGE_START, "start", true, 512 * KIB, MESSAGE_FRAME_MAX}, /* runs, a sealed key per site */
    {MESSAGE_REFUSE, "refuse", true, 16 * KIB, 0},
    {MESSAGE_MASKED, "masked", true, 48 * KIB, SEGMENT_BYTES}, /* a tag per site, a head */
    {MESSAGE_PULL, "pull", false, 256, 0},
    {MESSAGE_SEGMENT, "segment", false, 256, SEGMENT_BYTES},
    {MESSAGE_CLOSE, "close", true, MESSAGE_BODY_MAX, 0},
    {MESSAGE_REVEAL, "reveal", true, 20 * KIB, 0}, /* a sealed key per custodian */
    {MESSAGE_SUM, "sum", true, 256, 0},
    {MESSAGE_END, "end", true, 64, 0},
    {MESSAGE_CANCEL, "cancel", true, 128, 0},
    {MESSAGE_LOG_HEAD, "log_head", true, 128 * KIB, 0},
    {MESSAGE_CUSTODY, "custody", false, MESSAGE_BODY_MAX, MESSAGE_FRAME_MAX}, /* a reveal per member */
    {MESSAGE_TAKEN, "taken", true, 128, 0},
    {MESSAGE_AGREED, "agreed", false, 512 * KIB, 0}, /* a taken per member */
    {MESSAGE_STATUS, "status", false, 16 * KIB, 0},
    {MESSAGE_LIST_REQUEST, "list_request", false, 0, 0},
    {MESSAGE_LIST, "list", false, 256 * KIB, 0},
    {MESSAGE_RESUME, "resume", false, 64, 0},
    {MESSAGE_PROBLEM, "problem", false, 128, 0},
    {MESSAGE_RESULT, "result", true, 128, MESSAGE_FRAME_MAX},
};

const char *message_wire_install(uint32_t wire)
{
    static const char *const releases[] = {"", "maille 0.1.0", "maille 0.2.0 or later"};
    return wire < sizeof releases / sizeof *releases ? releases[wire] : "a later maille than this one";
}

const struct message_rule *message_rule(uint32_t kind)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if ((uint32_t)rules[i].kind == kind)
            return &rules[i];
    return NULL;
}

const char *query_phase_name(enum query_phase phase)
{
    static const char *const names[] = {"unknown", "asked",    "called", "roster",    "round",
                                        "closed",  "revealed", "ended",  "cancelled", "expired"};
    return (size_t)phase < sizeof names / sizeof *names ? names[phase] : "unknown";
}

enum maille_code envelope_decode(struct envelope *out, struct arena *arena, const void *bytes, size_t length,
                                 struct maille_error *error)
{
    struct decoder decoder = {.message = "envelope", .arena = arena, .error = error, .code = MAILLE_OK};
    const Maille__Wire__Envelope *in = decoder_unpack(&decoder, &maille__wire__envelope__descriptor,
                                                      MESSAGE_BODY_MAX + ENVELOPE_OVERHEAD, bytes, length);
    if (in == NULL)
        return decoder.code;
    const struct message_rule *rule = message_rule(in->kind);
    if (rule == NULL)
        return maille_protest(error, "form", "expected a kind of message of protocol %d, found %u",
                              PROTOCOL_VERSION, in->kind);
    const char *from = codec_decode_name(&decoder, "from", in->from);
    struct byte_view body = codec_decode_view(&decoder, "body", in->body, 0, rule->body_max);
    if (in->signature.len != (rule->is_signed ? (size_t)SIGNATURE_BYTES : 0))
        decoder_refuse(&decoder, "signature", rule->is_signed ? "64 bytes of signature" : "no signature");
    if (decoder.code != MAILLE_OK) {
        maille_error_prefix(error, "%s", rule->name);
        return decoder.code;
    }
    *out = (struct envelope){.kind = rule->kind,
                             .body = body.data,
                             .body_length = body.length,
                             .signature = rule->is_signed ? in->signature.data : NULL,
                             .bytes = bytes,
                             .length = length};
    memcpy(out->from, from, strlen(from));
    return MAILLE_OK;
}

enum maille_code envelope_encode(struct bytes *out, enum message_kind kind, const struct secret_keys *keys,
                                 const char *from, const struct bytes *body, struct maille_error *error)
{
    const struct message_rule *rule = message_rule(kind);
    uint8_t signature[SIGNATURE_BYTES];
    if (rule == NULL || (rule->is_signed && keys == NULL))
        return maille_fail(error, MAILLE_INTERNAL,
                           "expected a known kind of message and its keys, found kind %d", (int)kind);
    if (body->failed)
        return bytes_check(body, error);
    if (body->length > rule->body_max)
        return maille_fail(error, MAILLE_INVALID,
                           "expected at most %zu bytes of %s, found %zu; ask less at once", rule->body_max,
                           rule->name, body->length);
    Maille__Wire__Envelope packed = MAILLE__WIRE__ENVELOPE__INIT;
    packed.kind = (uint32_t)kind;
    packed.from = codec_encode_string(from);
    packed.body = codec_encode_bytes(body->data, body->length);
    if (rule->is_signed) {
        enum maille_code code = identity_sign(signature, keys, rule->name, body->data, body->length, error);
        if (code != MAILLE_OK)
            return code;
        packed.signature = codec_encode_bytes(signature, sizeof signature);
    }
    return codec_encoder_pack(out, &packed.base, error);
}

bool envelope_verified(const struct envelope *envelope, const uint8_t identity[PUBLIC_BYTES])
{
    const struct message_rule *rule = message_rule(envelope->kind);
    return rule != NULL && rule->is_signed && envelope->signature != NULL &&
           identity_verify(envelope->signature, identity, rule->name, envelope->body, envelope->body_length);
}

void envelope_hash(struct digest *out, const struct envelope *envelope)
{
    hash_bytes(out, envelope->bytes, envelope->length);
}
