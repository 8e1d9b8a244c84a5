/* The whole road of a vector: masked and sent, logged, and by the officer's key masked again to the same
 * bytes. */
#include "audit/vector.h"
#include "audit/testing.h"

/* A release without the gate: this program alone defines what disclosure/release.c defines elsewhere. */
struct release {
    const uint8_t *words;
    size_t length;
    const struct word_run *runs;
    size_t n_runs;
};

const uint8_t *release_words(const struct release *release, size_t *length)
{
    *length = release->length;
    return release->words;
}

const struct word_run *release_runs(const struct release *release, size_t *n)
{
    *n = release->n_runs;
    return release->runs;
}

enum { SITES = 3, LONG_BYTES = 40000 + 32000 };

static const uint32_t sites[SITES] = {2, 5, 9};

struct query {
    struct query_secrets *secrets[SITES];
    struct digest psi;
};

static void query_up(struct query *query)
{
    struct maille_error error = {0};
    struct mask_member members[SITES];
    struct digest rho;
    crypto_random_bytes(rho.b, sizeof rho.b);
    crypto_random_bytes(query->psi.b, sizeof query->psi.b);
    for (size_t i = 0; i < SITES; i++) {
        assert_ok(query_secrets_new(&query->secrets[i], &error), &error);
        members[i].site = sites[i];
        memcpy(members[i].ek, query_secrets_public(query->secrets[i]), PUBLIC_BYTES);
    }
    for (size_t i = 0; i < SITES; i++)
        assert_ok(query_secrets_pair(query->secrets[i], &rho, sites[i], members, SITES, &error), &error);
}

static void query_down(struct query *query)
{
    for (size_t i = 0; i < SITES; i++)
        query_secrets_free(query->secrets[i]);
}

/* Reads the one masked entry of a log and replays it. */
struct replaying {
    const struct secret_keys *dpo;
    const struct share_header *header;
    size_t n;
};

static void replay_entry(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    struct replaying *replaying = context;
    struct maille_error error = {0};
    struct digest vector;
    (void)sequence, (void)utc_ms;
    if (entry->clear.length == 0)
        return;
    assert_ok(audit_replay(&vector, entry, replaying->dpo, &error), &error);
    assert_true(digest_equal(&vector, &replaying->header->vector));
    replaying->n++;
}

static void test_end_to_end(void **state)
{
    (void)state;
    struct testing testing;
    struct query query;
    struct maille_error error = {0};
    struct secret_keys *dpo = NULL, *another = NULL;
    struct share_header *header = calloc(1, sizeof *header);
    uint8_t *words = malloc(LONG_BYTES);
    const struct word_run runs[] = {{40000, 8}, {32000, 16}};
    assert_non_null(header);
    assert_non_null(words);
    crypto_random_bytes(words, LONG_BYTES);
    const struct release release = {words, LONG_BYTES, runs, 2};
    testing_begin(&testing, "vector", true);
    query_up(&query);
    assert_ok(secret_keys_new(&dpo, KEY_DPO, "officer", &error), &error);
    assert_ok(secret_keys_new(&another, KEY_DPO, "another", &error), &error);
    struct audit_log *log = testing_open(&testing);
    for (size_t i = 0; i < SITES; i++) {
        struct share *share = NULL;
        struct bytes clear = {0}, seeds = {0};
        struct digest hash;
        const uint8_t *box = secret_keys_public(dpo)->box;
        assert_ok(share_make(&share, header, &release, query.secrets[i], &query.psi, sites, SITES, &error),
                  &error);
        assert_ok(audit_seal_clear(&clear, &hash, box, &release, &error), &error);
        assert_ok(audit_seal_seeds(&seeds, box, query.secrets[i], &query.psi, sites, SITES, &error), &error);
        struct audit_entry entry = {.direction = AUDIT_OUT,
                                    .message = "masked",
                                    .peer = "coordinator",
                                    .psi = query.psi.b,
                                    .round = 1,
                                    .attempt = 1,
                                    .n_members = SITES,
                                    .members = sites,
                                    .vector = header->vector.b,
                                    .vector_bytes = header->length,
                                    .clear = {clear.data, clear.length},
                                    .clear_hash = hash.b,
                                    .seeds = {seeds.data, seeds.length}};
        if (i == SITES - 1) {
            assert_ok(audit_append(log, &entry, &error), &error);
            assert_ok(audit_sync(log, &error), &error);
        }
        struct digest vector;
        assert_ok(audit_replay(&vector, &entry, dpo, &error), &error);
        assert_true(digest_equal(&vector, &header->vector));
        assert_fails(audit_replay(NULL, &entry, another, &error), MAILLE_SIGNATURE, &error,
                     "meant for another");
        struct digest other = header->vector;
        other.b[0] ^= 1;
        entry.vector = other.b; /* the log says that other bytes were sent */
        assert_fails(audit_replay(&vector, &entry, dpo, &error), MAILLE_CORRUPT, &error,
                     "something else was sent");
        assert_true(digest_equal(&vector, &header->vector));
        entry.vector = header->vector.b;
        entry.clear_hash = other.b;
        assert_fails(audit_replay(NULL, &entry, dpo, &error), MAILLE_CORRUPT, &error,
                     "whose hash stands in the entry");
        entry.clear_hash = hash.b;
        clear.data[clear.length / 2] ^= 1;
        assert_fails(audit_replay(NULL, &entry, dpo, &error), MAILLE_SIGNATURE, &error, "altered");
        entry.clear.length = 0;
        assert_fails(audit_replay(NULL, &entry, dpo, &error), MAILLE_INVALID, &error, "no sealed numbers");
        share_free(share);
        bytes_clear(&clear);
        bytes_clear(&seeds);
    }
    audit_close(log);
    struct replaying replaying = {dpo, header, 0};
    assert_ok(audit_read(testing.folder, replay_entry, &replaying, &error), &error);
    assert_int_equal(replaying.n, 1);
    /* None of the clear words is on the disk. */
    struct bytes file = {0};
    assert_ok(file_read(&file, testing.path, 1 << 24, &error), &error);
    for (size_t at = 0; at < LONG_BYTES; at += 16)
        assert_null(memmem(file.data, file.length, words + at, 16));
    bytes_clear(&file);
    free(words);
    free(header);
    query_down(&query);
    secret_keys_free(dpo);
    secret_keys_free(another);
    testing_end(&testing);
}

/* The very numbers, as people read them. */
static void test_numbers(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct secret_keys *dpo = NULL;
    struct bytes words = {0}, sealed = {0};
    struct digest hash;
    struct audit_clear clear;
    char text[64];
    bytes_put_u64(&words, 1234);
    bytes_put_u64(&words, (uint64_t)-5);
    bytes_put_u64(&words, UINT64_C(1) << 63); /* 2.5 */
    bytes_put_u64(&words, 2);
    bytes_put_u64(&words, UINT64_C(3) << 62); /* −1 + 0.75 */
    bytes_put_u64(&words, UINT64_MAX);
    const struct word_run runs[] = {{16, 8}, {32, 16}};
    const struct release release = {words.data, words.length, runs, 2};
    assert_ok(secret_keys_new(&dpo, KEY_DPO, "officer", &error), &error);
    assert_ok(audit_seal_clear(&sealed, &hash, secret_keys_public(dpo)->box, &release, &error), &error);
    const struct audit_entry entry = {.clear = {sealed.data, sealed.length}, .clear_hash = hash.b};
    assert_ok(audit_open_clear(&clear, &entry, dpo, &error), &error);
    assert_int_equal(audit_clear_count(&clear), 4);
    static const char *const expected[] = {"1234", "-5", "2.5", "-0.25"};
    for (uint64_t i = 0; i < 4; i++) {
        assert_true(audit_clear_number(text, &clear, i));
        assert_string_equal(text, expected[i]);
    }
    assert_false(audit_clear_number(text, &clear, 4));
    audit_clear_wipe(&clear);
    bytes_clear(&words);
    bytes_clear(&sealed);
    secret_keys_free(dpo);
}

/* Seeds of another shape, members that are none. */
static void test_seeds(void **state)
{
    (void)state;
    struct query query;
    struct maille_error error = {0};
    struct bytes seeds = {0};
    struct digest vector;
    static const uint8_t words[16];
    const struct word_run runs[] = {{16, 8}};
    const uint32_t strangers[] = {2, 3, 9};
    query_up(&query);
    assert_ok(query_secrets_seeds(&seeds, query.secrets[0], &query.psi, sites, SITES, &error), &error);
    assert_int_equal(seeds.length, 4 + 32 + 2 * 37);
    assert_ok(mask_replay(&vector, words, sizeof words, runs, 1, seeds.data, seeds.length, &error), &error);
    for (size_t length = 0; length < seeds.length; length++)
        assert_int_equal(mask_replay(&vector, words, sizeof words, runs, 1, seeds.data, length, &error),
                         MAILLE_CORRUPT);
    assert_int_equal(mask_replay(&vector, words, 8, runs, 1, seeds.data, seeds.length, &error),
                     MAILLE_INVALID);
    assert_int_equal(query_secrets_seeds(&seeds, query.secrets[0], &query.psi, strangers, 3, &error),
                     MAILLE_PROTOCOL);
    assert_int_equal(query_secrets_seeds(&seeds, query.secrets[0], &query.psi, sites, 1, &error),
                     MAILLE_PROTOCOL);
    bytes_wipe(&seeds);
    query_down(&query);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_end_to_end), cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_seeds)};
    return cmocka_run_group_tests(tests, testing_start, NULL);
}
