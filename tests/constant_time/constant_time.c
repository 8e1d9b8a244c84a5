/* Does time depend on a secret? Secrets are marked undefined and memcheck watches: it complains of a branch
 * that depends on them, and of an address (A. Langley's ctgrind, 2010). Every secret comes out of the dice,
 * or is one of the words of a site, and is marked there; what a site sends is marked as known where it is
 * sent.
 *
 *     constant_time            masking, shares, seals, signatures: memcheck has nothing to say
 *     constant_time branch     a control: a branch on a byte of a mask
 *     constant_time compare    a control: memcmp of a mask
 *     constant_time index      a control: a table, read where a byte of a mask says
 *
 * Verdicts are known to whoever sees the program go on: those that come from libsodium are marked here
 * (__wrap_…), those inside it stand in verdicts.supp. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <valgrind/memcheck.h>

#include "crypto/circle.h"
#include "crypto/mask.h"
#include "disclosure/release.h"

enum { SITES = 3, LENGTH = 40000 + 29984 + 24 };
static const struct word_run runs[] = {{40000, 8}, {29984, 16}, {24, 8}};
static const uint32_t numbers[SITES] = {2, 5, 9};
enum { RUNS = sizeof runs / sizeof *runs };

static void secret(const void *data, size_t length)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(data, length);
}

static void known(const void *data, size_t length)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(data, length);
}

static void demand(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "constant_time: expected %s, found a failure\n", what);
    exit(1);
}

/* --- a release without the gate, as in crypto/mask_test.c --- */

struct release {
    const uint8_t *words;
};

const uint8_t *release_words(const struct release *release, size_t *length)
{
    *length = LENGTH;
    return release->words;
}

const struct word_run *release_runs(const struct release *release, size_t *n)
{
    (void)release;
    *n = RUNS;
    return runs;
}

/* --- the dice --- */

static bool dice_are_secret; /* not while libsodium draws its canary, which it compares */

static const char *dice_name(void)
{
    return "secret";
}

static void dice_bytes(void *out, size_t length)
{
    randombytes_sysrandom_implementation.buf(out, length);
    if (dice_are_secret && length != crypto_secretbox_NONCEBYTES) /* a nonce is sent with what it is for */
        secret(out, length);
}

static uint32_t dice_number(void)
{
    uint32_t out;
    dice_bytes(&out, sizeof out);
    return out;
}

/* --- verdicts --- */

static int verdict(int of)
{
    known(&of, sizeof of);
    return of;
}

/* WRAPPED(NAME, PARAMETERS, ARGUMENTS): the linker puts this in the place of libsodium's function. */
#define WRAPPED(NAME, PARAMETERS, ARGUMENTS)                                                                 \
    int __real_##NAME PARAMETERS;                                                                            \
    int __wrap_##NAME PARAMETERS;                                                                            \
    int __wrap_##NAME PARAMETERS                                                                             \
    {                                                                                                        \
        return verdict(__real_##NAME ARGUMENTS);                                                             \
    }
/* Zeros come of a key of small order, with every secret (RFC 7748 §6.1). */
WRAPPED(crypto_scalarmult, (uint8_t * q, const uint8_t *n, const uint8_t *p), (q, n, p))
WRAPPED(crypto_secretbox_open_easy,
        (uint8_t * m, const uint8_t *c, unsigned long long length, const uint8_t *n, const uint8_t *k),
        (m, c, length, n, k))
WRAPPED(crypto_box_seal_open,
        (uint8_t * m, const uint8_t *c, unsigned long long length, const uint8_t *pk, const uint8_t *sk),
        (m, c, length, pk, sk))

static bool told(bool verdict)
{
    known(&verdict, sizeof verdict);
    return verdict;
}

/* --- what is watched --- */

static struct query_secrets *site_new(struct mask_member *member, uint32_t number)
{
    static const uint8_t wrap[KEY_BYTES] = {7};
    struct query_secrets *secrets = NULL, *again = NULL;
    struct bytes stored = {0};
    demand(query_secrets_new(&secrets, NULL) == MAILLE_OK, "secrets of a query");
    demand(query_secrets_store(&stored, secrets, wrap) == MAILLE_OK, "secrets that are stored");
    demand(query_secrets_load(&again, wrap, stored.data, stored.length, NULL) == MAILLE_OK, "them again");
    known(query_secrets_public(again), PUBLIC_BYTES); /* M1 */
    member->site = number;
    memcpy(member->ek, query_secrets_public(again), PUBLIC_BYTES);
    bytes_clear(&stored);
    query_secrets_free(secrets);
    return again;
}

/* Shares of all sites, their sum, and the masks off it. */
static void masking(struct query_secrets *const *secrets, const struct digest *psi,
                    struct digest selves[SITES])
{
    uint8_t *words = malloc(LENGTH), *sum = calloc(1, LENGTH);
    struct share_header *header = calloc(1, sizeof *header);
    struct digest commits[SITES];
    demand(words != NULL && sum != NULL && header != NULL, "memory");
    for (size_t i = 0; i < SITES; i++) {
        struct share *share = NULL;
        struct bytes seeds = {0};
        struct digest vector;
        size_t length;
        const struct release release = {words};
        randombytes_buf(words, LENGTH); /* what a site knows of its patients */
        demand(share_make(&share, header, &release, secrets[i], psi, numbers, SITES, NULL) == MAILLE_OK,
               "a share");
        demand(query_secrets_seeds(&seeds, secrets[i], psi, numbers, SITES, NULL) == MAILLE_OK, "its seeds");
        known(seeds.data, 4); /* how many there are, and the site and sign of each */
        for (size_t at = 4 + HASH_BYTES; at < seeds.length; at += 5 + HASH_BYTES)
            known(seeds.data + at, 5);
        demand(mask_replay(&vector, words, LENGTH, runs, RUNS, seeds.data, seeds.length, NULL) == MAILLE_OK,
               "the same again");
        demand(told(digest_equal(&vector, &header->vector)), "the same vector");
        query_secrets_self(&selves[i], secrets[i], psi);
        commits[i] = header->commit;
        share_add(sum, share_bytes(share, &length), 0, LENGTH, runs, RUNS);
        share_free(share);
        bytes_wipe(&seeds);
    }
    for (size_t i = 0; i < SITES; i++) {
        demand(told(mask_reveal_matches(&selves[i], &commits[i], psi)), "the mask that was committed to");
        mask_unmask_sum(sum, LENGTH, runs, RUNS, &selves[i]);
    }
    free(header);
    free(sum);
    free(words);
}

static void sealing(struct query_secrets *const *secrets, const struct mask_member *members,
                    const struct digest *psi, const struct digest selves[SITES])
{
    struct digest key, secret_psi, tag, self;
    struct bytes sealed = {0}, clear = {0};
    demand(query_secrets_fill(&clear, secrets[0], psi, 4096, NULL) == MAILLE_OK, "a fill");
    clear.length = 0;
    for (size_t i = 0; i < SITES; i++) {
        sealed.length = clear.length = 0;
        demand(seal_to(&sealed, members[i].ek, selves[i].b, HASH_BYTES) == MAILLE_OK, "a seal");
        demand(query_secrets_open(&clear, secrets[i], sealed.data, sealed.length, NULL) == MAILLE_OK,
               "a seal that opens");
    }
    demand(circle_key(&key, psi, psi, selves, SITES, NULL) == MAILLE_OK, "the circle's key");
    circle_psi(&secret_psi, &key, clear.data, clear.length);
    sealed.length = 0;
    demand(circle_reveal(&sealed, &key, &secret_psi, 2, &selves[0], NULL) == MAILLE_OK, "a reveal");
    demand(circle_reveal_open(&self, &key, &secret_psi, 2, sealed.data, sealed.length, NULL) == MAILLE_OK,
           "a reveal that opens");
    demand(circle_tag(&tag, &key, &secret_psi, clear.data, clear.length, NULL) == MAILLE_OK, "a tag");
    bytes_wipe(&sealed);
    bytes_wipe(&clear);
}

static void signing(void)
{
    struct secret_keys *keys = NULL;
    struct digest derived;
    uint8_t signature[SIGNATURE_BYTES];
    demand(secret_keys_new(&keys, KEY_SITE, "alpha", NULL) == MAILLE_OK, "keys");
    known(secret_keys_public(keys), sizeof *secret_keys_public(keys)); /* the directory */
    demand(identity_sign(signature, keys, "accept", "bytes", 5, NULL) == MAILLE_OK, "a signature");
    known(signature, sizeof signature);
    demand(identity_verify(signature, secret_keys_public(keys)->identity, "accept", "bytes", 5),
           "a signature that holds");
    secret_keys_derive(&derived, keys, "state");
    secret_keys_free(keys);
}

/* What must be found. */
static int control(const char *which, const struct digest *mask)
{
    static const uint8_t table[256] = {1};
    volatile int seen = 0;
    if (strcmp(which, "branch") == 0 && mask->b[0] > 127)
        seen = 1;
    if (strcmp(which, "compare") == 0)
        seen = memcmp(mask->b, table, HASH_BYTES) > 0;
    if (strcmp(which, "index") == 0)
        seen = ((const volatile uint8_t *)table)[mask->b[0]];
    (void)seen;
    return 0;
}

int main(int argc, char **argv)
{
    static randombytes_implementation dice;
    struct query_secrets *secrets[SITES];
    struct mask_member members[SITES];
    struct digest rho, psi, selves[SITES];
    dice = randombytes_sysrandom_implementation;
    dice.implementation_name = dice_name;
    dice.random = dice_number;
    dice.buf = dice_bytes;
    dice.uniform = NULL;
    randombytes_set_implementation(&dice);
    demand(crypto_start(NULL) == MAILLE_OK, "libsodium");
    dice_are_secret = true;
    for (size_t i = 0; i < SITES; i++)
        secrets[i] = site_new(&members[i], numbers[i]);
    hash_bytes(&rho, "rho", 3);
    hash_bytes(&psi, "psi", 3);
    for (size_t i = 0; i < SITES; i++)
        demand(query_secrets_pair(secrets[i], &rho, numbers[i], members, SITES, NULL) == MAILLE_OK, "pairs");
    if (argc == 2) {
        query_secrets_self(&selves[0], secrets[0], &psi);
        control(argv[1], &selves[0]);
    } else {
        masking(secrets, &psi, selves);
        sealing(secrets, members, &psi, selves);
        signing();
    }
    for (size_t i = 0; i < SITES; i++)
        query_secrets_free(secrets[i]);
    return 0;
}
