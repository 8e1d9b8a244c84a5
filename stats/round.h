/* One study in rounds: every analysis that is still open puts its block into one vector, in study order. The
 * same code plans a round at the sites and at the analyst; the analyst alone steps. */
#ifndef STATS_ROUND_H
#define STATS_ROUND_H

#include "stats/methods.h"
#include "stats/shares.h"

/* What round r tallies: a function of the study, of which analyses are open, of their θ and of the surviving
 * cells. */
struct round_plan {
    struct arena *arena;
    size_t n; /* analyses of the study */
    struct {
        bool open;               /* takes part in this round */
        bool waits;              /* is open and has no room in this round: it takes part in a later one */
        struct tally_spec *spec; /* NULL unless open and planned; what did not survive is taken out of it */
        const struct tally_spec *own; /* its first blocks, those of the method */
        const struct cells *cells;    /* the head counts that guard it */
        struct shares shares;         /* the sums that are judged in this round, behind the others */
        struct tally_extent *extents;
        size_t offset, bytes; /* in the round's vector */
        struct maille_error
            error; /* code ≠ MAILLE_OK: this analysis cannot be planned (rule "theta", or a sentence) */
    } * analyses;
    /* Veto words: one of 8 bytes for each analysis that is open, in study order, at the end of the vector. 0
     * where a site agrees; where it must not answer, for a reason in its own data, uniformly random and not
     * 0: so a sum that is not 0 says that there is a veto, and not of whom or how many. */
    size_t vetoes;       /* where they begin */
    size_t bytes;        /* of the whole vector, veto words included */
    struct bytes layout; /* canonical bytes of all of it: H(layout) is the layout hash of RS */
};

/* What each of n_sites may put into a round whose vectors all of them get: 64 MiB between them. */
enum { ROUND_CIRCLE_BYTES = 64 << 20 };
size_t round_room(size_t n_sites);

/* thetas: study->n_analyses vectors (empty in the first value round). open: which take part. surviving: one
 * per analysis; NULL: there were no threshold rounds. Takes out of every block what its guards say
 * (stats/guard.h); one without guards is a fault of its method (MAILLE_INTERNAL). room: bytes of the vector;
 * in study order what does not fit beside the analyses before it waits, and what does not fit alone has the
 * error MAILLE_REFUSED "size". 0: all take part, in at most TALLY_BYTES_MAX. A failure of one analysis is
 * in its `error`; the code is MAILLE_OK unless memory or a limit ends everything. Free with round_plan_clear.
 */
enum maille_code round_plan(struct round_plan *plan, const struct study *study, const bool *open,
                            const struct vector *thetas, const struct surviving *const *surviving,
                            size_t room, struct maille_error *error) MAILLE_CHECKED;
void round_plan_clear(struct round_plan *plan);
/* Where the veto word of an open analysis stands. */
size_t round_veto_at(const struct round_plan *plan, size_t analysis);

/* Can these be the totals of a network? A wrong mask gives random words. Counts 0 … 2^40, sums within ±2^126.
 * MAILLE_SIGNATURE, with the analysis. */
enum maille_code round_in_range(const struct round_plan *plan, const struct study *study,
                                const uint8_t *words, struct maille_error *error) MAILLE_CHECKED;

/* θ of all open analyses as bytes, and back. Per open analysis in study order: LE64 n, then n IEEE-754
 * doubles. Limits: 64 MiB in all. MAILLE_INVALID when the bytes are not that. */
void round_thetas_write(struct bytes *out, const struct study *study, const bool *open,
                        const struct vector *thetas);
enum maille_code round_thetas_read(struct vector *thetas, const struct study *study, const bool *open,
                                   const uint8_t *bytes, size_t length,
                                   struct maille_error *error) MAILLE_CHECKED;

/* --- the analyst --- */

/* VETOED: some site must not answer it, for a reason in its own data. Nobody knows which site, or how many.
 */
enum { STUDY_OFFER_MAX = 512 };
enum analysis_status { ANALYSIS_OPEN, ANALYSIS_OK, ANALYSIS_REFUSED, ANALYSIS_FAILED, ANALYSIS_VETOED };

struct analysis_state {
    enum analysis_status status;
    struct iteration iteration;
    struct outcome outcome;
    char rule[MAILLE_RULE_MAX];
    char reason[MAILLE_SENTENCE_MAX];
    char offer[STUDY_OFFER_MAX]; /* of one that is refused for what it is too near to: the cohort that may be
                                    asked instead, as a study says it; "": none, or it cannot be named */
};

struct study_run {
    const struct study *study;
    struct arena *arena;                      /* of the outcomes */
    struct analysis_state *states;            /* one per analysis */
    const struct surviving *const *surviving; /* one per analysis, borrowed; NULL: no threshold rounds */
    size_t room;                              /* of a round: as round_plan has it */
};

enum maille_code study_run_init(struct study_run *run, const struct study *study,
                                struct maille_error *error) MAILLE_CHECKED;
void study_run_clear(struct study_run *run);
/* What the threshold rounds left (disclosure/plan.h), before the first value round. surviving: one per
 * analysis; outlives the run. */
void study_run_survive(struct study_run *run, const struct surviving *const *surviving);
/* Is any analysis open? */
bool study_run_open(const struct study_run *run);
/* Marks an analysis as refused (rule: a policy key, or "theta"), failed, or vetoed. */
void study_run_refuse(struct study_run *run, size_t analysis, const char *rule, const char *reason);
/* Of one that is refused: what may be asked instead. One that is too long is not offered. */
void study_run_offer(struct study_run *run, size_t analysis, const char *cohort);
void study_run_fail(struct study_run *run, size_t analysis, const char *reason);
void study_run_veto(struct study_run *run, size_t analysis);
/* The next round's plan over the open analyses; those that cannot be planned are marked and left out, those
 * that have no room in it stay open. */
enum maille_code study_run_plan(struct study_run *run, struct round_plan *plan,
                                struct maille_error *error) MAILLE_CHECKED;
/* Reads the veto words, marks what is vetoed, and steps every other analysis of the plan with the pooled
 * words (plan->bytes of them) of n_sites sites. Never fails for one analysis: that is its status. */
void study_run_step(struct study_run *run, const struct round_plan *plan, const uint8_t *words,
                    size_t n_sites);

#endif
