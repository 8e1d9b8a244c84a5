/* A query in the circle as the agent sees it: who takes part in which round, what every member says that it
 * took (of which nothing can be read), and sealed results of what has ended (docs/PROTOCOL.md §7). */
#include "agent/private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/evidence.h"
#include "stats/run_bytes.h"

/* How long the others are waited for, once n_min results are here. */
enum { OTHERS_WAIT_MS = 120 * 1000 };
static const char result_label[] = "maille result 1";

bool agent_in_circle(const struct agent *agent)
{
    return agent->mode == MODE_CIRCLE;
}

/* --- what is in a result --- */

/* What one member says, read into a run of its own. */
struct answer {
    uint64_t n;
    size_t analyses[STUDY_ANALYSES_MAX];
    struct study_run run;
};

static enum maille_code wrong(struct maille_error *error, const char *site)
{
    return maille_fail(error, MAILLE_SIGNATURE,
                       "expected what ended in this round from %s, found other bytes", site);
}

/* bytes: the opened seal. site 0: of any. MAILLE_SIGNATURE; MAILLE_MEMORY. Free with study_run_clear. */
static enum maille_code answer_read(struct answer *answer, const struct agent *agent, uint32_t site,
                                    const uint8_t *bytes, size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *name = site != 0 ? agent_site_name(agent, site) : "the sites";
    struct reader reader = reader_of(bytes, length);
    struct study_run run = {0};
    size_t label_length = 0, before = 0;
    const uint8_t *label = reader_block(&reader, sizeof result_label, &label_length);
    const uint8_t *qid = reader_take(&reader, QID_BYTES);
    const uint32_t by = reader_u32(&reader);
    const uint8_t *psi = reader_take(&reader, HASH_BYTES);
    answer->n = reader_u64(&reader);
    if (reader.bad || label_length != sizeof result_label - 1 ||
        memcmp(label, result_label, label_length) != 0 || memcmp(qid, agent->qid, QID_BYTES) != 0 ||
        (site != 0 && by != site) || memcmp(psi, agent->at.psi.b, HASH_BYTES) != 0 ||
        answer->n > agent->study->n_analyses)
        return wrong(error, name);
    MAILLE_TRY(study_run_init(&run, agent->study, error));
    for (uint64_t i = 0; i < answer->n; i++) {
        const uint64_t k = reader_u64(&reader);
        if (reader.bad || k >= agent->study->n_analyses || (i > 0 && k <= before) ||
            !agent->at.shape.open[k] || agent->run.states[k].status != ANALYSIS_OPEN ||
            study_run_read_ended(&run, (size_t)k, &reader, NULL) != MAILLE_OK) {
            code = wrong(error, name);
            goto out;
        }
        answer->analyses[i] = before = (size_t)k;
    }
    for (size_t left = reader_left(&reader); left > 0; left--) /* zeros up to its size */
        if (reader_u8(&reader) != 0) {
            code = wrong(error, name);
            goto out;
        }
    answer->run = run;
    run = (struct study_run){0};
out:
    study_run_clear(&run);
    return code;
}

/* Where two answers differ, in words; NULL: they do not. */
static const char *difference(struct arena *arena, const struct agent *agent, const struct answer *a,
                              const struct answer *b)
{
    const char *name = "";
    if (a->n != b->n || memcmp(a->analyses, b->analyses, (size_t)a->n * sizeof *a->analyses) != 0)
        return "in which analyses have ended";
    for (uint64_t i = 0; i < a->n; i++) {
        const size_t k = a->analyses[i];
        if (!analysis_state_agrees(&a->run.states[k], &b->run.states[k], &name))
            return arena_printf(arena, "in %s of %s", name[0] != '\0' ? name : "the result",
                                agent->study->analyses[k].id);
    }
    return NULL;
}

/* --- as they come --- */

/* The member's place in this attempt; n_members where it is none. */
static size_t member_of(const struct agent *agent, uint32_t site)
{
    size_t m = 0;
    while (m < agent->at.n_members && agent->at.members[m] != site)
        m++;
    return m;
}

enum maille_code agent_on_result(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_result *result = &in->body.result;
    struct agent_round *at = &agent->at;
    struct agent_site *site;
    struct bytes opened = {0};
    struct answer *answer = NULL;
    struct digest hash;
    if (!agent_in_circle(agent) || !at->under_way || !digest_equal(&result->psi, &at->psi))
        goto out;
    MAILLE_TRY(agent_signer(&site, agent, in, result->site, error));
    const size_t m = member_of(agent, result->site);
    if (m == at->n_members || at->answers[m].length > 0 || at->unreadable[m])
        goto out;
    hash_kdf(&hash, NULL, "result", in->frame, in->frame_length);
    if (in->frame == NULL || !digest_equal(&hash, &result->hash)) {
        code = maille_protest(error, "result_hash", "expected the result that %s signed, found other bytes",
                              site->site->name);
        goto out;
    }
    answer = calloc(1, sizeof *answer);
    if (answer == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for a result, found none");
        goto out;
    }
    code = seal_open(&opened, agent->rk, agent->rk_secret, in->frame, in->frame_length, NULL) == MAILLE_OK
               ? answer_read(answer, agent, result->site, opened.data, opened.length, error)
               : wrong(error, site->site->name);
    if (code == MAILLE_SIGNATURE) { /* one site's doing: the others may agree without it */
        at->unreadable[m] = true;
        agent->moved_ms = at->answered_ms = agent_now_ms(agent);
        code = MAILLE_OK;
    }
    if (code != MAILLE_OK || at->unreadable[m])
        goto out;
    if (answer->n > 0) /* what nothing ended in is no evidence */
        MAILLE_TRY(agent_evidence_message(agent, &in->envelope, in->frame, in->frame_length, error));
    at->answers[m] = opened;
    opened = (struct bytes){0};
    agent->moved_ms = at->answered_ms = agent_now_ms(agent);
out:
    if (answer != NULL)
        study_run_clear(&answer->run);
    free(answer);
    bytes_clear(&opened);
    return code;
}

enum maille_code agent_on_taken(struct agent *agent, struct message *in, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_taken *taken = &in->body.taken;
    struct agent_site *site;
    if (!agent_in_circle(agent) || !digest_equal(&taken->psi, &agent->at.psi))
        goto out;
    MAILLE_TRY(agent_signer(&site, agent, in, taken->site, error));
    const size_t m = member_of(agent, taken->site);
    if (m == agent->at.n_members || agent->at.taken[m])
        goto out;
    agent->at.taken[m] = true;
    agent->at.tags[m] = taken->tag;
    agent->moved_ms = agent_now_ms(agent);
out:
    return code;
}

void agent_say_diverged(const struct agent *agent)
{
    const struct agent_round *at = &agent->at;
    size_t most = 0, best = 0;
    for (size_t i = 0; i < at->n_members; i++) {
        size_t same = 0;
        for (size_t j = 0; j < at->n_members; j++)
            same += at->taken[i] && at->taken[j] && digest_equal(&at->tags[i], &at->tags[j]);
        if (same > most) {
            most = same;
            best = i;
        }
    }
    for (size_t i = 0; i < at->n_members; i++)
        if (at->taken[i] && !digest_equal(&at->tags[i], &at->tags[best]))
            agent_say(agent, "%s came to another state than the other sites in round %u",
                      agent_site_name(agent, at->members[i]), at->round);
}

/* --- when enough are here --- */

size_t agent_answers(const struct agent *agent)
{
    size_t n = 0;
    for (size_t m = 0; m < agent->at.n_members; m++)
        n += agent->at.answers[m].length > 0;
    return n;
}

/* The member whose answer most others give too; *same: how many, with it. */
static enum maille_code most_given(size_t *best, size_t *same, struct agent *agent, struct arena *arena,
                                   bool say, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct agent_round *at = &agent->at;
    assert(at->n_members > 0);
    struct answer *answers = calloc(at->n_members, sizeof *answers);
    size_t *class = calloc(at->n_members, sizeof *class), *members = calloc(at->n_members, sizeof *members);
    if (answers == NULL || class == NULL || members == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory for results, found none");
        goto out;
    }
    *same = 0;
    for (size_t m = 0; m < at->n_members; m++) {
        if (at->answers[m].length == 0)
            continue;
        MAILLE_TRY(answer_read(&answers[m], agent, at->members[m], at->answers[m].data, at->answers[m].length,
                               error));
        size_t c = 0;
        while (c < m && (members[c] == 0 || difference(arena, agent, &answers[c], &answers[m]) != NULL))
            c++;
        class[m] = c;
        if (++members[c] > *same) {
            *same = members[c];
            *best = c;
        }
    }
    for (size_t m = 0; say && m < at->n_members; m++)
        if (at->answers[m].length > 0 && class[m] != *best)
            agent_say(agent, "%s came to another result than %zu sites: %s; theirs is taken",
                      agent_site_name(agent, at->members[m]), *same,
                      difference(arena, agent, &answers[*best], &answers[m]));
out:
    for (size_t m = 0; answers != NULL && m < at->n_members; m++)
        study_run_clear(&answers[m].run);
    free(answers);
    free(class);
    free(members);
    return code;
}

/* Sites' text that a terminal would show: only where it says what this directory publishes. */
static void keep_offer(struct analysis_state *state, const struct agent *agent)
{
    if (state->status != ANALYSIS_REFUSED || strcmp(state->rule, "few") != 0 ||
        !published_has(&agent->published, state->offer))
        state->offer[0] = '\0';
}

enum maille_code agent_take_results(struct agent *agent, uint64_t vector_bytes, const uint8_t *bytes,
                                    size_t length, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct answer *answer = calloc(1, sizeof *answer);
    struct reader reader = reader_of(bytes, length);
    if (answer == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for results, found none");
    if (!agent->at.under_way || !agent_in_circle(agent)) {
        code = maille_fail(error, MAILLE_CORRUPT, "expected results of a round under way in a query's state");
        goto out;
    }
    MAILLE_TRY(answer_read(answer, agent, 0, bytes, length, error));
    /* Behind the head: into the run whose results live as long as the agent. */
    reader_take(&reader, sizeof(uint64_t) + sizeof result_label - 1 + QID_BYTES + 4 + HASH_BYTES + 8);
    for (uint64_t i = 0; i < answer->n; i++) {
        reader_u64(&reader);
        MAILLE_TRY(study_run_read_ended(&agent->run, answer->analyses[i], &reader, error));
        keep_offer(&agent->run.states[answer->analyses[i]], agent);
    }
    agent->at.shape.length = vector_bytes;
    agent_round_over(agent);
out:
    study_run_clear(&answer->run);
    free(answer);
    return code;
}

/* Is an analysis open that these bytes do not end? Then another round follows, for which every member is
 * waited. */
static enum maille_code goes_on(bool *on, const struct agent *agent, const struct bytes *bytes,
                                struct maille_error *error)
{
    struct answer *answer = calloc(1, sizeof *answer);
    size_t open = 0;
    if (answer == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for results, found none");
    enum maille_code code = answer_read(answer, agent, 0, bytes->data, bytes->length, error);
    for (size_t k = 0; k < agent->study->n_analyses; k++)
        open += agent->run.states[k].status == ANALYSIS_OPEN;
    *on = open > answer->n;
    study_run_clear(&answer->run);
    free(answer);
    return code;
}

/* A cohort that is too near to one that may be named: that one may be asked instead. */
static void say_offers(const struct agent *agent, const bool *was_open)
{
    for (size_t k = 0; k < agent->study->n_analyses; k++) {
        const struct analysis_state *state = &agent->run.states[k];
        if (!was_open[k] || state->status != ANALYSIS_REFUSED || state->offer[0] == '\0')
            continue;
        const bool everybody = strcmp(state->offer, PUBLISHED_EVERYBODY) == 0;
        agent_say(agent, "%s: ask a cohort that it is too near to instead, %s%s",
                  agent->study->analyses[k].id,
                  everybody ? "everybody: leave out cohort" : "cohort: ", everybody ? "" : state->offer);
    }
}

enum maille_code agent_circle_when_complete(struct agent *agent, bool *over, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct agent_round *at = &agent->at;
    const size_t here = agent_answers(agent);
    size_t heard = here;
    static const char *const judged[THRESHOLD_WHICH] = {"numbers", "head counts", "head counts",
                                                        "differences from earlier questions"};
    const enum threshold_which which = at->shape.which;
    size_t best = 0, same = 0;
    bool on = true;
    struct bytes record = {0};
    struct arena *arena = NULL;
    *over = false;
    for (size_t m = 0; m < at->n_members; m++)
        heard += at->unreadable[m];
    if (!at->closed || heard < agent->n_min ||
        (heard < at->n_members && agent_now_ms(agent) - at->answered_ms < OTHERS_WAIT_MS))
        return MAILLE_OK;
    arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory for results, found none");
    MAILLE_TRY(most_given(&best, &same, agent, arena, false, error));
    if (same < agent->n_min) {
        MAILLE_TRY(most_given(&best, &same, agent, arena, true, error));
        code =
            heard < at->n_members
                ? MAILLE_OK
                : maille_fail(error, MAILLE_SIGNATURE,
                              "expected the same results from at least %u sites, found that no more than %zu "
                              "agree; the query cannot go on",
                              agent->n_min, same);
        goto out;
    }
    MAILLE_TRY(goes_on(&on, agent, &at->answers[best], error));
    if (heard < at->n_members && on)
        goto out;
    MAILLE_TRY(most_given(&best, &same, agent, arena, true, error));
    for (size_t m = 0; m < at->n_members; m++)
        if (at->answers[m].length == 0)
            agent_say(agent, "%s %s; those of %zu sites agree", agent_site_name(agent, at->members[m]),
                      at->unreadable[m] ? "sent a result that cannot be read" : "did not send its result",
                      same);
    const uint64_t vector_bytes = at->masked[0].share.length;
    bytes_put_u64(&record, vector_bytes);
    bytes_put_block(&record, at->answers[best].data, at->answers[best].length);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(agent_journal_append(agent, JOURNAL_RESULTS, &record, error));
    bool *was_open = arena_array(arena, agent->study->n_analyses, sizeof *was_open);
    for (size_t k = 0; k < agent->study->n_analyses; k++)
        was_open[k] = agent->run.states[k].status == ANALYSIS_OPEN;
    struct reader reader = reader_of(record.data + 8, record.length - 8);
    size_t length = 0;
    const uint8_t *bytes = reader_block(&reader, record.length, &length);
    MAILLE_TRY(agent_take_results(agent, vector_bytes, bytes, length, error));
    for (size_t k = 0; k < agent->study->n_analyses; k++)
        if (was_open[k] && agent->run.states[k].status == ANALYSIS_REFUSED)
            agent_say(agent, "%s: refused (%s) by the %s of all sites together", agent->study->analyses[k].id,
                      agent->run.states[k].rule, judged[which]);
    say_offers(agent, was_open);
    *over = true;
out:
    bytes_clear(&record);
    arena_free(arena);
    return code;
}
