/* What the files of the writer share: log.c, epoch.c, rotate.c. */
#ifndef AUDIT_LOG_PRIVATE_H
#define AUDIT_LOG_PRIVATE_H

#include "audit/heads.h"
#include "audit/store.h"

/* From a head of `old` entries to one that a party showed. */
struct bridge {
    char party[AUDIT_NAME_MAX + 1];
    uint64_t old;
    struct audit_head to;
    size_t n;
    struct digest path[AUDIT_PROOF_MAX];
};

struct audit_log {
    char folder[PATH_MAX], path[PATH_MAX], party[AUDIT_NAME_MAX + 1];
    struct audit_options options; /* folder and party are not used after opening */
    int fd, lock_fd;
    uint64_t length; /* bytes of whole frames in messages.log */
    uint64_t first;  /* records before its first one */
    struct state state;
    struct epoch_key *key;     /* of the epoch in force */
    bool turned;               /* the key on disk is still the one of the epoch before */
    bool broken;               /* the file and this struct may differ: no more entries */
    int64_t pruned_ms;         /* when pruning was last thought of */
    struct audit_heads seen;   /* the last head of every party */
    struct audit_heads recent; /* heads that were seen, in their order: at most AUDIT_RECENT_MAX */
    struct bridge *bridges;    /* witness.c: AUDIT_BRIDGES_MAX, used round and round; NULL: none yet */
    size_t next_bridge;
    int64_t recalled; /* witness.c: the second in which a block was last read again, and how often in it */
    unsigned recalls;
};

extern const char audit_split_view[]; /* witness.c: the kind of its entry */

/* --- log.c --- */

int64_t log_now(const struct audit_log *log); /* never before the last record */
enum maille_code log_usable(const struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;
/* One record, written and taken into the state; not synced. */
enum maille_code log_record(struct audit_log *log, enum record_way way, int64_t utc_ms,
                            const struct audit_entry *entry, const struct bytes *note,
                            struct maille_error *error) MAILLE_CHECKED;

/* --- epoch.c: keys that evolve --- */

/* The first key, in memory and on disk. */
enum maille_code epoch_begin(struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;
/* The key of the epoch that the log is in, from disk. */
enum maille_code epoch_resume(struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;
/* Ends the epoch at end_ms: the seal, signed; the next key in its place; the old one gone once the seal is on
 * disk. */
enum maille_code epoch_seal(struct audit_log *log, int64_t end_ms, struct maille_error *error) MAILLE_CHECKED;
/* After a sync: erases the key on disk that has had its day. */
enum maille_code epoch_forget(struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;
/* Seals what is over; a gap where nobody was there to do so. */
enum maille_code epoch_turn(struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;
/* "gap": from the epoch's begin to now. */
enum maille_code epoch_gap(struct audit_log *log, const char *why, struct maille_error *error) MAILLE_CHECKED;

/* --- rotate.c --- */

/* What a crash left of a rotation or of a pruning. */
enum maille_code rotate_tidy(struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;
/* Packs messages.log where it is large enough and the epoch has just begun. */
enum maille_code rotate_file(struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;
/* Removes packed files that are older than the retention. */
enum maille_code rotate_prune(struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;
/* Opens messages.log for appending. */
enum maille_code rotate_open(struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;

#endif
