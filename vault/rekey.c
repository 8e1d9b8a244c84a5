#include "vault/rekey.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/verify.h"
#include "base/clock.h"
#include "base/file.h"
#include "vault/private.h"
#include "vault/spool.h"

static const char rekeyed[] = "rekeyed";

struct rekeying {
    const struct vault_rekey *order;
    struct vault_rekeyed *told;
    struct arena *arena;
    const struct directory *directory;
    char state[PATH_MAX], log[PATH_MAX], next[PATH_MAX]; /* folders */
    struct bytes pin;                                    /* its text; empty: none */
    bool log_moved;                                      /* DIR/log is the new keys' already */
};

/* --- before anything changes --- */

/* The directory names the new keys, and follows from the one that was pinned. */
static enum maille_code check_directory(struct rekeying *rekeying, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct vault_rekey *order = rekeying->order;
    const char *name = secret_keys_name(order->to);
    const struct directory *pinned = NULL;
    char path[PATH_MAX];
    MAILLE_TRY(file_path_join(path, sizeof path, rekeying->state, "pin", error));
    if (file_exists(path) && pin_open(&rekeying->pin, path, order->to, NULL) != MAILLE_OK)
        MAILLE_TRY(pin_open(&rekeying->pin, path, order->from, error));
    if (rekeying->pin.length > 0)
        MAILLE_TRY(directory_parse(&pinned, rekeying->arena, path, (const char *)rekeying->pin.data,
                                   rekeying->pin.length, error));
    MAILLE_TRY(directory_accept(&rekeying->directory, rekeying->arena, "network.yaml", order->directory,
                                order->directory_length, pinned, error));
    const struct directory_site *self = directory_site_named(rekeying->directory, name);
    const struct public_keys *keys = secret_keys_public(order->to);
    if (self == NULL || memcmp(self->keys.identity, keys->identity, PUBLIC_BYTES) != 0 ||
        memcmp(self->keys.transport, keys->transport, PUBLIC_BYTES) != 0)
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected the new keys of %s in network.yaml, found %s; the authority puts them there: "
            "maille network rekey CARD.pub",
            name, self == NULL ? "no such site" : "others");
out:
    return code;
}

static enum maille_code log_open(struct audit_log **log, const char *folder, const struct secret_keys *keys,
                                 struct maille_error *error)
{
    const struct audit_options options = {.folder = folder, .party = secret_keys_name(keys), .keys = keys};
    return audit_open_with(log, &options, NULL, error);
}

static enum maille_code has_log(bool *has, const char *folder, struct maille_error *error)
{
    char path[PATH_MAX];
    enum maille_code code = file_path_join(path, sizeof path, folder, "messages.log", error);
    *has = code == MAILLE_OK && file_exists(path);
    return code;
}

/* --- open queries --- */

/* One folder of state/: what is sealed there is the old keys'. Its end stands in the old log first. */
static enum maille_code end_query(struct rekeying *rekeying, struct audit_log *log, const char *name,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t qid[QID_BYTES];
    char path[PATH_MAX];
    int64_t until_ms;
    const struct audit_entry entry = {.direction = AUDIT_NOTE,
                                      .message = "erased",
                                      .peer = "",
                                      .qid = qid,
                                      .detail = "the keys of this site were exchanged"};
    if (strlen(name) != 2 * sizeof qid || !bytes_from_hex(qid, sizeof qid, name))
        return MAILLE_OK;
    MAILLE_TRY(file_path_join(path, sizeof path, rekeying->state, name, error));
    if (journal_ended(path, &until_ms))
        goto out;
    if (log != NULL) {
        MAILLE_TRY(audit_append(log, &entry, error));
        MAILLE_TRY(audit_sync(log, error));
    }
    MAILLE_TRY(journal_erase(path, clock_utc_ms() + rekeying->directory->timeouts.lifetime_ms + CLOCK_SKEW_MS,
                             error));
    spool_forget(rekeying->order->folder, qid);
    rekeying->told->queries++;
out:
    return code;
}

static enum maille_code end_queries(struct rekeying *rekeying, struct audit_log *log,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    DIR *folder = opendir(rekeying->state);
    if (folder == NULL)
        return maille_fail_errno(error, "cannot open %s", rekeying->state);
    for (struct dirent *entry; code == MAILLE_OK && (entry = readdir(folder)) != NULL;)
        code = end_query(rekeying, log, entry->d_name, error);
    closedir(folder);
    return code;
}

/* --- pin and log --- */

static enum maille_code move_pin(const struct rekeying *rekeying, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    if (rekeying->pin.length == 0)
        goto out;
    MAILLE_TRY(file_path_join(path, sizeof path, rekeying->state, "pin", error));
    code = pin_seal(path, rekeying->order->to, (const char *)rekeying->pin.data, rekeying->pin.length, error);
out:
    return code;
}

/* The next log begins with the head at which the one before ended: what others keep of the new one speaks for
 * the old one as well. */
static enum maille_code begin_next(struct rekeying *rekeying, const struct audit_report *before,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_log *log = NULL;
    char name[DIRECTORY_LOG_NAME_BYTES];
    directory_log_name(name, before->party, before->lost);
    const struct audit_seen seen = {name, before->head};
    const struct audit_entry entry = {
        .direction = AUDIT_NOTE,
        .message = rekeyed,
        .peer = "",
        .detail = arena_printf(
            rekeying->arena,
            "the keys of this site were exchanged; the log before is in %s and ended at entry %llu",
            strrchr(rekeying->told->before, '/') + 1, (unsigned long long)before->head.size),
        .n_seen = 1,
        .seen = &seen};
    MAILLE_TRY(log_open(&log, rekeying->next, rekeying->order->to, error));
    MAILLE_TRY(audit_append(log, &entry, error));
    MAILLE_TRY(audit_sync(log, error));
out:
    audit_close(log);
    return code;
}

static enum maille_code move_log(struct rekeying *rekeying, struct audit_log **log,
                                 struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct vault_rekey *order = rekeying->order;
    const struct audit_entry entry = {.direction = AUDIT_NOTE,
                                      .message = rekeyed,
                                      .peer = "",
                                      .detail = "the keys of this site are exchanged: this log ends here"};
    const struct audit_check check = {.identity = secret_keys_public(order->from)->identity};
    struct audit_report report;
    MAILLE_TRY(audit_append(*log, &entry, error));
    MAILLE_TRY(audit_sync(*log, error));
    audit_close(*log); /* and seals */
    *log = NULL;
    MAILLE_TRY(audit_verify(&report, NULL, rekeying->log, &check, error));
    MAILLE_TRY(audit_aside_name(rekeying->told->before, rekeying->log, "before", error));
    MAILLE_TRY(begin_next(rekeying, &report, error));
    if (rename(rekeying->log, rekeying->told->before) != 0)
        code = maille_fail_errno(error, "cannot move the log to %s", rekeying->told->before);
out:
    return code;
}

/* The log of the keys before; NULL: none is there, or a call before this one has moved it. */
static enum maille_code open_old_log(struct rekeying *rekeying, struct audit_log **log,
                                     struct maille_error *error)
{
    bool there;
    struct audit_log *moved = NULL;
    enum maille_code code = has_log(&there, rekeying->log, error);
    if (code != MAILLE_OK || !there)
        return code;
    code = log_open(log, rekeying->log, rekeying->order->from, error);
    if (code == MAILLE_OK || log_open(&moved, rekeying->log, rekeying->order->to, NULL) != MAILLE_OK)
        return code;
    audit_close(moved);
    rekeying->log_moved = true;
    return MAILLE_OK;
}

enum maille_code vault_rekey(struct vault_rekeyed *told, const struct vault_rekey *order,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct rekeying rekeying = {.order = order, .told = told, .arena = arena_new()};
    struct audit_log *log = NULL;
    bool next = false;
    *told = (struct vault_rekeyed){0};
    if (rekeying.arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(file_path_join(rekeying.state, sizeof rekeying.state, order->folder, "state", error));
    MAILLE_TRY(file_path_join(rekeying.log, sizeof rekeying.log, order->folder, "log", error));
    MAILLE_TRY(file_path_join(rekeying.next, sizeof rekeying.next, order->folder, "log.next", error));
    MAILLE_TRY(check_directory(&rekeying, error));
    MAILLE_TRY(open_old_log(&rekeying, &log, error));
    MAILLE_TRY(end_queries(&rekeying, log, error));
    MAILLE_TRY(move_pin(&rekeying, error));
    if (log != NULL)
        MAILLE_TRY(move_log(&rekeying, &log, error));
    MAILLE_TRY(has_log(&next, rekeying.next, error));
    /* rename takes the place of an empty folder alone, as `init` makes it. */
    if (next && !rekeying.log_moved && rename(rekeying.next, rekeying.log) != 0)
        code = maille_fail_errno(error, "cannot move %s to %s", rekeying.next, rekeying.log);
    if (code == MAILLE_OK)
        code = file_sync_folder(order->folder, error);
out:
    audit_close(log);
    bytes_clear(&rekeying.pin);
    arena_free(rekeying.arena);
    return code;
}
