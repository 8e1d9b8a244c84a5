#include "registry/import.h"

#include "base/number.h"
#include "registry/testing.h"

static const char text[] =
    "dictionary: toy\n"
    "version: 3\n"
    "key: pid\n"
    "missing: [\"\", \"NA\", \"ND\"]\n"
    "variables:\n"
    "  - { name: age, type: integer, units: years, min: 0, max: 120 }\n"
    "  - { name: pgr, type: real, units: fmol/l, min: 0, max: 6000, resolution: 0.1 }\n"
    "  - { name: size, type: category, levels: [\"<=20\", \"20-50\", \">50\"] }\n"
    "  - { name: chemo, type: boolean }\n"
    "  - { name: dtime, type: duration, units: days, min: 0, max: 9000 }\n"
    "  - { name: born, type: date, min: 1900-01-01, max: 2030-12-31 }\n";
enum { AGE, PGR, SIZE, CHEMO, DTIME, BORN, VARIABLES };
static const char header[] = "pid,age,pgr,size,chemo,dtime,born\n";

struct fixture {
    struct arena *arena;
    const struct dictionary *dictionary;
    struct columns *table;
    struct import_report report;
    struct maille_error error;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = arena_new();
    assert_non_null(f->arena);
    f->dictionary = parse_dictionary(f->arena, text);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    columns_free(f->table);
    import_report_clear(&f->report);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* Imports these bytes; what an earlier call left is given back. */
static enum maille_code import_text(struct fixture *f, const char *csv, const struct import_options *options)
{
    char path[PATH_MAX];
    columns_free(f->table);
    import_report_clear(&f->report);
    f->table = NULL;
    write_bytes(test_path(path, "site.csv"), csv, strlen(csv));
    return import_csv(&f->table, &f->report, f->dictionary, path, options, &f->error);
}

static enum maille_code import_row(struct fixture *f, const char *row)
{
    char csv[1024];
    snprintf(csv, sizeof csv, "%s%s\n", header, row);
    return import_text(f, csv, NULL);
}

static void must_import(struct fixture *f, const char *csv)
{
    struct maille_error error;
    enum maille_code code = import_text(f, csv, NULL);
    error = f->error;
    MUST(code);
    assert_int_equal(f->report.n_problems, 0);
}

/* Value of a variable in a row; missing: −999. */
static double value_at(struct fixture *f, uint32_t variable, size_t row)
{
    struct maille_error error = {0};
    struct column_scratch scratch = {0};
    struct column_block block;
    double value = 0;
    MUST(columns_block(&block, f->table, &scratch, variable, row / COLUMNS_BLOCK_ROWS, &error));
    row %= COLUMNS_BLOCK_ROWS;
    assert_true(row < block.rows);
    switch (block.storage) {
    case STORE_INT8:
        value = ((const int8_t *)block.values)[row];
        break;
    case STORE_INT16:
        value = ((const int16_t *)block.values)[row];
        break;
    case STORE_INT32:
        value = ((const int32_t *)block.values)[row];
        break;
    case STORE_INT64:
        value = (double)((const int64_t *)block.values)[row];
        break;
    }
    const struct variable *described = &columns_dictionary(f->table)->variables[variable];
    if (described->type != VARIABLE_CATEGORY && described->type != VARIABLE_BOOLEAN)
        value = dictionary_value(described, value);
    if (block.missing != NULL && (block.missing[row / 8] >> row % 8 & 1))
        value = -999;
    column_scratch_clear(&scratch);
    return value;
}

static int32_t patient_at(struct fixture *f, size_t row)
{
    struct maille_error error = {0};
    struct column_scratch scratch = {0};
    struct column_block block;
    MUST(columns_patient_block(&block, f->table, &scratch, 0, &error));
    assert_int_equal(block.storage, STORE_INT32);
    assert_null(block.missing);
    int32_t patient = ((const int32_t *)block.values)[row];
    column_scratch_clear(&scratch);
    return patient;
}

static void reads_each_type(void **state)
{
    struct fixture *f = *state;
    must_import(f, "born;pid;unknown;chemo; age ;pgr;size;dtime\r\n"
                   "1950-02-28;p1;x;1;74;35,5;<=20;1799\r\n"
                   "29/02/2000;p2;y;FALSE; 79 ;0,1; 20-50 ;2828\r\n"
                   "NA;p3;;true;ND;NA;;\"NA\"\r\n"
                   "1900-01-01;p4;;0;3,0;6000;\">50\";9e3\r\n");
    assert_int_equal(columns_rows(f->table), 4);
    assert_int_equal(columns_patients(f->table), 4);
    assert_int_equal(columns_blocks(f->table), 1);
    static const double expected[4][VARIABLES] = {
        {74, 35.5, 0, 1, 1799, -7247},
        {79, 0.1, 1, 0, 2828, 11016},
        {-999, -999, -999, 1, -999, -999},
        {3, 6000, 2, 0, 9000, -25567},
    };
    for (size_t row = 0; row < 4; row++)
        for (uint32_t v = 0; v < VARIABLES; v++)
            assert_true(value_at(f, v, row) == expected[row][v]);
    assert_int_equal(f->report.rows, 4);
    assert_int_equal(f->report.patients, 4);
    assert_int_equal(f->report.n_ignored, 1);
    assert_string_equal(f->report.ignored[0], "unknown");
    assert_int_equal(f->report.columns[AGE].present, 3);
    assert_int_equal(f->report.columns[AGE].missing, 1);
    assert_string_equal(f->report.columns[AGE].name, "age");
    /* The smallest integers that hold the dictionary's range; and the table has its own dictionary. */
    struct column_block block;
    struct column_scratch scratch = {0};
    static const enum column_storage storages[VARIABLES] = {STORE_INT8, STORE_INT32, STORE_INT8,
                                                            STORE_INT8, STORE_INT16, STORE_INT16};
    for (uint32_t v = 0; v < VARIABLES; v++) {
        assert_int_equal(columns_block(&block, f->table, &scratch, v, 0, NULL), MAILLE_OK);
        assert_int_equal(block.storage, storages[v]);
    }
    column_scratch_clear(&scratch);
    assert_ptr_not_equal(columns_dictionary(f->table), f->dictionary);
    assert_string_equal(columns_dictionary(f->table)->variables[PGR].units, "fmol/l");
    assert_string_equal(columns_facts(f->table)->source_hash, "");
}

static void numbers_are_correctly_rounded(void **state)
{
    struct fixture *f = *state;
    /* Every tenth from 0 to 6000, through the quick way and through strtod. */
    char csv[256], number[32];
    for (int tenths = 1; tenths < 60000; tenths += 1009) {
        snprintf(number, sizeof number, "%d.%d", tenths / 10, tenths % 10);
        snprintf(csv, sizeof csv, "%sp,1,%s,<=20,0,1,2000-01-01\nq,1,%s000000000000000,<=20,0,1,2000-01-01\n",
                 header, number, number);
        must_import(f, csv);
        assert_true(value_at(f, PGR, 0) == strtod(number, NULL));
        assert_true(value_at(f, PGR, 1) == strtod(number, NULL));
    }
    must_import(f, "pid,age,pgr,size,chemo,dtime,born\np,-0,-0.0,<=20,0,0,2000-01-01\n");
    assert_false(1 / value_at(f, PGR, 0) < 0);
}

/* Each bad cell: the row, the column it is in, a part of the sentence. */
static void names_each_bad_cell(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *row, *column, *part;
    } bad[] = {
        {"p,abc,1,<=20,0,1,2000-01-01", "age", "expected an integer from 0 to 120 years, found \"abc\""},
        {"p,121,1,<=20,0,1,2000-01-01", "age", "found \"121\""},
        {"p,-1,1,<=20,0,1,2000-01-01", "age", "from 0 to 120"},
        {"p,3.5,1,<=20,0,1,2000-01-01", "age", "expected an integer"},
        {"p,1 2,1,<=20,0,1,2000-01-01", "age", "found \"1 2\""},
        {"p,0x10,1,<=20,0,1,2000-01-01", "age", "expected an integer"},
        {"p,99999999999999999999,1,<=20,0,1,2000-01-01", "age", "expected an integer"},
        {"p,1,12.34,<=20,0,1,2000-01-01", "pgr", "expected a multiple of 0.1"},
        {"p,1,6000.1,<=20,0,1,2000-01-01", "pgr", "expected a number from 0 to 6000 fmol/l"},
        {"p,1,inf,<=20,0,1,2000-01-01", "pgr", "expected a number"},
        {"p,1,nan,<=20,0,1,2000-01-01", "pgr", "expected a number"},
        {"p,1,\"1,5\",<=20,0,1,2000-01-01", "pgr", "found \"1,5\""},
        {"p,1,1,<= 20,0,1,2000-01-01", "size",
         "expected one of the levels \"<=20\", \"20-50\", \">50\", found \"<= 20\""},
        {"p,1,1,<=2,0,1,2000-01-01", "size", "found \"<=2\""},
        {"p,1,1,<=20,t,1,2000-01-01", "chemo", "expected 0, 1, true or false, found \"t\""},
        {"p,1,1,<=20,2,1,2000-01-01", "chemo", "found \"2\""},
        {"p,1,1,<=20,1,1.5,2000-01-01", "dtime", "expected a multiple of 1"},
        {"p,1,1,<=20,1,9001,2000-01-01", "dtime", "expected a number from 0 to 9000 days"},
        {"p,1,1,<=20,1,1,2000-02-30", "born", "expected a date"},
        {"p,1,1,<=20,1,1,30/02/2000", "born", "found \"30/02/2000\""},
        {"p,1,1,<=20,1,1,2000-02", "born", "expected a date"},
        {"p,1,1,<=20,1,1,UN/02/2000", "born", "expected a date"},
        {"p,1,1,<=20,1,1,1899-12-31", "born", "from 1900-01-01 to 2030-12-31"},
        {"p,1,1,<=20,1,1", "", "expected 7 fields, as in the header, found 6"},
        {"p,1,1,<=20,1,1,2000-01-01,", "", "found 8"},
        {",1,1,<=20,1,1,2000-01-01", "pid", "expected the patient's key"},
        {" NA ,1,1,<=20,1,1,2000-01-01", "pid", "expected the patient's key"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(import_row(f, bad[i].row), MAILLE_INVALID);
        assert_null(f->table);
        assert_int_equal(f->report.n_problems, 1);
        assert_int_equal(f->report.n_listed, 1);
        assert_int_equal(f->report.problems[0].line, 2);
        assert_string_equal(f->report.problems[0].column, bad[i].column);
        if (strstr(f->report.problems[0].sentence, bad[i].part) == NULL)
            fail_msg("expected \"%s\" in: %s", bad[i].part, f->report.problems[0].sentence);
        assert_non_null(strstr(f->error.sentence, "line 2"));
    }
}

static void an_empty_cell_needs_the_dictionary(void **state)
{
    struct fixture *f = *state;
    struct arena *arena = arena_new();
    assert_non_null(arena);
    f->dictionary =
        parse_dictionary(arena, "dictionary: d\nversion: 1\nkey: pid\nmissing: [\"NA\"]\nvariables:\n"
                                "  - { name: chemo, type: boolean }\n");
    assert_int_equal(import_text(f, "pid,chemo\np,\n", NULL), MAILLE_INVALID);
    assert_non_null(strstr(f->report.problems[0].sentence, "found an empty cell"));
    arena_free(arena);
}

/* Equal sentences of a column are one group; past the limit groups are counted alone. */
static void groups_up_to_a_limit_and_counts_all(void **state)
{
    struct fixture *f = *state;
    char csv[8192];
    size_t used = (size_t)snprintf(csv, sizeof csv, "%s", header);
    for (int i = 0; i < 100; i++)
        used += (size_t)snprintf(csv + used, sizeof csv - used, "p%d,x%d,1,?,0,1,2000-01-01\n", i, i % 20);
    assert_int_equal(import_text(f, csv, NULL), MAILLE_INVALID);
    assert_int_equal(f->report.n_problems, 200);
    assert_int_equal(f->report.n_listed, 21);
    assert_int_equal(f->report.problems[0].count, 5); /* "x0" */
    assert_int_equal(f->report.problems[20].count, 100);
    assert_string_equal(f->report.problems[20].column, "size");
    assert_int_equal(f->report.problems[20].field, 4);
    assert_int_equal(f->report.problems[20].line, 2);
    assert_int_equal(f->report.columns[AGE].problems, 100);
    assert_int_equal(f->report.columns[CHEMO].present, 100);
    assert_int_equal(f->report.rows, 100);
    struct import_options options = {.errors_max = 7};
    assert_int_equal(import_text(f, csv, &options), MAILLE_INVALID);
    assert_int_equal(f->report.n_problems, 200);
    assert_int_equal(f->report.n_listed, 7);
    assert_int_equal(f->report.n_unlisted, 14 * 5);
}

/* With a dictionary of its own. What a report says first; "" for nothing. */
static void says(struct fixture *f, const char *dictionary, const char *csv, enum problem_level level,
                 size_t line, const char *part)
{
    struct arena *arena = arena_new();
    assert_non_null(arena);
    f->dictionary = parse_dictionary(arena, dictionary);
    enum maille_code code = import_text(f, csv, NULL);
    assert_int_equal(code, part[0] != '\0' && level == PROBLEM_ERROR ? MAILLE_INVALID : MAILLE_OK);
    if (part[0] == '\0')
        assert_int_equal(f->report.n_listed, 0);
    if (part[0] != '\0') {
        assert_true(f->report.n_listed > 0);
        assert_int_equal(f->report.problems[0].level, level);
        assert_int_equal(f->report.problems[0].line, line);
        if (strstr(f->report.problems[0].sentence, part) == NULL)
            fail_msg("expected \"%s\" in: %s", part, f->report.problems[0].sentence);
    }
    columns_free(f->table);
    f->table = NULL;
    import_report_clear(&f->report);
    arena_free(arena);
}

#define KEYS(more) "dictionary: d\nversion: 1\nkey: pid\n" more "variables:\n"
#define X(more) "  - { name: x, type: real, min: 0, max: 5000, resolution: 0.01" more " }\n"

static void holds_rows_to_the_dictionary(void **state)
{
    struct fixture *f = *state;
    static const char two[] = "pid,x\nq,1\np,1\np,2\n";
    says(f, KEYS("") X(""), two, PROBLEM_NOTE, 4, "expected rows: one or several");
    says(f, KEYS("rows: several\n") X(""), two, PROBLEM_ERROR, 0, "");
    says(f, KEYS("rows: one\n") X(""), two, PROBLEM_ERROR, 4, "expected one row of each patient");
    says(f, KEYS("rows: several\n") X(", constant: true"), two, PROBLEM_ERROR, 4,
         "expected one value in all rows");
    says(f, KEYS("rows: several\n") X(", constant: true"), "pid,x\np,1\np,\np,1.0\n", PROBLEM_ERROR, 4,
         "expected each row once");
    says(f, KEYS("rows: several\nidentical_rows: true\n") X(", constant: true"), "pid,x\np,1\np,\np,1.0\n",
         PROBLEM_ERROR, 0, "");
    says(f, KEYS("") X(", complete: 0.9"), "pid,x\np,1\nq,\n", PROBLEM_QUESTION, 0,
         "expected a value in 90.0 % of the rows (complete), found 50.0 %");
    says(f, KEYS("") X(", complete: 0.5"), "pid,x\np,1\nq,\n", PROBLEM_ERROR, 0, "");
}

static void holds_pseudonyms_to_their_rules(void **state)
{
    struct fixture *f = *state;
    static const char pattern[] = KEYS("key_pattern: \"P[0-9]{3}\"\n") X("");
    says(f, pattern, "pid,x\nP123,1\n", PROBLEM_ERROR, 0, "");
    says(f, pattern, "pid,x\nP1234,1\n", PROBLEM_ERROR, 2,
         "expected a pseudonym as P[0-9]{3}, found \"P1234\"");
    says(f, pattern, "pid,x\nxP123,1\n", PROBLEM_ERROR, 2, "found \"xP123\"");
    static const char *const refused[] = {"1.23E+12", "1,2e-5",    "1.5E12",       "=\"\"7\"\"",
                                          "'7",       "p\xC2\xA0", "cafe\xCC\x81", "p\xE2\x80\x8B"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char csv[64];
        snprintf(csv, sizeof csv, "pid,x\n\"%s\",1\n", refused[i]);
        says(f, KEYS("") X(""), csv, PROBLEM_ERROR, 2, "expected a ");
    }
    says(f, KEYS("") X(""), "pid,x\n12E4,1\n4e10,2\n", PROBLEM_ERROR, 0, ""); /* may be hexadecimal */
    says(f, KEYS("") X(""), "pid,x\nP 07,1\nq,2\np7,2\n", PROBLEM_QUESTION, 4,
         "is \"p7\" the patient \"P 07\" of line 2?");
    says(f, KEYS("") X(""), "pid,x\np70,1\np7,2\np1007,3\np107,4\n", PROBLEM_ERROR, 0, "");
}

/* A number that means missing is one by its value; a word of one variable is none of another. */
static void missing_words_belong_to_a_variable(void **state)
{
    struct fixture *f = *state;
    struct arena *arena = arena_new();
    assert_non_null(arena);
    f->dictionary = parse_dictionary(
        arena, KEYS("") X(", missing: [\"999\", ND]") "  - { name: age, type: integer, min: 0, max: 120, "
                                                      "missing: [\"-1\"] }\n"
                                                      "  - { name: day, type: date, min: 2000-01-01, max: "
                                                      "2030-01-01, missing: [1900-01-01] }\n");
    must_import(f, "pid,x,age,day\np1,999.0,99,01/01/1900\np2,+999,-1.0,1900-01-01\np3,ND,+99,2001-02-03\n"
                   "p4,0999,099,2001-02-03\n");
    static const double expected[4][3] = {
        {-999, 99, -999}, {-999, -999, -999}, {-999, 99, 11356}, {-999, 99, 11356}};
    for (size_t row = 0; row < 4; row++)
        for (uint32_t v = 0; v < 3; v++)
            assert_true(value_at(f, v, row) == expected[row][v]);
    assert_int_equal(import_text(f, "pid,x,age,day\np1,1,ND,2001-02-03\n", NULL), MAILLE_INVALID);
    columns_free(f->table);
    f->table = NULL;
    arena_free(arena);
}

static void numbers_that_can_be_read_in_two_ways(void **state)
{
    struct fixture *f = *state;
    static const char dictionary[] = KEYS("") X("");
    says(f, dictionary, "pid;x\np;1.500\nq;30\n", PROBLEM_ERROR, 2,
         "found \"1.500\", which may be 1.5 or 1500");
    says(f, dictionary, "pid;x\np;1.500\nq;30.5\n", PROBLEM_ERROR, 0, "");
    says(f, dictionary, "pid;x\np;0,500\n", PROBLEM_ERROR, 0, "");
    struct import_options options = {.decimal = '.'};
    struct arena *arena = arena_new();
    assert_non_null(arena);
    f->dictionary = parse_dictionary(arena, dictionary);
    assert_int_equal(import_text(f, "pid;x\np;1.500\nq;30\n", &options), MAILLE_OK);
    assert_true(value_at(f, 0, 0) == 1.5);
    columns_free(f->table);
    f->table = NULL;
    arena_free(arena);
}

static void sums_up_what_was_read(void **state)
{
    struct fixture *f = *state;
    must_import(
        f, "pid,age,pgr,size,chemo,dtime,born\n"
           "a,5,0.1,<=20,0,10,NA\nb,9,,>50,1,20,2000-01-01\nc,1,2.5,,0,30,1999-12-31\nd,7,9,>50,0,40,NA\n");
    const struct summary_variable *v = f->report.summary.variables;
    assert_true(v[AGE].min == 1 && v[AGE].median == 5 && v[AGE].max == 9);
    assert_int_equal(v[PGR].missing, 1);
    assert_true(v[PGR].min == 0.1 && v[PGR].median == 2.5 && v[PGR].max == 9);
    assert_int_equal(v[SIZE].counts[0], 1);
    assert_int_equal(v[SIZE].counts[2], 2);
    assert_int_equal(v[CHEMO].counts[1], 1);
    assert_true(v[BORN].median == 10956);
    /* Beside another: half the rows, and a median that moved. */
    struct summary before = f->report.summary, now = before;
    struct summary_variable moved[VARIABLES];
    struct arena *arena = arena_new();
    assert_non_null(arena);
    memcpy(moved, v, sizeof moved);
    moved[AGE].median = 6;
    now.variables = moved;
    now.rows = 2;
    const struct summary_change *changes;
    size_t n, beyond = 0;
    const struct summary_limits limits = {.fewer = 5, .more = 50, .share = 100, .median = 10};
    summary_compare(&changes, &n, arena, &now, &before, &limits, LANGUAGE_EN);
    for (size_t i = 0; i < n; i++)
        beyond += changes[i].beyond;
    assert_string_equal(changes[0].sentence, "rows: 2, before 4 (-50.0 %)");
    assert_true(changes[0].beyond);
    assert_int_equal(beyond, 2);
    assert_string_equal(changes[2].sentence, "age: median 6, before 5");
    summary_compare(&changes, &n, arena, &now, &before, &limits, LANGUAGE_FR);
    assert_string_equal(changes[0].sentence, "lignes : 2, avant 4 (-50.0 %)");
    assert_string_equal(changes[2].sentence, "age : médiane 6, avant 5");
    arena_free(arena);
}

static void checks_the_header(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(import_text(f, "pid,Age,pgr,size,chemo,dtime,born\np,1,1,<=20,0,1,2000-01-01\n", NULL),
                     MAILLE_INVALID);
    assert_int_equal(f->report.n_problems, 1);
    assert_string_equal(f->report.problems[0].column, "age");
    assert_non_null(strstr(f->report.problems[0].sentence, "\"Age\""));
    assert_true(f->report.columns[AGE].absent);
    assert_false(f->report.columns[PGR].absent);

    assert_int_equal(import_text(f, "pid,age,pgr,size,chemo,dtime,born,age\n", NULL), MAILLE_INVALID);
    assert_string_equal(f->report.problems[0].column, "age");
    assert_non_null(strstr(f->report.problems[0].sentence, "column 8"));
    /* Separators too many make columns without a name, which nobody asks for. */
    must_import(f, "pid,age,pgr,size,chemo,dtime,born,,\np,1,1,<=20,0,1,2000-01-01,,\n");
    assert_int_equal(f->report.n_ignored, 0);

    assert_int_equal(import_text(f, "p_id,age,pgr,size,chemo,dtime,born\n1,x\n", NULL), MAILLE_INVALID);
    assert_string_equal(f->report.problems[0].column, "pid");
    assert_int_equal(import_text(f, "", NULL), MAILLE_INVALID);
    assert_non_null(strstr(f->error.sentence, "empty file"));
    /* A title before it is said, and what is under it is checked all the same. */
    assert_int_equal(import_text(f, "Export\n\npid,age,pgr,size,chemo,dtime,born\np,x,1,<=20,0,1,NA\n", NULL),
                     MAILLE_INVALID);
    assert_int_equal(f->report.n_problems, 2);
    assert_non_null(strstr(f->report.problems[0].sentence, "found it as line 3"));
    assert_int_equal(f->report.problems[1].line, 4);
    assert_null(f->table);
}

static void a_site_may_have_no_patient(void **state)
{
    struct fixture *f = *state;
    must_import(f, header);
    assert_int_equal(columns_rows(f->table), 0);
    assert_int_equal(columns_patients(f->table), 0);
    assert_int_equal(columns_blocks(f->table), 0);
}

static void brings_the_rows_of_a_patient_together(void **state)
{
    struct fixture *f = *state;
    must_import(f, "pid,age,pgr,size,chemo,dtime,born\n"
                   "b,1,0,<=20,0,10,NA\n"
                   "a,2,0,<=20,1,20,2000-01-01\n"
                   " b ,3,NA,>50,0,30,2000-01-02\n"
                   "\"c\",4,0,<=20,1,40,NA\n"
                   "a,5,1.5,,0,50,2000-01-03\n"
                   "b,6,0,20-50,1,60,2000-01-04\n");
    static const double ages[] = {1, 3, 6, 2, 5, 4};
    static const double pgr[] = {0, -999, 0, 0, 1.5, 0};
    static const double sizes[] = {0, 2, 1, 0, -999, 0};
    static const double born[] = {-999, 10958, 10960, 10957, 10959, -999};
    static const int32_t patients[] = {0, 0, 0, 1, 1, 2};
    assert_int_equal(columns_rows(f->table), 6);
    assert_int_equal(columns_patients(f->table), 3);
    for (size_t row = 0; row < 6; row++) {
        assert_true(value_at(f, AGE, row) == ages[row]);
        assert_true(value_at(f, PGR, row) == pgr[row]);
        assert_true(value_at(f, SIZE, row) == sizes[row]);
        assert_true(value_at(f, BORN, row) == born[row]);
        assert_int_equal(patient_at(f, row), patients[row]);
    }
    assert_string_equal(import_key(f->table, 0), "b");
    assert_string_equal(import_key(f->table, 2), "c");
    /* A part of it: b's second row and both of a. */
    static const bool keep[] = {false, true, false, true, true, false};
    struct columns *part = NULL;
    assert_int_equal(columns_subset(&part, f->table, keep, &f->error), MAILLE_OK);
    columns_free(f->table); /* the part refers to nothing of the whole */
    f->table = part;
    assert_int_equal(columns_rows(f->table), 3);
    assert_int_equal(columns_patients(f->table), 2);
    assert_null(import_key(f->table, 0));
    static const int32_t renumbered[] = {0, 1, 1};
    static const double kept[] = {3, 2, 5}, kept_pgr[] = {-999, 0, 1.5};
    for (size_t row = 0; row < 3; row++) {
        assert_true(value_at(f, AGE, row) == kept[row]);
        assert_true(value_at(f, PGR, row) == kept_pgr[row]);
        assert_int_equal(patient_at(f, row), renumbered[row]);
    }
    assert_string_equal(columns_dictionary(f->table)->variables[SIZE].levels[2], ">50");
}

static void holds_many_patients(void **state)
{
    struct fixture *f = *state;
    /* Two rows of each, the second far behind the first; a missing value now and then; more than two blocks.
     */
    enum { PATIENTS = 70000 };
    size_t length = 0;
    char *csv = malloc(PATIENTS * 2 * 48);
    assert_non_null(csv);
    length += (size_t)sprintf(csv, "%s", header);
    for (int visit = 0; visit < 2; visit++)
        for (int p = 0; p < PATIENTS; p++) {
            length += (size_t)sprintf(csv + length, "key-%d,%d,", p, p % 100 + visit);
            length += (size_t)sprintf(csv + length, p % 1000 == 7 ? "NA" : "%d.%d", p % 5000, visit);
            length += (size_t)sprintf(csv + length, ",<=20,%d,%d,NA\n", visit, p % 9000);
        }
    must_import(f, csv);
    free(csv);
    assert_int_equal(columns_rows(f->table), 2 * PATIENTS);
    assert_int_equal(columns_patients(f->table), PATIENTS);
    assert_int_equal(columns_blocks(f->table), 3);
    for (size_t row = 0; row < 2 * PATIENTS; row += 1237) {
        size_t p = row / 2, visit = row % 2;
        assert_true(value_at(f, AGE, row) == (double)(p % 100 + visit));
        assert_true(value_at(f, CHEMO, row) == (double)visit);
        assert_true(value_at(f, BORN, row) == -999);
        char number[32];
        snprintf(number, sizeof number, "%zu.%zu", p % 5000, visit);
        assert_true(value_at(f, PGR, row) == (p % 1000 == 7 ? -999 : strtod(number, NULL)));
    }
    struct column_block block;
    struct column_scratch scratch = {0};
    assert_int_equal(columns_block(&block, f->table, &scratch, AGE, 0, NULL), MAILLE_OK);
    assert_null(block.missing);
    assert_int_equal(columns_block(&block, f->table, &scratch, AGE, 3, NULL), MAILLE_INTERNAL);
    assert_int_equal(columns_block(&block, f->table, &scratch, VARIABLES, 0, NULL), MAILLE_INTERNAL);
    column_scratch_clear(&scratch);
}

static void prints_the_report(void **state)
{
    struct fixture *f = *state;
    char *printed = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&printed, &length);
    assert_non_null(to);
    assert_int_equal(import_text(f, "pid,age,pgr,size,chemo,dtime,other\np,1,1,big,0,1,z\nq,NA\n", NULL),
                     MAILLE_INVALID);
    import_report_print(&f->report, f->dictionary, LANGUAGE_EN, to);
    fclose(to);
    static const char *const parts[] = {
        ("dictionary toy version 3\nread as UTF-8, fields by \",\", decimal mark \".\"\n"
         "2 rows, 1 patients\n"),
        "born              date      not in the file",
        "size           4  category           0           0           1",
        "ignored: other",
        "3 problems:",
        "  line 1, born: expected a column of this name",
        "  line 2, size (column 4): expected one of the levels",
        "  line 3: expected 7 fields"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(printed, parts[i]) == NULL)
            fail_msg("expected \"%s\" in:\n%s", parts[i], printed);
    free(printed);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_each_type),
        TEST(numbers_are_correctly_rounded),
        TEST(names_each_bad_cell),
        TEST(an_empty_cell_needs_the_dictionary),
        TEST(groups_up_to_a_limit_and_counts_all),
        TEST(checks_the_header),
        TEST(a_site_may_have_no_patient),
        TEST(brings_the_rows_of_a_patient_together),
        TEST(holds_many_patients),
        TEST(holds_rows_to_the_dictionary),
        TEST(holds_pseudonyms_to_their_rules),
        TEST(missing_words_belong_to_a_variable),
        TEST(numbers_that_can_be_read_in_two_ways),
        TEST(sums_up_what_was_read),
        TEST(prints_the_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
