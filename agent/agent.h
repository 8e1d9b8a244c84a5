/* The analyst's agent: asks one study, takes part in its rounds, checks what the coordinator says, and steps
 * the estimator. It may stop at any moment and go on from its journal (docs/PROTOCOL.md §3 and §4, A). */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <stdio.h>

#include "crypto/identity.h"
#include "base/clock.h"
#include "proto/directory.h"
#include "proto/outbox.h"
#include "stats/round.h"

struct agent; /* opaque */

struct agent_options {
    const struct directory *directory;
    const struct secret_keys *keys; /* the researcher's */
    int64_t timeout_ms;             /* give up waiting (exit 3) when nothing moved for this long */
    FILE *progress;                 /* a terminal to draw progress on, or NULL */
    FILE *words;  /* lines about sites that were left out and analyses that were refused; or NULL */
    FILE *events; /* the same and where the query stands, one JSON line an event (docs/CLI.md); or NULL */
    /* Sites whose absence the researcher accepts, by name: a new question does not ask them; one that is
     * resumed goes on where they are silent. Every other site that the study names is a condition: without it
     * the run ends (MAILLE_UNREACHABLE) and can be resumed. */
    const char *const *without;
    size_t n_without;
    bool wait;         /* for sites that are away; else the run ends */
    bool without_held; /* call without the sites whose officers have not decided */
    enum query_mode
        mode;    /* of a new question: MODE_AGENT where the data of every site are public, else MODE_CIRCLE */
    bool detach; /* leave as soon as the coordinator has the question */
    struct clock clock;
};

/* A new query: makes its id, keys and journal. study and dictionary must outlive the agent. */
enum maille_code agent_ask(struct agent **agent, const struct agent_options *options,
                           const struct study *study, struct maille_error *error) MAILLE_CHECKED;

/* Goes on with a query from its journal: `id` is its hexadecimal id or how it begins. MAILLE_INVALID when
 * there is none, or several. */
enum maille_code agent_resume(struct agent **agent, const struct agent_options *options, const char *id,
                              struct maille_error *error) MAILLE_CHECKED;

/* What the program that asked wants to find again beside the query's journal (a file `session`, 0600): not
 * secret, since it is read before there is a key. agent_session_read: of the query whose id begins so, or
 * (NULL) of the last one that was asked; MAILLE_INVALID where no query, or several, begins with id; appends
 * nothing where none was written. */
enum maille_code agent_session_write(const struct agent *agent, const struct bytes *session,
                                     struct maille_error *error) MAILLE_CHECKED;
enum maille_code agent_session_read(struct bytes *session, const char *id, size_t limit,
                                    struct maille_error *error) MAILLE_CHECKED;

/* The agent is a function from message to messages, as the vault is: agent_start once, then agent_handle for
 * each message (frames as received; frame NULL: none) and agent_tick after them and at least every
 * AGENT_TICK_MS, until agent_over. What must survive is on disk before anything is in the outbox. A message
 * that is not what it should be is dropped and said. Errors end the run; the query can be resumed:
 * MAILLE_TIMEOUT (nothing moved), MAILLE_UNREACHABLE (a site that the study names is away) with how to go on;
 * MAILLE_SIGNATURE and MAILLE_PROTOCOL: a party did what it must not, and is named; MAILLE_FAILED,
 * MAILLE_REFUSED: the query is over or was not taken on; MAILLE_IO, MAILLE_MEMORY. */
enum { AGENT_TICK_MS = 50 };
enum maille_code agent_start(struct agent *agent, struct message_outbox *outbox,
                             struct maille_error *error) MAILLE_CHECKED;
enum maille_code agent_handle(struct agent *agent, const void *envelope, size_t length, const void *frame,
                              size_t frame_length, struct message_outbox *outbox,
                              struct maille_error *error) MAILLE_CHECKED;
enum maille_code agent_tick(struct agent *agent, struct message_outbox *outbox,
                            struct maille_error *error) MAILLE_CHECKED;
/* The study has ended (also when every analysis was refused) and the coordinator knows it or did not answer;
 * or the agent was to detach and may. */
bool agent_over(const struct agent *agent);

/* Did the question end because another was counted at the same time, and has no result? Then the same study
 * may be asked anew (agent_ask), which is another query; AGENT_AGAIN_MAX times, that nobody stands in line
 * for ever. */
enum { AGENT_AGAIN_MAX = 2 };
bool agent_again(const struct agent *agent);

/* All of it over a socket to the directory's coordinator. Errors as above; MAILLE_UNREACHABLE;
 * MAILLE_INTERRUPTED: SIGINT or SIGTERM came. */
enum maille_code agent_run(struct agent *agent, struct maille_error *error) MAILLE_CHECKED;

void agent_free(struct agent *agent);

/* What came out; valid until agent_free. */
const struct study_run *agent_study_run(const struct agent *agent);
const char *agent_id(const struct agent *agent); /* 64 hexadecimal digits */
bool agent_ended(const struct agent *agent);

/* Facts for the report, in the arena. */
struct report_facts;
void agent_facts(struct report_facts *facts, struct arena *arena, const struct agent *agent);

#endif
