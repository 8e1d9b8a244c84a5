/* Which groups are near by what they say. */
#include "disclosure/testing.h"

#include "disclosure/near.h"

static const char dictionary_text[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                      "  - { name: arm, type: category, levels: [a, b, c] }\n"
                                      "  - { name: bmi, type: real, min: 10, max: 60, resolution: 0.1 }\n"
                                      "  - { name: age, type: integer, min: 0, max: 99 }\n"
                                      "  - { name: time, type: integer, min: 0, max: 9000 }\n"
                                      "  - { name: death, type: boolean }\n";

static struct roster roster;
static const struct study *study;

/* The whole cohort of an analysis. */
static struct near_group group_of(size_t k, const char *words)
{
    struct maille_error error = {0};
    struct bytes bytes = {0}, said = {0};
    struct parts parts;
    struct near_group group = {0};
    struct cells *cells = arena_alloc(roster.arena, sizeof *cells);
    assert_ok(method_cells(&study->analyses[k], roster.arena, cells, &error), &error);
    assert_ok(parts_read(&parts, cells, study->dictionary, roster.arena, &error), &error);
    near_words(&said, &parts.list[0], study->dictionary);
    bytes_put_u8(&said, '\0');
    if (words != NULL)
        assert_string_equal((char *)said.data, words);
    near_write(&bytes, &parts.list[0]);
    assert_false(bytes.failed);
    uint8_t *copy = arena_alloc(roster.arena, bytes.length + 1);
    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    assert_true(near_read(&group, (struct byte_view){copy, bytes.length}, roster.arena));
    for (size_t cut = 1; cut < bytes.length && group.n == 1; cut++) { /* what is cut off is no condition */
        struct near_group none;
        assert_false(near_read(&none, (struct byte_view){copy, cut}, roster.arena));
    }
    bytes_clear(&bytes);
    bytes_clear(&said);
    return group;
}

static size_t distance(size_t a, size_t b)
{
    const struct near_group x = group_of(a, NULL), y = group_of(b, NULL);
    assert_int_equal(near_distance(&x, &y), near_distance(&y, &x));
    return near_distance(&x, &y);
}

static void one_condition(void **state)
{
    (void)state;
    static const char csv[] = "id,arm,bmi,age,time,death\n1,a,20,50,100,1\n2,b,21,60,200,0\n";
    static const size_t site_of[] = {0, 0};
    roster_init(&roster, dictionary_text, csv, sizeof csv - 1, site_of, 1);
    study = roster_study(
        &roster, "",
        "  - { id: g0, method: count }\n"
        "  - { id: g1, method: count, cohort: \"age < 60\" }\n"
        "  - { id: g2, method: count, cohort: \"age <= 60\" }\n"
        "  - { id: g3, method: count, cohort: \"age < 60 && bmi < 30\" }\n"
        "  - { id: g4, method: count, cohort: \"bmi < 30\" }\n"
        "  - { id: g5, method: count, cohort: \"arm == \\\"a\\\"\" }\n"
        "  - { id: g6, method: count, cohort: \"arm in {\\\"a\\\", \\\"b\\\"}\" }\n"
        "  - { id: g7, method: count, cohort: \"arm == \\\"c\\\"\" }\n"
        "  - { id: g8, method: count, cohort: \"age < 60 && !is_missing(bmi) && !is_missing(arm)\" }\n"
        "  - { id: g9, method: count, cohort: \"death\" }\n"
        "  - { id: g10, method: count, cohort: \"!death\" }\n"
        "  - { id: g11, method: count, cohort: \"(age < 60 || bmi < 30) && arm == \\\"a\\\"\" }\n");
    (void)group_of(0, "everyone");
    (void)group_of(1, "age < 60");
    (void)group_of(11, "(age < 60 || bmi < 30) && arm in {a}");
    assert_int_equal(distance(0, 0), NEAR_SAME);
    assert_int_equal(distance(0, 1), 1); /* one more */
    assert_int_equal(distance(1, 2), 1); /* another bound */
    assert_int_equal(distance(1, 3), 1);
    assert_int_equal(distance(0, 3), NEAR_FAR); /* two more */
    assert_int_equal(distance(1, 4), NEAR_FAR); /* of other variables */
    assert_int_equal(distance(5, 6), 1);        /* a level more */
    assert_int_equal(distance(6, 7), NEAR_FAR); /* no level in common */
    assert_int_equal(distance(1, 8), 2);        /* two values known */
    assert_int_equal(distance(2, 8), 3);
    assert_int_equal(distance(9, 10), NEAR_FAR); /* yes and no */
    roster_clear(&roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_condition)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
