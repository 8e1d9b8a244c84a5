#include "base/test.h"
#include "tally/grouped.h"

#include <stdlib.h>
#include <string.h>

#include "base/vector.h"

enum { ROWS = 20000, GROUPS = 37, VALUES = 11, FRACTION = 60 };

struct made {
    double values[VALUES][ROWS], weight[ROWS];
    uint8_t keep[ROWS];
    int32_t codes[ROWS];
};

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Values of every size within ±8, halves of units among them; what does not count may be anything. */
static struct made *make(size_t n_groups)
{
    uint64_t state = 77;
    struct made *made = malloc(sizeof *made);
    assert_non_null(made);
    for (size_t r = 0; r < ROWS; r++) {
        made->keep[r] = draw(&state) % 4 != 0;
        made->codes[r] = made->keep[r] ? (int32_t)(draw(&state) % n_groups) : -1;
        made->weight[r] = (double)(draw(&state) >> 11) * 0x1p-53;
        for (size_t i = 0; i < VALUES; i++) {
            double x = ((double)(draw(&state) >> 11) * 0x1p-49 - 8) * fixed_power(-(int)(draw(&state) % 70));
            made->values[i][r] = made->keep[r] ? x : draw(&state) % 2 ? __builtin_nan("") : 1e300;
        }
    }
    return made;
}

static void value_of(struct grouped_value *value, const struct made *made, size_t i, size_t first,
                     bool weighted)
{
    *value = (struct grouped_value){.values = made->values[i] + first,
                                    .weight = weighted ? made->weight + first : NULL,
                                    .bound = 8,
                                    .weight_bound = 1};
}

/* Runs of uneven length. */
static size_t run_length(size_t first)
{
    size_t length = first % 3 == 0 ? GROUPED_ROWS : 1 + first % 777;
    return ROWS - first < length ? ROWS - first : length;
}

static void sums_are_those_of_the_definition(size_t n_groups, size_t n_values, bool weighted)
{
    struct made *made = make(n_groups);
    struct fixed_constants constants = fixed_constants(FRACTION);
    i128 *expected = calloc(n_groups * n_values, sizeof *expected);
    assert_non_null(expected);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; made->keep[r] && i < n_values; i++) {
            double v = weighted ? made->weight[r] * made->values[i][r] : made->values[i][r];
            expected[(size_t)made->codes[r] * n_values + i] += fixed_of(v, FRACTION);
        }
    for (enum vector_level level = VECTOR_PORTABLE; level <= VECTOR_AVX512; level++) {
        i128 *sums = calloc(n_groups * n_values, sizeof *sums);
        struct grouped *grouped = grouped_new(n_groups, n_values);
        assert_non_null(sums);
        assert_non_null(grouped);
        vector_limit(level);
        for (size_t first = 0, n; first < ROWS; first += n) {
            struct grouped_value values[VALUES];
            n = run_length(first);
            for (size_t i = 0; i < n_values; i++)
                value_of(&values[i], made, i, first, weighted);
            assert_true(
                grouped_add(grouped, sums, values, made->keep + first, made->codes + first, n, &constants));
        }
        grouped_settle(grouped, sums);
        assert_memory_equal(sums, expected, n_groups * n_values * sizeof *sums);
        grouped_free(grouped);
        free(sums);
    }
    free(expected);
    free(made);
}

static void sums_by_group(void **state)
{
    (void)state;
    for (size_t n_values = 1; n_values <= VALUES; n_values++)
        sums_are_those_of_the_definition(3, n_values, n_values % 2 == 0);
    sums_are_those_of_the_definition(GROUPS, VALUES, false);
    sums_are_those_of_the_definition(GROUPS, 2, true);
    sums_are_those_of_the_definition(1000, 3, true); /* one copy */
}

static void sums_of_all(void **state)
{
    (void)state;
    struct made *made = make(1);
    struct fixed_constants constants = fixed_constants(FRACTION);
    for (int weighted = 0; weighted < 2; weighted++) {
        i128 expected = 0;
        for (size_t r = 0; r < ROWS; r++)
            if (made->keep[r])
                expected +=
                    fixed_of(weighted ? made->weight[r] * made->values[0][r] : made->values[0][r], FRACTION);
        for (enum vector_level level = VECTOR_PORTABLE; level <= VECTOR_AVX512; level++) {
            i128 sum = 0;
            vector_limit(level);
            for (size_t first = 0, n; first < ROWS; first += n) {
                struct grouped_value value;
                n = run_length(first);
                value_of(&value, made, 0, first, weighted != 0);
                assert_true(grouped_sum(&sum, &value, made->keep + first, n, &constants));
            }
            assert_true(sum == expected);
        }
    }
    free(made);
}

static void counts(void **state)
{
    (void)state;
    for (size_t n_groups = 1; n_groups <= GROUPED_COUNT_MAX; n_groups += n_groups < 5 ? 1 : 9) {
        struct made *made = make(n_groups);
        int64_t expected[GROUPED_COUNT_MAX] = {0}, kept = 0, all = 0;
        for (size_t r = 0; r < ROWS; r++) {
            kept += made->keep[r];
            if (made->keep[r])
                expected[made->codes[r]]++;
        }
        for (enum vector_level level = VECTOR_PORTABLE; level <= VECTOR_AVX512; level++) {
            int64_t found[GROUPED_COUNT_MAX] = {0};
            vector_limit(level);
            all = 0;
            for (size_t first = 0, n; first < ROWS; first += n) {
                n = run_length(first);
                grouped_count(found, made->keep + first, made->codes + first, n, n_groups);
                grouped_count(&all, made->keep + first, NULL, n, 1);
            }
            assert_memory_equal(found, expected, sizeof found);
            assert_true(all == kept);
        }
        free(made);
    }
}

static void a_row_that_counts_outside_is_found(void **state)
{
    (void)state;
    struct made *made = make(3);
    struct fixed_constants constants = fixed_constants(FRACTION);
    struct grouped *grouped = grouped_new(3, 2);
    i128 sums[6] = {0}, sum = 0;
    struct grouped_value values[2];
    assert_non_null(grouped);
    for (size_t at = 0; at < 130; at += 43) { /* in whole lanes and in the rest */
        for (int which = 0; which < 3; which++) {
            uint8_t keep = made->keep[at];
            int32_t code = made->codes[at];
            double *place = which == 2 ? &made->weight[at] : &made->values[which][at], was = *place;
            *place = which == 2 ? -1.5 : 8.5;
            value_of(&values[0], made, 0, 0, which == 2);
            value_of(&values[1], made, 1, 0, which == 2);
            made->keep[at] = 1;
            made->codes[at] = 0;
            assert_false(grouped_add(grouped, sums, values, made->keep, made->codes, 131, &constants));
            assert_false(grouped_sum(&sum, &values[which % 2], made->keep, 131, &constants));
            assert_true(sum == 0);
            made->keep[at] = 0;
            made->codes[at] = -1;
            assert_true(grouped_add(grouped, sums, values, made->keep, made->codes, 131, &constants));
            *place = was;
            made->keep[at] = keep;
            made->codes[at] = code;
        }
    }
    grouped_free(grouped);
    free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_by_group),
        cmocka_unit_test(sums_of_all),
        cmocka_unit_test(counts),
        cmocka_unit_test(a_row_that_counts_outside_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
