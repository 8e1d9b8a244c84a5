#include "base/metrics.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wall.h"

enum { REQUEST_BYTES_MAX = 2048, REQUEST_MS = 1000, WAITING_MAX = 4, PORT_MIN = 1, PORT_MAX = 65535 };

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

enum maille_code metrics_listen(int *fd, const char *where, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[64] = "";
    const char *colon = strrchr(where, ':');
    const size_t length = colon != NULL ? (size_t)(colon - where) : 0;
    const bool brackets = length > 2 && where[0] == '[' && where[length - 1] == ']';
    const long port = colon != NULL ? strtol(colon + 1, NULL, 10) : 0;
    const int yes = 1;
    *fd = -1;
    if (length > 0 && length < sizeof host)
        snprintf(host, sizeof host, "%.*s", (int)(length - (brackets ? 2 : 0)), where + (brackets ? 1 : 0));
    if (port < PORT_MIN || port > PORT_MAX || getaddrinfo(host, colon + 1, &hints, &found) != 0 ||
        !is_loopback(found->ai_addr)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected metrics: an address of this machine alone and a port, such as "
                           "127.0.0.1:9701, found \"%s\"",
                           where);
        goto out;
    }
    *fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0 || setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(*fd, found->ai_addr, found->ai_addrlen) != 0 || listen(*fd, WAITING_MAX) != 0) {
        (void)maille_fail_errno(error, "cannot listen at %s (metrics)", where);
        code = error != NULL ? (error->code = MAILLE_UNREACHABLE) : MAILLE_UNREACHABLE;
    }
out:
    if (code != MAILLE_OK && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    if (found != NULL)
        freeaddrinfo(found);
    return code;
}

/* Whether fd is ready before until_ms. */
static bool ready(int fd, short events, int64_t until_ms)
{
    struct pollfd one = {.fd = fd, .events = events};
    const int64_t left = until_ms - clock_monotonic_ms();
    return left > 0 && poll(&one, 1, (int)left) == 1;
}

static void send_all(int fd, const void *data, size_t length, int64_t until_ms)
{
    for (size_t sent = 0; sent < length;) {
        if (!ready(fd, POLLOUT, until_ms))
            return;
        const ssize_t n = send(fd, (const char *)data + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            return;
        sent += (size_t)n;
    }
}

static void answer(const struct metrics *metrics, int fd)
{
    char request[REQUEST_BYTES_MAX + 1], head[160];
    struct bytes body = {0};
    const int64_t until_ms = clock_monotonic_ms() + REQUEST_MS;
    size_t length = 0;
    request[0] = '\0';
    while (length < REQUEST_BYTES_MAX && strstr(request, "\r\n\r\n") == NULL) {
        if (!ready(fd, POLLIN, until_ms))
            return;
        const ssize_t n = recv(fd, request + length, REQUEST_BYTES_MAX - length, MSG_DONTWAIT);
        if (n <= 0)
            return;
        length += (size_t)n;
        request[length] = '\0';
    }
    const bool known = strncmp(request, "GET /metrics ", 13) == 0;
    if (known)
        metrics->text(metrics->context, &body);
    const int used = snprintf(head, sizeof head,
                              "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                              "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                              known ? "200 OK" : "404 Not Found", body.length);
    send_all(fd, head, (size_t)used, until_ms);
    send_all(fd, body.data, body.length, until_ms);
    bytes_clear(&body);
}

/* Until the other end of `parent` closes. */
static void serve(const struct metrics *metrics, int fd, int parent)
{
    struct pollfd waiting[] = {{.fd = fd, .events = POLLIN}, {.fd = parent, .events = POLLIN}};
    while (waiting[1].revents == 0) {
        if (poll(waiting, 2, -1) < 1 || (waiting[0].revents & POLLIN) == 0)
            continue;
        const int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (one < 0)
            continue;
        answer(metrics, one);
        shutdown(one, SHUT_WR);
        close(one);
    }
}

/* This process alone has nothing but the socket, the parent's pipe and what it writes its own words to. */
static bool close_others(int fd, int parent)
{
    const unsigned low = (unsigned)(fd < parent ? fd : parent), high = (unsigned)(fd < parent ? parent : fd);
    return (low <= STDERR_FILENO + 1 || close_range(STDERR_FILENO + 1, low - 1, 0) == 0) &&
           (high == low + 1 || close_range(low + 1, high - 1, 0) == 0) && close_range(high + 1, ~0U, 0) == 0;
}

/* The parent's death is told by a pipe: a parent with walls of Landlock may not signal (PR_SET_PDEATHSIG) a
 * child that is older than they are. */
enum maille_code metrics_start(const struct metrics *metrics, int fd, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int ends[2] = {-1, -1};
    pid_t pid = -1;
    if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        code = maille_fail_errno(error, "cannot start the process that serves metrics");
        goto out;
    }
    if (pid == 0) {
        char *passphrase = getenv("MAILLE_PASSPHRASE"); /* opens the parent's key */
        const struct wall wall = {.profile = WALL_METRICS, .without_landlock = metrics->without_landlock};
        struct maille_error why = {0};
        sigset_t none;
        prctl(PR_SET_NAME, metrics->name);
        prctl(PR_SET_DUMPABLE, 0);
        signal(SIGINT, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        signal(SIGTERM, SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (passphrase != NULL)
            explicit_bzero(passphrase, strlen(passphrase));
        if (close_others(fd, ends[0]) && wall_raise(&wall, &why) == MAILLE_OK)
            serve(metrics, fd, ends[0]);
        _exit(0);
    }
out: /* the end that is written to stays open until this process ends */
    if (code != MAILLE_OK && ends[1] >= 0)
        close(ends[1]);
    if (ends[0] >= 0)
        close(ends[0]);
    close(fd);
    return code;
}
