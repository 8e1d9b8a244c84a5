#include <inttypes.h>
#include <string.h>

#include "base/display.h"
#include "base/file.h"
#include "base/number.h"
#include "report/report.h"
#include "report/table.h"

static void put_cell(struct bytes *out, const struct result *cell)
{
    char text[32] = "";
    if (cell == NULL)
        return;
    if (cell->kind == RESULT_STRING) {
        display_put_cell(out, cell->string);
        return;
    }
    if (cell->kind == RESULT_BOOLEAN)
        snprintf(text, sizeof text, "%s", cell->boolean ? "true" : "false");
    else if (cell->kind == RESULT_INTEGER)
        snprintf(text, sizeof text, "%" PRId64, cell->integer);
    else if (cell->kind == RESULT_NUMBER)
        number_format_double(text, cell->number);
    bytes_put(out, text, strlen(text));
}

/* synthetic: a column more, so that no row of made-up patients goes without its mark. */
static void put_table(struct bytes *out, const struct report_table *table, bool synthetic)
{
    for (size_t j = 0; j < table->n_columns; j++) {
        if (j > 0)
            bytes_put_u8(out, ',');
        display_put_cell(out, table->columns[j]);
    }
    if (synthetic)
        bytes_put_text(out, ",synthetic");
    bytes_put_u8(out, '\n');
    for (size_t i = 0; i < table->n_rows; i++) {
        for (size_t j = 0; j < table->n_columns; j++) {
            if (j > 0)
                bytes_put_u8(out, ',');
            put_cell(out, report_cell(table, i, j));
        }
        if (synthetic)
            bytes_put_text(out, ",TRUE");
        bytes_put_u8(out, '\n');
    }
}

/* Names come from a study that was parsed, or from a result file that anybody may have written. */
static bool is_file_name(const char *text)
{
    size_t length = strlen(text);
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    return length > 0 && length <= 64 && strspn(text, letters) == length;
}

enum maille_code report_csv(const struct report *report, const char *folder, size_t *n_files,
                            struct maille_error *error)
{
    enum maille_code code;
    size_t n = 0;
    struct bytes out = {0};
    struct arena *arena = arena_new();
    if (arena == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "no memory for the tables");
        goto out;
    }
    MAILLE_TRY(file_folder_make(folder, 0755, error));
    for (size_t i = 0; i < report->n_analyses; i++)
        for (const struct report_table *t = report_tables(&report->analyses[i], arena); t != NULL;
             t = t->next) {
            char path[4096], name[160];
            if (!is_file_name(report->analyses[i].id) || !is_file_name(t->part)) {
                code = maille_fail(error, MAILLE_INVALID,
                                   "expected ids and parts of letters, digits, _ and -, found `%s.%s`",
                                   report->analyses[i].id, t->part);
                goto out;
            }
            bytes_clear(&out);
            put_table(&out, t, report->synthetic);
            MAILLE_TRY(bytes_check(&out, error));
            snprintf(name, sizeof name, "%s.%s.csv", report->analyses[i].id, t->part);
            MAILLE_TRY(file_path_join(path, sizeof path, folder, name, error));
            MAILLE_TRY(file_write_atomic(path, out.data, out.length, 0644, error));
            n++;
        }
    if (n_files != NULL)
        *n_files = n;
out:
    bytes_clear(&out);
    arena_free(arena);
    return code;
}
