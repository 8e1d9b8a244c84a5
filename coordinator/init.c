/* maille-coordinator init: keys, settings, and the card that the network's authority signs into the
 * directory. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/display.h"
#include "base/file.h"
#include "base/options.h"
#include "coordinator/commands.h"
#include "coordinator/settings.h"
#include "crypto/passphrase.h"
#include "proto/card.h"

enum maille_code coordinator_unlock(struct key_unlock *unlock, const char *path, const char *credential,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    enum key_role role;
    struct public_keys unused;
    bool by_credential;
    char name[48];
    MAILLE_TRY(keyfile_header(&role, name, &unused, &by_credential, path, error));
    if (role != KEY_COORDINATOR)
        code = maille_fail(error, MAILLE_INVALID, "expected a coordinator's key in %s, found a %s's", path,
                           key_role_name(role));
    else if (by_credential && credential == NULL)
        code = maille_fail(error, MAILLE_INVALID, "expected --credential FILE, which opens %s, found none",
                           path);
    else
        code = passphrase_unlock(unlock, credential, error);
out:
    return code;
}

static enum maille_code next_steps(const char *dir, const char *credential, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    bytes_printf(&text,
                 "Give this card (%s/coordinator.pub) to the network's authority and compare the safety "
                 "number by voice.\nNext, with the signed network.yaml that comes back:\n  cp network.yaml ",
                 dir);
    display_put_word(&text, dir);
    bytes_put_text(&text, "/network.yaml\n  maille-coordinator serve --dir ");
    display_put_word(&text, dir);
    if (credential != NULL) {
        bytes_put_text(&text, " --credential ");
        display_put_word(&text, credential);
    }
    bytes_put_u8(&text, '\n');
    MAILLE_TRY(bytes_check(&text, error));
    fwrite(text.data, 1, text.length, stderr);
out:
    bytes_clear(&text);
    return code;
}

static enum maille_code init(const char *dir, const char *name, const char *credential, const char *endpoint,
                             struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *keys = NULL;
    struct arena *arena = NULL;
    struct bytes text = {0};
    char path[PATH_MAX], warning[MAILLE_SENTENCE_MAX];
    struct key_unlock unlock;
    MAILLE_TRY(crypto_start(error));
    arena = arena_new();
    if (arena == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
        goto out;
    }
    MAILLE_TRY(file_folder_make(dir, 0700, error));
    MAILLE_TRY(file_path_join(path, sizeof path, dir, "coordinator.key", error));
    if (file_exists(path)) {
        code = maille_fail(error, MAILLE_INVALID, "expected a folder without a coordinator, found %s", path);
        goto out;
    }
    MAILLE_TRY(passphrase_unlock_new(&unlock, credential, error));
    if (credential != NULL && !file_exists(credential))
        MAILLE_TRY(keyfile_credential_make(credential, error));
    MAILLE_TRY(secret_keys_new(&keys, KEY_COORDINATOR, name, error));
    MAILLE_TRY(keyfile_write(path, keys, &unlock, error));
    MAILLE_TRY(card_write_beside(&text, path, keys, NULL, error));
    const char *settings = coordinator_settings_write(arena, endpoint);
    MAILLE_TRY(file_path_join(path, sizeof path, dir, "coordinator.yaml", error));
    MAILLE_TRY(file_write_atomic(path, settings, strlen(settings), 0600, error));
    fwrite(text.data, 1, text.length, stdout);
    MAILLE_TRY(next_steps(dir, credential, error));
    if (credential_warning(warning, sizeof warning, credential, dir) != NULL)
        fprintf(stderr, "maille-coordinator init: warning: %s\n", warning);
out:
    secret_keys_free(keys);
    bytes_clear(&text);
    arena_free(arena);
    return code;
}

int coordinator_init(int argc, char **argv)
{
    struct maille_error error = {0};
    const char *dir = NULL, *name = NULL, *credential = NULL, *endpoint = NULL;
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &dir,
         .argument = "DIR",
         .sentence = "folder to make or to fill",
         .required = true},
        {.name = "name",
         .kind = OPTION_STRING,
         .target = &name,
         .argument = "NAME",
         .sentence = "its name in the directory: a-z, 0-9 and -, at most 40",
         .required = true},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &credential,
         .argument = "FILE",
         .sentence =
             "32-byte file that opens the key without a person, outside of DIR; made when it is not there"},
        {.name = "endpoint",
         .kind = OPTION_STRING,
         .target = &endpoint,
         .argument = "tcp://*:9700",
         .sentence = "where it will listen"},
        {.name = NULL},
    };
    const struct option_usage usage = {
        .program = "maille-coordinator init",
        .positional = "",
        .sentence = "Makes keys and settings, and prints the public card for the network's authority."};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = init(dir, name, credential, endpoint, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-coordinator", &error);
}
