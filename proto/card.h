/* A card: the public keys of one party, a small text to be handed to the network's authority. Nothing in it
 * is secret.
 *
 *     maille-card: 1
 *     role: site
 *     name: alpha
 *     identity: HEX
 *     transport: HEX        researcher, site, coordinator
 *     box: HEX              dpo
 *     invitation: HEX       where the authority sent a token: a hash of it and of everything above
 */
#ifndef PROTO_CARD_H
#define PROTO_CARD_H

#include "base/arena.h"
#include "crypto/hash.h"
#include "crypto/identity.h"

struct card {
    enum key_role role;
    const char *name;
    struct public_keys keys; /* those that the role does not have are zero */
    bool invited;
    struct digest invitation;
};

/* What an authority gives to somebody who is to join: 26 letters and digits, 128 random bits, once, for 72
 * hours (cli/network_invite.c keeps which are open). */
enum { CARD_TOKEN_BYTES = 27 };
void card_token_new(char token[CARD_TOKEN_BYTES]);
/* Puts the token's mark on a card, or says whether this card carries it. MAILLE_INVALID: no token. */
enum maille_code card_invite(struct card *card, const char *token, struct maille_error *error) MAILLE_CHECKED;
bool card_invited_by(const struct card *card, const char *token);

/* The text, with the safety number as a comment. bytes_check at the end is the caller's. */
void card_write(struct bytes *out, const struct card *card);

/* Reads a card. MAILLE_INVALID with file:line:column. */
enum maille_code card_parse(struct card *card, struct arena *arena, const char *name, const char *text,
                            size_t length, struct maille_error *error) MAILLE_CHECKED;
enum maille_code card_read(struct card *card, struct arena *arena, const char *path,
                           struct maille_error *error) MAILLE_CHECKED;

/* Makes the card of keys, with the mark of a token (NULL: none), writes it beside their key file
 * ("DIR/alpha.key" → "DIR/alpha.pub", 0644), and puts its text into out (which may be NULL). */
enum maille_code card_write_beside(struct bytes *out, const char *keyfile, const struct secret_keys *keys,
                                   const char *token, struct maille_error *error) MAILLE_CHECKED;

#endif
