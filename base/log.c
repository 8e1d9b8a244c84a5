#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* The one piece of file-scope state in the project: where this process writes its own words. */
static struct {
    const char *program, *part;
    enum log_level level;
    bool journal; /* standard error is journald's: a line begins with its priority (sd-daemon(3)) */
} the_log = {"maille", NULL, LOG_LEVEL_INFO, false};

/* $JOURNAL_STREAM is "DEVICE:INODE" of what the service manager gave as standard error (systemd.exec(5)). */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device = 0, inode = 0;
    struct stat own;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &own) == 0 && own.st_dev == device && own.st_ino == inode;
}

void log_open(const char *program, const char *part, enum log_level level)
{
    the_log.program = program;
    the_log.part = part;
    the_log.level = level;
    the_log.journal = is_journal();
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
    static const int priorities[] = {3, 4, 6, 7}; /* syslog(3) */
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
    if (the_log.journal)
        fprintf(stderr, "<%d>%s\n", priorities[level], line);
    else
        fprintf(stderr, "%s\n", line);
}
