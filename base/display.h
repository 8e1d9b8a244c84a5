/* What reaches a person's eyes is text: no character that nobody sees, that moves the cursor, or that turns
 * the order of what stands beside it. */
#ifndef BASE_DISPLAY_H
#define BASE_DISPLAY_H

#include <stdbool.h>
#include <stdio.h>

#include "base/bytes.h"

enum { DISPLAY_NAME = 12 };

/* Whether length bytes have such a character, or a byte that is not UTF-8, and where: its name ("U+202E",
 * "byte 0x9B") and the byte at which it stands. C0 controls (not tab, LF, CR before LF), DEL, C1 controls,
 * characters of zero width, fillers, bidirectional controls, separators of lines and paragraphs, tags
 * (Unicode 15: Cc, Cf, Zl, Zp, and Default_Ignorable_Code_Point but for variation selectors). name and at may
 * be NULL. */
bool display_hidden(char name[DISPLAY_NAME], size_t *at, const char *text, size_t length);

/* Appends the text with each of them as <U+202E> or <byte 0x9B>: whatever made it, it can be printed. */
void display_put(struct bytes *out, const char *text, size_t length);

/* A cell of a CSV file, in quotes where it needs them. Text that a spreadsheet would take for a formula (= +
 * - @, tab or CR in front; a number is none) gets an apostrophe before it. */
void display_put_cell(struct bytes *out, const char *text);

/* A word of a command that a person copies into a shell (POSIX, XCU 2.2.2): as it is where it has plain
 * characters alone, else between apostrophes. */
void display_put_word(struct bytes *out, const char *text);

/* Text between the tags of a page or in a quoted attribute: & < > " ' escaped too. */
void display_put_markup(struct bytes *out, const char *text);

/* From now on, whatever this process prints on standard output and standard error goes through display_put,
 * and what could not be written is remembered. Descriptors 0, 1 and 2 that are closed are opened on /dev/null
 * first: else the next file or socket would get one of these numbers, and a stray line with it. Before
 * anything is opened or printed. False: it was done before. */
bool display_guard(void);
/* Standard error as it is, for a program's own cursor movements. */
FILE *display_raw(void);
/* Flushes standard output. MAILLE_IO: some of what was printed on it is not where it should be. */
enum maille_code display_finish(struct maille_error *error) MAILLE_CHECKED;

#endif
