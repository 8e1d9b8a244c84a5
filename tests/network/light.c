/* For test programs that play thousands of networks: what costs system calls and is watched elsewhere does
 * nothing here. Guarded memory is memory of the heap, without pages that nobody may touch, locked pages and
 * a canary (crypto/guarded_test.c, e2e.*, and all other tests of tests/network/ have the real one); what was
 * freed is kept. Each stands in the place of the library's. */
#include <malloc.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 16 }; /* before what is given out: how much it is; as aligned as malloc's */

void *sodium_malloc(const size_t size)
{
    unsigned char *memory = size < SIZE_MAX - LENGTH_BYTES ? malloc(LENGTH_BYTES + size) : NULL;
    if (memory == NULL)
        return NULL;
    memcpy(memory, &size, sizeof size);
    return memset(memory + LENGTH_BYTES, 0xdb, size); /* as libsodium fills it */
}

void *sodium_allocarray(size_t count, size_t size)
{
    return size == 0 || count <= SIZE_MAX / size ? sodium_malloc(count * size) : NULL;
}

void sodium_free(void *given)
{
    size_t size;
    if (given == NULL)
        return;
    unsigned char *memory = (unsigned char *)given - LENGTH_BYTES;
    memcpy(&size, memory, sizeof size);
    sodium_memzero(given, size);
    free(memory);
}

int sodium_mprotect_noaccess(void *given)
{
    (void)given;
    return 0;
}

int sodium_mprotect_readonly(void *given)
{
    (void)given;
    return 0;
}

int sodium_mprotect_readwrite(void *given)
{
    (void)given;
    return 0;
}

int malloc_trim(size_t pad)
{
    (void)pad;
    return 0;
}
