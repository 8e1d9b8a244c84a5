/* wire/way_dial.h: what a proxy says (HTTP CONNECT, SOCKS5), and how it is written in worker.yaml. A thread
 * of this process is the proxy: it says the bytes behind the first and hangs up. The first byte says which
 * kind it is, and whether there is a password. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "wire/way_dial.h"

static int listening = -1;
static char port[8];

struct said {
    const uint8_t *data;
    size_t size;
};

static void *proxy(void *context)
{
    const struct said *said = context;
    char heard[4096];
    const int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (said->size > 0)
        (void)!send(fd, said->data, said->size, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    while (read(fd, heard, sizeof heard) > 0)
        ;
    close(fd);
    return NULL;
}

static void listens(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    if (listening >= 0)
        return;
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listening < 0 || bind(listening, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(listening, 16) != 0 || getsockname(listening, (struct sockaddr *)&at, &length) != 0)
        fuzz_fail("a port of this machine");
    snprintf(port, sizeof port, "%d", ntohs(at.sin_port));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct way_proxy way = {0};
    struct maille_error error = {0};
    char text[600], why[512] = "";
    pthread_t thread;
    if (size == 0)
        return 0;
    snprintf(text, sizeof text, "%.*s", (int)(size - 1 < 599 ? size - 1 : 599), (const char *)data + 1);
    if (way_proxy_read(&way, text, &error) != MAILLE_OK && error.sentence[0] == '\0')
        fuzz_fail("a sentence with an error");
    char words[512];
    way_greeting_words(words, sizeof words, way_greeting(size > 1 ? data + 1 : NULL), "h", "1", NULL);
    listens();
    way = (struct way_proxy){.socks5 = (data[0] & 1) != 0, .host = "127.0.0.1"};
    memcpy(way.port, port, sizeof port);
    if ((data[0] & 2) != 0) {
        snprintf(way.user, sizeof way.user, "user:password");
        way.colon = 4;
    }
    struct said said = {data + 1, size - 1};
    if (pthread_create(&thread, NULL, proxy, &said) != 0)
        fuzz_fail("a thread");
    const int fd = way_dial(&way, (data[0] & 4) != 0 ? "2001:db8::1" : "coordinator.example", "9700", -1, why,
                            sizeof why);
    if (fd < 0 && why[0] == '\0')
        fuzz_fail("a sentence");
    if (fd >= 0)
        close(fd);
    pthread_join(thread, NULL);
    return 0;
}
