/* What the tests of the threshold rounds share: a registry that is dealt out to sites, and both rounds with
 * the plan in one process. Included by tests alone. */
#ifndef DISCLOSURE_TESTING_H
#define DISCLOSURE_TESTING_H

#include "base/test.h"

#include "base/file.h"
#include "disclosure/plan.h"
#include "registry/import.h"

enum { ROSTER_SITES_MAX = 32 };

struct roster {
    const struct shown *before; /* what the first site knows that others showed */
    struct arena *arena;
    const struct dictionary *dictionary;
    struct columns *all, *sites[ROSTER_SITES_MAX];
    size_t n_sites;
};

/* What both rounds added up to, and the plan. */
struct rounds {
    struct threshold threshold;
    const struct policy *policy;
    struct bytes first, second;
    struct plan plan;
};

static inline struct columns *roster_table(const struct dictionary *dictionary, const char *csv,
                                           size_t length)
{
    struct maille_error error = {0};
    struct import_report report = {0};
    struct columns *table = NULL;
    char path[512];
    test_path(path, "roster.csv");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(csv, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    assert_ok(import_csv(&table, &report, dictionary, path, NULL, &error), &error);
    import_report_clear(&report);
    return table;
}

/* site_of: of each row of the CSV file. */
static inline void roster_init(struct roster *roster, const char *dictionary, const char *csv, size_t length,
                               const size_t *site_of, size_t n_sites)
{
    struct maille_error error = {0};
    *roster = (struct roster){.arena = arena_new(), .n_sites = n_sites};
    assert_non_null(roster->arena);
    assert_ok(dictionary_parse(&roster->dictionary, roster->arena, "dictionary.yaml", dictionary,
                               strlen(dictionary), &error),
              &error);
    roster->all = roster_table(roster->dictionary, csv, length);
    size_t rows = columns_rows(roster->all);
    bool *keep = arena_array(roster->arena, rows + 1, sizeof *keep);
    for (size_t s = 0; s < n_sites; s++) {
        for (size_t i = 0; i < rows; i++)
            keep[i] = site_of[i] == s;
        assert_ok(columns_subset(&roster->sites[s], roster->all, keep, &error), &error);
    }
}

static inline void roster_clear(struct roster *roster)
{
    for (size_t s = 0; s < roster->n_sites; s++)
        columns_free(roster->sites[s]);
    columns_free(roster->all);
    arena_free(roster->arena);
}

/* head: further lines of the study; analyses: the list. */
static inline const struct study *roster_study(const struct roster *roster, const char *head,
                                               const char *analyses)
{
    struct maille_error error = {0};
    const struct study *study = NULL;
    size_t n;
    const struct query_method *methods = methods_declared(&n);
    const char *text =
        arena_printf(roster->arena,
                     "study: s\ndictionary: %s@1\ntitle: t\npurpose: care\nlegal_basis: b\nprotocol: p\n"
                     "expires: 2090-01-01\nsites: all\n%sanalyses:\n%s",
                     roster->dictionary->name, head, analyses);
    assert_ok(study_parse(&study, roster->arena, roster->dictionary, methods, n, "study.yaml", text,
                          strlen(text), &error),
              &error);
    return study;
}

static inline const struct policy *roster_policy(const struct roster *roster, const char *text)
{
    struct maille_error error = {0};
    const struct policy *policy = NULL;
    assert_ok(policy_parse(&policy, roster->arena, "policy.yaml", text, strlen(text), &error), &error);
    return policy;
}

static inline void roster_head_counts(struct tally *own, const struct threshold *threshold,
                                      struct columns *columns)
{
    struct maille_error error = {0};
    for (size_t k = 0; k < threshold->study->n_analyses; k++)
        if (threshold->analyses[k].open)
            assert_ok(tally_run(&own[k], &threshold->analyses[k].cells->spec, columns,
                                &(struct tally_options){.threads = 1}, &error),
                      &error);
}

static inline void words_add(struct bytes *sum, const struct tally *words)
{
    if (sum->length == 0)
        assert_non_null(bytes_reserve(sum, words->words.length + 8));
    for (size_t at = 0; at + 8 <= words->words.length; at += 8)
        le64_store(sum->data + at, le64_load(sum->data + at) + le64_load(words->words.data + at));
}

/* Words that are none of a count's, another each time. */
static inline const uint8_t *testing_noise(struct arena *arena, size_t n_words, size_t seed)
{
    uint8_t *noise = arena_alloc(arena, 8 * n_words + 8);
    uint64_t word = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
    for (size_t i = 0; i < n_words; i++, word = word * UINT64_C(6364136223846793005) + 1442695040888963407)
        le64_store(noise + 8 * i, word | UINT64_C(1) << 62);
    return noise;
}

/* order: which site adds its words first; NULL: as they are. differences: [site][pair]; NULL:
 * none. past: one earlier query, of so many groups; 0: none. */
static inline enum maille_code rounds_run(struct rounds *rounds, const struct roster *roster,
                                          const struct study *study, const struct policy *policy,
                                          const size_t *order,
                                          const struct part_difference *const *differences, size_t n_past,
                                          struct maille_error *error)
{
    const size_t n = study->n_analyses;
    struct threshold_past *past = arena_alloc(roster->arena, sizeof *past);
    bool *open = arena_array(roster->arena, n, sizeof *open);
    *past = (struct threshold_past){.n_groups = n_past};
    struct tally *own = arena_array(roster->arena, n * roster->n_sites, sizeof *own);
    memset(open, 1, n);
    *rounds = (struct rounds){.policy = policy};
    assert_ok(
        threshold_init(&rounds->threshold, study, open, policy, roster->n_sites, past, n_past > 0, error),
        error);
    for (int which = THRESHOLD_FIRST; which <= THRESHOLD_SECOND; which++)
        for (size_t i = 0; i < roster->n_sites; i++) {
            size_t s = order != NULL ? order[i] : i;
            struct tally words = {0};
            const struct threshold_veto veto = {
                .noise = testing_noise(roster->arena, rounds->threshold.n_words[which], s),
                .before = s == 0 ? roster->before : NULL};
            if (which == THRESHOLD_FIRST) {
                roster_head_counts(own + s * n, &rounds->threshold, roster->sites[s]);
                assert_ok(threshold_first(&words, &rounds->threshold, own + s * n,
                                          differences ? differences[s] : NULL, policy, &veto, error),
                          error);
                words_add(&rounds->first, &words);
            } else {
                assert_ok(threshold_second(&words, &rounds->threshold, own + s * n, rounds->first.data,
                                           policy, &veto, error),
                          error);
                words_add(&rounds->second, &words);
            }
            tally_clear(&words);
        }
    for (size_t i = 0; i < n * roster->n_sites; i++)
        tally_clear(&own[i]);
    return plan_make(&rounds->plan, &rounds->threshold, rounds->first.data, rounds->second.data, policy,
                     roster->n_sites, error);
}

static inline void rounds_clear(struct rounds *rounds)
{
    plan_clear(&rounds->plan);
    threshold_clear(&rounds->threshold);
    bytes_clear(&rounds->first);
    bytes_clear(&rounds->second);
}

#endif
