/* Command lines from one table: the parser, --help and the manual come from the same rows. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum option_kind {
    OPTION_FLAG,     /* bool *            --quiet */
    OPTION_STRING,   /* const char **     --dir DIR */
    OPTION_UNSIGNED, /* uint64_t *        --sites 6, min and max checked */
    OPTION_DURATION  /* int64_t * (ms)    --timeout 10m */
};

/* One row; a table ends with a row whose name is NULL. */
struct option_row {
    const char *name; /* long name without the dashes */
    enum option_kind kind;
    void *target;         /* where the value goes; its content before parsing is the default */
    const char *argument; /* shown in help, e.g. "DIR"; NULL for a flag */
    const char *sentence; /* one line of help */
    bool required;
    uint64_t min, max; /* OPTION_UNSIGNED: inclusive */
};

/* What a (sub)command looks like, for help and errors. */
struct option_usage {
    const char *program;    /* "maille run" */
    const char *positional; /* "STUDY.yaml", "[SITE]", or "" */
    const char *sentence;   /* what it does, in one or more lines */
    size_t min_positional, max_positional;
};

/* Parses argv[1 …]; "--name value" and "--name=value"; "--" ends options. positional (room for
 * max_positional) and n_positional receive the rest. Sets *done when --help was asked for and printed, or
 * what base/options_manual.h makes of the rows (the caller then exits 0). Errors: MAILLE_INVALID with a
 * sentence that ends in "see PROGRAM --help". */
enum maille_code options_parse(const struct option_usage *usage, const struct option_row *rows, int argc,
                               char **argv, const char **positional, size_t *n_positional, bool *done,
                               struct maille_error *error) MAILLE_CHECKED;

/* The help text, on standard output. */
void options_help(const struct option_usage *usage, const struct option_row *rows);

/* What stands behind a row's sentence, given to put: " (required)", " (default 6)", or "". */
void options_put_default(const struct option_row *row, void (*put)(const char *text));

/* One row of a program's table of subcommands; a table ends with a row whose name is NULL. */
struct subcommand {
    const char *name; /* "run"; "sandbox up" is found as name "sandbox", which has a table of its own */
    int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name; returns the exit status */
    const char *sentence;              /* one line of help */
};

/* What other programs rely on: options, exit statuses, JSON that is written (docs/CLI.md). A change that a
 * client of the number before would misread makes the next number. */
enum { MAILLE_INTERFACE = 1 };

/* main of a program with subcommands (SIGPIPE and SIGXFSZ are ignored): --help, --version [--json], the
 * table, an error that lists the names. Exit status. */
int options_subcommands_run(const char *program, const char *sentence, const struct subcommand *table,
                            int argc, char **argv);

/* Prints "program: sentence" on standard error and returns the exit status of the error. */
int options_program_fail(const char *program, const struct maille_error *error);

#endif
