/* A site that must not answer for a reason in its own data (min_ess_share, a domain) sends what every site
 * sends: a vector of the same length, with noise in the place of its sums. Which site, or how many, nobody is
 * told. */
#include "audit/log.h"
#include "tests/protocol/sites.h"

enum { MODELS = 10 };

static const char *copies(struct world *world, struct arena *arena)
{
    const char *text = "study: oracle\ndictionary: rotterdam@1\ntitle: t\npurpose: research\nlegal_basis: "
                       "MR-004\nprotocol: P-1\n"
                       "expires: 2099-12-31\nsites: all\ngrid: month\nmissing: study\nderive:\n  many: nodes "
                       "> 18\nanalyses:\n";
    (void)world;
    for (int k = 0; k < MODELS; k++)
        text = arena_printf(
            arena, "%s  - { id: m%d, method: glm, family: poisson, formula: \"death ~ many\" }\n", text, k);
    return text;
}

/* How often the site's own log says that noise was sent, and under which rule. */
static void count_vetoes(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    (void)sequence;
    (void)utc_ms;
    for (size_t i = 0; i < entry->n_rules; i++)
        *(size_t *)context += strcmp(entry->rules[i].result, "vetoed") == 0 &&
                              strcmp(entry->rules[i].rule, "min_ess_share") == 0;
}

/* The analyst moves θ of ten copies of one model so that the weights of some, at some sites, rest on few
 * rows. Up to version 0.1 each site said which: a search by halves read its share of patients with many nodes
 * to nine digits. */
static void weights_that_rest_on_few_rows_tell_nothing(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct sites_options options = {.n = 5, .study = copies(NULL, arena)};
    for (size_t i = 0; i < options.n; i++)
        options.policies[i] = "policy: strict\n";
    struct world *world = sites_up_with(&options);
    struct bytes theta = {0};
    struct maille_error error = {0};
    size_t vetoes[SITES_MAX], all = 0;
    sites_to_roster(world);
    sites_to_values(world);
    const uint32_t round = sites_values_from(world);
    sites_to_masked(world, round, 1);
    sites_finish_round(world);
    for (size_t k = 0; k < MODELS; k++) {
        struct vector *own = &world->run.states[k].iteration.theta;
        assert_int_equal(world->run.states[k].status, ANALYSIS_OPEN);
        own->v[4] = (double)k; /* the flag's coefficient: 0 … 9 */
    }
    const struct message_round_header header = sites_header(world, &theta, round + 1, 1);
    for (size_t i = 0; i < world->n; i++) {
        message_outbox_clear(&world->sites[i].outbox);
        if (site_start(world, i, &header, &theta, &error) != MAILLE_OK)
            fail_msg("%s", error.sentence);
        const struct message_outgoing *said = site_said(world, i, MESSAGE_MASKED);
        assert_null(site_said(world, i, MESSAGE_REFUSE));
        assert_non_null(said);
        assert_int_equal(world->sites[i].outbox.n, 1);
        assert_int_equal(said->frame.length, header.length);
        vetoes[i] = 0;
        assert_int_equal(audit_read(arena_printf(arena, "%s/log", world->sites[i].folder), count_vetoes,
                                    &vetoes[i], &error),
                         MAILLE_OK);
        all += vetoes[i];
    }
    assert_true(all > 0 && all < MODELS * world->n); /* some, not all: the officers read it, nobody else */
    bytes_clear(&theta);
    void *down = world;
    sites_down(&down);
    arena_free(arena);
}

/* To the end of the round: what a site vetoes has no result, and everything else has its own. */
static void a_veto_is_of_one_analysis(void **state)
{
    (void)state;
    struct sites_options options = {
        .n = 3,
        .study = "  - { id: one, method: glm, family: poisson, formula: \"death ~ age\" }\n"
                 "  - { id: two, method: glm, family: poisson, formula: \"death ~ age\" }\n"};
    for (size_t i = 0; i < options.n; i++)
        options.policies[i] = "policy: open\nmin_ess_share: 0.6\n";
    struct world *world = sites_up_with(&options);
    sites_to_roster(world);
    const uint32_t first = sites_values_from(world);
    sites_to_values(world);
    sites_to_masked(world, first, 1);
    sites_finish_round(world);
    struct vector *theta = &world->run.states[1].iteration.theta;
    theta->v[3] = 12; /* the coefficient of age: all the weight on the oldest */
    sites_to_masked(world, first + 1, 1);
    for (size_t i = 0; i < world->n; i++)
        assert_null(site_said(world, i, MESSAGE_REFUSE));
    sites_finish_round(world);
    assert_int_not_equal(world->run.states[0].status, ANALYSIS_VETOED);
    assert_int_equal(world->run.states[1].status, ANALYSIS_VETOED);
    void *down = world;
    sites_down(&down);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_that_rest_on_few_rows_tell_nothing),
        cmocka_unit_test(a_veto_is_of_one_analysis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
