/* What a program says on standard error. Only programs log (worker/, coordinator/, cli/); libraries return
 * errors. One line an event: "2026-11-23T15:50:00.123Z maille-worker vault: sentence"; before it "<4>", the
 * priority, where standard error is journald's. No patient value is ever passed here. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* program and part: static strings, e.g. "maille-worker", "vault" (part may be NULL). Lines above level are
 * dropped. */
void log_open(const char *program, const char *part, enum log_level level);
void log_line(enum log_level level, const char *format, ...) MAILLE_PRINTF(2, 3);

#endif
