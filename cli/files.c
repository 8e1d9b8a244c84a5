#include "cli/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/passphrase.h"

enum { TEXT_BYTES_MAX = 16 * 1024 * 1024 };

const char *cli_folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return ".";
    return slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

/* Reads a text into the arena. */
static enum maille_code read_text(const char **text, size_t *length, struct arena *arena, const char *path,
                                  struct maille_error *error)
{
    struct bytes bytes = {0};
    enum maille_code code = file_read(&bytes, path, TEXT_BYTES_MAX, error);
    if (code == MAILLE_OK) {
        *text = arena_strndup(arena, bytes.length == 0 ? "" : (const char *)bytes.data, bytes.length);
        *length = bytes.length;
    }
    bytes_clear(&bytes);
    return code;
}

static bool dictionary_is(const struct dictionary *dictionary, const char *name, int64_t version)
{
    return strcmp(dictionary->name, name) == 0 && dictionary->version == version;
}

/* The dictionary name@version: the given file, or one that lies where people put it, or the fallback text. */
static enum maille_code find_dictionary(const struct dictionary **dictionary, struct arena *arena,
                                        const char *name, int64_t version, const char *given,
                                        const char *const *folders, size_t n_folders, const char *fallback,
                                        struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *found = NULL;
    const char *text;
    size_t length;
    if (given != NULL) {
        MAILLE_TRY(read_text(&text, &length, arena, given, error));
        MAILLE_TRY(dictionary_parse(&found, arena, given, text, length, error));
        if (!dictionary_is(found, name, version)) {
            code = maille_fail(error, MAILLE_INVALID,
                               "expected the dictionary %s@%lld that the study names, found %s@%lld in %s",
                               name, (long long)version, found->name, (long long)found->version, given);
            goto out;
        }
        *dictionary = found;
        goto out;
    }
    for (size_t f = 0; f < n_folders; f++)
        for (int p = 0; p < 3 && folders[f] != NULL; p++) {
            const char *path = p == 0   ? arena_printf(arena, "%s/%s.yaml", folders[f], name)
                               : p == 1 ? arena_printf(arena, "%s/%s.dictionary.yaml", folders[f], name)
                                        : arena_printf(arena, "%s/dictionary.yaml", folders[f]);
            struct maille_error ignored;
            if (!file_exists(path) || read_text(&text, &length, arena, path, &ignored) != MAILLE_OK ||
                dictionary_parse(&found, arena, path, text, length, &ignored) != MAILLE_OK ||
                !dictionary_is(found, name, version))
                continue;
            *dictionary = found;
            goto out;
        }
    if (fallback != NULL) {
        MAILLE_TRY(
            dictionary_parse(&found, arena, "the network's dictionary", fallback, strlen(fallback), error));
        if (dictionary_is(found, name, version)) {
            *dictionary = found;
            goto out;
        }
    }
    code = maille_fail(error, MAILLE_INVALID,
                       "expected the dictionary %s@%lld, found none in %s; name it with --dictionary FILE",
                       name, (long long)version, folders[0]);
out:
    return code;
}

/* What methods say of their analyses; a place before it where the method gave the line alone. */
static enum maille_code check_methods(const struct study *study, struct study_problems *problems,
                                      struct arena *arena, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK, first = MAILLE_OK;
    struct maille_error own = {0};
    for (size_t k = 0; k < study->n_analyses && (first == MAILLE_OK || problems != NULL); k++) {
        const struct method *method = method_find(study->analyses[k].method);
        code = method->check == NULL ? MAILLE_OK : method->check(&study->analyses[k], &own);
        if (code != MAILLE_OK && first == MAILLE_OK) {
            first = code;
            if (error != NULL)
                *error = own;
        }
        if (code != MAILLE_OK && code != MAILLE_INVALID)
            return code;
        if (code != MAILLE_OK && problems != NULL && problems->n < STUDY_PROBLEMS_MAX)
            problems->sentences[problems->n++] = arena_strdup(arena, own.sentence);
    }
    return first;
}

enum maille_code cli_read_study(const struct study **study, const struct dictionary **dictionary,
                                struct study_problems *problems, struct arena *arena, const char *path,
                                const char *dictionary_path, const char *beside, const char *fallback,
                                struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const struct dictionary *found = NULL;
    const struct study *parsed = NULL;
    const char *text, *name;
    size_t length, n_methods;
    int64_t version;
    const struct query_method *methods = methods_declared(&n_methods);
    const char *const folders[] = {cli_folder_of(arena, path), beside};
    MAILLE_TRY(read_text(&text, &length, arena, path, error));
    MAILLE_TRY(study_dictionary(&name, &version, arena, path, text, length, error));
    MAILLE_TRY(find_dictionary(&found, arena, name, version, dictionary_path, folders, 2, fallback, error));
    MAILLE_TRY(
        study_parse_all(&parsed, problems, arena, found, methods, n_methods, path, text, length, error));
    MAILLE_TRY(check_methods(parsed, problems, arena, error));
    *study = parsed;
    *dictionary = found;
out:
    return code;
}

enum maille_code cli_read_network(const struct directory **directory, struct arena *arena, const char *path,
                                  struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    const char *text;
    size_t length;
    MAILLE_TRY(read_text(&text, &length, arena, path, error));
    MAILLE_TRY(directory_accept(directory, arena, path, text, length, NULL, error));
out:
    return code;
}

static struct {
    struct secret_keys *keys;
    const char *path;
} kept;

void cli_keep_keys(struct secret_keys *keys, const char *path)
{
    kept.keys = keys;
    kept.path = path;
}

enum maille_code cli_read_keys(struct secret_keys **keys, enum key_role role, const char *path,
                               const char *credential, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *opened = NULL;
    struct key_unlock unlock = {.credential_path = credential};
    struct public_keys unused;
    enum key_role found;
    bool by_credential;
    char name[48], *asked = NULL;
    MAILLE_TRY(keyfile_header(&found, name, &unused, &by_credential, path, error));
    if (found != role) {
        code = maille_fail(error, MAILLE_INVALID, "expected a %s key in %s, found a %s key",
                           key_role_name(role), path, key_role_name(found));
        goto out;
    }
    if (kept.keys != NULL && strcmp(path, kept.path) == 0) {
        *keys = kept.keys;
        goto out;
    }
    if (by_credential && credential == NULL) {
        code = maille_fail(error, MAILLE_INVALID,
                           "expected --credential FILE, found none: the key %s opens with a credential file",
                           path);
        goto out;
    }
    if (!by_credential) {
        unlock = keyfile_unlock(NULL);
        if (unlock.passphrase == NULL) {
            char prompt[512];
            snprintf(prompt, sizeof prompt, "passphrase of %s", path);
            MAILLE_TRY(passphrase_ask(&asked, prompt, error));
            unlock.passphrase = asked;
        }
    }
    MAILLE_TRY(keyfile_read(&opened, path, &unlock, error));
    *keys = opened;
out:
    if (asked != NULL) {
        crypto_wipe(asked, PASSPHRASE_MAX);
        free(asked);
    }
    return code;
}

enum maille_code cli_check_known(const struct directory *directory, const struct directory *known,
                                 struct maille_error *error)
{
    size_t n = 0;
    for (size_t a = 0; a < known->n_authorities; a++)
        n += directory_signed_by(directory, known->authorities[a].name, known->authorities[a].identity);
    if (strcmp(directory->network, known->network) == 0 && n >= known->quorum)
        return MAILLE_OK;
    return maille_fail(
        error, MAILLE_SIGNATURE,
        "expected a directory of the network %s signed by %u of the authorities that you know, found "
        "one of %s that %zu of them signed",
        known->network, known->quorum, directory->network, n);
}
