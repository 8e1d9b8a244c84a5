/* Combinations of groups that leave a few patients, over public words: what the echelon form finds, held
 * against a search of its own over the values of every variable. */
#include <math.h>
#include <sys/resource.h>
#include <time.h>

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

/* --- the rule over a made-up registry --- */

enum { PERSONS = 1000, FEW = 11 };

struct registry {
    double values[PERSONS][4];
    uint64_t members[PERSONS][1]; /* of the groups that were answered, and of the one that is asked */
};

static void registry_draw(struct registry *registry)
{
    for (size_t i = 0; i < PERSONS; i++) {
        double *values = registry->values[i], sum = 0;
        unsigned nodes = 0;
        for (int k = 0; k < 12; k++)
            sum += roll(1000);
        while (nodes < 20 && roll(100) < 65)
            nodes++;
        values[0] = roll(100) < 3 ? NAN : (double)roll(3);
        values[1] = roll(100) < 1 ? NAN : (double)roll(2);
        values[2] = fmin(99, fmax(0, floor(60 + 15 * (sum - 6000) / 1000)));
        values[3] = roll(100) < 5 ? NAN : (double)nodes;
        registry->members[i][0] = 0;
    }
}

struct judged {
    const struct registry *registry;
    const struct combination *combination;
    bool refused;
};

static enum maille_code judge_row(void *context, size_t group, const uint64_t *coefficients, bool implied,
                                  struct maille_error *error)
{
    struct judged *judged = context;
    size_t n = 0;
    (void)group, (void)error;
    for (size_t i = 0; i < PERSONS && n < FEW; i++)
        n += combination_sum(coefficients, judged->registry->members[i], 1) != 0;
    judged->refused =
        judged->refused ||
        (n > 0 ? n < FEW : !implied && combination_of_present(judged->combination, coefficients));
    return MAILLE_OK;
}

/* Whether a group is answered, which then is the asked->n'th. rows: is the rule on? */
static bool answered(struct asked *asked, struct registry *registry, const char *cohort, bool rows)
{
    struct combination combination;
    struct maille_error error = {0};
    const size_t g = asked->n;
    const uint64_t bit = UINT64_C(1) << g;
    size_t n = 0;
    ask(asked, cohort);
    for (size_t i = 0; i < PERSONS; i++) {
        const bool in = counts(asked, g, registry->values[i]);
        registry->members[i][0] = (registry->members[i][0] & ~bit) | (in ? bit : 0);
        n += in;
    }
    bool good = n >= 30;
    for (size_t other = 0; other < g && good; other++) {
        size_t differ = 0;
        for (size_t i = 0; i < PERSONS; i++)
            differ += (registry->members[i][0] >> other & 1) != (registry->members[i][0] >> g & 1);
        good = differ >= FEW;
    }
    if (good && rows) {
        assert_ok(combination_init(&combination, asked->groups, g, g + 1, &error), &error);
        struct judged judged = {registry, &combination, false};
        assert_ok(combination_rows(&combination, judge_row, &judged, &error), &error);
        good = !judged.refused;
        combination_clear(&combination);
    }
    for (size_t i = 0; i < PERSONS && !good; i++)
        registry->members[i][0] &= ~bit;
    asked->n = good ? g + 1 : g;
    return good;
}

/* How many sets of four that leave 1 to 10 patients were answered, among other groups of the same researcher
 * in any order; how many of those others were refused. */
static size_t cycles(size_t *refused, size_t n_others, size_t sets, bool rows)
{
    static const char *const common[] = {"", "nodes < 9 & ", "sex == \"w\" & ",
                                         "(stage == \"i\" | nodes > 1) & "};
    size_t won = 0;
    *refused = 0;
    for (size_t set = 0; set < sets; set++) {
        static struct registry registry;
        struct asked asked;
        const char *texts[GROUPS], *four[4];
        size_t n_four = 0, left = 0;
        dice = set * 977 + 13;
        asked_init(&asked);
        registry_draw(&registry);
        const unsigned low = 40 + roll(10), middle = 55 + roll(10), top = 88 + roll(8);
        const char *c = common[roll(4)];
        texts[0] = four[0] = arena_printf(asked.arena, "%sage >= %u", c, low);
        texts[1] = four[1] = arena_printf(asked.arena, "%sage < %u", c, middle);
        texts[2] = four[2] = arena_printf(asked.arena, "%sage < %u", c, low);
        texts[3] = four[3] = arena_printf(asked.arena, "%sage >= %u & age < %u", c, middle, top);
        for (size_t i = 0; i < n_others; i++)
            texts[4 + i] = random_cohort(asked.arena);
        for (size_t i = 3 + n_others; i > 0; i--) {
            const size_t j = roll((unsigned)i + 1);
            const char *swap = texts[i];
            texts[i] = texts[j];
            texts[j] = swap;
        }
        for (size_t i = 0; i < 4 + n_others; i++) {
            bool own = false;
            for (size_t k = 0; k < 4; k++)
                own = own || texts[i] == four[k];
            const bool good = answered(&asked, &registry, texts[i], rows);
            n_four += own && good;
            *refused += !own && !good;
        }
        asked.n = 0;
        for (size_t k = 0; k < 4; k++)
            ask(&asked, four[k]);
        for (size_t i = 0; i < PERSONS; i++) {
            int sum = 0;
            for (size_t k = 0; k < 4; k++)
                sum += (k % 2 ? -1 : 1) * counts(&asked, k, registry.values[i]);
            left += sum != 0;
        }
        won += n_four == 4 && left > 0 && left < FEW;
        arena_free(asked.arena);
    }
    return won;
}

static void no_four_leave_a_few_among_others(void **state)
{
    (void)state;
    enum { SETS = 30, OTHERS = 12 };
    size_t pairs, rows;
    const size_t before = cycles(&pairs, OTHERS, SETS, false), after = cycles(&rows, OTHERS, SETS, true);
    print_message(
        "%zu of %d sets of four leave a few patients by pairs alone, %zu with rows; of %d other groups %zu "
        "are refused by pairs or size, %zu more with rows\n",
        before, SETS, after, SETS * OTHERS, pairs, rows - pairs);
    assert_true(before > 5);
    assert_int_equal(after, 0);
    assert_true(rows - pairs < SETS * OTHERS / 20);
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

static enum maille_code count_row(void *context, size_t group, const uint64_t *coefficients, bool implied,
                                  struct maille_error *error)
{
    size_t *rows = context;
    (void)group, (void)coefficients, (void)implied, (void)error;
    (*rows)++;
    return MAILLE_OK;
}

/* A long past: 500 groups of one researcher, and 10 of a new study. */
static void a_long_past_is_reduced(void **state)
{
    (void)state;
    enum { PAST = 500, NEW = 10 };
    struct asked asked;
    struct combination combination;
    struct maille_error error = {0};
    struct combination_group groups[PAST + NEW];
    size_t rows = 0;
    asked_init(&asked);
    for (size_t g = 0; g < PAST + NEW; g++) {
        const char *cohort = random_cohort(asked.arena);
        asked.n = 0;
        cohort = arena_printf(asked.arena, "(%s) & age >= %u & nodes < %u", cohort, roll(90), 3 + roll(17));
        ask(&asked, cohort);
        groups[g] = asked.groups[0];
    }
    const clock_t began = clock();
    assert_ok(combination_init(&combination, groups, PAST, PAST + NEW, &error), &error);
    assert_ok(combination_rows(&combination, count_row, &rows, &error), &error);
    print_message("%d groups and %d new: %zu classes, %zu rows, %ld ms\n", PAST, NEW, combination.n_classes,
                  rows, (long)((clock() - began) * 1000 / CLOCKS_PER_SEC));
    assert_true(rows > 0);
    assert_false(combination.crowded);
    combination_clear(&combination);
    arena_free(asked.arena);
}

/* Forms as a site that lies may have them in its accept: 16 KiB each of conditions that stand for themselves.
 * 250 KB of them took 22 s and 3 GB of memory once; joined by "or", more. */
static void much_work_is_not_done(void **state)
{
    (void)state;
    enum { LIARS = 16, CONDITIONS = 900 };
    for (enum form_tag tag = FORM_AND; tag <= FORM_OR; tag++) {
        struct combination_group groups[LIARS];
        struct bytes forms[LIARS] = {0};
        struct combination combination;
        struct maille_error error = {0};
        struct rusage before, after;
        for (uint32_t g = 0; g < LIARS; g++) {
            bytes_put_u8(&forms[g], (uint8_t)tag);
            bytes_put_u32(&forms[g], CONDITIONS);
            for (uint32_t c = 0; c < CONDITIONS; c++) {
                bytes_put_u8(&forms[g], FORM_WHOLE);
                bytes_put_u64(&forms[g], g * CONDITIONS + c);
                bytes_put_u64(&forms[g], 0);
            }
            assert_true(forms[g].length <= FORM_BYTES_MAX);
            groups[g] = (struct combination_group){forms[g].data, forms[g].length};
        }
        getrusage(RUSAGE_SELF, &before);
        assert_ok(combination_init(&combination, groups, LIARS - 1, LIARS, &error), &error);
        getrusage(RUSAGE_SELF, &after);
        assert_true(combination.crowded);
        assert_int_equal(combination.n_classes, 0);
        assert_true(after.ru_maxrss - before.ru_maxrss < 512 * 1024); /* kB; sanitizers take more */
        combination_clear(&combination);
        for (size_t g = 0; g < LIARS; g++)
            bytes_clear(&forms[g]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(much_work_is_not_done),
        cmocka_unit_test(four_groups_leave_one_class),
        cmocka_unit_test(everybody_less_parts_leaves_who_misses),
        cmocka_unit_test(no_class_that_can_be_alone_is_missed),
        cmocka_unit_test(no_four_leave_a_few_among_others),
        cmocka_unit_test(a_form_that_is_none_harms_nothing),
        cmocka_unit_test(a_long_past_is_reduced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
