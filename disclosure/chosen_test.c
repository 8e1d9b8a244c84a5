/* Which groups were chosen alike, whatever their words. */
#include "disclosure/testing.h"

#include "disclosure/chosen.h"

static const char dictionary_text[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                      "  - { name: arm, type: category, levels: [a, b, c] }\n"
                                      "  - { name: sex, type: category, levels: [m, w] }\n"
                                      "  - { name: bmi, type: real, min: 10, max: 60, resolution: 0.001 }\n"
                                      "  - { name: age, type: integer, min: 0, max: 99 }\n"
                                      "  - { name: months, type: integer, min: 0, max: 400 }\n"
                                      "  - { name: recur, type: boolean }\n"
                                      "  - { name: death, type: boolean }\n";
#define DERIVED                                                                                              \
    "derive:\n  old: age >= 60\n  bands: cut(age, c(40, 60), right = FALSE, open = TRUE)\n"                  \
    "  first: factor(recur * 1 + (death && !recur) * 2, levels = c(0, 1, 2), labels = c(\"no\", "            \
    "\"relapse\", \"death\"))\n"                                                                             \
    "  after: factor(recur * 1 + (death && !recur) * 2, levels = c(1, 2), labels = c(\"relapse\", "          \
    "\"death\"))\n"

/* What chose the cohort of an analysis, or (level) a level of its first table's first category. */
static struct byte_view chosen_of(struct roster *roster, const char *analysis, size_t level)
{
    struct maille_error error = {0};
    struct bytes bytes = {0};
    struct parts parts;
    const struct study *study = roster_study(roster, DERIVED, analysis);
    struct cells *cells = arena_alloc(roster->arena, sizeof *cells);
    size_t part = 0;
    assert_ok(method_cells(&study->analyses[0], roster->arena, cells, &error), &error);
    assert_ok(parts_read(&parts, cells, study->dictionary, roster->arena, &error), &error);
    for (size_t u = 0; u < parts.n_uses && level != SIZE_MAX && part == 0; u++)
        if (parts.uses[u].factors == 1 && parts.uses[u].level == level)
            part = parts.uses[u].part;
    struct chosen *chosen = chosen_new(study->dictionary);
    struct bytes again = {0};
    assert_non_null(chosen);
    chosen_write(&bytes, chosen, &parts.list[part]);
    chosen_write(&again, chosen, &parts.list[part]); /* with what is known by then */
    assert_int_equal(bytes.length, again.length);
    assert_true(again.length == 0 || memcmp(bytes.data, again.data, again.length) == 0);
    bytes_clear(&again);
    chosen_free(chosen);
    assert_false(bytes.failed);
    uint8_t *copy = arena_alloc(roster->arena, bytes.length + 1);
    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    const struct byte_view view = {copy, bytes.length};
    bytes_clear(&bytes);
    return view;
}

static struct byte_view cohort(struct roster *roster, const char *condition)
{
    const char *analysis =
        arena_printf(roster->arena, "  - { id: a, method: count, cohort: '%s' }\n", condition);
    return chosen_of(roster, analysis, SIZE_MAX);
}

static struct byte_view level_of(struct roster *roster, const char *variable, const char *condition,
                                 size_t level)
{
    const char *analysis = arena_printf(roster->arena, "  - { id: a, method: count, by: %s, cohort: '%s' }\n",
                                        variable, condition);
    return chosen_of(roster, analysis, level);
}

static void begin(struct roster *roster)
{
    static const char csv[] = "id,arm,sex,bmi,age,months,recur,death\n1,a,m,20,50,3,1,1\n2,b,w,21,60,4,0,0\n";
    static const size_t site_of[] = {0, 0};
    roster_init(roster, dictionary_text, csv, sizeof csv - 1, site_of, 1);
}

static void words_of_one_variable(void **state)
{
    (void)state;
    struct roster roster;
    begin(&roster);
    const struct byte_view old = cohort(&roster, "age >= 60");
    assert_true(byte_view_equal(old, cohort(&roster, "!(age <= 59)")));
    assert_true(byte_view_equal(old, cohort(&roster, "age > 59 && age >= 10")));
    assert_true(byte_view_equal(old, cohort(&roster, "age >= 60 && !is_missing(sex)")));
    assert_true(byte_view_equal(old, level_of(&roster, "old", "age >= 0", 1)));
    assert_true(byte_view_equal(old, level_of(&roster, "bands", "age >= 0", 2)));
    assert_true(byte_view_equal(level_of(&roster, "bands", "age >= 0", 1),
                                cohort(&roster, "age >= 40 && !(age >= 60)")));
    assert_true(
        byte_view_equal(cohort(&roster, "arm != \"c\""), cohort(&roster, "arm == \"a\" || arm == \"b\"")));
    assert_false(byte_view_equal(old, cohort(&roster, "age >= 61")));
    assert_false(byte_view_equal(old, cohort(&roster, "age >= 60 && sex == \"m\"")));
    assert_false(byte_view_equal(old, cohort(&roster, "months >= 60")));
    /* Everybody, whoever lacks what. */
    assert_true(byte_view_equal(cohort(&roster, "age >= 0"), cohort(&roster, "!is_missing(bmi)")));
    assert_true(old.length > 0);
    /* Too many values to be followed one by one: by the words. */
    assert_true(byte_view_equal(cohort(&roster, "bmi > 30"), cohort(&roster, "bmi > 30 && age >= 0")));
    assert_false(byte_view_equal(cohort(&roster, "bmi > 30"), cohort(&roster, "bmi > 31")));
    roster_clear(&roster);
}

static void words_of_several(void **state)
{
    (void)state;
    struct roster roster;
    begin(&roster);
    const struct byte_view relapse = cohort(&roster, "recur");
    assert_true(byte_view_equal(relapse, level_of(&roster, "first", "age >= 0", 1)));
    assert_true(byte_view_equal(relapse, level_of(&roster, "after", "age >= 0", 0)));
    assert_true(byte_view_equal(relapse, level_of(&roster, "first", "recur || death", 1)));
    assert_true(
        byte_view_equal(level_of(&roster, "first", "age >= 0", 2), cohort(&roster, "death && !recur")));
    assert_true(byte_view_equal(cohort(&roster, "recur || death"), cohort(&roster, "!(!death && !recur)")));
    assert_true(
        byte_view_equal(cohort(&roster, "(recur || death) && !recur"), cohort(&roster, "death && !recur")));
    assert_false(byte_view_equal(relapse, level_of(&roster, "first", "age >= 0", 2)));
    assert_false(byte_view_equal(relapse, cohort(&roster, "recur || death")));
    /* A value that is there for some alone is a choice; where it always is, none. */
    assert_false(byte_view_equal(cohort(&roster, "!is_missing(ifelse(recur, 1 / (age - 50), 2))"),
                                 cohort(&roster, "age >= 0")));
    assert_true(
        byte_view_equal(cohort(&roster, "!is_missing(recur * 1 + death * 2)"), cohort(&roster, "age >= 0")));
    /* Of a variable with too many values as well, where a variable says who is asked. */
    assert_true(
        byte_view_equal(cohort(&roster, "!is_missing(ifelse(recur, bmi, 20))"), cohort(&roster, "age >= 0")));
    assert_true(byte_view_equal(cohort(&roster, "!is_missing(ifelse(arm == \"a\", bmi, 20))"),
                                cohort(&roster, "age >= 0")));
    assert_false(byte_view_equal(cohort(&roster, "!is_missing(ifelse(age == 47, bmi, 20))"),
                                 cohort(&roster, "age >= 0")));
    roster_clear(&roster);
}

/* Conditions that hold where a value is missing choose among those who lack it. */
static void who_lacks_a_value(void **state)
{
    (void)state;
    struct roster roster;
    begin(&roster);
    static const char *const apart[] = {
        "age >= 0",
        "months >= 0 || sex == \"w\"",
        "months >= 0 || (sex == \"w\" && !(age == 47 && death))",
        "!is_missing(months) || (sex == \"w\" && !(age == 48 && death))",
        "is_missing(months)",
        "is_missing(months) && !(age == 47 && death)",
        "pmin(age, months) < 5",
        "age < 5 || months < 5",
        "bmi > 30 || sex == \"w\"",
        "(bmi > 30 || sex == \"w\") && !is_missing(bmi)",
    };
    enum { N = sizeof apart / sizeof *apart };
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < i; j++)
            if (byte_view_equal(cohort(&roster, apart[i]), cohort(&roster, apart[j])))
                fail_msg("%s and %s are not chosen alike", apart[i], apart[j]);
    for (size_t i = 0; i < N; i++)
        assert_true(cohort(&roster, apart[i]).length > 0);
    assert_true(byte_view_equal(cohort(&roster, "(months >= 5 || sex == \"w\") && sex == \"m\""),
                                cohort(&roster, "sex == \"m\" && !(months < 5)")));
    assert_true(byte_view_equal(cohort(&roster, "(months >= 0 || sex == \"w\") && !is_missing(months)"),
                                cohort(&roster, "age >= 0")));
    assert_true(byte_view_equal(cohort(&roster, "is_missing(months) && sex == \"m\""),
                                cohort(&roster, "!(sex == \"w\") && is_missing(months)")));
    roster_clear(&roster);
}

/* Times of the dictionary are no choice, and what is worked out of them is one. */
static void by_follow_up(void **state)
{
    (void)state;
    struct roster roster;
    begin(&roster);
    static const char
        whole[] = "  - { id: a, method: km, formula: \"Surv(months, death) ~ arm\" }\n",
        other[] = "  - { id: a, method: km, formula: \"Surv(months, recur) ~ arm\" }\n",
        worked[] =
            "  - { id: a, method: km, formula: \"Surv(months * (1 - recur * death), death) ~ arm\" }\n",
        entering[] = "  - { id: a, method: km, formula: \"Surv(pmax(age - 50, 0), months, death) ~ arm\" }\n";
    const char *const all[] = {whole, other, worked, entering};
    struct byte_view chosen[4];
    for (size_t i = 0; i < 4; i++)
        chosen[i] = chosen_of(&roster, all[i], 1);
    assert_true(chosen[0].length > 0 && byte_view_equal(chosen[0], chosen[1]));
    for (size_t i = 2; i < 4; i++)
        assert_true(chosen[i].length > 0);
    roster_clear(&roster);
}

static void nobody_is_not_chosen(void **state)
{
    (void)state;
    struct roster roster;
    begin(&roster);
    assert_int_equal(level_of(&roster, "arm", "arm != \"c\"", 2).length, 0);
    assert_int_equal(cohort(&roster, "age > 60 && age < 50").length, 0);
    assert_int_equal(cohort(&roster, "(recur || death) && !recur && !death").length, 0);
    assert_true(level_of(&roster, "arm", "arm != \"c\"", 1).length > 0);
    roster_clear(&roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words_of_one_variable),
                                       cmocka_unit_test(words_of_several),
                                       cmocka_unit_test(who_lacks_a_value), cmocka_unit_test(by_follow_up),
                                       cmocka_unit_test(nobody_is_not_chosen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
