/* Many sites at one coordinator: a real coordinator with its store, log and directory, and sites whose
 * vectors are random bytes (it cannot tell), as tests/protocol/played.h plays them. So many rounds of so many
 * numbers are asked, masked, added or handed to every member, and revealed; of the sums every byte is
 * compared. Prints time, bytes, memory, descriptors and disk; fails where memory or descriptors grow from
 * round to round.
 *
 *     MAILLE_ROUNDS=20 MAILLE_TEST_TMP=/tmp/load build/dev/bin/load_crowd_200      20 rounds (2 unless said)
 */
#include <dirent.h>
#include <malloc.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <time.h>

#include "base/figures.h"
#include "tests/network/durable.h"
#include "tests/protocol/played.h"

static size_t descriptors(void)
{
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        n++;
    closedir(folder);
    return n;
}

/* Without what SQLite holds: its cache of pages fills, up to 2 MB, and stays. */
static size_t held(void)
{
    malloc_trim(0);
    const struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd - (size_t)sqlite3_memory_used();
}

static double processor_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

struct traffic {
    uint64_t in, out; /* bytes of messages at the coordinator */
};

/* What came is let go; counted first. */
static void let_go(struct traffic *traffic, struct party *party)
{
    for (size_t m = 0; m < party->inbox.n; m++)
        traffic->out += party->inbox.messages[m].envelope.length + party->inbox.messages[m].frame.length;
    message_outbox_clear(&party->inbox);
    party->heard = 0;
}

static void say_taken(struct world *world, size_t i)
{
    struct bytes body = {0};
    struct message_taken taken = {.psi = world->psi, .site = (uint32_t)i + 1};
    memcpy(taken.qid, world->qid, QID_BYTES);
    assert_int_equal(message_taken_encode(&body, &taken, NULL), MAILLE_OK);
    play_say(world, &world->sites[i], MESSAGE_TAKEN, &body);
}

static void one_round(struct world *world, struct traffic *traffic, uint32_t round,
                      const struct digest *previous, const uint8_t *expected)
{
    play_say_start(world, round, 1, previous, SITES);
    for (size_t i = 0; i < SITES; i++) {
        play_hear(world, &world->sites[i], MESSAGE_START);
        play_say_masked(world, i);
        if (hash_segment_count(VECTOR) > 1)
            play_answer_pulls(world, i, hash_segment_count(VECTOR) - 1);
        let_go(traffic, &world->sites[i]);
        traffic->in += VECTOR;
    }
    if (world->result_to == RESULT_TO_ANALYST)
        play_hear(world, &world->alice, MESSAGE_SUM);
    play_turn(world);
    for (size_t i = 0; i < SITES; i++) {
        play_hear(world, &world->sites[i], MESSAGE_CLOSE);
        play_say_reveal(world, i);
        play_turn(world);
    }
    if (world->result_to == RESULT_TO_ANALYST) {
        play_pull_and_compare(world, 0, expected);
    } else {
        for (size_t i = 0; i < SITES; i++) {
            play_hear(world, &world->sites[i], MESSAGE_CUSTODY);
            assert_int_equal(world->sites[i].last.frame.length, (size_t)SITES * VECTOR);
            assert_memory_equal(world->sites[i].last.frame.data + i * VECTOR, world->sites[i].vector, VECTOR);
            say_taken(world, i);
            wire_message_clear(&world->sites[i].last);
            let_go(traffic, &world->sites[i]);
        }
        play_turn(world);
    }
    for (size_t i = 0; i < SITES; i++)
        let_go(traffic, &world->sites[i]);
    let_go(traffic, &world->alice);
}

static void rounds_of(struct world *world, const char *name)
{
    const char *wanted = getenv("MAILLE_ROUNDS");
    const uint32_t rounds = wanted != NULL ? (uint32_t)atoi(wanted) : 2;
    struct traffic traffic = {0};
    struct digest previous = {0};
    size_t memory = 0, open_files = 0;
    struct arena *kept = world->arena;
    play_stop(world);
    world->quotas.log_entries_per_day = 1000000000;
    world->quotas.messages_per_minute = 100000000;
    world->quotas.researcher_bytes = INT64_C(1) << 34;
    play_start(world);
    play_up_to_roster(world);
    uint8_t *expected = play_expected_sum(world);
    const double began = processor_seconds();
    for (uint32_t round = 1; round <= rounds; round++) {
        world->arena = arena_new(); /* what the test itself keeps of a round is given back */
        assert_non_null(world->arena);
        one_round(world, &traffic, round, round > 1 ? &previous : NULL, expected);
        arena_free(world->arena);
        world->arena = kept;
        previous = world->psi;
        if (round == 1) {
            memory = held();
            open_files = descriptors();
        }
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "%s, %d sites, %d bytes, %u rounds: %.1f s of processor a round; %.1f MB in and %.1f MB out a round; "
        "%.0f MiB at most (with all vectors of the sites: %.0f); %+.2f MB and %+d descriptors from round 1 "
        "to the "
        "last; %.1f MB of disk\n",
        name, SITES, VECTOR, rounds, (processor_seconds() - began) / rounds,
        (double)traffic.in / rounds / 1e6, (double)traffic.out / rounds / 1e6, (double)usage.ru_maxrss / 1024,
        (double)SITES * VECTOR / 1048576, ((double)held() - (double)memory) / 1e6,
        (int)descriptors() - (int)open_files, (double)figures_folder_bytes(world->folder) / 1e6);
    assert_int_equal(descriptors(), open_files);
    assert_true(held() <= memory + (2 << 20));
    free(expected);
}

static void in_agent_mode(void **state)
{
    rounds_of(*state, "agent mode");
}

static void in_the_circle(void **state)
{
    struct world *world = *state;
    world->result_to = RESULT_TO_CUSTODIANS;
    rounds_of(world, "circle");
}

int main(void)
{
    const struct CMUnitTest agent = cmocka_unit_test_setup_teardown(in_agent_mode, play_world_up,
                                                                    play_world_down),
                            circle = cmocka_unit_test_setup_teardown(in_the_circle, play_world_up,
                                                                     play_world_down);
    const struct CMUnitTest tests[] = {PLAYED_CIRCLE ? circle : agent};
    log_open("load_crowd", NULL, LOG_LEVEL_ERROR);
    return crypto_start(NULL) == MAILLE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
