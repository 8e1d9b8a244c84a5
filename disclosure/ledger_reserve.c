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
        ledger_bind_blob(statement, 11, question->groups[g].chosen,
                         question->groups[g].chosen != NULL ? LEDGER_CHOSEN_BYTES : 0);
        sqlite3_bind_int(statement, 12, question->groups[g].plain);
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
