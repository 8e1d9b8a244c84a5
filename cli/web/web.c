/* maille web: a page on this machine, for who the key is of. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/options.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/web/home.h"
#include "cli/web/network.h"
#include "cli/web/pages.h"
#include "crypto/harden.h"

enum { PORT_MAX = 65535, LOGS_MAX = 8, FIRST_CATALOGUE_MS = 3000 };

/* A path as it is found from any folder: pages work in others. */
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

static enum maille_code default_folder(const char **folder, struct arena *arena, struct maille_error *error)
{
    const char *data = getenv("XDG_DATA_HOME"), *user = getenv("HOME");
    if (*folder != NULL)
        return MAILLE_OK;
    if (data != NULL && data[0] == '/')
        *folder = arena_printf(arena, "%s/maille", data);
    else if (user != NULL && user[0] == '/')
        *folder = arena_printf(arena, "%s/.local/share/maille", user);
    else
        return maille_fail(error, MAILLE_INVALID,
                           "expected --dir, HOME or XDG_DATA_HOME to name a folder, found none");
    return MAILLE_OK;
}

/* The dictionary and the strictest policy, for a first check, while the person opens the browser. */
static void ask_catalogue(struct arena *arena, const struct home *home)
{
    struct network_known known;
    struct maille_error ignored;
    fflush(NULL);
    if (fork() != 0)
        return;
    _exit(network_ask(&known, arena, home, FIRST_CATALOGUE_MS, &ignored) == MAILLE_OK ? 0 : 1);
}

/* What an officer reads: a site's own folder, or an inbox and logs that were brought to her. */
static enum maille_code check_officer(struct home *home, struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    if ((home->site == NULL) == (home->inbox == NULL))
        return maille_fail(
            error, MAILLE_INVALID,
            "expected of an officer either --site DIR (the site's folder) or --inbox DIR (what IT wrote "
            "for you), found %s",
            home->site == NULL ? "neither" : "both");
    MAILLE_TRY(absolute(&home->site, arena, error));
    if (home->site != NULL)
        home->inbox = arena_printf(arena, "%s/spool", home->site);
    if (home->site != NULL && home->n_logs == 0)
        home->logs[home->n_logs++] = arena_printf(arena, "%s/log", home->site);
    MAILLE_TRY(absolute(&home->inbox, arena, error));
    MAILLE_TRY(absolute(&home->witness, arena, error));
    MAILLE_TRY(absolute(&home->programs, arena, error));
    for (size_t i = 0; i < home->n_logs; i++)
        MAILLE_TRY(absolute(&home->logs[i], arena, error));
out:
    return code;
}

static enum maille_code serve(struct web_options *options, struct home *home, struct arena *arena,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    static char program[PATH_MAX]; /* for as long as the options */
    enum key_role role;
    struct public_keys unused;
    bool by_credential;
    char name[48];
    MAILLE_TRY(web_program(program, error));
    MAILLE_TRY(crypto_harden(error));
    MAILLE_TRY(cli_read_network(&home->access.directory, arena, home->access.network, error));
    MAILLE_TRY(keyfile_header(&role, name, &unused, &by_credential, home->access.key, error));
    if (role != KEY_DPO && role != KEY_RESEARCHER) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected the key of a researcher or a dpo in %s, found a %s's", home->access.key,
                           key_role_name(role));
        goto out;
    }
    options->role = role == KEY_DPO ? WEB_OFFICER : WEB_RESEARCHER;
    if (role == KEY_DPO)
        MAILLE_TRY(check_officer(home, arena, error));
    /* asks for the passphrase, here */
    MAILLE_TRY(cli_read_keys(&home->access.keys, role, home->access.key, home->access.credential, error));
    MAILLE_TRY(default_folder(&home->folder, arena, error));
    MAILLE_TRY(file_folder_make(home->folder, 0700, error));
    MAILLE_TRY(absolute(&home->folder, arena, error));
    MAILLE_TRY(absolute(&home->access.network, arena, error));
    MAILLE_TRY(absolute(&home->access.key, arena, error));
    MAILLE_TRY(absolute(&home->access.credential, arena, error));
    cli_keep_keys(home->access.keys, home->access.key);
    if (role == KEY_RESEARCHER)
        ask_catalogue(arena, home);
    options->program = program;
    options->pages = cli_web_pages;
    options->context = home;
    code = web_keep(options, error);
    home_stop_all(arena, home);
out:
    return code;
}

int cli_web(int argc, char **argv)
{
    const char *logs[LOGS_MAX];
    struct home home = {.access = {.network = cli_network_default()}, .logs = logs};
    struct web_options options = {0};
    uint64_t port = 0;
    bool done = false;
    struct option_row rows[CLI_ACCESS_ROWS + 9] = {
        [CLI_ACCESS_ROWS] = {.name = "dir",
                             .kind = OPTION_STRING,
                             .target = &home.folder,
                             .argument = "DIR",
                             .sentence =
                                 "where studies and their results are kept; ~/.local/share/maille if absent"},
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
        {.name = "site",
         .kind = OPTION_STRING,
         .target = &home.site,
         .argument = "DIR",
         .sentence = "of an officer at the site's machine: the site's folder"},
        {.name = "inbox",
         .kind = OPTION_STRING,
         .target = &home.inbox,
         .argument = "DIR",
         .sentence = "of an officer elsewhere: what IT wrote for her (ID.pending); decisions go there too"},
        {.name = "witness",
         .kind = OPTION_STRING,
         .target = &home.witness,
         .argument = "LOG",
         .sentence = "of an officer: the log of somebody who has kept heads of hers"},
        {.name = "programs",
         .kind = OPTION_STRING,
         .target = &home.programs,
         .argument = "LIST",
         .sentence = "of an officer: the published list of programs"},
        {.name = NULL},
    };
    cli_access_rows(rows, &home.access, true);
    rows[1].argument = "FILE.key";
    rows[1].sentence = "your key file: a researcher's or a data protection officer's says which page it is";
    const struct option_usage usage = {
        "maille web", "[LOG…]",
        "Serves a page for your browser, on this machine alone. A researcher: variables, studies, results.\n"
        "An officer: what waits for her, and what the logs say. Prints an address that works once. Ctrl-C "
        "ends it.",
        0, LOGS_MAX};
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    enum maille_code code = arena == NULL
                                ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                : options_parse(&usage, rows, argc, argv, logs, &home.n_logs, &done, &error);
    options.port = (unsigned)port;
    if (code == MAILLE_OK && !done)
        code = serve(&options, &home, arena, &error);
    secret_keys_free(home.access.keys);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille web", &error);
}
