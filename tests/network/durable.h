/* The points at which a program waits for its disk. In a test program that links durable.c, fsync and
 * fdatasync (of this program and of the libraries it uses) wait for nothing: each is a point that is counted,
 * and at which the test may take the disk's image as a crash would leave it. */
#ifndef TESTS_NETWORK_DURABLE_H
#define TESTS_NETWORK_DURABLE_H

#include <stdbool.h>

typedef void durable_point(void *context);

/* Does the disk fail here? 0, or what errno is: EIO of a wait, ENOSPC of a write to a file. */
typedef int durable_fault(void *context, bool is_wait);

/* Called at every point from here on; NULL: nobody. */
void durable_watch(durable_point *point, void *context);

/* A copy of a folder and all that is in it; whatever was at `to` is gone. Ends the test when it cannot. */
void durable_copy(const char *from, const char *to);
void durable_remove(const char *folder);
/* Asked at each wait, and at each write (write, pwrite), from here on; NULL: the disk is whole. */
void durable_break(durable_fault *fault, void *context);

#endif
