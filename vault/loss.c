/* A site that is not what it was: a log that is shorter than others have seen it (a backup was restored), a
 * ledger that is gone. What it answered since is forgotten here, so it answers nothing more until the
 * network's authorities accept the loss: they sign a directory whose `lost` of this site is higher than its
 * log has noted. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "vault/private.h"

struct loss_search {
    uint32_t noted;
    bool answered;
};

static void look(void *context, uint64_t sequence, int64_t utc_ms, const struct audit_entry *entry)
{
    struct loss_search *search = context;
    (void)sequence;
    (void)utc_ms;
    if (audit_entry_lost(entry) > search->noted)
        search->noted = audit_entry_lost(entry);
    search->answered = search->answered || (entry->direction == AUDIT_OUT &&
                                            strcmp(entry->message, message_rule(MESSAGE_ACCEPT)->name) == 0);
}

enum maille_code vault_loss_open(struct vault *vault, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct loss_search search = {0};
    char path[PATH_MAX];
    MAILLE_TRY(file_path_join(path, sizeof path, vault->state_folder, "ledger", error));
    const bool ledger_gone = !file_exists(path);
    if (!ledger_gone && vault->self->lost == 0)
        goto out;
    MAILLE_TRY(audit_read(vault->log_folder, look, &search, error));
    vault->loss_accepted = vault->self->lost > search.noted;
    if (ledger_gone && search.answered && !vault->loss_accepted)
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected %s beside a log of studies that were answered, found none: what is asked could not be "
            "compared with what was; restore it, or have the network's authority accept that it is lost: "
            "maille network lost %s",
            path, vault->self->name);
out:
    return code;
}

enum maille_code vault_loss_note(struct vault *vault, struct maille_error *error)
{
    if (!vault->loss_accepted)
        return MAILLE_OK;
    return vault_log_note(
        vault, audit_lost, NULL,
        arena_printf(vault->arena,
                     "%u: the authorities accept that this site lost its log, ledger or keys, "
                     "and began again",
                     vault->self->lost),
        error);
}

enum maille_code vault_loss_tick(struct vault *vault, struct message_outbox *outbox,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (!vault->set_back || vault->set_back_told)
        return MAILLE_OK;
    vault->set_back_told = true;
    if (vault->options.tell != NULL)
        vault->options.tell(
            vault->options.tell_context,
            arena_printf(vault->arena,
                         "this site was set back: the coordinator has seen %llu entries of its log, and "
                         "there are fewer here; "
                         "was a backup restored, or does a copy of this site run elsewhere? It answers "
                         "nothing until its log is "
                         "whole again, or the network's authority accepts the loss: maille network lost %s",
                         (unsigned long long)vault->seen_by, vault->self->name));
    MAILLE_TRY(vault_log_note(vault, "set back", NULL,
                              arena_printf(vault->arena, "the coordinator has seen %llu entries of this log",
                                           (unsigned long long)vault->seen_by),
                              error));
    while (vault->queries != NULL)
        MAILLE_TRY(vault_cancel(vault, vault->queries, "set_back", outbox, error));
out:
    return code;
}
