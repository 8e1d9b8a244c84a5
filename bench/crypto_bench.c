/* crypto_bench [WORDS]: what a site pays to mask a vector of WORDS words among n sites (keys, masks, hash),
 * and what the coordinator and the researcher pay to add and to unmask one; best of 5. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/number.h"
#include "crypto/mask.h"

enum { REPEATS = 5 };

/* The two functions that crypto/ knows of a release, over a vector of this program: the gate, which makes
 * real ones, is not measured. */
struct release {
    uint8_t *words;
    size_t length;
    struct word_run run;
};

const uint8_t *release_words(const struct release *release, size_t *length)
{
    *length = release->length;
    return release->words;
}

const struct word_run *release_runs(const struct release *release, size_t *n)
{
    *n = 1;
    return &release->run;
}

static void stop_unless(enum maille_code code, const struct maille_error *error)
{
    if (code == MAILLE_OK)
        return;
    fprintf(stderr, "crypto_bench: %s\n", error->sentence);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void bench(const struct release *release, size_t n)
{
    struct maille_error error;
    struct mask_member *members = calloc(n, sizeof *members);
    uint32_t *sites = calloc(n, sizeof *sites);
    struct share_header *header = calloc(1, sizeof *header);
    uint8_t *sum = calloc(1, release->length), box_secret[KEY_BYTES];
    struct query_secrets *own;
    struct digest rho, psi, self;
    double pair = 1e9, mask = 1e9, add = 1e9, unmask = 1e9;
    if (members == NULL || sites == NULL || header == NULL || sum == NULL)
        abort();
    crypto_random_bytes(&rho, sizeof rho);
    stop_unless(query_secrets_new(&own, &error), &error);
    for (size_t i = 0; i < n; i++) {
        sites[i] = members[i].site = (uint32_t)i + 1;
        seal_box_pair(members[i].ek, box_secret);
    }
    memcpy(members[n / 2].ek, query_secrets_public(own), PUBLIC_BYTES);
    for (int k = 0; k < REPEATS; k++) {
        struct share *share;
        size_t length;
        double start = now();
        stop_unless(query_secrets_pair(own, &rho, sites[n / 2], members, n, &error), &error);
        double paired = now();
        crypto_random_bytes(&psi, sizeof psi);
        stop_unless(share_make(&share, header, release, own, &psi, sites, n, &error), &error);
        double masked = now();
        share_add(sum, share_bytes(share, &length), 0, release->length, &release->run, 1);
        double added = now();
        query_secrets_self(&self, own, &psi);
        mask_unmask_sum(sum, release->length, &release->run, 1, &self);
        double unmasked = now();
        share_free(share);
        pair = paired - start < pair ? paired - start : pair;
        mask = masked - paired < mask ? masked - paired : mask;
        add = added - masked < add ? added - masked : add;
        unmask = unmasked - added < unmask ? unmasked - added : unmask;
    }
    double gb = (double)release->length / 1e9;
    printf("%5zu sites  %2u-byte words  pair %8.3f ms  mask %8.2f ms (%.2f GB/s of keystream)  add %6.2f ms  "
           "unmask %6.2f ms\n",
           n, release->run.width, 1e3 * pair, 1e3 * mask, gb * (double)n / mask, 1e3 * add, 1e3 * unmask);
    query_secrets_free(own);
    free(members);
    free(sites);
    free(header);
    free(sum);
}

int main(int argc, char **argv)
{
    static const size_t sites[] = {3, 6, 20, 200};
    uint64_t words = 1000000;
    struct maille_error error;
    if (argc > 2 || (argc == 2 && (!number_parse_u64(argv[1], strlen(argv[1]), &words) || words == 0))) {
        fprintf(stderr, "crypto_bench: expected a number of words, found something else\n");
        return 2;
    }
    stop_unless(crypto_start(&error), &error);
    for (uint32_t width = 8; width <= 16; width += 8) {
        struct release release = {.length = (size_t)words * width, .run = {words * width, width}};
        release.words = malloc(release.length);
        if (release.words == NULL)
            abort();
        crypto_random_bytes(release.words, release.length);
        for (size_t i = 0; i < sizeof sites / sizeof *sites; i++)
            bench(&release, sites[i]);
        free(release.words);
    }
    return 0;
}
