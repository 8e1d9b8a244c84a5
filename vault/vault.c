#include "vault/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/access.h"
#include "base/clock.h"
#include "base/file.h"
#include "vault/few.h"

enum { SWEEP_EVERY_MS = 3600 * 1000 };

int64_t vault_now_ms(const struct vault *vault)
{
    return clock_read_utc_ms(&vault->options.clock);
}

/* --- opening --- */

/* The network's directory, and this site's own entry in it. */
static enum maille_code open_directory(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *name = secret_keys_name(vault->options.keys);
    MAILLE_TRY(directory_accept(&vault->directory, vault->arena, "network.yaml", vault->options.directory,
                                vault->options.directory_length, NULL, error));
    vault->self = directory_site_named(vault->directory, name);
    if (vault->self == NULL)
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected the site %s in network.yaml (network %s, version %llu), found no such site; ask the "
            "network's authority to add it",
            name, vault->directory->network, (unsigned long long)vault->directory->version);
    else if (memcmp(vault->self->keys.identity, secret_keys_public(vault->options.keys)->identity,
                    PUBLIC_BYTES) != 0)
        code = maille_fail(error, MAILLE_INVALID,
                           "expected the key of the site %s as network.yaml has it, found another in the key "
                           "file; where its keys are "
                           "exchanged: maille-worker rekey --finish",
                           name);
    if (code != MAILLE_OK)
        goto out;
    MAILLE_TRY(vault_pin_read(vault, error));
    if (vault->pinned != NULL) { /* once more, as what comes after that */
        MAILLE_TRY(directory_accept(&vault->directory, vault->arena, "network.yaml", vault->options.directory,
                                    vault->options.directory_length, vault->pinned, error));
        vault->self = directory_site_named(vault->directory, name);
    }
    directory_log_name(vault->coordinator_log, vault->directory->coordinator.name,
                       vault->directory->coordinator.lost);
out:
    return code;
}

static enum maille_code open_policy(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct policy *own, *floor = NULL;
    MAILLE_TRY(policy_parse(&own, vault->arena, "policy.yaml", vault->options.policy,
                            vault->options.policy_length, error));
    if (vault->directory->floor != NULL)
        MAILLE_TRY(policy_parse(&floor, vault->arena, "network.yaml: floor", vault->directory->floor,
                                strlen(vault->directory->floor), error));
    vault->own = own;
    MAILLE_TRY(policy_with_floor(&vault->policy, vault->arena, own, floor));
    if (vault->self->may_be_inferred && vault->policy->own_totals != OWN_TOTALS_MAY_BE_INFERRED)
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected own_totals: may_be_inferred in policy.yaml, as the directory says of %s, found "
            "another value; tell the network's authority",
            vault->self->name);
out:
    return code;
}

enum maille_code vault_open(struct vault **vault, const struct vault_options *options,
                            struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct vault *made = calloc(1, sizeof *made);
    if (made == NULL || (made->arena = arena_new()) == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for the vault");
        goto out;
    }
    made->options = *options;
    made->cohort = -1;
    made->build =
        arena_printf(made->arena, "maille %s%s%s", MAILLE_VERSION, options->build != NULL ? " " : "",
                     options->build != NULL ? options->build : "");
    made->options.directory = arena_strndup(made->arena, options->directory, options->directory_length);
    made->options.policy = arena_strndup(made->arena, options->policy, options->policy_length);
    made->options.folder = arena_strdup(made->arena, options->folder);
    if (options->duties != NULL)
        made->options.duties = arena_strdup(made->arena, options->duties);
    made->options.directory_path = options->directory_path != NULL
                                       ? arena_strdup(made->arena, options->directory_path)
                                       : arena_printf(made->arena, "%s/network.yaml", options->folder);
    MAILLE_TRY(
        file_path_join(made->state_folder, sizeof made->state_folder, options->folder, "state", error));
    MAILLE_TRY(file_path_join(made->log_folder, sizeof made->log_folder, options->folder, "log", error));
    MAILLE_TRY(file_folder_make(made->state_folder, 0700, error));
    MAILLE_TRY(file_folder_make(made->log_folder, 0700, error));
    MAILLE_TRY(vault_format_check(made, error));
    MAILLE_TRY(open_directory(made, error));
    MAILLE_TRY(open_policy(made, error));
    MAILLE_TRY(vault_officers_open(made, error));
    secret_keys_derive(&made->state_key, options->keys, "state");
    MAILLE_TRY(vault_log_open(made, error));
    MAILLE_TRY(vault_log_start(made, error));
    MAILLE_TRY(vault_loss_open(made, error));
    MAILLE_TRY(vault_pin_write(made, error));
    MAILLE_TRY(vault_load(made, error));
    MAILLE_TRY(vault_ledger_open(made, error));
    MAILLE_TRY(vault_few_start(made, error));
    MAILLE_TRY(vault_loss_note(made, error));
    MAILLE_TRY(vault_sweep(made, error));
    *vault = made;
    made = NULL;
out:
    vault_free(made);
    return code;
}

void vault_free(struct vault *vault)
{
    if (vault == NULL)
        return;
    while (vault->queries != NULL) {
        struct query *next = vault->queries->next;
        vault_query_free(vault->queries);
        vault->queries = next;
    }
    audit_close(vault->log);
    ledger_close(vault->ledger);
    crypto_wipe(&vault->state_key, sizeof vault->state_key);
    arena_free(vault->arena);
    free(vault);
}

void vault_seen(struct vault *vault, uint64_t size)
{
    vault_log_seen_by(vault, size);
}

const struct directory *vault_directory(const struct vault *vault)
{
    return vault->directory;
}

const struct policy *vault_policy(const struct vault *vault)
{
    return vault->policy;
}

bool vault_directory_changed(const struct vault *vault)
{
    return vault->directory_changed;
}

size_t vault_queries(const struct vault *vault)
{
    return vault->n_queries;
}

/* --- directory and problem --- */

/* A newer directory is taken in only if the authorities that are known have signed it. It holds from the next
 * start. */
static enum maille_code handle_directory(struct vault *vault, struct query *query, struct message *in,
                                         struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct directory *newer;
    const struct byte_view *text = &in->body.directory.text;
    (void)query;
    (void)outbox;
    /* What was written may be newer than what is in force: it must not be overwritten by something in
     * between. */
    if (vault->directory_changed) {
        code = maille_protest(error, "directory",
                              "expected to start again with the directory that came before, found another");
        goto out;
    }
    MAILLE_TRY(directory_accept(&newer, in->arena, "directory", (const char *)text->data, text->length,
                                vault->directory, error));
    if (newer->version == vault->directory->version)
        goto out;
    MAILLE_TRY(vault_log_note(vault, "directory", NULL,
                              arena_printf(in->arena, "version %llu instead of %llu",
                                           (unsigned long long)newer->version,
                                           (unsigned long long)vault->directory->version),
                              error));
    MAILLE_TRY(file_write_atomic(vault->options.directory_path, text->data, text->length, 0600, error));
    vault->directory_changed = true;
out:
    return code;
}

enum {
    OPENED = QUERY_STARTED | QUERY_REVEALED | QUERY_TAKEN | QUERY_AGREED,
    KEYED = QUERY_ACCEPTED | QUERY_ROSTERED | OPENED,
    ASKED = QUERY_READY | QUERY_HELD | QUERY_REFUSED | KEYED
};

static enum maille_code handle_problem(struct vault *vault, struct query *query, struct message *in,
                                       struct message_outbox *outbox, struct maille_error *error)
{
    if (strcmp(in->body.problem.rule, "second_copy") == 0) {
        if (vault->copy_told) /* it says so at every turn */
            return MAILLE_OK;
        vault->copy_told = true;
        if (vault->options.tell != NULL)
            vault->options.tell(
                vault->options.tell_context,
                "a second copy of this site runs: the coordinator hears two programs with its keys; stop "
                "one, and go on with the folder that was always in use");
    }
    enum maille_code code =
        vault_log_note(vault, "problem", in->qid,
                       arena_printf(in->arena, "the coordinator says: %s %s",
                                    maille_code_name(in->body.problem.code), in->body.problem.rule),
                       error);
    /* A head came late, or before what leads to it: another, with all proofs. The same message again then
     * passes. */
    if (code == MAILLE_OK && query != NULL && (query->state & KEYED) != 0 &&
        strcmp(in->body.problem.rule, "log_head") == 0)
        code = vault_log_head_out(vault, query, outbox, error);
    return code;
}

static enum maille_code handle_log_head(struct vault *vault, struct query *query, struct message *in,
                                        struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    (void)query;
    (void)outbox;
    MAILLE_TRY(vault_log_head_in(vault, in, error));
out:
    return code;
}

/* --- dispatch --- */

/* Which message is permitted in which states of its query, and who handles it. What is not here is not for a
 * site. */
static const struct vault_row {
    enum message_kind kind;
    unsigned from, states;
    vault_handler *handle;
} rows[] = {
    {MESSAGE_DIRECTORY, FROM_COORDINATOR, QUERY_NONE, handle_directory},
    {MESSAGE_MANIFEST, FROM_RESEARCHER, QUERY_NONE | ASKED, vault_handle_manifest},
    {MESSAGE_CALL, FROM_RESEARCHER, QUERY_READY | KEYED, vault_handle_call},
    {MESSAGE_ROSTER, FROM_COORDINATOR, KEYED, vault_handle_roster},
    {MESSAGE_START, FROM_RESEARCHER, QUERY_ROSTERED | OPENED, vault_handle_start},
    {MESSAGE_PULL, FROM_COORDINATOR, OPENED, vault_handle_pull},
    {MESSAGE_CLOSE, FROM_COORDINATOR, OPENED, vault_handle_close},
    {MESSAGE_CUSTODY, FROM_COORDINATOR, QUERY_REVEALED | QUERY_TAKEN | QUERY_AGREED, vault_handle_custody},
    {MESSAGE_AGREED, FROM_COORDINATOR, QUERY_TAKEN | QUERY_AGREED, vault_handle_agreed},
    {MESSAGE_END, FROM_RESEARCHER, QUERY_NONE | ASKED, vault_handle_end},
    {MESSAGE_CANCEL, FROM_RESEARCHER | FROM_SITE, QUERY_NONE | ASKED, vault_handle_end},
    {MESSAGE_PROBLEM, FROM_COORDINATOR, QUERY_NONE | ASKED, handle_problem},
    {MESSAGE_LOG_HEAD, FROM_COORDINATOR, QUERY_NONE | ASKED, handle_log_head},
};

static const struct vault_row *row_of(enum message_kind kind)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].kind == kind)
            return &rows[i];
    return NULL;
}

static enum maille_code handle_one(struct vault *vault, struct message *in, const void *envelope,
                                   size_t length, const void *frame, size_t frame_length,
                                   struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(message_open(in, in->arena, envelope, length, frame, frame_length, error));
    const struct vault_row *row = row_of(in->envelope.kind);
    if (row == NULL) {
        code = maille_protest(error, "kind", "expected a message for a site, found a %s", in->rule->name);
        goto out;
    }
    MAILLE_TRY(message_decode(in, vault->directory, row->from, error));
    struct query *query = in->qid != NULL ? vault_query_find(vault, in->qid) : NULL;
    enum query_state state = query != NULL ? query->state : QUERY_NONE;
    MAILLE_TRY(vault_log_in(vault, in, error));
    /* vault_tick erases it; this does not wait for the tick. */
    if (query != NULL && query->manifest.expires_ms + CLOCK_SKEW_MS <= vault_now_ms(vault) &&
        row->handle != vault_handle_end && row->handle != handle_problem && row->handle != handle_log_head) {
        code = maille_protest(error, "expired",
                              "expected a query that is alive, found a %s for one that has expired",
                              message_rule(in->envelope.kind)->name);
        goto out;
    }
    if ((row->states & state) == 0) {
        code = maille_protest(error, "state", "expected no %s in the state of this query",
                              message_rule(in->envelope.kind)->name);
        goto out;
    }
    MAILLE_TRY(row->handle(vault, query, in, outbox, error));
out:
    return code;
}

enum maille_code vault_handle(struct vault *vault, const void *envelope, size_t length, const void *frame,
                              size_t frame_length, struct message_outbox *outbox, struct maille_error *error)
{
    struct maille_error why = {0};
    struct message_outbox answers = {0};
    struct message in = {.arena = arena_new()};
    if (in.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "no memory for a message");
    enum maille_code code = handle_one(vault, &in, envelope, length, frame, frame_length, &answers, &why);
    if (code == MAILLE_PROTOCOL || code == MAILLE_SIGNATURE || code == MAILLE_INVALID) {
        struct maille_error ignored; /* a log that cannot be written is told when something must leave */
        if (vault_log_dropped(vault, &in, envelope, length, why.sentence, &ignored) != MAILLE_OK)
            maille_error_prefix(&why, "not in the log");
        /* Of C's heads too: asked with this site's, it shows another, with proofs from what was seen here. */
        const struct query *query = in.qid != NULL ? vault_query_find(vault, in.qid) : NULL;
        if (query != NULL && (query->state & KEYED) != 0 && strcmp(why.rule, "log_head") == 0 &&
            in.envelope.kind != MESSAGE_LOG_HEAD &&
            vault_log_head_out(vault, query, outbox, &ignored) != MAILLE_OK)
            maille_error_prefix(&why, "no head to ask with");
    }
    for (size_t i = 0; i < answers.n && code == MAILLE_OK; i++)
        code = message_outbox_put(outbox, answers.messages[i].kind, &answers.messages[i].envelope,
                                  answers.messages[i].has_frame ? answers.messages[i].frame.data : NULL,
                                  answers.messages[i].frame.length, &why);
    message_outbox_clear(&answers);
    arena_free(in.arena);
    if (code != MAILLE_OK && error != NULL) {
        *error = why;
        error->code = code;
    }
    return code;
}

/* --- time --- */

/* When a query is over of itself: at its expiry, or when its keys, or its refusal, have idled for round_idle.
 * (What a refused manifest says of its expiry was not checked: it would keep its place for ever.) */
static int64_t query_due_ms(const struct vault *vault, const struct query *query)
{
    int64_t due = query->manifest.expires_ms + CLOCK_SKEW_MS;
    int64_t idle = query->last_ms + vault->directory->timeouts.round_idle_ms;
    return (query->state & (KEYED | QUERY_REFUSED)) != 0 && idle < due ? idle : due;
}

/* Somebody looked at this site's numbers, took its log away, or imported while this process has the log. */
static enum maille_code note_left(void *vault, const char *kind, const char *line, struct maille_error *error)
{
    return vault_log_note(vault, kind, NULL, line, error);
}

enum maille_code vault_tick(struct vault *vault, struct message_outbox *outbox, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    int64_t now_ms = vault_now_ms(vault);
    MAILLE_TRY(vault_log_tick(vault, error));
    MAILLE_TRY(audit_access_take(vault->options.folder, note_left, vault, error));
    MAILLE_TRY(vault_officers_tick(vault, error));
    MAILLE_TRY(vault_loss_tick(vault, outbox, error));
    if (!vault->revoked)
        MAILLE_TRY(vault_revoke(vault, outbox, error));
    for (struct query *query = vault->queries, *next; query != NULL; query = next) {
        next = query->next;
        if (query_due_ms(vault, query) > now_ms)
            continue;
        if (query->manifest.expires_ms + CLOCK_SKEW_MS <= now_ms || query->state == QUERY_REFUSED) {
            MAILLE_TRY(vault_log_note(vault, "erased", query->qid,
                                      query->state == QUERY_REFUSED ? "refused" : "expired", error));
            MAILLE_TRY(vault_query_end(vault, query, error));
        } else {
            MAILLE_TRY(vault_cancel(vault, query, "round_idle", outbox, error));
        }
    }
    MAILLE_TRY(vault_approval_tick(vault, outbox, error));
    if (now_ms - vault->swept_ms >= SWEEP_EVERY_MS)
        MAILLE_TRY(vault_sweep(vault, error));
out:
    return code;
}

int64_t vault_next_ms(const struct vault *vault)
{
    int64_t now_ms = vault_now_ms(vault), next = vault->swept_ms + SWEEP_EVERY_MS - now_ms;
    for (const struct query *query = vault->queries; query != NULL; query = query->next) {
        int64_t due = query_due_ms(vault, query) - now_ms;
        next = due < next ? due : next;
    }
    int64_t person = vault_approval_next_ms(vault);
    next = person < next ? person : next;
    return next < 0 ? 0 : next > SWEEP_EVERY_MS ? SWEEP_EVERY_MS : next;
}
