/* Whose program the other end of a loopback connection is: the kernel's tables of TCP sockets (proc(5),
 * /proc/net/tcp). A cookie alone does not say: a browser sends it to every port of 127.0.0.1, so whoever
 * listens at another port of this machine may have read it. */
#ifndef WEB_PEER_H
#define WEB_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* The tables of IPv4 and of IPv6 sockets, open; the second is −1 where the kernel has no IPv6. */
struct peer_tables {
    int fds[2];
};

/* Before the walls. MAILLE_IO: the first cannot be opened. */
enum maille_code peer_open(struct peer_tables *tables, struct maille_error *error) MAILLE_CHECKED;

/* Whether a connection from `from` to 127.0.0.1:port was opened by a process of this user's or root's. */
bool peer_is_own(const struct peer_tables *tables, const struct sockaddr_in *from, unsigned port);

/* The same of the text of one table, which ends with 0. */
bool peer_in_table(const char *table, const struct sockaddr_in *from, unsigned port, uid_t user);

#endif
