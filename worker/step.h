/* The process `step` (vault/step.h): it takes totals and gives where the study stands then. It has one end of
 * a socketpair and nothing else: no key, no patient, no file and no network (base/wall.h, WALL_STEP). */
#ifndef WORKER_STEP_H
#define WORKER_STEP_H

#include "vault/step.h"

/* Answers requests on `end` until the other end closes (MAILLE_INTERNAL). Forgets each before the next. */
enum maille_code step_serve(int end, struct maille_error *error) MAILLE_CHECKED;

/* The source over a channel, for the vault. *broken is set once the other process is gone or spoke nonsense:
 * MAILLE_INTERNAL, the worker starts anew and the step is asked again. */
struct step_remote {
    int end;
    bool broken;
};
struct step_source step_over(struct step_remote *remote);

#endif
