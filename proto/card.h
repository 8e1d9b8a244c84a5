/* A card: the public keys of one party, a small text to be handed to the network's authority. Nothing in it
 * is secret.
 *
 *     maille-card: 1
 *     role: site
 *     name: alpha
 *     identity: HEX
 *     transport: HEX        researcher, site, coordinator
 *     box: HEX              dpo
 */
#ifndef PROTO_CARD_H
#define PROTO_CARD_H

#include "base/arena.h"
#include "crypto/identity.h"

struct card {
    enum key_role role;
    const char *name;
    struct public_keys keys; /* those that the role does not have are zero */
};

/* The text, with the safety number as a comment. bytes_check at the end is the caller's. */
void card_write(struct bytes *out, const struct card *card);

/* Reads a card. MAILLE_INVALID with file:line:column. */
enum maille_code card_parse(struct card *card, struct arena *arena, const char *name, const char *text,
                            size_t length, struct maille_error *error) MAILLE_CHECKED;
enum maille_code card_read(struct card *card, struct arena *arena, const char *path,
                           struct maille_error *error) MAILLE_CHECKED;

/* Writes the card of keys beside their key file: "DIR/alpha.key" → "DIR/alpha.pub" (0644). */
enum maille_code card_write_beside(const char *keyfile, const struct secret_keys *keys,
                                   struct maille_error *error) MAILLE_CHECKED;

#endif
