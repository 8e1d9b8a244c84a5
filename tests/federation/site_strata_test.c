/* Bit rule 8: not the same bits, but the same numbers. strata(site) against strata(v), and cluster(site)
 * against cluster(v), where the sites are the levels of v: risk sets inside a site and risk sets over all
 * sites are two programs that must say the same. The second is compared with R by tests/vectors/cox.R. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/federation/federation.h"

enum { SITES = 3 };

static const char study_text[] =
    "study: site-strata\ndictionary: rotterdam@1\ntitle: Within sites\npurpose: test\nlegal_basis: "
    "none\nprotocol: none\n"
    "expires: 2099-12-31\nsites: all\ngrid: month\nmissing: analysis\nderive:\n"
    "  share: age / 64\n  region: cut(year, c(-Inf, 1982, 1985, 1988, 1990, Inf))\nanalyses:\n"
    "  - { id: e1, method: cox, formula: \"Surv(dtime, death) ~ age + chemo + log(nodes + 1) + "
    "strata(site)\" }\n"
    "  - { id: e2, method: cox, formula: \"Surv(dtime, death) ~ age + chemo + log(nodes + 1) + "
    "strata(size)\" }\n"
    "  - { id: b1, method: cox, formula: \"Surv(rtime, recur) ~ age * meno + strata(site, grade)\", ties: "
    "breslow }\n"
    "  - { id: b2, method: cox, formula: \"Surv(rtime, recur) ~ age * meno + strata(size, grade)\", ties: "
    "breslow }\n"
    "  - { id: a1, method: cox, formula: \"Surv(dtime, death) ~ size + I(2 * age) + age + strata(site)\" }\n"
    "  - { id: a2, method: cox, formula: \"Surv(dtime, death) ~ size + I(2 * age) + age + strata(size)\" }\n"
    "  - { id: i1, method: cox, formula: \"Surv(rtime, recur) ~ er + offset(0.1 * nodes) + strata(site)\" }\n"
    "  - { id: i2, method: cox, formula: \"Surv(rtime, recur) ~ er + offset(0.1 * nodes) + strata(size)\" "
    "}\n"
    "  - { id: c1, method: cox, formula: \"Surv(dtime, death) ~ age + chemo + cluster(site)\" }\n"
    "  - { id: c2, method: cox, formula: \"Surv(dtime, death) ~ age + chemo + cluster(size)\" }\n"
    "  - { id: w1, method: cox, formula: \"Surv(rtime, recur) ~ meno + cluster(site)\", weights: nodes }\n"
    "  - { id: w2, method: cox, formula: \"Surv(rtime, recur) ~ meno + cluster(size)\", weights: nodes }\n"
    "  - { id: r1, method: cox, formula: \"Surv(dtime, death) ~ age + log(nodes + 1) + strata(site)\", "
    "robust: true }\n"
    "  - { id: r2, method: cox, formula: \"Surv(dtime, death) ~ age + log(nodes + 1) + strata(size)\", "
    "robust: true }\n"
    "  - { id: s1, method: cox, formula: \"Surv(rtime, recur) ~ age * grade + strata(site, meno)\", weights: "
    "share, ties: breslow }\n"
    "  - { id: s2, method: cox, formula: \"Surv(rtime, recur) ~ age * grade + strata(size, meno)\", weights: "
    "share, ties: breslow }\n"
    "  - { id: d1, method: cox, formula: \"Surv(rtime, dtime, death) ~ age + I(2 * age) + chemo + "
    "strata(site)\", weights: share }\n"
    "  - { id: d2, method: cox, formula: \"Surv(rtime, dtime, death) ~ age + I(2 * age) + chemo + "
    "strata(size)\", weights: share }\n"
    "  - { id: g1, method: cox, formula: \"Surv(dtime, death) ~ age + chemo + strata(site) + "
    "cluster(region)\" }\n"
    "  - { id: g2, method: cox, formula: \"Surv(dtime, death) ~ age + chemo + strata(size) + "
    "cluster(region)\" }\n"
    "  - { id: h1, method: cox, formula: \"Surv(dtime, death) ~ chemo + age + strata(site) + "
    "cluster(site)\", weights: share }\n"
    "  - { id: h2, method: cox, formula: \"Surv(dtime, death) ~ chemo + age + strata(size) + "
    "cluster(size)\", weights: share }\n";

/* Patients with several rows. */
static const char rows_text[] =
    "study: site-rows\ndictionary: split@1\ntitle: t\npurpose: p\nlegal_basis: MR-004\nexpires: "
    "2099-12-31\ngrid: day\nmissing: analysis\n"
    "derive:\n  w: 0.5 + x\nanalyses:\n"
    "  - { id: a1, method: cox, formula: \"Surv(start, stop, e) ~ x + strata(site) + cluster(patient)\" }\n"
    "  - { id: a2, method: cox, formula: \"Surv(start, stop, e) ~ x + strata(g) + cluster(patient)\" }\n"
    "  - { id: b1, method: cox, formula: \"Surv(start, stop, e) ~ x + I(x^2) + strata(site) + "
    "cluster(pid)\", "
    "weights: w, ties: breslow }\n"
    "  - { id: b2, method: cox, formula: \"Surv(start, stop, e) ~ x + I(x^2) + strata(g) + cluster(pid)\", "
    "weights: w, ties: breslow }\n";

static void must(enum maille_code code, const struct maille_error *error)
{
    if (code != MAILLE_OK)
        fail_msg("%s: %s", maille_code_name(code), error->sentence);
}

/* One table per level of a category. */
static void split_by(struct columns **sites, struct columns *table, const struct dictionary *dictionary,
                     const char *name, int n_levels)
{
    struct maille_error error = {0};
    struct column_scratch scratch = {0};
    bool *keep = calloc(columns_rows(table), sizeof *keep);
    assert_non_null(keep);
    uint32_t variable = (uint32_t)dictionary_find(dictionary, name);
    for (int level = 0; level < n_levels; level++) {
        size_t row = 0;
        for (size_t b = 0; b < columns_blocks(table); b++) {
            struct column_block block;
            must(columns_block(&block, table, &scratch, variable, b, &error), &error);
            assert_int_equal(block.storage, STORE_INT8);
            for (size_t r = 0; r < block.rows; r++)
                keep[row++] = ((const int8_t *)block.values)[r] == level;
        }
        must(columns_subset(&sites[level], table, keep, &error), &error);
    }
    column_scratch_clear(&scratch);
    free(keep);
}

/* Inside the sites concordance is exact; over all sites it comes as bounds, and its error nearly. */
static void assert_concordance(const struct result *site, const struct result *pooled)
{
    double exact = result_get(site, "estimate")->number;
    assert_true(result_get(pooled, "low")->number <= exact && exact <= result_get(pooled, "high")->number);
    assert_true(result_get(site, "low")->number <= exact && exact <= result_get(site, "high")->number);
    assert_true(result_get(site, "pairs")->number == result_get(pooled, "pairs")->number);
    if (result_get(site, "std_error")->kind == RESULT_NUMBER) /* null with cluster(v) */
        assert_true(
            fabs(result_get(site, "std_error")->number / result_get(pooled, "std_error")->number - 1) < 2e-2);
}

/* Numbers to 1e-9 (p values 1e-7), the rest exactly. */
static void assert_same(const struct result *a, const struct result *b, double tolerance)
{
    assert_int_equal(a->kind, b->kind);
    if (a->kind == RESULT_NUMBER && !(fabs(a->number - b->number) <= tolerance * fmax(fabs(a->number), 1e-3)))
        fail_msg("%.17g and %.17g", a->number, b->number);
    if (a->kind == RESULT_INTEGER)
        assert_int_equal(a->integer, b->integer);
    if (a->kind == RESULT_STRING)
        assert_string_equal(a->string, b->string);
    if (a->kind != RESULT_LIST && a->kind != RESULT_OBJECT)
        return;
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        if (a->kind == RESULT_OBJECT && strcmp(a->names[i], "concordance") == 0) {
            assert_concordance(a->items[i], b->items[i]);
            continue;
        }
        bool p_value = a->kind == RESULT_OBJECT && strcmp(a->names[i], "p_value") == 0;
        assert_same(a->items[i], b->items[i], p_value ? 1e-7 : tolerance);
    }
}

/* Every second analysis says of `by`, whose n levels are the sites, what the one before it says of the site.
 */
static void compare_pairs(const char *data, const char *text, const char *by, int n)
{
    struct maille_error error = {0};
    const struct dictionary *dictionary = NULL;
    const struct study *study = NULL;
    struct columns *table = NULL, *sites[SITES] = {NULL};
    struct study_run run = {0};
    unsigned rounds = 0;
    size_t n_methods;
    struct arena *arena = arena_new();
    assert_non_null(arena);
    must(federation_data(&dictionary, &table, arena, data, &error), &error);
    const struct query_method *methods = methods_declared(&n_methods);
    must(
        study_parse(&study, arena, dictionary, methods, n_methods, "site-strata", text, strlen(text), &error),
        &error);
    split_by(sites, table, dictionary, by, n);
    must(federation_run(&run, &rounds, study, sites, (size_t)n, NULL, &error), &error);
    for (size_t k = 0; k + 1 < study->n_analyses; k += 2) {
        const struct analysis_state *site = &run.states[k], *pooled = &run.states[k + 1];
        for (size_t i = 0; i < 2; i++)
            if (run.states[k + i].status != ANALYSIS_OK)
                fail_msg("%s: %s", study->analyses[k + i].id, run.states[k + i].reason);
        assert_int_equal(site->outcome.n, pooled->outcome.n);
        assert_int_equal(site->outcome.n_event, pooled->outcome.n_event);
        assert_same(site->outcome.aliased, pooled->outcome.aliased, 0);
        assert_same(site->outcome.result, pooled->outcome.result, 1e-9);
    }
    study_run_clear(&run);
    for (size_t i = 0; i < SITES; i++)
        columns_free(sites[i]);
    columns_free(table);
    arena_free(arena);
}

static void sites_as_strata(void **state)
{
    (void)state;
    compare_pairs("rotterdam", study_text, "size", SITES);
}

static void rows_of_one_patient(void **state)
{
    (void)state;
    compare_pairs("split", rows_text, "g", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sites_as_strata),
                                       cmocka_unit_test(rows_of_one_patient)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
