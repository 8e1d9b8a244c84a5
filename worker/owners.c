#include "worker/owners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static const char *const users[CHILDREN] = {[CHILD_DATA] = "maille-data",
                                            [CHILD_STEP] = "maille-step",
                                            [CHILD_VAULT] = "maille-vault",
                                            [CHILD_NET] = "maille-net",
                                            [CHILD_SOURCE] = "maille-source"};
static const struct {
    const char *folder;
    int child;
} folders[] = {
    {"snapshots", CHILD_DATA}, {"log", CHILD_VAULT}, {"state", CHILD_VAULT}, {"spool", CHILD_VAULT}};
enum { DEPTH_MAX = 8, SHARED_MODE = S_ISGID | S_ISVTX | 0770 };

/* Whether a user whom nobody knows gets as far as DIR. */
static bool others_pass(const char *dir)
{
    char path[PATH_MAX], folder[PATH_MAX];
    struct stat found;
    if (realpath(dir, path) == NULL)
        return false;
    while (strcmp(path, "/") != 0) {
        file_folder_of(folder, path);
        memcpy(path, folder, strlen(folder) + 1);
        if (stat(path, &found) != 0 || (found.st_mode & S_IXOTH) == 0)
            return false;
    }
    return true;
}

void owners_find(struct owners *owners, const char *dir, bool has_engine, const char **words)
{
    struct owners found = {.own = true};
    *owners = (struct owners){.own = false};
    *words = "one user for all processes: not root, or no users maille-data, maille-step, maille-vault and "
             "maille-net (maille-source too with an engine)";
    if (geteuid() != 0)
        return;
    for (int child = 0; child < CHILDREN; child++) {
        if (child == CHILD_SOURCE && !has_engine)
            continue;
        const struct passwd *user = getpwnam(users[child]);
        if (user == NULL || user->pw_uid == 0)
            return;
        found.uids[child] = user->pw_uid;
        found.gids[child] = user->pw_gid;
    }
    *words = "one user for all processes: a folder above the site's keeps other users out";
    if (!others_pass(dir))
        return;
    *words = "each process is a user of its own";
    *owners = found;
}

/* Everything beneath a folder, whose descriptor is taken over. */
static enum maille_code give(int fd, const char *name, uid_t uid, gid_t gid, int depth,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct stat folder;
    DIR *stream = fdopendir(fd);
    if (stream == NULL || fstat(fd, &folder) != 0 || fchown(fd, uid, gid) != 0) {
        code = maille_fail_errno(error, "cannot give %s to its process", name);
        if (stream == NULL)
            close(fd);
        goto out;
    }
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        struct stat found;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(fd, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if ((folder.st_mode & S_ISGID) != 0 && found.st_uid != 0 && found.st_uid != folder.st_uid)
            continue; /* somebody of the group that it is shared with put it there, and stands for it */
        if (S_ISDIR(found.st_mode) && depth < DEPTH_MAX) {
            int below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below >= 0)
                MAILLE_TRY(give(below, name, uid, gid, depth + 1, error));
        } else if (S_ISREG(found.st_mode) && found.st_nlink == 1 &&
                   fchownat(fd, entry->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0) {
            code = maille_fail_errno(error, "cannot give %s/%s to its process", name, entry->d_name);
            goto out;
        }
    }
out:
    if (stream != NULL)
        closedir(stream);
    return code;
}

enum maille_code owners_find_group(struct owners *owners, const char *name, struct maille_error *error)
{
    owners->shares = false;
    if (name[0] == '\0')
        return MAILLE_OK;
    const struct group *group = getgrnam(name);
    if (group == NULL)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected a group of this machine as spool_group in worker.yaml, found %s; make it with: "
            "groupadd %s",
            name, name);
    owners->shares = true;
    owners->spool_group = group->gr_gid;
    return MAILLE_OK;
}

/* A file of the spool itself, and not what a member of the group links there: they may write into the folder.
 * What cannot be shared stays as it is. */
static void share_pending(const struct owners *owners, int folder, const char *name)
{
    struct stat found;
    const int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const bool shared = fd >= 0 && fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_nlink == 1 &&
                        fchown(fd, (uid_t)-1, owners->spool_group) == 0 && fchmod(fd, 0640) == 0;
    (void)shared;
    if (fd >= 0)
        close(fd);
}

/* Whether root did it before: a service whose unit says PrivateUsers= and RestrictSUIDSGID= (debian/) knows
 * no other group than its own, which it sees as nobody's, and may set no such mode. */
static bool is_shared(int fd, gid_t group)
{
    enum { NOBODYS = 65534 };
    struct stat found;
    return fstat(fd, &found) == 0 && (found.st_mode & 07777) == SHARED_MODE &&
           (found.st_gid == group || found.st_gid == NOBODYS);
}

/* The group's, with what is in it; and others may pass through DIR, whose files are its owner's alone. */
static enum maille_code share(const struct owners *owners, const char *dir, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    int fd = -1;
    DIR *stream = NULL;
    MAILLE_TRY(file_path_join(path, sizeof path, dir, "spool", error));
    MAILLE_TRY(file_folder_make(path, 0700, error));
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || chmod(dir, 0711) != 0 ||
        (!is_shared(fd, owners->spool_group) &&
         (fchown(fd, (uid_t)-1, owners->spool_group) != 0 || fchmod(fd, SHARED_MODE) != 0))) {
        code =
            maille_fail_errno(error,
                              "cannot share %s with the group that worker.yaml names: this account must be "
                              "in it, or root shares it once (docs/AUDIT.md)",
                              path);
        goto out;
    }
    stream = fdopendir(fd);
    for (struct dirent *entry; stream != NULL && (entry = readdir(stream)) != NULL;) {
        const char *end = strrchr(entry->d_name, '.');
        if (end != NULL && strcmp(end, ".pending") == 0)
            share_pending(owners, fd, entry->d_name);
    }
out:
    if (stream != NULL)
        closedir(stream);
    else if (fd >= 0)
        close(fd);
    return code;
}

static enum maille_code unshare_spool(const char *dir, struct maille_error *error)
{
    char path[PATH_MAX];
    struct stat found;
    enum maille_code code = file_path_join(path, sizeof path, dir, "spool", error);
    if (code == MAILLE_OK && stat(path, &found) == 0 && (found.st_mode & S_ISGID) != 0 &&
        (chown(path, (uid_t)-1, getegid()) != 0 || chmod(path, 0700) != 0))
        code = maille_fail_errno(error, "cannot take %s back from its group", path);
    return code;
}

static enum maille_code give_all(const struct owners *owners, const char *dir, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int top = -1;
    if (!owners->own)
        return MAILLE_OK;
    top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0 || fchmod(top, 0711) != 0) {
        code = maille_fail_errno(error, "cannot let the processes of the site pass through %s", dir);
        goto out;
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        int fd = openat(top, folders[i].folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0) {
            code = maille_fail_errno(error, "cannot open %s/%s", dir, folders[i].folder);
            goto out;
        }
        MAILLE_TRY(give(fd, folders[i].folder, owners->uids[folders[i].child], owners->gids[folders[i].child],
                        0, error));
    }
out:
    if (top >= 0)
        close(top);
    return code;
}

enum maille_code owners_give(const struct owners *owners, const char *dir, struct maille_error *error)
{
    const enum maille_code code = give_all(owners, dir, error);
    return code != MAILLE_OK ? code : owners->shares ? share(owners, dir, error) : unshare_spool(dir, error);
}

enum maille_code owners_become(const struct owners *owners, int child, struct maille_error *error)
{
    const uid_t uid = owners->uids[child];
    const gid_t gid = owners->gids[child];
    if (owners->own &&
        (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0))
        return maille_fail_errno(error, "cannot become the user %s", users[child]);
    return MAILLE_OK;
}
