/* What a program counts of itself while it runs: messages, bytes, refusals, when something was last heard;
 * never a patient's value.
 *
 * Each process writes into a page of its own, made before it began, and no process reads another's but the
 * one that shows them (in a file of the program's folder, or at a loopback port). Rows say what stands where.
 */
#ifndef BASE_FIGURES_H
#define BASE_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/language.h"

/* One number: one process writes it, by these two alone; others may read it at any time. */
typedef int64_t figure;
static inline void figure_set(figure *at, int64_t value)
{
    __atomic_store_n(at, value, __ATOMIC_RELAXED);
}
static inline void figure_add(figure *at, int64_t more)
{
    figure_set(at, *at + more);
}

enum figure_kind {
    FIGURE_COUNT, /* since the program started: it only grows */
    FIGURE_LEVEL, /* as it is now */
    FIGURE_TIME   /* UTC, ms; 0: never */
};

struct figure_row {
    const char *name; /* "bytes_received" */
    enum figure_kind kind;
    unsigned page;               /* which of the pages given to figures_take */
    size_t offset;               /* of a figure in that page */
    const char *help[LANGUAGES]; /* the French is whole without the name before it */
};

/* A page of zeros that is shared with the children of this process. MAILLE_MEMORY. */
enum { FIGURES_PAGE_BYTES = 4096 };
enum maille_code figures_page(void **page, struct maille_error *error) MAILLE_CHECKED;

/* values[i] of rows[i], out of the pages as they are now. */
void figures_take(int64_t *values, const struct figure_row *rows, size_t n, void *const *pages);

/* The file DIR/status that a running program keeps: lines "name value", first and last a number of the
 * writing, so that half a writing is none. It is opened once, which empties it, and written at its place: a
 * program behind walls keeps it up. */
enum { FIGURES_FILE_BYTES = 4096 };
#define FIGURES_FILE "status"
enum maille_code figures_file_open(int *fd, const char *dir, struct maille_error *error) MAILLE_CHECKED;
enum maille_code figures_file_write(int fd, const struct figure_row *rows, size_t n, const int64_t *values,
                                    struct maille_error *error) MAILLE_CHECKED;
/* Names that rows do not have are left out, rows that the file does not have are 0. *there false: no program
 * runs over dir (nobody has locked the file, or nobody has written it yet). MAILLE_IO, MAILLE_CORRUPT. */
enum maille_code figures_file_read(int64_t *values, bool *there, const struct figure_row *rows, size_t n,
                                   const char *dir, struct maille_error *error) MAILLE_CHECKED;

/* The text that Prometheus reads (exposition format 0.0.4): PREFIX_NAME_total, PREFIX_NAME, or
 * PREFIX_NAME_timestamp_seconds by kind. */
void figures_prometheus(struct bytes *out, const char *prefix, const struct figure_row *rows, size_t n,
                        const int64_t *values);
/* One member a row in the object that is being written; times as RFC 3339, null where never. */
void figures_json(struct json_put *put, const struct figure_row *rows, size_t n, const int64_t *values);
/* For people: one line a row. In the order of the rows, "-" where a time is never. */
void figures_print(const struct figure_row *rows, size_t n, const int64_t *values, int64_t now_ms,
                   enum language language);

/* All bytes of the regular files beneath a folder, as they take room; 0 where there is none. */
int64_t figures_folder_bytes(const char *folder);
/* Bytes that this process may still write to the file system of a folder; −1: unknown. */
int64_t figures_free_bytes(const char *folder);

#endif
