/* The secret half of an identity, as crypto/ alone sees it: identity.c uses it, keyfile.c stores it. */
#ifndef CRYPTO_IDENTITY_SECRET_H
#define CRYPTO_IDENTITY_SECRET_H

#include "crypto/guarded.h"
#include "crypto/identity.h"

enum { KEY_NAME_BYTES = 48 };

/* Seeds and X25519 scalars as they are stored; those that the role does not have are zero. */
struct secret_seeds {
    uint8_t identity[KEY_BYTES]; /* Ed25519 seed (RFC 8032 §5.1.5) */
    uint8_t transport[KEY_BYTES];
    uint8_t box[KEY_BYTES];
};

struct secret_keys {
    enum key_role role;
    char name[KEY_NAME_BYTES];
    struct public_keys public;
    struct guarded *secret; /* struct secret_memory of identity.c */
};

/* Keys from seeds; the public halves follow from them. The caller wipes the seeds. MAILLE_MEMORY. */
enum maille_code secret_keys_from(struct secret_keys **keys, enum key_role role, const char *name,
                                  const struct secret_seeds *seeds,
                                  struct maille_error *error) MAILLE_CHECKED;
/* Copies the seeds out; the caller wipes them. */
void secret_keys_seeds(struct secret_seeds *seeds, const struct secret_keys *keys);

bool key_role_has_transport(enum key_role role);
bool key_role_has_box(enum key_role role);

#endif
