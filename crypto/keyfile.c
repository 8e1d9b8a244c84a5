/* Key files. A text that people can look at, and one line that they cannot:
 *
 *     maille-key 1
 *     role: site
 *     name: alpha
 *     identity: HEX        public keys, only those of the role
 *     transport: HEX
 *     unlock: passphrase   or: credential
 *     argon2id: 3 268435456 HEX      operations, memory in bytes, salt; only with a passphrase
 *     nonce: HEX
 *     sealed: HEX
 *
 * sealed is XChaCha20-Poly1305 of the secret seeds; every byte above it is additional data, so a role or a
 * name that somebody altered does not open. The key is Argon2id (RFC 9106) of the passphrase, or the 32 bytes
 * of the credential file. A file is accepted only byte for byte as it would be written. */
#include "crypto/identity.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/file.h"
#include "base/number.h"
#include "crypto/identity_secret.h"

enum {
    KEYFILE_BYTES_MAX = 4096,
    SALT_BYTES = crypto_pwhash_SALTBYTES,
    NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    SEALED_BYTES = sizeof(struct secret_seeds) + crypto_aead_xchacha20poly1305_ietf_ABYTES
};

_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == KEY_BYTES, "libsodium sizes");

struct keyfile {
    enum key_role role;
    char name[KEY_NAME_BYTES];
    struct public_keys public;
    bool by_credential;
    uint64_t operations, memory; /* Argon2id */
    uint8_t salt[SALT_BYTES];
    uint8_t nonce[NONCE_BYTES];
    uint8_t sealed[SEALED_BYTES];
};

/* --- text --- */

static void put_hex(struct bytes *out, const char *before, const void *data, size_t length)
{
    char hex[2 * SEALED_BYTES + 1];
    bytes_to_hex(hex, data, length);
    bytes_printf(out, "%s%s\n", before, hex);
}

static void keyfile_put_header(struct bytes *out, const struct keyfile *file)
{
    bytes_printf(out, "maille-key 1\nrole: %s\nname: %s\n", key_role_name(file->role), file->name);
    put_hex(out, "identity: ", file->public.identity, PUBLIC_BYTES);
    if (key_role_has_transport(file->role))
        put_hex(out, "transport: ", file->public.transport, PUBLIC_BYTES);
    if (key_role_has_box(file->role))
        put_hex(out, "box: ", file->public.box, PUBLIC_BYTES);
    bytes_printf(out, "unlock: %s\n", file->by_credential ? "credential" : "passphrase");
    if (!file->by_credential) {
        bytes_printf(out, "argon2id: %" PRIu64 " %" PRIu64 " ", file->operations, file->memory);
        put_hex(out, "", file->salt, SALT_BYTES);
    }
    put_hex(out, "nonce: ", file->nonce, NONCE_BYTES);
}

/* The rest of the line that begins with `before`, and on to the next line; NULL when it does not. */
static char *take_line(char **text, const char *before)
{
    size_t length = strlen(before);
    char *line = *text;
    char *end = strchr(line, '\n');
    if (end == NULL || strncmp(line, before, length) != 0)
        return NULL;
    *end = '\0';
    *text = end + 1;
    return line + length;
}

static bool take_hex(char **text, const char *before, void *out, size_t length)
{
    char *hex = take_line(text, before);
    return hex != NULL && bytes_from_hex(out, length, hex);
}

static bool keyfile_parse_argon2(struct keyfile *file, char *line)
{
    char *memory = line == NULL ? NULL : strchr(line, ' ');
    char *salt = memory == NULL ? NULL : strchr(memory + 1, ' ');
    if (salt == NULL || !number_parse_u64(line, (size_t)(memory - line), &file->operations) ||
        !number_parse_u64(memory + 1, (size_t)(salt - memory - 1), &file->memory))
        return false;
    /* Bounded: an altered file must not make a login take a day or all memory, nor weaken what was written.
     */
    return file->operations >= crypto_pwhash_OPSLIMIT_MODERATE && file->operations <= 16 &&
           file->memory >= crypto_pwhash_MEMLIMIT_MODERATE &&
           file->memory <= crypto_pwhash_MEMLIMIT_SENSITIVE &&
           bytes_from_hex(file->salt, SALT_BYTES, salt + 1);
}

static bool keyfile_parse(struct keyfile *file, char *text)
{
    const char *value;
    if (take_line(&text, "maille-key 1") == NULL)
        return false;
    value = take_line(&text, "role: ");
    if (value == NULL || !key_role_parse(&file->role, value))
        return false;
    value = take_line(&text, "name: ");
    if (value == NULL || !identity_name_valid(value))
        return false;
    snprintf(file->name, sizeof file->name, "%s", value);
    if (!take_hex(&text, "identity: ", file->public.identity, PUBLIC_BYTES) ||
        (key_role_has_transport(file->role) &&
         !take_hex(&text, "transport: ", file->public.transport, PUBLIC_BYTES)) ||
        (key_role_has_box(file->role) && !take_hex(&text, "box: ", file->public.box, PUBLIC_BYTES)))
        return false;
    value = take_line(&text, "unlock: ");
    if (value == NULL || (strcmp(value, "credential") != 0 && strcmp(value, "passphrase") != 0))
        return false;
    file->by_credential = strcmp(value, "credential") == 0;
    if (!file->by_credential && !keyfile_parse_argon2(file, take_line(&text, "argon2id: ")))
        return false;
    return take_hex(&text, "nonce: ", file->nonce, NONCE_BYTES) &&
           take_hex(&text, "sealed: ", file->sealed, SEALED_BYTES) && *text == '\0';
}

/* Reads and parses; header receives the bytes that are additional data. */
static enum maille_code keyfile_load(struct keyfile *file, struct bytes *header, const char *path,
                                     struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0}, copy = {0};
    MAILLE_TRY(file_check_private(path, error));
    MAILLE_TRY(file_read(&text, path, KEYFILE_BYTES_MAX, error));
    bytes_put(&copy, text.data, text.length);
    bytes_put_u8(&copy, 0);
    MAILLE_TRY(bytes_check(&copy, error));
    *file = (struct keyfile){0};
    bool good = memchr(text.data, 0, text.length) == NULL && keyfile_parse(file, (char *)copy.data);
    if (good) {
        copy.length = 0;
        keyfile_put_header(&copy, file);
        size_t header_length = copy.length;
        put_hex(&copy, "sealed: ", file->sealed, SEALED_BYTES);
        MAILLE_TRY(bytes_check(&copy, error));
        good = copy.length == text.length && memcmp(copy.data, text.data, copy.length) == 0;
        bytes_put(header, text.data, header_length);
        MAILLE_TRY(bytes_check(header, error));
    }
    if (!good)
        code = maille_fail(error, MAILLE_SIGNATURE,
                           "expected a maille key file as keygen writes it, found something else in %s; "
                           "restore it from a backup or make a new key",
                           path);
out:
    bytes_clear(&copy);
    bytes_clear(&text);
    return code;
}

/* --- credentials and passphrases --- */

static enum maille_code credential_read(uint8_t key[KEY_BYTES], const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes content = {0};
    assert(path != NULL);
    if (!credential_managed(path))
        MAILLE_TRY(file_check_private(path, error));
    MAILLE_TRY(file_read(&content, path, KEYFILE_BYTES_MAX, error));
    if (content.length != KEY_BYTES) {
        code = maille_fail(error, MAILLE_INVALID, "expected a credential of %d bytes, found %zu bytes in %s",
                           KEY_BYTES, content.length, path);
        goto out;
    }
    memcpy(key, content.data, KEY_BYTES);
out:
    bytes_wipe(&content);
    return code;
}

struct key_unlock keyfile_unlock(const char *credential_path)
{
    const char *passphrase = credential_path == NULL ? getenv("MAILLE_PASSPHRASE") : NULL;
    return (struct key_unlock){.credential_path = credential_path,
                               .passphrase = passphrase != NULL && passphrase[0] != '\0' ? passphrase : NULL};
}

enum maille_code keyfile_credential_make(const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t key[KEY_BYTES];
    bool made = false;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        code = maille_fail_errno(error, "cannot make the credential %s", path);
        goto out;
    }
    made = true;
    randombytes_buf(key, sizeof key);
    MAILLE_TRY(file_write_all(fd, key, sizeof key, error));
    if (fchmod(fd, 0600) != 0 || fsync(fd) != 0) {
        code = maille_fail_errno(error, "cannot write the credential %s to disk", path);
        goto out;
    }
out:
    if (fd >= 0)
        close(fd);
    if (code != MAILLE_OK && made)
        unlink(path);
    sodium_memzero(key, sizeof key);
    return code;
}

/* The key that opens or closes `file` into guarded memory. */
static enum maille_code keyfile_key(struct guarded *key, const struct keyfile *file,
                                    const struct key_unlock *unlock, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    uint8_t *out = guarded_change(key);
    if (file->by_credential)
        code = credential_read(out, unlock->credential_path, error);
    else if (crypto_pwhash(out, KEY_BYTES, unlock->passphrase, strlen(unlock->passphrase), file->salt,
                           file->operations, (size_t)file->memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
        code = maille_fail(error, MAILLE_MEMORY,
                           "expected %" PRIu64
                           " MiB of memory to check the passphrase, found less; free some and try again",
                           file->memory >> 20);
    guarded_close(key);
    return code;
}

static enum maille_code unlock_check(const struct key_unlock *unlock, struct maille_error *error)
{
    if ((unlock->passphrase == NULL) == (unlock->credential_path == NULL))
        return maille_fail(error, MAILLE_INVALID,
                           "expected either a passphrase or a credential file, found %s",
                           unlock->passphrase == NULL ? "neither" : "both");
    return MAILLE_OK;
}

/* --- write, read --- */

enum maille_code keyfile_write(const char *path, const struct secret_keys *keys,
                               const struct key_unlock *unlock, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    struct secret_seeds seeds = {0};
    struct guarded *key = NULL;
    struct keyfile file = {.role = keys->role,
                           .public = keys->public,
                           .by_credential = unlock->credential_path != NULL,
                           .operations = crypto_pwhash_OPSLIMIT_MODERATE,
                           .memory = crypto_pwhash_MEMLIMIT_MODERATE};
    MAILLE_TRY(unlock_check(unlock, error));
    if (unlock->passphrase != NULL && unlock->passphrase[0] == '\0') {
        code = maille_fail(error, MAILLE_INVALID, "expected a passphrase, found an empty one");
        goto out;
    }
    key = guarded_new(KEY_BYTES);
    if (key == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected guarded memory for a key, found none");
        goto out;
    }
    snprintf(file.name, sizeof file.name, "%s", keys->name);
    randombytes_buf(file.salt, sizeof file.salt);
    randombytes_buf(file.nonce, sizeof file.nonce);
    MAILLE_TRY(keyfile_key(key, &file, unlock, error));
    keyfile_put_header(&text, &file);
    MAILLE_TRY(bytes_check(&text, error));
    secret_keys_seeds(&seeds, keys);
    crypto_aead_xchacha20poly1305_ietf_encrypt(file.sealed, NULL, (const uint8_t *)&seeds, sizeof seeds,
                                               text.data, text.length, NULL, file.nonce, guarded_open(key));
    guarded_close(key);
    put_hex(&text, "sealed: ", file.sealed, SEALED_BYTES);
    MAILLE_TRY(bytes_check(&text, error));
    code = file_write_atomic(path, text.data, text.length, 0600, error);
out:
    guarded_free(key);
    sodium_memzero(&seeds, sizeof seeds);
    bytes_clear(&text);
    return code;
}

enum maille_code keyfile_read(struct secret_keys **keys, const char *path, const struct key_unlock *unlock,
                              struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes header = {0};
    struct secret_seeds seeds = {0};
    struct guarded *key = NULL;
    struct secret_keys *opened = NULL;
    struct keyfile file;
    MAILLE_TRY(unlock_check(unlock, error));
    MAILLE_TRY(keyfile_load(&file, &header, path, error));
    if (file.by_credential != (unlock->credential_path != NULL)) {
        code = maille_fail(error, MAILLE_INVALID, "expected a %s to open %s, found a %s; give the other",
                           file.by_credential ? "credential file" : "passphrase", path,
                           file.by_credential ? "passphrase" : "credential file");
        goto out;
    }
    key = guarded_new(KEY_BYTES);
    if (key == NULL) {
        code = maille_fail(error, MAILLE_MEMORY, "expected guarded memory for a key, found none");
        goto out;
    }
    MAILLE_TRY(keyfile_key(key, &file, unlock, error));
    int failed =
        crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)&seeds, NULL, NULL, file.sealed, SEALED_BYTES,
                                                   header.data, header.length, file.nonce, guarded_open(key));
    guarded_close(key);
    if (failed != 0) {
        code = maille_fail(error, MAILLE_SIGNATURE,
                           "expected the %s that closed %s, found another, or the file is altered",
                           file.by_credential ? "credential" : "passphrase", path);
        goto out;
    }
    MAILLE_TRY(secret_keys_from(&opened, file.role, file.name, &seeds, error));
    if (memcmp(&opened->public, &file.public, sizeof file.public) != 0) {
        code = maille_fail(error, MAILLE_SIGNATURE,
                           "expected the public keys of the secret ones, found others in %s", path);
        goto out;
    }
    *keys = opened;
    opened = NULL;
out:
    secret_keys_free(opened);
    guarded_free(key);
    sodium_memzero(&seeds, sizeof seeds);
    bytes_clear(&header);
    return code;
}

enum maille_code keyfile_header(enum key_role *role, char *name, struct public_keys *keys,
                                bool *by_credential, const char *path, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes header = {0};
    struct keyfile file;
    MAILLE_TRY(keyfile_load(&file, &header, path, error));
    *role = file.role;
    memcpy(name, file.name, KEY_NAME_BYTES);
    *keys = file.public;
    *by_credential = file.by_credential;
out:
    bytes_clear(&header);
    return code;
}
