/* What was asked, as trees that the result file keeps, so that it stands alone: the study's own words, the
 * dictionary of the variables that it reads, the factors of each formula (docs/RESULT.md). */
#ifndef REPORT_ASKED_H
#define REPORT_ASKED_H

#include "query/study.h"
#include "stats/result.h"

/* The text of each analysis, as written: an object of its keys without `id` and `method`, then `conf_level`
 * and the declared numbers, flags and choices that were left to their defaults, then `missing`: which rows it
 * needed, "study" of a model under `missing: study`, else "analysis". One per analysis of the
 * study, in its order; lives in arena. Empty objects where the text of the study is not there (tests). */
const struct result **asked_analyses(const struct study *study, struct arena *arena);

/* The factors of an analysis's formula under R's names, each with its levels (null: a number), and the
 * units of its survival times; NULL where it has no formula. */
const struct result *asked_frame(const struct study *study, const struct analysis *analysis,
                                 struct arena *arena);

/* The study's `derive`: a list of {name, expression, levels}. */
const struct result *asked_derived(const struct study *study, struct arena *arena);

/* The study's cohort as written; NULL: everyone. */
const char *asked_cohort(const struct study *study, struct arena *arena);

/* {name, version, variables}: the variables that the study reads, with label, type, units, bounds and
 * levels. */
const struct result *asked_dictionary(const struct study *study, struct arena *arena);

#endif
