/* Subcommands of maille audit that read logs and write files into a folder: what they share. */
#ifndef CLI_AUDIT_OVER_H
#define CLI_AUDIT_OVER_H

#include "cli/audit_book.h"
#include "cli/audit_trust.h"

enum { AUDIT_OVER_ROWS_MAX = 4 };

struct audit_over {
    struct arena *arena;
    struct audit_trust trust;
    const char **logs, *folder; /* n_logs folders; where files go */
    size_t n_logs;
    enum language language;
    const void *context; /* of the subcommand: where its own options went */
};

struct audit_over_what {
    struct option_usage usage;
    const struct option_row *rows; /* its own options */
    size_t n_rows;                 /* at most AUDIT_OVER_ROWS_MAX */
    bool needs_network;            /* --anyway does not do instead */
    const void *context;
    enum maille_code (*run)(struct audit_over *over, struct maille_error *error);
};

/* Options, --out, --lang, trust; then run. The exit status. */
int audit_over_logs(int argc, char **argv, const struct audit_over_what *what);

/* Verifies a log, says what it is worth, and reads it. Errors as audit_trust_log and book_read. */
enum maille_code audit_over_read(struct book *book, struct audit_over *over, const char *log,
                                 struct maille_error *error) MAILLE_CHECKED;

/* Leaves in the spool of the site whose log this is, if it is one, what was done with it (audit/access.h). */
enum maille_code audit_over_leave(const struct book *book, const char *what,
                                  struct maille_error *error) MAILLE_CHECKED;

#endif
