#include "registry/encoding.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <unistd.h>

#include "registry/text.h"

enum { CHUNK = 1 << 16, LOOKED_AT = 4096 };

/* First bytes of what people export by mistake. */
static const struct {
    const char *bytes;
    size_t n;
    const char *what;
} kinds[] = {
    {"PK\x03\x04", 4, "expected a CSV file, found a zip archive such as .xlsx; export the table as CSV"},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8,
     "expected a CSV file, found an old Office file (.xls); export the table as CSV"},
    {"\x1F\x8B", 2, "expected a CSV file, found a gzip archive; unpack it first"},
    {"BZh", 3, "expected a CSV file, found a bzip2 archive; unpack it first"},
    {"\xFD"
     "7zXZ",
     5, "expected a CSV file, found an xz archive; unpack it first"},
    {"\x28\xB5\x2F\xFD", 4, "expected a CSV file, found a zstd archive; unpack it first"},
    {"PAR1", 4, "expected a CSV file, found a Parquet file; export the table as CSV"},
    {"SQLite format 3", 15, "expected a CSV file, found an SQLite database; export the table as CSV"},
    {"%PDF", 4, "expected a CSV file, found a PDF; export the table as CSV"},
    {"\xFF\xFE\0\0", 4, "expected UTF-8 or Windows-1252, found UTF-32; save the file as UTF-8"},
    {"\0\0\xFE\xFF", 4, "expected UTF-8 or Windows-1252, found UTF-32; save the file as UTF-8"},
    {"\xFF\xFE", 2, "expected UTF-8 or Windows-1252, found UTF-16; save the file as UTF-8"},
    {"\xFE\xFF", 2, "expected UTF-8 or Windows-1252, found UTF-16; save the file as UTF-8"},
};

static void fail_with(struct encoding *found, size_t line, const char *what)
{
    found->fault.line = line;
    snprintf(found->fault.sentence, sizeof found->fault.sentence, "%s", what);
}

static bool is_markup(const char *text, size_t length)
{
    static const char *const tags[] = {"<!doctype html", "<html", "<table", "<?xml"};
    (void)text_trim(text, &length);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (length >= strlen(tags[i]) && strncasecmp(text, tags[i], strlen(tags[i])) == 0)
            return true;
    return false;
}

/* UTF-16 and UTF-32 without a mark: text in Latin letters has a zero in every other byte, or in three of
 * four. */
static const char *wide(const char *text, size_t length)
{
    size_t zeros[4] = {0}, most = 0, many = 0;
    for (size_t i = 0; i < length; i++)
        zeros[i % 4] += text[i] == '\0';
    for (size_t i = 0; i < 4; i++) {
        most += zeros[i];
        many += zeros[i] >= length / 8 && zeros[i] > 0;
    }
    if (length < 8 || most < length / 3)
        return NULL;
    return many == 3   ? "expected UTF-8 or Windows-1252, found UTF-32; save the file as UTF-8"
           : many == 2 ? "expected UTF-8 or Windows-1252, found UTF-16; save the file as UTF-8"
                       : NULL;
}

static void look_at_start(struct encoding *found, const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (length >= kinds[i].n && memcmp(text, kinds[i].bytes, kinds[i].n) == 0) {
            fail_with(found, 1, kinds[i].what);
            return;
        }
    while (length >= found->mark_bytes + 3 && memcmp(text + found->mark_bytes, "\xEF\xBB\xBF", 3) == 0) {
        found->mark_bytes += 3;
        found->marks++;
    }
    if (is_markup(text + found->mark_bytes, length - found->mark_bytes))
        fail_with(found, 1, "expected a CSV file, found HTML; export the table as CSV");
    const char *what = wide(text, length < LOOKED_AT ? length : LOOKED_AT);
    if (what != NULL)
        fail_with(found, 1, what);
}

/* Reads on behind *length; *length does not grow at the end of the file. */
static enum maille_code read_on(char buffer[CHUNK + 4], size_t *length, int fd, const char *path,
                                struct maille_error *error)
{
    ssize_t got;
    do
        got = read(fd, buffer + *length, CHUNK - *length);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return maille_fail_errno(error, "cannot read %s", path);
    *length += (size_t)got;
    return MAILLE_OK;
}

static enum maille_code from_start(int fd, const char *path, struct maille_error *error)
{
    return lseek(fd, 0, SEEK_SET) == 0 ? MAILLE_OK
                                       : maille_fail_errno(error, "cannot read %s from its start", path);
}

static enum maille_code all_utf8(bool *utf8, struct encoding *found, int fd, const char *path,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char buffer[CHUNK + 4];
    size_t length = 0, incomplete = 0;
    *utf8 = true;
    MAILLE_TRY(from_start(fd, path, error));
    for (bool first = true; *utf8; first = false) {
        size_t before = length;
        MAILLE_TRY(read_on(buffer, &length, fd, path, error));
        if (first)
            look_at_start(found, buffer, length);
        if (length == before || found->fault.line > 0) {
            *utf8 = incomplete == 0;
            break;
        }
        *utf8 = text_is_utf8(buffer, length, &incomplete);
        memmove(buffer, buffer + length - incomplete, incomplete);
        length = incomplete;
    }
out:
    return code;
}

/* Lines as registry/csv.c counts them: LF, CRLF, CR, and CR CR LF for one. */
struct lines {
    size_t line;
    unsigned carriages; /* that came right before */
};

static void count_line(struct lines *lines, char c)
{
    if (c == '\r') {
        lines->carriages++;
        return;
    }
    if (c == '\n')
        lines->line += lines->carriages > 2 ? lines->carriages - 1 : 1;
    else
        lines->line += lines->carriages;
    lines->carriages = 0;
}

/* Who is odd: sequences of UTF-8 among other bytes are a file of two encodings; bytes alone are Windows-1252.
 */
static enum maille_code weigh(struct encoding *found, int fd, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char buffer[CHUNK + 4];
    size_t length = 0, sequences = 0, others = 0, first_line = 0;
    unsigned char first_byte = 0;
    struct lines lines = {.line = 1};
    bool at_end = false;
    size_t last_line = 0;
    MAILLE_TRY(from_start(fd, path, error));
    while (!at_end || length > 0) {
        size_t before = length, i = 0;
        MAILLE_TRY(read_on(buffer, &length, fd, path, error));
        at_end = length == before;
        while (i < length && (at_end || length - i >= 4)) {
            unsigned char c = (unsigned char)buffer[i];
            size_t incomplete = 0, n = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
            if (lines.carriages > 0 || c == '\r' || c == '\n')
                count_line(&lines, buffer[i]);
            if (c < 0x80) {
                i++;
                continue;
            }
            if (n <= length - i && text_is_utf8(buffer + i, n, &incomplete) && incomplete == 0) {
                sequences += i > 0 || first_line > 0 || sequences > 0 || n != 3 ||
                             memcmp(buffer, "\xEF\xBB\xBF", 3) != 0;
                i += n;
                continue;
            }
            if (others++ == 0) {
                first_line = lines.line;
                first_byte = c;
            }
            found->other_lines += lines.line != last_line;
            last_line = lines.line;
            i++;
        }
        memmove(buffer, buffer + i, length - i);
        length -= i;
    }
    /* Two letters of Windows-1252 may look like one of UTF-8, now and then. */
    if (found->marks > 0 || 10 * sequences > others) {
        fail_with(found, first_line, "");
        snprintf(
            found->fault.sentence, sizeof found->fault.sentence,
            "expected UTF-8 as elsewhere in the file, found the byte 0x%02X; save the file in one encoding",
            first_byte);
    }
    found->windows_1252 = true;
    found->first_other_line = first_line;
out:
    return code;
}

enum maille_code encoding_find(struct encoding *found, int fd, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct encoding made = {0};
    bool utf8;
    MAILLE_TRY(all_utf8(&utf8, &made, fd, path, error));
    if (!utf8 && made.fault.line == 0)
        MAILLE_TRY(weigh(&made, fd, path, error));
    *found = made;
out:
    return code;
}
