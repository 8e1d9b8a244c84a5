#include "tests/vault/asking.h"

#include <pthread.h>

#include "worker/channel.h"

#define COUNTS                                                                                               \
    WORLD_STUDY "  - { id: n, method: count, by: arm }\n  - { id: age, method: describe, variables: [age], " \
                "by: arm }\n"

/* data_serve in a thread, as it stands in the process `data`. */
struct served {
    struct data *data;
    int end;
    enum maille_code code;
};

static void *serve(void *context)
{
    struct served *served = context;
    struct maille_error error;
    served->code = data_serve(served->data, served->end, &error);
    close(served->end);
    return NULL;
}

static const bool all_open[2] = {true, true};
static const struct vector no_thetas[2];

/* What comes across the channel is what the source in this process says. */
static void the_far_source_is_the_near_one(void **state)
{
    (void)state;
    struct world *world = world_make("far", "policy: open\n", true, false);
    struct maille_error error = {0};
    const struct study *study = world_study(world, COUNTS);
    int ends[2];
    pthread_t thread;
    assert_ok(channel_pair(ends, &error), &error);
    struct served served = {.data = world->data[0], .end = ends[1]};
    struct data_remote remote = {.end = ends[0]};
    struct data_source near = data_local(world->data[0]), far = data_over(&remote);
    struct data_facts a, b;
    struct data_cells cells_a, cells_b;
    struct data_round round_a = {0}, round_b = {0};
    assert_ok(near.facts(near.context, &a, 0, world->arena, &error), &error);
    assert_ok(near.cells(near.context, &cells_a, 1, study, &error), &error);
    assert_ok(near.round(near.context, &round_a, 1, study, all_open, no_thetas, NULL, &error), &error);
    assert_int_equal(pthread_create(&thread, NULL, serve, &served), 0);
    assert_ok(far.facts(far.context, &b, 0, world->arena, &error), &error);
    assert_ok(far.cells(far.context, &cells_b, 1, study, &error), &error);
    assert_ok(far.round(far.context, &round_b, 1, study, all_open, no_thetas, NULL, &error), &error);
    assert_int_equal(a.patients, WORLD_ROWS);
    assert_int_equal(b.patients, a.patients);
    assert_int_equal(b.rows, a.rows);
    assert_true(b.is_public);
    assert_true(digest_equal(&a.hash, &b.hash));
    assert_string_equal(a.dictionary, b.dictionary);
    assert_int_equal(cells_b.n, 2);
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(cells_a.words[k].words.length, cells_b.words[k].words.length);
        assert_memory_equal(cells_a.words[k].words.data, cells_b.words[k].words.data,
                            cells_a.words[k].words.length);
    }
    assert_true(digest_equal(&round_a.layout, &round_b.layout));
    assert_int_equal(round_a.words.words.length, round_b.words.words.length);
    assert_memory_equal(round_a.words.words.data, round_b.words.words.data, round_a.words.words.length);
    /* What is wrong with a snapshot is an answer: the process stays. */
    assert_fails(far.facts(far.context, &b, 7, world->arena, &error), MAILLE_CORRUPT, &error, "snapshot 7");
    assert_false(remote.broken);
    assert_ok(far.facts(far.context, &b, 1, world->arena, &error), &error);
    close(ends[0]);
    pthread_join(thread, NULL);
    assert_int_equal(served.code, MAILLE_INTERNAL);
    data_cells_clear(&cells_a);
    data_cells_clear(&cells_b);
    data_round_clear(&round_a);
    data_round_clear(&round_b);
    world_free(world);
}

/* An analysis that these patients cannot answer fails alone, without a count and without a row. */
static void a_domain_error_is_of_its_analysis(void **state)
{
    (void)state;
    struct world *world = world_make("domain", "policy: open\n", true, false);
    struct maille_error error = {0};
    struct data_source data = data_local(world->data[0]);
    struct data_round round = {0};
    const struct study *study =
        world_study(world, WORLD_STUDY
                    "  - { id: n, method: count, by: arm }\n"
                    "  - { id: m, method: glm, family: gaussian, formula: \"age ~ I(1 / (age - 50))\" }\n");
    assert_ok(data.round(data.context, &round, 1, study, all_open, no_thetas, NULL, &error), &error);
    assert_string_equal(round.failures[0].rule, "");
    assert_string_equal(round.failures[1].rule, "domain");
    assert_null(strpbrk(round.failures[1].sentence, "123456789"));
    /* The other has its sums, in the place that the plan of both gives it; that of this one holds zeros. */
    struct round_plan plan = {0};
    struct data_round alone = {0};
    const bool first[2] = {true, false};
    assert_ok(round_plan(&plan, study, all_open, no_thetas, NULL, 0, &error), &error);
    assert_int_equal(round.words.words.length, plan.bytes);
    assert_ok(data.round(data.context, &alone, 1, study, first, no_thetas, NULL, &error), &error);
    assert_true(plan.analyses[0].bytes > 0);
    assert_memory_equal(round.words.words.data + plan.analyses[0].offset, alone.words.words.data,
                        plan.analyses[0].bytes);
    for (size_t i = 0; i < plan.analyses[1].bytes; i++)
        assert_int_equal(round.words.words.data[plan.analyses[1].offset + i], 0);
    round_plan_clear(&plan);
    data_round_clear(&alone);
    data_round_clear(&round);
    world_free(world);
}

/* Nonsense ends the process that reads it, whichever side speaks it. */
static void nonsense_is_fatal(void **state)
{
    (void)state;
    struct world *world = world_make("nonsense", "policy: open\n", true, false);
    struct maille_error error = {0};
    static const struct {
        uint32_t kind;
        const char *body;
        size_t length;
    } requests[] = {{1, "", 0},
                    {1, "\0\0\0\0x", 5},
                    {2, "\1\0\0\0", 4},
                    {3, "\1\0\0\0\0\0\0\0\0\0\0\0", 12},
                    {99, "\0\0\0\0", 4}};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        int ends[2];
        assert_ok(channel_pair(ends, &error), &error);
        assert_ok(channel_send(ends[0], requests[i].kind, requests[i].body, requests[i].length, &error),
                  &error);
        assert_int_equal(data_serve(world->data[0], ends[1], &error), MAILLE_INTERNAL);
        close(ends[0]);
        close(ends[1]);
    }
    static const uint32_t replies[] = {11, 12, 10, 99};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        int ends[2];
        struct data_facts facts;
        assert_ok(channel_pair(ends, &error), &error);
        struct data_remote remote = {.end = ends[0]};
        struct data_source far = data_over(&remote);
        assert_ok(channel_send(ends[1], replies[i], "\0\0\0\0\0", 5, &error), &error);
        assert_int_equal(far.facts(far.context, &facts, 0, world->arena, &error), MAILLE_INTERNAL);
        assert_true(remote.broken);
        close(ends[0]);
        close(ends[1]);
    }
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_far_source_is_the_near_one),
        cmocka_unit_test(a_domain_error_is_of_its_analysis),
        cmocka_unit_test(nonsense_is_fatal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
