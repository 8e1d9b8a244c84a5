/* maille keygen: a party's keys, and the card that it hands to the network's authority. */
#include "cli/commands.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/options.h"
#include "cli/files.h"
#include "crypto/passphrase.h"
#include "crypto/harden.h"
#include "crypto/safety.h"
#include "proto/card.h"

enum { PASSPHRASE_MIN = 8 };

struct keygen {
    const char *role, *name, *out, *credential, *token;
};

/* $MAILLE_PASSPHRASE, or asked for twice. *asked is to be wiped and freed. */
static enum maille_code new_passphrase(const char **passphrase, char **asked, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    char *again = NULL;
    const char *found = keyfile_unlock(NULL).passphrase;
    if (found == NULL) {
        MAILLE_TRY(passphrase_ask(asked, "new passphrase", error));
        MAILLE_TRY(passphrase_ask(&again, "the same again", error));
        if (strcmp(*asked, again) != 0) {
            code = maille_fail(error, MAILLE_INVALID,
                               "expected the same passphrase twice, found two; try again");
            goto out;
        }
        found = *asked;
    }
    if (strlen(found) < PASSPHRASE_MIN) {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "expected a passphrase of at least %d characters, found %zu; several words are best",
                        PASSPHRASE_MIN, strlen(found));
        goto out;
    }
    *passphrase = found;
out:
    if (again != NULL)
        crypto_wipe(again, strlen(again));
    free(again);
    return code;
}

static enum maille_code keygen(const struct keygen *wanted, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *keys = NULL;
    struct key_unlock unlock = {.credential_path = wanted->credential};
    enum key_role role;
    char path[PATH_MAX], file[64], safety[2 * SAFETY_BYTES], *asked = NULL;
    if (!key_role_parse(&role, wanted->role)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected --role researcher, site, dpo, coordinator or authority, found \"%s\"; "
                           "see maille keygen --help",
                           wanted->role);
        goto out;
    }
    MAILLE_TRY(crypto_start(error));
    MAILLE_TRY(crypto_harden(error));
    MAILLE_TRY(secret_keys_new(&keys, role, wanted->name, error));
    snprintf(file, sizeof file, "%s.key", wanted->name);
    MAILLE_TRY(file_path_join(path, sizeof path, wanted->out, file, error));
    if (file_exists(path)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected no key at %s, found one; choose another name or folder", path);
        goto out;
    }
    MAILLE_TRY(file_folder_make(wanted->out, 0700, error));
    if (wanted->credential == NULL)
        MAILLE_TRY(new_passphrase(&unlock.passphrase, &asked, error));
    else if (!file_exists(wanted->credential))
        MAILLE_TRY(keyfile_credential_make(wanted->credential, error));
    MAILLE_TRY(keyfile_write(path, keys, &unlock, error));
    MAILLE_TRY(card_write_beside(NULL, path, keys, wanted->token, error));
    safety_numbers(safety, role, secret_keys_public(keys));
    printf("secret key     %s\ncard           %.*s.pub (for the network's authority)\nsafety number  %s\n",
           path, (int)(strlen(path) - 4), path, safety);
    printf("Read the safety number to the authority by voice before it signs the network.\n");
out:
    if (asked != NULL)
        crypto_wipe(asked, strlen(asked));
    free(asked);
    secret_keys_free(keys);
    return code;
}

int cli_keygen(int argc, char **argv)
{
    struct keygen wanted = {0};
    struct maille_error error = {0};
    size_t n;
    bool done;
    const struct option_row rows[] = {
        {.name = "role",
         .kind = OPTION_STRING,
         .target = &wanted.role,
         .argument = "ROLE",
         .sentence = "researcher, site, dpo, coordinator or authority",
         .required = true},
        {.name = "name",
         .kind = OPTION_STRING,
         .target = &wanted.name,
         .argument = "NAME",
         .sentence = "name in the network: a-z, 0-9 and -",
         .required = true},
        {.name = "out",
         .kind = OPTION_STRING,
         .target = &wanted.out,
         .argument = "DIR",
         .sentence = "folder for NAME.key and NAME.pub",
         .required = true},
        {.name = "token",
         .kind = OPTION_STRING,
         .target = &wanted.token,
         .argument = "TOKEN",
         .sentence = "what the network's authority gave for this name (maille network invite): good once, "
                     "for 72 hours"},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &wanted.credential,
         .argument = "FILE",
         .sentence = "open the key with this file instead of a passphrase; made if it is not there"},
        {.name = NULL},
    };
    const struct option_usage usage = {"maille keygen", "",
                                       "Makes the keys of a party: NAME.key, which stays where it is, and "
                                       "the card NAME.pub for the network's authority.\n"
                                       "The key opens with a passphrase, asked for on the terminal or taken "
                                       "from MAILLE_PASSPHRASE, or with a credential file.",
                                       0, 0};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = keygen(&wanted, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille", &error);
}
