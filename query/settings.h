/* A file of settings, "name: value": every setting is one row. The parser, the file that init writes and the
 * words of --help come from the rows. */
#ifndef QUERY_SETTINGS_H
#define QUERY_SETTINGS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum settings_type { SETTINGS_TEXT, SETTINGS_COUNT, SETTINGS_DURATION, SETTINGS_CHOICE };

struct settings_row {
    const char *name;
    enum settings_type type;
    const char *unit;     /* of a COUNT: "bytes"; of a DURATION: "ms" */
    int64_t min, max;     /* of a TEXT its bytes, of a CHOICE the position in choices */
    const char *fallback; /* what a file that does not name it says */
    const char *choices;  /* CHOICE: "error|warning|info" */
    size_t offset;        /* of a TEXT's const char *, of any other's int64_t */
    const char *sentence;
};

/* Reads a file into a struct that the rows describe. MAILLE_INVALID with file, line and column for an unknown
 * name or a value out of range, MAILLE_IO. Some of the struct is written on failure too. Text lives in arena.
 */
enum maille_code settings_read(void *settings, struct arena *arena, const struct settings_row *rows,
                               size_t n_rows, const char *path, struct maille_error *error) MAILLE_CHECKED;

/* The text of a new file: title as a comment, then every setting with its default, as a comment; but the
 * value of the setting own. In arena. */
const char *settings_write(struct arena *arena, const struct settings_row *rows, size_t n_rows,
                           const char *title, const char *own, const char *value);

/* One line per setting for --help. file: "worker.yaml". In arena. */
const char *settings_help(struct arena *arena, const struct settings_row *rows, size_t n_rows,
                          const char *file);

#endif
