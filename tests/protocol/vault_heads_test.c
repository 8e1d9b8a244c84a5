/* Heads that come late, at a site: what leads from one to another is kept in memory, so that a site that was
 * started again may be shown what it cannot take. It asks, and goes on; and it answers when it is asked. */
#include "tests/protocol/sites.h"

#include "proto/open.h"
#include "tests/protocol/heads.h"

static int up(void **state)
{
    *state = sites_up_with(&(struct sites_options){.n = 0});
    return *state == NULL;
}

static enum maille_code show(struct world *world, size_t i, const struct message_head *head)
{
    struct bytes body = {0};
    struct message_log_head message = {.head = *head};
    memcpy(message.qid, world->qid, QID_BYTES);
    assert_int_equal(message_log_head_encode(&body, &message, NULL), MAILLE_OK);
    enum maille_code code = site_hear(world, i, MESSAGE_LOG_HEAD, world->coordinator, &body, NULL, NULL);
    bytes_clear(&body);
    return code;
}

/* The head of its log that a site said last, on its own. */
static struct message_head said_head(struct world *world, size_t i)
{
    const struct message_outgoing *said = site_said(world, i, MESSAGE_LOG_HEAD);
    struct message *message = arena_alloc(world->arena, sizeof *message);
    assert_non_null(said);
    const struct byte_view view = {said->envelope.data, said->envelope.length};
    assert_int_equal(
        message_within(message, world->arena, &view, MESSAGE_LOG_HEAD, world->directory, FROM_SITE, NULL),
        MAILLE_OK);
    return message->body.log_head.head;
}

static bool leads_from(const struct message_head *head, uint64_t old)
{
    for (size_t i = 0; i < head->n_proofs; i++)
        if (head->proofs[i].old == old)
            return true;
    return false;
}

static void a_site_asks_for_what_leads_to_a_late_head(void **state)
{
    struct world *world = *state;
    struct maille_error error = {0};
    struct bytes close = {0};
    world->head = heads_made(world->arena, 10, NULL);
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    world->head = heads_made(world->arena, 15, HEADS_FROM(10));
    sites_make_close(&close, world);
    const struct message_head overtakes = heads_made(world->arena, 20, HEADS_FROM(10, 15));
    assert_int_equal(show(world, 0, &overtakes), MAILLE_OK);
    site_close(world, 0); /* what led from 15 to 20 is forgotten */
    site_open(world, 0);
    assert_int_equal(site_hear(world, 0, MESSAGE_CLOSE, world->coordinator, &close, NULL, &error),
                     MAILLE_PROTOCOL);
    assert_string_equal(error.rule, "log_head");
    assert_null(site_said(world, 0, MESSAGE_REVEAL));
    assert_int_equal(said_head(world, 0).seen, 20); /* it asks, and says from where on */
    const struct message_head another = heads_made(world->arena, 25, HEADS_FROM(20, 15));
    assert_int_equal(show(world, 0, &another), MAILLE_OK);
    assert_int_equal(site_hear(world, 0, MESSAGE_CLOSE, world->coordinator, &close, NULL, &error), MAILLE_OK);
    assert_non_null(site_said(world, 0, MESSAGE_REVEAL));
    bytes_clear(&close);
}

/* A log that was written again leads nowhere: it is asked for once, and the close stays refused. */
static void another_log_is_taken_by_nobody(void **state)
{
    struct world *world = *state;
    struct bytes close = {0};
    world->head = heads_made(world->arena, 10, NULL);
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    world->head = heads_made(world->arena, 15, NULL);
    world->head.root.b[0] ^= 1;
    sites_make_close(&close, world);
    assert_int_equal(site_hear(world, 0, MESSAGE_CLOSE, world->coordinator, &close, NULL, NULL),
                     MAILLE_PROTOCOL);
    assert_int_equal(said_head(world, 0).seen, 10);
    message_outbox_clear(&world->sites[0].outbox);
    struct message_head another = heads_made(world->arena, 25, HEADS_FROM(10, 15));
    assert_int_equal(show(world, 0, &another), MAILLE_OK); /* the true log: nothing leads to it from there */
    assert_int_equal(site_hear(world, 0, MESSAGE_CLOSE, world->coordinator, &close, NULL, NULL),
                     MAILLE_PROTOCOL);
    another.root.b[0] ^= 1;
    another.size++;
    message_outbox_clear(&world->sites[0].outbox);
    assert_int_equal(show(world, 0, &another), MAILLE_PROTOCOL);
    assert_null(site_said(world, 0, MESSAGE_LOG_HEAD)); /* or two programs would talk for ever */
    assert_null(site_said(world, 0, MESSAGE_REVEAL));
    bytes_clear(&close);
}

static void a_site_that_is_asked_shows_what_leads_from_its_messages(void **state)
{
    struct world *world = *state;
    struct bytes body = {0};
    struct message_problem problem = {.code = MAILLE_PROTOCOL, .rule = "log_head"};
    struct message *message = arena_alloc(world->arena, sizeof *message);
    sites_to_roster(world);
    sites_to_masked(world, 1, 1);
    memcpy(problem.qid, world->qid, QID_BYTES);
    assert_int_equal(message_problem_encode(&body, &problem, NULL), MAILLE_OK);
    site_close(world, 0);
    site_open(world, 0);
    assert_int_equal(site_hear(world, 0, MESSAGE_PROBLEM, world->coordinator, &body, NULL, NULL), MAILLE_OK);
    const struct message_head head = said_head(world, 0);
    const struct byte_view accept = {world->accepts[0].data, world->accepts[0].length},
                           masked = {world->masked[0].data, world->masked[0].length};
    assert_int_equal(message_within(message, world->arena, &accept, MESSAGE_ACCEPT, NULL, 0, NULL),
                     MAILLE_OK);
    assert_true(leads_from(&head, message->body.accept.head.size));
    assert_int_equal(message_within(message, world->arena, &masked, MESSAGE_MASKED, NULL, 0, NULL),
                     MAILLE_OK);
    assert_true(leads_from(&head, message->body.masked.head.size));
    bytes_clear(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_site_asks_for_what_leads_to_a_late_head, up, sites_down),
        cmocka_unit_test_setup_teardown(another_log_is_taken_by_nobody, up, sites_down),
        cmocka_unit_test_setup_teardown(a_site_that_is_asked_shows_what_leads_from_its_messages, up,
                                        sites_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
