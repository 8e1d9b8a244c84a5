/* Private to wire/: dialling through a proxy, and what it says. Every wait ends at a time; wake (−1: none) is
 * a descriptor that breaks it off once it can be read. */
#ifndef WIRE_WAY_DIAL_H
#define WIRE_WAY_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { WAY_PASSWORD_MAX = 255 };

struct way_proxy {
    bool socks5; /* else HTTP CONNECT */
    char host[256], port[8], endpoint[280];
    char user[512]; /* USER:PASSWORD; "": none */
    size_t colon;   /* where USER ends */
};
/* "http://HOST:PORT", "socks5://HOST:PORT". MAILLE_INVALID. */
enum maille_code way_proxy_read(struct way_proxy *proxy, const char *text,
                                struct maille_error *error) MAILLE_CHECKED;

/* A connected socket that does not block, or −1 and why. */
int way_connect(const char *host, const char *port, int wake, int64_t until_ms, char *why, size_t size);
/* A socket behind which the proxy says that host:port is, or −1 and why. */
int way_dial(const struct way_proxy *proxy, const char *host, const char *port, int wake, char *why,
             size_t size);
bool way_send(int fd, const void *data, size_t length, int64_t until_ms);
/* All of length: 1; 0: the other end closed before; −1: time or wake. */
int way_receive(int fd, void *data, size_t length, int wake, int64_t until_ms);

/* Who is there, by the first byte that comes. first NULL: it closed before one. */
enum way_greeting { WAY_COORDINATOR, WAY_TLS, WAY_WEB, WAY_CLOSED, WAY_OTHER };
enum way_greeting way_greeting(const uint8_t *first);
/* The sentence; "" for WAY_COORDINATOR. proxy NULL: dialled without one. */
void way_greeting_words(char *out, size_t size, enum way_greeting greeting, const char *host,
                        const char *port, const struct way_proxy *proxy);

#endif
