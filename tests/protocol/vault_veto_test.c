/* A site that must not answer for a reason in its own data (min_ess_share, a domain) sends what every site
 * sends: a vector of the same length, with noise in the place of its sums. Which site, or how many, nobody is
 * told. */
#include "audit/log.h"
#include "tests/protocol/sites.h"

/* How often the site's own log says that noise was sent, and under which rule. */
static void count_vetoes(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    (void)sequence;
    (void)utc_ms;
    for (size_t i = 0; i < entry->n_rules; i++)
        *(size_t *)context += strcmp(entry->rules[i].result, "vetoed") == 0 &&
                              strcmp(entry->rules[i].rule, "min_ess_share") == 0;
}

/* The weights that a study gives a model by its offset rest on fewer rows at two sites than their policies
 * want. Up to version 0.1 each site said so: a search by halves over chosen θ read its share of patients with
 * many nodes to nine digits. Now what those two send looks like what the others send; the model has no
 * result, and the others have theirs: also the one whose fit finds that the mean rests on patients with many
 * nodes, since nobody chose its θ (decision 0023). */
static void weights_that_rest_on_few_rows_tell_nothing(void **state)
{
    (void)state;
    struct sites_options options = {
        .n = 5,
        .study = "  - { id: patients, method: count, by: [chemo] }\n"
                 "  - { id: model, method: glm, family: poisson, formula: \"death ~ age + offset(log(nodes + "
                 "1))\" }\n"
                 "  - { id: fit, method: glm, family: poisson, formula: \"death ~ age + nodes\" }\n"};
    for (size_t i = 0; i < 2; i++)
        options.policies[i] = "policy: standard\nmin_ess_share: 0.9999\n";
    for (size_t i = 2; i < options.n; i++)
        options.policies[i] = "policy: standard\nmin_ess_share: off\n";
    struct world *world = sites_up_with(&options);
    struct maille_error error = {0};
    size_t length[SITES_MAX] = {0};
    sites_to_roster(world);
    for (uint32_t round = 1; study_run_open(&world->run); round++) {
        assert_true(round <= 10);
        sites_to_masked(world, round, 1);
        for (size_t i = 0; i < world->n; i++) {
            const struct message_outgoing *said = site_said(world, i, MESSAGE_MASKED);
            assert_null(site_said(world, i, MESSAGE_REFUSE));
            length[i] = said->frame.length;
            assert_int_equal(length[i], length[0]);
        }
        sites_finish_round(world);
        for (size_t i = 0; i < world->n; i++) {
            assert_null(site_said(world, i, MESSAGE_CANCEL));
            message_outbox_clear(&world->sites[i].outbox);
        }
    }
    assert_int_equal(world->run.states[0].status, ANALYSIS_OK);
    assert_int_equal(world->run.states[0].outcome.n, 2982);
    assert_int_equal(world->run.states[1].status, ANALYSIS_VETOED);
    assert_int_equal(world->run.states[2].status, ANALYSIS_OK);
    for (size_t i = 0; i < world->n; i++) { /* the officers read it, nobody else */
        size_t vetoes = 0;
        assert_int_equal(audit_read(arena_printf(world->arena, "%s/log", world->sites[i].folder),
                                    count_vetoes, &vetoes, &error),
                         MAILLE_OK);
        assert_int_equal(vetoes, i < 2);
    }
    void *down = world;
    sites_down(&down);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_that_rest_on_few_rows_tell_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
