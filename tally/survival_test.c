#include "tally/survival.h"

#include <math.h>

#include "tally/testing.h"

/* One row as written and what it must become. Months of 10 days. */
struct row {
    int patient;
    double start, stop;
    int event;
    int entry, exit, status; /* expected; exit −1: left out */
};

/* Row number r of n, in file order or the other way round: it must not matter. */
static size_t at(size_t r, size_t n, bool backwards)
{
    return backwards ? n - 1 - r : r;
}

static void check_order(const struct row *expected, size_t n, bool delayed, bool backwards)
{
    struct maille_error error = {0};
    double start[16], stop[16];
    int32_t event[16], patient[16], exit[16], entry[16], status[16], fate[16];
    assert_true(n <= 16);
    for (size_t r = 0; r < n; r++) {
        const struct row *row = &expected[at(r, n, backwards)];
        start[r] = row->start;
        stop[r] = row->stop;
        event[r] = row->event;
        patient[r] = row->patient;
    }
    struct survival_rows rows = {
        .n = n, .start = delayed ? start : NULL, .stop = stop, .event = event, .patient = patient};
    MUST(survival_rows(exit, entry, status, fate, &rows, 10, 100, &error));
    for (size_t r = 0; r < n; r++) {
        const struct row *row = &expected[at(r, n, backwards)];
        assert_int_equal(exit[r], row->exit);
        assert_int_equal(status[r], row->status);
        if (delayed)
            assert_int_equal(entry[r], row->entry);
    }
}

static void check(const struct row *expected, size_t n, bool delayed)
{
    check_order(expected, n, delayed, false);
    check_order(expected, n, delayed, true);
}
#define CHECK(rows, delayed) check(rows, sizeof(rows) / sizeof *(rows), delayed)

static void without_entry(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {0, 0, 0, 1, 0, 0, 1},                            /* an event at time 0 counts */
        {1, 0, 0, 0, 0, 0, 0},    {2, 0, 10, 1, 0, 1, 1}, /* an exact multiple stays */
        {3, 0, 10.5, 2, 0, 2, 2}, {4, 0, NAN, 1, 0, -1, -1}, {4, 0, 5, 0, 0, 1, 0}, /* rows of their own */
    };
    CHECK(rows, false);
}

static void first_entry_is_rounded_down(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {0, 12, 35, 1, 1, 4, 1},     {1, 0, 35, 0, 0, 4, 0},     {2, 20, 30, 1, 2, 3, 1},
        {3, NAN, 30, 1, -1, -1, -1}, {4, 30, 30, 1, -1, -1, -1}, /* R's Surv: stop must be after start */
    };
    CHECK(rows, true);
}

static void a_row_that_continues_enters_where_the_other_left(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {0, 0, 15, 0, 0, 2, 0},  {0, 15, 42, 0, 2, 5, 0}, {0, 42, 61, 1, 5, 7, 1}, /* no overlap */
        {1, 0, 15, 0, 0, 2, 0},  {1, 25, 42, 1, 2, 5, 1}, /* a gap: an entry of its own, down */
        {2, 15, 42, 1, 1, 5, 1},                          /* another patient continues nobody */
    };
    CHECK(rows, true);
}

static void an_emptied_row_is_dropped(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {0, 0, 12, 0, 0, 2, 0},
        {0, 12, 18, 0, -1, -1, -1},
        {0, 18, 40, 1, 2, 4, 1}, /* the last still continues */
    };
    CHECK(rows, true);
}

static void an_emptied_row_with_an_event_takes_its_bin(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {0, 0, 15, 0, 0, 1, 0},     {0, 15, 18, 1, 1, 2, 1}, /* (10, 20], and the row before is cut at 10 */
        {1, 12, 15, 0, -1, -1, -1}, {1, 15, 18, 1, 1, 2, 1}, /* the row before becomes empty */
        {2, 0, 12, 0, 0, 1, 0},     {2, 12, 13, 0, -1, -1, -1}, {2, 13, 14, 2, 1, 2, 2},
    };
    CHECK(rows, true);
}

/* What becomes of each row, and which rows become one. Bins of 10. */
static void rows_have_a_fate(void **state)
{
    (void)state;
    enum { ROWS = 14 };
    static const struct {
        int patient, same;
        double start, stop;
        int event, entry, exit, fate, entry_joined, exit_joined, fate_joined;
    } rows[ROWS] = {
        {0, 0, 0, 10, 0, 0, 1, FATE_FIRST, -1, -1, FATE_JOINED}, /* three rows are one follow-up */
        {0, 0, 10, 20, 0, 1, 2, FATE_LATER, -1, -1, FATE_JOINED},
        {0, 0, 20, 25, 1, 2, 3, FATE_LATER, 0, 3, FATE_FIRST},
        {1, 0, 0, 10, 0, 0, 1, FATE_FIRST, 0, 1, FATE_FIRST}, /* a gap: two */
        {1, 0, 20, 30, 0, 2, 3, FATE_LATER, 2, 3, FATE_LATER},
        {2, 0, 0, 10, 1, 0, 1, FATE_FIRST, 0, 1, FATE_FIRST}, /* after an event: another */
        {2, 0, 10, 20, 0, 1, 2, FATE_LATER, 1, 2, FATE_LATER},
        {3, 0, 0, 10, 0, 0, 1, FATE_FIRST, 0, 1, FATE_FIRST}, /* in another arm: another */
        {3, 1, 10, 20, 0, 1, 2, FATE_LATER, 1, 2, FATE_LATER},
        {4, 0, 7, 7, 1, -1, -1, FATE_BACKWARDS, -1, -1, FATE_BACKWARDS},
        {5, 0, 11, 12, 1, -1, -1, FATE_OVERTAKEN, -1, -1, FATE_OVERTAKEN},
        {5, 0, 12, 15, 1, 1, 2, FATE_FIRST, 1, 2, FATE_FIRST},
        {5, 0, 15, 16, 0, -1, -1, FATE_EMPTIED, -1, -1, FATE_EMPTIED},
        {6, 0, NAN, 5, 0, -1, -1, -1, -1, -1, -1},
    };
    struct maille_error error = {0};
    double start[ROWS], stop[ROWS];
    int32_t event[ROWS], patient[ROWS], same[ROWS], exit[ROWS], entry[ROWS], status[ROWS], fate[ROWS];
    for (int joins = 0; joins < 2; joins++)
        for (int backwards = 0; backwards < 2; backwards++) {
            for (size_t i = 0; i < ROWS; i++) {
                size_t r = at(i, ROWS, backwards);
                start[r] = rows[i].start;
                stop[r] = rows[i].stop;
                event[r] = rows[i].event;
                patient[r] = rows[i].patient;
                same[r] = rows[i].same;
            }
            struct survival_rows asked = {.n = ROWS,
                                          .start = start,
                                          .stop = stop,
                                          .event = event,
                                          .joins = joins,
                                          .same = same,
                                          .patient = patient};
            MUST(survival_rows(exit, entry, status, fate, &asked, 10, 100, &error));
            for (size_t i = 0; i < ROWS; i++) {
                size_t r = at(i, ROWS, backwards);
                int is[] = {entry[r], exit[r], fate[r]};
                int right[] = {joins ? rows[i].entry_joined : rows[i].entry,
                               joins ? rows[i].exit_joined : rows[i].exit,
                               joins ? rows[i].fate_joined : rows[i].fate};
                if (memcmp(is, right, sizeof is) != 0)
                    fail_msg("row %zu, joins %d: got (%d, %d] %d, expected (%d, %d] %d", i, joins, is[0],
                             is[1], is[2], right[0], right[1], right[2]);
                assert_int_equal(status[r], exit[r] < 0 ? -1 : rows[i].event);
            }
        }
}

static void times_off_the_grid_fail(void **state)
{
    (void)state;
    struct maille_error error = {0};
    double below = -1, above = 1001, start = -1, stop = 5;
    int32_t event = 1, patient = 0, exit, entry, status, fate;
    struct survival_rows rows = {.n = 1, .stop = &below, .event = &event, .patient = &patient};
    assert_int_equal(survival_rows(&exit, &entry, &status, &fate, &rows, 10, 100, &error), MAILLE_FAILED);
    rows.stop = &above;
    assert_int_equal(survival_rows(&exit, &entry, &status, &fate, &rows, 10, 100, &error), MAILLE_CORRUPT);
    above = INFINITY;
    assert_int_equal(survival_rows(&exit, &entry, &status, &fate, &rows, 10, 100, &error), MAILLE_CORRUPT);
    rows.stop = &stop;
    rows.start = &start;
    assert_int_equal(survival_rows(&exit, &entry, &status, &fate, &rows, 10, 100, &error), MAILLE_FAILED);
}

static void months_as_r_has_them(void **state)
{
    (void)state;
    struct maille_error error = {0};
    /* ceiling(c(30, 30.4375, 31, 365.25, 9000) / 30.4375) */
    double stop[] = {30, 30.4375, 31, 365.25, 9000};
    int32_t event[5] = {0}, exit[5], status[5], fate[5];
    static const int32_t expected[] = {1, 1, 2, 12, 296};
    struct survival_rows rows = {.n = 5, .stop = stop, .event = event};
    MUST(survival_rows(exit, NULL, status, fate, &rows, 30.4375, 297, &error));
    assert_memory_equal(exit, expected, sizeof expected);
}

/* Rows of one patient across the end of a block, through the whole machine: every patient's rows tile (0,
 * last exit]. */
static void patients_across_blocks(void **state)
{
    (void)state;
    static const char yaml[] = "dictionary: long\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n"
                               "  - { name: from, type: duration, units: days, min: 0, max: 4000 }\n"
                               "  - { name: to, type: duration, units: days, min: 0, max: 4000 }\n"
                               "  - { name: event, type: boolean }\n";
    struct maille_error error = {0};
    /* patients of 7 rows of 1 + (r mod 5)·20 days; 140,000 rows are three blocks */
    enum { ROWS = 140000, EACH = 7 };
    char *csv = toy_text(ROWS * 40);
    size_t length = (size_t)sprintf(csv, "pid,from,to,event\n");
    int64_t exits = 0;
    for (int r = 0, to = 0; r < ROWS; r++) {
        int from = r % EACH == 0 ? 0 : to;
        to = from + 1 + r % 5 * 20;
        length += (size_t)sprintf(csv + length, "%d,%d,%d,0\n", r / EACH, from, to);
        if (r % EACH == EACH - 1)
            exits += (to + 9) / 10;
    }
    struct toy toy = toy_new(yaml, csv, length);
    free(csv);
    struct tally_spec spec = {.survival = {.start = toy_variable(&toy, "from"),
                                           .stop = toy_variable(&toy, "to"),
                                           .event = toy_variable(&toy, "event"),
                                           .lattice = 1,
                                           .per_bin = 10,
                                           .n_bins = 401}};
    const struct expression *exit =
        expression_number_of(toy.arena, expression_survival(toy.arena, OP_SURV_EXIT, 401));
    const struct expression *entry =
        expression_number_of(toy.arena, expression_survival(toy.arena, OP_SURV_ENTRY, 401));
    const struct expression *at_risk = expression_binary(toy.arena, OP_SUBTRACT, exit, entry);
    struct tally_block *block = tally_spec_add(&spec);
    block->order = 1;
    block->terms = &at_risk;
    block->n_terms = 1;
    struct tally_extent extent;
    size_t bytes;
    struct tally tally = {0};
    MUST(tally_layout(&extent, &bytes, &spec, &error));
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct tally_options options = {.threads = threads};
        MUST(tally_run(&tally, &spec, toy.columns, &options, &error));
        assert_true(tally_real(tally.words.data, &extent, 0) == (double)exits);
    }
    tally_clear(&tally);
    toy_clear(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_entry),
        cmocka_unit_test(first_entry_is_rounded_down),
        cmocka_unit_test(a_row_that_continues_enters_where_the_other_left),
        cmocka_unit_test(an_emptied_row_is_dropped),
        cmocka_unit_test(an_emptied_row_with_an_event_takes_its_bin),
        cmocka_unit_test(rows_have_a_fate),
        cmocka_unit_test(times_off_the_grid_fail),
        cmocka_unit_test(months_as_r_has_them),
        cmocka_unit_test(patients_across_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
