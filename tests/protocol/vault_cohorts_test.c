/* Published cohorts of a question stay those of its start, whatever directory is in force when a site starts
 * again. */
#include "tests/protocol/questions.h"

#include "base/file.h"
#include "base/test.h"

#define MODEL                                                                                                \
    "  - { id: x, method: count }\n  - { id: y, method: glm, family: binomial, formula: meno ~ age }\n"

/* A newer directory, which publishes these, holds at site i from its next start. */
static void publish(struct world *world, size_t i, unsigned version, const char *cohorts)
{
    struct bytes text = {0};
    struct maille_error error = {0};
    world->registrations = cohorts;
    sites_directory(&text, world, version, "research");
    const char *path = arena_printf(world->arena, "%s/pinned.yaml", world->sites[i].folder);
    site_close(world, i);
    assert_int_equal(file_write_atomic(path, text.data, text.length, 0600, NULL), MAILLE_OK);
    assert_ok(site_try_open(world, i, &error), &error);
    bytes_clear(&text);
}

static void everywhere(struct world *world, unsigned version, const char *cohorts)
{
    struct maille_error error = {0};
    struct bytes text = {0};
    for (size_t i = 0; i < world->n; i++)
        publish(world, i, version, cohorts);
    sites_directory(&text, world, version, "research");
    assert_ok(directory_accept(&world->directory, world->arena, "network.yaml", (const char *)text.data,
                               text.length, world->directory, &error),
              &error);
    bytes_clear(&text);
}

#define OLD "{ name: old, dictionary: rotterdam, expression: \"age >= 65\" }"
#define FIRST "{ name: a-few, dictionary: rotterdam, expression: \"nodes < 3\" }"

/* They are withdrawn, or change places, after M2 at one site and after T1 at another. */
static void another_directory_changes_nothing_of_an_open_question(void **state)
{
    (void)state;
    static const char *const later[] = {"", "cohorts: []\n", "cohorts: [" FIRST ", " OLD "]\n"};
    const struct sites_options options = {.n = 5, .study = MODEL};
    for (size_t t = 0; t < sizeof later / sizeof *later; t++) {
        struct world *world = sites_up_with(&options);
        everywhere(world, 2, "cohorts: [" OLD ", " FIRST "]\n");
        sites_to_roster(world);
        publish(world, 2, 3, later[t]);
        sites_to_masked(world, 1, 1);
        sites_finish_round(world);
        publish(world, 0, 3, later[t]);
        for (uint32_t round = 2; study_run_open(&world->run); round++) {
            assert_true(round <= 20);
            sites_to_masked(world, round, 1);
            sites_finish_round(world);
        }
        assert_int_equal(world->run.states[0].status, ANALYSIS_OK);
        assert_int_equal(world->run.states[1].status, ANALYSIS_OK);
        end_query(world, MESSAGE_END);
        down(world);
    }
}

/* Everybody is published: so the old without three are a combination with the young, before anybody has asked
 * for everybody, and everybody stays what can be asked. */
static void published_cohorts_are_combined(void **state)
{
    (void)state;
    const struct sites_options options = {.n = 6,
                                          .study = "  - { id: x, method: count, cohort: \"age < 60\" }\n"};
    for (int published = 0; published < 2; published++) {
        struct world *world = sites_up_with(&options);
        if (published)
            everywhere(world, 2, "cohorts: []\n");
        ask(world, NULL, 0, NULL);
        ask(world, "  - { id: x, method: count, cohort: \"age >= 60 && age < 88\" }\n",
            0, /* 3 are 88 or older */
            published ? "few" : NULL);
        ask(world, "  - { id: x, method: count }\n", 0, published ? NULL : "few");
        down(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_directory_changes_nothing_of_an_open_question),
        cmocka_unit_test(published_cohorts_are_combined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
