/* The door between the program that speaks HTTP (maille-web) and the one that has the key (keeper.h): for
 * each request a pair of sockets, of which one end is passed along. On it goes one request, then one reply:
 * its head, then its body until the end. Nothing that a browser sent is a header, a status or a type here:
 * kinds are numbers of this table. */
#ifndef WEB_DOOR_H
#define WEB_DOOR_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/language.h"

enum {
    DOOR_BODY_MAX = 1024 * 1024, /* of a request: a study is at most as long */
    DOOR_PATH_MAX = 128,
    DOOR_QUERY_MAX = 512,
    DOOR_NAME_MAX = 96,
    DOOR_TICKET_DIGITS = 64,
    DOOR_READ_MS = 5000 /* a request is read within this time */
};

/* path: of [a-z0-9/._-]; query: "name=value&name=value" of [A-Za-z0-9._-]. */
struct door_request {
    bool post;
    enum language language;
    char path[DOOR_PATH_MAX], query[DOOR_QUERY_MAX];
    struct bytes body;
};

enum door_type {
    DOOR_HTML,
    DOOR_JSON,
    DOOR_EVENTS,
    DOOR_CSS,
    DOOR_SVG,
    DOOR_PDF,
    DOOR_PNG,
    DOOR_CSV,
    DOOR_TEXT,
    DOOR_TAR,
    DOOR_TYPES
};
const char *door_type_name(enum door_type type); /* "text/html; charset=utf-8" */

/* 200, 303 (name: a path of this server, beginning with /), 400, 403, 404, 409, 500, 503. name: of a file to
 * save, of [A-Za-z0-9._-]; "": shown. */
struct door_reply {
    unsigned status;
    enum door_type type;
    char name[DOOR_NAME_MAX];
};

/* Whether all of a text is of the characters. */
bool door_is_path(const char *path);
bool door_is_word(const char *text);

/* Each reads or writes all of it; false: the other end is gone, slow, or says what it must not. */
bool door_request_write(int fd, const struct door_request *request);
bool door_request_read(int fd, struct door_request *request);
bool door_reply_write(int fd, const struct door_reply *reply);
bool door_reply_read(int fd, struct door_reply *reply);
bool door_write(int fd, const void *data, size_t length);

/* Passes an end along a control socket, and takes it: −1 where there is none. */
bool door_pass(int control, int fd);
int door_take(int control);

/* 64 random hexadecimal digits; false where the kernel gives none. */
bool door_random(char digits[DOOR_TICKET_DIGITS + 1]);

#endif
