#include "cli/sandbox_officer.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/sandbox_process.h"

enum { LOOK_MS = 200, ID_BYTES = 64 /* hexadecimal digits of a query */ };

/* What waits at one site and was not decided yet. */
static void decide(const char *dir, const char *site)
{
    char program[PATH_MAX], folder[PATH_MAX], spool[PATH_MAX], key[PATH_MAX], credential[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/sites/%s", dir, site);
    snprintf(spool, sizeof spool, "%s/spool", folder);
    snprintf(key, sizeof key, "%s/dpo.key", folder);
    snprintf(credential, sizeof credential, "%s/credential", dir);
    sandbox_program_path(program, "maille-worker");
    DIR *entries = opendir(spool);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        char id[ID_BYTES + 1], decision[PATH_MAX];
        const size_t length = strcspn(entry->d_name, ".");
        if (length != ID_BYTES || strcmp(entry->d_name + length, ".pending") != 0)
            continue;
        snprintf(id, sizeof id, "%.*s", ID_BYTES, entry->d_name);
        if (snprintf(decision, sizeof decision, "%s/%s.decision", spool, id) >= (int)sizeof decision ||
            file_exists(decision))
            continue;
        const char *argv[] = {program, "approve",      id,         "--dir", folder, "--key",
                              key,     "--credential", credential, NULL};
        struct maille_error why;
        if (sandbox_program_run(argv, &why) != MAILLE_OK && file_exists(decision))
            fprintf(stderr, "maille sandbox: %s\n", why.sentence);
    }
    if (entries != NULL)
        closedir(entries);
}

enum maille_code sandbox_officer_start(pid_t *officer, const char *dir, const char *const *sites, size_t n,
                                       struct maille_error *error)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    const pid_t parent = getpid();
    fflush(NULL);
    *officer = fork();
    if (*officer < 0)
        return maille_fail_errno(error, "cannot start the sandbox's officers");
    if (*officer > 0)
        return MAILLE_OK;
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(1);
    for (;; nanosleep(&pause, NULL))
        for (size_t s = 0; s < n; s++)
            decide(dir, sites[s]);
}

void sandbox_officer_stop(pid_t officer)
{
    kill(officer, SIGTERM);
    waitpid(officer, NULL, 0);
}
