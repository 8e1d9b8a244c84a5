/* maille-worker web: a page on the site's machine, for its IT: it reads, and imports. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "crypto/harden.h"
#include "web/words.h"
#include "worker/commands.h"
#include "worker/web/pages.h"

enum { PORT_MAX = 65535, READ = 0, POST = 1 };

static const struct web_page pages[] = {{"/", READ, WEB_SITE, site_state, WEB_site_state},
                                        {"/snapshots", READ, WEB_SITE, site_snapshots, WEB_snapshots},
                                        {"/import", READ, WEB_SITE, site_import, WEB_imports},
                                        {"/objections", READ, WEB_SITE, site_objections, WEB_objections},
                                        {"/check-file", POST, WEB_SITE, site_check_file, WEB_NO_WORD},
                                        {"/import-file", POST, WEB_SITE, site_import_file, WEB_NO_WORD},
                                        {"/rollback", POST, WEB_SITE, site_rollback, WEB_NO_WORD},
                                        {"/report.css", READ, WEB_SITE, site_report_css, WEB_NO_WORD},
                                        {NULL, READ, 0, NULL, WEB_NO_WORD}};

static enum maille_code absolute(const char **path, struct arena *arena, struct maille_error *error)
{
    char found[PATH_MAX];
    if (*path == NULL)
        return MAILLE_OK;
    if (realpath(*path, found) == NULL)
        return maille_fail_errno(error, "cannot find %s", *path);
    *path = arena_strdup(arena, found);
    return MAILLE_OK;
}

static enum maille_code serve(struct web_options *options, struct site_page *site, struct arena *arena,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    static char program[PATH_MAX];
    struct secret_keys *keys = NULL;
    MAILLE_TRY(web_program(program, error));
    MAILLE_TRY(crypto_start(error));
    MAILLE_TRY(crypto_harden(error));
    MAILLE_TRY(absolute(&site->dir, arena, error));
    MAILLE_TRY(absolute(&site->credential, arena, error));
    MAILLE_TRY(absolute(&site->imports, arena, error));
    MAILLE_TRY(absolute(&site->dictionary, arena, error));
    MAILLE_TRY(worker_keys(&keys, site->dir, site->credential, error)); /* asks for a passphrase here, once */
    options->program = program;
    options->role = WEB_SITE;
    options->pages = pages;
    options->context = site;
    code = web_keep(options, error);
out:
    secret_keys_free(keys);
    return code;
}

int worker_web(int argc, char **argv)
{
    struct site_page site = {0};
    struct web_options options = {0};
    uint64_t port = 0;
    bool done = false;
    size_t n;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &site.dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &site.credential,
         .argument = "FILE",
         .sentence =
             "32-byte file that opens site.key (default: $MAILLE_PASSPHRASE, or asked on the terminal)"},
        {.name = "imports",
         .kind = OPTION_STRING,
         .target = &site.imports,
         .argument = "DIR",
         .sentence = "the folder of exports that may be imported from the page"},
        {.name = "dictionary",
         .kind = OPTION_STRING,
         .target = &site.dictionary,
         .argument = "FILE",
         .sentence = "the network's data dictionary, for an import"},
        {.name = "port",
         .kind = OPTION_UNSIGNED,
         .target = &port,
         .argument = "N",
         .min = 0,
         .max = PORT_MAX,
         .sentence = "of 127.0.0.1; any that is free if absent"},
        {.name = "socket",
         .kind = OPTION_STRING,
         .target = &options.socket,
         .argument = "PATH",
         .sentence = "a unix socket instead, for a proxy of yours; needs --host"},
        {.name = "host",
         .kind = OPTION_STRING,
         .target = &options.host,
         .argument = "NAME",
         .sentence = "the name at which browsers find that proxy, by https"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille-worker web", "",
        "Serves a page for your browser, on this machine alone: whether the site is well, snapshots, "
        "objections;\n"
        "and imports a file of the folder of exports. Prints an address that works once. Ctrl-C ends it.",
        0, 0};
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    options.port = (unsigned)port;
    if (code == MAILLE_OK && !done)
        code = serve(&options, &site, arena, &error);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker web", &error);
}
