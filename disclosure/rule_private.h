/* Private to disclosure/: what a policy has in each rule (struct rule says when it has nothing). */
#ifndef DISCLOSURE_RULE_PRIVATE_H
#define DISCLOSURE_RULE_PRIVATE_H

#include "disclosure/rule.h"

typedef const char *rule_value(const struct rule_facts *facts, struct arena *arena);

rule_value rule_value_purposes, rule_value_researchers, rule_value_methods, rule_value_variables;
rule_value rule_value_public, rule_value_grid, rule_value_missing, rule_value_bounds, rule_value_budget;
rule_value rule_value_sites, rule_value_own_totals, rule_value_patients, rule_value_cell, rule_value_events;
rule_value rule_value_contributors, rule_value_share, rule_value_tail, rule_value_parameters;
rule_value rule_value_cuts, rule_value_unanimous, rule_value_differencing, rule_value_model, rule_value_ess;
rule_value rule_value_scalars, rule_value_moments, rule_value_shares, rule_value_rounded;

/* Words that a value may be, or that may follow its number, in all languages; each ends with NULL. */
typedef const char *const rule_term[LANGUAGES];
extern rule_term rule_terms_all[], rule_terms_everybody[], rule_terms_denied[], rule_terms_grid[];
extern rule_term rule_terms_budget[];

#endif
