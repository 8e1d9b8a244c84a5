/* Who gets in: a function from what a request says to a verdict, without a socket, so that a test can ask it
 * anything. The rules, in their order: docs/THREAT_MODEL.md, "The page on your own machine". */
#ifndef WEB_GATE_H
#define WEB_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "web/door.h"

enum { GATE_HOST_MAX = 256, GATE_COOKIE_NAME_MAX = 32, GATE_TICKET_MS = 15 * 60 * 1000 };

/* Zero-initialise with port, or with port 0 and a host: behind a proxy of the hospital's own. */
struct gate {
    unsigned port;            /* of the loopback address; 0: a unix socket */
    char host[GATE_HOST_MAX]; /* the proxy's name, as a browser sends it: "maille.hospital.org"; "": none */
    char cookie_name[GATE_COOKIE_NAME_MAX];
    char cookie[DOOR_TICKET_DIGITS + 1];
    char ticket[DOOR_TICKET_DIGITS + 1]; /* "": none, or used */
    int64_t ticket_until_ms;
};

/* What a request says of itself; NULL: not said. A header that comes twice is `twice`. */
struct gate_request {
    const char *method, *path, *host, *origin, *fetch_site, *cookie, *marker, *content_type, *content_length,
        *coding;        /* Transfer-Encoding */
    const char *ticket; /* of the query */
    bool twice;         /* Host, Origin, Cookie, Content-Length or the marker came more than once */
};

/* 200: passes; 303: the ticket is exchanged for the cookie, and is used up; else the status of the refusal.
 */
enum maille_code gate_start(struct gate *gate, struct maille_error *error) MAILLE_CHECKED;
void gate_ticket(struct gate *gate, const char *ticket,
                 int64_t now_ms); /* a new one takes the place of the last */
unsigned gate_judge(struct gate *gate, const struct gate_request *request, int64_t now_ms);
/* What whoever is refused is told. */
const char *gate_reason(unsigned status);

#endif
