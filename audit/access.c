#include "audit/access.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/display.h"
#include "base/file.h"
#include "crypto/hash.h"

static const char *const kinds[] = {"access", "import"}; /* a file is KIND-HEX */
enum { KINDS = sizeof kinds / sizeof *kinds, KIND_BYTES_MAX = 8 };

/* Who runs this, and on whose behalf. */
static void user_name(char *out, size_t size)
{
    const struct passwd *user = getpwuid(getuid());
    snprintf(out, size, "%s", user != NULL ? user->pw_name : "a user without a name");
}

static enum maille_code leave(const char *dir, const char *kind, const char *what, struct maille_error *error)
{
    enum maille_code code;
    char spool[PATH_MAX], path[PATH_MAX], user[64], line[AUDIT_ACCESS_BYTES_MAX];
    char name[KIND_BYTES_MAX + 34];
    uint8_t salt[16];
    struct bytes text = {0};
    MAILLE_TRY(file_path_join(spool, sizeof spool, dir, "spool", error));
    if (access(spool, W_OK | X_OK) != 0)
        goto out;
    user_name(user, sizeof user);
    snprintf(line, sizeof line, "%.400s by %s", what, user);
    display_put(&text, line, strlen(line));
    crypto_random_bytes(salt, sizeof salt);
    const int used = snprintf(name, KIND_BYTES_MAX + 2, "%s-", kind);
    bytes_to_hex(name + used, salt, sizeof salt);
    MAILLE_TRY(file_path_join(path, sizeof path, spool, name, error));
    MAILLE_TRY(bytes_check(&text, error));
    /* The folder's owner gets it: the vault may be another user than who runs this (worker/owners.h). */
    MAILLE_TRY(file_write_atomic(path, text.data, text.length, 0600, error));
out:
    bytes_clear(&text);
    return code;
}

enum maille_code audit_access_leave(const char *dir, const char *what, struct maille_error *error)
{
    return leave(dir, kinds[0], what, error);
}

enum maille_code audit_import_leave(const char *dir, const char *what, struct maille_error *error)
{
    return leave(dir, kinds[1], what, error);
}

enum maille_code audit_access_leave_log(const char *log_folder, const char *what, struct maille_error *error)
{
    char dir[PATH_MAX];
    enum maille_code code = file_path_join(dir, sizeof dir, log_folder, "..", error);
    return code == MAILLE_OK ? audit_access_leave(dir, what, error) : code;
}

/* The kind of a file's name; NULL: it is none of these. */
static const char *kind_of(const char *name)
{
    for (size_t i = 0; i < KINDS; i++) {
        const size_t length = strlen(kinds[i]);
        if (strncmp(name, kinds[i], length) == 0 && name[length] == '-')
            return kinds[i];
    }
    return NULL;
}

/* A line counts where root or the folder's owner left it: whoever may put decisions there (spool_group) says
 * nothing in the log. Anything else is put away. */
static bool is_left(const char *path, uid_t owner)
{
    struct stat found;
    if (lstat(path, &found) != 0)
        return false;
    if (S_ISREG(found.st_mode) && found.st_nlink == 1 && (found.st_uid == 0 || found.st_uid == owner))
        return true;
    file_put_away(path);
    return false;
}

static enum maille_code take_one(const char *path, const char *kind,
                                 enum maille_code (*take)(void *context, const char *kind, const char *line,
                                                          struct maille_error *error),
                                 void *context, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error ignored;
    struct bytes text = {0};
    char line[2 * AUDIT_ACCESS_BYTES_MAX];
    if (file_read_regular(&text, path, sizeof line - 1, &ignored) == MAILLE_OK && text.length > 0 &&
        memchr(text.data, '\n', text.length) == NULL && memchr(text.data, '\0', text.length) == NULL &&
        !display_hidden(NULL, NULL, (const char *)text.data, text.length)) {
        memcpy(line, text.data, text.length);
        line[text.length] = '\0';
        code = take(context, kind, line, error);
    }
    bytes_clear(&text);
    if (code == MAILLE_OK && unlink(path) != 0 && errno != ENOENT)
        code = maille_fail_errno(error, "cannot remove %s", path);
    return code;
}

enum maille_code audit_access_take(const char *dir,
                                   enum maille_code (*take)(void *context, const char *kind, const char *line,
                                                            struct maille_error *error),
                                   void *context, struct maille_error *error)
{
    enum maille_code code;
    char spool[PATH_MAX], path[PATH_MAX];
    struct stat folder;
    DIR *stream = NULL;
    size_t n = 0;
    MAILLE_TRY(file_path_join(spool, sizeof spool, dir, "spool", error));
    stream = opendir(spool);
    if (stream == NULL || fstat(dirfd(stream), &folder) != 0)
        goto out; /* nobody left anything */
    for (const struct dirent *entry; n < AUDIT_ACCESSES_MAX && (entry = readdir(stream)) != NULL;) {
        const char *kind = kind_of(entry->d_name);
        if (kind == NULL)
            continue;
        MAILLE_TRY(file_path_join(path, sizeof path, spool, entry->d_name, error));
        if (!is_left(path, folder.st_uid))
            continue;
        n++;
        MAILLE_TRY(take_one(path, kind, take, context, error));
    }
out:
    if (stream != NULL)
        closedir(stream);
    return code;
}
