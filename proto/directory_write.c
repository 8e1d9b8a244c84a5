/* A directory as people read it. */
#include "proto/directory.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static void put_key(struct bytes *out, const char *before, const uint8_t key[PUBLIC_BYTES])
{
    char hex[2 * PUBLIC_BYTES + 1];
    bytes_to_hex(hex, key, PUBLIC_BYTES);
    bytes_printf(out, "%s%s", before, hex);
}

void directory_put_quoted(struct bytes *out, const char *text)
{
    bytes_put_u8(out, '"');
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        if (c < 0x20 || c == 0x7f)
            bytes_printf(out, "\\x%02x", c);
        else {
            if (c == '"' || c == '\\')
                bytes_put_u8(out, '\\');
            bytes_put_u8(out, c);
        }
    }
    bytes_put_u8(out, '"');
}

/* A number or a word may stand without quotes; anything else that was written without them is a string all
 * the same. */
static void put_scalar(struct bytes *out, const struct yaml_node *node)
{
    bool plain = !node->quoted && node->scalar[0] != '\0' && node->scalar[0] != '-';
    for (const char *c = node->scalar; *c != '\0'; c++)
        plain = plain && (isalnum((unsigned char)*c) || *c == '_' || *c == '.' || *c == '-' || *c == '+');
    if (plain)
        bytes_put(out, node->scalar, strlen(node->scalar));
    else
        directory_put_quoted(out, node->scalar);
}

static void put_node(struct bytes *out, const struct yaml_node *node)
{
    if (node->kind == YAML_KIND_SCALAR) {
        put_scalar(out, node);
        return;
    }
    bytes_printf(out, "%s", node->kind == YAML_KIND_MAP ? "{ " : "[");
    for (size_t i = 0; i < node->n; i++) {
        bytes_printf(out, "%s", i > 0 ? ", " : "");
        if (node->kind == YAML_KIND_MAP) {
            put_scalar(out, node->keys[i]);
            bytes_printf(out, ": ");
        }
        put_node(out, node->values[i]);
    }
    bytes_printf(out, "%s", node->kind == YAML_KIND_MAP ? " }" : "]");
}

const char *directory_floor_text(struct arena *arena, const struct yaml_node *node)
{
    struct bytes text = {0};
    put_node(&text, node);
    const char *out = arena_strndup(arena, (const char *)text.data, text.failed ? 0 : text.length);
    bytes_clear(&text);
    return out;
}

static void put_duration(struct bytes *out, const char *before, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;
    while (ms % units[i].ms != 0)
        i++;
    bytes_printf(out, "%s%" PRId64 "%s", before, ms / units[i].ms, units[i].unit);
}

static void put_lost(struct bytes *out, uint32_t lost)
{
    if (lost > 0)
        bytes_printf(out, ", lost: %" PRIu32, lost);
}

static void put_site(struct bytes *out, const struct directory_site *site)
{
    bytes_printf(out, "  - { id: %" PRIu32 ", name: %s, legal_entity: ", site->id, site->name);
    directory_put_quoted(out, site->legal_entity);
    put_key(out, ", identity: ", site->keys.identity);
    put_key(out, ", transport: ", site->keys.transport);
    if (site->has_dpo) {
        put_key(out, ", dpo_identity: ", site->dpo_identity);
        put_key(out, ", dpo_box: ", site->dpo_box);
    }
    if (site->may_be_inferred)
        bytes_printf(out, ", may_be_inferred: true");
    put_lost(out, site->lost);
    bytes_printf(out, " }\n");
}

void directory_write(struct bytes *out, const struct directory *directory)
{
    bytes_printf(
        out, "# The directory of a maille network, made by: maille network. Signatures stand at the end; a "
             "change drops them.\n");
    bytes_printf(out, "network: %s\nversion: %" PRIu64 "\nquorum: %" PRIu32 "\nauthorities:\n",
                 directory->network, directory->version, directory->quorum);
    for (size_t i = 0; i < directory->n_authorities; i++) {
        bytes_printf(out, "  - { name: %s", directory->authorities[i].name);
        put_key(out, ", identity: ", directory->authorities[i].identity);
        bytes_printf(out, " }\n");
    }
    bytes_printf(out, "coordinator: { name: %s, endpoint: ", directory->coordinator.name);
    directory_put_quoted(out, directory->coordinator.endpoint);
    put_key(out, ", identity: ", directory->coordinator.keys.identity);
    put_key(out, ", transport: ", directory->coordinator.keys.transport);
    put_lost(out, directory->coordinator.lost);
    bytes_printf(out, " }\nsites:%s\n", directory->n_sites == 0 ? " []" : "");
    for (size_t i = 0; i < directory->n_sites; i++)
        put_site(out, &directory->sites[i]);
    bytes_printf(out, "next_site: %" PRIu32 "\n", directory->next_site);
    if (directory->epoch.number > 0) {
        bytes_printf(out, "epoch: { number: %" PRIu32 ", sites: [", directory->epoch.number);
        for (size_t i = 0; i < directory->epoch.n_sites; i++)
            bytes_printf(out, "%s%" PRIu32, i > 0 ? ", " : "", directory->epoch.sites[i]);
        bytes_printf(out, "] }\n");
    }
    bytes_printf(out, "researchers:%s\n", directory->n_researchers == 0 ? " []" : "");
    for (size_t i = 0; i < directory->n_researchers; i++) {
        bytes_printf(out, "  - { name: %s", directory->researchers[i].name);
        put_key(out, ", identity: ", directory->researchers[i].keys.identity);
        put_key(out, ", transport: ", directory->researchers[i].keys.transport);
        bytes_printf(out, " }\n");
    }
    bytes_printf(out, "purposes: [");
    for (size_t i = 0; i < directory->n_purposes; i++)
        bytes_printf(out, "%s%s", i > 0 ? ", " : "", directory->purposes[i]);
    bytes_printf(out, "]\n");
    if (directory->floor != NULL) {
        bytes_printf(out, "floor: ");
        bytes_put(out, directory->floor, strlen(directory->floor));
        bytes_printf(out, "\n");
    }
    directory_cohorts_write(out, &directory->cohorts);
    registrations_write(out, &directory->registrations);
    const struct directory_timeouts *t = &directory->timeouts;
    put_duration(out, "timeouts: { ready: ", t->ready_ms);
    put_duration(out, ", accept: ", t->accept_ms);
    put_duration(out, ", masked: ", t->masked_ms);
    put_duration(out, ", reveal: ", t->reveal_ms);
    put_duration(out, ", lifetime: ", t->lifetime_ms);
    put_duration(out, ", round_idle: ", t->round_idle_ms);
    bytes_printf(out, " }\n");
}

enum maille_code directory_sign(struct bytes *text, size_t signed_length, const struct secret_keys *authority,
                                struct maille_error *error)
{
    enum maille_code code;
    uint8_t signature[SIGNATURE_BYTES];
    char hex[2 * SIGNATURE_BYTES + 1];
    MAILLE_TRY(identity_sign(signature, authority, "directory", text->data, signed_length, error));
    bytes_to_hex(hex, signature, SIGNATURE_BYTES);
    bytes_printf(text, "# maille-signature: %s %s\n", secret_keys_name(authority), hex);
    code = bytes_check(text, error);
out:
    return code;
}
