/* A study per method, and tables of made-up patients to run them over: what the properties of every method
 * are tested with. */
#ifndef TESTS_PROPERTY_H
#define TESTS_PROPERTY_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "registry/import.h"
#include "registry/rowkeys.h"
#include "report/report.h"
#include "tests/federation/federation.h"

enum { SITES_MAX = 20, ANALYSES_MAX = 10 };

static const char dictionary_text[] =
    "dictionary: made\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n"
    "  - { name: arm, type: category, levels: [A, B, C, D] }\n"
    "  - { name: sex, type: boolean }\n"
    "  - { name: age, type: integer, min: 18, max: 100 }\n"
    "  - { name: x, type: real, min: -10, max: 10, resolution: 0.1 }\n"
    "  - { name: skewed, type: real, min: 0, max: 5000, resolution: 0.01 }\n"
    "  - { name: same, type: real, min: 0, max: 1, resolution: 0.1 }\n"
    "  - { name: start, type: duration, units: days, min: 0, max: 1000 }\n"
    "  - { name: stop, type: duration, units: days, min: 0, max: 1000 }\n"
    "  - { name: dead, type: boolean }\n"
    "  - { name: status, type: category, levels: [none, relapse, death, other] }\n"
    "  - { name: weight, type: real, min: 0, max: 10, resolution: 0.25 }\n"
    "  - { name: row, type: integer, min: 1, max: 2 }\n" /* of the patient */
    "  - { name: seen, type: date, min: 2000-01-01, max: 2009-12-31 }\n"
    "  - { name: back, type: date, min: 2000-01-01, max: 2009-12-31 }\n"; /* before `seen` for some */

/* A study per method. */
static const struct property {
    const char *method;
    const char *analyses;
    bool by_site; /* what a site works out by itself: not claimed (docs/methods) */
} properties[] = {
    {"count",
     "  - { id: a, method: count, by: [arm, sex] }\n  - { id: b, method: count, cohort: age > 90 }\n", false},
    {"describe",
     "  - { id: a, method: describe, variables: [age, x, skewed, same, arm], by: [sex, arm] }\n"
     "  - { id: b, method: describe, variables: [root, sum, stop], cohort: \"!is_missing(x)\" }\n",
     false},
    {"quantile",
     "  - { id: a, method: quantile, variable: skewed, probs: [0, 0.1, 0.5, 0.9, 1], by: arm }\n"
     "  - { id: b, method: quantile, variable: root, probs: [0.25, 0.5] }\n"
     "  - { id: c, method: quantile, variable: same, probs: [0, 0.5, 1], by: [sex] }\n",
     false},
    {"histogram",
     "  - { id: a, method: histogram, variable: x, width: 0.7, by: sex }\n"
     "  - { id: b, method: histogram, variable: age, breaks: [18, 19, 40, 100], by: arm }\n"
     "  - { id: c, method: histogram, variable: skewed, breaks: [0, 5000] }\n",
     false},
    {"attrition",
     "  - { id: a, method: attrition, criteria: [sex, dead] }\n"
     "  - { id: b, method: attrition, criteria: [dead, late, sex], by: arm }\n",
     false},
    {"pathways",
     "  - { id: a, method: pathways, variables: [arm, status] }\n"
     "  - { id: b, method: pathways, variables: [status, arm], by: sex }\n"
     "  - { id: c, method: pathways, variables: [arm, status, sex] }\n",
     false},
    {"crosstab",
     "  - { id: a, method: crosstab, variables: [arm, sex] }\n"
     "  - { id: b, method: crosstab, variables: [sex, dead] }\n"
     "  - { id: c, method: crosstab, variables: [arm, status, sex] }\n",
     false},
    {"ttest",
     "  - { id: a, method: ttest, formula: \"x ~ sex\" }\n"
     "  - { id: b, method: ttest, formula: \"log(skewed + 1) ~ dead\", var_equal: true }\n",
     false},
    {"anova",
     "  - { id: a, method: anova, formula: \"skewed ~ arm\" }\n"
     "  - { id: b, method: anova, formula: \"sum ~ status\", var_equal: false }\n",
     false},
    {"correlation",
     "  - { id: a, method: correlation, variables: [age, x, skewed, root, stop] }\n"
     "  - { id: b, method: correlation, variables: [x, same] }\n",
     false},
    {"glm",
     "  - { id: a, method: glm, family: binomial, formula: \"dead ~ age + arm * sex\" }\n"
     "  - { id: b, method: glm, family: gaussian, formula: \"x ~ log(skewed + 1) + status\", weights: weight "
     "}\n"
     "  - { id: c, method: glm, family: poisson, formula: \"dead ~ sex + offset(log(stop - start))\" }\n"
     "  - { id: d, method: glm, family: binomial, formula: \"dead ~ ns(age, knots = c(40, 60), "
     "Boundary.knots = c(20, "
     "90)) + cut(skewed, c(-Inf, 1, 10, Inf)) + factor(row)\", robust: true }\n",
     false},
    {"gformula",
     "  - { id: a, method: gformula, family: binomial, treatment: sex, formula: \"dead ~ age + sex * arm\" "
     "}\n"
     "  - { id: b, method: gformula, treatment: arm, formula: \"x ~ arm + log(skewed + 1) + offset(age)\" "
     "}\n",
     false},
    {"emulation",
     "  - { id: a, method: emulation, formula: \"Surv(stop, dead) ~ age + x\", treatment: sex, start: start, "
     "grace: [14, 35], times: [70, 203], tau: 203 }\n"
     "  - { id: b, method: emulation, formula: \"Surv(stop, dead) ~ arm + x\", treatment: sex, start: start, "
     "grace: [35], times: [105, 350, 700] }\n",
     false},
    {"km",
     "  - { id: a, method: km, formula: \"Surv(stop, dead) ~ arm\", tau: 300, times: [10, 100, 900] }\n"
     "  - { id: b, method: km, formula: \"Surv(start, stop, dead) ~ sex\", conf_type: log-log, times: [50] "
     "}\n"
     "  - { id: c, method: km, formula: \"Surv(stop, dead) ~ 1\", reverse: true }\n"
     "  - { id: d, method: km, formula: \"Surv(stop, dead) ~ arm\", landmark: 40, times: [50] }\n",
     false},
    {"logrank",
     "  - { id: a, method: logrank, formula: \"Surv(stop, dead) ~ arm + strata(sex)\", trend: true }\n"
     "  - { id: b, method: logrank, formula: \"Surv(start, stop, dead) ~ sex\", rho: 1 }\n",
     false},
    {"cox",
     "  - { id: a, method: cox, formula: \"Surv(stop, dead) ~ age + arm\", zph: true, baseline: true }\n"
     "  - { id: b, method: cox, formula: \"Surv(start, stop, dead) ~ x + strata(sex)\", ties: breslow }\n"
     "  - { id: c, method: cox, formula: \"Surv(stop, dead) ~ sex * x + offset(0.01 * age)\", robust: true, "
     "zph: "
     "[km, identity] }\n",
     false},
    {"cuminc",
     "  - { id: a, method: cuminc, formula: \"Surv(stop, status) ~ arm + strata(sex)\", rho: 1 }\n"
     "  - { id: b, method: cuminc, formula: \"Surv(stop, status) ~ 1\" }\n",
     false},
    {"finegray",
     "  - { id: a, method: finegray, formula: \"Surv(stop, status) ~ age + arm\", cause: relapse }\n"
     "  - { id: b, method: finegray, formula: \"Surv(start, stop, status) ~ age + strata(sex)\", cause: "
     "death, cohort: "
     "row == 1 }\n",
     false},
    {"cox",
     "  - { id: w, method: cox, formula: \"Surv(stop, dead) ~ sex + cluster(arm)\", weights: weight, "
     "adjusted: sex, times: [3, 9] }\n"
     "  - { id: p, method: cox, formula: \"Surv(start, stop, dead) ~ sex + age + cluster(patient)\", "
     "weights: "
     "weight }\n"
     "  - { id: i, method: cox, formula: \"Surv(stop, dead) ~ sex\", weights: { iptw: \"sex ~ age\", "
     "stabilised: true, "
     "truncate: [0.05, 0.95] } }\n",
     false},
    {"km",
     "  - { id: w, method: km, formula: \"Surv(stop, dead) ~ arm\", weights: weight, tau: 200, times: [100] "
     "}\n"
     "  - { id: i, method: km, formula: \"Surv(stop, dead) ~ sex\", weights: { iptw: \"sex ~ age + arm\" } "
     "}\n",
     false},
    {"describe",
     "  - { id: i, method: describe, variables: [age, skewed], by: sex, weights: { iptw: \"sex ~ age\" } }\n"
     "  - { id: w, method: describe, variables: [x, arm], weights: weight }\n",
     false},
    {"glm",
     "  - { id: i, method: glm, family: binomial, formula: \"dead ~ sex\", weights: { iptw: \"sex ~ age\", "
     "estimand: att } }\n",
     false},
    {"cox",
     "  - { id: g, method: cox, formula: \"Surv(stop, dead) ~ sex + age\", subgroups: [arm] }\n"
     "  - { id: w, method: cox, formula: \"Surv(stop, dead) ~ age\", subgroups: [sex], weights: weight }\n",
     false},
    {"glm", "  - { id: g, method: glm, family: gaussian, formula: \"x ~ sex\", subgroups: [arm, dead] }\n",
     false},
    {"glm",
     "  - { id: k, method: glm, family: binomial, formula: \"dead ~ ns(age, df = 3) + sex\", weights: weight "
     "}\n"
     "  - { id: l, method: cox, formula: \"Surv(stop, dead) ~ ns(age, df = 2) * sex\" }\n",
     false},
    {"meta",
     "  - { id: a, method: meta, model: { method: glm, formula: \"dead ~ age + sex\", family: binomial }, "
     "term: age }\n"
     "  - { id: b, method: meta, model: { method: cox, formula: \"Surv(stop, dead) ~ sex\" }, term: sexTRUE "
     "}\n"
     "  - { id: c, method: meta, model: { method: glm, formula: \"dead ~ x + sex\", family: binomial }, "
     "term: x }\n",
     true},
    {"negative_controls",
     "  - { id: a, method: negative_controls, analysis: b, controls: [c, d, e, f, g], term: sexTRUE }\n"
     "  - { id: b, method: glm, family: gaussian, formula: \"x ~ sex + arm\" }\n"
     "  - { id: c, method: glm, family: gaussian, formula: \"skewed ~ sex\" }\n"
     "  - { id: d, method: glm, family: gaussian, formula: \"age ~ sex\" }\n"
     "  - { id: e, method: glm, family: gaussian, formula: \"x ~ sex + age\" }\n"
     "  - { id: f, method: glm, family: gaussian, formula: \"weight ~ sex\" }\n"
     "  - { id: g, method: glm, family: gaussian, formula: \"x ~ sex\", cohort: \"age > 50\", robust: true "
     "}\n"
     "  - { id: h, method: negative_controls, analysis: i, controls: [j], term: age }\n"
     "  - { id: i, method: cox, formula: \"Surv(stop, dead) ~ age + sex\" }\n"
     "  - { id: j, method: cox, formula: \"Surv(stop, dead) ~ age\", weights: weight }\n",
     false},
    {"cox", "  - { id: s, method: cox, formula: \"Surv(stop, dead) ~ x + strata(site)\", weights: weight }\n",
     true},
    {"logrank", "  - { id: s, method: logrank, formula: \"Surv(stop, dead) ~ sex + strata(site)\" }\n", true},
    {"glm",
     "  - { id: s, method: glm, family: binomial, formula: \"dead ~ age + arm + strata(site)\", weights: "
     "weight, "
     "robust: true }\n"
     "  - { id: t, method: glm, family: poisson, formula: \"dead ~ sex + offset(log(stop - start)) + "
     "strata(site)\" }\n"
     "  - { id: u, method: glm, family: gaussian, formula: \"x ~ sex + strata(site)\", subgroups: [arm] }\n",
     true},
    {"glm",
     "  - { id: n, method: glm, family: gaussian, formula: \"x ~ lag + months(seen, back):sex\" }\n"
     "  - { id: o, method: glm, family: binomial, formula: \"dead ~ poly(age, 2) * sex\" }\n",
     false},
    {"ttest", "  - { id: n, method: ttest, formula: \"lag ~ sex\" }\n", false},
    {"describe", "  - { id: n, method: describe, variables: [lag, age], by: sex }\n", false},
    {"rate",
     "  - { id: a, method: rate, formula: \"Surv(stop, dead) ~ arm\", per: 365.25 }\n"
     "  - { id: b, method: rate, formula: \"Surv(start, stop, dead) ~ sex + arm\" }\n"
     "  - { id: s, method: rate, formula: \"Surv(stop, dead) ~ sex\", standardise: arm, standard: [3, 2, 1, "
     "0], reference: [0.1, 0.2, 0.1, 0] }\n"
     "  - { id: r, method: rate, formula: \"Surv(stop, dead) ~ 1\", standardise: sex, reference: [0.1, 0.2] "
     "}\n",
     false},
    {"smd",
     "  - { id: a, method: smd, treatment: sex, variables: [age, x, skewed, arm, dead, same] }\n"
     "  - { id: i, method: smd, treatment: sex, variables: [age, arm], weights: { iptw: \"sex ~ age\" } }\n"
     "  - { id: j, method: smd, treatment: sex, variables: [age], weights: { iptw: \"arm ~ age\" } }\n"
     "  - { id: w, method: smd, treatment: dead, variables: [x], weights: weight }\n",
     false},
    {"table1",
     "  - { id: a, method: table1, variables: [age, x, arm, dead, same], by: sex, statistics: both, smd: "
     "true, "
     "p: true }\n"
     "  - { id: b, method: table1, variables: [skewed, sex], by: [arm], p: true, overall: false }\n"
     "  - { id: c, method: table1, variables: [root, status], statistics: median }\n",
     false},
};

static inline uint64_t next_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline unsigned upto(uint64_t *state, unsigned n)
{
    return (unsigned)(next_bits(state) % n);
}

/* The rows of a table, joined in another order. */
static inline void put_shuffled(struct bytes *text, const struct bytes *rows, uint64_t seed)
{
    size_t n = 0, *at = calloc(rows->length + 1, sizeof *at);
    assert_non_null(at);
    for (size_t i = 0; i < rows->length; i++)
        if (i == 0 || rows->data[i - 1] == '\n')
            at[n++] = i;
    for (size_t i = n; i-- > 1;) {
        size_t other = (size_t)(next_bits(&seed) % (i + 1)), swap = at[i];
        at[i] = at[other];
        at[other] = swap;
    }
    for (size_t i = 0; i < n; i++) {
        const uint8_t *row = rows->data + at[i];
        bytes_put(text, row, (size_t)((const uint8_t *)memchr(row, '\n', rows->length - at[i]) - row) + 1);
    }
    free(at);
}

/* n patients, some of them in two rows. In every fifth table of few everybody is in one arm and nobody has an
 * event. */
static inline void make_table(struct columns **table, const struct dictionary *dictionary, size_t n,
                              uint64_t seed, bool shuffled)
{
    static const char *const arms[] = {"A", "B", "C", ""}, *const statuses[] = {"none", "relapse", "death"};
    static const char head[] = "pid,arm,sex,age,x,skewed,same,start,stop,dead,status,weight,row,seen,back\n";
    struct maille_error error = {0};
    struct bytes text = {0}, body = {0};
    struct import_report report = {0};
    struct import_options options = {.errors_max = 5};
    char line[256], path[512];
    bool plain = n < 100 && seed % 5 == 0;
    for (size_t p = 0; p < n; p++) {
        const char *arm = arms[plain ? 0 : upto(&seed, 40) == 0 ? 3 : upto(&seed, 3)];
        unsigned sex = upto(&seed, 2), age = 18 + upto(&seed, 40) + upto(&seed, 43),
                 start = upto(&seed, 4) * 10;
        char seen[16], back[16]; /* of the number of the patient: no draw is another for them */
        number_format_date(seen, 11000 + (int32_t)(p % 200));
        number_format_date(back, 10980 + (int32_t)(p % 200 + p * 7 % 90));
        unsigned rows = 1 + (upto(&seed, 8) == 0);
        for (unsigned row = 1; row <= rows; row++) {
            unsigned stop = start + 1 + upto(&seed, 300), dead = !plain && row == rows && upto(&seed, 3) > 0;
            char x[16] = "";
            if (upto(&seed, 30) > 0)
                snprintf(x, sizeof x, "%.1f", (double)(upto(&seed, 100) + upto(&seed, 101)) / 10 - 10);
            int length = snprintf(
                line, sizeof line, "%zu,%s,%u,%u,%s,%.2f,0.3,%u,%u,%u,%s,%.2f,%u,%s,%s\n", p, arm, sex, age,
                x, (double)upto(&seed, 500000) / 100 / (1 + upto(&seed, 1000)), start, stop, dead,
                statuses[dead ? 1 + upto(&seed, 2) : 0], (double)upto(&seed, 9) / 4, row, seen, back);
            bytes_put(&body, line, (size_t)length);
            start = stop;
        }
    }
    bytes_put(&text, head, sizeof head - 1);
    if (shuffled)
        put_shuffled(&text, &body, seed);
    else
        bytes_put(&text, body.data, body.length);
    assert_int_equal(file_path_join(path, sizeof path, getenv("MAILLE_TEST_TMP"), "property.csv", &error),
                     MAILLE_OK);
    assert_int_equal(file_write_atomic(path, text.data, text.length, 0600, &error), MAILLE_OK);
    if (import_csv(table, &report, dictionary, path, &options, &error) != MAILLE_OK) {
        import_report_print(&report, dictionary, LANGUAGE_EN, stderr);
        fail_msg("%s", error.sentence);
    }
    import_report_clear(&report);
    bytes_clear(&body);
    bytes_clear(&text);
}

static inline const struct study *make_study(struct arena *arena, const struct dictionary *dictionary,
                                             const char *analyses)
{
    struct maille_error error = {0};
    const struct study *study = NULL;
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    const char *text = arena_printf(
        arena,
        "study: property\ndictionary: made@1\ntitle: t\npurpose: p\nlegal_basis: l\nprotocol: r\n"
        "expires: 2099-12-31\nsites: all\ngrid: week\nmissing: analysis\n"
        "derive:\n  root: sqrt(age)\n  sum: x + skewed * 0.5\n  lag: days(seen, back)\n  late: x > "
        "1\nanalyses:\n%s",
        analyses);
    if (study_parse(&study, arena, dictionary, methods, n_methods, "property", text, strlen(text), &error) !=
        MAILLE_OK)
        fail_msg("%s", error.sentence);
    for (size_t k = 0; k < study->n_analyses; k++) {
        const struct method *method = method_find(study->analyses[k].method);
        if (method->check != NULL && method->check(&study->analyses[k], &error) != MAILLE_OK)
            fail_msg("%s", error.sentence);
    }
    return study;
}

/* The result file of a study over these sites. ok: every analysis must have come to a result. ended: counts
 * those that have, per analysis; may be NULL. policy: behind its threshold rounds; NULL: without. */
static inline void run_study_under(struct bytes *json, const struct study *study,
                                   struct columns *const *sites, size_t n, unsigned threads, bool ok,
                                   unsigned *ended, const struct policy *policy)
{
    struct plan plan = {0};
    struct maille_error error = {0};
    struct study_run run = {0};
    struct report report;
    struct tally_options options = {.threads = threads};
    unsigned rounds = 0;
    struct arena *arena = arena_new();
    if (federation_run_under(&run, &plan, &rounds, study, sites, n, policy, &options, NULL, &error) !=
        MAILLE_OK)
        fail_msg("%s", error.sentence);
    for (size_t k = 0; ok && k < study->n_analyses; k++)
        if (run.states[k].status != ANALYSIS_OK)
            fail_msg("%s, %s: %s", study->analyses[k].method, study->analyses[k].id, run.states[k].reason);
    for (size_t k = 0; ended != NULL && k < study->n_analyses; k++)
        ended[k] += run.states[k].status == ANALYSIS_OK;
    report_of_run(&report, arena, &run, &(struct report_facts){.query = "", .n_sites = 1});
    assert_int_equal(report_json(json, &report, &error), MAILLE_OK);
    study_run_clear(&run);
    plan_clear(&plan);
    arena_free(arena);
}

static inline void run_study(struct bytes *json, const struct study *study, struct columns *const *sites,
                             size_t n, unsigned threads, bool ok, unsigned *ended)
{
    run_study_under(json, study, sites, n, threads, ok, ended, NULL);
}

static inline const struct dictionary *make_dictionary(struct arena *arena)
{
    struct maille_error error = {0};
    const struct dictionary *dictionary = NULL;
    if (dictionary_parse(&dictionary, arena, "made", dictionary_text, strlen(dictionary_text), &error) !=
        MAILLE_OK)
        fail_msg("%s", error.sentence);
    return dictionary;
}

enum { N_PROPERTIES = sizeof properties / sizeof *properties };

#endif
