#include "tally/survival.h"

#include <stdlib.h>

#include "base/vector.h"

/* Bins stay below 2^31; a time beyond is outside of any grid. */
#define BIN_MAX 0x1p30

/* Nearest whole number of |x| < 2^51, half to even. */
VECTOR_INLINE double nearest(double x)
{
    const double shift = 0x1.8p52;
    return (x + shift) - shift;
}

VECTOR_INLINE void times_loop(double *out, const double *times, size_t n, double lattice)
{
    for (size_t r = 0; r < n; r++)
        out[r] = nearest(times[r] / lattice);
}

VECTOR_CLONES(times_many, times_loop, (double *out, const double *times, size_t n, double lattice),
              (out, times, n, lattice))

void survival_times(double *out, const double *times, size_t n, double lattice)
{
    times_many(out, times, n, lattice);
}

/* t / per_bin of a whole t, which is a whole number where it ought to be one: per_bin may be rounded (a month
 * in hundredths of a year), and what is no multiple is further off than that. 0 ≤ t / per_bin < 2^30. */
VECTOR_INLINE double bins_between(double t, double per_bin)
{
    double quotient = t / per_bin, whole = nearest(quotient), off = quotient - whole;
    return (off < 0 ? -off : off) <= quotient * 0x1p-44 ? whole : quotient;
}

VECTOR_INLINE int32_t bin_up(double quotient)
{
    int32_t down = (int32_t)quotient;
    return down + ((double)down < quotient);
}

VECTOR_INLINE void exits_loop(int32_t *exit, int32_t *status, unsigned *wrong, const double *stop,
                              const int32_t *event, size_t n, double per_bin, int32_t n_bins)
{
    unsigned below = 0, above = 0;
    for (size_t r = 0; r < n; r++) {
        double quotient = bins_between(stop[r], per_bin);
        int inside = quotient >= 0 && quotient < BIN_MAX;
        int32_t bin = inside ? bin_up(quotient) : -1;
        below |= quotient < 0;
        above |= quotient >= BIN_MAX || bin >= n_bins;
        exit[r] = bin;
        status[r] = bin < 0 ? -1 : event[r];
    }
    *wrong = below | above << 1;
}

VECTOR_CLONES(exits, exits_loop,
              (int32_t * exit, int32_t *status, unsigned *wrong, const double *stop, const int32_t *event,
               size_t n, double per_bin, int32_t n_bins),
              (exit, status, wrong, stop, event, n, per_bin, n_bins))

/* The rows of one patient that count, by time: the order in which they stood in the file must not matter. */
struct follow_up_order {
    size_t *rows, n;
};

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct survival_rows *rows = context;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    if (rows->stop[x] != rows->stop[y])
        return rows->stop[x] < rows->stop[y] ? -1 : 1;
    if (rows->start[x] != rows->start[y])
        return rows->start[x] < rows->start[y] ? -1 : 1;
    return rows->event[x] < rows->event[y] ? -1 : rows->event[x] > rows->event[y];
}

/* Takes those of rows first … end − 1 that count; the others become missing. False for a start below 0. */
static bool order_rows(struct follow_up_order *order, int32_t *exit, int32_t *entry, int32_t *status,
                       int32_t *fate, const struct survival_rows *rows, size_t first, size_t end)
{
    bool sorted = true;
    order->n = 0;
    for (size_t r = first; r < end; r++) {
        double start = rows->start[r];
        entry[r] = -1;
        fate[r] = exit[r] < 0 || start != start ? -1 : start < rows->stop[r] ? FATE_LATER : FATE_BACKWARDS;
        if (fate[r] != FATE_LATER) {
            exit[r] = status[r] = -1;
            continue;
        }
        if (start < 0)
            return false;
        sorted = sorted && (order->n == 0 || rows->stop[order->rows[order->n - 1]] < rows->stop[r]);
        order->rows[order->n++] = r;
    }
    if (!sorted)
        qsort_r(order->rows, order->n, sizeof *order->rows, compare_rows, (void *)(uintptr_t)rows);
    return true;
}

/* Follow-up on the grid, as it is worked out. */
struct bins {
    int32_t *exit, *entry, *status, *fate;
};

static void row_leave_out(const struct bins *bins, size_t r, enum tally_fate fate)
{
    bins->exit[r] = bins->entry[r] = bins->status[r] = -1;
    bins->fate[r] = (int32_t)fate;
}

/* An event in a row that rounding emptied: it takes the bin of its exit, and the rows before it end where
 * that bin begins. */
static void rows_cut(const struct bins *bins, const size_t *before, size_t n, int32_t at)
{
    for (size_t i = 0; i < n; i++) {
        size_t r = before[i];
        if (bins->fate[r] != FATE_LATER)
            continue;
        if (bins->exit[r] > at)
            bins->exit[r] = at;
        if (bins->exit[r] <= bins->entry[r])
            row_leave_out(bins, r, bins->status[r] > 0 ? FATE_OVERTAKEN : FATE_EMPTIED);
    }
}

/* Entries of the rows of one patient; exits are filled in. */
static void patient_entries(const struct bins *bins, const struct survival_rows *rows,
                            const struct follow_up_order *order, double per_bin)
{
    double previous = -1; /* stop of the patient's row before this one */
    for (size_t i = 0; i < order->n; i++) {
        size_t r = order->rows[i];
        double quotient = bins_between(rows->start[r], per_bin);
        bins->entry[r] = rows->start[r] == previous ? bin_up(quotient) : (int32_t)quotient;
        previous = rows->stop[r];
        if (bins->exit[r] > bins->entry[r])
            continue;
        if (bins->status[r] == 0) {
            row_leave_out(bins, r, FATE_EMPTIED);
        } else {
            /* start < stop and start ≥ 0: the exit is bin 1 or later. */
            bins->entry[r] = bins->exit[r] - 1;
            rows_cut(bins, order->rows, i, bins->entry[r]);
        }
    }
}

/* The first row that counts; and rows that the next one continues become one with it. */
static void patient_rows_join(const struct bins *bins, const struct survival_rows *rows,
                              const struct follow_up_order *order)
{
    size_t before = SIZE_MAX;
    bool first = true;
    for (size_t i = 0; i < order->n; i++) {
        size_t r = order->rows[i];
        if (bins->fate[r] != FATE_LATER)
            continue;
        if (first)
            bins->fate[r] = FATE_FIRST;
        first = false;
        if (rows->joins && before != SIZE_MAX && bins->status[before] == 0 &&
            rows->start[r] == rows->stop[before] && bins->exit[before] == bins->entry[r] &&
            (rows->same == NULL || rows->same[r] == rows->same[before])) {
            bins->entry[r] = bins->entry[before];
            bins->fate[r] = bins->fate[before];
            row_leave_out(bins, before, FATE_JOINED);
        }
        before = r;
    }
}

enum maille_code survival_rows(int32_t *exit, int32_t *entry, int32_t *status, int32_t *fate,
                               const struct survival_rows *rows, double per_bin, uint32_t n_bins,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    unsigned wrong = 0;
    struct follow_up_order order = {NULL, 0};
    const struct bins bins = {.exit = exit, .entry = entry, .status = status, .fate = fate};
    exits(exit, status, &wrong, rows->stop, rows->event, rows->n, per_bin, (int32_t)n_bins);
    if (rows->start != NULL) {
        order.rows = malloc((rows->n + 1) * sizeof *order.rows);
        if (order.rows == NULL) {
            code = maille_fail(error, MAILLE_MEMORY, "expected memory for the order of %zu rows, found none",
                               rows->n);
            goto out;
        }
    }
    for (size_t r = 0; rows->start == NULL && r < rows->n; r++)
        fate[r] = exit[r] < 0 ? -1 : FATE_FIRST;
    for (size_t first = 0, end; rows->start != NULL && first < rows->n; first = end) {
        for (end = first + 1;
             rows->patient != NULL && end < rows->n && rows->patient[end] == rows->patient[first];)
            end++;
        if (!order_rows(&order, exit, entry, status, fate, rows, first, end)) {
            wrong |= 1;
            continue;
        }
        patient_entries(&bins, rows, &order, per_bin);
        patient_rows_join(&bins, rows, &order);
    }
    if (wrong & 1)
        code = maille_fail(
            error, MAILLE_FAILED,
            "expected follow-up times from 0, found a time below 0; leave such rows out with cohort:");
    else if (wrong & 2)
        code = maille_fail(
            error, MAILLE_CORRUPT,
            "expected follow-up times within the bounds of the dictionary, found one above; import the data "
            "again");
out:
    free(order.rows);
    return code;
}
