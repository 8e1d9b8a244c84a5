/* The study file: what a researcher signs (docs/STUDY.md). The keys of each method come from the method
 * itself (stats/methods.c): this parser knows kinds of keys, not methods. */
#ifndef QUERY_STUDY_H
#define QUERY_STUDY_H

#include "query/formula.h"

/* --- what a method declares --- */

enum query_key_kind {
    KEY_VARIABLE,  /* a name: variable or derived                     → .expressions[0], .names[0], n = 1 */
    KEY_VARIABLES, /* a list of names                                 → .expressions, .names, n */
    KEY_NUMBER,    /* a number in [min, max]                          → .numbers[0], n = 1 */
    KEY_NUMBERS,   /* a list of numbers in [min, max]                 → .numbers, n */
    KEY_FLAG,      /* true, false                                     → .choice 0 or 1 */
    KEY_CHOICE,    /* one of `choices` ("efron|breslow")              → .choice: index */
    KEY_FLAG_OR_CHOICES, /* false, true (= the first), or a list of choices → .choice: bit set */
    KEY_FORMULA,         /* a formula                                       → .formula */
    KEY_TEXT,            /* a text, such as a level                         → .names[0], n = 1 */
    KEY_SUBGROUPS,       /* a list of names, each an analysis more          → .present alone */
    KEY_MODEL,           /* a map of `method` (one of `choices`) and that method's keys → .model */
    KEY_ANALYSIS, /* the id of another analysis of the study, whose cohort is this one's → .names[0], .model
                   */
    KEY_ANALYSES  /* a list of ids of other analyses of the study    → .names, .analyses, n */
};

struct query_key {
    const char *name;
    enum query_key_kind kind;
    bool required;
    bool may_miss;        /* of names: a row may miss the value, whatever `missing` says */
    const char *where;    /* of may_miss: another key, a boolean; where it is TRUE the value must be there */
    double min, max;      /* KEY_NUMBER(S): inclusive */
    size_t n_min, n_max;  /* lists: how many */
    const char *choices;  /* "a|b|c" */
    double fallback;      /* KEY_NUMBER default, KEY_FLAG 0/1, KEY_CHOICE index, FLAG_OR_CHOICES bits */
    const char *sentence; /* one line for the manual */
};

/* What the parser needs to know of a method. */
struct query_method {
    const char *name;
    const struct query_key *keys;
    size_t n_keys;
    bool takes_by;       /* `by` is legal */
    bool takes_weights;  /* `weights` is legal */
    bool takes_landmark; /* `landmark` is legal: it has a formula of Surv() */
    bool is_model;       /* its variables count for `missing: study` */
};

struct query_value {
    bool present;
    int line, column;
    size_t n;
    const struct expression *const *expressions;
    const char *const *names;
    const double *numbers;
    uint64_t choice;
    const struct formula *formula;
    const struct analysis *model; /* the same analysis under another method: cohort and study are its own */
    const struct analysis *const *analyses; /* of the same study, once all are read; they name no others */
};

/* --- what is asked --- */

enum grid_unit { GRID_DAY, GRID_WEEK, GRID_MONTH, GRID_QUARTER, GRID_YEAR };
/* Which rows an analysis needs: complete in its own variables (the default), or, if it is a model, in those
 * of all models of the study. The numbers are in the ledger. */
enum missing_rule { MISSING_ANALYSIS = 1, MISSING_STUDY };

enum { STUDY_ANALYSES_MAX = 256, STUDY_BY_MAX = 4 };

struct study;

/* weights: {iptw: "treatment ~ covariates", …}: inverse probability of treatment weights. */
enum { PROPENSITY_ARMS_MAX = 8 };
struct propensity {
    const struct formula *formula; /* of the treatment: BOOLEAN, a NUMBER of 0 and 1, or a CODE of arms */
    bool att;                      /* estimand: of the treated; else of everybody */
    bool stabilised;
    bool truncated; /* at these quantiles of the propensity */
    double low, high;
    /* What a method finds here once the weights are known (stats/iptw.h); NULL and 0 before. */
    /* NUMBER: the propensity as it was estimated, before truncation; of several arms that of the row's own */
    const struct expression *score;
    size_t n_arms;
    double cuts[2], numerators[PROPENSITY_ARMS_MAX]; /* truncation; numerator of the weight of each arm */
};

struct analysis {
    const struct study *study;
    size_t index; /* in the study */
    size_t entry; /* of the study file's list: not the index where `subgroups` adds analyses */
    /* One that `subgroups` adds: the variable. Its formula is that of the entry, with the variable and the
     * interaction of the formula's first term with it. NULL in all others. */
    const char *subgroup;
    const char *id; /* [A-Za-z0-9_-]{1,40} */
    const char *method;
    const struct query_method *declared;
    const struct expression *cohort; /* the study's && its own; NULL: everyone. BOOLEAN */
    bool has_cohort;                 /* its own */
    size_t n_by;
    const struct expression *by[STUDY_BY_MAX]; /* CODE */
    const char *by_names[STUDY_BY_MAX];
    const struct expression *weights; /* a variable, or NULL */
    const char *weights_name;
    const struct propensity *propensity; /* weights: {iptw: …}, or NULL */
    double conf_level;
    struct query_value *values; /* declared->n_keys entries, in their order */
    int line;
};

struct study {
    const char *id, *title, *purpose, *legal_basis, *protocol;
    const char *dictionary_name;
    int64_t dictionary_version;
    int32_t expires; /* days since 1970-01-01; valid through that day, UTC */
    bool all_sites;
    const char **sites;
    size_t n_sites;
    enum grid_unit grid;
    bool grid_by_default; /* nothing is written */
    enum missing_rule missing;
    bool complete; /* each site has, of each variable read, the dictionary's least share of values */
    const struct dictionary *dictionary;
    const struct derived *derived;
    size_t n_derived;
    struct analysis *analyses;
    size_t n_analyses;
    const char *file; /* the name it was parsed under, for errors */
    const char *text; /* the bytes as they were read: these are signed */
    size_t text_length;
};

/* A cohort that a network publishes: it stands in no study. */
struct published_cohort {
    const char *name;
    const char *expression; /* as a study's `cohort` says it; "": everybody */
};

/* The head of a study only: which dictionary it wants ("rotterdam@1"), before that dictionary is at hand. */
enum maille_code study_dictionary(const char **name, int64_t *version, struct arena *, const char *file,
                                  const char *text, size_t length, struct maille_error *) MAILLE_CHECKED;

/* What a study says of itself, for a log, before anybody has judged it: no dictionary is needed. A text that
 * is missing, or is none, or is longer than STUDY_HEADING_MAX bytes, is "". Lives in arena. */
enum { STUDY_HEADING_MAX = 1000 };
struct study_heading {
    const char *id, *title, *purpose, *legal_basis, *protocol;
};
void study_heading(struct study_heading *heading, struct arena *arena, const char *text, size_t length);

/* Parses and types all of it. methods: the catalogue (stats/methods.h: methods_declared). Errors:
 * MAILLE_INVALID with file:line:column. */
enum maille_code study_parse(const struct study **, struct arena *, const struct dictionary *,
                             const struct query_method *methods, size_t n_methods, const char *file,
                             const char *text, size_t length, struct maille_error *) MAILLE_CHECKED;

/* All that is wrong with a study, in one go: sentences with their places, as errors have them. */
enum { STUDY_PROBLEMS_MAX = 100 };
struct study_problems {
    int32_t
        today; /* days since 1970-01-01; > 0: a study that has expired, or has no title, is a problem too */
    size_t n;
    const char *sentences[STUDY_PROBLEMS_MAX]; /* in the arena that was parsed into */
};

/* As study_parse, but goes on after an error to find the others. problems: those before are kept. Where there
 * is any the code is MAILLE_INVALID, error the first of them, and *study untouched. */
enum maille_code study_parse_all(const struct study **, struct study_problems *problems, struct arena *,
                                 const struct dictionary *, const struct query_method *methods,
                                 size_t n_methods, const char *file, const char *text, size_t length,
                                 struct maille_error *) MAILLE_CHECKED;

/* Appends what is asked as canonical bytes: equal for analyses that ask the same of the same rows of one
 * dictionary, whatever study they stand in and whatever they are called. arena: room for what is worked out.
 */
void analysis_serialise(struct bytes *out, struct arena *arena, const struct analysis *);
/* What else its result is written with: names of variables as the study has them, of terms and of levels; and
 * which keys are there. */
void analysis_names(struct bytes *out, const struct analysis *);

/* Marks (used[index] = true) every variable of the dictionary that the analysis, or any of the study, reads
 * in whatever place. */
void analysis_variables(const struct analysis *, bool *used);
void study_variables(const struct study *, bool *used);

/* The value of a declared key; the key must be declared (assert). Defaults are filled in, present says
 * whether written. */
const struct query_value *analysis_value(const struct analysis *, const char *key);
double analysis_number(const struct analysis *, const char *key);
bool analysis_flag(const struct analysis *, const char *key);

/* TRUE where the row is complete for this analysis (na.omit): its formula, variables (of keys whose kind is a
 * formula, or those that the method passes), by and weights; with `missing: study` all variables of all
 * models of the study. extra: further expressions of the method (n of them). Lives in arena. */
const struct expression *analysis_complete(const struct analysis *, struct arena *,
                                           const struct expression *const *extra, size_t n);

/* The same of this analysis alone, also under `missing: study`: its formula, by, weights, and what its keys
 * list. */
const struct expression *analysis_complete_own(const struct analysis *, struct arena *);

/* The grid that a formula's follow-up times are put on. They are whole numbers of `lattice`, and so is what a
 * bin holds: nothing of it depends on how a decimal is rounded. */
struct time_axis {
    double lattice; /* every time, entry or exit, is a multiple of it, in the time's own units */
    double
        per_bin;  /* multiples of it that a bin is wide: a number that need not be whole (a month in days) */
    double width; /* of a bin, in the time's own units: bin k stands for k·width */
    uint32_t n_bins; /* 0 … the last bin that a time within the dictionary's bounds can have */
    /* The width in days. A time has its unit from the dictionary: it is a duration or a date, or a sum or
     * difference of such of one unit. has_unit false: something else was done to it, so that nothing is known
     * of its unit; `days` is then the finest resolution of the durations in it, 1 where there is none. */
    double days;
    bool has_unit;
};

/* The axis of a survival formula of this analysis: the one place where times meet the grid. A time whose unit
 * is coarser than the study's grid, or unknown, keeps its own resolution, as under grid: day. MAILLE_INVALID
 * with a sentence where the times have no bounds or no step, or would need 2^30 bins. */
enum maille_code analysis_time_axis(struct time_axis *axis, const struct analysis *, const struct formula *,
                                    struct maille_error *) MAILLE_CHECKED;

/* Days of a step of the grid. */
double analysis_grid_days(enum grid_unit grid);
const char *analysis_grid_name(enum grid_unit grid);
bool analysis_grid_parse(enum grid_unit *grid, const char *name);

#endif
