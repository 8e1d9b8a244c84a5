#include "audit/heads.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void audit_heads_clear(struct audit_heads *heads)
{
    free(heads->list);
    *heads = (struct audit_heads){0};
}

enum maille_code heads_reserve(struct audit_heads *heads, size_t more, struct maille_error *error)
{
    if (heads->room - heads->n >= more)
        return MAILLE_OK;
    size_t room = 2 * heads->room > heads->n + more ? 2 * heads->room : heads->n + more;
    struct audit_witness_head *grown = realloc(heads->list, room * sizeof *grown);
    if (grown == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for %zu heads of logs, found none", room);
    heads->list = grown;
    heads->room = room;
    return MAILLE_OK;
}

const struct audit_witness_head *heads_find(const struct audit_heads *heads, const char *party)
{
    for (size_t i = heads->n; i-- > 0;)
        if (strcmp(heads->list[i].party, party) == 0)
            return &heads->list[i];
    return NULL;
}

void heads_put(struct audit_heads *heads, const char *witness, uint64_t sequence,
               const struct audit_seen *seen, bool latest)
{
    struct audit_witness_head made = {.sequence = sequence, .head = seen->head};
    snprintf(made.party, sizeof made.party, "%s", seen->party);
    snprintf(made.witness, sizeof made.witness, "%s", witness);
    const struct audit_witness_head *there = latest ? heads_find(heads, made.party) : NULL;
    if (there != NULL) {
        heads->list[there - heads->list] = made;
        return;
    }
    assert(heads->n < heads->room);
    heads->list[heads->n++] = made;
}

void heads_keep(struct audit_heads *heads, size_t most)
{
    if (heads->n <= 2 * most)
        return;
    memmove(heads->list, heads->list + (heads->n - most), most * sizeof *heads->list);
    heads->n = most;
}
