#include "cli/web/network.h"

#include <string.h>

#include "base/file.h"
#include "cli/talk.h"
#include "disclosure/policy_table.h"
#include "proto/message.h"

/* A site whose policy is another than a preset says so; what it adds is not known here. */
static void keep_policy(const struct network_known *known, struct arena *arena, const struct home *home)
{
    size_t strictest = PRESETS - 1; /* the table begins with the strictest */
    for (size_t s = 0; s < known->n_sites; s++)
        for (size_t p = 0; known->sites[s].is_signed && p < strictest; p++)
            if (strcmp(known->sites[s].policy, policy_presets[p]) == 0)
                strictest = p;
    const char *text = arena_printf(arena, "policy: %s\n", policy_presets[strictest]);
    struct maille_error ignored;
    if (file_write_atomic(arena_printf(arena, "%s/policy.yaml", home->folder), text, strlen(text), 0600,
                          &ignored) != MAILLE_OK)
        return; /* the check then judges by the floor alone */
}

static void take_site(struct network_known *known, struct network_site *site, struct arena *arena,
                      const struct home *home, const struct byte_view *sent)
{
    struct envelope inner;
    struct message_catalogue said;
    struct maille_error ignored;
    const char *path = arena_printf(arena, "%s/dictionary.yaml", home->folder);
    site->name = "?";
    if (envelope_decode(&inner, arena, sent->data, sent->length, &ignored) != MAILLE_OK)
        return;
    site->name = arena_strdup(arena, inner.from);
    const struct directory_site *from = directory_site_named(home->access.directory, inner.from);
    if (inner.kind != MESSAGE_CATALOGUE || from == NULL || !envelope_verified(&inner, from->keys.identity) ||
        message_catalogue_decode(&said, arena, inner.body, inner.body_length, &ignored) != MAILLE_OK)
        return;
    *site = (struct network_site){.name = from->name,
                                  .is_signed = true,
                                  .snapshot = said.snapshot,
                                  .patients = said.patients_band,
                                  .dictionary = said.dictionary,
                                  .policy = said.policy,
                                  .dictionary_version = said.dictionary_version};
    if (known->dictionary != NULL || said.dictionary_text.length == 0)
        return;
    if (dictionary_parse(&known->dictionary, arena, "catalogue", (const char *)said.dictionary_text.data,
                         said.dictionary_text.length, &ignored) != MAILLE_OK)
        known->dictionary = NULL;
    else if (file_write_atomic(path, said.dictionary_text.data, said.dictionary_text.length, 0600,
                               &ignored) != MAILLE_OK)
        return; /* a dictionary beside the network is found as well */
}

enum maille_code network_ask(struct network_known *known, struct arena *arena, const struct home *home,
                             int64_t timeout_ms, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct bytes nothing = {0};
    struct message_catalogues catalogues;
    struct envelope answer;
    *known = (struct network_known){0};
    MAILLE_TRY(cli_talk(&answer, arena, &home->access, MESSAGE_CATALOGUE_REQUEST, &nothing,
                        MESSAGE_CATALOGUES, timeout_ms, error));
    MAILLE_TRY(message_catalogues_decode(&catalogues, arena, answer.body, answer.body_length, error));
    struct network_site *sites = arena_array(arena, catalogues.n + 1, sizeof *sites);
    for (size_t c = 0; c < catalogues.n; c++)
        take_site(known, &sites[c], arena, home, &catalogues.envelopes[c]);
    known->sites = sites;
    known->n_sites = catalogues.n;
    keep_policy(known, arena, home);
out:
    return code;
}
