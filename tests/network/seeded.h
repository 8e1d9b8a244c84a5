/* Randomness that a test can play again. libsodium lets a program put its own source in the place of the
 * kernel's before it starts; this one draws from streams, one for each purpose, so that what one party draws
 * does not depend on what another did. Only test programs link it. */
#ifndef TESTS_NETWORK_SEEDED_H
#define TESTS_NETWORK_SEEDED_H

#include <stddef.h>
#include <stdint.h>

struct seeded {
    uint8_t key[32];
    uint64_t drawn; /* blocks that were drawn so far */
};

/* Before crypto_start: from here on nothing random comes from the kernel. */
void seeded_install(void);
/* The stream of one purpose under one seed. */
void seeded_init(struct seeded *stream, uint64_t seed, const char *purpose);
/* What all randomness of this program is drawn from until the next call. Borrowed. */
void seeded_use(struct seeded *stream);
/* Below limit (> 0), from this stream whatever is in use. */
uint64_t seeded_below(struct seeded *stream, uint64_t limit);

#endif
