#include "worker/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum maille_code channel_pair(int ends[2], struct maille_error *error)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return maille_fail_errno(error, "cannot make a socketpair");
    return MAILLE_OK;
}

static void header_put(uint8_t header[CHANNEL_HEADER_BYTES], uint32_t kind, size_t length)
{
    for (int i = 0; i < 4; i++)
        header[i] = (uint8_t)(kind >> (8 * i));
    le64_store(header + 4, length);
}

static enum maille_code send_all(int end, const uint8_t *data, size_t length, struct maille_error *error)
{
    while (length > 0) {
        ssize_t sent = send(end, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            struct pollfd ready = {.fd = end, .events = POLLOUT};
            poll(&ready, 1, -1);
            continue;
        }
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            return maille_fail(error, MAILLE_INTERNAL,
                               "expected another process of this worker, found its end closed");
        if (sent < 0)
            return maille_fail_errno(error, "cannot write to another process of this worker");
        data += sent;
        length -= (size_t)sent;
    }
    return MAILLE_OK;
}

static enum maille_code receive_all(int end, uint8_t *data, size_t length, struct maille_error *error)
{
    while (length > 0) {
        ssize_t got = recv(end, data, length, MSG_WAITALL);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            struct pollfd ready = {.fd = end, .events = POLLIN};
            poll(&ready, 1, -1);
            continue;
        }
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            return maille_fail(error, MAILLE_INTERNAL,
                               "expected another process of this worker, found its end closed");
        if (got < 0)
            return maille_fail_errno(error, "cannot read from another process of this worker");
        data += got;
        length -= (size_t)got;
    }
    return MAILLE_OK;
}

enum maille_code channel_send(int end, uint32_t kind, const void *body, size_t length,
                              struct maille_error *error)
{
    uint8_t header[CHANNEL_HEADER_BYTES];
    header_put(header, kind, length);
    enum maille_code code = send_all(end, header, sizeof header, error);
    return code == MAILLE_OK ? send_all(end, body, length, error) : code;
}

enum maille_code channel_receive(int end, struct record *record, size_t limit, struct maille_error *error)
{
    uint8_t header[CHANNEL_HEADER_BYTES];
    struct bytes body = {0};
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(receive_all(end, header, sizeof header, error));
    struct reader reader = reader_of(header, sizeof header);
    uint32_t kind = reader_u32(&reader);
    uint64_t length = reader_u64(&reader);
    if (length > limit) {
        code = maille_fail(error, MAILLE_INTERNAL, "expected a record of at most %zu bytes, found %llu",
                           limit, (unsigned long long)length);
        goto out;
    }
    uint8_t *room = length > 0 ? bytes_reserve(&body, (size_t)length) : NULL;
    MAILLE_TRY(bytes_check(&body, error));
    MAILLE_TRY(receive_all(end, room, (size_t)length, error));
    bytes_wipe(&record->body);
    record->kind = kind;
    record->body = body;
    body = (struct bytes){0};
out:
    bytes_wipe(&body);
    return code;
}

enum maille_code channel_queue_put(struct channel_queue *queue, uint32_t kind, const void *body,
                                   size_t length, struct maille_error *error)
{
    uint8_t header[CHANNEL_HEADER_BYTES];
    header_put(header, kind, length);
    bytes_put(&queue->pending, header, sizeof header);
    bytes_put(&queue->pending, body, length);
    return bytes_check(&queue->pending, error);
}

enum maille_code channel_queue_flush(struct channel_queue *queue, int end, struct maille_error *error)
{
    while (queue->sent < queue->pending.length) {
        ssize_t sent = send(end, queue->pending.data + queue->sent, queue->pending.length - queue->sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return MAILLE_OK;
        if (sent < 0)
            return maille_fail(error, MAILLE_INTERNAL,
                               "expected another process of this worker, found its end closed");
        queue->sent += (size_t)sent;
    }
    channel_queue_clear(queue);
    return MAILLE_OK;
}

size_t channel_queue_left(const struct channel_queue *queue)
{
    return queue->pending.length - queue->sent;
}

void channel_queue_clear(struct channel_queue *queue)
{
    bytes_clear(&queue->pending);
    queue->sent = 0;
}
