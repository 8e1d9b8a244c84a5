/* For tests: a handful of patients written in the test, a study over them in as many sites as there are
 * patients. */
#ifndef STATS_PAPER_H
#define STATS_PAPER_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "registry/import.h"
#include "stats/round.h"

struct paper {
    struct arena *arena;
    const struct study *study;
    struct columns *table;
    struct study_run run;
    unsigned rounds;
};

static inline void paper_must(enum maille_code code, const struct maille_error *error)
{
    if (code != MAILLE_OK)
        fail_msg("%s: %s", maille_code_name(code), error->sentence);
}

/* head: further lines of the study, as `grid:`. */
static inline void paper_open_under(struct paper *paper, const char *head, const char *variables,
                                    const char *csv, const char *analyses)
{
    struct maille_error error = {0};
    struct import_report report = {0};
    const struct dictionary *dictionary = NULL;
    char path[512];
    size_t n;
    *paper = (struct paper){.arena = arena_new()};
    assert_non_null(paper->arena);
    const char *text = arena_printf(
        paper->arena, "dictionary: paper\nversion: 1\nkey: pid\nmissing: [\"\"]\nvariables:\n%s", variables);
    paper_must(dictionary_parse(&dictionary, paper->arena, "paper.dictionary", text, strlen(text), &error),
               &error);
    snprintf(path, sizeof path, "%s/paper.csv", getenv("MAILLE_TEST_TMP"));
    paper_must(file_write_atomic(path, csv, strlen(csv), 0600, &error), &error);
    paper_must(import_csv(&paper->table, &report, dictionary, path, NULL, &error), &error);
    import_report_clear(&report);
    text = arena_printf(paper->arena,
                        "study: paper\ndictionary: paper@1\ntitle: On paper\npurpose: test\nlegal_basis: "
                        "none\nprotocol: none\n"
                        "expires: 2099-12-31\nsites: all\n%sanalyses:\n%s",
                        head, analyses);
    const struct query_method *methods = methods_declared(&n);
    paper_must(study_parse(&paper->study, paper->arena, dictionary, methods, n, "paper.study", text,
                           strlen(text), &error),
               &error);
    paper_must(study_run_init(&paper->run, paper->study, &error), &error);
}

static inline void paper_open(struct paper *paper, const char *variables, const char *csv,
                              const char *analyses)
{
    paper_open_under(paper, "grid: day\nmissing: analysis\n", variables, csv, analyses);
}

/* One round over the sites, of which each holds one patient. */
static inline void paper_round(struct paper *paper)
{
    struct maille_error error = {0};
    struct round_plan plan = {0};
    paper_must(study_run_plan(&paper->run, &plan, &error), &error);
    uint8_t *sum = calloc(1, plan.bytes + 1);
    assert_non_null(sum);
    size_t rows = columns_rows(paper->table);
    bool *keep = calloc(rows + 1, sizeof *keep);
    assert_non_null(keep);
    struct column_scratch scratch = {0};
    struct column_block patients = {0};
    size_t n_sites = columns_patients(paper->table);
    paper_must(columns_patient_block(&patients, paper->table, &scratch, 0, &error), &error);
    for (size_t p = 0; p < n_sites; p++) {
        struct columns *site = NULL;
        for (size_t r = 0; r < rows; r++)
            keep[r] = ((const int32_t *)patients.values)[r] == (int32_t)p;
        paper_must(columns_subset(&site, paper->table, keep, &error), &error);
        for (size_t k = 0; k < plan.n; k++) {
            struct tally tally = {0};
            if (!plan.analyses[k].open)
                continue;
            paper_must(tally_run(&tally, plan.analyses[k].spec, site, NULL, &error), &error);
            tally_add(sum + plan.analyses[k].offset, tally.words.data, plan.analyses[k].extents,
                      plan.analyses[k].spec->n_blocks);
            tally_clear(&tally);
        }
        columns_free(site);
    }
    study_run_step(&paper->run, &plan, sum, n_sites);
    column_scratch_clear(&scratch);
    paper->rounds++;
    round_plan_clear(&plan);
    free(keep);
    free(sum);
}

static inline void paper_run(struct paper *paper, const char *variables, const char *csv,
                             const char *analyses)
{
    paper_open(paper, variables, csv, analyses);
    while (study_run_open(&paper->run)) {
        assert_true(paper->rounds < 200);
        paper_round(paper);
    }
}

static inline void paper_close(struct paper *paper)
{
    study_run_clear(&paper->run);
    columns_free(paper->table);
    arena_free(paper->arena);
}

static inline const struct result *paper_result(const struct paper *paper, size_t analysis)
{
    const struct analysis_state *state = &paper->run.states[analysis];
    if (state->status != ANALYSIS_OK)
        fail_msg("%s", state->reason);
    return state->outcome.result;
}

static inline void paper_near(const struct result *item, double expected)
{
    assert_non_null(item);
    double got = item->kind == RESULT_INTEGER ? (double)item->integer : item->number;
    if (item->kind != RESULT_NUMBER && item->kind != RESULT_INTEGER)
        fail_msg("no number where %.17g is expected", expected);
    if (!(fabs(got - expected) <= 1e-12 * fmax(fabs(expected), 1)))
        fail_msg("got %.17g, expected %.17g", got, expected);
}

static inline void paper_number(const struct result *object, const char *name, double expected)
{
    paper_near(result_get(object, name), expected);
}

static inline void paper_term(const struct result *result, size_t row, const char *label, double estimate,
                              double error)
{
    const struct result *term = result_get(result, "terms")->items[row];
    assert_string_equal(result_get(term, "term")->string, label);
    paper_number(term, "estimate", estimate);
    paper_number(term, "std_error", error);
}

/* The analysis ended in a sentence that holds `part`. */
static inline void paper_failed(const struct paper *paper, size_t analysis, const char *part)
{
    const struct analysis_state *state = &paper->run.states[analysis];
    assert_int_equal(state->status, ANALYSIS_FAILED);
    if (strstr(state->reason, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", state->reason, part);
}

#endif
