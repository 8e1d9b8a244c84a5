#include "cli/sheet.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/display.h"
#include "base/file.h"
#include "base/json.h"

void sheet_add(struct sheet *sheet, const char *const *cells)
{
    if (sheet->n_rows == sheet->room) {
        const size_t room = sheet->room == 0 ? 16 : 2 * sheet->room;
        const char ***grown = arena_array(sheet->arena, room, sizeof *grown);
        if (sheet->n_rows > 0)
            memcpy(grown, sheet->rows, sheet->n_rows * sizeof *grown);
        sheet->rows = grown;
        sheet->room = room;
    }
    const char **row = arena_array(sheet->arena, sheet->n_columns, sizeof *row);
    memcpy(row, cells, sheet->n_columns * sizeof *row);
    sheet->rows[sheet->n_rows++] = row;
}

const char *sheet_number(struct sheet *sheet, uint64_t value)
{
    return arena_printf(sheet->arena, "%llu", (unsigned long long)value);
}

const char *sheet_time(struct sheet *sheet, int64_t utc_ms)
{
    char text[32];
    clock_format(text, utc_ms);
    text[10] = ' ';
    text[19] = '\0';
    return arena_strdup(sheet->arena, text);
}

void sheet_csv(struct bytes *out, const struct sheet *sheet, enum language language)
{
    const char *between = language == LANGUAGE_FR ? ";" : ",";
    if (language == LANGUAGE_FR)
        bytes_put_text(out, "\xEF\xBB\xBF");
    for (size_t i = 0; i < sheet->n_columns; i++) {
        bytes_put_text(out, i > 0 ? between : "");
        display_put_cell(out, sheet->columns[i].title[language]);
    }
    bytes_put_text(out, "\r\n");
    for (size_t r = 0; r < sheet->n_rows; r++) {
        for (size_t i = 0; i < sheet->n_columns; i++) {
            bytes_put_text(out, i > 0 ? between : "");
            if (sheet->columns[i].is_number) /* never quoted */
                bytes_put_text(out, sheet->rows[r][i]);
            else
                display_put_cell(out, sheet->rows[r][i]);
        }
        bytes_put_text(out, "\r\n");
    }
}

void sheet_json(struct bytes *out, const struct sheet *sheet)
{
    bytes_put_text(out, "[");
    for (size_t r = 0; r < sheet->n_rows; r++) {
        bytes_put_text(out, r > 0 ? ",\n {" : "\n {");
        for (size_t i = 0; i < sheet->n_columns; i++) {
            const char *text = sheet->rows[r][i];
            bytes_printf(out, "%s\"%s\": ", i > 0 ? ", " : "", sheet->columns[i].key);
            if (text[0] == '\0')
                bytes_put_text(out, "null");
            else if (sheet->columns[i].is_number)
                bytes_put_text(out, text);
            else
                json_put_text(&(struct json_put){.out = out}, NULL, text);
        }
        bytes_put_text(out, "}");
    }
    bytes_put_text(out, "\n]\n");
}

enum maille_code sheet_write_file(const char *folder, const char *name, const struct bytes *content,
                                  struct maille_error *error)
{
    enum maille_code code;
    char path[PATH_MAX];
    MAILLE_TRY(bytes_check(content, error));
    MAILLE_TRY(file_path_join(path, sizeof path, folder, name, error));
    MAILLE_TRY(file_write_atomic(path, content->data, content->length, 0600, error));
    printf("%s\n", path);
out:
    return code;
}

enum maille_code sheet_write(const struct sheet *sheet, const char *folder, const char *name,
                             enum language language, struct maille_error *error)
{
    enum maille_code code;
    struct bytes csv = {0}, json = {0};
    sheet_csv(&csv, sheet, language);
    sheet_json(&json, sheet);
    MAILLE_TRY(sheet_write_file(folder, arena_printf(sheet->arena, "%s.csv", name), &csv, error));
    MAILLE_TRY(sheet_write_file(folder, arena_printf(sheet->arena, "%s.json", name), &json, error));
out:
    bytes_clear(&csv);
    bytes_clear(&json);
    return code;
}

void sheet_page_row(struct html *h, const struct sheet *sheet, size_t row, enum language language)
{
    html_open(h, "dl");
    for (size_t i = 0; i < sheet->n_columns; i++) {
        if (sheet->rows[row][i][0] == '\0')
            continue;
        html_element(h, "dt", NULL, sheet->columns[i].title[language]);
        html_element(h, "dd", NULL, sheet->rows[row][i]);
    }
    html_close(h);
    html_newline(h);
}
