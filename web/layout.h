/* The frame of every page: head, links of the role, words for scripts, foot. */
#ifndef WEB_LAYOUT_H
#define WEB_LAYOUT_H

#include "report/html.h"
#include "web/keeper.h"
#include "web/words.h"

/* Zero-initialise. */
struct web_layout {
    struct html html;
    struct bytes out;
    const struct web_request *request;
};

/* Opens the page down to <main> and its heading. script: "/page/run.js", NULL: none. */
void web_layout_open(struct web_layout *page, const struct web_request *request, const char *title,
                     const char *script);
/* Closes it and sends it. */
void web_layout_send(struct web_layout *page, struct web_reply *reply);
/* A page that says what went wrong. */
void web_layout_error(const struct web_request *request, struct web_reply *reply,
                      const struct maille_error *error);

/* The word of the page's language. */
const char *web_say(const struct web_layout *page, enum web_word word);
/* An element that holds a word. */
void web_say_element(struct web_layout *page, const char *element, const char *class, enum web_word word);
/* <a href> with a text; class may be NULL. */
void web_link(struct web_layout *page, const char *href, const char *class, const char *text);
/* <button type="button" id> with a word. */
void web_button(struct web_layout *page, const char *id, const char *class, enum web_word word);

#endif
