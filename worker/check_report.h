/* The report of check and import for other programs and as one page. It has patients' values: it is the
 * operator's own, on the operator's machine. */
#ifndef WORKER_CHECK_REPORT_H
#define WORKER_CHECK_REPORT_H

#include "registry/import.h"

/* Where to; NULL: nowhere. */
struct check_report_paths {
    const char *json, *csv, *html;
};

/* name: of the file that was read. Errors: MAILLE_IO, MAILLE_MEMORY. */
enum maille_code check_report_write(const struct check_report_paths *paths,
                                    const struct import_report *report, const struct dictionary *dictionary,
                                    const char *name, struct maille_error *error) MAILLE_CHECKED;

#endif
