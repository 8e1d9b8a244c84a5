/* The way out of a hospital through its proxy: HTTP CONNECT (RFC 9110 §9.3.6) or SOCKS5 (RFC 1928, 1929).
 *
 * libzmq 4.3.4 speaks SOCKS5 without a password, no CONNECT, and says of neither why it failed; nor can it be
 * given a connected socket to dial with (ZMQ_USE_FD is for those that listen). So it dials a port of this
 * machine, where a thread of ours takes the connection, asks the proxy for the way to the coordinator, and
 * passes bytes on. They are CURVE's: the thread can read nothing in them. It connects nowhere but to the
 * coordinator, for whoever dials that port; who has no key of the directory gets nothing there. */
#ifndef WIRE_WAY_H
#define WIRE_WAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct wire_way; /* opaque */

/* proxy: "http://HOST:PORT" or "socks5://HOST:PORT". credential: a file of the owner's alone whose first line
 * is USER:PASSWORD, or NULL or "". Opens the socket that listens (before walls), and starts nothing.
 * MAILLE_INVALID, MAILLE_IO. */
enum maille_code wire_way_open(struct wire_way **way, const char *proxy, const char *credential,
                               struct maille_error *error) MAILLE_CHECKED;
/* Ends the thread where there is one, and wipes the password. NULL is legal. After a fork: in each process.
 */
void wire_way_free(struct wire_way *way);

/* For walls: "tcp://HOST:PORT" of the proxy, the port at which libzmq finds the thread. */
const char *wire_way_proxy(const struct wire_way *way);
int wire_way_port(const struct wire_way *way);

/* Starts the thread that passes on to endpoint ("tcp://host:9700"; the proxy looks its name up). Once. */
enum maille_code wire_way_start(struct wire_way *way, const char *endpoint,
                                struct maille_error *error) MAILLE_CHECKED;

/* What last went wrong, once for each change of it; false: nothing new. */
bool wire_way_trouble(struct wire_way *way, char *sentence, size_t size);

/* Without a proxy: dials endpoint and looks how it greets, for a few seconds. True: the sentence says what
 * else than a coordinator is there (an inspection of TLS, a web server). */
bool wire_way_probe(const char *endpoint, char *sentence, size_t size);

#endif
