/* maille-worker map: a first mapping of an export onto the dictionary. */
#include <stdio.h>

#include "base/file.h"
#include "base/options.h"
#include "query/yaml.h"
#include "registry/mapping_make.h"
#include "worker/commands.h"

int worker_map(int argc, char **argv)
{
    struct maille_error error = {0};
    const char *dictionary_path = NULL, *data = NULL, *to = NULL;
    const struct dictionary *dictionary;
    struct bytes text = {0}, out = {0};
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dictionary",
         .kind = OPTION_STRING,
         .target = &dictionary_path,
         .argument = "DICT.yaml",
         .sentence = "the network's data dictionary",
         .required = true},
        {.name = "data",
         .kind = OPTION_STRING,
         .target = &data,
         .argument = "FILE.csv",
         .sentence = "the export; - for standard input",
         .required = true},
        {.name = "out",
         .kind = OPTION_STRING,
         .target = &to,
         .argument = "FILE.yaml",
         .sentence = "where the mapping goes (default: standard output)"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        .program = "maille-worker map",
        .positional = "",
        .sentence =
            "Makes a first mapping.yaml from an export's header and values: which column is which variable, "
            "which "
            "word is which\nlevel, which formats dates have. A person reads and mends it; check and import "
            "take it with --mapping."};
    struct arena *arena = arena_new();
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done && arena == NULL)
        code = maille_fail(&error, MAILLE_MEMORY, "expected memory, found none");
    if (code != MAILLE_OK || done)
        goto out;
    MAILLE_TRY(file_read(&text, dictionary_path, YAML_BYTES_MAX, &error));
    MAILLE_TRY(
        dictionary_parse(&dictionary, arena, dictionary_path, (const char *)text.data, text.length, &error));
    MAILLE_TRY(mapping_make(&out, dictionary, data, &error));
    if (to != NULL)
        code = file_write_atomic(to, out.data, out.length, 0644, &error);
    else
        fwrite(out.data, 1, out.length, stdout);
out:
    bytes_clear(&text);
    bytes_clear(&out);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}
