/* The coordinator and each message that must not pass. */
#include "tests/protocol/played.h"
#include "tests/protocol/heads.h"

static void a_vector_that_is_not_the_signed_one(void **state)
{
    struct world *world = *state;
    world->length = 3200;
    play_up_to_roster(world);
    play_say_start(world, 1, 1, NULL, SITES);
    for (size_t i = 0; i < SITES; i++)
        play_hear(world, &world->sites[i], MESSAGE_START);
    struct bytes body = {0};
    struct message_masked masked = {.psi = world->psi,
                                    .site = 1,
                                    .share = {.length = world->length, .vector = {{1}}},
                                    .head = {.size = 5}};
    memcpy(masked.qid, world->qid, QID_BYTES);
    assert_int_equal(message_masked_encode(&body, &masked, NULL), MAILLE_OK);
    play_say_as(world, &world->sites[0], world->sites[0].keys, MESSAGE_MASKED, &body, world->sites[0].vector,
                3200);
    struct message_problem problem;
    play_hear(world, &world->alice, MESSAGE_PROBLEM);
    DECODE(problem, &world->alice, &problem);
    assert_string_equal(problem.rule, "vector");
    for (size_t i = 0; i < SITES; i++)
        play_say_masked(world, i); /* the right one repairs it */
    play_all_reveal(world);
}

/* A round of 0 bytes, in which there is no segment that could be wrong: the root alone is. */
static void an_empty_vector_that_is_not_the_signed_one(void **state)
{
    struct world *world = *state;
    struct message_problem problem;
    world->length = 0;
    play_up_to_roster(world);
    play_say_start(world, 1, 1, NULL, SITES);
    for (size_t i = 0; i < SITES; i++)
        play_hear(world, &world->sites[i], MESSAGE_START);
    for (size_t frame = 0; frame < 2; frame++) { /* alone, and with a frame of nothing beside it */
        struct bytes body = {0};
        struct message_masked masked = {
            .psi = world->psi, .site = 1, .share = {.vector = {{1}}}, .head = {.size = 5}};
        memcpy(masked.qid, world->qid, QID_BYTES);
        assert_int_equal(message_masked_encode(&body, &masked, NULL), MAILLE_OK);
        play_say_as(world, &world->sites[0], world->sites[0].keys, MESSAGE_MASKED, &body,
                    frame == 1 ? world->sites[0].vector : NULL, 0);
        play_hear(world, &world->alice, MESSAGE_PROBLEM);
        DECODE(problem, &world->alice, &problem);
        assert_string_equal(problem.rule, "vector");
        assert_null(query_site(coordinator_query(&world->coordinator, world->qid), 1)->masked);
    }
    for (size_t i = 0; i < SITES; i++)
        play_say_masked(world, i); /* the right one repairs it */
    play_all_reveal(world);
}

/* A site whose log is not the one that it showed before: refused, told, and both heads are in the log. */
static void a_log_that_was_written_again(void **state)
{
    struct world *world = *state;
    struct message_problem problem;
    struct audit_head last;
    play_up_to_roster(world);
    play_say_start(world, 1, 1, NULL, SITES);
    play_hear(world, &world->sites[0], MESSAGE_START);
    struct bytes body = {0};
    struct message_masked masked = {
        .psi = world->psi, .site = 1, .share = {.length = world->length}, .head = {.size = 7, .root = {{1}}}};
    memcpy(masked.qid, world->qid, QID_BYTES);
    hash_vector(&masked.share.vector, world->sites[0].vector, world->length);
    assert_int_equal(message_masked_encode(&body, &masked, NULL), MAILLE_OK);
    play_say_as(world, &world->sites[0], world->sites[0].keys, MESSAGE_MASKED, &body, world->sites[0].vector,
                SEGMENT_BYTES);
    play_hear(world, &world->sites[0], MESSAGE_PROBLEM);
    DECODE(problem, &world->sites[0], &problem);
    assert_string_equal(problem.rule, "log_head");
    assert_null(query_site(coordinator_query(&world->coordinator, world->qid), 1)->masked);
    assert_true(audit_last_seen(world->coordinator.log, secret_keys_name(world->sites[0].keys), &last));
    assert_int_equal(last.size, 5);
    play_say_masked(world, 0); /* the log that it had */
    play_turn(world);
    assert_non_null(query_site(coordinator_query(&world->coordinator, world->qid), 1)->masked);
}

/* A head that came late: the site is told, shows what leads from it, and the same message passes. */
static void a_head_that_came_late(void **state)
{
    struct world *world = *state;
    struct message_problem problem;
    struct message_log_head answer;
    struct arena *arena = arena_new();
    struct bytes body = {0};
    world->head = heads_made(arena, 12, NULL);
    play_up_to_roster(world);
    play_say_start(world, 1, 1, NULL, SITES);
    play_hear(world, &world->sites[0], MESSAGE_START);
    world->head = heads_made(arena, 20, HEADS_FROM(3)); /* made before the other head had arrived */
    play_say_masked(world, 0);
    play_hear(world, &world->sites[0], MESSAGE_PROBLEM);
    DECODE(problem, &world->sites[0], &problem);
    assert_string_equal(problem.rule, "log_head");
    struct message_log_head shows = {.head = heads_made(arena, 30, HEADS_FROM(20, 12))};
    memcpy(shows.qid, world->qid, QID_BYTES);
    assert_int_equal(message_log_head_encode(&body, &shows, NULL), MAILLE_OK);
    play_say(world, &world->sites[0], MESSAGE_LOG_HEAD, &body);
    play_hear(world, &world->sites[0], MESSAGE_LOG_HEAD); /* the same of our log */
    DECODE(log_head, &world->sites[0], &answer);
    assert_true(answer.head.size > 0);
    play_say_masked(world, 0);
    play_turn(world);
    assert_non_null(query_site(coordinator_query(&world->coordinator, world->qid), 1)->masked);
    arena_free(arena);
}

static void attempts(void **state)
{
    struct world *world = *state;
    play_up_to_roster(world);
    play_say_start(world, 1, 1, NULL, SITES);
    play_hear(world, &world->sites[0], MESSAGE_START);
    play_say_masked(world, 0);
    const struct digest first = world->psi;
    play_say_start(world, 1, 2, NULL, 2); /* fewer than n_min */
    struct message_problem problem;
    play_hear(world, &world->alice, MESSAGE_PROBLEM);
    DECODE(problem, &world->alice, &problem);
    assert_string_equal(problem.rule, "start");
    world->length = 3200;
    play_say_start(world, 1, 2, NULL, SITES);
    play_hear(world, &world->sites[1], MESSAGE_START);
    play_hear(world, &world->sites[1], MESSAGE_START);
    const struct digest second = world->psi;
    world->psi = first;
    play_say_masked(world, 1);
    play_turn(world);
    assert_null(query_site(coordinator_query(&world->coordinator, world->qid), 2)->masked);
    world->psi = second;
    for (size_t i = 0; i < SITES; i++)
        play_say_masked(world, i);
    play_hear(world, &world->alice, MESSAGE_CLOSE);
    /* An attempt that comes after the close: the agent hears of the close again, and nothing else happens. */
    play_say_start(world, 1, 3, NULL, SITES);
    play_hear(world, &world->alice, MESSAGE_CLOSE);
    assert_int_equal(coordinator_query(&world->coordinator, world->qid)->row.attempt, 2);
    world->psi = second;
    play_all_reveal(world);
}

static bool passes(struct world *world, enum query_phase expected)
{
    play_turn(world);
    return play_phase_of(world) != expected;
}

static void what_must_not_pass(void **state)
{
    struct world *world = *state;
    struct bytes body = {0};
    for (size_t i = 0; i < SITES; i++)
        play_say_hello(world, &world->sites[i]);
    play_ask(world);
    play_hear(world, &world->sites[0], MESSAGE_MANIFEST);
    assert_int_equal(bytes_copy(&world->manifest, world->sites[0].last.envelope.data,
                                world->sites[0].last.envelope.length),
                     MAILLE_OK);
    play_say_call(world); /* before anybody is ready */
    assert_false(passes(world, PHASE_ASKED));
    play_say_ready(world, 0, READY_READY);
    /* gamma says that it is beta */
    struct message_ready ready = {.site = 2, .state = READY_READY, .rule = ""};
    memcpy(ready.qid, world->qid, QID_BYTES);
    assert_int_equal(message_ready_encode(&body, &ready, NULL), MAILLE_OK);
    play_say(world, &world->sites[2], MESSAGE_READY, &body);
    /* beta, signed by gamma */
    assert_int_equal(message_ready_encode(&body, &ready, NULL), MAILLE_OK);
    play_say_as(world, &world->sites[1], world->sites[2].keys, MESSAGE_READY, &body, NULL, 0);
    play_turn(world);
    struct query *query = coordinator_query(&world->coordinator, world->qid);
    assert_non_null(query_site(query, 1)->ready);
    assert_null(query_site(query, 2)->ready);
    assert_null(query_site(query, 3)->ready);
    /* a researcher's message from a site, a site's from a researcher */
    struct message_end end = {0};
    memcpy(end.qid, world->qid, QID_BYTES);
    assert_int_equal(message_end_encode(&body, &end, NULL), MAILLE_OK);
    play_say(world, &world->sites[0], MESSAGE_END, &body);
    assert_int_equal(message_ready_encode(&body, &ready, NULL), MAILLE_OK);
    play_say(world, &world->alice, MESSAGE_READY, &body);
    /* an accept before the call, a start before the roster, a frame where none may be */
    play_say_accept(world, 0);
    play_say_start(world, 1, 1, NULL, SITES);
    play_say_ready(world, 1, READY_HELD);
    assert_int_equal(message_ready_encode(&body, &ready, NULL), MAILLE_OK);
    play_say_as(world, &world->sites[1], world->sites[1].keys, MESSAGE_READY, &body, "frame", 5);
    assert_false(passes(world, PHASE_ASKED));
    assert_int_equal(query_site(query, 2)->ready_state, READY_HELD);
    /* nonsense bytes */
    play_say_bytes(world, &world->sites[1], "nonsense", 8, NULL, 0);
    assert_false(passes(world, PHASE_ASKED));
    /* the same qid with another manifest */
    struct message_manifest manifest = play_manifest_of(world);
    manifest.rounds_max = 63;
    assert_int_equal(message_manifest_encode(&body, &manifest, NULL), MAILLE_OK);
    play_say(world, &world->alice, MESSAGE_MANIFEST, &body);
    struct message_problem problem;
    play_hear(world, &world->alice, MESSAGE_PROBLEM);
    DECODE(problem, &world->alice, &problem);
    assert_string_equal(problem.rule, "qid");
    /* it all goes on */
    play_say_ready(world, 1, READY_READY);
    play_say_ready(world, 2, READY_READY);
    play_turn(world);
    play_say_call(world);
    assert_true(passes(world, PHASE_ASKED));
    /* an accept of another manifest */
    bytes_put_u8(&world->manifest, 0);
    for (size_t i = 0; i < SITES; i++)
        play_say_accept(world, i);
    assert_false(passes(world, PHASE_CALLED));
}

static void manifests_that_are_not_taken_on(void **state)
{
    struct world *world = *state;
    static const uint32_t strangers[] = {1, 2, 9}, two[] = {1, 2};
    const struct message_manifest good = play_manifest_of(world);
    struct message_manifest bad[7];
    static const char *const rules[7] = {"directory", "clock", "expires",  "expires",
                                         "min_sites", "sites", "min_sites"};
    for (size_t i = 0; i < 7; i++) {
        bad[i] = good;
        bad[i].qid[0] = (uint8_t)i;
    }
    bad[0].directory_version = 2;
    bad[1].created_ms += 3600000;
    bad[2].created_ms -= CLOCK_SKEW_MS + 2;
    bad[2].expires_ms = good.created_ms - CLOCK_SKEW_MS - 1;
    bad[3].expires_ms = good.created_ms + (int64_t)8 * 86400000;
    bad[4].n_min = 2;
    bad[5].sites = strangers;
    bad[6].n_sites = 2;
    bad[6].sites = two;
    for (size_t i = 0; i < 7; i++) {
        struct bytes body = {0};
        struct message_problem problem;
        assert_int_equal(message_manifest_encode(&body, &bad[i], NULL), MAILLE_OK);
        play_say(world, &world->alice, MESSAGE_MANIFEST, &body);
        play_hear(world, &world->alice, MESSAGE_PROBLEM);
        DECODE(problem, &world->alice, &problem);
        assert_string_equal(problem.rule, rules[i]);
    }
    assert_int_equal(world->coordinator.n_queries, 0);
}

/* Another key under a name is another party: what the one before asked, or accepted, ends. */
static void who_is_revoked_has_no_part_any_more(void **state)
{
    struct world *world = *state;
    struct message_problem problem;
    bool changed, rekeyed;
    for (unsigned which = 0; which < 2; which++) {
        struct secret_keys *other = NULL;
        struct party *party = which == 0 ? &world->alice : &world->sites[1];
        struct secret_keys *before = party->keys;
        world->qid[0] = (uint8_t)which;
        play_up_to_roster(world);
        play_say_start(world, 1, 1, NULL, SITES);
        play_turn(world);
        assert_int_equal(play_phase_of(world), PHASE_ROUND);
        assert_int_equal(coordinator_revoke(&world->coordinator, NULL), MAILLE_OK);
        assert_int_equal(play_phase_of(world), PHASE_ROUND); /* nobody is gone */
        assert_int_equal(
            secret_keys_new(&other, which == 0 ? KEY_RESEARCHER : KEY_SITE, secret_keys_name(before), NULL),
            MAILLE_OK);
        party->keys = other;
        play_write_directory(world, 2 + 2 * which);
        assert_int_equal(network_reload(world->coordinator.network, world->coordinator.store, world->keys,
                                        true, &changed, &rekeyed, NULL),
                         MAILLE_OK);
        assert_true(changed && rekeyed);
        assert_int_equal(coordinator_revoke(&world->coordinator, NULL), MAILLE_OK);
        party->keys = before;
        play_hear(world, &world->alice, MESSAGE_PROBLEM);
        DECODE(problem, &world->alice, &problem);
        assert_string_equal(problem.rule, "revoked");
        assert_int_equal(play_phase_of(world), PHASE_CANCELLED);
        secret_keys_free(other);
        play_write_directory(world, 3 + 2 * which);
        assert_int_equal(network_reload(world->coordinator.network, world->coordinator.store, world->keys,
                                        true, &changed, &rekeyed, NULL),
                         MAILLE_OK);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, play_world_up, play_world_down)
    const struct CMUnitTest tests[] = {
        TEST(a_vector_that_is_not_the_signed_one),
        TEST(an_empty_vector_that_is_not_the_signed_one),
        TEST(a_head_that_came_late),
        TEST(a_log_that_was_written_again),
        TEST(attempts),
        TEST(what_must_not_pass),
        TEST(manifests_that_are_not_taken_on),
        TEST(who_is_revoked_has_no_part_any_more),
    };
    log_open("coordinator_refuse_test", NULL, LOG_LEVEL_ERROR);
    return crypto_start(NULL) == MAILLE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
