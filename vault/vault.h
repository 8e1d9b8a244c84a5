/* The vault: a site's half of docs/PROTOCOL.md §3–4, without sockets. It holds the identity keys, the policy,
 * the masks, the message log and the durable state of every query; it sees no patient's values and no
 * network. One message in, messages out: of each that leaves, its
 * log entry and everything that depends on it are on disk. */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include "base/clock.h"
#include "base/figures.h"
#include "disclosure/policy.h"
#include "proto/directory.h"
#include "proto/outbox.h"
#include "vault/source.h"
#include "vault/step.h"

struct vault; /* opaque */

/* What a vault counts since it was made: questions, and no answer to one. */
struct vault_figures {
    figure open;     /* queries, as of now */
    figure asked;    /* questions that were judged */
    figure refused;  /* of these, refused as a whole */
    figure analyses; /* that were refused, when asked or in a round */
    figure rounds;   /* vectors that left, masked */
    figure answered; /* queries that are over, with at least one such vector */
    figure ended;    /* queries that this site itself ended under a rule */
};

struct vault_options {
    const char *folder;         /* DIR of the site: state/ and log/ are in it, network.yaml beside them */
    struct secret_keys *keys;   /* borrowed; outlives the vault */
    const char *directory_path; /* where a newer directory is written; NULL: network.yaml in the folder */
    const char *directory;      /* text of network.yaml; copied */
    size_t directory_length;
    const char *build;  /* hash of the program, for the log; NULL: none. Copied */
    const char *policy; /* text of policy.yaml; copied */
    size_t policy_length;
    struct data_source data; /* borrowed */
    struct step_source step; /* borrowed */
    unsigned signatures;     /* of different persons, that an approval needs: 1 or 2; 0: 1 */
    const char *duties;      /* what the log notes for the register of processing; NULL: nothing. Copied */
    uint32_t log_retention_months; /* entries of the message log are kept so long: 6 to 36; 0: 12 */
    size_t queries_max;            /* open at once; more are refused under the rule queries_max. 0: 256 */
    struct clock clock;            /* UTC alone is read */
    /* One line for the operator when a study is asked, refused or over; NULL: nobody listens. */
    void (*tell)(void *context, const char *line);
    void *tell_context;
    struct vault_figures *figures; /* counted in; NULL: nobody reads them */
};

/* Opens the log and the state of every open query. Errors: MAILLE_INVALID (policy, directory, a name or key
 * that is not the directory's), MAILLE_SIGNATURE (the directory), MAILLE_CORRUPT (log or state), MAILLE_IO.
 */
enum maille_code vault_open(struct vault **vault, const struct vault_options *options,
                            struct maille_error *error) MAILLE_CHECKED;
void vault_free(struct vault *vault);

/* Handles one message (frames as received; frame NULL: none) and appends the answers to outbox. Not
 * MAILLE_OK: nothing changed and nothing is to be sent; the sentence is for the site's own eyes:
 *   MAILLE_PROTOCOL, MAILLE_SIGNATURE, MAILLE_INVALID  the message is dropped; error->rule names the check
 * where there is one MAILLE_IO   the disk is full or broken: the same message may be handled when it comes
 * again MAILLE_INTERNAL, MAILLE_MEMORY  the process should end and start again */
enum maille_code vault_handle(struct vault *vault, const void *envelope, size_t length, const void *frame,
                              size_t frame_length, struct message_outbox *outbox,
                              struct maille_error *error) MAILLE_CHECKED;

/* Expiry and round_idle: erases what is over; a query that idled is cancelled. Keeps the message log in time.
 * To be called when vault_next_ms says, and every few seconds. */
enum maille_code vault_tick(struct vault *vault, struct message_outbox *outbox,
                            struct maille_error *error) MAILLE_CHECKED;
/* Milliseconds until vault_tick has something to do; at most an hour. */
int64_t vault_next_ms(const struct vault *vault);

/* The catalogue message of the newest snapshot. MAILLE_FAILED where there is none; MAILLE_CORRUPT. */
enum maille_code vault_catalogue(struct vault *vault, struct message_outbox *outbox,
                                 struct maille_error *error) MAILLE_CHECKED;

/* How many entries of this site's log the coordinator says that it has seen: where a proof to it begins. */
void vault_seen(struct vault *vault, uint64_t size);
/* Says in the log that the program stops. The log is sealed by vault_free. */
enum maille_code vault_stop(struct vault *vault, struct maille_error *error) MAILLE_CHECKED;

const struct directory *vault_directory(const struct vault *vault);
const struct policy *vault_policy(const struct vault *vault); /* in force: own and floor */
/* True once a newer directory was taken in (and written to network.yaml): whoever depends on it should start
 * again. */
bool vault_directory_changed(const struct vault *vault);
size_t vault_queries(const struct vault *vault); /* open */

/* "0", "1–29", "30–99", "100–499", "500–999", "1,000–4,999" … : how many patients, as a catalogue says it. */
const char *vault_patients_band(uint64_t patients);

#endif
