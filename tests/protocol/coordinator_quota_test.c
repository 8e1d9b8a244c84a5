/* What one party can make the coordinator spend: memory, disk, time; and what is left of a query that is
 * over. */
#include <dirent.h>
#include <malloc.h>
#include <sys/stat.h>

#include "tests/network/durable.h"
#include "tests/protocol/played.h"

static uint64_t entries(const struct world *world)
{
    struct audit_head head;
    audit_head(world->coordinator.log, &head);
    return head.size;
}

static void say_end(struct world *world)
{
    struct bytes body = {0};
    struct message_end end = {0};
    memcpy(end.qid, world->qid, QID_BYTES);
    assert_int_equal(message_end_encode(&body, &end, NULL), MAILLE_OK);
    play_say(world, &world->alice, MESSAGE_END, &body);
}

/* Everybody dials anew, asks, accepts, and ends; what the test itself keeps of it is given back. */
static void one_query(struct world *world, uint32_t number)
{
    struct arena *kept = world->arena;
    world->arena = arena_new();
    assert_non_null(world->arena);
    memcpy(world->qid, &number, sizeof number);
    world->seen = entries(world);
    play_dial(world, &world->alice);
    for (size_t i = 0; i < SITES; i++)
        play_dial(world, &world->sites[i]);
    play_up_to_roster(world);
    say_end(world);
    for (size_t i = 0; i < SITES; i++)
        play_hear(world, &world->sites[i], MESSAGE_END);
    for (size_t i = 0; i <= SITES; i++)
        play_hang_up(i == 0 ? &world->alice : &world->sites[i - 1]);
    play_tick(world, 60000);
    arena_free(world->arena);
    world->arena = kept;
}

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

static size_t held(void)
{
    const struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
}

static int64_t database_bytes(const struct world *world)
{
    struct stat found;
    char path[600];
    snprintf(path, sizeof path, "%s/coordinator.db", world->folder);
    assert_int_equal(stat(path, &found), 0);
    return found.st_size;
}

/* MAILLE_QUERIES=2000 for the figure of docs/PERFORMANCE.md. */
static void what_is_over_costs_nothing(void **state)
{
    enum { FIRST = 200, MEMORY_MAX = 2 << 20, BYTES_PER_QUERY = 16384 };
    struct world *world = *state;
    const char *wanted = getenv("MAILLE_QUERIES");
    const uint32_t last = wanted != NULL ? (uint32_t)atoi(wanted) : 600;
    size_t memory = 0, open_files = 0;
    int64_t bytes = 0;
    world->quotas.log_entries_per_day = 1000000000;
    world->quotas.messages_per_minute = 100000000;
    play_stop(world);
    play_start(world);
    for (uint32_t n = 1; n <= last; n++) {
        one_query(world, n);
        if (n == FIRST) {
            memory = held();
            open_files = descriptors();
            bytes = database_bytes(world);
        }
    }
    printf("%u queries after %d: %lld bytes of memory more, %lld of database\n", last - FIRST, FIRST,
           (long long)held() - (long long)memory, (long long)(database_bytes(world) - bytes));
    assert_true(held() <= memory + MEMORY_MAX);
    assert_int_equal(descriptors(), open_files);
    assert_true(database_bytes(world) - bytes <= (int64_t)(last - FIRST) * BYTES_PER_QUERY);
    /* A start loads none of them; whoever asked still finds each. */
    play_stop(world);
    play_start(world);
    assert_int_equal(world->coordinator.n_queries, 0);
    memcpy(world->qid, &last, sizeof last);
    assert_int_equal(play_phase_of(world), PHASE_ENDED);
    /* Until retention lets them go: then their place is used again. */
    play_tick(world, INT64_C(91) * 24 * 3600 * 1000);
    play_tick(world, 60000);
    assert_int_equal(play_phase_of(world), PHASE_UNKNOWN);
    bytes = database_bytes(world);
    for (uint32_t n = 1; n <= FIRST; n++)
        one_query(world, last + n);
    assert_true(database_bytes(world) - bytes <= 65536);
}

static void ask_as(struct world *world, uint32_t number)
{
    memcpy(world->qid, &number, sizeof number);
    play_ask(world);
    play_turn(world);
}

static void a_researcher_has_so_many_queries(void **state)
{
    struct world *world = *state;
    play_stop(world);
    world->quotas.researcher_queries = 3;
    play_start(world);
    for (uint32_t n = 1; n <= 3; n++)
        ask_as(world, n);
    assert_false(play_heard(world, &world->alice, MESSAGE_PROBLEM));
    ask_as(world, 4);
    play_hear(world, &world->alice, MESSAGE_PROBLEM);
    assert_int_equal(play_phase_of(world), PHASE_UNKNOWN);
    ask_as(world, 3); /* again: it is there */
    assert_false(play_heard(world, &world->alice, MESSAGE_PROBLEM));
    say_end(world); /* one less: there is room */
    play_turn(world);
    ask_as(world, 4);
    assert_int_equal(play_phase_of(world), PHASE_ASKED);
}

enum { MESSAGES_MAX = 49152 }; /* what the messages of a query of three sites weigh here, at most */

/* A circle's vectors, which nobody has told the length of before they come, and what is made of them. */
static void a_circle_is_on_its_researchers_account(void **state)
{
    enum { LENGTH = 65536 };
    static const uint64_t limits[] = {6 * LENGTH, 7 * LENGTH + MESSAGES_MAX};
    struct world *world = *state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        play_stop(world);
        world->quotas.researcher_bytes = (int64_t)limits[i];
        play_start(world);
        memcpy(world->qid, &(uint32_t){(uint32_t)i + 1}, sizeof(uint32_t));
        world->seen = entries(world);
        for (size_t s = 0; s < SITES; s++)
            play_dial(world, &world->sites[s]);
        play_up_to_roster(world);
        struct query *query = world->coordinator.queries[world->coordinator.n_queries - 1];
        query->circle = true;
        world->length = 0;
        world->result_to = RESULT_TO_CUSTODIANS;
        play_say_start(world, 1, 1, NULL, SITES);
        play_hear(world, &world->sites[0], MESSAGE_START);
        world->length = LENGTH;
        play_say_masked(world, 0);
        play_turn(world);
        assert_int_equal(query->row.phase, i == 0 ? PHASE_CANCELLED : PHASE_ROUND);
        assert_int_equal(play_heard(world, &world->alice, MESSAGE_PROBLEM), i == 0);
    }
}

static void a_researcher_has_so_many_bytes(void **state)
{
    struct world *world = *state;
    play_stop(world);
    world->length = 65536;
    world->quotas.researcher_bytes =
        65536 + MESSAGES_MAX; /* the sum alone; with three vectors it is four times that */
    world->held_max = 4 * 65536;
    play_start(world);
    play_up_to_roster(world);
    play_say_start(world, 1, 1, NULL, SITES);
    play_hear(world, &world->alice, MESSAGE_PROBLEM);
    assert_int_equal(play_phase_of(world), PHASE_ROSTER);
    play_stop(world);
    world->quotas.researcher_bytes = 4 * 65536 + MESSAGES_MAX;
    play_start(world);
    play_say_hello(world, &world->sites[0]);
    play_say_start(world, 1, 1, NULL, SITES);
    play_hear(world, &world->sites[0], MESSAGE_START);
    assert_int_equal(play_phase_of(world), PHASE_ROUND);
}

static void so_many_messages_a_minute(void **state)
{
    enum { LIMIT = 60 };
    struct world *world = *state;
    play_stop(world);
    world->quotas.messages_per_minute = LIMIT;
    play_start(world);
    for (int i = 0; i < LIMIT; i++) {
        play_say_hello(world, &world->sites[0]);
        play_hear(world, &world->sites[0], MESSAGE_WELCOME);
    }
    play_say_hello(world, &world->sites[0]);
    assert_false(play_heard(world, &world->sites[0], MESSAGE_WELCOME));
    play_say_hello(world, &world->sites[1]); /* nobody else pays for it */
    play_hear(world, &world->sites[1], MESSAGE_WELCOME);
    play_tick(world, 1100); /* one message a second comes back */
    play_say_hello(world, &world->sites[0]);
    play_hear(world, &world->sites[0], MESSAGE_WELCOME);
}

static void so_many_entries_a_day(void **state)
{
    enum { LIMIT = 100, MUCH = 400 };
    static const uint8_t nonsense[100] = {1, 2, 3};
    struct world *world = *state;
    play_stop(world);
    world->quotas.log_entries_per_day = LIMIT;
    play_start(world);
    const uint64_t before = entries(world);
    for (int i = 0; i < MUCH; i++) { /* what cannot be read is noted, so many times */
        play_say_bytes(world, &world->sites[0], nonsense, sizeof nonsense, NULL, 0);
        play_tick(world, 500);
    }
    assert_true(entries(world) - before <= LIMIT);
    play_say_hello(world, &world->sites[0]); /* who is there is still seen */
    play_hear(world, &world->sites[0], MESSAGE_WELCOME);
    /* A researcher: her questions are let go, an end is not, and she is told once. */
    for (uint32_t n = 1; n <= LIMIT; n++)
        ask_as(world, 1 + n % 8);
    play_hear(world, &world->alice, MESSAGE_PROBLEM);
    ask_as(world, 77);
    assert_int_equal(play_phase_of(world), PHASE_UNKNOWN);
    memcpy(world->qid, &(uint32_t){2}, sizeof(uint32_t));
    assert_int_equal(play_phase_of(world), PHASE_ASKED);
    say_end(world);
    play_turn(world);
    assert_int_equal(play_phase_of(world), PHASE_ENDED);
    play_tick(world, INT64_C(24) * 3600 * 1000);
    ask_as(world, 78);
    assert_int_equal(play_phase_of(world), PHASE_ASKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_over_costs_nothing, play_world_up, play_world_down),
        cmocka_unit_test_setup_teardown(a_researcher_has_so_many_queries, play_world_up, play_world_down),
        cmocka_unit_test_setup_teardown(a_researcher_has_so_many_bytes, play_world_up, play_world_down),
        cmocka_unit_test_setup_teardown(a_circle_is_on_its_researchers_account, play_world_up,
                                        play_world_down),
        cmocka_unit_test_setup_teardown(so_many_messages_a_minute, play_world_up, play_world_down),
        cmocka_unit_test_setup_teardown(so_many_entries_a_day, play_world_up, play_world_down),
    };
    return crypto_start(NULL) == MAILLE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
