/* Which rules were evaluated for a study, what each asked for, and what came out: for the log. What a rule
 * asks for is in its row (disclosure/rule.h), in whose order the gate looks at them; the gate stops an
 * analysis at the first that refuses it. */
#include <string.h>

#include "disclosure/rule.h"
#include "stats/methods.h"
#include "vault/private.h"

enum { STUDY_RULES = 8 };

/* How the head counts of this query are judged is known once its first threshold round is here. */
static bool unpooled(const struct query *query, size_t k)
{
    return query->custody.patients == NULL || query->custody.patients[k] <= 0;
}

static struct rule_facts facts_of(const struct policy *policy, const struct query *query,
                                  const struct study *study, size_t k, struct arena *arena)
{
    const struct analysis *analysis = &study->analyses[k];
    const struct method *method = method_find(analysis->method);
    struct maille_error ignored;
    struct cells *cells = arena_alloc(arena, sizeof *cells);
    const bool counted = method != NULL && method_cells(analysis, arena, cells, &ignored) == MAILLE_OK;
    return (struct rule_facts){.policy = policy,
                               .analysis = analysis,
                               .cells = counted ? cells : NULL,
                               .unpooled = unpooled(query, k)};
}

/* The rules of one stage that a policy turns on, up to `until` (NULL: all of them), as passed; of_study:
 * those that are asked of the study as a whole, else those of one analysis. held: a rule that leaves it to a
 * person (NULL: none). Returns their number. */
static size_t put_passed(struct audit_rule *out, enum rule_stage stage, bool of_study,
                         const struct rule_facts *facts, const char *until, const char *held,
                         struct arena *arena)
{
    size_t n = 0;
    for (size_t r = 0; r < rule_n_rows; r++) {
        const struct rule *rule = &rule_rows[r];
        if (until != NULL && strcmp(rule->code, until) == 0)
            break;
        if (!(rule->stages & stage) || rule->of_study != of_study ||
            (held != NULL && strcmp(rule->code, held) == 0))
            continue;
        const char *demand = rule_demand(arena, rule, facts, LANGUAGE_EN);
        if (demand != NULL)
            out[n++] = (struct audit_rule){rule->code, facts->analysis != NULL ? facts->analysis->id : "",
                                           "passed", demand};
    }
    return n;
}

/* With the question they are looked at one after the other, up to the one that refuses. */
static size_t question_rules(struct audit_rule *out, const struct rule_facts *facts,
                             const struct verdict *verdict, struct arena *arena)
{
    const struct rule *rule = rule_find(verdict->rule);
    size_t n = 0;
    if (verdict->rule[0] == '\0' || (rule != NULL && rule->stages & RULE_ASKED))
        n = put_passed(out, RULE_ASKED, false, facts, rule != NULL ? rule->code : NULL,
                       verdict->held[0] != '\0' ? "cuts" : NULL, arena);
    if (verdict->rule[0] == '\0' && verdict->held[0] != '\0')
        out[n++] = (struct audit_rule){"cuts", facts->analysis->id, "held", verdict->held};
    if (verdict->rule[0] != '\0')
        out[n++] = (struct audit_rule){verdict->rule, facts->analysis->id, "refused", verdict->sentence};
    return n;
}

/* In the plan one of them is named where any refuses, and what the others would have said is not known. The
 * plan itself names no number; of those that are told as one, "few", the log has the key of the policy. */
static size_t plan_rules(struct audit_rule *out, const struct rule_facts *facts,
                         const struct plan_analysis *planned, struct arena *arena)
{
    const char *refused = planned->why != NULL ? planned->why : planned->rule;
    const struct rule *rule = rule_find(refused);
    const char *id = facts->analysis->id;
    size_t n = 0;
    if (planned->rule[0] != '\0') {
        const char *demand = rule != NULL ? rule_demand(arena, rule, facts, LANGUAGE_EN) : NULL;
        out[n++] = (struct audit_rule){refused, id, "refused", demand != NULL ? demand : ""};
        return n;
    }
    n = put_passed(out, RULE_POOLED, false, facts, NULL, NULL, arena);
    if (planned->n_suppressed > 0)
        out[n++] = (struct audit_rule){"suppression", id, "passed",
                                       arena_printf(arena, "%zu cells are hidden", planned->n_suppressed)};
    return n;
}

static struct audit_rule *room_for(struct arena *arena, size_t n_analyses)
{
    return arena_array(arena, n_analyses * (rule_n_rows + 2) + rule_n_rows + STUDY_RULES,
                       sizeof(struct audit_rule));
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
    struct audit_rule *made = room_for(arena, n_analyses);
    const struct rule_facts whole = {.policy = policy};
    size_t n = 0;
    if (judged->rule != NULL && judged->rule[0] != '\0')
        made[n++] = (struct audit_rule){judged->rule, "", "refused", judged->why != NULL ? judged->why : ""};
    if (n_analyses > 0 && begins) {
        n += put_passed(&made[n], RULE_ASKED, true, &whole, NULL, NULL, arena);
        if (judged->decision != NULL && strcmp(judged->decision, "held") == 0)
            made[n++] =
                (struct audit_rule){"approval", "", "held", rule_find("approval")->demand[LANGUAGE_EN]};
    }
    for (size_t k = 0; k < n_analyses; k++) {
        const struct verdict *verdict = judged->verdicts != NULL ? &judged->verdicts[k] : NULL;
        const struct rule_facts facts = facts_of(policy, judged->query, study, k, arena);
        if (judged->plan != NULL && judged->plan->analyses[k].open)
            n += plan_rules(&made[n], &facts, &judged->plan->analyses[k], arena);
        else if (judged->plan == NULL && begins)
            n += question_rules(&made[n], &facts, verdict, arena);
        else if (judged->plan == NULL && (judged->open == NULL || judged->open[k]) &&
                 verdict->rule[0] != '\0')
            made[n++] =
                (struct audit_rule){verdict->rule, study->analyses[k].id, "refused", verdict->sentence};
    }
    *rules = made;
    return n;
}

size_t vault_rules_roster(const struct audit_rule **rules, struct arena *arena, const struct policy *policy,
                          const struct maille_error *why)
{
    const struct rule_facts whole = {.policy = policy};
    struct audit_rule *made = room_for(arena, 0);
    const char *until = why != NULL ? why->rule : NULL;
    size_t n = put_passed(made, RULE_ROSTER, false, &whole, until, NULL, arena);
    n += put_passed(&made[n], RULE_ROSTER, true, &whole, until, NULL, arena);
    if (why != NULL)
        made[n++] = (struct audit_rule){why->rule, "", "refused", why->sentence};
    *rules = made;
    return n;
}

/* Of a threshold round only what noise was sent for: its other rules are judged with its totals. */
size_t vault_rules_left(const struct audit_rule **rules, struct arena *arena, const struct policy *policy,
                        const struct vault_left *left)
{
    const struct message_round_header *header = left->header;
    struct audit_rule *made = room_for(arena, 2 * header->n_analyses);
    size_t n = 0;
    for (size_t i = 0; i < header->n_analyses && left->plan != NULL; i++) {
        const struct rule_facts facts =
            facts_of(policy, left->query, left->query->study, header->analyses[i], arena);
        const bool vetoed = left->vetoed != NULL && left->vetoed[header->analyses[i]];
        n += put_passed(&made[n], RULE_ROUND, false, &facts,
                        vetoed ? left->objections[header->analyses[i]].rule : NULL, NULL, arena);
    }
    for (size_t i = 0; i < header->n_analyses && left->vetoed != NULL; i++) {
        const uint32_t k = header->analyses[i];
        if (left->vetoed[k])
            made[n++] = (struct audit_rule){left->objections[k].rule, left->query->study->analyses[k].id,
                                            "vetoed", left->objections[k].sentence};
    }
    *rules = made;
    return n;
}
