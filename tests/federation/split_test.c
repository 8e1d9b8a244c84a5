/* strata(site): what the sites work out alone, added, is what they get together. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/federation/federation.h"

enum { N_SITES = 5 };

static const char text[] =
    "study: t\ndictionary: rotterdam@1\ntitle: t\npurpose: p\nlegal_basis: l\nprotocol: r\nexpires: "
    "2099-12-31\nsites: all\n"
    "grid: month\nmissing: analysis\nanalyses:\n"
    "  - { id: lr, method: logrank, formula: \"Surv(dtime, death) ~ chemo + strata(grade, site)\", rho: 0 }\n"
    "  - { id: peto, method: logrank, formula: \"Surv(dtime, death) ~ chemo + strata(site)\", rho: 1 }\n";

/* O, E of the first group, and V from χ² = (O − E)²/V. */
static void sums_of(double sums[3], const struct outcome *outcome)
{
    const struct result *group = result_get(outcome->result, "groups")->items[0];
    double o = result_get(group, "observed")->number, e = result_get(group, "expected")->number;
    sums[0] += o;
    sums[1] += e;
    sums[2] += (o - e) * (o - e) / result_get(outcome->result, "statistic")->number;
}

static void test_strata_site(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    const struct dictionary *dictionary = NULL;
    const struct study *study = NULL;
    struct columns *table = NULL, *sites[N_SITES] = {NULL};
    double alone[2][3] = {{0}}, together[2][3] = {{0}};
    size_t n_methods;
    unsigned rounds = 0;
    const struct query_method *methods = methods_declared(&n_methods);
    assert_int_equal(federation_data(&dictionary, &table, arena, "rotterdam", &error), MAILLE_OK);
    if (study_parse(&study, arena, dictionary, methods, n_methods, "t", text, strlen(text), &error) !=
        MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_int_equal(federation_split(sites, N_SITES, table, 3, &error), MAILLE_OK);
    for (size_t s = 0; s <= N_SITES; s++) {
        struct study_run run;
        size_t n = s == N_SITES ? N_SITES : 1;
        assert_int_equal(
            federation_run(&run, &rounds, study, s == N_SITES ? sites : &sites[s], n, NULL, &error),
            MAILLE_OK);
        for (size_t a = 0; a < 2; a++) {
            assert_int_equal(run.states[a].status, ANALYSIS_OK);
            sums_of(s == N_SITES ? together[a] : alone[a], &run.states[a].outcome);
        }
        study_run_clear(&run);
    }
    for (size_t a = 0; a < 2; a++)
        for (size_t i = 0; i < 3; i++)
            assert_true(fabs(alone[a][i] - together[a][i]) <= 1e-11 * fabs(together[a][i]));
    for (size_t s = 0; s < N_SITES; s++)
        columns_free(sites[s]);
    columns_free(table);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_strata_site)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
