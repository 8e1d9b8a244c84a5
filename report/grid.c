#include "report/grid.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

enum { INDENT = 2, GAP = 2, LEFT_LEAST = 14 };

struct grid {
    struct arena *arena;
    size_t n_columns, column_room, n_rows, row_room;
    struct grid_column {
        const char *heading;
        bool right;
    } * columns;
    const char ***rows; /* n_columns texts each */
};

/* The next character of a text that is not at its end: its bytes, and the columns it takes. */
static size_t next_character(int *width, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t length = c[0] < 0x80 ? 1 : c[0] >= 0xF0 ? 4 : c[0] >= 0xE0 ? 3 : 2;
    wchar_t wide = length == 1 ? c[0] : (wchar_t)(c[0] & (0x7F >> length));
    for (size_t i = 1; i < length; i++) {
        if ((c[i] & 0xC0) != 0x80) { /* cut short, or a byte that begins nothing */
            *width = 1;
            return 1;
        }
        wide = (wide << 6) | (c[i] & 0x3F);
    }
    *width = wcwidth(wide);
    if (*width < 0) /* not known to be shown */
        *width = 1;
    return length;
}

/* Widths are those of Unicode, whatever the language of the terminal is. */
static locale_t begin_unicode(locale_t *unicode)
{
    *unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return *unicode == (locale_t)0 ? (locale_t)0 : uselocale(*unicode);
}

static void end_unicode(locale_t before, locale_t unicode)
{
    if (unicode == (locale_t)0)
        return;
    uselocale(before);
    freelocale(unicode);
}

static int width_of(const char *text, size_t length)
{
    int width = 0, one;
    for (size_t i = 0; i < length && text[i] != '\0'; width += one)
        i += next_character(&one, text + i);
    return width;
}

int grid_width(const char *text)
{
    locale_t unicode, before = begin_unicode(&unicode);
    int width = width_of(text, strlen(text));
    end_unicode(before, unicode);
    return width;
}

/* Control characters, which a terminal would obey, become '?'. */
static void put_text(FILE *to, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        fputc((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i], to);
}

/* The bytes of text that go on a line of this width, and (skip) the spaces after them. A word that is wider
 * stands alone. */
static size_t take_line(const char *text, int width, size_t *skip)
{
    size_t end = 0;
    *skip = 0;
    for (size_t i = 0; text[i] != '\0';) {
        size_t word = i + strspn(text + i, " "), next = word + strcspn(text + word, " ");
        if (end > 0 && width_of(text, next) > width)
            break;
        end = i = next;
    }
    *skip = strspn(text + end, " ");
    return end;
}

static int longest_word(const char *text)
{
    int longest = 0;
    while (*text != '\0') {
        text += strspn(text, " ");
        size_t length = strcspn(text, " ");
        int width = width_of(text, length);
        longest = width > longest ? width : longest;
        text += length;
    }
    return longest;
}

static int lines_of(const char *text, int width)
{
    int lines = 1;
    size_t skip, length = take_line(text, width, &skip);
    while (text[length + skip] != '\0') {
        text += length + skip;
        length = take_line(text, width, &skip);
        lines++;
    }
    return lines;
}

void grid_paragraph(FILE *to, const char *text, int at, int indent, int width)
{
    locale_t unicode, before = begin_unicode(&unicode);
    size_t skip;
    while (*text != '\0') {
        size_t length = take_line(text, width - at, &skip);
        put_text(to, text, length);
        text += length + skip;
        at = indent;
        if (*text != '\0')
            fprintf(to, "\n%*s", indent, "");
    }
    end_unicode(before, unicode);
}

struct grid *grid_new(struct arena *arena)
{
    struct grid *grid = arena_alloc(arena, sizeof *grid);
    *grid = (struct grid){.arena = arena};
    return grid;
}

size_t grid_column(struct grid *grid, const char *heading, bool right)
{
    if (grid->n_columns == grid->column_room) {
        size_t room = 2 * grid->column_room + 8;
        struct grid_column *more = arena_array(grid->arena, room, sizeof *more);
        if (grid->n_columns > 0)
            memcpy(more, grid->columns, grid->n_columns * sizeof *more);
        grid->columns = more;
        grid->column_room = room;
    }
    grid->columns[grid->n_columns] = (struct grid_column){heading, right};
    return grid->n_columns++;
}

size_t grid_row(struct grid *grid)
{
    if (grid->n_rows == grid->row_room) {
        size_t room = 2 * grid->row_room + 8;
        const char ***more = arena_array(grid->arena, room, sizeof *more);
        if (grid->n_rows > 0)
            memcpy(more, grid->rows, grid->n_rows * sizeof *more);
        grid->rows = more;
        grid->row_room = room;
    }
    const char **cells = arena_array(grid->arena, grid->n_columns + 1, sizeof *cells);
    for (size_t j = 0; j < grid->n_columns; j++)
        cells[j] = "";
    grid->rows[grid->n_rows] = cells;
    return grid->n_rows++;
}

void grid_set(struct grid *grid, size_t row, size_t column, const char *text)
{
    grid->rows[row][column] = text;
}

const char *grid_text(const struct grid *grid, size_t row, size_t column)
{
    return grid->rows[row][column];
}

size_t grid_rows(const struct grid *grid)
{
    return grid->n_rows;
}

static int total_of(const struct grid *grid, const int *widths)
{
    int total = INDENT;
    for (size_t j = 0; j < grid->n_columns; j++)
        total += widths[j] + (j > 0 ? GAP : 0);
    return total;
}

/* Narrower headings, then narrower texts, until it fits or no more can be done. */
static void choose_widths(const struct grid *grid, int *widths, size_t n_rows, int width)
{
    int *cells = arena_array(grid->arena, grid->n_columns + 1, sizeof *cells);
    for (size_t j = 0; j < grid->n_columns; j++) {
        int heading = width_of(grid->columns[j].heading, strlen(grid->columns[j].heading));
        for (size_t i = 0; i < n_rows; i++) {
            int own = width_of(grid->rows[i][j], strlen(grid->rows[i][j]));
            cells[j] = own > cells[j] ? own : cells[j];
        }
        widths[j] = heading > cells[j] ? heading : cells[j];
    }
    while (total_of(grid, widths) > width) {
        size_t widest = grid->n_columns;
        for (size_t j = 0; j < grid->n_columns; j++) { /* the one with most to give */
            int least = longest_word(grid->columns[j].heading);
            least = least > cells[j] ? least : cells[j];
            if (widths[j] > least && (widest == grid->n_columns || widths[j] > widths[widest]))
                widest = j;
        }
        if (widest == grid->n_columns)
            for (size_t j = 0; j < grid->n_columns; j++)
                if (!grid->columns[j].right && widths[j] > LEFT_LEAST &&
                    widths[j] > longest_word(grid->columns[j].heading) &&
                    (widest == grid->n_columns || widths[j] > widths[widest]))
                    widest = j;
        if (widest == grid->n_columns)
            return;
        widths[widest]--;
        cells[widest] = cells[widest] > widths[widest] ? widths[widest] : cells[widest];
    }
}

/* One row, as many lines as its tallest cell. Headings stand at the bottom. */
static void put_row(FILE *to, const struct grid *grid, const char *const *texts, const int *widths,
                    bool heading)
{
    const char **rest = arena_array(grid->arena, grid->n_columns + 1, sizeof *rest);
    int *hang = arena_array(grid->arena, grid->n_columns + 1, sizeof *hang);
    int *above = arena_array(grid->arena, grid->n_columns + 1, sizeof *above), tallest = 1;
    for (size_t j = 0; j < grid->n_columns; j++) {
        const bool breaks = heading || !grid->columns[j].right;
        rest[j] = texts[j];
        above[j] = breaks ? lines_of(texts[j], widths[j]) : 1;
        tallest = above[j] > tallest ? above[j] : tallest;
    }
    for (size_t j = 0; j < grid->n_columns; j++)
        above[j] = heading ? tallest - above[j] : 0;
    for (int line = 0; line < tallest; line++) {
        int behind = INDENT; /* spaces owed: none is put at a line's end */
        for (size_t j = 0; j < grid->n_columns; j++) {
            size_t skip = 0, length = 0;
            if (line >= above[j] && *rest[j] != '\0')
                length = heading || !grid->columns[j].right ? take_line(rest[j], widths[j] - hang[j], &skip)
                                                            : strlen(rest[j]);
            int own = width_of(rest[j], length), pad = widths[j] - own - hang[j];
            pad = pad > 0 ? pad : 0;
            if (length > 0) {
                fprintf(to, "%*s", behind + (grid->columns[j].right ? pad : 0) + hang[j], "");
                put_text(to, rest[j], length);
                behind = GAP + (grid->columns[j].right ? 0 : pad);
                if (!heading && hang[j] == 0) /* what follows stands further in */
                    hang[j] = (int)strspn(rest[j], " ") + 2;
                rest[j] += length + skip;
            } else {
                behind += widths[j] + GAP;
            }
        }
        fputc('\n', to);
    }
}

void grid_print(FILE *to, const struct grid *grid, size_t most, int width)
{
    const size_t n_rows = grid->n_rows < most ? grid->n_rows : most;
    if (n_rows == 0 || grid->n_columns == 0)
        return;
    locale_t unicode, before = begin_unicode(&unicode);
    int *widths = arena_array(grid->arena, grid->n_columns + 1, sizeof *widths);
    const char **headings = arena_array(grid->arena, grid->n_columns + 1, sizeof *headings);
    for (size_t j = 0; j < grid->n_columns; j++)
        headings[j] = grid->columns[j].heading;
    choose_widths(grid, widths, n_rows, width);
    put_row(to, grid, headings, widths, true);
    fprintf(to, "%*s", INDENT, "");
    for (int i = INDENT; i < total_of(grid, widths); i++)
        fputs("─", to);
    fputc('\n', to);
    for (size_t i = 0; i < n_rows; i++)
        put_row(to, grid, grid->rows[i], widths, false);
    if (n_rows < grid->n_rows)
        fprintf(to, "%*s… %zu more row%s\n", INDENT, "", grid->n_rows - n_rows,
                grid->n_rows - n_rows == 1 ? "" : "s");
    end_unicode(before, unicode);
}
