/* How logs are: each whole, and as others remember it. What maille audit verify says and the page of audit
 * page shows. */
#ifndef CLI_AUDIT_HEALTH_H
#define CLI_AUDIT_HEALTH_H

#include "audit/verify.h"
#include "base/arena.h"
#include "base/language.h"
#include "cli/audit_receipt.h"
#include "proto/directory.h"

/* What logs are held against. */
struct audit_against {
    const char *network, *identity, *witness, *taken, *since, *programs; /* options; NULL: not given */
    /* audit_against_read fills the rest */
    struct arena *arena;
    const struct directory *directory; /* NULL: no roster */
    const uint8_t *key;                /* of identity */
    int64_t taken_ms;                  /* 0: now */
    struct audit_witness_head earlier; /* of since; party "": none */
    const char *list;                  /* text of programs; NULL */
};
/* Reads what the options name. MAILLE_INVALID, MAILLE_IO; what is wrong with the earlier copy. */
enum maille_code audit_against_read(struct audit_against *against, struct arena *arena,
                                    struct maille_error *error) MAILLE_CHECKED;

struct audit_health {
    const char *folder, *party; /* party: the folder where it is not known */
    bool sound, read;           /* read false: it is not known what the log says; sentence says why */
    const char *sentence;       /* what is wrong; "" */
    struct audit_report report;
    size_t receipts, sent, former; /* vectors with a receipt, vectors; receipts of keys of before */
    bool compared, programs;       /* with a roster or a key; with a list of programs */
    uint64_t judged, unlisted, first_unlisted; /* entries that name a program; not in the list; the entry */
    uint64_t earlier;                          /* entries of her earlier copy; 0: none was given */
};
/* All of them, each with what the others remember. False: one is not sound; witness: why the witness is of no
 * use (then nothing else was looked at), else sentence "". */
bool audit_health_all(struct audit_health *list, struct audit_health *witness,
                      const struct audit_against *against, const char **logs, size_t n);

/* A sentence of a fault in a language; the program's own are in English. In arena. */
const char *audit_fault_sentence(struct arena *arena, const char *sentence, enum language language);

/* Does the list (lines of maille-worker --version --hash) name the hash of "maille 0.2.0 HASH"? */
bool audit_program_listed(const char *list, const char *build);

enum audit_light { LIGHT_RED, LIGHT_AMBER, LIGHT_GREEN };
/* Red: not sound, or not read. Amber: something could not be checked, or is to be asked about. */
enum audit_light audit_health_light(const struct audit_health *health);
/* What is worth asking about, or could not be checked: sentences, in arena. Returns their number. */
enum { AUDIT_DOUBTS_MAX = 10 };
size_t audit_health_doubts(const char *doubts[AUDIT_DOUBTS_MAX], struct arena *arena,
                           const struct audit_health *health, enum language language);
/* What is well: "98 entries …"; and all judgements by listed programs; in arena. */
const char *audit_health_words(struct arena *arena, const struct audit_health *health,
                               enum language language);
/* "goes on from your earlier copy …"; in arena. */
const char *audit_health_since(struct arena *arena, const struct audit_health *health,
                               enum language language);
/* "altered"; in French "altéré". */
const char *audit_fault_word(enum audit_fault fault, enum language language);
/* What happened, and what to do: for people. */
const char *audit_fault_advice(enum audit_fault fault, enum language language);
#endif
