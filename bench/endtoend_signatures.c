/* endtoend_signatures SITES CORES: milliseconds that the Ed25519 signatures of one round would take on so
 * many cores if nothing else had to be done. Of the protocol (docs/PROTOCOL.md §3): A signs start, C close
 * and the sum, every site its masked and its reveal; every site verifies start, close and the masked of all;
 * C verifies start and every masked and reveal; A verifies close, the sum and every masked and reveal. Of the
 * message log: a site and C sign a checkpoint when they have written, before they send: two a site, four at
 * C. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 100, BATCHES = 21, MESSAGE_BYTES = 512 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    unsigned char public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES],
        message[MESSAGE_BYTES] = {0}, signature[crypto_sign_BYTES];
    double sign[BATCHES], verify[BATCHES], n = argc == 3 ? atof(argv[1]) : 0,
                                           cores = argc == 3 ? atof(argv[2]) : 0;
    if (!(n > 0 && cores > 0) || sodium_init() < 0 || crypto_sign_keypair(public, secret) != 0) {
        fputs("endtoend_signatures: expected SITES CORES\n", stderr);
        return 2;
    }
    for (int b = 0; b < BATCHES; b++) {
        double start = now_ms();
        for (int k = 0; k < BATCH; k++)
            crypto_sign_detached(signature, NULL, message, sizeof message, secret);
        double signed_at = now_ms();
        for (int k = 0; k < BATCH; k++)
            if (crypto_sign_verify_detached(signature, message, sizeof message, public) != 0)
                return 1;
        sign[b] = (signed_at - start) / BATCH;
        verify[b] = (now_ms() - signed_at) / BATCH;
    }
    qsort(sign, BATCHES, sizeof *sign, compare);
    qsort(verify, BATCHES, sizeof *verify, compare);
    double signs = 3 + 2 * n + 2 * n + 4, verifies = n * (n + 2) + (1 + 2 * n) + (2 + 2 * n);
    fprintf(stderr, "%.0f signs of %.1f us, %.0f verifications of %.1f us\n", signs, 1e3 * sign[BATCHES / 2],
            verifies, 1e3 * verify[BATCHES / 2]);
    printf("%.2f\n", (signs * sign[BATCHES / 2] + verifies * verify[BATCHES / 2]) / cores);
    return 0;
}
