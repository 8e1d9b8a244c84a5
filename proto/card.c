#include "proto/card.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "crypto/safety.h"
#include "query/yaml.h"

enum { CARD_BYTES_MAX = 65536 };

/* Which keys a role has besides its identity. */
static bool role_has(enum key_role role, const char *key)
{
    if (strcmp(key, "box") == 0)
        return role == KEY_DPO;
    return role == KEY_RESEARCHER || role == KEY_SITE || role == KEY_COORDINATOR;
}

static void put_line(struct bytes *out, const char *before, const char *text)
{
    bytes_put(out, before, strlen(before));
    bytes_put(out, text, strlen(text));
    bytes_put_u8(out, '\n');
}

static void put_key(struct bytes *out, const char *before, const uint8_t key[PUBLIC_BYTES])
{
    char hex[2 * PUBLIC_BYTES + 1];
    bytes_to_hex(hex, key, PUBLIC_BYTES);
    put_line(out, before, hex);
}

/* Everything but comments and the invitation. */
static void put_body(struct bytes *out, const struct card *card)
{
    put_line(out, "maille-card: ", "1");
    put_line(out, "role: ", key_role_name(card->role));
    put_line(out, "name: ", card->name);
    put_key(out, "identity: ", card->keys.identity);
    if (role_has(card->role, "transport"))
        put_key(out, "transport: ", card->keys.transport);
    if (role_has(card->role, "box"))
        put_key(out, "box: ", card->keys.box);
}

void card_write(struct bytes *out, const struct card *card)
{
    char safety[2 * SAFETY_BYTES];
    safety_numbers(safety, card->role, &card->keys);
    put_line(out, "# Public keys for the network's authority. Safety number, to be compared by voice:\n# ",
             safety);
    put_body(out, card);
    if (card->invited)
        put_key(out, "invitation: ", card->invitation.b);
}

void card_token_new(char token[CARD_TOKEN_BYTES])
{
    /* No letter that looks like a digit: 32 of them, 5 bits each. */
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz023456789";
    uint8_t random[CARD_TOKEN_BYTES - 1];
    crypto_random_bytes(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        token[i] = letters[random[i] & 31];
    token[CARD_TOKEN_BYTES - 1] = '\0';
}

static enum maille_code mark(struct digest *out, const struct card *card, const char *token)
{
    struct bytes text = {0};
    bytes_put(&text, token, strlen(token));
    bytes_put_u8(&text, '\n');
    put_body(&text, card);
    enum maille_code code = bytes_check(&text, NULL);
    if (code == MAILLE_OK)
        hash_kdf(out, NULL, "invitation", text.data, text.length);
    bytes_wipe(&text);
    return code;
}

enum maille_code card_invite(struct card *card, const char *token, struct maille_error *error)
{
    if (strlen(token) != CARD_TOKEN_BYTES - 1 ||
        strspn(token, "abcdefghijklmnopqrstuvwxyz0123456789") != CARD_TOKEN_BYTES - 1)
        return maille_fail(
            error, MAILLE_INVALID,
            "expected a token of %d letters and digits, as the network's authority gave it, found another "
            "text",
            CARD_TOKEN_BYTES - 1);
    if (mark(&card->invitation, card, token) != MAILLE_OK)
        return maille_fail(error, MAILLE_MEMORY, "expected memory, found none");
    card->invited = true;
    return MAILLE_OK;
}

bool card_invited_by(const struct card *card, const char *token)
{
    struct digest expected;
    return card->invited && mark(&expected, card, token) == MAILLE_OK &&
           digest_equal(&expected, &card->invitation);
}

static enum maille_code read_string(const char **value, const struct yaml_node *root, const char *key,
                                    struct maille_error *error)
{
    const struct yaml_node *node = yaml_get(root, key);
    if (node == NULL)
        return yaml_fail(error, root, "expected the key \"%s\", found none", key);
    return yaml_string(value, node, error);
}

static enum maille_code read_key(uint8_t out[PUBLIC_BYTES], const struct yaml_node *root, const char *key,
                                 bool wanted, struct maille_error *error)
{
    static const uint8_t zero[PUBLIC_BYTES];
    const char *hex;
    enum maille_code code = MAILLE_OK;
    if (!wanted) {
        if (yaml_get(root, key) != NULL)
            return yaml_fail(error, yaml_get(root, key),
                             "expected no \"%s\" in a card of this role, found one", key);
        return MAILLE_OK;
    }
    MAILLE_TRY(read_string(&hex, root, key, error));
    if (!bytes_from_hex(out, PUBLIC_BYTES, hex) || memcmp(out, zero, PUBLIC_BYTES) == 0)
        code = yaml_fail(error, yaml_get(root, key),
                         "expected a public key of %d hexadecimal digits, found \"%.80s\"", 2 * PUBLIC_BYTES,
                         hex);
out:
    return code;
}

enum maille_code card_parse(struct card *card, struct arena *arena, const char *name, const char *text,
                            size_t length, struct maille_error *error)
{
    static const char *const keys[] = {"maille-card", "role", "name",       "identity",
                                       "transport",   "box",  "invitation", NULL};
    enum maille_code code;
    const struct yaml_node *root;
    const char *version, *role;
    struct card read = {0};
    MAILLE_TRY(yaml_parse(&root, arena, name, text, length, error));
    if (root->kind != YAML_KIND_MAP || yaml_get(root, "maille-card") == NULL) {
        code = maille_fail(error, MAILLE_INVALID,
                           "%s: expected a card (a file that ends in .pub), found something else", name);
        goto out;
    }
    MAILLE_TRY(yaml_only_keys(root, keys, error));
    MAILLE_TRY(read_string(&version, root, "maille-card", error));
    MAILLE_TRY(read_string(&role, root, "role", error));
    MAILLE_TRY(read_string(&read.name, root, "name", error));
    if (strcmp(version, "1") != 0) {
        code = yaml_fail(error, yaml_get(root, "maille-card"),
                         "expected a card of version 1, found \"%.20s\"", version);
        goto out;
    }
    if (!key_role_parse(&read.role, role)) {
        code = yaml_fail(error, yaml_get(root, "role"),
                         "expected researcher, site, dpo, coordinator or authority, found \"%.40s\"", role);
        goto out;
    }
    if (!identity_name_valid(read.name)) {
        code = yaml_fail(error, yaml_get(root, "name"),
                         "expected a name of 1 to 40 of a-z, 0-9 and -, found \"%.80s\"", read.name);
        goto out;
    }
    MAILLE_TRY(read_key(read.keys.identity, root, "identity", true, error));
    MAILLE_TRY(read_key(read.keys.transport, root, "transport", role_has(read.role, "transport"), error));
    MAILLE_TRY(read_key(read.keys.box, root, "box", role_has(read.role, "box"), error));
    if (yaml_get(root, "invitation") != NULL) {
        MAILLE_TRY(read_key(read.invitation.b, root, "invitation", true, error));
        read.invited = true;
    }
    *card = read;
out:
    return code;
}

enum maille_code card_read(struct card *card, struct arena *arena, const char *path,
                           struct maille_error *error)
{
    struct bytes text = {0};
    enum maille_code code = file_read(&text, path, CARD_BYTES_MAX, error);
    if (code == MAILLE_OK)
        code = card_parse(card, arena, path, text.length == 0 ? "" : (const char *)text.data, text.length,
                          error);
    bytes_clear(&text);
    return code;
}

enum maille_code card_write_beside(struct bytes *out, const char *keyfile, const struct secret_keys *keys,
                                   const char *token, struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes text = {0};
    char path[PATH_MAX];
    size_t length = strlen(keyfile);
    struct card card = {
        .role = secret_keys_role(keys), .name = secret_keys_name(keys), .keys = *secret_keys_public(keys)};
    if (length < 4 || strcmp(keyfile + length - 4, ".key") != 0 || length >= sizeof path) {
        code = maille_fail(error, MAILLE_INVALID, "expected a key file whose name ends in .key, found %s",
                           keyfile);
        goto out;
    }
    snprintf(path, sizeof path, "%.*s.pub", (int)(length - 4), keyfile);
    if (token != NULL)
        MAILLE_TRY(card_invite(&card, token, error));
    card_write(&text, &card);
    MAILLE_TRY(bytes_check(&text, error));
    MAILLE_TRY(file_write_atomic(path, text.data, text.length, 0644, error));
    if (out != NULL) {
        bytes_put(out, text.data, text.length);
        code = bytes_check(out, error);
    }
out:
    bytes_clear(&text);
    return code;
}
