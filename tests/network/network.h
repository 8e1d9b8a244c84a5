/* A whole network in one thread: real vaults over real snapshots with the real data engine, the real
 * coordinator with its store and log, the real agent with its journal; what is played is the wire, the clock,
 * the dice and the disk's patience. The same seed gives the same bytes on every link (README.md). */
#ifndef TESTS_NETWORK_NETWORK_H
#define TESTS_NETWORK_NETWORK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/agent.h"
#include "coordinator/coordinator.h"
#include "disclosure/plan.h"
#include "tests/network/seeded.h"
#include "vault/vault.h"

enum {
    PLAY_SITES_MAX = 18,
    PLAY_PARTIES = PLAY_SITES_MAX + 2, /* the agent, the coordinator, the sites */
    PLAY_AGENT = 0,
    PLAY_COORDINATOR = 1,
    PLAY_SITE = 2 /* the first; site k is PLAY_SITE + k */
};

/* One message on its way. */
struct flight {
    size_t from, to;
    enum message_kind kind;
    struct bytes envelope, frame;
    bool has_frame;
    int64_t due_ms;
    uint64_t order;      /* of sending */
    uint64_t connection; /* of the peer of the coordinator; it is lost when that is not the same any more */
};

struct play; /* opaque */

/* Snapshots of sites 0 … n − 1 in a folder of their own, and over each the engine `data`: for many plays of
 * the same patients. Takes the tables over. is_public: as under the policy open. Only play_new reads them. */
struct play_registries;
struct play_registries *play_registries_new(struct columns *const *tables, size_t n, bool is_public);
void play_registries_free(struct play_registries *registries);

/* What befalls a network beside its honest work. Zeros: nothing. */
struct play_options {
    uint64_t seed;
    size_t n_sites;                       /* 0: 3 */
    const char *policy;                   /* of every site; NULL: standard */
    const char *policies[PLAY_SITES_MAX]; /* of one site; NULL: `policy` */
    /* A table for each site, which the play takes over: their dictionary is the study's. NULL: the example's
     * patients, dealt out. */
    struct columns *const *parts;
    /* Instead: sites whose snapshots are written already, and stay. Nothing is imported in such a play. */
    const struct play_registries *registries;
    enum query_mode mode;       /* 0: the circle */
    const char *const *without; /* names of sites that the researcher goes on without */
    size_t n_without;
    const char *study; /* analyses as lines of YAML; NULL: a survival curve and a Cox model */
    const char *head;  /* of the study file, what stands before its analyses; NULL: as all tests have it */
    const char *vector, *data; /* instead: a study file, and the data set of the repository that it is of */
    int64_t latency_ms;        /* the longest a message takes; 0: 20 */
    unsigned lost_permille, twice_permille;
    bool reorder; /* a later message may arrive earlier */
    int64_t skew_ms[PLAY_PARTIES];
    /* How often a message arrives: 0, 1 or 2 times. NULL: once. */
    unsigned (*fate)(void *context, const struct flight *flight);
    /* Puts other bytes in the place of a message (flight->envelope, flight->frame, has_frame), before `fate`
     * sees it. NULL: none. */
    void (*alter)(void *context, const struct play *play, struct flight *flight);
    /* A party is about to be started or woken (flight NULL), or to hear a message. NULL: nobody looks. */
    void (*entered)(void *context, const struct play *play, size_t party, const struct flight *flight);
    /* Does this party crash at its n-th durable point (from 1, over all its lives)? What it was to say is
     * lost, its disk is as it was at that point; it starts again up to down_ms later. NULL: nobody. */
    bool (*crash)(void *context, size_t party, unsigned n);
    /* The disk is as it was at the point before: what was written since, and not waited for, is lost; what
     * was said since was said. */
    bool loses_unsynced;
    /* Does the disk of this party fail now? 0, or what errno is. A party whose program would end then ends,
     * and starts again up to down_ms later. NULL: disks are whole. */
    int (*fault)(void *context, size_t party, bool is_wait);
    int64_t down_ms;     /* 0: 3 s */
    int64_t patience_ms; /* of the agent, while nothing moves; 0: an hour */
    FILE *words;         /* what the agent says to whoever asked; NULL: nobody reads it */
    void *context;
};

/* Keys, directory, snapshots, and every party started; the agent asks when play_run begins. Ends the test
 * when it cannot. */
struct play *play_new(const struct play_options *options);
void play_free(struct play *play);

/* Until the agent is over, or so much time of the play has passed (MAILLE_TIMEOUT). Otherwise as the agent
 * ended. A fault of a program's own (its disk, its memory) ends the test. */
enum maille_code play_run(struct play *play, int64_t limit_ms, struct maille_error *error);

/* So much time passes, whether the agent is over or not; play_ask has let it go: nobody asks. */
void play_wait(struct play *play, int64_t ms);
/* The next question of the same researcher to the same network, as `study` in the options; asked when
 * play_run begins. What was asked before is left to its fate. */
void play_ask(struct play *play, const char *study);
/* The researcher goes back to an earlier question, by its id (agent_id), when play_run begins. */
void play_resume(struct play *play, const char *id);
/* A party stops and starts again, with what is on its disk. */
void play_restart(struct play *play, size_t party);
/* Site `party` has other patients from now on: its next snapshot. The table is taken over. */
void play_import(struct play *play, size_t party, struct columns *table);

/* The agent's result file without facts about the network: what federate gives for the same patients. Free
 * with bytes_clear. */
void play_result(struct bytes *json, struct play *play);
/* The same study over the same parts without a network. */
void play_expected(struct bytes *json, struct play *play);
/* The same as a run. Free both. */
void play_expected_run(struct study_run *run, struct plan *plan, struct play *play);

/* Facts of a play. */
int64_t play_elapsed_ms(const struct play *play);
/* Everything that party `from` said to `to`, when and in order; of a site or the agent, the other is the
 * coordinator. */
struct digest play_link(const struct play *play, size_t from, size_t to);
size_t play_said(const struct play *play, size_t from, enum message_kind kind); /* how many, so far */
unsigned play_points(const struct play *play, size_t party);                    /* durable ones, so far */
unsigned play_restarts(const struct play *play, size_t party);
const char *play_folder(const struct play *play, size_t party); /* its disk */
struct agent *play_agent(const struct play *play);
struct vault *play_vault(const struct play *play, size_t party);
const struct directory *play_directory(const struct play *play);
const struct secret_keys *play_keys(const struct play *play, size_t party);

#endif
