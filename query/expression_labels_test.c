/* What the dictionary calls a level, through whatever a study makes of it. */
#include "base/test.h"
#include "query/fixture.h"

static const char dictionary_text[] =
    "dictionary: t\nversion: 1\nkey: pid\nvariables:\n"
    "  - { name: stage, type: category, levels: [\"1\", \"2\", \"3\"], labels: [local, nodes, spread] }\n"
    "  - { name: bare, type: category, levels: [a, b] }\n"
    "  - { name: chemo, type: boolean, labels: [none, given] }\n"
    "  - { name: age, type: integer, min: 0, max: 120 }\n";

static int setup(void **state)
{
    fixture_open(state, dictionary_text);
    return 0;
}

static void a_level_keeps_its_label(void **state)
{
    struct fixture *f = *state;
    struct maille_error error = {0};
    static const struct {
        const char *text;
        size_t level;
        const char *label;
    } cases[] = {
        {"stage", 0, "local"},
        {"stage", 2, "spread"},
        {"bare", 0, NULL},
        {"chemo", 1, "given"},
        {"!chemo", 1, NULL}, /* TRUE here is not the variable's */
        {"age > 50", 1, NULL},
        {"relevel(stage, ref = \"2\")", 0, "nodes"},
        {"relevel(stage, ref = \"2\")", 1, "local"},
        {"relevel(chemo, ref = \"TRUE\")", 0, "given"},
        {"factor(stage, levels = c(\"3\", \"1\"))", 0, "spread"},
        {"relevel(factor(stage, levels = c(\"3\", \"1\")), ref = \"1\")", 1, "spread"},
        /* Another level's name: the word of the level that had it would be wrong. */
        {"factor(stage, levels = c(\"1\", \"2\"), labels = c(\"2\", \"1\"))", 0, NULL},
        {"factor(stage, labels = c(\"1\", \"2\", \"2\"))", 0, "local"},
        {"factor(stage, labels = c(\"1\", \"2\", \"2\"))", 1, NULL}, /* joined with another */
        {"cut(age, c(0, 50, 120))", 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct expression *e = NULL;
        assert_ok(expression_parse(&e, f->arena, &f->scope, cases[i].text, &error), &error);
        const char *label = expression_level_label(e, f->dictionary, cases[i].level);
        if (cases[i].label == NULL ? label != NULL : label == NULL || strcmp(label, cases[i].label) != 0)
            fail_msg("%s, level %zu: %s", cases[i].text, cases[i].level, label == NULL ? "none" : label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_level_keeps_its_label, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
