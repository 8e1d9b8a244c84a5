/* What results show of a group counts over all questions of an epoch, whoever asks: at six real sites two
 * questions that each pass, and together show what one may not. */
#include "tests/protocol/questions.h"

#include "base/file.h"

/* 14 of 2,982 patients: each model tells 10 numbers. The rules that are off are not what is tested. */
#define FEW                                                                                                  \
    "policy: standard\nmax_scalar_share: 0.005\ndifferencing: off\nown_totals: may_be_inferred\nbudget: "    \
    "off\n"
#define MODEL(id, formula) "  - { id: " id ", method: glm, family: gaussian, formula: \"" formula "\" }\n"
#define FIRST MODEL("x", "age ~ chemo + hormon + grade + meno")
#define SECOND MODEL("x", "age ~ chemo + hormon + grade + death")

/* A study of its own, with a square of the lymph nodes. 29 patients have 20 or more. */
#define SQUARES(analysis)                                                                                    \
    "study: s\ndictionary: rotterdam@1\ntitle: t\npurpose: research\nlegal_basis: MR-004\n"                  \
    "protocol: P-1\nexpires: 2099-12-31\nsites: all\ngrid: month\nmissing: study\nderive:\n"                 \
    "  square: nodes^2\nanalyses:\n"                                                                         \
    "  - { id: x, method: describe, variables: [" analysis "], cohort: \"nodes >= 20\" }\n"

static void models_of_two_questions(void **state)
{
    (void)state;
    struct world *world = up(FEW, SECOND);
    ask(world, NULL, 0, NULL); /* by itself it passes */
    down(world);
    world = up(FEW, FIRST);
    ask(world, NULL, 0, NULL);
    ask(world, SECOND, 0, "max_scalar_share");
    ask(world, FIRST, 0, NULL);                                             /* the same numbers again */
    ask(world, MODEL("y", "age ~ chemo + hormon + grade + meno"), 0, NULL); /* whatever it is called */
    ask(world, MODEL("x", "age ~ chemo"), 0, NULL); /* 4 more: what was refused showed nothing */
    ask(world, MODEL("x", "age ~ death"), 0, "max_scalar_share");
    down(world);
}

static void moments_of_two_questions(void **state)
{
    (void)state;
    static const char policy[] =
        "policy: standard\ndifferencing: off\nmissing: study\nbudget: off\nmin_patients: 20\n";
    struct world *world = up(policy, SQUARES("square"));
    ask(world, NULL, 0, NULL);
    ask(world, SQUARES("nodes"), 0, "moments");
    ask(world, SQUARES("square"), 0, NULL);
    ask(world, SQUARES("age"), 0, NULL); /* of another variable */
    down(world);
}

/* A question that ended before anything of it was shown. */
static void what_was_not_shown_does_not_count(void **state)
{
    (void)state;
    struct world *world = up(FEW, FIRST);
    sites_to_roster(world);
    sites_to_values(world); /* its plan was made */
    sites_next(world, SECOND);
    sites_to_roster(world);
    const uint32_t rounds = run_rounds(world);
    assert_true(rounds >= 2);
    assert_int_equal(world->run.states[0].status, ANALYSIS_REFUSED); /* the first may yet be shown */
    assert_string_equal(world->run.states[0].rule, "max_scalar_share");
    end_query(world, MESSAGE_END);
    down(world);
    world = up(FEW, FIRST);
    sites_to_roster(world);
    sites_to_values(world);
    end_query(world, MESSAGE_CANCEL);
    ask(world, SECOND, 0, NULL);
    down(world);
}

/* Takes away what a site keeps of what was answered, as if its disk were set back to before. */
static void forget(struct world *world, size_t i, const struct bytes *before)
{
    struct maille_error error = {0};
    const char *path = arena_printf(world->arena, "%s/state/ledger", world->sites[i].folder);
    site_close(world, i);
    if (file_write_atomic(path, before[i].data, before[i].length, 0600, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    site_open(world, i);
}

/* One site that knows is enough; where none does, the question is as the first. All derive the same plan. */
static void sites_need_not_know_the_same(void **state)
{
    (void)state;
    struct world *world = up(FEW, FIRST);
    struct maille_error error = {0};
    struct bytes before[SITES_MAX] = {{0}};
    for (size_t i = 0; i < world->n; i++) {
        const char *path = arena_printf(world->arena, "%s/state/ledger", world->sites[i].folder);
        site_close(world, i);
        assert_int_equal(file_read(&before[i], path, 1 << 24, &error), MAILLE_OK);
        site_open(world, i);
    }
    ask(world, NULL, 0, NULL);
    for (size_t i = 1; i < world->n; i++)
        forget(world, i, before);
    ask(world, SECOND, 0, "max_scalar_share");
    forget(world, 0, before);
    ask(world, SECOND, 0, NULL);
    for (size_t i = 0; i < world->n; i++)
        bytes_clear(&before[i]);
    down(world);
}

/* The first question is of five sites; the sixth knows nothing of it. The cohort is the same expression. */
static void of_another_roster(void **state)
{
    (void)state;
    struct world *world = up(FEW, FIRST);
    world->n = 5;
    ask(world, NULL, 0, NULL);
    world->n = 6;
    ask(world, SECOND, 0, "max_scalar_share");
    down(world);
}

/* It is on disk. */
static void after_a_restart(void **state)
{
    (void)state;
    struct world *world = up(FEW, FIRST);
    ask(world, NULL, 0, NULL);
    for (size_t i = 0; i < world->n; i++) {
        site_close(world, i);
        site_open(world, i);
    }
    ask(world, SECOND, 0, "max_scalar_share");
    down(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_of_two_questions),
        cmocka_unit_test(moments_of_two_questions),
        cmocka_unit_test(what_was_not_shown_does_not_count),
        cmocka_unit_test(sites_need_not_know_the_same),
        cmocka_unit_test(of_another_roster),
        cmocka_unit_test(after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
