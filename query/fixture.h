/* What the tests of this room start from: an arena, a dictionary of the test's own, a scope over it and room
 * for what is derived. */
#ifndef QUERY_FIXTURE_H
#define QUERY_FIXTURE_H

#include "base/test.h"

#include "query/expression.h"

struct fixture {
    struct arena *arena;
    const struct dictionary *dictionary;
    struct expression_scope scope;
    struct derived derived[2];
};

static inline struct fixture *fixture_open(void **state, const char *dictionary_text)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct maille_error error = {0};
    f->arena = arena_new();
    assert_ok(dictionary_parse(&f->dictionary, f->arena, "d.yaml", dictionary_text, strlen(dictionary_text),
                               &error),
              &error);
    f->scope =
        (struct expression_scope){.dictionary = f->dictionary, .file = "s.yaml", .line = 7, .column = 9};
    *state = f;
    return f;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->arena);
    free(f);
    return 0;
}

#endif
