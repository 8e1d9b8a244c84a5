/* maille-worker snapshots: list, show, rollback, prune. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "base/options.h"
#include "registry/summary.h"
#include "worker/commands.h"
#include "worker/import_write.h"
#include "worker/source.h"

struct history {
    const char *dir, *credential, *lang;
    enum language language;
    char folder[PATH_MAX];
    struct arena *arena;
    const struct snapshot_entry *entries;
    size_t n;
    uint64_t number; /* that is named; 0: none */
};

#define SAY(english, french) (history->language == LANGUAGE_FR ? (french) : (english))

static enum maille_code list(const struct history *history, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    struct stat status;
    printf("%s", SAY("SNAPSHOT  IMPORTED                        ROWS         BYTES  \n",
                     "NUMÉRO    IMPORTÉ                       LIGNES        OCTETS  \n"));
    for (size_t i = 0; i < history->n; i++) {
        const struct snapshot_entry *entry = &history->entries[i];
        MAILLE_TRY(snapshots_path(path, sizeof path, history->folder, entry->number, error));
        const bool there = stat(path, &status) == 0;
        printf("%-8u  %-24s  %10" PRIu64 "  ", entry->number, entry->created, entry->rows);
        if (there)
            printf("%12lld", (long long)status.st_size);
        else
            printf("%12s", SAY("pruned", "supprimé"));
        printf("  %s\n", i + 1 == history->n ? SAY("newest", "le plus récent") : "");
    }
    if (history->n == 0)
        puts(SAY("no snapshot yet: maille-worker import makes the first",
                 "aucun instantané : maille-worker import fait le premier"));
out:
    return code;
}

static enum maille_code named(const struct snapshot_entry **entry, const struct history *history,
                              struct maille_error *error)
{
    if (history->number == 0 || history->number > history->n)
        return maille_fail(error, MAILLE_INVALID,
                           "expected the number of a snapshot from 1 to %zu, found %" PRIu64, history->n,
                           history->number);
    *entry = &history->entries[history->number - 1];
    return MAILLE_OK;
}

/* What the report of an import says of a file, of a snapshot. */
static enum maille_code show(const struct history *history, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct snapshot_entry *entry = NULL;
    struct columns *columns = NULL;
    struct site_engine engine = {0};
    struct summary summary;
    char path[PATH_MAX], hash[2 * HASH_BYTES + 1];
    MAILLE_TRY(named(&entry, history, error));
    MAILLE_TRY(import_snapshot_path(path, sizeof path, history->folder, entry, error));
    MAILLE_TRY(source_columns_open(&columns, &engine, history->dir, path, error));
    MAILLE_TRY(summary_make(&summary, history->arena, columns, error));
    const struct snapshot_facts *facts = columns_facts(columns);
    const struct dictionary *dictionary = columns_dictionary(columns);
    bytes_to_hex(hash, entry->hash.b, HASH_BYTES);
    printf(SAY("snapshot %u of %s, dictionary %s version %" PRId64 "%s\n",
               "instantané %u du %s, dictionnaire %s version %" PRId64 "%s\n"),
           entry->number, entry->created, dictionary->name, dictionary->version,
           facts->is_public ? ", public" : "");
    printf(SAY("%zu rows, %zu patients%s%s\n", "%zu lignes, %zu patients%s%s\n"), summary.rows,
           summary.patients, facts->exclusions[0] != '\0' ? SAY(", without ", ", sans ") : "",
           facts->exclusions);
    printf(SAY("file    %s\nsource  %s\n\n", "fichier %s\nsource  %s\n\n"), hash, facts->source_hash);
    printf("%-24s  %s\n", "variable",
           SAY("   present     missing           min        median           max",
               " présentes    absentes           min       médiane           max"));
    for (size_t v = 0; v < summary.n_variables; v++) {
        const struct summary_variable *variable = &summary.variables[v];
        char min[SUMMARY_VALUE] = "", median[SUMMARY_VALUE] = "", max[SUMMARY_VALUE] = "";
        if (variable->is_number && variable->present > 0) {
            summary_value(min, variable->variable, variable->min);
            summary_value(median, variable->variable, variable->median);
            summary_value(max, variable->variable, variable->max);
        }
        printf("%-24s  %10zu  %10zu  %12s  %12s  %12s\n", variable->variable->name, variable->present,
               variable->missing, min, median, max);
    }
out:
    columns_free(columns);
    source_clear(&engine);
    return code;
}

/* The next snapshot is what an earlier one was, without who objects today: numbers go on, so that what was
 * answered on the snapshots between stays true. */
static enum maille_code rollback(const struct history *history, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct snapshot_entry *entry = NULL;
    struct secret_keys *keys = NULL;
    struct columns *table = NULL;
    MAILLE_TRY(named(&entry, history, error));
    MAILLE_TRY(worker_keys(&keys, history->dir, history->credential, error));
    const struct import_order order = {
        .dir = history->dir, .again = entry->number, .yes = true, .language = history->language};
    MAILLE_TRY(import_write(&table, &order, keys, history->arena, error));
    printf(SAY("it has the rows of snapshot %u\n", "il a les lignes de l’instantané %u\n"), entry->number);
out:
    columns_free(table);
    secret_keys_free(keys);
    return code;
}

/* A query that was open on a superseded snapshot has ended: every new one ends those before it. */
static enum maille_code prune(const struct history *history, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    size_t pruned = 0;
    for (size_t i = 0; i + 1 < history->n; i++) {
        MAILLE_TRY(snapshots_path(path, sizeof path, history->folder, history->entries[i].number, error));
        if (!file_exists(path))
            continue;
        if (unlink(path) != 0) {
            code = maille_fail_errno(error, "cannot remove %s", path);
            goto out;
        }
        printf(SAY("removed %s\n", "%s supprimé\n"), path);
        pruned++;
    }
    if (pruned > 0)
        MAILLE_TRY(file_sync_folder(history->folder, error));
    printf(SAY("%zu superseded snapshot%s removed\n", "instantanés remplacés et supprimés : %zu%.0s\n"),
           pruned, pruned == 1 ? "" : "s");
out:
    return code;
}

int worker_snapshots(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum maille_code (*run)(const struct history *history, struct maille_error *error);
        bool takes_number;
    } verbs[] = {
        {"list", list, false}, {"show", show, true}, {"rollback", rollback, true}, {"prune", prune, false}};
    struct maille_error error = {0};
    struct history history = {0};
    bool done = false;
    size_t n = 0, verb = sizeof verbs / sizeof *verbs;
    const char *words[2];
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &history.dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &history.credential,
         .argument = "FILE",
         .sentence = "32-byte file that opens site.key; of rollback (default: $MAILLE_PASSPHRASE)"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &history.lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG)"},
        {.name = NULL},
    };
    const struct option_usage usage = {.program = "maille-worker snapshots",
                                       .positional = "list | show NUMBER | rollback NUMBER | prune",
                                       .sentence = "What was imported. show: what a snapshot holds, variable "
                                                   "by variable. rollback: the next snapshot has "
                                                   "the rows of an earlier\none, without who objects. prune: "
                                                   "removes the files of superseded snapshots "
                                                   ".",
                                       .min_positional = 1,
                                       .max_positional = 2};
    enum maille_code code = options_parse(&usage, rows, argc, argv, words, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = language_choose(&history.language, history.lang, &error);
    if (code != MAILLE_OK || done)
        goto out;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(words[0], verbs[i].name) == 0 && n == 1 + (size_t)verbs[i].takes_number)
            verb = i;
    if (verb == sizeof verbs / sizeof *verbs ||
        (n == 2 && !number_parse_u64(words[1], strlen(words[1]), &history.number))) {
        code =
            maille_fail(&error, MAILLE_INVALID,
                        "expected list, show NUMBER, rollback NUMBER or prune, found \"%.40s%s%.40s\"; see "
                        "maille-worker snapshots --help",
                        words[0], n == 2 ? " " : "", n == 2 ? words[1] : "");
        goto out;
    }
    history.arena = arena_new();
    if (history.arena == NULL) {
        code = maille_fail(&error, MAILLE_MEMORY, "expected memory, found none");
        goto out;
    }
    MAILLE_TRY(crypto_start(&error));
    MAILLE_TRY(file_path_join(history.folder, sizeof history.folder, history.dir, "snapshots", &error));
    MAILLE_TRY(snapshots_read(&history.entries, &history.n, history.arena, history.folder, &error));
    code = verbs[verb].run(&history, &error);
out:
    arena_free(history.arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}
