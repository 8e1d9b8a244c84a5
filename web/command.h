/* A page does what it does by the function of a command. */
#ifndef WEB_COMMAND_H
#define WEB_COMMAND_H

#include "base/bytes.h"

enum { WEB_OUTPUT_MAX = 64 * 1024 * 1024 };

/* Runs a command as if it were typed, and keeps what it prints (standard output, standard error; either may
 * be NULL). words: NULL at the end, its name first. Its exit status. In a process that answers one request
 * alone: the standard descriptors are its own. */
int web_command(int (*command)(int argc, char **argv), const char *const *words, struct bytes *out,
                struct bytes *said);

#endif
