/* A: deaths at 1 and 3, alive at 5: d = 2, T = 9. B: death at 3, alive at 2 and 6: d = 1, T = 11. A Poisson
 * count of mean m is at most 1 with probability (1 + m)·e^−m and 0 with e^−m, which is what the limits of one
 * event solve. */
#include "stats/six_patients.h"

static void test_paper(void **state)
{
    (void)state;
    struct six six;
    const struct result *rates =
        get(six_result(&six, "method: rate, formula: \"Surv(time, dead) ~ arm\""), "rates");
    const struct result *a = at(rates, 0), *b = at(rates, 1);
    assert_int_equal(rates->n, 2);
    assert_text(get(a, "stratum"), "arm=A");
    assert_number(get(a, "n"), 3);
    assert_number(get(a, "n_event"), 2);
    assert_number(get(a, "time_at_risk"), 9);
    assert_number(get(a, "rate"), 2.0 / 9);
    assert_number(get(b, "time_at_risk"), 11);
    double low = number(get(b, "conf_low")) * 11, high = number(get(b, "conf_high")) * 11;
    assert_true(fabs(exp(-low) - 0.975) < 1e-12);
    assert_true(fabs((1 + high) * exp(-high) - 0.025) < 1e-12);
    assert_int_equal(six.state->outcome.n, 6);
    assert_int_equal(six.state->outcome.n_event, 3);
    assert_text(at(six.state->outcome.dropped_levels, 0), "arm=C");
    assert_int_equal(six.rounds, 1);
    six_clear(&six);
}

/* Delayed entry: 1 + 3 + 4 + 2 + 1 + 2 days at risk; 3 deaths, per 13 days. */
static void test_entry(void **state)
{
    (void)state;
    struct six six;
    const struct result *row = at(
        get(six_result(&six, "method: rate, formula: \"Surv(start, time, dead) ~ 1\", per: 13"), "rates"), 0);
    assert_text(get(row, "stratum"), "all");
    assert_number(get(row, "time_at_risk"), 1);
    assert_number(get(row, "rate"), 3);
    six_clear(&six);
}

/* Nobody dies: 0 to −log(0.025)/T. */
static void test_none(void **state)
{
    (void)state;
    struct six six;
    const struct result *row =
        at(get(six_result(&six, "method: rate, formula: \"Surv(time, dead) ~ 1\", cohort: dead == FALSE"),
               "rates"),
           0);
    assert_number(get(row, "rate"), 0);
    assert_number(get(row, "conf_low"), 0);
    assert_true(fabs(number(get(row, "conf_high")) * 13 + log(0.025)) < 1e-12);
    six_clear(&six);
}

static void test_hidden(void **state)
{
    (void)state;
    struct six six;
    const struct six_hidden hidden[] = {{2, 0, 1}, {3, 0, 1}};
    six_run_behind(&six, "method: rate, formula: \"Surv(time, dead) ~ arm\"", hidden, 2);
    const struct result *rates = get(six.state->outcome.result, "rates");
    assert_empty(get(at(rates, 0), "n"));
    assert_empty(get(at(rates, 0), "rate"));
    assert_number(get(at(rates, 1), "rate"), 1.0 / 11);
    assert_int_equal(six.state->outcome.n, 3);
    assert_int_equal(six.state->outcome.suppressed, 6);
    six_clear(&six);
}

/* With a weight for one level alone the limits of Fay and Feuer are Garwood's: A's rate, 2 in 9 days. */
static void test_standardised(void **state)
{
    (void)state;
    struct six six;
    const struct result *row =
        at(get(six_result(
                   &six,
                   "method: rate, formula: \"Surv(time, dead) ~ 1\", standardise: arm, standard: [7, 0, 0]"),
               "rates"),
           0);
    const struct result *one = get(row, "standardised");
    assert_number(get(one, "rate"), 2.0 / 9);
    double low = number(get(one, "conf_low")) * 9, high = number(get(one, "conf_high")) * 9;
    assert_true(fabs((1 + low) * exp(-low) - 0.975) < 1e-12);
    assert_true(fabs((1 + high + high * high / 2) * exp(-high) - 0.025) < 1e-12);
    six_clear(&six);
    /* A counts once, B three times: 2/9 and 1/11. */
    row =
        at(get(six_result(
                   &six,
                   "method: rate, formula: \"Surv(time, dead) ~ 1\", standardise: arm, standard: [1, 3, 0]"),
               "rates"),
           0);
    assert_number(get(row, "rate"), 3.0 / 20);
    assert_number(get(get(row, "standardised"), "rate"), 0.25 * 2 / 9 + 0.75 / 11);
    six_clear(&six);
    /* Nobody is in C. */
    row =
        at(get(six_result(
                   &six,
                   "method: rate, formula: \"Surv(time, dead) ~ 1\", standardise: arm, standard: [1, 1, 1]"),
               "rates"),
           0);
    assert_empty(get(get(row, "standardised"), "rate"));
    assert_int_equal(six.state->outcome.suppressed, 0);
    assert_int_equal(six.state->outcome.warnings->n, 1);
    six_clear(&six);
}

/* Expected by 0.1 a day in A and 0.2 in B: 0.9 + 2.2; three deaths. */
static void test_sir(void **state)
{
    (void)state;
    struct six six;
    const struct result *row = at(get(six_result(&six, "method: rate, formula: \"Surv(time, dead) ~ 1\", "
                                                       "standardise: arm, reference: [0.1, 0.2, 5]"),
                                      "rates"),
                                  0);
    const struct result *sir = get(row, "sir");
    assert_number(get(sir, "expected"), 3.1);
    assert_number(get(sir, "ratio"), 3 / 3.1);
    double low = number(get(sir, "conf_low")) * 3.1, high = number(get(sir, "conf_high")) * 3.1;
    assert_true(fabs((1 + low + low * low / 2) * exp(-low) - 0.975) < 1e-12);
    assert_true(fabs((1 + high + high * high / 2 + high * high * high / 6) * exp(-high) - 0.025) < 1e-12);
    six_clear(&six);
}

/* A level that is hidden takes away what is standardised to it, and no more. */
static void test_hidden_level(void **state)
{
    (void)state;
    struct six six;
    const struct six_hidden hidden[] = {{5, 1, 1}};
    six_run_behind(&six,
                   "method: rate, formula: \"Surv(time, dead) ~ 1\", standardise: arm, standard: [1, 3, 0], "
                   "reference: [1, 0, 0]",
                   hidden, 1);
    const struct result *row = at(get(six.state->outcome.result, "rates"), 0);
    assert_number(get(row, "rate"), 3.0 / 20);
    assert_empty(get(get(row, "standardised"), "rate"));
    assert_number(get(get(row, "sir"), "expected"), 9);
    assert_int_equal(six.state->outcome.suppressed, 3);
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_fails("method: rate, formula: \"Surv(time, dead) ~ 1\", cohort: age > 100", "found nobody");
    six_refused("method: rate, formula: \"age ~ arm\"", "expected Surv(time, event)");
    six_refused("method: rate, formula: \"Surv(time, cause) ~ arm\"", "boolean event");
    six_refused("method: rate, formula: \"Surv(time, dead) ~ arm + strata(cause)\"", "groups alone");
    six_refused("method: rate, formula: \"Surv(time, dead) ~ arm:cause\"", "joined by `+`");
    six_refused("method: rate, formula: \"Surv(time, dead) ~ 1\", per: 0", "expected a number from");
    six_refused("method: rate, formula: \"Surv(time, dead) ~ 1\", standard: [1, 2, 3]", "together with");
    six_refused("method: rate, formula: \"Surv(time, dead) ~ 1\", standardise: arm", "together with");
    six_refused("method: rate, formula: \"Surv(time, dead) ~ 1\", standardise: arm, standard: [1, 2]",
                "each of the 3 levels");
    six_refused("method: rate, formula: \"Surv(time, dead) ~ 1\", standardise: arm, reference: [0, 0, 0]",
                "not all 0");
    six_refused("method: rate, formula: \"Surv(time, dead) ~ 1\", standardise: x, standard: [1]", "categor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paper),        cmocka_unit_test(test_entry),
                                       cmocka_unit_test(test_none),         cmocka_unit_test(test_hidden),
                                       cmocka_unit_test(test_standardised), cmocka_unit_test(test_sir),
                                       cmocka_unit_test(test_hidden_level), cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
