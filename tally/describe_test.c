/* A tally in words: who counts, by which groups, what is added up; and a site's own numbers under the same
 * words. */
#include "tally/testing.h"

#include "tally/describe.h"

static const char yaml[] = "dictionary: t\nversion: 1\nkey: pid\nvariables:\n"
                           "  - { name: age, type: integer, min: 0, max: 120 }\n"
                           "  - { name: dose, type: integer, min: 0, max: 8 }\n"
                           "  - { name: size, type: category, levels: [\"<=20\", \">20\"] }\n"
                           "  - { name: chemo, type: boolean }\n";
static const char csv[] = "pid,age,dose,size,chemo\n"
                          "a,60,1,<=20,TRUE\n"
                          "b,70,2,>20,TRUE\n"
                          "c,50,,>20,FALSE\n"
                          "d,17,1,>20,FALSE\n";

static const struct expression *code_of(const struct toy *toy, const char *name)
{
    struct maille_error error = {0};
    const struct expression *code;
    MUST(expression_as_code(&code, toy->arena, toy_variable(toy, name), &error));
    return code;
}

/* rows that lack the dose; rows by chemo x size with it; sums and products of age and dose by chemo. */
static void spec_make(struct tally_spec *spec, const struct expression **cohort, const struct toy *toy)
{
    struct arena *a = toy->arena;
    const struct expression *age = toy_variable(toy, "age"), *dose = toy_variable(toy, "dose");
    const struct expression **terms = arena_array(a, 2, sizeof *terms);
    const struct expression *codes[] = {code_of(toy, "chemo"), code_of(toy, "size")};
    const struct expression *complete = expression_complete(a, &dose, 1);
    *cohort = expression_binary(a, OP_GE, age, expression_constant(a, 18));
    terms[0] = age;
    terms[1] = dose;
    *tally_spec_add(spec) = (struct tally_block){
        .filter = expression_and(a, *cohort, expression_unary(a, OP_NOT, complete)), .distinct = true};
    const struct expression *who = expression_and(a, *cohort, complete);
    *tally_spec_add(spec) = (struct tally_block){.filter = who, .group = expression_cross(a, codes, 2)};
    *tally_spec_add(spec) =
        (struct tally_block){.filter = who, .group = codes[0], .terms = terms, .n_terms = 2, .order = 2};
    *tally_spec_add(spec) = (struct tally_block){.filter = who, .weight = dose};
    *tally_spec_add(spec) =
        (struct tally_block){.filter = who, .weight = dose, .terms = terms, .n_terms = 1, .order = 1};
}

static void expect(struct bytes *out, const char *expected)
{
    bytes_put_u8(out, 0);
    assert_false(out->failed);
    assert_string_equal((const char *)out->data, expected);
    bytes_clear(out);
}

static void a_block_says_who_counts(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct toy toy = toy_new(yaml, csv, strlen(csv));
    struct tally_spec spec = {0};
    const struct expression *cohort;
    struct tally_extent extents[8];
    struct bytes out = {0};
    size_t bytes;
    spec_make(&spec, &cohort, &toy);
    MUST(tally_layout(extents, &bytes, &spec, &error));
    tally_spec_words(&out, &spec, extents, cohort, toy.dictionary, "  ");
    expect(&out, "  patients where !complete(dose): 1 whole number\n"
                 "  rows by chemo x size where complete(dose): 4 whole numbers\n"
                 "  sums of products of 2 terms (age, dose) by chemo where complete(dose): 6 numbers\n"
                 "  sum of dose where complete(dose): 1 number\n"
                 "  sums of 1 term (age), weighted by dose where complete(dose): 1 number\n");
    /* Without a cohort that goes without saying, its part is said too. */
    tally_block_words(&out, &spec.blocks[0], NULL, toy.dictionary);
    expect(&out, "patients where age >= 18 && !complete(dose)");
    tally_group_words(&out, &spec.blocks[1], 2, toy.dictionary);
    expect(&out, "chemo = TRUE, size = <=20");
    tally_value_words(&out, &spec.blocks[2], 1, toy.dictionary);
    expect(&out, "age x dose");
    tally_value_words(&out, &spec.blocks[0], 0, toy.dictionary);
    expect(&out, "patients");
    /* What disclosure control left. */
    static const uint8_t kept[] = {1, 0, 1, 1};
    spec.blocks[1].kept = kept;
    bytes_clear(&out);
    tally_spec_words(&out, &spec, extents, cohort, toy.dictionary, "");
    assert_non_null(memmem(out.data, out.length, "(3 of 4 groups, the others are left out): 4", 43));
    bytes_clear(&out);
    toy_clear(&toy);
}

static void numbers_stand_under_the_same_words(void **state)
{
    (void)state;
    struct maille_error error = {0};
    struct toy toy = toy_new(yaml, csv, strlen(csv));
    struct tally_spec spec = {0};
    const struct expression *cohort;
    struct tally_extent extents[8];
    struct tally tally = {0};
    struct bytes out = {0};
    size_t bytes;
    const struct tally_options options = {.threads = 1};
    spec_make(&spec, &cohort, &toy);
    MUST(tally_layout(extents, &bytes, &spec, &error));
    MUST(tally_run(&tally, &spec, toy.columns, &options, &error));
    tally_numbers_words(&out, &spec, extents, tally.words.data, cohort, toy.dictionary, "", 3);
    expect(&out, "patients where !complete(dose): 1 whole number\n"
                 "    1\n"
                 "rows by chemo x size where complete(dose): 4 whole numbers\n"
                 "    chemo = TRUE, size = <=20: 1\n"
                 "    chemo = TRUE, size = >20: 1\n"
                 "    and 0 more, 2 zeros\n"
                 "sums of products of 2 terms (age, dose) by chemo where complete(dose): 6 numbers\n"
                 "    chemo = TRUE: age x age: 8500\n"
                 "    chemo = TRUE: age x dose: 200\n"
                 "    chemo = TRUE: dose x dose: 5\n"
                 "    and 0 more, 3 zeros\n"
                 "sum of dose where complete(dose): 1 number\n"
                 "    3\n"
                 "sums of 1 term (age), weighted by dose where complete(dose): 1 number\n"
                 "    age: 200\n");
    tally_clear(&tally);
    toy_clear(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_block_says_who_counts),
                                       cmocka_unit_test(numbers_stand_under_the_same_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
