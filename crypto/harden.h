/* What a process that holds keys forbids before it reads the first of them. */
#ifndef CRYPTO_HARDEN_H
#define CRYPTO_HARDEN_H

#include "base/error.h"

/* No core dump (RLIMIT_CORE 0) and no attaching debugger or reading of /proc/PID/mem by the same user
 * (PR_SET_DUMPABLE 0, which also gives /proc/PID to root). Children inherit the first through exec and the
 * second through fork. MAILLE_IO. */
enum maille_code crypto_harden(struct maille_error *error) MAILLE_CHECKED;

#endif
