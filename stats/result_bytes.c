#include "stats/result_bytes.h"

#include <math.h>
#include <string.h>

enum { DEPTH_MAX = 32, TEXT_MAX = 1 << 20 };

void result_write(struct bytes *out, const struct result *result)
{
    bytes_put_u8(out, (uint8_t)result->kind);
    switch (result->kind) {
    case RESULT_NULL:
        break;
    case RESULT_BOOLEAN:
        bytes_put_u8(out, result->boolean);
        break;
    case RESULT_INTEGER:
        bytes_put_u64(out, (uint64_t)result->integer);
        break;
    case RESULT_NUMBER:
        bytes_put_f64(out, result->number);
        break;
    case RESULT_STRING:
        bytes_put_string(out, result->string);
        break;
    case RESULT_LIST:
    case RESULT_OBJECT:
        bytes_put_u64(out, result->n);
        for (size_t i = 0; i < result->n; i++) {
            if (result->kind == RESULT_OBJECT)
                bytes_put_string(out, result->names[i]);
            result_write(out, result->items[i]);
        }
    }
}

enum { HEADS_NONE, HEADS, HEADS_SHARE };

void result_write_heads(struct bytes *out, const struct result *result)
{
    for (size_t i = 0; i < result->n; i++)
        result_write_heads(out, result->items[i]);
    if (result->kind == RESULT_LIST || result->kind == RESULT_OBJECT)
        return;
    bytes_put_u8(out, result->heads ? HEADS : result->whole > 0 ? HEADS_SHARE : HEADS_NONE);
    if (!result->heads && result->whole > 0) {
        bytes_put_f64(out, result->part);
        bytes_put_f64(out, result->whole);
    }
}

bool result_read_heads(struct result *result, struct reader *reader)
{
    for (size_t i = 0; i < result->n; i++)
        if (!result_read_heads(result->items[i], reader))
            return false;
    if (result->kind == RESULT_LIST || result->kind == RESULT_OBJECT)
        return true;
    const uint8_t what = reader_u8(reader);
    result->heads = what == HEADS;
    if (what == HEADS_SHARE) {
        result->part = reader_f64(reader);
        result->whole = reader_f64(reader);
        return !reader->bad && result->part >= 0 && result->whole > 0 && result->part <= result->whole;
    }
    return !reader->bad && what <= HEADS_SHARE;
}

void result_write_shape(struct bytes *out, const struct result *result)
{
    bytes_put_u8(out, (uint8_t)result->kind);
    if (result->kind != RESULT_LIST && result->kind != RESULT_OBJECT)
        return;
    bytes_put_u64(out, result->n);
    for (size_t i = 0; i < result->n; i++) {
        if (result->kind == RESULT_OBJECT)
            bytes_put_string(out, result->names[i]);
        result_write_shape(out, result->items[i]);
    }
}

/* A text without a NUL; NULL: it is none. */
static const char *take_text(struct reader *reader, struct arena *arena)
{
    size_t length = 0;
    const uint8_t *text = reader_block(reader, TEXT_MAX, &length);
    if (text == NULL || memchr(text, 0, length) != NULL)
        return NULL;
    return arena_strndup(arena, (const char *)text, length);
}

static struct result *take(struct reader *reader, struct arena *arena, unsigned depth);

static struct result *take_items(struct reader *reader, struct arena *arena, enum result_kind kind,
                                 unsigned depth)
{
    struct result *made = kind == RESULT_LIST ? result_list(arena) : result_object(arena);
    const uint64_t n = reader_u64(reader);
    if (depth == DEPTH_MAX)
        return NULL;
    for (uint64_t i = 0; i < n; i++) { /* an item has a byte at least: the bytes bound their number */
        const char *name = NULL;
        if (kind == RESULT_OBJECT && (name = take_text(reader, arena)) == NULL)
            return NULL;
        struct result *item = take(reader, arena, depth + 1);
        if (item == NULL)
            return NULL;
        result_add(made, name, item);
    }
    return made;
}

static struct result *take(struct reader *reader, struct arena *arena, unsigned depth)
{
    const uint8_t kind = reader_u8(reader);
    if (reader->bad || kind > RESULT_OBJECT)
        return NULL;
    if (kind == RESULT_LIST || kind == RESULT_OBJECT)
        return take_items(reader, arena, (enum result_kind)kind, depth);
    struct result *made = arena_alloc(arena, sizeof *made);
    *made = (struct result){.kind = (enum result_kind)kind, .arena = arena};
    if (kind == RESULT_BOOLEAN) {
        const uint8_t value = reader_u8(reader);
        made->boolean = value != 0;
        reader->bad = reader->bad || value > 1;
    }
    if (kind == RESULT_INTEGER)
        made->integer = (int64_t)reader_u64(reader);
    if (kind == RESULT_NUMBER)
        made->number = reader_f64(reader);
    if (kind == RESULT_STRING && (made->string = take_text(reader, arena)) == NULL)
        return NULL;
    return reader->bad || !isfinite(made->number) ? NULL : made;
}

struct result *result_read(struct reader *reader, struct arena *arena)
{
    return take(reader, arena, 0);
}

/* --- two of them --- */

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* Does a number of this name come from Rmath, on its last step? (`odds_ratio`: Fisher's, a root.) */
static bool of_rmath(const char *name)
{
    static const char *const ends[] = {"p_value", "low", "high", "odds_ratio"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(name, ends[i]))
            return true;
    return false;
}

static bool numbers_agree(double a, double b, const char *name)
{
    static const double near = 1e-9;
    uint64_t bits_a, bits_b;
    memcpy(&bits_a, &a, sizeof a);
    memcpy(&bits_b, &b, sizeof b);
    if (bits_a == bits_b)
        return true;
    const double x = fabs(a), y = fabs(b);
    return of_rmath(name) && fabs(a - b) <= near * (x > y ? x : y);
}

static bool agree(const struct result *a, const struct result *b, const char *within, const char **name)
{
    bool equal = a->kind == b->kind && a->n == b->n;
    if (equal && a->kind == RESULT_BOOLEAN)
        equal = a->boolean == b->boolean;
    if (equal && a->kind == RESULT_INTEGER)
        equal = a->integer == b->integer;
    if (equal && a->kind == RESULT_NUMBER)
        equal = numbers_agree(a->number, b->number, within);
    if (equal && a->kind == RESULT_STRING)
        equal = strcmp(a->string, b->string) == 0;
    for (size_t i = 0; equal && i < a->n; i++) {
        const bool named = a->kind == RESULT_OBJECT;
        equal = !named || strcmp(a->names[i], b->names[i]) == 0;
        if (equal && !agree(a->items[i], b->items[i], named ? a->names[i] : within, name))
            return false; /* the innermost has said where */
    }
    if (!equal)
        *name = within;
    return equal;
}

bool result_agrees(const struct result *a, const struct result *b, const char **name)
{
    return agree(a, b, "", name);
}
