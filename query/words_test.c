/* Expressions in words: what a researcher could have written reads back to the same expression, with no
 * brackets more than that needs; the rest has words of its own. */
#include "query/words.h"

#include "base/test.h"
#include "query/fixture.h"

static const char dictionary_text[] =
    "dictionary: t\nversion: 1\nkey: pid\nvariables:\n"
    "  - { name: age, type: integer, min: 0, max: 120 }\n"
    "  - { name: year, type: integer, min: 1970, max: 2000 }\n"
    "  - { name: nodes, type: integer, min: 1, max: 60 }\n"
    "  - { name: size, type: category, levels: [\"<=20\", \"20-50\", \">50\"] }\n"
    "  - { name: chemo, type: boolean }\n";

static int setup(void **state)
{
    fixture_open(state, dictionary_text);
    return 0;
}

static const struct expression *parse(const struct fixture *f, const char *text)
{
    const struct expression_scope scope = {
        .dictionary = f->dictionary, .file = "s.yaml", .line = 1, .column = 1};
    const struct expression *parsed;
    struct maille_error error = {0};
    assert_ok(expression_parse(&parsed, f->arena, &scope, text, &error), &error);
    return parsed;
}

static const char *words_of(const struct fixture *f, const struct expression *e)
{
    struct bytes out = {0};
    expression_words(&out, e, f->dictionary);
    const char *text = arena_strndup(f->arena, (const char *)out.data, out.length);
    bytes_clear(&out);
    return text;
}

static const struct expression *variable(const struct fixture *f, const char *name)
{
    return expression_variable(f->arena, f->dictionary, (uint32_t)dictionary_find(f->dictionary, name));
}

static void what_was_written_reads_back(void **state)
{
    static const char *const written[] = {"age >= 18 && year >= 1980",
                                          "age >= 18 && (year > 1990 || chemo)",
                                          "age >= 18 && year > 1990 || chemo",
                                          "!chemo",
                                          "!(age >= 18 && chemo)",
                                          "age - (year - nodes) > 1",
                                          "age - year - nodes > 1",
                                          "age / (year / nodes) > 1",
                                          "age / (year * nodes) > 1",
                                          "age * (year + nodes) > 1",
                                          "age * year + nodes > 1",
                                          "(age + year)^2 > 1",
                                          "age + year^2 > 1",
                                          "log(nodes + 1) / 2 <= sqrt(age)"};
    const struct fixture *f = *state;
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        struct bytes once = {0}, again = {0};
        const struct expression *e = parse(f, written[i]);
        const char *words = words_of(f, e);
        assert_string_equal(words, written[i]);
        expression_serialise(&once, e);
        expression_serialise(&again, parse(f, words));
        assert_int_equal(once.length, again.length);
        assert_memory_equal(once.data, again.data, once.length);
        bytes_clear(&once);
        bytes_clear(&again);
    }
}

static void the_rest_has_words(void **state)
{
    const struct fixture *f = *state;
    struct arena *a = f->arena;
    const struct expression *age = variable(f, "age"), *size = variable(f, "size");
    static const double breaks[] = {1, 4};
    const struct expression *missing = expression_unary(a, OP_IS_MISSING, age);
    const struct expression *scaled = expression_scale(a, age, 60, 64);
    const struct expression *known = expression_select(a, missing, expression_constant(a, 0), scaled);
    const struct expression *cut = expression_cut_open(a, variable(f, "nodes"), breaks, 2, false);
    const struct expression *both[] = {cut, size};
    const struct expression *complete = expression_complete(a, both, 2);
    assert_string_equal(words_of(f, scaled), "(age - 60) / 64");
    assert_string_equal(words_of(f, known), "(age - 60) / 64 where known");
    assert_string_equal(words_of(f, expression_power(a, known, 2)), "((age - 60) / 64 where known)^2");
    assert_string_equal(words_of(f, expression_unary(a, OP_NOT, missing)), "age known");
    assert_string_equal(words_of(f, complete), "complete(nodes cut at {1, 4}, size)");
    assert_string_equal(words_of(f, expression_unary(a, OP_NOT, complete)),
                        "!complete(nodes cut at {1, 4}, size)");
    assert_string_equal(words_of(f, expression_cross(a, both, 2)), "nodes cut at {1, 4} x size");
    assert_string_equal(words_of(f, expression_indicator(a, size, 1)), "size is 20-50");
    assert_string_equal(
        words_of(f, expression_unary(a, OP_NEGATE, expression_binary(a, OP_ADD, age, scaled))),
        "-(age + (age - 60) / 64)");
    assert_string_equal(words_of(f, expression_survival(a, OP_SURV_EXIT, 3)), "exit time on the grid");
}

/* Steps that a method has named are read by their names. */
static void named_steps_are_short(void **state)
{
    const struct fixture *f = *state;
    static const char *const names[] = {"left", "started", "no start"};
    static const double some[] = {1, 0, 1}, first[] = {1, 0, 0}, table[] = {0, 1, -1};
    const struct expression *code = expression_named_bin(f->arena, parse(f, "nodes"), names, 3);
    assert_string_equal(words_of(f, expression_in_levels(f->arena, code, some)), "none of {started}");
    assert_string_equal(words_of(f, expression_in_levels(f->arena, code, first)), "one of {left}");
    assert_string_equal(words_of(f, expression_recode(f->arena, code, table, names, 2)), "left, started");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(what_was_written_reads_back), TEST(the_rest_has_words),
                                       TEST(named_steps_are_short)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
