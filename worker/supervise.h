/* The children of a supervisor: started together, ended together. */
#ifndef WORKER_SUPERVISE_H
#define WORKER_SUPERVISE_H

#include <sys/types.h>

#include "crypto/identity.h"
#include "proto/directory.h"
#include "worker/figures.h"
#include "worker/settings.h"
#include "worker/source.h"
#include "wire/way.h"

/* CHILD_SOURCE is there where worker.yaml says source: engine. */
enum { CHILD_DATA, CHILD_STEP, CHILD_VAULT, CHILD_NET, CHILD_SOURCE, CHILDREN };

struct children {
    pid_t pids[CHILDREN]; /* 0: not running */
};

/* What the children are made of. Everything but the keys is public to them. */
struct site_files {
    struct arena *arena;
    const char *dir, *credential, *network_path;
    const char *build;          /* hash of the program, for the log; NULL: unknown. Borrowed */
    struct worker_pages *pages; /* of figures. Borrowed */
    struct wire_way *way;       /* through a proxy; NULL: directly. Borrowed */
    struct site_engine *engine; /* where the rows stay in a database; NULL: in files. Borrowed */
    struct worker_settings settings;
    const char *policy, *network; /* texts */
    size_t policy_length, network_length;
    const struct directory *directory;
};

/* Reads and checks settings, policy and directory of a folder. A newer directory that the vault has left in
 * state/ takes the place of network.yaml here. Free with site_files_clear. */
enum maille_code site_files_read(struct site_files *files, const char *dir, const char *credential,
                                 struct maille_error *error) MAILLE_CHECKED;
void site_files_clear(struct site_files *files);

struct owners;

/* Unlocks the keys, forks the children, and forgets the keys. Each becomes the user that owners says. Signals
 * are blocked in the caller; close_fds (n_close of them) are closed in the children. */
enum maille_code children_start(struct children *children, const struct site_files *files,
                                const struct owners *owners, const int *close_fds, size_t n_close,
                                struct maille_error *error) MAILLE_CHECKED;

/* Ends what still runs: SIGTERM, then after timeout_ms SIGKILL; reaps all. */
void children_stop(struct children *children, int timeout_ms);

/* The name of the child that a pid is, or NULL; it counts as gone from now on. */
const char *children_gone(struct children *children, pid_t pid);

#endif
