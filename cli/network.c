/* maille network: the directory that everybody trusts, changed one step at a time and signed by its
 * authorities. */
#include "cli/network.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "crypto/harden.h"

const char network_default_path[] = "network.yaml";

struct option_row network_path_row(const char **path, const char *sentence)
{
    return (struct option_row){
        .name = "network", .kind = OPTION_STRING, .target = path, .argument = "FILE", .sentence = sentence};
}

void *network_list_copy(struct arena *arena, const void *list, size_t n, size_t size)
{
    void *copy = arena_array(arena, n + 1, size);
    if (n > 0)
        memcpy(copy, list, n * size);
    return copy;
}

enum maille_code network_read(const struct directory **directory, struct arena *arena, const char *path,
                              struct maille_error *error)
{
    struct bytes text = {0};
    enum maille_code code = file_read(&text, path, DIRECTORY_BYTES_MAX, error);
    if (code == MAILLE_OK)
        code = directory_parse(directory, arena, path, text.length == 0 ? "" : (const char *)text.data,
                               text.length, error);
    bytes_clear(&text);
    return code;
}

enum maille_code network_write(struct arena *arena, const char *path, const struct directory *d,
                               const char *what, struct maille_error *error)
{
    enum maille_code code;
    struct bytes text = {0};
    const struct directory *read;
    directory_write(&text, d);
    MAILLE_TRY(bytes_check(&text, error));
    code = directory_parse(&read, arena, path, (const char *)text.data, text.length, error);
    if (code != MAILLE_OK) {
        maille_error_prefix(error, "the change would not be a directory");
        goto out;
    }
    MAILLE_TRY(file_write_atomic(path, text.data, text.length, 0644, error));
    fprintf(stderr, "%s: %s; version %" PRIu64 " has no signature yet: maille network sign\n", path, what,
            d->version);
out:
    bytes_clear(&text);
    return code;
}

enum maille_code network_card_of(struct card *card, struct arena *arena, const char *path, enum key_role role,
                                 struct maille_error *error)
{
    enum maille_code code = card_read(card, arena, path, error);
    if (code == MAILLE_OK && card->role != role)
        code = maille_fail(error, MAILLE_INVALID, "expected a card with role: %s, found role: %s (%s) in %s",
                           key_role_name(role), key_role_name(card->role), card->name, path);
    return code;
}

/* --- sign --- */

static enum maille_code network_sign(const char *path, const char *key, const char *credential,
                                     struct arena *arena, struct maille_error *error)
{
    enum maille_code code;
    const struct directory *d;
    struct secret_keys *keys = NULL;
    struct bytes text = {0};
    MAILLE_TRY(network_read(&d, arena, path, error));
    MAILLE_TRY(crypto_harden(error));
    MAILLE_TRY(cli_read_keys(&keys, KEY_AUTHORITY, key, credential, error));
    const char *name = secret_keys_name(keys);
    const uint8_t *identity = secret_keys_public(keys)->identity;
    bool ours = false;
    for (size_t i = 0; i < d->n_authorities; i++)
        ours = ours || (strcmp(d->authorities[i].name, name) == 0 &&
                        memcmp(d->authorities[i].identity, identity, PUBLIC_BYTES) == 0);
    if (!ours)
        fprintf(stderr,
                "%s: %s is no authority of this version; its signature counts for those who hold an earlier "
                "one that names it\n",
                path, name);
    if (directory_signed_by(d, name, identity)) {
        fprintf(stderr, "%s: %s has signed version %" PRIu64 " already\n", path, name, d->version);
        goto out;
    }
    bytes_put(&text, d->text, d->text_length);
    if (text.length > 0 && text.data[text.length - 1] != '\n') {
        code =
            maille_fail(error, MAILLE_INVALID,
                        "%s: expected an end of line at the end, found none; add one and sign again", path);
        goto out;
    }
    MAILLE_TRY(directory_sign(&text, d->signed_length, keys, error));
    MAILLE_TRY(file_write_atomic(path, text.data, text.length, 0644, error));
    size_t valid = d->n_valid + (ours ? 1 : 0);
    fprintf(stderr, "%s: %s has signed version %" PRIu64 "; %zu of %" PRIu32 " signatures are there\n", path,
            name, d->version, valid, d->quorum);
out:
    bytes_clear(&text);
    secret_keys_free(keys);
    return code;
}

static enum maille_code network_run_sign(int argc, char **argv, struct arena *arena,
                                         struct maille_error *error)
{
    const char *path = network_default_path, *key = NULL, *credential = NULL;
    size_t n;
    bool done;
    const struct option_row rows[] = {
        {.name = "key",
         .kind = OPTION_STRING,
         .target = &key,
         .argument = "FILE.key",
         .sentence = "key of an authority",
         .required = true},
        {.name = "credential",
         .kind = OPTION_STRING,
         .target = &credential,
         .argument = "FILE",
         .sentence = "credential file that opens the key"},
        network_path_row(&path, "the directory to sign"),
        {.name = NULL},
    };
    const struct option_usage usage = {"maille network sign", "",
                                       "Signs the directory as it stands. Look at it first, and compare new "
                                       "safety numbers by voice: maille network show.",
                                       0, 0};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, error);
    return code == MAILLE_OK && !done ? network_sign(path, key, credential, arena, error) : code;
}

/* --- show --- */

static enum maille_code network_run_show(int argc, char **argv, struct arena *arena,
                                         struct maille_error *error)
{
    const char *path = network_default_path;
    const struct directory *directory;
    size_t n;
    bool done;
    const struct option_row rows[] = {
        network_path_row(&path, "the directory to show"),
        {.name = NULL},
    };
    const struct option_usage usage = {
        "maille network show", "",
        "Shows who is in the network, what is registered, and whose signatures are there.", 0, 0};
    enum maille_code code = options_parse(&usage, rows, argc, argv, NULL, &n, &done, error);
    if (code != MAILLE_OK || done)
        return code;
    code = network_read(&directory, arena, path, error);
    if (code == MAILLE_OK)
        network_print(directory);
    return code;
}

/* --- the table --- */

static int network_status(network_run *run, int argc, char **argv)
{
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    enum maille_code code = arena == NULL ? maille_fail(&error, MAILLE_MEMORY, "expected memory, found none")
                                          : crypto_start(&error);
    if (code == MAILLE_OK)
        code = run(argc, argv, arena, &error);
    arena_free(arena);
    return code == MAILLE_OK ? 0 : options_program_fail("maille", &error);
}

#define NETWORK_COMMAND(NAME)                                                                                \
    static int main_##NAME(int argc, char **argv)                                                            \
    {                                                                                                        \
        return network_status(network_run_##NAME, argc, argv);                                               \
    }
NETWORK_COMMAND(init)
NETWORK_COMMAND(add)
NETWORK_COMMAND(revoke)
NETWORK_COMMAND(epoch)
NETWORK_COMMAND(sign)
NETWORK_COMMAND(show)
NETWORK_COMMAND(invite)
NETWORK_COMMAND(rekey)
NETWORK_COMMAND(lost)
NETWORK_COMMAND(register)
NETWORK_COMMAND(cohort)

int cli_network(int argc, char **argv)
{
    static const struct subcommand table[] = {
        {"init", main_init, "make a network's directory"},
        {"invite", main_invite, "a token for somebody who is to join"},
        {"add", main_add, "add a site, a researcher or an authority"},
        {"rekey", main_rekey, "other keys under the same name"},
        {"lost", main_lost, "accept that a site or the coordinator lost its log"},
        {"revoke", main_revoke, "remove one"},
        {"register", main_register, "what may be asked, for whom and for what"},
        {"cohort", main_cohort, "cohorts that are published"},
        {"epoch", main_epoch, "open the next epoch"},
        {"sign", main_sign, "sign the directory as an authority"},
        {"show", main_show, "who is in the network, and who signed"},
        {NULL, NULL, NULL},
    };
    return options_subcommands_run(
        "maille network", "The signed directory of a network: its sites, researchers and coordinator.", table,
        argc, argv);
}
