/* Clocks. Intervals are measured with the monotonic one; dates come from UTC. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_monotonic_ms(void); /* milliseconds since an arbitrary start */
int64_t clock_utc_ms(void);       /* milliseconds since 1970-01-01T00:00:00Z */

/* Where one party reads the time. Zeros: the machine's clocks. A program that holds several parties gives
 * each its own. */
struct clock {
    int64_t (*utc_ms)(void *context), (*monotonic_ms)(void *context);
    void *context;
};
int64_t clock_read_utc_ms(const struct clock *clock);
int64_t clock_read_monotonic_ms(const struct clock *clock);

/* "2026-11-23T15:50:00.123Z"; out has 32 bytes. */
void clock_format(char out[32], int64_t utc_ms);

/* Clocks of two parties: what is told, and up to where nothing may depend on it (docs/PROTOCOL.md, clocks).
 */
enum { CLOCK_TELL_MS = 30 * 1000, CLOCK_SKEW_MS = 5 * 60 * 1000 };
/* "0.3 s ahead of", "12 min behind": how a clock stands to another. */
void clock_compare(char out[32], int64_t own_ms, int64_t other_ms);

#endif
