/* A flood at the coordinator of a sandbox: peers whom the directory knows and who hang up and dial anew, and
 * strangers whom it does not know and who never stop dialling. Loopback addresses alone; it ends after
 * SECONDS.
 *
 *     load_flood NET KNOWN STRANGERS SECONDS
 *
 * NET: the sandbox's folder; the known ones are written into its directory as researchers, signed by its
 * authority. Prints a line "ready" when the flood begins, and what came of it at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/file.h"
#include "proto/directory.h"
#include "proto/message.h"

enum {
    PEERS_MAX = 4000,
    RELOAD_MS = 6000,
    TURN_MS = 10,
    WELCOMED_MS = 1000,
    PATIENT_MS = 20000,
    RECONNECT_MS = 100
};

struct peer {
    struct secret_keys *keys;
    void *socket;
    bool known, heard;
    int64_t until_ms; /* when it hangs up */
};

static _Noreturn void stop(const char *what)
{
    fprintf(stderr, "load_flood: %s\n", what);
    exit(1);
}

static void must(enum maille_code code, const struct maille_error *error)
{
    if (code != MAILLE_OK)
        stop(error->sentence);
}

/* The directory with the known ones, signed anew. */
static void write_directory(const char *net, const struct peer *peers, size_t n)
{
    struct maille_error error = {0};
    struct bytes text = {0}, out = {0};
    struct secret_keys *authority = NULL;
    char path[512], credential[512];
    snprintf(path, sizeof path, "%s/authority.key", net);
    snprintf(credential, sizeof credential, "%s/credential", net);
    must(keyfile_read(&authority, path, &(struct key_unlock){.credential_path = credential}, &error), &error);
    snprintf(path, sizeof path, "%s/network.yaml", net);
    must(file_read(&text, path, 1 << 20, &error), &error);
    bytes_put_u8(&text, 0);
    char *end = strstr((char *)text.data, "# maille-signature"),
         *version = strstr((char *)text.data, "version: "),
         *sites = strstr((char *)text.data, "researchers:\n");
    if (end == NULL || version == NULL || sites == NULL)
        stop("expected the directory of a sandbox");
    *end = '\0';
    char *rest = strchr(version, '\n');
    const unsigned long number = strtoul(version + strlen("version: "), NULL, 10);
    sites += strlen("researchers:\n");
    bytes_printf(&out, "%.*sversion: %lu%.*s", (int)(version - (char *)text.data), (char *)text.data,
                 number + 1, (int)(sites - rest), rest);
    for (size_t i = 0; i < n; i++) {
        char identity[2 * PUBLIC_BYTES + 1], transport[2 * PUBLIC_BYTES + 1];
        const struct public_keys *keys = secret_keys_public(peers[i].keys);
        bytes_to_hex(identity, keys->identity, PUBLIC_BYTES);
        bytes_to_hex(transport, keys->transport, PUBLIC_BYTES);
        bytes_printf(&out, "  - { name: %s, identity: %s, transport: %s }\n", secret_keys_name(peers[i].keys),
                     identity, transport);
    }
    bytes_put_text(&out, sites);
    must(directory_sign(&out, out.length, authority, &error), &error);
    must(file_write_atomic(path, out.data, out.length, 0644, &error), &error);
    secret_keys_free(authority);
    bytes_clear(&text);
    bytes_clear(&out);
}

static const struct directory *read_directory(const char *net)
{
    static struct arena *arena;
    static struct bytes text;
    const struct directory *directory;
    struct maille_error error = {0};
    char path[512];
    arena = arena_new();
    snprintf(path, sizeof path, "%s/network.yaml", net);
    must(file_read(&text, path, 1 << 20, &error), &error);
    must(directory_parse(&directory, arena, path, (const char *)text.data, text.length, &error), &error);
    return directory;
}

static void say_hello(const struct peer *peer, uint64_t version)
{
    struct bytes body = {0}, envelope = {0};
    const struct message_hello hello = {.name = secret_keys_name(peer->keys),
                                        .build = "flood",
                                        .directory_version = version,
                                        .wire = PROTOCOL_VERSION};
    if (message_hello_encode(&body, &hello, NULL) != MAILLE_OK ||
        envelope_encode(&envelope, MESSAGE_HELLO, peer->keys, hello.name, &body, NULL) != MAILLE_OK)
        stop("no memory");
    (void)!zmq_send(peer->socket, envelope.data, envelope.length, ZMQ_DONTWAIT);
    bytes_clear(&body);
    bytes_clear(&envelope);
}

static void dial(void *context, struct peer *peer, const struct directory *directory)
{
    static const int no = 0, again = RECONNECT_MS;
    uint8_t secret[KEY_BYTES];
    secret_keys_transport(secret, peer->keys);
    peer->socket = zmq_socket(context, ZMQ_DEALER);
    if (peer->socket == NULL || zmq_setsockopt(peer->socket, ZMQ_LINGER, &no, sizeof no) != 0 ||
        zmq_setsockopt(peer->socket, ZMQ_RECONNECT_IVL, &again, sizeof again) != 0 ||
        zmq_setsockopt(peer->socket, ZMQ_CURVE_SERVERKEY, directory->coordinator.keys.transport,
                       PUBLIC_BYTES) != 0 ||
        zmq_setsockopt(peer->socket, ZMQ_CURVE_PUBLICKEY, secret_keys_public(peer->keys)->transport,
                       PUBLIC_BYTES) != 0 ||
        zmq_setsockopt(peer->socket, ZMQ_CURVE_SECRETKEY, secret, KEY_BYTES) != 0 ||
        zmq_connect(peer->socket, directory->coordinator.endpoint) != 0)
        stop(zmq_strerror(zmq_errno()));
    peer->heard = false;
    say_hello(peer, directory->version);
}

/* They come, hang up and dial anew for so long, and all hang up. */
static void wave(void *context, struct peer *peers, size_t n, size_t known, const struct directory *directory,
                 int64_t ms)
{
    uint64_t dialled = 0, welcomed = 0, heard_by_strangers = 0;
    const int64_t end_ms = clock_monotonic_ms() + ms;
    for (int64_t now_ms; (now_ms = clock_monotonic_ms()) < end_ms; usleep(TURN_MS * 1000))
        for (size_t i = 0; i < n; i++) {
            struct peer *peer = &peers[i];
            if (peer->socket != NULL && peer->known && now_ms >= peer->until_ms) {
                zmq_close(peer->socket);
                peer->socket = NULL;
            }
            if (peer->socket == NULL) {
                dial(context, peer, directory);
                peer->until_ms = now_ms + PATIENT_MS;
                dialled++;
            }
            zmq_msg_t message;
            zmq_msg_init(&message);
            while (zmq_msg_recv(&message, peer->socket, ZMQ_DONTWAIT) >= 0) {
                if (peer->known && !peer->heard)
                    peer->until_ms = now_ms + WELCOMED_MS + (int64_t)(i % 100) * 20, welcomed++;
                heard_by_strangers += !peer->known;
                peer->heard = true;
            }
            zmq_msg_close(&message);
        }
    for (size_t i = 0; i < n; i++) {
        zmq_close(peers[i].socket);
        peers[i].socket = NULL;
    }
    printf("%zu known dialled %llu times, %llu were welcomed; %zu strangers heard %llu messages\n", known,
           (unsigned long long)dialled, (unsigned long long)welcomed, n - known,
           (unsigned long long)heard_by_strangers);
    fflush(stdout);
    if (welcomed == 0 || heard_by_strangers > 0)
        stop("expected known peers alone to be welcomed");
}

int main(int argc, char **argv)
{
    static struct peer peers[PEERS_MAX];
    if (argc != 5) {
        fprintf(stderr, "usage: %s NET KNOWN STRANGERS SECONDS\n", argv[0]);
        return 2;
    }
    const size_t known = strtoul(argv[2], NULL, 10), n = known + strtoul(argv[3], NULL, 10);
    const int64_t seconds = atoi(argv[4]);
    if (n > PEERS_MAX || seconds <= 0 || seconds > 3600)
        stop("expected at most 4000 peers, for at most 3600 seconds");
    struct maille_error error = {0};
    must(crypto_start(&error), &error);
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "peer-%zu", i);
        must(secret_keys_new(&peers[i].keys, KEY_RESEARCHER, name, &error), &error);
        peers[i].known = i < known;
    }
    write_directory(argv[1], peers, known);
    const struct directory *directory = read_directory(argv[1]);
    usleep(RELOAD_MS * 1000);
    void *context = zmq_ctx_new();
    if (context == NULL || zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 2 * PEERS_MAX) != 0)
        stop("no context of ZeroMQ");
    printf("ready\n");
    fflush(stdout);
    char line[16];
    do
        wave(context, peers, n, known, directory, 1000 * seconds);
    while (fgets(line, sizeof line, stdin) != NULL);
    for (size_t i = 0; i < n; i++)
        secret_keys_free(peers[i].keys);
    zmq_ctx_term(context);
    return 0;
}
