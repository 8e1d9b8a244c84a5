/* The lists that wall.h promises. A call that is on no list answers EPERM, so that a library that asks for
 * more than it needs goes on; what only somebody who has taken a process over asks for ends the process
 * (SIGSYS). */
#include "base/wall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A sanitizer's own calls, in builds that nobody ships: its leak check is a child that stops this process
 * with ptrace and reads /proc/self. */
#ifdef MAILLE_SANITIZED
#define WALL_SANITIZED 1
#else
#define WALL_SANITIZED 0
#endif

/* --- seccomp --- */

enum {
    STEP = 1 << WALL_STEP,
    METRICS = 1 << WALL_METRICS,
    DATA = 1 << WALL_DATA,
    VAULT = 1 << WALL_VAULT,
    SOURCE = 1 << WALL_SOURCE,
    NET = 1 << WALL_NET,
    HUB = 1 << WALL_COORDINATOR,
    TOP = 1 << WALL_SUPERVISOR, /* may all that its children may: they inherit its walls */
    PAGE = 1 << WALL_PAGE,
    FILES = DATA | SOURCE | VAULT | NET | HUB | TOP,
    WRITES = VAULT | HUB | TOP,
    WEB = NET | HUB | TOP,
    THREADS = DATA | NET | HUB | TOP,
    ALL = STEP | METRICS | PAGE | FILES
};

/* What an argument must be. */
enum check {
    ANY,
    NOT_EXECUTABLE, /* mmap, mprotect: no memory from which code runs */
    READ_ONLY,      /* openat: nothing is made, nothing written */
    A_THREAD,       /* clone: a thread, and no process */
    OWN_PROCESS,    /* tgkill, kill: the first argument is this process */
    INTERNET,       /* socket: IPv4 or IPv6 */
    OF_A_PROCESS,   /* prctl: names, what a child of its own needs */
    NOT_TERMINAL,   /* ioctl: how many bytes wait */
    OWN_LIMITS,     /* prlimit: of this process */
    OWN_PRIORITY,   /* setpriority: of this process */
    OWN_SCHEDULE,   /* sched_setscheduler: to the policy that this process has */
    NO_SIGNAL       /* fcntl: flags, copies and locks, not whom a signal goes to when there is news */
};

static const struct call {
    int number;
    unsigned profiles;
    enum check check;
} calls[] = {
    /* Computing, and descriptors that are open. */
    {SCMP_SYS(read), ALL, ANY},
    {SCMP_SYS(write), ALL, ANY},
    {SCMP_SYS(readv), ALL, ANY},
    {SCMP_SYS(writev), ALL, ANY},
    {SCMP_SYS(recvfrom), ALL, ANY},
    {SCMP_SYS(sendto), ALL, ANY},
    {SCMP_SYS(poll), ALL, ANY},
    {SCMP_SYS(ppoll), ALL, ANY},
    {SCMP_SYS(close), ALL, ANY},
    {SCMP_SYS(brk), ALL, ANY},
    {SCMP_SYS(mmap), ALL, NOT_EXECUTABLE},
    {SCMP_SYS(mprotect), ALL, NOT_EXECUTABLE},
    {SCMP_SYS(munmap), ALL, ANY},
    {SCMP_SYS(mremap), ALL, ANY},
    {SCMP_SYS(madvise), ALL, ANY},
    {SCMP_SYS(mlock), ALL, ANY},
    {SCMP_SYS(munlock), ALL, ANY},
    {SCMP_SYS(futex), ALL, ANY},
    {SCMP_SYS(sched_yield), ALL, ANY},
    {SCMP_SYS(exit), ALL, ANY},
    {SCMP_SYS(exit_group), ALL, ANY},
    {SCMP_SYS(restart_syscall), ALL, ANY},
    {SCMP_SYS(rt_sigreturn), ALL, ANY},
    {SCMP_SYS(rt_sigaction), ALL, ANY},
    {SCMP_SYS(rt_sigprocmask), ALL, ANY},
    {SCMP_SYS(sigaltstack), ALL, ANY},
    {SCMP_SYS(tgkill), ALL & ~TOP, OWN_PROCESS},
    {SCMP_SYS(tgkill), TOP, ANY},
    {SCMP_SYS(getpid), ALL, ANY},
    {SCMP_SYS(gettid), ALL, ANY},
    {SCMP_SYS(getppid), ALL, ANY},
    {SCMP_SYS(clock_gettime), ALL, ANY},
    {SCMP_SYS(clock_getres), ALL, ANY},
    {SCMP_SYS(clock_nanosleep), ALL, ANY},
    {SCMP_SYS(nanosleep), ALL, ANY},
    {SCMP_SYS(gettimeofday), ALL, ANY},
    {SCMP_SYS(time), ALL, ANY},
    {SCMP_SYS(getrandom), ALL, ANY},
    {SCMP_SYS(getrusage), ALL, ANY},
    /* Threads. */
    {SCMP_SYS(clone), THREADS & ~TOP, A_THREAD},
    {SCMP_SYS(clone), PAGE, A_THREAD},
    {SCMP_SYS(clone), TOP, ANY},
    {SCMP_SYS(set_robust_list), FILES | PAGE, ANY},
    {SCMP_SYS(rseq), FILES | PAGE, ANY},
    {SCMP_SYS(sched_getaffinity), FILES | PAGE, ANY},
    {SCMP_SYS(sched_getscheduler), WEB, ANY}, /* libzmq asks how its threads are run */
    {SCMP_SYS(sched_getparam), WEB, ANY},
    {SCMP_SYS(sched_setscheduler), WEB, OWN_SCHEDULE}, /* and sets it to what it was */
    {SCMP_SYS(setpriority), WEB, OWN_PRIORITY},
    {SCMP_SYS(prctl), FILES | PAGE, OF_A_PROCESS},
    /* Files: which, Landlock says. */
    {SCMP_SYS(openat), FILES & ~WRITES, READ_ONLY},
    {SCMP_SYS(open), FILES & ~WRITES, READ_ONLY},
    {SCMP_SYS(openat), WRITES, ANY},
    {SCMP_SYS(open), WRITES, ANY},
    {SCMP_SYS(fstat), FILES | PAGE, ANY},
    {SCMP_SYS(stat), FILES, ANY},
    {SCMP_SYS(lstat), FILES, ANY},
    {SCMP_SYS(newfstatat), FILES | PAGE, ANY},
    {SCMP_SYS(statx), FILES, ANY},
    {SCMP_SYS(statfs), FILES, ANY},
    {SCMP_SYS(fstatfs), FILES, ANY},
    {SCMP_SYS(access), FILES, ANY},
    {SCMP_SYS(faccessat), FILES, ANY},
    {SCMP_SYS(faccessat2), FILES, ANY},
    {SCMP_SYS(readlink), FILES, ANY},
    {SCMP_SYS(readlinkat), FILES, ANY},
    {SCMP_SYS(getdents64), FILES, ANY},
    {SCMP_SYS(getcwd), FILES, ANY},
    {SCMP_SYS(lseek), FILES, ANY},
    {SCMP_SYS(pread64), FILES | PAGE, ANY},
    {SCMP_SYS(preadv), FILES, ANY},
    {SCMP_SYS(fadvise64), FILES, ANY},
    {SCMP_SYS(fcntl), FILES | PAGE, NO_SIGNAL},
    {SCMP_SYS(flock), FILES, ANY},
    {SCMP_SYS(dup), FILES, ANY},
    {SCMP_SYS(ioctl), FILES, NOT_TERMINAL},
    {SCMP_SYS(uname), FILES, ANY},
    {SCMP_SYS(sysinfo), FILES, ANY},
    {SCMP_SYS(prlimit64), FILES | PAGE, OWN_LIMITS},
    {SCMP_SYS(getrlimit), FILES, ANY},
    {SCMP_SYS(setrlimit), FILES, ANY},
    {SCMP_SYS(getuid), FILES, ANY},
    {SCMP_SYS(geteuid), FILES, ANY},
    {SCMP_SYS(getgid), FILES, ANY},
    {SCMP_SYS(getegid), FILES, ANY},
    {SCMP_SYS(pwrite64), WRITES, ANY},
    {SCMP_SYS(pwritev), WRITES, ANY},
    {SCMP_SYS(mkdir), WRITES, ANY},
    {SCMP_SYS(mkdirat), WRITES, ANY},
    {SCMP_SYS(rmdir), WRITES, ANY},
    {SCMP_SYS(unlink), WRITES, ANY},
    {SCMP_SYS(unlinkat), WRITES, ANY},
    {SCMP_SYS(rename), WRITES, ANY},
    {SCMP_SYS(renameat), WRITES, ANY},
    {SCMP_SYS(renameat2), WRITES, ANY},
    {SCMP_SYS(fsync), WRITES, ANY},
    {SCMP_SYS(fdatasync), WRITES, ANY},
    {SCMP_SYS(ftruncate), WRITES, ANY},
    {SCMP_SYS(fallocate), WRITES, ANY},
    {SCMP_SYS(fchmod), WRITES, ANY},
    {SCMP_SYS(fchmodat), WRITES, ANY},
    {SCMP_SYS(chmod), WRITES, ANY},
    {SCMP_SYS(umask), WRITES, ANY},
    {SCMP_SYS(utimensat), WRITES, ANY},
    {SCMP_SYS(msync), WRITES, ANY},
    /* Sockets. */
    {SCMP_SYS(socket), NET | SOURCE | TOP, INTERNET},
    {SCMP_SYS(socket), HUB, INTERNET},
    {SCMP_SYS(connect), NET | SOURCE | TOP, ANY},
    {SCMP_SYS(sendmsg), SOURCE | WEB | PAGE, ANY},
    {SCMP_SYS(sendmmsg), NET | TOP, ANY},
    {SCMP_SYS(recvmsg), SOURCE | WEB | PAGE, ANY},
    {SCMP_SYS(setsockopt), SOURCE | WEB | PAGE, ANY},
    {SCMP_SYS(getsockopt), SOURCE | WEB | PAGE, ANY},
    {SCMP_SYS(getsockname), SOURCE | WEB | PAGE, ANY},
    {SCMP_SYS(getpeername), SOURCE | WEB | PAGE, ANY},
    {SCMP_SYS(shutdown), SOURCE | WEB | METRICS | PAGE, ANY},
    {SCMP_SYS(bind), HUB, ANY},
    {SCMP_SYS(listen), HUB, ANY},
    {SCMP_SYS(accept), HUB | PAGE, ANY},
    {SCMP_SYS(accept4), HUB | METRICS | NET | TOP | PAGE, ANY}, /* of what listened before the walls */
    {SCMP_SYS(epoll_create1), WEB | PAGE, ANY},
    {SCMP_SYS(epoll_create), WEB, ANY},
    {SCMP_SYS(epoll_ctl), WEB | PAGE, ANY},
    {SCMP_SYS(epoll_wait), WEB | PAGE, ANY},
    {SCMP_SYS(epoll_pwait), WEB | PAGE, ANY},
    {SCMP_SYS(eventfd2), WEB | PAGE, ANY},
    {SCMP_SYS(signalfd4), HUB | TOP, ANY},
    /* The supervisor's own. */
    {SCMP_SYS(kill), TOP, ANY}, /* whom: Landlock says, from ABI 6 on */
    {SCMP_SYS(wait4), TOP, ANY},
    {SCMP_SYS(socketpair), TOP | PAGE, ANY},
    {SCMP_SYS(inotify_init1), TOP, ANY},
    {SCMP_SYS(inotify_add_watch), TOP, ANY},
    {SCMP_SYS(setuid), TOP, ANY},
    {SCMP_SYS(setgid), TOP, ANY},
    {SCMP_SYS(setresuid), TOP, ANY},
    {SCMP_SYS(capget), TOP, ANY}, /* its children give up theirs behind its walls */
    {SCMP_SYS(capset), TOP, ANY},
    {SCMP_SYS(setresgid), TOP, ANY},
    {SCMP_SYS(setgroups), TOP, ANY},
    {SCMP_SYS(fchown), TOP, ANY},
    {SCMP_SYS(fchownat), TOP, ANY},
    {SCMP_SYS(seccomp), TOP, ANY}, /* a child's walls */
    {SCMP_SYS(landlock_create_ruleset), TOP, ANY},
    {SCMP_SYS(landlock_add_rule), TOP, ANY},
    {SCMP_SYS(landlock_restrict_self), TOP, ANY},
};

/* What ends the process. */
static const int deadly[] = {SCMP_SYS(execve),           SCMP_SYS(execveat),          SCMP_SYS(ptrace),
                             SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(bpf),
                             SCMP_SYS(userfaultfd),      SCMP_SYS(perf_event_open),   SCMP_SYS(keyctl)};
/* Where glibc falls back to an older call when the kernel has no such one: its clone3 to clone, whose flags
 * can be read here. */
static const int unknown[] = {SCMP_SYS(clone3), SCMP_SYS(openat2), SCMP_SYS(epoll_pwait2)};
/* A sanitizer's. */
static const int sanitizer[] = {SCMP_SYS(ptrace),   SCMP_SYS(clone),       SCMP_SYS(wait4),
                                SCMP_SYS(prctl),    SCMP_SYS(openat),      SCMP_SYS(open),
                                SCMP_SYS(tgkill),   SCMP_SYS(getdents64),  SCMP_SYS(sched_getaffinity),
                                SCMP_SYS(fstat),    SCMP_SYS(newfstatat),  SCMP_SYS(readlink),
                                SCMP_SYS(lseek),    SCMP_SYS(prlimit64),   SCMP_SYS(pipe2),
                                SCMP_SYS(getuid),   SCMP_SYS(geteuid),     SCMP_SYS(getgid),
                                SCMP_SYS(getegid),  SCMP_SYS(ioctl),       SCMP_SYS(personality),
                                SCMP_SYS(getdents), SCMP_SYS(sched_yield), SCMP_SYS(arch_prctl),
                                SCMP_SYS(pipe),     SCMP_SYS(dup2),        SCMP_SYS(kill)};

/* The leak check runs where a program leaves main; a worker's children leave otherwise (_exit). */
static bool is_sanitizer(int number, unsigned profile)
{
    for (size_t i = 0;
         WALL_SANITIZED && (profile & (HUB | TOP)) != 0 && i < sizeof sanitizer / sizeof *sanitizer; i++)
        if (sanitizer[i] == number)
            return true;
    return false;
}

/* The rules of one row: 0, or a negative errno. */
static int allow(scmp_filter_ctx filter, const struct call *call)
{
    static const int families[] = {AF_INET, AF_INET6};
    /* Names, the end of the parent, and what wall_check asks in a child of a supervisor with walls. */
    static const int options[] = {PR_SET_NAME,     PR_GET_NAME, PR_SET_PDEATHSIG,
                                  PR_GET_DUMPABLE, PR_SET_VMA,  PR_GET_SECCOMP};
    static const int commands[] = {F_DUPFD,  F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,
                                   F_GETFL,  F_SETFL,         F_GETLK,     F_SETLK,
                                   F_SETLKW, F_OFD_GETLK,     F_OFD_SETLK, F_OFD_SETLKW};
    int status = 0;
    switch (call->check) {
    case ANY:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 0);
    case NOT_EXECUTABLE:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    case READ_ONLY: {
        const scmp_datum_t written = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
        return call->number == SCMP_SYS(openat) ? seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
                                                                   SCMP_A2(SCMP_CMP_MASKED_EQ, written, 0))
                                                : seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
                                                                   SCMP_A1(SCMP_CMP_MASKED_EQ, written, 0));
    }
    case A_THREAD:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
                                SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    case OWN_PROCESS:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
                                SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    case INTERNET:
        for (size_t i = 0; status == 0 && i < sizeof families / sizeof *families; i++)
            status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
                                      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
        if (status == 0 && (call->profiles & HUB) != 0) /* libzmq asks for the interfaces before it binds */
            status =
                seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 2, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0),
                                 SCMP_A2(SCMP_CMP_EQ, NETLINK_ROUTE, 0));
        return status;
    case OF_A_PROCESS:
        for (size_t i = 0; status == 0 && i < sizeof options / sizeof *options; i++)
            status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
                                      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)options[i], 0));
        if (status == 0)
            status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 2,
                                      SCMP_A0(SCMP_CMP_EQ, PR_SET_DUMPABLE, 0), SCMP_A1(SCMP_CMP_EQ, 0, 0));
        if (status == 0)
            status =
                seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 2,
                                 SCMP_A0(SCMP_CMP_EQ, PR_SET_NO_NEW_PRIVS, 0), SCMP_A1(SCMP_CMP_EQ, 1, 0));
        return status;
    case NOT_TERMINAL:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1, SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0));
    case OWN_LIMITS:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1, SCMP_A0(SCMP_CMP_EQ, 0, 0));
    case OWN_PRIORITY:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1, SCMP_A1(SCMP_CMP_EQ, 0, 0));
    case OWN_SCHEDULE:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
                                SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)sched_getscheduler(0), 0));
    case NO_SIGNAL:
        for (size_t i = 0; status == 0 && i < sizeof commands / sizeof *commands; i++)
            status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->number, 1,
                                      SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i], 0));
        return status;
    }
    return -EINVAL;
}

static int filter_fill(scmp_filter_ctx filter, enum wall_profile profile)
{
    const unsigned bit = 1u << profile;
    int status = 0;
    for (size_t i = 0; status == 0 && i < sizeof calls / sizeof *calls; i++)
        if ((calls[i].profiles & bit) != 0 && !is_sanitizer(calls[i].number, bit))
            status = allow(filter, &calls[i]);
    for (size_t i = 0; status == 0 && i < sizeof deadly / sizeof *deadly; i++)
        if (!is_sanitizer(deadly[i], bit))
            status = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
    for (size_t i = 0; status == 0 && i < sizeof unknown / sizeof *unknown; i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), unknown[i], 0);
    for (size_t i = 0; status == 0 && i < sizeof sanitizer / sizeof *sanitizer; i++)
        if (is_sanitizer(sanitizer[i], bit))
            status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, sanitizer[i], 0);
    return status;
}

static enum maille_code raise_seccomp(enum wall_profile profile, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int status = filter == NULL ? -ENOMEM : filter_fill(filter, profile);
    if (status == 0)
        status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree: some ns a call */
    if (status == 0)
        status = seccomp_load(filter);
#ifdef MAILLE_VALGRIND
    status = status == -EINVAL ? 0 : status;
#endif
    if (status != 0) {
        errno = -status;
        code = maille_fail_errno(error, "cannot raise the wall of system calls (seccomp)");
    }
    seccomp_release(filter);
    return code;
}

/* --- Landlock --- */

/* As the kernel has them in ABI 6; the headers of Debian 12 end at ABI 2. */
struct ruleset {
    uint64_t files, net, scoped;
};
struct net_rule {
    uint64_t access, port;
};
enum { RULE_NET_PORT = 2, ABI_TRUNCATE = 3, ABI_NET = 4, ABI_IOCTL = 5, ABI_SCOPE = 6 };
static const uint64_t fs_all = ((uint64_t)1 << 13) - 1, fs_refer = (uint64_t)1 << 13,
                      fs_truncate = (uint64_t)1 << 14, fs_ioctl = (uint64_t)1 << 15, net_listen = 1,
                      net_connect = 2, scope_all = 3;

struct wall_kernel wall_kernel(void)
{
    struct wall_kernel kernel = {.seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0};
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
    kernel.landlock = abi > 0 ? (int)abi : 0;
    return kernel;
}

enum maille_code wall_check(const struct wall_kernel *kernel, bool without_landlock,
                            struct maille_error *error)
{
    if (!kernel->seccomp)
        return maille_fail(error, MAILLE_INVALID,
                           "expected a kernel with seccomp, found none; this program does not run without");
    if (kernel->landlock == 0 && !without_landlock)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected a kernel with Landlock (Linux 5.13 or later, \"landlock\" in the boot argument lsm=, "
            "and a container's profile that lets it pass), found none; mend that, or write \"walls: "
            "without-landlock\" into the settings and go on with one wall less");
    return MAILLE_OK;
}

void wall_words(char *words, const struct wall_kernel *kernel, bool without_landlock)
{
    if (kernel->landlock == 0)
        snprintf(words, WALL_WORDS_BYTES, "walls: seccomp; without Landlock, as the setting \"walls\" says");
    else
        snprintf(words, WALL_WORDS_BYTES, "walls: seccomp; Landlock ABI %d: files%s%s%s", kernel->landlock,
                 kernel->landlock >= ABI_NET ? ", TCP ports" : "",
                 kernel->landlock >= ABI_SCOPE ? ", signals" : "",
                 without_landlock
                     ? " (\"walls: without-landlock\" is set, and this kernel has it: it is used)"
                     : "");
}

static uint64_t fs_of(int abi, unsigned access, bool folder)
{
    uint64_t bits = 0;
    if ((access & WALL_READ) != 0)
        bits |= LANDLOCK_ACCESS_FS_READ_FILE | (folder ? LANDLOCK_ACCESS_FS_READ_DIR : 0);
    if ((access & WALL_WRITE) != 0)
        bits |= LANDLOCK_ACCESS_FS_WRITE_FILE | (abi >= ABI_TRUNCATE ? fs_truncate : 0) |
                (folder ? LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                              LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                              (abi >= 2 ? fs_refer : 0)
                        : 0);
    return bits;
}

static enum maille_code allow_path(int ruleset, int abi, const struct wall_path *path,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct stat found;
    int fd = open(path->path, O_PATH | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
        return MAILLE_OK;
    if (fd < 0 || fstat(fd, &found) != 0) {
        code = maille_fail_errno(error, "cannot let this process through to %s", path->path);
        goto out;
    }
    const struct landlock_path_beneath_attr rule = {
        .allowed_access = fs_of(abi, path->access, S_ISDIR(found.st_mode)), .parent_fd = fd};
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        code = maille_fail_errno(error, "cannot let this process through to %s", path->path);
out:
    if (fd >= 0)
        close(fd);
    return code;
}

static enum maille_code allow_port(int ruleset, uint64_t access, int port, struct maille_error *error)
{
    const struct net_rule rule = {access, (uint64_t)port};
    if (port <= 0 || syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) == 0)
        return MAILLE_OK;
    return maille_fail_errno(error, "cannot let this process through to the port %d", port);
}

static enum maille_code raise_landlock(const struct wall *wall, int abi, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct ruleset all = {.files = fs_all | (abi >= 2 ? fs_refer : 0) |
                                         (abi >= ABI_TRUNCATE ? fs_truncate : 0) |
                                         (abi >= ABI_IOCTL ? fs_ioctl : 0),
                                .net = (wall->connect_port != WALL_PORT_ANY ? net_connect : 0) |
                                       (wall->listen_port != WALL_PORT_ANY ? net_listen : 0),
                                .scoped = scope_all};
    const size_t size = abi >= ABI_SCOPE ? sizeof all
                        : abi >= ABI_NET ? 2 * sizeof all.net
                                         : sizeof all.files;
    const struct wall_path proc = {"/proc", WALL_READ};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
    if (ruleset < 0)
        return maille_fail_errno(error, "cannot raise the wall of files (Landlock)");
    for (size_t i = 0; i < wall->n_paths; i++)
        MAILLE_TRY(allow_path(ruleset, abi, &wall->paths[i], error));
    if (WALL_SANITIZED)
        MAILLE_TRY(allow_path(ruleset, abi, &proc, error));
    if (abi >= ABI_NET) {
        MAILLE_TRY(allow_port(ruleset, net_connect, wall->connect_port, error));
        MAILLE_TRY(allow_port(ruleset, net_connect, wall->near_port, error));
        MAILLE_TRY(allow_port(ruleset, net_listen, wall->listen_port, error));
    }
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        code = maille_fail_errno(error, "cannot raise the wall of files (Landlock)");
out:
    close(ruleset);
    return code;
}

/* --- what root may --- */

/* A program that root started keeps what opens files of others (a folder that another user brought along),
 * what locks memory and, where it listens, what a low port needs. All else goes: raw sockets, other
 * processes, owners, clocks, mounts. */
static uint64_t kept_capabilities(enum wall_profile profile)
{
    const uint64_t one = 1, reads = one << CAP_DAC_READ_SEARCH, locks = one << CAP_IPC_LOCK,
                   files = reads | one << CAP_DAC_OVERRIDE;
    switch (profile) {
    case WALL_DATA:
    case WALL_SOURCE:
    case WALL_NET:
        return reads | locks;
    case WALL_VAULT:
        return files | locks;
    case WALL_COORDINATOR:
        return files | locks | one << CAP_NET_BIND_SERVICE;
    case WALL_SUPERVISOR:
        return UINT64_MAX; /* it makes its children other users */
    default:
        return 0;
    }
}

static enum maille_code drop_capabilities(enum wall_profile profile, struct maille_error *error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct have[2] = {{0}};
    const uint64_t kept = kept_capabilities(profile);
    if (syscall(SYS_capget, &header, have) != 0)
        return maille_fail_errno(error, "cannot read what this process may do");
    for (unsigned half = 0; half < 2; half++) {
        const uint32_t mask = (uint32_t)(kept >> 32 * half);
        have[half].effective &= mask;
        have[half].permitted &= mask;
        have[half].inheritable &= mask;
    }
    if (syscall(SYS_capset, &header, have) != 0)
        return maille_fail_errno(error, "cannot give up what root may do");
    return MAILLE_OK;
}

enum maille_code wall_raise(const struct wall *wall, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct wall_kernel kernel = wall_kernel();
    MAILLE_TRY(wall_check(&kernel, wall->without_landlock, error));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        code = maille_fail_errno(error, "cannot give up new privileges");
        goto out;
    }
    MAILLE_TRY(drop_capabilities(wall->profile, error));
    if (kernel.landlock > 0)
        MAILLE_TRY(raise_landlock(wall, kernel.landlock, error));
    MAILLE_TRY(raise_seccomp(wall->profile, error));
out:
    return code;
}
