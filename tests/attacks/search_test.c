/* Random sets of two, three and four studies over small registries, asked of real vaults by one researcher;
 * then the enemy takes every group whose number was shown and looks for the combination that stands on fewest
 * patients (combine.h). With each rule taken out alone he must find somebody (decision 0022).
 *
 * MAILLE_SETS: how many of each size (12 unless set). MAILLE_FIRST_SET: the first network's number.
 * MAILLE_TELL=1: what was found. */
#include "tests/attacks/sets.h"

#include <time.h>

enum { LIMIT = 5, SETS = 12, SETS_WITHOUT = 24 };
/* A patient is in every cell that one site alone has: sites are not what is tried here. */
#define POLICY                                                                                               \
    "policy: standard\nmin_contributors: 1\nmax_site_share: 1\nbudget: { tables: off, models: off, "         \
    "registration_tables: off, "                                                                             \
    "registration_models: off }\nmin_patients: 10\nmin_events: 5\nmin_tail: 5\n"

/* --- rules that are taken out --- */

static enum { NONE, SUPPRESSION, COMBINATIONS } taken_out;

struct judge;
enum maille_code __real_suppress(struct judge *judge, struct maille_error *error);
enum maille_code __wrap_suppress(struct judge *judge, struct maille_error *error);
enum maille_code __wrap_suppress(struct judge *judge, struct maille_error *error)
{
    return taken_out == SUPPRESSION ? MAILLE_OK : __real_suppress(judge, error);
}

struct query;
enum maille_code __real_vault_combination_of(const struct combined **combined, const struct query *query,
                                             const bool *open, struct maille_error *error);
enum maille_code __wrap_vault_combination_of(const struct combined **combined, const struct query *query,
                                             const bool *open, struct maille_error *error);
enum maille_code __wrap_vault_combination_of(const struct combined **combined, const struct query *query,
                                             const bool *open, struct maille_error *error)
{
    if (taken_out != COMBINATIONS)
        return __real_vault_combination_of(combined, query, open, error);
    *combined = NULL;
    return MAILLE_OK;
}

/* --- the search --- */

struct found {
    size_t sets, asked, answered, shown, victims, nobody;
    double in_networks, in_search; /* seconds of CPU */
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static size_t setting(const char *name, size_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void tell(const struct set *set, const struct narrowest *combined, uint64_t seed, size_t ward)
{
    print_message("network %llu, ward %zu: %zu patients stand behind\n", (unsigned long long)seed, ward,
                  combined->support);
    for (size_t t = 0; t < combined->n_terms; t++)
        if (combined->terms[t].coefficient != 0)
            print_message("  %+d × %.0f patients of %s\n", combined->terms[t].coefficient,
                          set->shown[combined->terms[t].group].n, set->shown[combined->terms[t].group].words);
}

/* What is asked, and what an enemy may learn of it today. */
struct kind {
    const char *what;
    enum sets_of of;
    size_t n_studies;
    bool nothing; /* nothing may be learnt; else it is left, and told (README.md) */
};
static const struct kind kinds[] = {
    {"a study of tables", SETS_TABLES, 1, false}, {"two cohorts", SETS_COHORTS, 2, true},
    {"three cohorts", SETS_COHORTS, 3, true},     {"four cohorts", SETS_COHORTS, 4, true},
    {"two studies", SETS_ANY, 2, false},          {"three studies", SETS_ANY, 3, false},
    {"four studies", SETS_ANY, 4, false},
};

/* enough: end at the first victim. */
static struct found search(const struct kind *kind, size_t n_sets, const char *policy, bool enough)
{
    struct found found = {0};
    for (uint64_t seed = setting("MAILLE_FIRST_SET", 1);
         found.sets < n_sets && !(enough && found.victims > 0); seed++) {
        struct sets sets;
        double start = seconds();
        sets_run(&sets, 10 * seed + kind->n_studies, kind->of, kind->n_studies, policy);
        found.in_networks += seconds() - start;
        start = seconds();
        for (size_t w = 0; w < SETS_IN_NETWORK; w++) {
            struct set *set = &sets.sets[w];
            struct narrowest least = combine_least(set->shown, set->n_shown, set->patients, LIMIT);
            found.sets++;
            found.asked += set->asked;
            found.answered += set->answered;
            found.shown += set->n_shown;
            found.victims += least.found && least.support > 0;
            found.nobody += least.found && least.support == 0;
            if (least.found && setting("MAILLE_TELL", 0) != 0)
                tell(set, &least, seed, w);
        }
        found.in_search += seconds() - start;
        sets_clear(&sets);
    }
    print_message(
        "%s: %zu sets, %zu of %zu analyses answered, %zu groups shown; 1 to %d patients are told apart in "
        "%zu sets, that nobody is somewhere in %zu; CPU %.1f s in networks, %.1f s in the search\n",
        kind->what, found.sets, found.answered, found.asked, found.shown, LIMIT - 1, found.victims,
        found.nobody, found.in_networks, found.in_search);
    assert_true(found.shown > found.sets / 2);
    return found;
}

#define ALL_RULES POLICY "min_cell: 5\ndifferencing: 5\n"

static void test_sets(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct found found = search(&kinds[k], setting("MAILLE_SETS", SETS), ALL_RULES, false);
        if (kinds[k].nothing &&
            found.victims > 0) /* nobody is no combination (decision 0020): only counted */
            fail_msg("%s: expected that nobody is told apart", kinds[k].what);
    }
}

/* A kind of question that a rule answers for, without the rule: somebody is found. */
static void found_without(const char *what, enum sets_of of, size_t n_studies, const char *policy)
{
    const struct kind kind = {what, of, n_studies, false};
    assert_true(search(&kind, SETS_WITHOUT, policy, true).victims > 0);
    taken_out = NONE;
}

static void test_without_min_cell(void **state)
{
    (void)state;
    found_without("a study of tables without min_cell", SETS_TABLES, 1,
                  POLICY "min_cell: 1\ndifferencing: 5\n");
}

static void test_without_suppression(void **state)
{
    (void)state;
    taken_out = SUPPRESSION; /* of one study of tables near cells leave nobody even so */
    found_without("three studies without suppression", SETS_ANY, 3, ALL_RULES);
}

static void test_without_differencing(void **state)
{
    (void)state;
    found_without("two cohorts without differencing", SETS_COHORTS, 2,
                  POLICY "min_cell: 5\ndifferencing: off\n");
}

static void test_without_combinations(void **state)
{
    (void)state;
    taken_out = COMBINATIONS;
    found_without("four cohorts without combinations", SETS_COHORTS, 4, ALL_RULES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_without_min_cell),
        cmocka_unit_test(test_without_suppression),
        cmocka_unit_test(test_without_differencing),
        cmocka_unit_test(test_without_combinations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
