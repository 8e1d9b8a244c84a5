/* Who decides in a sandbox: officers who approve whatever waits. */
#ifndef CLI_SANDBOX_OFFICER_H
#define CLI_SANDBOX_OFFICER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Starts a process that signs, at each site of the sandbox in dir (an absolute path), an approval of whatever
 * waits there, with that site's dpo.key, until sandbox_officer_stop; it ends with this process too. */
enum maille_code sandbox_officer_start(pid_t *officer, const char *dir, const char *const *sites, size_t n,
                                       struct maille_error *error) MAILLE_CHECKED;
void sandbox_officer_stop(pid_t officer);

#endif
