/* In which encoding a file of text is, and what it is when it is none. */
#ifndef REGISTRY_ENCODING_H
#define REGISTRY_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* What is wrong with the text of a file, and on which line. */
struct text_fault {
    size_t line; /* 0: nothing is wrong */
    char sentence[160];
};

struct encoding {
    size_t mark_bytes, marks; /* byte order marks (U+FEFF) before the text */
    bool windows_1252;        /* not UTF-8 anywhere beyond ASCII: read as Windows-1252 */
    size_t other_lines;       /* that have a byte beyond ASCII, where it is Windows-1252 */
    size_t first_other_line;
    struct text_fault fault; /* the file cannot be read */
};

/* Reads the whole file from its start; its position is anywhere afterwards. An accent in the last line counts
 * as much as one in the first. What is no text at all (a workbook, an archive, UTF-16), and UTF-8 with other
 * bytes among it, is a fault. path stands for the file in errors: MAILLE_IO. */
enum maille_code encoding_find(struct encoding *found, int fd, const char *path,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
