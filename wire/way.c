#include "wire/way.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "wire/way_dial.h"

enum { CREDENTIAL_MAX = 512, BUFFER_BYTES = 65536, SENTENCE_MAX = 512, WAITING_MAX = 4, PROBE_MS = 3000 };

struct wire_way {
    struct way_proxy proxy;
    int port, ear, wake; /* wake: an eventfd, readable once the thread is to end */
    bool runs;
    pthread_t thread;
    char host[256], service[8]; /* of the coordinator */
    pthread_mutex_t lock;       /* over what follows */
    char trouble[SENTENCE_MAX];
    bool is_new;
};

/* --- opening --- */

/* USER:PASSWORD, the first line of a file. */
static enum maille_code read_credential(struct way_proxy *proxy, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    MAILLE_TRY(file_check_private(path, error));
    MAILLE_TRY(file_read(&text, path, CREDENTIAL_MAX, error));
    bytes_put_u8(&text, 0);
    MAILLE_TRY(bytes_check(&text, error));
    char *line = (char *)text.data;
    line[strcspn(line, "\r\n")] = '\0';
    const char *colon = strchr(line, ':');
    if (colon == NULL || colon == line || strlen(colon + 1) > WAY_PASSWORD_MAX ||
        colon - line > WAY_PASSWORD_MAX) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected USER:PASSWORD as the first line of %s, found no such line", path);
        goto out;
    }
    snprintf(proxy->user, sizeof proxy->user, "%s", line);
    proxy->colon = (size_t)(colon - line);
out:
    bytes_wipe(&text);
    return code;
}

static enum maille_code listen_here(struct wire_way *way, struct maille_error *error)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof here;
    way->ear = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (way->ear < 0 || bind(way->ear, (struct sockaddr *)&here, sizeof here) != 0 ||
        listen(way->ear, WAITING_MAX) != 0 || getsockname(way->ear, (struct sockaddr *)&here, &length) != 0)
        return maille_fail_errno(error, "cannot listen on this machine for the way through %s:%s",
                                 way->proxy.host, way->proxy.port);
    way->port = ntohs(here.sin_port);
    return MAILLE_OK;
}

enum maille_code wire_way_open(struct wire_way **way, const char *proxy, const char *credential,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct wire_way *made = calloc(1, sizeof *made);
    if (made == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for the way through a proxy, found none");
    made->ear = made->wake = -1;
    pthread_mutex_init(&made->lock, NULL);
    MAILLE_TRY(way_proxy_read(&made->proxy, proxy, error));
    if (credential != NULL && credential[0] != '\0')
        MAILLE_TRY(read_credential(&made->proxy, credential, error));
    MAILLE_TRY(listen_here(made, error));
    *way = made;
    made = NULL;
out:
    wire_way_free(made);
    return code;
}

void wire_way_free(struct wire_way *way)
{
    if (way == NULL)
        return;
    if (way->runs) {
        eventfd_write(way->wake, 1);
        pthread_join(way->thread, NULL);
    }
    if (way->wake >= 0)
        close(way->wake);
    if (way->ear >= 0)
        close(way->ear);
    pthread_mutex_destroy(&way->lock);
    explicit_bzero(way, sizeof *way);
    free(way);
}

const char *wire_way_proxy(const struct wire_way *way)
{
    return way->proxy.endpoint;
}

int wire_way_port(const struct wire_way *way)
{
    return way->port;
}

/* --- what went wrong --- */

static void tell(struct wire_way *way, const char *sentence)
{
    pthread_mutex_lock(&way->lock);
    if (strcmp(way->trouble, sentence) != 0) {
        snprintf(way->trouble, sizeof way->trouble, "%s", sentence);
        way->is_new = sentence[0] != '\0';
    }
    pthread_mutex_unlock(&way->lock);
}

bool wire_way_trouble(struct wire_way *way, char *sentence, size_t size)
{
    pthread_mutex_lock(&way->lock);
    const bool is_new = way->is_new;
    if (is_new)
        snprintf(sentence, size, "%s", way->trouble);
    way->is_new = false;
    pthread_mutex_unlock(&way->lock);
    return is_new;
}

/* --- passing on --- */

struct half { /* one direction */
    int from, to;
    size_t begin, end;
    bool over; /* nothing more comes */
    char bytes[BUFFER_BYTES];
};

/* Takes what is there and gives what fits. False: the connection is over. */
static bool half_move(struct half *half)
{
    if (half->begin == half->end && !half->over) {
        const ssize_t got = recv(half->from, half->bytes, sizeof half->bytes, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            half->over = true;
        half->begin = 0;
        half->end = got > 0 ? (size_t)got : 0;
    }
    while (half->begin < half->end) {
        const ssize_t sent =
            send(half->to, half->bytes + half->begin, half->end - half->begin, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (sent <= 0)
            return false;
        half->begin += (size_t)sent;
    }
    return !half->over;
}

/* Both directions until either is over, another connection waits at the ear, or the thread is to end. */
static void pass_on(struct wire_way *way, struct half halves[2])
{
    bool greeted = false;
    char sentence[SENTENCE_MAX];
    for (;;) {
        struct pollfd ready[] = {{.fd = halves[0].from, .events = 0},
                                 {.fd = halves[1].from, .events = 0},
                                 {.fd = way->ear, .events = POLLIN},
                                 {.fd = way->wake, .events = POLLIN}};
        for (int i = 0; i < 2; i++) {
            const bool full = halves[i].begin < halves[i].end;
            ready[i].events |= full ? 0 : POLLIN;
            ready[1 - i].events |= full ? POLLOUT : 0;
        }
        if (poll(ready, 4, -1) < 0 && errno != EINTR)
            return;
        if (ready[2].revents != 0 || ready[3].revents != 0)
            return;
        uint8_t first = 0;
        const ssize_t peeked = greeted ? 0 : recv(halves[1].from, &first, 1, MSG_PEEK | MSG_DONTWAIT);
        if (!greeted && (peeked == 0 || (peeked < 0 && errno != EAGAIN && errno != EINTR) || peeked == 1)) {
            const enum way_greeting greeting = way_greeting(peeked == 1 ? &first : NULL);
            way_greeting_words(sentence, sizeof sentence, greeting, way->host, way->service, &way->proxy);
            tell(way, sentence);
            greeted = greeting == WAY_COORDINATOR;
            if (!greeted)
                return;
        }
        if (!half_move(&halves[0]) || !half_move(&halves[1]))
            return;
    }
}

static void serve_one(struct wire_way *way, struct half halves[2], int near)
{
    char sentence[SENTENCE_MAX] = "";
    const int far = way_dial(&way->proxy, way->host, way->service, way->wake, sentence, sizeof sentence);
    if (far < 0) {
        tell(way, sentence);
    } else {
        for (int i = 0; i < 2; i++) {
            halves[i].from = i == 0 ? near : far;
            halves[i].to = i == 0 ? far : near;
            halves[i].begin = halves[i].end = 0;
            halves[i].over = false;
        }
        pass_on(way, halves);
        close(far);
    }
    close(near);
}

static void *serve(void *context)
{
    struct wire_way *way = context;
    struct half *halves = calloc(2, sizeof *halves);
    while (halves != NULL) {
        struct pollfd ready[] = {{.fd = way->ear, .events = POLLIN}, {.fd = way->wake, .events = POLLIN}};
        if (poll(ready, 2, -1) < 0 && errno != EINTR)
            break;
        if (ready[1].revents != 0)
            break;
        const int near = accept4(way->ear, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (near >= 0)
            serve_one(way, halves, near);
    }
    free(halves);
    return NULL;
}

enum maille_code wire_way_start(struct wire_way *way, const char *endpoint, struct maille_error *error)
{
    const char *host = endpoint + strlen("tcp://"), *colon = strrchr(endpoint, ':');
    if (strncmp(endpoint, "tcp://", 6) != 0 || colon == NULL || colon <= host ||
        colon - host >= (long)sizeof way->host || strlen(colon + 1) >= sizeof way->service)
        return maille_fail(error, MAILLE_INVALID,
                           "expected an endpoint such as tcp://host:9700, found \"%s\"", endpoint);
    const bool brackets = host[0] == '[' && colon[-1] == ']';
    snprintf(way->host, sizeof way->host, "%.*s", (int)(colon - host) - (brackets ? 2 : 0),
             host + (brackets ? 1 : 0));
    snprintf(way->service, sizeof way->service, "%s", colon + 1);
    way->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (way->wake < 0 || pthread_create(&way->thread, NULL, serve, way) != 0)
        return maille_fail(error, MAILLE_INTERNAL,
                           "expected a thread for the way through a proxy, found none");
    way->runs = true;
    return MAILLE_OK;
}

bool wire_way_probe(const char *endpoint, char *sentence, size_t size)
{
    static const uint8_t signature[10] = {0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f}; /* as ZMTP 3 begins */
    char host[256], why[SENTENCE_MAX];
    const char *begin = endpoint + strlen("tcp://"), *colon = strrchr(endpoint, ':');
    uint8_t first;
    if (strncmp(endpoint, "tcp://", 6) != 0 || colon == NULL || colon <= begin ||
        colon - begin >= (long)sizeof host)
        return false;
    const bool brackets = begin[0] == '[';
    snprintf(host, sizeof host, "%.*s", (int)(colon - begin) - (brackets ? 2 : 0),
             begin + (brackets ? 1 : 0));
    const int64_t until_ms = clock_monotonic_ms() + PROBE_MS;
    const int fd = way_connect(host, colon + 1, -1, until_ms, why, sizeof why);
    if (fd < 0)
        return false;
    enum way_greeting greeting = WAY_COORDINATOR;
    if (way_send(fd, signature, sizeof signature, until_ms)) {
        const int got = way_receive(fd, &first, 1, -1, until_ms);
        greeting = got == 1 ? way_greeting(&first) : got == 0 ? way_greeting(NULL) : WAY_COORDINATOR;
    }
    close(fd);
    if (greeting == WAY_COORDINATOR)
        return false;
    way_greeting_words(sentence, size, greeting, host, colon + 1, NULL);
    return true;
}
