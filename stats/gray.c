#include "stats/gray.h"

#include <math.h>

#include "stats/arithmetic.h"
#include "stats/linear.h"

void gray_init(struct gray *gray, struct arena *arena, size_t n_groups)
{
    gray->n = n_groups - 1;
    gray->score = arena_array(arena, gray->n + 1, sizeof *gray->score);
    gray->variance = arena_array(arena, gray->n * gray->n + 1, sizeof *gray->variance);
}

/* One group at the time at hand; "before" is just before it, "after" at it. */
struct arm {
    double risk, cause, other;                /* at risk; events of the cause, of other causes */
    double survival_before, survival_after;   /* of any event: Kaplan–Meier */
    double incidence_before, incidence_after; /* of the cause: Aalen–Johansen */
    double hazard_risk;                       /* Gray's h: risk/survival_before */
};

/* What a stratum sums up. The variance of a score is Σ over groups r and times of the square of a
 * martingale's integrand, a_ir − φ·c_ir(t) + φ·c_ir(∞); c(∞) is known at the end only, so that the square is
 * kept in three parts. */
struct sums {
    size_t n_groups, n;
    struct arm *arms;
    double *a, *c;    /* n_groups × n_groups */
    double *constant; /* n × n: without c(∞) */
    double *linear;   /* n × n_groups: times c(∞) */
    double *square;   /* n_groups: times c(∞)² */
};

/* An increment of size `size` of group r's martingale, whose integrand is base − φ·c (base NULL: 0). */
static void sums_increment(struct sums *sums, size_t r, bool with_base, double phi, double size)
{
    size_t k = sums->n_groups;
    sums->square[r] += phi * phi * size;
    for (size_t i = 0; i < sums->n; i++) {
        double at_i = (with_base ? sums->a[i * k + r] : 0) - phi * sums->c[i * k + r];
        sums->linear[i * k + r] += at_i * phi * size;
        for (size_t j = 0; j <= i; j++)
            sums->constant[i * sums->n + j] +=
                at_i * ((with_base ? sums->a[j * k + r] : 0) - phi * sums->c[j * k + r]) * size;
    }
}

/* a_ij and c_ij at a time with `events` of the cause. h: Σ of hazard_risk. */
static void sums_integrands(struct sums *sums, double weight, double h, double events, double free_before)
{
    size_t k = sums->n_groups;
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++) {
            const struct arm *one = &sums->arms[i], *two = &sums->arms[j];
            double share = two->hazard_risk / h;
            sums->a[i * k + j] =
                one->risk > 0 && two->risk > 0 ? weight * one->hazard_risk * ((i == j) - share) : 0;
            if (events > 0)
                sums->c[i * k + j] += sums->a[i * k + j] * events / (h * free_before);
        }
}

/* One time with an event. incidence: F of all groups together before it; returns F after it. */
static double sums_time(struct sums *sums, struct gray *gray, double rho, double incidence)
{
    double h = 0, at_risk = 0, events = 0, others = 0;
    for (size_t g = 0; g < sums->n_groups; g++) {
        struct arm *arm = &sums->arms[g];
        events += arm->cause;
        others += arm->other;
        arm->hazard_risk = 0;
        if (!(arm->risk > 0))
            continue;
        arm->survival_after = arm->survival_before * (arm->risk - arm->cause - arm->other) / arm->risk;
        arm->incidence_after = arm->incidence_before + arm->survival_before * arm->cause / arm->risk;
        arm->hazard_risk = arm->risk / arm->survival_before;
        h += arm->hazard_risk;
        at_risk += arm->hazard_risk * (1 - arm->incidence_before);
    }
    double after = incidence + events / h, weight = arithmetic_power(1 - incidence, rho);
    sums_integrands(sums, weight, h, events, 1 - incidence);
    for (size_t i = 0; i < sums->n; i++) {
        const struct arm *arm = &sums->arms[i];
        if (arm->risk > 0)
            gray->score[i] +=
                weight * (arm->cause - events * arm->hazard_risk * (1 - arm->incidence_before) / at_risk);
    }
    for (size_t r = 0; r < sums->n_groups; r++) {
        const struct arm *arm = &sums->arms[r];
        double free_after = 1 - after;
        if (!(arm->risk > 0))
            continue;
        if (events > 0) {
            double ties = events > 1 ? 1 - (events - 1) / (h * arm->survival_before - 1) : 1;
            sums_increment(sums, r, true, arm->survival_after > 0 ? 1 - free_after / arm->survival_after : 1,
                           ties * arm->survival_before * events / (h * arm->risk));
        }
    }
    for (size_t r = 0; r < sums->n_groups && others > 0; r++) {
        const struct arm *arm = &sums->arms[r];
        if (!(arm->risk > 0) || !(arm->survival_after > 0) || !(arm->other > 0))
            continue;
        double ties = arm->other > 1 ? 1 - (arm->other - 1) / (arm->risk - 1) : 1;
        double share = arm->survival_before / arm->risk;
        sums_increment(sums, r, false, -(1 - after) / arm->survival_after, ties * share * share * arm->other);
    }
    for (size_t g = 0; g < sums->n_groups; g++) {
        sums->arms[g].survival_before = sums->arms[g].survival_after;
        sums->arms[g].incidence_before = sums->arms[g].incidence_after;
    }
    return after;
}

void gray_add(struct gray *gray, struct arena *arena, const struct gray_stratum *stratum, double rho)
{
    size_t k = stratum->n_groups, n = k - 1;
    double incidence = 0;
    struct sums sums = {.n_groups = k, .n = n};
    sums.arms = arena_array(arena, k, sizeof *sums.arms);
    sums.a = arena_array(arena, k * k, sizeof *sums.a);
    sums.c = arena_array(arena, k * k, sizeof *sums.c);
    sums.constant = arena_array(arena, n * n + 1, sizeof *sums.constant);
    sums.linear = arena_array(arena, n * k + 1, sizeof *sums.linear);
    sums.square = arena_array(arena, k, sizeof *sums.square);
    for (size_t g = 0; g < k; g++)
        sums.arms[g] = (struct arm){.survival_before = 1, .survival_after = 1};
    for (size_t bin = 0; bin < stratum->n_bins; bin++) {
        double events = 0;
        for (size_t g = 0; g < k; g++) {
            size_t at = stratum->groups[g] + bin;
            struct arm *arm = &sums.arms[g];
            arm->risk = (double)stratum->at_risk[at];
            arm->cause = (double)stratum->cause[at];
            arm->other = (double)(stratum->event[at] - stratum->cause[at]);
            events += arm->cause + arm->other;
        }
        if (events > 0)
            incidence = sums_time(&sums, gray, rho, incidence);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = sums.constant[i * n + j];
            for (size_t r = 0; r < k; r++)
                sum += sums.c[i * k + r] * sums.c[j * k + r] * sums.square[r] +
                       sums.c[i * k + r] * sums.linear[j * k + r] +
                       sums.c[j * k + r] * sums.linear[i * k + r];
            gray->variance[i * n + j] += sum;
            if (i != j)
                gray->variance[j * n + i] += sum;
        }
}

double gray_statistic(const struct gray *gray, struct arena *arena)
{
    size_t n = gray->n;
    struct linear_factor factor;
    f128 *variance = arena_array(arena, n * n, sizeof *variance),
         *floor = arena_array(arena, n, sizeof *floor);
    f128 *score = arena_array(arena, n, sizeof *score);
    for (size_t i = 0; i < n; i++) {
        floor[i] = (f128)1e-12 * (f128)gray->variance[i * n + i];
        score[i] = (f128)gray->score[i];
        for (size_t j = 0; j < n; j++)
            variance[i * n + j] = (f128)gray->variance[i * n + j];
    }
    linear_decompose(&factor, arena, variance, floor, NULL, n);
    return factor.rank == n ? (double)linear_inverse_form(&factor, arena, score) : NAN;
}
