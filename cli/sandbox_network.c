#include "cli/sandbox_network.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/files.h"
#include "cli/sandbox_process.h"
#include "wire/wire.h"

enum { CATALOGUE_EVERY_MS = 100 };

/* A port of 127.0.0.1 that nobody uses at this moment. */
static enum maille_code free_port(unsigned *port, struct maille_error *error)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        enum maille_code code = maille_fail_errno(error, "cannot find a free port of 127.0.0.1");
        if (fd >= 0)
            close(fd);
        return code;
    }
    close(fd);
    *port = ntohs(address.sin_port);
    return MAILLE_OK;
}

static const char *hex(struct arena *arena, const uint8_t key[PUBLIC_BYTES])
{
    char *text = arena_alloc(arena, 2 * PUBLIC_BYTES + 1);
    bytes_to_hex(text, key, PUBLIC_BYTES);
    return text;
}

static enum maille_code public_of(struct public_keys *keys, const char *path, struct maille_error *error)
{
    enum key_role role;
    char name[48];
    bool by_credential;
    return keyfile_header(&role, name, keys, &by_credential, path, error);
}

static enum maille_code make_keys(struct secret_keys **keys, enum key_role role, const char *name,
                                  const char *path, const char *credential, struct maille_error *error)
{
    const struct key_unlock unlock = {.credential_path = credential};
    enum maille_code code = secret_keys_new(keys, role, name, error);
    return code == MAILLE_OK ? keyfile_write(path, *keys, &unlock, error) : code;
}

enum maille_code sandbox_network_make(struct arena *arena, const char *dir, const char *network,
                                      const struct sandbox_site *sites, size_t n, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *authority = NULL, *researcher = NULL;
    struct bytes text = {0};
    struct public_keys coordinator;
    uint8_t signature[SIGNATURE_BYTES];
    char program[PATH_MAX], signature_hex[2 * SIGNATURE_BYTES + 1];
    unsigned port = 0;
    const char *credential = arena_printf(arena, "%s/credential", dir);
    MAILLE_TRY(make_keys(&authority, KEY_AUTHORITY, "sandbox-authority",
                         arena_printf(arena, "%s/authority.key", dir), credential, error));
    MAILLE_TRY(make_keys(&researcher, KEY_RESEARCHER, "researcher",
                         arena_printf(arena, "%s/researcher.key", dir), credential, error));
    MAILLE_TRY(free_port(&port, error));
    const char *endpoint = arena_printf(arena, "tcp://127.0.0.1:%u", port);
    const char *init[] = {program,
                          "init",
                          "--dir",
                          arena_printf(arena, "%s/coordinator", dir),
                          "--name",
                          "coordinator",
                          "--credential",
                          credential,
                          "--endpoint",
                          endpoint,
                          NULL};
    sandbox_program_path(program, "maille-coordinator");
    MAILLE_TRY(sandbox_program_run(init, error));
    MAILLE_TRY(public_of(&coordinator, arena_printf(arena, "%s/coordinator/coordinator.key", dir), error));

    const char *head = arena_printf(
        arena,
        "# The sandbox's directory. Timeouts are short because everything is on one machine.\n"
        "network: %s\nversion: 1\nquorum: 1\n"
        "authorities:\n  - { name: sandbox-authority, identity: %s }\n"
        "coordinator: { name: coordinator, endpoint: \"%s\", identity: %s, transport: %s }\n"
        "researchers:\n  - { name: researcher, identity: %s, transport: %s }\n"
        "cohorts: []\n"
        "registrations: any\n"
        "timeouts: { ready: 5s, accept: 5s, masked: 5s, reveal: 5s, lifetime: 7d, round_idle: 1h }\nsites:\n",
        network, hex(arena, secret_keys_public(authority)->identity), endpoint,
        hex(arena, coordinator.identity), hex(arena, coordinator.transport),
        hex(arena, secret_keys_public(researcher)->identity),
        hex(arena, secret_keys_public(researcher)->transport));
    bytes_put(&text, head, strlen(head));
    for (size_t s = 0; s < n; s++) {
        struct public_keys site, dpo;
        MAILLE_TRY(public_of(&site, arena_printf(arena, "%s/sites/%s/site.key", dir, sites[s].name), error));
        MAILLE_TRY(public_of(&dpo, arena_printf(arena, "%s/sites/%s/dpo.key", dir, sites[s].name), error));
        const char *line =
            arena_printf(arena,
                         "  - { id: %zu, name: %s, legal_entity: \"%s\", identity: %s, transport: %s, "
                         "dpo_identity: %s, dpo_box: %s }\n",
                         s + 1, sites[s].name, sites[s].name, hex(arena, site.identity),
                         hex(arena, site.transport), hex(arena, dpo.identity), hex(arena, dpo.box));
        bytes_put(&text, line, strlen(line));
    }
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(identity_sign(signature, authority, "directory", text.data, text.length, error));
    bytes_to_hex(signature_hex, signature, sizeof signature);
    const char *last = arena_printf(arena, "# maille-signature: sandbox-authority %s\n", signature_hex);
    bytes_put(&text, last, strlen(last));
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(
        file_write_atomic(arena_printf(arena, "%s/network.yaml", dir), text.data, text.length, 0600, error));
out:
    secret_keys_free(authority);
    secret_keys_free(researcher);
    bytes_clear(&text);
    return code;
}

/* Marks the sites that a catalogues message names; returns how many of the directory's are there. */
static enum maille_code mark_sites(bool *there, const struct directory *directory,
                                   const struct wire_message *message, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct envelope envelope;
    struct message_catalogues catalogues;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(envelope_decode(&envelope, arena, message->envelope.data, message->envelope.length, error));
    if (envelope.kind != MESSAGE_CATALOGUES)
        goto out;
    MAILLE_TRY(message_catalogues_decode(&catalogues, arena, envelope.body, envelope.body_length, error));
    for (size_t c = 0; c < catalogues.n; c++) {
        struct envelope inner;
        MAILLE_TRY(envelope_decode(&inner, arena, catalogues.envelopes[c].data,
                                   catalogues.envelopes[c].length, error));
        const struct directory_site *site = directory_site_named(directory, inner.from);
        if (site != NULL && envelope_verified(&inner, site->keys.identity))
            there[site - directory->sites] = true;
    }
out:
    arena_free(arena);
    return code;
}

enum maille_code sandbox_network_wait(struct arena *arena, const char *dir, int timeout_ms,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *keys = NULL;
    struct wire_client *client = NULL;
    struct wire_message message = {0};
    struct bytes request = {0};
    const struct bytes nothing = {0};
    const struct directory *directory;
    size_t missing = 0;
    int64_t end = clock_monotonic_ms() + timeout_ms, asked = 0;
    MAILLE_TRY(cli_read_network(&directory, arena, arena_printf(arena, "%s/network.yaml", dir), error));
    MAILLE_TRY(cli_read_keys(&keys, KEY_RESEARCHER, arena_printf(arena, "%s/researcher.key", dir),
                             arena_printf(arena, "%s/credential", dir), error));
    MAILLE_TRY(wire_client_open(&client, directory->coordinator.endpoint,
                                directory->coordinator.keys.transport, keys, error));
    MAILLE_TRY(
        envelope_encode(&request, MESSAGE_CATALOGUE_REQUEST, NULL, secret_keys_name(keys), &nothing, error));
    bool *there = arena_array(arena, directory->n_sites + 1, sizeof *there);
    do {
        bool got = false;
        MAILLE_TRY(
            sandbox_daemon_check(arena_printf(arena, "%s/coordinator", dir), "the coordinator", 0, error));
        for (size_t s = 0; s < directory->n_sites; s++)
            MAILLE_TRY(sandbox_daemon_check(arena_printf(arena, "%s/sites/%s", dir, directory->sites[s].name),
                                            directory->sites[s].name, 0, error));
        if (clock_monotonic_ms() - asked >= CATALOGUE_EVERY_MS) {
            MAILLE_TRY(wire_client_send(client, request.data, request.length, NULL, 0, error));
            asked = clock_monotonic_ms();
        }
        MAILLE_TRY(wire_client_receive(client, &message, 20, &got, error));
        if (got)
            MAILLE_TRY(mark_sites(there, directory, &message, error));
        missing = 0;
        for (size_t s = 0; s < directory->n_sites; s++)
            missing += !there[s];
    } while (missing > 0 && clock_monotonic_ms() < end);
    for (size_t s = 0; s < directory->n_sites && missing > 0; s++)
        if (!there[s]) {
            code = maille_fail(error, MAILLE_TIMEOUT,
                               "expected %zu sites at the coordinator within %d s, %zu are missing, among "
                               "them %s; see %s/sites/%s/program.log",
                               directory->n_sites, timeout_ms / 1000, missing, directory->sites[s].name, dir,
                               directory->sites[s].name);
            goto out;
        }
out:
    wire_message_clear(&message);
    bytes_clear(&request);
    wire_client_free(client);
    secret_keys_free(keys);
    return code;
}
