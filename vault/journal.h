/* The journal of one query at one site: a folder state/QID/ with one file of sealed records, appended and on
 * disk before the message that depends on it leaves. A masked vector, which is ciphertext already, stands raw
 * behind its record.
 *
 * Record: LE64 sealed length ‖ LE64 raw length ‖ 8 bytes of KDF(key, "journal-header", LE64 sequence ‖ both
 * lengths) ‖ secretbox(LE64 sequence ‖ LE32 kind ‖ LE64 raw length ‖ body) ‖ raw bytes. */
#ifndef VAULT_JOURNAL_H
#define VAULT_JOURNAL_H

#include "crypto/identity.h"

enum { JOURNAL_BODY_MAX = 24 * 1024 * 1024 };

struct journal; /* opaque */

/* Makes the folder (0700) and an empty journal. MAILLE_INVALID when there is one already. */
enum maille_code journal_create(struct journal **journal, const char *folder, const uint8_t key[KEY_BYTES],
                                struct maille_error *error) MAILLE_CHECKED;

/* Called for every record, in order; raw bytes stand at [raw, raw + raw_length) of the file (journal_raw). */
typedef enum maille_code journal_each(void *context, uint32_t kind, const uint8_t *body, size_t length,
                                      uint64_t raw, uint64_t raw_length, struct maille_error *error);

/* Opens and reads. A last record that a crash cut is dropped: nothing that depends on it has left.
 * MAILLE_CORRUPT for a record that is not what was written; MAILLE_IO; what `each` returns. */
enum maille_code journal_open(struct journal **journal, const char *folder, const uint8_t key[KEY_BYTES],
                              journal_each *each, void *context, struct maille_error *error) MAILLE_CHECKED;
void journal_close(struct journal *journal);

/* Appends and syncs; *raw (may be NULL) becomes the place of the raw bytes. MAILLE_IO: a full disk; the
 * journal is as it was and a later call may succeed. */
enum maille_code vault_journal_append(struct journal *journal, uint32_t kind, const struct bytes *body,
                                      const void *raw_bytes, size_t raw_length, uint64_t *raw,
                                      struct maille_error *error) MAILLE_CHECKED;

/* Reads raw bytes. MAILLE_CORRUPT when the file is shorter. */
enum maille_code journal_raw(const struct journal *journal, void *out, uint64_t raw, size_t length,
                             struct maille_error *error) MAILLE_CHECKED;

/* Gives the disk space of raw bytes back; they read as zeros from then on. Best effort. */
void journal_drop_raw(struct journal *journal, uint64_t raw, uint64_t length);

/* Removes a journal in which nothing stands, and its folder. Best effort: what stays is found empty at the
 * next start. */
void journal_discard(const char *folder);

/* Removes everything in the folder, then leaves `ended` there: the time (UTC, ms) until which its qid stays
 * taken. */
enum maille_code journal_erase(const char *folder, int64_t until_ms,
                               struct maille_error *error) MAILLE_CHECKED;
/* That time, or false where the folder holds no such mark. */
bool journal_ended(const char *folder, int64_t *until_ms);
/* Removes the mark and the folder. */
enum maille_code journal_forget(const char *folder, struct maille_error *error) MAILLE_CHECKED;

#endif
