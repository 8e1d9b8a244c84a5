/* Verifies a log folder offline: needs nothing but the folder, the roster's public key and, for what only
 * others can know, their logs. */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "audit/log.h"

enum {
    AUDIT_EPOCH_MS = 15 * 60 * 1000, /* an epoch ends at the latest */
    AUDIT_LATE_MS = 60 * 1000        /* a seal that is later than this is followed by a gap */
};

/* The first thing that is wrong. */
enum audit_fault {
    AUDIT_SOUND,
    AUDIT_ALTERED,      /* a bit of an entry, a seal or a checkpoint is not what was written */
    AUDIT_REMOVED,      /* entries or files are missing */
    AUDIT_REORDERED,    /* entries stand in another order, or twice */
    AUDIT_SEAL_MISSING, /* an epoch has no seal */
    AUDIT_RESEALED,     /* a seal is signed with the key of a later epoch */
    AUDIT_UNSEALED,     /* what stands at the end was never sealed */
    AUDIT_CUT,          /* a witness has seen more */
    AUDIT_SPLIT_VIEW,   /* a witness was shown another log */
    AUDIT_STRANGER      /* the first key is not certified by the party of the roster */
};
const char *audit_fault_name(enum audit_fault fault); /* "altered" … */

/* What one log says about others, and what others say about one. */
struct audit_witness_head {
    char party[AUDIT_NAME_MAX + 1];   /* whose head */
    char witness[AUDIT_NAME_MAX + 1]; /* who saw it */
    uint64_t sequence;                /* in which entry */
    struct audit_head head;
};
struct audit_heads {
    struct audit_witness_head *list;
    size_t n, room;
};
void audit_heads_clear(struct audit_heads *heads);

struct audit_check {
    const uint8_t
        *identity; /* the party's identity key in the roster, PUBLIC_BYTES; NULL: not compared, or … */
    const uint8_t *(*roster)(
        void *context,
        const char *party); /* … asked for here, once the party's name is known; NULL: not
                             * compared; an answer of NULL: the roster does not have the party */
    /* How often the network's authorities have accepted that a party lost its log; NULL: never. Heads of a
     * log that began again are kept under the name PARTY~HOW-OFTEN (directory_log_name). Those of before are
     * not held against a log that notes the loss ("lost"), where the authorities have accepted it. */
    uint32_t (*lost)(void *context, const char *party);
    const struct audit_heads *seen; /* heads of any party that others kept; NULL: no witness */
    int64_t taken_ms;               /* when the folder was read or copied (UTC); 0: now */
    audit_each *each; /* called for every entry as it is read, before all is verified; NULL: none */
    void *context;
};

/* What was found. Filled as far as it went when something is wrong. */
struct audit_report {
    enum audit_fault fault;
    char party[AUDIT_NAME_MAX + 1];
    struct audit_head head;
    uint64_t entries; /* seals, gaps and the first record not counted */
    uint64_t seals, gaps, pruned;
    uint64_t open; /* records in an epoch that is not sealed yet: only while the log is open */
    int64_t first_ms, last_ms, gap_ms;
    bool certified;                 /* the first key is signed by an identity … */
    uint8_t identity[PUBLIC_BYTES]; /* … this one */
    size_t witnessed;               /* heads of others that this log agrees with */
    struct audit_head seen;         /* the largest of them */
    uint32_t lost;                  /* how often this log says that it began again */
    size_t before; /* heads that it does not agree with: of before a loss that was accepted */
    size_t after;  /* heads of a log that began again after this one: somebody has a newer one */
};

/* MAILLE_OK: sound. MAILLE_CORRUPT, MAILLE_SIGNATURE (AUDIT_STRANGER): the sentence names the first thing
 * that is wrong. MAILLE_IO, MAILLE_MEMORY: it could not be read. heads (may be NULL): heads of others that
 * this log kept are added. */
enum maille_code audit_verify(struct audit_report *report, struct audit_heads *heads, const char *folder,
                              const struct audit_check *check, struct maille_error *error) MAILLE_CHECKED;

#endif
