/* Tells the service manager how the program is, as sd_notify(3) does, without its library: one datagram to
 * the socket that $NOTIFY_SOCKET names. Behind walls no socket can be made, so it is connected before them.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

/* A connected socket, or −1 where no service manager asked for words (or its socket is not there). The
 * variable is removed: no child speaks for this program. */
int notify_open(void);

/* "READY=1", "RELOADING=1", "WATCHDOG=1", "STOPPING=1", "STATUS=words", several with \n between. fd −1:
 * nothing. What cannot be sent is let go. RELOADING=1 gets the time that systemd wants with it. */
void notify_say(int fd, const char *words);

#endif
