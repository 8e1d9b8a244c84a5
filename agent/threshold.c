/* What the policies of a roster settle: whether the first rounds of a circle are threshold rounds
 * (docs/PROTOCOL.md §7). Neither a total nor the plan of them ever comes here. */
#include "agent/private.h"

/* What the policies of the roster settle, here as at every site: whether head counts are judged first and by
 * which policy, and which earlier groups are looked at. */
enum maille_code agent_settle_policies(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char **texts = arena_array(agent->arena, agent->n_sites + 1, sizeof *texts);
    size_t *lengths = arena_array(agent->arena, agent->n_sites + 1, sizeof *lengths);
    struct message_accept *accepts = arena_array(agent->arena, agent->n_sites + 1, sizeof *accepts);
    size_t n = 0;
    for (size_t s = 0; s < agent->n_sites; s++) {
        const struct agent_site *site = &agent->sites[s];
        const struct policy *unused;
        struct maille_error why;
        if (!site->member)
            continue;
        texts[n] = (const char *)site->accept.floor.data;
        lengths[n] = site->accept.floor.length;
        if (policy_parse(&unused, agent->arena, "policy", texts[n], lengths[n], &why) != MAILLE_OK) {
            code = maille_fail(error, MAILLE_SIGNATURE,
                               "expected the policy of %s in its accept, found one that does not parse: its "
                               "program is wrong, or lies; ask again without it",
                               site->site->name);
            goto out;
        }
        accepts[n++] = site->accept;
    }
    MAILLE_TRY(policy_strictest(&agent->strictest, agent->arena, texts, lengths, n, error));
    agent->thresholds = agent_in_circle(agent) && threshold_needed(agent->strictest);
    agent->n_past = message_ledger_union(&agent->entries, agent->arena, accepts, n);
    const struct directory_cohorts *cohorts = &agent->options.directory->cohorts;
    const struct published_cohort *list;
    const size_t n_list = directory_cohorts_of(&list, agent->arena, cohorts, agent->study->dictionary);
    if (cohorts->list != NULL)
        MAILLE_TRY(
            published_make(&agent->published, agent->arena, agent->study->dictionary, list, n_list, error));
    agent->past = arena_array(agent->arena, agent->n_past + 1, sizeof *agent->past);
    for (size_t e = 0; e < agent->n_past; e++)
        agent->past[e].groups = part_groups_listed(&agent->past[e].n_groups, agent->entries[e].families,
                                                   agent->entries[e].shown, agent->arena);
    agent->past[agent->n_past] = published_past(&agent->published);
out:
    return code;
}

enum threshold_which agent_which(struct agent *agent, uint32_t round, const uint32_t *members,
                                 size_t n_members)
{
    if (!agent->thresholds)
        return 0;
    for (size_t e = 0; e < agent->n_past; e++) {
        agent->past[e].gone = message_ledger_gone(&agent->entries[e], members, n_members);
        agent->past[e].other = message_ledger_other(&agent->entries[e], members, n_members);
    }
    return threshold_round(threshold_before(agent->strictest, agent->past, agent->n_past), round);
}

uint32_t agent_values_from(const struct agent *agent)
{
    return agent->thresholds
               ? threshold_values_from(threshold_before(agent->strictest, agent->past, agent->n_past))
               : 1;
}
