/* The coordinator in a round for custodians: every reveal and every vector to every member, nothing of it to
 * the researcher. */
#include "tests/protocol/played.h"

static void to_closed(struct world *world, uint32_t round, const struct digest *previous)
{
    world->result_to = RESULT_TO_CUSTODIANS;
    play_say_start(world, round, 1, previous, SITES);
    for (size_t i = 0; i < SITES; i++) {
        play_hear(world, &world->sites[i], MESSAGE_START);
        play_say_masked(world, i);
        play_answer_pulls(world, i, hash_segment_count(VECTOR) - 1);
    }
    play_hear(world, &world->alice, MESSAGE_CLOSE);
}

static void all_reveal(struct world *world)
{
    for (size_t i = 0; i < SITES; i++) {
        play_hear(world, &world->sites[i], MESSAGE_CLOSE);
        play_say_reveal(world, i);
    }
}

/* The custody that a site hears: its own reveal in its place, and all vectors. */
static void hear_custody(struct world *world, size_t i)
{
    struct message_custody custody;
    play_hear(world, &world->sites[i], MESSAGE_CUSTODY);
    DECODE(custody, &world->sites[i], &custody);
    assert_true(digest_equal(&custody.psi, &world->psi));
    assert_int_equal(custody.n, SITES);
    assert_int_equal(world->sites[i].last.frame.length, SITES * VECTOR);
    for (size_t j = 0; j < SITES; j++) {
        struct envelope envelope;
        assert_int_equal(envelope_decode(&envelope, world->arena, custody.reveals[j].data,
                                         custody.reveals[j].length, NULL),
                         MAILLE_OK);
        assert_true(envelope_verified(&envelope, secret_keys_public(world->sites[j].keys)->identity));
        assert_memory_equal(world->sites[i].last.frame.data + j * VECTOR, world->sites[j].vector, VECTOR);
    }
}

static void say_taken(struct world *world, size_t i)
{
    struct bytes body = {0};
    struct message_taken taken = {.psi = world->psi, .site = (uint32_t)i + 1};
    memcpy(taken.qid, world->qid, QID_BYTES);
    assert_int_equal(message_taken_encode(&body, &taken, NULL), MAILLE_OK);
    play_say(world, &world->sites[i], MESSAGE_TAKEN, &body);
}

static void both_rounds_then_values(void **state)
{
    struct world *world = *state;
    struct digest previous = {0};
    world->coordinator.held_max = 0; /* what custodians need is held all the same */
    play_up_to_roster(world);
    for (uint32_t round = 1; round <= 2; round++) {
        to_closed(world, round, &previous);
        all_reveal(world);
        for (size_t i = 0; i < SITES; i++) {
            hear_custody(world, i);
            say_taken(world, i);
            play_hear(world, &world->alice, MESSAGE_TAKEN);
            assert_true(envelope_verified(&world->alice.envelope,
                                          secret_keys_public(world->sites[i].keys)->identity));
        }
        previous = world->psi;
    }
    world->coordinator.held_max = (size_t)64 << 20;
    world->result_to = RESULT_TO_ANALYST;
    play_say_start(world, 3, 1, &previous, SITES);
    for (size_t i = 0; i < SITES; i++) {
        play_hear(world, &world->sites[i], MESSAGE_START);
        play_say_masked(world, i);
        play_answer_pulls(world, i, hash_segment_count(VECTOR) - 1);
    }
    play_hear(world, &world->alice, MESSAGE_SUM);
    play_all_reveal(world);
    assert_int_equal(play_phase_of(world), PHASE_REVEALED);
}

/* No sum, no reveal, no vector, also not when the researcher asks for it. */
static void nothing_of_it_reaches_the_researcher(void **state)
{
    struct world *world = *state;
    struct bytes body = {0};
    play_up_to_roster(world);
    to_closed(world, 1, NULL);
    all_reveal(world);
    for (size_t i = 0; i < SITES; i++)
        hear_custody(world, i);
    for (uint32_t source = 0; source <= SITES; source++) {
        struct message_pull pull = {.psi = world->psi, .source = source, .first = 0, .count = 1};
        memcpy(pull.qid, world->qid, QID_BYTES);
        assert_int_equal(message_pull_encode(&body, &pull, NULL), MAILLE_OK);
        play_say(world, &world->alice, MESSAGE_PULL, &body);
    }
    struct message_resume resume;
    memcpy(resume.qid, world->qid, QID_BYTES);
    assert_int_equal(message_resume_encode(&body, &resume, NULL), MAILLE_OK);
    play_say(world, &world->alice, MESSAGE_RESUME, &body);
    static const enum message_kind kinds[] = {MESSAGE_SUM, MESSAGE_REVEAL, MESSAGE_SEGMENT, MESSAGE_CUSTODY};
    while (play_next(world, &world->alice)) /* whatever comes */
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            assert_int_not_equal(world->alice.envelope.kind, kinds[k]);
}

/* The next round waits for every member; who did not hear is told again. */
static void every_member_must_have_it(void **state)
{
    struct world *world = *state;
    play_up_to_roster(world);
    to_closed(world, 1, NULL);
    all_reveal(world);
    for (size_t i = 0; i < SITES; i++)
        hear_custody(world, i);
    say_taken(world, 0);
    say_taken(world, 1);
    play_turn(world);
    const struct digest first = world->psi;
    play_say_start(world, 2, 1, &first, SITES);
    play_hear(world, &world->alice, MESSAGE_PROBLEM);
    world->psi = first;
    play_tick(world,
              RESEND_MS + SITES * VECTOR / CUSTODY_BYTES_PER_MS - 1000); /* it may still be on its way */
    assert_false(play_heard(world, &world->sites[2], MESSAGE_CUSTODY));
    play_tick(world, 2000);
    hear_custody(world, 2);
    assert_false(play_heard(world, &world->sites[0], MESSAGE_CUSTODY));
    say_taken(world, 2);
    play_turn(world);
    play_say_start(world, 2, 1, &first, SITES);
    play_hear(world, &world->sites[0], MESSAGE_START);
}

/* After a restart vectors are pulled again and custody is made again, for those that had not taken it. */
static void a_restart_in_custody(void **state)
{
    struct world *world = *state;
    struct bytes body = {0};
    play_up_to_roster(world);
    to_closed(world, 1, NULL);
    all_reveal(world);
    for (size_t i = 0; i < SITES; i++)
        hear_custody(world, i);
    say_taken(world, 0);
    play_turn(world);
    play_stop(world);
    play_start(world);
    play_hang_up(&world->alice);
    play_dial(world, &world->alice);
    for (size_t i = 0; i < SITES; i++) {
        play_hang_up(&world->sites[i]);
        play_dial(world, &world->sites[i]);
    }
    assert_int_equal(play_phase_of(world), PHASE_REVEALED);
    for (size_t i = 0; i < SITES; i++) {
        play_say_hello(world, &world->sites[i]);
        play_answer_pulls(world, i, hash_segment_count(VECTOR));
    }
    hear_custody(world, 1);
    hear_custody(world, 2);
    assert_false(play_heard(world, &world->sites[0], MESSAGE_CUSTODY));
    say_taken(world, 1);
    say_taken(world, 2);
    /* What alice missed comes when she asks. */
    struct message_resume resume;
    memcpy(resume.qid, world->qid, QID_BYTES);
    assert_int_equal(message_resume_encode(&body, &resume, NULL), MAILLE_OK);
    play_turn(world);
    play_say(world, &world->alice, MESSAGE_RESUME, &body);
    for (size_t i = 0; i < SITES; i++)
        play_hear(world, &world->alice, MESSAGE_TAKEN);
    const struct digest first = world->psi;
    play_say_start(world, 2, 1, &first, SITES);
    play_hear(world, &world->sites[0], MESSAGE_START);
}

/* What is more than every site can hold is not begun; a taken in a round of values is nobody's. */
static void limits(void **state)
{
    struct world *world = *state;
    play_up_to_roster(world);
    world->result_to = RESULT_TO_CUSTODIANS;
    world->length = MESSAGE_FRAME_MAX / SITES / 16 * 16 + 16;
    play_say_start(world, 1, 1, NULL, SITES);
    play_hear(world, &world->alice, MESSAGE_PROBLEM);
    world->length = VECTOR;
    world->result_to = RESULT_TO_ANALYST;
    play_say_start(world, 1, 1, NULL, SITES);
    for (size_t i = 0; i < SITES; i++) {
        play_hear(world, &world->sites[i], MESSAGE_START);
        play_say_masked(world, i);
        play_answer_pulls(world, i, hash_segment_count(VECTOR) - 1);
    }
    play_hear(world, &world->alice, MESSAGE_SUM);
    play_all_reveal(world);
    say_taken(world, 0);
    play_turn(world);
    assert_false(play_heard(world, &world->alice, MESSAGE_TAKEN));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, play_world_up, play_world_down)
    const struct CMUnitTest tests[] = {
        TEST(both_rounds_then_values),
        TEST(nothing_of_it_reaches_the_researcher),
        TEST(every_member_must_have_it),
        TEST(a_restart_in_custody),
        TEST(limits),
    };
    log_open("coordinator_custody_test", NULL, LOG_LEVEL_ERROR);
    return crypto_start(NULL) == MAILLE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
