#include <stdlib.h>
#include <string.h>

#include "vault/private.h"

/* The checks of docs/PROTOCOL.md §3 on one round: start and close. */

static bool zeros(const struct digest *digest)
{
    static const struct digest none;
    return digest_equal(digest, &none);
}

/* --- start: MAILLE_PROTOCOL, the message is dropped --- */

typedef enum maille_code start_check(const struct vault *vault, const struct query *query,
                                     const struct message_round_header *header, struct maille_error *error);

static enum maille_code rule_rho(const struct vault *vault, const struct query *query,
                                 const struct message_round_header *header, struct maille_error *error)
{
    (void)vault;
    if (digest_equal(&header->rho, &query->rho))
        return MAILLE_OK;
    return maille_protest(error, "rho", "expected the roster that this site took, found another");
}

/* The next round once the last one is revealed, and what it was for is here; a later attempt of the same
 * round while nothing is revealed for it. Attempts that this site never saw (it was away) may lie between: an
 * attempt can only take away, and one mask alone is ever opened for a round. */
static enum maille_code rule_order(const struct vault *vault, const struct query *query,
                                   const struct message_round_header *header, struct maille_error *error)
{
    (void)vault;
    const struct message_round_header *last = &query->attempt.header;
    bool next_round = query->state != QUERY_STARTED;
    uint32_t round = next_round ? last->round + 1 : last->round;
    uint32_t least = next_round ? 1 : last->attempt + 1;
    if (header->round != round || header->attempt < least)
        return maille_protest(error, "order",
                              "expected round %u, attempt %u or later, found round %u, attempt %u", round,
                              least, header->round, header->attempt);
    if (query->state == QUERY_REVEALED && last->result_to == RESULT_TO_CUSTODIANS)
        return maille_protest(error, "custody", "expected the totals of round %u before another round",
                              last->round);
    if (query->state == QUERY_TAKEN && circle_is(query))
        return maille_protest(
            error, "agreed", "expected that all members agree on round %u before another round", last->round);
    return MAILLE_OK;
}

static enum maille_code rule_rounds_max(const struct vault *vault, const struct query *query,
                                        const struct message_round_header *header, struct maille_error *error)
{
    (void)vault;
    if (header->round <= query->manifest.rounds_max)
        return MAILLE_OK;
    return maille_protest(error, "rounds_max", "expected at most %u rounds, found round %u",
                          query->manifest.rounds_max, header->round);
}

static enum maille_code rule_members(const struct vault *vault, const struct query *query,
                                     const struct message_round_header *header, struct maille_error *error)
{
    const struct message_round_header *last = &query->attempt.header;
    if (!vault_sites_ascend(header->members, header->n_members))
        return maille_protest(error, "members", "expected members in ascending order");
    for (size_t i = 0; i < header->n_members; i++) {
        bool there = false;
        for (size_t m = 0; m < query->n_members; m++)
            there = there || query->members[m].site == header->members[i];
        if (!there)
            return maille_protest(error, "members", "expected members of the roster, found site %u",
                                  header->members[i]);
    }
    if (!vault_sites_have(header->members, header->n_members, vault->self->id))
        return maille_protest(error, "members", "expected this site among the members, found it is not");
    if (last->round != 0 &&
        !vault_sites_within(header->members, header->n_members, last->members, last->n_members))
        return maille_protest(error, "members", "expected no new members, found a site that was lost before");
    if (header->round > 1 && header->n_members != last->n_members)
        return maille_protest(error, "members",
                              "expected the members of the last completed round, found %zu instead of %zu",
                              header->n_members, last->n_members);
    return MAILLE_OK;
}

static enum maille_code rule_members_enough(const struct vault *vault, const struct query *query,
                                            const struct message_round_header *header,
                                            struct maille_error *error)
{
    if (header->n_members < query->manifest.n_min)
        return maille_protest(error, "n_min", "expected at least %u members, found %zu",
                              query->manifest.n_min, header->n_members);
    if (gate_roster(vault->policy, header->n_members, NULL) != MAILLE_OK)
        return maille_protest(error, "min_sites", "expected as many members as the policy wants, found %zu",
                              header->n_members);
    return MAILLE_OK;
}

/* Analyses may only leave. */
static enum maille_code rule_analyses(const struct vault *vault, const struct query *query,
                                      const struct message_round_header *header, struct maille_error *error)
{
    (void)vault;
    const struct message_round_header *last = &query->attempt.header;
    for (size_t i = 0; i < header->n_analyses; i++)
        if (header->analyses[i] >= query->study->n_analyses ||
            (i > 0 && header->analyses[i] <= header->analyses[i - 1]))
            return maille_protest(error, "analyses", "expected analyses of the study in ascending order");
    if (header->n_analyses == 0)
        return maille_protest(error, "analyses", "expected an analysis that is open, found none");
    if (last->round != 0 &&
        !vault_sites_within(header->analyses, header->n_analyses, last->analyses, last->n_analyses))
        return maille_protest(error, "analyses", "expected no analysis that had left, found one");
    for (size_t i = 0; i < header->n_analyses && circle_is(query); i++)
        if (query->circle.run.states[header->analyses[i]].status != ANALYSIS_OPEN)
            return maille_protest(error, "analyses", "expected analyses that go on, found one that is over");
    if (custody_which(query, header) == THRESHOLD_SECOND && header->n_analyses != last->n_analyses)
        return maille_protest(error, "analyses", "expected the analyses whose totals are here, found fewer");
    return MAILLE_OK;
}

/* An attempt drops analyses and, in round 1, sites; nothing else. So a round has fewer attempts than it had
 * analyses and sites, and nobody lets a site tally again and again under one θ after another. */
static enum maille_code rule_attempt(const struct vault *vault, const struct query *query,
                                     const struct message_round_header *header, struct maille_error *error)
{
    (void)vault;
    const struct message_round_header *last = &query->attempt.header;
    if (header->round != last->round || header->n_members < last->n_members ||
        header->n_analyses < last->n_analyses)
        return MAILLE_OK;
    return maille_protest(error, "attempt",
                          "expected an attempt that leaves out an analysis or a site, found the same again");
}

static enum maille_code rule_previous(const struct vault *vault, const struct query *query,
                                      const struct message_round_header *header, struct maille_error *error)
{
    (void)vault;
    const struct attempt *last = &query->attempt;
    bool right = header->round == 1 ? zeros(&header->previous_hash)
                 : query->state != QUERY_STARTED
                     ? digest_equal(&header->previous_hash, &last->psi)
                     : digest_equal(&header->previous_hash, &last->header.previous_hash);
    if (right)
        return MAILLE_OK;
    return maille_protest(error, "previous",
                          "expected the header of the last completed round, found another");
}

enum maille_code vault_check_start(const struct vault *vault, const struct query *query,
                                   const struct message *in, const struct message_round_header *header,
                                   struct maille_error *error)
{
    static start_check *const checks[] = {rule_rho,     rule_order,          rule_rounds_max,
                                          rule_members, rule_members_enough, rule_analyses,
                                          rule_attempt, rule_previous};
    enum maille_code code = MAILLE_OK;
    struct digest theta;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && code == MAILLE_OK; i++)
        code = checks[i](vault, query, header, error);
    if (code != MAILLE_OK)
        return code;
    if (circle_is(query))
        return circle_check_start(query, in, error);
    if (in->frame == NULL)
        return maille_protest(error, "theta_hash", "expected a frame with theta, found none");
    hash_kdf(&theta, NULL, "theta", in->frame, in->frame_length);
    if (!digest_equal(&theta, &header->theta_hash))
        return maille_protest(error, "theta_hash", "expected theta as it was signed, found other bytes");
    return MAILLE_OK;
}

/* --- the plan that this site makes against what the header says: MAILLE_REFUSED, and the analyst is told ---
 */

static bool runs_equal(const struct message_start *start, const struct round_shape *shape)
{
    bool equal = shape->n_runs == start->n_runs;
    for (size_t i = 0; i < shape->n_runs && equal; i++)
        equal = shape->runs[i].bytes == start->runs[i].bytes && shape->runs[i].width == start->runs[i].width;
    return equal;
}

enum maille_code vault_check_shape(const struct round_shape *shape, const struct message_manifest *manifest,
                                   const struct message_start *start,
                                   const struct message_round_header *header, struct maille_error *error)
{
    if (header->result_to != RESULT_TO_ANALYST)
        return maille_refuse(error, "result_to", "expected round %u to be opened to the researcher alone",
                             header->round);
    if (!digest_equal(&header->plan_hash, &shape->plan))
        return maille_refuse(error, "plan", "expected the plan that this site made, found another");
    if (!digest_equal(&header->layout_hash, &shape->layout))
        return maille_refuse(error, "layout", "expected the layout that this site works out, found another");
    if (header->length != shape->length || header->length > manifest->bytes_max)
        return maille_refuse(error, "length", "expected %llu bytes and at most %llu, found %llu",
                             (unsigned long long)shape->length, (unsigned long long)manifest->bytes_max,
                             (unsigned long long)header->length);
    if (!runs_equal(start, shape))
        return maille_refuse(error, "runs", "expected the runs that this site works out, found others");
    return MAILLE_OK;
}

/* --- close --- */

/* One M4 of the close: of the member, for this very attempt. */
static enum maille_code rule_masked_signed(const struct vault *vault, const struct query *query,
                                           const struct byte_view *bytes, uint32_t member,
                                           struct message_masked *masked, struct arena *arena,
                                           struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    uint32_t site;
    MAILLE_TRY(vault_check_within(&in, &site, vault, arena, bytes, MESSAGE_MASKED, "masked_signed", error));
    *masked = in.body.masked;
    const char *from = in.envelope.from;
    if (site != member || masked->site != member)
        code = maille_protest(error, "masked_signed", "expected the message of site %u, found \"%s\"", member,
                              from);
    else if (memcmp(masked->qid, query->qid, QID_BYTES) != 0 ||
             !digest_equal(&masked->psi, &query->attempt.psi))
        code = maille_protest(error, "psi", "expected messages of this attempt, found %s's of another", from);
    else if (masked->share.length != query->attempt.length)
        code =
            maille_protest(error, "length", "expected vectors of equal length, found %s's of another", from);
out:
    return code;
}

/* The tag of member i for member j: tags stand ascending by site, the own one left out. NULL where they do
 * not. */
static const uint8_t *tag_of(const struct message_masked *masked, size_t i, size_t j)
{
    size_t at = j < i ? j : j - 1;
    return masked[i].share.tags[at].site == masked[j].site ? masked[i].share.tags[at].tag : NULL;
}

/* tag_ij of i is tag_ji of j, for every pair: both used the same pairwise mask. */
static enum maille_code rule_tags(const struct message_masked *masked, size_t n, struct maille_error *error)
{
    for (size_t i = 0; i < n; i++) {
        if (masked[i].share.n_tags != n - 1)
            return maille_protest(error, "tags", "expected a tag for every other member, found %zu",
                                  masked[i].share.n_tags);
        for (size_t j = 0; j < i; j++) {
            const uint8_t *one = tag_of(masked, i, j), *other = tag_of(masked, j, i);
            if (one == NULL || other == NULL || memcmp(one, other, TAG_BYTES) != 0)
                return maille_protest(error, "tags", "expected the tags of sites %u and %u to agree",
                                      masked[j].site, masked[i].site);
        }
    }
    return MAILLE_OK;
}

enum maille_code vault_check_close(const struct vault *vault, const struct query *query,
                                   const struct message_close *close, struct arena *arena,
                                   const struct message_masked **out, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_round_header *header = &query->attempt.header;
    if (!digest_equal(&close->psi, &query->attempt.psi))
        return maille_protest(error, "psi",
                              "expected a close of the attempt that this site answered, found another");
    if (!query->attempt.masked)
        return maille_protest(error, "own_masked",
                              "expected a close of an attempt that this site answered, it refused");
    if (close->n != header->n_members)
        return maille_protest(error, "members", "expected the messages of %zu members, found %zu",
                              header->n_members, close->n);
    struct message_masked *masked = arena_array(arena, close->n + 1, sizeof *masked);
    bool own = false;
    for (size_t i = 0; i < close->n; i++) {
        MAILLE_TRY(rule_masked_signed(vault, query, &close->masked[i], header->members[i], &masked[i], arena,
                                      error));
        own = own || (close->masked[i].length == query->attempt.reply.length &&
                      memcmp(close->masked[i].data, query->attempt.reply.data, close->masked[i].length) == 0);
    }
    if (!own) {
        code = maille_protest(error, "own_masked",
                              "expected this site's message as it was sent, found other bytes");
        goto out;
    }
    MAILLE_TRY(rule_tags(masked, close->n, error));
    *out = masked;
out:
    return code;
}
