/* All six: 1 of 6 dies at 1, one leaves at 2, 2 of 4 die at 3, the others leave at 5 and 6. S = 5/6, then
 * 5/6·2/4 = 5/12. Greenwood's sum: 1/30, then 1/30 + 2/(4·2) = 17/60. RMST(6) = 1 + 2·5/6 + 3·5/12 = 47/12;
 * the areas to the right are 35/12 at 1 and 5/4 at 3: variance (35/12)²/30 + (5/4)²/4. */
#include "stats/km.h"
#include "stats/six_patients.h"

static void assert_column(const struct result *row, const char *name, const double *expected, size_t n)
{
    assert_int_equal(get(row, name)->n, n);
    for (size_t i = 0; i < n; i++)
        if (isnan(expected[i]))
            assert_empty(at(get(row, name), i));
        else
            assert_number(at(get(row, name), i), expected[i]);
}

static void test_paper(void **state)
{
    (void)state;
    struct six six;
    const struct result *curve =
        at(get(six_result(&six, "method: km, formula: \"Surv(time, dead) ~ 1\", tau: 6"), "curves"), 0);
    double first = 5.0 / 6, second = 5.0 / 12, e1 = first * sqrt(1.0 / 30), e2 = second * sqrt(17.0 / 60);
    assert_text(get(curve, "stratum"), "all");
    assert_number(get(curve, "n"), 6);
    assert_number(get(curve, "n_event"), 3);
    assert_number(get(curve, "median"), 3);
    assert_column(curve, "time", (double[]){1, 2, 3, 5, 6}, 5);
    assert_column(curve, "n_risk", (double[]){6, 5, 4, 2, 1}, 5);
    assert_column(curve, "n_event_at", (double[]){1, 0, 2, 0, 0}, 5);
    assert_column(curve, "n_censor", (double[]){0, 1, 0, 1, 1}, 5);
    assert_column(curve, "estimate", (double[]){first, first, second, second, second}, 5);
    assert_column(curve, "std_error", (double[]){e1, e1, e2, e2, e2}, 5);
    assert_number(get(get(curve, "rmst"), "estimate"), 47.0 / 12);
    assert_number(get(get(curve, "rmst"), "std_error"), sqrt(35.0 / 12 * 35 / 12 / 30 + 25.0 / 16 / 4));
    assert_int_equal(six.state->outcome.n_event, 3);
    six_clear(&six);
}

static void test_limits(void **state)
{
    (void)state;
    struct six six;
    double z = 1.959963984540054, s = 5.0 / 12, sigma = sqrt(17.0 / 60);
    const struct result *curve =
        at(get(six_result(&six, "method: km, formula: \"Surv(time, dead) ~ 1\", conf_type: plain"), "curves"),
           0);
    assert_number(at(get(curve, "conf_low"), 4), fmax(0, s - z * sigma * s));
    assert_number(at(get(curve, "conf_high"), 4), s + z * sigma * s);
    assert_empty(get(curve, "rmst"));
    six_clear(&six);
    curve = at(get(six_result(&six, "method: km, formula: \"Surv(time, dead) ~ 1\""), "curves"), 0);
    assert_number(at(get(curve, "conf_low"), 4), s * exp(-z * sigma));
    assert_number(at(get(curve, "conf_high"), 4), fmin(1, s * exp(z * sigma)));
    six_clear(&six);
}

/* The grain of weighted curves: 2/n is 0.00067 for 2,982, 0.0133 for 150, and above a half for 3. Errors of
 * two digits, or of a fifth of the grain: 0.004 of 0.02. */
static void test_grain(void **state)
{
    (void)state;
    static const struct {
        double n, estimate, error, grain;
    } rows[] = {{2982, 0.777, 0.012, 0.001},
                {2000, 0.777, 0.012, 0.001},
                {1999, 0.776, 0.012, 0.002},
                {150, 0.78, 0.012, 0.02},
                {60, 0.8, 0.01, 0.05},
                {3, 1, 0, 0.5},
                {0, 1, 0, 0.5}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        double estimate[] = {0.7769, 0}, low[] = {0, 0}, high[] = {0, 0}, sigma[] = {0.012345 / 0.7769, NAN};
        struct km_curve curve = {.n = 2, .estimate = estimate, .low = low, .high = high, .sigma = sigma};
        km_curve_grain(&curve, rows[k].n, KM_PLAIN, 2);
        assert_true(fabs(curve.grain - rows[k].grain) < 1e-12);
        assert_true(fabs(estimate[0] - rows[k].estimate) < 1e-12);
        assert_true(fabs(sigma[0] * estimate[0] - rows[k].error) < 1e-12);
        /* of what is shown, and then on the grain */
        assert_true(fabs(low[0] - (rows[k].estimate - 2 * rows[k].error)) <= rows[k].grain / 2 + 1e-12);
        assert_true(fabs(nearbyint(low[0] / curve.grain) * curve.grain - low[0]) < 1e-12);
        assert_true(high[0] <= 1 && estimate[1] == 0 && isnan(sigma[1]) && isnan(low[1]));
    }
    /* No death between 1 and 2: var(log S) is 0.01 from 1 on and 0.05 from 3. RMST(4) = 1 + 2·0.8 + 0.6. */
    double time[] = {1, 2, 3}, estimate[] = {0.8, 0.8, 0.6}, sigma[] = {0.1, 0.1, sqrt(0.05)},
           none[] = {0, 0, 0};
    const struct km_curve curve = {.n = 3,
                                   .grain = 0.1,
                                   .time = time,
                                   .estimate = estimate,
                                   .sigma = sigma,
                                   .at_risk = none,
                                   .event = none,
                                   .low = none,
                                   .high = none};
    double mean, error;
    km_restricted_mean(&curve, 4, &mean, &error);
    assert_true(fabs(mean - 3.2) < 1e-12);
    assert_true(fabs(error - sqrt(2.2 * 2.2 * 0.01 + 0.6 * 0.6 * 0.04)) < 1e-12);
    /* S(2) beside itself: 0.08 of each, and 0.1²/12 of its rounding; without a grain 0.08 alone. */
    for (int grained = 0; grained < 2; grained++) {
        struct arena *arena = arena_new();
        struct result *result = result_object(arena);
        struct km_curve shown = curve;
        shown.grain = grained * 0.1;
        const struct km_counts counts = {.n_bins = 4};
        const struct km_arm arms[] = {{.name = "a", .curve = &shown, .counts = &counts},
                                      {.name = "b", .curve = &shown, .counts = &counts}};
        const double at_two[] = {2};
        km_write_contrasts(result, arms, 2,
                           &(struct km_asked){.tau = NAN, .times = at_two, .n_times = 1, .z = 2});
        assert_number(at(get(at(get(result, "contrasts"), 0), "difference_se"), 0),
                      sqrt(2 * (0.0064 + grained * 0.01 / 12)));
        arena_free(arena);
    }
}

/* After 2 are left those with 3, 3, 5 and 6, so 1, 1, 3 and 4 from there: two of four die at 1. */
static void test_landmark(void **state)
{
    (void)state;
    struct six six;
    const struct result *curve = at(
        get(six_result(&six, "method: km, formula: \"Surv(time, dead) ~ 1\", landmark: 2, tau: 3"), "curves"),
        0);
    assert_number(get(curve, "n"), 4);
    assert_column(curve, "time", (double[]){1, 3, 4}, 3);
    assert_column(curve, "n_risk", (double[]){4, 2, 1}, 3);
    assert_column(curve, "estimate", (double[]){0.5, 0.5, 0.5}, 3);
    assert_number(get(get(curve, "rmst"), "estimate"), 1 + 2 * 0.5);
    six_clear(&six);
}

/* Arm A: 2/3 after the first death, 1/3 after the second. Arm B: 2 at risk at time 3. */
static void test_strata(void **state)
{
    (void)state;
    struct six six;
    const struct result *curves =
        get(six_result(&six, "method: km, formula: \"Surv(time, dead) ~ arm\""), "curves");
    assert_int_equal(curves->n, 2);
    assert_text(get(at(curves, 1), "stratum"), "arm=B");
    assert_column(at(curves, 0), "estimate", (double[]){2.0 / 3, 1.0 / 3, 1.0 / 3}, 3);
    assert_column(at(curves, 1), "estimate", (double[]){1, 0.5, 0.5}, 3);
    assert_number(get(at(curves, 1), "median"), 3); /* at one half from 3 to the end: as R prints it */
    assert_text(at(six.state->outcome.dropped_levels, 0), "arm=C");
    six_clear(&six);
}

/* Reverse: the censorings at 2, 5 and 6 are the events; nobody is left after the last. */
static void test_reverse(void **state)
{
    (void)state;
    struct six six;
    const struct result *curve = at(
        get(six_result(&six, "method: km, formula: \"Surv(time, dead) ~ 1\", reverse: true"), "curves"), 0);
    assert_column(curve, "estimate", (double[]){1, 0.8, 0.8, 0.4, 0}, 5);
    assert_column(curve, "std_error",
                  (double[]){0, 0.8 * sqrt(0.05), 0.8 * sqrt(0.05), 0.4 * sqrt(0.05 + 0.5), NAN}, 5);
    assert_empty(at(get(curve, "conf_high"), 4));
    six_clear(&six);
}

/* Entries at 0 0 1 0 2 4: at risk at 1 are patients 1, 2, 4; at 2: 2, 3, 4; at 3: 2, 3, 5; at 5: 3, 6. */
static void test_entry(void **state)
{
    (void)state;
    struct six six;
    const struct result *curve =
        at(get(six_result(&six, "method: km, formula: \"Surv(start, time, dead) ~ 1\""), "curves"), 0);
    assert_column(curve, "n_risk", (double[]){3, 3, 3, 2, 1}, 5);
    assert_column(curve, "estimate", (double[]){2.0 / 3, 2.0 / 3, 2.0 / 9, 2.0 / 9, 2.0 / 9}, 5);
    six_clear(&six);
}

/* Weight 3/10 for all but patient 4, who has none: the curve of five patients, and the jackknife of equal
 * weights is Greenwood's: 1/20, then 1/20 + 2/(4·2). By age, which is whole, counts are sums of years: 40 of
 * 360 die at 1, 120 of 260 at 3. */
static void test_weights(void **state)
{
    (void)state;
    struct six six;
    const struct result *curve =
        at(get(six_result(&six, "method: km, formula: \"Surv(time, dead) ~ 1\", weights: x"), "curves"), 0);
    double tenths[4] = {1.5, 1.2, 0.6, 0.3}, s[4] = {0.8, 0.4, 0.4, 0.4};
    double first = 0.8 * sqrt(0.05), second = 0.4 * sqrt(0.3);
    assert_number(get(curve, "n"), 5);
    assert_number(get(curve, "n_event"), 0.9);
    assert_column(curve, "n_risk", tenths, 4);
    assert_column(curve, "estimate", s, 4);
    assert_column(curve, "std_error", (double[]){first, second, second, second}, 4);
    assert_int_equal(six.state->outcome.n_missing, 1);
    six_clear(&six);
    curve =
        at(get(six_result(&six, "method: km, formula: \"Surv(time, dead) ~ 1\", weights: age"), "curves"), 0);
    double one = 8.0 / 9, two = 8.0 / 9 * 140 / 260;
    assert_column(curve, "n_risk", (double[]){360, 320, 260, 140, 80}, 5);
    assert_column(curve, "estimate", (double[]){one, one, two, two, two}, 5);
    assert_number(at(get(curve, "std_error"), 4), two * sqrt(40.0 / (360 * 320) + 120.0 / (260 * 140)));
    six_clear(&six);
}

/* A: 2/3 from 1, 1/3 from 3; Greenwood's sum 1/6, then 2/3. B: 1/2 from 3; 1/2. To 5 the areas are 1 + 4/3 +
 * 2/3 = 3 and 4, with the variances 2²/6 + (2/3)²/2 = 8/9 and 1²/2. At 6 nobody of A is left. */
static void test_contrasts(void **state)
{
    (void)state;
    struct six six;
    double z = 1.959963984540054;
    const struct result *result = six_result(
        &six, "method: km, formula: \"Surv(time, dead) ~ arm\", tau: 5, times: [0, 4, 6], conf_type: plain");
    const struct result *at_times = get(result, "at_times"), *contrasts = get(result, "contrasts");
    assert_int_equal(at_times->n, 2);
    assert_text(get(at(at_times, 1), "stratum"), "arm=B");
    assert_column(at(at_times, 0), "time", (double[]){0, 4, 6}, 3);
    assert_column(at(at_times, 0), "n_risk", (double[]){3, 1, 0}, 3);
    assert_column(at(at_times, 0), "estimate", (double[]){1, 1.0 / 3, 1.0 / 3}, 3);
    assert_column(at(at_times, 1), "std_error", (double[]){0, sqrt(1.0 / 8), sqrt(1.0 / 8)}, 3);
    assert_number(at(get(at(at_times, 0), "conf_high"), 0), 1);
    assert_number(at(get(at(at_times, 0), "conf_high"), 1), 1.0 / 3 + z * sqrt(2.0 / 27));
    assert_int_equal(contrasts->n, 2);
    const struct result *mean = at(contrasts, 0), *survival = at(contrasts, 1);
    assert_text(get(mean, "stratum"), "arm=B");
    assert_text(get(mean, "reference"), "arm=A");
    assert_text(get(mean, "quantity"), "rmst");
    double se = sqrt(8.0 / 9 + 0.5), log_se = sqrt(8.0 / 81 + 1.0 / 32);
    assert_column(mean, "time", (double[]){5}, 1);
    assert_column(mean, "difference", (double[]){1}, 1);
    assert_column(mean, "difference_se", (double[]){se}, 1);
    assert_column(mean, "difference_low", (double[]){1 - z * se}, 1);
    assert_column(mean, "difference_p_value", (double[]){erfc(1 / se / sqrt(2))}, 1);
    assert_column(mean, "ratio", (double[]){4.0 / 3}, 1);
    assert_column(mean, "ratio_high", (double[]){4.0 / 3 * exp(z * log_se)}, 1);
    assert_column(mean, "ratio_p_value", (double[]){erfc(log(4.0 / 3) / log_se / sqrt(2))}, 1);
    assert_text(get(survival, "quantity"), "survival");
    assert_column(survival, "difference", (double[]){0, 1.0 / 6, 1.0 / 6}, 3);
    assert_column(survival, "ratio", (double[]){1, 1.5, 1.5}, 3);
    assert_empty(at(get(survival, "difference_p_value"), 0));
    assert_number(at(get(survival, "difference_se"), 1), sqrt(2.0 / 27 + 1.0 / 8));
    assert_warned(&six, "time 6 is later than the last follow-up of stratum arm=A");
    six_clear(&six);
    /* One curve has nothing to be compared with. */
    result = six_result(&six, "method: km, formula: \"Surv(time, dead) ~ 1\", tau: 5");
    assert_null(result_get(result, "contrasts"));
    assert_null(result_get(result, "at_times"));
    six_clear(&six);
}

/* Weights that are all alike: the jackknife is Greenwood's, in RMST too. Without patient 4 (no weight) B has
 * one death at 3 of two. */
static void test_robust_mean(void **state)
{
    (void)state;
    struct six six;
    const struct result *contrasts = get(
        six_result(&six, "method: km, formula: \"Surv(time, dead) ~ arm\", tau: 5, weights: x"), "contrasts");
    assert_column(at(contrasts, 0), "difference", (double[]){1}, 1);
    assert_column(at(contrasts, 0), "difference_se", (double[]){sqrt(8.0 / 9 + 0.5)}, 1);
    six_clear(&six);
}

static void test_bad(void **state)
{
    (void)state;
    six_refused("method: km, formula: \"age ~ arm\"", "Surv(time, event)");
    six_refused("method: km, formula: \"Surv(time, cause) ~ 1\"", "boolean event");
    six_refused("method: km, formula: \"Surv(time, dead) ~ arm:dead\"", "interaction");
    six_refused("method: km, formula: \"Surv(time, dead) ~ x\"", "x");
    six_refused("method: km, formula: \"Surv(time, dead) ~ 1\", times: [-1]", "expected a number from 0");
    six_refused("method: km, formula: \"Surv(time, dead) ~ strata(site)\"", "single sites");
    six_refused("method: km, formula: \"Surv(start, time, dead) ~ 1\", weights: age", "delayed entry");
    six_fails("method: km, formula: \"Surv(time, dead) ~ 1\", cohort: age > 100", "found nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paper),   cmocka_unit_test(test_limits),    cmocka_unit_test(test_landmark),
        cmocka_unit_test(test_strata),  cmocka_unit_test(test_reverse),   cmocka_unit_test(test_entry),
        cmocka_unit_test(test_weights), cmocka_unit_test(test_contrasts), cmocka_unit_test(test_robust_mean),
        cmocka_unit_test(test_grain),   cmocka_unit_test(test_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
