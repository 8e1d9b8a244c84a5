/* A against B. At 1: 3 and 3 at risk, one of A dies; E_A = 1/2, V = 1/4. At 3: 2 and 2 at risk, one of each
 * dies; E_A = 1, V = 2·(2/3)·1/4 = 1/3. O_A − E_A = 2 − 3/2, V = 7/12: χ² = (1/4)/(7/12) = 3/7. The weights
 * of Peto and Peto are 1 and 5/6: O − E = 1/2 + 0, V = 1/4 + 25/36·1/3 = 52/108, so χ² = (1/4)/(13/27) =
 * 27/52. */
#include "stats/six_patients.h"

static void test_paper(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        six_result(&six, "method: logrank, formula: \"Surv(time, dead) ~ arm\", trend: true");
    const struct result *groups = get(result, "groups");
    assert_number(get(result, "statistic"), 3.0 / 7);
    assert_number(get(result, "df"), 1);
    assert_number(get(result, "p_value"), erfc(sqrt(3.0 / 14)));
    assert_int_equal(groups->n, 2);
    assert_text(get(at(groups, 0), "group"), "arm=A");
    assert_number(get(at(groups, 0), "n"), 3);
    assert_number(get(at(groups, 0), "observed"), 2);
    assert_number(get(at(groups, 0), "expected"), 1.5);
    assert_number(get(get(result, "trend"), "statistic"), 3.0 / 7); /* of two groups it is the same */
    assert_int_equal(six.state->outcome.n_event, 3);
    six_clear(&six);
}

static void test_peto(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        six_result(&six, "method: logrank, formula: \"Surv(time, dead) ~ arm\", rho: 1");
    assert_number(get(result, "statistic"), 27.0 / 52);
    assert_empty(get(result, "trend"));
    assert_number(get(at(get(result, "groups"), 0), "observed"), 11.0 / 6);
    six_clear(&six);
}

/* One site is one stratum: its own sums are the pooled ones. */
static void test_site(void **state)
{
    (void)state;
    for (int rho = 0; rho < 2; rho++) {
        struct six six;
        char text[128];
        snprintf(text, sizeof text,
                 "method: logrank, formula: \"Surv(time, dead) ~ arm + strata(site)\", rho: %d", rho);
        const struct result *result = six_result(&six, text);
        assert_number(get(result, "statistic"), rho == 0 ? 3.0 / 7 : 27.0 / 52);
        assert_number(get(at(get(result, "groups"), 1), "n"), 3);
        assert_int_equal(six.state->outcome.n_event, 3);
        six_clear(&six);
    }
}

/* Nobody of A and B is ever at risk together in a stratum: there is nothing to compare, said in words. */
static void test_apart(void **state)
{
    (void)state;
    struct six six;
    const struct result *result =
        six_result(&six, "method: logrank, formula: \"Surv(time, dead) ~ arm + strata(arm)\"");
    assert_empty(get(result, "statistic"));
    assert_empty(get(result, "p_value"));
    assert_int_equal(six.state->outcome.warnings->n, 1);
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_refused("method: logrank, formula: \"Surv(time, dead) ~ 1\"", "groups to compare");
    six_refused("method: logrank, formula: \"Surv(time, dead) ~ arm\", rho: 0.5", "0 or 1");
    six_fails("method: logrank, formula: \"Surv(time, dead) ~ arm\", cohort: arm == \"A\"",
              "at least two groups");
    six_fails("method: logrank, formula: \"Surv(time, dead) ~ arm\", cohort: \"!dead\"",
              "at least one event");
    six_fails("method: logrank, formula: \"Surv(time, dead) ~ arm\", cohort: age > 100", "found nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paper), cmocka_unit_test(test_peto),
                                       cmocka_unit_test(test_site), cmocka_unit_test(test_apart),
                                       cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
