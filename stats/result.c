#include "stats/result.h"

#include <math.h>
#include <string.h>

static struct result *result_make(struct arena *arena, enum result_kind kind)
{
    struct result *result = arena_alloc(arena, sizeof *result);
    result->kind = kind;
    result->arena = arena;
    return result;
}

struct result *result_object(struct arena *arena)
{
    return result_make(arena, RESULT_OBJECT);
}

struct result *result_list(struct arena *arena)
{
    return result_make(arena, RESULT_LIST);
}

/* Room for one item more. The arena keeps the outgrown arrays until it is freed: together less than the last
 * one. */
static void result_grow(struct result *to)
{
    if (to->n < to->capacity)
        return;
    size_t capacity = to->capacity == 0 ? 8 : 2 * to->capacity;
    struct result **items = arena_array(to->arena, capacity, sizeof(struct result *));
    if (to->n > 0)
        memcpy(items, to->items, to->n * sizeof *items);
    to->items = items;
    if (to->kind == RESULT_OBJECT) {
        const char **names = arena_array(to->arena, capacity, sizeof *names);
        if (to->n > 0)
            memcpy(names, to->names, to->n * sizeof *names);
        to->names = names;
    }
    to->capacity = capacity;
}

void result_add(struct result *to, const char *name, struct result *item)
{
    result_grow(to);
    if (to->kind == RESULT_OBJECT)
        to->names[to->n] = arena_strdup(to->arena, name);
    to->items[to->n++] = item;
}

void result_add_null(struct result *to, const char *name)
{
    result_add(to, name, result_make(to->arena, RESULT_NULL));
}

void result_add_boolean(struct result *to, const char *name, bool value)
{
    struct result *item = result_make(to->arena, RESULT_BOOLEAN);
    item->boolean = value;
    result_add(to, name, item);
}

void result_add_integer(struct result *to, const char *name, int64_t value)
{
    struct result *item = result_make(to->arena, RESULT_INTEGER);
    item->integer = value;
    result_add(to, name, item);
}

void result_add_number(struct result *to, const char *name, double value)
{
    if (!isfinite(value)) {
        result_add_null(to, name);
        return;
    }
    struct result *item = result_make(to->arena, RESULT_NUMBER);
    item->number = value;
    result_add(to, name, item);
}

void result_add_count(struct result *to, const char *name, int64_t value)
{
    result_add_integer(to, name, value);
    to->items[to->n - 1]->heads = true;
}

void result_add_real_count(struct result *to, const char *name, double value)
{
    result_add_number(to, name, value);
    to->items[to->n - 1]->heads = true;
}

void result_add_share(struct result *to, const char *name, double part, double whole)
{
    result_add_number(to, name, part / whole);
    struct result *item = to->items[to->n - 1];
    item->part = part;
    item->whole = whole;
}

void result_add_same(struct result *to, const char *name, const struct result *object)
{
    const struct result *item = result_get(object, name);
    result_add_null(to, name);
    if (item != NULL)
        *to->items[to->n - 1] = *item;
}

double result_rounded(double heads, uint64_t base)
{
    return base < 2 ? heads : floor(heads / (double)base + 0.5) * (double)base;
}

void result_round(struct result *result, uint64_t base)
{
    for (size_t i = 0; i < result->n; i++)
        result_round(result->items[i], base);
    if (result->heads && result->kind == RESULT_INTEGER)
        result->integer = (int64_t)result_rounded((double)result->integer, base);
    if (result->heads && result->kind == RESULT_NUMBER)
        result->number = result_rounded(result->number, base);
    if (base > 1 && result->whole > 0 && result->kind == RESULT_NUMBER) {
        result->number = result_rounded(result->part, base) / result_rounded(result->whole, base);
        if (!isfinite(result->number))
            result->kind = RESULT_NULL;
    }
}

void result_add_string(struct result *to, const char *name, const char *value)
{
    if (value == NULL) {
        result_add_null(to, name);
        return;
    }
    struct result *item = result_make(to->arena, RESULT_STRING);
    item->string = arena_strdup(to->arena, value);
    result_add(to, name, item);
}

struct result *result_add_object(struct result *to, const char *name)
{
    struct result *item = result_object(to->arena);
    result_add(to, name, item);
    return item;
}

struct result *result_add_list(struct result *to, const char *name)
{
    struct result *item = result_list(to->arena);
    result_add(to, name, item);
    return item;
}

const struct result *result_get(const struct result *object, const char *name)
{
    if (object == NULL || object->kind != RESULT_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->n; i++)
        if (strcmp(object->names[i], name) == 0)
            return object->items[i];
    return NULL;
}

const char *result_text(const struct result *object, const char *name)
{
    const struct result *value = result_get(object, name);
    return value != NULL && value->kind == RESULT_STRING ? value->string : NULL;
}

double result_number(const struct result *object, const char *name)
{
    const struct result *value = result_get(object, name);
    return value == NULL                   ? NAN
           : value->kind == RESULT_NUMBER  ? value->number
           : value->kind == RESULT_INTEGER ? (double)value->integer
                                           : NAN;
}

bool result_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}
