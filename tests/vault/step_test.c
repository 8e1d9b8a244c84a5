/* The process that steps: what it gives is what this process would give, it can do nothing else, and when it
 * dies the step is asked again. The argument is the worker's program. */
#include "tests/vault/asking.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wall.h"
#include "worker/channel.h"
#include "worker/step.h"

#define STUDY                                                                                                \
    WORLD_STUDY "  - { id: n, method: count, by: arm }\n  - { id: age, method: describe, variables: [age], " \
                "by: arm }\n  - { id: gone, method: count }\n"
enum { ANALYSES = 3 };

/* A round of values over one site's patients, and where the study stands before it. */
struct before {
    struct world *world;
    const struct study *study;
    struct study_run run;
    struct data_round sums;
    struct bytes state, plan;
    bool open[ANALYSES];
    struct step_request request;
};

static void before_make(struct before *b)
{
    static const struct vector none[ANALYSES];
    struct maille_error error = {0};
    *b = (struct before){.world = world_make("step", "policy: open\n", true, false),
                         .open = {true, true, false}};
    b->study = world_study(b->world, STUDY);
    assert_ok(study_run_init(&b->run, b->study, &error), &error);
    struct data_source data = data_local(b->world->data[0]);
    assert_ok(data.round(data.context, &b->sums, 1, b->study, b->open, none, NULL, &error), &error);
    study_run_write(&b->state, &b->run);
    b->request = (struct step_request){.dictionary = b->study->dictionary->text,
                                       .dictionary_length = b->study->dictionary->text_length,
                                       .study = b->study->text,
                                       .study_length = b->study->text_length,
                                       .plan = &b->plan,
                                       .run = &b->state,
                                       .open = b->open,
                                       .n = ANALYSES,
                                       .n_sites = 3,
                                       .totals = b->sums.words.words.data,
                                       .length = b->sums.words.words.length};
}

static void before_clear(struct before *b)
{
    data_round_clear(&b->sums);
    study_run_clear(&b->run);
    bytes_clear(&b->state);
    world_free(b->world);
}

/* step_serve in a process of its own, as the supervisor starts it. */
static pid_t started(struct step_remote *remote)
{
    int ends[2];
    struct maille_error error = {0};
    assert_ok(channel_pair(ends, &error), &error);
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        const struct wall wall = {.profile = WALL_STEP, .without_landlock = true};
        if (wall_raise(&wall, &error) != MAILLE_OK)
            _exit(2);
        _exit(step_serve(ends[1], &error) == MAILLE_INTERNAL ? 0 : 1);
    }
    assert_true(pid > 0);
    close(ends[1]);
    *remote = (struct step_remote){.end = ends[0]};
    return pid;
}

static int ended(pid_t pid, struct step_remote *remote)
{
    int status = -1;
    if (remote != NULL)
        close(remote->end);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void the_process_gives_what_this_one_gives(void **state)
{
    (void)state;
    struct before b;
    struct maille_error error = {0};
    struct bytes near = {0}, far = {0}, again = {0};
    struct step_remote remote;
    before_make(&b);
    const pid_t pid = started(&remote);
    const struct step_source source = step_over(&remote);
    assert_ok(step_local().step(NULL, &near, &b.request, &error), &error);
    for (int i = 0; i < 2; i++) { /* it keeps nothing of the one before */
        assert_ok(source.step(source.context, &far, &b.request, &error), &error);
        assert_int_equal(near.length, far.length);
        assert_memory_equal(near.data, far.data, near.length);
    }
    /* What is read of it is written again in the same bytes. */
    assert_ok(study_run_read(&b.run, far.data, far.length, &error), &error);
    study_run_write(&again, &b.run);
    assert_int_equal(again.length, far.length);
    assert_memory_equal(again.data, far.data, far.length);
    assert_int_equal(b.run.states[0].status, ANALYSIS_OK);
    assert_int_equal(b.run.states[1].status, ANALYSIS_OK);
    assert_int_equal(b.run.states[2].status, ANALYSIS_REFUSED); /* it was not of the round */
    assert_string_equal(b.run.states[2].rule, "left");
    assert_int_equal(ended(pid, &remote), 0);
    bytes_clear(&near);
    bytes_clear(&far);
    bytes_clear(&again);
    before_clear(&b);
}

static void nonsense_is_an_error_and_no_state(void **state)
{
    (void)state;
    struct before b;
    struct maille_error error = {0};
    struct bytes run = {0};
    struct step_remote remote;
    before_make(&b);
    const pid_t pid = started(&remote);
    const struct step_source source = step_over(&remote);
    b.request.length -= 8; /* totals of another round */
    assert_int_equal(source.step(source.context, &run, &b.request, &error), MAILLE_CORRUPT);
    b.request.length += 8;
    b.state.length--;
    assert_int_equal(source.step(source.context, &run, &b.request, &error), MAILLE_CORRUPT);
    assert_int_equal(run.length, 0);
    b.state.length++;
    b.sums.words.words.data[7] ^= 0x80; /* fewer than no patients */
    assert_int_equal(source.step(source.context, &run, &b.request, &error), MAILLE_CORRUPT);
    b.sums.words.words.data[7] ^= 0x80;
    assert_ok(source.step(source.context, &run, &b.request, &error), &error); /* and it is still there */
    assert_false(remote.broken);
    assert_int_equal(ended(pid, &remote), 0);
    bytes_clear(&run);
    before_clear(&b);
}

static void a_process_that_dies_is_missed(void **state)
{
    (void)state;
    struct before b;
    struct maille_error error = {0};
    struct bytes run = {0};
    struct step_remote remote;
    before_make(&b);
    const pid_t pid = started(&remote);
    const struct step_source source = step_over(&remote);
    assert_int_equal(kill(pid, SIGKILL), 0);
    ended(pid, NULL);
    assert_int_equal(source.step(source.context, &run, &b.request, &error), MAILLE_INTERNAL);
    assert_true(remote.broken);
    assert_int_equal(run.length, 0);
    close(remote.end);
    before_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_gives_what_this_one_gives),
        cmocka_unit_test(nonsense_is_an_error_and_no_state),
        cmocka_unit_test(a_process_that_dies_is_missed),
    };
    if (crypto_start(NULL) != MAILLE_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
