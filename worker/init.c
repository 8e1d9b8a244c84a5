/* maille-worker init: a site's folder with its keys, settings and policy, and the card that the network's
 * authority signs. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/display.h"
#include "base/file.h"
#include "base/options.h"
#include "disclosure/policy.h"
#include "proto/card.h"
#include "proto/directory.h"
#include "crypto/passphrase.h"
#include "worker/commands.h"
#include "worker/settings.h"

struct init_options {
    const char *dir, *name, *network, *credential, *legal_entity, *token;
};

static enum maille_code make_folders(const char *dir, struct maille_error *error)
{
    static const char *const names[] = {"snapshots", "log", "state", "spool"};
    enum maille_code code = MAILLE_OK;
    char path[PATH_MAX];
    MAILLE_TRY(file_folder_make(dir, 0700, error));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        MAILLE_TRY(file_path_join(path, sizeof path, dir, names[i], error));
        MAILLE_TRY(file_folder_make(path, 0700, error));
    }
out:
    return code;
}

static enum maille_code write_text(const char *dir, const char *name, const char *text, size_t length,
                                   struct maille_error *error)
{
    char path[PATH_MAX];
    enum maille_code code = file_path_join(path, sizeof path, dir, name, error);
    return code == MAILLE_OK ? file_write_atomic(path, text, length, 0600, error) : code;
}

/* The directory is pinned here for the first time: later ones must be signed by the authorities that it
 * names. */
static enum maille_code pin_network(struct arena *arena, const char *dir, const char *network,
                                    struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    const struct directory *directory;
    MAILLE_TRY(file_read(&text, network, DIRECTORY_BYTES_MAX, error));
    MAILLE_TRY(
        directory_accept(&directory, arena, network, (const char *)text.data, text.length, NULL, error));
    MAILLE_TRY(write_text(dir, "network.yaml", (const char *)text.data, text.length, error));
out:
    bytes_clear(&text);
    return code;
}

/* One command on a line, to be copied as it stands. */
static void put_command(struct bytes *out, const char *before, const struct init_options *options,
                        const char *behind, bool opens)
{
    bytes_printf(out, "  %s", before);
    display_put_word(out, options->dir);
    bytes_put_text(out, behind);
    if (opens && options->credential != NULL) {
        bytes_put_text(out, " --credential ");
        display_put_word(out, options->credential);
    }
    bytes_put_u8(out, '\n');
}

static enum maille_code next_steps(const struct init_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    bytes_printf(
        &text,
        "Give this card (%s/site.pub) to the network's authority and compare the safety number by voice.\n"
        "Next, with your DICT.yaml, FILE.csv%s:\n",
        options->dir, options->network != NULL ? "" : " and the signed network.yaml that comes back");
    put_command(&text, "maille-worker import --dir ", options, " --dictionary DICT.yaml --data FILE.csv",
                true);
    put_command(&text, "maille-worker policy check ", options, "/policy.yaml --dictionary DICT.yaml", false);
    if (options->network == NULL)
        put_command(&text, "cp network.yaml ", options, "/network.yaml", false);
    put_command(&text, "maille-worker serve --dir ", options, "", true);
    MAILLE_TRY(bytes_check(&text, error));
    fwrite(text.data, 1, text.length, stderr);
out:
    bytes_clear(&text);
    return code;
}

static enum maille_code init(const struct init_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct secret_keys *keys = NULL;
    struct key_unlock unlock;
    struct bytes policy = {0}, card = {0};
    char path[PATH_MAX], warning[MAILLE_SENTENCE_MAX];
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(crypto_start(error));
    MAILLE_TRY(passphrase_unlock_new(&unlock, options->credential, error));
    MAILLE_TRY(file_path_join(path, sizeof path, options->dir, "site.key", error));
    if (file_exists(path)) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected a folder without a site, found %s; choose another --dir", path);
        goto out;
    }
    MAILLE_TRY(secret_keys_new(&keys, KEY_SITE, options->name, error));
    MAILLE_TRY(make_folders(options->dir, error));
    if (options->network != NULL)
        MAILLE_TRY(pin_network(arena, options->dir, options->network, error));
    if (options->credential != NULL && !file_exists(options->credential))
        MAILLE_TRY(keyfile_credential_make(options->credential, error));
    const char *settings =
        worker_settings_write(arena, options->legal_entity != NULL ? options->legal_entity : options->name);
    MAILLE_TRY(write_text(options->dir, "worker.yaml", settings, strlen(settings), error));
    MAILLE_TRY(policy_template(&policy, "strict", error));
    MAILLE_TRY(write_text(options->dir, "policy.yaml", (const char *)policy.data, policy.length, error));
    MAILLE_TRY(keyfile_write(path, keys, &unlock, error));
    MAILLE_TRY(card_write_beside(&card, path, keys, options->token, error));
    fwrite(card.data, 1, card.length, stdout);
    MAILLE_TRY(next_steps(options, error));
    if (credential_warning(warning, sizeof warning, options->credential, options->dir) != NULL)
        fprintf(stderr, "maille-worker init: warning: %s\n", warning);
out:
    secret_keys_free(keys);
    bytes_clear(&policy);
    bytes_clear(&card);
    arena_free(arena);
    return code;
}

int worker_init(int argc, char **argv)
{
    struct maille_error error = {0};
    struct init_options options = {NULL, NULL, NULL, NULL, NULL, NULL};
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &options.dir,
         .argument = "DIR",
         .sentence = "folder to make or to fill",
         .required = true},
        {.name = "name",
         .kind = OPTION_STRING,
         .target = &options.name,
         .argument = "NAME",
         .sentence = "the site's name in the directory: a-z, 0-9 and -, at most 40",
         .required = true},
        {.name = "network",
         .kind = OPTION_STRING,
         .target = &options.network,
         .argument = "network.yaml",
         .sentence = "the network's signed directory, where it is at hand"},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &options.credential,
         .argument = "FILE",
         .sentence =
             "32-byte file that opens the key without a person, outside of DIR; made when it is not there "
             "(default: $MAILLE_PASSPHRASE)"},
        {.name = "token",
         .kind = OPTION_STRING,
         .target = &options.token,
         .argument = "TOKEN",
         .sentence = "what the network's authority gave for this name (maille network invite): good once, "
                     "for 72 hours"},
        {.name = "legal-entity",
         .kind = OPTION_STRING,
         .target = &options.legal_entity,
         .argument = "TEXT",
         .sentence = "who answers for the site (default: its name)"},
        {.name = NULL},
    };
    const struct option_usage usage = {.program = "maille-worker init",
                                       .positional = "",
                                       .sentence = "Makes a site: keys, settings, a strict policy; prints "
                                                   "the public card for the network's authority."};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = init(&options, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}
