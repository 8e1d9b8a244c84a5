/* For tests/registry/h5py_test.py: snapshots from a shell.
 *
 *     registry_snapshot_tool write DICTIONARY.yaml FILE.csv OUT.h5      import and write
 *     registry_snapshot_tool copy IN.h5 OUT.h5                          open and write again */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/options.h"
#include "registry/import.h"

static enum maille_code import(struct columns **table, struct arena *arena, const char *dictionary_path,
                               const char *csv_path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    struct import_report report = {0};
    const struct dictionary *dictionary = NULL;
    MAILLE_TRY(file_read(&text, dictionary_path, 1 << 20, error));
    MAILLE_TRY(
        dictionary_parse(&dictionary, arena, dictionary_path, (const char *)text.data, text.length, error));
    code = import_csv(table, &report, dictionary, csv_path, NULL, error);
    import_report_print(&report, dictionary, LANGUAGE_EN, stdout);
    import_report_clear(&report);
out:
    bytes_clear(&text);
    return code;
}

int main(int argc, char **argv)
{
    enum maille_code code = MAILLE_OK;
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    struct columns *table = NULL;
    struct snapshot_facts facts = {
        .number = 3, .source_hash = "00ff", .is_public = true, .exclusions = "née d'objections"};
    clock_format(facts.created, 0);
    memset(facts.salt, '5', sizeof facts.salt - 1);
    if (arena != NULL && argc == 5 && strcmp(argv[1], "write") == 0)
        MAILLE_TRY(import(&table, arena, argv[2], argv[3], &error));
    else if (arena != NULL && argc == 4 && strcmp(argv[1], "copy") == 0)
        MAILLE_TRY(columns_open(&table, argv[2], &error));
    else
        MAILLE_TRY(maille_fail(&error, MAILLE_INVALID, "expected write DICTIONARY CSV OUT or copy IN OUT"));
    code = snapshot_write(table, argv[argc - 1], &facts, &error);
out:
    columns_free(table);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("registry_snapshot_tool", &error);
}
