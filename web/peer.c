#include "web/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

enum maille_code peer_open(struct peer_tables *tables, struct maille_error *error)
{
    static const char *const paths[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    for (int i = 0; i < 2; i++)
        tables->fds[i] = open(paths[i], O_RDONLY | O_CLOEXEC);
    return tables->fds[0] >= 0
               ? MAILLE_OK
               : maille_fail_errno(error, "cannot open %s, which says whose a connection is", paths[0]);
}

/* As both tables write an address: words of the machine's own order. An IPv4 address of an IPv6 socket is
 * ::ffff:127.0.0.1, say. */
static bool is_address(const char *said, uint32_t address)
{
    char four[9], six[33];
    snprintf(four, sizeof four, "%08X", (unsigned)address);
    snprintf(six, sizeof six, "%08X%08X%08X%s", 0u, 0u, (unsigned)htonl(0xffff), four);
    return strcmp(said, four) == 0 || strcmp(said, six) == 0;
}

bool peer_in_table(const char *table, const struct sockaddr_in *from, unsigned port, uid_t user)
{
    enum { ESTABLISHED = 1, LINE = 256 }; /* of a connection in another state the kernel names no user */
    for (const char *line = table; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        char one[LINE], near[33], far[33];
        unsigned near_port, far_port, state;
        unsigned long owner;
        snprintf(one, sizeof one, "%.*s", (int)strcspn(line, "\n"), line);
        if (sscanf(one, " %*u: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*x:%*x %*x:%*x %*x %lu", near, &near_port,
                   far, &far_port, &state, &owner) == 6 &&
            near_port == ntohs(from->sin_port) && far_port == port &&
            is_address(near, from->sin_addr.s_addr) && is_address(far, htonl(INADDR_LOOPBACK)))
            return state == ESTABLISHED && (owner == user || owner == 0);
    }
    return false;
}

/* A table is made anew for whoever reads it from its beginning. */
static bool read_table(struct bytes *out, int fd)
{
    enum { BLOCK = 16 * 1024, TABLE_MAX = 64 * 1024 * 1024 };
    for (;;) {
        uint8_t block[BLOCK];
        const ssize_t n = pread(fd, block, sizeof block, (off_t)out->length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || out->length > TABLE_MAX)
            return false;
        if (n == 0)
            break;
        bytes_put(out, block, (size_t)n);
    }
    bytes_put_u8(out, 0);
    return !out->failed;
}

bool peer_is_own(const struct peer_tables *tables, const struct sockaddr_in *from, unsigned port)
{
    bool found = false;
    for (int i = 0; i < 2 && !found; i++) {
        struct bytes table = {0};
        found = tables->fds[i] >= 0 && read_table(&table, tables->fds[i]) &&
                peer_in_table((const char *)table.data, from, port, geteuid());
        bytes_clear(&table);
    }
    return found;
}
