/* Three to six real sites (vault, log, journal, snapshot of a part of the example's patients) in one process;
 * the analyst, the coordinator, the authority and the officer are played by hand, so that each can lie. Where
 * the policy of a site is not open, the questions are in the circle. Where one asks for threshold rounds (as
 * standard does), rounds 1 and 2 are those, and values begin in round 3. */
#ifndef TESTS_PROTOCOL_SITES_H
#define TESTS_PROTOCOL_SITES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "disclosure/gate.h"
#include "disclosure/plan.h"
#include "stats/round.h"
#include "wire/wire.h"
#include "vault/vault.h"

enum { SITES = 3, SITES_MAX = 6 };

struct site {
    struct secret_keys *keys;
    char folder[512];
    struct data *data;
    struct vault *vault;
    struct message_outbox outbox;
    const char *policy;
};

struct world {
    char folder[256];
    struct arena *arena;
    struct secret_keys *board, *coordinator, *alice, *officer; /* officer: of every site */
    unsigned signatures;                                       /* that an approval needs */
    enum query_mode mode; /* of the next question: MODE_AGENT where every policy is open and nothing more */
    struct bytes network;
    const struct directory *directory;
    unsigned epoch;            /* of the directories that sites_directory makes; 0: they name none */
    const char *registrations; /* lines of those directories; NULL: the network does not register */
    const struct dictionary *dictionary;
    const struct study *study;
    size_t n; /* sites that are members; those after them are away */
    struct site sites[SITES_MAX];
    /* the query */
    uint8_t qid[QID_BYTES], rk[PUBLIC_BYTES], rk_secret[KEY_BYTES], theta_key[KEY_BYTES];
    size_t n_asked;
    struct bytes manifest, accepts[SITES_MAX], masked[SITES_MAX], vectors[SITES_MAX], reveals[SITES_MAX],
        close;
    struct digest rho, psi, previous;
    struct message_head head; /* of the coordinator's log, as roster and close show it */
    struct study_run run;
    struct round_plan plan;
    struct word_run runs[64];
    size_t n_runs;
    uint64_t length; /* of this round's vector */
    /* threshold rounds */
    bool thresholds, before; /* before: round 1 is T0 */
    const struct policy *strictest;
    struct bytes taken[SITES_MAX];
};

/* The study that sites_up_with asks next; NULL: two analyses of the example. */
struct sites_options {
    size_t n;                        /* 0: SITES */
    const char *policies[SITES_MAX]; /* NULL: standard */
    const char *study;               /* its analyses, as lines of YAML; NULL: a count and a model */
    unsigned signatures;             /* that an approval needs; 0: 1 */
    uint64_t deal;                   /* not 0: the same patients, dealt to the sites in another way */
};

extern int64_t sites_now_ms; /* the clock of every site */

int sites_up(void **state);
struct world *sites_up_with(const struct sites_options *options);
/* Another question to the same sites: analyses as lines of YAML, or a whole study. What was asked before is
 * left to its fate. */
void sites_next(struct world *world, const char *analyses);
int sites_down(void **state);
void site_open(struct world *world, size_t i);
enum maille_code site_try_open(struct world *world, size_t i,
                               struct maille_error *error); /* nothing is open on failure */
void site_close(struct world *world, size_t i);

/* network.yaml of this version; every authority has signed. */
void sites_directory(struct bytes *out, const struct world *world, unsigned version, const char *purposes);

/* Signs a body and lets a site handle it. The outbox of the site holds what it answers. */
enum maille_code site_hear(struct world *world, size_t i, enum message_kind kind,
                           const struct secret_keys *signer, const struct bytes *body,
                           const struct bytes *frame, struct maille_error *error);
/* The last message of a kind in a site's outbox; NULL where there is none. */
const struct message_outgoing *site_said(const struct world *world, size_t i, enum message_kind kind);

/* A manifest of the study as alice would make it. */
struct message_manifest sites_manifest(struct world *world);
enum maille_code site_ask(struct world *world, size_t i, const struct message_manifest *manifest,
                          struct maille_error *error);
void sites_to_ready(struct world *world); /* manifest, ready */
void sites_to_accept(struct world *world);
/* A roster of these accepts, signed by the coordinator. */
void sites_roster(struct bytes *body, struct world *world, const struct bytes *accepts);
void sites_to_roster(struct world *world);

/* The header of the next round as alice would make it, and the start around it. c_r: theta. */
struct message_round_header sites_header(struct world *world, struct bytes *theta, uint32_t round,
                                         uint32_t attempt);
enum maille_code site_start(struct world *world, size_t i, const struct message_round_header *header,
                            const struct bytes *theta, struct maille_error *error);
/* All members answer with masked vectors; kept in world->masked. */
void sites_to_masked(struct world *world, uint32_t round, uint32_t attempt);
void sites_make_close(struct bytes *body, struct world *world);
/* Close and reveals, kept in world->reveals. */
void sites_to_revealed(struct world *world);
/* Close, reveals, and sum and step; in the circle custody, what each took, and results, the same of all. */
void sites_finish_round(struct world *world);

/* Is round r one of the threshold rounds? The round in which values begin. */
bool sites_threshold(const struct world *world, uint32_t round);
uint32_t sites_values_from(const struct world *world);
/* The threshold rounds, if there are any. */
void sites_to_values(struct world *world);
/* What an honest coordinator hands to every member after the reveals: body, and the frame of all vectors. */
void sites_make_custody(struct bytes *body, struct bytes *frame, struct world *world);
enum maille_code site_custody(struct world *world, size_t i, const struct bytes *body,
                              const struct bytes *frame, struct maille_error *error);
/* What every member said that it took, as an honest coordinator hands it out. */
void sites_make_agreed(struct bytes *body, struct world *world);
enum maille_code site_agreed(struct world *world, size_t i, const struct bytes *body,
                             struct maille_error *error);

#endif
