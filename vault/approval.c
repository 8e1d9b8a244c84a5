/* A study that a person decides on. What she is asked is written down in words (QID.pending): manifest,
 * snapshot, policy and build by their hashes, and of every analysis the tally of its first round and which
 * earlier groups are near it in words. What she
 * signs is the hash of that file. From then on this vault holds the study to it: another snapshot, policy or
 * build asks again, and what is masked in the first round of each analysis is what was hashed when she was
 * asked. Later rounds follow from the study's methods alone and are in the log. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "query/words.h"
#include "tally/describe.h"
#include "vault/near.h"
#include "vault/spool.h"

enum { LOOK_EVERY_MS = 1000, TELL_LAST_MS = 6 * 3600 * 1000 };

/* Snapshot, policy in force, build and how many must sign: what an approval stands on. */
static void basis_of(struct digest *basis, const struct vault *vault, const struct digest *snapshot,
                     struct maille_error *error)
{
    struct bytes all = {0};
    bytes_put(&all, snapshot->b, HASH_BYTES);
    policy_write(&all, vault->policy);
    bytes_put_string(&all, MAILLE_VERSION);
    if (vault->options.signatures > 1)
        bytes_put_u8(&all, (uint8_t)vault->options.signatures);
    if (bytes_check(&all, error) == MAILLE_OK)
        hash_kdf(basis, NULL, "approval-basis", all.data, all.length);
    else
        *basis = (struct digest){{0}};
    bytes_clear(&all);
}

/* Keyed, so that nobody who reads the journal's neighbours can try counts. */
static void words_hash(struct digest *out, const struct vault *vault, const uint8_t *words, size_t length)
{
    hash_kdf(out, vault->state_key.b, "approved", words, length);
}

/* --- what is asked, in words --- */

static const char *hex_of(struct arena *arena, const void *data, size_t length)
{
    char *hex = arena_alloc(arena, 2 * length + 1);
    bytes_to_hex(hex, data, length);
    return hex;
}

static void put_head(struct bytes *out, struct arena *arena, const struct vault *vault,
                     const struct query *query, const struct data_facts *facts, const struct near_past *past)
{
    char utc[32];
    struct digest policy;
    struct bytes text = {0};
    const struct study *study = query->study;
    const struct message_manifest *manifest = &query->manifest;
    const struct directory_researcher *researcher =
        directory_researcher(vault->directory, manifest->researcher);
    policy_write(&text, vault->policy);
    hash_kdf(&policy, NULL, "policy", text.data, text.length);
    bytes_clear(&text);
    bytes_put_text(out, "maille pending 1\n");
    bytes_printf(out, "query: %s\n", hex_of(arena, query->qid, QID_BYTES));
    bytes_printf(out, "site: %s\n", vault->self->name);
    bytes_printf(out, "researcher: %s\n", manifest->researcher);
    bytes_printf(out, "key: %s\n",
                 researcher != NULL ? hex_of(arena, researcher->keys.identity, PUBLIC_BYTES) : "");
    bytes_printf(out, "study: %s\n", study->id);
    bytes_printf(out, "title: %s\n", study->title);
    bytes_printf(out, "purpose: %s\n", study->purpose);
    bytes_printf(out, "legal_basis: %s\n", study->legal_basis);
    bytes_printf(out, "protocol: %s\n", study->protocol);
    const struct registration *registration = registration_find(vault->directory, study->protocol);
    if (registration != NULL) {
        char *summary = arena_strdup(arena, registration->summary);
        for (char *c = strchr(summary, '\n'); c != NULL; c = strchr(c, '\n'))
            *c = ' ';
        bytes_printf(out, "registration: %s\nsummary_for_patients: %s\n", registration->title, summary);
    }
    clock_format(utc, manifest->created_ms);
    bytes_printf(out, "asked: %s\n", utc);
    clock_format(utc, manifest->expires_ms);
    bytes_printf(out, "expires: %s\n", utc);
    bytes_printf(out, "manifest: %s\n", hex_of(arena, query->manifest_hash.b, HASH_BYTES));
    bytes_printf(out, "snapshot: %u %s\n", facts->number, hex_of(arena, facts->hash.b, HASH_BYTES));
    bytes_printf(out, "policy: %s %s\n", policy_title(arena, vault->policy),
                 hex_of(arena, policy.b, HASH_BYTES));
    bytes_printf(out, "build: maille %s\n", MAILLE_VERSION);
    bytes_printf(out, "caps: at most %u rounds of %llu bytes\n", manifest->rounds_max,
                 (unsigned long long)manifest->bytes_max);
    const char *sites = "";
    for (size_t i = 0; i < manifest->n_sites; i++)
        sites = arena_printf(arena, "%s%s%s", sites, i > 0 ? ", " : "",
                             directory_site(vault->directory, manifest->sites[i])->name);
    bytes_printf(out, "sites: %s\n", sites);
    if (vault->options.signatures > 1)
        bytes_put_text(out, "signatures: 2, of different persons\n");
    if (near_past_unread(past))
        bytes_put_text(out, "not_compared: groups of before this version, or of another dictionary\n");
    bytes_printf(out, "analyses: %zu\n", study->n_analyses);
    bytes_put_text(out, "\n");
}

static void put_analysis(struct bytes *out, struct arena *arena, const struct query *query,
                         const struct round_plan *plan, size_t k, const struct verdict *verdict,
                         const struct data_round *sums)
{
    const struct analysis *analysis = &query->study->analyses[k];
    struct digest layout;
    struct bytes words = {0};
    if (analysis->cohort != NULL)
        expression_words(&words, analysis->cohort, query->study->dictionary);
    else
        bytes_put(&words, "everyone", 8);
    bytes_printf(out, "%s (%s) of %.*s\n", analysis->id, analysis->method, (int)words.length,
                 (const char *)words.data);
    words.length = 0;
    if (verdict->rule[0] != '\0')
        bytes_printf(out, "    refused by this site's policy: %s\n", verdict->rule);
    else if (plan->analyses[k].error.code != MAILLE_OK)
        bytes_printf(out, "    cannot be asked: %s\n", plan->analyses[k].error.sentence);
    else if (sums->failures[k].rule[0] != '\0')
        bytes_printf(out, "    cannot be counted here: %s\n", sums->failures[k].rule);
    else {
        if (verdict->held[0] != '\0')
            bytes_printf(out, "    decided by a person (cuts): %s\n", verdict->held);
        tally_spec_serialise(&words, plan->analyses[k].spec);
        hash_kdf(&layout, NULL, "layout", words.data, words.length);
        words.length = 0;
        bytes_printf(out, "    first round, %zu bytes, tally %s:\n", plan->analyses[k].bytes,
                     hex_of(arena, layout.b, HASH_BYTES));
        tally_spec_words(out, plan->analyses[k].spec, plan->analyses[k].extents, analysis->cohort,
                         query->study->dictionary, "        ");
    }
    bytes_clear(&words);
}

/* --- asking --- */

static enum maille_code first_round(struct vault *vault, const struct query *query, uint32_t snapshot,
                                    const bool *open, struct arena *arena, struct round_plan *plan,
                                    struct data_round *sums, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct study *study = query->study;
    struct vector *none = arena_array(arena, study->n_analyses + 1, sizeof *none);
    bool *planned = arena_array(arena, study->n_analyses + 1, sizeof *planned);
    MAILLE_TRY(round_plan(plan, study, open, none, NULL, 0, error));
    for (size_t k = 0; k < study->n_analyses; k++)
        planned[k] = open[k] && plan->analyses[k].error.code == MAILLE_OK;
    MAILLE_TRY(vault->options.data.round(vault->options.data.context, sums, snapshot, study, planned, none,
                                         NULL, error));
out:
    return code;
}

enum maille_code vault_approval_ask(struct vault *vault, struct query *query, const struct data_facts *facts,
                                    const struct answer *answer, const struct bytes *ready,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct round_plan plan = {0};
    struct data_round sums = {0};
    struct bytes text = {0}, record = {0};
    struct arena *arena = arena_new();
    struct near_past *past = NULL;
    const size_t n = query->study->n_analyses;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a question to the officer");
    bool *open = arena_array(arena, n + 1, sizeof *open);
    struct digest *words = arena_array(query->arena, n, sizeof *words);
    for (size_t k = 0; k < n; k++)
        open[k] = answer->verdicts[k].rule[0] == '\0';
    MAILLE_TRY(first_round(vault, query, facts->number, open, arena, &plan, &sums, error));
    MAILLE_TRY(near_past_read(&past, arena, vault, query, error));
    put_head(&text, arena, vault, query, facts, past);
    for (size_t k = 0; k < n; k++) {
        put_analysis(&text, arena, query, &plan, k, &answer->verdicts[k], &sums);
        if (open[k])
            near_put(&text, arena, past, query, k);
        if (open[k] && plan.analyses[k].spec != NULL)
            words_hash(&words[k], vault, sums.words.words.data + plan.analyses[k].offset,
                       plan.analyses[k].bytes);
    }
    bytes_printf(&text, "\nthe study as it was signed:\n%.*s\n", (int)query->manifest.study.length,
                 (const char *)query->manifest.study.data);
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(spool_ask(vault->options.folder, query->qid, &text, error));
    query->approved = false;
    query->n_approved = n;
    query->approved_words = words;
    decision_pending_hash(&query->pending, text.data, text.length);
    basis_of(&query->basis, vault, &facts->hash, error);
    vault_record_ready(&record, vault_now_ms(vault), READY_HELD, query, facts, ready);
    MAILLE_TRY(bytes_check(&record, error));
    MAILLE_TRY(vault_query_commit(vault, query, RECORD_READY, &record, NULL, 0, error));
    log_line(LOG_LEVEL_INFO, "%s of %s waits for the officer: maille-worker pending --dir %s",
             query->study->id, query->manifest.researcher, vault->options.folder);
    if (vault->options.signatures > 1 && vault_second(vault) == NULL)
        log_line(LOG_LEVEL_WARNING, "officer_signatures is 2 and nobody decides beside the officer: maille "
                                    "officer appoint --role second");
out:
    data_round_clear(&sums);
    round_plan_clear(&plan);
    bytes_clear(&text);
    bytes_clear(&record);
    arena_free(arena);
    return code;
}

/* --- another snapshot, policy or build --- */

static enum maille_code ask_again(struct vault *vault, struct query *query, const struct data_facts *facts,
                                  struct answer *answer, struct arena *arena, struct message_outbox *outbox,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes envelope = {0}, record = {0};
    struct maille_error why = {0};
    if (answer->state != READY_REFUSED)
        MAILLE_TRY(answer_study(vault, query, facts, arena, answer, &why));
    MAILLE_TRY(vault_ready_encode(&envelope, vault, query, answer, arena, error));
    if (!digest_equal(&query->pending, &(struct digest){{0}}))
        MAILLE_TRY(vault_log_note(vault, "approval", query->qid,
                                  "void: the snapshot, the policy, the build or how many sign is another one",
                                  error));
    if (answer->state == READY_HELD) {
        MAILLE_TRY(vault_approval_ask(vault, query, facts, answer, &envelope, error));
    } else {
        static const struct digest none;
        query->approved = false;
        query->pending = query->basis = none;
        query->n_approved = query->study->n_analyses;
        query->approved_words = arena_array(query->arena, query->n_approved, sizeof *query->approved_words);
        vault_record_ready(&record, vault_now_ms(vault), answer->state, query, facts, &envelope);
        MAILLE_TRY(bytes_check(&record, error));
        MAILLE_TRY(vault_query_commit(vault, query, RECORD_READY, &record, NULL, 0, error));
        spool_forget(vault->options.folder, query->qid);
    }
    const struct vault_judged judged = {.query = query,
                                        .study = query->study,
                                        .verdicts = answer->n > 0 ? answer->verdicts : NULL,
                                        .decision = answer_state_word(answer->state),
                                        .rule = answer->rule,
                                        .why = why.sentence,
                                        .words = answer_words(arena, query, answer, why.sentence)};
    MAILLE_TRY(vault_log_judged(vault, MESSAGE_READY, &envelope, &judged, error));
    MAILLE_TRY(message_outbox_put(outbox, MESSAGE_READY, &envelope, NULL, 0, error));
out:
    if (code != MAILLE_OK && why.code == code)
        *error = why;
    bytes_clear(&envelope);
    bytes_clear(&record);
    return code;
}

static enum maille_code reconsider(struct vault *vault, struct query *query, struct message_outbox *outbox,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct data_facts facts = {0};
    struct answer answer = {0};
    struct digest basis;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a question to the officer");
    MAILLE_TRY(vault_snapshot_facts(vault, &facts, arena, &answer, error));
    basis_of(&basis, vault, &facts.hash, error);
    if (!digest_equal(&basis, &query->basis))
        MAILLE_TRY(ask_again(vault, query, &facts, &answer, arena, outbox, error));
out:
    arena_free(arena);
    return code;
}

/* --- time --- */

static bool a_person_decides(const struct query *query)
{
    return query->state == QUERY_HELD || (query->state == QUERY_READY && query->approved);
}

/* An answer that was lost with a coordinator's crash would leave the researcher waiting for ever. */
static enum maille_code tell_again(struct vault *vault, struct query *query, struct message_outbox *outbox,
                                   struct maille_error *error)
{
    int64_t now_ms = vault_now_ms(vault);
    if (query->tell_after_ms == 0) {
        query->tell_after_ms = APPROVAL_TELL_FIRST_MS;
        query->told_ms = now_ms;
    }
    if (now_ms - query->told_ms < query->tell_after_ms)
        return MAILLE_OK;
    query->told_ms = now_ms;
    query->tell_after_ms = 2 * query->tell_after_ms < TELL_LAST_MS ? 2 * query->tell_after_ms : TELL_LAST_MS;
    return vault_send(vault, outbox, MESSAGE_READY, query->qid, &query->ready_envelope, NULL, 0, "again",
                      error);
}

/* After a crash: questions that were answered, or whose study has ended, do not wait for anybody. */
static enum maille_code forget_answered(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const uint8_t(*qids)[QID_BYTES];
    size_t n = 0;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for the questions to the officer");
    MAILLE_TRY(spool_list(&qids, &n, arena, vault->options.folder, error));
    for (size_t i = 0; i < n; i++) {
        const struct query *query = vault_query_find(vault, qids[i]);
        if (query == NULL)
            spool_forget(vault->options.folder, qids[i]);
        else if (query->state != QUERY_HELD)
            spool_drop_question(vault->options.folder, qids[i]);
    }
out:
    arena_free(arena);
    return code;
}

enum maille_code vault_approval_tick(struct vault *vault, struct message_outbox *outbox,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (!vault->reconsidered)
        MAILLE_TRY(forget_answered(vault, error));
    for (struct query *query = vault->queries; query != NULL; query = query->next)
        if (a_person_decides(query) && !vault->reconsidered)
            MAILLE_TRY(reconsider(vault, query, outbox, error));
    vault->reconsidered = true;
    for (struct query *query = vault->queries, *next; query != NULL; query = next) {
        bool stopped = false;
        next = query->next; /* one that is stopped is gone */
        if (query->state == QUERY_HELD)
            MAILLE_TRY(vault_decision_read(vault, query, outbox, error));
        else
            MAILLE_TRY(vault_stop_asked(&stopped, vault, query, outbox, error));
        if (!stopped && query->state != QUERY_HELD && a_person_decides(query))
            MAILLE_TRY(tell_again(vault, query, outbox, error));
    }
out:
    return code;
}

int64_t vault_approval_next_ms(const struct vault *vault)
{
    for (const struct query *query = vault->queries; query != NULL; query = query->next)
        if (query->state != QUERY_REFUSED)
            return LOOK_EVERY_MS;
    return INT64_MAX;
}

/* --- holding the study to it --- */

/* Is block `block` of both plans the same tally, but for what did not survive? */
static bool same_tally(const struct tally_spec *a, const struct tally_spec *b, size_t block,
                       struct bytes text[2])
{
    const struct tally_spec *const specs[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        struct tally_spec *one = calloc(1, sizeof *one);
        if (one == NULL)
            return false;
        one->survival = specs[i]->survival;
        one->blocks[0] = specs[i]->blocks[block];
        one->blocks[0].kept = NULL;
        one->n_blocks = 1;
        text[i].length = 0;
        tally_spec_serialise(&text[i], one);
        free(one);
    }
    return !text[0].failed && !text[1].failed && text[0].length == text[1].length &&
           memcmp(text[0].data, text[1].data, text[0].length) == 0;
}

/* Suppressed words are 0; all others are those that were approved. Where the plan lays a block out in another
 * way (merged bins, and what a model sums by them), the tally is that of the same rows, which the hash of
 * what was approved holds, in coarser steps: the officer was told of them by the policy. */
static bool words_kept(const struct round_plan *full, const uint8_t *approved, const struct round_plan *plan,
                       const uint8_t *words, size_t k)
{
    const struct tally_spec *a = full->analyses[k].spec, *b = plan->analyses[k].spec;
    struct bytes text[2] = {{0}, {0}};
    bool kept = a != NULL && b != NULL;
    for (size_t block = 0; kept && block < a->n_blocks && block < b->n_blocks; block++) {
        const struct tally_extent *x = &full->analyses[k].extents[block],
                                  *y = &plan->analyses[k].extents[block];
        if (x->count != y->count || x->width != y->width || !same_tally(a, b, block, text))
            continue;
        const uint8_t *p = approved + full->analyses[k].offset + x->offset,
                      *q = words + plan->analyses[k].offset + y->offset;
        for (size_t i = 0; i < x->count; i++) {
            static const uint8_t zeros[16];
            if (memcmp(p + i * x->width, q + i * x->width, x->width) != 0 &&
                memcmp(q + i * x->width, zeros, x->width) != 0)
                kept = false;
        }
    }
    bytes_clear(&text[0]);
    bytes_clear(&text[1]);
    return kept;
}

enum maille_code vault_approval_check(struct vault *vault, const struct query *query,
                                      struct verdict *verdicts, struct verdict *objections, const bool *first,
                                      const struct surviving *const *surviving, const struct round_plan *plan,
                                      const struct data_round *sums, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct digest basis, hash;
    struct round_plan full = {0};
    struct data_round counted = {0};
    struct arena *arena = NULL;
    const size_t n = query->study->n_analyses;
    if (!query->approved)
        return MAILLE_OK;
    basis_of(&basis, vault, &query->snapshot_hash, error);
    if (!digest_equal(&basis, &query->basis)) {
        for (size_t k = 0; k < n; k++)
            gate_refuse(&verdicts[k], "approval",
                        "the policy or the build is not the one that the officer approved");
        return MAILLE_OK;
    }
    arena = arena_new();
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory to hold a round against what was approved");
    struct vector *none = arena_array(arena, n + 1, sizeof *none);
    bool any = false;
    for (size_t k = 0; k < n; k++)
        any = any || first[k];
    if (!any)
        goto out;
    MAILLE_TRY(round_plan(&full, query->study, first, none, NULL, 0, error));
    if (surviving != NULL)
        MAILLE_TRY(vault->options.data.round(vault->options.data.context, &counted, query->snapshot,
                                             query->study, first, none, NULL, error));
    for (size_t k = 0; k < n; k++) {
        const struct round_plan *at = surviving != NULL ? &full : plan;
        const struct data_round *from = surviving != NULL ? &counted : sums;
        if (!first[k])
            continue;
        words_hash(&hash, vault, from->words.words.data + at->analyses[k].offset, at->analyses[k].bytes);
        if (!digest_equal(&hash, &query->approved_words[k]) ||
            (surviving != NULL &&
             !words_kept(&full, counted.words.words.data, plan, sums->words.words.data, k)))
            gate_refuse(&objections[k], "approval", "what would leave is not what the officer approved");
    }
out:
    data_round_clear(&counted);
    round_plan_clear(&full);
    arena_free(arena);
    return code;
}
