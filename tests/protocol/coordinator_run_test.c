/* The coordinator through an honest query, what is lost and asked again, a restart in every phase. */
#include "tests/protocol/played.h"

static void an_honest_query(void **state)
{
    struct world *world = *state;
    uint8_t *sum = play_expected_sum(world);
    struct digest previous = {0};
    play_up_to_roster(world);
    for (uint32_t round = 1; round <= 2; round++) {
        struct message_sum receipt;
        struct digest root;
        play_say_start(world, round, 1, &previous, SITES);
        for (size_t i = 0; i < SITES; i++) {
            play_hear(world, &world->sites[i], MESSAGE_START);
            assert_true(world->sites[i].last.has_frame);
            play_say_masked(world, i);
            play_answer_pulls(world, i, hash_segment_count(VECTOR) - 1);
        }
        play_hear(world, &world->alice, MESSAGE_CLOSE);
        assert_true(envelope_verified(&world->alice.envelope, secret_keys_public(world->keys)->identity));
        play_hear(world, &world->alice, MESSAGE_SUM);
        DECODE(sum, &world->alice, &receipt);
        hash_vector(&root, sum, VECTOR);
        assert_true(digest_equal(&receipt.sum_hash, &root) && receipt.vectors_held &&
                    receipt.length == VECTOR);
        play_pull_and_compare(world, 0, sum);
        for (size_t i = 0; i < SITES; i++)
            play_pull_and_compare(world, (uint32_t)i + 1, world->sites[i].vector);
        play_all_reveal(world);
        assert_int_equal(play_phase_of(world), PHASE_REVEALED);
        previous = world->psi;
    }
    struct bytes body = {0};
    struct message_end end = {0};
    memcpy(end.qid, world->qid, QID_BYTES);
    assert_int_equal(message_end_encode(&body, &end, NULL), MAILLE_OK);
    play_say(world, &world->alice, MESSAGE_END, &body);
    for (size_t i = 0; i < SITES; i++)
        play_hear(world, &world->sites[i], MESSAGE_END);
    assert_int_equal(play_phase_of(world), PHASE_ENDED);
    assert_null(coordinator_query(&world->coordinator, world->qid)->adder);
    play_stop(world);
    play_start(world);
    assert_int_equal(play_phase_of(world), PHASE_ENDED);
    free(sum);
}

static void vectors_that_are_not_held(void **state)
{
    struct world *world = *state;
    uint8_t *sum = play_expected_sum(world);
    world->coordinator.held_max = VECTOR;
    play_up_to_roster(world);
    play_say_start(world, 1, 1, NULL, SITES);
    for (size_t i = 0; i < SITES; i++) {
        play_hear(world, &world->sites[i], MESSAGE_START);
        play_say_masked(world, i);
        play_answer_pulls(world, i, hash_segment_count(VECTOR) - 1);
    }
    play_hear(world, &world->alice, MESSAGE_SUM);
    play_pull_and_compare(world, 0, sum);
    struct bytes body = {0};
    struct message_pull pull = {
        .psi = world->psi, .source = 2, .what = PULL_LEAVES, .first = 3, .count = 100};
    memcpy(pull.qid, world->qid, QID_BYTES);
    assert_int_equal(message_pull_encode(&body, &pull, NULL), MAILLE_OK);
    play_say(world, &world->alice, MESSAGE_PULL, &body);
    play_hear(world, &world->alice, MESSAGE_SEGMENT);
    assert_int_equal(world->alice.last.frame.length, (hash_segment_count(VECTOR) - 3) * HASH_BYTES);
    struct digest leaf;
    hash_segment_leaf(&leaf, 3, world->sites[1].vector + 3 * SEGMENT_BYTES, SEGMENT_BYTES);
    assert_memory_equal(world->alice.last.frame.data, leaf.b, HASH_BYTES);
    pull.what = PULL_SEGMENTS;
    pull.first = 5;
    pull.count = 1;
    assert_int_equal(message_pull_encode(&body, &pull, NULL), MAILLE_OK);
    play_say(world, &world->alice, MESSAGE_PULL, &body);
    play_answer_pulls(world, 1, 1);
    play_hear(world, &world->alice, MESSAGE_SEGMENT);
    assert_memory_equal(world->alice.last.frame.data, world->sites[1].vector + 5 * SEGMENT_BYTES,
                        SEGMENT_BYTES);
    free(sum);
}

static void a_vector_of_nothing(void **state)
{
    struct world *world = *state;
    world->length = 0;
    play_up_to_roster(world);
    play_say_start(world, 1, 1, NULL, SITES);
    for (size_t i = 0; i < SITES; i++) {
        play_hear(world, &world->sites[i], MESSAGE_START);
        play_say_masked(world, i);
    }
    play_all_reveal(world);
    play_turn(world);
    assert_int_equal(play_phase_of(world), PHASE_REVEALED);
}

static void a_silent_site_is_asked_again(void **state)
{
    struct world *world = *state;
    play_ask(world);
    play_turn(world); /* the sites have not said hello: nobody could be reached */
    for (size_t i = 0; i < SITES; i++) {
        play_say_hello(world, &world->sites[i]);
        play_hear(world, &world->sites[i], MESSAGE_MANIFEST); /* at once, on connecting */
    }
    play_hear(world, &world->alice, MESSAGE_STATUS);
    play_tick(world, RESEND_MS + 500);
    play_hear(world, &world->sites[0], MESSAGE_MANIFEST);
    play_say_ready(world, 0, READY_READY);
    play_hear(world, &world->alice, MESSAGE_READY);
    while (play_heard(world, &world->sites[0], MESSAGE_MANIFEST)) /* those that were on their way */
        ;
    play_tick(world, RESEND_MS + 500);
    assert_false(play_heard(world, &world->sites[0], MESSAGE_MANIFEST));
    assert_true(play_heard(world, &world->sites[1], MESSAGE_MANIFEST));
    struct message_status status;
    play_tick(world, STATUS_MS + 1);
    play_hear(world, &world->alice, MESSAGE_STATUS);
    do
        DECODE(status, &world->alice, &status);
    while (play_heard(world, &world->alice, MESSAGE_STATUS));
    assert_int_equal(status.phase, PHASE_ASKED);
    assert_int_equal(status.n_waiting, 2);
    assert_int_equal(status.waiting[0], 2);
    assert_int_equal(status.n_connected, 1); /* the others were silent for longer than two hellos */
    for (size_t i = 0; i < SITES; i++)
        play_say_hello(world, &world->sites[i]);
    play_turn(world);
    play_tick(world, STATUS_MS + 1);
    play_hear(world, &world->alice, MESSAGE_STATUS);
    DECODE(status, &world->alice, &status);
    assert_int_equal(status.n_connected, 3);
}

static void a_restart_in_every_phase(void **state)
{
    struct world *world = *state;
    uint8_t *sum = play_expected_sum(world);
    play_up_to_roster(world);
    struct digest rho = play_rho_of(world);
    play_stop(world);
    play_start(world);
    assert_int_equal(play_phase_of(world), PHASE_ROSTER);
    struct digest again = play_rho_of(world);
    assert_true(digest_equal(&rho, &again));

    play_say_start(world, 1, 1, NULL, SITES);
    for (size_t i = 0; i < SITES; i++) {
        play_say_hello(world, &world->sites[i]);
        play_hear(world, &world->sites[i], MESSAGE_START);
    }
    play_say_masked(world, 0);
    play_answer_pulls(world, 0, 7); /* in the middle of a vector */
    play_turn(world);
    play_stop(world);
    play_start(world);
    assert_int_equal(play_phase_of(world), PHASE_ROUND);
    play_say_hello(world, &world->sites[0]);
    struct message_pull pull;
    play_hear(world, &world->sites[0],
              MESSAGE_PULL); /* from the beginning; what was pulled before the restart is passed over */
    DECODE(pull, &world->sites[0], &pull);
    while (pull.first != 0) {
        play_hear(world, &world->sites[0], MESSAGE_PULL);
        DECODE(pull, &world->sites[0], &pull);
    }
    play_answer_from(world, 0, hash_segment_count(VECTOR), true);
    for (size_t i = 1; i < SITES; i++) {
        play_say_hello(world, &world->sites[i]);
        play_hear(world, &world->sites[i], MESSAGE_START);
        play_say_masked(world, i);
        play_answer_pulls(world, i, hash_segment_count(VECTOR) - 1);
    }
    play_hear(world, &world->sites[0], MESSAGE_CLOSE);
    assert_int_equal(play_phase_of(world), PHASE_CLOSED);

    play_stop(world);
    play_start(world);
    assert_int_equal(play_phase_of(world), PHASE_CLOSED);
    struct bytes body = {0};
    struct message_resume resume = {0};
    memcpy(resume.qid, world->qid, QID_BYTES);
    assert_int_equal(message_resume_encode(&body, &resume, NULL), MAILLE_OK);
    play_say(world, &world->alice, MESSAGE_RESUME, &body);
    play_hear(world, &world->alice, MESSAGE_CLOSE);
    play_hear(world, &world->alice, MESSAGE_SUM);
    for (size_t i = 0; i < SITES; i++) { /* the sums were in memory */
        play_say_hello(world, &world->sites[i]);
        play_answer_pulls(world, i, hash_segment_count(VECTOR));
    }
    play_hear(world, &world->alice, MESSAGE_SUM);
    play_pull_and_compare(world, 0, sum);
    play_turn(world);
    for (size_t i = 0; i < SITES; i++) {
        play_tick(world, RESEND_MS + 500);
        play_hear(world, &world->sites[i], MESSAGE_CLOSE);
        play_say_reveal(world, i);
        play_hear(world, &world->alice, MESSAGE_REVEAL);
    }
    assert_int_equal(play_phase_of(world), PHASE_REVEALED);
    play_stop(world);
    play_start(world);
    assert_int_equal(play_phase_of(world), PHASE_REVEALED);
    free(sum);
}

static void a_cancel_reaches_everybody(void **state)
{
    struct world *world = *state;
    struct bytes body = {0};
    struct message_cancel cancel = {.rule = "min_patients"};
    memcpy(cancel.qid, world->qid, QID_BYTES);
    play_up_to_roster(world);
    assert_int_equal(message_cancel_encode(&body, &cancel, NULL), MAILLE_OK);
    play_hang_up(&world->sites[2]);
    play_say(world, &world->sites[0], MESSAGE_CANCEL, &body);
    play_hear(world, &world->alice, MESSAGE_CANCEL);
    assert_true(
        envelope_verified(&world->alice.envelope, secret_keys_public(world->sites[0].keys)->identity));
    play_hear(world, &world->sites[1], MESSAGE_CANCEL);
    assert_int_equal(play_phase_of(world), PHASE_CANCELLED);
    /* who was away hears of it after a restart of the coordinator */
    play_stop(world);
    play_start(world);
    play_dial(world, &world->sites[2]);
    play_say_hello(world, &world->sites[2]);
    play_hear(world, &world->sites[2], MESSAGE_CANCEL);
    /* and nothing more happens to it */
    play_say_start(world, 1, 1, NULL, SITES);
    play_turn(world);
    assert_int_equal(play_phase_of(world), PHASE_CANCELLED);
}

static void lists_and_catalogues(void **state)
{
    struct world *world = *state;
    struct bytes body = {0};
    const struct message_catalogue catalogue = {.site = "alpha",
                                                .snapshot = 7,
                                                .dictionary = "rotterdam",
                                                .dictionary_version = 1,
                                                .patients_band = "500–999",
                                                .policy = "open"};
    play_ask(world);
    assert_int_equal(message_catalogue_encode(&body, &catalogue, NULL), MAILLE_OK);
    play_say(world, &world->sites[0], MESSAGE_CATALOGUE, &body);
    assert_int_equal(message_catalogue_encode(&body, &catalogue, NULL), MAILLE_OK);
    play_say(world, &world->sites[1], MESSAGE_CATALOGUE, &body); /* beta publishes as alpha */
    play_turn(world);
    play_say(world, &world->alice, MESSAGE_CATALOGUE_REQUEST, &body);
    play_hear(world, &world->alice, MESSAGE_CATALOGUES);
    struct message_catalogues catalogues;
    DECODE(catalogues, &world->alice, &catalogues);
    assert_int_equal(catalogues.n, 1);
    struct envelope inner;
    assert_int_equal(envelope_decode(&inner, world->arena, catalogues.envelopes[0].data,
                                     catalogues.envelopes[0].length, NULL),
                     MAILLE_OK);
    assert_true(envelope_verified(&inner, secret_keys_public(world->sites[0].keys)->identity));
    play_say(world, &world->alice, MESSAGE_LIST_REQUEST, &body);
    play_hear(world, &world->alice, MESSAGE_LIST);
    struct message_list list;
    DECODE(list, &world->alice, &list);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.queries[0].study, "first-look");
    assert_memory_equal(list.queries[0].qid, world->qid, QID_BYTES);
}

static void count_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    size_t *counts = context;
    (void)sequence;
    (void)utc_ms;
    counts[0] += entry->direction == AUDIT_IN && strcmp(entry->message, "ready") == 0;
    counts[1] += entry->direction == AUDIT_OUT && strcmp(entry->message, "manifest") == 0;
    counts[2] += entry->direction == AUDIT_OUT && strcmp(entry->message, "roster") == 0;
    counts[3] += strcmp(entry->message, "status") == 0 || strcmp(entry->message, "hello") == 0;
}

static void the_log_has_it(void **state)
{
    struct world *world = *state;
    size_t counts[4] = {0};
    play_up_to_roster(world);
    play_turn(world);
    assert_int_equal(
        audit_read(arena_printf(world->arena, "%s/log", world->folder), count_entry, counts, NULL),
        MAILLE_OK);
    assert_int_equal(counts[0], SITES);
    assert_int_equal(counts[1], SITES);
    assert_int_equal(counts[2], SITES + 1);
    assert_int_equal(counts[3], 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, play_world_up, play_world_down)
    const struct CMUnitTest tests[] = {
        TEST(an_honest_query),          TEST(vectors_that_are_not_held),
        TEST(a_vector_of_nothing),      TEST(a_silent_site_is_asked_again),
        TEST(a_restart_in_every_phase), TEST(a_cancel_reaches_everybody),
        TEST(lists_and_catalogues),     TEST(the_log_has_it),
    };
    log_open("coordinator_run_test", NULL, LOG_LEVEL_ERROR);
    return crypto_start(NULL) == MAILLE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
