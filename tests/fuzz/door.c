/* web/door.h: what the program that speaks HTTP, which a browser may have taken over, asks of the one with
 * the key ("q"), and what that one answers ("a"). What is read can be written, and is the same again. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "web/door.h"

static void pair(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        fuzz_fail("a pair of sockets");
}

/* An end at which these bytes stand, and nothing more comes. */
static int written(const uint8_t *data, size_t size)
{
    int ends[2];
    pair(ends);
    if (size > 0 && send(ends[1], data, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        fuzz_fail("bytes in a socket");
    close(ends[1]);
    return ends[0];
}

static void request_of(const uint8_t *data, size_t size)
{
    struct door_request request, again = {0};
    int ends[2], passed = -1;
    const int end = written(data, size);
    if (!door_request_read(end, &request))
        goto out;
    if (!door_is_path(request.path))
        fuzz_fail("a path");
    pair(ends);
    /* It comes along a control socket, as requests do. */
    if (!door_pass(ends[0], ends[1]) || (passed = door_take(ends[1])) < 0 ||
        !door_request_write(ends[0], &request) || !door_request_read(passed, &again) ||
        again.post != request.post || again.language != request.language ||
        strcmp(again.path, request.path) != 0 || strcmp(again.query, request.query) != 0 ||
        again.body.length != request.body.length ||
        (again.body.length > 0 && memcmp(again.body.data, request.body.data, again.body.length) != 0))
        fuzz_fail("the request that was read");
    close(ends[0]);
    close(ends[1]);
    close(passed);
out:
    close(end);
    bytes_clear(&request.body);
    bytes_clear(&again.body);
}

static void reply_of(const uint8_t *data, size_t size)
{
    struct door_reply reply, again;
    int ends[2];
    const int end = written(data, size);
    if (door_reply_read(end, &reply)) {
        pair(ends);
        if (door_type_name(reply.type)[0] == '\0' || !door_reply_write(ends[0], &reply) ||
            !door_reply_read(ends[1], &again) || again.status != reply.status || again.type != reply.type ||
            strcmp(again.name, reply.name) != 0)
            fuzz_fail("the reply that was read");
        close(ends[0]);
        close(ends[1]);
    }
    close(end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MORE_THAN_A_SOCKET_HOLDS = 1 << 16 };
    if (size == 0 || size > MORE_THAN_A_SOCKET_HOLDS)
        return 0;
    const int end = written(data + 1, size - 1);
    const int taken = door_take(end);
    if (taken >= 0)
        fuzz_fail("no descriptor where none was passed");
    close(end);
    if (data[0] == 'q')
        request_of(data + 1, size - 1);
    else
        reply_of(data + 1, size - 1);
    return 0;
}
