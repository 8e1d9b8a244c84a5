#include "wire/way_dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { DIAL_MS = 15000, HEAD_BYTES_MAX = 8192 };

enum maille_code way_proxy_read(struct way_proxy *proxy, const char *text, struct maille_error *error)
{
    static const char *const schemes[] = {"http://", "socks5://"};
    for (size_t i = 0; i < 2; i++) {
        const size_t length = strlen(schemes[i]);
        const char *host = text + length, *colon = strrchr(text, ':');
        if (strncmp(text, schemes[i], length) != 0 || colon == NULL || colon <= host ||
            colon - host >= (long)sizeof proxy->host || strlen(colon + 1) >= sizeof proxy->port ||
            strtol(colon + 1, NULL, 10) < 1 || strtol(colon + 1, NULL, 10) > 65535 ||
            strchr(host, '@') != NULL || colon[1 + strspn(colon + 1, "0123456789")] != '\0')
            continue;
        const bool brackets = host[0] == '[' && colon[-1] == ']';
        proxy->socks5 = i == 1;
        snprintf(proxy->host, sizeof proxy->host, "%.*s", (int)(colon - host) - (brackets ? 2 : 0),
                 host + (brackets ? 1 : 0));
        snprintf(proxy->port, sizeof proxy->port, "%s", colon + 1);
        snprintf(proxy->endpoint, sizeof proxy->endpoint, "tcp://%s", host);
        return MAILLE_OK;
    }
    return maille_fail(
        error, MAILLE_INVALID,
        "expected a proxy such as http://proxy.hospital:3128 or socks5://proxy.hospital:1080 (a "
        "password goes into the file that proxy_credential names), found \"%s\"",
        text);
}

/* --- bytes in time --- */

/* 1: ready; −1: time or wake. */
static int wait_for(int fd, short events, int wake, int64_t until_ms)
{
    for (;;) {
        struct pollfd ready[] = {{.fd = fd, .events = events}, {.fd = wake, .events = POLLIN}};
        const int64_t left = until_ms - clock_monotonic_ms();
        const int n = poll(ready, 2, left > 0 ? (int)left : 0);
        if (n < 0 && errno == EINTR)
            continue;
        return n > 0 && ready[1].revents == 0 ? 1 : -1;
    }
}

bool way_send(int fd, const void *data, size_t length, int64_t until_ms)
{
    for (size_t sent = 0; sent < length;) {
        const ssize_t n = send(fd, (const char *)data + sent, length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (n < 0 && errno == EAGAIN) {
            if (wait_for(fd, POLLOUT, -1, until_ms) != 1)
                return false;
        } else if (n == 0 || errno != EINTR)
            return false;
    }
    return true;
}

int way_receive(int fd, void *data, size_t length, int wake, int64_t until_ms)
{
    for (size_t got = 0; got < length;) {
        if (wait_for(fd, POLLIN, wake, until_ms) != 1)
            return -1;
        const ssize_t n = recv(fd, (char *)data + got, length - got, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return 0;
        got += n > 0 ? (size_t)n : 0;
    }
    return 1;
}

int way_connect(const char *host, const char *port, int wake, int64_t until_ms, char *why, size_t size)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int connected = -1;
    const int fault = getaddrinfo(host, port, &hints, &found);
    snprintf(why, size, "expected an address of %s, found: %s", host,
             fault != 0 ? gai_strerror(fault) : "none");
    if (fault != 0)
        return -1;
    for (const struct addrinfo *at = found; at != NULL && connected < 0; at = at->ai_next) {
        int status = 0;
        socklen_t length = sizeof status;
        const int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
            continue;
        if (connect(fd, at->ai_addr, at->ai_addrlen) != 0)
            status = errno != EINPROGRESS                                          ? errno
                     : wait_for(fd, POLLOUT, wake, until_ms) != 1                  ? ETIMEDOUT
                     : getsockopt(fd, SOL_SOCKET, SO_ERROR, &status, &length) != 0 ? errno
                                                                                   : status;
        if (status == 0)
            connected = fd;
        else
            close(fd);
        snprintf(why, size, "expected to reach %s:%s, found: %s", host, port, strerror(status));
    }
    freeaddrinfo(found);
    return connected;
}

/* --- HTTP CONNECT --- */

/* RFC 4648. out: 4·⌈length/3⌉ + 1 bytes. */
static void base64(char *out, const char *data, size_t length)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t used = 0;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t three = 0;
        for (size_t k = 0; k < 3; k++)
            three = three << 8 | (i + k < length ? (uint8_t)data[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            out[used++] = i + k > length ? '=' : letters[three >> (18 - 6 * k) & 63];
    }
    out[used] = '\0';
}

/* Byte by byte up to the empty line: what follows it is the coordinator's. */
static int read_head(char head[HEAD_BYTES_MAX + 1], int fd, int wake, int64_t until_ms)
{
    size_t length = 0;
    int got = 1;
    head[0] = '\0';
    while (got == 1 && length < HEAD_BYTES_MAX &&
           (length < 4 || memcmp(head + length - 4, "\r\n\r\n", 4) != 0)) {
        got = way_receive(fd, head + length, 1, wake, until_ms);
        length += got == 1;
        head[length] = '\0';
    }
    return got;
}

/* What a status other than 200 means to whoever set the proxy up. */
static const char *status_words(int status)
{
    return status == 407 || status == 401
               ? "it asks for a user and a password that it knows: proxy_credential"
           : status == 403 ? "it does not let anybody pass there: have its owner allow it"
           : status == 405 ? "it does not take CONNECT: have its owner allow it"
           : status >= 500 ? "it cannot reach it"
                           : "see docs/FIREWALL.md";
}

static bool dial_http(const struct way_proxy *proxy, int fd, const char *host, const char *port, int wake,
                      int64_t until_ms, char *why, size_t size)
{
    const bool six = strchr(host, ':') != NULL;
    char request[2048], secret[sizeof proxy->user * 4 / 3 + 8] = "", head[HEAD_BYTES_MAX + 1];
    int status = 0;
    if (proxy->user[0] != '\0')
        base64(secret, proxy->user, strlen(proxy->user));
    const int used = snprintf(
        request, sizeof request, "CONNECT %s%s%s:%s HTTP/1.1\r\nHost: %s%s%s:%s\r\n%s%s%s\r\n",
        six ? "[" : "", host, six ? "]" : "", port, six ? "[" : "", host, six ? "]" : "", port,
        secret[0] != '\0' ? "Proxy-Authorization: Basic " : "", secret, secret[0] != '\0' ? "\r\n" : "");
    const bool sent = way_send(fd, request, (size_t)used, until_ms);
    explicit_bzero(request, sizeof request);
    explicit_bzero(secret, sizeof secret);
    const int got = sent ? read_head(head, fd, wake, until_ms) : 0;
    if (sscanf(head, "HTTP/%*d.%*d %d", &status) == 1 && status == 200 && got == 1)
        return true;
    if (status != 0)
        snprintf(why, size, "expected the proxy %s:%s to open the way to %s:%s, found its status %d: %s",
                 proxy->host, proxy->port, host, port, status, status_words(status));
    else
        snprintf(why, size, "expected an HTTP proxy at %s:%s, found %s", proxy->host, proxy->port,
                 got == 0   ? "that it closes the connection"
                 : got == 1 ? "something else: is it socks5://?"
                            : "no answer in time");
    return false;
}

/* --- SOCKS5 --- */

static const char *socks_words(uint8_t reply)
{
    static const char *const words[] = {"",
                                        "a general failure",
                                        "that its rules do not allow it: have its owner allow it",
                                        "that the network cannot be reached",
                                        "that the host cannot be reached or its name is not known there",
                                        "that the connection is refused there",
                                        "no answer from there",
                                        "that it takes no such command",
                                        "that it takes no such address"};
    return reply < sizeof words / sizeof *words ? words[reply] : "a reply that RFC 1928 does not have";
}

/* RFC 1929. */
static bool log_in(const struct way_proxy *proxy, int fd, int wake, int64_t until_ms)
{
    uint8_t request[3 + 2 * WAY_PASSWORD_MAX], reply[2];
    const size_t user = proxy->colon, password = strlen(proxy->user + user + 1);
    size_t used = 0;
    request[used++] = 1;
    request[used++] = (uint8_t)user;
    memcpy(request + used, proxy->user, user);
    used += user;
    request[used++] = (uint8_t)password;
    memcpy(request + used, proxy->user + user + 1, password);
    used += password;
    const bool sent = way_send(fd, request, used, until_ms);
    explicit_bzero(request, sizeof request);
    return sent && way_receive(fd, reply, 2, wake, until_ms) == 1 && reply[1] == 0;
}

static size_t put_address(uint8_t *out, const char *host)
{
    if (inet_pton(AF_INET, host, out + 1) == 1) {
        out[0] = 1;
        return 5;
    }
    if (inet_pton(AF_INET6, host, out + 1) == 1) {
        out[0] = 4;
        return 17;
    }
    const size_t length = strlen(host);
    out[0] = 3;
    out[1] = (uint8_t)length;
    memcpy(out + 2, host, length);
    return 2 + length;
}

static bool dial_socks(const struct way_proxy *proxy, int fd, const char *host, const char *port, int wake,
                       int64_t until_ms, char *why, size_t size)
{
    const bool secret = proxy->user[0] != '\0';
    const uint8_t hello[4] = {5, secret ? 2 : 1, 0, 2};
    uint8_t reply[4], request[3 + 2 + 255 + 2] = {5, 1, 0}, rest[255 + 2];
    const long number = strtol(port, NULL, 10);
    snprintf(why, size, "expected a SOCKS5 proxy at %s:%s, found something else: is it http://?", proxy->host,
             proxy->port);
    if (!way_send(fd, hello, secret ? 4 : 3, until_ms) || way_receive(fd, reply, 2, wake, until_ms) != 1 ||
        reply[0] != 5)
        return false;
    snprintf(why, size,
             "expected the proxy %s:%s to let this program in, found that it asks for %s: proxy_credential",
             proxy->host, proxy->port, secret ? "another user or password" : "a user and a password");
    if ((reply[1] != 0 && reply[1] != 2) ||
        (reply[1] == 2 && (!secret || !log_in(proxy, fd, wake, until_ms))))
        return false;
    size_t used = 3 + put_address(request + 3, host);
    request[used++] = (uint8_t)(number >> 8);
    request[used++] = (uint8_t)number;
    snprintf(why, size, "expected the proxy %s:%s to open the way to %s:%s, found that it says nothing",
             proxy->host, proxy->port, host, port);
    if (!way_send(fd, request, used, until_ms) || way_receive(fd, reply, 4, wake, until_ms) != 1)
        return false;
    snprintf(why, size, "expected the proxy %s:%s to open the way to %s:%s, found %s", proxy->host,
             proxy->port, host, port, socks_words(reply[1]));
    if (reply[1] != 0)
        return false;
    uint8_t length = 0;
    if (reply[3] == 3 && way_receive(fd, &length, 1, wake, until_ms) != 1)
        return false;
    return way_receive(fd, rest,
                       (reply[3] == 1   ? 4u
                        : reply[3] == 4 ? 16u
                                        : length) +
                           2u,
                       wake, until_ms) == 1;
}

int way_dial(const struct way_proxy *proxy, const char *host, const char *port, int wake, char *why,
             size_t size)
{
    const int64_t until_ms = clock_monotonic_ms() + DIAL_MS;
    char reason[256];
    const int fd = way_connect(proxy->host, proxy->port, wake, until_ms, reason, sizeof reason);
    if (fd < 0) {
        snprintf(why, size, "%s (the proxy)", reason);
        return -1;
    }
    if ((proxy->socks5 ? dial_socks : dial_http)(proxy, fd, host, port, wake, until_ms, why, size))
        return fd;
    close(fd);
    return -1;
}

/* --- who is there --- */

enum way_greeting way_greeting(const uint8_t *first)
{
    enum { ZMTP = 0xff, TLS_ALERT = 0x15, TLS_HANDSHAKE = 0x16 };
    return first == NULL                                      ? WAY_CLOSED
           : *first == ZMTP                                   ? WAY_COORDINATOR
           : *first == TLS_ALERT || *first == TLS_HANDSHAKE   ? WAY_TLS
           : *first == 'H' || *first == '<' || *first == '\r' ? WAY_WEB
                                                              : WAY_OTHER;
}

void way_greeting_words(char *out, size_t size, enum way_greeting greeting, const char *host,
                        const char *port, const struct way_proxy *proxy)
{
    static const char *const found[] = {
        [WAY_TLS] = "an answer in TLS: somebody on the way looks into what passes (TLS inspection); have "
                    "this address "
                    "exempted from it",
        [WAY_WEB] =
            "a web page: somebody on the way looks into what passes (TLS inspection), or a web server is "
            "there; have this address exempted from inspection",
        [WAY_CLOSED] =
            "that the connection is closed before a word: somebody on the way looks into what passes (TLS "
            "inspection) and lets TLS alone through, or nobody listens there; have this address exempted "
            "from inspection",
        [WAY_OTHER] = "words of another program"};
    out[0] = '\0';
    if (greeting != WAY_COORDINATOR)
        snprintf(out, size, "expected the coordinator at %s:%s%s%s%s%s, found %s (docs/FIREWALL.md)", host,
                 port, proxy != NULL ? " behind the proxy " : "", proxy != NULL ? proxy->host : "",
                 proxy != NULL ? ":" : "", proxy != NULL ? proxy->port : "", found[greeting]);
}
