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
    double number;      /* finite: NaN and infinities become RESULT_NULL when they are made */
    bool heads;         /* an integer or a number that counts patients, rows or events */
    double part, whole; /* of a number that is a share of heads: of which. whole 0: it is none */
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

/* Heads: patients, rows or events, and what is one more or less than they are (degrees of freedom). A policy
 * may want them rounded (round_counts). */
void result_add_count(struct result *to, const char *name, int64_t value);
void result_add_real_count(struct result *to, const char *name, double value); /* as a number: 12.0 */
/* A share of heads: part/whole. */
void result_add_share(struct result *to, const char *name, double part, double whole);

/* The item of this name of another object, as it is there; null where it has none. */
void result_add_same(struct result *to, const char *name, const struct result *object);

/* To the nearest multiple of base, and up where two are as near. base 0 or 1: as it is. */
double result_rounded(double heads, uint64_t base);
/* All heads in a tree, and the shares of them from the rounded ones (null where the whole is 0 then). What
 * else was worked out of heads stays. */
void result_round(struct result *result, uint64_t base);

/* The item of an object, or NULL. */
const struct result *result_get(const struct result *object, const char *name);
/* The same as a string (NULL: none is there) and as a number (NaN: none is there). object may be NULL. */
const char *result_text(const struct result *object, const char *name);
double result_number(const struct result *object, const char *name);
/* Are two texts that may be NULL the same? */
bool result_same(const char *a, const char *b);

#endif
