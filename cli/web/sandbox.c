/* maille sandbox web: maille web, as the sandbox's researcher. */
#include "cli/commands.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/options.h"

int cli_sandbox_web(int argc, char **argv)
{
    const char *dir = NULL, *as = NULL;
    uint64_t port = 0;
    bool done = false;
    size_t n;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &dir,
         .argument = "D",
         .sentence = "the sandbox's folder",
         .required = true},
        {.name = "as",
         .kind = OPTION_STRING,
         .target = &as,
         .argument = "SITE",
         .sentence = "as the data protection officer of this site; as the researcher if absent"},
        {.name = "port",
         .kind = OPTION_UNSIGNED,
         .target = &port,
         .argument = "N",
         .min = 0,
         .max = 65535,
         .sentence = "of 127.0.0.1; any that is free if absent"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille sandbox web", "",
        "Serves a page for your browser on the sandbox's network, as maille web does.", 0, 0};
    struct maille_error error = {0};
    char network[PATH_MAX], key[PATH_MAX], credential[PATH_MAX], home[PATH_MAX], digits[24], site[PATH_MAX],
        witness[PATH_MAX];
    if (options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error) != MAILLE_OK)
        return options_program_fail("maille sandbox web", &error);
    if (done)
        return 0;
    snprintf(network, sizeof network, "%s/network.yaml", dir);
    snprintf(site, sizeof site, "%s/sites/%s", dir, as != NULL ? as : "");
    snprintf(witness, sizeof witness, "%s/coordinator/log", dir);
    if (as == NULL)
        snprintf(key, sizeof key, "%s/researcher.key", dir);
    else if (snprintf(key, sizeof key, "%s/dpo.key", site) >= (int)sizeof key)
        key[0] = '\0';
    snprintf(credential, sizeof credential, "%s/credential", dir);
    snprintf(home, sizeof home, "%s/web%s%s", dir, as != NULL ? "-" : "", as != NULL ? as : "");
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)port);
    if (!file_exists(network)) {
        maille_fail(&error, MAILLE_INVALID,
                    "expected a sandbox in %s, found none; make one with: maille sandbox up --dir %s", dir,
                    dir);
        return options_program_fail("maille sandbox web", &error);
    }
    if (as != NULL && (as[0] == '.' || strchr(as, '/') != NULL || !file_exists(key))) {
        maille_fail(&error, MAILLE_INVALID,
                    "expected a site of the sandbox, found \"%s\"; see the folders in %s/sites", as, dir);
        return options_program_fail("maille sandbox web", &error);
    }
    const char *words[] = {"web", "--network", network, "--key",  key,  "--credential", credential, "--dir",
                           home,  "--port",    digits,  "--site", site, "--witness",    witness,    NULL};
    if (as == NULL)
        words[11] = NULL;
    return cli_web(as == NULL ? 11 : 15, (char **)(uintptr_t)words);
}
