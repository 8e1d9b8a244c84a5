/* maille schema: what other programs need to know of the languages. */
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "cli/commands.h"
#include "query/schema.h"
#include "stats/methods.h"

int cli_schema(int argc, char **argv)
{
    const char *what = NULL;
    bool done = false;
    size_t n, n_methods;
    const struct option_row rows[] = {
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille schema", "study|dictionary|methods",
        "Writes the language of study files, of dictionaries, or the table of methods as JSON Schema (draft\n"
        "2020-12) on standard output: for editors, clients and completion.",
        1, 1};
    struct maille_error error = {0};
    struct bytes out = {0};
    enum maille_code code = options_parse(&usage, rows, argc, argv, &what, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    const struct query_method *methods = methods_declared(&n_methods);
    if (strcmp(what, "study") == 0)
        schema_study(&out, methods, n_methods);
    else if (strcmp(what, "dictionary") == 0)
        schema_dictionary(&out);
    else if (strcmp(what, "methods") == 0)
        schema_methods(&out, methods, n_methods);
    else {
        code =
            maille_fail(&error, MAILLE_INVALID, "expected study, dictionary or methods, found \"%s\"", what);
        goto out;
    }
    MAILLE_TRY(bytes_check(&out, &error));
    fwrite(out.data, 1, out.length, stdout);
out:
    bytes_clear(&out);
    return code == MAILLE_OK ? 0 : options_program_fail("maille schema", &error);
}
