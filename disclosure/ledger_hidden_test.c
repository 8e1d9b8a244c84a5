/* What a plan hides is left, and is taken back where another plan of the same query shows it. */
#include "base/test.h"
#include "disclosure/ledger.h"
#include "disclosure/parts.h"

enum { PARTS = 2 };
static const uint32_t zero = 0;
static const uint8_t asked[LEDGER_QUERY_BYTES] = {90}, other[LEDGER_QUERY_BYTES] = {91};

/* A query of one analysis with two parts (levels of a category), up to where its head counts are pooled. */
static struct ledger *pooled(const char *name)
{
    struct ledger *ledger = NULL;
    struct maille_error error = {0};
    struct bytes written = {0};
    char path[512];
    static const uint8_t bits[PARTS][1] = {{2}, {4}}, question[LEDGER_HASH_BYTES];
    static const uint32_t sites[] = {1, 2, 3};
    struct ledger_group groups[PARTS] = {0};
    struct part_family family = {.n = PARTS};
    const struct parts parts = {.n_families = 1, .families = &family};
    for (uint32_t part = 0; part < PARTS; part++)
        groups[part] =
            (struct ledger_group){.part = part, .rows = {bits[part], 1}, .patients = {bits[part], 1}};
    part_groups_write(&written, &parts, 1);
    const struct ledger_question reserved = {.query = asked,
                                             .question = question,
                                             .snapshot = 1,
                                             .protocol = "p",
                                             .researcher = "r",
                                             .sites = sites,
                                             .n_sites = 3,
                                             .groups = groups,
                                             .n_groups = PARTS,
                                             .families = {written.data, written.length},
                                             .now_ms = 1};
    test_path(path, name);
    remove(path);
    assert_ok(ledger_open(&ledger, path, &error), &error);
    assert_ok(ledger_reserve(ledger, &reserved, &error), &error);
    assert_ok(ledger_roster(ledger, asked, sites, 3, NULL, &error), &error);
    assert_ok(ledger_pool(ledger, asked, &zero, 1, &error), &error);
    bytes_clear(&written);
    return ledger;
}

static void plan(struct ledger *ledger, size_t n, bool first, bool second)
{
    struct maille_error error = {0};
    const bool parts[PARTS] = {first, second};
    const struct ledger_hidden hidden = {parts, PARTS};
    assert_ok(ledger_plan(ledger, asked, &zero, n, &hidden, NULL, &error), &error);
}

/* The parts that another query is compared with, as bits. */
static unsigned listed(struct ledger *ledger)
{
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct ledger_past *list = NULL;
    size_t n = 0;
    assert_ok(ledger_list(&list, &n, arena, ledger, other, 0, 1, &error), &error);
    const unsigned bits = n == 0 ? 0 : list[0].shown.data[0];
    arena_free(arena);
    return bits;
}

static void the_last_plan_takes_back(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct ledger *ledger = pooled("back.ledger");
    assert_int_equal(listed(ledger), 3);
    for (int again = 0; again < 2; again++) {
        plan(ledger, 1, false, true);
        assert_int_equal(listed(ledger), 1);
    }
    plan(ledger, 1, true, false); /* what an earlier plan let go on stays */
    assert_int_equal(listed(ledger), 3);
    assert_ok(ledger_commit(ledger, asked, &zero, 1, &error), &error);
    assert_ok(ledger_release(ledger, asked, &error), &error);
    assert_int_equal(listed(ledger), 3);
    ledger_close(ledger);
}

/* While an attempt with fewer sites is judged, all that it may show is compared; so where a plan left all. */
static void another_attempt_takes_back(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct ledger *ledger = pooled("attempt.ledger");
    plan(ledger, 0, false, false);
    assert_int_equal(listed(ledger), 0);
    assert_ok(ledger_pool(ledger, asked, &zero, 1, &error), &error);
    assert_int_equal(listed(ledger), 3);
    plan(ledger, 0, false, false);
    plan(ledger, 1, false, true);
    assert_int_equal(listed(ledger), 1);
    assert_ok(ledger_pool(ledger, asked, &zero, 1, &error), &error);
    assert_int_equal(listed(ledger), 3);
    ledger_close(ledger);
}

static void what_is_hidden_is_not_listed(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct ledger *ledger = pooled("hidden.ledger");
    plan(ledger, 1, true, false);
    assert_int_equal(listed(ledger), 2);
    assert_ok(ledger_commit(ledger, asked, &zero, 1, &error), &error);
    assert_int_equal(listed(ledger), 2);
    assert_ok(ledger_release(ledger, asked, &error), &error);
    assert_int_equal(listed(ledger), 2);
    ledger_close(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_plan_takes_back),
        cmocka_unit_test(another_attempt_takes_back),
        cmocka_unit_test(what_is_hidden_is_not_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
