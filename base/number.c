#include "base/number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool number_parse_u64(const char *text, size_t length, uint64_t *value)
{
    uint64_t number = 0;
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (__builtin_mul_overflow(number, (uint64_t)10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number))
            return false;
    }
    *value = number;
    return true;
}

bool number_parse_i64(const char *text, size_t length, int64_t *value)
{
    bool negative = length > 0 && text[0] == '-';
    size_t sign = length > 0 && (text[0] == '-' || text[0] == '+');
    uint64_t magnitude;
    if (!number_parse_u64(text + sign, length - sign, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool number_parse_double(const char *text, size_t length, char decimal, double *value)
{
    /* The shape is checked here; strtod of glibc then rounds correctly. It is called in the "C" locale: the
     * programs never call setlocale(LC_NUMERIC). */
    char copy[64];
    size_t i = 0, digits = 0;
    if (length == 0 || length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (copy[i] == '+' || copy[i] == '-')
        i++;
    for (; copy[i] >= '0' && copy[i] <= '9'; i++)
        digits++;
    if (i < length && copy[i] == decimal) {
        copy[i++] = '.';
        for (; copy[i] >= '0' && copy[i] <= '9'; i++)
            digits++;
    }
    if (digits == 0)
        return false;
    if (copy[i] == 'e' || copy[i] == 'E') {
        size_t exponent = 0;
        i++;
        if (copy[i] == '+' || copy[i] == '-')
            i++;
        for (; copy[i] >= '0' && copy[i] <= '9'; i++)
            exponent++;
        if (exponent == 0)
            return false;
    }
    if (i != length)
        return false;
    *value = strtod(copy, NULL);
    return isfinite(*value);
}

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013): days_from_civil, civil_from_days. */
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned yoe = (unsigned)(year - era * 400);
    unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

bool number_parse_date(const char *text, size_t length, int32_t *days)
{
    static const unsigned lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t year, month, day;
    if (length != 10 || text[4] != '-' || text[7] != '-' || !number_parse_u64(text, 4, &year) ||
        !number_parse_u64(text + 5, 2, &month) || !number_parse_u64(text + 8, 2, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] || (month == 2 && day == 29 && !leap))
        return false;
    *days = (int32_t)days_from_civil((int64_t)year, (unsigned)month, (unsigned)day);
    return true;
}

struct civil {
    int64_t year;
    unsigned month, day;
};

static struct civil civil_from_days(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    unsigned month = mp < 10 ? mp + 3 : mp - 9;
    return (struct civil){
        .year = (int64_t)yoe + era * 400 + (month <= 2), .month = month, .day = doy - (153 * mp + 2) / 5 + 1};
}

void number_format_date(char out[16], int32_t days)
{
    struct civil date = civil_from_days(days);
    snprintf(out, 16, "%04d-%02u-%02u", (int)date.year % 10000, date.month % 100, date.day % 100);
}

int64_t number_date_year(int64_t days)
{
    return civil_from_days(days).year;
}

unsigned number_date_month(int64_t days)
{
    return civil_from_days(days).month;
}

bool number_parse_duration_ms(const char *text, int64_t *ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"", 1000},     {"ms", 1},      {"s", 1000},    {"m", 60000},
                 {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t digits = strspn(text, "0123456789");
    uint64_t number;
    if (!number_parse_u64(text, digits, &number) || number > 1000000000)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text + digits, units[i].unit) == 0) {
            *ms = (int64_t)number * units[i].ms;
            return true;
        }
    return false;
}

void number_format_double(char out[32], double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

double number_common_divisor(double a, double b)
{
    while (b != 0) {
        double rest = fmod(a, b);
        a = b;
        b = rest;
    }
    return a;
}
