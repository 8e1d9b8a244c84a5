#include <stdlib.h>
#include <string.h>

#include "disclosure/ledger_private.h"

/* What was shown before, as M1 tells it (ledger_list), and which queries know of it (ledger_queries). */

/* An earlier query. */
struct earlier {
    int64_t id, made_ms;
    bool has_scene;
    uint8_t scene[LEDGER_HASH_BYTES];
    struct ledger_past past;
};

/* A group of it. Canon and scene say which groups are one. */
struct listed {
    const struct earlier *query;
    uint32_t analysis, part;
    bool answered; /* shown, not only pooled */
    bool known;    /* it has a canon, and its query a scene */
    bool again;    /* another one stands for it */
    uint8_t canon[LEDGER_HASH_BYTES];
};

struct listing {
    struct arena *arena;
    struct earlier *queries;
    struct listed *groups;
    size_t n_queries, n_groups, room_queries, room_groups;
};

static struct byte_view copied(struct arena *arena, const void *data, size_t length)
{
    uint8_t *copy = arena_alloc(arena, length + 1);
    if (length > 0)
        memcpy(copy, data, length);
    return (struct byte_view){copy, length};
}

/* --- reading --- */

static enum maille_code take_query(struct listing *listing, sqlite3_stmt *statement,
                                   struct maille_error *error)
{
    if (listing->n_queries == listing->room_queries) {
        const size_t room = listing->room_queries == 0 ? 64 : 2 * listing->room_queries;
        struct earlier *grown = arena_array(listing->arena, room, sizeof *grown);
        if (listing->n_queries > 0)
            memcpy(grown, listing->queries, listing->n_queries * sizeof *grown);
        listing->queries = grown;
        listing->room_queries = room;
    }
    if (sqlite3_column_bytes(statement, 1) != LEDGER_QUERY_BYTES)
        return ledger_corrupt(error);
    struct earlier *query = &listing->queries[listing->n_queries++];
    const size_t n = (size_t)sqlite3_column_bytes(statement, 2) / 4;
    const uint8_t *roster = sqlite3_column_blob(statement, 2);
    uint32_t *sites = arena_array(listing->arena, n + 1, sizeof *sites);
    for (size_t i = 0; i < n; i++)
        sites[i] = ledger_roster_site(roster, i) & ~LEDGER_INFERRED;
    *query = (struct earlier){.id = sqlite3_column_int64(statement, 0),
                              .made_ms = sqlite3_column_int64(statement, 5),
                              .has_scene = sqlite3_column_bytes(statement, 6) == LEDGER_HASH_BYTES,
                              .past = {.sites = sites,
                                       .n_sites = n,
                                       .snapshot = (uint32_t)sqlite3_column_int64(statement, 3),
                                       .families = copied(listing->arena, sqlite3_column_blob(statement, 4),
                                                          (size_t)sqlite3_column_bytes(statement, 4))}};
    memcpy(query->past.query, sqlite3_column_blob(statement, 1), LEDGER_QUERY_BYTES);
    if (query->has_scene)
        memcpy(query->scene, sqlite3_column_blob(statement, 6), LEDGER_HASH_BYTES);
    return MAILLE_OK;
}

static enum maille_code read_queries(struct listing *listing, struct ledger *ledger, const uint8_t *query,
                                     uint32_t epoch, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row = true;
    MAILLE_TRY(ledger_ready_past(&statement, ledger, LEDGER_LIST, query, epoch, error));
    for (;;) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row)
            break;
        MAILLE_TRY(take_query(listing, statement, error));
    }
out:
    sqlite3_reset(statement);
    return code;
}

static void take_group(struct listing *listing, const struct earlier *query, sqlite3_stmt *statement)
{
    if (listing->n_groups == listing->room_groups) {
        const size_t room = listing->room_groups == 0 ? 1024 : 2 * listing->room_groups;
        struct listed *grown = arena_array(listing->arena, room, sizeof *grown);
        if (listing->n_groups > 0)
            memcpy(grown, listing->groups, listing->n_groups * sizeof *grown);
        listing->groups = grown;
        listing->room_groups = room;
    }
    struct listed *group = &listing->groups[listing->n_groups++];
    *group =
        (struct listed){.query = query,
                        .analysis = (uint32_t)sqlite3_column_int64(statement, 0),
                        .part = (uint32_t)sqlite3_column_int64(statement, 1),
                        .answered = sqlite3_column_int(statement, 2) == 1,
                        .known = query->has_scene && sqlite3_column_bytes(statement, 3) == LEDGER_HASH_BYTES};
    if (group->known)
        memcpy(group->canon, sqlite3_column_blob(statement, 3), LEDGER_HASH_BYTES);
}

static enum maille_code read_groups(struct listing *listing, struct ledger *ledger,
                                    const struct earlier *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row = true;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_LIST_GROUPS, error));
    sqlite3_bind_int64(statement, 1, query->id);
    for (;;) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row)
            break;
        take_group(listing, query, statement);
    }
out:
    sqlite3_reset(statement);
    return code;
}

/* --- the same group more than once --- */

static int by_kind(const struct listed *x, const struct listed *y)
{
    const int order = memcmp(x->canon, y->canon, LEDGER_HASH_BYTES);
    return order != 0 ? order : memcmp(x->query->scene, y->query->scene, LEDGER_HASH_BYTES);
}

static int by_kind_and_place(const void *a, const void *b)
{
    const struct listed *x = *(struct listed *const *)a, *y = *(struct listed *const *)b;
    int order = by_kind(x, y);
    if (order == 0)
        order = memcmp(x->query->past.query, y->query->past.query, LEDGER_QUERY_BYTES);
    if (order == 0 && x->analysis != y->analysis)
        order = x->analysis < y->analysis ? -1 : 1;
    return order != 0 ? order : (x->part > y->part) - (x->part < y->part);
}

/* Of one kind the first that was shown and is settled stands for all after it. */
static enum maille_code find_again(struct listing *listing, int64_t settled_ms, struct maille_error *error)
{
    const struct listed *first = NULL;
    size_t n = 0;
    struct listed **order = malloc((listing->n_groups + 1) * sizeof *order);
    if (order == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for what was shown before");
    for (size_t g = 0; g < listing->n_groups; g++)
        if (listing->groups[g].known)
            order[n++] = &listing->groups[g];
    qsort(order, n, sizeof *order, by_kind_and_place);
    for (size_t i = 0; i < n; i++) {
        if (first != NULL && by_kind(first, order[i]) != 0)
            first = NULL;
        order[i]->again = first != NULL;
        if (first == NULL && order[i]->answered && order[i]->query->made_ms <= settled_ms)
            first = order[i];
    }
    free(order);
    return MAILLE_OK;
}

/* --- the list --- */

/* The groups of one query, from *at on. The bitmap in arena. */
static enum maille_code write_shown(struct ledger_past *past, const struct listing *listing, size_t *at,
                                    const struct earlier *query, struct maille_error *error)
{
    struct part_groups groups;
    part_groups_read(&groups, query->past.families, STUDY_ANALYSES_MAX, listing->arena);
    uint8_t *shown = arena_array(listing->arena, groups.n / 8 + 1, 1);
    *past = query->past;
    past->shown = (struct byte_view){shown, 0};
    for (; *at < listing->n_groups && listing->groups[*at].query == query; ++*at) {
        const struct listed *group = &listing->groups[*at];
        if (group->again)
            continue;
        const struct part_group *found = part_groups_find(&groups, group->analysis, group->part);
        if (found == NULL) /* it is none of its study's */
            return ledger_corrupt(error);
        const size_t g = (size_t)(found - groups.list);
        shown[g / 8] |= (uint8_t)(1u << g % 8);
        if (past->shown.length < g / 8 + 1)
            past->shown.length = g / 8 + 1;
    }
    return MAILLE_OK;
}

enum maille_code ledger_list(struct ledger_past **list, size_t *n, struct arena *arena, struct ledger *ledger,
                             const uint8_t *query, uint32_t epoch, int64_t settled_ms,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct listing listing = {.arena = arena};
    size_t found = 0, at = 0;
    MAILLE_TRY(ledger_begin(ledger, error)); /* one reading, not one a query */
    code = read_queries(&listing, ledger, query, epoch, error);
    for (size_t q = 0; code == MAILLE_OK && q < listing.n_queries; q++)
        code = read_groups(&listing, ledger, &listing.queries[q], error);
    MAILLE_TRY(ledger_finish(ledger, code, error));
    MAILLE_TRY(find_again(&listing, settled_ms, error));
    struct ledger_past *made = arena_array(arena, listing.n_queries + 1, sizeof *made);
    for (size_t q = 0; q < listing.n_queries; q++) {
        MAILLE_TRY(write_shown(&made[found], &listing, &at, &listing.queries[q], error));
        found += made[found].shown.length > 0;
    }
    *list = made;
    *n = found;
out:
    return code;
}

enum maille_code ledger_queries(const uint8_t **queries, size_t *n, struct arena *arena,
                                struct ledger *ledger, const uint8_t *query, uint32_t epoch,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct bytes all = {0};
    bool row = true;
    MAILLE_TRY(ledger_ready_past(&statement, ledger, LEDGER_QUERIES, query, epoch, error));
    for (;;) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row)
            break;
        bytes_put(&all, sqlite3_column_blob(statement, 0), LEDGER_QUERY_BYTES);
    }
    MAILLE_TRY(bytes_check(&all, error));
    uint8_t *made = arena_alloc(arena, all.length + 1);
    if (all.length > 0)
        memcpy(made, all.data, all.length);
    *queries = made;
    *n = all.length / LEDGER_QUERY_BYTES;
out:
    sqlite3_reset(statement);
    bytes_clear(&all);
    return code;
}
