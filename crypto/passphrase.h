/* A passphrase, asked on the terminal of whoever runs a command. */
#ifndef CRYPTO_PASSPHRASE_H
#define CRYPTO_PASSPHRASE_H

#include "base/error.h"

enum { PASSPHRASE_MAX = 1024 };

/* Asks on /dev/tty without echo. *passphrase: PASSPHRASE_MAX bytes; the caller wipes and frees them.
 * MAILLE_INVALID: there is no terminal, or nothing was typed. */
enum maille_code passphrase_ask(char **passphrase, const char *prompt,
                                struct maille_error *error) MAILLE_CHECKED;

#endif
