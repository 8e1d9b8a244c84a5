/* Whose a connection is: rows of the kernel's tables, and a real connection of this process's own. */
#include "base/test.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/peer.h"

enum { PORT = 8123, FROM = 40000, USER = 1000 };

static struct sockaddr_in from_here(unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* As the kernel writes a row, with addresses in this machine's order. */
static const char *row(char out[256], const char *before, uint32_t near, unsigned near_port,
                       unsigned far_port, unsigned state, unsigned owner)
{
    snprintf(out, 256,
             "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout\n"
             "   7: %s%08X:%04X %s%08X:%04X %02X 00000000:00000000 00:00000000 00000000  %u        0 42\n",
             before, (unsigned)near, near_port, before, (unsigned)htonl(INADDR_LOOPBACK), far_port, state,
             owner);
    return out;
}

static void rows_are_read(void **state)
{
    const struct sockaddr_in from = from_here(FROM);
    const uint32_t here = htonl(INADDR_LOOPBACK);
    char table[256], mapped[32];
    (void)state;
    snprintf(mapped, sizeof mapped, "0000000000000000%08X", (unsigned)htonl(0xffff));
    assert_true(peer_in_table(row(table, "", here, FROM, PORT, 1, USER), &from, PORT, USER));
    assert_true(peer_in_table(row(table, mapped, here, FROM, PORT, 1, USER), &from, PORT, USER));
    assert_true(peer_in_table(row(table, "", here, FROM, PORT, 1, 0), &from, PORT, USER)); /* root's */
    assert_false(peer_in_table(row(table, "", here, FROM, PORT, 1, USER + 1), &from, PORT, USER));
    assert_false(peer_in_table(row(table, mapped, here, FROM, PORT, 1, USER + 1), &from, PORT, USER));
    assert_false(
        peer_in_table(row(table, "", here, FROM, PORT, 4, 0), &from, PORT, USER)); /* closed: no user */
    assert_false(peer_in_table(row(table, "", here, FROM, PORT, 6, 0), &from, PORT, USER));
    assert_false(peer_in_table(row(table, "", here, FROM + 1, PORT, 1, USER), &from, PORT, USER));
    assert_false(peer_in_table(row(table, "", here, FROM, PORT + 1, 1, USER), &from, PORT, USER));
    assert_false(
        peer_in_table(row(table, "", htonl(INADDR_LOOPBACK + 1), FROM, PORT, 1, USER), &from, PORT, USER));
    assert_false(peer_in_table("", &from, PORT, USER));
}

static void own_connections_are_found(void **state)
{
    static const int families[] = {AF_INET, AF_INET6};
    struct maille_error error = {0};
    struct peer_tables tables;
    struct sockaddr_in to = from_here(0), from;
    socklen_t length = sizeof to;
    const int ear = socket(AF_INET, SOCK_STREAM, 0);
    (void)state;
    assert_ok(peer_open(&tables, &error), &error);
    assert_int_equal(bind(ear, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(listen(ear, 4), 0);
    assert_int_equal(getsockname(ear, (struct sockaddr *)&to, &length), 0);
    const unsigned port = ntohs(to.sin_port);
    for (int i = 0; i < 2 && tables.fds[i] >= 0; i++) { /* an IPv6 socket may speak to 127.0.0.1 as well */
        struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = to.sin_port};
        inet_pton(AF_INET6, "::ffff:127.0.0.1", &six.sin6_addr);
        const int caller = socket(families[i], SOCK_STREAM, 0);
        assert_int_equal(i == 0 ? connect(caller, (const struct sockaddr *)&to, sizeof to)
                                : connect(caller, (const struct sockaddr *)&six, sizeof six),
                         0);
        length = sizeof from;
        const int taken = accept(ear, (struct sockaddr *)&from, &length);
        assert_true(taken >= 0);
        assert_true(peer_is_own(&tables, &from, port));
        assert_false(peer_is_own(&tables, &from, port + 1));
        close(caller);
        assert_false(peer_is_own(&tables, &from, port)); /* who has hung up is nobody */
        close(taken);
    }
    close(ear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_read),
                                       cmocka_unit_test(own_connections_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
