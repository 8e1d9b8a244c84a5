#include "tests/network/seeded.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct seeded *in_use;

static void draw(struct seeded *stream, void *out, size_t length)
{
    uint8_t seed[randombytes_SEEDBYTES], block[8];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(stream->drawn >> 8 * i);
    stream->drawn++;
    crypto_generichash(seed, sizeof seed, block, sizeof block, stream->key, sizeof stream->key);
    randombytes_buf_deterministic(out, length, seed);
}

static void draw_in_use(void *out, size_t length)
{
    if (in_use == NULL)
        abort(); /* somebody draws whose purpose was not said */
    draw(in_use, out, length);
}

static uint32_t draw_number(void)
{
    uint32_t number;
    draw_in_use(&number, sizeof number);
    return number;
}

static const char *source_name(void)
{
    return "seeded";
}

void seeded_install(void)
{
    static struct randombytes_implementation source = {
        .implementation_name = source_name, .random = draw_number, .buf = draw_in_use};
    static struct seeded start;
    seeded_init(&start, 0, "start");
    in_use = &start; /* libsodium draws a little when it starts */
    if (randombytes_set_implementation(&source) != 0)
        abort();
}

void seeded_init(struct seeded *stream, uint64_t seed, const char *purpose)
{
    uint8_t number[8];
    for (size_t i = 0; i < sizeof number; i++)
        number[i] = (uint8_t)(seed >> 8 * i);
    *stream = (struct seeded){.drawn = 0};
    crypto_generichash(stream->key, sizeof stream->key, (const uint8_t *)purpose, strlen(purpose), number,
                       sizeof number);
}

void seeded_use(struct seeded *stream)
{
    in_use = stream;
}

uint64_t seeded_below(struct seeded *stream, uint64_t limit)
{
    uint64_t number;
    draw(stream, &number, sizeof number);
    return number % limit;
}
