#include "base/heap.h"

#include <malloc.h>

/* mmap: the largest that glibc takes; what is larger (a vector of many megabytes) still goes back at once. */
enum { KEEP_BYTES = 256 * 1024 * 1024, MMAP_BYTES = 32 * 1024 * 1024 };

void heap_keep(void)
{
    mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
}

void heap_give_back(void)
{
    malloc_trim(0);
}
