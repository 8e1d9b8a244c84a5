/* What other commands tell the log of a site whose worker runs and has it open. A command that shows an
 * officer her site's numbers, or takes the log away, and an import, leave a line in DIR/spool; the vault
 * takes it into the signed log. What is read from a copy of the log on another machine leaves none: nobody
 * could hold that machine to it. */
#ifndef AUDIT_ACCESS_H
#define AUDIT_ACCESS_H

#include "base/error.h"

enum { AUDIT_ACCESS_BYTES_MAX = 500 };

/* Leaves "WHAT by USER" in dir/spool, where there is such a folder that can be written; else does nothing.
 * what: one line, without a patient's value; what is longer than fits is cut. dir: of the site. MAILLE_IO. */
enum maille_code audit_access_leave(const char *dir, const char *what,
                                    struct maille_error *error) MAILLE_CHECKED;
/* The same for a folder of logs: DIR/log. */
enum maille_code audit_access_leave_log(const char *log_folder, const char *what,
                                        struct maille_error *error) MAILLE_CHECKED;

/* Leaves "WHAT by USER" of an import, likewise. */
enum maille_code audit_import_leave(const char *dir, const char *what,
                                    struct maille_error *error) MAILLE_CHECKED;

/* Gives each line that was left, and its kind ("access", "import"), to take, and removes it once that said
 * MAILLE_OK. A file that is no such line is removed unread. At most AUDIT_ACCESSES_MAX at once. MAILLE_IO,
 * and what take says. */
enum { AUDIT_ACCESSES_MAX = 1000 };
enum maille_code audit_access_take(const char *dir,
                                   enum maille_code (*take)(void *context, const char *kind, const char *line,
                                                            struct maille_error *error),
                                   void *context, struct maille_error *error) MAILLE_CHECKED;

#endif
