/* The result file against the contract, there and back; CSV quoting; a page that is well formed whatever the
 * names are. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "report/table.h"
#include "report/words.h"

static const char nasty[] = "<b onload=\"x\">&'\x01";

/* Two analyses: a model with everything that a result can hold, and one that was refused. */
static void sample(struct report *report, struct arena *arena)
{
    struct report_analysis *a = arena_array(arena, 3, sizeof *a);
    struct result *result = result_object(arena), *terms = result_add_list(result, "terms");
    const char *const names[] = {"age", "size>50"};
    for (size_t i = 0; i < 2; i++) {
        struct result *row = result_add_object(terms, NULL);
        result_add_string(row, "term", names[i]);
        result_add_number(row, "estimate", 0.1 + (double)i);
        result_add_number(row, "std_error", 1.0 / 3);
        result_add_number(row, "p_value", i == 0 ? 1e-5 : 0.0345);
        result_add_number(row, "conf_low", NAN);
        result_add_integer(row, "n", 3);
    }
    struct result *loglik = result_add_list(result, "loglik");
    result_add_number(loglik, NULL, -10.5);
    result_add_number(loglik, NULL, -9.25);
    struct result *tests = result_add_object(result, "tests"), *wald = result_add_object(tests, "wald");
    result_add_number(wald, "statistic", 4);
    result_add_integer(wald, "df", 2);
    result_add_number(wald, "p_value", 0.2);
    result_add_string(result, "ties", "efron");
    struct result *vcov = result_add_list(result, "vcov");
    for (size_t i = 0; i < 2; i++) {
        struct result *row = result_add_list(vcov, NULL);
        result_add_number(row, NULL, 1.5);
        result_add_number(row, NULL, -0.5);
    }
    struct result *warnings = result_list(arena);
    result_add_string(warnings, NULL, nasty);
    a[0] = (struct report_analysis){.id = "cox",
                                    .method = "cox",
                                    .status = ANALYSIS_OK,
                                    .n = 6,
                                    .n_missing = 1,
                                    .n_event = -1,
                                    .warnings = warnings,
                                    .dropped_levels = result_list(arena),
                                    .aliased = result_list(arena),
                                    .result = result};
    struct result *asked = result_object(arena), *frame = result_object(arena);
    result_add_string(asked, "formula", "Surv(t, d) ~ age");
    result_add_null(frame, "time_units");
    a[0].asked = asked;
    a[0].frame = frame;
    a[1] = (struct report_analysis){.id = "x",
                                    .method = "crosstab",
                                    .status = ANALYSIS_REFUSED,
                                    .rule = "min_patients",
                                    .reason = "the cohort holds too few",
                                    .n = -1,
                                    .n_missing = -1,
                                    .n_event = -1};
    a[2] = (struct report_analysis){.id = "y",
                                    .method = "km",
                                    .status = ANALYSIS_FAILED,
                                    .reason = nasty,
                                    .n = -1,
                                    .n_missing = -1,
                                    .n_event = -1};
    struct result *roster = result_object(arena), *dictionary = result_object(arena);
    result_add_string(result_add_list(roster, "asked"), NULL, nasty);
    result_add_string(dictionary, "name", "d");
    static const struct report_snapshot snapshots[] = {{"site-1", 7, "ab"}, {"<site>", 1, NULL}};
    static const struct report_log_head heads[] = {{"site-1", 12, "cd"}};
    *report = (struct report){.maille = "0.1.0",
                              .study = "first",
                              .query = "9f",
                              .grid = "month",
                              .title = nasty,
                              .purpose = "p",
                              .legal_basis = "l",
                              .protocol = "q",
                              .expires = "2027-12-31",
                              .cohort = "age > 1",
                              .missing = "analysis",
                              .date = "2026-11-23T15:50:00Z",
                              .elapsed_ms = 1178,
                              .wire = 1,
                              .rounds = 14,
                              .bytes = 1295792,
                              .derive = result_list(arena),
                              .dictionary = dictionary,
                              .roster = roster,
                              .policy = result_object(arena),
                              .n_sites = 2,
                              .text = "cohort: age < 3 && age > 1\n",
                              .snapshots = snapshots,
                              .n_snapshots = 2,
                              .log_heads = heads,
                              .n_log_heads = 1,
                              .analyses = a,
                              .n_analyses = 3};
}

static void assert_keys(json_t *object, const char *const *keys, size_t n)
{
    const char *key;
    json_t *value;
    size_t i = 0;
    json_object_foreach(object, key, value)
    {
        assert_true(i < n);
        assert_string_equal(key, keys[i++]);
    }
    assert_int_equal(i, n);
}

static void test_json(void **state)
{
    (void)state;
    static const char *const top[] = {
        "maille",  "study",      "query",      "title",     "purpose",   "legal_basis", "protocol",
        "expires", "date",       "elapsed_ms", "wire",      "mode",      "synthetic",   "sites",
        "roster",  "rounds",     "bytes",      "policy",    "grid",      "cohort",      "missing",
        "derive",  "dictionary", "text",       "snapshots", "log_heads", "analyses"};
    static const char *const ok[] = {"id",          "method",   "status",         "n",       "n_missing",
                                     "n_event",     "warnings", "dropped_levels", "aliased", "suppressed",
                                     "grid_merged", "result",   "asked",          "frame"};
    static const char *const refused[] = {"id", "method", "status", "rule", "reason", "asked", "frame"};
    static const char *const failed[] = {"id", "method", "status", "reason", "asked", "frame"};
    struct arena *arena = arena_new();
    struct report report;
    struct bytes out = {0};
    struct maille_error error;
    sample(&report, arena);
    assert_int_equal(report_json(&out, &report, &error), MAILLE_OK);
    json_t *root = json_loadb((const char *)out.data, out.length, 0, NULL);
    assert_keys(root, top, sizeof top / sizeof *top);
    json_t *first = json_array_get(json_object_get(root, "analyses"), 0);
    assert_keys(first, ok, sizeof ok / sizeof *ok);
    assert_true(json_is_null(json_object_get(first, "n_event")));
    assert_keys(json_array_get(json_object_get(root, "analyses"), 1), refused, 7);
    assert_keys(json_array_get(json_object_get(root, "analyses"), 2), failed, 6);
    json_t *term = json_array_get(json_object_get(json_object_get(first, "result"), "terms"), 0);
    assert_true(json_is_null(json_object_get(term, "conf_low")));
    assert_true(json_is_integer(json_object_get(term, "n")));
    bytes_put_u8(&out, 0);
    assert_non_null(strstr((const char *)out.data, "0.33333333333333331")); /* 17 digits */
    json_decref(root);
    bytes_clear(&out);
    arena_free(arena);
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct report report, again;
    struct bytes first = {0}, second = {0};
    struct maille_error error;
    sample(&report, arena);
    assert_int_equal(report_json(&first, &report, &error), MAILLE_OK);
    assert_int_equal(report_read(&again, arena, "r.json", first.data, first.length, &error), MAILLE_OK);
    assert_int_equal(report_json(&second, &again, &error), MAILLE_OK);
    assert_int_equal(first.length, second.length);
    assert_memory_equal(first.data, second.data, first.length);
    assert_string_equal(again.title, report.title);
    /* Any prefix is not a result file, and says so. */
    for (size_t n = 0; n + 2 < first.length; n += 7) {
        assert_int_equal(report_read(&again, arena, "r.json", first.data, n, &error), MAILLE_INVALID);
        assert_non_null(strstr(error.sentence, "r.json"));
    }
    bytes_clear(&first);
    bytes_clear(&second);
    arena_free(arena);
}

static void test_not_a_result(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"[]", "other JSON"},
        {"{}", "`maille`"},
        {"{\"maille\": 1, \"study\": \"s\"}", "`maille`"},
        {"{\"maille\": \"0\", \"study\": \"s\", \"analyses\": {}}", "`analyses`"},
        {"{\"maille\": \"0\", \"study\": \"s\", \"analyses\": [3]}", "`analyses`"},
        {"{\"maille\": \"0\", \"study\": \"s\", \"analyses\": [{\"id\": \"a\", \"method\": \"m\", "
         "\"status\": \"fine\"}]}",
         "`status`"},
        {"{\"maille\": \"0\", \"study\": \"s\", \"analyses\": [{\"id\": \"a\", \"method\": \"m\", "
         "\"status\": \"ok\", \"result\": 1}]}",
         "`result`"},
        {"{\"maille\": \"0\", \"study\": \"s\", \"sites\": \"six\"}", "`sites`"},
        {"{\"maille\": \"0\", \"study\": \"s\", \"snapshots\": [{}]}", "`site`"},
    };
    struct arena *arena = arena_new();
    struct report report;
    struct maille_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(report_read(&report, arena, "f", bad[i].text, strlen(bad[i].text), &error),
                         MAILLE_INVALID);
        if (strstr(error.sentence, bad[i].words) == NULL)
            fail_msg("%s: %s", bad[i].text, error.sentence);
    }
    arena_free(arena);
}

/* Lists inside lists, deeper than any result. */
static void test_deep(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct report report;
    struct maille_error error;
    struct bytes out = {0};
    const char head[] = "{\"maille\":\"0\",\"study\":\"s\",\"analyses\":[{\"id\":\"a\",\"method\":\"m\","
                        "\"status\":\"ok\",\"result\":{\"x\":";
    bytes_put(&out, head, strlen(head));
    for (int i = 0; i < 1000; i++)
        bytes_put_u8(&out, '[');
    for (int i = 0; i < 1000; i++)
        bytes_put_u8(&out, ']');
    bytes_put(&out, "}}]}", 4);
    assert_int_equal(report_read(&report, arena, "f", out.data, out.length, &error), MAILLE_INVALID);
    bytes_clear(&out);
    arena_free(arena);
}

/* Tags open and close in order, attributes are quoted, and every & begins an entity. */
static void assert_well_formed(const char *page)
{
    char stack[64][16];
    size_t depth = 0;
    const char *c = strchr(page, '\n') + 1; /* past the doctype */
    for (; *c != '\0'; c++) {
        assert_true((unsigned char)*c >= 0x20 || *c == '\n' || *c == '\t');
        if (*c == '&')
            assert_true(strncmp(c, "&amp;", 5) == 0 || strncmp(c, "&lt;", 4) == 0 ||
                        strncmp(c, "&gt;", 4) == 0 || strncmp(c, "&quot;", 6) == 0 ||
                        strncmp(c, "&#39;", 5) == 0);
        if (*c != '<')
            continue;
        bool closing = c[1] == '/';
        const char *name = c + 1 + closing, *end = name;
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
        assert_in_range(length, 1, 15);
        for (bool quoted = false; *end != '>' || quoted; end++) {
            assert_true(*end != '\0' && *end != '<');
            quoted ^= *end == '"';
        }
        if (closing) {
            assert_true(depth > 0);
            depth--;
            assert_true(strlen(stack[depth]) == length && strncmp(stack[depth], name, length) == 0);
        } else if (end[-1] != '/') {
            assert_true(depth < 64);
            memcpy(stack[depth], name, length);
            stack[depth++][length] = '\0';
        }
        c = end;
    }
    assert_int_equal(depth, 0);
}

static void test_html(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct report report;
    struct bytes out = {0};
    struct maille_error error;
    sample(&report, arena);
    assert_int_equal(report_html(&out, &report, &error), MAILLE_OK);
    bytes_put_u8(&out, 0);
    const char *page = (const char *)out.data;
    assert_well_formed(page);
    assert_null(strstr(page, "<b "));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "http"));
    assert_non_null(strstr(page, "&lt;b onload=&quot;x&quot;&gt;&amp;&#39;"));
    assert_non_null(strstr(page, "Refused by the policy of the sites (rule min_patients)"));
    assert_non_null(strstr(page, "&lt;0.001"));
    assert_non_null(strstr(page, "HR (95% CI)"));
    assert_non_null(strstr(page, "What to do: Widen the cohort"));
    assert_non_null(strstr(page, "1.11")); /* exp(0.1) */
    assert_non_null(strstr(page, "age &lt; 3 &amp;&amp; age &gt; 1"));
    bytes_clear(&out);
    arena_free(arena);
}

/* A group of a describe whose numbers are withheld: hatched from n on, and a key below; names and undefined
 * numbers are not. */
static void test_withheld(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct report report;
    struct bytes out = {0};
    struct maille_error error;
    sample(&report, arena);
    struct report_analysis *a = arena_array(arena, 2, sizeof *a);
    for (size_t i = 0; i < 2; i++)
        a[i] = report.analyses[0];
    struct result *result = result_object(arena), *rows = result_add_list(result, "variables");
    for (size_t i = 0; i < 2; i++) {
        struct result *row = result_add_object(rows, NULL);
        result_add_string(row, "variable", "age");
        result_add_null(row, "by");
        if (i == 0)
            result_add_integer(row, "n", 40);
        else
            result_add_null(row, "n");
        result_add_number(row, "mean", i == 0 ? 61.5 : NAN);
        result_add_number(row, "sd", NAN); /* undefined in the first, and so in a column of nothing */
        result_add_number(row, "sum", i == 0 ? 2460 : NAN);
    }
    a[0].result = result;
    a[0].suppressed = 1;
    a[1].suppressed = 1; /* of a model the number of missing alone */
    report.analyses = a;
    report.n_analyses = 2;
    assert_int_equal(report_html(&out, &report, &error), MAILLE_OK);
    bytes_put_u8(&out, 0);
    size_t hatched = 0;
    for (const char *at = (const char *)out.data; (at = strstr(at, "<td class=\"h\"")) != NULL; at++)
        hatched++;
    assert_int_equal(hatched, 3); /* n, mean, sum */
    assert_well_formed((const char *)out.data);
    assert_non_null(strstr((const char *)out.data,
                           "<span class=\"h key\" aria-hidden=\"true\"></span> 1 number is withheld"));
    bytes_clear(&out);
    arena_free(arena);
}

static char *read_text(struct bytes *bytes, const char *folder, const char *name)
{
    char path[4096];
    struct maille_error error = {0};
    bytes_clear(bytes);
    assert_int_equal(file_path_join(path, sizeof path, folder, name, &error), MAILLE_OK);
    if (file_read(bytes, path, 1 << 20, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    bytes_put_u8(bytes, 0);
    return (char *)bytes->data;
}

static void test_csv(void **state)
{
    (void)state;
    char folder[4096];
    struct arena *arena = arena_new();
    struct report report;
    struct maille_error error;
    struct bytes text = {0};
    size_t n = 0;
    const char *tmp = getenv("MAILLE_TEST_TMP");
    assert_int_equal(file_path_join(folder, sizeof folder, tmp == NULL ? "/tmp" : tmp, "csv", &error),
                     MAILLE_OK);
    sample(&report, arena);
    assert_int_equal(report_csv(&report, folder, &n, &error), MAILLE_OK);
    assert_int_equal(n, 4); /* terms, vcov, summary, tests */
    assert_string_equal(read_text(&text, folder, "cox.terms.csv"),
                        "term,estimate,std_error,p_value,conf_low,n\n"
                        "age,0.1,0.3333333333333333,1e-05,,3\nsize>50,1.1,0.3333333333333333,0.0345,,3\n");
    assert_string_equal(read_text(&text, folder, "cox.vcov.csv"),
                        "term,age,size>50\nage,1.5,-0.5\nsize>50,1.5,-0.5\n");
    assert_string_equal(read_text(&text, folder, "cox.summary.csv"),
                        "loglik_1,loglik_2,ties\n-10.5,-9.25,efron\n");
    assert_string_equal(read_text(&text, folder, "cox.tests.csv"),
                        "test,statistic,df,p_value\nwald,4,2,0.2\n");
    bytes_clear(&text);
    arena_free(arena);
}

static void test_csv_quotes(void **state)
{
    (void)state;
    char folder[4096];
    struct arena *arena = arena_new();
    struct maille_error error;
    struct bytes text = {0};
    struct result *result = result_object(arena), *variables = result_add_list(result, "variables");
    struct result *levels = result_add_list(result, "levels"), *counts = result_add_list(result, "counts");
    result_add_string(variables, NULL, "a,b");
    result_add_string(variables, NULL, "c");
    result_add_string(result_add_list(levels, NULL), NULL, "say \"x\"");
    struct result *second = result_add_list(levels, NULL), *row = result_add_list(counts, NULL);
    result_add_string(second, NULL, "one\ntwo");
    result_add_string(second, NULL, "plain");
    result_add_integer(row, NULL, 4);
    result_add_integer(row, NULL, 5);
    struct report_analysis a = {.id = "t", .method = "crosstab", .status = ANALYSIS_OK, .result = result};
    struct report report = {.analyses = &a, .n_analyses = 1};
    const char *tmp = getenv("MAILLE_TEST_TMP");
    assert_int_equal(file_path_join(folder, sizeof folder, tmp == NULL ? "/tmp" : tmp, "csv", &error),
                     MAILLE_OK);
    assert_int_equal(report_csv(&report, folder, NULL, &error), MAILLE_OK);
    assert_string_equal(read_text(&text, folder, "t.counts.csv"),
                        "\"a,b\",c,n\n\"say \"\"x\"\"\",\"one\ntwo\",4\n\"say \"\"x\"\"\",plain,5\n");
    a.id = "../evil";
    assert_int_equal(report_csv(&report, folder, NULL, &error), MAILLE_INVALID);
    bytes_clear(&text);
    arena_free(arena);
}

/* Curves become a table of curves and one of their steps; breaks become the two edges of a bar. */
static void test_tables(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct result *result = result_object(arena), *curves = result_add_list(result, "curves");
    struct result *curve = result_add_object(curves, NULL), *groups = result_add_list(result, "groups");
    result_add_string(curve, "stratum", "all");
    result_add_integer(curve, "n", 6);
    result_add_number(result_add_object(curve, "rmst"), "tau", 5);
    struct result *time = result_add_list(curve, "time"), *estimate = result_add_list(curve, "estimate");
    for (int i = 0; i < 3; i++) {
        result_add_number(time, NULL, i);
        result_add_number(estimate, NULL, 1 - 0.1 * i);
    }
    struct result *bars = result_add_object(groups, NULL), *breaks = result_add_list(bars, "breaks");
    struct result *counts = result_add_list(bars, "counts");
    for (int i = 0; i < 3; i++)
        result_add_number(breaks, NULL, 10 * i);
    result_add_integer(counts, NULL, 4);
    result_add_integer(counts, NULL, 2);
    struct report_analysis a = {.id = "t", .method = "km", .status = ANALYSIS_OK, .result = result};
    const struct report_table *t = report_tables(&a, arena);
    assert_string_equal(t->part, "curves");
    assert_int_equal(t->n_columns, 3);
    assert_string_equal(t->columns[2], "rmst_tau");
    t = t->next;
    assert_string_equal(t->part, "curve");
    assert_int_equal(t->n_rows, 3);
    assert_string_equal(t->columns[0], "stratum");
    assert_string_equal(report_cell(t, 2, 0)->string, "all");
    t = t->next;
    assert_string_equal(t->part, "groups");
    assert_int_equal(t->n_rows, 2);
    assert_string_equal(t->columns[1], "breaks_high");
    assert_true(report_cell(t, 1, 1)->number > 19);
    assert_null(t->next);
    arena_free(arena);
}

/* Rows of two kinds are read as two tables, without the columns that say nothing. */
static void test_split(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct result *result = result_object(arena), *rows = result_add_list(result, "variables");
    for (int i = 0; i < 4; i++) {
        struct result *row = result_add_object(rows, NULL);
        result_add_string(row, "variable", "v");
        result_add_null(row, "by");
        result_add_number(row, i % 2 == 0 ? "mean" : "share", i);
    }
    struct report_analysis a = {.id = "t", .method = "describe", .status = ANALYSIS_OK, .result = result};
    const struct report_table *t = report_tables(&a, arena), *shown = report_split(t, arena);
    assert_int_equal(t->n_rows, 4);
    assert_int_equal(t->n_columns, 4);
    assert_int_equal(shown->n_rows, 2);
    assert_int_equal(shown->n_columns, 2);
    assert_string_equal(shown->columns[1], "mean");
    assert_string_equal(shown->next->columns[1], "share");
    assert_true(report_cell(shown->next, 1, 1)->number > 2);
    assert_null(shown->next->next);
    arena_free(arena);
}

static void assert_words(const char *column, double value, const char *expected)
{
    char buffer[WORDS_MAX];
    struct result cell = {.kind = RESULT_NUMBER, .number = value};
    assert_string_equal(words_cell(buffer, column, &cell), expected);
}

static void test_words(void **state)
{
    (void)state;
    assert_words("p_value", 1e-9, "<0.001");
    assert_words("p_value", 0.0454, "0.045");
    assert_words("p_value", 0.9999, ">0.999");
    assert_words("share", 0.1234, "12.3%");
    assert_words("mean", 57.5599, "57.56");
    assert_words("estimate", 0.73456, "0.7346");
    assert_words("sum", 138259, "138259");
    assert_words("estimate", -0.00001234, "-1.23e-05");
    assert_words("n", 0, "0");
}

static void test_terminal(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct arena *arena = arena_new();
    struct report report;
    sample(&report, arena);
    FILE *to = open_memstream(&text, &size);
    report_terminal(to, &report, REPORT_TERMINAL_WIDTH);
    fclose(to);
    assert_non_null(strstr(text, "cox: Cox model\n  6 rows, "));
    assert_non_null(strstr(text, "size>50"));
    assert_non_null(strstr(text, "<0.001"));
    assert_non_null(strstr(text, "min_patients"));
    assert_null(strstr(text, "Covariance"));
    assert_null(strchr(text, '\x01')); /* a terminal would obey it */
    free(text);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),         cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_not_a_result), cmocka_unit_test(test_deep),
        cmocka_unit_test(test_html),         cmocka_unit_test(test_withheld),
        cmocka_unit_test(test_csv),          cmocka_unit_test(test_csv_quotes),
        cmocka_unit_test(test_tables),       cmocka_unit_test(test_split),
        cmocka_unit_test(test_words),        cmocka_unit_test(test_terminal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
