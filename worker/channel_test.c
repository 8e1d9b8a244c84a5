#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "worker/channel.h"

static void records_arrive_whole(void **state)
{
    (void)state;
    int ends[2];
    struct record record = {0};
    assert_int_equal(channel_pair(ends, NULL), MAILLE_OK);
    assert_int_equal(channel_send(ends[0], 7, "maille", 6, NULL), MAILLE_OK);
    assert_int_equal(channel_send(ends[0], 8, NULL, 0, NULL), MAILLE_OK);
    assert_int_equal(channel_receive(ends[1], &record, 6, NULL), MAILLE_OK);
    assert_int_equal(record.kind, 7);
    assert_int_equal(record.body.length, 6);
    assert_memory_equal(record.body.data, "maille", 6);
    assert_int_equal(channel_receive(ends[1], &record, 6, NULL), MAILLE_OK);
    assert_int_equal(record.kind, 8);
    assert_int_equal(record.body.length, 0);
    bytes_wipe(&record.body);
    close(ends[0]);
    close(ends[1]);
}

struct large {
    int end;
    struct bytes body;
};

static void *send_large(void *context)
{
    struct large *large = context;
    enum maille_code code = channel_send(large->end, 1, large->body.data, large->body.length, NULL);
    return code == MAILLE_OK ? context : NULL;
}

/* Larger than any socket buffer: both sides go on after partial reads and writes. */
static void a_large_record_arrives(void **state)
{
    (void)state;
    int ends[2];
    struct large large = {0};
    struct record record = {0};
    pthread_t thread;
    void *sent = NULL;
    uint8_t *at = bytes_reserve(&large.body, 5 << 20);
    for (size_t i = 0; i < large.body.length; i++)
        at[i] = (uint8_t)(i * 2654435761U >> 24);
    assert_int_equal(channel_pair(ends, NULL), MAILLE_OK);
    large.end = ends[0];
    assert_int_equal(pthread_create(&thread, NULL, send_large, &large), 0);
    assert_int_equal(channel_receive(ends[1], &record, 5 << 20, NULL), MAILLE_OK);
    pthread_join(thread, &sent);
    assert_ptr_equal(sent, &large);
    assert_int_equal(record.body.length, large.body.length);
    assert_memory_equal(record.body.data, large.body.data, large.body.length);
    bytes_wipe(&record.body);
    bytes_clear(&large.body);
    close(ends[0]);
    close(ends[1]);
}

static void a_record_above_the_limit_is_nonsense(void **state)
{
    (void)state;
    int ends[2];
    struct record record = {0};
    struct maille_error error = {0};
    assert_int_equal(channel_pair(ends, NULL), MAILLE_OK);
    assert_int_equal(channel_send(ends[0], 7, "maille", 6, NULL), MAILLE_OK);
    assert_int_equal(channel_receive(ends[1], &record, 5, &error), MAILLE_INTERNAL);
    assert_null(record.body.data);
    close(ends[0]);
    close(ends[1]);
}

static void a_closed_end_is_told(void **state)
{
    (void)state;
    int ends[2];
    struct record record = {0};
    struct maille_error error = {0};
    assert_int_equal(channel_pair(ends, NULL), MAILLE_OK);
    assert_int_equal(write(ends[0], "\1\0\0\0\5\0", 6), 6); /* half a header */
    close(ends[0]);
    assert_int_equal(channel_receive(ends[1], &record, 5, &error), MAILLE_INTERNAL);
    assert_int_equal(channel_send(ends[1], 7, "maille", 6, &error), MAILLE_INTERNAL);
    close(ends[1]);
}

struct reading {
    int end;
    uint32_t n, in_order;
};

static void *read_records(void *context)
{
    struct reading *reading = context;
    struct record record = {0};
    for (uint32_t i = 0; i < reading->n; i++)
        if (channel_receive(reading->end, &record, 100000, NULL) == MAILLE_OK && record.kind == i &&
            record.body.length == 100000 && record.body.data[99999] == (uint8_t)i)
            reading->in_order++;
    bytes_wipe(&record.body);
    return NULL;
}

/* The queue takes what the other end does not read yet and loses nothing of it. */
static void a_queue_never_waits(void **state)
{
    (void)state;
    int ends[2];
    struct channel_queue queue = {0};
    static uint8_t body[100000];
    pthread_t thread;
    assert_int_equal(channel_pair(ends, NULL), MAILLE_OK);
    struct reading reading = {.end = ends[1], .n = 50};
    for (uint32_t i = 0; i < reading.n; i++) {
        memset(body, (int)i, sizeof body);
        assert_int_equal(channel_queue_put(&queue, i, body, sizeof body, NULL), MAILLE_OK);
        assert_int_equal(channel_queue_flush(&queue, ends[0], NULL), MAILLE_OK);
    }
    assert_true(channel_queue_left(&queue) > 0);
    assert_int_equal(pthread_create(&thread, NULL, read_records, &reading), 0);
    while (channel_queue_left(&queue) > 0) {
        struct pollfd ready = {.fd = ends[0], .events = POLLOUT};
        assert_int_equal(poll(&ready, 1, 5000), 1);
        assert_int_equal(channel_queue_flush(&queue, ends[0], NULL), MAILLE_OK);
    }
    pthread_join(thread, NULL);
    assert_int_equal(reading.in_order, reading.n);
    close(ends[1]);
    assert_int_equal(channel_queue_put(&queue, 1, body, 1, NULL), MAILLE_OK);
    assert_int_equal(channel_queue_flush(&queue, ends[0], NULL), MAILLE_INTERNAL);
    channel_queue_clear(&queue);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_arrive_whole),
        cmocka_unit_test(a_large_record_arrives),
        cmocka_unit_test(a_record_above_the_limit_is_nonsense),
        cmocka_unit_test(a_closed_end_is_told),
        cmocka_unit_test(a_queue_never_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
