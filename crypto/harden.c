#include "crypto/harden.h"

#include <sys/prctl.h>
#include <sys/resource.h>

enum maille_code crypto_harden(struct maille_error *error)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return maille_fail_errno(error, "cannot switch core dumps off");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return maille_fail_errno(error, "cannot forbid other processes to read this one's memory");
    return MAILLE_OK;
}
