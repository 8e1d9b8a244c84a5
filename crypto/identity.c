#include "crypto/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "crypto/identity_secret.h"

_Static_assert(crypto_sign_BYTES == SIGNATURE_BYTES && crypto_sign_PUBLICKEYBYTES == PUBLIC_BYTES &&
                   crypto_sign_SEEDBYTES == KEY_BYTES,
               "libsodium sizes");

struct secret_memory {
    struct secret_seeds seeds;
    uint8_t signing[crypto_sign_SECRETKEYBYTES]; /* seed ‖ public key, libsodium's form */
};

/* What each role holds. */
static const struct role_row {
    const char *name;
    bool transport, box;
} roles[] = {
    [KEY_RESEARCHER] = {"researcher", true, false},
    [KEY_SITE] = {"site", true, false},
    [KEY_DPO] = {"dpo", false, true},
    [KEY_COORDINATOR] = {"coordinator", true, false},
    [KEY_AUTHORITY] = {"authority", false, false},
};

const char *key_role_name(enum key_role role)
{
    return roles[role].name;
}

bool key_role_parse(enum key_role *role, const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (strcmp(roles[i].name, name) == 0) {
            *role = (enum key_role)i;
            return true;
        }
    return false;
}

bool key_role_has_transport(enum key_role role)
{
    return roles[role].transport;
}

bool key_role_has_box(enum key_role role)
{
    return roles[role].box;
}

bool identity_name_valid(const char *name)
{
    size_t length = strlen(name);
    return length >= 1 && length <= 40 && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

enum maille_code secret_keys_from(struct secret_keys **keys, enum key_role role, const char *name,
                                  const struct secret_seeds *seeds, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct secret_keys *made = calloc(1, sizeof *made);
    if (made == NULL || (made->secret = guarded_new(sizeof(struct secret_memory))) == NULL) {
        code =
            maille_fail(error, MAILLE_MEMORY, "expected guarded memory for the keys of %s, found none", name);
        goto out;
    }
    made->role = role;
    snprintf(made->name, sizeof made->name, "%s", name);
    struct secret_memory *secret = guarded_change(made->secret);
    memcpy(secret->seeds.identity, seeds->identity, KEY_BYTES);
    crypto_sign_seed_keypair(made->public.identity, secret->signing, secret->seeds.identity);
    if (key_role_has_transport(role)) {
        memcpy(secret->seeds.transport, seeds->transport, KEY_BYTES);
        crypto_scalarmult_base(made->public.transport, secret->seeds.transport);
    }
    if (key_role_has_box(role)) {
        memcpy(secret->seeds.box, seeds->box, KEY_BYTES);
        crypto_scalarmult_base(made->public.box, secret->seeds.box);
    }
    guarded_close(made->secret);
    *keys = made;
    made = NULL;
out:
    secret_keys_free(made);
    return code;
}

enum maille_code secret_keys_new(struct secret_keys **keys, enum key_role role, const char *name,
                                 struct maille_error *error)
{
    struct secret_seeds seeds;
    if (!identity_name_valid(name))
        return maille_fail(error, MAILLE_INVALID,
                           "expected a name of 1 to 40 of a-z, 0-9 and -, found \"%s\"; choose another",
                           name);
    randombytes_buf(&seeds, sizeof seeds);
    enum maille_code code = secret_keys_from(keys, role, name, &seeds, error);
    sodium_memzero(&seeds, sizeof seeds);
    return code;
}

void secret_keys_free(struct secret_keys *keys)
{
    if (keys == NULL)
        return;
    guarded_free(keys->secret);
    free(keys);
}

enum key_role secret_keys_role(const struct secret_keys *keys)
{
    return keys->role;
}

const char *secret_keys_name(const struct secret_keys *keys)
{
    return keys->name;
}

const struct public_keys *secret_keys_public(const struct secret_keys *keys)
{
    return &keys->public;
}

void secret_keys_seeds(struct secret_seeds *seeds, const struct secret_keys *keys)
{
    const struct secret_memory *secret = guarded_open(keys->secret);
    *seeds = secret->seeds;
    guarded_close(keys->secret);
}

void secret_keys_transport(uint8_t out[KEY_BYTES], const struct secret_keys *keys)
{
    const struct secret_memory *secret = guarded_open(keys->secret);
    memcpy(out, secret->seeds.transport, KEY_BYTES);
    guarded_close(keys->secret);
}

void secret_keys_derive(struct digest *out, const struct secret_keys *keys, const char *label)
{
    const struct secret_memory *secret = guarded_open(keys->secret);
    uint8_t others[2 * KEY_BYTES];
    memcpy(others, secret->seeds.transport, KEY_BYTES);
    memcpy(others + KEY_BYTES, secret->seeds.box, KEY_BYTES);
    hash_kdf(out, secret->seeds.identity, label, others, sizeof others);
    guarded_close(keys->secret);
    sodium_memzero(others, sizeof others);
}

/* "maille1/" ‖ message ‖ 0x00 ‖ bytes: no signature of one kind of message is ever one of another. */
static void signed_bytes(struct bytes *out, const char *message, const void *bytes, size_t length)
{
    static const char prefix[] = "maille1/";
    bytes_put(out, prefix, sizeof prefix - 1);
    bytes_put(out, message, strlen(message) + 1);
    bytes_put(out, bytes, length);
}

enum maille_code identity_sign(uint8_t signature[SIGNATURE_BYTES], const struct secret_keys *keys,
                               const char *message, const void *bytes, size_t length,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes whole = {0};
    signed_bytes(&whole, message, bytes, length);
    MAILLE_TRY(bytes_check(&whole, error));
    const struct secret_memory *secret = guarded_open(keys->secret);
    crypto_sign_detached(signature, NULL, whole.data, whole.length, secret->signing);
    guarded_close(keys->secret);
out:
    bytes_clear(&whole);
    return code;
}

bool identity_verify(const uint8_t signature[SIGNATURE_BYTES], const uint8_t identity[PUBLIC_BYTES],
                     const char *message, const void *bytes, size_t length)
{
    struct bytes whole = {0};
    signed_bytes(&whole, message, bytes, length);
    bool valid =
        !whole.failed && crypto_sign_verify_detached(signature, whole.data, whole.length, identity) == 0;
    bytes_clear(&whole);
    return valid;
}

enum maille_code identity_seal_open(struct bytes *out, const struct secret_keys *keys, const void *sealed,
                                    size_t length, struct maille_error *error)
{
    if (!key_role_has_box(keys->role))
        return maille_fail(error, MAILLE_SIGNATURE, "expected a dpo key to open this, found the %s key of %s",
                           key_role_name(keys->role), keys->name);
    const struct secret_memory *secret = guarded_open(keys->secret);
    enum maille_code code = seal_open(out, keys->public.box, secret->seeds.box, sealed, length, error);
    guarded_close(keys->secret);
    return code;
}
