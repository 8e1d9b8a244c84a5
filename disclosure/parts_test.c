/* Which groups an analysis has beside its cohort, and which of two are compared. */
#include "disclosure/testing.h"

#include "disclosure/parts.h"

static const char dictionary_text[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                      "  - { name: arm, type: category, levels: [a, b, c] }\n"
                                      "  - { name: sex, type: category, levels: [m, w] }\n"
                                      "  - { name: bmi, type: real, min: 10, max: 60, resolution: 0.1 }\n"
                                      "  - { name: age, type: integer, min: 0, max: 99 }\n"
                                      "  - { name: death, type: boolean }\n";

struct known {
    struct roster roster;
    const struct study *study;
    struct parts parts[4];
};

/* The parts of every analysis of a study. */
static void know(struct known *known, const char *head, const char *analyses)
{
    static const char csv[] = "id,arm,sex,bmi,age,death\n1,a,m,20,50,1\n2,b,w,21,60,0\n";
    static const size_t site_of[] = {0, 0};
    struct maille_error error = {0};
    roster_init(&known->roster, dictionary_text, csv, sizeof csv - 1, site_of, 1);
    known->study = roster_study(&known->roster, head, analyses);
    for (size_t k = 0; k < known->study->n_analyses; k++) {
        struct cells *cells = arena_alloc(known->roster.arena, sizeof *cells);
        assert_ok(method_cells(&known->study->analyses[k], known->roster.arena, cells, &error), &error);
        assert_ok(parts_read(&known->parts[k], cells, known->study->dictionary, known->roster.arena, &error),
                  &error);
    }
}

static bool same(const struct parts *a, size_t p, const struct parts *b, size_t q)
{
    const struct byte_view x = a->list[p].canon, y = b->list[q].canon;
    return x.length == y.length && memcmp(x.data, y.data, x.length) == 0;
}

static bool related(const struct parts *a, size_t p, const struct parts *b, size_t q)
{
    return part_families_related(&a->families[a->list[p].family], &b->families[b->list[q].family]);
}

/* A filter and a level are one condition, and so are a value that is there and one that a condition needs. */
static void the_same_rows_have_the_same_bytes(void **state)
{
    (void)state;
    struct known k;
    know(&k, "",
         "  - { id: t, method: count, variables: [arm, death] }\n"
         "  - { id: u, method: count, cohort: \"death && arm == \\\"b\\\" && sex == \\\"w\\\"\" }\n"
         "  - { id: v, method: count, cohort: sex == \"w\" && arm == \"b\", variables: [death] }\n"
         "  - { id: w, method: count, cohort: arm == \"b\" && !is_missing(death) }\n");
    const struct parts *t = &k.parts[0];
    assert_int_equal(t->n, 1 + 3 + 2 + 3 * 2); /* and the cells */
    assert_int_equal(k.parts[1].n, 1);
    assert_int_equal(k.parts[2].n, 1 + 2);
    assert_true(same(&k.parts[1], 0, &k.parts[2], 2)); /* death: TRUE */
    assert_false(same(&k.parts[1], 0, &k.parts[2], 1));
    assert_true(same(t, 2, &k.parts[3], 0)); /* arm b, with a value of death */
    roster_clear(&k.roster);
}

/* The rows of a number are a part where it can be missing, under each arm too. */
static void rows_with_a_value_are_a_part(void **state)
{
    (void)state;
    struct known k;
    know(&k, "derive:\n  x: bmi + age - age\n",
         "  - { id: a, method: describe, variables: [bmi, age] }\n"
         "  - { id: b, method: describe, variables: [x] }\n"
         "  - { id: c, method: describe, variables: [bmi], by: arm }\n"
         "  - { id: d, method: count }\n");
    const struct parts *a = &k.parts[0], *b = &k.parts[1], *c = &k.parts[2], *d = &k.parts[3];
    assert_int_equal(a->n, 3);
    assert_int_equal(b->n, 2);
    assert_int_equal(c->n, 1 + 3 + 3);
    assert_false(same(a, 1, b, 1));
    assert_true(related(a, 1, b, 1));  /* bmi, and bmi + age - age */
    assert_false(related(a, 1, a, 2)); /* who has a bmi, and who has an age */
    assert_false(related(a, 1, d, 0)); /* who has a bmi, and everybody */
    assert_false(related(c, 1, c, 4)); /* an arm, and who of it has a bmi */
    assert_true(related(c, 4, c, 5));
    assert_true(related(a, 0, d, 0));
    roster_clear(&k.roster);
}

/* The part that has these levels of the first table of an analysis (part_levels). */
static size_t part_with(const struct parts *parts, uint32_t factors, size_t level)
{
    for (size_t u = 0; u < parts->n_uses; u++)
        if (parts->uses[u].factors == factors && parts->uses[u].level == level)
            return parts->uses[u].part;
    fail_msg("expected a part of factors %u", (unsigned)factors);
    return 0;
}

/* Cells, and what the sums of cells are: the same rows as a level of a narrower cohort are the same group,
 * and one is compared with whatever is told of each of its categories. */
static void cells_are_parts(void **state)
{
    (void)state;
    enum { ARM = 1, SEX = 2, OLD = 4 };
    struct known k;
    know(&k, "derive:\n  old: age > 60\n",
         "  - { id: t, method: count, by: [arm, sex, old] }\n"
         "  - { id: u, method: count, by: sex, cohort: \"arm == \\\"b\\\" && !is_missing(age)\" }\n"
         "  - { id: v, method: count, by: [old, sex] }\n"
         "  - { id: w, method: count, by: [sex, death] }\n");
    const struct parts *t = &k.parts[0], *u = &k.parts[1], *v = &k.parts[2], *w = &k.parts[3];
    const size_t b_women = part_with(t, ARM | SEX, 1 * 2 + 1), old_women = part_with(t, SEX | OLD, 1 * 2 + 1);
    assert_int_equal(t->n, (3 + 1) * (2 + 1) * (2 + 1));
    assert_true(same(t, b_women, u, part_with(u, 1, 1)));
    assert_false(same(t, b_women, u, part_with(u, 1, 0)));
    assert_true(related(t, old_women, v, part_with(v, 3, 3)));
    assert_true(related(t, part_with(t, ARM | SEX | OLD, 0), u, part_with(u, 1, 0)));
    assert_false(related(t, b_women, v, part_with(v, 3, 3)));
    assert_false(related(t, old_women, w, part_with(w, 3, 3)));
    assert_false(t->crowded);
    roster_clear(&k.roster);
}

/* Where a level is one as the dictionary has it, of the cohort's rows that have values. And no study makes a
 * vault count sets of categories without an end. */
static void plain_and_crowded(void **state)
{
    (void)state;
    struct known k;
    know(&k,
         "derive:\n  v: ifelse(sex == \"w\", age - 10, bmi)\n  all: cut(age, c(-1, "
         "200))\n",
         "  - { id: a, method: describe, variables: [bmi], by: arm }\n"
         "  - { id: b, method: describe, variables: [v], by: arm }\n"
         "  - { id: c, method: count, by: all, cohort: v > 20 }\n"
         "  - { id: d, method: count, by: [arm, sex, death, all] }\n");
    const struct parts *a = &k.parts[0], *b = &k.parts[1], *c = &k.parts[2], *d = &k.parts[3];
    for (size_t p = 1; p < a->n; p++)
        assert_true(a->list[p].plain);
    for (size_t p = 1; p < b->n; p++) /* the arm, and the arm where v has a value */
        assert_int_equal(b->list[p].plain, p <= 3);
    assert_false(c->list[0].plain);
    for (size_t p = 1; p < c->n; p++)
        assert_false(c->list[p].plain);
    assert_false(d->crowded);
    assert_true(d->n <= (3 + 1) * (2 + 1) * (2 + 1) * (1 + 1));
    roster_clear(&k.roster);
    struct bytes derive = {0}, by = {0};
    bytes_put_text(&derive, "derive:\n");
    for (int g = 0; g < 12; g++) {
        char one[64];
        snprintf(one, sizeof one, "  g%d: cut(age, c(-1, 200))\n", g);
        bytes_put_text(&derive, one);
        snprintf(one, sizeof one, "%sg%d", g > 0 ? ":" : "", g);
        bytes_put_text(&by, one);
    }
    bytes_put_u8(&derive, 0);
    bytes_put_u8(&by, 0);
    char analysis[512];
    snprintf(analysis, sizeof analysis,
             "  - { id: a, method: glm, family: gaussian, formula: \"bmi ~ %s\" }\n", (const char *)by.data);
    know(&k, (const char *)derive.data, analysis);
    assert_true(k.parts[0].crowded);
    assert_true(k.parts[0].n < 16);
    bytes_clear(&derive);
    bytes_clear(&by);
    roster_clear(&k.roster);
}

/* As other questions hear of them. */
static void families_travel(void **state)
{
    (void)state;
    struct known k;
    struct bytes bytes = {0};
    struct part_groups groups;
    know(&k, "",
         "  - { id: a, method: describe, variables: [bmi], by: arm }\n  - { id: d, method: count }\n");
    part_groups_write(&bytes, k.parts, 2);
    assert_false(bytes.failed);
    const struct byte_view view = {bytes.data, bytes.length};
    part_groups_read(&groups, view, 0, k.roster.arena);
    assert_int_equal(groups.n, 8);
    for (size_t g = 0; g < groups.n; g++) {
        const struct part_group *group = &groups.list[g];
        const struct parts *parts = &k.parts[group->analysis];
        assert_memory_equal(group->family, &parts->families[parts->list[group->part].family],
                            sizeof *group->family);
        assert_ptr_equal(part_groups_find(&groups, group->analysis, group->part), group);
    }
    assert_null(part_groups_find(&groups, 1, 1));
    /* What is cut off or was written before is a study of whole analyses. */
    for (size_t length = 0; length < bytes.length; length++) {
        part_groups_read(&groups, (struct byte_view){bytes.data, length}, 3, k.roster.arena);
        for (size_t g = 0; g < groups.n && groups.n == 3; g++)
            assert_int_equal(groups.list[g].analysis, g);
    }
    static const uint8_t bits[] = {0x82};
    size_t n;
    const struct part_group *listed =
        part_groups_listed(&n, view, (struct byte_view){bits, 1}, k.roster.arena);
    assert_int_equal(n, 2);
    assert_int_equal(listed[0].part, 1);
    assert_int_equal(listed[1].analysis, 1);
    bytes_clear(&bytes);
    roster_clear(&k.roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_rows_have_the_same_bytes),
                                       cmocka_unit_test(rows_with_a_value_are_a_part),
                                       cmocka_unit_test(cells_are_parts), cmocka_unit_test(plain_and_crowded),
                                       cmocka_unit_test(families_travel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
