#include "query/language.h"

#define ID_PATTERN(most) "^[A-Za-z0-9_-]{1," most "}$"

static const char *type_choice(size_t index)
{
    return index <= VARIABLE_DATE ? variable_type_name((enum variable_type)index) : NULL;
}

static const char *role_choice(size_t index)
{
    return index <= ROLE_QUASI ? variable_role_name((enum variable_role)index) : NULL;
}

static const char *grid_choice(size_t index)
{
    return index <= GRID_YEAR ? analysis_grid_name((enum grid_unit)index) : NULL;
}

const struct language_key language_study[] = {
    {.name = "study",
     .kind = LANGUAGE_TEXT,
     .required = true,
     .pattern = ID_PATTERN("64"),
     .sentence = "Name of the study."},
    {.name = "dictionary",
     .kind = LANGUAGE_TEXT,
     .required = true,
     .pattern = "^[^@]{1,64}@[1-9][0-9]*$",
     .sentence = "The dictionary that it is written in: name@version."},
    {.name = "title", .kind = LANGUAGE_TEXT, .most = STUDY_TEXT_MAX, .sentence = "One line for people."},
    {.name = "purpose",
     .kind = LANGUAGE_TEXT,
     .required = true,
     .most = STUDY_TEXT_MAX,
     .sentence = "A purpose code that the network lists."},
    {.name = "legal_basis",
     .kind = LANGUAGE_TEXT,
     .required = true,
     .most = STUDY_TEXT_MAX,
     .sentence = "The legal basis; it is kept in every log entry."},
    {.name = "protocol",
     .kind = LANGUAGE_TEXT,
     .most = STUDY_TEXT_MAX,
     .sentence = "The registration that it belongs to, by its id; required where the network registers "
                 "(NETWORK.md §3)."},
    {.name = "expires",
     .kind = LANGUAGE_DATE,
     .required = true,
     .sentence = "The last day on which a site answers, UTC."},
    {.name = "sites",
     .kind = LANGUAGE_OWN,
     .sentence = "all, or the names of the sites that are asked; all where absent. Each is a condition."},
    {.name = "cohort",
     .kind = LANGUAGE_EXPRESSION,
     .sentence = "Condition that every patient of the study meets."},
    {.name = "grid",
     .kind = LANGUAGE_CHOICE,
     .choice = grid_choice,
     .sentence = "Survival times are released as multiples of this; month where absent."},
    {.name = "missing",
     .kind = LANGUAGE_CHOICE,
     .choices = "analysis|study",
     .sentence = "Complete rows of each analysis, or of all models together; analysis where absent."},
    {.name = "complete",
     .kind = LANGUAGE_FLAG,
     .sentence = "true: an analysis is answered where each site has, of each variable that it reads, the "
                 "dictionary's `complete`."},
    {.name = "derive",
     .kind = LANGUAGE_OWN,
     .most = STUDY_DERIVED_MAX,
     .sentence = "New variables, name: expression; a later one may use an earlier one."},
    {.name = "analyses",
     .kind = LANGUAGE_OWN,
     .required = true,
     .least = 1,
     .most = STUDY_ANALYSES_MAX,
     .sentence = "What is asked."},
    {.name = NULL}};

const struct language_key language_analysis[] = {
    {.name = "id",
     .kind = LANGUAGE_TEXT,
     .required = true,
     .pattern = ID_PATTERN("40"),
     .sentence = "Name of the analysis, once in a study."},
    {.name = "method", .kind = LANGUAGE_OWN, .required = true, .sentence = "What is computed."},
    {.name = "cohort", .kind = LANGUAGE_EXPRESSION, .sentence = "A further condition, beside the study's."},
    {.name = "by",
     .kind = LANGUAGE_OWN,
     .least = 1,
     .most = STUDY_BY_MAX,
     .sentence = "Categories: one result for each combination."},
    {.name = "weights",
     .kind = LANGUAGE_OWN,
     .sentence = "A variable, or inverse probability of treatment weights."},
    {.name = "landmark",
     .kind = LANGUAGE_BETWEEN,
     .min = 0,
     .max = 1e9,
     .sentence =
         "A time in the units of the formula's: who is still followed then without the event is in the "
         "analysis, and time counts from it."},
    {.name = "conf_level",
     .kind = LANGUAGE_BETWEEN,
     .min = 0,
     .max = 1,
     .sentence = "Level of the confidence limits; 0.95 where absent."},
    {.name = NULL}};

const struct language_key language_propensity[] = {
    {.name = "iptw",
     .kind = LANGUAGE_FORMULA,
     .required = true,
     .sentence = "treatment ~ covariates; the treatment a boolean, 0 and 1, or a category"},
    {.name = "estimand",
     .kind = LANGUAGE_CHOICE,
     .choices = "ate|att",
     .sentence = "Effect in everybody, or in the treated; ate where absent."},
    {.name = "stabilised",
     .kind = LANGUAGE_FLAG,
     .sentence = "Weights times the share of the treatment; with ate only."},
    {.name = "truncate",
     .kind = LANGUAGE_OWN,
     .least = 2,
     .most = 2,
     .sentence = "Quantiles of the propensity to which it is cut, such as [0.01, 0.99]."},
    {.name = NULL}};

const struct language_key language_dictionary[] = {
    {.name = "dictionary",
     .kind = LANGUAGE_TEXT,
     .required = true,
     .pattern = "^[^@ \\t\\n/]{1,64}$",
     .sentence = "Name of the dictionary."},
    {.name = "version",
     .kind = LANGUAGE_WHOLE,
     .required = true,
     .min = 1,
     .max = 1000000,
     .sentence = "Version: a change makes the next."},
    {.name = "key",
     .kind = LANGUAGE_OWN,
     .required = true,
     .sentence = "Column of the patient's pseudonym: it never leaves, and cluster() alone may name it."},
    {.name = "missing",
     .kind = LANGUAGE_TEXTS,
     .most = DICTIONARY_MISSING_MAX,
     .sentence =
         "Texts that mean missing, of every variable; the empty cell where absent. Numbers are compared by "
         "value, and none may be a value of a variable."},
    {.name = "rows",
     .kind = LANGUAGE_CHOICE,
     .choices = "one|several",
     .sentence = "Whether a patient has one row or several; imports are held to one."},
    {.name = "identical_rows",
     .kind = LANGUAGE_FLAG,
     .sentence = "true: two rows of a patient may be equal in every variable; else an import refuses them."},
    {.name = "key_pattern",
     .kind = LANGUAGE_TEXT,
     .most = DICTIONARY_PATTERN_MAX,
     .sentence = "What a pseudonym looks like as a whole: an extended regular expression without groups."},
    {.name = "tables",
     .kind = LANGUAGE_TEXT,
     .pattern = "^[0-9a-f]{64}$",
     .sentence =
         "Hash of the rules of further tables (IMPORT.md); an import by other rules, or none, is refused."},
    {.name = "variables",
     .kind = LANGUAGE_OWN,
     .required = true,
     .least = 1,
     .most = DICTIONARY_VARIABLES_MAX,
     .sentence = "The public facts of each variable."},
    {.name = "order",
     .kind = LANGUAGE_OWN,
     .least = 2,
     .most = DICTIONARY_VARIABLES_MAX,
     .sentence =
         "Dates that never go back, the earliest first, or a list of such lists; imports are held to it."},
    {.name = "impossible",
     .kind = LANGUAGE_OWN,
     .most = DICTIONARY_VARIABLES_MAX,
     .sentence =
         "Levels that no patient has together, or that nobody has: that nobody is there is then public, "
         "and is shown; imports are held to it."},
    {.name = NULL}};

const struct language_key language_variable[] = {
    {.name = "name", .kind = LANGUAGE_OWN, .required = true, .sentence = "Name in studies and exports."},
    {.name = "label", .kind = LANGUAGE_TEXT, .sentence = "Name for people."},
    {.name = "type",
     .kind = LANGUAGE_CHOICE,
     .required = true,
     .choice = type_choice,
     .sentence = "Type of the values."},
    {.name = "units",
     .kind = LANGUAGE_TEXT,
     .sentence = "Units; of a duration days, weeks, months or years."},
    {.name = "role",
     .kind = LANGUAGE_CHOICE,
     .choice = role_choice,
     .sentence = "What a policy may forbid: identifier, date, quasi."},
    {.name = "min", .kind = LANGUAGE_BOUND, .sentence = "Least value that is possible, inclusive."},
    {.name = "max", .kind = LANGUAGE_BOUND, .sentence = "Greatest value that is possible, inclusive."},
    {.name = "resolution",
     .kind = LANGUAGE_NUMBER,
     .min = 1e-9,
     .max = 1e15,
     .sentence = "Step of the values; 1 where absent, required of a real."},
    {.name = "cuts",
     .kind = LANGUAGE_BOUNDS,
     .least = 1,
     .most = DICTIONARY_LEVELS_MAX,
     .sentence = "Cut points by which groups may be made, ascending; others wait for a person (POLICY.md, "
                 "fine_predicates)."},
    {.name = "missing",
     .kind = LANGUAGE_TEXTS,
     .most = DICTIONARY_MISSING_MAX,
     .sentence =
         "Texts that mean missing of this variable alone, beside those of all; a number by its value."},
    {.name = "constant",
     .kind = LANGUAGE_FLAG,
     .sentence = "true: equal in all rows of a patient where it is present; imports are held to it."},
    {.name = "complete",
     .kind = LANGUAGE_NUMBER,
     .min = 0,
     .max = 1,
     .sentence = "Least share of rows that have a value, from 0 to 1; an import with fewer asks."},
    {.name = "levels",
     .kind = LANGUAGE_TEXTS,
     .least = 1,
     .most = DICTIONARY_LEVELS_MAX,
     .sentence = "Levels of a category; the first is the reference."},
    {.name = "labels",
     .kind = LANGUAGE_TEXTS,
     .least = 1,
     .most = DICTIONARY_LEVELS_MAX,
     .sentence = "Words for people in place of the levels, in their order; of a boolean for FALSE, TRUE."},
    {.name = NULL}};

const char *const *language_names(struct arena *arena, const struct language_key *table)
{
    size_t n = 0;
    while (table[n].name != NULL)
        n++;
    const char **names = arena_array(arena, n + 1, sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = table[i].name;
    return names;
}
