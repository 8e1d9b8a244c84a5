/* What a policy has in each rule: a number, a list or a word; NULL where the rule is off or not for this
 * analysis. A minimum and a share of 1 are off. */
#include <string.h>

#include "disclosure/rule_private.h"

const char *const rule_terms_all[][LANGUAGES] = {{"all", "toutes"}, {NULL, NULL}};
const char *const rule_terms_everybody[][LANGUAGES] = {{"all", "tous"}, {NULL, NULL}};
const char *const rule_terms_denied[][LANGUAGES] = {{"none", "aucune"}, {NULL, NULL}};
const char *const rule_terms_grid[][LANGUAGES] = {{"day", "jour"},   {"week", "semaine"},
                                                  {"month", "mois"}, {"quarter", "trimestre"},
                                                  {"year", "année"}, {NULL, NULL}};
const char *const rule_terms_budget[][LANGUAGES] = {
    {"tables", "tableaux"}, {"models", "modèles"}, {NULL, NULL}};

static const char *list_words(struct arena *arena, const struct name_list *list, const char *all)
{
    const char *text = "";
    if (list->all || list->n == 0)
        return all;
    for (size_t i = 0; i < list->n; i++)
        text = arena_printf(arena, "%s%s%s", text, i > 0 ? ", " : "", list->names[i]);
    return text;
}

static const char *at_least(struct arena *arena, double minimum)
{
    return minimum > 1 ? arena_printf(arena, "%g", minimum) : NULL;
}

static const char *share(struct arena *arena, double limit)
{
    return limit != POLICY_OFF && limit < 1 ? arena_printf(arena, "%g", limit) : NULL;
}

static bool is_open(const struct policy *policy)
{
    return strcmp(policy->preset, "open") == 0;
}

static bool is_model(const struct rule_facts *facts)
{
    return facts->analysis != NULL && facts->analysis->declared->is_model;
}

/* Is a head count judged by this rule among those of the method? */
static bool counts(const struct rule_facts *facts, enum cell_rule rule)
{
    for (size_t b = 0; facts->cells != NULL && b < facts->cells->spec.n_blocks; b++)
        if (facts->cells->rules[b] == rule)
            return true;
    return false;
}

const char *rule_value_purposes(const struct rule_facts *facts, struct arena *arena)
{
    return list_words(arena, &facts->policy->purposes, "all");
}

const char *rule_value_researchers(const struct rule_facts *facts, struct arena *arena)
{
    return list_words(arena, &facts->policy->researchers, "all");
}

const char *rule_value_methods(const struct rule_facts *facts, struct arena *arena)
{
    return list_words(arena, &facts->policy->methods, "all");
}

const char *rule_value_variables(const struct rule_facts *facts, struct arena *arena)
{
    return list_words(arena, &facts->policy->variables_deny, "none");
}

const char *rule_value_public(const struct rule_facts *facts, struct arena *arena)
{
    (void)arena;
    return is_open(facts->policy) ? "" : NULL;
}

const char *rule_value_grid(const struct rule_facts *facts, struct arena *arena)
{
    (void)arena;
    return facts->cells != NULL && facts->cells->axis.days > 0
               ? analysis_grid_name(facts->policy->finest_grid)
               : NULL;
}

const char *rule_value_missing(const struct rule_facts *facts, struct arena *arena)
{
    (void)arena;
    if (!is_model(facts))
        return NULL;
    return facts->policy->missing == MISSING_STUDY ? "study" : "analysis";
}

const char *rule_value_cuts(const struct rule_facts *facts, struct arena *arena)
{
    (void)arena;
    return facts->policy->fine_predicates != FINE_ALLOW ? "" : NULL;
}

/* What the dictionary's bounds decide is not asked where the data are public. */
const char *rule_value_bounds(const struct rule_facts *facts, struct arena *arena)
{
    (void)arena;
    return is_open(facts->policy) ? NULL : "";
}

const char *rule_value_budget(const struct rule_facts *facts, struct arena *arena)
{
    const double budget = is_model(facts) ? facts->policy->budget_models : facts->policy->budget_tables;
    return facts->analysis != NULL && budget != POLICY_OFF
               ? arena_printf(arena, is_model(facts) ? "%g models" : "%g tables", budget)
               : NULL;
}

const char *rule_value_sites(const struct rule_facts *facts, struct arena *arena)
{
    return at_least(arena, facts->policy->min_sites);
}

const char *rule_value_own_totals(const struct rule_facts *facts, struct arena *arena)
{
    (void)arena;
    return facts->policy->own_totals == OWN_TOTALS_SHIELDED ? "" : NULL;
}

const char *rule_value_patients(const struct rule_facts *facts, struct arena *arena)
{
    return at_least(arena, facts->policy->min_patients);
}

const char *rule_value_cell(const struct rule_facts *facts, struct arena *arena)
{
    return at_least(arena, facts->policy->min_cell);
}

const char *rule_value_events(const struct rule_facts *facts, struct arena *arena)
{
    return counts(facts, CELL_EVENTS) ? at_least(arena, facts->policy->min_events) : NULL;
}

const char *rule_value_contributors(const struct rule_facts *facts, struct arena *arena)
{
    return at_least(arena, facts->policy->min_contributors);
}

const char *rule_value_share(const struct rule_facts *facts, struct arena *arena)
{
    return share(arena, facts->policy->max_site_share);
}

const char *rule_value_tail(const struct rule_facts *facts, struct arena *arena)
{
    for (size_t b = 0; facts->cells != NULL && b < facts->cells->spec.n_blocks; b++)
        if (facts->cells->tail[b] > 0)
            return at_least(arena, facts->policy->min_tail);
    return NULL;
}

const char *rule_value_parameters(const struct rule_facts *facts, struct arena *arena)
{
    return facts->cells != NULL && facts->cells->n_parameters > 0
               ? share(arena, facts->policy->max_parameter_share)
               : NULL;
}

const char *rule_value_differencing(const struct rule_facts *facts, struct arena *arena)
{
    const double least = facts->policy->differencing;
    return least > 1 ? arena_printf(arena, "%g", least - 1) : NULL;
}

const char *rule_value_model(const struct rule_facts *facts, struct arena *arena)
{
    (void)arena;
    return is_model(facts) ? "" : NULL;
}

/* Weights of the study, and those that a model makes of an offset or, where the researcher steps it, of its
 * own coefficients. */
const char *rule_value_ess(const struct rule_facts *facts, struct arena *arena)
{
    const bool weighted =
        facts->analysis != NULL && (facts->analysis->weights != NULL || facts->analysis->propensity != NULL);
    return (weighted || is_model(facts)) && facts->policy->min_ess_share != POLICY_OFF
               ? arena_printf(arena, "%g", facts->policy->min_ess_share)
               : NULL;
}

const char *rule_value_scalars(const struct rule_facts *facts, struct arena *arena)
{
    return is_model(facts) && !facts->unpooled && facts->policy->max_scalar_share != POLICY_OFF
               ? arena_printf(arena, "%g", facts->policy->max_scalar_share)
               : NULL;
}

/* Of a method whose result tells means of a number. */
const char *rule_value_moments(const struct rule_facts *facts, struct arena *arena)
{
    const bool told = facts->cells != NULL && facts->cells->n_moments > 0 && facts->policy->min_cell > 1;
    return told ? arena_strdup(arena, "3") : NULL;
}

/* Of a method whose result tells sums, or means of a number. */
const char *rule_value_shares(const struct rule_facts *facts, struct arena *arena)
{
    const bool told = (facts->cells != NULL && facts->cells->n_shares > 0) ||
                      (facts->analysis != NULL && facts->analysis->weights != NULL);
    const double share = policy_patient_share(facts->policy);
    return told && share > 0 ? arena_printf(arena, "%g", share) : NULL;
}

const char *rule_value_rounded(const struct rule_facts *facts, struct arena *arena)
{
    const double base = facts->policy->round_counts;
    return base != POLICY_OFF ? arena_printf(arena, "%g", base) : NULL;
}

const char *rule_value_unanimous(const struct rule_facts *facts, struct arena *arena)
{
    (void)arena;
    return facts->policy->unanimous == UNANIMOUS_HIDE && facts->policy->min_cell > 1 &&
                   counts(facts, CELL_TABLE)
               ? ""
               : NULL;
}
