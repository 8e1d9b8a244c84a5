/* What a process that was taken over tries, for the tests of walls: base/wall_test.c, worker/walls_test.c. */
#ifndef BASE_WALL_TESTING_H
#define BASE_WALL_TESTING_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"

/* 0 when it got what it wanted, else errno. */
typedef int attempt(const void *with);

static inline int try_open(const void *with)
{
    int fd = open(with, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? errno : 0;
}

static inline int try_write(const void *with)
{
    int fd = open(with, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? errno : 0;
}

static inline int try_socket(const void *with)
{
    return socket(*(const int *)with, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static inline int try_exec(const void *with)
{
    (void)with;
    execl("/bin/true", "true", (char *)NULL);
    return errno;
}

static inline int try_fork(const void *with)
{
    (void)with;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : 0;
}

static inline int try_schedule(const void *with)
{
    const struct sched_param none = {0};
    return sched_setscheduler(*(const pid_t *)with, SCHED_IDLE, &none) != 0 ? errno : 0;
}

static inline int try_ptrace(const void *with)
{
    return ptrace(PTRACE_ATTACH, *(const pid_t *)with, NULL, NULL) != 0 ? errno : 0;
}

static inline int try_read_memory(const void *with)
{
    char here[8];
    struct iovec local = {here, sizeof here}, remote = {here, sizeof here};
    return process_vm_readv(*(const pid_t *)with, &local, 1, &remote, 1, 0) < 0 ? errno : 0;
}

static inline int try_signal(const void *with)
{
    return kill(*(const pid_t *)with, SIGCONT) != 0 ? errno : 0;
}

/* The ways around kill(): a limit whose breach is a signal, and a descriptor whose news is one. */
static inline int try_limit(const void *with)
{
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    return prlimit(*(const pid_t *)with, RLIMIT_CPU, &none, NULL) != 0 ? errno : 0;
}

static inline int try_news(const void *with)
{
    return fcntl(STDERR_FILENO, F_SETOWN, *(const pid_t *)with) != 0 ? errno : 0;
}

static inline int try_priority(const void *with)
{
    return setpriority(PRIO_PROCESS, (id_t) * (const pid_t *)with, 1) != 0 ? errno : 0;
}

static inline int try_code(const void *with)
{
    (void)with;
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno
                                                                                                     : 0;
}

static inline void *nothing(void *with)
{
    return with;
}

static inline int try_thread(const void *with)
{
    pthread_t thread;
    (void)with;
    int status = pthread_create(&thread, NULL, nothing, NULL);
    return status != 0 ? status : pthread_join(thread, NULL);
}

static inline int try_connect(const void *with)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) * (const int *)with)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ? errno : 0;
}

static inline int try_listen(const void *with)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t) * (const int *)with)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1) != 0 ? errno : 0;
}

enum { KILLED = 1000, NO_WALL = 1001 };

static inline bool stopped(int found)
{
    return found == EPERM || found == EACCES || found == KILLED;
}

/* A port on which somebody listens, and the socket. */
static inline int listener(int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t length = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

/* What an attempt behind walls gave: raise returns false when it could not raise them. Its errno, KILLED, or
 * NO_WALL. */
static inline int behind_walls(bool (*raise)(const void *walls), const void *walls, attempt *what,
                               const void *with)
{
    int ends[2], found = KILLED, status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int said = raise(walls) ? what(with) : NO_WALL;
        _exit(write(ends[1], &said, sizeof said) == sizeof said ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &found, sizeof found) != sizeof found)
        found = KILLED;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (found == KILLED)
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    return found;
}

#endif
