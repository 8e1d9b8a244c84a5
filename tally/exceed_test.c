/* In which groups one patient carries more of a sum than a limit: by patient, not by row. */
#include "tally/exceed.h"
#include "tally/testing.h"

static const char yaml[] =
    "dictionary: toy\nversion: 1\nkey: id\nrows: several\nidentical_rows: true\nmissing: [\"\"]\nvariables:\n"
    "  - { name: g, type: category, levels: [a, b, c] }\n"
    "  - { name: x, type: integer, min: 0, max: 99 }\n"
    "  - { name: w, type: integer, min: 0, max: 9 }\n";

/* 1 where a patient has more than limits[g] of the group's Σ w·x. */
static void run(double values[3], const struct toy *toy, const char *weight, const double limits[3])
{
    struct maille_error error = {0};
    const struct expression *terms[] = {toy_variable(toy, "x")};
    const struct tally_block over = {.group = toy_variable(toy, "g"),
                                     .weight = weight != NULL ? toy_variable(toy, weight) : NULL,
                                     .terms = terms,
                                     .n_terms = 1,
                                     .order = 1};
    const double shape[] = {1, 1, 1};
    const struct tally_exceed exceed = {.over = &over, .n_rules = 1, .shape = shape, .limits = limits};
    const struct tally_own own = {.n_values = 3, .bound = 1, .run = tally_exceed_run, .context = &exceed};
    memset(values, 0, 3 * sizeof *values);
    MUST(tally_exceed_run(values, &own, toy->columns, NULL, &error));
}

static void by_patient(void **state)
{
    (void)state;
    /* Patient 1 has 30 of a in two rows, and 5 of b; patient 3 has no x, patient 4 no group. */
    static const char csv[] = "id,g,x,w\n1,a,10,1\n2,a,25,1\n1,a,20,1\n1,b,5,9\n3,a,,1\n4,,99,9\n5,b,6,1\n";
    struct toy toy = toy_new(yaml, csv, strlen(csv));
    double values[3];
    run(values, &toy, NULL, (const double[]){29, 5, 0});
    assert_true(values[0] == 1 && values[1] == 1 && values[2] == 0);
    run(values, &toy, NULL, (const double[]){30, 6, 0}); /* more than, not as much as */
    assert_true(values[0] == 0 && values[1] == 0 && values[2] == 0);
    run(values, &toy, "w", (const double[]){29, 44, 0});
    assert_true(values[0] == 1 && values[1] == 1);
    run(values, &toy, "w", (const double[]){30, 45, 0});
    assert_true(values[0] == 0 && values[1] == 0);
    toy_clear(&toy);
}

/* A patient whose rows lie in two of the runs of rows that are read at once. */
static void over_many_rows(void **state)
{
    (void)state;
    const size_t n = 3000;
    char *csv = toy_text(32 * n);
    size_t length = (size_t)sprintf(csv, "id,g,x,w\n");
    for (size_t i = 0; i < n; i++)
        length += (size_t)sprintf(csv + length, "%zu,c,1,1\n", i < 900 ? i : i < 2500 ? 900 : i);
    struct toy toy = toy_new(yaml, csv, length);
    double values[3];
    run(values, &toy, NULL, (const double[]){0, 0, 1599});
    assert_true(values[2] == 1);
    run(values, &toy, NULL, (const double[]){0, 0, 1600});
    assert_true(values[2] == 0);
    toy_clear(&toy);
    free(csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_patient), cmocka_unit_test(over_many_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
