#include <stdlib.h>
#include <string.h>

#include "disclosure/ledger_private.h"

/* A question against everything that was shown before it: tens of thousands of pairs. The other group of a
 * pair is looked up once, and the sets are gone through in the order in which they lie in the file. Tiles
 * settle most pairs (difference_by_tiles); only for the others are pieces read. */

enum { VIEWS = 2, STRIDE = 64 };

/* A group of this question, without its pieces. */
struct own {
    uint32_t analysis, part;
    int64_t ids[VIEWS]; /* 0: it is not here */
    int64_t n;          /* patients */
    struct ledger_chosen chosen;
    bool single[VIEWS];
    struct bytes tiles[VIEWS];
};

/* A set of an earlier group that a pair must be held against. */
struct against {
    int64_t then;
    uint32_t pair;
    uint8_t view;
};

struct differing {
    struct ledger *ledger;
    const uint8_t *query;
    const struct ledger_pair *pairs;
    size_t n;
    int64_t limit;
    struct own *own;
    size_t n_own;
    uint32_t *own_of; /* [pair] */
    int64_t (*then)[VIEWS];
    struct ledger_chosen *then_chosen; /* [pair] */
    struct against *against;           /* [2 · n] */
    size_t n_against;
    struct part_difference *out;
};

static void differing_clear(struct differing *work)
{
    for (size_t i = 0; i < work->n_own; i++)
        for (size_t view = 0; view < VIEWS; view++)
            bytes_clear(&work->own[i].tiles[view]);
    free(work->own);
    free(work->own_of);
    free(work->then);
    free(work->then_chosen);
    free(work->against);
}

/* --- the question's own groups --- */

static enum maille_code own_load(struct own *own, struct ledger *ledger, const uint8_t *query,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(ledger_group_sets(own->ids, &own->chosen, ledger, query, own->analysis, own->part, error));
    for (size_t view = 0; own->ids[0] != 0 && view < VIEWS; view++) {
        sqlite3_stmt *statement = NULL;
        bool row;
        MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_GET_SET, error));
        sqlite3_bind_int64(statement, 1, own->ids[view]);
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row) {
            code = ledger_corrupt(error);
            goto out;
        }
        own->n = sqlite3_column_int64(statement, 1);
        own->single[view] = view == 1 || sqlite3_column_int(statement, 2) != 0;
        MAILLE_TRY(bytes_copy(&own->tiles[view], sqlite3_column_blob(statement, 3),
                              (size_t)sqlite3_column_bytes(statement, 3)));
    }
out:
    return code;
}

/* Pairs of one group stand together. */
static enum maille_code own_all(struct differing *work, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    for (size_t i = 0; i < work->n; i++) {
        const struct ledger_pair *pair = &work->pairs[i];
        const struct own *last = work->n_own > 0 ? &work->own[work->n_own - 1] : NULL;
        if (last == NULL || last->analysis != pair->analysis || last->part != pair->part) {
            struct own *own = &work->own[work->n_own++];
            *own = (struct own){.analysis = pair->analysis, .part = pair->part};
            MAILLE_TRY(own_load(own, work->ledger, work->query, error));
        }
        work->own_of[i] = (uint32_t)(work->n_own - 1);
    }
out:
    return code;
}

/* --- the earlier groups --- */

/* Pairs that stand together, of one group of this question and one earlier query, in the order of its groups.
 */
struct run {
    const uint8_t *query;
    uint32_t first, n;
};

static int by_query(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    const int order = memcmp(x->query, y->query, LEDGER_QUERY_BYTES);
    return order != 0 ? order : (x->first > y->first) - (x->first < y->first);
}

static bool goes_on(const struct differing *work, const struct run *run, size_t next)
{
    const struct ledger_pair *last = &work->pairs[next - 1], *pair = &work->pairs[next];
    return pair->query != NULL && work->own_of[next - 1] == work->own_of[next] &&
           (pair->query == run->query || memcmp(pair->query, run->query, LEDGER_QUERY_BYTES) == 0) &&
           (last->its_analysis < pair->its_analysis ||
            (last->its_analysis == pair->its_analysis && last->its_part < pair->its_part));
}

static size_t find_runs(struct run *runs, const struct differing *work)
{
    size_t n = 0;
    for (size_t i = 0; i < work->n;) {
        if (work->pairs[i].query == NULL) {
            i++;
            continue;
        }
        struct run *run = &runs[n++];
        *run = (struct run){.query = work->pairs[i].query, .first = (uint32_t)i};
        do
            i++;
        while (i < work->n && goes_on(work, run, i));
        run->n = (uint32_t)(i - run->first);
    }
    return n;
}

/* A group of an earlier query, and its sets. */
struct there {
    uint32_t analysis, part;
    int64_t sets[VIEWS];
    struct ledger_chosen chosen;
};

static enum maille_code read_there(struct bytes *out, struct ledger *ledger, const uint8_t *query,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    int64_t id = 0;
    bool row = true;
    out->length = 0;
    MAILLE_TRY(ledger_find_query(&id, ledger, query, error));
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_GROUPS_OF, error));
    sqlite3_bind_int64(statement, 1, id);
    for (;;) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row)
            break;
        struct there there = {
            .analysis = (uint32_t)sqlite3_column_int64(statement, 0),
            .part = (uint32_t)sqlite3_column_int64(statement, 1),
            .sets = {sqlite3_column_int64(statement, 2), sqlite3_column_int64(statement, 3)}};
        ledger_read_chosen(&there.chosen, statement, 4);
        bytes_put(out, &there, sizeof there);
    }
    code = bytes_check(out, error);
out:
    return code;
}

/* Both in order; of a group that is there twice the first counts. */
static void find_run(struct differing *work, const struct run *run, const struct there *there, size_t n)
{
    size_t at = 0;
    for (size_t i = run->first; i < (size_t)run->first + run->n; i++) {
        const struct ledger_pair *pair = &work->pairs[i];
        while (at < n && (there[at].analysis < pair->its_analysis ||
                          (there[at].analysis == pair->its_analysis && there[at].part < pair->its_part)))
            at++;
        if (at < n && there[at].analysis == pair->its_analysis && there[at].part == pair->its_part) {
            memcpy(work->then[i], there[at].sets, sizeof there[at].sets);
            work->then_chosen[i] = there[at].chosen;
        }
    }
}

static enum maille_code find_all(struct differing *work, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes there = {0};
    struct run *runs = malloc((work->n + 1) * sizeof *runs);
    if (runs == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for %zu pairs of groups", work->n);
    const size_t n = find_runs(runs, work);
    qsort(runs, n, sizeof *runs, by_query);
    for (size_t r = 0; r < n; r++) {
        if (r == 0 || memcmp(runs[r].query, runs[r - 1].query, LEDGER_QUERY_BYTES) != 0)
            MAILLE_TRY(read_there(&there, work->ledger, runs[r].query, error));
        find_run(work, &runs[r], (const struct there *)(const void *)there.data,
                 there.length / sizeof(struct there));
    }
out:
    bytes_clear(&there);
    free(runs);
    return code;
}

/* What follows without a set: nobody is new where both are one, and all are where nobody was there. */
static void begin(struct differing *work)
{
    for (size_t i = 0; i < work->n; i++) {
        const struct own *own = &work->own[work->own_of[i]];
        const int64_t *then = work->then[i];
        const struct ledger_chosen *chosen = &work->then_chosen[i];
        int64_t *out = work->out[i].by;
        out[0] = out[1] = -1;
        work->out[i].otherwise = own->chosen.known && chosen->known &&
                                 !(own->chosen.plain && chosen->plain) &&
                                 memcmp(own->chosen.bytes, chosen->bytes, sizeof chosen->bytes) != 0;
        if (own->ids[0] == 0)
            continue;
        if (work->pairs[i].query == NULL)
            out[0] = out[1] = own->n;
        for (uint8_t view = 0; then[0] != 0 && view < VIEWS; view++) {
            out[view] = 0;
            const bool as_rows = view == 1 && then[0] == then[1] && own->ids[0] == own->ids[1];
            if (then[view] != own->ids[view] && !as_rows)
                work->against[work->n_against++] = (struct against){then[view], (uint32_t)i, view};
        }
    }
}

static int by_set(const void *a, const void *b)
{
    const struct against *x = a, *y = b;
    if (x->then != y->then)
        return x->then < y->then ? -1 : 1;
    return (x->pair > y->pair) - (x->pair < y->pair);
}

/* Those that tiles do not settle are kept, in front. */
static enum maille_code by_tiles(struct differing *work, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    size_t left = 0;
    int64_t at = INT64_MIN;
    qsort(work->against, work->n_against, sizeof *work->against, by_set);
    for (size_t i = 0; i < work->n_against; i++) {
        const struct against *against = &work->against[i];
        bool row = true;
        if (at == INT64_MIN || against->then > at + STRIDE) { /* what lies between is not wanted */
            MAILLE_TRY(ledger_ready(&statement, work->ledger, LEDGER_SETS_FROM, error));
            sqlite3_bind_int64(statement, 1, against->then);
            at = INT64_MIN;
        }
        while (row && at < against->then) {
            MAILLE_TRY(ledger_next(&row, work->ledger, statement, error));
            at = row ? sqlite3_column_int64(statement, 0) : at;
        }
        if (at != against->then) {
            code = ledger_corrupt(error);
            goto out;
        }
        const struct own *own = &work->own[work->own_of[against->pair]];
        struct difference difference = {.limit = work->limit};
        if (own->single[against->view] && (against->view == 1 || sqlite3_column_int(statement, 1) != 0) &&
            difference_by_tiles(&difference, &own->tiles[against->view], sqlite3_column_blob(statement, 2),
                                (size_t)sqlite3_column_bytes(statement, 2)))
            work->out[against->pair].by[against->view] = difference.only_now + difference.only_then;
        else
            work->against[left++] = *against;
    }
    work->n_against = left;
out:
    return code;
}

static int by_pair(const void *a, const void *b)
{
    const struct against *x = a, *y = b;
    if (x->pair != y->pair)
        return x->pair < y->pair ? -1 : 1;
    return x->view - y->view;
}

/* Number by number. One group of the question is in memory at a time. */
static enum maille_code by_pieces(struct differing *work, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct plain_set sets[VIEWS] = {{.n = 0}, {.n = 0}};
    bool loaded[VIEWS] = {false, false};
    uint32_t last = UINT32_MAX;
    qsort(work->against, work->n_against, sizeof *work->against, by_pair);
    for (size_t i = 0; i < work->n_against; i++) {
        const struct against *against = &work->against[i];
        const uint32_t which = work->own_of[against->pair];
        const uint8_t view = against->view;
        struct difference difference = {0};
        for (size_t v = 0; v < VIEWS && which != last; v++) {
            plain_set_clear(&sets[v]);
            loaded[v] = false;
        }
        last = which;
        if (!loaded[view])
            MAILLE_TRY(ledger_get_set(&sets[view], work->ledger, work->own[which].ids[view], error));
        loaded[view] = true;
        MAILLE_TRY(ledger_compare(&difference, work->ledger, &sets[view], against->then, view == 1,
                                  work->limit, error));
        work->out[against->pair].by[view] = difference.only_now + difference.only_then;
    }
out:
    for (size_t v = 0; v < VIEWS; v++)
        plain_set_clear(&sets[v]);
    return code;
}

/* By rows is by patients where a row is a patient in both. */
static void copy_views(struct differing *work)
{
    for (size_t i = 0; i < work->n; i++) {
        const struct own *own = &work->own[work->own_of[i]];
        if (own->ids[0] != 0 && work->then[i][0] != 0 && work->then[i][0] == work->then[i][1] &&
            own->ids[0] == own->ids[1])
            work->out[i].by[1] = work->out[i].by[0];
    }
}

static enum maille_code differ_all(struct differing *work, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(own_all(work, error));
    MAILLE_TRY(find_all(work, error));
    begin(work);
    MAILLE_TRY(by_tiles(work, error));
    MAILLE_TRY(by_pieces(work, error));
    copy_views(work);
out:
    return code;
}

enum maille_code ledger_differences(struct part_difference *differences, struct ledger *ledger,
                                    const uint8_t *query, const struct ledger_pair *pairs, size_t n,
                                    int64_t limit, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct differing work = {.ledger = ledger,
                             .query = query,
                             .pairs = pairs,
                             .n = n,
                             .limit = limit,
                             .own = calloc(n + 1, sizeof *work.own),
                             .own_of = calloc(n + 1, sizeof *work.own_of),
                             .then = calloc(n + 1, sizeof *work.then),
                             .then_chosen = calloc(n + 1, sizeof *work.then_chosen),
                             .against = calloc(VIEWS * n + 1, sizeof *work.against),
                             .out = differences};
    if (work.own == NULL || work.own_of == NULL || work.then == NULL || work.then_chosen == NULL ||
        work.against == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for %zu pairs of groups", n);
        goto out;
    }
    MAILLE_TRY(ledger_begin(ledger, error)); /* one reading, not one a pair */
    code = differ_all(&work, error);
    code = ledger_finish(ledger, code, error);
out:
    differing_clear(&work);
    return code;
}
