/* Private to the officer's page: what its files share. All of it comes from struct book and struct
 * audit_health, which audit show --json and audit verify --json write as well. */
#ifndef CLI_AUDIT_PAGE_H
#define CLI_AUDIT_PAGE_H

#include "cli/audit_book.h"
#include "cli/audit_health.h"
#include "report/html.h"

struct page_log {
    const struct audit_health *health;
    struct book book; /* told: filled */
    bool told;        /* false: it is not sound, and nothing of it is told */
    size_t first;     /* number of its first question among those of the page: study-0001.html … */
};

/* Where the pages stand: NULL in files of their own; else inside pages of somebody else, who opens and sends
 * them. */
struct audit_frame {
    void (*begin)(void *context, const char *title, const char *lead);
    void *context;
    const char *index;          /* where the first page is */
    const char *study, *others; /* what stands before a study's number and before a file's name */
    const char *stop; /* before the id of a study that is to end: a page that signs it; NULL: by commands */
};

struct audit_page {
    const struct audit_frame *frame;
    enum language language;
    struct arena *arena;
    const char *network; /* name of the network; "" */
    int64_t now_ms, taken_ms;
    const char *list; /* of published programs; NULL: none was given */
    size_t n_logs;
    struct page_log *logs;
};

/* What maille audit page is given. */
struct audit_page_command {
    struct audit_against against;
    const char *folder, *key, *credential;
    bool anyway;
};
/* Reads and judges the logs. MAILLE_INVALID: nothing to compare them with, and not anyway. */
enum maille_code audit_page_read(struct audit_page *page, const struct audit_page_command *command,
                                 const char **logs, size_t n, bool *sound,
                                 struct maille_error *error) MAILLE_CHECKED;
/* What the report's style has not. */
extern const char audit_page_css[];

/* One of the two, by the page's language. */
const char *audit_page_say(const struct audit_page *page, const char *english, const char *french);
/* Everything from the doctype to <main>; and from there to the end. title also heads the page; back: a link
 * to index.html. */
void audit_page_begin(struct html *h, const struct audit_page *page, const char *title, const char *lead,
                      bool back);
void audit_page_end(struct html *h, const struct audit_page *page);
/* A table of text cells: columns, NULL last. Then cells; closed with page_rows_end. */
void audit_page_rows(struct html *h, const char *name, const char *const *columns);
void audit_page_cell(struct html *h, const char *text);
void audit_page_number(struct html *h, uint64_t number);
void audit_page_rows_end(struct html *h);
void audit_page_fact(struct html *h, const char *name, const char *value);
/* "study-0007.html", in arena. audit_page_beside: of another file. */
const char *audit_page_beside(const struct audit_page *page, const char *name);
const char *audit_page_file(const struct audit_page *page, const struct page_log *log, size_t query);
/* "answered in part (few)", in arena. */
const char *audit_page_outcome(const struct audit_page *page, const struct book_query *query);
/* Whether the site can still stop it. */
bool audit_page_is_open(const struct book_query *query);
/* The command that stops it, on the worker's machine. */
void audit_page_stop(struct html *h, const struct audit_page *page, const struct book_query *query);

void audit_page_index_write(struct html *h, const struct audit_page *page);
void audit_page_study_write(struct html *h, const struct audit_page *page, const struct page_log *log,
                            const struct book_query *query);
#endif
