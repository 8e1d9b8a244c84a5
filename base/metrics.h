/* The loopback port at which Prometheus reads the figures of a program: one answer a connection, HTTP/1.1 GET
 * /metrics. The socket listens before the program raises its walls; who serves it is a process with nothing
 * but that socket and pages of figures (base/wall.h, WALL_METRICS). */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "base/bytes.h"

/* Listens at "127.0.0.1:9701" or "[::1]:9701". MAILLE_INVALID: no such address, or one that others than this
 * machine reach; MAILLE_UNREACHABLE: the port is taken. */
enum maille_code metrics_listen(int *fd, const char *where, struct maille_error *error) MAILLE_CHECKED;

/* Appends what a GET of /metrics answers with. */
typedef void metrics_text(void *context, struct bytes *out);
/* A process of its own, with no other descriptor than fd and the standard ones, that serves fd behind its
 * walls until its parent ends; fd is closed here. name: of the process. */
struct metrics {
    const char *name;
    metrics_text *text;
    void *context;
    bool without_landlock;
};
enum maille_code metrics_start(const struct metrics *metrics, int fd,
                               struct maille_error *error) MAILLE_CHECKED;

#endif
