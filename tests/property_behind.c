/* Behind threshold rounds: every method of methods_all, over made-up patients who are dealt out to 5, 7 and
 * 20 sites. */
#include "tests/property.h"

static void assert_same(const struct property *property, const char *what, const struct bytes *got,
                        const struct bytes *expected)
{
    if (got->length != expected->length || memcmp(got->data, expected->data, got->length) != 0)
        fail_msg("%s: %s:\n%.*s\n%.*s", property->method, what, (int)got->length, (const char *)got->data,
                 (int)expected->length, (const char *)expected->data);
}

/* Threshold rounds that keep everything change no byte; what differs by design is the concordance of a pooled
 * Cox model, and what is told of single weights (docs/methods). Rounds that take cells away take the same
 * away however the patients are spread. */
static void compare_behind(struct arena *arena, size_t n_patients, uint64_t seed)
{
    static const char *const texts[] = {"policy: open\nmax_scalar_share: 1000\n",
                                        "policy: open\nmin_cell: 11\nmin_events: 5\nmin_tail: 11\n"};
    static const size_t splits[] = {5, 7, SITES_MAX}; /* with fewer than five each site judges its own */
    const struct dictionary *dictionary = make_dictionary(arena);
    const struct policy *policies[2] = {NULL};
    struct columns *table = NULL, *sites[SITES_MAX] = {NULL};
    struct maille_error error = {0};
    make_table(&table, dictionary, n_patients, seed, false);
    for (size_t p = 0; p < 2; p++)
        assert_int_equal(policy_parse(&policies[p], arena, "policy", texts[p], strlen(texts[p]), &error),
                         MAILLE_OK);
    for (size_t i = 0; i < N_PROPERTIES; i++) {
        const struct property *property = &properties[i];
        const struct study *study = make_study(arena, dictionary, property->analyses);
        bool same = strcmp(property->method, "cox") != 0 && strstr(property->analyses, "weights") == NULL;
        struct bytes plain = {0}, kept = {0}, first = {0};
        run_study(&plain, study, &table, 1, 1, false, NULL);
        for (size_t s = 0; s < sizeof splits / sizeof *splits && !property->by_site; s++) {
            struct bytes all = {0}, some = {0};
            /* Whether a round in the circle has room for a concordance depends on how many sites there are.
             */
            const size_t n = same ? splits[s] : splits[0];
            assert_int_equal(federation_split(sites, n, table, seed + s, &error), MAILLE_OK);
            run_study_under(&all, study, sites, n, 1, false, NULL, policies[0]);
            run_study_under(&some, study, sites, n, 1, false, NULL, policies[1]);
            if (same)
                assert_same(property, "threshold rounds that keep everything change the result", &all,
                            &plain);
            else if (kept.length > 0)
                assert_same(property, "with everything kept another split gives other bytes", &all, &kept);
            if (first.length > 0)
                assert_same(property, "with cells taken away another split gives other bytes", &some, &first);
            bytes_clear(&first);
            bytes_clear(&kept);
            first = some;
            kept = all;
            for (size_t k = 0; k < n; k++)
                columns_free(sites[k]);
        }
        bytes_clear(&plain);
        bytes_clear(&kept);
        bytes_clear(&first);
    }
    columns_free(table);
}

static void test_behind_threshold_rounds(void **state)
{
    (void)state;
    static const size_t patients[] = {1000,
                                      3000}; /* enough that sites with somebody are never fewer than three */
    for (size_t i = 0; i < sizeof patients / sizeof *patients; i++) {
        struct arena *arena = arena_new();
        compare_behind(arena, patients[i], 7 + i);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_behind_threshold_rounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
