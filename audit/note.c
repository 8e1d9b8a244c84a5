#include "audit/note.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"

static const char dash[] = "\xe2\x80\x94 "; /* EM DASH, space: begins the line of a signature */

/* --- writing --- */

static void put_base64(struct bytes *out, const void *data, size_t length, char end)
{
    char text[BASE64_BYTES(NOTE_ID_BYTES + SIGNATURE_BYTES)];
    crypto_note_base64_encode(text, data, length);
    bytes_printf(out, "%s%c", text, end);
}

static void put_time(struct bytes *out, int64_t utc_ms)
{
    char text[32];
    clock_format(text, utc_ms);
    bytes_printf(out, "%s\n", text);
}

void note_body(struct bytes *out, const struct note *note)
{
    bytes_printf(out, "%s\n%" PRIu64 "\n", note->origin, note->size);
    put_base64(out, note->root.b, HASH_BYTES, '\n');
    bytes_printf(out, "epoch %" PRIu64 " ", note->epoch);
    put_time(out, note->begin_ms);
    if (note->kind == NOTE_SEAL) {
        bytes_printf(out, "sealed ");
        put_time(out, note->end_ms);
    }
    if (note->kind != NOTE_CHECKPOINT) {
        bytes_printf(out, "next %" PRIu64 " ", note->kind == NOTE_SEAL ? note->epoch + 1 : note->epoch);
        put_base64(out, note->next_key, PUBLIC_BYTES, '\n');
    }
    if (note->kind == NOTE_BASE) {
        bytes_printf(out, "last ");
        put_time(out, note->last_ms);
    }
    if (note->kind != NOTE_BEGIN) {
        bytes_printf(out, "checkpoint %" PRIu64 " ", note->checkpoint);
        put_base64(out, note->chain.b, HASH_BYTES, '\n');
    }
    if (note->kind == NOTE_BASE) {
        bytes_printf(out, "range");
        for (size_t i = 0; i < note->n_range; i++) {
            bytes_printf(out, " ");
            put_base64(out, note->range[i].b, HASH_BYTES, i + 1 < note->n_range ? '\0' : '\n');
            if (i + 1 < note->n_range && !out->failed)
                out->length--; /* the NUL */
        }
    }
}

void note_text(struct bytes *out, const struct note *note, const uint8_t *key)
{
    note_body(out, note);
    bytes_printf(out, "\n");
    if (note->kind == NOTE_CHECKPOINT || note->kind == NOTE_SEAL) {
        uint8_t line[NOTE_ID_BYTES + SIGNATURE_BYTES];
        crypto_note_key_id(line, note->origin, key);
        memcpy(line + NOTE_ID_BYTES, note->signature, SIGNATURE_BYTES);
        bytes_printf(out, "%s%s ", dash, note->origin);
        put_base64(out, line, sizeof line, '\n');
    } else if (note->has_identity) {
        bytes_printf(out, "identity ");
        put_base64(out, note->identity, PUBLIC_BYTES, ' ');
        put_base64(out, note->signature, SIGNATURE_BYTES, '\n');
    } else
        bytes_printf(out, "identity none\n");
}

enum maille_code note_sign_epoch(struct note *note, const struct epoch_key *key)
{
    struct bytes body = {0};
    note_body(&body, note);
    enum maille_code code = bytes_check(&body, NULL);
    if (code == MAILLE_OK)
        crypto_note_signature_make(note->signature, key, body.data, body.length);
    bytes_clear(&body);
    return code;
}

enum maille_code note_sign_identity(struct note *note, const struct secret_keys *keys,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes body = {0};
    note->has_identity = keys != NULL;
    if (keys == NULL)
        return MAILLE_OK;
    memcpy(note->identity, secret_keys_public(keys)->identity, PUBLIC_BYTES);
    note_body(&body, note);
    MAILLE_TRY(bytes_check(&body, error));
    code = identity_sign(note->signature, keys, "log", body.data, body.length, error);
out:
    bytes_clear(&body);
    return code;
}

/* --- reading --- */

/* The rest of a text. A failed take leaves bad set and gives harmless values. */
struct cursor {
    const char *next, *end;
    bool bad;
};

static void take_literal(struct cursor *cursor, const char *text)
{
    size_t length = strlen(text);
    if (cursor->bad || (size_t)(cursor->end - cursor->next) < length ||
        memcmp(cursor->next, text, length) != 0) {
        cursor->bad = true;
        return;
    }
    cursor->next += length;
}

/* Up to stop, which is passed over. */
static const char *take_until(struct cursor *cursor, char stop, size_t *length)
{
    const char *found = cursor->bad ? NULL : memchr(cursor->next, stop, (size_t)(cursor->end - cursor->next));
    if (found == NULL) {
        cursor->bad = true;
        *length = 0;
        return "";
    }
    const char *start = cursor->next;
    *length = (size_t)(found - start);
    cursor->next = found + 1;
    return start;
}

static uint64_t take_number(struct cursor *cursor, char stop)
{
    size_t length;
    uint64_t number = 0;
    const char *text = take_until(cursor, stop, &length);
    if (!number_parse_u64(text, length, &number))
        cursor->bad = true;
    return number;
}

static void take_base64(struct cursor *cursor, void *out, size_t size, char stop)
{
    size_t length;
    const char *text = take_until(cursor, stop, &length);
    if (!cursor->bad && !crypto_note_base64_decode(out, size, text, length))
        cursor->bad = true;
}

static int64_t take_time(struct cursor *cursor)
{
    size_t length;
    int32_t days;
    int64_t hour, minute, second, ms;
    const char *text = take_until(cursor, '\n', &length);
    if (length != strlen("2026-11-23T15:50:00.123Z") || !number_parse_date(text, 10, &days) ||
        !number_parse_i64(text + 11, 2, &hour) || !number_parse_i64(text + 14, 2, &minute) ||
        !number_parse_i64(text + 17, 2, &second) || !number_parse_i64(text + 20, 3, &ms)) {
        cursor->bad = true;
        return 0;
    }
    int64_t utc_ms = (((days * INT64_C(24) + hour) * 60 + minute) * 60 + second) * 1000 + ms;
    if (utc_ms < 0)
        cursor->bad = true;
    return cursor->bad ? 0 : utc_ms;
}

static void take_range(struct cursor *cursor, struct note *note)
{
    take_literal(cursor, "range");
    int expected = __builtin_popcountll(note->size);
    for (int i = 0; i < expected && !cursor->bad; i++) {
        take_literal(cursor, " ");
        take_base64(cursor, note->range[note->n_range++].b, HASH_BYTES, i + 1 < expected ? ' ' : '\n');
        if (i + 1 < expected)
            cursor->next--; /* the space belongs to the next one */
    }
}

static void take_signature(struct cursor *cursor, struct note *note)
{
    uint8_t line[NOTE_ID_BYTES + SIGNATURE_BYTES] = {0};
    take_literal(cursor, "\n");
    if (note->kind == NOTE_CHECKPOINT || note->kind == NOTE_SEAL) {
        take_literal(cursor, dash);
        take_literal(cursor, note->origin);
        take_literal(cursor, " ");
        take_base64(cursor, line, sizeof line, '\n');
        memcpy(note->signature, line + NOTE_ID_BYTES, SIGNATURE_BYTES);
        return;
    }
    take_literal(cursor, "identity ");
    note->has_identity = cursor->end - cursor->next != strlen("none\n");
    if (note->has_identity) {
        take_base64(cursor, note->identity, PUBLIC_BYTES, ' ');
        take_base64(cursor, note->signature, SIGNATURE_BYTES, '\n');
    } else
        take_literal(cursor, "none\n");
}

/* What the bytes would be, were the note written again: a number with a leading zero is another text. */
static bool same_text(const struct note *note, const uint8_t *key, const char *text, size_t length)
{
    struct bytes again = {0};
    static const uint8_t no_key[PUBLIC_BYTES];
    note_text(&again, note, key == NULL ? no_key : key);
    bool same = !again.failed && again.length == length;
    if (same && key != NULL)
        same = memcmp(again.data, text, length) == 0;
    else if (same) { /* all but the id of the key */
        size_t body = length - BASE64_BYTES(NOTE_ID_BYTES + SIGNATURE_BYTES);
        same = memcmp(again.data, text, body) == 0;
    }
    bytes_clear(&again);
    return same;
}

bool note_parse(struct note *note, enum note_kind kind, const uint8_t *key, const char *text, size_t length)
{
    struct cursor cursor = {text, text + length, length > NOTE_BYTES_MAX};
    struct note found = {.kind = kind};
    size_t n;
    const char *origin = take_until(&cursor, '\n', &n);
    if (n == 0 || n >= sizeof found.origin || memchr(origin, 0, n) != NULL)
        return false;
    memcpy(found.origin, origin, n);
    found.size = take_number(&cursor, '\n');
    take_base64(&cursor, found.root.b, HASH_BYTES, '\n');
    take_literal(&cursor, "epoch ");
    found.epoch = take_number(&cursor, ' ');
    found.begin_ms = take_time(&cursor);
    if (kind == NOTE_SEAL) {
        take_literal(&cursor, "sealed ");
        found.end_ms = take_time(&cursor);
    }
    if (kind != NOTE_CHECKPOINT) {
        take_literal(&cursor, "next ");
        take_number(&cursor, ' '); /* same_text compares it */
        take_base64(&cursor, found.next_key, PUBLIC_BYTES, '\n');
    }
    if (kind == NOTE_BASE) {
        take_literal(&cursor, "last ");
        found.last_ms = take_time(&cursor);
    }
    if (kind != NOTE_BEGIN) {
        take_literal(&cursor, "checkpoint ");
        found.checkpoint = take_number(&cursor, ' ');
        take_base64(&cursor, found.chain.b, HASH_BYTES, '\n');
    }
    if (kind == NOTE_BASE)
        take_range(&cursor, &found);
    take_signature(&cursor, &found);
    if (cursor.bad || cursor.next != cursor.end || found.epoch == UINT64_MAX)
        return false;
    if ((kind == NOTE_BEGIN || kind == NOTE_BASE) && key == NULL)
        key = found.next_key; /* stands in no line: the whole text is compared */
    if (!same_text(&found, key, text, length))
        return false;
    *note = found;
    return true;
}

bool note_valid(const struct note *note, const uint8_t key[PUBLIC_BYTES])
{
    struct bytes body = {0};
    note_body(&body, note);
    bool valid = !body.failed && crypto_note_signature_valid(note->signature, key, body.data, body.length);
    bytes_clear(&body);
    return valid;
}

bool note_certified(const struct note *note)
{
    struct bytes body = {0};
    note_body(&body, note);
    bool valid = !body.failed && note->has_identity &&
                 identity_verify(note->signature, note->identity, "log", body.data, body.length);
    bytes_clear(&body);
    return valid;
}

void note_chain(struct digest *chain, const void *text, size_t length)
{
    struct digest joined[2] = {*chain, {{0}}};
    tree_sha256(&joined[1], text, length);
    tree_sha256(chain, joined, sizeof joined);
}
