/* report/report.h: a result file that is read back, and the page, table and file made of it. */
#include <stdio.h>

#include "report/report.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    struct report report, again;
    struct maille_error error = {0};
    struct bytes json = {0}, html = {0};
    struct arena *arena = arena_new();
    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    if (arena == NULL || nowhere == NULL)
        fuzz_fail("memory");
    if (report_read(&report, arena, "result.json", data, size, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        goto out;
    }
    if (report_json(&json, &report, &error) != MAILLE_OK ||
        report_read(&again, arena, "again", json.data, json.length, &error) != MAILLE_OK)
        fuzz_fail("a result that can be written and read back");
    if (report_html(&html, &report, &error) != MAILLE_OK)
        fuzz_fail("a page of a result that was read");
    report_terminal(nowhere, &report, REPORT_TERMINAL_WIDTH);
out:
    bytes_clear(&json);
    bytes_clear(&html);
    arena_free(arena);
    return 0;
}
