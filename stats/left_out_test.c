/* Rows that do not count are told, each with its reason. */
#include "stats/paper.h"

static const char variables[] =
    "  - { name: a, type: duration, units: days, min: 0, max: 90, resolution: 0.5 }\n"
    "  - { name: t, type: duration, units: days, min: 0, max: 90, resolution: 0.5 }\n"
    "  - { name: e, type: boolean }\n"
    "  - { name: g, type: category, levels: [u, v] }\n"
    "  - { name: x, type: integer, min: 0, max: 9 }\n";

/* Half days on a grid of days: the first patient's last row is emptied by the grid, the second's first is
 * overtaken by an event on the same day; two rows stop when they start, one of them with an event. */
static const char csv[] = "pid,a,t,e,g,x\n"
                          "1,0,1.5,0,u,1\n"
                          "1,1.5,2,0,u,1\n"
                          "2,1,1.5,1,v,3\n"
                          "2,1.5,2,1,v,3\n"
                          "3,0,30,1,u,2\n"
                          "4,9,9,1,v,5\n"
                          "5,9,9,0,u,4\n"
                          "6,0,40,0,v,3\n"
                          "7,0,50,1,v,4\n";

static void assert_sentences(const char *analysis)
{
    static const char *const sentences[] = {
        "2 rows were left out: of each, it stops when or before it starts",
        "1 row was left out: it starts and stops in one step of the grid, without an event",
        "1 row was left out: its patient has an event in the same step of the grid later"};
    struct paper paper;
    paper_run(&paper, variables, csv, analysis);
    paper_result(&paper, 0);
    const struct result *warnings = paper.run.states[0].outcome.warnings;
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
        bool found = false;
        for (size_t k = 0; k < warnings->n; k++)
            found = found || strcmp(warnings->items[k]->string, sentences[i]) == 0;
        if (!found)
            fail_msg("%s: expected `%s`, found %zu others, first `%s`", analysis, sentences[i], warnings->n,
                     warnings->n > 0 ? warnings->items[0]->string : "");
    }
    paper_close(&paper);
}

static void every_reason_is_told(void **state)
{
    (void)state;
    assert_sentences("  - { id: k, method: km, formula: \"Surv(a, t, e) ~ 1\" }\n");
    assert_sentences("  - { id: l, method: logrank, formula: \"Surv(a, t, e) ~ g\" }\n");
    assert_sentences("  - { id: s, method: logrank, formula: \"Surv(a, t, e) ~ g + strata(site)\" }\n");
    assert_sentences("  - { id: c, method: cox, formula: \"Surv(a, t, e) ~ x\" }\n");
    assert_sentences("  - { id: c, method: cox, formula: \"Surv(a, t, e) ~ x + strata(site)\" }\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_reason_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
