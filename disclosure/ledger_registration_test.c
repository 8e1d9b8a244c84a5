#include "disclosure/ledger_registration.h"

#include "disclosure/ledger_combination.h"
#include "disclosure/ledger_testing.h"

/* Budgets of registrations: what counts, for how long, and across whom. */

/* Query `number` of a researcher on a snapshot asks for analyses of these kinds: a letter each, a capital is
 * a model. */
static void asks(struct ledger *ledger, uint8_t number, const char *researcher, uint32_t snapshot,
                 const char *registration, const char *kinds)
{
    static const uint8_t bits[] = {0xff, 0xff};
    static const uint32_t sites[] = {1, 2, 3};
    struct maille_error error = {0};
    struct ledger_group groups[8];
    struct ledger_asked asked[8];
    const size_t n = strlen(kinds);
    for (size_t k = 0; k < n; k++) {
        const struct ledger_set set = {bits, sizeof bits};
        const bool is_model = kinds[k] < 'a';
        groups[k] = (struct ledger_group){
            .analysis = (uint32_t)k, .reading = 1, .is_model = is_model, .rows = set, .patients = set};
        asked[k] = (struct ledger_asked){.analysis = (uint32_t)k, .is_model = is_model};
        memcpy(asked[k].hash, hash_of((uint8_t)kinds[k]), LEDGER_HASH_BYTES);
    }
    const struct ledger_question question = {.query = hash_of(number),
                                             .question = hash_of((uint8_t)(number + 100)),
                                             .snapshot = snapshot,
                                             .protocol = registration,
                                             .researcher = researcher,
                                             .sites = sites,
                                             .n_sites = 3,
                                             .groups = groups,
                                             .n_groups = n,
                                             .now_ms = 1};
    assert_ok(ledger_reserve(ledger, &question, &error), &error);
    assert_ok(ledger_registration_reserve(ledger, registration, hash_of(number), asked, n, &error), &error);
}

static void spent(struct ledger *ledger, uint8_t number, const char *registration, int64_t tables,
                  int64_t models, int64_t own_tables, int64_t own_models)
{
    struct maille_error error = {0};
    int64_t all[2], added[2];
    assert_ok(ledger_registration_spent(all, added, ledger, registration, hash_of(number), &error), &error);
    assert_int_equal(all[0], tables);
    assert_int_equal(all[1], models);
    assert_int_equal(added[0], own_tables);
    assert_int_equal(added[1], own_models);
}

static bool has(struct ledger *ledger, const char *registration, char kind)
{
    struct maille_error error = {0};
    struct ledger_asked asked = {0};
    bool found = false;
    memcpy(asked.hash, hash_of((uint8_t)kind), LEDGER_HASH_BYTES);
    assert_ok(ledger_registration_has(&found, ledger, registration, &asked, &error), &error);
    return found;
}

static void one_analysis_counts_once_for_all(void **state)
{
    (void)state;
    char path[512];
    struct ledger *ledger = fresh(path, "once");
    spent(ledger, 1, "p", 0, 0, 0, 0);
    assert_false(has(ledger, "p", 'a'));
    asks(ledger, 1, "alice", 1, "p", "abM");
    spent(ledger, 1, "p", 2, 1, 2, 1);
    assert_true(has(ledger, "p", 'a'));
    asks(ledger, 2, "bob", 7, "p", "acM"); /* another researcher, another snapshot: c alone is new */
    spent(ledger, 2, "p", 3, 1, 1, 0);
    spent(ledger, 1, "p", 3, 1, 1, 0);
    spent(ledger, 9, "p", 3, 1, 0, 0);
    asks(ledger, 3, "bob", 7, "q", "a"); /* another registration has its own */
    spent(ledger, 3, "q", 1, 0, 1, 0);
    spent(ledger, 2, "p", 3, 1, 1, 0);
    asks(ledger, 4, "bob", 7, "p", "dd"); /* twice in one study */
    spent(ledger, 4, "p", 4, 1, 1, 0);
    ledger_close(ledger);
}

/* The queries whose groups a question of this researcher is combined with, under these protocols. */
static void combined_with(struct ledger *ledger, const char *researcher, const char *const *protocols,
                          size_t n_protocols, const char *queries)
{
    struct maille_error error = {0};
    struct ledger_formed *formed = NULL;
    struct arena *arena = arena_new();
    size_t n = 0;
    assert_ok(
        ledger_forms(&formed, &n, arena, ledger, hash_of(9), 0, researcher, protocols, n_protocols, &error),
        &error);
    assert_int_equal(n, strlen(queries));
    for (size_t i = 0; i < n; i++)
        assert_memory_equal(formed[i].query, hash_of((uint8_t)(queries[i] - '0')), LEDGER_QUERY_BYTES);
    arena_free(arena);
}

static void groups_under_linked_registrations_are_combined(void **state)
{
    (void)state;
    static const char *const researchers[] = {"alice", "bob", "carol"}, *const protocols[] = {"p", "q", "r"};
    struct maille_error error = {0};
    char path[512];
    struct ledger *ledger = fresh(path, "linked");
    for (uint8_t i = 0; i < 3; i++) {
        const uint32_t first = 0;
        const uint8_t query = (uint8_t)(i + 1);
        asks(ledger, query, researchers[i], 1, protocols[i], (const char[]){(char)('a' + i), '\0'});
        assert_ok(ledger_form_put(ledger, hash_of(query), 0, &query, 1, &error), &error);
        assert_ok(ledger_commit(ledger, hash_of(query), &first, 1, &error), &error);
    }
    combined_with(ledger, "dora", NULL, 0, "");
    combined_with(ledger, "alice", NULL, 0, "1");
    combined_with(ledger, "dora", protocols + 2, 1, "3");
    combined_with(ledger, "dora", protocols + 1, 2, "23"); /* q is linked to r */
    combined_with(ledger, "alice", protocols + 1, 2, "123");
    ledger_close(ledger);
}

static void what_was_never_counted_is_given_back(void **state)
{
    (void)state;
    char path[512];
    struct maille_error error = {0};
    static const uint32_t first[] = {0}, both[] = {0, 1};
    struct ledger *ledger = fresh(path, "back");
    asks(ledger, 1, "alice", 1, "p", "ab");
    assert_ok(ledger_release(ledger, hash_of(1), &error), &error); /* cancelled before anything was pooled */
    spent(ledger, 9, "p", 0, 0, 0, 0);
    asks(ledger, 2, "alice", 1, "p", "ab");
    assert_ok(ledger_commit(ledger, hash_of(2), first, 1, &error), &error); /* a was answered, b was not */
    assert_ok(ledger_release(ledger, hash_of(2), &error), &error);
    spent(ledger, 9, "p", 1, 0, 0, 0);
    assert_true(has(ledger, "p", 'a'));
    assert_false(has(ledger, "p", 'b'));
    asks(ledger, 3, "alice", 1, "p", "cd");
    assert_ok(ledger_pool(ledger, hash_of(3), both, 2, &error), &error); /* refused for what was counted */
    assert_ok(ledger_release(ledger, hash_of(3), &error), &error);
    spent(ledger, 9, "p", 3, 0, 0, 0);
    assert_true(has(ledger, "p", 'd'));
    /* It is on disk. */
    ledger_close(ledger);
    assert_ok(ledger_open(&ledger, path, &error), &error);
    spent(ledger, 9, "p", 3, 0, 0, 0);
    ledger_close(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_analysis_counts_once_for_all),
                                       cmocka_unit_test(groups_under_linked_registrations_are_combined),
                                       cmocka_unit_test(what_was_never_counted_is_given_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
