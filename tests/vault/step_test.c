/* The process that steps: what it gives is what this process would give, it can do nothing else, and when it
 * dies the step is asked again. The argument is the worker's program. */
#include "tests/vault/asking.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/channel.h"
#include "worker/step.h"

static const char *program;

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

static void the_process_gives_what_this_one_gives(void **state)
{
    (void)state;
    struct before b;
    struct maille_error error = {0};
    struct bytes near = {0}, far = {0}, again = {0};
    before_make(&b);
    assert_ok(step_local().step(NULL, &near, &b.request, &error), &error);
    const struct step_source source = step_over(program);
    assert_ok(source.step(source.context, &far, &b.request, &error), &error);
    assert_int_equal(near.length, far.length);
    assert_memory_equal(near.data, far.data, near.length);
    /* What is read of it is written again in the same bytes. */
    assert_ok(study_run_read(&b.run, far.data, far.length, &error), &error);
    study_run_write(&again, &b.run);
    assert_int_equal(again.length, far.length);
    assert_memory_equal(again.data, far.data, far.length);
    assert_int_equal(b.run.states[0].status, ANALYSIS_OK);
    assert_int_equal(b.run.states[1].status, ANALYSIS_OK);
    assert_int_equal(b.run.states[2].status, ANALYSIS_REFUSED); /* it was not of the round */
    assert_string_equal(b.run.states[2].rule, "left");
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
    before_make(&b);
    b.request.length -= 8; /* totals of another round */
    const struct step_source source = step_over(program);
    assert_int_equal(source.step(source.context, &run, &b.request, &error), MAILLE_CORRUPT);
    b.request.length += 8;
    b.state.length--;
    assert_int_equal(source.step(source.context, &run, &b.request, &error), MAILLE_CORRUPT);
    assert_int_equal(run.length, 0);
    b.state.length++;
    before_clear(&b);
}

/* Died, or cannot be started: the operator's state, in which the query waits. */
static void a_process_that_dies_is_asked_again(void **state)
{
    (void)state;
    struct before b;
    struct maille_error error = {0};
    struct bytes run = {0};
    before_make(&b);
    const struct step_source dies = step_over("/bin/false"), missing = step_over("/nowhere/maille-worker");
    assert_int_equal(dies.step(dies.context, &run, &b.request, &error), MAILLE_IO);
    assert_int_equal(missing.step(missing.context, &run, &b.request, &error), MAILLE_IO);
    assert_int_equal(run.length, 0);
    const struct step_source source = step_over(program);
    assert_ok(source.step(source.context, &run, &b.request, &error), &error);
    bytes_clear(&run);
    before_clear(&b);
}

/* While it waits for its request: what the kernel says of it. */
static void it_can_do_nothing_else(void **state)
{
    (void)state;
    int ends[2];
    char path[64], line[256], seccomp[16] = "", privileges[16] = "";
    struct maille_error error = {0};
    assert_ok(channel_pair(ends, &error), &error);
    pid_t pid = fork();
    if (pid == 0) {
        char *const argv[] = {(char *)(uintptr_t) "maille-step", (char *)(uintptr_t) "--step", NULL};
        dup2(ends[1], STDIN_FILENO);
        execv(program, argv);
        _exit(127);
    }
    close(ends[1]);
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    for (int tries = 0; tries < 500 && seccomp[0] != '2'; tries++) {
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        while (fgets(line, sizeof line, file) != NULL) {
            sscanf(line, "Seccomp: %15s", seccomp);
            sscanf(line, "NoNewPrivs: %15s", privileges);
        }
        fclose(file);
        poll(NULL, 0, 10);
    }
    close(ends[0]); /* the vault is gone: it ends */
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_string_equal(privileges, "1");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_string_equal(seccomp, "2");
#endif
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_gives_what_this_one_gives),
        cmocka_unit_test(nonsense_is_an_error_and_no_state),
        cmocka_unit_test(a_process_that_dies_is_asked_again),
        cmocka_unit_test(it_can_do_nothing_else),
    };
    program = argc > 1 ? argv[1] : "";
    if (crypto_start(NULL) != MAILLE_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
