#include "base/finding.h"

#include "base/test.h"

static const char text[] = "study: x\n"
                           "title: Überleben\n"
                           "analyses:\n"
                           "  - { id: os, method: kmm, formula: \"Surv(dtime, deaht) ~ 1\" }\n";

static void check(struct arena *arena, const char *sentence, const char *file, int line, int column, int end,
                  const char *expected, const char *found, const char *hint)
{
    struct finding f;
    finding_of_sentence(&f, arena, sentence, text, sizeof text - 1);
    assert_string_equal(f.file == NULL ? "" : f.file, file);
    assert_int_equal(f.line, line);
    assert_int_equal(f.column, column);
    assert_int_equal(f.end, end);
    assert_string_equal(f.expected, expected);
    assert_string_equal(f.found == NULL ? "" : f.found, found);
    assert_string_equal(f.hint == NULL ? "" : f.hint, hint);
    assert_string_equal(f.sentence, sentence);
}

static void taken_apart(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    check(a, "s.yaml:4:23: expected a method, found `kmm`; did you mean `km`?", "s.yaml", 4, 23, 26,
          "a method", "`kmm`", "did you mean `km`?");
    /* a name with a colon, marks inside quotes */
    check(a, "C:a b.yaml:4:50: expected `x; y`, found `deaht, found z`", "C:a b.yaml", 4, 50, 55, "`x; y`",
          "`deaht, found z`", "");
    check(a, "s.yaml:2:8: expected one line", "s.yaml", 2, 8, 17, "one line", "",
          ""); /* Ü is one character */
    check(a, "s.yaml:4:37: expected a formula", "s.yaml", 4, 37, 61, "a formula", "",
          ""); /* the quoted text */
    check(a, "s.yaml:4:5: expected the key `z`, found none", "s.yaml", 4, 5, 63, "the key `z`", "none", "");
    check(a, "s.yaml:9:1: expected more, found the end", "s.yaml", 9, 1, 2, "more", "the end", "");
    check(a, "expected a study, found none; name one", "", 0, 0, 0, "a study", "none", "name one");
    check(a, "no memory: 12:13", "", 0, 0, 0, "no memory: 12:13", "", "");
    arena_free(a);
}

static void without_text(void **state)
{
    struct arena *a = arena_new();
    struct finding f;
    (void)state;
    finding_of_sentence(&f, a, "s.yaml:4:23: expected a method, found `kmm`", NULL, 0);
    assert_int_equal(f.end, 24);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(taken_apart), cmocka_unit_test(without_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
