/* The bytes of one record of a log: what a leaf of the tree is the hash of. Inside audit/ alone.
 *
 *     LE64 sequence   LE64 UTC in ms   LE64 epoch   u8 way   then fields, ascending by tag, each at most
 * once: u8 tag   LE32 length   bytes
 *
 * Strings carry their NUL; numbers are LE64; lists are LE32 count and items. */
#ifndef AUDIT_ENTRY_H
#define AUDIT_ENTRY_H

#include "audit/log.h"

enum record_way {
    WAY_IN = AUDIT_IN,
    WAY_OUT = AUDIT_OUT,
    WAY_NOTE = AUDIT_NOTE,
    WAY_BEGIN,  /* the first of a log: a note of audit/note.h */
    WAY_SEAL,   /* the end of an epoch: a note */
    WAY_GAP,    /* the log was not open */
    WAY_PRUNED, /* older entries were removed; seen[0] is this log's own head at that place */
    WAY_N
};

struct record_header {
    uint64_t sequence; /* 0 … */
    int64_t utc_ms;
    uint64_t epoch;
    enum record_way way;
};

enum { RECORD_HEADER_BYTES = 25, RECORD_BYTES_MAX = 320 * 1024 * 1024 };

/* An entry that was read, with room for its lists, used again for the next one. Zero-initialise; record_clear
 * releases. */
struct record {
    struct record_header header;
    struct audit_entry entry;
    struct audit_blob note; /* WAY_BEGIN, WAY_SEAL: the text */
    struct audit_rule *rules;
    struct audit_released *released;
    struct audit_seen *seen;
    uint32_t *members;
    size_t room_rules, room_released, room_seen, room_members;
};
void record_clear(struct record *record);

/* Appends; bytes_check is the caller's. note: NULL for none. */
void record_encode(struct bytes *out, const struct record_header *header, const struct audit_entry *entry,
                   const char *note, size_t note_length);
/* The header alone. False where there is none. */
bool record_peek(struct record_header *header, const uint8_t *data, size_t length);
/* The note of a record of WAY_BEGIN or WAY_SEAL; NULL where there is none. */
const char *record_note(const uint8_t *data, size_t length, size_t *note_length);
/* All of it; what the entry points to is borrowed from data. MAILLE_CORRUPT, MAILLE_MEMORY. */
enum maille_code record_decode(struct record *record, const uint8_t *data, size_t length,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
