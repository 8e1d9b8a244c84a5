/* Groups in words, in the ledger: as they were kept, and of a ledger of before. */
#include "base/test.h"

#include <string.h>
#include <unistd.h>

#include "disclosure/ledger_private.h"

static const uint8_t bits[] = {0xfe}, few[] = {0x7e};
static const uint8_t first[LEDGER_QUERY_BYTES] = {1}, second[LEDGER_QUERY_BYTES] = {2};
static const uint8_t dictionary[LEDGER_HASH_BYTES] = {3}, canon[LEDGER_HASH_BYTES] = {4};

static void put(struct ledger *ledger, const uint8_t *query, struct ledger_set set, int64_t now_ms, bool show)
{
    struct maille_error error = {0};
    static const uint32_t sites[] = {1}, analyses[] = {0};
    const struct ledger_group group = {.canon = canon,
                                       .words = "age < 60",
                                       .conditions = {(const uint8_t *)"xyz", 3},
                                       .rows = set,
                                       .patients = set};
    const struct ledger_question question = {.query = query,
                                             .question = query,
                                             .snapshot = 1,
                                             .epoch = 1,
                                             .protocol = "p",
                                             .researcher = "alice",
                                             .study = "survival",
                                             .dictionary = dictionary,
                                             .sites = sites,
                                             .n_sites = 1,
                                             .groups = &group,
                                             .n_groups = 1,
                                             .now_ms = now_ms};
    assert_ok(ledger_reserve(ledger, &question, &error), &error);
    assert_ok(ledger_roster(ledger, query, sites, 1, NULL, &error), &error);
    if (show)
        assert_ok(ledger_commit(ledger, query, analyses, 1, &error), &error);
}

static struct ledger *opened(char path[512])
{
    struct ledger *ledger = NULL;
    struct maille_error error = {0};
    assert_ok(ledger_open(&ledger, path, &error), &error);
    return ledger;
}

/* One group of the first query, as the second hears of it. */
static struct ledger_named only(struct ledger *ledger, struct arena *arena, uint32_t epoch)
{
    struct maille_error error = {0};
    struct ledger_named *list = NULL;
    size_t n = 0;
    assert_ok(ledger_named(&list, &n, arena, ledger, second, epoch, &error), &error);
    assert_int_equal(n, 1);
    return list[0];
}

static void named(void **state)
{
    (void)state;
    char path[512];
    struct maille_error error = {0};
    struct ledger_named *list = NULL;
    size_t n = 0;
    struct arena *arena = arena_new();
    assert_non_null(arena);
    test_path(path, "named");
    unlink(path);
    struct ledger *ledger = opened(path);
    put(ledger, first, (struct ledger_set){bits, 1}, 7, false);
    assert_ok(ledger_named(&list, &n, arena, ledger, second, 1, &error), &error);
    assert_int_equal(n, 0); /* nobody saw anything of it */
    put(ledger, first, (struct ledger_set){bits, 1}, 7, true);
    const struct ledger_named one = only(ledger, arena, 2);
    assert_string_equal(one.words, "age < 60");
    assert_string_equal(one.study, "survival");
    assert_string_equal(one.researcher, "alice");
    assert_int_equal(one.made_ms, 7);
    assert_int_equal(one.conditions.length, 3);
    assert_memory_equal(one.dictionary.data, dictionary, LEDGER_HASH_BYTES);
    assert_memory_equal(one.canon.data, canon, LEDGER_HASH_BYTES);
    assert_non_null(one.family);
    assert_ok(ledger_named(&list, &n, arena, ledger, second, 3, &error), &error);
    assert_int_equal(n, 0); /* two epochs later */
    ledger_close(ledger);
    arena_free(arena);
}

/* A ledger of version 4 keeps what it has; its groups have no words. */
static void of_before(void **state)
{
    (void)state;
    char path[512];
    sqlite3 *file = NULL;
    int version = 0;
    struct part_difference found;
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    assert_non_null(arena);
    test_path(path, "before");
    unlink(path);
    struct ledger *ledger = opened(path);
    put(ledger, first, (struct ledger_set){bits, 1}, 7, true);
    ledger_close(ledger);
    assert_int_equal(sqlite3_open(path, &file), SQLITE_OK);
    assert_int_equal(sqlite3_exec(file,
                                  "ALTER TABLE query DROP COLUMN study; ALTER TABLE query DROP COLUMN "
                                  "dictionary; ALTER TABLE groups DROP COLUMN words; ALTER TABLE groups DROP "
                                  "COLUMN conditions; ALTER TABLE groups DROP COLUMN chosen; ALTER TABLE "
                                  "groups DROP COLUMN plain; PRAGMA user_version = 4",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(file);
    ledger = opened(path);
    const struct ledger_named old = only(ledger, arena, 1);
    assert_string_equal(old.words, "");
    assert_string_equal(old.study, "");
    assert_string_equal(old.researcher, "alice");
    assert_int_equal(old.dictionary.length, 0);
    assert_int_equal(old.conditions.length, 0);
    put(ledger, second, (struct ledger_set){few, 1}, 8, false);
    assert_ok(
        ledger_differences(&found, ledger, second, &(struct ledger_pair){.query = first}, 1, 11, &error),
        &error);
    assert_int_equal(found.by[0], 1);
    assert_false(found.otherwise); /* it is compared as before */
    ledger_close(ledger);
    assert_ok(ledger_version(&version, path, &error), &error);
    assert_int_equal(version, 6);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(named), cmocka_unit_test(of_before)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
