/* Files of page/, as they are in the tree, in the program itself. */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include <stddef.h>
#include <stdint.h>

struct web_asset {
    const char *path, *type; /* "/page/base.js", "text/javascript; charset=utf-8" */
    const uint8_t *begin, *end;
};

/* NULL: none of that path. */
const struct web_asset *web_asset_find(const char *path);

#endif
