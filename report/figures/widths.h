/* How wide characters are, so that texts in a figure can be set without a font at hand. */
#ifndef REPORT_FIGURES_WIDTHS_H
#define REPORT_FIGURES_WIDTHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIDTHS_EM = 2048 };

/* Of one character of Liberation Sans, in units of which WIDTHS_EM make the size of the font. A character
 * that the table does not have is taken for an em. Source: fonts-liberation (widths.py). */
unsigned widths_of(uint32_t character, bool is_bold);

#endif
