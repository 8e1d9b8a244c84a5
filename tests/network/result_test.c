/* Whoever lies about what came out is named. A site whose results nobody can read: those of the others are
 * taken where enough of them agree. A coordinator with a wrong sum: the query is over, for good. */
#include "tests/network/testing.h"

#include "crypto/identity.h"
#include "proto/open.h"

static const char study[] = "  - { id: os, method: km, formula: \"Surv(dtime, death) ~ chemo\" }\n"
                            "  - { id: logit, method: glm, family: binomial, formula: \"death ~ chemo\" }\n";

struct liars {
    size_t n;    /* the first n sites */
    bool sealed; /* garbage under the researcher's key, not beside it */
    uint8_t rk[PUBLIC_BYTES];
    size_t lies;
};

static void lie(struct liars *liars, const struct play *play, struct flight *flight)
{
    struct arena *arena = arena_new();
    struct message in;
    struct bytes frame = {0}, body = {0}, envelope = {0};
    uint8_t garbage[1000];
    memset(garbage, 'x', sizeof garbage);
    assert_int_equal(message_open(&in, arena, flight->envelope.data, flight->envelope.length,
                                  flight->frame.data, flight->frame.length, NULL),
                     MAILLE_OK);
    assert_int_equal(message_decode(&in, NULL, 0, NULL), MAILLE_OK);
    if (liars->sealed)
        assert_int_equal(seal_to(&frame, liars->rk, garbage, sizeof garbage), MAILLE_OK);
    else
        bytes_put(&frame, garbage, sizeof garbage);
    hash_kdf(&in.body.result.hash, NULL, "result", frame.data, frame.length);
    assert_int_equal(message_result_encode(&body, &in.body.result, NULL), MAILLE_OK);
    assert_int_equal(envelope_encode(&envelope, flight->kind, play_keys(play, flight->from), in.envelope.from,
                                     &body, NULL),
                     MAILLE_OK);
    flight->envelope.length = flight->frame.length = 0;
    bytes_put(&flight->envelope, envelope.data, envelope.length);
    bytes_put(&flight->frame, frame.data, frame.length);
    liars->lies++;
    bytes_clear(&frame);
    bytes_clear(&body);
    bytes_clear(&envelope);
    arena_free(arena);
}

static void alter(void *context, const struct play *play, struct flight *flight)
{
    struct liars *liars = context;
    if (flight->kind == MESSAGE_MANIFEST && flight->from == PLAY_AGENT) {
        struct arena *arena = arena_new();
        struct message in;
        assert_int_equal(
            message_open(&in, arena, flight->envelope.data, flight->envelope.length, NULL, 0, NULL),
            MAILLE_OK);
        assert_int_equal(message_decode(&in, NULL, 0, NULL), MAILLE_OK);
        memcpy(liars->rk, in.body.manifest.rk, sizeof liars->rk);
        arena_free(arena);
    }
    if (flight->kind == MESSAGE_RESULT && flight->from >= PLAY_SITE && flight->from < PLAY_SITE + liars->n)
        lie(liars, play, flight);
}

static void one_site_is_taken_as_silent(void **state)
{
    (void)state;
    for (int sealed = 0; sealed < 2; sealed++) {
        struct liars liars = {.n = 1, .sealed = sealed};
        struct play *play = runs_to_the_expected(
            &(struct play_options){
                .seed = 1, .n_sites = 6, .study = study, .alter = alter, .context = &liars},
            "a liar");
        assert_true(liars.lies > 3);                     /* in every round */
        assert_true(play_elapsed_ms(play) < 120 * 1000); /* nobody waits for what is here */
        play_free(play);
    }
}

static void too_many_end_the_query(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct liars liars = {.n = 2};
    struct play *play = play_new(
        &(struct play_options){.seed = 1, .n_sites = 6, .study = study, .alter = alter, .context = &liars});
    assert_int_equal(play_run(play, TESTING_LIMIT_MS, &error), MAILLE_SIGNATURE);
    assert_non_null(strstr(error.sentence, "expected the same results from at least 5 sites"));
    play_free(play);
}

/* In agent mode: the first sum that the coordinator signs is another, and from then on it is honest. */
static void another_sum(void *context, const struct play *play, struct flight *flight)
{
    size_t *lies = context;
    struct arena *arena = arena_new();
    struct message in;
    struct bytes body = {0}, envelope = {0};
    if (flight->kind == MESSAGE_SUM && *lies == 0) {
        assert_int_equal(
            message_open(&in, arena, flight->envelope.data, flight->envelope.length, NULL, 0, NULL),
            MAILLE_OK);
        assert_int_equal(message_decode(&in, NULL, 0, NULL), MAILLE_OK);
        in.body.sum.sum_hash.b[0] ^= 1;
        assert_int_equal(message_sum_encode(&body, &in.body.sum, NULL), MAILLE_OK);
        assert_int_equal(envelope_encode(&envelope, flight->kind, play_keys(play, PLAY_COORDINATOR),
                                         in.envelope.from, &body, NULL),
                         MAILLE_OK);
        flight->envelope.length = 0;
        bytes_put(&flight->envelope, envelope.data, envelope.length);
        ++*lies;
    }
    bytes_clear(&body);
    bytes_clear(&envelope);
    arena_free(arena);
}

static void a_coordinator_that_was_caught_is_not_tried_again(void **state)
{
    (void)state;
    struct maille_error error = {0}, again = {0};
    size_t lies = 0;
    struct play *play = play_new(&(struct play_options){.seed = 1,
                                                        .policy = "policy: open\n",
                                                        .mode = MODE_AGENT,
                                                        .study = study,
                                                        .alter = another_sum,
                                                        .context = &lies});
    assert_int_equal(play_run(play, TESTING_LIMIT_MS, &error), MAILLE_SIGNATURE);
    assert_non_null(strstr(error.sentence, "expected the sum that coordinator signed for"));
    char id[2 * QID_BYTES + 1];
    snprintf(id, sizeof id, "%s", agent_id(play_agent(play)));
    play_resume(play, id);
    assert_int_equal(play_run(play, TESTING_LIMIT_MS, &again), MAILLE_SIGNATURE);
    assert_non_null(strstr(again.sentence, error.sentence));
    play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_site_is_taken_as_silent),
        cmocka_unit_test(too_many_end_the_query),
        cmocka_unit_test(a_coordinator_that_was_caught_is_not_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
