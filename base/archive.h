/* An archive of plain files in one folder, in the form of POSIX.1-1988 ustar that `tar xf` reads. There is
 * one way to write given files, and the reader takes that way alone: names in ascending order, each once;
 * mode 0644; no owner, no time; no link, no device, no folder, no compression; zeros where nothing stands;
 * two empty blocks at the end and nothing behind them. So no byte can be changed, taken out or put in unseen
 * but within a file, and what is read takes no more room than the archive. */
#ifndef BASE_ARCHIVE_H
#define BASE_ARCHIVE_H

#include "base/arena.h"
#include "base/bytes.h"

enum { ARCHIVE_NAME_MAX = 99, ARCHIVE_FILES_MAX = 16384 };

struct archive_file {
    const char *name; /* "folder/a.txt": parts of [A-Za-z0-9_.-] that do not begin with a dot */
    const uint8_t *data;
    size_t length;
};

/* Appends the archive to out. MAILLE_INTERNAL: names that archive_read would refuse. */
enum maille_code archive_write(struct bytes *out, const struct archive_file *files, size_t n,
                               struct maille_error *error) MAILLE_CHECKED;

/* The files of an archive; names in the arena, data borrowed from bytes. name stands for it in errors.
 * MAILLE_INVALID: what was expected, and at which byte. */
enum maille_code archive_read(const struct archive_file **files, size_t *n, struct arena *arena,
                              const char *name, const void *bytes, size_t length,
                              struct maille_error *error) MAILLE_CHECKED;

#endif
