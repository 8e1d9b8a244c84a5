#include "base/log.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* The one piece of file-scope state in the project: where this process writes its own words. */
static struct {
    const char *program, *part;
    enum log_level level;
} the_log = {"maille", NULL, LOG_LEVEL_INFO};

void log_open(const char *program, const char *part, enum log_level level)
{
    the_log.program = program;
    the_log.part = part;
    the_log.level = level;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    if (level > the_log.level)
        return;
    char when[32], line[2048];
    clock_format(when, clock_utc_ms());
    int used = snprintf(line, sizeof line, "%s %s%s%s: %s", when, the_log.program, the_log.part ? " " : "",
                        the_log.part ? the_log.part : "", words[level]);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, sizeof line - (size_t)used, format, arguments);
    va_end(arguments);
    for (char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    fprintf(stderr, "%s\n", line);
}
