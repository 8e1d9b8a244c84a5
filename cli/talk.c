#include "cli/talk.h"

#include <string.h>

#include "base/clock.h"
#include "wire/wire.h"

enum maille_code cli_talk(struct envelope *answer, struct arena *arena, const struct cli_access *access,
                          enum message_kind kind, const struct bytes *body, enum message_kind wanted,
                          int64_t timeout_ms, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct wire_client *client = NULL;
    struct wire_message message = {0};
    struct bytes envelope = {0};
    struct message_problem problem;
    int64_t end = clock_monotonic_ms() + timeout_ms;
    MAILLE_TRY(wire_client_open(&client, access->directory->coordinator.endpoint,
                                access->directory->coordinator.keys.transport, access->keys, error));
    MAILLE_TRY(envelope_encode(&envelope, kind, access->keys, secret_keys_name(access->keys), body, error));
    MAILLE_TRY(wire_client_send(client, envelope.data, envelope.length, NULL, 0, error));
    while (clock_monotonic_ms() < end) {
        bool got = false;
        MAILLE_TRY(wire_client_receive(client, &message, 50, &got, error));
        if (!got)
            continue;
        uint8_t *kept = arena_alloc(arena, message.envelope.length + 1);
        memcpy(kept, message.envelope.data, message.envelope.length);
        MAILLE_TRY(envelope_decode(answer, arena, kept, message.envelope.length, error));
        if (answer->kind == wanted)
            goto out;
        if (answer->kind == MESSAGE_PROBLEM) {
            MAILLE_TRY(message_problem_decode(&problem, arena, answer->body, answer->body_length, error));
            code = maille_fail(
                error, MAILLE_INVALID,
                "expected a query that the coordinator knows, found none with this id; see maille list");
            goto out;
        }
    }
    char trouble[MAILLE_SENTENCE_MAX];
    if (wire_client_trouble(client, trouble, sizeof trouble)) {
        code = maille_fail(error, MAILLE_UNREACHABLE, "%s", trouble);
        goto out;
    }
    code = maille_fail(error, MAILLE_UNREACHABLE,
                       "expected the coordinator at %s to answer, found no answer within %lld s; check the "
                       "address and the firewall",
                       access->directory->coordinator.endpoint, (long long)(timeout_ms / 1000));
out:
    wire_message_clear(&message);
    wire_client_free(client);
    bytes_clear(&envelope);
    return code;
}

/* Does the site say, signed, that all it answers is public? */
static bool is_public(const struct cli_access *access, struct arena *arena,
                      const struct message_catalogues *all, const char *site)
{
    for (size_t c = 0; c < all->n; c++) {
        struct envelope envelope;
        struct message_catalogue catalogue;
        struct maille_error ignored;
        if (envelope_decode(&envelope, arena, all->envelopes[c].data, all->envelopes[c].length, &ignored) !=
                MAILLE_OK ||
            envelope.kind != MESSAGE_CATALOGUE || strcmp(envelope.from, site) != 0)
            continue;
        return envelope_verified(&envelope, directory_site_named(access->directory, site)->keys.identity) &&
               message_catalogue_decode(&catalogue, arena, envelope.body, envelope.body_length, &ignored) ==
                   MAILLE_OK &&
               strcmp(catalogue.policy, "open") == 0;
    }
    return false;
}

enum query_mode cli_mode(const struct cli_access *access, const struct study *study, int64_t timeout_ms)
{
    static const struct bytes nothing;
    const struct directory *directory = access->directory;
    struct message_catalogues catalogues;
    struct envelope answer;
    struct maille_error ignored;
    struct arena *arena = arena_new();
    bool all_public =
        arena != NULL &&
        cli_talk(&answer, arena, access, MESSAGE_CATALOGUE_REQUEST, &nothing, MESSAGE_CATALOGUES, timeout_ms,
                 &ignored) == MAILLE_OK &&
        message_catalogues_decode(&catalogues, arena, answer.body, answer.body_length, &ignored) == MAILLE_OK;
    for (size_t s = 0; s < directory->n_sites && all_public; s++) {
        bool named = study->all_sites;
        for (size_t k = 0; k < study->n_sites; k++)
            named = named || strcmp(study->sites[k], directory->sites[s].name) == 0;
        all_public = !named || is_public(access, arena, &catalogues, directory->sites[s].name);
    }
    arena_free(arena);
    return all_public ? MODE_AGENT : MODE_CIRCLE;
}
