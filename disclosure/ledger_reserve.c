#include <stdlib.h>
#include <string.h>

#include "disclosure/ledger_private.h"
#include "disclosure/published.h"

/* M1: the reservation of a question, and what it will be compared with. */

/* The distinct sets of a question. */
struct asked_set {
    struct plain_set set;
    int64_t id; /* once it is kept */
};

struct reserving {
    const struct ledger_question *question;
    struct asked_set *sets;
    size_t n_sets;
    size_t (*of)[2]; /* per group: its set of rows, of patients */
};

static enum maille_code add_set(size_t *index, struct reserving *work, const struct ledger_set *from,
                                bool single, struct maille_error *error)
{
    struct plain_set made = {0};
    enum maille_code code = plain_set_fill(&made, from, single, error);
    if (code != MAILLE_OK)
        return code;
    for (*index = 0; *index < work->n_sets; ++*index) {
        const struct plain_set *other = &work->sets[*index].set;
        if (other->hash == made.hash && other->single == made.single &&
            other->bits.length == made.bits.length &&
            (made.bits.length == 0 || memcmp(other->bits.data, made.bits.data, made.bits.length) == 0))
            break;
    }
    if (*index == work->n_sets)
        work->sets[work->n_sets++] = (struct asked_set){.set = made};
    else
        plain_set_clear(&made);
    return MAILLE_OK;
}

static int64_t set_count(const struct ledger_set *set)
{
    int64_t n = 0;
    for (size_t i = 0; i < set->bytes; i++)
        n += __builtin_popcount(set->bits[i]);
    return n;
}

static enum maille_code fill_sets(struct reserving *work, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct ledger_question *question = work->question;
    work->sets = calloc(2 * question->n_groups + 1, sizeof *work->sets);
    work->of = calloc(question->n_groups + 1, sizeof *work->of);
    if (work->sets == NULL || work->of == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for %zu groups, found none",
                           question->n_groups);
        goto out;
    }
    for (size_t g = 0; g < question->n_groups; g++) {
        const struct ledger_group *group = &question->groups[g];
        bool single = set_count(&group->rows) == set_count(&group->patients);
        if (group->analysis >= PUBLISHED_ANALYSIS + PUBLISHED_MAX) {
            code = maille_fail(error, MAILLE_INVALID, "expected an analysis below %d, found %u",
                               (int)PUBLISHED_ANALYSIS + (int)PUBLISHED_MAX, group->analysis);
            goto out;
        }
        MAILLE_TRY(add_set(&work->of[g][0], work, &group->rows, single, error));
        MAILLE_TRY(add_set(&work->of[g][1], work, &group->patients, true, error));
    }
out:
    return code;
}

static enum maille_code keep(struct reserving *work, struct ledger *ledger, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct ledger_question *question = work->question;
    sqlite3_stmt *statement = NULL;
    struct bytes roster = {0};
    if (question->persons != NULL)
        MAILLE_TRY(ledger_put_persons(ledger, question->persons, question->n_persons, error));
    for (size_t s = 0; s < work->n_sets; s++)
        MAILLE_TRY(ledger_put_set(&work->sets[s].id, ledger, &work->sets[s].set, error));
    for (size_t i = 0; i < question->n_sites; i++)
        bytes_put_u32(&roster, question->sites[i]);
    MAILLE_TRY(bytes_check(&roster, error));
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_PUT_QUERY, error));
    ledger_bind_blob(statement, 1, question->query, LEDGER_QUERY_BYTES);
    ledger_bind_blob(statement, 2, question->question, LEDGER_HASH_BYTES);
    sqlite3_bind_int64(statement, 3, question->snapshot);
    sqlite3_bind_text(statement, 4, question->protocol, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 5, question->researcher, -1, SQLITE_STATIC);
    ledger_bind_blob(statement, 6, roster.data, roster.length);
    sqlite3_bind_int64(statement, 7, question->now_ms);
    sqlite3_bind_int64(statement, 8, question->epoch);
    ledger_bind_blob(statement, 9, question->families.data, question->families.length);
    sqlite3_bind_text(statement, 10, question->study != NULL ? question->study : "", -1, SQLITE_STATIC);
    ledger_bind_blob(statement, 11, question->dictionary,
                     question->dictionary != NULL ? LEDGER_HASH_BYTES : 0);
    MAILLE_TRY(ledger_run(ledger, statement, error));
    int64_t id = sqlite3_last_insert_rowid(ledger->database);
    for (size_t g = 0; g < question->n_groups; g++) {
        MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_PUT_GROUP, error));
        sqlite3_bind_int64(statement, 1, id);
        sqlite3_bind_int64(statement, 2, question->groups[g].analysis);
        sqlite3_bind_int64(statement, 3, question->groups[g].reading);
        sqlite3_bind_int(statement, 4, question->groups[g].is_model);
        sqlite3_bind_int64(statement, 5, work->sets[work->of[g][0]].id);
        sqlite3_bind_int64(statement, 6, work->sets[work->of[g][1]].id);
        sqlite3_bind_int64(statement, 8, question->groups[g].part);
        if (question->groups[g].canon != NULL)
            ledger_bind_blob(statement, 7, question->groups[g].canon, LEDGER_HASH_BYTES);
        sqlite3_bind_text(statement, 9, question->groups[g].words != NULL ? question->groups[g].words : "",
                          -1, SQLITE_STATIC);
        ledger_bind_blob(statement, 10, question->groups[g].conditions.data,
                         question->groups[g].conditions.length);
        MAILLE_TRY(ledger_run(ledger, statement, error));
    }
out:
    bytes_clear(&roster);
    return code;
}

enum maille_code ledger_reserve(struct ledger *ledger, const struct ledger_question *question,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct reserving work = {.question = question};
    int64_t id = 0;
    MAILLE_TRY(fill_sets(&work, error));
    MAILLE_TRY(ledger_begin(ledger, error));
    code = ledger_forget(ledger, question->query, error);
    if (code == MAILLE_OK)
        code = ledger_find_query(&id, ledger, question->query, error);
    if (code == MAILLE_OK && id != 0)
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected a query that has not been answered, found one that has");
    if (code == MAILLE_OK)
        code = keep(&work, ledger, error);
    code = ledger_finish(ledger, code, error);
out:
    for (size_t s = 0; s < work.n_sets; s++)
        plain_set_clear(&work.sets[s].set);
    free(work.sets);
    free(work.of);
    return code;
}

static struct byte_view copied(struct arena *arena, const void *data, size_t length)
{
    uint8_t *copy = arena_alloc(arena, length + 1);
    if (length > 0)
        memcpy(copy, data, length);
    return (struct byte_view){copy, length};
}

/* An earlier query while its groups are read. */
struct listing {
    struct ledger_past *past;
    struct part_groups groups;
    uint8_t *shown;
};

static void take_past(struct listing *listing, struct ledger_past *past, sqlite3_stmt *statement,
                      struct arena *arena)
{
    const size_t n = (size_t)sqlite3_column_bytes(statement, 2) / 4;
    const uint8_t *roster = sqlite3_column_blob(statement, 2);
    uint32_t *sites = arena_array(arena, n + 1, sizeof *sites);
    memcpy(past->query, sqlite3_column_blob(statement, 1), LEDGER_QUERY_BYTES);
    for (size_t i = 0; i < n; i++)
        sites[i] = ledger_roster_site(roster, i) & ~LEDGER_INFERRED;
    past->sites = sites;
    past->n_sites = n;
    past->snapshot = (uint32_t)sqlite3_column_int64(statement, 3);
    past->families =
        copied(arena, sqlite3_column_blob(statement, 6), (size_t)sqlite3_column_bytes(statement, 6));
    part_groups_read(&listing->groups, past->families, STUDY_ANALYSES_MAX, arena);
    listing->past = past;
    listing->shown = arena_array(arena, listing->groups.n / 8 + 1, 1);
    past->shown = (struct byte_view){listing->shown, 0};
}

/* Group (analysis, part) was shown. false: it is none of its study's. */
static bool take_group(struct listing *listing, int64_t analysis, int64_t part)
{
    const struct part_group *group = part_groups_find(&listing->groups, (uint32_t)analysis, (uint32_t)part);
    if (group == NULL)
        return false;
    const size_t g = (size_t)(group - listing->groups.list);
    listing->shown[g / 8] |= (uint8_t)(1u << g % 8);
    if (listing->past->shown.length < g / 8 + 1)
        listing->past->shown.length = g / 8 + 1;
    return true;
}

enum maille_code ledger_list(struct ledger_past **list, size_t *n, struct arena *arena, struct ledger *ledger,
                             const uint8_t *query, uint32_t epoch, int64_t settled_ms,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct ledger_past *made = NULL;
    struct listing listing = {0};
    size_t found = 0, room = 0;
    int64_t last = -1;
    bool row = true;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_LIST, error));
    ledger_bind_blob(statement, 1, query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(statement, 2, epoch);
    sqlite3_bind_int64(statement, 3, settled_ms);
    for (;;) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row)
            break;
        const int64_t id = sqlite3_column_int64(statement, 0);
        if (sqlite3_column_bytes(statement, 1) != LEDGER_QUERY_BYTES) {
            code = ledger_corrupt(error);
            goto out;
        }
        const bool another = made == NULL || id != last;
        if (another && found == room) {
            struct ledger_past *grown = arena_array(arena, room == 0 ? 16 : 2 * room, sizeof *grown);
            if (found > 0)
                memcpy(grown, made, found * sizeof *grown);
            made = grown;
            room = room == 0 ? 16 : 2 * room;
        }
        if (another)
            take_past(&listing, &made[found++], statement, arena);
        last = id;
        if (!take_group(&listing, sqlite3_column_int64(statement, 4), sqlite3_column_int64(statement, 5))) {
            code = ledger_corrupt(error);
            goto out;
        }
    }
    *list = made;
    *n = found;
out:
    sqlite3_reset(statement);
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
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_QUERIES, error));
    ledger_bind_blob(statement, 1, query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(statement, 2, epoch);
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
