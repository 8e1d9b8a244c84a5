/* stats/run_bytes.h, stats/result_bytes.h: where a study stands, as a step gives it to its vault, and how an
 * analysis ended, as each site of a circle gives it to the researcher. The first byte says which. */
#include <string.h>

#include "stats/result_bytes.h"
#include "stats/run_bytes.h"
#include "tests/fuzz/study.h"

static const struct study *the_study(void)
{
    return fuzz_study("tests/fuzz/ended.study.yaml");
}

static void run_of(const uint8_t *data, size_t size)
{
    struct study_run run, second;
    struct maille_error error = {0};
    struct bytes one = {0}, two = {0};
    if (study_run_init(&run, the_study(), NULL) != MAILLE_OK ||
        study_run_init(&second, the_study(), NULL) != MAILLE_OK)
        fuzz_fail("a run");
    if (study_run_read(&run, data, size, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else {
        study_run_write(&one, &run);
        if (study_run_read(&second, one.data, one.length, &error) != MAILLE_OK)
            fuzz_fail("a state that can be read back");
        study_run_write(&two, &second);
        if (one.length != two.length || memcmp(one.data, two.data, one.length) != 0)
            fuzz_fail("the same bytes again");
        one.length = 0;
        study_run_write_agreed(&one, &run);
    }
    bytes_clear(&one);
    bytes_clear(&two);
    study_run_clear(&second);
    study_run_clear(&run);
}

static void ended_of(size_t analysis, const uint8_t *data, size_t size)
{
    struct study_run run, second;
    struct maille_error error = {0};
    struct bytes one = {0};
    const char *name = "";
    if (study_run_init(&run, the_study(), NULL) != MAILLE_OK ||
        study_run_init(&second, the_study(), NULL) != MAILLE_OK)
        fuzz_fail("a run");
    analysis %= the_study()->n_analyses;
    struct reader reader = reader_of(data, size);
    if (study_run_read_ended(&run, analysis, &reader, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
    } else {
        study_run_write_ended(&one, &run, analysis);
        struct reader again = reader_of(one.data, one.length);
        if (study_run_read_ended(&second, analysis, &again, &error) != MAILLE_OK || !reader_done(&again))
            fuzz_fail("an end that can be read back");
        if (run.states[analysis].status == ANALYSIS_OK &&
            !analysis_state_agrees(&run.states[analysis], &second.states[analysis], &name))
            fuzz_fail("the same end again");
    }
    bytes_clear(&one);
    study_run_clear(&second);
    study_run_clear(&run);
}

static void result_of(const uint8_t *data, size_t size)
{
    struct bytes one = {0};
    const char *name = "";
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    struct reader reader = reader_of(data, size);
    const struct result *result = result_read(&reader, arena);
    if (result != NULL) {
        result_write(&one, result);
        struct reader again = reader_of(one.data, one.length);
        const struct result *second = result_read(&again, arena);
        if (second == NULL || !reader_done(&again) || !result_agrees(result, second, &name))
            fuzz_fail("the same result again");
        one.length = 0;
        result_write_shape(&one, result);
    }
    bytes_clear(&one);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 0)
        run_of(data + 1, size - 1);
    else if (data[0] == 1)
        result_of(data + 1, size - 1);
    else
        ended_of(data[0], data + 1, size - 1);
    return 0;
}
