/* Until there is a roster: who is ready, the call, and what M2 must hold (docs/PROTOCOL.md §3, M0a to M2). */
#include "agent/private.h"

#include <stdlib.h>
#include <string.h>

bool agent_without(const struct agent *agent, const char *site)
{
    for (size_t i = 0; i < agent->options.n_without; i++)
        if (strcmp(agent->options.without[i], site) == 0)
            return true;
    return false;
}

enum maille_code agent_fail_away(const struct agent *agent, const struct directory_site *const *sites,
                                 size_t n, const char *what, struct maille_error *error)
{
    const char *names = "";
    for (size_t i = 0; i < n; i++)
        names = arena_printf(agent->arena, "%s%s%s", names,
                             i == 0       ? ""
                             : i + 1 == n ? " and "
                                          : ", ",
                             sites[i]->name);
    return maille_fail(
        error, MAILLE_UNREACHABLE,
        "expected every site that the study names to %s, found %s silent; `maille resume %.8s` goes "
        "on once it is back, --without %s goes on without it",
        what, names, agent->id, sites[0]->name);
}

enum maille_code agent_on_ready(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_ready *ready = &in->body.ready;
    struct agent_site *site;
    MAILLE_TRY(agent_signer(&site, agent, in, ready->site, error));
    if (!site->has_ready || site->ready != ready->state)
        agent->moved_ms = agent_now_ms(agent);
    if (ready->state == READY_HELD && !(site->has_ready && site->ready == READY_HELD))
        agent_say(agent, "%s holds the study until its officer approves", site->site->name);
    site->has_ready = true;
    site->ready = ready->state;
    for (size_t f = 0; f < ready->n_findings; f++)
        MAILLE_TRY(agent_refuse(agent, ready->findings[f].analysis, ready->findings[f].rule, site, error));
    /* One site that refuses the whole study refuses it for all. */
    for (size_t k = 0; ready->state == READY_REFUSED && k < agent->study->n_analyses; k++)
        MAILLE_TRY(agent_refuse(agent, k, ready->rule, site, error));
out:
    return code;
}

static enum maille_code send_call(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes body = {0}, record = {0};
    struct message_call call = {0};
    uint32_t *sites = calloc(agent->n_sites + 1, sizeof *sites);
    if (sites == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    memcpy(call.qid, agent->qid, QID_BYTES);
    call.sites = sites;
    for (size_t s = 0; s < agent->n_sites; s++) {
        struct agent_site *site = &agent->sites[s];
        site->called = site->has_ready && site->ready == READY_READY;
        if (site->called)
            sites[call.n_sites++] = site->site->id;
        else
            agent_say(agent,
                      site->has_ready ? "left out: %s, whose officer has not decided"
                                      : "left out: %s did not answer",
                      site->site->name);
    }
    MAILLE_TRY(message_call_encode(&body, &call, error));
    MAILLE_TRY(agent_keep(agent, MESSAGE_CALL, &body, NULL, error));
    bytes_put_block(&record, agent->last.data, agent->last.length);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(agent_journal_append(agent, JOURNAL_CALL, &record, error));
    agent->stage = STAGE_CALLED;
    MAILLE_TRY(agent_send_last(agent, error));
out:
    free(sites);
    bytes_clear(&body);
    bytes_clear(&record);
    return code;
}

/* The named sites that have not answered; n: how many. In the agent's arena. */
static const char *names_of_silent(const struct agent *agent, size_t *n)
{
    const char *names = "";
    *n = 0;
    for (size_t s = 0; s < agent->n_sites; s++)
        if (!agent->sites[s].has_ready)
            names = arena_printf(agent->arena, "%s%s%s", names, (*n)++ > 0 ? ", " : "",
                                 agent->sites[s].site->name);
    return names;
}

/* MAILLE_UNREACHABLE where a site has not answered that the study cannot do without, or where too few are
 * left. */
static enum maille_code silent_sites(struct agent *agent, struct maille_error *error)
{
    const struct directory_site *away[MESSAGE_SITES_MAX];
    size_t n = 0, silent;
    const char *names = names_of_silent(agent, &silent);
    if (silent > 0 && agent->n_sites - silent < agent->n_min)
        return maille_fail(
            error, MAILLE_UNREACHABLE,
            "expected at least %u of the %zu sites that are named to answer, found %zu: they cannot go on "
            "without %s; `maille resume %.8s` once it is back, or ask the others alone: maille run with "
            "--without",
            agent->n_min, agent->n_sites, agent->n_sites - silent, names, agent->id);
    for (size_t s = 0; s < agent->n_sites && n < MESSAGE_SITES_MAX; s++)
        if (!agent->sites[s].has_ready && !agent_without(agent, agent->sites[s].site->name))
            away[n++] = agent->sites[s].site;
    return n == 0 ? MAILLE_OK : agent_fail_away(agent, away, n, "answer", error);
}

/* A coordinator that was started again has not heard anybody yet: so long it is believed that they come. */
enum { COMING_MS = 4000 };

void agent_count_connected(struct agent *agent, const struct message_status *status)
{
    const char *names = "";
    size_t there = 0;
    if (agent->stage != STAGE_ASKED || status->phase != PHASE_ASKED)
        return;
    for (size_t s = 0; s < agent->n_sites; s++) {
        bool is_there = agent->sites[s].has_ready;
        for (size_t i = 0; i < status->n_connected && !is_there; i++)
            is_there = status->connected[i] == agent->sites[s].site->id;
        there += is_there;
        if (!is_there)
            names = arena_printf(agent->arena, "%s%s%s", names, names[0] != '\0' ? ", " : "",
                                 agent->sites[s].site->name);
    }
    if (there >= agent->n_min) {
        agent->too_few_ms = 0;
        return;
    }
    if (agent->too_few_ms != 0)
        return;
    agent->too_few_ms = agent_now_ms(agent);
    agent->away = names;
    if (!agent->told_too_few)
        agent_say(
            agent,
            "not connected: %s; of the %zu sites that are named at least %u are needed, and %zu cannot go "
            "on alone%s",
            names, agent->n_sites, agent->n_min, there, agent->options.wait ? ": waiting" : "");
    agent->told_too_few = true;
}

enum maille_code agent_call_when_ready(struct agent *agent, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t ready = 0, held = 0, silent;
    if (!study_run_open(&agent->run))
        return MAILLE_OK;
    for (size_t s = 0; s < agent->n_sites; s++) {
        ready += agent->sites[s].has_ready && agent->sites[s].ready == READY_READY;
        held += agent->sites[s].has_ready && agent->sites[s].ready == READY_HELD;
    }
    if (ready == agent->n_sites)
        return send_call(agent, error);
    if (agent->too_few_ms != 0 && !agent->options.wait && agent_now_ms(agent) - agent->too_few_ms > COMING_MS)
        return maille_fail(
            error, MAILLE_UNREACHABLE,
            "expected %u of the %zu sites that are named to be connected, found %s away; `maille "
            "resume %.8s` once they are back, --wait waits for them, or ask the others alone: maille "
            "run with --without",
            agent->n_min, agent->n_sites, agent->away, agent->id);
    if (held > 0 && !agent->options.without_held)
        return MAILLE_OK;
    (void)names_of_silent(agent, &silent);
    if (agent->options.wait && silent > 0)
        return MAILLE_OK;
    if (agent_now_ms(agent) - agent->asked_ms < agent->options.directory->timeouts.ready_ms)
        return MAILLE_OK;
    MAILLE_TRY(silent_sites(agent, error));
    if (ready >= agent->n_min)
        code = send_call(agent, error);
out:
    return code;
}

/* One accept of the roster: signed by a site of the query, for this very manifest. */
static enum maille_code take_accept(struct agent *agent, struct arena *arena, const struct byte_view *bytes,
                                    uint32_t *previous, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    const struct message_accept *accept = &in.body.accept;
    struct agent_site *site;
    MAILLE_TRY(message_within(&in, arena, bytes, MESSAGE_ACCEPT, agent->options.directory, FROM_SITE, error));
    MAILLE_TRY(agent_signer(&site, agent, &in, accept->site, error));
    if (memcmp(accept->qid, agent->qid, QID_BYTES) != 0 ||
        !digest_equal(&accept->manifest_hash, &agent->manifest_hash)) {
        code = maille_protest(error, "accept", "expected %s to accept this question, found another",
                              site->site->name);
        goto out;
    }
    if (accept->site <= *previous) {
        code = maille_protest(error, "sites",
                              "expected the sites of a roster in order, found %s twice or too late",
                              site->site->name);
        goto out;
    }
    for (size_t s = 0; s < agent->n_sites; s++)
        if (agent->sites[s].member &&
            strcmp(agent->sites[s].site->legal_entity, site->site->legal_entity) == 0) {
            code = maille_protest(error, "legal_entities",
                                  "expected distinct legal entities, found %s and %s of one",
                                  agent->sites[s].site->name, site->site->name);
            goto out;
        }
    *previous = accept->site;
    site->accept = *accept;
    site->member = true;
    agent->n_roster++;
out:
    return code;
}

enum maille_code agent_take_roster(struct agent *agent, const struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_roster *roster = &in->body.roster;
    struct digest rho;
    uint32_t previous = 0;
    for (size_t s = 0; s < agent->n_sites; s++)
        agent->sites[s].member = false;
    agent->n_roster = 0;
    for (size_t a = 0; a < roster->n; a++)
        MAILLE_TRY(take_accept(agent, in->arena, &roster->accepts[a], &previous, error));
    MAILLE_TRY(message_rho(&rho, &agent->manifest_hash, roster->accepts, roster->n, error));
    if (agent->n_roster < agent->n_min) {
        code = maille_protest(error, "n_min", "expected at least %u sites in the roster, found %zu",
                              agent->n_min, agent->n_roster);
        goto out;
    }
    MAILLE_TRY(agent_settle_policies(agent, error));
    agent->rho = rho;
    agent->coordinator_head = roster->head;
    agent->stage = STAGE_ROUND;
out:
    return code;
}

/* In a circle all sites step, and must come to the same bits. */
static enum maille_code check_arithmetic(const struct agent *agent, struct maille_error *error)
{
    const struct agent_site *first = NULL;
    for (size_t s = 0; s < agent->n_sites && agent->mode == MODE_CIRCLE; s++) {
        const struct agent_site *site = &agent->sites[s];
        if (!site->member)
            continue;
        if (first == NULL)
            first = site;
        if (site->accept.arithmetic != first->accept.arithmetic)
            return maille_refuse(error, "arithmetic_version",
                                 "expected sites whose programs step alike, found %s with arithmetic %u and "
                                 "%s with %u; install the same release of maille at both, then ask again",
                                 first->site->name, first->accept.arithmetic, site->site->name,
                                 site->accept.arithmetic);
    }
    return MAILLE_OK;
}

enum maille_code agent_on_roster(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes record = {0};
    MAILLE_TRY(agent_take_roster(agent, in, error));
    bytes_put_block(&record, in->envelope.bytes, in->envelope.length);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(agent_journal_append(agent, JOURNAL_ROSTER, &record, error));
    agent->accepts = in->arena; /* the accepts stay in use for the whole query */
    in->arena = NULL;
    for (size_t s = 0; s < agent->n_sites; s++) {
        const struct directory_site *site = agent->sites[s].site;
        if (!agent->sites[s].called || agent->sites[s].member)
            continue;
        if (!agent_without(agent, site->name)) { /* the roster is made: this question ends here */
            code = maille_fail(
                error, MAILLE_UNREACHABLE,
                "expected every site that the study names to accept, found %s silent; ask again once "
                "it is back, or --without %s",
                site->name, site->name);
            goto out;
        }
        agent_say(agent, "left out: %s did not accept in time", site->name);
    }
    MAILLE_TRY(check_arithmetic(agent, error));
    agent->moved_ms = agent_now_ms(agent);
    MAILLE_TRY(agent_next_round(agent, error));
out:
    if (code != MAILLE_OK && agent->accepts == NULL) { /* nothing of it stays */
        agent->stage = STAGE_CALLED;
        for (size_t s = 0; s < agent->n_sites; s++)
            agent->sites[s].accept = (struct message_accept){.site = 0};
    }
    bytes_clear(&record);
    return code;
}

enum maille_code agent_on_cancel(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_cancel *cancel = &in->body.cancel;
    struct agent_site *site = NULL;
    for (size_t s = 0; s < agent->n_sites && site == NULL; s++)
        if (strcmp(agent->sites[s].site->name, in->envelope.from) == 0)
            MAILLE_TRY(agent_signer(&site, agent, in, agent->sites[s].site->id, error));
    if (site == NULL) {
        code = maille_protest(error, "site", "expected a site of this query to cancel it, found %s",
                              in->envelope.from);
        goto out;
    }
    if (strcmp(cancel->rule, "diverged") == 0)
        agent_say_diverged(agent);
    for (size_t k = 0; k < agent->study->n_analyses; k++)
        MAILLE_TRY(agent_refuse(agent, k, cancel->rule, site, error));
out:
    return code;
}
