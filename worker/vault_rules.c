/* Which rules of the policy were evaluated for a study, what each demands, and what came out: for the log. The order is the gate's
 * (disclosure/gate.h), which stops an analysis at the first rule that refuses it. */
#include <string.h>

#include "stats/methods.h"
#include "worker/vault_log.h"

/* What an analysis is asked for beyond names. */
struct facts {
    const struct policy *policy;
    const struct analysis *analysis;
    bool has_events, has_parameters, has_grid;
    struct arena *arena;
};

typedef const char *demand(const struct facts *facts); /* in words; NULL: the rule is off, or not for this analysis */

static const char *list_words(struct arena *arena, const struct name_list *list, const char *all)
{
    const char *text = "";
    if (list->all || list->n == 0)
        return all;
    for (size_t i = 0; i < list->n; i++)
        text = arena_printf(arena, "%s%s%s", text, i > 0 ? ", " : "", list->names[i]);
    return text;
}

static const char *demand_methods(const struct facts *facts)
{
    return list_words(facts->arena, &facts->policy->methods, "all");
}

static const char *demand_variables(const struct facts *facts)
{
    return arena_printf(facts->arena, "none of: %s", list_words(facts->arena, &facts->policy->variables_deny, "(nothing is denied)"));
}

static const char *demand_grid(const struct facts *facts)
{
    static const char *const units[] = {"day", "week", "month", "quarter", "year"};
    return facts->has_grid ? units[facts->policy->finest_grid] : NULL;
}

static const char *demand_missing(const struct facts *facts)
{
    return facts->policy->missing == MISSING_UNSET ? NULL
                                                   : facts->policy->missing == MISSING_STUDY ? "study" : "analysis";
}

static const char *demand_domain(const struct facts *facts)
{
    return strcmp(facts->policy->preset, "open") == 0 ? NULL : "decided by the dictionary's bounds alone";
}

static const char *at_least(const struct facts *facts, double minimum, const char *what)
{
    return minimum > 1 ? arena_printf(facts->arena, "at least %g %s", minimum, what) : NULL;
}

static const char *demand_patients(const struct facts *facts)
{
    return at_least(facts, facts->policy->min_patients, "patients");
}

static const char *demand_cell(const struct facts *facts)
{
    return at_least(facts, facts->policy->min_cell, "patients in a cell");
}

static const char *demand_events(const struct facts *facts)
{
    return facts->has_events ? at_least(facts, facts->policy->min_events, "events") : NULL;
}

static const char *demand_parameters(const struct facts *facts)
{
    double share = facts->policy->max_parameter_share;
    return facts->has_parameters && share < 1 ? arena_printf(facts->arena, "at most %g parameters a patient", share) : NULL;
}

static const struct rule_row {
    const char *name;
    demand *demand;
} rows[] = {
    {"methods", demand_methods},           {"variables.deny", demand_variables},
    {"finest_grid", demand_grid},          {"missing", demand_missing},
    {"domain_bounds", demand_domain},      {"min_patients", demand_patients},
    {"min_cell", demand_cell},             {"min_events", demand_events},
    {"max_parameter_share", demand_parameters},
};
enum { N_ROWS = sizeof rows / sizeof *rows, N_STUDY = 3 };

static struct facts facts_of(const struct policy *policy, const struct analysis *analysis, struct arena *arena)
{
    struct facts facts = {.policy = policy, .analysis = analysis, .arena = arena};
    struct maille_error ignored;
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    const struct method *method = method_find(analysis->method);
    if (method == NULL || method->cells(analysis, arena, cells, &ignored) != MAILLE_OK)
        return facts;
    facts.has_parameters = cells->n_parameters > 0;
    facts.has_grid = cells->grid_days > 0;
    for (size_t b = 0; b < cells->spec.n_blocks; b++)
        facts.has_events = facts.has_events || cells->rules[b] == CELL_EVENTS;
    return facts;
}

/* The rules of one analysis, up to the one that refused it. */
static size_t analysis_rules(struct audit_rule *out, const struct policy *policy, const struct analysis *analysis,
                             const struct verdict *verdict, struct arena *arena)
{
    const struct facts facts = facts_of(policy, analysis, arena);
    size_t n = 0;
    bool refused = verdict->rule[0] != '\0', listed = false;
    for (size_t r = 0; r < N_ROWS; r++)
        listed = listed || strcmp(rows[r].name, verdict->rule) == 0;
    for (size_t r = 0; r < N_ROWS; r++) {
        if (refused && !listed) /* a rule of the protocol: how far the policy came is not known */
            break;
        if (refused && strcmp(rows[r].name, verdict->rule) == 0)
            break;
        const char *value = rows[r].demand(&facts);
        if (value != NULL)
            out[n++] = (struct audit_rule){rows[r].name, analysis->id, "passed", value};
    }
    if (refused)
        out[n++] = (struct audit_rule){verdict->rule, analysis->id, "refused", verdict->sentence};
    return n;
}

size_t vault_rules(const struct audit_rule **rules, struct arena *arena, const struct policy *policy,
                   const struct vault_judged *judged)
{
    const struct study *study = judged->study;
    const size_t n_analyses = study != NULL && judged->verdicts != NULL ? study->n_analyses : 0;
    struct audit_rule *made = arena_array(arena, n_analyses * (N_ROWS + 1) + N_STUDY + 1, sizeof *made);
    size_t n = 0;
    if (judged->rule != NULL && judged->rule[0] != '\0')
        made[n++] = (struct audit_rule){judged->rule, "", "refused", judged->why != NULL ? judged->why : ""};
    if (n_analyses > 0) {
        made[n++] = (struct audit_rule){"purposes", "", "passed", list_words(arena, &policy->purposes, "all")};
        made[n++] = (struct audit_rule){"researchers", "", "passed", list_words(arena, &policy->researchers, "all")};
    }
    if (n_analyses > 0 && judged->decision != NULL && strcmp(judged->decision, "held") == 0)
        made[n++] = (struct audit_rule){"approval", "", "held", "a person decides"};
    for (size_t k = 0; k < n_analyses; k++)
        if (judged->open == NULL || judged->open[k])
            n += analysis_rules(&made[n], policy, &study->analyses[k], &judged->verdicts[k], arena);
    *rules = made;
    return n;
}
