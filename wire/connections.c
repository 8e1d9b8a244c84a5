#include "wire/connections.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "wire/socket.h"

/* What ZMTP, CURVE and heartbeats add to a message and until the next: rounded up, so that an honest
 * connection gains nothing over the months. */
enum { OVERHEAD_BYTES = 4096, PARTIES_MAX = 4096, MINUTE_MS = 60000 };
#define MONITOR "inproc://maille-connections"

enum maille_code connections_open(struct connections *connections, void *context, void *socket,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    *connections = (struct connections){.limits = wire_limits_standard};
    if (pthread_mutex_init(&connections->lock, NULL) != 0)
        return maille_fail(error, MAILLE_INTERNAL, "expected a lock for the connections, found none");
    connections->monitor = zmq_socket(context, ZMQ_PAIR);
    if (connections->monitor == NULL)
        return maille_fail(error, MAILLE_INTERNAL, "expected a socket for events, found: %s",
                           zmq_strerror(zmq_errno()));
    MAILLE_TRY(socket_set_int(connections->monitor, ZMQ_LINGER, 0, error));
    /* Without a limit: where one is reached, libzmq's thread waits for this one. */
    MAILLE_TRY(socket_set_int(connections->monitor, ZMQ_RCVHWM, 0, error));
    if (zmq_socket_monitor(socket, MONITOR, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED) != 0 ||
        zmq_connect(connections->monitor, MONITOR) != 0)
        code = maille_fail(error, MAILLE_INTERNAL, "expected events of a socket, found: %s",
                           zmq_strerror(zmq_errno()));
out:
    return code;
}

void connections_stop(struct connections *connections, void *socket)
{
    if (connections->monitor == NULL)
        return;
    zmq_socket_monitor(socket, NULL, 0);
    zmq_close(connections->monitor);
    connections->monitor = NULL;
}

void connections_clear(struct connections *connections)
{
    pthread_mutex_destroy(&connections->lock);
    free(connections->list);
    free(connections->handshakes);
    connections->list = NULL;
    connections->handshakes = NULL;
}

/* --- who is told --- */

static void tell(struct connections *connections, const char *name, enum wire_why why, uint64_t figure)
{
    pthread_mutex_lock(&connections->lock);
    if (connections->n_hangups < HANGUPS_MAX) {
        struct wire_hangup *made = &connections->hangups[connections->n_hangups++];
        *made = (struct wire_hangup){.why = why, .figure = figure};
        memcpy(made->peer, name, strlen(name) + 1);
    }
    pthread_mutex_unlock(&connections->lock);
}

bool connections_hangup(struct connections *connections, struct wire_hangup *hangup)
{
    pthread_mutex_lock(&connections->lock);
    const bool any = connections->n_hangups > 0;
    if (any) {
        *hangup = connections->hangups[0];
        memmove(connections->hangups, connections->hangups + 1,
                --connections->n_hangups * sizeof *connections->hangups);
    }
    pthread_mutex_unlock(&connections->lock);
    return any;
}

void connections_limit(struct connections *connections, const struct wire_limits *limits)
{
    pthread_mutex_lock(&connections->lock);
    connections->limits = *limits;
    pthread_mutex_unlock(&connections->lock);
}

/* --- handshakes --- */

/* A bucket that fills in a minute. NULL: no memory, or too many
 * parties. */
static struct handshakes *handshakes_of(struct connections *connections, const char *name)
{
    for (size_t i = 0; i < connections->n_handshakes; i++)
        if (strcmp(connections->handshakes[i].name, name) == 0)
            return &connections->handshakes[i];
    if (connections->n_handshakes == PARTIES_MAX)
        return NULL;
    struct handshakes *grown =
        realloc(connections->handshakes, (connections->n_handshakes + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    connections->handshakes = grown;
    struct handshakes *made = &grown[connections->n_handshakes++];
    *made =
        (struct handshakes){.left = (double)connections->limits.handshakes, .since_ms = clock_monotonic_ms()};
    memcpy(made->name, name, strlen(name) + 1);
    return made;
}

bool connections_admit(struct connections *connections, const char *name)
{
    bool admitted = false, told = false;
    pthread_mutex_lock(&connections->lock);
    struct handshakes *of = handshakes_of(connections, name);
    if (of != NULL) {
        const int64_t now = clock_monotonic_ms();
        const double full = (double)connections->limits.handshakes,
                     grown = of->left + (double)(now - of->since_ms) * full / MINUTE_MS;
        of->left = grown < full ? grown : full;
        of->since_ms = now;
        admitted = of->left >= 1;
        of->left -= admitted;
        told = of->told;
        of->told = !admitted;
    }
    pthread_mutex_unlock(&connections->lock);
    if (!admitted && !told)
        tell(connections, name, WIRE_HANDSHAKES, (uint64_t)connections->limits.handshakes);
    return admitted;
}

/* --- what comes and goes --- */

static struct connection *find(const struct connections *connections, int fd)
{
    for (size_t i = connections->n; fd >= 0 && i-- > 0;)
        if (connections->list[i].fd == fd)
            return &connections->list[i];
    return NULL;
}

static enum maille_code accepted(struct connections *connections, int fd, struct maille_error *error)
{
    struct connection *place = find(connections, fd);
    if (place == NULL) {
        if (connections->n == connections->room) {
            const size_t room = connections->room == 0 ? 64 : 2 * connections->room;
            struct connection *grown = realloc(connections->list, room * sizeof *grown);
            if (grown == NULL)
                return maille_fail(error, MAILLE_MEMORY, "expected memory for %zu connections, found none",
                                   room);
            connections->list = grown;
            connections->room = room;
        }
        place = &connections->list[connections->n++];
    }
    *place = (struct connection){.fd = fd, .since_ms = clock_monotonic_ms()};
    return MAILLE_OK;
}

static enum maille_code take_events(struct connections *connections, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool got = true;
    while (got) {
        struct socket_frames frames;
        MAILLE_TRY(socket_take(connections->monitor, &frames, &got, error));
        if (!got)
            break;
        if (zmq_msg_size(&frames.parts[0]) == 6) { /* LE16 event, LE32 value, in the host's order */
            uint16_t event;
            int32_t fd;
            memcpy(&event, zmq_msg_data(&frames.parts[0]), sizeof event);
            memcpy(&fd, (const uint8_t *)zmq_msg_data(&frames.parts[0]) + sizeof event, sizeof fd);
            struct connection *gone = event == ZMQ_EVENT_DISCONNECTED ? find(connections, fd) : NULL;
            if (event == ZMQ_EVENT_ACCEPTED)
                code = accepted(connections, fd, error);
            else if (gone != NULL)
                *gone = connections->list[--connections->n];
        }
        socket_frames_clear(&frames);
        MAILLE_TRY(code);
    }
out:
    return code;
}

void connections_taken(struct connections *connections, int fd, const char *name, size_t bytes)
{
    struct maille_error ignored;
    struct connection *found = find(connections, fd);
    if (found == NULL && take_events(connections, &ignored) == MAILLE_OK)
        found = find(connections, fd); /* it was accepted since the last look */
    if (found == NULL)
        return;
    memcpy(found->name, name, strlen(name) + 1);
    found->taken += bytes + OVERHEAD_BYTES;
}

void connections_given(struct connections *connections, int fd, size_t bytes)
{
    struct connection *found = find(connections, fd);
    if (found != NULL)
        found->given += bytes;
}

/* --- limits --- */

static void hang_up(struct connections *connections, struct connection *one, enum wire_why why,
                    uint64_t figure)
{
    one->hung_up = true; /* the monitor says when it is gone */
    (void)shutdown(one->fd, SHUT_RDWR);
    tell(connections, one->name, why, figure);
}

/* What libzmq holds for a connection, from what the kernel counted. */
static void look(struct connection *one)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(one->fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
        return;
    one->taken = one->taken < info.tcpi_bytes_received ? one->taken : info.tcpi_bytes_received;
    one->given = one->given > info.tcpi_bytes_acked ? one->given : info.tcpi_bytes_acked;
    one->held = info.tcpi_bytes_received - one->taken + (one->given - info.tcpi_bytes_acked);
}

static bool of_party(const struct connection *one, const char *name)
{
    return !one->hung_up && strcmp(one->name, name) == 0;
}

/* The connections of one party, or ("") those by which nothing came yet. */
static void judge(struct connections *connections, const char *name)
{
    size_t n = 0;
    uint64_t held = 0;
    struct connection *newest = NULL, *heaviest = NULL;
    for (size_t i = 0; i < connections->n; i++) {
        struct connection *one = &connections->list[i];
        if (!of_party(one, name))
            continue;
        n++;
        held += one->held;
        newest = newest == NULL || one->since_ms >= newest->since_ms ? one : newest;
        heaviest = heaviest == NULL || one->held > heaviest->held ? one : heaviest;
    }
    if (held > (uint64_t)connections->limits.bytes)
        hang_up(connections, heaviest, WIRE_BYTES, held);
    else if (name[0] != '\0' && n > (size_t)connections->limits.connections)
        hang_up(connections, newest, WIRE_CONNECTIONS, n);
}

enum maille_code connections_tick(struct connections *connections, struct maille_error *error)
{
    enum maille_code code = take_events(connections, error);
    const int64_t now = clock_monotonic_ms();
    if (code != MAILLE_OK || now < connections->looked_ms + CONNECTIONS_LOOK_MS)
        return code;
    connections->looked_ms = now;
    for (size_t i = 0; i < connections->n; i++) {
        struct connection *one = &connections->list[i];
        look(one);
        if (!one->hung_up && one->name[0] == '\0' && now > one->since_ms + connections->limits.silent_ms)
            hang_up(connections, one, WIRE_SILENT, (uint64_t)connections->limits.silent_ms / 1000);
    }
    judge(connections, "");
    for (size_t i = 0; i < connections->n; i++) {
        const char *name = connections->list[i].name;
        bool judged = name[0] == '\0';
        for (size_t j = 0; j < i && !judged; j++)
            judged = strcmp(connections->list[j].name, name) == 0;
        if (!judged)
            judge(connections, name);
    }
    return MAILLE_OK;
}
