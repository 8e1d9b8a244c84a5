#include "disclosure/ledger_combination.h"

#include <stdlib.h>
#include <string.h>

#include "disclosure/ledger_private.h"

static const char table[] = "CREATE TABLE IF NOT EXISTS form (qid BLOB NOT NULL, analysis INTEGER NOT NULL, "
                            "form BLOB NOT NULL, PRIMARY KEY (qid, analysis)) WITHOUT ROWID";

/* Statements are few a query: each is made when it is wanted. The caller finalizes it. */
static enum maille_code prepare(sqlite3_stmt **statement, struct ledger *ledger, const char *sql,
                                struct maille_error *error)
{
    const enum maille_code code = ledger_execute(ledger, table, error);
    return code != MAILLE_OK ? code : ledger_prepare(statement, ledger, sql, error);
}

/* --- words --- */

enum maille_code ledger_form_put(struct ledger *ledger, const uint8_t *query, uint32_t analysis,
                                 const uint8_t *form, size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *insert = NULL;
    MAILLE_TRY(prepare(&insert, ledger, "INSERT OR REPLACE INTO form VALUES (?1, ?2, ?3)", error));
    ledger_bind_blob(insert, 1, query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(insert, 2, analysis);
    ledger_bind_blob(insert, 3, form, length);
    code = ledger_run(ledger, insert, error);
out:
    sqlite3_finalize(insert);
    return code;
}

/* "?4, ?5, …" */
static const char *places(struct arena *arena, int first, size_t n)
{
    const char *text = "";
    for (size_t i = 0; i < n; i++)
        text = arena_printf(arena, "%s%s?%d", text, i > 0 ? ", " : "", first + (int)i);
    return text;
}

enum maille_code ledger_forms(struct ledger_formed **list, size_t *n, struct arena *arena,
                              struct ledger *ledger, const uint8_t *query, uint32_t epoch,
                              const char *researcher, const char *const *protocols, size_t n_protocols,
                              struct maille_error *error)
{
    static const char sql[] =
        "SELECT query.qid, form.analysis, form.form, MAX(query.snapshot * 4294967296 + query.id) FROM query "
        "JOIN groups ON groups.query = query.id JOIN form ON form.qid = query.qid AND form.analysis = "
        "groups.analysis AND groups.part = 0 WHERE query.qid != ?1 AND query.epoch BETWEEN ?2 - 1 AND ?2 AND "
        "groups.answered IN "
        "(1, 2, 4) AND (query.researcher = ?3 OR query.protocol IN (%s) OR EXISTS (SELECT 1 FROM told WHERE "
        "told.qid = query.qid AND told.analysis = form.analysis AND (told.researcher = ?3 OR told.protocol "
        "IN "
        "(%s)))) GROUP BY form.form ORDER BY form.form";
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    struct ledger_formed *made = NULL;
    size_t found = 0, room = 0;
    bool row = true;
    MAILLE_TRY(ledger_execute(ledger, table, error));
    MAILLE_TRY(ledger_execute(ledger,
                              "DELETE FROM form WHERE qid NOT IN (SELECT qid FROM query);"
                              "DELETE FROM told WHERE qid NOT IN (SELECT qid FROM query)",
                              error));
    MAILLE_TRY(ledger_prepare(
        &statement, ledger,
        arena_printf(arena, sql, places(arena, 4, n_protocols), places(arena, 4, n_protocols)), error));
    ledger_bind_blob(statement, 1, query, LEDGER_QUERY_BYTES);
    sqlite3_bind_int64(statement, 2, epoch);
    sqlite3_bind_text(statement, 3, researcher, -1, SQLITE_STATIC);
    for (size_t i = 0; i < n_protocols; i++)
        sqlite3_bind_text(statement, 4 + (int)i, protocols[i], -1, SQLITE_STATIC);
    for (;;) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row)
            break;
        if (found == room) {
            room = room == 0 ? 16 : 2 * room;
            struct ledger_formed *grown = arena_array(arena, room, sizeof *grown);
            if (found > 0)
                memcpy(grown, made, found * sizeof *grown);
            made = grown;
        }
        struct ledger_formed *formed = &made[found++];
        if (sqlite3_column_bytes(statement, 0) != LEDGER_QUERY_BYTES) {
            code = ledger_corrupt(error);
            goto out;
        }
        memcpy(formed->query, sqlite3_column_blob(statement, 0), LEDGER_QUERY_BYTES);
        formed->analysis = (uint32_t)sqlite3_column_int64(statement, 1);
        formed->length = (size_t)sqlite3_column_bytes(statement, 2);
        uint8_t *form = arena_alloc(arena, formed->length + 1);
        if (formed->length > 0)
            memcpy(form, sqlite3_column_blob(statement, 2), formed->length);
        formed->form = form;
    }
    *list = made;
    *n = found;
out:
    sqlite3_finalize(statement);
    return code;
}

/* --- who is in what --- */

enum { WORD_BITS = 64, VIEWS = 2 };

/* Those who are in the same groups. */
struct kind {
    uint32_t n_patients; /* distinct, up to the limit */
    uint32_t n_units;    /* rows or patients */
};

/* By rows or by patients. */
struct view {
    size_t n, room, table_size;
    uint64_t *members;  /* [kind][words]: of which groups */
    struct kind *kinds; /* [kind] */
    uint32_t *patients; /* [kind][limit] */
    uint32_t *table;    /* kind + 1 */
    uint32_t *order;    /* those of most first */
};

struct ledger_combined {
    size_t words, limit;
    bool same; /* both views are */
    struct view views[VIEWS];
    uint32_t *found; /* [limit] */
};

static void view_clear(struct view *view)
{
    free(view->members);
    free(view->kinds);
    free(view->patients);
    free(view->table);
    free(view->order);
    *view = (struct view){0};
}

void ledger_combined_free(struct ledger_combined *combined)
{
    if (combined == NULL)
        return;
    for (size_t v = 0; v < VIEWS; v++)
        view_clear(&combined->views[v]);
    free(combined->found);
    free(combined);
}

static uint64_t hash_of(const uint64_t *members, size_t words)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t w = 0; w < words; w++) {
        hash = (hash ^ members[w]) * 0x100000001b3U;
        hash ^= hash >> 29;
    }
    return hash;
}

static void table_put(struct view *view, size_t words, size_t kind)
{
    size_t at = hash_of(view->members + kind * words, words) % view->table_size;
    while (view->table[at] != 0)
        at = (at + 1) % view->table_size;
    view->table[at] = (uint32_t)kind + 1;
}

static bool grow(void **array, size_t n, size_t size)
{
    void *made = realloc(*array, n * size);
    if (made == NULL)
        return false;
    *array = made;
    return true;
}

static bool view_grow(struct view *view, size_t words, size_t limit)
{
    const size_t room = view->room == 0 ? 1024 : 2 * view->room;
    if (!grow((void **)&view->members, room * words, sizeof *view->members) ||
        !grow((void **)&view->kinds, room, sizeof *view->kinds) ||
        !grow((void **)&view->patients, room * limit, sizeof *view->patients))
        return false;
    view->room = room;
    free(view->table);
    view->table_size = 4 * room;
    view->table = calloc(view->table_size, sizeof *view->table);
    for (size_t i = 0; i < view->n && view->table != NULL; i++)
        table_put(view, words, i);
    return view->table != NULL;
}

/* The kind of a row or a patient. MAILLE_MEMORY. */
static enum maille_code kind_of(size_t *kind, struct ledger_combined *combined, struct view *view,
                                const uint64_t *members, struct maille_error *error)
{
    const size_t words = combined->words;
    if (view->n == view->room && !view_grow(view, words, combined->limit))
        return maille_fail(error, MAILLE_MEMORY, "no memory for who is in which group");
    size_t at = hash_of(members, words) % view->table_size;
    for (; view->table[at] != 0; at = (at + 1) % view->table_size) {
        *kind = view->table[at] - 1;
        if (*kind < view->n && memcmp(view->members + *kind * words, members, words * sizeof *members) == 0)
            return MAILLE_OK;
    }
    *kind = view->n++;
    view->table[at] = (uint32_t)*kind + 1;
    view->kinds[*kind] = (struct kind){0};
    memcpy(view->members + *kind * words, members, words * sizeof *members);
    return MAILLE_OK;
}

/* One patient more, unless he is there, up to the limit. */
static uint32_t patient_add(uint32_t *patients, uint32_t n, size_t limit, uint32_t patient)
{
    for (uint32_t i = 0; i < n; i++)
        if (patients[i] == patient)
            return n;
    if (n < limit)
        patients[n++] = patient;
    return n;
}

struct sets {
    struct plain_set *sets;
    size_t n;
};

static uint64_t bits_at(const struct plain_set *set, size_t word)
{
    uint64_t bits = 0;
    if (8 * word + 8 <= set->bits.length)
        memcpy(&bits, set->bits.data + 8 * word, sizeof bits);
    return bits;
}

/* map: whose a row is; NULL: every number is its own patient. */
static enum maille_code view_fill(struct ledger_combined *combined, struct view *view,
                                  const struct sets *sets, const struct person_map *map,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n_words = 0;
    uint64_t(*members)[WORD_BITS] = NULL;
    uint64_t *one = calloc(combined->words + 1, sizeof *one);
    members = calloc(combined->words + 1, sizeof *members);
    if (one == NULL || members == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for who is in which group");
        goto out;
    }
    for (size_t g = 0; g < sets->n; g++)
        n_words = sets->sets[g].bits.length / 8 > n_words ? sets->sets[g].bits.length / 8 : n_words;
    for (size_t word = 0; word < n_words; word++) {
        uint64_t there = 0;
        memset(members, 0, combined->words * sizeof *members);
        for (size_t g = 0; g < sets->n; g++) {
            const uint64_t bits = bits_at(&sets->sets[g], word);
            there |= bits;
            for (uint64_t left = bits; left != 0; left &= left - 1)
                members[g / WORD_BITS][__builtin_ctzll(left)] |= UINT64_C(1) << g % WORD_BITS;
        }
        for (uint64_t left = there; left != 0; left &= left - 1) {
            const size_t bit = (size_t)__builtin_ctzll(left);
            const uint32_t number = (uint32_t)(word * WORD_BITS + bit);
            size_t kind = 0;
            for (size_t w = 0; w < combined->words; w++)
                one[w] = members[w][bit];
            MAILLE_TRY(kind_of(&kind, combined, view, one, error));
            view->kinds[kind].n_units++;
            view->kinds[kind].n_patients = patient_add(
                view->patients + kind * combined->limit, view->kinds[kind].n_patients, combined->limit,
                map != NULL && number < map->n && map->of[number] != 0 ? map->of[number] : number);
        }
    }
out:
    free(one);
    free(members);
    return code;
}

struct placed {
    uint32_t n, kind;
};

static int most_first(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : (x->kind > y->kind) - (x->kind < y->kind);
}

static enum maille_code view_order(struct view *view, struct maille_error *error)
{
    struct placed *placed = calloc(view->n + 1, sizeof *placed);
    view->order = calloc(view->n + 1, sizeof *view->order);
    if (placed == NULL || view->order == NULL) {
        free(placed);
        return maille_fail(error, MAILLE_MEMORY, "no memory for who is in which group");
    }
    for (size_t i = 0; i < view->n; i++)
        placed[i] = (struct placed){view->kinds[i].n_units, (uint32_t)i};
    qsort(placed, view->n, sizeof *placed, most_first);
    for (size_t i = 0; i < view->n; i++)
        view->order[i] = placed[i].kind;
    free(placed);
    return MAILLE_OK;
}

enum maille_code ledger_combined_new(struct ledger_combined **combined, struct ledger *ledger,
                                     const struct ledger_pair *groups, size_t n, int64_t limit,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct ledger_combined *made = calloc(1, sizeof *made);
    struct sets sets[VIEWS] = {{calloc(n + 1, sizeof *sets->sets), n},
                               {calloc(n + 1, sizeof *sets->sets), n}};
    if (made == NULL || sets[0].sets == NULL || sets[1].sets == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for %zu groups", n);
        goto out;
    }
    *made = (struct ledger_combined){.words = (n + WORD_BITS - 1) / WORD_BITS,
                                     .limit = (size_t)limit,
                                     .same = true,
                                     .found = calloc((size_t)limit + 1, sizeof *made->found)};
    if (made->found == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for %zu groups", n);
        goto out;
    }
    for (size_t g = 0; g < n; g++) {
        int64_t ids[VIEWS] = {0, 0};
        if (groups[g].query != NULL)
            MAILLE_TRY(
                ledger_group_sets(ids, NULL, ledger, groups[g].query, groups[g].its_analysis, 0, error));
        made->same = made->same && ids[0] == ids[1];
        for (size_t v = 0; v < VIEWS && ids[v] != 0; v++)
            MAILLE_TRY(ledger_get_set(&sets[v].sets[g], ledger, ids[v], error));
    }
    for (size_t v = made->same ? 1 : 0; v < VIEWS; v++) {
        const struct person_map *map = NULL;
        if (v == 0)
            MAILLE_TRY(ledger_read_persons(&map, ledger, error));
        MAILLE_TRY(view_fill(made, &made->views[v], &sets[v], map, error));
        MAILLE_TRY(view_order(&made->views[v], error));
    }
    *combined = made;
    made = NULL;
out:
    for (size_t v = 0; v < VIEWS; v++) {
        for (size_t g = 0; g < n && sets[v].sets != NULL; g++)
            plain_set_clear(&sets[v].sets[g]);
        free(sets[v].sets);
    }
    ledger_combined_free(made);
    return code;
}

static int64_t view_count(struct ledger_combined *combined, const struct view *view,
                          const uint64_t *coefficients)
{
    uint32_t found = 0;
    for (size_t i = 0; i < view->n && found < combined->limit; i++) {
        const size_t kind = view->order[i];
        if (combination_sum(coefficients, view->members + kind * combined->words, combined->words) == 0)
            continue;
        for (uint32_t p = 0; p < view->kinds[kind].n_patients; p++)
            found = patient_add(combined->found, found, combined->limit,
                                view->patients[kind * combined->limit + p]);
    }
    return found;
}

void ledger_combined_count(int64_t out[2], struct ledger_combined *combined, const uint64_t *coefficients)
{
    out[1] = view_count(combined, &combined->views[1], coefficients);
    out[0] = combined->same ? out[1] : view_count(combined, &combined->views[0], coefficients);
}
