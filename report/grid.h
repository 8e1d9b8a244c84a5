/* A table in columns of a terminal: aligned by what characters take there, broken where it is too wide. */
#ifndef REPORT_GRID_H
#define REPORT_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"

/* Columns that a text takes: combining characters none, East Asian wide ones two. Control characters and
 * bytes that are not UTF-8 one each: they are shown as "?". */
int grid_width(const char *text);

/* The text, broken between words so that no line is wider than width (a longer word stands alone); the lines
 * after the first begin with indent spaces. The first begins at column `at`. Ends without a newline. */
void grid_paragraph(FILE *to, const char *text, int at, int indent, int width);

struct grid; /* lives in its arena */
struct grid *grid_new(struct arena *arena);

/* A column more, before there are rows. right: its cells stand on the right and are never broken. */
size_t grid_column(struct grid *grid, const char *heading, bool right);
/* A row more, all of it empty. Texts are borrowed until grid_print. Spaces in front of a cell indent it. */
size_t grid_row(struct grid *grid);
void grid_set(struct grid *grid, size_t row, size_t column, const char *text);
const char *grid_text(const struct grid *grid, size_t row, size_t column);
size_t grid_rows(const struct grid *grid);

/* Headings, a rule, at most `most` rows and how many are left; nothing where there is no row. What is wider
 * than width is broken: first headings, then texts on the left; numbers never are, so it can stay wider. */
void grid_print(FILE *to, const struct grid *grid, size_t most, int width);

#endif
