/* Rounds of a bounded size: what does not fit waits for a later one, what fits in none is refused, and
 * neither changes a result. */
#include "stats/six_patients.h"

#include "stats/run_bytes.h"

static const char three[] =
    "method: describe, variables: [age, x], by: arm }\n"
    "  - { id: b, method: cox, formula: \"Surv(time, dead) ~ age\" }\n  - { id: c, method: count, by: arm";

static void plan_within(struct round_plan *plan, const struct six *six, size_t room)
{
    struct maille_error error = {0};
    const bool open[3] = {true, true, true};
    const struct vector none[3] = {{0}, {0}, {0}};
    if (round_plan(plan, six->study, open, none, NULL, room, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
}

static void test_plan(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct six six = {0};
    struct round_plan all, some;
    assert_int_equal(six_study(&six, three, &error), MAILLE_OK);
    plan_within(&all, &six, 0);
    const size_t a = all.analyses[0].bytes, b = all.analyses[1].bytes, c = all.analyses[2].bytes;
    assert_true(c < a && c < b);
    assert_int_equal(all.bytes, a + b + c + 24);
    plan_within(&some, &six, all.bytes); /* to the byte */
    assert_int_equal(some.layout.length, all.layout.length);
    assert_memory_equal(some.layout.data, all.layout.data, all.layout.length);
    round_plan_clear(&some);
    /* The second has no room beside the first, the third has. */
    const size_t room = (a > b ? a : b) + c + 16;
    plan_within(&some, &six, room);
    assert_true(some.analyses[0].open && !some.analyses[1].open && some.analyses[2].open);
    assert_true(some.analyses[1].waits && some.analyses[1].error.code == MAILLE_OK);
    assert_int_equal(some.analyses[2].offset, a);
    assert_int_equal(some.vetoes, a + c);
    assert_int_equal(some.bytes, a + c + 16);
    assert_int_equal(round_veto_at(&some, 2), a + c + 8);
    round_plan_clear(&some);
    /* None waits for what cannot come. */
    plan_within(&some, &six, c + 8);
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(some.analyses[k].error.code, MAILLE_REFUSED);
        assert_string_equal(some.analyses[k].error.rule, "size");
    }
    assert_int_equal(some.analyses[2].error.code, MAILLE_OK);
    round_plan_clear(&some);
    round_plan_clear(&all);
    arena_free(six.arena);
}

static const char two[] = "method: cox, formula: \"Surv(time, dead) ~ age\" }\n"
                          "  - { id: b, method: cox, formula: \"Surv(time, dead) ~ age\", ties: breslow }\n"
                          "  - { id: c, method: count, by: arm";

/* The study to its end; what each analysis came to, as bytes. */
static void run_within(struct bytes *out, struct six *six, size_t room)
{
    six_run_within(six, two, NULL, 0, room);
    for (size_t k = 0; k < 3; k++) {
        if (six->run.states[k].status != ANALYSIS_OK)
            fail_msg("analysis %zu: %s", k, six->run.states[k].reason);
        study_run_write_ended(out, &six->run, k);
    }
    six_clear(six);
}

static void test_run(void **state)
{
    (void)state;
    struct six all, some;
    struct bytes whole = {0}, parts = {0};
    run_within(&whole, &all, 0);
    run_within(&parts, &some, all.bytes - 1); /* its largest round is one of both models */
    assert_true(some.bytes < all.bytes);
    assert_true(some.rounds > all.rounds);
    assert_int_equal(whole.length, parts.length);
    assert_memory_equal(whole.data, parts.data, whole.length);
    bytes_clear(&whole);
    bytes_clear(&parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
