#include "web/keeper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"

struct web_reply {
    int fd;
    bool begun;
};

static volatile sig_atomic_t stopped;
static const struct web_page *served;

static void on_stop(int signal)
{
    (void)signal;
    stopped = 1;
}

const struct web_page *web_pages(void)
{
    return served;
}

/* --- answers --- */

void web_reply_begin(struct web_reply *reply, unsigned status, enum door_type type, const char *name)
{
    struct door_reply head = {.status = status, .type = type};
    if (name != NULL)
        snprintf(head.name, sizeof head.name, "%s", name);
    if (!reply->begun)
        door_reply_write(reply->fd, &head);
    reply->begun = true;
}

bool web_reply_put(struct web_reply *reply, const void *data, size_t length)
{
    return door_write(reply->fd, data, length);
}

void web_reply_all(struct web_reply *reply, unsigned status, enum door_type type, const char *name,
                   const struct bytes *body)
{
    web_reply_begin(reply, status, type, name);
    web_reply_put(reply, body->data, body->length);
}

void web_reply_error(struct web_reply *reply, const struct maille_error *error)
{
    struct bytes out = {0};
    struct json_put to = {.out = &out};
    json_put_object(&to, NULL);
    json_put_text(&to, "error", error->sentence);
    json_put_text(&to, "code", maille_code_name(error->code));
    json_put_end(&to);
    web_reply_all(reply,
                  error->code == MAILLE_INVALID       ? 400
                  : error->code == MAILLE_UNREACHABLE ? 503
                                                      : 500,
                  DOOR_JSON, NULL, &out);
    bytes_clear(&out);
}

void web_reply_go(struct web_reply *reply, const char *path)
{
    web_reply_begin(reply, 303, DOOR_HTML, path);
}

bool web_reply_gone(const struct web_reply *reply)
{
    struct pollfd one = {.fd = reply->fd};
    return poll(&one, 1, 0) == 1 && (one.revents & (POLLERR | POLLHUP)) != 0;
}

const char *web_lang(const struct web_request *request)
{
    return request->language == LANGUAGE_FR ? "fr" : "en";
}

const char *web_query(const struct web_request *request, const char *name)
{
    const size_t length = strlen(name);
    for (const char *one = request->query; *one != '\0';) {
        const size_t whole = strcspn(one, "&");
        if (whole > length && strncmp(one, name, length) == 0 && one[length] == '=')
            return arena_strndup(request->arena, one + length + 1, whole - length - 1);
        one += whole;
        one += *one == '&';
    }
    return NULL;
}

static const struct web_page *find_page(const struct web_options *options, const struct door_request *request)
{
    for (const struct web_page *page = options->pages; page->path != NULL; page++)
        if ((page->roles & options->role) != 0 && page->post == request->post &&
            strcmp(page->path, request->path) == 0)
            return page;
    return NULL;
}

/* In a process of its own. */
static void answer(const struct web_options *options, int fd)
{
    const struct timeval patience = {.tv_sec = DOOR_READ_MS / 1000};
    struct door_request said;
    struct web_reply reply = {.fd = fd};
    struct arena *arena = arena_new();
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (arena == NULL || !door_request_read(fd, &said))
        return;
    const struct web_page *page = find_page(options, &said);
    const struct web_request request = {.post = said.post,
                                        .language = said.language,
                                        .role = options->role,
                                        .path = said.path,
                                        .query = said.query,
                                        .body = said.body.data,
                                        .length = said.body.length,
                                        .arena = arena,
                                        .context = options->context};
    if (page != NULL) {
        page->run(&request, &reply);
    } else {
        static const char none[] = "expected a page of this server, found none of that name.";
        web_reply_begin(&reply, 404, DOOR_TEXT, NULL);
        web_reply_put(&reply, none, sizeof none - 1);
    }
    bytes_wipe(&said.body);
    arena_free(arena);
}

/* --- the start --- */

static enum maille_code listen_loopback(int *ear, unsigned *port, struct maille_error *error)
{
    const int yes = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    *ear = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*ear < 0 || setsockopt(*ear, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(*ear, (const struct sockaddr *)&address, sizeof address) != 0 || listen(*ear, 16) != 0 ||
        getsockname(*ear, (struct sockaddr *)&address, &length) != 0) {
        maille_fail_errno(error, "cannot listen at 127.0.0.1:%u", *port);
        return error != NULL ? (error->code = MAILLE_UNREACHABLE) : MAILLE_UNREACHABLE;
    }
    *port = ntohs(address.sin_port);
    return MAILLE_OK;
}

/* The proxy's user reaches it by the group of its folder: 0660. */
static enum maille_code listen_path(int *ear, bool *made, const char *path, struct maille_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat there;
    if (strlen(path) >= sizeof address.sun_path)
        return maille_fail(error, MAILLE_INVALID,
                           "expected a path of at most %zu bytes for the socket, found %s",
                           sizeof address.sun_path - 1, path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    *ear = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*ear >= 0 && lstat(path, &there) == 0 && S_ISSOCK(there.st_mode)) {
        if (connect(*ear, (const struct sockaddr *)&address, sizeof address) == 0 || errno != ECONNREFUSED)
            return maille_fail(error, MAILLE_UNREACHABLE,
                               "expected a socket at %s at which nobody listens, found one in use", path);
        unlink(path);
    }
    const mode_t before = umask(0117);
    *made = *ear >= 0 && bind(*ear, (const struct sockaddr *)&address, sizeof address) == 0;
    umask(before);
    if (*made && listen(*ear, 16) == 0)
        return MAILLE_OK;
    maille_fail_errno(error, "cannot listen at %s", path);
    return error != NULL ? (error->code = MAILLE_UNREACHABLE) : MAILLE_UNREACHABLE;
}

static enum maille_code start_program(pid_t *pid, const struct web_options *options, unsigned port, int ear,
                                      int control, struct maille_error *error)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%u", port);
    char *const argv[] = {(char *)(uintptr_t)options->program, digits,
                          (char *)(uintptr_t)(options->host != NULL ? options->host : ""), NULL};
    char *const nothing[] = {NULL}; /* of the environment: it may hold a passphrase */
    *pid = fork();
    if (*pid < 0)
        return maille_fail_errno(error, "cannot start %s", options->program);
    if (*pid > 0)
        return MAILLE_OK;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int high_ear = fcntl(ear, F_DUPFD, 16), high_control = fcntl(control, F_DUPFD, 16);
    if (high_ear < 0 || high_control < 0 || dup2(high_ear, KEEPER_EAR) < 0 ||
        dup2(high_control, KEEPER_CONTROL) < 0 || close_range(KEEPER_CONTROL + 1, ~0U, 0) != 0)
        _exit(127);
    /* No way to read the terminal, nor to be read as this program: its errors alone are seen. */
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC),
              words = open("/proc/self/fd/2", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_APPEND | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(words >= 0 ? words : null, STDERR_FILENO) < 0)
        _exit(127);
    execve(argv[0], argv, nothing);
    dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

enum maille_code web_program(char *out, struct maille_error *error)
{
    static const char name[] = "maille-web", *const folders[] = {"/usr/bin", "/usr/local/bin"};
    char self[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL) {
        *slash = '\0';
        if (snprintf(out, PATH_MAX, "%s/%s", self, name) < PATH_MAX && access(out, X_OK) == 0)
            return MAILLE_OK;
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(out, PATH_MAX, "%s/%s", folders[i], name);
        if (access(out, X_OK) == 0)
            return MAILLE_OK;
    }
    return maille_fail(
        error, MAILLE_INVALID,
        "expected the program maille-web beside this one, found none; install the package maille-web");
}

/* --- the loop --- */

struct keeper {
    const struct web_options *options;
    unsigned port;
    int control;
    pid_t program, answers[KEEPER_ANSWERS_MAX]; /* 0: none */
};

static void print_address(struct keeper *keeper)
{
    char ticket[DOOR_TICKET_DIGITS + 1];
    if (!door_random(ticket) || send(keeper->control, ticket, DOOR_TICKET_DIGITS, MSG_NOSIGNAL) < 0)
        return;
    if (keeper->port != 0)
        printf("http://127.0.0.1:%u/enter?ticket=%s\n", keeper->port, ticket);
    else
        printf("https://%s/enter?ticket=%s\n", keeper->options->host, ticket);
    fflush(stdout);
    explicit_bzero(ticket, sizeof ticket);
}

/* false: maille-web has ended. */
static bool reap(struct keeper *keeper)
{
    pid_t pid;
    bool runs = true;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        if (pid == keeper->program) {
            keeper->program = 0;
            runs = false;
        }
        for (size_t i = 0; i < KEEPER_ANSWERS_MAX; i++) /* else a study's, or one of before the page */
            if (keeper->answers[i] == pid)
                keeper->answers[i] = 0;
    }
    return runs;
}

static void take_request(struct keeper *keeper, int ear)
{
    const int fd = door_take(keeper->control);
    if (fd < 0)
        return;
    size_t place = 0;
    while (place < KEEPER_ANSWERS_MAX && keeper->answers[place] != 0)
        place++;
    const pid_t pid = place < KEEPER_ANSWERS_MAX ? fork() : -1;
    if (pid == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGHUP, SIG_DFL);
        close(ear);
        close(keeper->control);
        answer(keeper->options, fd);
        fflush(NULL);
        _exit(0);
    }
    if (pid > 0)
        keeper->answers[place] = pid;
    close(fd);
}

static void follow(struct keeper *keeper, int ear)
{
    const bool asks = isatty(STDIN_FILENO) == 1;
    while (!stopped) {
        struct pollfd ready[] = {{.fd = keeper->control, .events = POLLIN},
                                 {.fd = asks ? STDIN_FILENO : -1, .events = POLLIN}};
        const int n = poll(ready, 2, 500);
        if (!reap(keeper))
            return;
        if (n < 1)
            continue;
        if ((ready[0].revents & POLLIN) != 0)
            take_request(keeper, ear);
        else if ((ready[0].revents & (POLLHUP | POLLERR)) != 0)
            return;
        if ((ready[1].revents & POLLIN) != 0) {
            char line[256];
            if (read(STDIN_FILENO, line, sizeof line) > 0)
                print_address(keeper);
        }
    }
}

enum maille_code web_keep(const struct web_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct keeper keeper = {.options = options, .control = -1, .port = options->port};
    struct sigaction stop = {.sa_handler = on_stop}, before;
    int ear = -1, ends[2] = {-1, -1};
    bool made = false;
    if ((options->socket != NULL) != (options->host != NULL))
        return maille_fail(
            error, MAILLE_INVALID,
            "expected --socket and --host together (a proxy's socket and its name), found one of them");
    if (options->socket != NULL) {
        keeper.port = 0;
        MAILLE_TRY(listen_path(&ear, &made, options->socket, error));
    } else {
        MAILLE_TRY(listen_loopback(&ear, &keeper.port, error));
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        code = maille_fail_errno(error, "cannot make a pair of sockets");
        goto out;
    }
    served = options->pages;
    prctl(PR_SET_CHILD_SUBREAPER,
          1); /* a study that an answer began becomes a child of this one, and ends with it */
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, NULL, &before);
    if (before.sa_handler != SIG_IGN) /* nohup */
        sigaction(SIGHUP, &stop, NULL);
    MAILLE_TRY(start_program(&keeper.program, options, keeper.port, ear, ends[1], error));
    keeper.control = ends[0];
    close(ends[1]);
    ends[1] = -1;
    print_address(&keeper);
    if (isatty(STDIN_FILENO) == 1)
        fprintf(stderr,
                "Open this address in a browser on this machine: it works once. Enter prints another; Ctrl-C "
                "ends.\n");
    follow(&keeper, ear);
    if (!stopped)
        code = maille_fail(error, MAILLE_FAILED, "expected maille-web to go on, found that it ended");
out:
    if (keeper.program > 0) { /* whoever has taken it over would not obey a SIGTERM */
        kill(keeper.program, SIGKILL);
        while (waitpid(keeper.program, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    if (ear >= 0)
        close(ear);
    if (made)
        unlink(options->socket);
    return code;
}
