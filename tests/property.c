/* The same patients give the same bits: every method of methods_all, over made-up patients who are dealt out
 * to 1, 3, 7 and 20 sites at random, their rows in another order, with 1, 2 and 4 threads, with and without
 * vector instructions; each table in three of nine such ways (MAILLE_WAYS=all: in all). The whole result
 * file must not differ by a byte.
 *
 * Once over many patients (several blocks, so that threads have work), and over many tables of a few patients
 * each, in which everything happens that data can do: empty sites, groups of one, levels that nobody has, no
 * event, no spread. There an analysis may fail, but everywhere with the same sentence, and not always: every
 * analysis must come to a result in one of them.
 *
 * What a site works out by itself is not claimed. A meta-analysis is compared with the sites' own fits,
 * combined here. */
#include "registry/objections.h"
#include "tests/property.h"

enum { MANY = 105000, SMALL_TABLES = 25 };

/* Runs a study over a split and compares with what one site alone gave. */
static void compare_split(const struct property *property, const struct study *study,
                          const struct bytes *whole, struct columns *const *sites, size_t n, unsigned threads,
                          const char *scalar, bool ok)
{
    struct bytes json = {0};
    assert_int_equal(setenv("MAILLE_SCALAR", scalar, 1), 0);
    run_study(&json, study, sites, n, threads, ok && !property->by_site, NULL);
    assert_int_equal(unsetenv("MAILLE_SCALAR"), 0);
    if (!property->by_site &&
        (json.length != whole->length || memcmp(json.data, whole->data, json.length) != 0))
        fail_msg("%s: %zu sites, %u threads, MAILLE_SCALAR=%s give other bytes than all patients at one "
                 "site:\n%.*s\n%.*s",
                 property->method, n, threads, scalar, (int)json.length, (const char *)json.data,
                 (int)whole->length, (const char *)whole->data);
    bytes_clear(&json);
}

/* How the patients lie, and how they are summed. */
static const struct way {
    size_t sites;
    unsigned threads;
    const char *scalar;
} ways[] = {{1, 2, "0"}, {1, 4, "0"}, {1, 1, "1"},  {3, 1, "0"}, {3, 4, "1"},
            {7, 2, "0"}, {7, 4, "0"}, {20, 1, "0"}, {20, 2, "1"}};
enum { TURNS = 3 };

static bool is_turn(size_t way, uint64_t table)
{
    const char *asked = getenv("MAILLE_WAYS");
    return (asked != NULL && strcmp(asked, "all") == 0) || way % TURNS == table % TURNS;
}

/* Every property over one table, and over the same patients in another order and spread. Few patients: an
 * analysis may fail. ended: see run_study. */
static void compare_table(struct arena *arena, const struct dictionary *dictionary, size_t n_patients,
                          uint64_t seed, unsigned ended[N_PROPERTIES][ANALYSES_MAX])
{
    struct bytes whole[N_PROPERTIES] = {{0}};
    struct columns *table = NULL, *shuffled = NULL, *sites[SITES_MAX] = {NULL};
    struct maille_error error = {0};
    const struct study *studies[N_PROPERTIES];
    bool many = n_patients >= 1000;
    make_table(&table, dictionary, n_patients, seed, false);
    make_table(&shuffled, dictionary, n_patients, seed, true);
    assert_int_equal(columns_rows(table), columns_rows(shuffled));
    for (size_t i = 0; i < N_PROPERTIES; i++) {
        studies[i] = make_study(arena, dictionary, properties[i].analyses);
        assert_true(studies[i]->n_analyses <= ANALYSES_MAX);
        run_study(&whole[i], studies[i], &table, 1, 1, many && !properties[i].by_site, ended[i]);
    }
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        if (!is_turn(w, seed))
            continue;
        assert_int_equal(federation_split(sites, ways[w].sites, shuffled, seed + w, &error), MAILLE_OK);
        for (size_t i = 0; i < N_PROPERTIES; i++)
            compare_split(&properties[i], studies[i], &whole[i], sites, ways[w].sites, ways[w].threads,
                          ways[w].scalar, many);
        for (size_t k = 0; k < ways[w].sites; k++)
            columns_free(sites[k]);
    }
    for (size_t i = 0; i < N_PROPERTIES; i++)
        bytes_clear(&whole[i]);
    columns_free(table);
    columns_free(shuffled);
}

/* No method may be added without a study here. */
static void test_every_method(void **state)
{
    (void)state;
    for (size_t m = 0; methods_all[m] != NULL; m++) {
        bool found = false;
        for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
            found |= strcmp(properties[i].method, methods_all[m]->declared.name) == 0;
        if (!found)
            fail_msg("expected a study of `%s` in tests/property.c, found none",
                     methods_all[m]->declared.name);
    }
}

static void test_many_patients(void **state)
{
    (void)state;
    static unsigned ended[N_PROPERTIES][ANALYSES_MAX];
    struct arena *arena = arena_new();
    compare_table(arena, make_dictionary(arena), MANY, 1, ended);
    arena_free(arena);
}

static void test_few_patients(void **state)
{
    (void)state;
    static unsigned ended[N_PROPERTIES][ANALYSES_MAX];
    struct arena *arena = arena_new();
    const struct dictionary *dictionary = make_dictionary(arena);
    for (uint64_t seed = 1; seed <= SMALL_TABLES; seed++)
        compare_table(arena, dictionary, (size_t)(1 + seed * seed % 41), seed, ended);
    for (size_t i = 0; i < N_PROPERTIES; i++) {
        const struct study *study = make_study(arena, dictionary, properties[i].analyses);
        for (size_t k = 0; k < study->n_analyses; k++)
            if (ended[i][k] == 0 && !properties[i].by_site)
                fail_msg("%s, %s: expected a result from one of %d tables, found none", properties[i].method,
                         study->analyses[k].id, SMALL_TABLES);
    }
    arena_free(arena);
}

/* Bit rule 8, and the comparison has teeth: a model that is stratified by site is another model on other
 * sites. */
static void test_by_site(void **state)
{
    (void)state;
    static const struct property by_site = {
        "cox", "  - { id: a, method: cox, formula: \"Surv(stop, dead) ~ age + strata(site)\" }\n", false};
    struct maille_error error = {0};
    struct bytes whole = {0}, parts = {0};
    struct columns *table = NULL, *sites[3] = {NULL};
    struct arena *arena = arena_new();
    const struct dictionary *dictionary = make_dictionary(arena);
    const struct study *study = make_study(arena, dictionary, by_site.analyses);
    make_table(&table, dictionary, 500, 1, false);
    assert_int_equal(federation_split(sites, 3, table, 1, &error), MAILLE_OK);
    run_study(&whole, study, &table, 1, 1, true, NULL);
    run_study(&parts, study, sites, 3, 1, true, NULL);
    assert_true(whole.length != parts.length || memcmp(whole.data, parts.data, whole.length) != 0);
    for (size_t k = 0; k < 3; k++)
        columns_free(sites[k]);
    columns_free(table);
    bytes_clear(&whole);
    bytes_clear(&parts);
    arena_free(arena);
}

/* The sites' own estimates of a term: how many there are, and their sums with weights 1/(se² + τ²). */
struct pooled_tally {
    double k, w, wy, wyy, ww;
};

static struct pooled_tally combine(const double *y, const double *se, size_t n, double tau2)
{
    struct pooled_tally sums = {0};
    for (size_t i = 0; i < n; i++) {
        double w = 1 / (se[i] * se[i] + tau2);
        sums.k += 1;
        sums.w += w;
        sums.wy += w * y[i];
        sums.wyy += w * y[i] * y[i];
        sums.ww += w * w;
    }
    return sums;
}

/* Estimate and standard error of a term at every site that has them. */
static size_t fit_sites(double *y, double *se, const struct study *study, struct columns *const *sites,
                        size_t n, const char *term)
{
    size_t found = 0;
    for (size_t s = 0; s < n; s++) {
        struct maille_error error = {0};
        struct study_run run = {0};
        unsigned rounds = 0;
        assert_int_equal(federation_run(&run, &rounds, study, &sites[s], 1, NULL, &error), MAILLE_OK);
        const struct result *terms =
            run.states[0].status == ANALYSIS_OK ? result_get(run.states[0].outcome.result, "terms") : NULL;
        for (size_t i = 0; terms != NULL && i < terms->n; i++) {
            const struct result *row = terms->items[i], *estimate = result_get(row, "estimate");
            if (strcmp(result_get(row, "term")->string, term) != 0 || estimate->kind != RESULT_NUMBER)
                continue;
            y[found] = estimate->number;
            se[found++] = result_get(row, "std_error")->number;
        }
        study_run_clear(&run);
    }
    return found;
}

static void near(const struct result *object, const char *name, double expected)
{
    const struct result *item = result_get(object, name);
    double got = item->kind == RESULT_INTEGER ? (double)item->integer : item->number;
    if (!(fabs(got - expected) <= 1e-9 * fabs(expected)))
        fail_msg("%s: expected %.17g, found %.17g", name, expected, got);
}

/* A meta-analysis says what DerSimonian and Laird's formulas say of the sites' own fits
 * (docs/methods/meta.md). */
static void test_meta(void **state)
{
    (void)state;
    static const struct {
        const char *meta, *alone, *term;
    } cases[] = {{"  - { id: a, method: meta, model: { method: glm, formula: \"dead ~ age + sex\", family: "
                  "binomial }, term: age }\n",
                  "  - { id: a, method: glm, formula: \"dead ~ age + sex\", family: binomial }\n", "age"},
                 {"  - { id: b, method: meta, model: { method: cox, formula: \"Surv(stop, dead) ~ sex\" }, "
                  "term: sexTRUE }\n",
                  "  - { id: b, method: cox, formula: \"Surv(stop, dead) ~ sex\" }\n", "sexTRUE"},
                 {"  - { id: c, method: meta, model: { method: glm, formula: \"x ~ age\" }, term: age }\n",
                  "  - { id: c, method: glm, formula: \"x ~ age\" }\n", "age"}};
    static const size_t splits[] = {7, SITES_MAX};
    struct arena *arena = arena_new();
    const struct dictionary *dictionary = make_dictionary(arena);
    struct columns *table = NULL, *sites[SITES_MAX] = {NULL};
    struct maille_error error = {0};
    make_table(&table, dictionary, 4000, 3, false);
    for (size_t i = 0; i < sizeof splits / sizeof *splits * (sizeof cases / sizeof *cases); i++) {
        size_t n_sites = splits[i % 2], c = i / 2;
        double y[SITES_MAX], se[SITES_MAX];
        struct study_run run = {0};
        unsigned rounds = 0;
        assert_int_equal(federation_split(sites, n_sites, table, i, &error), MAILLE_OK);
        size_t k =
            fit_sites(y, se, make_study(arena, dictionary, cases[c].alone), sites, n_sites, cases[c].term);
        struct pooled_tally fixed = combine(y, se, k, 0);
        double q = fixed.wyy - fixed.wy * fixed.wy / fixed.w,
               tau2 = fmax(0, (q - (fixed.k - 1)) / (fixed.w - fixed.ww / fixed.w));
        struct pooled_tally random = combine(y, se, k, tau2);
        assert_int_equal(federation_run(&run, &rounds, make_study(arena, dictionary, cases[c].meta), sites,
                                        n_sites, NULL, &error),
                         MAILLE_OK);
        if (run.states[0].status != ANALYSIS_OK)
            fail_msg("%s: %s", cases[c].meta, run.states[0].reason);
        const struct result *result = run.states[0].outcome.result;
        near(result, "sites", fixed.k);
        near(result_get(result, "fixed"), "estimate", fixed.wy / fixed.w);
        near(result_get(result, "fixed"), "std_error", 1 / sqrt(fixed.w));
        near(result_get(result, "random"), "estimate", random.wy / random.w);
        near(result_get(result, "random"), "std_error", 1 / sqrt(random.w));
        near(result, "q", q);
        study_run_clear(&run);
        for (size_t s = 0; s < n_sites; s++)
            columns_free(sites[s]);
    }
    columns_free(table);
    arena_free(arena);
}

/* Keyed by nothing: whose a row is matters here, not that nobody can tell. */
static void plain_hash(uint8_t out[ROW_KEY_BYTES], const void *context, const void *data, size_t length)
{
    (void)context;
    for (unsigned half = 0; half < 2; half++) {
        uint64_t hash = 0xcbf29ce484222325u + half;
        for (size_t i = 0; i < length; i++)
            hash = (hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3u;
        le64_store(out + 8 * half, next_bits(&hash));
    }
}

/* The file of make_table without the records of every hundredth patient. */
static void import_without(struct columns **table, struct bytes *objections,
                           const struct dictionary *dictionary)
{
    struct maille_error error = {0};
    struct bytes text = {0}, kept = {0};
    struct import_report report = {0};
    char path[512], line[64];
    bytes_put(objections, "pseudonym,date,purposes\n", 24);
    assert_int_equal(file_path_join(path, sizeof path, getenv("MAILLE_TEST_TMP"), "property.csv", &error),
                     MAILLE_OK);
    assert_int_equal(file_read(&text, path, 1 << 26, &error), MAILLE_OK);
    for (const char *at = (const char *)text.data, *end = at + text.length; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        char *after = NULL;
        unsigned long patient = strtoul(at, &after, 10);
        if (*after == ',' && after > at && patient % 100 == 7) {
            int length = snprintf(line, sizeof line, "%lu,2026-11-01,all\n", patient);
            bytes_put(objections, line, (size_t)length);
        } else {
            bytes_put(&kept, at, (size_t)(newline + 1 - at));
        }
        at = newline + 1;
    }
    assert_int_equal(file_path_join(path, sizeof path, getenv("MAILLE_TEST_TMP"), "without.csv", &error),
                     MAILLE_OK);
    assert_int_equal(file_write_atomic(path, kept.data, kept.length, 0600, &error), MAILLE_OK);
    assert_int_equal(import_csv(table, &report, dictionary, path, NULL, &error), MAILLE_OK);
    import_report_clear(&report);
    bytes_clear(&text);
    bytes_clear(&kept);
}

/* Whoever objects is in no sum of any method: what is released is what it would be had the patient never been
 * there. */
static void test_objections(void **state)
{
    (void)state;
    static const struct row_hash hash = {.make = plain_hash};
    struct maille_error error = {0};
    struct columns *table = NULL, *never = NULL, *without = NULL;
    struct row_keys *keys = NULL;
    struct bytes objections = {0};
    struct arena *arena = arena_new();
    const struct dictionary *dictionary = make_dictionary(arena);
    size_t left_out = 0, changed = 0;
    char path[512];
    make_table(&table, dictionary, 1500, 3, false);
    import_without(&never, &objections, dictionary);
    assert_int_equal(file_path_join(path, sizeof path, getenv("MAILLE_TEST_TMP"), "objections.csv", &error),
                     MAILLE_OK);
    assert_int_equal(file_write_atomic(path, objections.data, objections.length, 0600, &error), MAILLE_OK);
    assert_int_equal(row_keys_read(&keys, arena_printf(arena, "%s.none", path), &hash, &error), MAILLE_OK);
    assert_int_equal(row_keys_number(keys, table, &error), MAILLE_OK);
    const struct objection *list;
    size_t n_objections = 0;
    assert_int_equal(objections_read(&list, &n_objections, arena, path, &error), MAILLE_OK);
    for (size_t i = 0; i < n_objections; i++)
        assert_int_equal(row_keys_object(keys, list[i].pseudonym, &error), MAILLE_OK);
    assert_int_equal(row_keys_exclude(&without, &left_out, keys, table, &error), MAILLE_OK);
    assert_int_equal(left_out, 15);
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        const struct study *study = make_study(arena, dictionary, properties[i].analyses);
        struct bytes with = {0}, gone = {0}, expected = {0};
        const size_t n = properties[i].by_site ? 5 : 1; /* some methods want several sites */
        run_study(&with, study, (struct columns *[]){table, table, table, table, table}, n, 1, true, NULL);
        run_study(&gone, study, (struct columns *[]){without, without, without, without, without}, n, 1, true,
                  NULL);
        run_study(&expected, study, (struct columns *[]){never, never, never, never, never}, n, 1, true,
                  NULL);
        if (gone.length != expected.length || memcmp(gone.data, expected.data, gone.length) != 0)
            fail_msg("%s: a patient who objects is in its sums", properties[i].method);
        changed += with.length != gone.length || memcmp(with.data, gone.data, with.length) != 0;
        bytes_clear(&with);
        bytes_clear(&gone);
        bytes_clear(&expected);
    }
    assert_int_equal(changed, sizeof properties / sizeof *properties); /* each of them sees who is there */
    row_keys_free(keys);
    columns_free(table);
    columns_free(never);
    columns_free(without);
    bytes_clear(&objections);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_method), cmocka_unit_test(test_objections),
        cmocka_unit_test(test_by_site),      cmocka_unit_test(test_meta),
        cmocka_unit_test(test_few_patients), cmocka_unit_test(test_many_patients)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
