/* Numbers from text and wide integers. Decimals are read correctly rounded and independent of the locale. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 128-bit integers and quadruple precision: GCC and Clang extensions, named once. */
__extension__ typedef __int128 i128;
__extension__ typedef unsigned __int128 u128;
__extension__ typedef __float128 f128;

/* The whole of text (length bytes, no surrounding space) as a number; false when it is not one or does not
 * fit. Accepts [+-]digits; number_parse_double also [.digits][e[+-]digits], never inf, nan or hexadecimal. A
 * decimal comma is not accepted here: the CSV reader, which knows its dialect, passes decimal = ','. */
bool number_parse_i64(const char *text, size_t length, int64_t *value);
bool number_parse_u64(const char *text, size_t length, uint64_t *value);
bool number_parse_double(const char *text, size_t length, char decimal, double *value);

/* Days since 1970-01-01 (proleptic Gregorian) from YYYY-MM-DD; false when it is not a date of the calendar.
 */
bool number_parse_date(const char *text, size_t length, int32_t *days);
/* The other way; out has 16 bytes. */
void number_format_date(char out[16], int32_t days);
/* Year and month (1 to 12) of a day. */
int64_t number_date_year(int64_t days);
unsigned number_date_month(int64_t days);

/* A duration such as 500ms, 60s, 10m, 2h, 7d in milliseconds; a bare number is seconds. */
bool number_parse_duration_ms(const char *text, int64_t *ms);

/* The shortest decimal that reads back as the same double ("%.15g", "%.16g" or "%.17g"); out has 32 bytes. */
void number_format_double(char out[32], double value);

/* The greatest common divisor of whole numbers up to 2^53 in doubles, by Euclid; of a and 0 it is a. */
double number_common_divisor(double a, double b);

#endif
