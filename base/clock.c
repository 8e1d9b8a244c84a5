#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t machine_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
    return machine_ms(CLOCK_MONOTONIC);
}

int64_t clock_utc_ms(void)
{
    return machine_ms(CLOCK_REALTIME);
}

int64_t clock_read_utc_ms(const struct clock *clock)
{
    return clock->utc_ms != NULL ? clock->utc_ms(clock->context) : clock_utc_ms();
}

int64_t clock_read_monotonic_ms(const struct clock *clock)
{
    return clock->monotonic_ms != NULL ? clock->monotonic_ms(clock->context) : clock_monotonic_ms();
}

void clock_format(char out[32], int64_t utc_ms)
{
    time_t seconds = (time_t)(utc_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    char text[24];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out, 32, "%.19s.%03dZ", text, (int)(utc_ms % 1000));
}

void clock_compare(char out[32], int64_t own_ms, int64_t other_ms)
{
    const int64_t difference = own_ms - other_ms, length = difference < 0 ? -difference : difference;
    const char *const words = difference < 0 ? "behind" : "ahead of";
    if (length < 60 * 1000)
        snprintf(out, 32, "%.1f s %s", (double)length / 1000, words);
    else if (length < 3600 * 1000)
        snprintf(out, 32, "%lld min %s", (long long)(length / 60000), words);
    else
        snprintf(out, 32, "%lld h %s", (long long)(length / 3600000), words);
}
