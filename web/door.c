#include "web/door.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct type {
    const char *name;
} types[] = {
    [DOOR_HTML] = {"text/html; charset=utf-8"},
    [DOOR_JSON] = {"application/json"},
    [DOOR_EVENTS] = {"text/event-stream"},
    [DOOR_CSS] = {"text/css; charset=utf-8"},
    [DOOR_SVG] = {"image/svg+xml"},
    [DOOR_PDF] = {"application/pdf"},
    [DOOR_PNG] = {"image/png"},
    [DOOR_CSV] = {"text/csv; charset=utf-8"},
    [DOOR_TEXT] = {"text/plain; charset=utf-8"},
    [DOOR_TAR] = {"application/x-tar"},
};
_Static_assert(sizeof types / sizeof *types == DOOR_TYPES, "a name for each type");

static const unsigned statuses[] = {200, 303, 400, 403, 404, 409, 500, 503};

const char *door_type_name(enum door_type type)
{
    return types[type].name;
}

static bool is_of(const char *text, const char *characters)
{
    return text[strspn(text, characters)] == '\0';
}

bool door_is_path(const char *path)
{
    return path[0] == '/' && strstr(path, "..") == NULL &&
           is_of(path, "abcdefghijklmnopqrstuvwxyz0123456789/._-");
}

bool door_is_word(const char *text)
{
    return is_of(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
}

static bool is_query(const char *text)
{
    return is_of(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-=&");
}

bool door_write(int fd, const void *data, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        const ssize_t n = send(fd, (const char *)data + sent, length - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t length)
{
    for (size_t got = 0; got < length;) {
        const ssize_t n = recv(fd, (char *)data + got, length - got, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

/* --- requests: LE64 length of what follows; u32 post, u32 language, path, query, body --- */

bool door_request_write(int fd, const struct door_request *request)
{
    struct bytes text = {0}, framed = {0};
    bytes_put_u32(&text, request->post);
    bytes_put_u32(&text, request->language);
    bytes_put_string(&text, request->path);
    bytes_put_string(&text, request->query);
    bytes_put_block(&text, request->body.data, request->body.length);
    bytes_put_block(&framed, text.data, text.length);
    const bool done = !text.failed && !framed.failed && door_write(fd, framed.data, framed.length);
    bytes_clear(&text);
    bytes_clear(&framed);
    return done;
}

static void take_text(struct reader *reader, char *out, size_t size)
{
    size_t length;
    const uint8_t *text = reader_block(reader, size - 1, &length);
    out[0] = '\0';
    if (text == NULL || memchr(text, 0, length) != NULL)
        return;
    memcpy(out, text, length);
    out[length] = '\0';
}

bool door_request_read(int fd, struct door_request *request)
{
    enum { AROUND = 64 };
    uint8_t head[8];
    struct bytes text = {0};
    bool done = false;
    *request = (struct door_request){0};
    if (!read_all(fd, head, sizeof head))
        return false;
    const uint64_t length = le64_load(head);
    if (length > DOOR_BODY_MAX + DOOR_PATH_MAX + DOOR_QUERY_MAX + AROUND)
        return false;
    uint8_t *room = bytes_reserve(&text, (size_t)length);
    if (room == NULL || !read_all(fd, room, (size_t)length))
        goto out;
    struct reader reader = reader_of(text.data, text.length);
    size_t body_length;
    request->post = reader_u32(&reader) == 1;
    request->language = reader_u32(&reader) == LANGUAGE_FR ? LANGUAGE_FR : LANGUAGE_EN;
    take_text(&reader, request->path, sizeof request->path);
    take_text(&reader, request->query, sizeof request->query);
    const uint8_t *body = reader_block(&reader, DOOR_BODY_MAX, &body_length);
    done = body != NULL && reader_done(&reader) && door_is_path(request->path) && is_query(request->query) &&
           bytes_copy(&request->body, body, body_length) == MAILLE_OK;
out:
    bytes_clear(&text);
    return done;
}

/* --- replies: u32 status, u32 type, name of DOOR_NAME_MAX bytes --- */

enum { REPLY_BYTES = 8 + DOOR_NAME_MAX };

bool door_reply_write(int fd, const struct door_reply *reply)
{
    struct bytes text = {0};
    bytes_put_u32(&text, reply->status);
    bytes_put_u32(&text, reply->type);
    bytes_put(&text, reply->name, sizeof reply->name);
    const bool done = !text.failed && door_write(fd, text.data, text.length);
    bytes_clear(&text);
    return done;
}

bool door_reply_read(int fd, struct door_reply *reply)
{
    uint8_t text[REPLY_BYTES];
    bool known = false;
    if (!read_all(fd, text, sizeof text))
        return false;
    struct reader reader = reader_of(text, sizeof text);
    reply->status = reader_u32(&reader);
    const uint32_t type = reader_u32(&reader);
    memcpy(reply->name, reader_take(&reader, DOOR_NAME_MAX), DOOR_NAME_MAX);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        known = known || statuses[i] == reply->status;
    if (!known || type >= DOOR_TYPES || reply->name[DOOR_NAME_MAX - 1] != '\0')
        return false;
    reply->type = (enum door_type)type;
    return reply->status == 303 ? reply->name[0] == '/' && reply->name[1] != '/' : door_is_word(reply->name);
}

/* --- descriptors --- */

bool door_pass(int control, int fd)
{
    char mark = 'R', space[CMSG_SPACE(sizeof fd)] __attribute__((aligned(sizeof(struct cmsghdr)))) = {0};
    struct iovec one = {&mark, 1};
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(control, &message, MSG_NOSIGNAL) == 1;
}

int door_take(int control)
{
    int fd = -1;
    char mark, space[CMSG_SPACE(sizeof fd)] __attribute__((aligned(sizeof(struct cmsghdr)))) = {0};
    /* Room for one: the padding would hold a second, which nobody would close. */
    struct iovec one = {&mark, 1};
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = space, .msg_controllen = CMSG_LEN(sizeof fd)};
    if (recvmsg(control, &message, MSG_CMSG_CLOEXEC) != 1)
        return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

bool door_random(char digits[DOOR_TICKET_DIGITS + 1])
{
    uint8_t random[DOOR_TICKET_DIGITS / 2];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return false;
    bytes_to_hex(digits, random, sizeof random);
    explicit_bzero(random, sizeof random);
    return true;
}
