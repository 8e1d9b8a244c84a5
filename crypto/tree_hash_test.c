/* SHA-256 against FIPS 180-4, tree hashes against RFC 9162's test data, notes against the example of C2SP. */
#include "base/test.h"
#include "crypto/epoch_key.h"
#include "crypto/tree_hash.h"

static void assert_digest(const struct digest *found, const char *hex)
{
    uint8_t expected[HASH_BYTES];
    assert_true(bytes_from_hex(expected, sizeof expected, hex));
    assert_memory_equal(found->b, expected, HASH_BYTES);
}

static void test_sha256(void **state)
{
    (void)state;
    struct digest digest;
    tree_sha256(&digest, "abc", 3); /* FIPS 180-4, example 1 */
    assert_digest(&digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    tree_sha256(&digest, two_blocks, strlen(two_blocks));
    assert_digest(&digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    tree_sha256(&digest, NULL, 0);
    assert_digest(&digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* Leaf and node of the reference test data of Certificate Transparency (merkletree tests of RFC 6962's
 * authors). */
static void test_leaf_and_node(void **state)
{
    (void)state;
    struct digest empty, leaf, other, node;
    uint8_t zero = 0x00;
    tree_hash_empty(&empty);
    assert_digest(&empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    tree_hash_leaf(&leaf, "", 0);
    assert_digest(&leaf, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    tree_hash_leaf(&other, &zero, 1);
    assert_digest(&other, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
    tree_hash_node(&node, &leaf, &other);
    assert_digest(&node, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
    tree_hash_node(&leaf, &leaf, &other); /* in place */
    assert_true(digest_equal(&leaf, &node));
}

/* The example of https://c2sp.org/signed-note:
 * "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW". */
static void test_note_example(void **state)
{
    (void)state;
    static const char text[] = "If you think cryptography is the answer to your problem,\n"
                               "then you don't know what your problem is.\n";
    static const char line[] =
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    uint8_t key[1 + PUBLIC_BYTES], id[NOTE_ID_BYTES], stored[NOTE_ID_BYTES + SIGNATURE_BYTES];
    assert_true(
        crypto_note_base64_decode(key, sizeof key, "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", 44));
    assert_int_equal(key[0], 0x01);
    assert_true(crypto_note_base64_decode(stored, sizeof stored, line, strlen(line)));
    crypto_note_key_id(id, "PeterNeumann", key + 1);
    assert_memory_equal(id, "\xc7\x4f\x20\xa3", sizeof id);
    assert_memory_equal(id, stored, sizeof id);
    assert_true(crypto_note_signature_valid(stored + NOTE_ID_BYTES, key + 1, text, strlen(text)));
    stored[NOTE_ID_BYTES] ^= 1;
    assert_false(crypto_note_signature_valid(stored + NOTE_ID_BYTES, key + 1, text, strlen(text)));
}

static void test_epoch_key(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct epoch_key *key = NULL, *again = NULL;
    struct bytes stored = {0};
    uint8_t wrap[KEY_BYTES] = {7}, other[KEY_BYTES] = {8}, signature[SIGNATURE_BYTES];
    assert_ok(epoch_key_new(&key, &error), &error);
    crypto_note_signature_make(signature, key, "text\n", 5);
    assert_true(crypto_note_signature_valid(signature, epoch_key_public(key), "text\n", 5));
    assert_false(crypto_note_signature_valid(signature, epoch_key_public(key), "texu\n", 5));
    assert_int_equal(epoch_key_store(&stored, key, wrap), MAILLE_OK);
    assert_fails(epoch_key_load(&again, other, stored.data, stored.length, &error), MAILLE_SIGNATURE, &error,
                 "under another");
    assert_null(again);
    assert_ok(epoch_key_load(&again, wrap, stored.data, stored.length, &error), &error);
    assert_memory_equal(epoch_key_public(again), epoch_key_public(key), PUBLIC_BYTES);
    crypto_note_signature_make(signature, again, "text\n", 5);
    assert_true(crypto_note_signature_valid(signature, epoch_key_public(key), "text\n", 5));
    bytes_clear(&stored);
    assert_int_equal(seal_secretbox(&stored, wrap, "short", 5), MAILLE_OK);
    assert_fails(epoch_key_load(&again, wrap, stored.data, stored.length, &error), MAILLE_CORRUPT, &error,
                 "found 5");
    bytes_clear(&stored);
    epoch_key_free(key);
    epoch_key_free(again);
    epoch_key_free(NULL);
}

/* RFC 4648 §10, and what it does not allow. */
static void test_base64(void **state)
{
    (void)state;
    static const struct {
        const char *clear, *text;
    } rows[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
    char text[32], clear[32];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].clear);
        crypto_note_base64_encode(text, rows[i].clear, length);
        assert_string_equal(text, rows[i].text);
        assert_true(crypto_note_base64_decode(clear, length, text, strlen(text)));
        assert_memory_equal(clear, rows[i].clear, length);
    }
    static const char *const bad[] = {"Zh==", "Zg=", "Zg", "Z===", "Zg==\n", " Zg==", "Zg-="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(crypto_note_base64_decode(clear, 1, bad[i], strlen(bad[i])));
    assert_true(crypto_note_base64_decode(clear, 16, "AAECAwQFBgcICQoLDA0ODw==", 24));
    assert_false(crypto_note_base64_decode(clear, 16,
                                           "AAECAw\xee"
                                           "FBgcICQoLDA0ODw==",
                                           24));
}

static int start(void **state)
{
    (void)state;
    return crypto_start(NULL) == MAILLE_OK ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),       cmocka_unit_test(test_leaf_and_node),
        cmocka_unit_test(test_note_example), cmocka_unit_test(test_epoch_key),
        cmocka_unit_test(test_base64),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
