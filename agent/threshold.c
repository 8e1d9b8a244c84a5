/* The threshold rounds as the agent sees them: sites that say that they hold the totals, and the plan that
 * they made of them (docs/PROTOCOL.md §7). No total ever comes here. */
#include "agent/private.h"

#include <stdlib.h>
#include <string.h>

/* What the policies of the roster settle, here as at every site: whether head counts are judged first and by
 * which policy, and which earlier groups are looked at. */
enum maille_code agent_settle_policies(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message_ledger_entry *entries;
    const char **texts = arena_array(agent->arena, agent->n_sites + 1, sizeof *texts);
    size_t *lengths = arena_array(agent->arena, agent->n_sites + 1, sizeof *lengths);
    struct message_accept *accepts = arena_array(agent->arena, agent->n_sites + 1, sizeof *accepts);
    size_t n = 0;
    for (size_t s = 0; s < agent->n_sites; s++)
        if (agent->sites[s].member) {
            texts[n] = (const char *)agent->sites[s].accept.floor.data;
            lengths[n] = agent->sites[s].accept.floor.length;
            accepts[n++] = agent->sites[s].accept;
        }
    MAILLE_TRY(policy_strictest(&agent->strictest, agent->arena, texts, lengths, n, error));
    agent->thresholds = threshold_needed(agent->strictest);
    agent->n_past = message_ledger_union(&entries, agent->arena, accepts, n);
    struct threshold_past *past = arena_array(agent->arena, agent->n_past + 1, sizeof *past);
    for (size_t e = 0; e < agent->n_past; e++) /* who of them is gone changes no word's place */
        past[e].n_groups = message_bits(entries[e].shown);
    agent->past = past;
out:
    return code;
}

enum threshold_which agent_which(const struct agent *agent, uint32_t round)
{
    if (!agent->thresholds)
        return 0;
    return round == 1 ? THRESHOLD_FIRST : round == 2 ? THRESHOLD_SECOND : 0;
}

/* The member's place in this attempt; n_members where it is none. */
static size_t member_of(const struct agent *agent, uint32_t site)
{
    size_t m = 0;
    while (m < agent->at.n_members && agent->at.members[m] != site)
        m++;
    return m;
}

enum maille_code agent_on_taken(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_taken *taken = &in->body.taken;
    struct agent_site *site;
    if ((!agent_in_circle(agent) && agent->at.shape.which != THRESHOLD_FIRST) ||
        !digest_equal(&taken->psi, &agent->at.psi))
        goto out;
    MAILLE_TRY(agent_signer(&site, agent, in, taken->site, error));
    if (agent_in_circle(agent)) {
        agent_took(agent, taken);
        goto out;
    }
    size_t m = member_of(agent, taken->site);
    if (m < agent->at.n_members && !agent->at.taken[m]) {
        agent->at.taken[m] = true;
        agent->moved_ms = agent_now_ms(agent);
    }
out:
    return code;
}

enum maille_code agent_on_plan(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_plan *plan = &in->body.plan;
    struct agent_site *site;
    struct bytes opened = {0};
    struct agent_round *at = &agent->at;
    if (agent_in_circle(agent) || at->shape.which != THRESHOLD_SECOND || !digest_equal(&plan->psi, &at->psi))
        goto out;
    MAILLE_TRY(agent_signer(&site, agent, in, plan->site, error));
    size_t m = member_of(agent, plan->site);
    if (m == at->n_members || at->taken[m])
        goto out;
    if (seal_open(&opened, agent->rk, agent->rk_secret, plan->sealed.data, plan->sealed.length, error) !=
            MAILLE_OK ||
        opened.length == 0) {
        code = maille_fail(error, MAILLE_PROTOCOL,
                           "expected a plan of %s sealed to this query's key, found other bytes",
                           site->site->name);
        goto out;
    }
    if (at->plan.length == 0)
        MAILLE_TRY(bytes_copy(&at->plan, opened.data, opened.length));
    else if (at->plan.length != opened.length || memcmp(at->plan.data, opened.data, opened.length) != 0) {
        code = maille_fail(error, MAILLE_SIGNATURE,
                           "expected the same plan of what may be released from all sites, found that %s "
                           "made another than those before it; the query cannot go on",
                           site->site->name);
        goto out;
    }
    at->taken[m] = true;
    agent->moved_ms = agent_now_ms(agent);
out:
    bytes_clear(&opened);
    return code;
}

bool agent_taken_by_all(const struct agent *agent)
{
    bool all = true;
    for (size_t m = 0; m < agent->at.n_members; m++)
        all = all && agent->at.taken[m];
    return all;
}

/* The plan must speak of the analyses that were asked. */
static enum maille_code take_plan(struct agent *agent, const uint8_t *bytes, size_t length,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(plan_read(&agent->plan, agent->study, bytes, length, error));
    for (size_t k = 0; k < agent->plan.n; k++)
        if (agent->plan.analyses[k].open != agent->at.shape.open[k]) {
            plan_clear(&agent->plan);
            return maille_fail(
                error, MAILLE_SIGNATURE,
                "expected a plan of the analyses that were asked, found another; the query cannot go on");
        }
    hash_kdf(&agent->plan_hash, NULL, "plan", bytes, length);
    study_run_survive(&agent->run, agent->plan.surviving);
    for (size_t k = 0; k < agent->plan.n; k++)
        if (agent->plan.analyses[k].rule[0] != '\0')
            agent_mark_refused(agent, k, agent->plan.analyses[k].rule);
out:
    return code;
}

enum maille_code agent_take_threshold(struct agent *agent, const uint8_t *plan, size_t length,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (!agent->at.under_way || agent->at.shape.which != (length == 0 ? THRESHOLD_FIRST : THRESHOLD_SECOND))
        return maille_fail(error, MAILLE_CORRUPT,
                           "expected the end of a threshold round in a query's state, found that of another");
    if (length > 0)
        MAILLE_TRY(take_plan(agent, plan, length, error));
    agent_round_over(agent);
out:
    return code;
}

enum maille_code agent_threshold_done(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const bool first = agent->at.shape.which == THRESHOLD_FIRST;
    struct bytes plan = {0}, record = {0};
    if (!first) {
        MAILLE_TRY(bytes_copy(&plan, agent->at.plan.data, agent->at.plan.length));
        bytes_put_block(&record, plan.data, plan.length);
    }
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(agent_journal_append(agent, first ? JOURNAL_CUSTODY : JOURNAL_PLAN, &record, error));
    MAILLE_TRY(agent_take_threshold(agent, plan.data, plan.length, error));
    for (size_t k = 0; !first && k < agent->plan.n; k++)
        if (agent->plan.analyses[k].rule[0] != '\0')
            agent_say(agent, "%s: refused (%s) by the head counts of all sites together",
                      agent->study->analyses[k].id, agent->plan.analyses[k].rule);
out:
    bytes_clear(&plan);
    bytes_clear(&record);
    return code;
}
