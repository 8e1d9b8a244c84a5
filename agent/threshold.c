/* What the policies of a roster settle: whether the first two rounds of a circle are threshold rounds
 * (docs/PROTOCOL.md §7). Neither a total nor the plan of them ever comes here. */
#include "agent/private.h"

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
    agent->thresholds = agent_in_circle(agent) && threshold_needed(agent->strictest);
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
