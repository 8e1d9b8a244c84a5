/* A coordinator and a researcher in league, who show different things to different sites: two rosters, two θ,
 * a site that is said to have dropped out. Each site goes on with what it was shown; nothing that they sent
 * can be opened together (README of tests/liars). */
#include "tests/protocol/sites.h"

static void refuses(struct world *world, size_t i, enum message_kind kind, const struct bytes *body,
                    const char *rule)
{
    struct maille_error error = {0};
    assert_int_equal(site_hear(world, i, kind, world->coordinator, body, NULL, &error), MAILLE_PROTOCOL);
    if (strcmp(error.rule, rule) != 0)
        fail_msg("site %zu: expected the rule %s, found %s: %s", i, rule, error.rule, error.sentence);
    assert_null(site_said(world, i, MESSAGE_REVEAL));
}

/* One start to one site; its M4 is kept. */
static void start_at(struct world *world, size_t i, const struct message_round_header *header,
                     const struct bytes *theta)
{
    struct maille_error error = {0};
    if (site_start(world, i, header, theta, &error) != MAILLE_OK)
        fail_msg("site %zu: %s", i, error.sentence);
    const struct message_outgoing *said = site_said(world, i, MESSAGE_MASKED);
    assert_non_null(said);
    world->masked[i].length = 0;
    assert_int_equal(bytes_copy(&world->masked[i], said->envelope.data, said->envelope.length), MAILLE_OK);
}

/* Alpha is shown five of the six, the others all of them. */
static void two_rosters(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 6});
    void *down = world;
    struct bytes five = {0}, six = {0}, close = {0}, theta = {0};
    struct maille_error error = {0};
    sites_to_ready(world);
    sites_to_accept(world);
    world->n = 5;
    sites_roster(&five, world, world->accepts);
    const struct digest rho = world->rho;
    world->n = 6;
    sites_roster(&six, world, world->accepts);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(
            site_hear(world, i, MESSAGE_ROSTER, world->coordinator, i == 0 ? &five : &six, NULL, NULL),
            MAILLE_OK);
    struct message_round_header header = sites_header(world, &theta, 1, 1);
    assert_int_equal(site_start(world, 0, &header, &theta, &error), MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "rho");
    for (size_t i = 1; i < 6; i++)
        start_at(world, i, &header, &theta);
    const struct digest psi = world->psi;
    header.rho = rho;
    header.n_members = 5;
    start_at(world, 0, &header, &theta);
    /* To alpha its own attempt is closed, to the others theirs: of six, and of those five that had one
     * roster. */
    world->n = 5;
    sites_make_close(&close, world);
    refuses(world, 0, MESSAGE_CLOSE, &close, "psi");
    world->psi = psi;
    world->n = 6;
    close.length = 0;
    sites_make_close(&close, world);
    for (size_t i = 1; i < 6; i++)
        refuses(world, i, MESSAGE_CLOSE, &close, "psi");
    struct bytes alphas = world->masked[0];
    memmove(world->masked, world->masked + 1, 5 * sizeof *world->masked);
    world->n = 5;
    close.length = 0;
    sites_make_close(&close, world);
    refuses(world, 1, MESSAGE_CLOSE, &close, "members");
    memmove(world->masked + 1, world->masked, 5 * sizeof *world->masked);
    world->masked[0] = alphas;
    world->n = 6;
    bytes_clear(&five);
    bytes_clear(&six);
    bytes_clear(&close);
    bytes_clear(&theta);
    sites_down(&down);
}

/* Where the researcher's agent steps: another θ to alpha. */
static void two_thetas(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){
        .policies = {"policy: open\n", "policy: open\n", "policy: open\n"},
        .study = "  - { id: n, method: count }\n"
                 "  - { id: logit, method: glm, family: binomial, formula: \"death ~ age\" }\n"});
    void *down = world;
    struct bytes close = {0}, theta = {0};
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    sites_finish_round(world);
    for (size_t i = 0; i < world->n; i++)
        message_outbox_clear(&world->sites[i].outbox);
    struct message_round_header header = sites_header(world, &theta, 2, 1);
    start_at(world, 1, &header, &theta);
    start_at(world, 2, &header, &theta);
    const struct digest psi = world->psi;
    assert_int_equal(world->run.states[1].status, ANALYSIS_OPEN);
    world->run.states[1].iteration.theta.v[0] += 1e-3;
    header = sites_header(world, &theta, 2, 1);
    start_at(world, 0, &header, &theta);
    assert_false(digest_equal(&psi, &world->psi));
    sites_make_close(&close, world);
    refuses(world, 0, MESSAGE_CLOSE, &close, "psi");
    world->psi = psi;
    close.length = 0;
    sites_make_close(&close, world);
    refuses(world, 1, MESSAGE_CLOSE, &close, "psi");
    refuses(world, 2, MESSAGE_CLOSE, &close, "psi");
    bytes_clear(&close);
    bytes_clear(&theta);
    sites_down(&down);
}

/* All six vectors are here, and five sites are told that the sixth is gone: two sums that differ by its
 * patients would be open if any of the five opened its masks for both. */
static void a_false_dropout_after_receipt(void **state)
{
    (void)state;
    struct world *world = sites_up_with(&(struct sites_options){.n = 6});
    void *down = world;
    struct bytes first = {0}, second = {0}, theta = {0};
    struct maille_error error = {0};
    sites_to_roster(world);
    struct message_round_header header = sites_header(world, &theta, 1, 1);
    for (size_t i = 0; i < 6; i++)
        start_at(world, i, &header, &theta);
    sites_make_close(&first, world);
    world->n = 5;
    struct message_round_header later = sites_header(world, &theta, 1, 2);
    for (size_t i = 0; i < 5; i++)
        start_at(world, i, &later, &theta);
    sites_make_close(&second, world);
    for (size_t i = 0; i < 5; i++)
        refuses(world, i, MESSAGE_CLOSE, &first, "psi"); /* its attempt is over here */
    assert_int_equal(site_start(world, 0, &header, &theta, &error),
                     MAILLE_PROTOCOL); /* and does not come back */
    assert_string_equal(error.rule, "order");
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(site_hear(world, i, MESSAGE_CLOSE, world->coordinator, &second, NULL, &error),
                         MAILLE_OK);
        assert_non_null(site_said(world, i, MESSAGE_REVEAL));
        message_outbox_clear(&world->sites[i].outbox);
        refuses(world, i, MESSAGE_CLOSE, &first, "revealed");
        site_close(world, i);
        site_open(world, i);
        refuses(world, i, MESSAGE_CLOSE, &first, "revealed");
    }
    /* The sixth was told nothing of it: it opens its own mask, and five masks are missing. */
    world->n = 6;
    assert_int_equal(site_hear(world, 5, MESSAGE_CLOSE, world->coordinator, &first, NULL, &error), MAILLE_OK);
    bytes_clear(&first);
    bytes_clear(&second);
    bytes_clear(&theta);
    sites_down(&down);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_rosters),
        cmocka_unit_test(two_thetas),
        cmocka_unit_test(a_false_dropout_after_receipt),
    };
    return crypto_start(NULL) == MAILLE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
