/* maille report: a result file as a page, and as figures. */
#include "cli/commands.h"

#include <stdio.h>

#include "base/file.h"
#include "base/options.h"
#include "cli/run.h"
#include "report/figures/figure.h"
#include "report/report.h"

int cli_report(int argc, char **argv)
{
    const char *out_path = NULL, *figures = NULL, *format = "svg", *path = NULL;
    bool done = false;
    size_t n;
    const struct option_row rows[] = {
        {.name = "out",
         .kind = OPTION_STRING,
         .target = &out_path,
         .argument = "F.html",
         .sentence = "write the page"},
        {.name = "figures",
         .kind = OPTION_STRING,
         .target = &figures,
         .argument = "DIR",
         .sentence = "write every figure as a file of its own"},
        {.name = "format",
         .kind = OPTION_STRING,
         .target = &format,
         .argument = "svg|pdf|png",
         .sentence = "of the figures (svg; png has 300 dots an inch)"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille report", "RESULT.json",
        "Writes a result file as one page that needs nothing else, and its figures as "
        "a journal takes them; with neither --out nor --figures, prints its main tables.",
        1, 1};
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
    if (out_path == NULL && figures == NULL)
        report_terminal(stdout, &report, cli_run_width());
    if (out_path != NULL) {
        MAILLE_TRY(report_html(&page, &report, &error));
        MAILLE_TRY(file_write_atomic(out_path, page.data, page.length, 0644, &error));
    }
    if (figures != NULL) {
        MAILLE_TRY(figure_write_all(&report, figures, format, &n, &error));
        fprintf(stderr, "%zu figures in %s\n", n, figures);
    }
out:
    bytes_clear(&text);
    bytes_clear(&page);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille report", &error);
}
