/* Vectors through a whole network, in both modes: what reaches the researcher is, bit for bit, what federate
 * gives for the same patients, which the tests vectors.* hold against R. Those of `quick`; with
 * MAILLE_VECTORS=all every one, which takes many minutes; with MAILLE_VECTOR=NAME that one. */
#include "tests/network/testing.h"

#include <glob.h>

#include "base/file.h"
#include "stats/run_bytes.h"

static const char *const quick[] = {"causes.cuminc", "causes.finegray", "edge.km",
                                    "edge.means",    "edge.missing",    "edge.rate",
                                    "edge.table1",   "edge.tables",     "limits.km"};

/* What the policy standard does not let anybody ask, in tests/vectors/circle.yaml too, and what is more than
 * sites can exchange (`length`): vector, analysis ("*": any), rule. */
static const struct barred {
    const char *vector, *analysis, *rule;
} barred[] = {
    {"dates.language", "bent", "arithmetic"},
    {"dates.language", "powers", "arithmetic"},
    {"dates.language", "logit-powers", "arithmetic"},
    {"causes.cuminc", "nobody", "min_sites"},
    {"edge.means", "r_two", "min_sites"},
    {"edge.means", "t_nobody", "min_sites"},
    {"modeledges.models", "cox-nobody", "min_sites"},
    {"modeledges.models", "gauss-nobody", "min_sites"},
    {"reports.models", "nobody", "min_sites"},
    {"reports.tables", "alone_t", "min_sites"},
    {"rotterdam.weights", "some", "arithmetic"},
    {"rotterdam.weights", "kmall", "arithmetic"},
    {"rotterdam.weights", "kmkept", "arithmetic"},
};

static bool is_barred(const char *vector, const char *analysis, const char *rule)
{
    for (size_t i = 0; i < sizeof barred / sizeof *barred; i++)
        if (strcmp(barred[i].vector, vector) == 0 &&
            (strcmp(barred[i].analysis, "*") == 0 || strcmp(barred[i].analysis, analysis) == 0) &&
            strcmp(barred[i].rule, rule) == 0)
            return true;
    return false;
}

static void compare(struct play *play, const char *vector, enum query_mode mode)
{
    struct study_run expected = {0};
    struct plan plan = {0};
    const struct study_run *run = agent_study_run(play_agent(play));
    play_expected_run(&expected, &plan, play);
    for (size_t k = 0; k < run->study->n_analyses; k++) {
        const char *id = run->study->analyses[k].id;
        const struct analysis_state *state = &run->states[k];
        struct bytes a = {0}, b = {0};
        if (mode == MODE_CIRCLE && state->status == ANALYSIS_REFUSED) {
            if (!is_barred(vector, id, state->rule))
                fail_msg("%s: %s was refused under %s", vector, id, state->rule);
            continue;
        }
        study_run_write_ended(&a, run, k);
        study_run_write_ended(&b, &expected, k);
        if (a.length != b.length || memcmp(a.data, b.data, a.length) != 0)
            fail_msg("%s: %s came to another result: %s %s", vector, id, state->rule, state->reason);
        bytes_clear(&a);
        bytes_clear(&b);
    }
    study_run_clear(&expected);
    plan_clear(&plan);
}

static bool all_refused(const struct play *play)
{
    const struct study_run *run = agent_study_run(play_agent(play));
    for (size_t k = 0; k < run->study->n_analyses; k++)
        if (run->states[k].status != ANALYSIS_REFUSED)
            return false;
    return true;
}

/* Which messages there are says who opened the sums. */
static void assert_mode(const struct play *play, enum query_mode mode)
{
    const size_t results = play_said(play, PLAY_SITE, MESSAGE_RESULT),
                 sums = play_said(play, PLAY_COORDINATOR, MESSAGE_SUM);
    assert_true(mode == MODE_CIRCLE ? results > 0 && sums == 0 : results == 0 && sums > 0);
}

static bool is_wanted(const char *vector)
{
    const char *only = getenv("MAILLE_VECTOR"), *which = getenv("MAILLE_VECTORS");
    bool wanted = which != NULL && strcmp(which, "all") == 0;
    if (only != NULL)
        return strcmp(only, vector) == 0;
    for (size_t i = 0; i < sizeof quick / sizeof *quick; i++)
        wanted = wanted || strcmp(quick[i], vector) == 0;
    return wanted;
}

static void all_of_them(enum query_mode mode, const char *policy)
{
    glob_t found;
    assert_int_equal(glob("tests/vectors/*.gold.json", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct maille_error error = {0};
        char vector[128], path[256], data[64];
        const char *name = strrchr(found.gl_pathv[i], '/') + 1;
        snprintf(vector, sizeof vector, "%.*s", (int)(strlen(name) - strlen(".gold.json")), name);
        snprintf(path, sizeof path, "tests/vectors/%s.study.yaml", vector);
        if (!is_wanted(vector))
            continue;
        snprintf(data, sizeof data, "%.*s", (int)strcspn(vector, "."), vector);
        if (!file_exists(path)) /* an example's own study: tests/vectors/check.sh */
            snprintf(path, sizeof path, "examples/%s/%s.yaml", data, vector + strlen(data) + 1);
        if (!file_exists(path))
            snprintf(path, sizeof path, "examples/%s/study.yaml", data);
        struct play *play = play_new(&(struct play_options){.seed = 1,
                                                            .n_sites = mode == MODE_CIRCLE ? 5 : 3,
                                                            .policy = policy,
                                                            .mode = mode,
                                                            .vector = path,
                                                            .data = data});
        if (play_run(play, TESTING_LIMIT_MS, &error) != MAILLE_OK)
            fail_msg("%s: %s", vector, error.sentence);
        compare(play, vector, mode);
        if (!all_refused(play))
            assert_mode(play, mode);
        play_free(play);
    }
    globfree(&found);
}

static void in_the_circle(void **state)
{
    struct bytes policy = {0};
    (void)state;
    assert_int_equal(file_read(&policy, "tests/vectors/circle.yaml", 65536, NULL), MAILLE_OK);
    bytes_put_u8(&policy, 0);
    all_of_them(MODE_CIRCLE, (const char *)policy.data);
    bytes_clear(&policy);
}

static void where_the_agent_steps(void **state)
{
    (void)state;
    all_of_them(MODE_AGENT, "policy: open\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_circle),
        cmocka_unit_test(where_the_agent_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
