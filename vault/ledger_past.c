/* What a question is compared with in T0 and T1: earlier ones, and published cohorts. */
#include <stdlib.h>
#include <string.h>

#include "vault/private.h"

void vault_ledger_past(struct threshold_past *past, const struct query *query,
                       const struct message_round_header *header, struct arena *arena)
{
    const struct custody *custody = &query->custody;
    for (size_t e = 0; e < custody->n_ledger; e++) {
        const struct message_ledger_entry *entry = &custody->ledger[e];
        past[e] =
            (struct threshold_past){.gone = message_ledger_gone(entry, header->members, header->n_members),
                                    .lost = entry->lost,
                                    .other = message_ledger_other(entry, header->members, header->n_members)};
        past[e].groups = part_groups_listed(&past[e].n_groups, entry->families, entry->shown, arena);
    }
    past[custody->n_ledger] = published_past(&custody->published);
}

static int by_id(const void *a, const void *b)
{
    const struct past_id *x = a, *y = b;
    return memcmp(x->id, y->id, LEDGER_ID_BYTES);
}

enum maille_code vault_ledger_past_ids(struct past_ids *ids, struct vault *vault, const struct query *query,
                                       struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const uint8_t *known = NULL;
    size_t n = 0;
    MAILLE_TRY(
        ledger_queries(&known, &n, arena, vault->ledger, query->qid, vault->directory->epoch.number, error));
    struct past_id *list = arena_array(arena, n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        list[i].query = known + i * LEDGER_QUERY_BYTES;
        vault_ledger_past_id(list[i].id, list[i].query, query);
    }
    qsort(list, n, sizeof *list, by_id);
    *ids = (struct past_ids){list, n};
out:
    return code;
}

const uint8_t *vault_ledger_past_query(const struct past_ids *ids, const uint8_t id[LEDGER_ID_BYTES])
{
    struct past_id sought = {.query = NULL};
    memcpy(sought.id, id, LEDGER_ID_BYTES);
    const struct past_id *found =
        ids->n > 0 ? bsearch(&sought, ids->list, ids->n, sizeof *ids->list, by_id) : NULL;
    return found != NULL ? found->query : NULL;
}

/* Who is in a published cohort could not be counted here. As with one that is not known any more, but nobody
 * else sees it: this site differs by one. */
static void near_unless_counted(int64_t differs[2])
{
    for (int view = 0; view < 2; view++)
        differs[view] = differs[view] < 0 ? 1 : differs[view];
}

/* A site that does not know T any more (a lost disk, a restored copy) says 0; all see by its accept that it
 * does not, and take T as near where those who know it do not differ by enough (threshold_near). */
enum maille_code vault_ledger_differences(const struct part_difference **differences, struct vault *vault,
                                          const struct query *query, const struct threshold *threshold,
                                          enum threshold_which which, struct arena *arena,
                                          struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct custody *custody = &query->custody;
    const struct threshold_pairs *asked = &threshold->pairs[which];
    static const uint8_t nowhere[LEDGER_QUERY_BYTES];
    struct past_ids ids;
    struct ledger_pair *pairs = arena_array(arena, asked->n + 1, sizeof *pairs);
    struct part_difference *made = arena_array(arena, asked->n + 1, sizeof *made);
    const uint8_t **queries = arena_array(arena, custody->n_ledger + 1, sizeof *queries);
    MAILLE_TRY(vault_ledger_past_ids(&ids, vault, query, arena, error));
    for (size_t e = 0; e < custody->n_ledger; e++) {
        queries[e] = vault_ledger_past_query(&ids, custody->ledger[e].id);
        /* Who was not asked then takes T as empty, where that counts; else the site has no part in the pair.
         */
        if (queries[e] == NULL && (custody->strictest->own_totals != OWN_TOTALS_COUNTED ||
                                   message_bit(custody->ledger[e].roster, vault->self->id)))
            queries[e] = nowhere;
    }
    queries[custody->n_ledger] = query->qid; /* the published cohorts are kept beside its own groups */
    for (size_t i = 0; i < asked->n; i++) {
        const struct threshold_pair *pair = &asked->list[i];
        const struct threshold_group *own = &threshold->groups[pair->group];
        const bool earlier = pair->past == THRESHOLD_ABSENT;
        pairs[i] = (struct ledger_pair){.analysis = (uint32_t)own->analysis,
                                        .part = (uint32_t)own->part,
                                        .query = earlier ? query->qid : queries[pair->past]};
        if (earlier) {
            pairs[i].its_analysis = (uint32_t)threshold->groups[pair->other].analysis;
            pairs[i].its_part = (uint32_t)threshold->groups[pair->other].part;
        } else {
            pairs[i].its_analysis = threshold->past[pair->past].groups[pair->other].analysis;
            pairs[i].its_part = threshold->past[pair->past].groups[pair->other].part;
        }
    }
    MAILLE_TRY(ledger_differences(made, vault->ledger, query->qid, pairs, asked->n,
                                  (int64_t)custody->strictest->differencing, error));
    for (size_t i = 0; i < asked->n; i++)
        if (asked->list[i].past == custody->n_ledger)
            near_unless_counted(made[i].by);
    *differences = made;
out:
    return code;
}
