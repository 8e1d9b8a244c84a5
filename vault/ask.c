#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stats/arithmetic.h"
#include "vault/published.h"

/* Handlers of what begins and ends a query: manifest, call, roster, end, cancel. */

enum maille_code vault_envelope(struct bytes *envelope, const struct vault *vault, enum message_kind kind,
                                const struct bytes *body, struct maille_error *error)
{
    return envelope_encode(envelope, kind, vault->options.keys, vault->self->name, body, error);
}

/* --- M0 manifest → M0a ready --- */

/* A person decides where the policy says so, and in a circle of so few that sums are nearly a site's own. */
static bool study_held(const struct vault *vault, const struct query *query, const struct answer *answer)
{
    const struct study *study = query->study;
    const bool forced = circle_is(query) && directory_network(vault->directory) < CIRCLE_SITES &&
                        !vault_public_policy(vault->policy);
    bool held = false;
    for (size_t k = 0; k < study->n_analyses; k++)
        held = held ||
               (answer->verdicts[k].rule[0] == '\0' &&
                (forced || answer->verdicts[k].held[0] != '\0' ||
                 policy_approval(vault->policy, study->analyses[k].method, study->purpose) == APPROVAL_HOLD));
    return held;
}

static void refuse_all(struct answer *answer, const char *rule)
{
    answer->state = READY_REFUSED;
    snprintf(answer->rule, sizeof answer->rule, "%s", rule);
}

enum maille_code answer_study(struct vault *vault, const struct query *query, const struct data_facts *facts,
                              struct arena *arena, struct answer *answer, struct maille_error *error)
{
    struct data_cells cells = {0};
    enum maille_code code = vault_check_study(vault, query, facts, error);
    if (code == MAILLE_OK) {
        assert(query->study != NULL);
        answer->n = query->study->n_analyses;
        answer->verdicts = arena_array(arena, answer->n, sizeof *answer->verdicts);
        code = vault_verdicts(vault, answer->verdicts, query->study, query->manifest.researcher, true, error);
        if (code == MAILLE_OK)
            code = vault_ledger_budget(vault, answer->verdicts, query, facts->number, error);
        if (code == MAILLE_OK)
            code = vault_registration_budget(vault, answer->verdicts, query, error);
        /* In the circle what cannot be counted here is vetoed, and nobody learns where. Elsewhere the data
         * are public: it is said now. */
        if (code == MAILLE_OK && !circle_is(query))
            code = vault_counts(vault, &cells, answer->verdicts, query->study, facts->number, error);
        data_cells_clear(&cells);
    }
    if (code == MAILLE_REFUSED) {
        refuse_all(answer, error->rule);
        answer->n = 0;
        return MAILLE_OK;
    }
    if (code == MAILLE_CORRUPT || code == MAILLE_FAILED) {
        refuse_all(answer, "snapshot");
        answer->n = 0;
        return MAILLE_OK;
    }
    if (code != MAILLE_OK)
        return code;
    answer->state = study_held(vault, query, answer) ? READY_HELD : READY_READY;
    if (answer->state == READY_HELD && !vault->self->has_dpo) {
        maille_refuse(error, "approval", "expected an officer of this site in the directory, found none");
        refuse_all(answer, "approval");
        answer->n = 0;
    }
    return MAILLE_OK;
}

enum maille_code vault_snapshot_facts(struct vault *vault, struct data_facts *facts, struct arena *arena,
                                      struct answer *answer, struct maille_error *error)
{
    enum maille_code code = vault->options.data.facts(vault->options.data.context, facts, 0, arena, error);
    if (code == MAILLE_CORRUPT || code == MAILLE_FAILED || code == MAILLE_IO) {
        refuse_all(answer, "snapshot");
        return MAILLE_OK;
    }
    return code;
}

/* The study of a query that is not in its journal yet, read with the snapshot's dictionary. */
static void study_read(struct query *query, const struct data_facts *facts)
{
    struct maille_error why;
    size_t n_methods;
    const struct query_method *methods = methods_declared(&n_methods);
    if (dictionary_parse(&query->dictionary, query->arena, "dictionary", facts->dictionary,
                         facts->dictionary_length, &why) != MAILLE_OK ||
        study_parse(&query->study, query->arena, query->dictionary, methods, n_methods, "study",
                    (const char *)query->manifest.study.data, query->manifest.study.length,
                    &why) != MAILLE_OK)
        query->study = NULL;
}

enum maille_code vault_ready_encode(struct bytes *envelope, struct vault *vault, const struct query *query,
                                    const struct answer *answer, struct arena *arena,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes body = {0};
    struct message_finding *findings = arena_array(arena, answer->n + 1, sizeof *findings);
    struct message_ready ready = {.site = vault->self->id, .state = answer->state, .rule = answer->rule};
    memcpy(ready.qid, query->qid, QID_BYTES);
    ready.n_findings =
        answer->n > 0 ? vault_verdict_findings(findings, answer->verdicts, answer->n, NULL) : 0;
    ready.findings = findings;
    MAILLE_TRY(message_ready_encode(&body, &ready, error));
    MAILLE_TRY(vault_envelope(envelope, vault, MESSAGE_READY, &body, error));
out:
    bytes_clear(&body);
    return code;
}

const char *answer_state_word(enum ready_state state)
{
    return state == READY_REFUSED ? "refused" : state == READY_HELD ? "held" : "ready";
}

const char *answer_words(struct arena *arena, const struct query *query, const struct answer *answer,
                         const char *why)
{
    const char *text;
    if (answer->state == READY_REFUSED)
        return arena_printf(arena, "refused: %s: %s", answer->rule, why);
    text = answer_state_word(answer->state);
    for (size_t k = 0; k < answer->n; k++)
        if (answer->verdicts[k].rule[0] != '\0')
            text = arena_printf(arena, "%s; %s (%s) refused: %s: %s", text, query->study->analyses[k].id,
                                query->study->analyses[k].method, answer->verdicts[k].rule,
                                answer->verdicts[k].sentence);
    return text;
}

static enum maille_code manifest_answer(struct vault *vault, struct query *query, const struct message *in,
                                        struct data_facts *facts, struct answer *answer,
                                        struct maille_error *error)
{
    enum maille_code code = vault_check_manifest(vault, &query->manifest, error);
    if (code == MAILLE_REFUSED) {
        refuse_all(answer, error->rule);
        return MAILLE_OK;
    }
    size_t queries_max = vault->options.queries_max != 0 ? vault->options.queries_max : 256;
    if (code == MAILLE_OK && vault->n_queries >= queries_max) {
        maille_refuse(error, "queries_max", "expected at most %zu open queries at this site", queries_max);
        refuse_all(answer, "queries_max");
        return MAILLE_OK;
    }
    if (code == MAILLE_OK)
        code = vault_snapshot_facts(vault, facts, in->arena, answer, error);
    if (code == MAILLE_OK && answer->state != READY_REFUSED) {
        study_read(query, facts);
        code = answer_study(vault, query, facts, in->arena, answer, error);
    }
    return code;
}

enum maille_code vault_handle_manifest(struct vault *vault, struct query *query, struct message *in,
                                       struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct query *made = NULL;
    struct bytes envelope = {0}, record = {0};
    struct data_facts facts = {0};
    struct answer answer = {0};
    int64_t until_ms;
    MAILLE_TRY(vault_check_researcher(in, in->body.manifest.researcher, error));
    if (query != NULL) {
        /* Taken once: the same bytes get the same answer, others none. */
        if (in->envelope.length != query->manifest_envelope.length ||
            memcmp(in->envelope.bytes, query->manifest_envelope.data, in->envelope.length) != 0)
            code = maille_protest(error, "qid", "expected a new qid, found one that is taken");
        else
            code = vault_send(vault, outbox, MESSAGE_READY, in->qid, &query->ready_envelope, NULL, 0, "again",
                              error);
        goto out;
    }
    if (in->body.manifest.directory_version > vault->directory->version) {
        code = maille_protest(error, "directory",
                              "expected version %llu of the directory, found a manifest of version %llu; "
                              "it is answered once that directory is here",
                              (unsigned long long)vault->directory->version,
                              (unsigned long long)in->body.manifest.directory_version);
        goto out;
    }
    MAILLE_TRY(vault_query_new(&made, vault, in->qid, error));
    if (journal_ended(made->folder, &until_ms)) {
        code = maille_protest(error, "qid", "expected a new qid, found one of a query that has ended");
        goto out;
    }
    made->manifest = in->body.manifest;
    hash_kdf(&made->manifest_hash, NULL, "manifest", in->envelope.bytes, in->envelope.length);
    MAILLE_TRY(manifest_answer(vault, made, in, &facts, &answer, error));
    MAILLE_TRY(vault_ready_encode(&envelope, vault, made, &answer, in->arena, error));
    const char *words = answer_words(in->arena, made, &answer, error->sentence);
    /* A refusal for want of room is not kept: that would take room. */
    if (strcmp(answer.rule, "queries_max") == 0) {
        code = vault_send(vault, outbox, MESSAGE_READY, in->qid, &envelope, NULL, 0, words, error);
        goto out;
    }
    vault_record_manifest(&record, vault_now_ms(vault), &in->envelope, &facts, answer.state, &envelope);
    MAILLE_TRY(vault_query_commit(vault, made, RECORD_MANIFEST, &record, NULL, 0, error));
    if (answer.state == READY_HELD)
        MAILLE_TRY(vault_approval_ask(vault, made, &facts, &answer, &envelope, error));
    query = made;
    made->next = vault->queries;
    vault->queries = made;
    vault->n_queries++;
    made = NULL;
    const struct vault_judged judged = {.query = query,
                                        .study = query->study,
                                        .verdicts = answer.n > 0 ? answer.verdicts : NULL,
                                        .decision = answer_state_word(answer.state),
                                        .rule = answer.rule,
                                        .why = error->sentence,
                                        .words = words};
    MAILLE_TRY(vault_log_judged(vault, MESSAGE_READY, &envelope, &judged, error));
    MAILLE_TRY(message_outbox_put(outbox, MESSAGE_READY, &envelope, NULL, 0, error));
out:
    vault_query_free(made);
    bytes_clear(&envelope);
    bytes_clear(&record);
    return code;
}

/* --- M0b call → M1 accept --- */

/* Another snapshot than at M0a: the answer must be what it was. */
static enum maille_code same_answer(struct vault *vault, const struct query *query,
                                    const struct data_facts *facts, const struct message *in, bool *same,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct answer answer = {0};
    struct bytes envelope = {0};
    *same = true;
    if (facts->number == query->snapshot && digest_equal(&facts->hash, &query->snapshot_hash))
        goto out;
    MAILLE_TRY(answer_study(vault, query, facts, in->arena, &answer, error));
    MAILLE_TRY(vault_ready_encode(&envelope, vault, query, &answer, in->arena,
                                  error)); /* Ed25519: equal bodies, equal bytes */
    *same = envelope.length == query->ready_envelope.length &&
            memcmp(envelope.data, query->ready_envelope.data, envelope.length) == 0;
out:
    bytes_clear(&envelope);
    return code;
}

static enum maille_code accept_encode(struct bytes *envelope, struct vault *vault, const struct query *query,
                                      const struct query_secrets *secrets, const struct data_facts *facts,
                                      const struct message_ledger_entry *ledger, size_t n_ledger,
                                      const struct message_ledger_form *forms, size_t n_forms,
                                      const struct message_stored *stored, size_t n_stored,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes body = {0}, floor = {0};
    struct arena *arena = arena_new();
    struct message_accept accept = {.site = vault->self->id,
                                    .manifest_hash = query->manifest_hash,
                                    .snapshot = facts->number,
                                    .snapshot_hash = facts->hash,
                                    .own_totals = vault->policy->own_totals,
                                    .ledger = ledger,
                                    .n_ledger = n_ledger,
                                    .forms = forms,
                                    .n_forms = n_forms,
                                    .stored = stored,
                                    .n_stored = n_stored,
                                    .arithmetic = ARITHMETIC_VERSION};
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a message");
    policy_write(&floor, vault->policy);
    MAILLE_TRY(bytes_check(&floor, error));
    memcpy(accept.qid, query->qid, QID_BYTES);
    memcpy(accept.ek, query_secrets_public(secrets), PUBLIC_BYTES);
    accept.floor = (struct byte_view){floor.data, floor.length};
    MAILLE_TRY(vault_log_head(vault, &accept.head, arena, error));
    MAILLE_TRY(message_accept_encode(&body, &accept, error));
    MAILLE_TRY(vault_envelope(envelope, vault, MESSAGE_ACCEPT, &body, error));
out:
    bytes_clear(&body);
    bytes_clear(&floor);
    arena_free(arena);
    return code;
}

enum maille_code vault_handle_call(struct vault *vault, struct query *query, struct message *in,
                                   struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct query_secrets *secrets = NULL;
    struct bytes envelope = {0}, record = {0};
    struct data_facts facts = {0};
    struct answer answer = {0};
    struct published published;
    const struct message_ledger_entry *ledger = NULL;
    const struct message_ledger_form *forms = NULL;
    const struct message_stored *stored = NULL;
    size_t n_ledger = 0, n_forms = 0, n_stored = 0;
    bool same = true;
    MAILLE_TRY(vault_check_researcher(in, query->manifest.researcher, error));
    MAILLE_TRY(vault_check_call(vault, query, &in->body.call, error));
    if (query->state != QUERY_READY) {
        code = vault_send(vault, outbox, MESSAGE_ACCEPT, in->qid, &query->accept_envelope, NULL, 0, "again",
                          error);
        goto out;
    }
    MAILLE_TRY(vault_snapshot_facts(vault, &facts, in->arena, &answer, error));
    if (answer.state != READY_REFUSED)
        MAILLE_TRY(same_answer(vault, query, &facts, in, &same, error));
    if (answer.state == READY_REFUSED || !same) {
        code = vault_cancel(vault, query, "snapshot", outbox, error);
        goto out;
    }
    MAILLE_TRY(vault_published(&published, in->arena, vault, query->dictionary, error));
    code = vault_ledger_reserve(&ledger, &n_ledger, vault, query, &facts, &in->body.call, &published,
                                in->arena, error);
    if (code == MAILLE_OK)
        code = vault_combination_reserve(&forms, &n_forms, vault, query, &published, in->arena, error);
    if (code == MAILLE_OK)
        code = vault_stored_list(&stored, &n_stored, vault, query, &in->body.call, facts.number, in->arena,
                                 error);
    if (code == MAILLE_OK)
        code = vault_registration_reserve(vault, query, error);
    if (code == MAILLE_REFUSED) {
        code = vault_cancel(vault, query, error->rule, outbox, error);
        goto out;
    }
    if (code != MAILLE_OK)
        goto out;
    MAILLE_TRY(query_secrets_new(&secrets, error));
    MAILLE_TRY(accept_encode(&envelope, vault, query, secrets, &facts, ledger, n_ledger, forms, n_forms,
                             stored, n_stored, error));
    vault_published_tell(vault, &published, query->dictionary, in->arena);
    MAILLE_TRY(vault_record_accept(&record, vault, vault_now_ms(vault), secrets, &facts, &envelope,
                                   &published, error));
    MAILLE_TRY(vault_query_commit(vault, query, RECORD_ACCEPT, &record, NULL, 0, error));
    MAILLE_TRY(vault_send(
        vault, outbox, MESSAGE_ACCEPT, in->qid, &envelope, NULL, 0,
        arena_printf(in->arena, "snapshot %u, %zu earlier questions", facts.number, n_ledger), error));
out:
    query_secrets_free(secrets);
    bytes_clear(&envelope);
    bytes_clear(&record);
    return code;
}

/* --- M2 roster --- */

enum maille_code vault_handle_roster(struct vault *vault, struct query *query, struct message *in,
                                     struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes record = {0};
    struct message_accept *accepts;
    if (query->state != QUERY_ACCEPTED) {
        if (in->envelope.length != query->roster_envelope.length ||
            memcmp(in->envelope.bytes, query->roster_envelope.data, in->envelope.length) != 0)
            code = maille_protest(error, "rho", "expected the roster that this site took, found another");
        goto out;
    }
    MAILLE_TRY(vault_check_roster(vault, query, &in->body.roster, in->arena, &accepts, error));
    MAILLE_TRY(vault_log_roster(vault, in, accepts, error));
    code = gate_roster(vault->policy, in->body.roster.n, error);
    if (code == MAILLE_OK)
        code = vault_check_mode(query, accepts, in->body.roster.n, error);
    if (code == MAILLE_OK)
        code = vault_check_arithmetic(query, accepts, in->body.roster.n, error);
    if (code == MAILLE_OK)
        code = vault_ledger_roster(vault, query, accepts, in->body.roster.n, error);
    if (code == MAILLE_REFUSED) {
        const struct maille_error why = *error;
        MAILLE_TRY(vault_log_joined(vault, query, &why, error));
        code = vault_cancel(vault, query, why.rule, outbox, error);
        goto out;
    }
    if (code != MAILLE_OK)
        goto out;
    MAILLE_TRY(vault_log_joined(vault, query, NULL, error));
    vault_record_roster(&record, vault_now_ms(vault), &in->envelope);
    MAILLE_TRY(vault_query_commit(vault, query, RECORD_ROSTER, &record, NULL, 0, error));
out:
    bytes_clear(&record);
    return code;
}

/* --- M7 end, cancel --- */

enum maille_code vault_handle_end(struct vault *vault, struct query *query, struct message *in,
                                  struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (query == NULL) /* ended before */
        goto out;
    MAILLE_TRY(vault_check_researcher(in, query->manifest.researcher, error));
    MAILLE_TRY(vault_log_note(
        vault, "erased", in->qid,
        in->envelope.kind == MESSAGE_END ? "ended by the researcher" : "cancelled by the researcher", error));
    MAILLE_TRY(vault_log_head_out(vault, query, outbox, error));
    vault_tell_over(vault, query, NULL);
    MAILLE_TRY(vault_query_end(vault, query, error));
out:
    return code;
}

enum maille_code vault_cancel(struct vault *vault, struct query *query, const char *rule,
                              struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes body = {0}, envelope = {0};
    struct message_cancel cancel = {.rule = rule};
    memcpy(cancel.qid, query->qid, QID_BYTES);
    MAILLE_TRY(message_cancel_encode(&body, &cancel, error));
    MAILLE_TRY(vault_envelope(&envelope, vault, MESSAGE_CANCEL, &body, error));
    MAILLE_TRY(vault_send(vault, outbox, MESSAGE_CANCEL, cancel.qid, &envelope, NULL, 0, rule, error));
    vault_tell_over(vault, query, rule);
    MAILLE_TRY(vault_query_end(vault, query, error));
out:
    bytes_clear(&body);
    bytes_clear(&envelope);
    return code;
}
