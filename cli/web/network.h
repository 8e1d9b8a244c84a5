/* What the sites of the network publish, for the page: asked of the coordinator, and the dictionary and the
 * strictest preset kept in the home's folder, for whoever checks a study. */
#ifndef CLI_WEB_NETWORK_H
#define CLI_WEB_NETWORK_H

#include "cli/web/home.h"
#include "query/dictionary.h"

struct network_site {
    const char *name; /* as the catalogue says */
    bool is_signed;   /* by a site of this network; the others are not filled */
    uint32_t snapshot;
    const char *patients, *dictionary, *policy;
    int64_t dictionary_version;
};

struct network_known {
    const struct network_site *sites;
    size_t n_sites;
    const struct dictionary *dictionary; /* NULL: none is published */
};

/* MAILLE_UNREACHABLE where the coordinator does not answer in time. */
enum maille_code network_ask(struct network_known *known, struct arena *arena, const struct home *home,
                             int64_t timeout_ms, struct maille_error *error) MAILLE_CHECKED;

#endif
