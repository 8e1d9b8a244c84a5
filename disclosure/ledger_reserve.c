#include <stdlib.h>
#include <string.h>

#include "disclosure/ledger_private.h"

/* M1: what a question must be compared with, and its reservation. */

/* The distinct sets of a question, and which of them are compared. */
struct asked_set {
    struct plain_set set;
    int64_t id;        /* once it is kept */
    bool rows, people; /* compared as such: of a group that was not answered to this question before */
};

struct reserving {
    const struct ledger_question *question;
    struct asked_set *sets;
    size_t n_sets;
    size_t (*of)[2]; /* per group: its set of rows, of patients */
    int64_t below;
    bool again[STUDY_ANALYSES_MAX];
    struct bytes verdicts; /* per set of other queries: see verdict_of */
    struct bytes found;    /* struct ledger_reference */
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
            memcmp(other->bits.data, made.bits.data, made.bits.length) == 0)
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
        if (group->analysis >= STUDY_ANALYSES_MAX) {
            code = maille_fail(error, MAILLE_INVALID, "expected an analysis below %d, found %u",
                               STUDY_ANALYSES_MAX, group->analysis);
            goto out;
        }
        MAILLE_TRY(add_set(&work->of[g][0], work, &group->rows, single, error));
        MAILLE_TRY(add_set(&work->of[g][1], work, &group->patients, true, error));
    }
out:
    return code;
}

static void put_roster(struct bytes *out, const uint32_t *sites, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes_put_u32(out, sites[i]);
}

/* Called sites that an earlier roster has not. */
static size_t sites_added(const struct ledger_question *question, const uint8_t *roster, size_t n)
{
    size_t added = 0;
    for (size_t i = 0; i < question->n_sites; i++) {
        bool there = false;
        for (size_t k = 0; k < n; k++)
            there = there || (ledger_roster_site(roster, k) & ~LEDGER_INFERRED) == question->sites[i];
        added += !there;
    }
    return added;
}

/* Which analyses were answered to this very question, by the sites that are called now and on this snapshot.
 */
static enum maille_code find_again(struct reserving *work, struct ledger *ledger, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct ledger_question *question = work->question;
    sqlite3_stmt *statement = NULL;
    bool row = true;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_AGAIN, error));
    ledger_bind_blob(statement, 1, question->question, LEDGER_HASH_BYTES);
    sqlite3_bind_int64(statement, 2, question->snapshot);
    while (row) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        int64_t analysis = row ? sqlite3_column_int64(statement, 0) : -1;
        size_t n_roster = row ? (size_t)sqlite3_column_bytes(statement, 1) / 4 : 0;
        if (analysis >= 0 && analysis < STUDY_ANALYSES_MAX && n_roster == question->n_sites &&
            sites_added(question, sqlite3_column_blob(statement, 1), n_roster) == 0)
            work->again[analysis] = true;
    }
    sqlite3_reset(statement);
    for (size_t g = 0; g < question->n_groups; g++) {
        bool fresh = !work->again[question->groups[g].analysis];
        work->sets[work->of[g][0]].rows |= fresh;
        work->sets[work->of[g][1]].people |= fresh;
    }
out:
    return code;
}

/* What was found out of a set that another query has. */
enum {
    VERDICT_KNOWN = 1,
    VERDICT_CLOSE = 2, /* 1 … below − 1 patients differ in a direction */
    VERDICT_WITHIN = 4 /* fewer than `below` are here and not there: 0 also */
};

static bool is_close(int64_t difference, int64_t below)
{
    return difference > 0 && difference < below;
}

/* Against every asked set of one view (0: rows, 1: patients), once. Verdicts stand at 2 · id + view. */
static enum maille_code verdict_of(uint8_t *verdict, struct reserving *work, struct ledger *ledger,
                                   int64_t id, int view, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t at = 2 * (size_t)id + (size_t)view;
    uint8_t made = VERDICT_KNOWN;
    if (at >= work->verdicts.length)
        (void)bytes_reserve(&work->verdicts, at + 1 - work->verdicts.length);
    MAILLE_TRY(bytes_check(&work->verdicts, error));
    if (work->verdicts.data[at] != 0)
        goto out;
    for (size_t s = 0; s < work->n_sets; s++) {
        struct difference difference;
        if (view == 0 ? !work->sets[s].rows : !work->sets[s].people)
            continue;
        MAILLE_TRY(
            ledger_compare(&difference, ledger, &work->sets[s].set, id, view == 1, work->below, error));
        if (is_close(difference.only_now, work->below) || is_close(difference.only_then, work->below))
            made |= VERDICT_CLOSE;
        if (difference.only_now < work->below)
            made |= VERDICT_WITHIN;
    }
    work->verdicts.data[at] = made;
out:
    if (code == MAILLE_OK)
        *verdict = work->verdicts.data[at];
    return code;
}

static void found_put(struct reserving *work, const uint8_t *query, uint32_t group)
{
    struct ledger_reference reference = {.group = group};
    memcpy(reference.query, query, LEDGER_QUERY_BYTES);
    bytes_put(&work->found, &reference, sizeof reference);
}

/* The groups of all other queries. */
static enum maille_code search(struct reserving *work, struct ledger *ledger, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    sqlite3_stmt *statement = NULL;
    bool row = true;
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_ALL_GROUPS, error));
    ledger_bind_blob(statement, 1, work->question->query, LEDGER_QUERY_BYTES);
    while (row) {
        MAILLE_TRY(ledger_next(&row, ledger, statement, error));
        if (!row)
            break;
        if (sqlite3_column_bytes(statement, 0) != LEDGER_QUERY_BYTES) {
            code = ledger_corrupt(error);
            goto out;
        }
        uint32_t analysis = (uint32_t)sqlite3_column_int64(statement, 3);
        size_t n_roster = (size_t)sqlite3_column_bytes(statement, 2) / 4;
        /* Where many sites have come that own_totals does not look at, what differs may be theirs alone. */
        bool grown =
            sites_added(work->question, sqlite3_column_blob(statement, 2), n_roster) > LEDGER_ROSTER_CLOSE;
        bool other_snapshot = (uint32_t)sqlite3_column_int64(statement, 1) != work->question->snapshot;
        for (int view = 0; view < 1 + other_snapshot; view++) {
            uint8_t verdict;
            MAILLE_TRY(
                verdict_of(&verdict, work, ledger, sqlite3_column_int64(statement, 4 + view), view, error));
            if ((verdict & VERDICT_CLOSE) || (grown && (verdict & VERDICT_WITHIN)))
                found_put(work, sqlite3_column_blob(statement, 0),
                          analysis | (view == 1 ? LEDGER_BY_PATIENT : 0));
        }
    }
    sqlite3_reset(statement);
out:
    return code;
}

/* The groups of this query among themselves: of one reading, an earlier analysis against a later one. */
static enum maille_code search_own(struct reserving *work, struct ledger *ledger, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct ledger_question *question = work->question;
    for (size_t earlier = 0; earlier < question->n_groups; earlier++) {
        bool close = false;
        for (size_t later = 0; later < question->n_groups && !close; later++) {
            struct difference difference;
            if (question->groups[later].reading != question->groups[earlier].reading ||
                question->groups[later].analysis <= question->groups[earlier].analysis ||
                work->of[later][0] == work->of[earlier][0])
                continue;
            MAILLE_TRY(ledger_compare(&difference, ledger, &work->sets[work->of[later][0]].set,
                                      work->sets[work->of[earlier][0]].id, false, work->below, error));
            close = is_close(difference.only_now, work->below) || is_close(difference.only_then, work->below);
        }
        if (close)
            found_put(work, question->query, question->groups[earlier].analysis);
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
    put_roster(&roster, question->sites, question->n_sites);
    MAILLE_TRY(bytes_check(&roster, error));
    MAILLE_TRY(ledger_ready(&statement, ledger, LEDGER_PUT_QUERY, error));
    ledger_bind_blob(statement, 1, question->query, LEDGER_QUERY_BYTES);
    ledger_bind_blob(statement, 2, question->question, LEDGER_HASH_BYTES);
    sqlite3_bind_int64(statement, 3, question->snapshot);
    sqlite3_bind_text(statement, 4, question->protocol, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 5, question->researcher, -1, SQLITE_STATIC);
    ledger_bind_blob(statement, 6, roster.data, roster.length);
    sqlite3_bind_int64(statement, 7, question->now_ms);
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
        MAILLE_TRY(ledger_run(ledger, statement, error));
    }
out:
    bytes_clear(&roster);
    return code;
}

/* Ascending, each once; the first THRESHOLD_LEDGER_MAX into entries. */
static void take_found(struct ledger_reference *entries, size_t *n, struct bytes *found)
{
    struct ledger_reference *all = (struct ledger_reference *)(void *)found->data;
    size_t n_all = found->length / sizeof *all, kept = 0;
    if (n_all > 0)
        qsort(all, n_all, sizeof *all, ledger_reference_compare);
    for (size_t i = 0; i < n_all; i++) {
        if (i > 0 && ledger_reference_compare(&all[i - 1], &all[i]) == 0)
            continue;
        if (kept < THRESHOLD_LEDGER_MAX)
            entries[kept] = all[i];
        kept++;
    }
    *n = kept;
}

enum maille_code ledger_reserve(struct ledger_reference *entries, size_t *n, struct ledger *ledger,
                                const struct ledger_question *question, int64_t below,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct reserving *work = calloc(1, sizeof *work);
    struct ledger_query_row row = {0};
    if (work == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for a question, found none");
    work->question = question;
    work->below = below;
    code = fill_sets(work, error);
    if (code != MAILLE_OK)
        goto out;
    MAILLE_TRY(ledger_begin(ledger, error));
    code = ledger_forget(ledger, question->query, error);
    if (code == MAILLE_OK)
        code = ledger_find_query(&row, ledger, question->query, error);
    if (code == MAILLE_OK && row.found)
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected a query that has not been answered, found one that has");
    if (code == MAILLE_OK)
        code = find_again(work, ledger, error);
    if (code == MAILLE_OK)
        code = keep(work, ledger, error);
    if (code == MAILLE_OK)
        code = search(work, ledger, error);
    if (code == MAILLE_OK)
        code = search_own(work, ledger, error);
    if (code == MAILLE_OK)
        code = bytes_check(&work->found, error);
    code = ledger_finish(ledger, code, error);
    if (code == MAILLE_OK)
        take_found(entries, n, &work->found);
out:
    for (size_t s = 0; s < work->n_sets; s++)
        plain_set_clear(&work->sets[s].set);
    free(work->sets);
    free(work->of);
    bytes_clear(&work->verdicts);
    bytes_clear(&work->found);
    bytes_clear(&row.roster);
    free(work);
    return code;
}
