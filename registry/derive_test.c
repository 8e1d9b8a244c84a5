#include "registry/derive.h"

#include "base/file.h"
#include "base/number.h"
#include "registry/import.h"
#include "registry/testing.h"

static const char dictionary_text[] =
    "dictionary: toy\nversion: 1\nkey: pid\nrows: one\norder: [met, chemo_begin]\nvariables:\n"
    "  - { name: met, type: date, min: 2000-01-01, max: 2030-12-31 }\n"
    "  - { name: n_lines, type: integer, min: 0, max: 3 }\n"
    "  - { name: early_chemo, type: boolean }\n"
    "  - { name: chemo_begin, type: date, min: 2000-01-01, max: 2030-12-31 }\n"
    "  - { name: last_class, type: category, levels: [chemo, ET] }\n"
    "  - { name: dose_max, type: real, min: 0, max: 100, resolution: 0.5 }\n";
enum { MET, N_LINES, EARLY, BEGIN, LAST, DOSE, VARIABLES };
static const char table_text[] = "dictionary: lines\nversion: 1\nkey: pid\nrows: several\nvariables:\n"
                                 "  - { name: class, type: category, levels: [ET, chemo] }\n"
                                 "  - { name: begin, type: date, min: 2000-01-01, max: 2030-12-31 }\n"
                                 "  - { name: dose, type: real, min: 0, max: 1000, resolution: 0.5 }\n";
static const char rules_text[] =
    "derive: toy@1\ntables:\n  - { name: lines, dictionary: lines.yaml, file: lines.csv, order: begin "
    "}\nvariables:\n"
    "  n_lines: { table: lines, rule: count }\n"
    "  early_chemo: { table: lines, rule: any, where: { class: [chemo] }, after: met, days: [0, 90] }\n"
    "  chemo_begin: { table: lines, rule: first, of: begin, where: { class: [chemo] } }\n"
    "  last_class: { table: lines, rule: last, of: class }\n"
    "  dose_max: { table: lines, rule: max, of: dose }\n";

struct fixture {
    struct arena *arena;
    const struct dictionary *dictionary;
    struct derive *derive;
    char folder[PATH_MAX];
};

static enum maille_code parse(struct fixture *f, const char *rules, struct maille_error *error)
{
    return derive_parse(&f->derive, f->arena, "rules", rules, strlen(rules), f->folder, f->dictionary, error);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char path[PATH_MAX];
    assert_non_null(f);
    f->arena = arena_new();
    assert_non_null(f->arena);
    f->dictionary = parse_dictionary(f->arena, dictionary_text);
    write_bytes(test_path(path, "lines.yaml"), table_text, sizeof table_text - 1);
    snprintf(f->folder, sizeof f->folder, "%s", test_path(path, ""));
    if (f->folder[strlen(f->folder) - 1] != '/')
        strcat(f->folder, "/");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    derive_clear(f->derive);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* Imports patients with these lines. */
static enum maille_code import(struct fixture *f, struct columns **table, struct import_report *report,
                               const char *patients, const char *lines, struct maille_error *error)
{
    char path[PATH_MAX];
    struct maille_error own = {0};
    write_bytes(test_path(path, "lines.csv"), lines, strlen(lines));
    write_bytes(test_path(path, "patients.csv"), patients, strlen(patients));
    if (parse(f, rules_text, &own) != MAILLE_OK || derive_read(f->derive, NULL, NULL, &own) != MAILLE_OK)
        fail_msg("%s", own.sentence);
    const struct import_options options = {.derive = f->derive};
    return import_csv(table, report, f->dictionary, path, &options, error);
}

static double value_at(struct columns *table, uint32_t variable, size_t row)
{
    struct maille_error error = {0};
    struct column_scratch scratch = {0};
    struct column_block block;
    MUST(columns_block(&block, table, &scratch, variable, 0, &error));
    const struct variable *described = &columns_dictionary(table)->variables[variable];
    double value = block.storage == STORE_INT8    ? ((const int8_t *)block.values)[row]
                   : block.storage == STORE_INT16 ? ((const int16_t *)block.values)[row]
                                                  : ((const int32_t *)block.values)[row];
    if (block.missing != NULL && (block.missing[row / 8] >> row % 8 & 1))
        return -999;
    return described->n_levels > 0 ? value : dictionary_value(described, value);
}

static void variables_come_out_of_a_table(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct columns *table = NULL;
    struct import_report report = {0};
    /* p1: chemo after 200 days, then endocrine; p2: no line at all; p3: chemo at 90 days, a line without a
     * day; p4 only among the lines. The file has them in another order than time. */
    MUST(import(f, &table, &report, "pid,met\np1,2010-01-01\np2,2011-01-01\np3,2012-01-01\n",
                "pid,class,begin,dose\np1,ET,2011-01-01,1.5\np3,chemo,2012-03-31,\np1,chemo,2010-07-20,"
                "20\np4,ET,2010-01-01,1\n"
                "p1,ET,2010-01-02,7\np3,ET,,3\n",
                &error));
    const double expected[3][VARIABLES] = {
        {0, 3, 0, 14810, 1, 20}, {0, 0, 0, -999, -999, -999}, {0, 2, 1, 15430, 0, 3}};
    for (size_t p = 0; p < 3; p++)
        for (uint32_t v = N_LINES; v < VARIABLES; v++)
            if (value_at(table, v, p) != expected[p][v])
                fail_msg("patient %zu, %s: expected %g, found %g", p + 1, f->dictionary->variables[v].name,
                         expected[p][v], value_at(table, v, p));
    assert_int_equal(report.columns[BEGIN].present, 2);
    assert_int_equal(report.columns[BEGIN].missing, 1);
    assert_int_equal(report.n_listed, 1);
    assert_non_null(strstr(report.problems[0].sentence, "found 1 others"));
    import_report_clear(&report);
    columns_free(table);
}

static void what_does_not_fit_is_a_problem(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    struct columns *table = NULL;
    struct import_report report = {0};
    assert_int_equal(import(f, &table, &report, "pid,met\np1,2010-01-01\np2,2012-01-01\n",
                            "pid,class,begin,dose\np1,ET,2010-01-01,1000\np2,chemo,2011-01-01,2\n", &error),
                     MAILLE_INVALID);
    assert_int_equal(report.n_problems, 2);
    assert_int_equal(report.problems[0].line, 2);
    assert_non_null(strstr(report.problems[0].sentence, "out of its table, found 1000"));
    assert_int_equal(report.problems[1].line, 3); /* the order of dates holds for derived ones */
    assert_non_null(strstr(report.problems[1].sentence, "not before met"));
    import_report_clear(&report);
}

static void wrong_rules_are_told(void **state)
{
    struct fixture *f = *state;
#define HEAD                                                                                                 \
    "derive: toy@1\ntables:\n  - { name: lines, dictionary: lines.yaml, file: lines.csv, order: begin "      \
    "}\nvariables:\n"
    static const struct {
        const char *rules, *part;
    } cases[] = {
        {"derive: toy@2\ntables: []\n", "rules:1:9: expected rules for `toy@1`"},
        {HEAD "  other: { table: lines, rule: count }\n", "expected a variable of the dictionary"},
        {HEAD "  n_lines: { table: drugs, rule: count }\n", "found `drugs` and `count`"},
        {HEAD "  n_lines: { table: lines, rule: sum }\n", "found `lines` and `sum`"},
        {HEAD "  n_lines: { table: lines, rule: any }\n", "expected `n_lines` to be a boolean"},
        {HEAD "  n_lines: { table: lines, rule: count, of: dose }\n", "expected `of` with first"},
        {HEAD "  chemo_begin: { table: lines, rule: first }\n", "expected `of` with first"},
        {HEAD "  chemo_begin: { table: lines, rule: first, of: dose }\n",
         "to have one type, found date and real"},
        {HEAD "  last_class: { table: lines, rule: max, of: class }\n",
         "expected a number or date of which to take the max"},
        {HEAD "  n_lines: { table: lines, rule: count, where: { class: [other] } }\n",
         "expected a value of `class`, found `other`"},
        {HEAD "  n_lines: { table: lines, rule: count, where: { sort: [1] } }\n", "found `sort`"},
        {HEAD "  n_lines: { table: lines, rule: count, after: met }\n", "days: [least, greatest]"},
        {HEAD "  n_lines: { table: lines, rule: count, after: chemo_begin, days: [0, 1] }\n"
              "  chemo_begin: { table: lines, rule: first, of: begin }\n",
         "to be read from the patients' file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maille_error error = {0};
        assert_int_equal(parse(f, cases[i].rules, &error), MAILLE_INVALID);
        if (strstr(error.sentence, cases[i].part) == NULL)
            fail_msg("expected \"%s\" in: %s", cases[i].part, error.sentence);
        f->derive = NULL;
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(variables_come_out_of_a_table),
        TEST(what_does_not_fit_is_a_problem),
        TEST(wrong_rules_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
