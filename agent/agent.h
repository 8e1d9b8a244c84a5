/* The analyst's agent: asks one study, takes part in its rounds, checks what the coordinator says, and steps
 * the estimator. It may stop at any moment and go on from its journal (docs/PROTOCOL.md §3 and §4, A). */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <stdio.h>

#include "crypto/identity.h"
#include "proto/directory.h"
#include "stats/round.h"

struct agent; /* opaque */

struct agent_options {
    const struct directory *directory;
    const struct secret_keys *keys; /* the researcher's */
    int64_t timeout_ms;             /* give up waiting (exit 3) when nothing moved for this long */
    FILE *progress;                 /* a terminal to draw progress on, or NULL */
    FILE *words;       /* lines about sites that were left out and analyses that were refused; or NULL */
    bool without_held; /* call without the sites whose officers have not decided */
    bool detach;       /* leave as soon as the coordinator has the question */
};

/* A new query: makes its id, keys and journal. study and dictionary must outlive the agent. */
enum maille_code agent_ask(struct agent **agent, const struct agent_options *options,
                           const struct study *study, struct maille_error *error) MAILLE_CHECKED;

/* Goes on with a query from its journal: `id` is its hexadecimal id or how it begins. MAILLE_INVALID when
 * there is none, or several. */
enum maille_code agent_resume(struct agent **agent, const struct agent_options *options, const char *id,
                              struct maille_error *error) MAILLE_CHECKED;

/* Takes part until the study has ended (MAILLE_OK; also when every analysis was refused), or MAILLE_TIMEOUT /
 * MAILLE_INTERRUPTED / MAILLE_UNREACHABLE with how to go on. MAILLE_SIGNATURE and MAILLE_PROTOCOL: a party
 * did what it must not; it is named. */
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
