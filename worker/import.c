/* maille-worker import: from the site's file to the next frozen snapshot. check: the same reading, nothing
 * written. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/options.h"
#include "query/yaml.h"
#include "registry/derive.h"
#include "registry/import.h"
#include "registry/mapping.h"
#include "worker/check_report.h"
#include "worker/commands.h"
#include "worker/import_engine.h"
#include "worker/import_write.h"
#include "worker/settings.h"

struct import_command {
    const char *dir, *dictionary, *data, *objections, *withdraw, *separator, *decimal, *credential, *mapping,
        *query, *view, *tables, *lang, *relation;
    enum language language;
    struct check_report_paths paths;
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
                           strchr(legal, '\t') != NULL ? "\",\" \";\" \"|\" tab" : "\".\" \",\"", text);
    *out = text[0];
    return MAILLE_OK;
}

/* Whether this may name a table or a view: nothing in it ends a name. */
static bool is_relation(const char *text)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.\"";
    return strspn(text, legal) == strlen(text);
}

/* What is asked of a database: a file with one SELECT, or all of a view. */
static enum maille_code read_query(const char **query, struct arena *arena,
                                   const struct import_command *command, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    if (command->query == NULL && command->view == NULL)
        return MAILLE_OK;
    if (command->query != NULL && command->view != NULL)
        return maille_fail(error, MAILLE_INVALID, "expected --view or --query, found both");
    if (command->view != NULL) {
        if (!is_relation(command->view))
            return maille_fail(error, MAILLE_INVALID, "expected --view SCHEMA.NAME, found \"%.80s\"",
                               command->view);
        *query = arena_printf(arena, "SELECT * FROM %s", command->view);
        return MAILLE_OK;
    }
    MAILLE_TRY(file_read(&text, command->query, YAML_BYTES_MAX, error));
    while (text.length > 0 && strchr("; \t\r\n", text.data[text.length - 1]) != NULL)
        text.length--;
    *query = arena_strndup(arena, (const char *)text.data, text.length);
out:
    bytes_clear(&text);
    return code;
}

/* The rules of further tables, which are the dictionary's where it says which; tables_hash: theirs, ""
 * without any. */
static enum maille_code read_rules(struct derive **derive, char tables_hash[2 * HASH_BYTES + 1],
                                   struct arena *arena, const struct import_command *command,
                                   const struct dictionary *dictionary, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes rules = {0};
    struct digest digest;
    tables_hash[0] = '\0';
    if (command->tables == NULL) {
        if (dictionary->tables != NULL)
            code = maille_fail(error, MAILLE_INVALID,
                               "expected --tables with the rules %s, which %s asks for, found none",
                               dictionary->tables, command->dictionary);
        goto out;
    }
    const char *slash = strrchr(command->tables, '/');
    const char *folder =
        arena_strndup(arena, command->tables, slash == NULL ? 0 : (size_t)(slash + 1 - command->tables));
    MAILLE_TRY(file_read(&rules, command->tables, YAML_BYTES_MAX, error));
    MAILLE_TRY(derive_parse(derive, arena, command->tables, (const char *)rules.data, rules.length, folder,
                            dictionary, error));
    hash_bytes(&digest, derive_text(*derive), strlen(derive_text(*derive)));
    bytes_to_hex(tables_hash, digest.b, HASH_BYTES);
    if (dictionary->tables != NULL && strcmp(dictionary->tables, tables_hash) != 0)
        code = maille_fail(error, MAILLE_INVALID,
                           "expected in %s the rules %s, which %s asks for, found the rules %s; ask the "
                           "network for its file",
                           command->tables, dictionary->tables, command->dictionary, tables_hash);
out:
    bytes_clear(&rules);
    return code;
}

/* What an import says of what it read, also where nothing is written. tables_hash: "" without tables. */
static enum maille_code tell_report(const struct import_report *report, const struct import_command *command,
                                    const struct dictionary *dictionary, const char *tables_hash,
                                    enum maille_code code, FILE *to_bad, struct maille_error *error)
{
    struct maille_error unwritten = {0};
    if (report->n_columns == 0 || (code != MAILLE_OK && report->n_problems == 0))
        return code;
    import_report_print(report, dictionary, command->language, code == MAILLE_OK ? stdout : to_bad);
    if (tables_hash[0] != '\0')
        fprintf(code == MAILLE_OK ? stdout : to_bad, "tables: %s\n", tables_hash);
    if (check_report_write(&command->paths, report, dictionary, command->data, &unwritten) != MAILLE_OK &&
        code == MAILLE_OK) {
        *error = unwritten;
        code = unwritten.code;
    }
    return code;
}

static enum maille_code ask_questions(const struct import_report *report,
                                      const struct import_command *command, struct maille_error *error)
{
    if (report->n_questions == 0 || command->yes)
        return MAILLE_OK;
    return maille_fail(
        error, MAILLE_INVALID,
        "expected nothing to ask about, found %zu question%s, listed above; correct the file, or go "
        "on with --yes",
        report->n_questions, report->n_questions == 1 ? "" : "s");
}

/* Reads dictionary and data, and prints and writes the report. source_hash: of the bytes that were read. A
 * question that --yes does not answer is MAILLE_INVALID. */
static enum maille_code read_data(struct columns **table, char source_hash[2 * HASH_BYTES + 1],
                                  char tables_hash[2 * HASH_BYTES + 1], struct arena *arena,
                                  const struct import_command *command, FILE *to_bad,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary;
    struct bytes text = {0}, mapping = {0};
    struct import_report report = {0};
    struct hash_stream hash;
    struct digest digest;
    struct import_options options = {.needs_patients = true, .saw = hash_stream_put, .context = &hash};
    hash_stream_begin(&hash);
    MAILLE_TRY(one_character(&options.separator, "separator", ",;\t|", command->separator, error));
    MAILLE_TRY(one_character(&options.decimal, "decimal", ".,", command->decimal, error));
    MAILLE_TRY(file_read(&text, command->dictionary, YAML_BYTES_MAX, error));
    MAILLE_TRY(dictionary_parse(&dictionary, arena, command->dictionary, (const char *)text.data, text.length,
                                error));
    MAILLE_TRY(read_rules(&options.derive, tables_hash, arena, command, dictionary, error));
    if (options.derive != NULL)
        MAILLE_TRY(derive_read(options.derive, options.saw, options.context, error));
    MAILLE_TRY(read_query(&options.query, arena, command, error));
    if (command->mapping != NULL) {
        MAILLE_TRY(file_read(&mapping, command->mapping, YAML_BYTES_MAX, error));
        MAILLE_TRY(mapping_parse(&options.mapping, arena, command->mapping, (const char *)mapping.data,
                                 mapping.length, dictionary, error));
    }
    code = import_csv(table, &report, dictionary, command->data, &options, error);
    MAILLE_TRY(tell_report(&report, command, dictionary, tables_hash, code, to_bad, error));
    hash_stream_end(&digest, &hash);
    bytes_to_hex(source_hash, digest.b, HASH_BYTES);
    code = ask_questions(&report, command, error);
out:
    import_report_clear(&report);
    bytes_clear(&text);
    bytes_clear(&mapping);
    derive_clear(options.derive);
    return code;
}

/* The rows of a relation, which stay where they are: what is counted of them is told as of a file. */
static enum maille_code read_relation(struct import_engine *import, struct arena *arena,
                                      const struct import_command *command, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *dictionary;
    struct worker_settings settings;
    struct import_report report = {0};
    struct bytes text = {0};
    if (command->query != NULL || command->view != NULL || command->tables != NULL ||
        command->mapping != NULL)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected --from-relation without --view, --query, --tables and --mapping, found one of "
            "them; the relation itself has the dictionary's columns");
    if (!is_relation(command->relation) || strchr(command->relation, '.') == NULL)
        return maille_fail(error, MAILLE_INVALID, "expected --from-relation SCHEMA.NAME, found \"%.80s\"",
                           command->relation);
    MAILLE_TRY(worker_settings_read(&settings, arena, command->dir, error));
    MAILLE_TRY(file_read(&text, command->dictionary, YAML_BYTES_MAX, error));
    MAILLE_TRY(dictionary_parse(&dictionary, arena, command->dictionary, (const char *)text.data, text.length,
                                error));
    if (dictionary->tables != NULL) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected a dictionary without rules of further tables with --from-relation, found the "
            "rules %s; import a file instead",
            dictionary->tables);
        goto out;
    }
    code = import_engine_read(import, &report, &settings, dictionary, command->data, command->relation, arena,
                              error);
    MAILLE_TRY(tell_report(&report, command, dictionary, "", code, stderr, error));
    code = ask_questions(&report, command, error);
out:
    import_report_clear(&report);
    bytes_clear(&text);
    return code;
}

static enum maille_code run_import(const struct import_command *command, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct secret_keys *keys = NULL;
    struct columns *table = NULL;
    struct import_engine import = {0};
    char path[PATH_MAX], source_hash[2 * HASH_BYTES + 1], tables_hash[2 * HASH_BYTES + 1] = "";
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
        (command->relation != NULL && command->data == NULL) ||
        (command->data == NULL && command->objections == NULL && command->withdraw == NULL &&
         !command->monthly)) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected --data with --dictionary, or --objections, --withdraw or --monthly alone for "
            "the newest snapshot; see --help");
        goto out;
    }
    /* Others' bytes are parsed before the site's key is open. */
    if (command->relation != NULL)
        MAILLE_TRY(read_relation(&import, arena, command, error));
    else if (command->data != NULL)
        MAILLE_TRY(read_data(&table, source_hash, tables_hash, arena, command, stderr, error));
    MAILLE_TRY(worker_keys(&keys, command->dir, command->credential, error));
    const struct import_order order = {
        .dir = command->dir,
        .objections = command->objections,
        .withdraw = command->withdraw,
        .source_hash = command->data != NULL && command->relation == NULL ? source_hash : NULL,
        .engine = command->relation != NULL ? &import : NULL,
        .tables_hash = tables_hash,
        .is_public = command->is_public,
        .yes = command->yes,
        .monthly = command->monthly,
        .language = command->language};
    MAILLE_TRY(import_write(&table, &order, keys, arena, error));
out:
    columns_free(table);
    import_engine_clear(&import);
    secret_keys_free(keys);
    arena_free(arena);
    return code;
}

static enum maille_code run_check(const struct import_command *command, struct maille_error *error)
{
    struct arena *arena = arena_new();
    struct columns *table = NULL;
    char source_hash[2 * HASH_BYTES + 1], tables_hash[2 * HASH_BYTES + 1] = "";
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    enum maille_code code = crypto_start(error);
    if (code == MAILLE_OK)
        code = read_data(&table, source_hash, tables_hash, arena, command, stdout, error);
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
         .sentence = "the patients; - for standard input; postgresql:service=NAME; FILE.sas7bdat, FILE.xpt",
         .required = check},
        {.name = "tables",
         .kind = OPTION_STRING,
         .target = &command.tables,
         .argument = "RULES.yaml",
         .sentence =
             "further tables (lines, visits, drugs), and the variables that come out of them by rules"},
        {.name = "view",
         .kind = OPTION_STRING,
         .target = &command.view,
         .argument = "SCHEMA.NAME",
         .sentence = "of a database: the table or view whose rows are the patients"},
        {.name = "query",
         .kind = OPTION_STRING,
         .target = &command.query,
         .argument = "FILE.sql",
         .sentence = "of a database: one SELECT instead"},
        {.name = "mapping",
         .kind = OPTION_STRING,
         .target = &command.mapping,
         .argument = "FILE.yaml",
         .sentence = "how the file says what the dictionary asks for; maille-worker map makes a first one"},
        {.name = "separator",
         .kind = OPTION_STRING,
         .target = &command.separator,
         .argument = "CHAR",
         .sentence = ", or ; or | or tab (default: found by looking)"},
        {.name = "decimal",
         .kind = OPTION_STRING,
         .target = &command.decimal,
         .argument = "CHAR",
         .sentence = ". or , (default: found by looking)"},
        {.name = "json",
         .kind = OPTION_STRING,
         .target = &command.paths.json,
         .argument = "FILE",
         .sentence =
             "the report for programs, all groups of problems (docs/CLI.md); it has patients' values"},
        {.name = "csv",
         .kind = OPTION_STRING,
         .target = &command.paths.csv,
         .argument = "FILE",
         .sentence = "the problems as a table"},
        {.name = "report",
         .kind = OPTION_STRING,
         .target = &command.paths.html,
         .argument = "FILE.html",
         .sentence = "the report as one page"},
        {.name = "yes",
         .kind = OPTION_FLAG,
         .target = &command.yes,
         .sentence =
             "go on where the report asks (pseudonyms that look alike, too few values), where the import "
             "differs much from the last, or where the files of objections look wrong"},
        {.name = "lang",
         .kind = OPTION_STRING,
         .target = &command.lang,
         .argument = "fr|en",
         .sentence = "the language (default: that of LANG)"},
        {.name = check ? NULL : "dir", /* the table of check ends here */
         .kind = OPTION_STRING,
         .target = &command.dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "from-relation",
         .kind = OPTION_STRING,
         .target = &command.relation,
         .argument = "SCHEMA.NAME",
         .sentence =
             "of a site with source: engine: the table or view whose rows are frozen in its database; "
             "nothing is exported"},
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
        code = language_choose(&command.language, command.lang, &error);
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
