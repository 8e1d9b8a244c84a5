/* crypto/identity.h: key files, and the card beside one (proto/card.h). Passphrases are not tried: one costs
 * half a second an input. Behind a "W" stand a role, LE16 a place and a byte to put there, of a key file that
 * is written here. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/identity.h"
#include "proto/card.h"
#include "tests/fuzz/fuzz.h"

static const char *credential(void)
{
    static char path[PATH_MAX];
    struct maille_error error = {0};
    if (path[0] == '\0') {
        snprintf(path, sizeof path, "%s", fuzz_put("credential", NULL, 0));
        unlink(path);
        if (keyfile_credential_make(path, &error) != MAILLE_OK)
            fuzz_fail("a credential");
    }
    return path;
}

/* Whether the file opens. */
static bool opens(const char *path)
{
    struct maille_error error = {0};
    struct public_keys keys;
    struct secret_keys *opened = NULL;
    struct key_unlock unlock = {.credential_path = credential()};
    enum key_role role;
    char name[48];
    bool by_credential = false, is_open = false;
    if (keyfile_header(&role, name, &keys, &by_credential, path, &error) != MAILLE_OK) {
        if (error.sentence[0] == '\0')
            fuzz_fail("a sentence with an error");
        return false;
    }
    if (!identity_name_valid(name))
        fuzz_fail("the name of a party");
    if (!by_credential) { /* a credential opens none that a passphrase does */
        if (keyfile_read(&opened, path, &unlock, &error) == MAILLE_OK)
            fuzz_fail("a file of another kind to stay closed");
        return false;
    }
    is_open = keyfile_read(&opened, path, &unlock, &error) == MAILLE_OK;
    if (is_open && (strcmp(secret_keys_name(opened), name) != 0 || secret_keys_role(opened) != role ||
                    memcmp(secret_keys_public(opened), &keys, sizeof keys) != 0))
        fuzz_fail("the keys of the header");
    secret_keys_free(opened);
    return is_open;
}

/* The card of keys, beside their file. */
static void carded(const char *path, const struct secret_keys *keys)
{
    char token[CARD_TOKEN_BYTES], beside[PATH_MAX];
    struct bytes text = {0};
    struct card card;
    struct maille_error error = {0};
    struct arena *arena = arena_new();
    if (arena == NULL)
        fuzz_fail("memory");
    card_token_new(token);
    snprintf(beside, sizeof beside, "%.*s.pub", (int)strlen(path) - 4, path);
    if (card_write_beside(&text, path, keys, token, &error) != MAILLE_OK ||
        card_read(&card, arena, beside, &error) != MAILLE_OK || !card_invited_by(&card, token) ||
        card.role != secret_keys_role(keys) || strcmp(card.name, secret_keys_name(keys)) != 0)
        fuzz_fail("the card of keys");
    if (card_invite(&card, "no token", &error) == MAILLE_OK)
        fuzz_fail("no mark of what is no token");
    unlink(beside);
    bytes_clear(&text);
    arena_free(arena);
}

static void written(const uint8_t *data, size_t size)
{
    static struct secret_keys *keys[KEY_AUTHORITY + 1];
    const struct key_unlock unlock = {.credential_path = credential()};
    const enum key_role role = size > 0 ? data[0] % (KEY_AUTHORITY + 1) : KEY_SITE;
    struct bytes text = {0};
    const char *path = fuzz_put("written.key", NULL, 0);
    if (keys[role] == NULL && secret_keys_new(&keys[role], role, "a-party", NULL) != MAILLE_OK)
        fuzz_fail("keys");
    if (keyfile_write(path, keys[role], &unlock, NULL) != MAILLE_OK || !opens(path) ||
        file_read(&text, path, 1 << 16, NULL) != MAILLE_OK)
        fuzz_fail("a key file that was written to open");
    carded(path, keys[role]);
    const size_t at = size > 2 ? (size_t)(data[1] | data[2] << 8) % text.length : 0;
    if (size > 3 && text.data[at] != data[3]) {
        text.data[at] = data[3];
        if (opens(fuzz_put("written.key", text.data, text.length)))
            fuzz_fail("a key file that was altered to stay closed");
    }
    bytes_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[PATH_MAX];
    int fd;
    if (crypto_start(NULL) != MAILLE_OK)
        fuzz_fail("libsodium");
    if (size > 0 && data[0] == 'W') {
        written(data + 1, size - 1);
        return 0;
    }
    fuzz_file(path, &fd, data, size);
    opens(path);
    close(fd);
    return 0;
}
