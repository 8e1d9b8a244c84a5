/* The step of a study's methods on totals that were opened to this site: where it stood, and where it stands
 * then. The vault lets another process take it, which has no key, no patient, no network and no file
 * (worker/step.c), since what a method does with numbers is the largest and least watched part of a vault's
 * work. The vault does not know whether the answer comes from this process or another. */
#ifndef VAULT_STEP_H
#define VAULT_STEP_H

#include "disclosure/plan.h"
#include "stats/run_bytes.h"

struct step_request {
    const char *dictionary, *study; /* texts */
    size_t dictionary_length, study_length;
    const struct bytes *plan; /* disclosure/plan.h; empty: there were no threshold rounds */
    const struct bytes *run;  /* where the study stands (stats/run_bytes.h) */
    const bool *open;         /* n: the analyses that the round was of */
    size_t n, n_sites;
    const uint8_t *totals; /* length bytes, as round_plan lays them out; NULL: there is nothing to step yet */
    size_t length;
};

/* What the vault calls. *run is replaced: where the study stands then, the next round planned: an analysis
 * that cannot be is over. One that was open and is not of the round has left (status refused, rule `left`).
 * Whatever a method makes of the numbers is the status of its analysis; MAILLE_CORRUPT: the request is none;
 * MAILLE_IO: no process could do it, it may be asked again; MAILLE_MEMORY. */
struct step_source {
    void *context;
    enum maille_code (*step)(void *context, struct bytes *run, const struct step_request *request,
                             struct maille_error *error);
};

/* In this process: what the other one does, and what tests use. */
struct step_source step_local(void);

/* The request as bytes, and the step of such bytes. */
void step_request_write(struct bytes *out, const struct step_request *request);
enum maille_code step_answer(struct bytes *run, const void *request, size_t length,
                             struct maille_error *error) MAILLE_CHECKED;

#endif
