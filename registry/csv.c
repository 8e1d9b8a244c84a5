#include "registry/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "registry/text.h"

enum {
    READ_BYTES = 1 << 18,       /* asked of the kernel at a time */
    RECORD_BYTES_MAX = 1 << 26, /* a record is held whole */
    DECIMALS_ENOUGH = 10000     /* numbers with a fraction that settle the decimal mark */
};

static const char separators[] = ",;\t|";

/* Where a field stands in the buffer. */
struct span {
    size_t begin, end; /* from the start of the record; inside the quotes where there are any */
    bool quoted;
};

struct csv {
    int fd;
    char *path;
    struct csv_dialect dialect;
    struct encoding encoding;
    struct text_fault fault; /* of the last csv_next */
    struct csv_oddities odd; /* of what was read so far */
    struct stat opened;      /* the file as it was then */
    size_t head;             /* bytes before the first record: marks, and a line sep=; */
    size_t line;             /* of the byte at start */
    void (*saw)(void *context, const void *bytes, size_t length);
    void *context;

    char *buffer; /* bytes start … end are read and not yet handed out */
    size_t start, end, capacity;
    bool at_eof;
    bool ends_field[256]; /* bytes at which an unquoted field stops */

    struct span *spans;
    struct csv_field *fields;
    size_t n_fields, fields_capacity;
    char *text; /* the fields of the record in UTF-8, each with its NUL */
    size_t text_capacity;
};

enum scan { SCAN_RECORD, SCAN_MORE, SCAN_FAILED };

void csv_free(struct csv *csv)
{
    if (csv == NULL)
        return;
    if (csv->fd >= 0)
        close(csv->fd);
    free(csv->path);
    free(csv->buffer);
    free(csv->spans);
    free(csv->fields);
    free(csv->text);
    free(csv);
}

struct csv_dialect csv_dialect(const struct csv *csv)
{
    return csv->dialect;
}

static enum maille_code no_memory(const struct csv *csv, size_t size, struct maille_error *error)
{
    return maille_fail(error, MAILLE_MEMORY,
                       "%s: expected memory for %zu bytes, found none; free some and try again", csv->path,
                       size);
}

/* Reads on behind end, at the file's position; makes room first. Sets at_eof. */
static enum maille_code fill(struct csv *csv, struct maille_error *error)
{
    if (csv->start > 0) {
        memmove(csv->buffer, csv->buffer + csv->start, csv->end - csv->start);
        csv->end -= csv->start;
        csv->start = 0;
    }
    if (csv->capacity - csv->end < READ_BYTES) {
        size_t capacity = csv->capacity < READ_BYTES ? 2 * (size_t)READ_BYTES : 2 * csv->capacity;
        char *buffer = realloc(csv->buffer, capacity);
        if (buffer == NULL)
            return no_memory(csv, capacity, error);
        csv->buffer = buffer;
        csv->capacity = capacity;
    }
    ssize_t got;
    do
        got = read(csv->fd, csv->buffer + csv->end, csv->capacity - csv->end);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return maille_fail_errno(error, "cannot read %s", csv->path);
    if (got > 0 && csv->saw != NULL)
        csv->saw(csv->context, csv->buffer + csv->end, (size_t)got);
    csv->end += (size_t)got;
    csv->at_eof = got == 0;
    return MAILLE_OK;
}

/* The first record is behind the head; what stands before it is read as well. */
static enum maille_code seek_to_header(struct csv *csv, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (lseek(csv->fd, 0, SEEK_SET) < 0)
        return maille_fail_errno(error, "cannot read %s from its start", csv->path);
    csv->start = csv->end = 0;
    csv->at_eof = false;
    csv->line = csv->head > csv->encoding.mark_bytes ? 2 : 1;
    csv->odd = (struct csv_oddities){0};
    while (csv->end < csv->head && !csv->at_eof)
        MAILLE_TRY(fill(csv, error));
    csv->start = csv->head < csv->end ? csv->head : csv->end;
out:
    return code;
}

/* Excel's own first line: sep=; */
static enum maille_code find_sep_line(struct csv *csv, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n;
    csv->head = csv->encoding.mark_bytes;
    MAILLE_TRY(seek_to_header(csv, error));
    while (csv->end - csv->start < 8 && !csv->at_eof)
        MAILLE_TRY(fill(csv, error));
    const char *text = csv->buffer + csv->start;
    n = csv->end - csv->start;
    if (n < 6 || strncasecmp(text, "sep=", 4) != 0 || strchr(separators, text[4]) == NULL ||
        (text[5] != '\n' && text[5] != '\r'))
        goto out;
    csv->head += text[5] == '\r' && n > 6 && text[6] == '\n' ? 7 : 6;
    if (csv->dialect.separator == 0)
        csv->dialect.separator = text[4];
out:
    return code;
}

/* The separator that occurs most outside quotes in the first line that is not blank; ',' where there is none.
 */
static enum maille_code find_separator(struct csv *csv, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t counts[sizeof separators - 1] = {0}, best = 0;
    bool quoted = false, begun = false;
    MAILLE_TRY(seek_to_header(csv, error));
    for (size_t next = csv->start;;) {
        if (next == csv->end) {
            if (csv->at_eof || csv->end > RECORD_BYTES_MAX)
                break;
            next -= csv->start; /* to which what is there moves */
            MAILLE_TRY(fill(csv, error));
            continue;
        }
        char c = csv->buffer[next++];
        if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '\n' || c == '\r') && begun)
            break;
        for (size_t i = 0; i < sizeof separators - 1 && !quoted; i++)
            counts[i] += c == separators[i];
        begun = begun || (c != '\n' && c != '\r' && c != ' ');
    }
    for (size_t i = 1; i < sizeof separators - 1; i++)
        if (counts[i] > counts[best])
            best = i;
    csv->dialect.separator = separators[best];
out:
    return code;
}

char csv_decimal_of(const struct csv_field *field)
{
    size_t i = 0, before, after;
    char mark;
    if (field->length > 0 && (field->text[0] == '-' || field->text[0] == '+'))
        i++;
    before = strspn(field->text + i, "0123456789");
    i += before;
    mark = field->text[i];
    if (mark != ',' && mark != '.')
        return 0;
    after = strspn(field->text + i + 1, "0123456789");
    return (char)(before > 0 && after > 0 && i + 1 + after == field->length ? mark : 0);
}

static enum maille_code find_decimal(struct csv *csv, struct maille_error *error)
{
    size_t commas = 0, points = 0;
    struct csv_record record = {0};
    csv->dialect.decimal = '.';
    if (csv->dialect.separator == ',')
        return MAILLE_OK;
    /* What is wrong with the file is said when it is read for good. */
    while (commas + points < DECIMALS_ENOUGH && csv_next(csv, &record, NULL) == MAILLE_OK && record.n > 0)
        for (size_t i = 0; i < record.n; i++) {
            char mark = csv_decimal_of(&record.fields[i]);
            commas += mark == ',';
            points += mark == '.';
        }
    if (commas > points)
        csv->dialect.decimal = ',';
    return seek_to_header(csv, error);
}

/* What cannot be read again from its start is copied to memory. */
static enum maille_code hold(struct csv *csv, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char buffer[1 << 16];
    ssize_t got;
    int copy = memfd_create("csv", MFD_CLOEXEC);
    if (copy < 0)
        return maille_fail_errno(error, "cannot hold %s in memory", csv->path);
    for (;;) {
        got = read(csv->fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        MAILLE_TRY(file_write_all(copy, buffer, (size_t)got, error));
    }
    if (got < 0) {
        code = maille_fail_errno(error, "cannot read %s", csv->path);
        goto out;
    }
    close(csv->fd);
    csv->fd = copy;
    copy = -1;
    if (fstat(csv->fd, &csv->opened) != 0)
        code = maille_fail_errno(error, "cannot read %s", csv->path);
out:
    if (copy >= 0)
        close(copy);
    return code;
}

static enum maille_code open_file(struct csv *csv, struct maille_error *error)
{
    const bool is_input = strcmp(csv->path, "-") == 0;
    csv->fd = is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(csv->path, O_RDONLY | O_CLOEXEC);
    if (csv->fd < 0 || fstat(csv->fd, &csv->opened) != 0)
        return maille_fail_errno(error, "cannot open %s", csv->path);
    if (S_ISREG(csv->opened.st_mode))
        return MAILLE_OK;
    if (S_ISFIFO(csv->opened.st_mode) || S_ISSOCK(csv->opened.st_mode) || is_input)
        return hold(csv, error);
    return maille_fail(error, MAILLE_INVALID, "expected a file, found something else at %s", csv->path);
}

static void set_separator(struct csv *csv, char separator)
{
    memset(csv->ends_field, 0, sizeof csv->ends_field);
    for (const char *c = "\r\n"; *c != '\0'; c++)
        csv->ends_field[(unsigned char)*c] = true;
    csv->ends_field[0] = true;
    csv->ends_field[(unsigned char)separator] = true;
    csv->dialect.separator = separator;
}

enum maille_code csv_open(struct csv **out, const char *path, const struct csv_dialect *wanted,
                          struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct csv *csv = calloc(1, sizeof *csv);
    if (csv == NULL || (csv->path = strdup(path)) == NULL) {
        free(csv);
        return maille_fail(error, MAILLE_MEMORY, "expected memory to open %s, found none", path);
    }
    csv->fd = -1;
    if (wanted != NULL)
        csv->dialect = *wanted;
    if (csv->dialect.separator != 0 && strchr(separators, csv->dialect.separator) == NULL) {
        code = maille_fail(error, MAILLE_INVALID, "expected one of , ; | or a tab as separator, found \"%c\"",
                           csv->dialect.separator);
        goto out;
    }
    if (csv->dialect.decimal != 0 && strchr(".,", csv->dialect.decimal) == NULL) {
        code = maille_fail(error, MAILLE_INVALID, "expected . or , as decimal mark, found \"%c\"",
                           csv->dialect.decimal);
        goto out;
    }
    MAILLE_TRY(open_file(csv, error));
    MAILLE_TRY(encoding_find(&csv->encoding, csv->fd, csv->path, error));
    csv->dialect.windows_1252 = csv->encoding.windows_1252;
    if (csv->encoding.fault.line == 0) {
        MAILLE_TRY(find_sep_line(csv, error));
        if (csv->dialect.separator == 0)
            MAILLE_TRY(find_separator(csv, error));
        set_separator(csv, csv->dialect.separator);
        MAILLE_TRY(seek_to_header(csv, error));
        if (csv->dialect.decimal == 0)
            MAILLE_TRY(find_decimal(csv, error));
    }
    *out = csv;
    csv = NULL;
out:
    csv_free(csv);
    return code;
}

enum maille_code csv_restart(struct csv *csv, char separator, char decimal, struct maille_error *error)
{
    if (csv->encoding.fault.line > 0)
        return MAILLE_OK;
    set_separator(csv, separator);
    csv->dialect.decimal = decimal;
    return seek_to_header(csv, error);
}

void csv_watch(struct csv *csv, void (*saw)(void *context, const void *bytes, size_t length), void *context)
{
    csv->saw = saw;
    csv->context = context;
}

enum maille_code csv_unchanged(const struct csv *csv, struct maille_error *error)
{
    struct stat now;
    if (fstat(csv->fd, &now) != 0)
        return maille_fail_errno(error, "cannot look at %s again", csv->path);
    if (now.st_size == csv->opened.st_size && now.st_mtim.tv_sec == csv->opened.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == csv->opened.st_mtim.tv_nsec &&
        now.st_ctim.tv_sec == csv->opened.st_ctim.tv_sec &&
        now.st_ctim.tv_nsec == csv->opened.st_ctim.tv_nsec)
        return MAILLE_OK;
    return maille_fail(
        error, MAILLE_INVALID,
        "expected %s to stay as it is while it is read, found another length or time of change; "
        "wait until the export is done",
        csv->path);
}

void csv_oddities(struct csv_oddities *oddities, const struct csv *csv)
{
    *oddities = csv->odd;
    oddities->marks = csv->encoding.marks > 1 ? csv->encoding.marks : 0;
    oddities->other_lines = csv->encoding.other_lines;
    oddities->first_other = csv->encoding.first_other_line;
}

const struct text_fault *csv_fault(const struct csv *csv)
{
    return &csv->fault;
}

/* ---- One record ---- */

static enum scan fail_at(struct csv *csv, size_t line, struct maille_error *error, const char *what)
{
    csv->fault.line = line;
    snprintf(csv->fault.sentence, sizeof csv->fault.sentence, "%s", what);
    maille_fail(error, MAILLE_INVALID, "%s: line %zu: %s", csv->path, line, what);
    return SCAN_FAILED;
}

static size_t line_ends_in(const char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++)
        n += text[i] == '\n' || (text[i] == '\r' && (i + 1 == length || text[i + 1] != '\n'));
    return n;
}

static bool add_span(struct csv *csv, struct span span)
{
    if (csv->n_fields == csv->fields_capacity) {
        size_t capacity = csv->fields_capacity == 0 ? 64 : 2 * csv->fields_capacity;
        struct span *spans = realloc(csv->spans, capacity * sizeof *spans);
        if (spans != NULL)
            csv->spans = spans;
        struct csv_field *fields = realloc(csv->fields, capacity * sizeof *fields);
        if (fields != NULL)
            csv->fields = fields;
        if (spans == NULL || fields == NULL)
            return false;
        csv->fields_capacity = capacity;
    }
    csv->spans[csv->n_fields++] = span;
    return true;
}

/* The quoted field at *next (which stands on its quote): span and *next behind it, on a separator or a line
 * end. */
static enum scan scan_quoted(struct csv *csv, size_t *next, size_t line, struct span *span,
                             struct maille_error *error)
{
    const char *text = csv->buffer + csv->start;
    size_t length = csv->end - csv->start, i = *next + 1;
    span->begin = i;
    span->quoted = true;
    for (;; i++) {
        const char *quote = memchr(text + i, '"', length - i);
        size_t reached = quote == NULL ? length : (size_t)(quote - text);
        if (reached - span->begin > CSV_FIELD_BYTES_MAX)
            return fail_at(
                csv, line, error,
                "expected a field of at most 1048576 bytes, found a longer one; is a quote not closed?");
        if (quote == NULL && csv->at_eof)
            return fail_at(csv, line, error, "expected a closing quote, found the end of the file");
        if (quote == NULL || (reached + 1 == length && !csv->at_eof))
            return SCAN_MORE;
        i = reached + 1;
        if (i == length || text[i] != '"')
            break; /* else two quotes stand for one */
    }
    span->end = i - 1;
    if (memchr(text + span->begin, '\0', span->end - span->begin) != NULL)
        return fail_at(csv, line, error, "expected text, found a NUL byte");
    while (i < length && text[i] == ' ')
        i++;
    if (i < length && !csv->ends_field[(unsigned char)text[i]])
        return fail_at(csv, line, error,
                       "expected a separator after a closing quote, found other text; a quote inside a field "
                       "is doubled");
    *next = i;
    return SCAN_RECORD;
}

/* Finds the fields of the record at start, its length and the length with its line end, and the lines it
 * takes. */
static enum scan scan_record(struct csv *csv, size_t *record_length, size_t *whole_length, size_t *lines,
                             struct maille_error *error)
{
    const char *text = csv->buffer + csv->start;
    size_t length = csv->end - csv->start, i = 0;
    csv->n_fields = 0;
    *lines = 0;
    for (;; i++) {
        struct span span = {.begin = i};
        size_t line = csv->line + *lines;
        if (csv->n_fields == CSV_FIELDS_MAX)
            return fail_at(csv, csv->line, error, "expected at most 8192 fields, found more");
        if (i < length && text[i] == '"') {
            enum scan found = scan_quoted(csv, &i, line, &span, error);
            if (found != SCAN_RECORD)
                return found;
            *lines += line_ends_in(text + span.begin, span.end - span.begin);
        } else {
            while (i < length && !csv->ends_field[(unsigned char)text[i]])
                i++;
            span.end = i;
            if (span.end - span.begin > CSV_FIELD_BYTES_MAX)
                return fail_at(csv, line, error,
                               "expected a field of at most 1048576 bytes, found a longer one");
        }
        if (i == length && !csv->at_eof)
            return SCAN_MORE;
        if (i < length && text[i] == '\0')
            return fail_at(csv, line, error, "expected text, found a NUL byte");
        if (!add_span(csv, span)) {
            no_memory(csv, csv->n_fields * sizeof span, error);
            return SCAN_FAILED;
        }
        if (i == length || text[i] != csv->dialect.separator)
            break;
    }
    *record_length = i;
    if (i < length) {
        bool carriage = text[i++] == '\r';
        if (carriage && i + 1 >= length && !csv->at_eof)
            return SCAN_MORE;
        if (carriage && i + 1 < length && text[i] == '\r' && text[i + 1] == '\n') {
            if (csv->odd.double_carriage++ == 0)
                csv->odd.first_double_carriage = csv->line + *lines;
            i++;
        }
        if (carriage && i < length && text[i] == '\n')
            i++;
        ++*lines;
    } else if (i > 0) {
        csv->odd.open_end = csv->line + *lines;
    }
    *whole_length = i;
    return SCAN_RECORD;
}

/* Copies one field, quotes undone, in UTF-8, with a NUL; returns the byte behind it. */
static char *copy_field(char *to, const char *from, size_t length, bool quoted, bool windows_1252)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)from[i];
        if (windows_1252 && c >= 0x80)
            to += text_put_windows_1252(to, c);
        else
            *to++ = from[i];
        i += quoted && c == '"'; /* the second of two */
    }
    *to++ = '\0';
    return to;
}

static enum maille_code copy_fields(struct csv *csv, size_t record_length, struct maille_error *error)
{
    const char *text = csv->buffer + csv->start;
    /* A byte of Windows-1252 becomes three of UTF-8 at most. */
    size_t need = 3 * record_length + csv->n_fields;
    if (need > csv->text_capacity) {
        char *grown = realloc(csv->text, 2 * need);
        if (grown == NULL)
            return no_memory(csv, 2 * need, error);
        csv->text = grown;
        csv->text_capacity = 2 * need;
    }
    char *to = csv->text;
    for (size_t f = 0; f < csv->n_fields; f++) {
        struct span span = csv->spans[f];
        char *end =
            copy_field(to, text + span.begin, span.end - span.begin, span.quoted, csv->dialect.windows_1252);
        csv->fields[f] =
            (struct csv_field){.text = to, .length = (size_t)(end - to) - 1, .quoted = span.quoted};
        to = end;
    }
    return MAILLE_OK;
}

static bool is_blank(const struct csv *csv, size_t record_length)
{
    (void)text_trim(csv->buffer + csv->start, &record_length);
    return csv->n_fields == 1 && !csv->spans[0].quoted && record_length == 0;
}

enum maille_code csv_next(struct csv *csv, struct csv_record *record, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error unasked;
    size_t record_length = 0, whole_length = 0, lines = 0;
    if (error == NULL)
        error = &unasked;
    if (csv->encoding.fault.line > 0) {
        csv->fault = csv->encoding.fault;
        return maille_fail(error, MAILLE_INVALID, "%s: line %zu: %s", csv->path, csv->fault.line,
                           csv->fault.sentence);
    }
    csv->fault.line = 0;
    for (;;) {
        if (csv->start == csv->end && csv->at_eof) {
            *record = (struct csv_record){.line = csv->line};
            return MAILLE_OK;
        }
        enum scan found = csv->start == csv->end
                              ? SCAN_MORE
                              : scan_record(csv, &record_length, &whole_length, &lines, error);
        if (found == SCAN_FAILED)
            return error->code;
        if (found == SCAN_MORE) {
            if (csv->end - csv->start > RECORD_BYTES_MAX) {
                fail_at(csv, csv->line, error, "expected a record of at most 67108864 bytes, found more");
                return error->code;
            }
            MAILLE_TRY(fill(csv, error));
            continue;
        }
        if (!is_blank(csv, record_length))
            break;
        csv->start += whole_length;
        csv->line += lines;
    }
    MAILLE_TRY(copy_fields(csv, record_length, error));
    *record = (struct csv_record){.fields = csv->fields,
                                  .n = csv->n_fields,
                                  .line = csv->line,
                                  .raw = csv->buffer + csv->start,
                                  .raw_length = record_length};
    if (lines > 1 && csv->odd.spanning++ == 0)
        csv->odd.first_spanning = csv->line;
    csv->start += whole_length;
    csv->line += lines;
out:
    return code;
}

bool csv_skip(struct csv *csv)
{
    if (csv->encoding.fault.line > 0)
        return false;
    for (;;) {
        const char *text = csv->buffer + csv->start;
        size_t length = csv->end - csv->start, i = 0;
        while (i < length && text[i] != '\n' && text[i] != '\r')
            i++;
        if (i + 2 >= length && !csv->at_eof) {
            if (length > RECORD_BYTES_MAX || fill(csv, NULL) != MAILLE_OK)
                return false;
            continue;
        }
        if (i == length)
            csv->odd.open_end = csv->line;
        for (size_t carriages = 0; i < length && carriages < 2 && text[i] == '\r'; carriages++)
            if (++i < length && text[i] != '\n' &&
                !(text[i] == '\r' && i + 1 < length && text[i + 1] == '\n'))
                break;
        if (i < length && text[i] == '\n')
            i++;
        csv->start += i;
        csv->line++;
        return true;
    }
}

/* ---- Writing ---- */

void csv_put_quoted(struct bytes *out, const char *text)
{
    bytes_put_u8(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            bytes_put_u8(out, '"');
        bytes_put_u8(out, (uint8_t)*text);
    }
    bytes_put_u8(out, '"');
}
