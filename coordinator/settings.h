/* coordinator.yaml: every setting is one row; the parser, the file that init writes and --help come from it.
 */
#ifndef COORDINATOR_SETTINGS_H
#define COORDINATOR_SETTINGS_H

#include <stdint.h>

#include "base/arena.h"

enum setting_type { SETTING_TEXT, SETTING_SIZE };

struct settings {
    const char *endpoint;  /* where to listen */
    const char *directory; /* network.yaml, from the folder of coordinator.yaml */
    int64_t round_bytes_max, held_bytes_max, batch_messages, log_retention_months;
};

struct setting_row {
    const char *name;
    enum setting_type type;
    const char *unit; /* "bytes", "" */
    int64_t min, max;
    const char *fallback; /* as text */
    size_t offset;        /* in struct settings */
    const char *sentence;
};
extern const struct setting_row settings_rows[]; /* ends with name NULL */

/* Reads a file. Missing keys have their defaults; an unknown key or a value out of range is MAILLE_INVALID
 * with file and line. Text lives in arena. */
enum maille_code settings_read(struct settings *settings, struct arena *arena, const char *path,
                               struct maille_error *error) MAILLE_CHECKED;
/* The text of a new file; endpoint NULL: the default. In arena. */
const char *settings_write(struct arena *arena, const char *endpoint);
/* One line per setting, on standard output. */
void settings_help(void);

#endif
