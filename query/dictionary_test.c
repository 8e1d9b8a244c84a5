#include "query/dictionary.h"

#include "base/test.h"

#include "base/file.h"

static enum maille_code parse(const struct dictionary **d, struct arena *arena, const char *text,
                              struct maille_error *error)
{
    return dictionary_parse(d, arena, "d.yaml", text, strlen(text), error);
}

#define HEAD "dictionary: t\nversion: 3\nkey: pid\n"

static void every_type_is_read(void **state)
{
    (void)state;
    static const char text[] =
        HEAD "missing: [\"\", \"NA\"]\n"
             "variables:\n"
             "  - { name: age, label: Age at surgery, type: integer, units: years, min: 0, max: 120, role: "
             "quasi, cuts: [18, 65] }\n"
             "  - { name: size, type: category, levels: [\"<=20\", \"20-50\", \">50\"], "
             "labels: [\"T1\", \"T2\", \"T3, or more\"] }\n"
             "  - { name: pgr, type: real, units: fmol/l, min: 0, max: 6000, resolution: 0.5 }\n"
             "  - { name: chemo, type: boolean, labels: [none, given] }\n"
             "  - { name: dtime, type: duration, units: days, min: 0, max: 9000 }\n"
             "  - { name: months, type: duration, units: months, min: 0, max: 300, resolution: 0.1 }\n"
             "  - { name: dx.date, type: date, min: 1970-01-02, max: \"2030-12-31\", role: date }\n";
    struct arena *arena = arena_new();
    struct maille_error error = {0};
    const struct dictionary *d = NULL;
    assert_int_equal(parse(&d, arena, text, &error), MAILLE_OK);
    assert_string_equal(d->name, "t");
    assert_int_equal(d->version, 3);
    assert_string_equal(d->key, "pid");
    assert_int_equal(d->n_missing, 2);
    assert_string_equal(d->missing[1], "NA");
    assert_int_equal(d->n_variables, 7);
    assert_int_equal(d->text_length, strlen(text));
    const struct variable *v = d->variables;
    assert_string_equal(v[0].label, "Age at surgery");
    assert_int_equal(v[0].type, VARIABLE_INTEGER);
    assert_int_equal(v[0].role, ROLE_QUASI);
    assert_true(v[0].min == 0 && v[0].max == 120 && v[0].resolution == 1);
    assert_int_equal(v[0].n_cuts, 2);
    assert_true(v[0].cuts[1] == 65);
    assert_int_equal(v[0].line, 6);
    assert_string_equal(v[1].label, "size");
    assert_int_equal(v[1].n_levels, 3);
    assert_string_equal(v[1].levels[0], "<=20");
    assert_string_equal(v[1].labels[2], "T3, or more");
    assert_true(v[2].resolution == 0.5);
    assert_null(v[2].labels);
    assert_string_equal(v[3].labels[1], "given");
    assert_int_equal(v[3].n_levels, 2);
    assert_string_equal(v[3].levels[0], "FALSE");
    assert_string_equal(v[3].levels[1], "TRUE");
    assert_true(v[4].resolution == 1);
    assert_true(v[5].resolution == 0.1);
    assert_true(v[6].min == 1 && v[6].max == 22279 && v[6].resolution == 1);
    assert_int_equal(dictionary_find(d, "dx.date"), 6);
    assert_int_equal(dictionary_find(d, "pid"), -1);
    assert_string_equal(variable_type_name(VARIABLE_DURATION), "duration");
    arena_free(arena);
}

static void bad_dictionaries_are_refused(void **state)
{
    (void)state;
#define ONE(variable) HEAD "variables:\n  - { " variable " }\n"
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"[]\n", "d.yaml:1:1: expected a dictionary"},
        {"dictionary: t\n", "d.yaml:1:1: expected the key `version`"},
        {"dictionary: t@1\nversion: 1\nkey: p\nvariables: [1]\n", "d.yaml:1:13: expected a name of 1 to 64"},
        {"dictionary: t\nversion: 0\nkey: p\nvariables: [1]\n",
         "d.yaml:2:10: expected a whole number from 1"},
        {"dictionary: t\nversion: 1\nkey: 1p\nvariables: [1]\n", "d.yaml:3:6: expected a name of at most 64"},
        {"dictionary: t\nversion: 1\nkey: p\nvarables: [1]\n", "did you mean `variables`?"},
        {HEAD "variables: []\n", "d.yaml:4:12: expected `variables` as a list"},
        {HEAD "variables: [x]\n", "d.yaml:4:13: expected a variable as"},
        {HEAD "missing: NA\nvariables: [x]\n", "d.yaml:4:10: expected `missing` as a list"},
        {ONE("type: real"), "d.yaml:5:5: expected the `name`"},
        {ONE("name: x"), "d.yaml:5:5: expected the `type` of `x`"},
        {ONE("name: x, type: integr, min: 0, max: 1"),
         "d.yaml:5:22: expected the type to be one of integer, real"},
        {ONE("name: x, typ: integer"), "did you mean `type`?"},
        {ONE("name: site, type: boolean"), "d.yaml:5:13: expected a name of your own, found `site`"},
        {ONE("name: TRUE, type: boolean"), "a word of the query language"},
        {ONE("name: a-b, type: boolean"), "d.yaml:5:13: expected a name of at most"},
        {ONE("name: pid, type: boolean"), "d.yaml:5:13: expected the key `pid` outside the variables"},
        {ONE("name: x, type: integer, min: 0"), "d.yaml:5:5: expected `min` and `max` of the integer `x`"},
        {ONE("name: x, type: duration, max: 9"), "found no `min`"},
        {ONE("name: x, type: duration, min: 0, max: 9"), "expected `units` of the duration `x` to be days"},
        {ONE("name: x, type: duration, units: jours, min: 0, max: 9"), "found `jours`"},
        {ONE("name: x, type: duration, units: Days, min: 0, max: 9"), "found `Days`"},
        {ONE("name: x, type: integer, min: 3, max: 3"), "d.yaml:5:44: expected `max` of `x` above its `min`"},
        {ONE("name: x, type: integer, min: zero, max: 3"), "d.yaml:5:36: expected a number, found zero"},
        {ONE("name: x, type: integer, min: -1e300, max: 3"), "expected a number from -9007199254740992"},
        {ONE("name: x, type: real, min: 0, max: 1"), "d.yaml:5:5: expected the `resolution` of the real `x`"},
        {ONE("name: x, type: real, min: 0, max: 1, resolution: 0"),
         "d.yaml:5:56: expected a number from 1e-09"},
        {ONE("name: x, type: real, min: 0, max: 1, resolution: 2"), "smaller than its range"},
        {ONE("name: x, type: real, min: 0, max: 9e15, resolution: 0.001"), "at most 2^52 steps"},
        {ONE("name: x, type: integer, min: 0, max: 9, resolution: 0.5"), "expected a whole `resolution`"},
        {ONE("name: x, type: date, min: 0, max: 9"), "d.yaml:5:33: expected a date as YYYY-MM-DD, found 0"},
        {ONE("name: x, type: date, min: 2001-02-29, max: 2002-01-01"), "found 2001-02-29"},
        {ONE("name: x, type: category"), "d.yaml:5:5: expected `levels:"},
        {ONE("name: x, type: category, levels: []"), "expected `levels:"},
        {ONE("name: x, type: category, levels: [a, b, a]"),
         "d.yaml:5:47: expected each level of `x` once, found \"a\""},
        {ONE("name: x, type: category, levels: [a, \"\"]"),
         "d.yaml:5:44: expected a level of `x` with a name"},
        {ONE("name: x, type: category, levels: [a], min: 1"), "expected no `min` of the category `x`"},
        {ONE("name: x, type: boolean, levels: [no, yes]"), "expected no `levels` of the boolean `x`"},
        {ONE("name: x, type: category, levels: [a, b], labels: [A]"),
         "d.yaml:5:56: expected `labels` of `x` as a list of 2, one for each level in their order, found 1"},
        {ONE("name: x, type: category, levels: [a, b], labels: A"), "as a list of 2"},
        {ONE("name: x, type: category, levels: [a, b], labels: [A, \"\"]"), "d.yaml:5:60: expected a label"},
        {ONE("name: x, type: category, levels: [a, b], labels: [A, A]"),
         "d.yaml:5:60: expected each label of `x` once, found \"A\" again"},
        {ONE("name: x, type: boolean, labels: [yes]"), "(FALSE, then TRUE), found 1"},
        {ONE("name: x, type: integer, min: 0, max: 9, labels: [a]"),
         "expected no `labels` of the integer `x`"},
        {ONE("name: x, type: boolean, role: secret"),
         "expected the role to be one of none, identifier, date, quasi"},
        {ONE("name: x, type: integer, min: 0, max: 9, cuts: [5, 3]"), "in ascending order, found 3 after 5"},
        {ONE("name: x, type: integer, min: 0, max: 9, cuts: [10]"), "between its min and max, found 10"},
        {ONE("name: x, type: integer, min: 0, max: 9, cuts: 5"), "expected `cuts` of `x` as a list"},
        {HEAD "tables: f74d\nvariables:\n  - { name: x, type: boolean }\n",
         "d.yaml:4:9: expected `tables` as the 64 hexadecimal digits that maille-worker check --tables "
         "prints, "
         "found `f74d`"},
        {HEAD "variables:\n  - { name: x, type: boolean }\n  - { name: x, type: boolean }\n",
         "d.yaml:6:13: expected each variable once, found `x` again (first on line 5)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_new();
        struct maille_error error = {0};
        const struct dictionary *d = NULL;
        enum maille_code code = parse(&d, arena, cases[i].text, &error);
        if (code != MAILLE_INVALID || strstr(error.sentence, cases[i].sentence) == NULL)
            fail_msg("expected \"%s\" in \"%s\" of\n%s", cases[i].sentence, error.sentence, cases[i].text);
        assert_null(d);
        arena_free(arena);
    }
}

static void nearest_names_are_near(void **state)
{
    (void)state;
    static const char *const names[] = {"age", "size", "grade", "nodes", "hormon", "progesterone"};
    const size_t n = sizeof names / sizeof *names;
    assert_string_equal(dictionary_nearest_name("agee", names, n), "age");
    assert_string_equal(dictionary_nearest_name("gae", names, n), "age"); /* two letters changed places */
    assert_string_equal(dictionary_nearest_name("horomn", names, n), "hormon");
    assert_string_equal(dictionary_nearest_name("hormone", names, n), "hormon");
    assert_string_equal(dictionary_nearest_name("progestrn", names, n), "progesterone");
    assert_null(dictionary_nearest_name("zzzzzz", names, n));
    assert_null(dictionary_nearest_name("x", names, n));
    assert_null(dictionary_nearest_name("", names, n));
    assert_null(dictionary_nearest_name("age", names, 0));
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_null(dictionary_nearest_name(longer, names, n));
}

static void units_are_days(void **state)
{
    (void)state;
    assert_true(dictionary_unit_days("days") == 1);
    assert_true(dictionary_unit_days("weeks") == 7);
    assert_true(dictionary_unit_days("months") == 30.4375);
    assert_true(dictionary_unit_days("years") == 365.25);
    assert_true(dictionary_unit_days("fmol/l") == 0);
    assert_true(dictionary_unit_days("") == 0);
}

static void the_example_is_a_dictionary(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct maille_error error = {0};
    struct bytes text = {0};
    const struct dictionary *d = NULL;
    assert_int_equal(file_read(&text, "examples/rotterdam/dictionary.yaml", 1 << 20, &error), MAILLE_OK);
    assert_ok(dictionary_parse(&d, arena, "dictionary.yaml", (const char *)text.data, text.length, &error),
              &error);
    assert_string_equal(d->name, "rotterdam");
    assert_string_equal(d->key, "pid");
    assert_int_equal(d->n_variables, 14);
    assert_string_equal(d->variables[dictionary_find(d, "size")].levels[2], ">50");
    bytes_clear(&text);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),          cmocka_unit_test(bad_dictionaries_are_refused),
        cmocka_unit_test(nearest_names_are_near),      cmocka_unit_test(units_are_days),
        cmocka_unit_test(the_example_is_a_dictionary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
