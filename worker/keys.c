#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/passphrase.h"
#include "worker/commands.h"

enum maille_code worker_unlock(struct key_unlock *unlock, const char *credential, struct maille_error *error)
{
    *unlock = keyfile_unlock(credential);
    if (unlock->credential_path != NULL || unlock->passphrase != NULL)
        return MAILLE_OK;
    /* Asked once; it is used again by whatever else this command opens. */
    static char *asked;
    enum maille_code code =
        asked != NULL ? MAILLE_OK : passphrase_ask(&asked, "passphrase of the key", error);
    unlock->passphrase = asked;
    return code;
}

enum maille_code worker_unlock_new(struct key_unlock *unlock, const char *credential,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char *again = NULL;
    const bool asks =
        keyfile_unlock(credential).credential_path == NULL && keyfile_unlock(credential).passphrase == NULL;
    MAILLE_TRY(worker_unlock(unlock, credential, error));
    if (!asks)
        goto out;
    MAILLE_TRY(passphrase_ask(&again, "the same again", error));
    if (strcmp(again, unlock->passphrase) != 0)
        code = maille_fail(error, MAILLE_INVALID, "expected the same passphrase twice, found two");
out:
    if (again != NULL)
        crypto_wipe(again, PASSPHRASE_MAX);
    free(again);
    return code;
}

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
    MAILLE_TRY(worker_unlock(&unlock, credential, error));
    MAILLE_TRY(keyfile_read(keys, path, &unlock, error));
out:
    return code;
}
