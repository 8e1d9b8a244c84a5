/* Completion for shells and manual pages, made from the rows of base/options.h. */
#ifndef BASE_OPTIONS_MANUAL_H
#define BASE_OPTIONS_MANUAL_H

#include "base/options.h"

enum manual { MANUAL_NONE, MANUAL_BASH, MANUAL_ZSH, MANUAL_PAGE };

/* Do the words after the (sub)command's name ask for one: `--completion bash`, `--completion zsh`, `--man`?
 */
enum manual options_manual_kind(int argc, char *const *argv);

/* The part of one subcommand, on standard output. */
void options_manual_command(enum manual kind, const struct option_usage *usage,
                            const struct option_row *rows);

/* The whole of a program; or, where program has a space in it ("maille sandbox"), the part of a group. Runs
 * every subcommand with the same words. Exit status. */
int options_manual_program(enum manual kind, const char *program, const char *sentence,
                           const struct subcommand *table, int argc, char **argv);

#endif
