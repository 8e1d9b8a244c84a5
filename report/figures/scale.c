#include "report/figures/scale.h"

#include <math.h>
#include <stdio.h>

/* The least of 1, 2, 5, 10 times a power of ten that is at least x. */
static double nice_step(double x)
{
    static const double steps[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(x)));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] * power >= x * (1 - 1e-9))
            return steps[i] * power;
    return 10 * power;
}

void scale_linear(struct scale *scale, double low, double high, size_t most, bool whole)
{
    if (most > SCALE_TICKS_MAX)
        most = SCALE_TICKS_MAX;
    if (!(high > low))
        high = low + 1;
    double step = nice_step((high - low) / (double)(most > 0 ? most : 1)), first, last;
    while (true) { /* the finest step that gives no more ticks */
        first = whole ? floor(low / step + 1e-9) : ceil(low / step - 1e-9);
        last = whole ? ceil(high / step - 1e-9) : floor(high / step + 1e-9);
        if (!(last - first + 1 > (double)(most > 2 ? most : 2)))
            break;
        step = nice_step(step * 1.01);
    }
    scale->is_log = false;
    scale->low = whole ? first * step : low;
    scale->high = whole ? last * step : high;
    scale->n_ticks = 0;
    for (double k = first; k <= last && scale->n_ticks < SCALE_TICKS_MAX; k++)
        scale->ticks[scale->n_ticks++] = k == 0 ? 0 : k * step; /* no −0 */
}

/* 1, 2 or 5 times a power of ten. i: … −1: 0.5, 0: 1, 1: 2, 2: 5, 3: 10 … */
static double mark(int i)
{
    static const double steps[] = {1, 2, 5};
    int k = ((i % 3) + 3) % 3, power = (i - k) / 3;
    return steps[k] * pow(10, power);
}

void scale_log(struct scale *scale, double low, double high, size_t most)
{
    if (high / low < 4) { /* a short axis has ticks like a linear one */
        scale_linear(scale, low, high, most, true);
        if (scale->low > 0) {
            scale->is_log = true;
            return;
        }
    }
    int first = (int)floor(3 * log10(low)) - 2, last;
    while (mark(first + 1) <= low * (1 + 1e-9))
        first++;
    for (last = first + 1; mark(last) < high * (1 - 1e-9);)
        last++;
    scale->is_log = true;
    scale->low = mark(first);
    scale->high = mark(last);
    scale->n_ticks = 0;
    if (most > SCALE_TICKS_MAX)
        most = SCALE_TICKS_MAX;
    bool tens = (size_t)(last - first) + 1 > most; /* powers of ten alone, every stride-th of them */
    int stride = 1;
    while (tens && (last - first) / 3 / stride + 1 > (int)most)
        stride++;
    for (int i = first; i <= last && scale->n_ticks < SCALE_TICKS_MAX; i++)
        if (!tens || i % (3 * stride) == 0)
            scale->ticks[scale->n_ticks++] = mark(i);
}

double scale_place(const struct scale *scale, double number)
{
    double share = scale->is_log ? log(number / scale->low) / log(scale->high / scale->low)
                                 : (number - scale->low) / (scale->high - scale->low);
    return scale->from + share * (scale->to - scale->from);
}

const char *scale_words(char words[SCALE_WORDS], const struct scale *scale, size_t tick)
{
    snprintf(words, SCALE_WORDS, "%.10g", scale->ticks[tick]);
    return words;
}
