/* What `maille check --sites` says of a study: 64 MiB between all sites. */
#include <string.h>

#include "base/file.h"
#include "base/test.h"
#include "cli/check_size.h"
#include "stats/methods.h"

static const char head[] =
    "study: s\ndictionary: rotterdam@1\ntitle: t\npurpose: p\nlegal_basis: l\nprotocol: r\n"
    "expires: 2099-12-31\nsites: all\ngrid: day\nanalyses:\n"
    "  - { id: small, method: count, by: chemo }\n";
/* 6 strata by 9,001 days, with and without an event, by 5 sums of 16 bytes: 4.3 MB and more; a curve is no
 * shorter behind head counts. */
static const char joined[] =
    "  - { id: steep, method: cox, formula: \"Surv(dtime, death) ~ age + strata(grade, size)\" }\n";
static const char fixed[] =
    "  - { id: curve, method: km, formula: \"Surv(dtime, death) ~ grade + size + meno\" }\n";

static struct check_size size_of(struct arena *arena, const char *analysis, const char *preset,
                                 size_t n_sites)
{
    struct maille_error error = {0};
    struct bytes text = {0};
    struct check_size size = {0};
    const struct dictionary *dictionary;
    const struct study *study;
    const struct policy *policy = NULL;
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    assert_ok(file_read(&text, "examples/rotterdam/dictionary.yaml", 1 << 20, &error), &error);
    assert_ok(dictionary_parse(&dictionary, arena, "d", (const char *)text.data, text.length, &error),
              &error);
    const char *words = arena_printf(arena, "%s%s", head, analysis);
    assert_ok(
        study_parse(&study, arena, dictionary, methods, n_methods, "s.yaml", words, strlen(words), &error),
        &error);
    if (preset != NULL) {
        const char *of = arena_printf(arena, "policy: %s\n", preset);
        assert_ok(policy_parse(&policy, arena, "p", of, strlen(of), &error), &error);
    }
    assert_ok(cli_check_size(&size, study, policy, n_sites, "s.yaml", arena, &error), &error);
    bytes_clear(&text);
    return size;
}

static void by_how_many_sites(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    assert_non_null(arena);
    assert_int_equal(size_of(arena, joined, "standard", 6).n, 0);
    struct check_size size = size_of(arena, joined, "standard", 18);
    assert_int_equal(size.n, 1); /* the other analysis of the study is not too large */
    assert_false(size.findings[0].sure);
    assert_non_null(
        strstr(size.findings[0].sentence, "s.yaml:12: analysis steep among 18 sites: expected at most"));
    assert_true(size_of(arena, joined, "open", 18).findings[0].sure); /* nothing joins its steps */
    assert_int_equal(size_of(arena, fixed, "open", 18).n, 0);
    size = size_of(arena, fixed, "open", 60);
    assert_int_equal(size.n, 1);
    assert_true(size.findings[0].sure);
    arena_free(arena);
}

static void by_the_head_counts(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    assert_non_null(arena);
    const struct check_size size = size_of(arena, joined, "standard", 200);
    assert_int_equal(size.n, 2);
    assert_true(size.findings[1].sure);
    assert_non_null(strstr(size.findings[1].sentence, "bytes of head counts"));
    assert_int_equal(size_of(arena, "", "standard", 200).n, 0);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_how_many_sites),
                                       cmocka_unit_test(by_the_head_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
