/* maille-worker import: from the site's file to the next frozen snapshot. check: the same reading, nothing
 * written. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/log.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "query/yaml.h"
#include "registry/import.h"
#include "worker/commands.h"
#include "worker/import_rows.h"
#include "worker/snapshots.h"

enum { ERRORS_LISTED = 20 };

struct import_command {
    const char *dir, *dictionary, *data, *objections, *withdraw, *separator, *decimal, *credential;
    bool is_public, yes, monthly;
};

/* One character of an option, or a word for one that shells do not like. */
static enum maille_code one_character(char *out, const char *option, const char *legal, const char *text,
                                      struct maille_error *error)
{
    if (text == NULL)
        return MAILLE_OK;
    if (strcmp(text, "tab") == 0)
        text = "\t";
    if (strlen(text) != 1 || strchr(legal, text[0]) == NULL)
        return maille_fail(error, MAILLE_INVALID, "expected --%s as one of %s, found \"%s\"", option,
                           strchr(legal, '\t') != NULL ? "\",\" \";\" tab" : "\".\" \",\"", text);
    *out = text[0];
    return MAILLE_OK;
}

/* Reads dictionary and data; the report goes to `to` where there is one. */
static enum maille_code read_data(struct columns **table, const struct dictionary **dictionary,
                                  struct arena *arena, const struct import_command *command, FILE *to,
                                  FILE *to_bad, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    struct import_report report = {0};
    struct import_options options = {.errors_max = ERRORS_LISTED};
    MAILLE_TRY(one_character(&options.separator, "separator", ",;\t", command->separator, error));
    MAILLE_TRY(one_character(&options.decimal, "decimal", ".,", command->decimal, error));
    MAILLE_TRY(file_read(&text, command->dictionary, YAML_BYTES_MAX, error));
    MAILLE_TRY(dictionary_parse(dictionary, arena, command->dictionary, (const char *)text.data, text.length,
                                error));
    code = import_csv(table, &report, *dictionary, command->data, &options, error);
    FILE *out = code == MAILLE_OK ? to : to_bad;
    if (report.arena != NULL && out != NULL)
        import_report_print(&report, *dictionary, out);
out:
    import_report_clear(&report);
    bytes_clear(&text);
    return code;
}

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

/* An entry of the site's log, or, where a running worker has the log open, none: it writes its own when it
 * takes the snapshot. hash: of the snapshot; NULL: there is none. */
static enum maille_code note(const struct secret_keys *keys, const char *message, const struct digest *hash,
                             const char *detail, const struct import_command *command,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct audit_log *log = NULL;
    char path[PATH_MAX];
    struct audit_options options = {.folder = path, .party = secret_keys_name(keys), .keys = keys};
    struct audit_entry entry = {
        .direction = AUDIT_NOTE, .message = message, .peer = options.party, .detail = detail};
    if (hash != NULL)
        entry.hash = *hash;
    MAILLE_TRY(file_path_join(path, sizeof path, command->dir, "log", error));
    code = audit_open_signed(&log, &options, NULL, error);
    if (code == MAILLE_INVALID) {
        code = MAILLE_OK;
        printf("a worker runs here: its log says so with its next snapshot\n");
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

/* The newest snapshot, as it was imported: what objections alone are applied to. */
static enum maille_code open_newest(struct columns **table, struct snapshot_facts *facts, const char *folder,
                                    const struct snapshot_entry *entries, size_t n,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct digest found;
    char path[PATH_MAX], name[SNAPSHOT_NAME_BYTES];
    if (n == 0)
        return maille_fail(error, MAILLE_INVALID,
                           "expected --data and --dictionary, or a snapshot in %s, found neither", folder);
    snapshots_name(name, entries[n - 1].number);
    MAILLE_TRY(file_path_join(path, sizeof path, folder, name, error));
    MAILLE_TRY(hash_file(&found, path, error));
    if (!digest_equal(&found, &entries[n - 1].hash)) {
        code = maille_fail(error, MAILLE_CORRUPT,
                           "expected %s as it was imported, found other bytes; import with --data", path);
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
static enum maille_code prepare(struct columns **table, struct import_rows *rows,
                                struct snapshot_facts *facts, const char *folder,
                                const struct snapshot_entry *entries, size_t n,
                                const struct secret_keys *keys, struct arena *arena,
                                const struct import_command *command, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const bool is_new = command->data != NULL;
    struct digest source;
    const int64_t now_ms = clock_utc_ms();
    const struct objections_change change = {.objections = command->objections,
                                             .withdraw = command->withdraw,
                                             .yes = command->yes,
                                             .today = (int32_t)(now_ms / (24 * 3600 * 1000)),
                                             .now_ms = now_ms};
    MAILLE_TRY(import_rows_open(rows, arena, folder, n, keys, error));
    if (!is_new) {
        MAILLE_TRY(open_newest(table, facts, folder, entries, n, error));
    } else {
        MAILLE_TRY(hash_file(&source, command->data, error));
        bytes_to_hex(facts->source_hash, source.b, HASH_BYTES);
    }
    MAILLE_TRY(import_rows_apply(table, rows, arena, &change, is_new, (uint32_t)n + 1, error));
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

/* Was the newest snapshot made in this month (UTC)? */
static bool is_of_this_month(const struct snapshot_entry *newest, int64_t now_ms)
{
    char now[32];
    clock_format(now, now_ms);
    return strncmp(newest->created, now, sizeof "2026-11" - 1) == 0;
}

static enum maille_code write_snapshot(struct columns **table, const struct secret_keys *keys,
                                       struct arena *arena, const struct import_command *command,
                                       struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct snapshot_entry *entries;
    struct snapshot_facts facts = {.is_public = command->is_public};
    struct import_rows rows = {0};
    int lock = -1;
    size_t n = 0;
    bool written = false;
    char folder[PATH_MAX], path[PATH_MAX], name[SNAPSHOT_NAME_BYTES];
    MAILLE_TRY(file_path_join(folder, sizeof folder, command->dir, "snapshots", error));
    MAILLE_TRY(lock_folder(&lock, folder, error));
    MAILLE_TRY(snapshots_read(&entries, &n, arena, folder, error));
    if (n == SNAPSHOTS_MAX) {
        code = maille_fail(error, MAILLE_INVALID, "expected fewer than %d snapshots in %s", SNAPSHOTS_MAX,
                           folder);
        goto out;
    }
    if (command->monthly && (n == 0 || is_of_this_month(&entries[n - 1], clock_utc_ms())))
        goto out;
    MAILLE_TRY(prepare(table, &rows, &facts, folder, entries, n, keys, arena, command, error));
    struct snapshot_entry entry = {.number = (uint32_t)n + 1, .created = facts.created};
    entry.rows = columns_rows(*table);
    snapshots_name(name, entry.number);
    MAILLE_TRY(file_path_join(path, sizeof path, folder, name, error));
    if (file_exists(path) &&
        unlink(path) != 0) { /* an import that was cut before its entry: nobody ever used it */
        code = maille_fail_errno(error, "cannot remove %s", path);
        goto out;
    }
    clock_format(facts.created, clock_utc_ms());
    snapshots_salt(facts.salt);
    facts.number = entry.number;
    MAILLE_TRY(snapshot_write(*table, path, &facts, error));
    written = true;
    MAILLE_TRY(hash_file(&entry.hash, path, error));
    MAILLE_TRY(note(keys, "import", &entry.hash,
                    arena_printf(arena, "snapshot %u%s%s%s", entry.number, facts.is_public ? ", public" : "",
                                 facts.exclusions[0] != '\0' ? ", without " : "", facts.exclusions),
                    command, error));
    MAILLE_TRY(snapshots_add(folder, &entry, error));
    written = false;
    printf("snapshot %u: %zu rows of %zu patients in %s%s%s%s\n", entry.number, columns_rows(*table),
           columns_patients(*table), path, facts.is_public ? " (public)" : "",
           facts.exclusions[0] != '\0' ? ", without " : "", facts.exclusions);
    if (entry.number > 1)
        printf("queries that are open on an earlier snapshot end before their next round\n");
    if (command->data == NULL && rows.told.withdrawn > 0)
        printf("patients who withdrew come back with the next import of --data\n");
out:
    import_rows_clear(&rows);
    if (written)
        unlink(path);
    if (lock >= 0)
        close(lock);
    return code;
}

static enum maille_code run_import(const struct import_command *command, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct secret_keys *keys = NULL;
    struct columns *table = NULL;
    const struct dictionary *dictionary;
    char path[PATH_MAX];
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(crypto_start(error));
    MAILLE_TRY(file_path_join(path, sizeof path, command->dir, "site.key", error));
    if (!file_exists(path)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a site in %s, found no site.key; make one with: maille-worker init",
                           command->dir);
        goto out;
    }
    if ((command->data == NULL) != (command->dictionary == NULL) ||
        (command->data == NULL && command->objections == NULL && command->withdraw == NULL &&
         !command->monthly)) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected --data with --dictionary, or --objections, --withdraw or --monthly alone for "
            "the newest snapshot; see --help");
        goto out;
    }
    MAILLE_TRY(worker_keys(&keys, command->dir, command->credential, error));
    if (command->data != NULL)
        MAILLE_TRY(read_data(&table, &dictionary, arena, command, stdout, stderr, error));
    MAILLE_TRY(write_snapshot(&table, keys, arena, command, error));
out:
    columns_free(table);
    secret_keys_free(keys);
    arena_free(arena);
    return code;
}

static enum maille_code run_check(const struct import_command *command, struct maille_error *error)
{
    struct arena *arena = arena_new();
    struct columns *table = NULL;
    const struct dictionary *dictionary;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    enum maille_code code = read_data(&table, &dictionary, arena, command, stdout, stdout, error);
    columns_free(table);
    arena_free(arena);
    return code;
}

static int import_main(int argc, char **argv, bool check)
{
    struct maille_error error = {0};
    struct import_command command = {0};
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dictionary",
         .kind = OPTION_STRING,
         .target = &command.dictionary,
         .argument = "DICT.yaml",
         .sentence = "the network's data dictionary",
         .required = check},
        {.name = "data",
         .kind = OPTION_STRING,
         .target = &command.data,
         .argument = "FILE.csv",
         .sentence = "the patients",
         .required = check},
        {.name = "separator",
         .kind = OPTION_STRING,
         .target = &command.separator,
         .argument = "CHAR",
         .sentence = ", or ; or tab (default: found by looking)"},
        {.name = "decimal",
         .kind = OPTION_STRING,
         .target = &command.decimal,
         .argument = "CHAR",
         .sentence = ". or , (default: found by looking)"},
        {.name = check ? NULL : "dir", /* the table of check ends here */
         .kind = OPTION_STRING,
         .target = &command.dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "objections",
         .kind = OPTION_STRING,
         .target = &command.objections,
         .argument = "FILE.csv",
         .sentence = "pseudonym, date, purposes: who objects is left out from that day on, for every "
                     "purpose, in later "
                     "imports too; a file adds to those before it; without --data, of the newest snapshot"},
        {.name = "withdraw",
         .kind = OPTION_STRING,
         .target = &command.withdraw,
         .argument = "FILE.csv",
         .sentence = "as --objections: who no longer objects"},
        {.name = "monthly",
         .kind = OPTION_FLAG,
         .target = &command.monthly,
         .sentence = "the newest snapshot once more, without who objects by now, where none was made this "
                     "month; serve does so by itself"},
        {.name = "yes",
         .kind = OPTION_FLAG,
         .target = &command.yes,
         .sentence = "go on where the files of objections look wrong (empty, shorter, of nobody)"},
        {.name = "public",
         .kind = OPTION_FLAG,
         .target = &command.is_public,
         .sentence = "the data are public: the policy open may run on them"},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &command.credential,
         .argument = "FILE",
         .sentence = "32-byte file that opens site.key, which signs the entry in the site's log (default: "
                     "$MAILLE_PASSPHRASE)"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        .program = check ? "maille-worker check" : "maille-worker import",
        .positional = "",
        .sentence =
            check
                ? "Checks a CSV file against the dictionary, cell by cell, and prints what an import would "
                  "find."
                : "Reads a CSV file, checks every cell against the dictionary and writes the next snapshot.\n"
                  "Nothing is written if any cell is bad. A running worker takes the new snapshot at once."};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = check ? run_check(&command, &error) : run_import(&command, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}

enum maille_code import_monthly(const char *dir, const char *credential, struct maille_error *error)
{
    const struct import_command command = {.dir = dir, .credential = credential, .monthly = true};
    return run_import(&command, error);
}

int worker_import(int argc, char **argv)
{
    return import_main(argc, argv, false);
}

int worker_check(int argc, char **argv)
{
    return import_main(argc, argv, true);
}
