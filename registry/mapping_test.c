#include "registry/mapping.h"

#include "base/bytes.h"
#include "base/number.h"
#include "registry/import.h"
#include "registry/mapping_make.h"
#include "registry/testing.h"

static const char dictionary_text[] =
    "dictionary: toy\nversion: 2\nkey: pid\nvariables:\n"
    "  - { name: weight, type: real, units: kg, min: 0, max: 300, resolution: 0.1 }\n"
    "  - { name: sex, type: category, levels: [F, M] }\n"
    "  - { name: dead, type: boolean }\n"
    "  - { name: date_diag, type: date, min: 1990-01-01, max: 2030-12-31 }\n";

static void dates_say_what_they_lack(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        enum mapping_partial partial;
        const char *text, *day; /* NULL: not of this format */
        bool lacks;
    } cases[] = {
        {"DD/MM/YYYY", PARTIAL_UNSAID, "29/02/2020", "2020-02-29", false},
        {"DD/MM/YYYY", PARTIAL_UNSAID, "29/02/2019", NULL, false},
        {"DD/MM/YYYY", PARTIAL_UNSAID, "9/02/2020", NULL, false},
        {"DD/MM/YYYY 00:00:00", PARTIAL_UNSAID, "01/05/2016 00:00:00", "2016-05-01", false},
        {"DD/MM/YYYY", PARTIAL_UNSAID, "01/05/2016 00:00:00", NULL, false},
        {"MM/YYYY", PARTIAL_FIRST, "05/2016", "2016-05-01", true},
        {"MM/YYYY", PARTIAL_MIDDLE, "05/2016", "2016-05-15", true},
        {"MM/YYYY", PARTIAL_LAST, "02/2016", "2016-02-29", true},
        {"MM/YYYY", PARTIAL_LAST, "13/2016", NULL, true},
        {"UN/MM/YYYY", PARTIAL_MIDDLE, "UN/05/2016", "2016-05-15", true},
        {"YYYY", PARTIAL_FIRST, "2016", "2016-01-01", true},
        {"YYYY", PARTIAL_MIDDLE, "2016", "2016-07-01", true},
        {"YYYY", PARTIAL_LAST, "2016", "2016-12-31", true},
        {"YYYY", PARTIAL_LAST, "20167", NULL, true},
        {"YYYY", PARTIAL_LAST, "", NULL, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t found = 0, expected = 0;
        bool lacks = false;
        bool is = mapping_date(&found, &lacks, cases[i].format, cases[i].partial, cases[i].text,
                               strlen(cases[i].text));
        assert_int_equal(is, cases[i].day != NULL);
        if (!is)
            continue;
        assert_true(number_parse_date(cases[i].day, strlen(cases[i].day), &expected));
        assert_int_equal(found, expected);
        assert_int_equal(lacks, cases[i].lacks);
    }
}

static void wrong_mappings_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"mapping: toy@1\ncolumns: []\n", "m:1:10: expected a mapping onto `toy@2`"},
        {"mapping: toy@2\ncolumns:\n  - { from: a, to: b }\n",
         "m:3:20: expected a variable of the dictionary or its key `pid`"},
        {"mapping: toy@2\ncolumns:\n  - { from: a, to: sex, values: { x: X } }\n",
         "expected a level of `sex`, found \"X\""},
        {"mapping: toy@2\ncolumns:\n  - { from: a, to: date_diag, dates: [MM/YYYY] }\n",
         "expected `partial: first`"},
        {"mapping: toy@2\ncolumns:\n  - { from: a, to: date_diag, dates: [DD/MM/YY] }\n",
         "expected a format of YYYY"},
        {"mapping: toy@2\ncolumns:\n  - { from: a, to: date_diag, partial: some }\n", "found `some`"},
        {"mapping: toy@2\ncolumns:\n  - { from: a, to: sex, times: 2 }\n", "expected `times` of a number"},
        {"mapping: toy@2\ncolumns:\n  - { from: a, to: sex }\n  - { from: b, to: sex }\n",
         "found `sex` again"},
        {"mapping: toy@2\ncolums: []\n", "colums"},
        {"columns: []\n", "expected a mapping"},
    };
    struct arena *arena = arena_new();
    assert_non_null(arena);
    const struct dictionary *dictionary = parse_dictionary(arena, dictionary_text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maille_error error = {0};
        const struct mapping *mapping = NULL;
        assert_int_equal(
            mapping_parse(&mapping, arena, "m", cases[i].text, strlen(cases[i].text), dictionary, &error),
            MAILLE_INVALID);
        if (strstr(error.sentence, cases[i].part) == NULL)
            fail_msg("expected \"%s\" in: %s", cases[i].part, error.sentence);
    }
    arena_free(arena);
}

/* An export in its own words, the mapping that is made of it, and what a person adds. */
static void an_export_is_read_through_its_mapping(void **state)
{
    (void)state;
    static const char csv[] = "Export du 12/03/2026\n\n"
                              "PID;Poids;Sex ;D\xC3\xA9"
                              "ad ?;Date de diagnostic;Commentaire\n"
                              "p1;61500;Femme;Oui;01/05/2016;x\n"
                              "p2;70040;M;non;06/2017;\n"
                              "p3;NC;F;0;2018;\n";
    struct maille_error error = {0};
    struct bytes made = {0};
    struct arena *arena = arena_new();
    struct columns *table = NULL;
    struct import_report report = {0};
    char path[PATH_MAX], text[2048];
    assert_non_null(arena);
    const struct dictionary *dictionary = parse_dictionary(arena, dictionary_text);
    write_bytes(test_path(path, "export.csv"), csv, sizeof csv - 1);
    MUST(mapping_make(&made, dictionary, path, &error));
    bytes_put_u8(&made, '\0');
    static const char *const parts[] = {
        "mapping: toy@2\nskip: 2",
        "- { from: \"PID\", to: pid }",
        "# ? no column looks like weight: { from: \"\", to: weight }",
        "- { from: \"Sex\", to: sex, values: { \"Femme\": \"F\" } }",
        "# ? sex: \"Femme\" begins like the level \"F\"",
        "to: dead, values: { \"Oui\": \"1\", \"non\": \"0\" } }",
        "to: date_diag, dates: [\"DD/MM/YYYY\", \"MM/YYYY\", \"YYYY\"], partial: missing }"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr((const char *)made.data, parts[i]) == NULL)
            fail_msg("expected \"%s\" in:\n%s", parts[i], (const char *)made.data);
    snprintf(text, sizeof text, "%s  - { from: Poids, to: weight, times: 0.001, missing: [NC] }\n",
             (const char *)made.data);
    const struct mapping *mapping;
    MUST(mapping_parse(&mapping, arena, "m", text, strlen(text), dictionary, &error));
    const struct import_options options = {.mapping = mapping};
    MUST(import_csv(&table, &report, dictionary, path, &options, &error));
    const struct summary_variable *v = report.summary.variables;
    assert_int_equal(report.rows, 3);
    assert_true(v[0].min == 61.5 && v[0].max == 70.0); /* 70,040 g, rounded to the resolution */
    assert_int_equal(v[0].missing, 1);
    assert_int_equal(v[1].counts[0], 2);
    assert_int_equal(v[2].counts[1], 1);
    assert_int_equal(v[3].present, 1);
    assert_int_equal(report.n_ignored, 1);
    import_report_clear(&report);
    columns_free(table);
    bytes_clear(&made);
    arena_free(arena);
}

/* What the mapping says of the separator holds, whatever a title says. */
static void the_separator_of_a_mapping_counts(void **state)
{
    (void)state;
    static const char csv[] = "Export, by ward, of March, 2026\nPID;Kilos;Sex\np1;61,5;F\np2;70;M\n";
    static const char text[] =
        "mapping: toy@1\nskip: 1\nseparator: \";\"\ndecimal: \",\"\ncolumns:\n"
        "  - { from: PID, to: pid }\n  - { from: Kilos, to: weight }\n  - { from: Sex, to: sex }\n";
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct columns *table = NULL;
    struct import_report report = {0};
    const struct mapping *mapping;
    char path[PATH_MAX];
    assert_non_null(arena);
    const struct dictionary *dictionary =
        parse_dictionary(arena, "dictionary: toy\nversion: 1\nkey: pid\nvariables:\n"
                                "  - { name: weight, type: real, min: 0, max: 300, resolution: 0.1 }\n"
                                "  - { name: sex, type: category, levels: [F, M] }\n");
    write_bytes(test_path(path, "titled.csv"), csv, sizeof csv - 1);
    MUST(mapping_parse(&mapping, arena, "m", text, sizeof text - 1, dictionary, &error));
    const struct import_options options = {.mapping = mapping};
    MUST(import_csv(&table, &report, dictionary, path, &options, &error));
    assert_int_equal(report.dialect.separator, ';');
    assert_int_equal(report.dialect.decimal, ',');
    assert_true(report.summary.variables[0].min == 61.5 && report.summary.variables[0].max == 70.0);
    import_report_clear(&report);
    columns_free(table);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_say_what_they_lack),
        cmocka_unit_test(wrong_mappings_are_told),
        cmocka_unit_test(an_export_is_read_through_its_mapping),
        cmocka_unit_test(the_separator_of_a_mapping_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
