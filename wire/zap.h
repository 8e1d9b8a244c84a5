/* Private to wire/: the ZAP handler (RFC 27): who may connect. A thread of its own, bound before any other
 * socket of the context exists. */
#ifndef WIRE_ZAP_H
#define WIRE_ZAP_H

#include "wire/wire.h"

struct zap;

#define ZAP_DOMAIN "maille"
#define ZAP_ROLE "X-Role" /* property of every message of an admitted peer: one digit, enum key_role */

/* Binds the handler in a ZeroMQ context and starts its thread. */
enum maille_code zap_start(struct zap **zap, void *context, wire_admit *admit, void *admit_context,
                           struct maille_error *error) MAILLE_CHECKED;
/* Stops the thread and closes the handler's sockets: from here on nobody new gets in. NULL is legal. */
void zap_stop(struct zap *zap);

#endif
