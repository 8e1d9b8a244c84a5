/* Combinations of groups that leave a few patients, over public words: what the echelon form finds, held
 * against a search of its own over the values of every variable. */
#include <math.h>

#include "base/test.h"

#include "disclosure/combination.h"
#include "disclosure/combination_form.h"
#include "disclosure/lattice.h"
#include "query/expression.h"

static const char dictionary_text[] = "dictionary: toy\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                      "  - { name: stage, type: category, levels: [i, ii, iii] }\n"
                                      "  - { name: sex, type: category, levels: [m, w] }\n"
                                      "  - { name: age, type: integer, min: 0, max: 99 }\n"
                                      "  - { name: nodes, type: integer, min: 0, max: 20 }\n";
enum { GROUPS = 24, VALUES = 4 * 3 * 101 * 22 };

/* Equal texts are equal; that is all a test wants of it. */
static void hash(uint8_t out[FORM_HASH_BYTES], const uint8_t *data, size_t length)
{
    uint64_t h[2] = {14695981039346656037U, 1099511628211U};
    for (size_t i = 0; i < length; i++)
        for (size_t k = 0; k < 2; k++)
            h[k] = (h[k] ^ data[i]) * UINT64_C(1099511628211) + k;
    le64_store(out, h[0]);
    le64_store(out + 8, h[1]);
}

struct asked {
    struct arena *arena;
    const struct dictionary *dictionary;
    const struct expression *filters[GROUPS];
    struct combination_group groups[GROUPS];
    size_t n;
};

static void asked_init(struct asked *asked)
{
    struct maille_error error = {0};
    *asked = (struct asked){.arena = arena_new()};
    assert_ok(dictionary_parse(&asked->dictionary, asked->arena, "d.yaml", dictionary_text,
                               strlen(dictionary_text), &error),
              &error);
}

static void ask(struct asked *asked, const char *cohort)
{
    struct maille_error error = {0};
    struct bytes form = {0};
    const struct expression *filter = NULL;
    const struct expression_scope scope = {
        .dictionary = asked->dictionary, .file = "t", .line = 1, .column = 1};
    if (cohort[0] != '\0')
        assert_ok(expression_parse(&filter, asked->arena, &scope, cohort, &error), &error);
    const struct tally_block block = {.filter = filter};
    const struct tally_survival survival = {0};
    assert_ok(combination_form(&form, &block, &survival, asked->dictionary, hash, &error), &error);
    asked->filters[asked->n] = filter;
    asked->groups[asked->n++] = (struct combination_group){
        (const uint8_t *)arena_strndup(asked->arena, (const char *)form.data, form.length), form.length};
    bytes_clear(&form);
}

/* Is somebody with these values in the group? NaN: missing. */
static bool counts(const struct asked *asked, size_t group, const double values[4])
{
    return asked->filters[group] == NULL || lattice_code_of(asked->filters[group], values) == 1;
}

static void person(double values[4], size_t at)
{
    const size_t stage = at % 4, sex = at / 4 % 3, age = at / 12 % 101, nodes = at / 1212;
    values[0] = stage == 3 ? NAN : (double)stage;
    values[1] = sex == 2 ? NAN : (double)sex;
    values[2] = age == 100 ? NAN : (double)age;
    values[3] = nodes == 21 ? NAN : (double)nodes;
}

struct found {
    const struct asked *asked;
    const uint64_t (*members)[1];     /* of every kind of person */
    size_t n_rows, n_implied, narrow; /* rows other than 0 for one kind of person alone */
    bool *alone;                      /* [kind] */
    size_t n_kinds;
    size_t last; /* the group of the last narrow row */
};

static enum maille_code look(void *context, size_t group, const uint64_t *coefficients, bool implied,
                             struct maille_error *error)
{
    struct found *found = context;
    size_t others = 0, kind = 0;
    (void)error;
    for (size_t i = 0; i < found->n_kinds; i++)
        if (combination_sum(coefficients, found->members[i], 1) != 0) {
            others++;
            kind = i;
        }
    found->n_rows++;
    found->n_implied += implied;
    if (others == 1) {
        found->narrow++;
        found->alone[kind] = true;
        found->last = group;
    }
    return MAILLE_OK;
}

/* Kinds of persons that some group tells apart. */
static size_t kinds_of(uint64_t (*members)[1], const struct asked *asked)
{
    size_t n = 0;
    for (size_t at = 0; at < VALUES; at++) {
        double values[4];
        uint64_t here = 0;
        size_t i = 0;
        person(values, at);
        for (size_t g = 0; g < asked->n; g++)
            here |= (uint64_t)counts(asked, g, values) << g;
        while (i < n && members[i][0] != here)
            i++;
        if (i == n && here != 0)
            members[n++][0] = here;
    }
    return n;
}

static void rows_of(struct found *found, const struct asked *asked, size_t n_past)
{
    struct combination combination;
    struct maille_error error = {0};
    uint64_t(*members)[1] = arena_array(asked->arena, VALUES, sizeof *members);
    *found = (struct found){.asked = asked, .members = (const uint64_t(*)[1])members};
    found->n_kinds = kinds_of(members, asked);
    found->alone = arena_array(asked->arena, found->n_kinds + 1, sizeof *found->alone);
    assert_ok(combination_init(&combination, asked->groups, n_past, asked->n, &error), &error);
    assert_true(combination.whole);
    assert_int_equal(combination.n_classes, found->n_kinds);
    assert_ok(combination_rows(&combination, look, found, &error), &error);
    assert_int_equal(found->n_implied, 0);
    combination_clear(&combination);
}

static void four_groups_leave_one_class(void **state)
{
    (void)state;
    struct asked asked;
    struct found found;
    asked_init(&asked);
    ask(&asked, "age >= 50");
    ask(&asked, "age < 70");
    ask(&asked, "age < 50");
    rows_of(&found, &asked, 0);
    const size_t before = found.narrow;
    ask(&asked, "age >= 70 & age < 97");
    rows_of(&found, &asked, 3);
    assert_true(before > 0); /* each of three stretches of ages */
    assert_int_equal(found.last, 3);
    assert_true(found.narrow > 0);
    /* The same by other words: a negation, and a disjunction over two variables. */
    asked.n = 3;
    ask(&asked, "!(age < 70 | age >= 97)");
    rows_of(&found, &asked, 3);
    assert_true(found.narrow > 0);
    asked.n = 3;
    ask(&asked, "age >= 70 & (nodes >= 0 | sex == \"m\" | sex == \"w\")");
    rows_of(&found, &asked, 3);
    arena_free(asked.arena);
}

static void everybody_less_parts_leaves_who_misses(void **state)
{
    (void)state;
    struct asked asked;
    struct found found;
    struct combination combination;
    struct maille_error error = {0};
    uint64_t coefficients[64] = {0};
    asked_init(&asked);
    ask(&asked, "");
    ask(&asked, "stage == \"i\"");
    ask(&asked, "stage == \"ii\"");
    ask(&asked, "stage == \"iii\"");
    rows_of(&found, &asked, 3);
    assert_true(found.narrow > 0);
    /* That is a class of patients without a stage. */
    assert_ok(combination_init(&combination, asked.groups, 3, 4, &error), &error);
    coefficients[0] = 1;
    for (size_t g = 1; g < 4; g++)
        coefficients[g] = COMBINATION_PRIME - 1;
    assert_false(combination_of_present(&combination, coefficients));
    coefficients[3] = 0;
    assert_true(combination_of_present(&combination, coefficients));
    combination_clear(&combination);
    arena_free(asked.arena);
}

/* Rank over a small prime: an elimination with none of that code. Is e_kind a combination of the groups? */
static bool can_be_alone(const uint64_t (*members)[1], size_t n_kinds, size_t n_groups, size_t kind)
{
    enum { P = 1000003 };
    static int64_t a[VALUES][GROUPS + 1];
    size_t rank = 0;
    for (size_t i = 0; i < n_kinds; i++) {
        for (size_t g = 0; g < n_groups; g++)
            a[i][g] = members[i][0] >> g & 1;
        a[i][n_groups] = i == kind;
    }
    for (size_t column = 0; column < n_groups; column++) {
        size_t at = rank;
        while (at < n_kinds && a[at][column] == 0)
            at++;
        if (at == n_kinds)
            continue;
        for (size_t g = 0; g <= n_groups; g++) {
            const int64_t swap = a[at][g];
            a[at][g] = a[rank][g];
            a[rank][g] = swap;
        }
        int64_t inverse = 1;
        for (int64_t base = a[rank][column], left = P - 2; left > 0; left /= 2, base = base * base % P)
            inverse = left % 2 ? inverse * base % P : inverse;
        for (size_t i = rank + 1; i < n_kinds; i++) {
            const int64_t factor = a[i][column] * inverse % P;
            for (size_t g = column; g <= n_groups && factor != 0; g++)
                a[i][g] = (a[i][g] + (P - factor) * a[rank][g]) % P;
        }
        rank++;
    }
    for (size_t i = rank; i < n_kinds; i++)
        if (a[i][n_groups] != 0)
            return false;
    return true;
}

static uint64_t dice = 5;
static unsigned roll(unsigned n)
{
    dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (unsigned)((dice >> 33) % n);
}

static const char *random_cohort(struct arena *arena)
{
    static const char *const stages[] = {"i", "ii", "iii"};
    const char *text = "";
    const unsigned parts = 1 + roll(2);
    for (unsigned i = 0; i < parts; i++) {
        const char *and = i == 0 ? "" : roll(4) == 0 ? " | " : " & ";
        if (roll(2) == 0)
            text =
                arena_printf(arena, "%s%sstage %s \"%s\"", text, and, roll(2) ? "==" : "!=", stages[roll(3)]);
        else
            text = arena_printf(arena, "%s%sage %s %u", text, and, roll(2) ? "<" : ">=", 30 + 20 * roll(3));
    }
    return text;
}

/* Whatever class of patients any combination of random groups leaves alone is alone in a row. */
static void no_class_that_can_be_alone_is_missed(void **state)
{
    (void)state;
    size_t alone = 0;
    for (int study = 0; study < 60; study++) {
        struct asked asked;
        struct found found;
        asked_init(&asked);
        const size_t n = 6 + roll(17);
        for (size_t g = 0; g < n; g++)
            ask(&asked, random_cohort(asked.arena));
        rows_of(&found, &asked, 0);
        for (size_t kind = 0; kind < found.n_kinds; kind++)
            if (can_be_alone(found.members, found.n_kinds, n, kind)) {
                assert_true(found.alone[kind]);
                alone++;
            }
        arena_free(asked.arena);
    }
    print_message("%zu classes could be left alone\n", alone);
    assert_true(alone > 20);
}

/* Bytes of a peer: a form that is none is of a group that nobody is in. */
static void a_form_that_is_none_harms_nothing(void **state)
{
    (void)state;
    struct asked asked;
    asked_init(&asked);
    ask(&asked, "age >= 50 & (stage == \"i\" | nodes > 3)");
    const struct combination_group good = asked.groups[0];
    for (size_t cut = 0; cut < 2 * good.length; cut += 3) {
        struct combination combination;
        struct maille_error error = {0};
        uint8_t *bytes = (uint8_t *)arena_strndup(asked.arena, (const char *)good.form, good.length);
        if (cut >= good.length)
            bytes[cut - good.length] ^= (uint8_t)(1 + cut % 255);
        const struct combination_group groups[] = {{bytes, cut < good.length ? cut : good.length}, good};
        assert_ok(combination_init(&combination, groups, 1, 2, &error), &error);
        assert_true(combination.n_classes > 0);
        combination_clear(&combination);
    }
    arena_free(asked.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_groups_leave_one_class),
        cmocka_unit_test(everybody_less_parts_leaves_who_misses),
        cmocka_unit_test(no_class_that_can_be_alone_is_missed),
        cmocka_unit_test(a_form_that_is_none_harms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
