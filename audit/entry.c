#include "audit/entry.h"

#include <stdlib.h>
#include <string.h>

enum tag {
    TAG_NOTE = 1,
    TAG_MESSAGE = 2,
    TAG_PEER = 3,
    TAG_QID = 4,
    TAG_HASH = 5,
    TAG_BYTES = 6,
    TAG_DETAIL = 7,
    TAG_REQUESTER = 16,
    TAG_REQUESTER_KEY = 17,
    TAG_STUDY = 18,
    TAG_PURPOSE = 19,
    TAG_LEGAL_BASIS = 20,
    TAG_PROTOCOL = 21,
    TAG_RECIPIENTS = 22,
    TAG_DECISION = 32,
    TAG_COHORT = 33,
    TAG_COHORT_BAND = 34,
    TAG_POLICY_HASH = 35,
    TAG_RULES = 36,
    TAG_APPROVER = 37,
    TAG_APPROVER_KEY = 38,
    TAG_APPROVER_SIGNATURE = 39,
    TAG_PSI = 48,
    TAG_ROUND = 49,
    TAG_ATTEMPT = 50,
    TAG_MEMBERS = 51,
    TAG_VECTOR = 52,
    TAG_VECTOR_BYTES = 53,
    TAG_RELEASED = 54,
    TAG_CLEAR = 55,
    TAG_CLEAR_HASH = 56,
    TAG_SEEDS = 57,
    TAG_BUILD = 64,
    TAG_SEEN = 65,
    TAG_ENVELOPE = 66,
    TAG_SALT = 67,
    TAGS = 68
};

enum { ID_BYTES = 32 };

/* --- what is a field of its own --- */

enum field_kind { FIELD_TEXT, FIELD_FIXED, FIELD_U64, FIELD_U32, FIELD_BLOB };

/* Fields that are one value, in ascending order of their tags; lists stand in code below. */
static const struct field_row {
    uint8_t tag;
    enum field_kind kind;
    size_t offset; /* in struct audit_entry */
    size_t limit;  /* bytes of a text (without NUL) or of a fixed field */
} fields[] = {
    {TAG_MESSAGE, FIELD_TEXT, offsetof(struct audit_entry, message), AUDIT_NAME_MAX},
    {TAG_PEER, FIELD_TEXT, offsetof(struct audit_entry, peer), AUDIT_NAME_MAX},
    {TAG_QID, FIELD_FIXED, offsetof(struct audit_entry, qid), ID_BYTES},
    {TAG_BYTES, FIELD_U64, offsetof(struct audit_entry, bytes), 0},
    {TAG_DETAIL, FIELD_TEXT, offsetof(struct audit_entry, detail), AUDIT_DETAIL_MAX},
    {TAG_REQUESTER, FIELD_TEXT, offsetof(struct audit_entry, requester), AUDIT_NAME_MAX},
    {TAG_REQUESTER_KEY, FIELD_FIXED, offsetof(struct audit_entry, requester_key), PUBLIC_BYTES},
    {TAG_STUDY, FIELD_TEXT, offsetof(struct audit_entry, study), AUDIT_DETAIL_MAX},
    {TAG_PURPOSE, FIELD_TEXT, offsetof(struct audit_entry, purpose), AUDIT_DETAIL_MAX},
    {TAG_LEGAL_BASIS, FIELD_TEXT, offsetof(struct audit_entry, legal_basis), AUDIT_DETAIL_MAX},
    {TAG_PROTOCOL, FIELD_TEXT, offsetof(struct audit_entry, protocol), AUDIT_DETAIL_MAX},
    {TAG_RECIPIENTS, FIELD_TEXT, offsetof(struct audit_entry, recipients), AUDIT_DETAIL_MAX},
    {TAG_DECISION, FIELD_TEXT, offsetof(struct audit_entry, decision), AUDIT_NAME_MAX},
    {TAG_COHORT, FIELD_FIXED, offsetof(struct audit_entry, cohort), ID_BYTES},
    {TAG_COHORT_BAND, FIELD_TEXT, offsetof(struct audit_entry, cohort_band), AUDIT_NAME_MAX},
    {TAG_POLICY_HASH, FIELD_FIXED, offsetof(struct audit_entry, policy_hash), ID_BYTES},
    {TAG_APPROVER, FIELD_TEXT, offsetof(struct audit_entry, approver), AUDIT_NAME_MAX},
    {TAG_APPROVER_KEY, FIELD_FIXED, offsetof(struct audit_entry, approver_key), PUBLIC_BYTES},
    {TAG_APPROVER_SIGNATURE, FIELD_FIXED, offsetof(struct audit_entry, approver_signature), SIGNATURE_BYTES},
    {TAG_PSI, FIELD_FIXED, offsetof(struct audit_entry, psi), ID_BYTES},
    {TAG_ROUND, FIELD_U32, offsetof(struct audit_entry, round), 0},
    {TAG_ATTEMPT, FIELD_U32, offsetof(struct audit_entry, attempt), 0},
    {TAG_VECTOR, FIELD_FIXED, offsetof(struct audit_entry, vector), ID_BYTES},
    {TAG_VECTOR_BYTES, FIELD_U64, offsetof(struct audit_entry, vector_bytes), 0},
    {TAG_CLEAR, FIELD_BLOB, offsetof(struct audit_entry, clear), RECORD_BYTES_MAX},
    {TAG_CLEAR_HASH, FIELD_FIXED, offsetof(struct audit_entry, clear_hash), ID_BYTES},
    {TAG_SEEDS, FIELD_BLOB, offsetof(struct audit_entry, seeds), RECORD_BYTES_MAX},
    {TAG_BUILD, FIELD_TEXT, offsetof(struct audit_entry, build), AUDIT_DETAIL_MAX},
    {TAG_ENVELOPE, FIELD_BLOB, offsetof(struct audit_entry, envelope), RECORD_BYTES_MAX},
    {TAG_SALT, FIELD_FIXED, offsetof(struct audit_entry, salt), AUDIT_SALT_BYTES},
};

/* --- writing --- */

static void put_field(struct bytes *out, enum tag tag, const void *data, size_t length)
{
    bytes_put_u8(out, (uint8_t)tag);
    bytes_put_u32(out, (uint32_t)length);
    bytes_put(out, data, length);
}

/* With its NUL, cut between characters, without anything that could end a line where it is shown. */
static void put_text(struct bytes *out, const char *text, size_t limit)
{
    size_t length = text == NULL ? 0 : strnlen(text, limit);
    if (length > 0 && text[length] != '\0')
        while (length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80)
            length--;
    for (size_t i = 0; i < length; i++)
        bytes_put_u8(out, (uint8_t)text[i] < 0x20 || text[i] == 0x7f ? ' ' : (uint8_t)text[i]);
    bytes_put_u8(out, 0);
}

/* A field whose length is known only at its end. */
static size_t field_open(struct bytes *out, enum tag tag)
{
    bytes_put_u8(out, (uint8_t)tag);
    bytes_put_u32(out, 0);
    return out->length;
}

static void field_close(struct bytes *out, size_t start)
{
    if (out->failed)
        return;
    uint32_t length = (uint32_t)(out->length - start);
    for (int i = 0; i < 4; i++)
        out->data[start - 4 + (size_t)i] = (uint8_t)(length >> (8 * i));
}

static void put_row(struct bytes *out, const struct field_row *row, const struct audit_entry *entry)
{
    const char *at = (const char *)entry + row->offset;
    const void *pointer;
    const struct audit_blob *blob = (const struct audit_blob *)(const void *)at;
    uint8_t number[8];
    uint64_t u64;
    uint32_t u32;
    size_t start;
    switch (row->kind) {
    case FIELD_TEXT:
        memcpy(&pointer, at, sizeof pointer);
        if (pointer == NULL || ((const char *)pointer)[0] == '\0')
            return;
        start = field_open(out, row->tag);
        put_text(out, pointer, row->limit);
        field_close(out, start);
        return;
    case FIELD_FIXED:
        memcpy(&pointer, at, sizeof pointer);
        if (pointer != NULL)
            put_field(out, row->tag, pointer, row->limit);
        return;
    case FIELD_BLOB:
        if (blob->length > 0)
            put_field(out, row->tag, blob->data, blob->length);
        return;
    case FIELD_U32:
        memcpy(&u32, at, sizeof u32);
        u64 = u32;
        break;
    case FIELD_U64:
    default:
        memcpy(&u64, at, sizeof u64);
        break;
    }
    if (u64 != 0) {
        le64_store(number, u64);
        put_field(out, row->tag, number, sizeof number);
    }
}

static void put_rules(struct bytes *out, const struct audit_entry *entry)
{
    size_t start = field_open(out, TAG_RULES);
    bytes_put_u32(out, (uint32_t)entry->n_rules);
    for (size_t i = 0; i < entry->n_rules; i++) {
        put_text(out, entry->rules[i].rule, AUDIT_NAME_MAX);
        put_text(out, entry->rules[i].analysis, AUDIT_NAME_MAX);
        put_text(out, entry->rules[i].result, AUDIT_NAME_MAX);
        put_text(out, entry->rules[i].value, AUDIT_DETAIL_MAX);
    }
    field_close(out, start);
}

static void put_released(struct bytes *out, const struct audit_entry *entry)
{
    size_t start = field_open(out, TAG_RELEASED);
    bytes_put_u32(out, (uint32_t)entry->n_released);
    for (size_t i = 0; i < entry->n_released; i++) {
        put_text(out, entry->released[i].analysis, AUDIT_NAME_MAX);
        put_text(out, entry->released[i].method, AUDIT_NAME_MAX);
        put_text(out, entry->released[i].what, AUDIT_DETAIL_MAX);
        bytes_put_u64(out, entry->released[i].numbers);
        bytes_put_u64(out, entry->released[i].offset);
        bytes_put_u32(out, entry->released[i].width);
        bytes_put_u32(out, entry->released[i].fraction);
        put_text(out, entry->released[i].groups, AUDIT_CELLS_MAX);
        put_text(out, entry->released[i].values, AUDIT_CELLS_MAX);
        put_text(out, entry->released[i].variables, AUDIT_DETAIL_MAX);
    }
    field_close(out, start);
}

static void put_seen(struct bytes *out, const struct audit_entry *entry)
{
    size_t start = field_open(out, TAG_SEEN);
    bytes_put_u32(out, (uint32_t)entry->n_seen);
    for (size_t i = 0; i < entry->n_seen; i++) {
        put_text(out, entry->seen[i].party, AUDIT_NAME_MAX);
        bytes_put_u64(out, entry->seen[i].head.size);
        bytes_put(out, entry->seen[i].head.root.b, HASH_BYTES);
    }
    field_close(out, start);
}

static void put_members(struct bytes *out, const struct audit_entry *entry)
{
    size_t start = field_open(out, TAG_MEMBERS);
    bytes_put_u32(out, (uint32_t)entry->n_members);
    for (size_t i = 0; i < entry->n_members; i++)
        bytes_put_u32(out, entry->members[i]);
    field_close(out, start);
}

void record_encode(struct bytes *out, const struct record_header *header, const struct audit_entry *entry,
                   const char *note, size_t note_length)
{
    static const struct digest none;
    size_t row = 0;
    bytes_put_u64(out, header->sequence);
    bytes_put_u64(out, (uint64_t)header->utc_ms);
    bytes_put_u64(out, header->epoch);
    bytes_put_u8(out, (uint8_t)header->way);
    for (unsigned tag = TAG_NOTE; tag < TAGS; tag++) {
        if (tag == TAG_NOTE && note != NULL)
            put_field(out, TAG_NOTE, note, note_length);
        else if (tag == TAG_HASH && !digest_equal(&entry->hash, &none))
            put_field(out, TAG_HASH, entry->hash.b, HASH_BYTES);
        else if (tag == TAG_RULES && entry->n_rules > 0)
            put_rules(out, entry);
        else if (tag == TAG_MEMBERS && entry->n_members > 0)
            put_members(out, entry);
        else if (tag == TAG_RELEASED && entry->n_released > 0)
            put_released(out, entry);
        else if (tag == TAG_SEEN && entry->n_seen > 0)
            put_seen(out, entry);
        else if (row < sizeof fields / sizeof *fields && fields[row].tag == tag)
            put_row(out, &fields[row++], entry);
    }
}

/* --- reading --- */

bool record_peek(struct record_header *header, const uint8_t *data, size_t length)
{
    struct reader reader = reader_of(data, length);
    struct record_header found = {0};
    found.sequence = reader_u64(&reader);
    found.utc_ms = (int64_t)reader_u64(&reader);
    found.epoch = reader_u64(&reader);
    uint8_t way = reader_u8(&reader);
    if (reader.bad || way >= WAY_N || found.utc_ms < 0 || found.utc_ms > INT64_MAX / 2)
        return false;
    found.way = (enum record_way)way;
    *header = found;
    return true;
}

const char *record_note(const uint8_t *data, size_t length, size_t *note_length)
{
    struct reader reader = reader_of(data, length);
    reader_take(&reader, RECORD_HEADER_BYTES);
    uint8_t tag = reader_u8(&reader);
    uint32_t size = reader_u32(&reader);
    const uint8_t *note = reader_take(&reader, size);
    if (note == NULL || tag != TAG_NOTE || !reader_done(&reader))
        return NULL;
    *note_length = size;
    return (const char *)note;
}

/* A text with its NUL; "" and bad where there is none. */
static const char *take_text(struct reader *reader, size_t limit)
{
    size_t left = reader_left(reader);
    const uint8_t *end = left == 0 ? NULL : memchr(reader->next, 0, left < limit + 1 ? left : limit + 1);
    if (end == NULL) {
        reader->bad = true;
        return "";
    }
    return (const char *)reader_take(reader, (size_t)(end - reader->next) + 1);
}

/* A list's count; its room grown to it. False: more items than bytes, or no memory. */
static bool take_count(struct reader *reader, size_t *n, void *list, size_t *room, size_t size)
{
    void *items;
    size_t count = reader_u32(reader);
    memcpy(&items, list, sizeof items); /* list: the address of the list's pointer */
    if (count > AUDIT_LIST_MAX || count > reader_left(reader))
        return false;
    if (count > *room) {
        void *grown = realloc(items, count * size);
        if (grown == NULL)
            return false;
        memcpy(list, &grown, sizeof grown);
        *room = count;
        /* cppcheck-suppress memleak ; the list has it */
    }
    *n = count;
    return true;
}

static bool take_rules(struct record *record, struct reader *reader)
{
    if (!take_count(reader, &record->entry.n_rules, &record->rules, &record->room_rules,
                    sizeof *record->rules))
        return false;
    for (size_t i = 0; i < record->entry.n_rules; i++) {
        struct audit_rule *rule = &record->rules[i];
        rule->rule = take_text(reader, AUDIT_NAME_MAX);
        rule->analysis = take_text(reader, AUDIT_NAME_MAX);
        rule->result = take_text(reader, AUDIT_NAME_MAX);
        rule->value = take_text(reader, AUDIT_DETAIL_MAX);
    }
    record->entry.rules = record->rules;
    return reader_done(reader);
}

static bool take_released(struct record *record, struct reader *reader)
{
    if (!take_count(reader, &record->entry.n_released, &record->released, &record->room_released,
                    sizeof *record->released))
        return false;
    for (size_t i = 0; i < record->entry.n_released; i++) {
        struct audit_released *released = &record->released[i];
        released->analysis = take_text(reader, AUDIT_NAME_MAX);
        released->method = take_text(reader, AUDIT_NAME_MAX);
        released->what = take_text(reader, AUDIT_DETAIL_MAX);
        released->numbers = reader_u64(reader);
        released->offset = reader_u64(reader);
        released->width = reader_u32(reader);
        released->fraction = reader_u32(reader);
        released->groups = take_text(reader, AUDIT_CELLS_MAX);
        released->values = take_text(reader, AUDIT_CELLS_MAX);
        released->variables = take_text(reader, AUDIT_DETAIL_MAX);
    }
    record->entry.released = record->released;
    return reader_done(reader);
}

static bool take_seen(struct record *record, struct reader *reader)
{
    if (!take_count(reader, &record->entry.n_seen, &record->seen, &record->room_seen, sizeof *record->seen))
        return false;
    for (size_t i = 0; i < record->entry.n_seen; i++) {
        struct audit_seen *seen = &record->seen[i];
        seen->party = take_text(reader, AUDIT_NAME_MAX);
        seen->head.size = reader_u64(reader);
        const uint8_t *root = reader_take(reader, HASH_BYTES);
        if (root != NULL)
            memcpy(seen->head.root.b, root, HASH_BYTES);
    }
    record->entry.seen = record->seen;
    return reader_done(reader);
}

static bool take_members(struct record *record, struct reader *reader)
{
    if (!take_count(reader, &record->entry.n_members, &record->members, &record->room_members,
                    sizeof *record->members))
        return false;
    for (size_t i = 0; i < record->entry.n_members; i++)
        record->members[i] = reader_u32(reader);
    record->entry.members = record->members;
    return reader_done(reader);
}

static bool take_row(struct audit_entry *entry, const struct field_row *row, struct reader *reader)
{
    char *at = (char *)entry + row->offset;
    size_t left = reader_left(reader);
    const void *pointer = NULL;
    struct audit_blob blob;
    uint64_t u64;
    uint32_t u32;
    switch (row->kind) {
    case FIELD_TEXT:
        pointer = take_text(reader, row->limit);
        memcpy(at, &pointer, sizeof pointer);
        return reader_done(reader);
    case FIELD_FIXED:
        pointer = reader_take(reader, row->limit);
        memcpy(at, &pointer, sizeof pointer);
        return reader_done(reader);
    case FIELD_BLOB:
        blob = (struct audit_blob){reader_take(reader, left), left};
        memcpy(at, &blob, sizeof blob);
        return left <= row->limit;
    case FIELD_U32:
        u64 = reader_u64(reader);
        u32 = (uint32_t)u64;
        memcpy(at, &u32, sizeof u32);
        return reader_done(reader) && u64 <= UINT32_MAX;
    case FIELD_U64:
    default:
        u64 = reader_u64(reader);
        memcpy(at, &u64, sizeof u64);
        return reader_done(reader);
    }
}

static bool take_field(struct record *record, uint8_t tag, struct reader *reader)
{
    const uint8_t *hash;
    switch (tag) {
    case TAG_NOTE:
        record->note = (struct audit_blob){reader->next, reader_left(reader)};
        return true;
    case TAG_HASH:
        hash = reader_take(reader, HASH_BYTES);
        if (hash == NULL)
            return false;
        memcpy(record->entry.hash.b, hash, HASH_BYTES);
        return reader_done(reader);
    case TAG_RULES:
        return take_rules(record, reader);
    case TAG_RELEASED:
        return take_released(record, reader);
    case TAG_SEEN:
        return take_seen(record, reader);
    case TAG_MEMBERS:
        return take_members(record, reader);
    default:
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            if (fields[i].tag == tag)
                return take_row(&record->entry, &fields[i], reader);
        return false;
    }
}

enum maille_code record_decode(struct record *record, const uint8_t *data, size_t length,
                               struct maille_error *error)
{
    struct reader reader = reader_of(data, length);
    unsigned last = 0;
    if (!record_peek(&record->header, data, length))
        return maille_fail(error, MAILLE_CORRUPT, "expected an entry of a log, found %zu other bytes",
                           length);
    record->entry = (struct audit_entry){.message = "", .peer = "", .detail = ""};
    record->note = (struct audit_blob){0};
    record->entry.direction =
        record->header.way <= WAY_NOTE ? (enum audit_direction)record->header.way : AUDIT_NOTE;
    reader_take(&reader, RECORD_HEADER_BYTES);
    while (reader_left(&reader) > 0) {
        uint8_t tag = reader_u8(&reader);
        uint32_t size = reader_u32(&reader);
        const uint8_t *field = reader_take(&reader, size);
        struct reader inner = reader_of(field, field == NULL ? 0 : size);
        if (field == NULL || tag <= last || !take_field(record, tag, &inner))
            return maille_fail(error, MAILLE_CORRUPT,
                               "expected the fields of entry %llu in their order, found tag %u after %u",
                               (unsigned long long)record->header.sequence + 1, tag, last);
        last = tag;
    }
    return MAILLE_OK;
}

void record_clear(struct record *record)
{
    free(record->rules);
    free(record->released);
    free(record->seen);
    free(record->members);
    *record = (struct record){0};
}
