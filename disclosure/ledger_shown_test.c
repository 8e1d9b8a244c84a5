/* What results showed, in the ledger: of this epoch, of what may be shown, and of two questions that were
 * judged at once one is asked again. */
#include "base/test.h"
#include "disclosure/ledger_shown.h"

static const uint32_t zero = 0;
static const uint8_t question[LEDGER_HASH_BYTES];

static const uint8_t *qid(unsigned i)
{
    static uint8_t ids[8][LEDGER_QUERY_BYTES];
    ids[i][0] = (uint8_t)(i + 1);
    return ids[i];
}

static struct ledger *fresh(void)
{
    struct ledger *ledger = NULL;
    struct maille_error error = {0};
    char path[512];
    test_path(path, "shown.ledger");
    remove(path);
    assert_ok(ledger_open(&ledger, path, &error), &error);
    return ledger;
}

/* A query of one analysis, up to where its head counts are pooled. */
static void pooled(struct ledger *ledger, unsigned i, uint32_t epoch)
{
    struct maille_error error = {0};
    static const uint8_t bits[1] = {2};
    const struct ledger_group group = {.rows = {bits, 1}, .patients = {bits, 1}};
    const uint32_t sites[] = {1, 2, 3};
    const struct ledger_question asked = {.query = qid(i),
                                          .question = question,
                                          .snapshot = 1,
                                          .epoch = epoch,
                                          .protocol = "p",
                                          .researcher = "r",
                                          .sites = sites,
                                          .n_sites = 3,
                                          .groups = &group,
                                          .n_groups = 1};
    assert_ok(ledger_reserve(ledger, &asked, &error), &error);
    assert_ok(ledger_pool(ledger, qid(i), &zero, 1, &error), &error);
}

static enum maille_code planned(struct ledger *ledger, unsigned i, int64_t patients,
                                struct maille_error *error)
{
    struct arena *arena = arena_new();
    struct shown shown = {0};
    const struct shown_entry entry = {.kind = SHOWN_SCALARS, .patients = patients, .amount = 7};
    shown_add(&shown, arena, &entry);
    enum maille_code code = ledger_plan(ledger, qid(i), &zero, 1, NULL, &shown, error);
    arena_free(arena);
    return code;
}

/* How many entries query i sees in its second threshold round. */
static size_t seen(struct ledger *ledger, unsigned i, uint32_t epoch)
{
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct shown before = {0};
    assert_ok(ledger_shown_before(&before, arena, ledger, qid(i), epoch, &error), &error);
    for (size_t e = 0; e < before.n; e++)
        assert_int_equal(before.entries[e].amount, 7);
    arena_free(arena);
    return before.n;
}

static void what_counts(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct ledger *ledger = fresh();
    pooled(ledger, 0, 3);
    assert_int_equal(seen(ledger, 0, 3), 0);
    assert_ok(planned(ledger, 0, 100, &error), &error);
    assert_ok(planned(ledger, 0, 100, &error), &error); /* a vault that was killed makes it again */
    pooled(ledger, 1, 3);
    assert_int_equal(seen(ledger, 1, 3), 1); /* may be shown at any time */
    assert_int_equal(seen(ledger, 0, 3), 0); /* not its own */
    assert_int_equal(seen(ledger, 1, 4), 0); /* of the epoch before */
    assert_ok(ledger_release(ledger, qid(0), &error), &error);
    assert_int_equal(seen(ledger, 1, 3), 0); /* nothing of it was shown */
    assert_ok(planned(ledger, 1, 100, &error), &error);
    assert_ok(ledger_commit(ledger, qid(1), &zero, 1, &error), &error);
    assert_ok(ledger_release(ledger, qid(1), &error), &error);
    pooled(ledger, 2, 3);
    assert_int_equal(seen(ledger, 2, 3), 1); /* that was, for the rest of the epoch */
    ledger_close(ledger);
}

static void of_two_judged_at_once_one_is_asked_again(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct ledger *ledger = fresh();
    pooled(ledger, 0, 0);
    pooled(ledger, 1, 0);
    assert_int_equal(seen(ledger, 0, 0), 0);
    assert_int_equal(seen(ledger, 1, 0), 0);
    assert_ok(planned(ledger, 1, 100, &error), &error);
    assert_int_equal(planned(ledger, 0, 100, &error), MAILLE_REFUSED);
    assert_string_equal(error.rule, "again");
    assert_ok(ledger_plan(ledger, qid(0), &zero, 1, NULL, NULL, &error),
              &error); /* that shows nothing of this kind */
    assert_int_equal(seen(ledger, 0, 0), 1);
    assert_ok(planned(ledger, 0, 100, &error), &error);
    ledger_close(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_counts),
                                       cmocka_unit_test(of_two_judged_at_once_one_is_asked_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
