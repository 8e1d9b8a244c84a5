/* Real vaults, a real coordinator and a real agent in a network in which messages are changed on their way
 * and signed anew by whoever they name: what a party that lies could say, drawn by the dice. Every seed is
 * another run.
 *
 *     MAILLE_SEEDS=1000 MAILLE_SEED=5000 build/dev/bin/test_network_mutants
 *
 * No party may crash, or end with a fault of its own (network.c ends the test then). A question ends with the
 * right numbers, with none and a rule, or with a sentence; and from honest networks' own mouths the next
 * question is answered as if nothing had been, or refused with a sentence too: no party is lost for good. */
#include "tests/network/mutate.h"
#include "tests/network/testing.h"

enum { SHORT_SEEDS = 24, LIMIT_MS = 2 * 3600 * 1000 };

struct liar {
    struct seeded dice;
    unsigned permille; /* of messages */
    uint64_t seen, mutants;
    struct { /* of a kind: a body that was said before */
        struct bytes body;
    } kept[MESSAGE_KINDS];
    bool stopped;
};

static const struct secret_keys *keys_of(const struct play *play, const struct flight *flight,
                                         const char *name)
{
    /* It names its sender, or somebody whose message is passed on. */
    for (size_t party = 0; party < PLAY_SITE + 3; party++)
        if (strcmp(secret_keys_name(play_keys(play, party)), name) == 0)
            return play_keys(play, party);
    return play_keys(play, flight->from);
}

static void lie(void *context, const struct play *play, struct flight *flight)
{
    struct liar *liar = context;
    struct envelope envelope;
    struct bytes body = {0}, signed_anew = {0};
    struct arena *arena = arena_new();
    assert_non_null(arena);
    liar->seen++;
    if (liar->stopped || seeded_below(&liar->dice, 1000) >= liar->permille ||
        envelope_decode(&envelope, arena, flight->envelope.data, flight->envelope.length, NULL) != MAILLE_OK)
        goto out;
    struct bytes *kept = &liar->kept[flight->kind].body;
    const uint64_t way = seeded_below(&liar->dice, 8);
    if (way == 0 && flight->frame.length > 0) {
        flight->frame.data[seeded_below(&liar->dice, flight->frame.length)] ^= 1;
        liar->mutants++;
        goto out;
    }
    if (way == 1 && kept->length > 0) /* what it said before, as if it were said now */
        bytes_put(&body, kept->data, kept->length);
    else if (!mutate_body(&body, flight->kind, envelope.body, envelope.body_length, &liar->dice))
        goto out;
    assert_int_equal(bytes_copy(kept, envelope.body, envelope.body_length), MAILLE_OK);
    if (envelope_encode(&signed_anew, flight->kind,
                        envelope.signature != NULL ? keys_of(play, flight, envelope.from) : NULL,
                        envelope.from, &body, NULL) != MAILLE_OK)
        goto out;
    bytes_clear(&flight->envelope);
    flight->envelope = signed_anew;
    signed_anew = (struct bytes){0};
    liar->mutants++;
out:
    bytes_clear(&body);
    bytes_clear(&signed_anew);
    arena_free(arena);
}

struct count {
    uint64_t mutants, right, refused, ended, next_right, next_refused, next_ended;
};

/* How a question came out, beside what it should have. */
static void judge(uint64_t *right, uint64_t *refused, uint64_t *ended, struct play *play)
{
    struct maille_error error = {0};
    struct bytes json = {0}, expected = {0};
    const enum maille_code code = play_run(play, LIMIT_MS, &error);
    if (code != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fail_msg("expected a sentence with code %d", (int)code);
        ++*ended;
        return;
    }
    play_result(&json, play);
    play_expected(&expected, play);
    const bool same = json.length == expected.length && memcmp(json.data, expected.data, json.length) == 0;
    bytes_put_u8(&json, 0);
    if (!same && strstr((const char *)json.data, "\"status\": \"ok\"") != NULL)
        fail_msg("expected the right numbers or none, found %s", (const char *)json.data);
    ++*(same ? right : refused);
    bytes_clear(&json);
    bytes_clear(&expected);
}

static void one_seed(struct count *count, uint64_t seed)
{
    struct liar liar = {0};
    seeded_init(&liar.dice, seed, "liar");
    liar.permille = 4 + (unsigned)seeded_below(&liar.dice, 60);
    const bool agent_mode = seed % 3 == 0;
    struct play *play =
        play_new(&(struct play_options){.seed = seed,
                                        .policy = agent_mode ? "policy: open\n" : NULL,
                                        .mode = agent_mode ? MODE_AGENT : MODE_CIRCLE,
                                        .study = "  - { id: x, method: count, by: [chemo] }\n",
                                        .alter = lie,
                                        .context = &liar});
    judge(&count->right, &count->refused, &count->ended, play);
    liar.stopped = true;
    play_ask(play, "  - { id: y, method: count }\n");
    judge(&count->next_right, &count->next_refused, &count->next_ended, play);
    count->mutants += liar.mutants;
    play_free(play);
    for (size_t kind = 0; kind < MESSAGE_KINDS; kind++)
        bytes_clear(&liar.kept[kind].body);
}

static void nobody_falls_over_a_mutant(void **state)
{
    (void)state;
    const char *seeds = getenv("MAILLE_SEEDS"), *first = getenv("MAILLE_SEED");
    const uint64_t n = seeds != NULL ? strtoull(seeds, NULL, 10) : SHORT_SEEDS,
                   from = first != NULL ? strtoull(first, NULL, 10) : 1;
    struct count count = {0};
    for (uint64_t seed = from; seed < from + n; seed++) {
        if (getenv("MAILLE_MUTANTS_SHOW") != NULL)
            fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        one_seed(&count, seed);
    }
    print_message(
        "%llu seeds, %llu mutants: %llu right results, %llu refused, %llu ended with a sentence; then "
        "%llu right, %llu refused, %llu ended\n",
        (unsigned long long)n, (unsigned long long)count.mutants, (unsigned long long)count.right,
        (unsigned long long)count.refused, (unsigned long long)count.ended,
        (unsigned long long)count.next_right, (unsigned long long)count.next_refused,
        (unsigned long long)count.next_ended);
    assert_true(count.mutants > 2 * n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_falls_over_a_mutant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
