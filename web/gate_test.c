/* Who gets in: each rule of gate.c by itself, with everything else as it should be. */
#include "base/test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/gate.h"

enum { PORT = 8123 };

static struct gate made(void)
{
    struct maille_error error = {0};
    struct gate gate = {.port = PORT};
    assert_ok(gate_start(&gate, &error), &error);
    return gate;
}

static struct gate_request reading(const char *cookie)
{
    return (struct gate_request){.method = "GET",
                                 .path = "/",
                                 .host = "127.0.0.1:8123",
                                 .fetch_site = "same-origin",
                                 .cookie = cookie};
}

static struct gate_request posting(const char *cookie)
{
    struct gate_request request = reading(cookie);
    request.method = "POST";
    request.path = "/check";
    request.origin = "http://127.0.0.1:8123";
    request.marker = "page";
    request.content_type = "application/x-maille";
    request.content_length = "10";
    return request;
}

static const char *cookie_of(const struct gate *gate, char out[256])
{
    snprintf(out, 256, "other=1; %s=%s; last=2", gate->cookie_name, gate->cookie);
    return out;
}

static void a_session_reads_and_posts(void **state)
{
    struct gate gate = made();
    char cookie[256];
    (void)state;
    const struct gate_request get = reading(cookie_of(&gate, cookie)), post = posting(cookie);
    assert_int_equal(gate_judge(&gate, &get, 0), 200);
    assert_int_equal(gate_judge(&gate, &post, 0), 200);
    assert_string_equal(gate.cookie_name, "maille-8123");
}

/* One field differs from what is right, and that alone is refused. */
static void each_rule_by_itself(void **state)
{
    struct gate gate = made();
    char cookie[256], wrong[256], prefixed[256];
    (void)state;
    cookie_of(&gate, cookie);
    const struct gate_request good = posting(cookie);
    struct gate_request bad;
#define REFUSED(field, value, status)                                                                        \
    do {                                                                                                     \
        bad = good;                                                                                          \
        bad.field = (value);                                                                                 \
        assert_int_equal(gate_judge(&gate, &bad, 0), (status));                                              \
    } while (0)
    REFUSED(host, NULL, 421);
    REFUSED(host, "evil.example:8123", 421);
    REFUSED(host, "127.0.0.1:8124", 421);
    REFUSED(host, "127.0.0.1", 421);
    REFUSED(host, "localhost:8123", 421); /* may be another's, at ::1 */
    REFUSED(host, "[::1]:8123", 421);
    REFUSED(host, "127.0.0.1.evil.example:8123", 421);
    REFUSED(method, "PUT", 405);
    REFUSED(method, "OPTIONS", 405);
    REFUSED(origin, "http://evil.example", 403);
    REFUSED(origin, "http://127.0.0.1:8124", 403);
    REFUSED(origin, "https://127.0.0.1:8123", 403);
    REFUSED(origin, "http://localhost:8123", 403); /* another name than in Host */
    REFUSED(origin, "null", 403);
    REFUSED(fetch_site, "cross-site", 403);
    REFUSED(fetch_site, "same-site", 403);
    REFUSED(path, "/../secret", 404);
    REFUSED(path, "/Check", 404);
    REFUSED(cookie, NULL, 401);
    REFUSED(cookie, "", 401);
    REFUSED(marker, NULL, 403);
    REFUSED(marker, "1", 403);
    REFUSED(content_type, "text/plain", 415);
    REFUSED(content_type, NULL, 415);
    REFUSED(content_length, NULL, 411);
    REFUSED(content_length, "-1", 400);
    REFUSED(content_length, "ten", 400);
    REFUSED(content_length, "99999999999999999999999", 400);
    REFUSED(content_length, "1048577", 413);
    REFUSED(twice, true, 400);
    REFUSED(coding, "chunked", 400); /* beside a length */
    snprintf(wrong, sizeof wrong, "%s=%.63s%c", gate.cookie_name, gate.cookie,
             gate.cookie[63] == '0' ? '1' : '0');
    REFUSED(cookie, wrong, 401);
    snprintf(wrong, sizeof wrong, "%s=%.63s", gate.cookie_name, gate.cookie);
    REFUSED(cookie, wrong, 401);
    snprintf(prefixed, sizeof prefixed, "maille-81234=%s", gate.cookie);
    REFUSED(cookie, prefixed, 401);
#undef REFUSED
}

static void a_ticket_works_once(void **state)
{
    struct gate gate = made();
    char ticket[DOOR_TICKET_DIGITS + 1], other[DOOR_TICKET_DIGITS + 1];
    (void)state;
    assert_true(door_random(ticket));
    assert_true(door_random(other));
    struct gate_request enter = reading(NULL);
    enter.path = "/enter";
    enter.fetch_site = "none";
    enter.ticket = "";
    assert_int_equal(gate_judge(&gate, &enter, 0), 403); /* before there is one, an empty one is none */
    gate_ticket(&gate, ticket, 0);
    assert_int_equal(gate_judge(&gate, &enter, 1), 403);
    enter.ticket = other;
    assert_int_equal(gate_judge(&gate, &enter, 1), 403);
    enter.ticket = ticket;
    enter.fetch_site = "cross-site";
    assert_int_equal(gate_judge(&gate, &enter, 1), 403);
    enter.fetch_site = "none";
    assert_int_equal(gate_judge(&gate, &enter, 1), 303);
    assert_int_equal(gate_judge(&gate, &enter, 1), 403);
    gate_ticket(&gate, ticket, 0);
    assert_int_equal(gate_judge(&gate, &enter, GATE_TICKET_MS + 1), 403);
    gate_ticket(&gate, other, 0); /* takes the place of the first */
    assert_int_equal(gate_judge(&gate, &enter, 1), 403);
}

static void a_proxy_has_its_own_name_alone(void **state)
{
    struct maille_error error = {0};
    struct gate gate = {.host = "maille.hospital.example"};
    char cookie[256];
    (void)state;
    assert_ok(gate_start(&gate, &error), &error);
    assert_string_equal(gate.cookie_name, "__Host-maille");
    struct gate_request request = posting(cookie_of(&gate, cookie));
    request.host = "maille.hospital.example";
    request.origin = "https://maille.hospital.example";
    assert_int_equal(gate_judge(&gate, &request, 0), 200);
    request.origin = "http://maille.hospital.example";
    assert_int_equal(gate_judge(&gate, &request, 0), 403);
    request.origin = NULL;
    request.host = "127.0.0.1:0";
    assert_int_equal(gate_judge(&gate, &request, 0), 421);
}

static void door_takes_what_it_must(void **state)
{
    int ends[2], taken;
    struct door_request sent = {.post = true, .language = LANGUAGE_FR, .path = "/check", .query = "n=0001"},
                        got;
    struct door_reply reply = {.status = 200, .type = DOOR_CSV, .name = "os.csv"}, back;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    bytes_put_text(&sent.body, "study: x");
    assert_true(door_request_write(ends[0], &sent));
    assert_true(door_request_read(ends[1], &got));
    assert_true(got.post);
    assert_int_equal(got.language, LANGUAGE_FR);
    assert_string_equal(got.path, "/check");
    assert_string_equal(got.query, "n=0001");
    assert_memory_equal(got.body.data, "study: x", 8);
    bytes_clear(&got.body);
    snprintf(sent.path, sizeof sent.path, "/a/../b");
    assert_true(door_request_write(ends[0], &sent));
    assert_false(door_request_read(ends[1], &got));
    bytes_clear(&got.body);
    bytes_clear(&sent.body);
    assert_true(door_reply_write(ends[1], &reply));
    assert_true(door_reply_read(ends[0], &back));
    assert_int_equal(back.type, DOOR_CSV);
    assert_string_equal(back.name, "os.csv");
    reply.status = 302; /* not one of the door's */
    assert_true(door_reply_write(ends[1], &reply));
    assert_false(door_reply_read(ends[0], &back));
    reply = (struct door_reply){.status = 303, .name = "//evil.example"};
    assert_true(door_reply_write(ends[1], &reply));
    assert_false(door_reply_read(ends[0], &back));
    reply = (struct door_reply){.status = 200, .name = "a\r\nSet-Cookie: x"};
    assert_true(door_reply_write(ends[1], &reply));
    assert_false(door_reply_read(ends[0], &back));
    assert_true(door_pass(ends[0], ends[0]));
    taken = door_take(ends[1]);
    assert_true(taken >= 0);
    close(taken);
    close(ends[0]);
    close(ends[1]);
}

/* Whoever has taken maille-web over passes two at once: the second is not left open here. */
static void door_takes_one_descriptor(void **state)
{
    int ends[2], two[2], before, after;
    char mark = 'R', space[CMSG_SPACE(sizeof two)] __attribute__((aligned(sizeof(struct cmsghdr)))) = {0};
    struct iovec one = {&mark, 1};
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    two[0] = two[1] = ends[0];
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof two);
    memcpy(CMSG_DATA(header), two, sizeof two);
    assert_int_equal(sendmsg(ends[0], &message, 0), 1);
    assert_true((before = dup(ends[0])) >= 0); /* the lowest number that is free */
    close(before);
    const int taken = door_take(ends[1]);
    close(taken);
    assert_true((after = dup(ends[0])) >= 0);
    assert_int_equal(after, before);
    close(after);
    if (taken >= 0) { /* nor is a higher one open */
        assert_int_equal(taken, before);
        const int next = fcntl(ends[0], F_DUPFD, before + 1);
        assert_int_equal(next, before + 1);
        close(next);
    }
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_reads_and_posts), cmocka_unit_test(each_rule_by_itself),
        cmocka_unit_test(a_ticket_works_once),       cmocka_unit_test(a_proxy_has_its_own_name_alone),
        cmocka_unit_test(door_takes_what_it_must),   cmocka_unit_test(door_takes_one_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
