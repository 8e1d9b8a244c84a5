/* Where a credential comes from: the file that opens a key without a person. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "crypto/identity.h"

#define CONTAINER_SECRETS "/run/secrets"

bool credential_given(char *out)
{
    const char *const folders[] = {getenv("CREDENTIALS_DIRECTORY"), CONTAINER_SECRETS};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (folders[i] != NULL && file_path_join(out, PATH_MAX, folders[i], "maille", NULL) == MAILLE_OK &&
            file_exists(out))
            return true;
    return false;
}

/* Whether a file is in a folder or beneath it, whatever links lead there. */
static bool is_beneath(const char *path, const char *folder)
{
    char real[PATH_MAX], above[PATH_MAX];
    if (folder == NULL || realpath(path, real) == NULL || realpath(folder, above) == NULL)
        return false;
    const size_t length = strlen(above);
    return strncmp(real, above, length) == 0 && real[length] == '/';
}

bool credential_managed(const char *path)
{
    struct stat status;
    if (is_beneath(path, getenv("CREDENTIALS_DIRECTORY"))) /* its access list shows as bits of the group */
        return stat(path, &status) == 0 && (status.st_mode & 07) == 0;
    return is_beneath(path, CONTAINER_SECRETS); /* 0444 by custom: nobody else is in the container */
}

const char *credential_warning(char *sentence, size_t size, const char *path, const char *folder)
{
    if (path == NULL || !is_beneath(path, folder) || credential_managed(path))
        return NULL;
    snprintf(sentence, size,
             "the credential %s stands in the folder of the key that it opens: whoever copies the folder, or "
             "a backup of "
             "it, has both; keep it elsewhere: systemd's LoadCredential=maille:FILE, or a container's secret "
             "/run/secrets/maille",
             path);
    return sentence;
}
