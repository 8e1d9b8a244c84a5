/* What a log is worth, before anything of it is told: audit show and export verify first. */
#ifndef CLI_AUDIT_TRUST_H
#define CLI_AUDIT_TRUST_H

#include "audit/verify.h"
#include "base/arena.h"
#include "base/language.h"
#include "base/options.h"
#include "proto/directory.h"

struct audit_trust {
    const char *network, *taken; /* options; NULL: not given */
    bool anyway;
    const struct directory *directory;
    int64_t taken_ms; /* 0: now */
};
enum { AUDIT_TRUST_ROWS = 3 };
/* --network, --taken, --anyway. */
void audit_trust_rows(struct option_row *rows, struct audit_trust *trust);
/* Reads what the options name. MAILLE_INVALID: neither --network nor --anyway, or no time. */
enum maille_code audit_trust_read(struct audit_trust *trust, struct arena *arena,
                                  struct maille_error *error) MAILLE_CHECKED;

struct audit_worth {
    bool verified, sound;
    enum audit_fault kind;
    const char *party, *fault; /* its name; "" */
    const char *sentence;      /* in the arena */
};
/* MAILLE_FAILED: the log is not sound, and nothing of it is to be told (worth says why);
 * with --anyway MAILLE_OK. Other codes as audit_verify. */
enum maille_code audit_trust_log(struct audit_worth *worth, const struct audit_trust *trust,
                                 struct arena *arena, const char *folder,
                                 struct maille_error *error) MAILLE_CHECKED;
/* One line: SOUND, NOT SOUND or NOT VERIFIED, whose log, and why. */
void audit_trust_say(const struct audit_worth *worth, enum language language);

/* "2026-11-23T15:50" or a date, UTC. */
bool audit_taken_parse(int64_t *taken_ms, const char *text);
#endif
