/* maille-worker rekey: other keys for a site that stays who it is. In two steps, between which the network's
 * authority signs: new keys beside those in use (DIR/next), then all that a site's folder owes to its keys
 * moves to them. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/display.h"
#include "base/file.h"
#include "base/options.h"
#include "proto/card.h"
#include "vault/rekey.h"
#include "crypto/passphrase.h"
#include "worker/commands.h"
#include "worker/import_rows.h"
#include "worker/settings.h"

struct rekey_options {
    const char *dir, *credential, *new_credential, *token;
    bool finish;
};

struct rekey_paths {
    char next[PATH_MAX], key[PATH_MAX], new_key[PATH_MAX], card[PATH_MAX], new_card[PATH_MAX],
        snapshots[PATH_MAX];
};

static enum maille_code find_paths(struct rekey_paths *paths, const char *dir, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    MAILLE_TRY(file_path_join(paths->next, PATH_MAX, dir, "next", error));
    MAILLE_TRY(file_path_join(paths->key, PATH_MAX, dir, "site.key", error));
    MAILLE_TRY(file_path_join(paths->card, PATH_MAX, dir, "site.pub", error));
    MAILLE_TRY(file_path_join(paths->new_key, PATH_MAX, paths->next, "site.key", error));
    MAILLE_TRY(file_path_join(paths->new_card, PATH_MAX, paths->next, "site.pub", error));
    MAILLE_TRY(file_path_join(paths->snapshots, PATH_MAX, dir, "snapshots", error));
out:
    return code;
}

/* What opens the new keys: the new credential, or what opens those in use. */
static const char *new_credential(const struct rekey_options *options)
{
    return options->new_credential != NULL ? options->new_credential : options->credential;
}

/* --- the first step --- */

static enum maille_code next_steps(const struct rekey_options *options, const struct rekey_paths *paths,
                                   struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    const char *const files[][2] = {{" --credential ", options->credential},
                                    {" --new-credential ", options->new_credential}};
    bytes_printf(&text,
                 "The site goes on with the keys that it has. Give this card (%s) to the network's authority "
                 "and compare the safety number by voice; there: maille network rekey site.pub, and sign.\n"
                 "Then stop the worker, and with the signed network.yaml that comes back:\n"
                 "  cp network.yaml ",
                 paths->new_card);
    display_put_word(&text, options->dir);
    bytes_put_text(&text, "/network.yaml\n  maille-worker rekey --dir ");
    display_put_word(&text, options->dir);
    for (size_t i = 0; i < 2; i++)
        if (files[i][1] != NULL) {
            bytes_put_text(&text, files[i][0]);
            display_put_word(&text, files[i][1]);
        }
    bytes_put_text(&text, " --finish\n");
    MAILLE_TRY(bytes_check(&text, error));
    fwrite(text.data, 1, text.length, stderr);
out:
    bytes_clear(&text);
    return code;
}

static enum maille_code begin(const struct rekey_options *options, const struct rekey_paths *paths,
                              const struct secret_keys *from, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *to = NULL;
    struct key_unlock unlock;
    struct bytes card = {0};
    const char *credential = new_credential(options);
    char warning[MAILLE_SENTENCE_MAX];
    if (file_exists(paths->new_key)) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected no rotation that was begun, found %s; go on with --finish once the authority has "
            "signed its card, or remove that folder",
            paths->next);
        goto out;
    }
    if (credential != NULL && !file_exists(credential))
        MAILLE_TRY(keyfile_credential_make(credential, error));
    MAILLE_TRY(passphrase_unlock(&unlock, credential, error));
    MAILLE_TRY(secret_keys_new(&to, KEY_SITE, secret_keys_name(from), error));
    MAILLE_TRY(file_folder_make(paths->next, 0700, error));
    MAILLE_TRY(card_write_beside(&card, paths->new_key, to, options->token, error));
    MAILLE_TRY(keyfile_write(paths->new_key, to, &unlock, error));
    fwrite(card.data, 1, card.length, stdout);
    MAILLE_TRY(next_steps(options, paths, error));
    if (credential_warning(warning, sizeof warning, credential, options->dir) != NULL)
        fprintf(stderr, "maille-worker rekey: warning: %s\n", warning);
out:
    secret_keys_free(to);
    bytes_clear(&card);
    return code;
}

/* --- the second step --- */

static enum maille_code move_over(const char *from, const char *to, struct maille_error *error)
{
    return rename(from, to) == 0 ? MAILLE_OK : maille_fail_errno(error, "cannot move %s to %s", from, to);
}

/* The keys themselves come last: until then the next call goes on where this one stopped. */
static enum maille_code finish(const struct rekey_options *options, const struct rekey_paths *paths,
                               const struct secret_keys *from, struct arena *arena,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *to = NULL;
    struct worker_settings settings;
    struct bytes network = {0};
    struct vault_rekeyed told;
    char path[PATH_MAX];
    if (!file_exists(paths->new_key)) {
        code = maille_fail(
            error, MAILLE_INVALID,
            "expected a rotation that was begun, found no %s; begin with: maille-worker rekey --dir %s",
            paths->new_key, options->dir);
        goto out;
    }
    MAILLE_TRY(worker_keys(&to, paths->next, new_credential(options), error));
    MAILLE_TRY(worker_settings_read(&settings, arena, options->dir, error));
    MAILLE_TRY(worker_network_path(path, sizeof path, options->dir, &settings, error));
    MAILLE_TRY(file_read(&network, path, DIRECTORY_BYTES_MAX, error));
    const struct vault_rekey order = {.folder = options->dir,
                                      .from = from,
                                      .to = to,
                                      .directory = (const char *)network.data,
                                      .directory_length = network.length};
    MAILLE_TRY(vault_rekey(&told, &order, error));
    MAILLE_TRY(import_rows_rekey(paths->snapshots, from, to, arena, error));
    if (file_exists(paths->new_card))
        MAILLE_TRY(move_over(paths->new_card, paths->card, error));
    MAILLE_TRY(move_over(paths->new_key, paths->key, error));
    (void)rmdir(paths->next); /* empty, or somebody has put something into it */
    MAILLE_TRY(file_sync_folder(options->dir, error));
    printf("%s has its new keys. Moved along: snapshots, numbers of rows, objections, ledger, what it has "
           "seen of its "
           "network\n",
           secret_keys_name(to));
    if (told.queries > 0)
        printf("%zu open %s here: whoever asked hears `revoked`, and may ask again\n", told.queries,
               told.queries == 1 ? "study ended" : "studies ended");
    if (told.before[0] != '\0')
        printf("the log before is kept in %s; a new one has begun, with its last head\n", told.before);
out:
    secret_keys_free(to);
    bytes_clear(&network);
    return code;
}

static enum maille_code rekey(const struct rekey_options *options, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct arena *arena = arena_new();
    struct secret_keys *from = NULL;
    struct rekey_paths paths;
    if (arena == NULL)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    MAILLE_TRY(crypto_start(error));
    MAILLE_TRY(find_paths(&paths, options->dir, error));
    MAILLE_TRY(worker_keys(&from, options->dir, options->credential, error));
    code =
        options->finish ? finish(options, &paths, from, arena, error) : begin(options, &paths, from, error);
out:
    secret_keys_free(from);
    arena_free(arena);
    return code;
}

int worker_rekey(int argc, char **argv)
{
    struct maille_error error = {0};
    struct rekey_options options = {0};
    bool done = false;
    size_t n = 0;
    const struct option_row rows[] = {
        {.name = "dir",
         .kind = OPTION_STRING,
         .target = &options.dir,
         .argument = "DIR",
         .sentence = "the site's folder",
         .required = true},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &options.credential,
         .argument = "FILE",
         .sentence = "32-byte file that opens the keys in use (default: $MAILLE_PASSPHRASE)"},
        {.name = "new-credential",
         .kind = OPTION_STRING,
         .target = &options.new_credential,
         .argument = "FILE",
         .sentence = "what opens the new ones; made when it is not there (default: as those in use)"},
        {.name = "token",
         .kind = OPTION_STRING,
         .target = &options.token,
         .argument = "TOKEN",
         .sentence = "what the network's authority gave for this name (maille network invite): good once, "
                     "for 72 hours"},
        {.name = "finish",
         .kind = OPTION_FLAG,
         .target = &options.finish,
         .sentence = "the authority has signed, the worker is stopped: move to the new keys"},
        {.name = NULL},
    };
    const struct option_usage usage = {.program = "maille-worker rekey",
                                       .positional = "",
                                       .sentence = "Exchanges the keys of a site. First new keys and their "
                                                   "card; with --finish, once the signed network.yaml "
                                                   "names them,\nsnapshots, numbers of rows, objections, "
                                                   "ledger and what was seen of the network move to them. "
                                                   "Open studies end; the log begins again."};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, &error);
    if (code == MAILLE_OK && !done)
        code = rekey(&options, &error);
    return code == MAILLE_OK ? 0 : options_program_fail("maille-worker", &error);
}
