#include "stats/wording.h"

#include <stdio.h>
#include <string.h>

enum maille_code(wording_invalid)(struct maille_error *error, const struct analysis *analysis,
                                  const char *format, ...)
{
    char sentence[MAILLE_SENTENCE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return maille_fail(error, MAILLE_INVALID, "line %d: analysis `%s`: %s", analysis->line, analysis->id,
                       sentence);
}

enum maille_code wording_check(const struct analysis *analysis, wording_reader *reader,
                               struct maille_error *error)
{
    struct maille_error inner = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory to read an analysis, found none");
    enum maille_code code = reader(analysis, arena, &inner);
    if (code != MAILLE_OK)
        code = wording_invalid(error, analysis, "%s", inner.sentence);
    arena_free(arena);
    return code;
}

enum maille_code wording_nobody(struct maille_error *error, int64_t n_cohort)
{
    if (n_cohort == 0)
        return maille_fail(error, MAILLE_FAILED,
                           "expected patients in the cohort, found nobody at any site: widen `cohort`");
    return maille_fail(
        error, MAILLE_FAILED,
        "expected patients without a missing value, found that everybody in the cohort misses at least "
        "one variable of this analysis: leave out the variable that is not recorded");
}

const char *wording_rows(const struct outcome *outcome, const struct surviving *surviving, int64_t n)
{
    const bool rounded = surviving != NULL && surviving->round_counts > 1;
    const int64_t told = surviving_rounded(surviving, n);
    if (rounded && told == 0)
        return "a few rows were";
    return arena_printf(outcome->arena, "%s%lld %s", rounded ? "about " : "", (long long)told,
                        told == 1 ? "row was" : "rows were");
}

void wording_warn(struct outcome *outcome, const char *format, ...)
{
    char sentence[MAILLE_SENTENCE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < outcome->warnings->n; i++)
        if (strcmp(outcome->warnings->items[i]->string, sentence) == 0)
            return;
    result_add_string(outcome->warnings, NULL, sentence);
}
