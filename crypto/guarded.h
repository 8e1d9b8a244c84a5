/* Guarded memory for secrets, used inside crypto/ alone: own pages between guard pages, locked out of swap,
 * without any access except between guarded_open and guarded_close, wiped when freed (libsodium's
 * sodium_malloc). */
#ifndef CRYPTO_GUARDED_H
#define CRYPTO_GUARDED_H

#include <stddef.h>

#include "base/error.h"

struct guarded; /* opaque */

/* size bytes, zero. NULL when there is no memory. */
struct guarded *guarded_new(size_t size) MAILLE_CHECKED;
void guarded_free(struct guarded *guarded); /* wipes; NULL is legal */

/* Access for the calling thread; others wait. Each is ended by guarded_close. A process whose own guard
 * cannot be opened or closed is stopped: going on would mean secrets that lie open. */
const void *guarded_open(struct guarded *guarded) __attribute__((returns_nonnull));
void *guarded_change(struct guarded *guarded) __attribute__((returns_nonnull));
void guarded_close(struct guarded *guarded);

#endif
