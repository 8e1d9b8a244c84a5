/* The side with the key: starts maille-web, prints the one-time address, and answers each request in a
 * process of its own, which ends with its answer. What a page says is the business of whoever gives the table
 * of pages. */
#ifndef WEB_KEEPER_H
#define WEB_KEEPER_H

#include "base/arena.h"
#include "web/door.h"

/* The descriptors that maille-web is started with. */
enum { KEEPER_EAR = 3, KEEPER_CONTROL = 4 };

/* Requests that are answered at one time. */
enum { KEEPER_ANSWERS_MAX = 64 };

enum web_role { WEB_RESEARCHER = 1, WEB_OFFICER = 2, WEB_SITE = 4 };

struct web_request {
    bool post;
    enum language language;
    enum web_role role;
    const char *path, *query;
    const uint8_t *body;
    size_t length;
    struct arena *arena; /* of this answer */
    void *context;       /* web_options.context */
};

/* What is being answered. */
struct web_reply; /* opaque */
/* Exactly one of these begins an answer. name: of a file to save (DOOR_NAME_MAX), NULL: shown. */
void web_reply_begin(struct web_reply *reply, unsigned status, enum door_type type, const char *name);
bool web_reply_put(struct web_reply *reply, const void *data, size_t length); /* false: the browser is gone */
void web_reply_all(struct web_reply *reply, unsigned status, enum door_type type, const char *name,
                   const struct bytes *body);
/* {"error": sentence} with the status that the code asks for. */
void web_reply_error(struct web_reply *reply, const struct maille_error *error);
/* To another page of this server. */
void web_reply_go(struct web_reply *reply, const char *path);
/* Whether the browser is gone. */
bool web_reply_gone(const struct web_reply *reply);

typedef void web_function(const struct web_request *request, struct web_reply *reply);

/* One row of a table of pages; a table ends with a row whose path is NULL. */
struct web_page {
    const char *path;
    bool post;
    unsigned roles; /* of web_role, together */
    web_function *run;
    int word; /* its name among the links of every page (web/words.h); 0: none */
};

struct web_options {
    const char *program; /* path of maille-web */
    unsigned port;       /* of 127.0.0.1; 0: any that is free */
    const char *socket;  /* a path: a unix socket instead; NULL */
    const char *host;    /* with socket: the name of the proxy's page */
    enum web_role role;
    const struct web_page *pages;
    void *context;
};

/* The program maille-web that stands beside this one, or in /usr/bin or /usr/local/bin. out: PATH_MAX bytes.
 * MAILLE_INVALID: there is none. */
enum maille_code web_program(char *out, struct maille_error *error) MAILLE_CHECKED;

/* Until SIGINT, SIGTERM, SIGHUP or the end of maille-web. MAILLE_UNREACHABLE: the port or the path is taken;
 * MAILLE_IO. */
enum maille_code web_keep(const struct web_options *options, struct maille_error *error) MAILLE_CHECKED;

/* "value" of "…&name=value&…", in the arena; NULL where there is none. */
const char *web_query(const struct web_request *request, const char *name);
/* Its language as the option --lang names it. */
const char *web_lang(const struct web_request *request);

/* The table that is being served, for the links of a page. */
const struct web_page *web_pages(void);

#endif
