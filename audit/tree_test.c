/* The tree against the eight leaves that RFC 6962's authors test with, and every proof of every small tree.
 */
#include "base/test.h"
#include "audit/tree.h"
#include "base/bytes.h"

enum { LEAVES = 8, SMALL = 40 };

/* certificate-transparency, cpp/merkletree/merkle_tree_test.cc: inputs and roots. */
static const char *const inputs[LEAVES] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const roots[LEAVES] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                          "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                          "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                          "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                          "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                          "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                          "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

static void digest_of(struct digest *out, const char *hex)
{
    assert_true(bytes_from_hex(out->b, HASH_BYTES, hex));
}

static void reference(struct tree *tree)
{
    struct maille_error error = {0};
    for (size_t i = 0; i < LEAVES; i++) {
        uint8_t data[16];
        struct digest leaf;
        size_t length = strlen(inputs[i]) / 2;
        assert_true(bytes_from_hex(data, length, inputs[i]));
        tree_hash_leaf(&leaf, data, length);
        assert_ok(tree_append(tree, &leaf, &error), &error);
    }
}

static void leaf_of(struct digest *leaf, uint64_t i)
{
    tree_hash_leaf(leaf, &i, sizeof i);
}

static void grow(struct tree *tree, uint64_t size)
{
    struct maille_error error = {0};
    while (tree->size < size) {
        struct digest leaf;
        leaf_of(&leaf, tree->size);
        assert_ok(tree_append(tree, &leaf, &error), &error);
    }
}

static void test_reference_roots(void **state)
{
    (void)state;
    struct tree tree = {0};
    struct digest root, expected;
    reference(&tree);
    for (size_t n = 1; n <= LEAVES; n++) {
        assert_true(tree_root(&root, &tree, n));
        digest_of(&expected, roots[n - 1]);
        assert_true(digest_equal(&root, &expected));
    }
    assert_true(tree_root(&root, &tree, 0));
    digest_of(&expected, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_true(digest_equal(&root, &expected));
    assert_false(tree_root(&root, &tree, 9));
    tree_clear(&tree);
}

static void assert_proof(const struct digest *proof, size_t n, const char *const *expected, size_t n_expected)
{
    assert_int_equal(n, n_expected);
    for (size_t i = 0; i < n; i++) {
        struct digest digest;
        digest_of(&digest, expected[i]);
        assert_true(digest_equal(&proof[i], &digest));
    }
}

/* The same authors' paths and proofs. */
static void test_reference_proofs(void **state)
{
    (void)state;
    struct tree tree = {0};
    struct digest proof[TREE_PROOF_MAX];
    size_t n;
    static const char *const path_0_8[] = {
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"};
    static const char *const path_5_8[] = {
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"};
    static const char *const path_2_3[] = {
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"};
    static const char *const from_6_8[] = {
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"};
    static const char *const from_2_5[] = {
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"};
    reference(&tree);
    assert_true(tree_inclusion(proof, &n, &tree, 0, 8));
    assert_proof(proof, n, path_0_8, 3);
    assert_true(tree_inclusion(proof, &n, &tree, 5, 8));
    assert_proof(proof, n, path_5_8, 3);
    assert_true(tree_inclusion(proof, &n, &tree, 2, 3));
    assert_proof(proof, n, path_2_3, 1);
    assert_true(tree_consistency(proof, &n, &tree, 6, 8));
    assert_proof(proof, n, from_6_8, 3);
    assert_true(tree_consistency(proof, &n, &tree, 2, 5));
    assert_proof(proof, n, from_2_5, 2);
    tree_clear(&tree);
}

/* Every proof of every tree of up to 40 leaves holds; with one bit turned, one hash more or fewer, or for
 * another place, it does not. */
static void test_every_proof(void **state)
{
    (void)state;
    struct tree tree = {0};
    struct digest proof[TREE_PROOF_MAX + 1], root, old_root, leaf, other;
    size_t n;
    memset(proof, 0, sizeof proof);
    grow(&tree, SMALL);
    for (uint64_t size = 1; size <= SMALL; size++) {
        assert_true(tree_root(&root, &tree, size));
        for (uint64_t i = 0; i < size; i++) {
            assert_true(tree_inclusion(proof, &n, &tree, i, size));
            leaf_of(&leaf, i);
            leaf_of(&other, i + 1000);
            assert_true(tree_inclusion_valid(&leaf, i, size, proof, n, &root));
            assert_false(tree_inclusion_valid(&other, i, size, proof, n, &root));
            assert_false(tree_inclusion_valid(&leaf, size, size, proof, n, &root));
            assert_false(tree_inclusion_valid(&leaf, i, size, proof, n + 1, &root));
            if (n == 0)
                continue;
            assert_false(tree_inclusion_valid(&leaf, i ^ 1, size, proof, n, &root));
            assert_false(tree_inclusion_valid(&leaf, i, size, proof, n - 1, &root));
            proof[i % n].b[i % HASH_BYTES] ^= 1;
            assert_false(tree_inclusion_valid(&leaf, i, size, proof, n, &root));
        }
        for (uint64_t old = 0; old <= size; old++) {
            assert_true(tree_root(&old_root, &tree, old));
            assert_true(tree_consistency(proof, &n, &tree, old, size));
            assert_true(tree_consistency_valid(old, &old_root, size, &root, proof, n));
            assert_false(tree_consistency_valid(old, &other, size, &root, proof, n));
            assert_false(tree_consistency_valid(old, &old_root, size, &root, proof, n + 1));
            if (old == 0)
                continue;
            assert_false(tree_consistency_valid(old, &old_root, size, &other, proof, n));
            if (n == 0)
                continue;
            assert_false(tree_consistency_valid(old, &old_root, size, &root, proof, n - 1));
            proof[old % n].b[3] ^= 1;
            assert_false(tree_consistency_valid(old, &old_root, size, &root, proof, n));
        }
    }
    assert_false(tree_inclusion(proof, &n, &tree, 0, SMALL + 1));
    assert_false(tree_consistency(proof, &n, &tree, SMALL, SMALL + 1));
    assert_false(tree_consistency(proof, &n, &tree, 3, 2));
    tree_clear(&tree);
}

/* A tree that begins in the middle has the roots of the whole one, and the proofs that do not need what is
 * gone. */
static void test_pruned(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct tree tree = {0};
    struct digest nodes[TREE_LEVELS], proof[TREE_PROOF_MAX], root, other, leaf;
    size_t n;
    grow(&tree, SMALL);
    for (uint64_t base = 1; base < SMALL; base++) {
        struct tree later = {0};
        assert_true(tree_range(nodes, &n, &tree, base));
        assert_fails(tree_begin(&later, base, nodes, n + 1, &error), MAILLE_CORRUPT, &error, "subtrees");
        assert_ok(tree_begin(&later, base, nodes, n, &error), &error);
        grow(&later, SMALL);
        for (uint64_t size = base; size <= SMALL; size++) {
            assert_true(tree_root(&root, &tree, size));
            assert_true(tree_root(&other, &later, size));
            assert_true(digest_equal(&root, &other));
            assert_true(tree_consistency(proof, &n, &later, base, size));
            assert_true(tree_root(&other, &tree, base));
            assert_true(tree_consistency_valid(base, &other, size, &root, proof, n));
            if (size == base)
                continue;
            leaf_of(&leaf, size - 1);
            assert_true(tree_inclusion(proof, &n, &later, size - 1, size));
            assert_true(tree_inclusion_valid(&leaf, size - 1, size, proof, n, &root));
        }
        assert_false(tree_inclusion(proof, &n, &later, base - 1, SMALL));
        tree_clear(&later);
    }
    tree_clear(&tree);
}

static int start(void **state)
{
    (void)state;
    return crypto_start(NULL) == MAILLE_OK ? 0 : 1;
}

/* A tree that keeps its last leaves alone proves what the whole one proves, once a block is read again. */
static void test_what_is_let_go(void **state)
{
    (void)state;
    enum { SIZE = 6000, KEPT = 512, STEP = 37 };
    struct tree whole = {0}, kept = {0};
    struct digest leaves[TREE_BLOCK], expected[TREE_PROOF_MAX], proof[TREE_PROOF_MAX], root[2];
    uint64_t start;
    size_t n, m;
    tree_keep(&kept, KEPT);
    grow(&whole, SIZE);
    grow(&kept, SIZE);
    assert_true(kept.levels[0].n < 3 * KEPT);
    assert_true(tree_root(&root[0], &whole, SIZE) && tree_root(&root[1], &kept, SIZE));
    assert_true(digest_equal(&root[0], &root[1]));
    for (uint64_t old = 1; old < SIZE; old += STEP) {
        if (tree_lacks(&kept, old, &start)) {
            assert_false(tree_consistency(proof, &m, &kept, old, SIZE));
            for (uint64_t i = 0; i < TREE_BLOCK; i++)
                leaf_of(&leaves[i], start + i + 1);
            assert_false(tree_recall(&kept, start, leaves)); /* others than stood there */
            for (uint64_t i = 0; i < TREE_BLOCK; i++)
                leaf_of(&leaves[i], start + i);
            assert_true(tree_recall(&kept, start, leaves));
        }
        assert_true(tree_consistency(expected, &n, &whole, old, SIZE));
        assert_true(tree_consistency(proof, &m, &kept, old, SIZE));
        assert_int_equal(n, m);
        for (size_t i = 0; i < n; i++)
            assert_true(digest_equal(&proof[i], &expected[i]));
    }
    tree_clear(&whole);
    tree_clear(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_let_go),   cmocka_unit_test(test_reference_roots),
        cmocka_unit_test(test_reference_proofs), cmocka_unit_test(test_every_proof),
        cmocka_unit_test(test_pruned),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
