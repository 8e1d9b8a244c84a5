/* Which rules of the policy were evaluated for a study, what each demands, and what came out: for the log.
 * The order is the gate's (disclosure/gate.h), which stops an analysis at the first rule that refuses it. */
#include <string.h>

#include "stats/methods.h"
#include "vault/log.h"

/* What an analysis is asked for beyond names. */
struct facts {
    const struct policy *policy;
    const struct analysis *analysis;
    bool has_events, has_parameters, has_grid;
    struct arena *arena;
};

typedef const char *
demand(const struct facts *facts); /* in words; NULL: the rule is off, or not for this analysis */

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
    return arena_printf(facts->arena, "none of: %s",
                        list_words(facts->arena, &facts->policy->variables_deny, "(nothing is denied)"));
}

static const char *demand_grid(const struct facts *facts)
{
    static const char *const units[] = {"day", "week", "month", "quarter", "year"};
    return facts->has_grid ? units[facts->policy->finest_grid] : NULL;
}

static const char *demand_missing(const struct facts *facts)
{
    return facts->policy->missing == MISSING_UNSET   ? NULL
           : facts->policy->missing == MISSING_STUDY ? "study"
                                                     : "analysis";
}

static const char *demand_domain(const struct facts *facts)
{
    return strcmp(facts->policy->preset, "open") == 0 ? NULL : "decided by the dictionary's bounds alone";
}

static const char *demand_arithmetic(const struct facts *facts)
{
    return strcmp(facts->policy->preset, "open") == 0
               ? NULL
               : "nothing that a few patients could carry alone, by the dictionary's bounds";
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
    return facts->has_parameters && share < 1
               ? arena_printf(facts->arena, "at most %g parameters a patient", share)
               : NULL;
}

static const char *demand_contributors(const struct facts *facts)
{
    return at_least(facts, facts->policy->min_contributors, "sites with patients in a cell");
}

static const char *demand_share(const struct facts *facts)
{
    double share = facts->policy->max_site_share;
    return share < 1 ? arena_printf(facts->arena, "at most %g of a cell from one site", share) : NULL;
}

static const char *demand_differencing(const struct facts *facts)
{
    double least = facts->policy->differencing;
    return least > 1
               ? arena_printf(facts->arena, "no earlier question that differs by 1 to %g patients", least - 1)
               : NULL;
}

/* When a rule is looked at: with the question, or with pooled numbers once they are there. */
enum stage { STAGE_QUESTION, STAGE_POOLED };

static const struct rule_row {
    const char *name;
    enum stage stage;
    demand *demand;
} rows[] = {
    {"methods", STAGE_QUESTION, demand_methods},
    {"variables.deny", STAGE_QUESTION, demand_variables},
    {"finest_grid", STAGE_QUESTION, demand_grid},
    {"missing", STAGE_QUESTION, demand_missing},
    {"arithmetic", STAGE_QUESTION, demand_arithmetic},
    {"domain_bounds", STAGE_QUESTION, demand_domain},
    {"min_patients", STAGE_POOLED, demand_patients},
    {"min_cell", STAGE_POOLED, demand_cell},
    {"min_events", STAGE_POOLED, demand_events},
    {"min_contributors", STAGE_POOLED, demand_contributors},
    {"max_site_share", STAGE_POOLED, demand_share},
    {"max_parameter_share", STAGE_POOLED, demand_parameters},
    {"differencing", STAGE_POOLED, demand_differencing},
};
enum { N_ROWS = sizeof rows / sizeof *rows, N_STUDY = 3 };

static struct facts facts_of(const struct policy *policy, const struct analysis *analysis,
                             struct arena *arena)
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

/* The rules of one analysis at one stage. With the question they are looked at one after the other, up to the
 * one that refuses; in the plan one of them is named where any refuses, and what the others would have said
 * is not known. */
static size_t analysis_rules(struct audit_rule *out, const struct policy *policy,
                             const struct analysis *analysis, enum stage stage, const char *rule,
                             const char *sentence, struct arena *arena)
{
    const struct facts facts = facts_of(policy, analysis, arena);
    const bool refused = rule[0] != '\0';
    bool listed = false;
    size_t n = 0;
    for (size_t r = 0; r < N_ROWS; r++)
        listed = listed || (rows[r].stage == stage && strcmp(rows[r].name, rule) == 0);
    for (size_t r = 0; r < N_ROWS; r++) {
        if (rows[r].stage != stage || (refused && (!listed || stage == STAGE_POOLED)))
            continue;
        if (refused && strcmp(rows[r].name, rule) == 0)
            break;
        const char *value = rows[r].demand(&facts);
        if (value != NULL)
            out[n++] = (struct audit_rule){rows[r].name, analysis->id, "passed", value};
    }
    if (refused)
        out[n++] = (struct audit_rule){rule, analysis->id, "refused", sentence};
    return n;
}

/* What a rule of the plan demands, for the sentence of a refusal: the plan itself names no number. */
static const char *demanded(const struct policy *policy, const struct analysis *analysis, const char *rule,
                            struct arena *arena)
{
    const struct facts facts = facts_of(policy, analysis, arena);
    for (size_t r = 0; r < N_ROWS; r++)
        if (strcmp(rows[r].name, rule) == 0) {
            const char *value = rows[r].demand(&facts);
            return value != NULL ? value : "";
        }
    return "";
}

static size_t plan_rules(struct audit_rule *out, const struct policy *policy,
                         const struct vault_judged *judged, size_t k, struct arena *arena)
{
    const struct plan_analysis *analysis = &judged->plan->analyses[k];
    size_t n = analysis_rules(out, policy, &judged->study->analyses[k], STAGE_POOLED, analysis->rule,
                              demanded(policy, &judged->study->analyses[k], analysis->rule, arena), arena);
    if (analysis->rule[0] == '\0' && analysis->n_suppressed > 0)
        out[n++] = (struct audit_rule){"suppression", judged->study->analyses[k].id, "passed",
                                       arena_printf(arena, "%zu cells are hidden", analysis->n_suppressed)};
    return n;
}

size_t vault_rules(const struct audit_rule **rules, struct arena *arena, const struct policy *policy,
                   const struct vault_judged *judged)
{
    const struct study *study = judged->study;
    const bool begins = judged->plan == NULL && judged->header == NULL;
    const bool judges = study != NULL && (judged->verdicts != NULL || judged->plan != NULL);
    const size_t n_analyses = !judges ? 0
                              : judged->plan != NULL && judged->plan->n < study->n_analyses
                                  ? judged->plan->n
                                  : study->n_analyses;
    struct audit_rule *made = arena_array(arena, n_analyses * (N_ROWS + 2) + N_STUDY + 1, sizeof *made);
    size_t n = 0;
    if (judged->rule != NULL && judged->rule[0] != '\0')
        made[n++] = (struct audit_rule){judged->rule, "", "refused", judged->why != NULL ? judged->why : ""};
    if (n_analyses > 0 && begins) {
        made[n++] =
            (struct audit_rule){"purposes", "", "passed", list_words(arena, &policy->purposes, "all")};
        made[n++] =
            (struct audit_rule){"researchers", "", "passed", list_words(arena, &policy->researchers, "all")};
        if (judged->decision != NULL && strcmp(judged->decision, "held") == 0)
            made[n++] = (struct audit_rule){"approval", "", "held", "a person decides"};
    }
    for (size_t k = 0; k < n_analyses; k++) {
        const struct verdict *verdict = judged->verdicts != NULL ? &judged->verdicts[k] : NULL;
        if (judged->plan != NULL && judged->plan->analyses[k].open)
            n += plan_rules(&made[n], policy, judged, k, arena);
        else if (judged->plan == NULL && begins)
            n += analysis_rules(&made[n], policy, &study->analyses[k], STAGE_QUESTION, verdict->rule,
                                verdict->sentence, arena);
        else if (judged->plan == NULL && (judged->open == NULL || judged->open[k]) &&
                 verdict->rule[0] != '\0')
            made[n++] =
                (struct audit_rule){verdict->rule, study->analyses[k].id, "refused", verdict->sentence};
    }
    *rules = made;
    return n;
}
