#include "worker/import_engine.h"

#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "registry/engine_rights.h"
#include "worker/snapshots.h"

enum { FOLDER_ID_BYTES = 16 };

enum maille_code import_engine_read(struct import_engine *import, struct import_report *report,
                                    const struct worker_settings *settings,
                                    const struct dictionary *dictionary, const char *where,
                                    const char *relation, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *colon = strchr(where, ':');
    if (settings->source != SOURCE_ENGINE)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected source: engine in worker.yaml with --from-relation, found source: snapshot");
    /* PostgreSQL reads "public" as everybody, also in quotation marks. */
    if (!engine_name_legal(settings->source_role) || strcmp(settings->source_role, "public") == 0 ||
        !engine_name_legal(settings->source_schema))
        return maille_fail(error, MAILLE_INVALID,
                           "expected source_role (who serves; public is everybody) and source_schema in "
                           "worker.yaml, of small letters, "
                           "digits and _, found \"%.60s\" and \"%.60s\"",
                           settings->source_role, settings->source_schema);
    import->driver = colon != NULL ? engine_find(arena_strndup(arena, where, (size_t)(colon - where))) : NULL;
    if (import->driver == NULL)
        return maille_fail(error, MAILLE_INVALID,
                           "expected --data postgresql:service=NAME with --from-relation, found \"%.80s\"",
                           where);
    MAILLE_TRY(import->driver->find(&import->address, colon + 1, "--data", error));
    import->link = (struct engine_link){.driver = import->driver,
                                        .schema = arena_strdup(arena, settings->source_schema)};
    MAILLE_TRY(import->driver->connect(&import->link.engine, import->address, 0, error));
    import->freeze = (struct engine_freeze){.link = &import->link,
                                            .dictionary = dictionary,
                                            .relation = relation,
                                            .reader = arena_strdup(arena, settings->source_role),
                                            .arena = arena};
    import->reader = engine_reader_over(&import->link);
    import->begun = true;
    code = engine_freeze_read(&import->freeze, report, error);
out:
    return code;
}

/* --- who objects --- */

static enum maille_code know(void *context, const char *key, uint32_t number, struct maille_error *error)
{
    return row_keys_know(context, key, number, error);
}

/* The map of a site with an engine holds those patients alone who stand in its lists. */
static enum maille_code know_listed(struct import_engine *import, struct import_rows *rows,
                                    const struct objections_change *change, struct arena *arena,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *const files[] = {change->objections, change->withdraw};
    for (size_t i = 0; i < rows->objectors.n; i++)
        MAILLE_TRY(engine_freeze_find(&import->freeze, rows->objectors.list[i].objection.pseudonym, know,
                                      rows->keys, error));
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        const struct objection *list = NULL;
        size_t n = 0;
        if (files[f] == NULL)
            continue;
        MAILLE_TRY(objections_read(&list, &n, arena, files[f], error));
        for (size_t i = 0; i < n; i++)
            MAILLE_TRY(engine_freeze_find(&import->freeze, list[i].pseudonym, know, rows->keys, error));
    }
out:
    return code;
}

/* What tells this folder's schema from another's: made once, at random. */
static enum maille_code folder_id(const char **id, struct arena *arena, const char *folder,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    char made[65];
    uint8_t number[FOLDER_ID_BYTES];
    const char *path = arena_printf(arena, "%s/engine-id", folder);
    snapshots_salt(made);
    if (!file_exists(path))
        MAILLE_TRY(file_write_atomic(path, made, 2 * sizeof number, 0400, error));
    MAILLE_TRY(file_read(&text, path, sizeof made, error));
    *id = arena_strndup(arena, text.length > 0 ? (const char *)text.data : "", text.length);
    if (!bytes_from_hex(number, sizeof number, *id))
        code = maille_fail(error, MAILLE_CORRUPT,
                           "%s: expected %zu hexadecimal digits, found others; restore it", path,
                           2 * sizeof number);
out:
    bytes_clear(&text);
    return code;
}

enum maille_code import_engine_freeze(struct columns **table, struct engine_count *count,
                                      struct import_engine *import, struct import_rows *rows,
                                      const struct snapshot_facts *facts,
                                      const struct objections_change *change, struct arena *arena,
                                      struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    size_t n = 0, named = 0;
    const char *id = NULL;
    MAILLE_TRY(folder_id(&id, arena, rows->folder, error));
    MAILLE_TRY(engine_rights_claim(&import->freeze, id, error));
    MAILLE_TRY(engine_freeze_number(&import->freeze, error));
    MAILLE_TRY(know_listed(import, rows, change, arena, error));
    MAILLE_TRY(objections_apply(&rows->objectors, &rows->told, rows->keys, arena, change, error));
    uint32_t *without = arena_array(arena, rows->objectors.n + 1, sizeof *without);
    for (size_t i = 0; i < rows->objectors.n; i++) {
        const char *pseudonym = rows->objectors.list[i].objection.pseudonym;
        const uint32_t number = row_keys_patient(rows->keys, pseudonym);
        const bool objects = row_keys_objects(rows->keys, pseudonym);
        named += objects;
        if (number != 0 && objects)
            without[n++] = number;
    }
    /* The map holds hashes: whose name is nowhere else cannot be found in the engine. */
    if (row_keys_objections(rows->keys) > named) {
        code = maille_fail(
            error, MAILLE_CORRUPT,
            "expected the names of %zu patients who object in %.200s/objections, found %zu; restore "
            "that file with the snapshots it belongs to, or give the whole list with --objections",
            row_keys_objections(rows->keys), rows->folder, named);
        goto out;
    }
    MAILLE_TRY(engine_freeze_write(&import->freeze, count, facts->number, facts->salt, without, n, error));
    code = engine_columns_new(table, import->freeze.dictionary, facts, count, &import->reader, error);
out:
    return code;
}

enum maille_code import_engine_commit(struct import_engine *import, struct maille_error *error)
{
    enum maille_code code = engine_freeze_end(&import->freeze, true, error);
    if (code == MAILLE_OK)
        import->begun = false;
    return code;
}

void import_engine_clear(struct import_engine *import)
{
    struct maille_error error;
    if (import->driver == NULL)
        return;
    if (import->begun && engine_freeze_end(&import->freeze, false, &error) != MAILLE_OK)
        log_line(LOG_LEVEL_DEBUG, "%s", error.sentence);
    if (import->link.engine != NULL)
        import->driver->close(import->link.engine);
    import->driver->forget(import->address);
    *import = (struct import_engine){0};
}
