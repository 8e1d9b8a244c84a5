#include "proto/decision.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"

static const char first_line[] = "maille decision 1\n";
enum { HEX_QID = 2 * QID_BYTES, HEX_HASH = 2 * HASH_BYTES, HEX_SIGNATURE = 2 * SIGNATURE_BYTES };

void decision_pending_hash(struct digest *hash, const void *bytes, size_t length)
{
    hash_kdf(hash, NULL, "pending", bytes, length);
}

/* The value of "key: value" at a line's beginning, before the first empty line. */
static const char *line_value(struct arena *arena, const uint8_t *bytes, size_t length, const char *key)
{
    const size_t n = strlen(key);
    for (size_t at = 0; at < length && bytes[at] != '\n';) {
        const uint8_t *end = memchr(bytes + at, '\n', length - at);
        const size_t line = end != NULL ? (size_t)(end - (bytes + at)) : length - at;
        if (line >= n + 2 && memcmp(bytes + at, key, n) == 0 && memcmp(bytes + at + n, ": ", 2) == 0)
            return arena_strndup(arena, (const char *)bytes + at + n + 2, line - n - 2);
        at += line + 1;
    }
    return "";
}

const char *decision_pending_line(struct arena *arena, const struct bytes *pending, const char *key)
{
    return line_value(arena, pending->data, pending->length, key);
}

const char *decision_word(enum decision_kind kind)
{
    static const char *const words[] = {
        [DECISION_DENY] = "deny", [DECISION_APPROVE] = "approve", [DECISION_STOP] = "stop"};
    return words[kind];
}

static const char *body_of(struct arena *arena, const struct decision *decision)
{
    char qid[HEX_QID + 1], hash[HEX_HASH + 1];
    bytes_to_hex(qid, decision->qid, QID_BYTES);
    bytes_to_hex(hash, decision->pending.b, HASH_BYTES);
    return arena_printf(arena, "%squery: %s\ndecision: %s\npending: %s\nby: %s\nat: %s\nreason: %s\n",
                        first_line, qid, decision_word(decision->kind), hash, decision->by, decision->at,
                        decision->reason);
}

/* The body, and its signature in a last line. */
static enum maille_code put_signed(struct bytes *out, const char *body, const char *what,
                                   const struct secret_keys *keys, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t signature[SIGNATURE_BYTES];
    char hex[HEX_SIGNATURE + 1];
    MAILLE_TRY(identity_sign(signature, keys, what, body, strlen(body), error));
    bytes_to_hex(hex, signature, SIGNATURE_BYTES);
    bytes_put(out, body, strlen(body));
    bytes_printf(out, "signature: %s\n", hex);
    MAILLE_TRY(bytes_check(out, error));
out:
    return code;
}

enum maille_code decision_write(struct bytes *out, const struct decision *decision,
                                const struct secret_keys *keys, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct decision signed_by = *decision;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a decision");
    if (strlen(decision->reason) > DECISION_REASON_MAX || strpbrk(decision->reason, "\r\n") != NULL) {
        code = maille_fail(error, MAILLE_INVALID, "expected a reason of one line of at most %d bytes",
                           DECISION_REASON_MAX);
        goto out;
    }
    signed_by.by = secret_keys_name(keys);
    MAILLE_TRY(put_signed(out, body_of(arena, &signed_by), "decision", keys, error));
out:
    arena_free(arena);
    return code;
}

/* Splits off "signature: HEX\n" at the end. False where there is none. */
static bool split_signature(size_t *body, uint8_t signature[SIGNATURE_BYTES], const struct bytes *text)
{
    const size_t label = strlen("signature: "), tail = label + HEX_SIGNATURE + 1;
    char hex[HEX_SIGNATURE + 1];
    if (text->length < tail || text->data[text->length - 1] != '\n')
        return false;
    *body = text->length - tail;
    memcpy(hex, text->data + *body + label, HEX_SIGNATURE);
    hex[HEX_SIGNATURE] = '\0';
    return memcmp(text->data + *body, "signature: ", label) == 0 &&
           bytes_from_hex(signature, SIGNATURE_BYTES, hex);
}

/* The body is what decision_write writes, to the byte: the lines that are read make it again. */
static bool parse(struct decision *out, struct arena *arena, const uint8_t *body, size_t length)
{
    const char *qid = line_value(arena, body, length, "query"),
               *verdict = line_value(arena, body, length, "decision"),
               *hash = line_value(arena, body, length, "pending");
    *out = (struct decision){.by = line_value(arena, body, length, "by"),
                             .at = line_value(arena, body, length, "at"),
                             .reason = line_value(arena, body, length, "reason")};
    bool known = false;
    for (enum decision_kind kind = DECISION_DENY; kind <= DECISION_STOP; kind++)
        if (strcmp(verdict, decision_word(kind)) == 0) {
            out->kind = kind;
            known = true;
        }
    if (!known || strlen(qid) != HEX_QID || strlen(hash) != HEX_HASH ||
        !bytes_from_hex(out->qid, QID_BYTES, qid) || !bytes_from_hex(out->pending.b, HASH_BYTES, hash))
        return false;
    const char *again = body_of(arena, out);
    return strlen(again) == length && memcmp(again, body, length) == 0;
}

enum maille_code decision_read(struct decision *decision, struct arena *arena, const char *path,
                               const struct bytes *text, const uint8_t *identity, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t signature[SIGNATURE_BYTES];
    size_t body = 0;
    if (!split_signature(&body, signature, text))
        code =
            maille_fail(error, MAILLE_INVALID, "expected a signed decision in %s, found other bytes", path);
    else if (identity != NULL && !identity_verify(signature, identity, "decision", text->data, body))
        code = maille_fail(
            error, MAILLE_SIGNATURE,
            "expected the signature of this site's data protection officer in %s, found another's", path);
    else if (!parse(decision, arena, text->data, body))
        code = maille_fail(error, MAILLE_INVALID, "expected a decision in %s, found other lines", path);
    else
        memcpy(decision->signature, signature, SIGNATURE_BYTES);
    return code;
}

/* --- appointments --- */

static const char appointment_first[] = "maille appointment 1\n";
static const char *const roles[] = {[APPOINTMENT_SUCCESSOR] = "successor", [APPOINTMENT_SECOND] = "second"};

const char *appointment_role_word(enum appointment_role role)
{
    return roles[role];
}

bool appointment_role_parse(enum appointment_role *role, const char *word)
{
    for (enum appointment_role r = APPOINTMENT_SUCCESSOR; r <= APPOINTMENT_SECOND; r++)
        if (strcmp(word, roles[r]) == 0) {
            *role = r;
            return true;
        }
    return false;
}

bool appointment_is(const struct bytes *text)
{
    const size_t length = sizeof appointment_first - 1;
    return text->length >= length && memcmp(text->data, appointment_first, length) == 0;
}

static const char *appointment_body(struct arena *arena, const struct appointment *appointment)
{
    char identity[2 * PUBLIC_BYTES + 1], box[2 * PUBLIC_BYTES + 1], from[16];
    bytes_to_hex(identity, appointment->identity, PUBLIC_BYTES);
    bytes_to_hex(box, appointment->box, PUBLIC_BYTES);
    number_format_date(from, appointment->from);
    return arena_printf(
        arena, "%ssite: %s\nrole: %s\nofficer: %s\nidentity: %s\nbox: %s\nfrom: %s\nby: %s\nat: %s\n",
        appointment_first, appointment->site, roles[appointment->role], appointment->officer, identity, box,
        from, appointment->by, appointment->at);
}

enum maille_code appointment_write(struct bytes *out, const struct appointment *appointment,
                                   const struct secret_keys *keys, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct appointment signed_by = *appointment;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for an appointment");
    signed_by.by = secret_keys_name(keys);
    code = put_signed(out, appointment_body(arena, &signed_by), "appointment", keys, error);
    arena_free(arena);
    return code;
}

static bool parse_appointment(struct appointment *out, struct arena *arena, const uint8_t *body,
                              size_t length)
{
    const char *role = line_value(arena, body, length, "role"),
               *identity = line_value(arena, body, length, "identity"),
               *box = line_value(arena, body, length, "box"), *from = line_value(arena, body, length, "from");
    *out = (struct appointment){.site = line_value(arena, body, length, "site"),
                                .officer = line_value(arena, body, length, "officer"),
                                .by = line_value(arena, body, length, "by"),
                                .at = line_value(arena, body, length, "at")};
    if (!appointment_role_parse(&out->role, role) || !identity_name_valid(out->officer) ||
        !bytes_from_hex(out->identity, PUBLIC_BYTES, identity) ||
        !bytes_from_hex(out->box, PUBLIC_BYTES, box) || !number_parse_date(from, strlen(from), &out->from))
        return false;
    const char *again = appointment_body(arena, out);
    return strlen(again) == length && memcmp(again, body, length) == 0;
}

enum maille_code appointment_read(struct appointment *appointment, struct arena *arena, const char *path,
                                  const struct bytes *text, const uint8_t *identity,
                                  struct maille_error *error)
{
    uint8_t signature[SIGNATURE_BYTES];
    struct appointment read;
    size_t body = 0;
    if (!split_signature(&body, signature, text))
        return maille_fail(error, MAILLE_INVALID, "expected a signed appointment in %s, found other bytes",
                           path);
    if (identity != NULL && !identity_verify(signature, identity, "appointment", text->data, body))
        return maille_fail(error, MAILLE_SIGNATURE,
                           "expected the signature of this site's data protection officer in %s, found "
                           "another's",
                           path);
    if (!parse_appointment(&read, arena, text->data, body))
        return maille_fail(error, MAILLE_INVALID, "expected an appointment in %s, found other lines", path);
    *appointment = read;
    return MAILLE_OK;
}
