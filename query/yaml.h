/* The door to libyaml: a document whose every node knows its line. Nothing else includes yaml.h. */
#ifndef QUERY_YAML_H
#define QUERY_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum yaml_kind { YAML_KIND_SCALAR, YAML_KIND_LIST, YAML_KIND_MAP };

/* One node; all of it lives in the arena that was passed to the parser. Lines and columns count from 1.
 * Anchors, aliases, tags, several documents and a key twice in one map are refused (MAILLE_INVALID) with
 * file, line and column. */
struct yaml_node {
    enum yaml_kind kind;
    const char *file; /* as given to the parser */
    int line, column;
    int text_line, text_column; /* SCALAR: of the first character of its text: after a quote, below a `|` */
    const char *scalar;         /* SCALAR: text, NUL-terminated UTF-8 without embedded NUL */
    bool quoted;                /* SCALAR: written in quotes, so "null" and "off" are strings */
    size_t n;                   /* LIST: items; MAP: pairs */
    const struct yaml_node **keys;   /* MAP: scalars */
    const struct yaml_node **values; /* LIST and MAP */
};

/* Limits that untrusted text (a manifest's study) meets before it is parsed. */
enum { YAML_BYTES_MAX = 1024 * 1024, YAML_DEPTH_MAX = 16, YAML_NODES_MAX = 200000, YAML_KEYS_MAX = 1024 };

/* Parses text (length bytes of UTF-8; NULL where there are none). name stands for the file in errors:
 * "study.yaml:3:7: expected …, found …". */
enum maille_code yaml_parse(const struct yaml_node **root, struct arena *arena, const char *name,
                            const char *text, size_t length, struct maille_error *error) MAILLE_CHECKED;

/* Fails with MAILLE_INVALID and "file:line:column: sentence". */
enum maille_code yaml_fail(struct maille_error *error, const struct yaml_node *at, const char *format, ...)
    MAILLE_PRINTF(3, 4);
#ifdef __clang_analyzer__
#define yaml_fail(...) ((void)yaml_fail(__VA_ARGS__), MAILLE_INVALID)
#endif

/* The value under key, or NULL. map may be NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* Fails on the first key that is not in the NULL-terminated list, naming the nearest known one. */
enum maille_code yaml_only_keys(const struct yaml_node *map, const char *const *known,
                                struct maille_error *error) MAILLE_CHECKED;

/* Scalars of a type. `at` must not be NULL. Errors name file, line, column and what was found. */
enum maille_code yaml_string(const char **value, const struct yaml_node *at,
                             struct maille_error *error) MAILLE_CHECKED;
enum maille_code yaml_number(double *value, const struct yaml_node *at, double min, double max,
                             struct maille_error *error) MAILLE_CHECKED;
enum maille_code yaml_integer(int64_t *value, const struct yaml_node *at, int64_t min, int64_t max,
                              struct maille_error *error) MAILLE_CHECKED;
enum maille_code yaml_boolean(bool *value, const struct yaml_node *at,
                              struct maille_error *error) MAILLE_CHECKED; /* true, false */

/* The list of at most `most` texts that stands under key. They live where the tree does, the array in arena.
 */
enum maille_code yaml_texts(const char ***texts, size_t *n, struct arena *arena, const struct yaml_node *list,
                            const char *key, size_t most, struct maille_error *error) MAILLE_CHECKED;

#endif
