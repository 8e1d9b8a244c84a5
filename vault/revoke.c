/* Who is no longer in the directory takes no further part in a query that is open: not a round more, not a
 * mask of one that was answered. The same where what is asked is no longer registered. */
#include "vault/private.h"

/* Is the manifest still signed by a researcher of the directory, and every member still a site of it? */
static bool is_revoked(const struct vault *vault, const struct query *query, struct arena *arena)
{
    struct message manifest;
    struct maille_error ignored;
    const struct byte_view bytes = {query->manifest_envelope.data, query->manifest_envelope.length};
    if (message_within(&manifest, arena, &bytes, MESSAGE_MANIFEST, vault->directory, FROM_RESEARCHER,
                       &ignored) != MAILLE_OK)
        return true;
    for (size_t i = 0; i < query->n_members; i++)
        if (directory_site(vault->directory, query->members[i].site) == NULL)
            return true;
    return false;
}

static bool is_open(const struct query *query)
{
    return query->study != NULL && (query->state & (QUERY_REFUSED | QUERY_ENDED)) == 0;
}

enum maille_code vault_revoke(struct vault *vault, struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error why = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory to look at the open queries");
    for (struct query *query = vault->queries, *next; query != NULL; query = next) {
        next = query->next;
        if (is_revoked(vault, query, arena))
            MAILLE_TRY(vault_cancel(vault, query, "revoked", outbox, error));
        else if (is_open(query) && vault_check_registration(vault, query, &why) == MAILLE_REFUSED)
            MAILLE_TRY(vault_cancel(vault, query, why.rule, outbox, error));
    }
    vault->revoked = true;
out:
    arena_free(arena);
    return code;
}
