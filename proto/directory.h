/* The directory: who is in the network, signed k-of-m by its authorities. It is a text that people can read
 * (network.yaml); the signatures stand as its last lines, as comments:
 *
 *     # maille-signature: AUTHORITY-NAME BASE16-OF-64-BYTES
 *
 * and each signs "maille1/directory" 0x00 ‖ every byte before the first such line. Example of the text:
 *
 *     network: toy
 *     version: 3
 *     quorum: 1
 *     authorities:
 *       - { name: board, identity: HEX }
 *     coordinator: { name: coordinator, endpoint: "tcp://127.0.0.1:9700", identity: HEX, transport: HEX }
 *     sites:
 *       - { id: 1, name: alpha, legal_entity: "Centre Alpha", identity: HEX, transport: HEX, dpo_identity:
 * HEX, dpo_box: HEX } next_site: 2                         # the id that the next new site gets researchers:
 *       - { name: alice, identity: HEX, transport: HEX }
 *     purposes: [research-public-interest]
 *     epoch: { number: 1, sites: [1] }    # optional: see struct directory_epoch
 *     floor: { policy: strict }            # optional: a policy as disclosure/policy.h reads it
 *     cohorts: [...]                       # optional: see proto/cohorts.h
 *     registrations: any                   # optional: see proto/registration.h
 *     timeouts: { ready: 60s, accept: 60s, masked: 120s, reveal: 120s, lifetime: 7d, round_idle: 1h }
 */
#ifndef PROTO_DIRECTORY_H
#define PROTO_DIRECTORY_H

#include "proto/cohorts.h"
#include "proto/message.h"
#include "proto/registration.h"
#include "query/yaml.h"

enum { DIRECTORY_BYTES_MAX = 1024 * 1024 };

struct directory_authority {
    const char *name;
    uint8_t identity[PUBLIC_BYTES];
};
struct directory_coordinator {
    const char *name, *endpoint;
    struct public_keys keys;
    uint32_t lost; /* as of a site: its log, or its keys */
};
struct directory_site {
    uint32_t id; /* > 0, never used again for another site */
    const char *name, *legal_entity;
    struct public_keys keys;
    bool has_dpo;
    uint8_t dpo_identity[PUBLIC_BYTES], dpo_box[PUBLIC_BYTES];
    /* How often the authorities accepted that it lost its log, ledger or keys, and began again. */
    uint32_t lost;
    /* It said `own_totals: may_be_inferred`: it may leave the roster of an epoch alone. Its own policy must
     * say the same, or it does not start. */
    bool may_be_inferred;
};
struct directory_researcher {
    const char *name;
    struct public_keys keys;
};
struct directory_timeouts {
    int64_t ready_ms, accept_ms, masked_ms, reveal_ms, lifetime_ms, round_idle_ms;
};

/* The sites that an epoch's questions may be asked of (key `epoch`: { number: 1, sites: [1, 2, 3] }). It only
 * goes forward, one by one. Within an epoch no site comes, and those that leave all are may_be_inferred, or
 * are DIRECTORY_LEAVE_TOGETHER or more at once: the answers before and after would else differ by one site's
 * own totals. Without the key: number 0, every site of the directory. */
enum { DIRECTORY_LEAVE_TOGETHER = 3, DIRECTORY_EPOCH_MAX = 1000000 };
struct directory_epoch {
    uint32_t number;
    size_t n_sites;
    const uint32_t *sites; /* ascending; all are in the directory */
};

/* A network of this name has no patients: its sites hold what `maille sandbox up --synthetic` made up, and
 * every result of it says so. */
#define DIRECTORY_SYNTHETIC "synthetic"

struct directory {
    const char *network;
    uint64_t version;
    uint32_t quorum;
    size_t n_authorities;
    const struct directory_authority *authorities;
    struct directory_coordinator coordinator;
    size_t n_sites;
    const struct directory_site *sites; /* ascending by id */
    uint32_t next_site; /* id of the next new site: above every one that ever was (key next_site; absent: the
                           highest id + 1) */
    struct directory_epoch epoch;
    size_t n_researchers;
    const struct directory_researcher *researchers;
    size_t n_purposes;
    const char **purposes;
    const char *floor; /* policy text, or NULL */
    struct directory_cohorts cohorts;
    struct registrations registrations;
    struct directory_timeouts timeouts;
    const char *text; /* all bytes, signatures included */
    size_t text_length, signed_length;
    struct digest hash; /* of the signed bytes */
    size_t n_valid;     /* valid signatures of distinct authorities */
};

/* Parses and checks the shape; counts valid signatures. MAILLE_INVALID with file:line:column. Names and keys
 * must be distinct, but two sites may have the same data protection officer. Absent: sites, researchers,
 * purposes, floor, cohorts, registrations (none); timeouts (60 s, 60 s, 120 s, 120 s, 7 d, 1 h). floor
 * becomes a text of its own, on one line. A signature of an unknown authority, or a wrong one, is not
 * counted; a line that is no signature after the first one is refused. */
enum maille_code directory_parse(const struct directory **directory, struct arena *arena, const char *name,
                                 const char *text, size_t length, struct maille_error *error) MAILLE_CHECKED;

/* As directory_parse, then demands the quorum (MAILLE_SIGNATURE says how many are there and how many are
 * needed). pinned: a directory that was accepted before, or NULL: its authorities, as many as its quorum
 * says, must have signed the new one as well; the network's name is the same, the version must not go down,
 * the same version must be the same bytes, a site's id is never another site's, `lost` never goes down, and
 * the epoch goes on as struct directory_epoch says. MAILLE_SIGNATURE. */
enum maille_code directory_accept(const struct directory **directory, struct arena *arena, const char *name,
                                  const char *text, size_t length, const struct directory *pinned,
                                  struct maille_error *error) MAILLE_CHECKED;

/* Whether a valid signature of this identity, under this authority's name, stands under the directory. */
bool directory_signed_by(const struct directory *directory, const char *authority,
                         const uint8_t identity[PUBLIC_BYTES]);

/* The text of a directory, without signatures: directory_parse reads it back to the same. Only the fields up
 * to timeouts are read. bytes_check at the end is the caller's. */
void directory_write(struct bytes *out, const struct directory *directory);
/* In double quotes, as YAML escapes. */
void directory_put_quoted(struct bytes *out, const char *text);
/* Appends the signature line of an authority over the first signed_length bytes of text; text must be whole
 * lines. */
enum maille_code directory_sign(struct bytes *text, size_t signed_length, const struct secret_keys *authority,
                                struct maille_error *error) MAILLE_CHECKED;
/* The policy under a node (of a directory, or the root of a policy file) as a text on one line, in the arena.
 */
const char *directory_floor_text(struct arena *arena, const struct yaml_node *node);

const struct directory_site *directory_site(const struct directory *directory, uint32_t id);
const struct directory_site *directory_site_named(const struct directory *directory, const char *name);
const struct directory_researcher *directory_researcher(const struct directory *directory, const char *name);

/* How often the authorities accepted a loss of a party, a site or the coordinator; 0 of others. */
uint32_t directory_lost(const struct directory *directory, const char *party);
/* What a party's message log is called where others keep heads of it: the party's name, and after a loss "~"
 * and how many. out: DIRECTORY_LOG_NAME_BYTES. */
enum { DIRECTORY_LOG_NAME_BYTES = NAME_MAX_BYTES + 12 };
void directory_log_name(char *out, const char *party, uint32_t lost);

/* Name and role of whoever owns a transport key (ZAP); NULL: unknown. */
const char *directory_by_transport(const struct directory *directory, const uint8_t transport[PUBLIC_BYTES],
                                   enum key_role *role);
/* Identity key of a name (site, researcher, coordinator); NULL: unknown. */
const uint8_t *directory_identity(const struct directory *directory, const char *name, enum key_role *role);

/* The sites that questions are asked of: the epoch's, or all. */
size_t directory_network(const struct directory *directory);
/* n_min of a question to n of them: mask_sites_needed(n), and in the circle at least CIRCLE_SITES where the
 * network has as many; in a smaller network all of its sites. 0: so few, or these, cannot be asked. */
enum { CIRCLE_SITES = 5 };
uint32_t directory_sites_needed(const struct directory *directory, bool circle, size_t n);

#endif
