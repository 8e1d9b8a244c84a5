/* For the unit tests of methods: a study over six patients whose results can be worked out on paper.
 *
 *   patient  arm  time  dead  age  x     start
 *   1        A    1     yes   40   0.3   0
 *   2        A    3     yes   50   0.3   0
 *   3        A    5     no    60   0.3   1
 *   4        B    2     no    60   –     0
 *   5        B    3     yes   70   0.3   2
 *   6        B    6     no    80   0.3   4
 *
 * Level C of arm is nobody's. */
#ifndef STATS_SIX_PATIENTS_H
#define STATS_SIX_PATIENTS_H

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

static const char six_dictionary[] = "dictionary: six\nversion: 1\nkey: id\nmissing: [\"\"]\nvariables:\n"
                                     "  - { name: arm, type: category, levels: [A, B, C] }\n"
                                     "  - { name: time, type: duration, units: days, min: 0, max: 10 }\n"
                                     "  - { name: dead, type: boolean }\n"
                                     "  - { name: age, type: integer, min: 0, max: 120 }\n"
                                     "  - { name: x, type: real, min: 0, max: 1, resolution: 0.1 }\n"
                                     "  - { name: start, type: duration, units: days, min: 0, max: 10 }\n"
                                     "  - { name: cause, type: category, levels: [none, cancer, other] }\n";

static const char six_table[] = "id,arm,time,dead,age,x,start,cause\n"
                                "1,A,1,1,40,0.3,0,cancer\n2,A,3,1,50,0.3,0,other\n3,A,5,0,60,0.3,1,none\n"
                                "4,B,2,0,60,,0,none\n5,B,3,1,70,0.3,2,cancer\n6,B,6,0,80,0.3,4,none\n";

/* A study of one analysis over the six, run to its end in this process. Free with six_clear. */
struct six {
    struct arena *arena;
    struct columns *table;
    const struct study *study;
    struct study_run run;
    const struct analysis_state *state;
    unsigned rounds;
    size_t bytes; /* of the largest round */
};

/* Parses a study of one analysis: `analysis` is the inside of its braces in YAML. */
static inline enum maille_code six_study(struct six *six, const char *analysis, struct maille_error *error)
{
    const struct dictionary *dictionary = NULL;
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    six->arena = arena_new();
    assert_non_null(six->arena);
    assert_int_equal(
        dictionary_parse(&dictionary, six->arena, "six", six_dictionary, strlen(six_dictionary), error),
        MAILLE_OK);
    const char *text =
        arena_printf(six->arena,
                     "study: six\ndictionary: six@1\ntitle: t\npurpose: p\nlegal_basis: l\nprotocol: r\n"
                     "expires: 2099-12-31\nsites: all\ngrid: day\nmissing: analysis\n"
                     "derive:\n  root: sqrt(age)\n  turned: 90 - age / 4\n  older: age + x\n"
                     "  next: factor(cause, levels = c(\"cancer\", \"other\"))\n  small: x < 0.5\n  young: "
                     "age < 65\nanalyses:\n  - { id: a, %s }\n",
                     analysis);
    return study_parse(&six->study, six->arena, dictionary, methods, n_methods, "study.yaml", text,
                       strlen(text), error);
}

/* A head count that threshold rounds took away: cell `cell` and n − 1 behind it. */
struct six_hidden {
    size_t block, cell, n;
};

/* All that the analysis declares but these. */
static inline struct surviving *six_surviving(struct six *six, const struct six_hidden *hidden, size_t n)
{
    struct maille_error error = {0};
    size_t bytes;
    const struct analysis *analysis = &six->study->analyses[0];
    struct cells *cells = arena_alloc(six->arena, sizeof *cells);
    struct tally_extent *extents = arena_array(six->arena, TALLY_BLOCKS_MAX, sizeof *extents);
    struct surviving *surviving = arena_alloc(six->arena, sizeof *surviving);
    if (method_find(analysis->method)->cells(analysis, six->arena, cells, &error) != MAILLE_OK ||
        tally_layout(extents, &bytes, &cells->spec, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    uint8_t **kept = arena_array(six->arena, cells->spec.n_blocks, sizeof *kept);
    for (size_t b = 0; b < cells->spec.n_blocks; b++) {
        kept[b] = arena_array(six->arena, extents[b].count, 1);
        memset(kept[b], 1, extents[b].count);
    }
    for (size_t i = 0; i < n; i++) {
        assert_true(hidden[i].block < cells->spec.n_blocks &&
                    hidden[i].cell + hidden[i].n <= extents[hidden[i].block].count);
        memset(kept[hidden[i].block] + hidden[i].cell, 0, hidden[i].n);
    }
    *surviving = (struct surviving){.n_blocks = cells->spec.n_blocks, .kept = (const uint8_t *const *)kept};
    return surviving;
}

/* As six_run, behind threshold rounds; hidden NULL: without such rounds. room: of a round (round_plan).
 * max_share: max_patient_share, 0: off. */
static inline void six_run_judged(struct six *six, const char *analysis, const struct six_hidden *hidden,
                                  size_t n, size_t room, double max_share)
{
    struct maille_error error = {0};
    struct import_report report = {0};
    struct import_options options = {.errors_max = 5};
    struct round_plan plan = {0};
    char path[512];
    const char *folder = getenv("MAILLE_TEST_TMP");
    *six = (struct six){0};
    if (six_study(six, analysis, &error) != MAILLE_OK)
        fail_msg("%s", error.sentence);
    assert_int_equal(file_path_join(path, sizeof path, folder == NULL ? "/tmp" : folder, "six.csv", &error),
                     MAILLE_OK);
    assert_int_equal(file_write_atomic(path, six_table, strlen(six_table), 0600, &error), MAILLE_OK);
    assert_int_equal(import_csv(&six->table, &report, six->study->dictionary, path, &options, &error),
                     MAILLE_OK);
    assert_int_equal(study_run_init(&six->run, six->study, &error), MAILLE_OK);
    six->run.room = room;
    if (hidden != NULL) {
        const struct surviving **one = arena_alloc(six->arena, sizeof *one);
        struct surviving *left = six_surviving(six, hidden, n);
        left->max_share = max_share;
        *one = left;
        study_run_survive(&six->run, one);
    }
    while (study_run_open(&six->run)) {
        assert_in_range(++six->rounds, 1, 100);
        assert_int_equal(study_run_plan(&six->run, &plan, &error), MAILLE_OK);
        six->bytes = plan.bytes > six->bytes ? plan.bytes : six->bytes;
        uint8_t *words = arena_array(six->arena, plan.bytes + 1, 1);
        for (size_t k = 0; k < plan.n; k++) {
            struct tally tally = {0};
            if (!plan.analyses[k].open)
                continue;
            if (tally_run(&tally, plan.analyses[k].spec, six->table, NULL, &error) != MAILLE_OK)
                fail_msg("%s", error.sentence);
            assert_int_equal(tally.words.length, plan.analyses[k].bytes);
            memcpy(words + plan.analyses[k].offset, tally.words.data, tally.words.length);
            tally_clear(&tally);
        }
        study_run_step(&six->run, &plan, words, 1);
        round_plan_clear(&plan);
    }
    import_report_clear(&report);
    six->state = &six->run.states[0];
}

static inline void six_run_within(struct six *six, const char *analysis, const struct six_hidden *hidden,
                                  size_t n, size_t room)
{
    six_run_judged(six, analysis, hidden, n, room, 0);
}

static inline void six_run_behind(struct six *six, const char *analysis, const struct six_hidden *hidden,
                                  size_t n)
{
    six_run_within(six, analysis, hidden, n, 0);
}

static inline void six_run(struct six *six, const char *analysis)
{
    six_run_behind(six, analysis, NULL, 0);
}

/* As six_run, and the analysis must have come to a result. */
static inline const struct result *six_result(struct six *six, const char *analysis)
{
    six_run(six, analysis);
    if (six->state->status != ANALYSIS_OK)
        fail_msg("%s", six->state->reason);
    return six->state->outcome.result;
}

static inline void six_clear(struct six *six)
{
    study_run_clear(&six->run);
    columns_free(six->table);
    arena_free(six->arena);
}

/* An analysis that the method's own check refuses: its sentence has `words` in it. */
static inline void six_refused(const char *analysis, const char *words)
{
    struct six six = {0};
    struct maille_error error = {0};
    enum maille_code code = six_study(&six, analysis, &error);
    if (code == MAILLE_OK) {
        const struct method *method = method_find(six.study->analyses[0].method);
        assert_non_null(method);
        assert_non_null(method->check);
        code = method->check(&six.study->analyses[0], &error);
    }
    assert_int_equal(code, MAILLE_INVALID);
    if (strstr(error.sentence, words) == NULL)
        fail_msg("expected \"%s\" in: %s", words, error.sentence);
    six_clear(&six);
}

/* An analysis that ends without a result, saying `words`. */
static inline void six_fails(const char *analysis, const char *words)
{
    struct six six;
    six_run(&six, analysis);
    assert_int_equal(six.state->status, ANALYSIS_FAILED);
    if (strstr(six.state->reason, words) == NULL)
        fail_msg("expected \"%s\" in: %s", words, six.state->reason);
    six_clear(&six);
}

/* Item i of a list, or a number found by walking names; both fail the test when it is not there. */
static inline const struct result *at(const struct result *list, size_t i)
{
    assert_non_null(list);
    assert_int_equal(list->kind, RESULT_LIST);
    assert_true(i < list->n);
    return list->items[i];
}

static inline const struct result *get(const struct result *object, const char *name)
{
    const struct result *item = result_get(object, name);
    if (item == NULL)
        fail_msg("no `%s`", name);
    return item;
}

static inline double number(const struct result *r)
{
    assert_true(r->kind == RESULT_NUMBER || r->kind == RESULT_INTEGER);
    return r->kind == RESULT_NUMBER ? r->number : (double)r->integer;
}

static inline void assert_number(const struct result *r, double expected)
{
    double got = number(r);
    if (!(fabs(got - expected) <= 1e-14 * fmax(1, fabs(expected))))
        fail_msg("expected %.17g, found %.17g", expected, got);
}

static inline void assert_empty(const struct result *r)
{
    assert_int_equal(r->kind, RESULT_NULL);
}

static inline void assert_warned(const struct six *six, const char *words)
{
    const struct result *warnings = six->state->outcome.warnings;
    for (size_t i = 0; i < warnings->n; i++)
        if (strstr(warnings->items[i]->string, words) != NULL)
            return;
    fail_msg("expected a warning with \"%s\", found %zu others", words, warnings->n);
}

static inline void assert_text(const struct result *r, const char *expected)
{
    assert_int_equal(r->kind, RESULT_STRING);
    assert_string_equal(r->string, expected);
}

#endif
