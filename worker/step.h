/* The process that takes a study's step (vault/step.h): the worker's own program again, in a role of its own,
 * for one step. It has the one end of a socketpair and nothing else: no key (its memory is new), no patient,
 * no file and no network (every system call but the few that memory and its socket need ends it). What it was
 * given is gone when it ends. */
#ifndef WORKER_STEP_H
#define WORKER_STEP_H

#include "vault/step.h"

/* The source that starts `program` (a path; borrowed) for each step. A process that dies, or cannot be
 * started, is MAILLE_IO: the step may be asked again. */
struct step_source step_over(const char *program);

/* Is this the command line of that role? */
bool step_role(int argc, char *const *argv);
/* The role: one request on `end`, one answer. Returns the exit status. */
int step_serve(int end);

#endif
