/* The door to libmicrohttpd: HTTP/1.1 from browsers of this machine, held to gate.h, answered by assets or by
 * what the door brings. A process that does this has no key, no file and no way to start a program. */
#ifndef WEB_SERVE_H
#define WEB_SERVE_H

#include "web/gate.h"
#include "web/peer.h"

/* What one browser, and all of them, may take: the rest is hung up on. */
enum {
    SERVE_CONNECTIONS_MAX = 48,
    SERVE_REQUEST_MS = 10000, /* from the connection, or the answer before, to the whole request */
    SERVE_SILENCE_S = 120,    /* of a browser that does not read its answer */
    SERVE_HEADERS_MAX = 64,
    SERVE_HEAD_BYTES_MAX = 32 * 1024
};

/* Serves the socket `ear` until the other end of `control` closes. New tickets come by control; each request
 * goes by it. A TCP connection of another user is closed before it has sent a byte. MAILLE_IO: libmicrohttpd
 * does not start. */
enum maille_code serve_run(struct gate *gate, const struct peer_tables *peers, int ear, int control,
                           struct maille_error *error) MAILLE_CHECKED;

#endif
