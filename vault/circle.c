#include "crypto/circle.h"

#include <stdlib.h>
#include <string.h>

#include "disclosure/rule.h"
#include "stats/arithmetic.h"
#include "vault/private.h"

/* A query in the circle (docs/PROTOCOL.md §7): the members alone open its sums, each steps the study for
 * itself, and nothing leaves before all have said that they are at the same place. What the totals came to
 * lives in this process and, sealed, in the query's journal; it is in no log and, but for the results, in no
 * message. */

enum { PAD_BYTES = 64 * 1024 };
static const char result_label[] = "maille result 1";

static bool zeros(const struct digest *digest)
{
    static const struct digest none;
    return digest_equal(digest, &none);
}

bool circle_is(const struct query *query)
{
    return query->manifest.mode == MODE_CIRCLE;
}

bool circle_key_of(const struct query *query, uint8_t key[KEY_BYTES])
{
    if (!circle_is(query) || zeros(&query->circle.key))
        return false;
    memcpy(key, query->circle.key.b, KEY_BYTES);
    return true;
}

void circle_clear(struct circle *circle)
{
    crypto_wipe(&circle->key, sizeof circle->key);
    study_run_clear(&circle->run);
    bytes_clear(&circle->result);
}

/* --- M3: the round as this site works it out --- */

enum maille_code circle_check_start(const struct query *query, const struct message *in,
                                    struct maille_error *error)
{
    const struct message_start *start = &in->body.start;
    const struct message_round_header *header = &in->round;
    (void)query;
    if (header->result_to != RESULT_TO_CUSTODIANS)
        return maille_protest(error, "result_to", "expected round %u to be opened to the sites alone",
                              header->round);
    if (in->frame != NULL || start->n_keys > 0 || start->n_runs > 0 || header->length > 0 ||
        !zeros(&header->theta_hash) || !zeros(&header->layout_hash) || !zeros(&header->plan_hash))
        return maille_protest(error, "circle",
                              "expected that a start says who takes part in what, found more");
    return MAILLE_OK;
}

void circle_thetas(struct round_work *work, const struct query *query)
{
    for (size_t k = 0; k < query->study->n_analyses; k++) {
        const struct vector *theta = &query->circle.run.states[k].iteration.theta;
        if (work->open[k] && theta->n > 0)
            memcpy(vector_grow(&work->thetas[k], theta->n), theta->v, theta->n * sizeof *theta->v);
    }
}

enum maille_code circle_bind(struct round_work *work, const struct query *query, const struct message *in,
                             const struct round_shape *shape, struct maille_error *why)
{
    enum maille_code code = MAILLE_OK;
    const struct byte_view *header = &in->body.start.header;
    const size_t n = work->header.n_members;
    const bool first = work->header.round == 1;
    struct bytes thetas = {0}, rs = {0};
    struct digest theta;
    if (n > CUSTODY_MEMBERS_MAX || shape->length > MESSAGE_FRAME_MAX / n ||
        shape->length > query->manifest.bytes_max)
        return maille_refuse(
            why, "size",
            "expected at most %llu bytes in a round among %zu sites, found %llu; ask for fewer "
            "analyses at once, or a coarser grid",
            (unsigned long long)(MESSAGE_FRAME_MAX / n), n, (unsigned long long)shape->length);
    round_thetas_write(&thetas, query->study, work->open, work->thetas);
    MAILLE_TRY(bytes_check(&thetas, why));
    hash_kdf(&theta, NULL, "theta", thetas.data, thetas.length);
    bytes_put_block(&rs, header->data, header->length);
    bytes_put(&rs, theta.b, HASH_BYTES);
    bytes_put(&rs, shape->layout.b, HASH_BYTES);
    bytes_put(&rs, shape->plan.b, HASH_BYTES);
    bytes_put_u64(&rs, shape->length);
    bytes_put_u32(&rs, ARITHMETIC_VERSION);
    MAILLE_TRY(bytes_check(&rs, why));
    circle_psi(&work->mask_psi, first ? NULL : &query->circle.key, rs.data, rs.length);
out:
    bytes_wipe(&thetas);
    bytes_wipe(&rs);
    return code;
}

/* --- M6 from the second round on --- */

enum maille_code circle_seal_self(struct message_reveal *reveal, const struct query *query, uint32_t own,
                                  struct arena *arena, struct maille_error *error)
{
    struct digest self;
    struct bytes sealed = {0};
    query_secrets_self(&self, query->secrets, &query->attempt.mask_psi);
    enum maille_code code =
        circle_reveal(&sealed, &query->circle.key, &query->attempt.mask_psi, own, &self, error);
    if (code == MAILLE_OK) {
        uint8_t *copy = arena_alloc(arena, sealed.length);
        memcpy(copy, sealed.data, sealed.length);
        reveal->sealed = (struct byte_view){copy, sealed.length};
    }
    crypto_wipe(&self, sizeof self);
    bytes_wipe(&sealed);
    return code;
}

/* --- the step --- */

_Static_assert((size_t)ROUND_CIRCLE_BYTES == (size_t)MESSAGE_FRAME_MAX,
               "a round holds what a message may: stats/round.h does not know messages");

size_t circle_room(const struct query *query, const struct message_round_header *header)
{
    return circle_is(query) ? round_room(header->n_members) : 0;
}

void circle_open(bool *open, const struct query *query)
{
    const struct message_round_header *header = &query->attempt.header;
    for (size_t i = 0; i < header->n_analyses; i++)
        open[header->analyses[i]] = true;
}

enum maille_code circle_plan(struct round_plan *plan, const struct query *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const size_t n = query->study->n_analyses;
    bool *open = calloc(n, sizeof *open);
    struct vector *thetas = calloc(n, sizeof *thetas); /* borrowed */
    if (open == NULL || thetas == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for a round");
        goto out;
    }
    circle_open(open, query);
    for (size_t k = 0; k < n; k++)
        thetas[k] = query->circle.run.states[k].iteration.theta;
    MAILLE_TRY(round_plan(plan, query->study, open, thetas, query->custody.plan.surviving,
                          circle_room(query, &query->attempt.header), error));
    if (plan->bytes != query->attempt.length) {
        round_plan_clear(plan);
        code =
            maille_fail(error, MAILLE_INTERNAL, "expected the plan that this site masked by, found another");
    }
out:
    free(open);
    free(thetas);
    return code;
}

enum maille_code circle_take_run(struct query *query, const void *run, size_t length,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct study_run made = {0};
    MAILLE_TRY(study_run_init(&made, query->study, error));
    if (query->custody.plan.arena != NULL)
        study_run_survive(&made, query->custody.plan.surviving);
    MAILLE_TRY(study_run_read(&made, run, length, error));
    study_run_clear(&query->circle.run);
    query->circle.run = made;
    made = (struct study_run){0};
out:
    study_run_clear(&made);
    return code;
}

/* The second threshold round: what the plan refuses is over, before anything is stepped. */
static enum maille_code refuse_by_plan(struct bytes *run, const struct query *query, const struct plan *plan,
                                       struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct study_run changed = {0};
    const char **offers = NULL;
    MAILLE_TRY(custody_offers(&offers, query, plan, arena, error));
    MAILLE_TRY(study_run_init(&changed, query->study, error));
    MAILLE_TRY(study_run_read(&changed, run->data, run->length, error));
    for (size_t k = 0; k < plan->n; k++)
        if (plan->analyses[k].open && plan->analyses[k].rule[0] != '\0' &&
            changed.states[k].status == ANALYSIS_OPEN) {
            study_run_refuse(&changed, k, plan->analyses[k].rule,
                             rule_reason(arena, plan->analyses[k].rule, LANGUAGE_EN));
            if (offers[k] != NULL && strcmp(plan->analyses[k].rule, "few") == 0)
                study_run_offer(&changed, k, offers[k]);
        }
    run->length = 0;
    study_run_write(run, &changed);
    code = bytes_check(run, error);
out:
    study_run_clear(&changed);
    return code;
}

/* T0: what is near to what was shown is over, before anything of it is counted; found: which groups are. */
static enum maille_code refuse_near(struct bytes *run, struct bytes *found, const struct query *query,
                                    const struct bytes *totals, struct arena *arena,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct study_run changed = {0};
    bool *near = arena_array(arena, query->study->n_analyses + 1, sizeof *near);
    MAILLE_TRY(custody_near(near, found, query, totals, error));
    MAILLE_TRY(study_run_init(&changed, query->study, error));
    MAILLE_TRY(study_run_read(&changed, run->data, run->length, error));
    for (size_t k = 0; k < query->study->n_analyses; k++)
        if (near[k] && changed.states[k].status == ANALYSIS_OPEN)
            study_run_refuse(&changed, k, "few", rule_reason(arena, "few", LANGUAGE_EN));
    run->length = 0;
    study_run_write(run, &changed);
    code = bytes_check(run, error);
out:
    study_run_clear(&changed);
    return code;
}

/* Where the study stands after these totals; near: what T0 found. */
static enum maille_code step(struct bytes *run, struct bytes *near, struct vault *vault,
                             const struct query *query, enum threshold_which which,
                             const struct bytes *totals, const struct bytes *plan, const struct plan *planned,
                             struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct step_source *source = &vault->options.step;
    bool *open = arena_array(arena, query->study->n_analyses + 1, sizeof *open);
    circle_open(open, query);
    study_run_write(run, &query->circle.run);
    MAILLE_TRY(bytes_check(run, error));
    if (which == THRESHOLD_BEFORE)
        MAILLE_TRY(refuse_near(run, near, query, totals, arena, error));
    MAILLE_TRY(vault_stored_take(run, vault, query, arena, error));
    if (which == THRESHOLD_BEFORE || which == THRESHOLD_FIRST)
        goto out;
    if (which == THRESHOLD_SECOND)
        MAILLE_TRY(refuse_by_plan(run, query, planned, arena, error));
    struct bytes before = *run;
    *run = (struct bytes){0};
    const struct step_request request = {.dictionary = query->dictionary->text,
                                         .dictionary_length = query->dictionary->text_length,
                                         .study = query->study->text,
                                         .study_length = query->study->text_length,
                                         .plan = which == 0 ? &query->custody.plan_bytes : plan,
                                         .run = &before,
                                         .open = open,
                                         .n = query->study->n_analyses,
                                         .n_sites = query->attempt.header.n_members,
                                         .totals = which == 0 ? totals->data : NULL,
                                         .length = totals->length};
    code = source->step(source->context, run, &request, error);
    bytes_wipe(&before);
    if (code == MAILLE_CORRUPT) /* the request was this process's own */
        code = MAILLE_INTERNAL;
out:
    return code;
}

/* What all members must have alike: where the study stands, and what the threshold rounds came to. */
static enum maille_code tag_of(struct digest *tag, const struct query *query, const struct digest *key,
                               const struct study_run *run, const struct bytes *result,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes state = {0};
    study_run_write_agreed(&state, run);
    bytes_put_block(&state, result->data, result->length);
    MAILLE_TRY(bytes_check(&state, error));
    MAILLE_TRY(circle_tag(tag, key, &query->attempt.mask_psi, state.data, state.length, error));
out:
    bytes_wipe(&state);
    return code;
}

/* What other queries are compared with from now on. Before anything of the round is in the journal, and so
 * before the others hear of it: once each member has said that it took the last totals, any of them may give
 * out the result, whether or not this site hears that they did. */
static enum maille_code put_in_ledger(struct vault *vault, const struct query *query,
                                      enum threshold_which which, const struct bytes *totals,
                                      const struct plan *plan, const struct study_run *run,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (which == THRESHOLD_SECOND)
        MAILLE_TRY(vault_ledger_planned(vault, query, plan, error));
    MAILLE_TRY(custody_few(vault, query, which, totals, plan, error));
    code = vault_ledger_shown(vault, query, run, error);
out:
    return code;
}

static enum maille_code taken_encode(struct bytes *envelope, const struct vault *vault,
                                     const struct query *query, const struct digest *tag,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes body = {0};
    struct message_taken taken = {.psi = query->attempt.psi, .site = vault->self->id, .tag = *tag};
    memcpy(taken.qid, query->qid, QID_BYTES);
    MAILLE_TRY(message_taken_encode(&body, &taken, error));
    MAILLE_TRY(vault_envelope(envelope, vault, MESSAGE_TAKEN, &body, error));
out:
    bytes_clear(&body);
    return code;
}

enum maille_code circle_stepped(struct vault *vault, struct query *query, enum threshold_which which,
                                const struct bytes *totals, const struct bytes *plan, const struct plan *made,
                                const struct digest *selves, struct arena *arena,
                                struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct attempt *attempt = &query->attempt;
    static const struct bytes nothing;
    struct bytes near = {0};
    const struct bytes *result = which == THRESHOLD_BEFORE   ? &near
                                 : which == THRESHOLD_FIRST  ? totals
                                 : which == THRESHOLD_SECOND ? plan
                                                             : &nothing;
    struct digest key = query->circle.key, tag;
    struct bytes run = {0}, envelope = {0}, record = {0};
    struct study_run after = {0};
    if (attempt->header.round == 1)
        MAILLE_TRY(
            circle_key(&key, &query->rho, &attempt->mask_psi, selves, attempt->header.n_members, error));
    MAILLE_TRY(step(&run, &near, vault, query, which, totals, plan, made, arena, error));
    MAILLE_TRY(study_run_init(&after, query->study, error));
    MAILLE_TRY(study_run_read(&after, run.data, run.length, error));
    MAILLE_TRY(tag_of(&tag, query, &key, &after, result, error));
    MAILLE_TRY(put_in_ledger(vault, query, which, totals, made, &after, error));
    MAILLE_TRY(taken_encode(&envelope, vault, query, &tag, error));
    vault_record_stepped(&record, vault_now_ms(vault), &key, &tag, result, &run, &envelope);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(vault_query_commit(vault, query, RECORD_STEPPED, &record, NULL, 0, error));
    const char *words = which == THRESHOLD_SECOND
                            ? custody_plan_words(arena, query)
                            : arena_printf(arena, "the totals of round %u are here", attempt->header.round);
    if (which == THRESHOLD_SECOND) {
        const struct vault_judged judged = {.query = query,
                                            .study = query->study,
                                            .plan = &query->custody.plan,
                                            .policy = query->custody.strictest,
                                            .decision = "planned",
                                            .words = words};
        MAILLE_TRY(vault_log_judged(vault, MESSAGE_TAKEN, &envelope, &judged, error));
        MAILLE_TRY(message_outbox_put(outbox, MESSAGE_TAKEN, &envelope, NULL, 0, error));
    } else {
        MAILLE_TRY(vault_send(vault, outbox, MESSAGE_TAKEN, query->qid, &envelope, NULL, 0, words, error));
    }
out:
    crypto_wipe(&key, sizeof key);
    study_run_clear(&after);
    bytes_wipe(&run);
    bytes_clear(&near);
    bytes_clear(&envelope);
    bytes_wipe(&record);
    return code;
}

/* --- agreed: what every member took --- */

/* One taken of the list: signed by the member, of this attempt. MAILLE_PROTOCOL: the coordinator's doing. */
static enum maille_code take_taken(struct digest *tag, const struct vault *vault, const struct query *query,
                                   const struct byte_view *bytes, uint32_t member, struct arena *arena,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct message in;
    uint32_t site;
    MAILLE_TRY(vault_check_within(&in, &site, vault, arena, bytes, MESSAGE_TAKEN, "taken_signed", error));
    const struct message_taken *taken = &in.body.taken;
    if (site != member || taken->site != member)
        code = maille_protest(error, "taken_signed", "expected what site %u took, found that of \"%s\"",
                              member, in.envelope.from);
    else if (memcmp(taken->qid, query->qid, QID_BYTES) != 0 ||
             !digest_equal(&taken->psi, &query->attempt.psi))
        code = maille_protest(error, "psi", "expected what %s took in this round, found another",
                              in.envelope.from);
    else
        *tag = taken->tag;
out:
    return code;
}

/* The sites that say something else than most, in words. "" where all say one thing. */
static const char *minority(struct arena *arena, const struct vault *vault, const struct query *query,
                            const struct digest *tags)
{
    const struct message_round_header *header = &query->attempt.header;
    size_t most = 0, best = 0;
    const char *names = "";
    for (size_t i = 0; i < header->n_members; i++) {
        size_t same = 0;
        for (size_t j = 0; j < header->n_members; j++)
            same += digest_equal(&tags[i], &tags[j]) != 0;
        if (same > most) {
            most = same;
            best = i;
        }
    }
    for (size_t i = 0; i < header->n_members; i++) {
        const struct directory_site *site = directory_site(vault->directory, header->members[i]);
        if (!digest_equal(&tags[i], &tags[best]))
            names = arena_printf(arena, "%s%s%s", names, names[0] != '\0' ? ", " : "",
                                 site != NULL ? site->name : "a site");
    }
    return names;
}

/* What ended in this round, for the researcher: label ‖ qid ‖ LE32 site ‖ ψ ‖ LE64 how many ‖ per analysis
 * LE64 number and what stats/run_bytes.h says, filled with zeros up to a multiple of PAD_BYTES. *words: for
 * the log. */
static enum maille_code result_write_sealed(struct bytes *sealed, const char **words,
                                            const struct vault *vault, const struct query *query,
                                            struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_round_header *header = &query->attempt.header;
    const struct study_run *run = &query->circle.run;
    struct bytes clear = {0};
    const char *names = "";
    uint64_t n = 0;
    for (size_t i = 0; i < header->n_analyses; i++)
        n += run->states[header->analyses[i]].status != ANALYSIS_OPEN;
    bytes_put_string(&clear, result_label);
    bytes_put(&clear, query->qid, QID_BYTES);
    bytes_put_u32(&clear, vault->self->id);
    bytes_put(&clear, query->attempt.psi.b, HASH_BYTES);
    bytes_put_u64(&clear, n);
    for (size_t i = 0; i < header->n_analyses; i++) {
        const size_t k = header->analyses[i];
        if (run->states[k].status == ANALYSIS_OPEN)
            continue;
        bytes_put_u64(&clear, k);
        study_run_write_ended(&clear, run, k);
        names = arena_printf(arena, "%s%s%s%s", names, names[0] != '\0' ? ", " : "",
                             query->study->analyses[k].id, vault_stored_words(arena, query, k));
    }
    *words = n > 0 ? names : "nothing that ended in it";
    if (n > 0)
        bytes_reserve(&clear, PAD_BYTES - clear.length % PAD_BYTES);
    MAILLE_TRY(bytes_check(&clear, error));
    code = seal_to(sealed, query->manifest.rk, clear.data, clear.length);
    if (code != MAILLE_OK)
        maille_fail(error, code, "expected a key that a result can be sealed to, found none");
out:
    bytes_wipe(&clear);
    return code;
}

/* On disk, then to the researcher. */
static enum maille_code answer_result(struct vault *vault, struct query *query, struct arena *arena,
                                      struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes sealed = {0}, body = {0}, envelope = {0}, record = {0};
    const char *words;
    struct message_result result = {.psi = query->attempt.psi, .site = vault->self->id};
    memcpy(result.qid, query->qid, QID_BYTES);
    MAILLE_TRY(result_write_sealed(&sealed, &words, vault, query, arena, error));
    hash_kdf(&result.hash, NULL, "result", sealed.data, sealed.length);
    MAILLE_TRY(message_result_encode(&body, &result, error));
    MAILLE_TRY(vault_envelope(&envelope, vault, MESSAGE_RESULT, &body, error));
    vault_record_agreed(&record, vault_now_ms(vault), &envelope);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(vault_query_commit(vault, query, RECORD_AGREED, &record, sealed.data, sealed.length, error));
    code = vault_send(
        vault, outbox, MESSAGE_RESULT, query->qid, &envelope, sealed.data, sealed.length,
        arena_printf(arena, "results of round %u, to the researcher: %s", query->attempt.header.round, words),
        error);
out:
    bytes_clear(&sealed);
    bytes_clear(&body);
    bytes_clear(&envelope);
    bytes_clear(&record);
    return code;
}

static enum maille_code answer_again(struct vault *vault, const struct query *query, struct arena *arena,
                                     struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t *sealed = arena_alloc(arena, query->circle.length + 1);
    MAILLE_TRY(journal_raw(query->journal, sealed, query->circle.raw, query->circle.length, error));
    code = vault_send(vault, outbox, MESSAGE_RESULT, query->qid, &query->circle.result, sealed,
                      query->circle.length, "again", error);
out:
    return code;
}

enum maille_code vault_handle_agreed(struct vault *vault, struct query *query, struct message *in,
                                     struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct message_agreed *agreed = &in->body.agreed;
    const struct message_round_header *header = &query->attempt.header;
    if (!circle_is(query) || !digest_equal(&agreed->psi, &query->attempt.psi))
        return maille_protest(error, "psi", "expected what the members took in this round, found another");
    if (query->state == QUERY_AGREED)
        return answer_again(vault, query, in->arena, outbox, error);
    if (agreed->n != header->n_members)
        return maille_protest(error, "members", "expected what %zu members took, found %zu",
                              header->n_members, agreed->n);
    struct digest *tags = arena_array(in->arena, agreed->n, sizeof *tags);
    for (size_t m = 0; m < agreed->n; m++) {
        MAILLE_TRY(
            take_taken(&tags[m], vault, query, &agreed->taken[m], header->members[m], in->arena, error));
        if (header->members[m] == vault->self->id && !digest_equal(&tags[m], &query->circle.tag)) {
            code = maille_protest(error, "own_taken", "expected what this site took, found another");
            goto out;
        }
    }
    const char *others = minority(in->arena, vault, query, tags);
    if (others[0] != '\0') {
        MAILLE_TRY(vault_log_note(
            vault, "diverged", in->qid,
            arena_printf(in->arena, "round %u: %s came to another state than most", header->round, others),
            error));
        code = vault_cancel(vault, query, "diverged", outbox, error);
        goto out;
    }
    bool stopped = false;
    MAILLE_TRY(vault_stop_asked(&stopped, vault, query, outbox, error));
    if (!stopped)
        code = answer_result(vault, query, in->arena, outbox, error);
out:
    return code;
}
