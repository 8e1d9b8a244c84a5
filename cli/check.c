/* maille check: parses and types a study, and shows what it will ask every site to add up. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "cli/files.h"
#include "query/words.h"
#include "stats/round.h"
#include "tally/describe.h"

/* The first round of every analysis in words; later rounds depend on totals. */
static enum maille_code print_study(const struct study *study, struct arena *arena,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct round_plan plan = {0};
    struct bytes words = {0};
    char day[16];
    bool *open = arena_array(arena, study->n_analyses + 1, sizeof *open);
    struct vector *thetas = arena_array(arena, study->n_analyses + 1, sizeof *thetas);
    for (size_t k = 0; k < study->n_analyses; k++)
        open[k] = true;
    MAILLE_TRY(round_plan(&plan, study, open, thetas, NULL, error));
    number_format_date(day, study->expires);
    printf("study %s: %s\n  dictionary %s@%lld, purpose %s, protocol %s, grid %s, until %s\n", study->id,
           study->title, study->dictionary_name, (long long)study->dictionary_version, study->purpose,
           study->protocol, analysis_grid_name(study->grid), day);
    for (size_t k = 0; k < study->n_analyses; k++) {
        const struct analysis *analysis = &study->analyses[k];
        words.length = 0;
        if (analysis->cohort != NULL)
            expression_words(&words, analysis->cohort, study->dictionary);
        else
            bytes_put(&words, "everyone", 8);
        printf("\n%s (%s) of %.*s; round 1, %zu bytes from each site, masked:\n", analysis->id,
               analysis->method, (int)words.length, (const char *)words.data, plan.analyses[k].bytes);
        if (plan.analyses[k].error.code != MAILLE_OK) {
            printf("    cannot be asked: %s\n", plan.analyses[k].error.sentence);
            code = maille_fail(error, MAILLE_INVALID, "analysis %s: %s", study->analyses[k].id,
                               plan.analyses[k].error.sentence);
            continue;
        }
        words.length = 0;
        tally_spec_words(&words, plan.analyses[k].spec, plan.analyses[k].extents, study->dictionary, "    ");
        if (bytes_check(&words, error) != MAILLE_OK) {
            code = error->code;
            goto out;
        }
        printf("%.*s", (int)words.length, (const char *)words.data);
    }
    printf("\nround 1 in all: %zu bytes from each site\n", plan.bytes);
out:
    bytes_clear(&words);
    round_plan_clear(&plan);
    return code;
}

int cli_check(int argc, char **argv)
{
    const char *dictionary_path = NULL, *path = NULL;
    bool done;
    size_t n;
    const struct option_row rows[] = {{"dictionary", OPTION_STRING, &dictionary_path, "FILE",
                                       "the data dictionary; looked for beside the study if absent", false, 0,
                                       0},
                                      {NULL, OPTION_FLAG, NULL, NULL, NULL, false, 0, 0}};
    const struct option_usage usage = {
        "maille check", "STUDY.yaml",
        "Parses and types a study and shows the tallies that it will ask for. Nothing is sent.", 1, 1};
    struct maille_error error = {0};
    const struct study *study;
    const struct dictionary *dictionary;
    struct arena *arena = arena_new();
    enum maille_code code =
        arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none") : MAILLE_OK;
    if (code == MAILLE_OK)
        code = options_parse(&usage, rows, argc, argv, &path, &n, &done, &error);
    if (code == MAILLE_OK && !done) {
        code = cli_read_study(&study, &dictionary, arena, path, dictionary_path, NULL, NULL, &error);
        if (code == MAILLE_OK)
            code = print_study(study, arena, &error);
    }
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille check", &error);
}
