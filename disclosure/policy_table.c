#include "disclosure/policy_table.h"

#include <string.h>

const char *const policy_presets[PRESETS] = {"strict", "standard", "open"};

#define AT(member) offsetof(struct policy, member)

const struct policy_row policy_rows[] = {
    {.name = "min_sites",
     .kind = POLICY_NUMBER,
     .offset = AT(min_sites),
     .unit = "sites",
     .min = 3,
     .max = 1024,
     .whole = true,
     .tighter = TIGHTER_MORE,
     .presets = {3, 3, 3},
     .sentence = "sites with data in the roster"},
    {.name = "min_patients",
     .kind = POLICY_NUMBER,
     .offset = AT(min_patients),
     .unit = "patients",
     .min = 1,
     .max = 1000000,
     .whole = true,
     .tighter = TIGHTER_MORE,
     .presets = {30, 30, 1},
     .sentence = "distinct patients in the cohort of an analysis"},
    {.name = "min_cell",
     .kind = POLICY_NUMBER,
     .offset = AT(min_cell),
     .unit = "patients",
     .min = 1,
     .max = 10000,
     .whole = true,
     .tighter = TIGHTER_MORE,
     .presets = {11, 11, 1},
     .sentence = "distinct patients in any released cell"},
    {.name = "min_events",
     .kind = POLICY_NUMBER,
     .offset = AT(min_events),
     .unit = "patients",
     .min = 1,
     .max = 10000,
     .whole = true,
     .tighter = TIGHTER_MORE,
     .presets = {11, 5, 1},
     .sentence = "patients with an event per arm or level, survival and models"},
    {.name = "cell_rule",
     .kind = POLICY_CHOICE,
     .offset = AT(cell_rule),
     .unit = "",
     .choices = "total|local",
     .tighter = TIGHTER_MORE,
     .presets = {0, 0, 0},
     .sentence = "cells are judged pooled (total) or at each site (local)"},
    {.name = "max_site_share",
     .kind = POLICY_NUMBER,
     .offset = AT(max_site_share),
     .unit = "share",
     .min = 0.1,
     .max = 1,
     .tighter = TIGHTER_LESS,
     .presets = {0.85, 0.85, 1},
     .sentence = "one site's share of a cell"},
    {.name = "min_contributors",
     .kind = POLICY_NUMBER,
     .offset = AT(min_contributors),
     .unit = "sites",
     .min = 1,
     .max = 1024,
     .whole = true,
     .tighter = TIGHTER_MORE,
     .presets = {3, 3, 1},
     .sentence = "sites with patients in a cell"},
    {.name = "max_parameter_share",
     .kind = POLICY_NUMBER,
     .offset = AT(max_parameter_share),
     .unit = "share",
     .min = 0.001,
     .max = 1,
     .tighter = TIGHTER_LESS,
     .presets = {0.1, 0.33, 1},
     .sentence = "parameters of a model / its patients"},
    {.name = "min_ess_share",
     .kind = POLICY_NUMBER,
     .offset = AT(min_ess_share),
     .unit = "share",
     .min = 0.001,
     .max = 1,
     .may_be_off = true,
     .tighter = TIGHTER_MORE,
     .presets = {0.05, 0.05, POLICY_OFF},
     .sentence = "effective sample size of a site's weights / its patients"},
    {.name = "max_scalar_share",
     .kind = POLICY_NUMBER,
     .offset = AT(max_scalar_share),
     .unit = "share",
     .min = 0.001,
     .max = 1000,
     .may_be_off = true,
     .tighter = TIGHTER_LESS,
     .presets = {0.33, 1, POLICY_OFF},
     .sentence = "coefficients, standard errors and weighted means of one cohort / its patients"},
    {.name = "max_patient_share",
     .kind = POLICY_NUMBER,
     .offset = AT(max_patient_share),
     .unit = "share",
     .min = 0.001,
     .max = 1,
     .may_be_off = true,
     .tighter = TIGHTER_LESS,
     .presets = {0.3, 0.5, POLICY_OFF},
     .sentence = "one patient's share of a sum that is shown, or whose mean is: of what each has above the "
                 "least value, times the weight"},
    {.name = "round_counts",
     .kind = POLICY_NUMBER,
     .offset = AT(round_counts),
     .unit = "heads",
     .min = 2,
     .max = 20,
     .whole = true,
     .may_be_off = true,
     .tighter = TIGHTER_MORE,
     .presets = {POLICY_OFF, POLICY_OFF, POLICY_OFF},
     .sentence = "numbers of patients, rows and events in a result are rounded to multiples of this, and "
                 "shares are of rounded numbers"},
    {.name = "finest_grid",
     .kind = POLICY_CHOICE,
     .offset = AT(finest_grid),
     .unit = "",
     .choices = "day|week|month|quarter|year",
     .base = GRID_DAY,
     .tighter = TIGHTER_MORE,
     .presets = {2, 2, 0},
     .sentence = "survival times finer than this are refused, never coarsened silently; unless it is day, so "
                 "are times whose unit is not known"},
    {.name = "fine_predicates",
     .kind = POLICY_CHOICE,
     .offset = AT(fine_predicates),
     .unit = "",
     .choices = "allow|hold|refuse",
     .tighter = TIGHTER_MORE,
     .presets = {1, 1, 0},
     .sentence = "groups of a number or a date by other cuts than the dictionary's and the registration's: "
                 "for a person to decide (hold; refused where the site has none), or refused"},
    {.name = "min_tail",
     .kind = POLICY_NUMBER,
     .offset = AT(min_tail),
     .unit = "patients",
     .min = 1,
     .max = 10000,
     .whole = true,
     .tighter = TIGHTER_MORE,
     .presets = {11, 11, 1},
     .sentence = "quantiles: patients beyond the quantile, n * min(p, 1 - p)"},
    {.name = "differencing",
     .kind = POLICY_NUMBER,
     .offset = AT(differencing),
     .unit = "patients",
     .min = 2,
     .max = 10000,
     .whole = true,
     .may_be_off = true,
     .tighter = TIGHTER_MORE,
     .presets = {11, 11, POLICY_OFF},
     .sentence = "refuse when two answered groups differ by fewer patients than this"},
    {.name = "budget.tables",
     .kind = POLICY_NUMBER,
     .offset = AT(budget_tables),
     .unit = "analyses",
     .min = 0,
     .max = 1000000,
     .whole = true,
     .may_be_off = true,
     .tighter = TIGHTER_LESS,
     .presets = {50, 500, POLICY_OFF},
     .sentence = "tables per protocol reference, researcher and snapshot"},
    {.name = "budget.models",
     .kind = POLICY_NUMBER,
     .offset = AT(budget_models),
     .unit = "analyses",
     .min = 0,
     .max = 1000000,
     .whole = true,
     .may_be_off = true,
     .tighter = TIGHTER_LESS,
     .presets = {10, 100, POLICY_OFF},
     .sentence = "models per protocol reference, researcher and snapshot"},
    {.name = "budget.registration_tables",
     .kind = POLICY_NUMBER,
     .offset = AT(budget_registration_tables),
     .unit = "analyses",
     .min = 0,
     .max = 1000000,
     .whole = true,
     .may_be_off = true,
     .tighter = TIGHTER_LESS,
     .presets = {200, 1000, POLICY_OFF},
     .sentence = "distinct tables per registration of the network, whoever asks and of whatever snapshot"},
    {.name = "budget.registration_models",
     .kind = POLICY_NUMBER,
     .offset = AT(budget_registration_models),
     .unit = "analyses",
     .min = 0,
     .max = 1000000,
     .whole = true,
     .may_be_off = true,
     .tighter = TIGHTER_LESS,
     .presets = {50, 200, POLICY_OFF},
     .sentence = "distinct models per registration of the network, whoever asks and of whatever snapshot"},
    {.name = "budget.registration_few",
     .kind = POLICY_NUMBER,
     .offset = AT(budget_registration_few),
     .unit = "groups",
     .min = 1,
     .max = 1000000,
     .whole = true,
     .may_be_off = true,
     .tighter = TIGHTER_LESS,
     .presets = {30, 100, POLICY_OFF},
     .sentence =
         "distinct groups of a registration that were refused or hidden under `few`: at so many it is "
         "closed"},
    {.name = "unanimous",
     .kind = POLICY_CHOICE,
     .offset = AT(unanimous),
     .unit = "",
     .choices = "hide|show",
     .tighter = TIGHTER_LESS,
     .presets = {UNANIMOUS_HIDE, UNANIMOUS_HIDE, UNANIMOUS_SHOW},
     .sentence =
         "cells of a table that nearly all patients of their level are in, but for fewer than min_cell"},
    {.name = "own_totals",
     .kind = POLICY_CHOICE,
     .offset = AT(own_totals),
     .unit = "",
     .choices = "shielded|counted|may_be_inferred",
     .tighter = TIGHTER_LESS,
     .presets = {0, 1, 2},
     .sentence =
         "questions to other sites: none but the epoch's (shielded), compared by patients (counted), or all"},
    {.name = "missing",
     .kind = POLICY_CHOICE,
     .offset = AT(missing),
     .unit = "",
     .choices = "analysis|study",
     .base = MISSING_ANALYSIS,
     .tighter = TIGHTER_MORE,
     .presets = {1, 0, 0},
     .sentence = "the loosest handling of missing values accepted"},
    {.name = "methods",
     .kind = POLICY_NAMES,
     .offset = AT(methods),
     .unit = "methods",
     .sentence = "methods that are answered: all, or a list"},
    {.name = "variables.deny",
     .kind = POLICY_DENIED,
     .offset = AT(variables_deny),
     .unit = "variables",
     .sentence = "variables that no analysis may read; also role:identifier, role:date, role:quasi"},
    {.name = "purposes",
     .kind = POLICY_NAMES,
     .offset = AT(purposes),
     .unit = "purposes",
     .sentence = "purposes that are answered: all, or a list"},
    {.name = "researchers",
     .kind = POLICY_NAMES,
     .offset = AT(researchers),
     .unit = "researchers",
     .sentence = "researchers who are answered: all, or a list"},
    {.name = "approval.default",
     .kind = POLICY_CHOICE,
     .offset = AT(approval_default),
     .unit = "",
     .choices = "auto|hold",
     .tighter = TIGHTER_MORE,
     .presets = {1, 0, 0},
     .sentence = "answer at once (auto), or wait for a person (hold)"},
    {.name = "approval.methods",
     .kind = POLICY_EXCEPTIONS,
     .offset = AT(hold_methods),
     .offset2 = AT(auto_methods),
     .unit = "methods",
     .sentence = "methods with an approval of their own, {cox: hold}"},
    {.name = "approval.purposes",
     .kind = POLICY_EXCEPTIONS,
     .offset = AT(hold_purposes),
     .offset2 = AT(auto_purposes),
     .unit = "purposes",
     .sentence = "purposes with an approval of their own"},
};

const size_t policy_n_rows = sizeof policy_rows / sizeof policy_rows[0];

double policy_number(const struct policy *policy, const struct policy_row *row)
{
    const char *at = (const char *)policy + row->offset;
    double number;
    int choice;
    if (row->kind == POLICY_NUMBER) {
        memcpy(&number, at, sizeof number);
        return number;
    }
    memcpy(&choice, at, sizeof choice); /* every enum here is an int to the compilers that are used */
    return choice - row->base;
}

void policy_set_number(struct policy *policy, const struct policy_row *row, double value)
{
    char *at = (char *)policy + row->offset;
    int choice = (int)value + row->base;
    if (row->kind == POLICY_NUMBER)
        memcpy(at, &value, sizeof value);
    else
        memcpy(at, &choice, sizeof choice);
}

_Static_assert(sizeof(enum grid_unit) == sizeof(int) && sizeof(enum cell_scope) == sizeof(int),
               "enums are ints");

struct name_list *policy_names(struct policy *policy, size_t offset)
{
    return (struct name_list *)(void *)((char *)policy + offset);
}

const char *policy_choice_word(const char *choices, int position, size_t *length)
{
    for (; position > 0; position--)
        choices = strchr(choices, '|') + 1;
    *length = strcspn(choices, "|");
    return choices;
}

int policy_choice_position(const char *choices, const char *word)
{
    int position = 0;
    for (const char *at = choices;; at++, position++) {
        size_t length = strcspn(at, "|");
        if (strlen(word) == length && memcmp(at, word, length) == 0)
            return position;
        at += length;
        if (*at == '\0')
            return -1;
    }
}

/* A minimum that is off is the loosest, and so is a maximum that is off. */
double policy_tighter(const struct policy_row *row, double a, double b)
{
    if (row->kind == POLICY_NUMBER && a == POLICY_OFF)
        return b;
    if (row->kind == POLICY_NUMBER && b == POLICY_OFF)
        return a;
    bool first = row->tighter == TIGHTER_MORE ? a >= b : a <= b;
    return first ? a : b;
}
