/* The dictionary's words for levels, strata and terms; a model's rows; a Table 1. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "report/labels.h"
#include "report/regression.h"

/* What a run of four patients would say, by hand. */
static const char file[] =
    "{\"maille\":\"0\",\"study\":\"s\",\"sites\":3,"
    "\"dictionary\":{\"name\":\"d\",\"version\":1,\"variables\":["
    "{\"name\":\"age\",\"label\":\"Age\",\"units\":\"years\",\"levels\":null},"
    "{\"name\":\"nodes\",\"label\":\"Nodes\",\"units\":null,\"levels\":null},"
    "{\"name\":\"arm\",\"label\":\"Treatment\",\"units\":null,\"levels\":[\"FALSE\",\"TRUE\"]},"
    "{\"name\":\"stage\",\"label\":\"Stage\",\"units\":null,\"levels\":[\"1\",\"2\"],\"labels\":[\"local\","
    "\"spread\"]},"
    "{\"name\":\"given\",\"label\":\"Chemotherapy\",\"units\":null,\"levels\":[\"FALSE\",\"TRUE\"],"
    "\"labels\":[\"none\",\"given\"]},"
    "{\"name\":\"size\",\"label\":\"Size\",\"units\":null,\"levels\":[\"<=20\",\"20, or so\",\">50\"]}]},"
    "\"derive\":[{\"name\":\"group\",\"expression\":\"cut(nodes, c(1, "
    "4))\",\"levels\":[\"(-Inf,1]\",\"(1,4]\",\"(4, Inf]\"]}],"
    "\"analyses\":["
    "{\"id\":\"t1\",\"method\":\"describe\",\"status\":\"ok\",\"n\":4,\"asked\":{\"by\":\"arm\"},\"result\":{"
    "\"variables\":["
    "{\"variable\":\"age\",\"by\":\"arm\",\"level\":\"FALSE\",\"n\":1,\"missing\":1,\"mean\":50,\"sd\":2.5},"
    "{\"variable\":\"age\",\"by\":\"arm\",\"level\":\"TRUE\",\"n\":2,\"missing\":0,\"mean\":60.25,\"sd\":1},"
    "{\"variable\":\"size\",\"by\":\"arm\",\"level\":\"FALSE\",\"value\":\"<=20\",\"n\":2,\"share\":1},"
    "{\"variable\":\"size\",\"by\":\"arm\",\"level\":\"TRUE\",\"value\":\"<=20\",\"n\":1,\"share\":0.5},"
    "{\"variable\":\"size\",\"by\":\"arm\",\"level\":\"TRUE\",\"value\":\">50\",\"n\":null,\"share\":null}]}}"
    ","
    "{\"id\":\"q\",\"method\":\"quantile\",\"status\":\"ok\",\"n\":4,\"asked\":{\"by\":\"arm\",\"variable\":"
    "\"age\"},\"result\":"
    "{\"groups\":[{\"by\":\"arm\",\"level\":\"TRUE\",\"probs\":[0.25,0.5,0.75],\"values\":[59.5,60,61]}]}},"
    "{\"id\":\"b\",\"method\":\"smd\",\"status\":\"ok\",\"n\":4,\"asked\":{\"treatment\":\"arm\"},\"result\":"
    "{\"variables\":["
    "{\"variable\":\"age\",\"level\":null,\"unweighted\":-0.75,\"weighted\":null}]}},"
    "{\"id\":\"x\",\"method\":\"ttest\",\"status\":\"ok\",\"n\":4,\"asked\":{\"formula\":\"age~arm\"},"
    "\"result\":{\"p_value\":0.0421}},"
    "{\"id\":\"cox\",\"method\":\"cox\",\"status\":\"ok\",\"n\":10,\"n_event\":6,\"dropped_levels\":[\"size="
    "20, or so\"],"
    "\"asked\":{\"conf_level\":0.9},\"frame\":{\"response\":\"Surv(t, d)\",\"time_units\":null,\"factors\":["
    "{\"name\":\"age\",\"levels\":null},{\"name\":\"size\",\"levels\":[\"<=20\",\"20, or so\",\">50\"]},"
    "{\"name\":\"arm\",\"levels\":[\"FALSE\",\"TRUE\"]}]},\"result\":{\"ties\":\"efron\",\"terms\":["
    "{\"term\":\"age\",\"estimate\":0,\"conf_low\":-0.1,\"conf_high\":0.1,\"p_value\":1,\"n\":null,\"n_"
    "event\":null},"
    "{\"term\":\"size>50\",\"estimate\":0.6931471805599453,\"conf_low\":0,\"conf_high\":1.3862943611198906,"
    "\"p_value\":0.05,\"n\":4,\"n_event\":3},"
    "{\"term\":\"size>50:armTRUE\",\"estimate\":0,\"conf_low\":null,\"conf_high\":null,\"p_value\":null,"
    "\"n\":1,\"n_event\":1}]}},"
    "{\"id\":\"g\",\"method\":\"gformula\",\"status\":\"ok\",\"n\":4,\"asked\":{},\"frame\":{\"response\":"
    "\"d\",\"time_units\":null,"
    "\"factors\":[{\"name\":\"stage\",\"levels\":[\"1\",\"2\"]},{\"name\":\"age\",\"levels\":null}]},"
    "\"result\":{\"means\":["
    "{\"variable\":\"stage\",\"level\":\"1\",\"n\":3,\"n_event\":1,\"estimate\":0.5,\"std_error\":0.1},"
    "{\"variable\":\"stage\",\"level\":\"2\",\"n\":1,\"n_event\":null,\"estimate\":0.75,\"std_error\":0.1}],"
    "\"contrasts\":["
    "{\"variable\":\"stage\",\"level\":\"2\",\"reference\":\"1\",\"measure\":\"risk "
    "difference\",\"estimate\":0.25,"
    "\"conf_low\":-0.25,\"conf_high\":0.75,\"p_value\":0.3},"
    "{\"variable\":\"stage\",\"level\":\"2\",\"reference\":\"1\",\"measure\":\"risk ratio\",\"estimate\":1.5,"
    "\"conf_low\":0.5,\"conf_high\":4.5,\"p_value\":0.4}]}}]}";

struct read {
    struct arena *arena;
    struct report report;
    struct labels labels;
};

static int set_up(void **state)
{
    static struct read read;
    struct maille_error error = {0};
    read.arena = arena_new();
    if (report_read(&read.report, read.arena, "f", file, sizeof file - 1, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    read.labels = labels_of(&read.report, read.arena);
    *state = &read;
    return 0;
}

static int tear_down(void **state)
{
    arena_free(((struct read *)*state)->arena);
    return 0;
}

static void test_levels(void **state)
{
    const struct labels *l = &((struct read *)*state)->labels;
    static const char *const pairs[][2] = {
        {"TRUE", "Yes"},        {"FALSE", "No"},           {"<=20", "≤20"},      {">=3", "≥3"},
        {">50", ">50"},         {"[1,4)", "1 to <4"},      {"(1,4]", ">1 to 4"}, {"[-Inf,1)", "<1"},
        {"(-Inf,1]", "≤1"},     {"[10, Inf)", "≥10"},      {"(5, Inf]", ">5"},   {"[a", "[a"},
        {"(a,b,c)", "(a,b,c)"}, {"20, or so", "20, or so"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_string_equal(labels_level(l, NULL, pairs[i][0]), pairs[i][1]);
}

static void test_variables(void **state)
{
    const struct labels *l = &((struct read *)*state)->labels;
    assert_string_equal(labels_with_units(l, "age"), "Age (years)");
    assert_string_equal(labels_variable(l, "group"), "Nodes"); /* of what it cuts */
    assert_string_equal(labels_variable(l, "cut(nodes, c(1, 4))"), "Nodes");
    assert_string_equal(labels_variable(l, "log(nodes + 1)"), "log(nodes + 1)");
    assert_int_equal(labels_levels(l, "group")->n, 3);
    assert_string_equal(labels_level(l, "stage", "2"), "spread");
    assert_string_equal(labels_level(l, "stage", "3"), "3");
    assert_string_equal(labels_level(l, NULL, "2"), "2");
    assert_string_equal(labels_by(l, "given,stage", "TRUE,1"), "given, local");
    assert_string_equal(labels_by(l, "arm", "TRUE"), "Treatment: Yes");
    assert_string_equal(labels_by(l, "size,arm", "20, or so,FALSE"), "20, or so, Treatment: No");
}

static void test_strata(void **state)
{
    const struct read *read = *state;
    struct result *frame = result_object(read->arena), *factors = result_add_list(frame, "factors");
    result_add_string(result_add_object(factors, NULL), "name", "size");
    assert_string_equal(labels_stratum(&read->labels, frame, "size=20, or so"), "Size: 20, or so");
    result_add_string(result_add_object(factors, NULL), "name", "arm");
    assert_string_equal(labels_stratum(&read->labels, frame, "size=20, or so, arm=TRUE"),
                        "20, or so, Treatment: Yes");
    assert_string_equal(labels_stratum(&read->labels, frame, "all"), "All patients");
    assert_string_equal(labels_stratum(&read->labels, frame, "other=1"), "other=1");
    assert_string_equal(labels_stratum(&read->labels, NULL, "size=>50"), "size=>50");
}

/* A factor of a formula has words of its own, and a status too. */
static void test_own_words(void **state)
{
    const struct read *read = *state;
    const char *name = "relevel(stage, ref = \"2\")";
    struct result *frame = result_object(read->arena), *list,
                  *one = result_add_object(result_add_list(frame, "factors"), NULL),
                  *status = result_add_object(frame, "status");
    result_add_string(one, "name", name);
    for (struct result *of = one; of != NULL; of = of == one ? status : NULL) {
        list = result_add_list(of, "levels");
        result_add_string(list, NULL, "2");
        result_add_string(list, NULL, "1");
        list = result_add_list(of, "labels");
        result_add_string(list, NULL, "spread");
        result_add_string(list, NULL, "local");
    }
    assert_string_equal(labels_factor_level(&read->labels, frame, name, "1"), "local");
    assert_string_equal(labels_stratum(&read->labels, frame, "relevel(stage, ref = \"2\")=1"),
                        "relevel(stage, ref = \"2\"): local");
    struct labels_term term = labels_term(&read->labels, frame, "relevel(stage, ref = \"2\")1");
    assert_string_equal(term.level, "local");
    assert_string_equal(term.raw_level, "1");
    term = labels_term(&read->labels, frame, name); /* all of it, as zph tests it */
    assert_string_equal(term.words, name);
    assert_null(term.level);
    assert_string_equal(labels_dropped(&read->labels, NULL, "stage=2"), "Stage: spread");
    assert_string_equal(labels_dropped(&read->labels, NULL, "nothing"), "nothing");
    assert_string_equal(labels_cause(&read->labels, frame, "2"), "spread");
    assert_string_equal(labels_cause(&read->labels, NULL, "TRUE"), "Yes");
}

/* Age; size with its reference, which is what the others leave; the interaction. Nobody has the level
 * between. */
static void test_regression(void **state)
{
    const struct read *read = *state;
    char buffer[REGRESSION_WORDS];
    const struct regression *r = regression_of(&read->report, &read->report.analyses[4], read->arena);
    assert_non_null(r);
    assert_int_equal(r->n, 5);
    assert_string_equal(r->abbreviation, "HR");
    assert_true(r->level > 0.89 && r->level < 0.91);
    assert_string_equal(r->rows[0].words, "Age, per year");
    assert_true(r->rows[1].heading);
    assert_string_equal(r->rows[1].words, "Size");
    assert_true(r->rows[2].reference);
    assert_string_equal(r->rows[2].words, "≤20");
    assert_int_equal(r->rows[2].n, 6);
    assert_int_equal(r->rows[2].n_event, 3);
    assert_string_equal(r->rows[3].words, ">50");
    assert_string_equal(regression_words(buffer, &r->rows[3]), "2.00 (1.00–4.00)");
    assert_string_equal(regression_p(buffer, r->rows[3].p_value), "0.050");
    assert_string_equal(r->rows[4].words, "Size: >50 × Treatment: Yes");
    assert_string_equal(regression_words(buffer, &r->rows[4]), "1.00");
    assert_string_equal(regression_p(buffer, 0.0004), "<0.001");
    assert_string_equal(regression_p(buffer, NAN), "");
    assert_null(regression_of(&read->report, &read->report.analyses[0], read->arena));
}

/* The level that the others are compared with, then the difference; no ratio. */
static void test_contrasts(void **state)
{
    const struct read *read = *state;
    char buffer[REGRESSION_WORDS];
    const struct regression *r = contrasts_of(&read->report, &read->report.analyses[5], read->arena);
    assert_non_null(r);
    assert_string_equal(r->measure, "Risk difference");
    assert_false(r->is_ratio);
    assert_int_equal(r->n, 3);
    assert_true(r->rows[0].heading);
    assert_string_equal(r->rows[0].words, "Stage");
    assert_true(r->rows[1].reference);
    assert_string_equal(r->rows[1].words, "local");
    assert_int_equal(r->rows[1].n, 3);
    assert_string_equal(r->rows[2].words, "spread");
    assert_int_equal(r->rows[2].n_event, -1);
    assert_string_equal(regression_words(buffer, &r->rows[2]), "0.25 (-0.25 to 0.75)");
    assert_string_equal(regression_p(buffer, r->rows[2].p_value), "0.30");
    assert_null(contrasts_of(&read->report, &read->report.analyses[4], read->arena));
}

static void test_table1(void **state)
{
    const struct read *read = *state;
    static const char *const parts[] = {
        "Treatment: No<br/>n = 2",
        "Treatment: Yes<br/>n = 2",
        "Age (years), mean (SD)</th><td class=\"r w\">50.0 (2.5)</td>",
        "60.2 (1.0)</td><td class=\"r\">0.75</td><td class=\"r w\">0.042</td>",
        "median (Q1–Q3)</th><td class=\"h\"",
        "60 (59.5–61)",
        "Missing</th><td class=\"r w\">1</td>",
        "≤20</th><td class=\"r w\">2 (100.0%)</td><td class=\"r w\">1 (50.0%)</td>",
        "&gt;50</th><td class=\"r w\">0</td><td class=\"h\""};
    struct bytes out = {0};
    struct maille_error error = {0};
    assert_int_equal(report_html(&out, &read->report, &error), MAILLE_OK);
    bytes_put_u8(&out, 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr((const char *)out.data, parts[i]) == NULL)
            fail_msg("expected %s in the page", parts[i]);
    bytes_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_variables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strata, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_regression, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_contrasts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table1, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
