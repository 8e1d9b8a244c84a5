/* Byte buffers: a growing writer and a reader that cannot run over the end. Integers are little-endian. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Owned, growing. Zero-initialise ({0}); bytes_clear releases. A failed growth sets `failed` and further
 * writes do nothing, so a run of puts needs one check at its end. */
struct bytes {
    uint8_t *data;
    size_t length, capacity;
    bool failed;
};

void bytes_clear(struct bytes *bytes);                                /* frees; the struct is empty again */
void bytes_wipe(struct bytes *bytes);                                 /* overwrites with zeros, then frees */
void bytes_put(struct bytes *bytes, const void *data, size_t length); /* appends length bytes */
void bytes_put_u8(struct bytes *bytes, uint8_t value);
void bytes_put_u32(struct bytes *bytes, uint32_t value);
void bytes_put_u64(struct bytes *bytes, uint64_t value);
void bytes_put_f64(struct bytes *bytes, double value);                      /* IEEE-754 binary64 bits */
void bytes_put_block(struct bytes *bytes, const void *data, size_t length); /* LE64 length, then the bytes */
void bytes_put_string(struct bytes *bytes,
                      const char *string); /* LE64 length, then the bytes without NUL; NULL as "" */
void bytes_put_text(struct bytes *bytes, const char *text); /* without its NUL, and nothing before it */
void bytes_printf(struct bytes *bytes, const char *format, ...)
    MAILLE_PRINTF(2, 3); /* all of it, without a NUL */
uint8_t *bytes_reserve(struct bytes *bytes,
                       size_t length); /* appends length zero bytes, returns them or NULL */
enum maille_code bytes_check(const struct bytes *bytes,
                             struct maille_error *error) MAILLE_CHECKED; /* MAILLE_MEMORY when a put failed */
enum maille_code bytes_copy(struct bytes *to, const void *data,
                            size_t length) MAILLE_CHECKED; /* replaces the content */

/* Bytes that somebody else keeps. */
struct byte_view {
    const uint8_t *data;
    size_t length;
};
bool byte_view_equal(struct byte_view a, struct byte_view b);

/* Borrowed view. Reading past the end sets `bad` and gives zeros. */
struct reader {
    const uint8_t *next, *end;
    bool bad;
};

struct reader reader_of(const void *data, size_t length);
size_t reader_left(const struct reader *reader);
const uint8_t *reader_take(struct reader *reader, size_t length); /* NULL and bad when there are fewer */
uint8_t reader_u8(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
double reader_f64(struct reader *reader);
const uint8_t *reader_block(struct reader *reader, size_t limit,
                            size_t *length);   /* LE64 length (≤ limit), bytes */
bool reader_done(const struct reader *reader); /* nothing left over and nothing bad */

/* Plain loads and stores. */
static inline void le64_store(uint8_t out[8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}
static inline uint64_t le64_load(const uint8_t in[8])
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | in[i];
    return value;
}

/* Hexadecimal, lower case. out has 2·length + 1 bytes. */
void bytes_to_hex(char *out, const void *data, size_t length);
/* Exactly 2·length hexadecimal digits into length bytes; false otherwise. */
bool bytes_from_hex(void *out, size_t length, const char *hex);

#endif
