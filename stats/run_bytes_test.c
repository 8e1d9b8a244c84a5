/* Where a study stands, as bytes and back; and which two results are one. */
#include "stats/run_bytes.h"

#include "stats/result_bytes.h"
#include "stats/six_patients.h"

static void test_a_state_comes_back(void **state)
{
    (void)state;
    struct six six;
    struct study_run run;
    struct bytes first = {0}, again = {0}, ended = {0};
    struct maille_error error = {0};
    six_run(&six, "method: km, formula: \"Surv(time, dead) ~ arm\"");
    six.run.states[0].iteration.memo = (struct vector){0};
    vector_push(&six.run.states[0].iteration.memo, NAN);
    vector_push(&six.run.states[0].iteration.memo, -0.0);
    vector_push(&six.run.states[0].iteration.theta, 0.1);
    study_run_offer(&six.run, 0, "age >= 65");
    study_run_write(&first, &six.run);
    assert_int_equal(study_run_init(&run, six.study, &error), MAILLE_OK);
    assert_int_equal(study_run_read(&run, first.data, first.length, &error), MAILLE_OK);
    study_run_write(&again, &run);
    assert_int_equal(first.length, again.length);
    assert_memory_equal(first.data, again.data, first.length);
    assert_int_equal(run.states[0].status, ANALYSIS_OK);
    assert_string_equal(run.states[0].offer, "age >= 65");
    /* An earlier program wrote no offers. */
    const size_t earlier = first.length - sizeof(uint64_t) - strlen("age >= 65");
    assert_int_equal(study_run_read(&run, first.data, earlier, &error), MAILLE_OK);
    assert_string_equal(run.states[0].offer, "");
    /* None that is cut or longer is a state. */
    for (size_t length = 0; length < first.length; length++)
        assert_int_equal(study_run_read(&run, first.data, length, &error),
                         length == earlier ? MAILLE_OK : MAILLE_CORRUPT);
    bytes_put_u8(&first, 0);
    assert_int_equal(study_run_read(&run, first.data, first.length, &error), MAILLE_CORRUPT);
    study_run_clear(&run);
    /* What the researcher gets of it. */
    const char *name = NULL;
    assert_int_equal(study_run_init(&run, six.study, &error), MAILLE_OK);
    study_run_write_ended(&ended, &six.run, 0);
    struct reader reader = reader_of(ended.data, ended.length);
    assert_int_equal(study_run_read_ended(&run, 0, &reader, &error), MAILLE_OK);
    assert_true(reader_done(&reader));
    assert_true(analysis_state_agrees(&run.states[0], six.state, &name));
    run.states[0].offer[0] = '\0';
    assert_false(analysis_state_agrees(&run.states[0], six.state, &name));
    assert_string_equal(name, "offer");
    ended.data[0] = ANALYSIS_OPEN;
    reader = reader_of(ended.data, ended.length);
    assert_int_equal(study_run_read_ended(&run, 0, &reader, &error), MAILLE_INVALID);
    study_run_clear(&run);
    bytes_clear(&first);
    bytes_clear(&again);
    bytes_clear(&ended);
    six_clear(&six);
}

/* Of an analysis that goes on it is kept which numbers are heads; a program of before did not write it. */
static void test_heads_come_back(void **state)
{
    (void)state;
    struct six six;
    struct study_run run;
    struct bytes first = {0}, again = {0}, heads = {0};
    struct maille_error error = {0};
    six_run(&six, "method: describe, variables: [arm]");
    six.run.states[0].status = ANALYSIS_OPEN;
    study_run_write(&first, &six.run);
    result_write_heads(&heads, six.run.states[0].outcome.result);
    assert_int_equal(study_run_init(&run, six.study, &error), MAILLE_OK);
    assert_int_equal(study_run_read(&run, first.data, first.length, &error), MAILLE_OK);
    study_run_write(&again, &run);
    assert_int_equal(first.length, again.length);
    assert_memory_equal(first.data, again.data, first.length);
    const struct result *row = at(get(run.states[0].outcome.result, "variables"), 0);
    assert_true(get(row, "n")->heads && get(row, "share")->whole == 6);
    const size_t earlier = first.length - sizeof(uint64_t) - heads.length;
    assert_int_equal(study_run_read(&run, first.data, earlier, &error), MAILLE_OK);
    assert_int_equal(run.states[0].status, ANALYSIS_OPEN);
    study_run_clear(&run);
    bytes_clear(&first);
    bytes_clear(&again);
    bytes_clear(&heads);
    six_clear(&six);
}

static void test_no_theta_is_no_number(void **state)
{
    (void)state;
    struct six six;
    struct bytes bytes = {0};
    struct study_run run;
    struct maille_error error = {0};
    six_run(&six, "method: count");
    vector_push(&six.run.states[0].iteration.theta, NAN);
    study_run_write(&bytes, &six.run);
    assert_int_equal(study_run_init(&run, six.study, &error), MAILLE_OK);
    assert_int_equal(study_run_read(&run, bytes.data, bytes.length, &error), MAILLE_CORRUPT);
    study_run_clear(&run);
    bytes_clear(&bytes);
    six_clear(&six);
}

/* The agreed state has θ, memo, status and what is shown; no number of the result. */
static void test_what_is_agreed(void **state)
{
    (void)state;
    struct six six;
    struct bytes a = {0}, b = {0};
    six_run(&six, "method: ttest, formula: \"age ~ dead\"");
    struct result *result = six.run.states[0].outcome.result;
    study_run_write_agreed(&a, &six.run);
    size_t i = 0;
    while (i < result->n && strcmp(result->names[i], "p_value") != 0)
        i++;
    assert_true(i < result->n);
    result->items[i]->number *= 1 + 1e-12;
    study_run_write_agreed(&b, &six.run);
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.data, b.data, a.length);
    result->items[i] = (struct result *)(uintptr_t) & (const struct result){.kind = RESULT_NULL};
    b.length = 0;
    study_run_write_agreed(&b, &six.run);
    assert_true(a.length != b.length || memcmp(a.data, b.data, a.length) != 0);
    vector_push(&six.run.states[0].iteration.memo, 1);
    a.length = 0;
    study_run_write_agreed(&a, &six.run);
    six.run.states[0].iteration.memo.v[0] = nextafter(1, 2);
    b.length = 0;
    study_run_write_agreed(&b, &six.run);
    assert_memory_not_equal(a.data, b.data, a.length);
    bytes_clear(&a);
    bytes_clear(&b);
    six_clear(&six);
}

static struct result *one(struct arena *arena, const char *name, double value)
{
    struct result *made = result_object(arena), *rows = result_add_list(made, "terms");
    result_add_number(result_add_object(rows, NULL), name, value);
    result_add_string(made, "term", "age");
    result_add_boolean(made, "shown", true);
    result_add_integer(made, "pairs", 7);
    result_add_null(made, "tau");
    return made;
}

static void test_results_agree(void **state)
{
    (void)state;
    const char *name = NULL;
    struct arena *arena = arena_new();
    const double x = 0.125;
    assert_true(result_agrees(one(arena, "estimate", x), one(arena, "estimate", x), &name));
    assert_false(result_agrees(one(arena, "estimate", x), one(arena, "estimate", nextafter(x, 1)), &name));
    assert_string_equal(name, "estimate");
    static const char *const near[] = {"p_value",   "conf_low", "difference_high",
                                       "q_p_value", "low",      "odds_ratio"};
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        assert_true(result_agrees(one(arena, near[i], x), one(arena, near[i], x * (1 + 9e-10)), &name));
        assert_true(result_agrees(one(arena, near[i], -x), one(arena, near[i], -x * (1 - 9e-10)), &name));
        assert_false(result_agrees(one(arena, near[i], x), one(arena, near[i], x * (1 + 2e-9)), &name));
        assert_false(result_agrees(one(arena, near[i], x), one(arena, near[i], -x), &name));
        assert_string_equal(name, near[i]);
    }
    struct result *other = one(arena, "estimate", x);
    other->items[3]->integer++;
    assert_false(result_agrees(one(arena, "estimate", x), other, &name));
    assert_string_equal(name, "pairs");
    other = one(arena, "estimate", x);
    result_add_null(other, "more");
    assert_false(result_agrees(one(arena, "estimate", x), other, &name));
    /* A number that is shown by one and not by the other. */
    other = one(arena, "p_value", NAN);
    assert_false(result_agrees(one(arena, "p_value", x), other, &name));
    arena_free(arena);
}

/* Bytes that nest without end, or promise more than there is. */
static void test_hostile_bytes(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct arena *arena = arena_new();
    for (int i = 0; i < 100000; i++) {
        bytes_put_u8(&bytes, RESULT_LIST);
        bytes_put_u64(&bytes, 1);
    }
    struct reader reader = reader_of(bytes.data, bytes.length);
    assert_null(result_read(&reader, arena));
    bytes.length = 0;
    bytes_put_u8(&bytes, RESULT_LIST);
    bytes_put_u64(&bytes, UINT64_MAX);
    reader = reader_of(bytes.data, bytes.length);
    assert_null(result_read(&reader, arena));
    bytes.length = 0;
    bytes_put_u8(&bytes, RESULT_NUMBER);
    bytes_put_f64(&bytes, INFINITY);
    reader = reader_of(bytes.data, bytes.length);
    assert_null(result_read(&reader, arena));
    bytes.length = 0;
    bytes_put_u8(&bytes, RESULT_STRING);
    bytes_put_block(&bytes, "a\0b", 3);
    reader = reader_of(bytes.data, bytes.length);
    assert_null(result_read(&reader, arena));
    bytes_clear(&bytes);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_state_comes_back),    cmocka_unit_test(test_heads_come_back),
        cmocka_unit_test(test_no_theta_is_no_number), cmocka_unit_test(test_what_is_agreed),
        cmocka_unit_test(test_results_agree),         cmocka_unit_test(test_hostile_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
