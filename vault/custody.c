#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/circle.h"
#include "vault/few.h"
#include "vault/offer.h"

/* Threshold rounds (docs/PROTOCOL.md §7): pooled head counts that the sites open for themselves, and the plan
 * that each makes of them. The totals live in this process and, sealed, in the journal of the query; they are
 * in no log and in no message. */

/* More than any network has of anything that is counted; a wrong mask gives random words. */
static const uint64_t total_max = UINT64_C(1) << 40;

/* --- from the roster --- */

enum maille_code custody_settle(struct query *query, const struct message_accept *accepts, size_t n,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct custody *custody = &query->custody;
    const char **texts = arena_array(query->arena, n + 1, sizeof *texts);
    size_t *lengths = arena_array(query->arena, n + 1, sizeof *lengths);
    for (size_t i = 0; i < n; i++) {
        texts[i] = (const char *)accepts[i].floor.data;
        lengths[i] = accepts[i].floor.length;
    }
    MAILLE_TRY(policy_strictest(&custody->strictest, query->arena, texts, lengths, n, error));
    custody->needed = threshold_needed(custody->strictest);
    custody->n_ledger = message_ledger_union(&custody->ledger, query->arena, accepts, n);
    MAILLE_TRY(vault_stored_settle(query, accepts, n, error));
    code = vault_combination_settle(query, accepts, n, error);
out:
    return code;
}

void custody_clear(struct custody *custody)
{
    bytes_clear(&custody->near);
    bytes_wipe(&custody->first);
    bytes_clear(&custody->answer);
    bytes_clear(&custody->plan_bytes);
    plan_clear(&custody->plan);
    vault_combination_clear(custody);
}

/* Is the first round of these members T0? */
static bool before(const struct query *query, const struct message_round_header *header)
{
    const struct custody *custody = &query->custody;
    bool found = false;
    for (size_t e = 0; e < custody->n_ledger; e++) {
        const struct threshold_past past = {
            .n_groups = message_bits(custody->ledger[e].shown),
            .other = message_ledger_other(&custody->ledger[e], header->members, header->n_members)};
        found = found || threshold_before(custody->strictest, &past, 1);
    }
    return found;
}

enum threshold_which custody_which(const struct query *query, const struct message_round_header *header)
{
    return query->custody.needed ? threshold_round(before(query, header), header->round) : 0;
}

uint32_t custody_values_from(const struct query *query, const struct message_round_header *header)
{
    return query->custody.needed ? threshold_values_from(before(query, header)) : 1;
}

/* --- this site's words --- */

/* The shape of this round, for the members that the header names: fewer than five of them, and no cell is
 * pooled. */
static enum maille_code threshold_of(struct threshold *threshold, const struct query *query,
                                     const struct message_round_header *header, const bool *open,
                                     struct maille_error *error)
{
    const struct custody *custody = &query->custody;
    const struct combined *combined;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for %zu earlier questions", custody->n_ledger);
    struct threshold_past *past =
        arena_array(arena, custody->n_ledger + 1, sizeof *past); /* and the published */
    bool *counted = arena_array(arena, query->study->n_analyses + 1, sizeof *counted);
    for (size_t k = 0; k < query->study->n_analyses; k++)
        counted[k] = open[k] && !vault_stored_used(query, header, k);
    vault_ledger_past(past, query, header, arena);
    enum maille_code code = threshold_init(threshold, query->study, counted, custody->strictest,
                                           header->n_members, past, custody->n_ledger + 1, error);
    if (code == MAILLE_OK)
        code = vault_combination_of(&combined, query, counted, error);
    if (code == MAILLE_OK)
        threshold_combine(threshold, combined, before(query, header));
    arena_free(arena);
    return code;
}

/* Likewise, of the attempt that was answered. */
static enum maille_code threshold_of_attempt(struct threshold *threshold, const struct query *query,
                                             struct maille_error *error)
{
    const struct message_round_header *header = &query->attempt.header;
    bool *open = calloc(query->study->n_analyses + 1, sizeof *open);
    if (open == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a threshold round");
    circle_open(open, query);
    enum maille_code code = threshold_of(threshold, query, header, open, error);
    free(open);
    return code;
}

enum maille_code custody_patients(struct query *query, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct custody *custody = &query->custody;
    const size_t n = query->study->n_analyses;
    struct threshold threshold = {0};
    MAILLE_TRY(threshold_of_attempt(&threshold, query, error));
    if (custody->first.length != 8 * threshold.n_words[THRESHOLD_FIRST]) {
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected the totals of the first threshold round, found another length");
        goto out;
    }
    custody->patients = arena_array(query->arena, n, sizeof *custody->patients);
    for (size_t k = 0; k < n; k++)
        if (threshold.analyses[k].open &&
            threshold.analyses[k].cells->is_model) /* every method's first head count is its cohort */
            custody->patients[k] =
                threshold_word(custody->first.data, threshold.analyses[k].blocks[0].counts);
out:
    threshold_clear(&threshold);
    return code;
}

static enum maille_code bind_threshold(const struct query *query, const struct message *in,
                                       struct round_work *work, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes layout = {0};
    struct round_shape shape = {.length = 8 * (uint64_t)work->threshold.n_words[work->which]};
    threshold_layout(&layout, &work->threshold, work->which);
    MAILLE_TRY(bytes_check(&layout, error));
    hash_kdf(&shape.layout, NULL, "layout", layout.data, layout.length);
    code = vault_round_bind(work, query, in, &shape, error);
out:
    bytes_clear(&layout);
    return code;
}

/* What cannot be counted here, for a reason in this site's own data, is vetoed, with nobody in it. */
static enum maille_code veto_failures(struct round_work *work, struct data_cells *cells, size_t n,
                                      struct maille_error *error)
{
    for (size_t k = 0; k < n; k++) {
        if (!work->open[k] || cells->failures[k].rule[0] == '\0')
            continue;
        vault_veto(work, k, cells->failures[k].rule, cells->failures[k].sentence);
        tally_clear(&cells->words[k]);
        if (work->threshold.analyses[k].bytes > 0)
            bytes_reserve(&cells->words[k].words, work->threshold.analyses[k].bytes);
        if (bytes_check(&cells->words[k].words, error) != MAILLE_OK)
            return MAILLE_MEMORY;
    }
    return MAILLE_OK;
}

static bool any_verdict(const struct round_work *work, size_t n)
{
    bool any = false;
    for (size_t k = 0; k < n; k++)
        any = any || (work->open[k] && work->verdicts[k].rule[0] != '\0');
    return any;
}

/* This site's head counts of T1 or T2, and the words that it makes of them. */
static enum maille_code count_words(struct vault *vault, const struct query *query, struct round_work *work,
                                    const struct part_difference *differences, struct maille_error *why)
{
    enum maille_code code = MAILLE_OK;
    const struct study *study = query->study;
    const struct custody *custody = &query->custody;
    const struct data_source *data = &vault->options.data;
    struct shown before = {0};
    const struct threshold_veto veto = {.vetoed = work->vetoed, .noise = work->noise.data, .before = &before};
    struct data_cells cells = {0};
    MAILLE_TRY(data->cells(data->context, &cells, query->snapshot, study, why));
    vault_log_counts(vault, study, &cells);
    MAILLE_TRY(veto_failures(work, &cells, study->n_analyses, why));
    if (work->which == THRESHOLD_SECOND)
        MAILLE_TRY(ledger_shown_before(&before, work->threshold.arena, vault->ledger, query->qid,
                                       vault->directory->epoch.number, why));
    code = work->which == THRESHOLD_FIRST
               ? threshold_first(&work->words, &work->threshold, cells.words, differences, custody->strictest,
                                 &veto, why)
               : threshold_second(&work->words, &work->threshold, cells.words, custody->first.data,
                                  custody->strictest, &veto, why);
out:
    data_cells_clear(&cells);
    return code;
}

enum maille_code custody_words(struct vault *vault, const struct query *query, const struct message *in,
                               struct round_work *work, struct maille_error *why)
{
    enum maille_code code = MAILLE_OK;
    const struct study *study = query->study;
    const struct part_difference *differences = NULL;
    const int64_t *combined = NULL;
    MAILLE_TRY(threshold_of(&work->threshold, query, &work->header, work->open, why));
    MAILLE_TRY(bind_threshold(query, in, work, why));
    MAILLE_TRY(vault_verdicts(vault, work->verdicts, study, query->manifest.researcher, true, why));
    if (any_verdict(work, study->n_analyses))
        goto out;
    if (work->which != THRESHOLD_SECOND)
        MAILLE_TRY(vault_ledger_differences(&differences, vault, query, &work->threshold, work->which,
                                            in->arena, why));
    MAILLE_TRY(query_secrets_fill(&work->noise, query->secrets, &work->mask_psi,
                                  8 * work->threshold.n_words[work->which], why));
    MAILLE_TRY(work->which == THRESHOLD_BEFORE
                   ? threshold_zeroth(&work->words, &work->threshold, differences, query->custody.strictest,
                                      work->noise.data, why)
                   : count_words(vault, query, work, differences, why));
    if (work->threshold.combined != NULL && work->threshold.combined_in == work->which) {
        MAILLE_TRY(
            vault_combination_counts(&combined, vault, query, work->threshold.combined, in->arena, why));
        threshold_put_combined(&work->words, &work->threshold, work->which, combined,
                               query->custody.strictest, work->noise.data);
    }
out:
    return code;
}

/* What a threshold round is for, in words. */
static const char *const purposes[THRESHOLD_WHICH] = {
    [THRESHOLD_BEFORE] = "by how many patients differ from earlier questions of other sites or snapshots",
    [THRESHOLD_FIRST] = "what may be released is judged by their totals",
    [THRESHOLD_SECOND] = "which of those totals this site objects to"};

const char *custody_log_words(struct arena *arena, const struct query *query, const struct round_work *work)
{
    char hash[2 * HASH_BYTES + 1];
    size_t counted = 0;
    for (size_t i = 0; i < work->header.n_analyses; i++)
        counted += !vault_stored_used(query, &work->header, work->header.analyses[i]);
    bytes_to_hex(hash, work->share_header->vector.b, HASH_BYTES);
    const char *words = arena_printf(arena,
                                     "round %u attempt %u, masked among %zu sites, vector %s: %s of %zu "
                                     "analyses, for the sites alone (%s)",
                                     work->header.round, work->header.attempt, work->header.n_members, hash,
                                     work->which == THRESHOLD_BEFORE ? "pair words" : "head counts", counted,
                                     purposes[work->which]);
    return counted == work->header.n_analyses ? words
                                              : arena_printf(arena, "%s; %zu are answered as before", words,
                                                             work->header.n_analyses - counted);
}

/* --- custody: all reveals and all vectors --- */

/* b_j: to this site's query key, or from the second round of a circle on under the circle's. */
static bool open_self(struct digest *self, struct bytes *opened, const struct vault *vault,
                      const struct query *query, const struct message_reveal *reveal)
{
    const struct attempt *attempt = &query->attempt;
    if (circle_is(query) && attempt->header.round > 1)
        return reveal->n_keys == 0 &&
               circle_reveal_open(self, &query->circle.key, &attempt->mask_psi, reveal->site,
                                  reveal->sealed.data, reveal->sealed.length, NULL) == MAILLE_OK;
    const struct byte_view *sealed = NULL;
    for (size_t i = 0; i < reveal->n_keys; i++)
        if (reveal->keys[i].site == vault->self->id)
            sealed = &reveal->keys[i].sealed;
    if (sealed == NULL ||
        query_secrets_open(opened, query->secrets, sealed->data, sealed->length, NULL) != MAILLE_OK ||
        opened->length != HASH_BYTES)
        return false;
    memcpy(self->b, opened->data, HASH_BYTES);
    return true;
}

/* A reveal, checked: signed by the member, for this attempt and this close, sealed to every member.
 * MAILLE_PROTOCOL: the coordinator's doing. MAILLE_REFUSED: the member signed what it must not; nobody can
 * mend that. */
static enum maille_code take_reveal(struct digest *self, const struct vault *vault, const struct query *query,
                                    const struct byte_view *bytes, size_t m, struct arena *arena,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct attempt *attempt = &query->attempt;
    const uint32_t member = attempt->header.members[m];
    struct message in;
    const struct message_reveal *reveal = &in.body.reveal;
    uint32_t site;
    struct bytes opened = {0};
    MAILLE_TRY(vault_check_within(&in, &site, vault, arena, bytes, MESSAGE_REVEAL, "reveal_signed", error));
    const char *from = in.envelope.from;
    if (site != member) {
        code = maille_protest(error, "reveal_signed", "expected the reveal of site %u, found \"%s\"", member,
                              from);
        goto out;
    }
    if (memcmp(reveal->qid, query->qid, QID_BYTES) != 0 || !digest_equal(&reveal->psi, &attempt->psi) ||
        reveal->site != member) {
        code = maille_protest(error, "psi", "expected reveals of this attempt, found %s's of another", from);
        goto out;
    }
    if (!digest_equal(&reveal->close_hash, &query->close_hash)) {
        code = maille_protest(error, "close_hash",
                              "expected that %s saw the close that this site saw, found another", from);
        goto out;
    }
    if (!open_self(self, &opened, vault, query, reveal)) {
        code = maille_refuse(error, "custody", "expected a mask of %s sealed to this site, found none", from);
        goto out;
    }
    if (!mask_reveal_matches(self, &attempt->proofs[m].commit, &attempt->mask_psi))
        code = maille_refuse(error, "custody", "expected the mask that %s had committed to, found another",
                             from);
out:
    bytes_wipe(&opened);
    return code;
}

/* Which words of the attempt are no counts. */
static enum maille_code random_words(const uint8_t **random, const struct query *query, struct arena *arena,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct threshold threshold = {0};
    MAILLE_TRY(threshold_of_attempt(&threshold, query, error));
    *random = threshold_random(&threshold, custody_which(query, &query->attempt.header), arena);
out:
    threshold_clear(&threshold);
    return code;
}

/* Totals that a network can have; what else there is, masks that do not cancel have made. */
static enum maille_code in_range(const uint8_t *totals, size_t length, const struct round_plan *plan,
                                 const struct query *query, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const uint8_t *random;
    bool right = true;
    if (plan->n > 0) {
        right = round_in_range(plan, query->study, totals, NULL) == MAILLE_OK;
    } else {
        MAILLE_TRY(random_words(&random, query, arena, error));
        for (size_t at = 0; at < length; at += 8)
            right = right && (random[at / 8] != 0 || le64_load(totals + at) <= total_max);
    }
    if (!right)
        code = maille_refuse(
            error, "custody",
            "expected totals that a network can have, found others: a site's masks do not cancel");
out:
    return code;
}

/* Σ y_j − Σ G(b_j), where every y_j is the one that its site signed. runs: of the words. selves (of the
 * members): b_j, which the caller wipes. */
static enum maille_code add_up(struct bytes *totals, struct digest *selves, const struct vault *vault,
                               const struct query *query, const struct message *in,
                               const struct word_run *runs, size_t n_runs, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct attempt *attempt = &query->attempt;
    const struct message_custody *custody = &in->body.custody;
    const size_t n = attempt->header.n_members, length = (size_t)attempt->length;
    struct bytes sum = {0};
    if (custody->n != n)
        return maille_protest(error, "members", "expected the reveals of %zu members, found %zu", n,
                              custody->n);
    if (in->frame_length / n != length || in->frame_length % n != 0 || (in->frame == NULL && length > 0))
        return maille_protest(error, "length", "expected %zu vectors of %zu bytes, found %zu bytes", n,
                              length, in->frame_length);
    bytes_reserve(&sum, length);
    MAILLE_TRY(bytes_check(&sum, error));
    for (size_t m = 0; m < n; m++) {
        const uint8_t *vector = length > 0 ? in->frame + m * length : NULL;
        struct digest root;
        hash_vector(&root, vector, length);
        if (!digest_equal(&root, &attempt->proofs[m].vector)) {
            code =
                maille_protest(error, "vector", "expected the vector that site %u signed, found other bytes",
                               attempt->header.members[m]);
            goto out;
        }
        if (length > 0)
            share_add(sum.data, vector, 0, length, runs, n_runs);
    }
    for (size_t m = 0; m < n; m++) {
        MAILLE_TRY(take_reveal(&selves[m], vault, query, &custody->reveals[m], m, in->arena, error));
        if (length > 0)
            mask_unmask_sum(sum.data, length, runs, n_runs, &selves[m]);
    }
    *totals = sum;
    sum = (struct bytes){0};
out:
    bytes_wipe(&sum);
    return code;
}

/* The totals of the attempt, opened and within their range. In a round of values (of a circle) its words lie
 * as its plan says. */
static enum maille_code open_totals(struct bytes *totals, struct digest *selves, const struct vault *vault,
                                    const struct query *query, const struct message *in,
                                    struct maille_error *error)
{
    enum { ROOM = 2 * STUDY_ANALYSES_MAX * TALLY_BLOCKS_MAX + 1 };
    enum maille_code code = MAILLE_OK;
    const struct attempt *attempt = &query->attempt;
    struct round_plan plan = {0};
    struct word_run *runs = calloc(ROOM, sizeof *runs);
    size_t n_runs = attempt->length > 0;
    if (runs == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the runs of a round");
    runs[0] = (struct word_run){.bytes = attempt->length, .width = 8};
    if (custody_which(query, &attempt->header) == 0) {
        MAILLE_TRY(circle_plan(&plan, query, error));
        n_runs = gate_runs(runs, ROOM, &plan);
    }
    MAILLE_TRY(add_up(totals, selves, vault, query, in, runs, n_runs, error));
    code = in_range(totals->data, totals->length, &plan, query, in->arena, error);
out:
    round_plan_clear(&plan);
    free(runs);
    return code;
}

/* --- what it is for --- */

/* The analyses that T0's totals alone refuse: not where there was no room for all pairs. */
static enum maille_code near_by_totals(bool *refused, const struct threshold *threshold,
                                       const struct query *query, const struct bytes *totals,
                                       struct maille_error *error)
{
    bool *near = arena_array(threshold->arena, threshold->n_groups + 1, sizeof *near);
    threshold_near_by_totals(near, threshold, THRESHOLD_BEFORE, totals->data, query->custody.strictest);
    for (size_t g = 0; g < threshold->n_groups; g++)
        if (near[g] && threshold->groups[g].part == 0)
            refused[threshold->groups[g].analysis] = true;
    return threshold_combined_refused(refused, threshold, THRESHOLD_BEFORE, totals->data,
                                      query->custody.strictest, error);
}

enum maille_code custody_near(bool *refused, struct bytes *found, const struct query *query,
                              const struct bytes *totals, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct threshold threshold = {0};
    MAILLE_TRY(threshold_of_attempt(&threshold, query, error));
    bool *near = arena_array(threshold.arena, threshold.n_groups + 1, sizeof *near);
    if (totals->length != 8 * threshold.n_words[THRESHOLD_BEFORE]) {
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected the totals of the pair words, found another length");
        goto out;
    }
    threshold_near_groups(near, &threshold, THRESHOLD_BEFORE, totals->data, query->custody.strictest);
    for (size_t g = 0; g < threshold.n_groups; g++)
        if (near[g] && threshold.groups[g].part == 0)
            refused[threshold.groups[g].analysis] = true;
    MAILLE_TRY(threshold_combined_refused(refused, &threshold, THRESHOLD_BEFORE, totals->data,
                                          query->custody.strictest, error));
    threshold_near_write(found, &threshold, near);
    code = bytes_check(found, error);
out:
    threshold_clear(&threshold);
    return code;
}

enum maille_code custody_few(struct vault *vault, const struct query *query, enum threshold_which which,
                             const struct bytes *totals, const struct plan *made, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct threshold threshold = {0};
    if (which != THRESHOLD_BEFORE && which != THRESHOLD_SECOND)
        return MAILLE_OK;
    MAILLE_TRY(threshold_of_attempt(&threshold, query, error));
    bool *refused = arena_array(threshold.arena, query->study->n_analyses + 1, sizeof *refused);
    if (which == THRESHOLD_BEFORE)
        MAILLE_TRY(near_by_totals(refused, &threshold, query, totals, error));
    for (size_t k = 0; k < query->study->n_analyses; k++)
        refused[k] =
            refused[k] && query->circle.run.states[k].status == ANALYSIS_OPEN && threshold.analyses[k].open;
    code = vault_few_count(vault, query, &threshold, which == THRESHOLD_BEFORE ? refused : NULL,
                           which == THRESHOLD_SECOND ? made : NULL, error);
out:
    threshold_clear(&threshold);
    return code;
}

enum maille_code custody_offers(const char ***offers, const struct query *query, const struct plan *made,
                                struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct threshold threshold = {0};
    const struct bytes *first = &query->custody.first;
    *offers = arena_array(arena, query->study->n_analyses + 1, sizeof **offers);
    MAILLE_TRY(threshold_of_attempt(&threshold, query, error));
    if (first->length == 8 * threshold.n_words[THRESHOLD_FIRST])
        vault_offers(*offers, query, &threshold, first->data, made, arena);
out:
    threshold_clear(&threshold);
    return code;
}

/* The plan of both rounds' totals: the same bytes at every member. */
static enum maille_code make_plan(struct bytes *out, struct plan *plan, const struct query *query,
                                  const struct bytes *second, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct custody *custody = &query->custody;
    struct threshold threshold = {0};
    MAILLE_TRY(threshold_of_attempt(&threshold, query, error));
    if (custody->first.length != 8 * threshold.n_words[THRESHOLD_FIRST] ||
        second->length != 8 * threshold.n_words[THRESHOLD_SECOND]) {
        code = maille_fail(error, MAILLE_INTERNAL,
                           "expected the totals of both threshold rounds, found other lengths");
        goto out;
    }
    threshold.near_before = &custody->near;
    MAILLE_TRY(plan_make(plan, &threshold, custody->first.data, second->data, custody->strictest,
                         query->attempt.header.n_members, error));
    plan_write(out, plan);
    code = bytes_check(out, error);
out:
    threshold_clear(&threshold);
    return code;
}

const char *custody_plan_words(struct arena *arena, const struct query *query)
{
    const struct plan *plan = &query->custody.plan;
    const char *text = "the plan of the threshold rounds:";
    for (size_t k = 0; k < plan->n; k++) {
        if (!plan->analyses[k].open)
            continue;
        const char *rule = plan->analyses[k].rule;
        text = arena_printf(arena, "%s %s %s%s;", text, query->study->analyses[k].id,
                            rule[0] != '\0' ? "refused: " : "goes on", rule);
    }
    return text;
}

enum maille_code vault_handle_custody(struct vault *vault, struct query *query, struct message *in,
                                      struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct attempt *attempt = &query->attempt;
    const enum threshold_which which = custody_which(query, &attempt->header);
    const size_t n = attempt->header.n_members;
    struct digest *selves = NULL;
    struct bytes totals = {0}, plan = {0};
    struct plan made = {0};
    if (!circle_is(query) || !digest_equal(&in->body.custody.psi, &attempt->psi))
        return maille_protest(error, "psi",
                              "expected custody of the round that this site revealed, found another");
    if (query->state == QUERY_TAKEN || query->state == QUERY_AGREED)
        return vault_send(vault, outbox, MESSAGE_TAKEN, in->qid, &query->custody.answer, NULL, 0, "again",
                          error);
    selves = calloc(n + 1, sizeof *selves);
    if (selves == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the masks of a round");
    code = open_totals(&totals, selves, vault, query, in, error);
    if (code == MAILLE_OK && which == THRESHOLD_SECOND)
        code = make_plan(&plan, &made, query, &totals, error);
    if (code == MAILLE_REFUSED ||
        code == MAILLE_FAILED) { /* signed by a member: it stays wrong however often it comes */
        code = vault_log_note(vault, "custody", in->qid, error->sentence, error);
        if (code == MAILLE_OK)
            code = vault_cancel(vault, query, "custody", outbox, error);
        goto out;
    }
    if (code == MAILLE_OK)
        code = circle_stepped(vault, query, which, &totals, &plan, &made, selves, in->arena, outbox, error);
    if (code == MAILLE_REFUSED)
        code = vault_cancel(vault, query, error->rule, outbox, error);
out:
    plan_clear(&made);
    crypto_wipe(selves, n * sizeof *selves);
    free(selves);
    bytes_wipe(&totals);
    bytes_clear(&plan);
    return code;
}
