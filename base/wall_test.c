#include "base/wall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/test.h"

/* What a process that was taken over tries: 0 when it got what it wanted, else errno. */
typedef int attempt(const void *with);

static int try_open(const void *with)
{
    int fd = open(with, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? errno : 0;
}

static int try_write(const void *with)
{
    int fd = open(with, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? errno : 0;
}

static int try_socket(const void *with)
{
    return socket(*(const int *)with, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int try_exec(const void *with)
{
    (void)with;
    execl("/bin/true", "true", (char *)NULL);
    return errno;
}

static int try_fork(const void *with)
{
    (void)with;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : 0;
}

static int try_ptrace(const void *with)
{
    return ptrace(PTRACE_ATTACH, *(const pid_t *)with, NULL, NULL) != 0 ? errno : 0;
}

static int try_read_memory(const void *with)
{
    char here[8];
    struct iovec local = {here, sizeof here}, remote = {here, sizeof here};
    return process_vm_readv(*(const pid_t *)with, &local, 1, &remote, 1, 0) < 0 ? errno : 0;
}

static int try_signal(const void *with)
{
    return kill(*(const pid_t *)with, SIGCONT) != 0 ? errno : 0;
}

static int try_code(const void *with)
{
    (void)with;
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno
                                                                                                     : 0;
}

static void *nothing(void *with)
{
    return with;
}

static int try_thread(const void *with)
{
    pthread_t thread;
    (void)with;
    int status = pthread_create(&thread, NULL, nothing, NULL);
    return status != 0 ? status : pthread_join(thread, NULL);
}

static int try_connect(const void *with)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) * (const int *)with)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ? errno : 0;
}

static int try_listen(const void *with)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t) * (const int *)with)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1) != 0 ? errno : 0;
}

/* Computes, takes memory, reads what it was given and answers: what a step child does. */
static int try_work(const void *with)
{
    char byte = 0;
    double *much = malloc((size_t)64 << 20);
    if (much == NULL || read(*(const int *)with, &byte, 1) != 1 || byte != 'x')
        return EIO;
    for (size_t i = 0; i < (size_t)8 << 20; i += 512)
        much[i] = exp((double)i / 1e7);
    int status = much[512] > 1 ? 0 : EDOM;
    free(much);
    return status;
}

enum { KILLED = 1000, NO_WALL = 1001 };

/* The attempt behind these walls: its errno, KILLED, or NO_WALL when they could not be raised. */
static int behind(const struct wall *wall, attempt *what, const void *with)
{
    int ends[2], found = KILLED, status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct maille_error error = {0};
        int said = wall_raise(wall, &error) != MAILLE_OK ? NO_WALL : what(with);
        if (said == NO_WALL)
            fprintf(stderr, "%s\n", error.sentence);
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

static bool stopped(int found)
{
    return found == EPERM || found == EACCES || found == KILLED;
}

struct here {
    char secret[256], folder[256], beside[280], inside[280];
    pid_t sibling;
};

static void here_make(struct here *here)
{
    struct maille_error error;
    const char *tmp = getenv("MAILLE_TEST_TMP");
    assert_non_null(tmp);
    snprintf(here->folder, sizeof here->folder, "%s/own", tmp);
    snprintf(here->secret, sizeof here->secret, "%s/site.key", tmp);
    snprintf(here->beside, sizeof here->beside, "%s/new", tmp);
    snprintf(here->inside, sizeof here->inside, "%s/file", here->folder);
    assert_int_equal(file_folder_make(here->folder, 0700, &error), MAILLE_OK);
    assert_int_equal(file_write_atomic(here->secret, "key", 3, 0600, &error), MAILLE_OK);
    assert_int_equal(file_write_atomic(here->inside, "own", 3, 0600, &error), MAILLE_OK);
    here->sibling = fork();
    if (here->sibling == 0)
        for (;;)
            pause();
    assert_true(here->sibling > 0);
}

static void here_end(struct here *here)
{
    kill(here->sibling, SIGKILL);
    waitpid(here->sibling, NULL, 0);
}

/* What no process of maille may do, whoever it is. */
static void refused_to_all(const struct wall *wall, const struct here *here)
{
    static const int raw = AF_PACKET, local = AF_UNIX;
    assert_true(stopped(behind(wall, try_open, here->secret)));
    assert_true(stopped(behind(wall, try_write, here->beside)));
    assert_true(stopped(behind(wall, try_socket, &raw)));
    assert_true(stopped(behind(wall, try_socket, &local)));
    assert_int_equal(behind(wall, try_exec, NULL), KILLED);
    assert_true(stopped(behind(wall, try_ptrace, &here->sibling)));
    assert_int_equal(behind(wall, try_read_memory, &here->sibling), KILLED);
    assert_true(stopped(behind(wall, try_signal, &here->sibling)));
    assert_true(stopped(behind(wall, try_code, NULL)));
}

static void a_step_computes_and_nothing_else(void **state)
{
    static const int internet = AF_INET;
    struct here here;
    int ends[2];
    const struct wall wall = {.profile = WALL_STEP};
    (void)state;
    here_make(&here);
    refused_to_all(&wall, &here);
    assert_true(stopped(behind(&wall, try_open, here.inside)));
    assert_true(stopped(behind(&wall, try_socket, &internet)));
    assert_true(stopped(behind(&wall, try_fork, NULL)));
    assert_true(stopped(behind(&wall, try_thread, NULL)));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(behind(&wall, try_work, &ends[0]), 0);
    close(ends[0]);
    close(ends[1]);
    here_end(&here);
}

static void data_reads_its_folder(void **state)
{
    static const int internet = AF_INET;
    struct here here;
    here_make(&here);
    const struct wall_path paths[] = {{here.folder, WALL_READ}};
    const struct wall wall = {.profile = WALL_DATA, .paths = paths, .n_paths = 1};
    (void)state;
    refused_to_all(&wall, &here);
    assert_true(stopped(behind(&wall, try_write, here.inside)));
    assert_true(stopped(behind(&wall, try_socket, &internet)));
    assert_true(stopped(behind(&wall, try_fork, NULL)));
    assert_int_equal(behind(&wall, try_open, here.inside), 0);
    assert_int_equal(behind(&wall, try_thread, NULL), 0);
    here_end(&here);
}

static void vault_writes_its_folder(void **state)
{
    static const int internet = AF_INET;
    struct here here;
    here_make(&here);
    const struct wall_path paths[] = {{here.folder, WALL_READ | WALL_WRITE}};
    const struct wall wall = {.profile = WALL_VAULT, .paths = paths, .n_paths = 1};
    (void)state;
    refused_to_all(&wall, &here);
    assert_true(stopped(behind(&wall, try_socket, &internet)));
    assert_true(stopped(behind(&wall, try_fork, NULL)));
    assert_int_equal(behind(&wall, try_write, here.inside), 0);
    here_end(&here);
}

/* A port on which somebody listens, and the socket. */
static int listener(int *port)
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

static void net_dials_one_port(void **state)
{
    struct here here;
    int port, other;
    here_make(&here);
    int one = listener(&port), two = listener(&other);
    const struct wall wall = {.profile = WALL_NET, .connect_port = port};
    (void)state;
    refused_to_all(&wall, &here);
    assert_true(stopped(behind(&wall, try_open, here.inside)));
    assert_true(stopped(behind(&wall, try_fork, NULL)));
    assert_true(stopped(behind(&wall, try_listen, &port)));
    assert_int_equal(behind(&wall, try_connect, &port), 0);
    assert_int_equal(behind(&wall, try_thread, NULL), 0);
    if (wall_kernel().landlock >= 4)
        assert_true(stopped(behind(&wall, try_connect, &other)));
    close(one);
    close(two);
    here_end(&here);
}

static void the_coordinator_listens_on_one_port(void **state)
{
    struct here here;
    int port, other;
    here_make(&here);
    int one = listener(&port);
    close(one);
    one = listener(&other);
    const struct wall_path paths[] = {{here.folder, WALL_READ | WALL_WRITE}};
    const struct wall wall = {.profile = WALL_COORDINATOR, .paths = paths, .n_paths = 1, .listen_port = port};
    (void)state;
    refused_to_all(&wall, &here);
    assert_true(stopped(behind(&wall, try_connect, &other)));
#ifndef __SANITIZE_ADDRESS__ /* whose leak check is a child */
    assert_true(stopped(behind(&wall, try_fork, NULL)));
#endif
    assert_int_equal(behind(&wall, try_write, here.inside), 0);
    assert_int_equal(behind(&wall, try_listen, &port), 0);
    if (wall_kernel().landlock >= 4) {
        close(one);
        assert_true(stopped(behind(&wall, try_listen, &other)));
        one = -1;
    }
    if (one >= 0)
        close(one);
    here_end(&here);
}

/* The setting speaks of kernels that lack Landlock, and of no other. */
static void the_setting_turns_nothing_off(void **state)
{
    const struct wall_kernel both = {true, 4}, one = {true, 0}, none = {false, 0}, here_is = wall_kernel();
    const struct wall wall = {.profile = WALL_VAULT, .without_landlock = true};
    struct maille_error error = {0};
    struct here here;
    char words[WALL_WORDS_BYTES];
    (void)state;
    assert_int_equal(wall_check(&both, false, &error), MAILLE_OK);
    assert_int_equal(wall_check(&both, true, &error), MAILLE_OK);
    assert_int_equal(wall_check(&one, true, &error), MAILLE_OK);
    assert_int_equal(wall_check(&one, false, &error), MAILLE_INVALID);
    assert_non_null(strstr(error.sentence, "walls: without-landlock"));
    assert_int_equal(wall_check(&none, true, &error), MAILLE_INVALID);
    wall_words(words, &both);
    assert_string_equal(words, "seccomp; Landlock ABI 4: files, TCP ports");
    wall_words(words, &one);
    assert_string_equal(words, "seccomp; no Landlock");
    here_make(&here);
    if (here_is.landlock > 0)
        assert_true(stopped(behind(&wall, try_open, here.secret)));
    here_end(&here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_computes_and_nothing_else),
        cmocka_unit_test(data_reads_its_folder),
        cmocka_unit_test(vault_writes_its_folder),
        cmocka_unit_test(net_dials_one_port),
        cmocka_unit_test(the_coordinator_listens_on_one_port),
        cmocka_unit_test(the_setting_turns_nothing_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
