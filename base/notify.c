#include "base/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

int notify_open(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    const size_t length = path != NULL ? strlen(path) : 0;
    int fd = -1;
    if (length > 1 && length < sizeof address.sun_path && (path[0] == '/' || path[0] == '@')) {
        memcpy(address.sun_path, path, length);
        if (path[0] == '@') /* an abstract name */
            address.sun_path[0] = '\0';
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
                           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) != 0) {
        close(fd);
        fd = -1;
    }
    unsetenv("NOTIFY_SOCKET");
    return fd;
}

void notify_say(int fd, const char *words)
{
    char text[512];
    const bool reloading = strstr(words, "RELOADING=1") != NULL;
    if (fd < 0)
        return;
    const int used = reloading ? snprintf(text, sizeof text, "%s\nMONOTONIC_USEC=%lld", words,
                                          (long long)clock_monotonic_ms() * 1000)
                               : snprintf(text, sizeof text, "%s", words);
    if (used > 0 && used < (int)sizeof text)
        (void)!send(fd, text, (size_t)used, MSG_NOSIGNAL | MSG_DONTWAIT);
}
