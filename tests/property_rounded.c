/* round_counts: every method of methods_all, over made-up patients at five sites, with heads rounded and
 * without. Every whole number of a result is a head, but for those that are named here. */
#include "tests/property.h"

enum { BASE = 7, SITES = 5 };

/* Whole numbers that count no patients, rows or events; df of a χ², not of rows. */
static bool counts_nobody(const char *name)
{
    static const char *const names[] = {"controls", "df", "iterations", "line", "site_effects", "sites"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name != NULL && strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void assert_rounded(const char *method, const char *name, int64_t got, int64_t exact)
{
    const int64_t wanted = (2 * exact + BASE) / (2 * BASE) * BASE;
    if (exact >= 0 && got != wanted)
        fail_msg("%s: %s: expected %lld, of %lld, found %lld", method, name == NULL ? "a list" : name,
                 (long long)wanted, (long long)exact, (long long)got);
}

/* Numbers that are heads. */
static bool is_heads(const char *name, double exact)
{
    return exact == floor(exact) && (strcmp(name, "observed") == 0 || strcmp(name, "df2") == 0);
}

/* The same tree twice; name: of the object's item, or of the list that it is in. Of n rows of one variable
 * shares are of rounded heads: that is looked at where the whole is in the same result. */
static void compare(const char *method, const char *name, const struct result *got,
                    const struct result *exact, size_t *heads)
{
    if (got->kind != exact->kind || got->n != exact->n)
        fail_msg("%s: %s: rounding changes what a result is made of", method, name);
    for (size_t i = 0; i < got->n; i++)
        compare(method, got->kind == RESULT_OBJECT ? got->names[i] : name, got->items[i], exact->items[i],
                heads);
    if (got->kind == RESULT_INTEGER && !counts_nobody(name)) {
        assert_rounded(method, name, got->integer, exact->integer);
        ++*heads;
    } else if (got->kind == RESULT_INTEGER) {
        assert_int_equal(got->integer, exact->integer);
    } else if (got->kind == RESULT_NUMBER && got->number != exact->number) {
        const bool whole = exact->number == floor(exact->number);
        if (whole && exact->number > BASE)
            assert_rounded(method, name, (int64_t)got->number, (int64_t)exact->number);
        else if (strcmp(name, "share") != 0 || fabs(got->number - exact->number) > 0.1)
            fail_msg("%s: %s: expected %.17g, found %.17g", method, name, exact->number, got->number);
    } else if (got->kind == RESULT_NUMBER && is_heads(name, exact->number)) {
        assert_rounded(method, name, (int64_t)got->number, (int64_t)exact->number);
    }
}

static void run(struct study_run *out, struct plan *plan, const struct study *study,
                struct columns *const *sites, const char *text, struct arena *arena)
{
    struct maille_error error = {0};
    const struct policy *policy = NULL;
    unsigned rounds = 0;
    const struct tally_options options = {.threads = 1};
    assert_int_equal(policy_parse(&policy, arena, "policy", text, strlen(text), &error), MAILLE_OK);
    if (federation_run_under(out, plan, &rounds, study, sites, SITES, policy, &options, NULL, &error) !=
        MAILLE_OK)
        fail_msg("%s", error.sentence);
}

static void test_rounded(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct maille_error error = {0};
    struct columns *table = NULL, *sites[SITES_MAX] = {NULL};
    const struct dictionary *dictionary = make_dictionary(arena);
    size_t heads = 0, ended = 0;
    make_table(&table, dictionary, 1000, 7, false);
    assert_int_equal(federation_split(sites, SITES, table, 7, &error), MAILLE_OK);
    for (size_t i = 0; i < N_PROPERTIES; i++) {
        const struct study *study = make_study(arena, dictionary, properties[i].analyses);
        struct study_run rounded = {0}, exact = {0};
        struct plan plans[2] = {{0}};
        run(&rounded, &plans[0], study, sites, "policy: open\nround_counts: 7\n", arena);
        run(&exact, &plans[1], study, sites, "policy: open\nmin_patients: 2\n", arena);
        for (size_t k = 0; k < study->n_analyses; k++) {
            const struct outcome *got = &rounded.states[k].outcome, *plain = &exact.states[k].outcome;
            if (rounded.states[k].status != exact.states[k].status)
                fail_msg("%s, %s: %s / %s", properties[i].method, study->analyses[k].id,
                         rounded.states[k].reason, exact.states[k].reason);
            if (exact.states[k].status != ANALYSIS_OK)
                continue;
            compare(properties[i].method, NULL, got->result, plain->result, &heads);
            assert_rounded(properties[i].method, "n", got->n, plain->n);
            assert_rounded(properties[i].method, "n_missing", got->n_missing, plain->n_missing);
            assert_rounded(properties[i].method, "n_event", got->n_event, plain->n_event);
            assert_int_equal(got->warnings->n, plain->warnings->n + 1);
            ended++;
        }
        for (size_t p = 0; p < 2; p++)
            plan_clear(&plans[p]);
        study_run_clear(&rounded);
        study_run_clear(&exact);
    }
    assert_true(ended > 60 && heads > 1000);
    for (size_t i = 0; i < SITES; i++)
        columns_free(sites[i]);
    columns_free(table);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
