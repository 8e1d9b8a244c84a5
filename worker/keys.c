#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/passphrase.h"
#include "worker/commands.h"

enum maille_code worker_keys(struct secret_keys **keys, const char *dir, const char *credential,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    enum key_role role;
    struct public_keys unused;
    struct key_unlock unlock;
    bool by_credential;
    char path[PATH_MAX], name[48];
    MAILLE_TRY(file_path_join(path, sizeof path, dir, "site.key", error));
    if (!file_exists(path)) {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected a site in %s, found no site.key; make one with: maille-worker init", dir);
        goto out;
    }
    MAILLE_TRY(keyfile_header(&role, name, &unused, &by_credential, path, error));
    if (role != KEY_SITE) {
        code = maille_fail(error, MAILLE_INVALID, "expected a site's key in %s, found a %s's", path,
                           key_role_name(role));
        goto out;
    }
    if (by_credential && credential == NULL) {
        code = maille_fail(error, MAILLE_INVALID, "expected --credential FILE, which opens %s, found none",
                           path);
        goto out;
    }
    MAILLE_TRY(passphrase_unlock(&unlock, credential, error));
    MAILLE_TRY(keyfile_read(keys, path, &unlock, error));
out:
    return code;
}
