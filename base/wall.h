/* Walls around a process: what the kernel refuses it for the rest of its life, whoever has taken it over. Two
 * kinds: seccomp (an allow-list of system calls) and Landlock (an allow-list of files and TCP ports; signals
 * and abstract sockets stay among the process's own). Source: seccomp(2), landlock(7). What each profile may
 * do is written in docs/ARCHITECTURE.md, "Walls". */
#ifndef BASE_WALL_H
#define BASE_WALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum wall_profile {
    WALL_STEP,        /* reads and writes the descriptors that it has, and computes: nothing else */
    WALL_METRICS,     /* also: takes connections of a socket that listens already */
    WALL_PAGE,        /* also: threads, pairs of sockets to pass along, reads files that are open */
    WALL_DATA,        /* as WALL_STEP; also: threads, reads files */
    WALL_VAULT,       /* also: writes files */
    WALL_SOURCE,      /* as WALL_STEP; also: reads files, dials out by TCP */
    WALL_NET,         /* threads, dials out by TCP, asks for names by UDP and TCP */
    WALL_SUPERVISOR,  /* all of a worker's, and starts, signals and waits for its children */
    WALL_COORDINATOR, /* threads, writes files, listens by TCP */
    WALL_PROFILES
};

enum wall_access {
    WALL_READ = 1,  /* read a file, or all that is beneath a folder */
    WALL_WRITE = 2, /* write, make, rename and remove as well; folders and regular files alone */
};

struct wall_path {
    const char *path; /* one that is not there is left out */
    unsigned access;
};

enum { WALL_PORT_ANY = -1, WALL_PORT_NONE = 0 };

struct wall {
    enum wall_profile profile;
    const struct wall_path *paths; /* all files that the process may open from now on */
    size_t n_paths;
    int connect_port, listen_port; /* TCP: one port, WALL_PORT_NONE or WALL_PORT_ANY */
    int near_port;                 /* one more to connect to, of this machine; WALL_PORT_NONE: none */
    bool without_landlock;         /* as the operator's setting `walls` has it: see wall_check */
};

/* What this kernel has. */
struct wall_kernel {
    bool seccomp;
    int landlock; /* ABI; 0: none */
};
struct wall_kernel wall_kernel(void);

/* Judges the setting against the kernel. MAILLE_INVALID: no seccomp; no Landlock and not without_landlock. A
 * kernel that has Landlock is used, whatever the setting says. */
enum maille_code wall_check(const struct wall_kernel *kernel, bool without_landlock,
                            struct maille_error *error) MAILLE_CHECKED;

/* "walls: seccomp; Landlock ABI 4: files, TCP ports", and what the setting makes of it, for the log at start.
 * words: WALL_WORDS_BYTES. */
enum { WALL_WORDS_BYTES = 256 };
void wall_words(char *words, const struct wall_kernel *kernel, bool without_landlock);

/* Raises the walls around this process, for good; threads and children that begin later have them too. Before
 * its first thread. Walls of an earlier call stay: each further one only takes away. Errors: as wall_check;
 * MAILLE_IO where the kernel refuses. */
enum maille_code wall_raise(const struct wall *wall, struct maille_error *error) MAILLE_CHECKED;

#endif
