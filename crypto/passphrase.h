/* A passphrase, asked on the terminal of whoever runs a command. */
#ifndef CRYPTO_PASSPHRASE_H
#define CRYPTO_PASSPHRASE_H

#include "base/error.h"
#include "crypto/identity.h"

enum { PASSPHRASE_MAX = 1024 };

/* Asks on /dev/tty without echo. *passphrase: PASSPHRASE_MAX bytes; the caller wipes and frees them.
 * MAILLE_INVALID: there is no terminal, or nothing was typed. */
enum maille_code passphrase_ask(char **passphrase, const char *prompt,
                                struct maille_error *error) MAILLE_CHECKED;

/* How a key is opened: by the credential file (NULL: none), else $MAILLE_PASSPHRASE, else a passphrase that
 * is asked on the terminal, once for all keys that a command opens. MAILLE_INVALID as passphrase_ask. */
enum maille_code passphrase_unlock(struct key_unlock *unlock, const char *credential,
                                   struct maille_error *error) MAILLE_CHECKED;
/* The same for a key that is made: a passphrase is asked twice. */
enum maille_code passphrase_unlock_new(struct key_unlock *unlock, const char *credential,
                                       struct maille_error *error) MAILLE_CHECKED;

#endif
