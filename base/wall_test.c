#include "base/wall.h"

#include <linux/capability.h>
#include <math.h>

#include "base/file.h"
#include "base/wall_testing.h"

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

static bool raise_wall(const void *walls)
{
    struct maille_error error = {0};
    if (wall_raise(walls, &error) == MAILLE_OK)
        return true;
    fprintf(stderr, "%s\n", error.sentence);
    return false;
}

static int behind(const struct wall *wall, attempt *what, const void *with)
{
    return behind_walls(raise_wall, wall, what, with);
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
#ifdef MAILLE_SANITIZED /* whose leak check reads limits where a program leaves main */
    if (wall->profile != WALL_COORDINATOR)
#endif
        assert_true(stopped(behind(wall, try_limit, &here->sibling)));
    assert_true(stopped(behind(wall, try_news, &here->sibling)));
    assert_true(stopped(behind(wall, try_priority, &here->sibling)));
    assert_true(stopped(behind(wall, try_schedule, &here->sibling)));
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

/* One connection is taken of a socket that listened before, and nothing else is had. */
static int try_accept(const void *with)
{
    const int one = accept4(*(const int *)with, NULL, NULL, SOCK_CLOEXEC);
    return one < 0 ? errno : 0;
}

static void takes_a_connection(const struct wall *wall, int ear, int port)
{
    const int caller = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(caller, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(behind(wall, try_accept, &ear), 0);
    close(caller);
}

static void metrics_takes_connections(void **state)
{
    static const int internet = AF_INET;
    const struct wall wall = {.profile = WALL_METRICS};
    struct here here;
    int port;
    (void)state;
    here_make(&here);
    const int ear = listener(&port);
    refused_to_all(&wall, &here);
    assert_true(stopped(behind(&wall, try_open, here.inside)));
    assert_true(stopped(behind(&wall, try_socket, &internet)));
    assert_true(stopped(behind(&wall, try_listen, &port)));
    assert_true(stopped(behind(&wall, try_fork, NULL)));
    assert_true(stopped(behind(&wall, try_thread, NULL)));
    takes_a_connection(&wall, ear, port);
    close(ear);
    here_end(&here);
}

/* What speaks HTTP: a pair of sockets, a thread and a connection, and no file, no new way out and no program.
 */
static int try_pair(const void *with)
{
    int ends[2];
    (void)with;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : errno;
}

/* Of a file that was opened before. */
static int try_pread(const void *with)
{
    char byte;
    return pread(*(const int *)with, &byte, 1, 0) >= 0 ? 0 : errno;
}

static void a_page_opens_no_file(void **state)
{
    static const int internet = AF_INET, local = AF_UNIX;
    const struct wall wall = {.profile = WALL_PAGE};
    struct here here;
    int port;
    (void)state;
    here_make(&here);
    const int ear = listener(&port);
    refused_to_all(&wall, &here);
    assert_true(stopped(behind(&wall, try_open, here.inside)));
    assert_true(stopped(behind(&wall, try_write, here.inside)));
    assert_true(stopped(behind(&wall, try_socket, &internet)));
    assert_true(stopped(behind(&wall, try_socket, &local)));
    assert_true(stopped(behind(&wall, try_listen, &port)));
    assert_true(stopped(behind(&wall, try_fork, NULL)));
    assert_int_equal(behind(&wall, try_thread, NULL), 0);
    assert_int_equal(behind(&wall, try_pair, NULL), 0);
    const int opened = open("/proc/net/tcp", O_RDONLY | O_CLOEXEC);
    assert_true(opened >= 0);
    assert_int_equal(behind(&wall, try_pread, &opened), 0);
    close(opened);
    takes_a_connection(&wall, ear, port);
    close(ear);
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
    const struct wall with_way = {.profile = WALL_NET, .connect_port = port, .near_port = other};
    assert_int_equal(behind(&with_way, try_connect, &other), 0); /* the thread that leads to a proxy */
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
#ifndef MAILLE_SANITIZED /* whose leak check is a child */
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

/* What a process of this profile may still do as root, read from outside. */
static uint64_t capabilities_behind(enum wall_profile profile)
{
    const struct wall wall = {.profile = profile};
    int up[2], over[2];
    char byte = 0, path[64], line[256];
    unsigned long long effective = UINT64_MAX;
    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(over), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        byte = raise_wall(&wall) ? 'u' : 'n';
        if (write(up[1], &byte, 1) != 1 || read(over[0], &byte, 1) != 1)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(read(up[0], &byte, 1), 1);
    assert_int_equal(byte, 'u');
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *status = fopen(path, "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "CapEff: %llx", &effective) == 1)
            break;
    fclose(status);
    assert_int_equal(write(over[1], "x", 1), 1);
    waitpid(pid, NULL, 0);
    for (int end = 0; end < 2; end++) {
        close(up[end]);
        close(over[end]);
    }
    return effective;
}

static void root_keeps_what_files_need(void **state)
{
    const uint64_t one = 1, raw = one << CAP_NET_RAW, files = one << CAP_DAC_READ_SEARCH;
    (void)state;
    assert_int_equal(capabilities_behind(WALL_STEP), 0);
    for (enum wall_profile profile = WALL_DATA; profile < WALL_PROFILES; profile++) {
        const uint64_t has = capabilities_behind(profile);
        if (profile != WALL_SUPERVISOR)
            assert_int_equal(has & (raw | one << CAP_KILL | one << CAP_CHOWN | one << CAP_SYS_NICE), 0);
        assert_int_equal((has & files) != 0, geteuid() == 0);
    }
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
    wall_words(words, &both, false);
    assert_string_equal(words, "walls: seccomp; Landlock ABI 4: files, TCP ports");
    wall_words(words, &both, true);
    assert_non_null(strstr(words, "this kernel has it"));
    wall_words(words, &one, true);
    assert_non_null(strstr(words, "without Landlock"));
    here_make(&here);
    if (here_is.landlock > 0)
        assert_true(stopped(behind(&wall, try_open, here.secret)));
    here_end(&here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_computes_and_nothing_else),
        cmocka_unit_test(metrics_takes_connections),
        cmocka_unit_test(a_page_opens_no_file),
        cmocka_unit_test(data_reads_its_folder),
        cmocka_unit_test(vault_writes_its_folder),
        cmocka_unit_test(net_dials_one_port),
        cmocka_unit_test(the_coordinator_listens_on_one_port),
        cmocka_unit_test(root_keeps_what_files_need),
        cmocka_unit_test(the_setting_turns_nothing_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
