/* What crypto/ and the log's tree work out, against tests/known_answers: byte for byte, and what both refuse.
 */
#include "tests/known_answers/answers.h"

#include <sodium.h>

#include "audit/tree.h"
#include "crypto/circle.h"
#include "crypto/epoch_key.h"
#include "crypto/mask.h"
#include "disclosure/release_ungated.h"

/* --- the dice: what was queued first, then what the system gives --- */

static uint8_t queued[64];
static size_t n_queued;

static const char *dice_name(void)
{
    return "known answers";
}

static void dice_bytes(void *out, size_t length)
{
    if (n_queued == length) {
        memcpy(out, queued, length);
        n_queued = 0;
    } else {
        randombytes_sysrandom_implementation.buf(out, length);
    }
}

static uint32_t dice_number(void)
{
    uint32_t out;
    randombytes_sysrandom_implementation.buf(&out, sizeof out);
    return out;
}

/* The next draw of as many bytes is that. */
static void queue(const json_t *object, const char *key)
{
    size_t length;
    uint8_t *bytes = answers_bytes(object, key, &length);
    assert_true(length <= sizeof queued);
    memcpy(queued, bytes, length);
    n_queued = length;
    free(bytes);
}

static int setup(void **state)
{
    (void)state;
    static randombytes_implementation dice;
    dice = randombytes_sysrandom_implementation;
    dice.implementation_name = dice_name;
    dice.random = dice_number;
    dice.buf = dice_bytes;
    dice.uniform = NULL;
    randombytes_set_implementation(&dice);
    return crypto_start(NULL) == MAILLE_OK ? 0 : -1;
}

/* --- primitives.json --- */

static void signatures(const json_t *file)
{
    size_t i, length;
    json_t *row;
    uint8_t seed[32], public_key[32], secret[64], signature[64];
    json_array_foreach(answers_get(file, "ed25519"), i, row)
    {
        uint8_t *message = answers_bytes(row, "message", &length);
        answers_exactly(seed, sizeof seed, row, "seed");
        crypto_sign_seed_keypair(public_key, secret, seed);
        answers_are(public_key, sizeof public_key, row, "public");
        crypto_sign_detached(signature, NULL, message, length, secret);
        answers_are(signature, sizeof signature, row, "signature");
        assert_true(crypto_note_signature_valid(signature, public_key, message, length));
        free(message);
    }
    json_array_foreach(answers_get(file, "ed25519_refused"), i, row)
    {
        uint8_t *message = answers_bytes(row, "message", &length);
        answers_exactly(public_key, sizeof public_key, row, "public");
        answers_exactly(signature, sizeof signature, row, "signature");
        assert_false(crypto_note_signature_valid(signature, public_key, message, length));
        free(message);
    }
}

static void hashes(const json_t *file)
{
    size_t i, length, key_length;
    json_t *row;
    uint8_t out[64];
    struct digest digest;
    json_array_foreach(answers_get(file, "blake2b"), i, row)
    {
        uint8_t *data = answers_bytes(row, "data", &length), *key = answers_bytes(row, "key", &key_length);
        const size_t bytes = answers_number(row, "bytes");
        assert_int_equal(crypto_generichash(out, bytes, data, length, key, key_length), 0);
        answers_are(out, bytes, row, "hash");
        free(data);
        free(key);
    }
    json_array_foreach(answers_get(file, "sha256"), i, row)
    {
        uint8_t *data = answers_bytes(row, "data", &length);
        tree_sha256(&digest, data, length);
        answers_are(digest.b, HASH_BYTES, row, "hash");
        free(data);
    }
    json_array_foreach(answers_get(file, "argon2id"), i, row)
    {
        uint8_t salt[crypto_pwhash_SALTBYTES];
        uint8_t *password = answers_bytes(row, "password", &length);
        answers_exactly(salt, sizeof salt, row, "salt");
        assert_int_equal(crypto_pwhash(out, 32, (char *)password, length, salt, answers_number(row, "passes"),
                                       answers_number(row, "memory_bytes"), crypto_pwhash_ALG_ARGON2ID13),
                         0);
        answers_are(out, 32, row, "key");
        free(password);
    }
}

static void ciphers(const json_t *file)
{
    static const uint8_t zeros[crypto_stream_chacha20_NONCEBYTES];
    size_t i, length, more_length;
    json_t *row;
    uint8_t key[32], nonce[24], out[512], clear[512];
    unsigned long long out_length, clear_length;
    json_array_foreach(answers_get(file, "chacha20"), i, row)
    {
        answers_exactly(key, sizeof key, row, "key");
        length = strlen(answers_text(row, "keystream")) / 2;
        assert_int_equal(crypto_stream_chacha20(out, length, zeros, key), 0);
        answers_are(out, length, row, "keystream");
    }
    json_array_foreach(answers_get(file, "poly1305"), i, row)
    {
        uint8_t *data = answers_bytes(row, "data", &length);
        answers_exactly(key, sizeof key, row, "key");
        crypto_onetimeauth_poly1305(out, data, length, key);
        answers_are(out, 16, row, "tag");
        free(data);
    }
    json_array_foreach(answers_get(file, "secretbox"), i, row)
    {
        uint8_t *data = answers_bytes(row, "data", &length);
        answers_exactly(key, sizeof key, row, "key");
        answers_exactly(nonce, sizeof nonce, row, "nonce");
        crypto_secretbox_easy(out, data, length, nonce, key);
        answers_are(out, length + 16, row, "sealed");
        free(data);
    }
    json_array_foreach(answers_get(file, "xchacha20poly1305"), i, row)
    {
        uint8_t *data = answers_bytes(row, "data", &length), *more = answers_bytes(row, "more", &more_length);
        answers_exactly(key, sizeof key, row, "key");
        answers_exactly(nonce, sizeof nonce, row, "nonce");
        crypto_aead_xchacha20poly1305_ietf_encrypt(out, &out_length, data, length, more, more_length, NULL,
                                                   nonce, key);
        answers_are(out, out_length, row, "sealed");
        assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(
                             clear, &clear_length, NULL, out, out_length, more, more_length, nonce, key),
                         0);
        out[out_length - 1] ^= 1;
        assert_int_not_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(
                                 clear, &clear_length, NULL, out, out_length, more, more_length, nonce, key),
                             0);
        free(data);
        free(more);
    }
}

static void test_primitives(void **state)
{
    (void)state;
    json_t *file = answers_read("tests/known_answers/primitives.json");
    size_t i;
    json_t *row;
    uint8_t k[32], u[32], out[32];
    json_array_foreach(answers_get(file, "x25519"), i, row)
    {
        answers_exactly(k, sizeof k, row, "k");
        answers_exactly(u, sizeof u, row, "u");
        assert_int_equal(crypto_scalarmult(out, k, u), 0);
        answers_are(out, sizeof out, row, "out");
    }
    signatures(file);
    hashes(file);
    ciphers(file);
    json_decref(file);
}

/* --- pieces.json --- */

static const uint8_t wrap[KEY_BYTES] = {1, 2, 3};

/* Secrets of a site with chosen ek and B, by way of the stored form. */
static struct query_secrets *secrets_with(const uint8_t ek[KEY_BYTES], const uint8_t self[KEY_BYTES])
{
    struct bytes clear = {0}, stored = {0};
    struct query_secrets *secrets = NULL;
    bytes_put_u8(&clear, 1);
    bytes_put(&clear, ek, KEY_BYTES);
    bytes_put(&clear, self, KEY_BYTES);
    assert_int_equal(seal_secretbox(&stored, wrap, clear.data, clear.length), MAILLE_OK);
    assert_int_equal(query_secrets_load(&secrets, wrap, stored.data, stored.length, NULL), MAILLE_OK);
    bytes_clear(&clear);
    bytes_clear(&stored);
    return secrets;
}

static size_t read_runs(struct word_run runs[8], const json_t *object)
{
    const json_t *list = answers_get(object, "runs");
    const size_t n = json_array_size(list);
    assert_in_range(n, 1, 8);
    for (size_t i = 0; i < n; i++) {
        const json_t *run = json_array_get(list, i);
        runs[i].bytes = (uint64_t)json_integer_value(json_array_get(run, 0));
        runs[i].width = (uint32_t)json_integer_value(json_array_get(run, 1));
    }
    return n;
}

static void stream(uint8_t *out, size_t length, const uint8_t key[KEY_BYTES])
{
    static const uint8_t zeros[crypto_stream_chacha20_NONCEBYTES];
    crypto_stream_chacha20(out, length, zeros, key);
}

static void hashes_of_the_page(const json_t *file)
{
    static const uint8_t zeros[KEY_BYTES];
    size_t i, length, key_length;
    json_t *row;
    struct digest out;
    json_array_foreach(answers_get(file, "kdf"), i, row)
    {
        uint8_t *key = answers_bytes(row, "key", &key_length), *data = answers_bytes(row, "data", &length);
        assert_true(key_length == 0 || key_length == KEY_BYTES);
        hash_kdf(&out, key_length == 0 ? NULL : key, answers_text(row, "label"), data, length);
        answers_are(out.b, HASH_BYTES, row, "out");
        free(key);
        free(data);
    }
    json_array_foreach(answers_get(file, "ledger_id"), i, row)
    {
        uint8_t earlier[32], qid[32];
        answers_exactly(earlier, sizeof earlier, row, "earlier");
        answers_exactly(qid, sizeof qid, row, "qid");
        hash_kdf(&out, earlier, "ledger", qid, sizeof qid);
        answers_are(out.b, 16, row, "id");
    }
    json_array_foreach(answers_get(file, "n_min"), i, row) assert_int_equal(
        mask_sites_needed((uint32_t)answers_number(row, "sites")), answers_number(row, "n_min"));
    json_array_foreach(answers_get(file, "vectors"), i, row)
    {
        length = answers_number(row, "bytes");
        uint8_t *vector = calloc(1, length + 1);
        assert_non_null(vector);
        stream(vector, length, zeros);
        hash_vector(&out, vector, length);
        answers_are(out.b, HASH_BYTES, row, "hash");
        free(vector);
    }
}

/* One more than a segment, through the seeds that the log keeps. */
static void long_mask(const json_t *row)
{
    struct word_run runs[8];
    uint8_t key[KEY_BYTES];
    uint64_t length;
    struct digest found;
    struct bytes seeds = {0};
    const size_t n_runs = read_runs(runs, row);
    const json_t *of = answers_get(row, "seeds");
    assert_true(mask_runs_length(&length, runs, n_runs));
    uint8_t *x = malloc(length);
    assert_non_null(x);
    answers_exactly(key, sizeof key, row, "x_key");
    stream(x, length, key);
    bytes_put_u32(&seeds, (uint32_t)json_array_size(of));
    answers_exactly(key, sizeof key, row, "b");
    bytes_put(&seeds, key, sizeof key);
    for (size_t i = 0; i < json_array_size(of); i++) {
        size_t seed_length;
        const uint64_t site = (uint64_t)json_integer_value(json_array_get(json_array_get(of, i), 0));
        uint8_t *seed = answers_hex(json_array_get(json_array_get(of, i), 1), &seed_length);
        bytes_put_u32(&seeds, (uint32_t)site);
        bytes_put_u8(&seeds, site < answers_number(row, "own"));
        bytes_put(&seeds, seed, seed_length);
        free(seed);
    }
    assert_int_equal(mask_replay(&found, x, length, runs, n_runs, seeds.data, seeds.length, NULL), MAILLE_OK);
    answers_are(found.b, HASH_BYTES, row, "hash");
    bytes_clear(&seeds);
    free(x);
}

static void seals_of_the_page(const json_t *file)
{
    size_t i, length;
    json_t *row;
    uint8_t secret[KEY_BYTES], public_key[PUBLIC_BYTES];
    json_array_foreach(answers_get(file, "seals"), i, row)
    {
        struct bytes sealed = {0}, clear = {0};
        uint8_t *data = answers_bytes(row, "data", &length);
        answers_exactly(secret, sizeof secret, row, "secret");
        answers_exactly(public_key, sizeof public_key, row, "public");
        queue(row, "ephemeral");
        assert_int_equal(seal_to(&sealed, public_key, data, length), MAILLE_OK);
        answers_are(sealed.data, sealed.length, row, "sealed");
        assert_int_equal(seal_open(&clear, public_key, secret, sealed.data, sealed.length, NULL), MAILLE_OK);
        answers_are(clear.data, clear.length, row, "data");
        bytes_clear(&sealed);
        bytes_clear(&clear);
        free(data);
    }
    json_array_foreach(answers_get(file, "secretboxes"), i, row)
    {
        struct bytes sealed = {0};
        uint8_t *data = answers_bytes(row, "data", &length);
        answers_exactly(secret, sizeof secret, row, "key");
        queue(row, "nonce");
        assert_int_equal(seal_secretbox(&sealed, secret, data, length), MAILLE_OK);
        answers_are(sealed.data, sealed.length, row, "sealed");
        bytes_clear(&sealed);
        free(data);
    }
}

static void fill_and_theta(const json_t *file)
{
    const json_t *row = answers_get(file, "fill");
    uint8_t self[KEY_BYTES], key[KEY_BYTES];
    struct digest psi, hash;
    struct bytes words = {0}, packed = {0};
    size_t length;
    answers_exactly(self, sizeof self, row, "B");
    answers_exactly(psi.b, HASH_BYTES, row, "psi");
    struct query_secrets *secrets = secrets_with(self, self);
    assert_int_equal(query_secrets_fill(&words, secrets, &psi, answers_number(row, "bytes"), NULL),
                     MAILLE_OK);
    answers_are(words.data, words.length, row, "words");
    row = answers_get(file, "theta");
    uint8_t *frame = answers_bytes(row, "frame", &length);
    answers_exactly(key, sizeof key, row, "key");
    hash_kdf(&hash, NULL, "theta", frame, length);
    answers_are(hash.b, HASH_BYTES, row, "hash");
    assert_int_equal(seal_secretbox_open(&packed, key, frame, length, NULL), MAILLE_OK);
    answers_are(packed.data, packed.length, row, "packed");
    free(frame);
    bytes_clear(&packed);
    bytes_clear(&words);
    query_secrets_free(secrets);
}

static void tree_of_the_page(const json_t *file)
{
    struct tree tree = {0};
    struct digest leaf, root, proof[TREE_PROOF_MAX], leaves[16], roots[16];
    const json_t *records = answers_get(file, "records"), *row;
    size_t i, length, n;
    const size_t n_records = json_array_size(records);
    assert_in_range(n_records, 1, 15);
    for (i = 0; i <= n_records; i++) {
        assert_true(tree_root(&root, &tree, i));
        answers_expect(root.b, HASH_BYTES, json_array_get(answers_get(file, "roots"), i), "roots");
        roots[i] = root;
        if (i == n_records)
            break;
        uint8_t *record = answers_hex(json_array_get(records, i), &length);
        tree_hash_leaf(&leaf, record, length);
        answers_expect(leaf.b, HASH_BYTES, json_array_get(answers_get(file, "leaves"), i), "leaves");
        leaves[i] = leaf;
        assert_int_equal(tree_append(&tree, &leaf, NULL), MAILLE_OK);
        free(record);
    }
    for (int which = 0; which < 2; which++) {
        const json_t *list = answers_get(file, which == 0 ? "inclusion" : "consistency");
        for (i = 0; i < json_array_size(list); i++) {
            row = json_array_get(list, i);
            const uint64_t size = answers_number(row, "size");
            const uint64_t at = answers_number(row, which == 0 ? "index" : "old");
            assert_true((which == 0 ? tree_inclusion : tree_consistency)(proof, &n, &tree, at, size));
            assert_int_equal(n, json_array_size(answers_get(row, "proof")));
            for (size_t k = 0; k < n; k++)
                answers_expect(proof[k].b, HASH_BYTES, json_array_get(answers_get(row, "proof"), k), "proof");
            assert_true(which == 0 ? tree_inclusion_valid(&leaves[at], at, size, proof, n, &roots[size])
                                   : tree_consistency_valid(at, &roots[at], size, &roots[size], proof, n));
        }
    }
    tree_clear(&tree);
}

static void test_pieces(void **state)
{
    (void)state;
    json_t *file = answers_read("tests/known_answers/pieces.json");
    hashes_of_the_page(file);
    long_mask(answers_get(file, "long_mask"));
    seals_of_the_page(file);
    fill_and_theta(file);
    tree_of_the_page(answers_get(file, "tree"));
    json_decref(file);
}

/* --- query.json: keys, masks and totals --- */

enum { SITES = 3 };
struct sites {
    struct query_secrets *secrets[SITES];
    uint32_t numbers[SITES];
};

static void one_round(const json_t *row, const struct sites *sites, const struct digest *key,
                      const struct digest *rho, struct digest selves[SITES])
{
    struct word_run runs[8];
    const size_t n_runs = read_runs(runs, row);
    struct digest psi, found;
    size_t length, state_length;
    uint8_t *rs = answers_bytes(row, "rs", &length), *state = answers_bytes(row, "state", &state_length);
    circle_psi(&psi, key, rs, length);
    answers_are(psi.b, HASH_BYTES, row, "psi_secret");
    answers_are(rho->b, HASH_BYTES, row, "rho");
    free(rs);
    length = answers_number(row, "length");
    uint8_t *sum = calloc(1, length);
    assert_non_null(sum);
    for (size_t i = 0; i < SITES; i++) {
        const json_t *site = json_array_get(answers_get(row, "sites"), i);
        const json_t *tags = answers_get(site, "tags");
        struct share_header *header = calloc(1, sizeof *header);
        struct share *share = NULL;
        struct release release = {NULL, 0, runs, n_runs};
        uint8_t *x = answers_bytes(site, "x", &release.length);
        release.words = x;
        assert_non_null(header);
        assert_int_equal(
            share_make(&share, header, &release, sites->secrets[i], &psi, sites->numbers, SITES, NULL),
            MAILLE_OK);
        query_secrets_self(&selves[i], sites->secrets[i], &psi);
        answers_are(selves[i].b, HASH_BYTES, site, "b");
        answers_are(header->commit.b, HASH_BYTES, site, "commit");
        answers_are(header->vector.b, HASH_BYTES, site, "vector_hash");
        assert_int_equal(header->length, length);
        assert_int_equal(header->n_tags, json_array_size(tags));
        for (size_t k = 0; k < header->n_tags; k++) {
            const json_t *tag = json_array_get(tags, k);
            assert_int_equal(header->tags[k].site, json_integer_value(json_array_get(tag, 0)));
            answers_expect(header->tags[k].tag, TAG_BYTES, json_array_get(tag, 1), "tags");
        }
        const uint8_t *y = share_bytes(share, &release.length);
        answers_are(y, release.length, site, "y");
        share_add(sum, y, 0, length, runs, n_runs);
        assert_true(mask_reveal_matches(&selves[i], &header->commit, &psi));
        share_free(share);
        free(header);
        free(x);
    }
    answers_are(sum, length, row, "sum");
    for (size_t i = 0; i < SITES; i++)
        mask_unmask_sum(sum, length, runs, n_runs, &selves[i]);
    answers_are(sum, length, row, "total");
    if (key != NULL) {
        assert_int_equal(circle_tag(&found, key, &psi, state, state_length, NULL), MAILLE_OK);
        answers_are(found.b, HASH_BYTES, row, "state_tag");
    }
    free(sum);
    free(state);
}

static void test_query(void **state)
{
    (void)state;
    json_t *file = answers_read("tests/known_answers/query.json");
    const json_t *list = answers_get(file, "sites"), *rounds = answers_get(file, "rounds");
    struct sites sites;
    struct mask_member members[SITES];
    struct digest rho, key, psi, selves[SITES];
    assert_int_equal(json_array_size(list), SITES);
    answers_exactly(rho.b, HASH_BYTES, file, "rho"); /* messages_answers_test.c works it out */
    for (size_t i = 0; i < SITES; i++) {
        const json_t *site = json_array_get(list, i);
        uint8_t ek[KEY_BYTES], self[KEY_BYTES];
        answers_exactly(ek, sizeof ek, site, "ek_secret");
        answers_exactly(self, sizeof self, site, "B");
        sites.secrets[i] = secrets_with(ek, self);
        members[i].site = sites.numbers[i] = (uint32_t)answers_number(site, "site");
        memcpy(members[i].ek, query_secrets_public(sites.secrets[i]), PUBLIC_BYTES);
        answers_are(members[i].ek, PUBLIC_BYTES, site, "ek");
    }
    for (size_t i = 0; i < SITES; i++)
        assert_int_equal(query_secrets_pair(sites.secrets[i], &rho, sites.numbers[i], members, SITES, NULL),
                         MAILLE_OK);
    one_round(json_array_get(rounds, 0), &sites, NULL, &rho, selves);
    answers_exactly(psi.b, HASH_BYTES, json_array_get(rounds, 0), "psi_secret");
    assert_int_equal(circle_key(&key, &rho, &psi, selves, SITES, NULL), MAILLE_OK);
    answers_are(key.b, HASH_BYTES, file, "circle_key");
    one_round(json_array_get(rounds, 1), &sites, &key, &rho, selves);
    for (size_t i = 0; i < SITES; i++)
        query_secrets_free(sites.secrets[i]);
    json_decref(file);
}

/* --- refused.json: seals, reveals, proofs --- */

static void judged(const json_t *row, bool taken)
{
    if (taken != json_is_true(answers_get(row, "taken")))
        fail_msg("%s (%s): expected it to be %s", answers_text(row, "name"), answers_text(row, "why"),
                 taken ? "refused" : "taken");
}

static size_t read_proof(struct digest proof[TREE_PROOF_MAX], const json_t *row)
{
    const json_t *list = answers_get(row, "proof");
    const size_t n = json_array_size(list);
    assert_in_range(n, 0, TREE_PROOF_MAX);
    for (size_t i = 0; i < n; i++) {
        size_t length;
        uint8_t *hash = answers_hex(json_array_get(list, i), &length);
        assert_int_equal(length, HASH_BYTES);
        memcpy(proof[i].b, hash, HASH_BYTES);
        free(hash);
    }
    return n;
}

static void test_refused(void **state)
{
    (void)state;
    json_t *file = answers_read("tests/known_answers/refused.json"), *row;
    size_t i, length;
    uint8_t secret[KEY_BYTES], public_key[PUBLIC_BYTES];
    struct digest key, psi, commit, self, leaf, root, old, proof[TREE_PROOF_MAX];
    json_array_foreach(answers_get(file, "seal"), i, row)
    {
        struct bytes clear = {0};
        uint8_t *sealed = answers_bytes(row, "sealed", &length);
        answers_exactly(secret, sizeof secret, row, "secret");
        crypto_scalarmult_base(public_key, secret);
        judged(row, seal_open(&clear, public_key, secret, sealed, length, NULL) == MAILLE_OK);
        bytes_clear(&clear);
        free(sealed);
    }
    json_array_foreach(answers_get(file, "secretbox"), i, row)
    {
        struct bytes clear = {0};
        uint8_t *sealed = answers_bytes(row, "sealed", &length);
        answers_exactly(secret, sizeof secret, row, "secret");
        judged(row, seal_secretbox_open(&clear, secret, sealed, length, NULL) == MAILLE_OK);
        bytes_clear(&clear);
        free(sealed);
    }
    json_array_foreach(answers_get(file, "reveal"), i, row)
    {
        uint8_t *sealed = answers_bytes(row, "sealed", &length);
        answers_exactly(key.b, HASH_BYTES, row, "circle_key");
        answers_exactly(psi.b, HASH_BYTES, row, "psi_secret");
        answers_exactly(commit.b, HASH_BYTES, row, "commit");
        judged(row, circle_reveal_open(&self, &key, &psi, (uint32_t)answers_number(row, "site"), sealed,
                                       length, NULL) == MAILLE_OK &&
                        mask_reveal_matches(&self, &commit, &psi));
        free(sealed);
    }
    json_array_foreach(answers_get(file, "inclusion"), i, row)
    {
        const size_t n = read_proof(proof, row);
        answers_exactly(leaf.b, HASH_BYTES, row, "leaf");
        answers_exactly(root.b, HASH_BYTES, row, "root");
        judged(row, tree_inclusion_valid(&leaf, answers_number(row, "index"), answers_number(row, "size"),
                                         proof, n, &root));
    }
    json_array_foreach(answers_get(file, "consistency"), i, row)
    {
        const size_t n = read_proof(proof, row);
        answers_exactly(old.b, HASH_BYTES, row, "old_root");
        answers_exactly(root.b, HASH_BYTES, row, "root");
        judged(row, tree_consistency_valid(answers_number(row, "old"), &old, answers_number(row, "size"),
                                           &root, proof, n));
    }
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_primitives),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
