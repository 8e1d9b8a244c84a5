#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "coordinator/store.h"

static char path[512];

static int fresh(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/store-%d.db", getenv("MAILLE_TEST_TMP"), (int)getpid());
    const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char file[600];
        snprintf(file, sizeof file, "%s%s", path, endings[i]);
        unlink(file);
    }
    return 0;
}

static struct store *open_store(void)
{
    struct store *store = NULL;
    struct maille_error error = {0};
    if (store_open(&store, path, false, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    return store;
}

static const uint8_t qid[QID_BYTES] = {1, 2, 3};

/* --- what comes back --- */

struct found {
    size_t n;
    struct store_query queries[4];
    struct store_key keys[8];
    enum message_kind kinds[8];
    bool frames[8];
};

static enum maille_code found_query(void *context, const struct store_query *query,
                                    struct maille_error *error)
{
    (void)error;
    struct found *found = context;
    found->queries[found->n++] = *query;
    return MAILLE_OK;
}

static enum maille_code found_message(void *context, const struct store_key *key, struct parcel *parcel,
                                      struct maille_error *error)
{
    (void)error;
    struct found *found = context;
    found->keys[found->n] = *key;
    found->kinds[found->n] = parcel->kind;
    found->frames[found->n++] = parcel->has_frame;
    parcel_drop(parcel);
    return MAILLE_OK;
}

static void queries_survive(void **state)
{
    (void)state;
    struct store *store = open_store();
    struct store_query query = {.qid = {1},
                                .researcher = "alice",
                                .study = "first",
                                .phase = PHASE_ROUND,
                                .round = 3,
                                .attempt = 2,
                                .bytes = (uint64_t)1 << 40,
                                .psi = {{4}},
                                .previous = {{5}},
                                .created_ms = 10,
                                .expires_ms = 20,
                                .called_ms = 12,
                                .activity_ms = 15};
    assert_int_equal(store_put_query(store, &query, NULL), MAILLE_OK);
    query.phase = PHASE_CLOSED;
    assert_int_equal(store_put_query(store, &query, NULL), MAILLE_OK);
    struct store_query other = {
        .qid = {2}, .researcher = "bob", .study = "second", .phase = PHASE_ASKED, .created_ms = 11};
    assert_int_equal(store_put_query(store, &other, NULL), MAILLE_OK);
    assert_int_equal(store_commit(store, NULL), MAILLE_OK);
    store_close(store);
    store = open_store();
    struct found found = {0};
    assert_int_equal(store_read_queries(store, NULL, found_query, &found, NULL), MAILLE_OK);
    assert_int_equal(found.n, 2);
    assert_string_equal(found.queries[0].researcher, "bob"); /* newest first */
    const struct store_query *back = &found.queries[1];
    assert_memory_equal(back->qid, query.qid, QID_BYTES);
    assert_memory_equal(&back->psi, &query.psi, HASH_BYTES);
    assert_memory_equal(&back->previous, &query.previous, HASH_BYTES);
    assert_true(back->phase == PHASE_CLOSED && back->round == 3 && back->attempt == 2 &&
                back->bytes == query.bytes);
    assert_true(back->created_ms == 10 && back->expires_ms == 20 && back->called_ms == 12 &&
                back->activity_ms == 15);
    found.n = 0;
    assert_int_equal(store_read_queries(store, "alice", found_query, &found, NULL), MAILLE_OK);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.queries[0].study, "first");
    store_close(store);
}

static void what_is_not_committed_is_not_there(void **state)
{
    (void)state;
    struct store *store = open_store();
    struct store_query query = {.qid = {1}, .researcher = "alice"};
    struct found found = {0};
    assert_int_equal(store_put_query(store, &query, NULL), MAILLE_OK);
    store_close(store);
    store = open_store();
    assert_int_equal(store_read_queries(store, NULL, found_query, &found, NULL), MAILLE_OK);
    assert_int_equal(found.n, 0);
    assert_int_equal(store_commit(store, NULL), MAILLE_OK); /* nothing to commit is no error */
    store_close(store);
}

static void put(struct store *store, enum message_kind kind, uint32_t round, uint32_t attempt, uint32_t site,
                const char *text, const char *frame)
{
    const struct store_key key = {.qid = qid, .round = round, .attempt = attempt, .site = site};
    struct parcel *parcel = parcel_new(kind, text, strlen(text), frame, frame == NULL ? 0 : strlen(frame));
    assert_non_null(parcel);
    assert_int_equal(store_put_message(store, &key, parcel, NULL), MAILLE_OK);
    parcel_drop(parcel);
}

static void messages_of_the_current_round_come_back_in_order(void **state)
{
    (void)state;
    struct store *store = open_store();
    put(store, MESSAGE_REVEAL, 2, 1, 1, "reveal", NULL);
    put(store, MESSAGE_START, 2, 1, 0, "start", "theta");
    put(store, MESSAGE_START, 1, 1, 0, "old start", "old theta");
    put(store, MESSAGE_MASKED, 2, 1, 4, "masked", "a segment that is not kept");
    put(store, MESSAGE_MANIFEST, 0, 0, 0, "manifest", NULL);
    put(store, MESSAGE_READY, 0, 0, 4, "held", NULL);
    put(store, MESSAGE_READY, 0, 0, 4, "ready", NULL); /* the last one counts */
    assert_int_equal(store_commit(store, NULL), MAILLE_OK);
    struct found found = {0};
    assert_int_equal(store_read_messages(store, qid, 2, 1, found_message, &found, NULL), MAILLE_OK);
    static const enum message_kind kinds[] = {MESSAGE_MANIFEST, MESSAGE_READY, MESSAGE_START, MESSAGE_MASKED,
                                              MESSAGE_REVEAL};
    assert_int_equal(found.n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(found.kinds[i], kinds[i]);
        assert_int_equal(found.frames[i], kinds[i] == MESSAGE_START); /* y_i is never on disk */
    }
    assert_int_equal(found.keys[3].site, 4);
    const struct store_key masked = {.qid = qid, .round = 2, .attempt = 1, .site = 4};
    assert_int_equal(store_drop_message(store, &masked, MESSAGE_MASKED, NULL), MAILLE_OK);
    assert_int_equal(store_forget_frames(store, qid, NULL), MAILLE_OK);
    assert_int_equal(store_commit(store, NULL), MAILLE_OK);
    found.n = 0; /* the start of a query that is over comes back without c_r */
    assert_int_equal(store_read_messages(store, qid, 2, 1, found_message, &found, NULL), MAILLE_OK);
    assert_int_equal(found.n, 4);
    assert_int_equal(found.kinds[2], MESSAGE_START);
    assert_false(found.frames[2]);
    store_close(store);

    /* y_i is nowhere in the file, c_r is gone. */
    struct bytes file = {0};
    assert_int_equal(file_read(&file, path, 1 << 24, NULL), MAILLE_OK);
    assert_null(memmem(file.data, file.length, "a segment that", 14));
    bytes_clear(&file);
    const uint8_t nobody[QID_BYTES] = {9};
    store = open_store();
    /* A query that is over can still be read: c_r is gone, its start is not. */
    found.n = 0;
    assert_int_equal(store_read_messages(store, qid, 2, 1, found_message, &found, NULL), MAILLE_OK);
    assert_true(found.n > 0);
    found.n = 0;
    assert_int_equal(store_read_messages(store, nobody, 2, 1, found_message, &found, NULL), MAILLE_OK);
    assert_int_equal(found.n, 0);
    store_close(store);
}

static void count_route(void *context, const char *user, enum key_role role, int64_t seen_ms, uint32_t wire)
{
    assert_int_equal(wire, 2);
    assert_string_equal(user, "alpha");
    assert_int_equal(role, KEY_SITE);
    assert_int_equal(seen_ms, 9);
    (*(size_t *)context)++;
}

static void count_catalogue(void *context, const char *site, const void *envelope, size_t length)
{
    assert_string_equal(site, "alpha");
    assert_int_equal(length, 3);
    assert_memory_equal(envelope, "new", 3);
    (*(size_t *)context)++;
}

static void routes_catalogues_heads_directories(void **state)
{
    (void)state;
    struct store *store = open_store();
    size_t routes = 0, catalogues = 0;
    bool forked = true;
    struct bytes text = {0};
    assert_int_equal(store_put_route(store, "alpha", KEY_SITE, 5, 1, NULL), MAILLE_OK);
    assert_int_equal(store_put_route(store, "alpha", KEY_SITE, 9, 2, NULL), MAILLE_OK);
    assert_int_equal(store_read_routes(store, count_route, &routes, NULL), MAILLE_OK);
    assert_int_equal(routes, 1);
    assert_int_equal(store_put_catalogue(store, "alpha", "old", 3, NULL), MAILLE_OK);
    assert_int_equal(store_put_catalogue(store, "alpha", "new", 3, NULL), MAILLE_OK);
    assert_int_equal(store_read_catalogues(store, count_catalogue, &catalogues, NULL), MAILLE_OK);
    assert_int_equal(catalogues, 1);
    const struct message_head head = {.size = 7, .root = {{1}}}, other = {.size = 7, .root = {{2}}};
    assert_int_equal(store_put_head(store, "alpha", &head, &forked, NULL), MAILLE_OK);
    assert_false(forked);
    assert_int_equal(store_put_head(store, "alpha", &head, &forked, NULL), MAILLE_OK);
    assert_false(forked);
    assert_int_equal(store_put_head(store, "alpha", &other, &forked, NULL), MAILLE_OK);
    assert_true(forked);
    assert_int_equal(store_get_directory(store, &text, NULL), MAILLE_OK);
    assert_int_equal(text.length, 0);
    const struct digest hash = {{3}};
    assert_int_equal(store_put_directory(store, 2, &hash, "two", 3, NULL), MAILLE_OK);
    assert_int_equal(store_put_directory(store, 10, &hash, "ten", 3, NULL), MAILLE_OK);
    assert_int_equal(store_get_directory(store, &text, NULL), MAILLE_OK);
    assert_int_equal(text.length, 3);
    assert_memory_equal(text.data, "ten", 3);
    bytes_clear(&text);
    assert_int_equal(store_commit(store, NULL), MAILLE_OK);
    store_close(store);
}

static void what_is_no_database_is_refused(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct maille_error error = {0};
    static const char text[] =
        "this is a text file, which is longer than the header of a database, and says so several times";
    assert_int_equal(file_write_atomic(path, text, sizeof text, 0600, NULL), MAILLE_OK);
    assert_int_equal(store_open(&store, path, false, &error), MAILLE_CORRUPT);
    assert_non_null(strstr(error.sentence, path));
    assert_null(store);
    assert_int_equal(store_open(&store, "/nowhere/at/all.db", false, &error), MAILLE_IO);
    assert_null(store);
}

static void a_status_reads_beside_a_running_coordinator(void **state)
{
    (void)state;
    struct store *writer = open_store(), *reader = NULL;
    struct store_query query = {.qid = {1}, .researcher = "alice"};
    struct found found = {0};
    assert_int_equal(store_put_query(writer, &query, NULL), MAILLE_OK);
    assert_int_equal(store_commit(writer, NULL), MAILLE_OK);
    query.qid[0] = 2;
    assert_int_equal(store_put_query(writer, &query, NULL), MAILLE_OK); /* in a transaction that is open */
    assert_int_equal(store_open(&reader, path, true, NULL), MAILLE_OK);
    assert_int_equal(store_read_queries(reader, NULL, found_query, &found, NULL), MAILLE_OK);
    assert_int_equal(found.n, 1);
    assert_int_equal(store_put_query(reader, &query, NULL), MAILLE_IO); /* it cannot write */
    store_close(reader);
    store_close(writer);
}

/* Who asked what is in it: for its owner alone, whatever the umask is, also where a file of before is looser.
 */
static void the_database_is_private(void **state)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    struct stat found;
    (void)state;
    const mode_t before = umask(0);
    for (int round = 0; round < 2; round++) {
        struct store *store = open_store();
        struct store_query query = {.qid = {1}, .researcher = "alice"};
        assert_int_equal(store_put_query(store, &query, NULL), MAILLE_OK);
        assert_int_equal(store_commit(store, NULL), MAILLE_OK);
        for (size_t i = 0; i < 3; i++) {
            char file[600];
            snprintf(file, sizeof file, "%s%s", path, endings[i]);
            assert_int_equal(stat(file, &found), 0);
            assert_int_equal(found.st_mode & 0777, 0600);
            assert_int_equal(chmod(file, 0644), 0); /* as an earlier version left it */
        }
        store_close(store);
    }
    umask(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(queries_survive, fresh),
        cmocka_unit_test_setup(what_is_not_committed_is_not_there, fresh),
        cmocka_unit_test_setup(messages_of_the_current_round_come_back_in_order, fresh),
        cmocka_unit_test_setup(routes_catalogues_heads_directories, fresh),
        cmocka_unit_test_setup(what_is_no_database_is_refused, fresh),
        cmocka_unit_test_setup(the_database_is_private, fresh),
        cmocka_unit_test_setup(a_status_reads_beside_a_running_coordinator, fresh),
    };
    return crypto_start(NULL) == MAILLE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
