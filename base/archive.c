/* The header of a file is 512 bytes of text (POSIX.1-1988, "ustar"). The reader takes name and length from it
 * and compares the whole with the header that the writer would have made of them. */
#include "base/archive.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 512, SIZE_AT = 124, SIZE_DIGITS = 11, SUM_AT = 148 };

static bool name_valid(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/";
    const size_t length = strlen(name);
    bool begins = true; /* a part of the name begins here */
    if (length == 0 || length > ARCHIVE_NAME_MAX || strspn(name, letters) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (begins && (name[i] == '/' || name[i] == '.'))
            return false;
        begins = name[i] == '/';
    }
    return !begins;
}

static void put_header(uint8_t out[BLOCK], const char *name, size_t length)
{
    unsigned sum = 0;
    memset(out, 0, BLOCK);
    memcpy(out, name, strlen(name) + 1);
    memcpy(out + 100, "0000644", 8); /* mode */
    memcpy(out + 108, "0000000", 8); /* owner */
    memcpy(out + 116, "0000000", 8); /* group */
    snprintf((char *)out + SIZE_AT, SIZE_DIGITS + 1, "%011llo", (unsigned long long)length);
    memcpy(out + 136, "00000000000", 12); /* time */
    memset(out + SUM_AT, ' ', 8);
    out[156] = '0'; /* a plain file */
    memcpy(out + 257, "ustar", 6);
    out[263] = out[264] = '0'; /* version */
    for (size_t i = 0; i < BLOCK; i++)
        sum += out[i];
    snprintf((char *)out + SUM_AT, 7, "%06o", sum);
    out[SUM_AT + 7] = ' ';
}

static size_t padding(size_t length)
{
    return (BLOCK - length % BLOCK) % BLOCK;
}

enum maille_code archive_write(struct bytes *out, const struct archive_file *files, size_t n,
                               struct maille_error *error)
{
    for (size_t f = 0; f < n; f++) {
        uint8_t header[BLOCK];
        if (!name_valid(files[f].name) || n > ARCHIVE_FILES_MAX || files[f].length >> 33 != 0 ||
            (f > 0 && strcmp(files[f - 1].name, files[f].name) >= 0))
            return maille_fail(error, MAILLE_INTERNAL,
                               "expected names of an archive in order, found \"%s\" out of it",
                               files[f].name);
        put_header(header, files[f].name, files[f].length);
        bytes_put(out, header, BLOCK);
        bytes_put(out, files[f].data, files[f].length);
        bytes_reserve(out, padding(files[f].length));
    }
    bytes_reserve(out, 2 * (size_t)BLOCK);
    return bytes_check(out, error);
}

static bool all_zero(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Octal digits; false where something else stands there. */
static bool read_octal(size_t *value, const uint8_t *digits)
{
    *value = 0;
    for (size_t i = 0; i < SIZE_DIGITS; i++) {
        if (digits[i] < '0' || digits[i] > '7')
            return false;
        *value = *value * 8 + (size_t)(digits[i] - '0');
    }
    return true;
}

enum maille_code archive_read(const struct archive_file **out, size_t *n_out, struct arena *arena,
                              const char *name, const void *bytes, size_t length, struct maille_error *error)
{
    struct archive_file *files = arena_array(arena, ARCHIVE_FILES_MAX, sizeof *files);
    const uint8_t *all = bytes;
    size_t n = 0, at = 0;
    while (length - at >= BLOCK && !all_zero(all + at, BLOCK)) {
        uint8_t header[BLOCK];
        size_t size;
        const char *called = arena_strndup(arena, (const char *)all + at, ARCHIVE_NAME_MAX);
        if (!name_valid(called) || !read_octal(&size, all + at + SIZE_AT))
            return maille_fail(error, MAILLE_INVALID,
                               "expected the header of a plain file at byte %zu of %s, "
                               "found something else",
                               at, name);
        put_header(header, called, size);
        if (memcmp(header, all + at, BLOCK) != 0)
            return maille_fail(error, MAILLE_INVALID,
                               "expected the one header that %s of %zu bytes can have at byte %zu of %s, "
                               "found another (a link, a device, an owner, or altered bytes)",
                               called, size, at, name);
        if (n == ARCHIVE_FILES_MAX || (n > 0 && strcmp(files[n - 1].name, called) >= 0))
            return maille_fail(error, MAILLE_INVALID,
                               "expected the names of at most %d files in order, each once, found %s at byte "
                               "%zu of %s",
                               ARCHIVE_FILES_MAX, called, at, name);
        at += BLOCK;
        if (size > length - at || padding(size) > length - at - size ||
            !all_zero(all + at + size, padding(size)))
            return maille_fail(error, MAILLE_INVALID,
                               "expected %zu bytes of %s and zeros up to the next block, found others in %s",
                               size, called, name);
        files[n++] = (struct archive_file){called, all + at, size};
        at += size + padding(size);
    }
    if (n == 0 || length - at != 2 * (size_t)BLOCK || !all_zero(all + at, 2 * (size_t)BLOCK))
        return maille_fail(error, MAILLE_INVALID,
                           "expected an archive that ends with two empty blocks at byte %zu, found %s of %zu "
                           "bytes",
                           at, name, length);
    *out = files;
    *n_out = n;
    return MAILLE_OK;
}
