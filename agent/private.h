/* The agent's insides, shared by the agent_*.c files alone. */
#ifndef AGENT_PRIVATE_H
#define AGENT_PRIVATE_H

#include "agent/agent.h"
#include "disclosure/published.h"
#include "proto/open.h"

/* Where the agent stands. Each message is permitted in some of these (the table in agent.c). */
enum agent_stage {
    STAGE_ASKED = 1 << 0,  /* manifest sent, readies come */
    STAGE_CALLED = 1 << 1, /* call sent, waiting for the roster */
    STAGE_ROUND = 1 << 2,  /* start sent, waiting for close, reveals and the sum */
    STAGE_ENDED = 1 << 3
};

enum { AGENT_ROUNDS_MAX = 256 };

/* One site as the agent knows it. */
struct agent_site {
    const struct directory_site *site;
    bool has_ready, called, member; /* member: of the roster */
    enum ready_state ready;
    struct message_accept accept; /* member: from the roster, in the agent's arena */
};

/* One vector that is fetched: the sum, or a member's. */
struct agent_vector {
    uint32_t source;       /* 0: the sum */
    struct digest root;    /* signed by its owner */
    uint8_t *bytes;        /* the sum's; NULL for a member's, which is added as it comes */
    struct digest *leaves; /* of all segments */
    size_t leaves_got;     /* sampled: leaves are fetched before segments */
    bool leaves_asked;     /* the next of them are under way */
    uint64_t *wanted;      /* segments to fetch; NULL: all */
    size_t n_wanted, got;
    size_t asked;     /* wanted segments before this one were asked for */
    size_t under_way; /* of those asked for, not here yet */
    uint8_t *have;    /* one byte a wanted segment */
    bool verified;
};

/* What a round is, as this agent works it out: what its header will say. */
struct agent_shape {
    enum threshold_which which; /* 0: a round of values */
    struct round_plan plan;     /* of values */
    bool *open;                 /* study->n_analyses */
    uint64_t length;
    struct digest layout;
    struct word_run *runs;
    size_t n_runs;
};

/* What is collected in one attempt of one round. */
struct agent_round {
    uint32_t round, attempt;
    bool under_way; /* started, and not over yet */
    struct digest psi;
    struct agent_shape shape;
    size_t n_members;
    uint32_t members[MESSAGE_SITES_MAX];
    struct message_masked *masked; /* n_members, once close is there */
    bool closed, has_sum, held;
    struct digest close_hash;
    struct message_head coordinator_head;
    struct digest *reveals; /* b_i, n_members */
    bool *revealed;
    size_t n_vectors;
    struct agent_vector *vectors; /* [0] the sum, then the members */
    uint8_t *own_sum; /* what the agent added itself; shape.length bytes (held) or the sampled segments */
    /* in a circle */
    bool *taken;                   /* who took the round's totals */
    struct digest *tags;           /* of what each member took */
    struct bytes *answers;         /* n_members: what each says that has ended; empty: not here */
    bool *unreadable;              /* n_members: its result is here, and nobody can read it */
    int64_t answered_ms;           /* when the last of them came */
    int64_t started_ms, silent_ms; /* silent: since when it is known that a site is late; 0: none is */
};

struct agent {
    struct agent_options options;
    struct arena *arena, *accepts; /* accepts: what the roster is decoded in */
    const struct study *study;
    char id[2 * QID_BYTES + 1];
    uint8_t qid[QID_BYTES];
    uint8_t rk[PUBLIC_BYTES], rk_secret[KEY_BYTES], theta_key[KEY_BYTES];
    struct digest manifest_hash; /* qh */
    struct bytes manifest;       /* the envelope as sent */
    uint32_t n_min;
    enum query_mode mode;
    enum agent_stage stage;
    size_t n_sites; /* named in the manifest, ascending by id */
    struct agent_site *sites;
    struct digest rho;
    size_t n_roster;
    struct study_run run;
    /* of the roster's policies */
    const struct policy *strictest;
    bool thresholds; /* threshold rounds come first */
    struct message_ledger_entry
        *entries;                /* earlier questions that it is compared with; in arena, as `past` */
    struct threshold_past *past; /* the same as the members of the last shape see them */
    size_t n_past;               /* entries; behind them stand the published cohorts */
    struct published published;  /* of its directory; in arena */
    struct digest previous;      /* ψ of the last completed round; zeros before */
    struct agent_round at;
    struct message_head coordinator_head;
    uint64_t n_over, bytes_over; /* rounds that are over, and a site's masked sums in them */
    int64_t began_ms;            /* monotonic: when the question was asked; 0: another process did */
    char began_at[32];           /* the same on the clock; "": another process did */
    char ended_at[32]; /* when the study ended, and how long it took: "" and 0 where another process saw it */
    int64_t elapsed_ms;
    struct digest before; /* ψ of the attempt before this one, which C may have closed while we gave it up */
    struct bytes before_start, before_frame;
    enum message_kind last_kind;
    struct bytes last, last_frame; /* the message that is sent again when C does not have it */
    bool has_frame;
    struct message_outbox *outbox; /* of the call that is being handled; borrowed */
    int journal;                   /* descriptor; −1: none */
    struct digest journal_key;
    /* what is said while waiting */
    int64_t asked_ms, heard_ms, moved_ms, sent_ms, sum_moved_ms, resumed_ms, hello_ms, ended_ms;
    struct message_status status;
    uint32_t *waiting;
    size_t n_waiting;
    struct bytes told;  /* the last event */
    bool finished;      /* the run has ended: results are there */
    bool told_too_few;  /* that fewer sites are connected than the question needs */
    int64_t too_few_ms; /* monotonic: since when that is so; 0: it is not */
    const char *away;   /* who was missing then */
    bool told_in_line;  /* that another question is counted first */
    bool clock_told;    /* how this machine's clock stands to the coordinator's */
    bool result_kept;   /* its result file is in the journal (evidence.c) */
};

/* ask.c: says once, as soon as a status shows it, that fewer sites are connected than the question needs. */
void agent_count_connected(struct agent *agent, const struct message_status *status);
/* ask.c: may the study go on without this site? */
bool agent_without(const struct agent *agent, const char *site);
/* MAILLE_UNREACHABLE: names the sites of the list (n > 0) and how to go on. what: "answer", "accept". */
enum maille_code agent_fail_away(const struct agent *agent, const struct directory_site *const *sites,
                                 size_t n, const char *what, struct maille_error *error);

/* What a message does (the table is in agent.c). It is of this query, and signed where its kind is. */
typedef enum maille_code agent_handler(struct agent *agent, struct message *in, struct maille_error *error);

/* journal.c: what must survive a laptop that is closed. Each record is sealed; on disk before the
 * message that follows leaves. */
enum journal_kind {
    JOURNAL_HEAD = 1,
    JOURNAL_REFUSED = 2,
    JOURNAL_CALL = 3,
    JOURNAL_ROSTER = 4,
    JOURNAL_START = 5,
    JOURNAL_TOTALS = 6,
    JOURNAL_ENDED = 7,
    JOURNAL_EVIDENCE = 10, /* evidence.c; nothing follows from it */
    JOURNAL_RESULTS = 11,  /* of a round of a circle */
    JOURNAL_FAULT = 12     /* somebody was caught in what cannot be mended: in words */
};
enum maille_code agent_journal_create(struct agent *agent, struct maille_error *error) MAILLE_CHECKED;
enum maille_code agent_journal_open(struct agent *agent, const char *id,
                                    struct maille_error *error) MAILLE_CHECKED;
void agent_journal_close(struct agent *agent); /* none is open: nothing */
enum maille_code agent_journal_append(struct agent *agent, enum journal_kind kind, const struct bytes *record,
                                      struct maille_error *error) MAILLE_CHECKED;
typedef enum maille_code journal_each(struct agent *agent, enum journal_kind kind, struct reader *record,
                                      struct maille_error *error);
enum maille_code agent_journal_replay(struct agent *agent, journal_each *each,
                                      struct maille_error *error) MAILLE_CHECKED;

/* The ids of the newest of her queries on this machine, the newest first. Returns how many. */
enum { AGENT_JOURNALS_MAX = 256 };
size_t agent_journal_newest(char ids[AGENT_JOURNALS_MAX][2 * QID_BYTES + 1]);

/* evidence.c: a record of JOURNAL_EVIDENCE in a query that is taken up again. */
enum maille_code agent_evidence_seen(struct agent *agent, struct reader *record,
                                     struct maille_error *error) MAILLE_CHECKED;

/* ask.c: until there is a roster */
agent_handler agent_on_ready, agent_on_roster, agent_on_cancel;
/* Calls when it is time (all ready, or the time is over and enough are). */
enum maille_code agent_call_when_ready(struct agent *agent, struct maille_error *error) MAILLE_CHECKED;
/* What it says is kept: the message's arena must live as long as the agent. */
enum maille_code agent_take_roster(struct agent *agent, const struct message *in,
                                   struct maille_error *error) MAILLE_CHECKED;

/* round.c: rounds */
agent_handler agent_on_refuse, agent_on_close, agent_on_reveal;
enum maille_code agent_next_round(struct agent *agent,
                                  struct maille_error *error) MAILLE_CHECKED; /* plans and starts, or ends */
enum maille_code agent_new_attempt(struct agent *agent, const uint32_t *missing, size_t n_missing,
                                   struct maille_error *error) MAILLE_CHECKED;
/* Keeps the attempt under way, before another takes its place. */
enum maille_code agent_keep_attempt(struct agent *agent, struct maille_error *error) MAILLE_CHECKED;
enum maille_code agent_take_start(struct agent *agent, const struct message_round_header *header,
                                  const struct digest *psi, struct maille_error *error) MAILLE_CHECKED;
enum maille_code agent_take_totals(struct agent *agent, const uint8_t *words, size_t length,
                                   struct maille_error *error) MAILLE_CHECKED;
enum maille_code agent_round_when_complete(struct agent *agent, struct maille_error *error) MAILLE_CHECKED;
void agent_round_clear(struct agent_round *round);
/* The round is over: its totals, or the sites' answers, are in the journal. */
void agent_round_over(struct agent *agent);

/* shape.c: what a round is. Analyses that cannot be asked are marked; where none is left open, nothing
 * is to be sent. */
enum maille_code agent_shape(struct agent_shape *shape, struct agent *agent, uint32_t round,
                             const uint32_t *members, size_t n_members,
                             struct maille_error *error) MAILLE_CHECKED;
void agent_shape_clear(struct agent_shape *shape);

/* threshold.c: which rounds are threshold rounds */
enum maille_code agent_settle_policies(struct agent *agent, struct maille_error *error)
    MAILLE_CHECKED; /* from the roster's accepts */
/* Which of them this round among these members is; 0: none. */
enum threshold_which agent_which(struct agent *agent, uint32_t round, const uint32_t *members,
                                 size_t n_members);
/* The round in which values begin, among the members of the last shape. */
uint32_t agent_values_from(const struct agent *agent);

/* circle.c: a query whose sums the sites open for themselves */
bool agent_in_circle(const struct agent *agent);
agent_handler agent_on_taken, agent_on_result;
/* Names the members that said another thing than most. */
void agent_say_diverged(const struct agent *agent);
size_t agent_answers(const struct agent *agent); /* results of the round that are here */
/* Once enough members say the same: written down, and the round is over. MAILLE_SIGNATURE: too few do. */
enum maille_code agent_circle_when_complete(struct agent *agent, bool *over,
                                            struct maille_error *error) MAILLE_CHECKED;
/* Again from the journal; vector_bytes: of each site's masked vector. */
enum maille_code agent_take_results(struct agent *agent, uint64_t vector_bytes, const uint8_t *bytes,
                                    size_t length, struct maille_error *error) MAILLE_CHECKED;

/* sum.c: the sum, fetched and added again */
agent_handler agent_on_sum, agent_on_segment;
enum maille_code agent_pull(struct agent *agent, bool again, struct maille_error *error) MAILLE_CHECKED;
bool agent_sum_complete(const struct agent *agent);

/* progress.c: what is said on the way; where the query stands, on the terminal or as an event; the line wiped
 * at the end. */
void agent_say(const struct agent *agent, const char *format, ...) MAILLE_PRINTF(2, 3);
void agent_progress(struct agent *agent);
void agent_progress_end(const struct agent *agent);
/* "site-3, site-4": whom the query waits for, in out (size bytes). */
const char *agent_waiting_names(const struct agent *agent, char *out, size_t size);

/* agent.c */
int64_t agent_now_ms(const struct agent *agent); /* monotonic */
/* Makes the message that is sent again while C does not have it: `last`. Then it is written down, then sent.
 */
enum maille_code agent_keep(struct agent *agent, enum message_kind kind, const struct bytes *body,
                            const struct bytes *frame, struct maille_error *error) MAILLE_CHECKED;
enum maille_code agent_send_last(struct agent *agent, struct maille_error *error) MAILLE_CHECKED;
/* A message that is not kept. body is cleared. */
enum maille_code agent_send(struct agent *agent, enum message_kind kind, struct bytes *body,
                            struct maille_error *error) MAILLE_CHECKED;
enum maille_code agent_refuse(struct agent *agent, size_t analysis, const char *rule,
                              const struct agent_site *by, struct maille_error *error) MAILLE_CHECKED;
/* A site says one word. Most are rules of its policy; `domain` is a computation that cannot be done. */
void agent_mark_refused(struct agent *agent, size_t analysis, const char *rule);
struct agent_site *agent_site(struct agent *agent, uint32_t id); /* NULL: not named */
const char *agent_site_name(const struct agent *agent, uint32_t id);
/* The site of this query that signed the message: its body says the number `id`. */
enum maille_code agent_signer(struct agent_site **site, struct agent *agent, const struct message *in,
                              uint32_t id, struct maille_error *error) MAILLE_CHECKED;

#endif
