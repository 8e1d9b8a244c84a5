#include "base/options.h"

#include "base/test.h"

struct parsed {
    const char *dir, *words[2];
    uint64_t sites;
    int64_t timeout;
    bool quiet, done;
    size_t n;
};

static enum maille_code parse(struct parsed *out, struct maille_error *error, size_t argc,
                              const char *const *argv)
{
    const struct option_row rows[] = {
        {"dir", OPTION_STRING, &out->dir, "D", "a folder", true, 0, 0},
        {"sites", OPTION_UNSIGNED, &out->sites, "N", "how many", false, 3, 20},
        {"timeout", OPTION_DURATION, &out->timeout, "TIME", "how long", false, 0, 0},
        {"quiet", OPTION_FLAG, &out->quiet, NULL, "say nothing", false, 0, 0},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, false, 0, 0}};
    const struct option_usage usage = {"maille try", "FILE", "Tries.", 1, 2};
    *out = (struct parsed){.sites = 6};
    return options_parse(&usage, rows, (int)argc, (char **)(uintptr_t)argv, out->words, &out->n, &out->done,
                         error);
}

#define PARSE(out, error, ...)                                                                               \
    parse(out, error, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),                           \
          (const char *const[]){__VA_ARGS__})

static void good_lines(void **state)
{
    struct parsed out;
    struct maille_error error = {0};
    (void)state;
    assert_ok(PARSE(&out, &error, "try", "a", "--dir", "d", "--sites=7", "--quiet", "--timeout", "10m", "--",
                    "--b"),
              &error);
    assert_string_equal(out.dir, "d");
    assert_int_equal(out.sites, 7);
    assert_int_equal(out.timeout, 600000);
    assert_true(out.quiet);
    assert_int_equal(out.n, 2);
    assert_string_equal(out.words[1], "--b");
}

static void bad_lines(void **state)
{
    struct parsed out;
    struct maille_error error = {0};
    (void)state;
    assert_fails(PARSE(&out, &error, "try", "a"), MAILLE_INVALID, &error, "--dir D");
    assert_fails(PARSE(&out, &error, "try", "--dir", "d"), MAILLE_INVALID, &error, "expected FILE");
    assert_fails(PARSE(&out, &error, "try", "a", "b", "c", "--dir", "d"), MAILLE_INVALID, &error, "\"c\"");
    assert_fails(PARSE(&out, &error, "try", "a", "--dir"), MAILLE_INVALID, &error, "a value after --dir");
    assert_fails(PARSE(&out, &error, "try", "a", "--dirr", "d"), MAILLE_INVALID, &error, "--dirr");
    assert_fails(PARSE(&out, &error, "try", "a", "-d", "d"), MAILLE_INVALID, &error, "see maille try --help");
    assert_fails(PARSE(&out, &error, "try", "a", "--dir", "d", "--sites", "2"), MAILLE_INVALID, &error,
                 "from 3 to 20");
    assert_fails(PARSE(&out, &error, "try", "a", "--dir", "d", "--quiet=yes"), MAILLE_INVALID, &error,
                 "without a value");
    assert_fails(PARSE(&out, &error, "try", "a", "--dir", "d", "--timeout", "soon"), MAILLE_INVALID, &error,
                 "10m");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(good_lines), cmocka_unit_test(bad_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
