#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

_Noreturn void fuzz_fail(const char *what)
{
    fprintf(stderr, "fuzz: expected %s\n", what);
    abort();
}

void fuzz_file(char path[PATH_MAX], int *fd, const uint8_t *data, size_t size)
{
    *fd = memfd_create("input", MFD_CLOEXEC);
    if (*fd < 0 || fchmod(*fd, 0600) != 0 || file_write_all(*fd, data, size, NULL) != MAILLE_OK)
        fuzz_fail("a file in memory");
    snprintf(path, PATH_MAX, "/proc/self/fd/%d", *fd);
}

const char *fuzz_text(const char *path, size_t *length)
{
    struct bytes text = {0};
    struct maille_error error = {0};
    if (file_read(&text, path, 1 << 24, &error) != MAILLE_OK) {
        fprintf(stderr, "%s\n", error.sentence);
        fuzz_fail("to be run from the root of the repository");
    }
    bytes_put_u8(&text, 0);
    *length = text.length - 1;
    return (const char *)text.data;
}
