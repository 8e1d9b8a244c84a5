/* Lines of treatment and rows (start, stop] through an import. */
#include "base/file.h"
#include "registry/derive.h"
#include "registry/import.h"
#include "registry/testing.h"

static const char dictionary_text[] =
    "dictionary: toy\nversion: 1\nkey: pid\nrows: several\nvariables:\n"
    "  - { name: met, type: date, min: 2000-01-01, max: 2030-12-31 }\n"
    "  - { name: news, type: date, min: 2000-01-01, max: 2030-12-31 }\n"
    "  - { name: death, type: boolean }\n"
    "  - { name: start, type: duration, units: days, min: 0, max: 1000 }\n"
    "  - { name: stop, type: integer, min: 0, max: 1000 }\n"
    "  - { name: ps, type: integer, min: 0, max: 4 }\n"
    "  - { name: chemo, type: boolean }\n"
    "  - { name: n_lines, type: integer, min: 0, max: 3 }\n"
    "  - { name: line, type: integer, min: 1, max: 99 }\n"
    "  - { name: second, type: date, min: 2000-01-01, max: 2030-12-31 }\n"
    "  - { name: second_class, type: category, levels: [chemo, ET+CDK, ET] }\n"
    "  - { name: second_end, type: date, min: 2000-01-01, max: 2030-12-31 }\n";
static const char drugs_text[] =
    "dictionary: drugs\nversion: 1\nkey: pid\nrows: several\nidentical_rows: true\nvariables:\n"
    "  - { name: drug, type: category, levels: [tamoxifen, palbociclib, taxol, vitamin] }\n"
    "  - { name: begin, type: date, min: 2000-01-01, max: 2030-12-31 }\n"
    "  - { name: end, type: date, min: 2000-01-01, max: 2030-12-31 }\n"
    "  - { name: setting, type: category, levels: [metastatic, adjuvant] }\n";
static const char ps_text[] =
    "dictionary: ps\nversion: 1\nkey: pid\nrows: several\nidentical_rows: true\nvariables:\n"
    "  - { name: on, type: date, min: 2000-01-01, max: 2030-12-31 }\n"
    "  - { name: ps, type: integer, min: 0, max: 9 }\n";
#define TABLES                                                                                               \
    "derive: toy@1\ntables:\n"                                                                               \
    "  - { name: ps, dictionary: ps.yaml, file: ps.csv, order: on }\n"                                       \
    "  - { name: drugs, dictionary: drugs.yaml, file: drugs.csv, order: begin }\n"
#define GROUPS "groups: { ET: [tamoxifen], CDK: [palbociclib], chemo: [taxol] }, ignored: [vitamin]"
#define CLASSES                                                                                              \
    "classes: [{ class: ET+CDK, has: [ET, CDK] }, { class: chemo, has: [chemo] }, { class: ET+CDK, has: "    \
    "[CDK] }, { class: ET, has: [ET] }]"
#define OF_DRUGS "  - { name: lines, rules: lines/1, of: drugs, drug: drug, begin: begin, end: end, "
#define LINES OF_DRUGS "where: { setting: [metastatic] },\n      " GROUPS ",\n      " CLASSES " }\n"
#define ROWS "rows: { from: met, to: news, event: death, start: start, stop: stop }\n"
static const char rules_text[] =
    TABLES LINES ROWS "variables:\n"
                      "  ps: { table: ps, rule: last, of: ps, changes: true }\n"
                      "  chemo: { table: drugs, rule: any, where: { drug: [taxol] }, changes: true }\n"
                      "  line: { table: lines, rule: max, of: line, changes: true }\n"
                      "  n_lines: { table: lines, rule: count }\n"
                      "  second: { table: lines, rule: first, of: begin, where: { line: [2] } }\n"
                      "  second_class: { table: lines, rule: first, of: class, where: { line: [2] } }\n"
                      "  second_end: { table: lines, rule: first, of: end, where: { line: [2] } }\n";

struct fixture {
    struct arena *arena;
    const struct dictionary *dictionary;
    struct derive *derive;
    struct columns *table;
    struct import_report report;
    char folder[PATH_MAX];
};

static void write_text(const char *name, const char *text)
{
    char path[PATH_MAX];
    write_bytes(test_path(path, name), text, strlen(text));
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = arena_new();
    assert_non_null(f->arena);
    f->dictionary = parse_dictionary(f->arena, dictionary_text);
    write_text("drugs.yaml", drugs_text);
    write_text("ps.yaml", ps_text);
    test_path(f->folder, "");
    if (f->folder[strlen(f->folder) - 1] != '/')
        strcat(f->folder, "/");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    import_report_clear(&f->report);
    columns_free(f->table);
    derive_clear(f->derive);
    arena_free(f->arena);
    free(f);
    return 0;
}

static enum maille_code parse(struct fixture *f, const char *rules, struct maille_error *error)
{
    return derive_parse(&f->derive, f->arena, "rules", rules, strlen(rules), f->folder, f->dictionary, error);
}

static enum maille_code import(struct fixture *f, const char *patients, const char *ps, const char *drugs,
                               struct maille_error *error)
{
    char path[PATH_MAX];
    enum maille_code code;
    write_text("patients.csv", patients);
    write_text("ps.csv", ps);
    write_text("drugs.csv", drugs);
    code = parse(f, rules_text, error);
    if (code == MAILLE_OK)
        code = derive_read(f->derive, NULL, NULL, error);
    if (code != MAILLE_OK)
        return code;
    const struct import_options options = {.derive = f->derive};
    return import_csv(&f->table, &f->report, f->dictionary, test_path(path, "patients.csv"), &options, error);
}

/* The table as a text: patient, then the variables; "." where missing. */
static void show(char *out, size_t size, struct columns *table, uint32_t first, uint32_t end)
{
    struct maille_error error = {0};
    const struct dictionary *dictionary = columns_dictionary(table);
    size_t n = 0;
    for (size_t row = 0; row < columns_rows(table); row++) {
        for (uint32_t v = first; v < end; v++) {
            struct column_scratch scratch = {0};
            struct column_block block;
            MUST(columns_block(&block, table, &scratch, v, 0, &error));
            const int64_t value = column_entry(block.storage, block.values, row);
            const struct variable *variable = &dictionary->variables[v];
            if (v > first)
                out[n++] = ' ';
            if (column_is_missing(block.missing, row))
                n += (size_t)snprintf(out + n, size - n, ".");
            else if (variable->n_levels > 0)
                n += (size_t)snprintf(out + n, size - n, "%s", variable->levels[value]);
            else
                n += (size_t)snprintf(out + n, size - n, "%g", dictionary_value(variable, (double)value));
            column_scratch_clear(&scratch);
        }
        out[n++] = '\n';
    }
    out[n] = '\0';
}

static void follow_up_is_cut_at_changes(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    char found[4000];
    /* p1: a value before the begin carries in; two on one day, the later line of the file holds; an equal one
     * cuts nothing; one without a value, one without a day, one on the last day do not either. p2: nothing
     * ever. p3: no end. p4: an end on the day of the begin. p5: the event is missing. */
    MUST(import(f,
                "pid,met,news,death\np1,2010-01-01,2010-04-11,TRUE\np2,2010-01-01,2010-01-31,FALSE\n"
                "p3,2010-01-01,,FALSE\np4,2010-01-01,2010-01-01,TRUE\np5,2010-01-01,2010-01-11,\n",
                "pid,on,ps\np1,2010-02-10,1\np1,2009-12-01,0\np1,2010-02-10,2\np1,2010-03-02,2\n"
                "p1,2010-03-12,\np1,,4\np1,2010-04-11,4\np3,2010-01-01,3\np5,2010-01-06,1\n",
                "pid,drug,begin,end,setting\np1,taxol,2010-03-02,,metastatic\np1,taxol,2009-06-01,,adjuvant\n"
                "p4,taxol,2010-01-01,,metastatic\n",
                &error));
    show(found, sizeof found, f->table, 2, 7);
    assert_string_equal(found, "FALSE 0 40 0 TRUE\n"
                               "FALSE 40 60 2 TRUE\n"
                               "TRUE 60 100 2 TRUE\n"
                               "FALSE 0 30 . FALSE\n"
                               "FALSE . . 3 FALSE\n"
                               "TRUE . . . TRUE\n"
                               ". 0 5 . FALSE\n"
                               ". 5 10 1 FALSE\n");
    assert_int_equal(columns_patients(f->table), 5);
    assert_int_equal(f->report.n_listed, 1);
    assert_non_null(strstr(f->report.problems[0].sentence, "found 2 without"));
}

static void lines_come_out_of_drugs(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    char found[4000];
    /* p1: endocrine, palbociclib added while it goes on, then taxol; a vitamin and an adjuvant drug count for
     * nothing. p2: taxol and no more. */
    MUST(import(
        f,
        "pid,met,news,death\np1,2010-01-01,2010-12-27,TRUE\np2,2010-01-01,2010-01-31,FALSE\n"
        "p3,2010-01-01,2010-01-31,FALSE\n",
        "pid,on,ps\n",
        "pid,drug,begin,end,setting\np1,taxol,2010-07-20,2010-10-01,metastatic\n"
        "p1,palbociclib,2010-04-11,2010-07-01,metastatic\np1,tamoxifen,2010-01-01,2010-07-01,metastatic\n"
        "p1,vitamin,,,metastatic\np1,taxol,2009-01-01,,adjuvant\np2,taxol,2010-01-02,,metastatic\n",
        &error));
    show(found, sizeof found, f->table, 7, 12);
    assert_string_equal(found, "3 1 14710 ET+CDK 14810\n"
                               "3 2 14710 ET+CDK 14810\n"
                               "3 3 14710 ET+CDK 14810\n"
                               "1 . . . .\n"
                               "1 1 . . .\n"
                               "0 . . . .\n");
    show(found, sizeof found, f->table, 2, 5);
    assert_string_equal(found,
                        "FALSE 0 100\nFALSE 100 200\nTRUE 200 360\nFALSE 0 1\nFALSE 1 30\nFALSE 0 30\n");
}

static void what_cannot_be_cut_is_told(void **state)
{
    static const struct {
        const char *patients, *ps, *drugs, *part;
    } cases[] = {
        {"p1,2010-01-01,2010-01-31,TRUE\np1,2010-01-01,2010-02-28,TRUE\n", "", "",
         "line 3, column pid: expected one record of each patient, which rows are made of, found another"},
        {"p1,2010-01-01,2014-01-31,TRUE\n", "", "",
         "line 2, column stop: expected a value that the variable may have out of its table, found 1491"},
        {"p1,2010-01-01,2010-01-31,TRUE\n", "p1,2010-01-05,9\n", "",
         "line 2, column ps: expected a value that the variable may have out of its table, found 9"},
        {"p1,2010-01-01,2010-01-31,TRUE\n", "",
         "p0,taxol,2010-01-01,,metastatic\np1,,2010-01-01,,metastatic\n",
         "expected a name of each drug, found none in record 2, column drug"},
        {"p1,2010-01-01,2010-01-31,TRUE\n", "", "p1,taxol,,,metastatic\n",
         "expected a begin of each drug, found none in record 1, column begin"},
        {"p1,2010-01-01,2010-01-31,TRUE\n", "", "p1,taxol,2010-01-02,2010-01-01,metastatic\n",
         "expected an end that is not before the begin, found one in record 1, column end"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maille_error error = {0};
        char patients[500], ps[500], drugs[500];
        snprintf(patients, sizeof patients, "pid,met,news,death\n%s", cases[i].patients);
        snprintf(ps, sizeof ps, "pid,on,ps\n%s", cases[i].ps);
        snprintf(drugs, sizeof drugs, "pid,drug,begin,end,setting\n%s", cases[i].drugs);
        assert_int_equal(import(f, patients, ps, drugs, &error), MAILLE_INVALID);
        if (strstr(error.sentence, cases[i].part) == NULL)
            fail_msg("expected \"%s\" in: %s", cases[i].part, error.sentence);
        import_report_clear(&f->report);
        derive_clear(f->derive);
        f->derive = NULL;
    }
}

static void wrong_rules_are_told(void **state)
{
    struct fixture *f = *state;
#define CHANGES "variables:\n  ps: { table: ps, rule: last, of: ps, changes: true }\n"
#define ROWS_OF(from, event, start)                                                                          \
    "rows: { from: " from ", to: news, event: " event ", start: " start ", stop: stop }\n"
    static const struct {
        const char *rules, *part;
    } cases[] = {
        {TABLES CHANGES, "expected `rows` for `ps`, which changes, found none"},
        {TABLES "rows: [met]\n" CHANGES, "rules:5:7: expected `rows: { from, to, event, start, stop }`"},
        {TABLES "rows: { from: met }\n" CHANGES,
         "rules:5:7: expected `rows: { from, to, event, start, stop }`, "
         "found none for `to`"},
        {TABLES ROWS_OF("other", "death", "start") CHANGES,
         "rules:5:15: expected a variable of the dictionary for `from`, found `other`"},
        {TABLES ROWS_OF("met", "death", "ps") CHANGES,
         "expected `start` of `rows` not among `variables`, found `ps`"},
        {TABLES ROWS_OF("death", "death", "start") CHANGES, "found `death` for `from` and `event`"},
        {TABLES ROWS_OF("chemo", "death", "start") CHANGES, "expected `from` to be a date, found boolean"},
        {TABLES ROWS_OF("met", "n_lines", "start") CHANGES,
         "expected `event` to be a boolean, or a category"},
        {TABLES ROWS_OF("met", "death", "chemo") CHANGES, "expected `start` to be a duration in days"},
        {TABLES "variables: {}\n  \n"
                "  - 1\n",
         "rules:"},
        {TABLES OF_DRUGS GROUPS " }\nvariables: {}\n",
         "expected the key `classes` of a table of lines, found none"},
        {TABLES "  - { name: lines, rules: lines/2 }\nvariables: {}\n",
         "rules:5:27: expected the rules lines/1, which this version knows, found `lines/2`"},
        {TABLES "  - { name: lines, rules: lines/1, of: ps2, drug: drug, begin: begin, " GROUPS ", " CLASSES
                " }\nvariables: {}\n",
         "expected a table of drugs above, found `ps2`"},
        {TABLES "  - { name: lines, rules: lines/1, of: drugs, drug: begin, begin: begin, " GROUPS
                ", " CLASSES " }\nvariables: {}\n",
         "expected `drug` as a category of the table of drugs, found `begin`"},
        {TABLES OF_DRUGS "groups: { ET: [tamoxifen] }, " CLASSES " }\nvariables: {}\n",
         "expected every drug in one of `groups` or in `ignored`, found none for `palbociclib`"},
        {TABLES OF_DRUGS "groups: { ET: [aspirin] }, " CLASSES " }\nvariables: {}\n",
         "expected a level of `drug`, found `aspirin`"},
        {TABLES OF_DRUGS "groups: { ET: [taxol, taxol] }, " CLASSES " }\nvariables: {}\n",
         "expected each drug once, found `taxol` again"},
        {TABLES OF_DRUGS GROUPS ", classes: [{ class: ET, has: [ET] }] }\nvariables: {}\n",
         "expected a class that has `CDK` alone"},
        {TABLES OF_DRUGS GROUPS ", classes: [{ class: ET, has: [IO] }] }\nvariables: {}\n",
         "expected one of `groups`, found `IO`"},
        {TABLES OF_DRUGS GROUPS ", " CLASSES ", together: 400 }\nvariables: {}\n", "expected"},
        {TABLES "  - { name: ps, dictionary: ps.yaml, file: ps.csv }\nvariables: {}\n",
         "expected each table once, found `ps` again"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct maille_error error = {0};
        if (parse(f, cases[i].rules, &error) != MAILLE_INVALID ||
            strstr(error.sentence, cases[i].part) == NULL)
            fail_msg("expected \"%s\" in: %s", cases[i].part, error.sentence);
        f->derive = NULL;
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(follow_up_is_cut_at_changes),
        TEST(lines_come_out_of_drugs),
        TEST(what_cannot_be_cut_is_told),
        TEST(wrong_rules_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
