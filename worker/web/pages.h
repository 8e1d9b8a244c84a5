/* The pages of `maille-worker web`, for the site's IT; web.c is the table. */
#ifndef WORKER_WEB_PAGES_H
#define WORKER_WEB_PAGES_H

#include "web/keeper.h"

/* What the program was started with. */
struct site_page {
    const char *dir, *credential;
    const char *imports, *dictionary; /* NULL: nothing can be imported */
};

/* The one of the request. */
static inline const struct site_page *site_page_of(const struct web_request *request)
{
    return request->context;
}

/* site_styles.c */
web_function site_report_css;
/* site_state.c */
web_function site_state;
/* site_snapshots.c */
web_function site_snapshots, site_rollback;
/* site_import.c */
web_function site_import, site_check_file, site_import_file;
/* site_objections.c */
web_function site_objections;

#endif
