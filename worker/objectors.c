/* maille-worker objections: who objects, since when, and which snapshots still hold the patient. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/language.h"
#include "base/number.h"
#include "base/options.h"
#include "registry/columns.h"
#include "worker/commands.h"
#include "worker/import_rows.h"
#include "worker/snapshots.h"
#include "worker/source.h"

/* Per person that is looked for (a number of the map), the snapshots that hold the person, in words. */
struct search {
    uint32_t *persons;
    const char **snapshots;
    bool *seen; /* in the snapshot that is read now */
    size_t n;
    const char *dir;
    struct site_engine engine;
};

static enum maille_code search_snapshot(struct search *search, struct arena *arena, const char *folder,
                                        uint32_t number, enum language language, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct columns *columns = NULL;
    struct column_scratch scratch = {0};
    struct maille_error why = {0};
    char path[PATH_MAX];
    MAILLE_TRY(snapshots_path(path, sizeof path, folder, number, error));
    if (!file_exists(path))
        goto out;
    code = source_columns_open(&columns, &search->engine, search->dir, path, &why);
    if (code != MAILLE_OK && strcmp(why.rule, columns_other_format) == 0) {
        printf(language == LANGUAGE_FR
                   ? "une autre version de maille a écrit l’instantané %u : qui y figure n’est pas montré\n"
                   : "another version of maille wrote snapshot %u: who is in it is not shown\n",
               number);
        code = MAILLE_OK;
        goto out;
    }
    if (code != MAILLE_OK) {
        if (error != NULL)
            *error = why;
        goto out;
    }
    memset(search->seen, 0, search->n * sizeof *search->seen);
    for (size_t block = 0, row = 0; block < columns_blocks(columns); block++) {
        const uint64_t *ids;
        MAILLE_TRY(columns_row_id_block(&ids, columns, &scratch, block, error));
        for (size_t r = 0; r < COLUMNS_BLOCK_ROWS && row < columns_rows(columns); r++, row++)
            for (size_t i = 0; i < search->n; i++)
                search->seen[i] = search->seen[i] || row_id_patient(ids[r]) == search->persons[i];
    }
    for (size_t i = 0; i < search->n; i++)
        if (search->seen[i])
            search->snapshots[i] = arena_printf(arena, "%s%s%u", search->snapshots[i],
                                                search->snapshots[i][0] != '\0' ? ", " : "", number);
out:
    column_scratch_clear(&scratch);
    columns_free(columns);
    return code;
}

/* Aligned to the left: printf counts bytes. */
static const char *const heads[LANGUAGES] = {
    "PSEUDONYM                 SINCE       RECORDED              STATE         IN SNAPSHOTS",
    "PSEUDONYME                DEPUIS      ENREGISTRÉE           ÉTAT          DANS LES INSTANTANÉS"};
static const char *const none[LANGUAGES] = {"none", "aucun"};
static const char *const unnamed[LANGUAGES] = {"and %zu whose name was not kept (they hold)\n",
                                               "et %zu dont le nom n’a pas été gardé (elles valent)\n"};
static const char *const foot[LANGUAGES] = {
    "An objection holds for every purpose, from that day on, in every later snapshot.",
    "Une opposition vaut pour toute finalité, dès ce jour, dans tout instantané suivant."};

static const char *state_of(const struct import_rows *rows, const struct objection *objection, int32_t today,
                            uint32_t person, enum language language)
{
    if (objection->date > today && !row_keys_objects(rows->keys, objection->pseudonym))
        return language == LANGUAGE_FR ? "en attente" : "waits";
    if (language == LANGUAGE_FR)
        return person == 0 ? "pas ici" : "en vigueur";
    return person == 0 ? "nobody here" : "in force";
}

static enum maille_code print_all(struct arena *arena, const char *dir, const char *folder,
                                  const struct secret_keys *keys, enum language language,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct snapshot_entry *entries;
    struct import_rows rows = {0};
    size_t n = 0, named = 0;
    const int32_t today = (int32_t)(clock_utc_ms() / (24 * 3600 * 1000));
    MAILLE_TRY(snapshots_read(&entries, &n, arena, folder, error));
    MAILLE_TRY(import_rows_open(&rows, arena, folder, n, keys, error));
    const struct objectors *objectors = &rows.objectors;
    struct search search = {.persons = arena_array(arena, objectors->n + 1, sizeof *search.persons),
                            .snapshots = arena_array(arena, objectors->n + 1, sizeof *search.snapshots),
                            .seen = arena_array(arena, objectors->n + 1, sizeof *search.seen),
                            .n = objectors->n,
                            .dir = dir};
    for (size_t i = 0; i < objectors->n; i++) {
        search.persons[i] = row_keys_patient(rows.keys, objectors->list[i].objection.pseudonym);
        search.snapshots[i] = "";
        named += row_keys_objects(rows.keys, objectors->list[i].objection.pseudonym);
    }
    for (size_t s = 0; s < n; s++)
        MAILLE_TRY(search_snapshot(&search, arena, folder, entries[s].number, language, error));
    puts(heads[language]);
    for (size_t i = 0; i < objectors->n; i++) {
        const struct objector *objector = &objectors->list[i];
        char since[16], recorded[32];
        number_format_date(since, objector->objection.date);
        clock_format(recorded, objector->recorded_ms);
        printf("%-24s  %-10s  %.19sZ  %-12s  %s\n", objector->objection.pseudonym, since, recorded,
               state_of(&rows, &objector->objection, today, search.persons[i], language),
               search.snapshots[i][0] != '\0' ? search.snapshots[i] : none[language]);
    }
    if (row_keys_objections(rows.keys) > named)
        printf(unnamed[language], row_keys_objections(rows.keys) - named);
    puts(foot[language]);
out:
    source_clear(&search.engine);
    import_rows_clear(&rows);
    return code;
}

int worker_objections(int argc, char **argv)
{
    struct maille_error error = {0};
    const char *dir = NULL, *credential = NULL, *lang = NULL;
    enum language language = LANGUAGE_EN;
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &credential,
         .argument = "FILE",
         .sentence =
             "32-byte file that opens site.key, which the list is sealed with (default: $MAILLE_PASSPHRASE)"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG)"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        .program = "maille-worker objections",
        .positional = "",
        .sentence = "Shows who objects, since when, and which snapshots still hold the patient."};
    struct secret_keys *keys = NULL;
    struct arena *arena = arena_new();
    char folder[PATH_MAX];
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = language_choose(&language, lang, &error);
    if (code == MAILLE_OK && !done && arena == NULL)
        code = maille_fail(&error, MAILLE_MEMORY, "expected memory, found none");
    if (code != MAILLE_OK || done)
        goto out;
    MAILLE_TRY(crypto_start(&error));
    MAILLE_TRY(file_path_join(folder, sizeof folder, dir, "snapshots", &error));
    MAILLE_TRY(worker_keys(&keys, dir, credential, &error));
    MAILLE_TRY(print_all(arena, dir, folder, keys, language, &error));
out:
    secret_keys_free(keys);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}
