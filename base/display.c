#include "base/display.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"

static const struct {
    uint32_t first, last;
} hidden_ranges[] = {
    {0x00, 0x08},     {0x0B, 0x1F},       {0x7F, 0x9F},       {0xAD, 0xAD},       {0x034F, 0x034F},
    {0x061C, 0x061C}, {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},
    {0x2028, 0x202E}, {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

static bool is_hidden(uint32_t character)
{
    for (size_t i = 0; i < sizeof hidden_ranges / sizeof *hidden_ranges; i++)
        if (character >= hidden_ranges[i].first && character <= hidden_ranges[i].last)
            return true;
    return false;
}

/* The character at text (RFC 3629) and its length; 0: these bytes are none. *more: they are the beginning of
 * one. */
static size_t take_character(uint32_t *character, bool *more, const unsigned char *text, size_t length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t n = text[0] < 0x80   ? 1
                     : text[0] < 0xC2 ? 0
                     : text[0] < 0xE0 ? 2
                     : text[0] < 0xF0 ? 3
                     : text[0] < 0xF5 ? 4
                                      : 0;
    uint32_t value = n == 1 ? text[0] : text[0] & (0xFFu >> (n + 1));
    *more = false;
    for (size_t i = 1; i < n; i++) {
        if (i == length) {
            *more = true;
            return 0;
        }
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3F);
    }
    if (n == 0 || value < least[n] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *character = value;
    return n;
}

/* Looks at what begins at text: its length, and its name where it must not be shown. whole: nothing follows;
 * else 0 says that more bytes are needed. */
static size_t look(char name[DISPLAY_NAME], bool *hidden, const unsigned char *text, size_t length,
                   bool whole)
{
    uint32_t character = 0;
    bool more;
    const size_t n = take_character(&character, &more, text, length);
    if (!whole && (more || (length == 1 && text[0] == '\r')))
        return 0;
    *hidden = n == 0 || is_hidden(character);
    if (character == '\r' && length > 1 && text[1] == '\n')
        *hidden = false;
    if (n == 0)
        snprintf(name, DISPLAY_NAME, "byte 0x%02X", text[0]);
    else if (*hidden)
        snprintf(name, DISPLAY_NAME, "U+%04X", character);
    return n == 0 ? 1 : n;
}

bool display_hidden(char name[DISPLAY_NAME], size_t *at, const char *text, size_t length)
{
    char found[DISPLAY_NAME];
    for (size_t i = 0; i < length;) {
        bool hidden;
        size_t n = 1;
        if ((unsigned char)text[i] - 0x20u >= 0x5Fu) /* else what most text is made of */
            n = look(found, &hidden, (const unsigned char *)text + i, length - i, true);
        else
            hidden = false;
        if (hidden) {
            if (name != NULL)
                memcpy(name, found, DISPLAY_NAME);
            if (at != NULL)
                *at = i;
            return true;
        }
        i += n;
    }
    return false;
}

/* Appends what can be shown of the text; how many bytes were taken. */
static size_t put_some(struct bytes *out, const char *text, size_t length, bool whole)
{
    size_t i = 0, shown = 0; /* before `shown` it is in out */
    while (i < length) {
        char name[DISPLAY_NAME];
        bool hidden;
        const size_t n = look(name, &hidden, (const unsigned char *)text + i, length - i, whole);
        if (n == 0)
            break;
        if (hidden) {
            bytes_put(out, text + shown, i - shown);
            bytes_put_u8(out, '<');
            bytes_put(out, name, strlen(name));
            bytes_put_u8(out, '>');
            shown = i + n;
        }
        i += n;
    }
    bytes_put(out, text + shown, i - shown);
    return i;
}

void display_put(struct bytes *out, const char *text, size_t length)
{
    put_some(out, text, length, true);
}

void display_put_cell(struct bytes *out, const char *text)
{
    double number;
    const bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL &&
                         !number_parse_double(text, strlen(text), '.', &number);
    const bool quotes = strpbrk(text, ",;\"\r\n") != NULL;
    if (quotes)
        bytes_put_u8(out, '"');
    if (formula)
        bytes_put_u8(out, '\'');
    while (*text != '\0') {
        const size_t n = strcspn(text, "\"");
        display_put(out, text, n);
        text += n;
        if (*text == '"') {
            bytes_put(out, "\"\"", 2);
            text++;
        }
    }
    if (quotes)
        bytes_put_u8(out, '"');
}

void display_put_word(struct bytes *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+,-";
    if (*text != '\0' && text[strspn(text, plain)] == '\0') {
        bytes_put_text(out, text);
        return;
    }
    bytes_put_u8(out, '\'');
    for (; *text != '\0'; text++)
        if (*text == '\'')
            bytes_put_text(out, "'\\''");
        else
            bytes_put_u8(out, (uint8_t)*text);
    bytes_put_u8(out, '\'');
}

void display_put_markup(struct bytes *out, const char *text)
{
    static const struct {
        char character;
        const char *markup;
    } escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    struct bytes shown = {0};
    display_put(&shown, text, strlen(text));
    bytes_put_u8(&shown, '\0');
    if (shown.failed) {
        out->failed = true;
        bytes_clear(&shown);
        return;
    }
    for (text = (const char *)shown.data; *text != '\0';) {
        const size_t n = strcspn(text, "&<>\"'");
        bytes_put(out, text, n);
        text += n;
        for (size_t e = 0; *text != '\0' && e < sizeof escapes / sizeof *escapes; e++)
            if (*text == escapes[e].character)
                bytes_put(out, escapes[e].markup, strlen(escapes[e].markup));
        text += *text != '\0';
    }
    bytes_clear(&shown);
}

/* --- what this process prints --- */

/* A character whose bytes came in two pieces waits in `begun`. */
static struct stream {
    int fd;
    char begun[4];
    size_t n_begun;
    int failed; /* errno; the first */
} streams[2] = {{.fd = STDOUT_FILENO}, {.fd = STDERR_FILENO}};

static ssize_t guarded_write(void *cookie, const char *text, size_t length)
{
    struct stream *stream = cookie;
    struct bytes all = {0}, shown = {0};
    struct maille_error ignored;
    bytes_put(&all, stream->begun, stream->n_begun);
    bytes_put(&all, text, length);
    const size_t taken = all.failed ? 0 : put_some(&shown, (const char *)all.data, all.length, false);
    stream->n_begun = all.length - taken;
    if (all.failed || stream->n_begun > sizeof stream->begun)
        stream->n_begun = 0; /* without memory: what was to be printed is lost, and said to be */
    else
        memcpy(stream->begun, all.data + taken, stream->n_begun);
    errno = 0;
    if (all.failed || shown.failed ||
        file_write_all(stream->fd, shown.data, shown.length, &ignored) != MAILLE_OK)
        stream->failed = stream->failed != 0 ? stream->failed : errno != 0 ? errno : ENOMEM;
    bytes_clear(&all);
    bytes_clear(&shown);
    return (ssize_t)length; /* a failure is told by display_finish: glibc would try again for ever */
}

static FILE *raw;

bool display_guard(void)
{
    static const cookie_io_functions_t functions = {.write = guarded_write};
    if (raw != NULL)
        return false;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) /* open takes the lowest number that is free */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            _exit(3);
    raw = stderr;
    FILE *out = fopencookie(&streams[0], "w", functions),
         *complaints = fopencookie(&streams[1], "w", functions);
    if (out == NULL || complaints == NULL)
        _exit(3); /* without memory for two streams nothing else will run */
    setvbuf(out, NULL, isatty(STDOUT_FILENO) == 1 ? _IOLBF : _IOFBF, BUFSIZ);
    setvbuf(complaints, NULL, _IONBF, 0);
    stdout = out;
    stderr = complaints;
    return true;
}

FILE *display_raw(void)
{
    return raw != NULL ? raw : stderr;
}

enum maille_code display_finish(struct maille_error *error)
{
    struct stream *stream = &streams[0];
    if (fflush(stdout) != 0 && stream->failed == 0)
        stream->failed = errno;
    if (stream->n_begun > 0) { /* half a character at the end */
        stream->n_begun = 0;
        if (stream->failed == 0 && write(stream->fd, "?", 1) != 1)
            stream->failed = errno;
    }
    fflush(stderr);
    if (stream->failed == 0 || stream->failed == EPIPE) /* who reads no further has what it wanted */
        return MAILLE_OK;
    errno = stream->failed;
    return maille_fail_errno(error, "expected to print all of it on standard output, found that it cannot be "
                                    "written");
}
