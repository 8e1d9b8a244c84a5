/* maille report: a result file as a page. */
#include "cli/commands.h"

#include <stdio.h>

#include "base/file.h"
#include "base/options.h"
#include "report/report.h"

int cli_report(int argc, char **argv)
{
    const char *out_path = NULL, *path = NULL;
    bool done = false;
    size_t n;
    const struct option_row rows[] = {
        {"out", OPTION_STRING, &out_path, "F.html", "the page to write", true, 0, 0},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, false, 0, 0}};
    const struct option_usage usage = {"maille report", "RESULT.json",
                                       "Writes a result file as one page that needs nothing else.", 1, 1};
    struct maille_error error = {0};
    struct bytes text = {0}, page = {0};
    struct report report;
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    if (arena == NULL) {
        code = maille_fail(&error, MAILLE_MEMORY, "expected memory, found none");
        goto out;
    }
    code = options_parse(&usage, rows, argc, argv, &path, &n, &done, &error);
    if (code != MAILLE_OK || done)
        goto out;
    MAILLE_TRY(file_read(&text, path, REPORT_BYTES_MAX, &error));
    MAILLE_TRY(report_read(&report, arena, path, text.data, text.length, &error));
    MAILLE_TRY(report_html(&page, &report, &error));
    MAILLE_TRY(file_write_atomic(out_path, page.data, page.length, 0644, &error));
out:
    bytes_clear(&text);
    bytes_clear(&page);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille report", &error);
}
