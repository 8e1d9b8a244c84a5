/* The message log of one party: an entry is on disk before what it describes happens. A Merkle tree (RFC
 * 9162) over the entries, its head signed by a key that lives for a quarter of an hour; docs/AUDIT.md §9 has
 * the bytes. */
#ifndef AUDIT_LOG_H
#define AUDIT_LOG_H

#include <stdbool.h>
#include <stdio.h>

#include "crypto/identity.h"

enum audit_direction { AUDIT_IN, AUDIT_OUT, AUDIT_NOTE };

struct audit_head {
    uint64_t size;      /* records: entries and seals */
    struct digest root; /* of their tree */
};

/* Strings are short and public; no patient value, ever. Control characters in them are written as spaces,
 * strings are cut at AUDIT_NAME_MAX bytes (names) or AUDIT_DETAIL_MAX (sentences). */
enum {
    AUDIT_NAME_MAX = 64,
    AUDIT_DETAIL_MAX = 2048,
    AUDIT_LIST_MAX = 65536,
    AUDIT_CELLS_MAX = 8192,
    AUDIT_SALT_BYTES = 32
};

struct audit_blob {
    const uint8_t *data;
    size_t length;
};

/* One rule that was evaluated. */
struct audit_rule {
    const char *rule;     /* the policy key */
    const char *analysis; /* its id; "" for the whole study */
    const char *result;   /* "passed", "refused", "held"; "vetoed": noise was sent */
    const char *value; /* in words, e.g. "11 demanded"; never a count of patients where the policy hides it */
};

/* What left with a vector: one block of one analysis, in the order of the vector. */
struct audit_released {
    const char *analysis, *method;
    const char *what;  /* what its numbers are, of which variables: "patients by chemo" */
    uint64_t numbers;  /* groups × values, group by group */
    uint64_t offset;   /* bytes of the vector before the first of them */
    uint32_t width;    /* bytes of one: 8 or 16; 0: not recorded */
    uint32_t fraction; /* fractional bits (docs/decisions/0002) */
    /* Names of the groups and of each group's values, '|' between two; "": they have none, or too many. At
     * most AUDIT_CELLS_MAX bytes. */
    const char *groups, *values;
    const char *variables; /* all that it reads: "age, chemo" */
};

/* A head that another party showed. */
struct audit_seen {
    const char *party;
    struct audit_head head;
};

/* One entry. Everything below `detail` is optional: NULL, 0 or empty where it is not known. */
struct audit_entry {
    enum audit_direction direction;
    const char *message; /* "masked", "accept" …; for a note: "start", "policy", "import", "refused" … */
    const char *peer;    /* who sent it or will get it */
    const uint8_t *qid;  /* 32 bytes, or NULL */
    struct digest hash;  /* of the message's bytes, all frames */
    uint64_t bytes;
    const char *detail; /* one line in words: "round 1 attempt 1: os (km) 1,234 numbers"; "" for none */

    /* who asks for what, and why: with the manifest */
    const char *requester;        /* a researcher's name in the directory */
    const uint8_t *requester_key; /* IK, PUBLIC_BYTES */
    const char *study, *purpose, *legal_basis, *protocol, *recipients;
    /* how it was judged: with ready, refuse, a policy that changed, an approval */
    const char *decision;       /* "ready", "held", "refused" */
    const uint8_t *cohort;      /* fingerprint, 32 bytes */
    const char *cohort_band;    /* "500–999" */
    const uint8_t *policy_hash; /* 32 bytes */
    size_t n_rules;
    const struct audit_rule *rules;
    const char *approver;
    const uint8_t *approver_key, *approver_signature; /* PUBLIC_BYTES, SIGNATURE_BYTES */
    /* what left: with masked */
    const uint8_t *psi; /* 32 bytes */
    uint32_t round, attempt;
    size_t n_members;
    const uint32_t *members; /* U, ascending */
    const uint8_t *vector;   /* H(y_i), 32 bytes */
    uint64_t vector_bytes;
    size_t n_released;
    const struct audit_released *released;
    struct audit_blob clear;   /* audit_seal_clear (audit/vector.h) */
    const uint8_t *clear_hash; /* 32 bytes, salted */
    struct audit_blob seeds;   /* audit_seal_seeds */
    /* in any entry */
    const char *build; /* hash or version of the program */
    size_t n_seen;
    const struct audit_seen *seen;
    struct audit_blob envelope; /* the message itself, where it is kept: the manifest, the receipt (close) */
    /* AUDIT_SALT_BYTES; audit_append draws them, whatever stands here. A head or a proof that leaves so
     * confirms no guess of what an entry says. NULL in entries of before 0.2. */
    const uint8_t *salt;
};

struct audit_log; /* opaque */

struct audit_options {
    const char *folder, *party;
    const struct secret_keys *
        keys; /* the party's; they outlive the log. They certify the first key and wrap the key on disk. NULL:
               * certified by nobody, which verify says, and the key of the epoch is on disk in clear */
    uint32_t retention_months;      /* 6 to 36; 0: 12 */
    uint64_t rotate_bytes;          /* a file above this is packed at the next seal; 0: 64 MiB */
    int64_t (*now_ms)(void *clock); /* UTC; NULL: clock_utc_ms */
    void *clock;
};

/* Opens (or starts) the log in a folder; continues where it stopped, with a signed entry "gap" for the time
 * in between; an entry cut by a crash at the very end is dropped and said so in *repaired (may be NULL).
 * Errors: MAILLE_IO; MAILLE_CORRUPT (names the first entry that is wrong, or the epoch whose key is missing);
 * MAILLE_SIGNATURE (keys that do not open the epoch's); MAILLE_INVALID (another party's log; retention out of
 * range). Only one process may have it open (a lock; MAILLE_INVALID with who). */
enum maille_code audit_open_with(struct audit_log **log, const struct audit_options *options, bool *repaired,
                                 struct maille_error *error) MAILLE_CHECKED;
/* As audit_open_with, with keys. A log of the party that was begun without keys is moved aside first
 * (FOLDER-unsigned-DATE-TIME, in opened->aside; "" else), and the entry "aside" in the new one says so.
 * opened may be NULL. Further errors: MAILLE_INVALID (no free name). */
struct audit_opened {
    bool repaired;
    char aside[4096];
};
enum maille_code audit_open_signed(struct audit_log **log, const struct audit_options *options,
                                   struct audit_opened *opened, struct maille_error *error) MAILLE_CHECKED;
/* FOLDER-WHY-20261123-181500, a name that nobody has; out: PATH_MAX. MAILLE_INVALID: none is free. */
enum maille_code audit_aside_name(char out[], const char *folder, const char *why,
                                  struct maille_error *error) MAILLE_CHECKED;
/* The same without keys. */
enum maille_code audit_open(struct audit_log **log, const char *folder, const char *party, bool *repaired,
                            struct maille_error *error) MAILLE_CHECKED;
/* Seals what is there and closes. NULL is legal. */
void audit_close(struct audit_log *log);

/* Appends; on disk only after audit_sync, which signs and syncs all that was appended (group commit). Errors:
 * MAILLE_IO (a full disk: the log is as it was before the call, and the next call may succeed),
 * MAILLE_MEMORY. */
enum maille_code audit_append(struct audit_log *log, const struct audit_entry *entry,
                              struct maille_error *error) MAILLE_CHECKED;
/* After MAILLE_IO of fdatasync the log takes no more entries until it is opened again. */
enum maille_code audit_sync(struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;
/* To be called every few seconds by whoever has the log open: seals an epoch that is over, also an empty one
 * (where nobody calls for a minute after its end, the time until the next call is a gap); then packs a file
 * that is large enough and prunes what is older than the retention. Errors as audit_sync. */
enum maille_code audit_tick(struct audit_log *log, struct maille_error *error) MAILLE_CHECKED;
/* The tree's head, with everything that was appended. */
void audit_head(const struct audit_log *log, struct audit_head *head);

/* Proof that the first `old` records are the beginning of the log as it is now (RFC 9162 §2.1.4.1); proof has
 * AUDIT_PROOF_MAX places. MAILLE_INVALID: more than there are, or pruned. */
enum { AUDIT_PROOF_MAX = 128 };
enum maille_code audit_consistency(struct audit_log *log, struct digest *proof, size_t *n, uint64_t old,
                                   struct maille_error *error) MAILLE_CHECKED;
/* Whether a proof leads from one head to a later one. */
bool audit_consistent(const struct audit_head *old, const struct audit_head *later,
                      const struct digest *proof, size_t n);
/* The last head of a party that an entry of this log has seen; false: none yet. */
bool audit_last_seen(const struct audit_log *log, const char *party, struct audit_head *head);
/* A proof as it comes with a head: from the head of `old` entries. path has n hashes. */
struct audit_proof {
    uint64_t old;
    size_t n;
    const struct digest *path;
};
/* A head that a party showed, with proofs that lead to it. The caller puts it into the entry of the message
 * that carried it (`seen`). A longer one must follow from audit_last_seen by one of its proofs. A shorter
 * one, of a message that was late, must be one that was seen before, or lead to one by a proof that came with
 * that (the proofs of the last AUDIT_BRIDGES_MAX are kept in memory). MAILLE_PROTOCOL, rule log_head: it does
 * not; both are then in the log (note "split view") and on disk, and the last one stays what the party has to
 * go on from. */
enum { AUDIT_BRIDGES_MAX = 256, AUDIT_RECENT_MAX = 1024 };
enum maille_code audit_witness(struct audit_log *log, const char *party, const struct audit_head *head,
                               const struct audit_proof *proofs, size_t n,
                               struct maille_error *error) MAILLE_CHECKED;

/* A party that lost its log, ledger or keys begins again when the authorities accept it: the note "lost",
 * whose detail begins with how often they have. 0: this entry is no such note. */
extern const char audit_lost[];
uint32_t audit_entry_lost(const struct audit_entry *entry);

/* Reads a log folder offline and calls `each` for every entry (what it points to is borrowed for the call).
 * Checks all that audit_verify (audit/verify.h) checks without a roster and without a witness; MAILLE_CORRUPT
 * at the first that is wrong. An entry without its end is passed over: the writer may be at it. */
typedef void audit_each(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry);
enum maille_code audit_read(const char *folder, audit_each *each, void *context,
                            struct maille_error *error) MAILLE_CHECKED;

#endif
