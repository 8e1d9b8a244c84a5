/* The message log of one party: an entry is on disk before the message that it describes leaves. */
#ifndef AUDIT_LOG_H
#define AUDIT_LOG_H

#include <stdbool.h>
#include <stdio.h>

#include "crypto/hash.h"

enum audit_direction { AUDIT_IN, AUDIT_OUT, AUDIT_NOTE };

struct audit_head {
    uint64_t size;      /* entries */
    struct digest root; /* of the entries so far */
};

/* One entry. Strings are short and public; no patient value, ever. Control characters in them are written as spaces, an empty
 * message or peer as "-", and detail is cut at AUDIT_DETAIL_MAX bytes. */
enum { AUDIT_NAME_MAX = 64, AUDIT_DETAIL_MAX = 2048 };

struct audit_entry {
    enum audit_direction direction;
    const char *message;  /* "masked", "accept" …; for a note: "start", "policy", "import", "refused" … */
    const char *peer;     /* who sent it or will get it */
    const uint8_t *qid;   /* 32 bytes, or NULL */
    struct digest hash;   /* of the message's bytes, all frames */
    uint64_t bytes;
    const char *detail;   /* one line in words: "round 1 attempt 1: os (km) 1,234 numbers"; "" for none */
};

struct audit_log; /* opaque */

/* Opens (or starts) the log in a folder; continues where it stopped; an entry cut by a crash at the very end is dropped and said
 * so in *repaired. Errors: MAILLE_IO, MAILLE_CORRUPT (a line that does not chain: names it). Only one process may have it open
 * (a lock; MAILLE_INVALID with who). */
enum maille_code audit_open(struct audit_log **log, const char *folder, const char *party, bool *repaired,
                            struct maille_error *error) MAILLE_CHECKED;
void audit_close(struct audit_log *log);

/* Appends; on disk only after audit_sync. Errors: MAILLE_IO (a full disk: the log is as it was before the call, and the next
 * call may succeed). */
enum maille_code audit_append(struct audit_log *log, const struct audit_entry *entry, struct maille_error *error) MAILLE_CHECKED;
/* fdatasync. After an error the log takes no more entries until it is opened again. */
enum maille_code audit_sync(struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;
void audit_head(const struct audit_log *log, struct audit_head *head);

/* Reads a log folder offline and calls `each` for every entry (its strings are borrowed for the call). Stops with MAILLE_CORRUPT
 * at the first that does not chain. A line without its end is passed over: the writer may be at it. */
typedef void audit_each(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry);
enum maille_code audit_read(const char *folder, audit_each *each, void *context, struct maille_error *error) MAILLE_CHECKED;

#endif
