#include <inttypes.h>
#include <string.h>

#include "report/words.h"

enum { ROWS_SHOWN = 24, COLUMNS_SHOWN = 14 };

/* Characters, not bytes: UTF-8 continuation bytes do not count. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* Control characters, which a terminal would obey, become '?'. */
static void put_padded(FILE *to, const char *text, int width, bool right)
{
    int pad = width - width_of(text);
    if (right)
        fprintf(to, "%*s", pad, "");
    for (; *text != '\0'; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, to);
    if (!right)
        fprintf(to, "%*s", pad, "");
}

/* Text of a cell: the columns of the table, then the ratio where there is one. row 0 is the heading. */
static const char *text_of(char buffer[WORDS_MAX], const struct report_table *table, const char *ratio,
                           size_t row, size_t column)
{
    if (column == table->n_columns || column == COLUMNS_SHOWN)
        return row == 0 ? ratio : words_ratio_cell(buffer, table, row - 1);
    return row == 0 ? words_column(buffer, table->columns[column])
                    : words_cell(buffer, table->columns[column], report_cell(table, row - 1, column));
}

static void put_table(FILE *to, const struct report_table *table, const char *ratio)
{
    size_t n_columns = table->n_columns < COLUMNS_SHOWN ? table->n_columns : COLUMNS_SHOWN;
    size_t n_rows = table->n_rows < ROWS_SHOWN ? table->n_rows : ROWS_SHOWN;
    int widths[COLUMNS_SHOWN + 1] = {0};
    bool right[COLUMNS_SHOWN + 1];
    char buffer[WORDS_MAX];
    for (size_t j = 0; j < n_columns; j++)
        right[j] = words_right(table, j);
    if (ratio != NULL)
        right[n_columns++] = true;
    for (size_t i = 0; i <= n_rows; i++)
        for (size_t j = 0; j < n_columns; j++) {
            int width = width_of(text_of(buffer, table, ratio, i, j));
            if (width > widths[j])
                widths[j] = width;
        }
    for (size_t i = 0; i <= n_rows; i++) {
        fputc(' ', to);
        for (size_t j = 0; j < n_columns; j++) {
            const char *text = text_of(buffer, table, ratio, i, j);
            fputc(' ', to);
            put_padded(to, text, right[j] || j + 1 < n_columns ? widths[j] : 0, right[j]);
            fputs(j + 1 < n_columns ? " " : "\n", to);
        }
    }
    if (n_rows < table->n_rows)
        fprintf(to, "  … %zu more rows\n", table->n_rows - n_rows);
}

static void put_notes(FILE *to, const char *label, const struct result *list)
{
    for (size_t i = 0; list != NULL && i < list->n; i++)
        if (list->items[i]->kind == RESULT_STRING) {
            fprintf(to, "  %s: ", label);
            put_padded(to, list->items[i]->string, 0, false);
            fputc('\n', to);
        }
}

static void put_count(FILE *to, const char *label, int64_t count)
{
    if (count >= 0)
        fprintf(to, ", %s %" PRId64, label, count);
}

/* Sites that the study names and that are not in the numbers. */
static void put_missing_sites(FILE *to, const struct report *report)
{
    const struct result *missing = report->roster == NULL ? NULL : result_get(report->roster, "missing");
    for (size_t i = 0; missing != NULL && missing->kind == RESULT_LIST && i < missing->n; i++) {
        if (missing->items[i]->kind != RESULT_OBJECT)
            continue;
        const struct result *site = result_get(missing->items[i], "site"),
                            *since = result_get(missing->items[i], "since"),
                            *reason = result_get(missing->items[i], "reason");
        fputs("missing: ", to);
        put_padded(to, site != NULL && site->kind == RESULT_STRING ? site->string : "a site", 0, false);
        if (since != NULL && since->kind == RESULT_STRING) {
            fputs(" since ", to);
            put_padded(to, since->string, 0, false);
        }
        if (reason != NULL && reason->kind == RESULT_STRING) {
            fputs(": ", to);
            put_padded(to, reason->string, 0, false);
        }
        fputc('\n', to);
    }
}

void report_terminal(FILE *to, const struct report *report)
{
    struct arena *arena = arena_new();
    if (arena == NULL)
        return;
    put_missing_sites(to, report);
    for (size_t i = 0; i < report->n_analyses; i++) {
        const struct report_analysis *a = &report->analyses[i];
        fprintf(to, "%s%s (%s)", i > 0 ? "\n" : "", a->id, a->method);
        if (a->status != ANALYSIS_OK) {
            fputs("\n  ", to);
            put_padded(to, words_status(a, arena), 0, false);
            fputc('\n', to);
            continue;
        }
        put_count(to, "n", a->n);
        put_count(to, "missing", a->n_missing);
        put_count(to, "events", a->n_event);
        fputc('\n', to);
        for (const struct report_table *t = report_tables(a, arena); t != NULL; t = t->next)
            for (const struct report_table *shown = t->detail ? NULL : report_split(t, arena); shown != NULL;
                 shown = shown->next)
                put_table(to, shown, strcmp(t->part, "terms") == 0 ? words_ratio(a->result) : NULL);
        put_notes(to, "dropped, nobody has it", a->dropped_levels);
        put_notes(to, "dropped, collinear", a->aliased);
        put_notes(to, "note", a->warnings);
    }
    arena_free(arena);
}
