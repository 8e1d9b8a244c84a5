#include "base/finding.h"

#include <string.h>

#include "base/number.h"

/* The mark outside quotes where `separator` stands last (or first), or NULL. Quotes are ` and ". */
static const char *outside_quotes(const char *sentence, const char *separator, bool last)
{
    const char *at = NULL;
    char quote = '\0';
    for (const char *c = sentence; *c != '\0'; c++) {
        if (quote != '\0') {
            if (*c == quote)
                quote = '\0';
        } else if (*c == '`' || *c == '"') {
            if (strchr(c + 1, *c) != NULL)
                quote = *c;
        } else if (strncmp(c, separator, strlen(separator)) == 0) {
            at = c;
            if (!last)
                break;
        }
    }
    return at;
}

/* ":17:" at c: its number, and what follows; NULL when it is none. */
static const char *number_between(const char *c, int *number)
{
    size_t length = strspn(c + (*c == ':'), "0123456789");
    int64_t value;
    if (*c != ':' || length == 0 || length > 9 || !number_parse_i64(c + 1, length, &value))
        return NULL;
    *number = (int)value;
    return c + 1 + length;
}

/* Splits "file:line:column: " off; what remains. A file may have colons in its name. */
static const char *split_place(struct finding *finding, struct arena *arena, const char *sentence)
{
    for (const char *c = strchr(sentence, ':'); c != NULL; c = strchr(c + 1, ':')) {
        int line, column = 0;
        const char *after = number_between(c, &line), *behind;
        if (after == NULL)
            continue;
        behind = number_between(after, &column);
        if (behind == NULL) { /* "file:line: " */
            behind = after;
            column = 0;
        }
        if (strncmp(behind, ": ", 2) != 0)
            continue;
        finding->file = arena_strndup(arena, sentence, (size_t)(c - sentence));
        finding->line = line;
        finding->column = column;
        return behind + 2;
    }
    return sentence;
}

static bool is_start(char c) /* of a UTF-8 character */
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

/* The place of a line and column in text, or NULL. */
static const char *place_of(const char *text, size_t length, int line, int column)
{
    const char *c = text, *end = text + length;
    for (int l = 1; l < line; l++) {
        c = memchr(c, '\n', (size_t)(end - c));
        if (c == NULL)
            return NULL;
        c++;
    }
    for (int k = 1; k < column && c < end && *c != '\n'; k++)
        for (c++; c < end && !is_start(*c);)
            c++;
    return c < end ? c : NULL;
}

/* Where what is wrong ends: after the found text where it stands there, else after the word, the quoted text
 * or the bracket that begins there. */
static int end_of(const struct finding *finding, const char *text, size_t length)
{
    const char *begin = place_of(text, length, finding->line, finding->column), *end = text + length, *c;
    int column = finding->column;
    if (begin == NULL || *begin == '\n')
        return column + 1;
    const char *line_end = memchr(begin, '\n', (size_t)(end - begin));
    if (line_end == NULL)
        line_end = end;
    const char *found = finding->found;
    size_t n = found == NULL ? 0 : strlen(found);
    if (n > 2 && (found[0] == '`' || found[0] == '"') && found[n - 1] == found[0]) {
        found++;
        n -= 2;
    }
    if (n > 0 && n <= (size_t)(line_end - begin) && memcmp(begin, found, n) == 0) {
        c = begin + n;
    } else if (*begin == '"' || *begin == '\'') {
        c = memchr(begin + 1, *begin, (size_t)(line_end - begin - 1));
        c = c == NULL ? line_end : c + 1;
    } else if (*begin == '{' || *begin == '[') {
        c = memchr(begin, *begin == '{' ? '}' : ']', (size_t)(line_end - begin));
        c = c == NULL ? line_end : c + 1;
    } else {
        for (c = begin; c < line_end && strchr(" \t\r,:()[]{}\"'#~+*", *c) == NULL; c++)
            ;
        c = c == begin ? c + 1 : c;
    }
    for (; begin < c; begin++)
        column += is_start(*begin);
    return column;
}

void finding_of_sentence(struct finding *finding, struct arena *arena, const char *sentence, const char *text,
                         size_t length)
{
    static const char expected[] = "expected ", found[] = ", found ";
    *finding = (struct finding){.sentence = arena_strdup(arena, sentence)};
    const char *rest = split_place(finding, arena, finding->sentence);
    const char *hint = outside_quotes(rest, "; ", true);
    if (hint != NULL) {
        finding->hint = hint + 2;
        rest = arena_strndup(arena, rest, (size_t)(hint - rest));
    }
    const char *what = strncmp(rest, expected, strlen(expected)) == 0 ? rest + strlen(expected) : rest;
    const char *at = outside_quotes(what, found, true);
    finding->expected = at == NULL ? what : arena_strndup(arena, what, (size_t)(at - what));
    finding->found = at == NULL ? NULL : at + strlen(found);
    if (finding->column > 0)
        finding->end = text == NULL ? finding->column + 1 : end_of(finding, text, length);
}

void finding_put(struct json_put *put, const struct finding *finding)
{
    json_put_object(put, NULL);
    json_put_text(put, "file", finding->file);
    json_put_integer(put, "line", finding->line);
    json_put_integer(put, "column", finding->column);
    json_put_integer(put, "end", finding->end);
    json_put_text(put, "expected", finding->expected);
    json_put_text(put, "found", finding->found);
    json_put_text(put, "hint", finding->hint);
    json_put_text(put, "sentence", finding->sentence);
    json_put_end(put);
}
