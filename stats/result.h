/* A result as a tree: objects, lists, numbers, strings, null. Method files build it; report/ writes it as
 * JSON, CSV, HTML. */
#ifndef STATS_RESULT_H
#define STATS_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum result_kind {
    RESULT_NULL,
    RESULT_BOOLEAN,
    RESULT_INTEGER,
    RESULT_NUMBER,
    RESULT_STRING,
    RESULT_LIST,
    RESULT_OBJECT
};

struct result {
    enum result_kind kind;
    bool boolean;
    int64_t integer;
    double number; /* finite: NaN and infinities become RESULT_NULL when they are made */
    const char *string;
    size_t n, capacity;
    const char **names; /* OBJECT, in the order of docs/RESULT.md */
    struct result **items;
    struct arena *arena;
};

struct result *result_object(struct arena *arena);
struct result *result_list(struct arena *arena);

/* Adding to an object (name given) or to a list (name NULL). Strings are copied. A number that is not finite
 * becomes null. */
void result_add(struct result *to, const char *name, struct result *item);
void result_add_null(struct result *to, const char *name);
void result_add_boolean(struct result *to, const char *name, bool value);
void result_add_integer(struct result *to, const char *name, int64_t value);
void result_add_number(struct result *to, const char *name, double value);
void result_add_string(struct result *to, const char *name, const char *value); /* NULL: null */
struct result *result_add_object(struct result *to, const char *name);
struct result *result_add_list(struct result *to, const char *name);

/* The item of an object, or NULL. */
const struct result *result_get(const struct result *object, const char *name);
/* The same as a string (NULL: none is there) and as a number (NaN: none is there). object may be NULL. */
const char *result_text(const struct result *object, const char *name);
double result_number(const struct result *object, const char *name);
/* Are two texts that may be NULL the same? */
bool result_same(const char *a, const char *b);

#endif
