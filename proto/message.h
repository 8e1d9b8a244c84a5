/* Messages: one C struct, one encoder and one decoder each. Decoders check every size against a named limit
 * before they parse, refuse unknown fields, and bound every string and repeated field. Nothing else includes
 * a *.pb-c.h.
 *
 * Decoded messages live in the arena that was passed; byte fields that must have a fixed length have it. */
#ifndef PROTO_MESSAGE_H
#define PROTO_MESSAGE_H

#include "audit/log.h"
#include "base/arena.h"
#include "crypto/mask.h"
#include "query/study.h"

/* The end of 9999, in milliseconds since 1970: whoever adds a lifetime to a time has room for the sum. */
#define MESSAGE_TIME_MAX_MS INT64_C(253402300799999)

enum message_kind {
    MESSAGE_HELLO = 1,             /* peer → C   on connecting and every few seconds: gives C the address */
    MESSAGE_WELCOME = 2,           /* C → peer */
    MESSAGE_DIRECTORY = 3,         /* C → peer   when the peer's is older */
    MESSAGE_CATALOGUE = 4,         /* i → C → A  signed */
    MESSAGE_CATALOGUE_REQUEST = 5, /* A → C */
    MESSAGE_CATALOGUES = 6,        /* C → A */
    MESSAGE_MANIFEST = 10,         /* M0   A → C → i   signed */
    MESSAGE_READY = 11,            /* M0a  i → C → A   signed */
    MESSAGE_CALL = 12,             /* M0b  A → C → i   signed */
    MESSAGE_ACCEPT = 13,           /* M1   i → C       signed */
    MESSAGE_ROSTER = 14,           /* M2   C → all     signed */
    MESSAGE_START = 15,            /* M3   A → C → i   signed; frame 1: c_r */
    MESSAGE_REFUSE = 16,           /* M3n  i → C → A   signed */
    MESSAGE_MASKED =
        17, /* M4   i → C       signed; frame 1: first segment of y_i (absent when y_i is empty) */
    MESSAGE_PULL = 18,    /* C → i, A → C */
    MESSAGE_SEGMENT = 19, /* i → C, C → A;    frame 1: the segment, or the leaves */
    MESSAGE_CLOSE = 20,   /* M5   C → all     signed */
    MESSAGE_REVEAL = 21,  /* M6   i → C → A   signed */
    MESSAGE_SUM = 22,     /* C → A            signed */
    /* 23: the plan, sealed to the researcher, up to version 1; not to be given to another */
    MESSAGE_END = 24,          /* M7   A → C → i   signed */
    MESSAGE_CANCEL = 25,       /* A → C → i, i → C → A   signed */
    MESSAGE_LOG_HEAD = 26,     /* with M7: i ↔ C   signed */
    MESSAGE_CUSTODY = 27,      /* C → i            frame 1: every y_j, ascending by site; circle */
    MESSAGE_TAKEN = 28,        /* i → C → A, U     signed; circle */
    MESSAGE_AGREED = 29,       /* C → i            what every member took; circle */
    MESSAGE_STATUS = 30,       /* C → A */
    MESSAGE_LIST_REQUEST = 31, /* A → C */
    MESSAGE_LIST = 32,         /* C → A */
    MESSAGE_RESUME = 33,       /* A → C: send again what I should have */
    MESSAGE_PROBLEM = 34,      /* C → peer */
    MESSAGE_RESULT = 35,       /* i → C → A   signed; frame 1: what ended, sealed to RK_A; circle */
    MESSAGE_KINDS = 40
};

enum {
    PROTOCOL_VERSION = 2,
    QID_BYTES = 32,
    NAME_MAX_BYTES = 40,
    MESSAGE_SITES_MAX = QUERY_SITES_MAX,
    MESSAGE_ANALYSES_MAX = STUDY_ANALYSES_MAX,
    MESSAGE_RUNS_MAX = 16384,
    MESSAGE_HEAD_PROOFS_MAX = 64, /* in one head */
    MESSAGE_HEAD_PATH_MAX = 128,  /* hashes of one proof */
    CUSTODY_MEMBERS_MAX =
        200, /* of a round for custodians: a key for each member from each member in one body */
    MESSAGE_BODY_MAX = 4 * 1024 * 1024, /* no body is larger; each kind has its own limit in message_rules */
    MESSAGE_FRAME_MAX =
        64 * 1024 * 1024 /* frame 1: c_r, all vectors of custodians; segments have SEGMENT_BYTES */
};

/* What to install where a party speaks this version of the wire: "maille 0.2.0 or later"; of one that is
 * newer than this program "a later maille than this one". */
const char *message_wire_install(uint32_t wire);

/* One row a kind: the table that dispatch and limits come from. */
struct message_rule {
    enum message_kind kind;
    const char *name; /* label of the signature, word in the logs */
    bool is_signed;
    size_t body_max;
    size_t frame_max; /* of frame 1; 0: no frame 1 */
};
const struct message_rule *message_rule(uint32_t kind); /* NULL: unknown */

/* An envelope. Borrowed from the bytes that were decoded. */
struct envelope {
    enum message_kind kind;
    char from[NAME_MAX_BYTES + 1];
    const uint8_t *body;
    size_t body_length;
    const uint8_t *signature; /* SIGNATURE_BYTES, or NULL where the kind is not signed */
    const uint8_t *bytes;     /* the whole, as received: what is stored and passed on */
    size_t length;
};

/* Checks limits, kind, presence of a signature; does not verify it. MAILLE_PROTOCOL. body points into arena.
 */
enum maille_code envelope_decode(struct envelope *out, struct arena *arena, const void *bytes, size_t length,
                                 struct maille_error *error) MAILLE_CHECKED;
/* Wraps a body; signs it where the kind is signed (keys may be NULL otherwise). */
enum maille_code envelope_encode(struct bytes *out, enum message_kind kind, const struct secret_keys *keys,
                                 const char *from, const struct bytes *body,
                                 struct maille_error *error) MAILLE_CHECKED;
/* True when the signature is identity's. */
bool envelope_verified(const struct envelope *envelope, const uint8_t identity[PUBLIC_BYTES]);
/* H of the envelope's bytes, e.g. for the previous-header chain and the log. */
void envelope_hash(struct digest *out, const struct envelope *envelope);

/* What stands in `build` before the number of one run of a program, so that two copies of a site are seen. */
#define MESSAGE_RUN_MARK " run "
struct message_hello {
    const char *name, *build;
    uint64_t directory_version;
    /* PROTOCOL_VERSION of the program. It travels as the end of the text `build` (" wire 2"; without it: 1),
     * since a coordinator of version 1 drops a hello with a field that it does not know, and then nobody
     * could say to anybody what to install. */
    uint32_t wire;
};
/* log_seen: entries of the site's message log that C has seen; 0: none. wire: of the coordinator's program;
 * to a peer of version 1, which drops what has this field, it is 1 and is not sent. */
struct message_welcome {
    uint64_t directory_version;
    struct digest directory_hash;
    int64_t utc_ms;
    uint64_t log_seen;
    uint32_t wire;
};
struct message_directory {
    struct byte_view text;
};
struct message_catalogue {
    const char *site;
    uint32_t snapshot;
    struct digest snapshot_hash;
    const char *dictionary;
    int64_t dictionary_version;
    struct digest dictionary_hash;
    struct byte_view dictionary_text;
    const char *patients_band; /* "500–999" */
    const char
        *policy; /* "open": all it answers is public; "strict" …; "limited": open, and more of its own */
};
struct message_catalogues {
    size_t n;
    const struct byte_view *envelopes;
};

/* Who opens the sums of a query and steps its methods (docs/PROTOCOL.md §7): the researcher's agent, where
 * every site's data are public; else the vaults of the roster, each for itself. */
enum query_mode { MODE_AGENT = 1, MODE_CIRCLE = 2 };

struct message_method {
    const char *name;
    uint32_t version;
};
struct message_manifest {
    uint32_t protocol; /* PROTOCOL_VERSION; an older one is read so that it can be refused (wire_version) */
    uint8_t qid[QID_BYTES];
    const char *researcher;
    uint8_t rk[PUBLIC_BYTES];
    struct byte_view study; /* the file's bytes */
    size_t n_methods;
    const struct message_method *methods;
    size_t n_sites;
    const uint32_t *sites; /* ascending */
    uint64_t bytes_max;    /* cap of one round's vector */
    uint32_t rounds_max, n_min;
    uint64_t directory_version;
    struct digest directory_hash, dictionary_hash;
    int64_t created_ms, expires_ms;
    enum query_mode mode;
};
struct message_finding {
    uint32_t analysis;
    const char *rule;
};
enum ready_state { READY_READY = 1, READY_HELD = 2, READY_REFUSED = 3 };
struct message_ready {
    uint8_t qid[QID_BYTES];
    uint32_t site;
    enum ready_state state;
    const char *rule; /* REFUSED: the whole study; else "" */
    size_t n_findings;
    const struct message_finding *findings; /* analyses that this site refuses */
};
struct message_call {
    uint8_t qid[QID_BYTES];
    size_t n_sites;
    const uint32_t *sites; /* ascending */
};
/* The sender's message log. A receiver that has seen `old` entries of it finds here the proof that those are
 * the beginning of this one; several, because a message of C's goes to several sites, and messages cross. */
struct message_head {
    uint64_t size;
    struct digest root;
    uint64_t seen;
    size_t n_proofs;
    const struct audit_proof *proofs;
};
/* An earlier query of which something was shown, in an accept: public facts alone. Bitmaps: bit n % 8 of byte
 * n / 8, without zero bytes at the end, not empty. */
enum {
    LEDGER_ID_BYTES = 16,
    LEDGER_SHOWN_MAX = 1024,
    LEDGER_ROSTER_MAX = 512,
    LEDGER_FAMILIES_MAX = 64 * 1024,
    LEDGER_ENTRIES_MAX = 2048,
    LEDGER_BYTES_MAX = 640 * 1024 /* of all of them, in one accept */
};
struct message_ledger_entry {
    uint8_t id[LEDGER_ID_BYTES]; /* KDF(earlier qid, "ledger", this qid), cut */
    struct byte_view shown;      /* its groups whose results left */
    struct byte_view roster;     /* numbers of the sites that it was asked of */
    struct byte_view families;   /* of all of its groups (disclosure/parts.h): what the bits of shown count */
    bool moved;                  /* the site had another snapshot then */
    bool lost;                   /* of a union: a site of its roster does not list it; in no message */
};
/* The words of a group that was shown to the same researcher, or under the same registration. */
enum { LEDGER_FORMS_MAX = 1024, LEDGER_FORM_BYTES_MAX = 16384, LEDGER_FORMS_BYTES_MAX = 512 * 1024 };
struct message_ledger_form {
    uint8_t id[LEDGER_ID_BYTES]; /* as of an entry */
    uint32_t analysis;
    struct byte_view form; /* disclosure/combination_form.h */
};
/* A result that was shown in this epoch, of an analysis that is asked again. */
struct message_stored {
    uint8_t id[LEDGER_ID_BYTES];      /* of the query that it was shown to, as in a ledger entry */
    uint32_t analysis;                /* of this study */
    uint8_t members[LEDGER_ID_BYTES]; /* the sites that it is of: message_members */
    bool moved;                       /* the site had another snapshot then */
    int64_t asked_ms;                 /* when that query was made */
};
struct message_accept {
    uint8_t qid[QID_BYTES];
    struct digest manifest_hash; /* qh = KDF(-, "manifest", the manifest envelope's bytes) */
    uint32_t site;
    uint8_t ek[PUBLIC_BYTES];
    uint32_t snapshot;
    struct digest snapshot_hash;
    struct byte_view floor; /* the site's effective policy, as text */
    uint32_t own_totals;
    size_t n_ledger;
    const struct message_ledger_entry *ledger;
    size_t n_forms;
    const struct message_ledger_form *forms; /* ascending by id and analysis */
    size_t n_stored;
    const struct message_stored *stored; /* ascending by analysis */
    struct message_head head;
    uint32_t arithmetic; /* of its steps: ARITHMETIC_VERSION (stats/arithmetic.h) */
};
struct message_roster {
    uint8_t qid[QID_BYTES];
    size_t n;
    const struct byte_view *accepts; /* envelopes, ascending by site */
    struct message_head head;
};

enum result_to { RESULT_TO_ANALYST = 0, RESULT_TO_CUSTODIANS = 1 };
struct message_round_header { /* RS; ψ = KDF(-, "round", its bytes) */
    struct digest rho;
    uint32_t round, attempt;
    size_t n_members;
    const uint32_t *members; /* U_a, ascending */
    size_t n_analyses;
    const uint32_t *analyses; /* open ones, ascending */
    struct digest theta_hash, previous_hash, layout_hash, plan_hash;
    uint64_t length; /* bytes of the vector */
    enum result_to result_to;
};
struct message_sealed_key {
    uint32_t site;
    struct byte_view sealed;
};
struct message_start {
    uint8_t qid[QID_BYTES];
    struct byte_view header; /* RS bytes */
    size_t n_keys;
    const struct message_sealed_key *keys; /* K_θ, first round of each site only (every attempt of round 1) */
    size_t n_runs;
    const struct word_run *runs; /* so that C can add; sites check that they are their own */
};
struct message_refuse {
    uint8_t qid[QID_BYTES];
    struct digest psi;
    uint32_t site;
    size_t n_findings;
    const struct message_finding *findings;
};
struct message_masked {
    uint8_t qid[QID_BYTES];
    struct digest psi;
    uint32_t site;
    struct share_header share;
    struct message_head head;
};
enum pull_what { PULL_SEGMENTS = 0, PULL_LEAVES = 1 };
/* source: a site's number, or 0 for the sum. LEAVES: first and count are segments; the frame holds count
 * digests. */
struct message_pull {
    uint8_t qid[QID_BYTES];
    struct digest psi;
    uint32_t source;
    enum pull_what what;
    uint64_t first;
    uint32_t count;
};
struct message_segment {
    uint8_t qid[QID_BYTES];
    struct digest psi;
    uint32_t source;
    enum pull_what what;
    uint64_t index;
};
struct message_close {
    uint8_t qid[QID_BYTES];
    struct digest psi;
    size_t n;
    const struct byte_view *masked; /* envelopes, ascending by site */
    struct message_head head;
};
/* For the analyst: b_i sealed to RK_A, no keys. For custodians: sealed is empty, keys hold b_i sealed to
 * every member's EK; from a circle's second round on no keys, and sealed is b_i under the circle's key
 * (crypto/circle.h). */
struct message_reveal {
    uint8_t qid[QID_BYTES];
    struct digest psi;
    uint32_t site;
    struct byte_view sealed;
    struct digest close_hash;
    size_t n_keys;
    const struct message_sealed_key *keys; /* ascending by site */
};
struct message_sum {
    uint8_t qid[QID_BYTES];
    struct digest psi, sum_hash;
    uint64_t length;
    bool vectors_held;
};
struct message_custody {
    uint8_t qid[QID_BYTES];
    struct digest psi;
    size_t n;
    const struct byte_view *reveals; /* envelopes, ascending by site */
};
struct message_taken {
    uint8_t qid[QID_BYTES];
    struct digest psi;
    uint32_t site;
    struct digest tag; /* of a circle: KDF(K_c, "state", …); else zeros */
};
struct message_agreed {
    uint8_t qid[QID_BYTES];
    struct digest psi;
    size_t n;
    const struct byte_view *taken; /* envelopes, ascending by site */
};
struct message_result {
    uint8_t qid[QID_BYTES];
    struct digest psi;
    uint32_t site;
    struct digest hash; /* KDF(-, "result", frame 1) */
};
struct message_end {
    uint8_t qid[QID_BYTES];
};
struct message_cancel {
    uint8_t qid[QID_BYTES];
    const char *rule;
};
struct message_log_head {
    uint8_t qid[QID_BYTES];
    struct message_head head;
};

enum query_phase {
    PHASE_UNKNOWN = 0,
    PHASE_ASKED = 1,
    PHASE_CALLED = 2,
    PHASE_ROSTER = 3,
    PHASE_ROUND = 4,
    PHASE_CLOSED = 5,
    PHASE_REVEALED = 6,
    PHASE_ENDED = 7,
    PHASE_CANCELLED = 8,
    PHASE_EXPIRED = 9
};
const char *query_phase_name(enum query_phase phase);
struct message_status {
    uint8_t qid[QID_BYTES];
    enum query_phase phase;
    uint32_t round, attempt;
    uint64_t bytes; /* of masked vectors received so far in this query */
    size_t n_waiting;
    const uint32_t *waiting; /* sites whose next message is not there */
    size_t n_connected;
    const uint32_t *connected; /* named sites that are connected */
    size_t n_other;
    const struct message_wire_site {
        uint32_t site, wire;
    } * other; /* named sites whose program speaks another version of the wire, ascending: nothing is asked of
                  them */
};
struct message_listed {
    uint8_t qid[QID_BYTES];
    const char *study;
    enum query_phase phase;
    uint32_t round;
    int64_t created_ms;
};
struct message_list {
    size_t n;
    const struct message_listed *queries;
};
struct message_resume {
    uint8_t qid[QID_BYTES];
};
struct message_problem {
    uint8_t qid[QID_BYTES];
    enum maille_code code;
    const char *rule;
};

/* For each message X: X_encode appends the body to out (bytes_check at the end is done inside); X_decode
 * fills it from a body. Errors of decoders: MAILLE_PROTOCOL with what was expected. */
#define MESSAGE_CODEC(X)                                                                                     \
    enum maille_code message_##X##_encode(struct bytes *out, const struct message_##X *message,              \
                                          struct maille_error *error) MAILLE_CHECKED;                        \
    enum maille_code message_##X##_decode(struct message_##X *message, struct arena *arena,                  \
                                          const void *body, size_t length, struct maille_error *error)       \
        MAILLE_CHECKED;
MESSAGE_CODEC(hello)
MESSAGE_CODEC(welcome)
MESSAGE_CODEC(directory)
MESSAGE_CODEC(catalogue)
MESSAGE_CODEC(catalogues)
MESSAGE_CODEC(manifest)
MESSAGE_CODEC(ready)
MESSAGE_CODEC(call)
MESSAGE_CODEC(accept)
MESSAGE_CODEC(roster)
MESSAGE_CODEC(round_header)
MESSAGE_CODEC(start)
MESSAGE_CODEC(refuse)
MESSAGE_CODEC(masked)
MESSAGE_CODEC(pull)
MESSAGE_CODEC(segment)
MESSAGE_CODEC(close)
MESSAGE_CODEC(reveal)
MESSAGE_CODEC(sum)
MESSAGE_CODEC(custody)
MESSAGE_CODEC(taken)
MESSAGE_CODEC(agreed)
MESSAGE_CODEC(result)
MESSAGE_CODEC(end)
MESSAGE_CODEC(cancel)
MESSAGE_CODEC(log_head)
MESSAGE_CODEC(status)
MESSAGE_CODEC(list)
MESSAGE_CODEC(resume)
MESSAGE_CODEC(problem)
/* catalogue_request and list_request have empty bodies. */

/* Which sites, in a name: KDF(-, "members", LE32 of each, ascending), cut. MAILLE_MEMORY. */
enum maille_code message_members(uint8_t name[LEDGER_ID_BYTES], const uint32_t *sites, size_t n,
                                 struct maille_error *error) MAILLE_CHECKED;

/* ρ = KDF(-, "roster", qh ‖ LE64 |accept₁| ‖ accept₁ ‖ LE64 |accept₂| ‖ …), the accepts as they were
 * received. Each with its length: no two lists have one ρ. MAILLE_MEMORY. */
enum maille_code message_rho(struct digest *rho, const struct digest *manifest_hash,
                             const struct byte_view *accepts, size_t n,
                             struct maille_error *error) MAILLE_CHECKED;

/* The forms of n accepts, each once, ascending: those that two sites list at least, since one alone may make
 * them up. In arena. */
size_t message_forms_union(struct message_ledger_form **forms, struct arena *arena,
                           const struct message_accept *accepts, size_t n);
/* The ledger entries of a roster's accepts, each once, by id: the order in which they stand in the threshold
 * rounds. What was shown and the roster are what any of them says (of families, which are the same, the
 * greatest); moved: what any says, or a site of the entry's roster that does not know it. Returns their
 * number; *entries in arena. */
size_t message_ledger_union(struct message_ledger_entry **entries, struct arena *arena,
                            const struct message_accept *accepts, size_t n);
/* Of an entry of the union and the members of an attempt: was a site asked then that is not a member now; was
 * it asked of other sites than these, or of another snapshot of one of them? */
bool message_ledger_gone(const struct message_ledger_entry *entry, const uint32_t *members, size_t n);
bool message_ledger_other(const struct message_ledger_entry *entry, const uint32_t *members, size_t n);
bool message_bit(struct byte_view bits, size_t n);
size_t message_bits(struct byte_view bits); /* how many are set */

#endif
