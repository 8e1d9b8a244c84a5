#include "worker/import_write.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/access.h"
#include "audit/log.h"
#include "base/clock.h"
#include "base/file.h"
#include "registry/summary.h"
#include "worker/import_rows.h"
#include "worker/settings.h"

/* One import at a time in a folder: the lock goes with the descriptor. */
static enum maille_code lock_folder(int *lock, const char *folder, struct maille_error *error)
{
    bool taken = false;
    *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0)
        return maille_fail(error, MAILLE_INVALID,
                           "expected a site's folder %s, found none; make one with: maille-worker init",
                           folder);
    enum maille_code code = file_lock(&taken, *lock, folder, error);
    if (code == MAILLE_OK && !taken)
        return maille_fail(error, MAILLE_INVALID,
                           "expected no other import into %s, found one that is running", folder);
    return code;
}

/* An entry of the site's log; where a running worker has the log open, it writes the entry. hash: of the
 * snapshot; NULL: there is none. */
static enum maille_code note(const struct secret_keys *keys, const char *message, const struct digest *hash,
                             const char *detail, const struct import_order *order, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_log *log = NULL;
    char path[PATH_MAX];
    struct audit_options options = {.folder = path, .party = secret_keys_name(keys), .keys = keys};
    struct audit_entry entry = {
        .direction = AUDIT_NOTE, .message = message, .peer = options.party, .detail = detail};
    if (hash != NULL)
        entry.hash = *hash;
    MAILLE_TRY(file_path_join(path, sizeof path, order->dir, "log", error));
    code = audit_open_signed(&log, &options, NULL, error);
    if (code == MAILLE_INVALID) {
        code = audit_import_leave(order->dir, detail, error);
        goto out;
    }
    if (code != MAILLE_OK)
        goto out;
    MAILLE_TRY(audit_append(log, &entry, error));
    MAILLE_TRY(audit_sync(log, error));
out:
    audit_close(log);
    return code;
}

enum maille_code import_snapshot_path(char path[], size_t size, const char *folder,
                                      const struct snapshot_entry *entry, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct digest found;
    MAILLE_TRY(snapshots_path(path, size, folder, entry->number, error));
    if (!file_exists(path)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected snapshot %u at %s, found nothing; restore it, or take another",
                           entry->number, path);
        goto out;
    }
    MAILLE_TRY(hash_file(&found, path, error));
    if (!digest_equal(&found, &entry->hash))
        code = maille_fail(error, MAILLE_CORRUPT,
                           "expected %s as it was imported, found other bytes; import with --data", path);
out:
    return code;
}

/* A snapshot, as it was imported: the newest for objections alone, an earlier one to go back to. */
static enum maille_code open_again(struct columns **table, struct snapshot_facts *facts, const char *folder,
                                   const struct snapshot_entry *entries, size_t n, uint32_t number,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    if (n == 0 || number > n)
        return maille_fail(error, MAILLE_INVALID,
                           "expected a snapshot in %s, found %zu of them; import with "
                           "--data and --dictionary first",
                           folder, n);
    MAILLE_TRY(
        import_snapshot_path(path, sizeof path, folder, &entries[(number == 0 ? n : number) - 1], error));
    if (engine_columns_path(path)) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected --from-relation, since the rows of this site stay in its engine, found none; "
            "its objections count from the next import of the relation on");
        goto out;
    }
    MAILLE_TRY(columns_open(table, path, error));
    facts->is_public = columns_facts(*table)->is_public;
    memcpy(facts->source_hash, columns_facts(*table)->source_hash, sizeof facts->source_hash);
out:
    return code;
}

/* Where the rows come from: the file that was read, or the newest snapshot; then numbered, and without who
 * objects. */
static enum maille_code prepare(struct columns **table, struct engine_count *count, struct import_rows *rows,
                                struct snapshot_facts *facts, const char *folder,
                                const struct snapshot_entry *entries, size_t n,
                                const struct secret_keys *keys, struct arena *arena,
                                const struct import_order *order, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const bool is_new = order->source_hash != NULL || order->engine != NULL;
    bool beyond = false;
    const int64_t now_ms = clock_utc_ms();
    const struct objections_change change = {.objections = order->objections,
                                             .withdraw = order->withdraw,
                                             .yes = order->yes,
                                             .today = (int32_t)(now_ms / (24 * 3600 * 1000)),
                                             .now_ms = now_ms};
    MAILLE_TRY(import_rows_open(rows, arena, folder, n, keys, error));
    if (order->engine != NULL) {
        MAILLE_TRY(import_engine_freeze(table, count, order->engine, rows, facts, &change, arena, error));
    } else if (!is_new) {
        MAILLE_TRY(open_again(table, facts, folder, entries, n, order->again, error));
    } else {
        snprintf(facts->source_hash, sizeof facts->source_hash, "%s", order->source_hash);
    }
    if (order->engine == NULL)
        MAILLE_TRY(import_rows_apply(table, rows, arena, &change, is_new, error));
    if (n > 0 && (is_new || order->again != 0))
        MAILLE_TRY(import_compare(&beyond, *table, order, folder, entries, n, arena, error));
    if (beyond && !order->yes) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected patients like those of snapshot %zu, found the differences marked above; nothing "
            "was written: look at the export, or go on with --yes",
            n);
        goto out;
    }
    MAILLE_TRY(import_rows_write(rows, (uint32_t)n + 1, error));
    const struct objections_told *told = &rows->told;
    if (told->in_force > 0 || told->withdrawn > 0)
        snprintf(facts->exclusions, sizeof facts->exclusions,
                 "%zu patient%s who object%s (%zu objection%s in force, %zu new, %zu withdrawn, %zu for a "
                 "later day, "
                 "%zu of nobody here)",
                 told->patients, told->patients == 1 ? "" : "s", told->patients == 1 ? "s" : "",
                 told->in_force, told->in_force == 1 ? "" : "s", told->added, told->withdrawn, told->waiting,
                 told->unknown);
out:
    return code;
}

/* Row numbers of files and of an engine are not the same: a folder has one or the other. */
static enum maille_code check_kind(const char *folder, size_t n, bool in_engine, struct maille_error *error)
{
    char path[PATH_MAX];
    enum maille_code code = n > 0 ? snapshots_path(path, sizeof path, folder, (uint32_t)n, error) : MAILLE_OK;
    if (code == MAILLE_OK && n > 0 && engine_columns_path(path) != in_engine)
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected snapshots of one kind in %s, found that those before are %s; begin with another "
            "folder, or import as before",
            folder, in_engine ? "files" : "in the engine");
    return code;
}

/* The file, or the engine's table with its text. */
static enum maille_code write_rows(bool *written, const struct columns *table, const char *path,
                                   const struct snapshot_facts *facts, const struct engine_count *count,
                                   const struct import_order *order, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if (order->engine == NULL) {
        MAILLE_TRY(snapshot_write(table, path, facts, error));
        *written = true;
        goto out;
    }
    MAILLE_TRY(engine_columns_write(path, facts, count, columns_dictionary(table), error));
    *written = true;
    code = import_engine_commit(order->engine, error);
out:
    return code;
}

/* Was the newest snapshot made in this month (UTC)? */
static bool is_of_this_month(const struct snapshot_entry *newest, int64_t now_ms)
{
    char now[32];
    clock_format(now, now_ms);
    return strncmp(newest->created, now, sizeof "2026-11" - 1) == 0;
}

enum maille_code import_write(struct columns **table, const struct import_order *order,
                              const struct secret_keys *keys, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct snapshot_entry *entries;
    struct snapshot_facts facts = {.is_public = order->is_public};
    struct import_rows rows = {0};
    struct engine_count count = {0};
    int lock = -1;
    size_t n = 0;
    bool written = false;
    char folder[PATH_MAX], path[PATH_MAX];
    MAILLE_TRY(file_path_join(folder, sizeof folder, order->dir, "snapshots", error));
    MAILLE_TRY(lock_folder(&lock, folder, error));
    MAILLE_TRY(snapshots_read(&entries, &n, arena, folder, error));
    if (n == SNAPSHOTS_MAX) {
        code = maille_fail(error, MAILLE_INVALID, "expected fewer than %d snapshots in %s", SNAPSHOTS_MAX,
                           folder);
        goto out;
    }
    if (order->monthly && (n == 0 || is_of_this_month(&entries[n - 1], clock_utc_ms())))
        goto out;
    if (order->engine != NULL || order->source_hash != NULL)
        MAILLE_TRY(check_kind(folder, n, order->engine != NULL, error));
    clock_format(facts.created, clock_utc_ms());
    snapshots_salt(facts.salt);
    facts.number = (uint32_t)n + 1;
    MAILLE_TRY(prepare(table, &count, &rows, &facts, folder, entries, n, keys, arena, order, error));
    struct snapshot_entry entry = {.number = (uint32_t)n + 1, .created = facts.created};
    entry.rows = columns_rows(*table);
    MAILLE_TRY(snapshots_path(path, sizeof path, folder, entry.number, error));
    if (file_exists(path) &&
        unlink(path) != 0) { /* an import that was cut before its entry: nobody ever used it */
        code = maille_fail_errno(error, "cannot remove %s", path);
        goto out;
    }
    MAILLE_TRY(snapshots_path_new(path, sizeof path, folder, entry.number, order->engine != NULL, error));
    MAILLE_TRY(write_rows(&written, *table, path, &facts, &count, order, error));
    MAILLE_TRY(hash_file(&entry.hash, path, error));
    MAILLE_TRY(
        note(keys, "import", &entry.hash,
             arena_printf(arena, "snapshot %u%s%s%s%s%s", entry.number, facts.is_public ? ", public" : "",
                          order->tables_hash != NULL && order->tables_hash[0] != '\0' ? ", tables " : "",
                          order->tables_hash != NULL ? order->tables_hash : "",
                          facts.exclusions[0] != '\0' ? ", without " : "", facts.exclusions),
             order, error));
    MAILLE_TRY(snapshots_add(folder, &entry, error));
    written = false;
    const bool french = order->language == LANGUAGE_FR;
    printf(french ? "instantané %u : %zu lignes de %zu patients dans %s%s%s%s\n"
                  : "snapshot %u: %zu rows of %zu patients in %s%s%s%s\n",
           entry.number, columns_rows(*table), columns_patients(*table), path,
           facts.is_public ? " (public)" : "",
           facts.exclusions[0] == '\0' ? ""
           : french                    ? ", sans "
                                       : ", without ",
           facts.exclusions);
    if (entry.number > 1)
        puts(french
                 ? "les requêtes en cours sur un instantané antérieur prennent fin avant leur prochain tour"
                 : "queries that are open on an earlier snapshot end before their next round");
    if (order->source_hash == NULL && order->engine == NULL && order->again == 0 && rows.told.withdrawn > 0)
        puts(french ? "les patients qui ont retiré leur opposition reviennent au prochain import de --data"
                    : "patients who withdrew come back with the next import of --data");
out:
    import_rows_clear(&rows);
    if (written)
        unlink(path);
    if (lock >= 0)
        close(lock);
    return code;
}
