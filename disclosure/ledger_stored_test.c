#include "disclosure/ledger_stored.h"

#include "disclosure/ledger_combination.h"
#include "disclosure/ledger_registration.h"
#include "disclosure/ledger_testing.h"

/* Answers that an epoch has given: kept, found, and told again. */

/* Query `number` of a researcher, with one analysis. */
static void reserve(struct ledger *ledger, uint8_t number, const char *researcher, const char *protocol,
                    uint32_t epoch)
{
    static const uint8_t bits[] = {0xff, 0xff};
    static const uint32_t sites[] = {1, 2, 3};
    static const struct ledger_set set = {bits, sizeof bits};
    struct maille_error error = {0};
    const struct ledger_group group = {.reading = 1, .rows = set, .patients = set};
    struct ledger_asked asked = {.analysis = 0};
    const struct ledger_question question = {.query = hash_of(number),
                                             .question = hash_of((uint8_t)(number + 100)),
                                             .snapshot = 1,
                                             .epoch = epoch,
                                             .protocol = protocol,
                                             .researcher = researcher,
                                             .sites = sites,
                                             .n_sites = 3,
                                             .groups = &group,
                                             .n_groups = 1,
                                             .now_ms = 1};
    memcpy(asked.hash, hash_of(77), LEDGER_HASH_BYTES);
    assert_ok(ledger_reserve(ledger, &question, &error), &error);
    assert_ok(ledger_registration_reserve(ledger, protocol, hash_of(number), &asked, 1, &error), &error);
    assert_ok(ledger_form_put(ledger, hash_of(number), 0, &number, 1, &error), &error);
}

static enum maille_code pool(struct ledger *ledger, uint8_t number)
{
    struct maille_error error = {0};
    return ledger_pool(ledger, hash_of(number), &(uint32_t){0}, 1, &error);
}

static void release(struct ledger *ledger, uint8_t number)
{
    struct maille_error error = {0};
    assert_ok(ledger_release(ledger, hash_of(number), &error), &error);
}

static void shown(struct ledger *ledger, uint8_t number)
{
    struct maille_error error = {0};
    assert_int_equal(pool(ledger, number), MAILLE_OK);
    assert_ok(ledger_commit(ledger, hash_of(number), &(uint32_t){0}, 1, &error), &error);
    release(ledger, number);
}

static struct ledger_stored answer_of(uint8_t number)
{
    struct ledger_stored stored = {.analysis = 0, .snapshot = 1, .asked_ms = number};
    memcpy(stored.query, hash_of(number), LEDGER_QUERY_BYTES);
    return stored;
}

static void put(struct ledger *ledger, uint8_t number, uint8_t asked, uint32_t epoch, const char *text)
{
    struct maille_error error = {0};
    struct bytes sealed = {0};
    const struct ledger_stored stored = answer_of(number);
    bytes_put_text(&sealed, text);
    assert_ok(ledger_stored_put(ledger, &stored, hash_of(asked), epoch, &sealed, &error), &error);
    bytes_clear(&sealed);
}

/* What query 99 finds; 0: nothing. */
static uint8_t found(struct ledger *ledger, uint8_t asked, uint32_t epoch, const char *text)
{
    struct maille_error error = {0};
    struct ledger_stored stored = {0};
    struct bytes sealed = {0};
    bool there = false;
    assert_ok(ledger_stored_find(&there, &stored, ledger, hash_of(asked), epoch, hash_of(99), &error),
              &error);
    if (!there)
        return 0;
    assert_ok(ledger_stored_get(&there, &sealed, ledger, hash_of(asked), stored.query, &error), &error);
    assert_true(there);
    assert_int_equal(sealed.length, strlen(text));
    assert_memory_equal(sealed.data, text, sealed.length);
    assert_int_equal(stored.asked_ms, stored.query[0]);
    bytes_clear(&sealed);
    return stored.query[0];
}

static void the_latest_of_the_epoch_is_kept(void **state)
{
    (void)state;
    char path[512];
    struct maille_error error = {0};
    bool there;
    struct ledger_stored stored;
    struct ledger *ledger = fresh(path, "kept");
    reserve(ledger, 1, "alice", "p", 3);
    reserve(ledger, 2, "alice", "p", 3);
    reserve(ledger, 3, "alice", "p", 2);
    put(ledger, 1, 50, 3, "one");
    assert_int_equal(found(ledger, 50, 3, "one"), 1);
    put(ledger, 2, 50, 3, "two");
    assert_int_equal(found(ledger, 50, 3, "two"), 2);
    put(ledger, 3, 51, 3, "of the epoch before");
    put(ledger, 9, 51, 3, "of nobody");
    assert_int_equal(found(ledger, 51, 3, ""), 0);
    assert_int_equal(found(ledger, 50, 4, ""), 0);
    assert_ok(ledger_stored_find(&there, &stored, ledger, hash_of(50), 3, hash_of(2), &error), &error);
    assert_false(there); /* its own */
    ledger_close(ledger);
    assert_ok(ledger_open(&ledger, path, &error), &error);
    assert_ok(ledger_stored_begin(ledger, 3, &error), &error);
    assert_int_equal(found(ledger, 50, 3, "two"), 2);
    assert_ok(ledger_stored_drop(ledger, hash_of(50), &error), &error);
    assert_int_equal(found(ledger, 50, 3, ""), 0);
    put(ledger, 1, 50, 3, "one");
    assert_ok(ledger_stored_begin(ledger, 4, &error), &error);
    assert_int_equal(found(ledger, 50, 3, ""), 0);
    ledger_close(ledger);
}

static size_t combined_with(struct ledger *ledger, const char *researcher, const char *protocol)
{
    struct maille_error error = {0};
    struct ledger_formed *formed = NULL;
    struct arena *arena = arena_new();
    size_t n = 0;
    assert_ok(ledger_forms(&formed, &n, arena, ledger, hash_of(99), 0, researcher, &protocol, 1, &error),
              &error);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(formed[i].query[0], 1); /* the group that was shown, not the later one */
    arena_free(arena);
    return n;
}

/* Alice was shown a group; bob gets her answer: where groups are combined he has it, and so has who asks
 * under his registration. */
static void who_is_told_has_the_group(void **state)
{
    (void)state;
    char path[512];
    struct maille_error error = {0};
    struct ledger *ledger = fresh(path, "told");
    const struct ledger_stored stored = answer_of(1);
    int64_t spent[2], added[2];
    reserve(ledger, 1, "alice", "p", 0);
    shown(ledger, 1);
    assert_int_equal(combined_with(ledger, "bob", "q"), 0);
    reserve(ledger, 2, "bob", "q", 0);
    assert_int_equal(pool(ledger, 2), MAILLE_OK);
    for (int turn = 0; turn < 2; turn++) /* again is fine */
        assert_ok(ledger_stored_tell(ledger, &stored, hash_of(2), 0, "bob", "q", &error), &error);
    release(ledger, 2);
    assert_int_equal(combined_with(ledger, "bob", "r"), 1);
    assert_int_equal(combined_with(ledger, "carol", "q"), 1);
    assert_int_equal(combined_with(ledger, "carol", "r"), 0);
    assert_ok(ledger_registration_spent(spent, added, ledger, "q", hash_of(99), &error), &error);
    assert_int_equal(spent[0], 1);
    ledger_close(ledger);
}

/* A question that was answered from the store was counted all the same: one that was called before it is over
 * may not know another that was revealed since. */
static void what_is_told_is_no_way_around_others(void **state)
{
    (void)state;
    char path[512];
    struct maille_error error = {0};
    struct ledger *ledger = fresh(path, "races");
    const struct ledger_stored stored = answer_of(1);
    reserve(ledger, 1, "alice", "p", 0);
    shown(ledger, 1);
    reserve(ledger, 2, "bob", "q", 0);
    assert_int_equal(pool(ledger, 2), MAILLE_OK);
    assert_ok(ledger_stored_tell(ledger, &stored, hash_of(2), 0, "bob", "q", &error), &error);
    reserve(ledger, 3, "bob", "q", 0);
    release(ledger, 2);
    reserve(ledger, 4, "carol", "r", 0);
    assert_int_equal(pool(ledger, 4), MAILLE_OK);
    assert_int_equal(pool(ledger, 3), MAILLE_REFUSED);
    ledger_close(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_latest_of_the_epoch_is_kept),
                                       cmocka_unit_test(who_is_told_has_the_group),
                                       cmocka_unit_test(what_is_told_is_no_way_around_others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
