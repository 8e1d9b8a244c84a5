/* How the C library's heap gives memory back to the system. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

/* Keeps freed memory in the process, for programs that take the same large buffers again in every round.
 * glibc would return them each time (mallopt(3): M_TRIM_THRESHOLD, M_MMAP_THRESHOLD), and every page would be
 * faulted in and cleared anew: half of the time of a study over a million patients (docs/PERFORMANCE.md). The
 * process never holds more than its peak. Once, before threads are started. */
void heap_keep(void);
/* Gives back what was freed. What one question needs grows with the questions that were answered before it:
 * now and then, when it costs nobody's time, so that the peak of one is not held for ever. A few
 * milliseconds. */
void heap_give_back(void);

#endif
