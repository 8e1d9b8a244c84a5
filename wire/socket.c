#include "wire/socket.h"

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    FRAME_ROOM = 4096, /* what CURVE and the envelope's own fields add to a body or a frame */
    QUEUE_MESSAGES = 1000,
    INCOMING_MESSAGES = 64, /* a peer can make us hold that many; the rest waits in its own memory */
    LINGER_MS = 500,
    HANDSHAKE_MS = 5000,
    HEARTBEAT_MS = 5000,
    HEARTBEAT_TIMEOUT_MS = 15000
};

enum maille_code socket_set(void *socket, int option, const void *value, size_t length,
                            struct maille_error *error)
{
    if (zmq_setsockopt(socket, option, value, length) != 0)
        return maille_fail(error, MAILLE_INTERNAL, "expected libzmq to take option %d, found: %s", option,
                           zmq_strerror(zmq_errno()));
    return MAILLE_OK;
}

enum maille_code socket_set_int(void *socket, int option, int value, struct maille_error *error)
{
    return socket_set(socket, option, &value, sizeof value, error);
}

enum maille_code socket_prepare(void *socket, struct maille_error *error)
{
    static const struct {
        int option, value;
    } rows[] = {
        {ZMQ_LINGER, LINGER_MS},
        {ZMQ_SNDHWM, QUEUE_MESSAGES},
        {ZMQ_RCVHWM, INCOMING_MESSAGES},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS},
        {ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS},
        {ZMQ_HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS},
    };
    const int64_t largest = MESSAGE_FRAME_MAX + FRAME_ROOM;
    enum maille_code code = socket_set(socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest, error);
    for (size_t i = 0; code == MAILLE_OK && i < sizeof rows / sizeof *rows; i++)
        code = socket_set_int(socket, rows[i].option, rows[i].value, error);
    return code;
}

void socket_frames_clear(struct socket_frames *frames)
{
    for (size_t i = 0; i < frames->n && i < SOCKET_FRAMES; i++)
        zmq_msg_close(&frames->parts[i]);
    frames->n = 0;
}

enum maille_code socket_take(void *socket, struct socket_frames *frames, bool *got,
                             struct maille_error *error)
{
    bool more = true;
    *got = false;
    frames->n = 0;
    while (more) {
        zmq_msg_t extra;
        zmq_msg_t *part = frames->n < SOCKET_FRAMES ? &frames->parts[frames->n] : &extra;
        zmq_msg_init(part);
        int received;
        do
            received = zmq_msg_recv(part, socket, ZMQ_DONTWAIT);
        while (received < 0 && zmq_errno() == EINTR);
        if (received < 0) {
            int reason = zmq_errno();
            zmq_msg_close(part);
            socket_frames_clear(frames);
            if (reason == EAGAIN)
                return MAILLE_OK;
            return maille_fail(error, MAILLE_INTERNAL, "expected to read the socket, found: %s",
                               zmq_strerror(reason));
        }
        more = zmq_msg_more(part);
        if (part == &extra)
            zmq_msg_close(part);
        frames->n++;
    }
    *got = true;
    return MAILLE_OK;
}

/* Frames [first …] of a message into envelope and frame; false when they are not one or two within the
 * limits, or memory is short. */
static bool read_frames(struct wire_message *message, struct socket_frames *frames, size_t first)
{
    if (frames->n <= first || frames->n > first + 2 || frames->n > SOCKET_FRAMES)
        return false;
    zmq_msg_t *envelope = &frames->parts[first];
    message->has_frame = frames->n == first + 2;
    message->frame.length = 0;
    if (zmq_msg_size(envelope) > MESSAGE_BODY_MAX + FRAME_ROOM)
        return false;
    if (bytes_copy(&message->envelope, zmq_msg_data(envelope), zmq_msg_size(envelope)) != MAILLE_OK)
        return false;
    if (!message->has_frame)
        return true;
    zmq_msg_t *frame = &frames->parts[first + 1];
    return zmq_msg_size(frame) <= MESSAGE_FRAME_MAX &&
           bytes_copy(&message->frame, zmq_msg_data(frame), zmq_msg_size(frame)) == MAILLE_OK;
}

int socket_fd(void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    return zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0 ? fd : -1;
}

bool socket_wait(void *socket, int64_t timeout_ms)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    return zmq_poll(&item, 1, timeout_ms) >= 0 || zmq_errno() != EINTR;
}

enum maille_code socket_receive(void *socket, struct wire_message *message, size_t first, int timeout_ms,
                                bool *got, uint64_t *dropped, socket_accept *accept, void *context,
                                struct maille_error *error)
{
    const int64_t until = clock_monotonic_ms() + timeout_ms;
    *got = false;
    for (;;) {
        struct socket_frames frames;
        bool there;
        enum maille_code code = socket_take(socket, &frames, &there, error);
        if (code != MAILLE_OK)
            return code;
        if (there) {
            *got = read_frames(message, &frames, first) && accept(context, message, &frames);
            socket_frames_clear(&frames);
            if (*got)
                return MAILLE_OK;
            (*dropped)++;
            continue;
        }
        const int64_t left = until - clock_monotonic_ms();
        if (left <= 0 || !socket_wait(socket, left))
            return MAILLE_OK;
    }
}

/* One frame; EAGAIN and EHOSTUNREACH mean "not there" and can only come at the first. */
static enum maille_code send_frame(void *socket, const void *data, size_t length, bool more, bool *sent,
                                   struct maille_error *error)
{
    int done;
    do
        done = zmq_send(socket, data, length, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
    while (done < 0 && zmq_errno() == EINTR);
    *sent = done >= 0;
    if (done < 0 && zmq_errno() != EAGAIN && zmq_errno() != EHOSTUNREACH)
        return maille_fail(error, MAILLE_INTERNAL, "expected to send, found: %s", zmq_strerror(zmq_errno()));
    return MAILLE_OK;
}

enum maille_code socket_send(void *socket, const void *address, size_t address_length, const void *envelope,
                             size_t length, const void *frame, size_t frame_length, bool *sent,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    bool done = true;
    if (address != NULL)
        code = send_frame(socket, address, address_length, true, &done, error);
    if (code == MAILLE_OK && done)
        code = send_frame(socket, envelope, length, frame != NULL, &done, error);
    if (code == MAILLE_OK && done && frame != NULL)
        code = send_frame(socket, frame, frame_length, false, &done, error);
    if (code == MAILLE_OK)
        *sent = done;
    return code;
}

enum maille_code socket_room(struct maille_error *error)
{
    enum { DESCRIPTORS_LEAST = 64, DESCRIPTORS_WANTED = 65536 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return MAILLE_OK;
    if (limit.rlim_cur < DESCRIPTORS_WANTED) {
        struct rlimit more = limit;
        more.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            limit = more;
    }
    if (limit.rlim_cur >= DESCRIPTORS_LEAST)
        return MAILLE_OK;
    return maille_fail(error, MAILLE_INVALID,
                       "expected a limit of at least %d open files, found %llu; raise it: ulimit -n %d",
                       DESCRIPTORS_LEAST, (unsigned long long)limit.rlim_cur, DESCRIPTORS_WANTED);
}

/* Whether a packet for an address of this family of the host would have a way to go; none is sent. */
static bool has_route(const char *host, const char *port, int family)
{
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    bool routed = false;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return false;
    for (const struct addrinfo *at = found; at != NULL && !routed; at = at->ai_next) {
        const int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
        routed = fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0;
        if (fd >= 0)
            close(fd);
    }
    freeaddrinfo(found);
    return routed;
}

enum maille_code socket_family(void *socket, const char *endpoint, bool server, bool *other,
                               struct maille_error *error)
{
    char host[256];
    const char *begin = endpoint + strlen("tcp://"), *port = strrchr(begin, ':');
    bool ipv6 = begin[0] == '[' || (server && strncmp(begin, "*:", 2) == 0);
    *other = false;
    if (!ipv6 && !server && port != NULL && (size_t)(port - begin) < sizeof host) {
        snprintf(host, sizeof host, "%.*s", (int)(port - begin), begin);
        const bool four = has_route(host, port + 1, AF_INET), six = has_route(host, port + 1, AF_INET6);
        ipv6 = !four && six;
        *other = four && six;
    }
    return ipv6 ? socket_set_int(socket, ZMQ_IPV6, 1, error) : MAILLE_OK;
}

enum maille_code wire_endpoint_local(char *out, const char *endpoint, struct maille_error *error)
{
    const struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM},
                          any = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[256], address[INET6_ADDRSTRLEN + 16];
    const char *begin = endpoint + strlen("tcp://"), *port = strrchr(endpoint, ':');
    snprintf(out, WIRE_ENDPOINT_BYTES, "%s", endpoint);
    if (strncmp(endpoint, "tcp://", 6) != 0 || port < begin || port - begin >= (long)sizeof host ||
        begin[0] == '[')
        return MAILLE_OK;
    snprintf(host, sizeof host, "%.*s", (int)(port - begin), begin);
    if (strchr(host, '*') != NULL || strchr(host, ';') != NULL || if_nametoindex(host) != 0)
        return MAILLE_OK;
    if (getaddrinfo(host, NULL, &numeric, &found) == 0) {
        freeaddrinfo(found);
        return MAILLE_OK;
    }
    const int fault = getaddrinfo(host, NULL, &any, &found);
    if (fault != 0)
        return maille_fail(error, MAILLE_UNREACHABLE, "expected an address of this host, found %s: %s", host,
                           gai_strerror(fault));
    const bool six = found->ai_family == AF_INET6;
    const int told =
        getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    if (told != 0)
        return maille_fail(error, MAILLE_UNREACHABLE, "expected an address of %s, found: %s", host,
                           gai_strerror(told));
    snprintf(out, WIRE_ENDPOINT_BYTES, "tcp://%s%s%s%s", six ? "[" : "", address, six ? "]" : "", port);
    return MAILLE_OK;
}
